//! `hitl up`: finds the local server or starts it, and says where it is and how to prove that one may call it. The SDKs
//! run this at every connect.

use std::path::PathBuf;

use anyhow::{Context, bail};
use clap::Args;
use serde_json::json;

use super::exit::Exit;
use super::terminal::{note, print};
use crate::local::{self, API, DataDir, State};

/// Find the local server or start it, and print where it is and the token for it, as a line of JSON.
#[derive(Args, Debug)]
#[command(after_help = "\
All programs that share a data directory (HITL_DATA_DIR, else $XDG_DATA_HOME/hitl, else ~/.local/share/hitl) share a
server. One that is started takes port HITL_PORT; without that 4485, or another if something else has it. It ends after
10 minutes without a call, if nothing is pending. HITL_ENDPOINT says nothing to this command.

Examples:
  hitl up                      prints {\"endpoint\":\"http://127.0.0.1:4485\",\"token\":\"hitl_…\"}
  hitl up | jq -r .endpoint")]
pub(super) struct UpArgs {}

pub(super) async fn run() -> anyhow::Result<Exit> {
    let (_, State { endpoint, token, .. }) = local_server().await?;
    print(&json!({"endpoint": endpoint, "token": token}).to_string())?;
    Ok(Exit::Done)
}

/// The local server, which is started if none runs.
pub(super) async fn local() -> anyhow::Result<State> {
    local_server().await.map(|(_, state)| state)
}

/// The same, and the directory that it is of.
pub(super) async fn local_server() -> anyhow::Result<(DataDir, State)> {
    let port = local::port_of(std::env::var("HITL_PORT").ok().as_deref())?;
    let dir = data_dir()?;
    let state = local::up(&dir, port).await?;
    refuse_other_api(&state)?;
    let ours = env!("CARGO_PKG_VERSION");
    if state.version != ours {
        note(&format!("The local server is of version {}, and this is {ours}.", state.version));
    }
    Ok((dir, state))
}

/// The directory of the local server, whether one runs or not.
pub(super) fn data_dir() -> anyhow::Result<DataDir> {
    let env = |name: &str| std::env::var_os(name).map(PathBuf::from);
    let path = local::data_dir(env("HITL_DATA_DIR"), env).context(
        "there is no home directory to keep the local server's data in: set HITL_DATA_DIR, or HITL_ENDPOINT to use a \
         server that runs elsewhere",
    )?;
    DataDir::open(&path)
}

/// A server of another version does, as long as it speaks the same API.
fn refuse_other_api(state: &State) -> anyhow::Result<()> {
    if state.api != API {
        bail!(
            "the local server at {} is of version {} and speaks {}, not {API}: end it with `kill {}`, and the next \
             call starts one of this version",
            state.endpoint,
            state.version,
            state.api,
            state.pid,
        );
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_of_another_version_does_if_it_speaks_the_same_api() {
        let state = |api: &str| State {
            endpoint: "http://127.0.0.1:1".to_owned(),
            pid: 17,
            version: "99.0.0".to_owned(),
            api: api.to_owned(),
            network: String::new(),
            token: String::new(),
        };
        refuse_other_api(&state(API)).unwrap();
        let refused = refuse_other_api(&state("hitl.v2")).unwrap_err().to_string();
        assert!(refused.contains("99.0.0") && refused.contains("`kill 17`"), "{refused}");
    }
}
