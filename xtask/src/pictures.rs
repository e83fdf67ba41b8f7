//! Makes the pictures of the documentation: a server with some questions, looked at by a real browser.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

use anyhow::{Context, Result};

use crate::binaries::BINARIES;
use crate::process::run;
use crate::repo::top;
use crate::tools::{BROWSER_SCRIPTS, CHROMIUM_BROWSER};

/// What a server says before its address.
const LISTENS: &str = "hitl listens on ";

/// A server that ends with this.
struct Server(Child);

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended by itself; the script has said what is wrong then.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Writes `docs/images/*.png` anew.
pub(crate) fn pictures() -> Result<()> {
    let mut env = Vec::new();
    for need in [BINARIES, BROWSER_SCRIPTS, CHROMIUM_BROWSER] {
        env.extend((need.provide)()?);
    }
    let binary = env.iter().find(|(name, _)| *name == "HITL_TEST_BIN");
    let (_, binary) = binary.context("the build has made no binary")?;
    let flags = ["serve", "--insecure", "--store", "memory://", "--listen", "127.0.0.1:0"];
    let server =
        Command::new(binary).args(flags).stdout(Stdio::piped()).stderr(Stdio::null()).spawn();
    let mut server = Server(server.context("the server does not start")?);
    let output = server.0.stdout.take().context("the server has no output")?;
    let lines = BufReader::new(output).lines().map_while(Result::ok);
    let url = lines.into_iter().find_map(|line| line.strip_prefix(LISTENS).map(str::to_owned));
    let url = url.context("the server does not say where it listens")?;
    let mut node = Command::new("node");
    node.arg("pictures.mjs").arg(url.trim()).current_dir(top().join("tests/browser"));
    node.envs(env.iter().map(|(name, value)| (name, value)));
    run(node.env("HITL_PICTURES", top().join("docs/images")))
}
