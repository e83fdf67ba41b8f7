//! `cargo xtask lock`: fixes anew what is installed from npm and PyPI, for the tests and for the SDKs.
//!
//! What is asked for stands in the constants of `tools.rs` and in the SDKs' own manifests; what a lock has already
//! stays as it is as long as it fits.

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result};

use crate::packages::{Package, Registry, npm};
use crate::process::run;
use crate::repo::top;
use crate::tools::{LOCKED, uv};

/// The oldest Python that runs any of it.
const PYTHON: &str = "3.11";

/// What the SDK for Python is developed with, what its extras are tested with, the oldest that it runs with, and what
/// the adapters are tested with.
const REQUIREMENTS: [&str; 7] = [
    "sdk/python/dev-requirements.txt",
    "sdk/python/flyte-requirements.txt",
    "sdk/python/oldest-requirements.txt",
    "adapters/requirements.txt",
    "adapters/apache-airflow/requirements.txt",
    "adapters/prefect/requirements.txt",
    "adapters/temporal/requirements.txt",
];

/// Manifests of npm.
const MANIFESTS: [&str; 5] =
    ["sdk/typescript", "tests/browser", "tests/channels", "tests/mcp", "tests/mcp/others"];

/// Writes every lock.
pub(crate) fn lock() -> Result<()> {
    for package in LOCKED {
        ask(package)?;
        match package.registry {
            Registry::Npm => lock_npm(&package.lock_dir())?,
            Registry::PyPi => lock_pypi(&package.lock_dir().join("requirements.txt"))?,
            Registry::Go => {}
        }
    }
    for requirements in REQUIREMENTS {
        lock_pypi(&top().join(requirements))?;
    }
    MANIFESTS.iter().try_for_each(|dir| lock_npm(&top().join(dir)))
}

/// Writes down what the lock of `package` is made of.
fn ask(package: &Package) -> Result<()> {
    let Some((file, text)) = asked(package) else { return Ok(()) };
    let dir = package.lock_dir();
    fs::create_dir_all(&dir)?;
    fs::write(dir.join(file), text).with_context(|| dir.join(file).display().to_string())
}

/// The file that asks for `package`, and what stands in it; a Go module needs none.
fn asked(package: &Package) -> Option<(&'static str, String)> {
    let Package { name, version, .. } = package;
    match package.registry {
        Registry::Go => None,
        Registry::PyPi => Some(("requirements.txt", format!("{name}=={version}\n"))),
        Registry::Npm => {
            let asked = format!("    \"{name}\": \"{version}\"\n");
            let text = ["{\n  \"private\": true,\n  \"dependencies\": {\n", &asked, "  }\n}\n"];
            Some(("package.json", text.concat()))
        }
    }
}

fn lock_npm(dir: &Path) -> Result<()> {
    run(npm("install").args(["--package-lock-only", "--ignore-scripts"]).current_dir(dir))
}

fn lock_pypi(requirements: &Path) -> Result<()> {
    let name = requirements.file_name().context("a file")?;
    run(Command::new(uv()?)
        .args(["pip", "compile", "--quiet", "--universal", "--generate-hashes", "--no-annotate"])
        .args(["--python-version", PYTHON, "--custom-compile-command", "cargo xtask lock"])
        .arg("--output-file")
        .arg(requirements.with_extension("lock"))
        .arg(name)
        .current_dir(requirements.parent().context("a directory")?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_locked_is_what_is_asked_for() {
        for package in LOCKED {
            let (file, text) = asked(package).expect("only these registries need locks");
            let path = package.lock_dir().join(file);
            let found = fs::read_to_string(&path).unwrap_or_default();
            assert_eq!(found, text, "{}: run `cargo xtask lock`", path.display());
        }
    }
}
