//! `hitl inbox`: opens the browser, signed in as the user of this machine.
//!
//! A code that works once takes the browser in. It goes there by a file that only the user can read, since the
//! arguments of a program are shown to everybody on the machine, and whoever saw the code could be quicker.

use std::fs::OpenOptions;
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, bail};
use clap::Args;
use serde::Deserialize;

use super::browser::{has_display, open};
use super::exit::Exit;
use super::terminal::{note, print};
use super::{ServerArgs, given, up};
use crate::local::DataDir;

/// Longest that the local server may take for a code.
const PATIENCE: Duration = Duration::from_secs(10);

/// Open the pages of the local server in the browser, signed in.
#[derive(Args, Debug)]
#[command(after_help = "\
With --endpoint or HITL_ENDPOINT it opens the pages of that server, which has its own way to sign in.

Examples:
  hitl inbox
  hitl inbox --print           prints an address that signs in once, within a minute")]
pub(super) struct InboxArgs {
    /// Print the address, and open nothing.
    #[arg(long)]
    print: bool,
}

#[derive(Deserialize)]
struct Code {
    code: String,
}

pub(super) async fn run(server: &ServerArgs, args: InboxArgs) -> anyhow::Result<Exit> {
    if let Some(endpoint) = given(&server.endpoint) {
        let address = format!("{}/", endpoint.trim_end_matches('/'));
        if args.print || !open(address.as_ref()).await {
            print(&address)?;
        }
        return Ok(Exit::Done);
    }
    let (dir, state) = up::local_server().await?;
    let code = code(&state.endpoint, &state.token).await?;
    let address = format!("{}/sign-in/local?code={code}", state.endpoint);
    if args.print || !has_display() {
        print(&address)?;
        return Ok(Exit::Done);
    }
    let page = write_page(&dir, &address)?;
    if open(page.as_ref()).await {
        note("The browser opens. If it does not: hitl inbox --print");
    } else {
        print(&address)?;
    }
    Ok(Exit::Done)
}

async fn code(endpoint: &str, token: &str) -> anyhow::Result<String> {
    // Whoever comes second finds it done.
    drop(rustls::crypto::ring::default_provider().install_default());
    let client = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).no_proxy();
    // It is plain http, and a machine without certificates of authorities can have it too.
    let client = client.tls_certs_only([]).timeout(PATIENCE);
    let client = client.build().context("cannot make a client")?;
    let request = client.post(format!("{endpoint}/sign-in/code")).bearer_auth(token);
    let reply = request.send().await.context("the local server does not reply")?;
    if !reply.status().is_success() {
        bail!(
            "the local server gives no code for the browser ({}): is it of another version?",
            reply.status()
        );
    }
    let body = reply.bytes().await.context("the reply of the local server broke off")?;
    let Code { code } = serde_json::from_slice(&body).context("the local server gives no code")?;
    Ok(code)
}

/// A page that leads to `address`, for nobody else to read.
fn write_page(dir: &DataDir, address: &str) -> anyhow::Result<PathBuf> {
    let path = dir.path().join("inbox.html");
    let page = format!(
        "<!doctype html><meta charset=\"utf-8\"><title>hitl</title>\
         <meta name=\"referrer\" content=\"no-referrer\">\
         <meta http-equiv=\"refresh\" content=\"0;url={address}\"><a href=\"{address}\">hitl</a>\n"
    );
    let cannot = || format!("cannot write {}", path.display());
    // A new file each time: another's would keep its mode.
    match std::fs::remove_file(&path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            return Err(error).with_context(cannot);
        }
        _ => {}
    }
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(&path)
        .with_context(cannot)?;
    file.write_all(page.as_bytes()).with_context(cannot)?;
    Ok(path)
}
