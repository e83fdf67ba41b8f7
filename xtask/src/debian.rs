//! Packages of the system. What must be part of it is installed, which needs root; the rest is only unpacked below
//! `target/tools`, so that no kernel or shell of the tests becomes the machine's own.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};

use crate::packages::tools;
use crate::process::{read, retry, run};

/// Installs `packages`, which may be options of `apt-get install` too, unless `program` is there.
pub(crate) fn installed(packages: &[&str], program: &str) -> Result<PathBuf> {
    if !Path::new(program).exists() {
        let words = as_root();
        let words = words.with_context(|| {
            format!("{program} is missing: run `apt-get install {}` as root", packages.join(" "))
        })?;
        retry(&format!("install {program}"), || {
            run(&mut apt_get(words, &["update"]))?;
            run(&mut apt_get(words, &[&["install", "-y"][..], packages].concat()))
        })?;
    }
    Ok(program.into())
}

/// Unpacks `package` and returns the directory, in which everything is where it would be below `/`.
pub(crate) fn unpacked(package: &str) -> Result<PathBuf> {
    unpacked_as(package, || Ok(package.to_owned()))
}

/// Unpacks the package that `package` stands for: the newest of a kind, by which kernels are installed.
pub(crate) fn newest_unpacked(package: &str) -> Result<PathBuf> {
    unpacked_as(package, || {
        let facts = read(Command::new("apt-cache").args(["depends", "--important", package]))?;
        let newest = facts.lines().find_map(|line| line.trim().strip_prefix("Depends: "));
        newest.map(str::to_owned).with_context(|| format!("{package} stands for no package"))
    })
}

fn unpacked_as(name: &str, package: impl Fn() -> Result<String>) -> Result<PathBuf> {
    let dir = tools().join(name);
    if !dir.exists() {
        let beside = dir.with_extension("new");
        retry(&format!("unpack {name}"), || {
            if beside.exists() {
                fs::remove_dir_all(&beside)?;
            }
            fs::create_dir_all(&beside)?;
            // Whoever may not do that may have a list of packages that is new enough.
            if let Ok(words) = as_root() {
                run(&mut apt_get(words, &["update"]))?;
            }
            unpack(&package()?, &beside)
        })?;
        fs::rename(&beside, &dir).with_context(|| format!("cannot make {}", dir.display()))?;
    }
    Ok(dir)
}

fn unpack(package: &str, dir: &Path) -> Result<()> {
    run(Command::new("apt-get").args(["download", package]).current_dir(dir))?;
    for entry in fs::read_dir(dir)? {
        let file = entry?.path();
        if file.extension().is_some_and(|extension| extension == "deb") {
            run(Command::new("dpkg-deb").arg("--extract").arg(&file).arg(dir))?;
            fs::remove_file(&file)?;
        }
    }
    Ok(())
}

/// The words before a command that only root may run.
fn as_root() -> Result<&'static [&'static str]> {
    if read(Command::new("id").arg("-u")).is_ok_and(|id| id.trim() == "0") {
        return Ok(&[]);
    }
    let by_sudo = read(Command::new("sudo").args(["-n", "true"])).is_ok();
    ensure!(by_sudo, "this needs root, or sudo without a password");
    Ok(&["sudo", "-n"])
}

fn apt_get(prefix: &[&str], arguments: &[&str]) -> Command {
    let mut words = prefix.iter().chain(&["apt-get", "-o", "DPkg::Lock::Timeout=120"]);
    let mut command = Command::new(words.next().expect("apt-get is always there"));
    command.args(words).args(arguments).env("DEBIAN_FRONTEND", "noninteractive");
    command
}
