//! Builds the programs that the tests drive from outside.

use std::process::Command;

use anyhow::Result;

use crate::process::run;
use crate::repo::{target, top};
use crate::tools::{self, Env, Need};

pub(crate) const BINARIES: Need =
    Need { name: "the hitl binary", is_fetched: false, provide: debug };

/// The server as the SDKs find it.
pub(crate) const SERVER_OF_SDKS: Need = Need {
    name: "the server of the SDKs",
    is_fetched: false,
    provide: || Ok(vec![("HITL_BIN", target().join("debug/hitl"))]),
};

/// Builds everything at once, tests as well: what the suites build after it is a part of that. Another choice of
/// packages or targets has other features or other debug information, and then all dependencies are built again.
fn debug() -> Result<Env> {
    cargo_build(&["--workspace", "--all-targets"])?;
    Ok(vec![("HITL_TEST_BIN", target().join("debug/hitl"))])
}

/// Builds and runs the benchmark against a release build; `arguments` are the benchmark's own.
pub(crate) fn bench(arguments: &[String]) -> Result<()> {
    let packages = ["-p", "hitl-server", "-p", "hitl-tests", "--bin", "hitl", "--bin", "bench"];
    cargo_build(&[&["--release"], &packages[..]].concat())?;
    let release = target().join("release");
    run(Command::new(release.join("bench"))
        .args(arguments)
        .env("HITL_TEST_BIN", release.join("hitl")))
}

/// With the path of the suites: what is built with a compiler of C is built again for another path.
fn cargo_build(arguments: &[&str]) -> Result<()> {
    let mut cargo = Command::new("cargo");
    run(cargo.arg("build").args(arguments).current_dir(top()).env("PATH", tools::path()?))
}
