//! The programs that the tests need besides the toolchains, installed by name and exact version.
//!
//! Everything but the browser goes below `target/tools`, so that a checkout disturbs no other, and
//! nothing is installed twice.

use std::env;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};

use crate::process::{read, retry, run};
use crate::repo::{target, top};

/// Lints and formats the protos.
const BUF_VERSION: &str = "1.75.0";

/// A gRPC client that is not ours: it knows the API only by reflection.
const GRPCURL_VERSION: &str = "v1.9.3";

const GRPCURL_PACKAGE: &str = "github.com/fullstorydev/grpcurl/cmd/grpcurl";

/// Where Debian puts the browser.
const CHROMIUM: &str = "/usr/bin/chromium";

/// Environment variables that a need hands to the tests.
pub(crate) type Env = Vec<(&'static str, PathBuf)>;

/// Something that must be in place before a suite can run.
pub(crate) struct Need {
    pub(crate) name: &'static str,
    /// Puts it in place, unless it already is.
    pub(crate) provide: fn() -> Result<Env>,
}

pub(crate) const BUF: Need = Need { name: "buf", provide: buf };
pub(crate) const GRPCURL: Need = Need { name: "grpcurl", provide: grpcurl };
pub(crate) const CHROMIUM_BROWSER: Need = Need { name: "chromium", provide: chromium };
pub(crate) const BROWSER_SCRIPTS: Need = Need { name: "browser scripts", provide: browser_scripts };

/// The search path with our tools first.
pub(crate) fn path() -> Result<OsString> {
    let ours = [tools().join("bin"), buf_dir().join("node_modules/.bin")];
    let inherited = env::var_os("PATH").unwrap_or_default();
    Ok(env::join_paths(ours.into_iter().chain(env::split_paths(&inherited)))?)
}

fn tools() -> PathBuf {
    target().join("tools")
}

fn buf_dir() -> PathBuf {
    tools().join("buf")
}

fn buf() -> Result<Env> {
    let program = buf_dir().join("node_modules/.bin/buf");
    let installed = read(Command::new(&program).arg("--version")).unwrap_or_default();
    if installed.trim() != BUF_VERSION {
        retry("install buf", || {
            let package = format!("@bufbuild/buf@{BUF_VERSION}");
            run(npm("install").arg("--prefix").arg(buf_dir()).args(["--no-save", &package]))
        })?;
    }
    Ok(Vec::new())
}

fn grpcurl() -> Result<Env> {
    const VARIABLE: &str = "HITL_TEST_GRPCURL";
    if let Some(chosen) = chosen(VARIABLE)? {
        return Ok(vec![(VARIABLE, chosen)]);
    }
    let program = tools().join("bin/grpcurl");
    // It does not know its own version when installed like this; its build information does.
    let installed = read(Command::new("go").args(["version", "-m"]).arg(&program));
    if !installed.is_ok_and(|facts| facts.contains(GRPCURL_VERSION)) {
        retry("install grpcurl", || {
            run(Command::new("go")
                .env("GOBIN", tools().join("bin"))
                .args(["install", &format!("{GRPCURL_PACKAGE}@{GRPCURL_VERSION}")]))
        })?;
    }
    Ok(vec![(VARIABLE, program)])
}

fn chromium() -> Result<Env> {
    const VARIABLE: &str = "HITL_TEST_CHROMIUM";
    if let Some(chosen) = chosen(VARIABLE)? {
        return Ok(vec![(VARIABLE, chosen)]);
    }
    if !Path::new(CHROMIUM).exists() {
        let as_root = || read(Command::new("id").arg("-u")).is_ok_and(|id| id.trim() == "0");
        let by_sudo = || read(Command::new("sudo").args(["-n", "true"])).is_ok();
        let prefix: &[&str] = if as_root() { &[] } else { &["sudo", "-n"] };
        ensure!(
            prefix.is_empty() || by_sudo(),
            "{CHROMIUM} is missing and only root may install it: \
             run `apt-get install chromium`, or name another one in {VARIABLE}"
        );
        retry("install chromium", || {
            run(&mut apt_get(prefix, &["update"]))?;
            run(&mut apt_get(prefix, &["install", "-y", "chromium"]))
        })?;
    }
    Ok(vec![(VARIABLE, CHROMIUM.into())])
}

/// Installs what the browser tests import, if there are any.
fn browser_scripts() -> Result<Env> {
    let dir = top().join("tests/browser");
    let installed = || read(npm("ls").current_dir(&dir)).is_ok();
    if dir.join("package.json").exists() && !installed() {
        let locked = dir.join("package-lock.json").exists();
        retry("install what the browser tests import", || {
            run(npm(if locked { "ci" } else { "install" }).current_dir(&dir))
        })?;
    }
    Ok(Vec::new())
}

/// The program a developer named in `variable` instead of ours.
fn chosen(variable: &str) -> Result<Option<PathBuf>> {
    let Some(path) = env::var_os(variable).map(PathBuf::from) else {
        return Ok(None);
    };
    let path = path.canonicalize().with_context(|| format!("{variable}={}", path.display()))?;
    Ok(Some(path))
}

fn npm(verb: &str) -> Command {
    let mut command = Command::new("npm");
    command.args([verb, "--no-audit", "--no-fund", "--loglevel=error"]);
    command
}

fn apt_get(prefix: &[&str], arguments: &[&str]) -> Command {
    let mut words = prefix.iter().chain(&["apt-get", "-o", "DPkg::Lock::Timeout=120"]);
    let mut command = Command::new(words.next().expect("apt-get is always there"));
    command.args(words).args(arguments).env("DEBIAN_FRONTEND", "noninteractive");
    command
}
