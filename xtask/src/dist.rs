//! `cargo xtask dist`: packages of the binary for this platform. What goes into them, and how, is in `packaging`.

use std::env;
use std::fs;
use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, Result};

use crate::process::{read, run};
use crate::repo::{target, top};
use crate::sbom;

/// Which binary is packed.
pub(crate) enum Of {
    /// One that is built for it, in this profile.
    Profile(String),
    /// One that is there.
    Binary(PathBuf),
}

/// Makes the packages in `kinds`, or all, in `target/packages`.
pub(crate) fn dist(of: Of, kinds: &[String]) -> Result<()> {
    let binary = match of {
        Of::Binary(path) => path.canonicalize().with_context(|| path.display().to_string())?,
        Of::Profile(profile) => build(&profile)?,
    };
    let out = target().join("packages");
    if kinds.is_empty() && out.exists() {
        // What another version has left is no package of this one.
        fs::remove_dir_all(&out).with_context(|| out.display().to_string())?;
    }
    fs::create_dir_all(&out).with_context(|| out.display().to_string())?;
    let bill = out.join("hitl.cyclonedx.json");
    fs::write(&bill, sbom::text()?).with_context(|| bill.display().to_string())?;
    run(Command::new(top().join("sdk/python/check")).arg("install"))?;
    let mut pack = Command::new("python3");
    pack.arg(top().join("packaging/build.py")).arg("--binary").arg(binary);
    run(pack.arg("--sbom").arg(bill).arg("--out").arg(out).args(kinds))?;
    println!(
        "These are for {} on Linux. Others are made by the same command on a machine of theirs: see docs/install.md.",
        env::consts::ARCH
    );
    Ok(())
}

fn build(profile: &str) -> Result<PathBuf> {
    let arguments =
        ["build", "-p", "hitl-server", "--bin", "hitl", "--locked", "--profile", profile];
    run(Command::new("cargo").args(arguments).current_dir(top()))?;
    // The profiles that cargo has by itself are in directories of other names.
    let dir = if profile == "dev" { "debug" } else { profile };
    let binary = target().join(dir).join("hitl");
    read(Command::new(&binary).arg("--version")).context("what was built does not run here")?;
    Ok(binary)
}
