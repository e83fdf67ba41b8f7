//! `cargo xtask supply`: what others wrote and we build, run or test with is fixed by locks, and none of it is in a
//! version that is known to be bad.

mod floors;
mod installs;
mod locks;
mod version;

use anyhow::{Context, Result, ensure};

use crate::repo::top;
use crate::tree::Tree;
use floors::Floors;

/// Prints what is wrong with the locks. Says whether nothing is.
pub(crate) fn supply() -> Result<bool> {
    let tree = Tree::read(top())?;
    let floors = tree.get(floors::FILE).context("there is no supply/floors.toml")?;
    let floors = Floors::parse(floors)?;
    let (locks, mut findings) = locks::read(&tree);
    ensure!(locks.len() > 1, "no locks were found: is this a checkout?");
    findings.extend(locks.iter().flat_map(|lock| floors.check(lock)));
    findings.extend(installs::check(&tree));
    findings.sort_by(|a, b| (&a.path, a.line).cmp(&(&b.path, b.line)));
    for finding in &findings {
        println!("{finding}");
    }
    for lock in &locks {
        println!("{}: {} packages", lock.path, lock.packages.len());
    }
    println!("supply: {} to fix", findings.len());
    Ok(findings.is_empty())
}
