//! Builds the programs that the tests drive from outside.

use std::fs;
use std::process::Command;

use anyhow::{Context, Result};

use crate::process::run;
use crate::repo::{target, top};
use crate::tools::{Env, Need};

pub(crate) const BINARIES: Need = Need { name: "hitl binaries", is_fetched: false, provide: debug };

/// The server as the SDKs find it.
pub(crate) const SERVER_OF_SDKS: Need = Need {
    name: "the server of the SDKs",
    is_fetched: false,
    provide: || Ok(vec![("HITL_BIN", target().join("debug/hitl"))]),
};

/// Builds `hitl` twice: as it is, and with planted faults, which a checker must be able to find.
///
/// Both go to the same place, one after the other: a target directory of its own would compile
/// every dependency again.
fn debug() -> Result<Env> {
    let built = target().join("debug/hitl");
    let planted = target().join("planted/hitl");
    cargo_build(&["-p", "hitl-server", "--features", "planted-faults"])?;
    fs::create_dir_all(target().join("planted"))?;
    // Copied beside and renamed, because a program that still runs cannot be written to.
    let beside = planted.with_extension("new");
    fs::copy(&built, &beside)
        .and_then(|_| fs::rename(&beside, &planted))
        .with_context(|| format!("cannot keep {} as {}", built.display(), planted.display()))?;
    cargo_build(&["-p", "hitl-server"])?;
    Ok(vec![("HITL_TEST_BIN", built), ("HITL_TEST_PLANTED_BIN", planted)])
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

fn cargo_build(arguments: &[&str]) -> Result<()> {
    run(Command::new("cargo").arg("build").args(arguments).current_dir(top()))
}
