//! `cargo xtask tidy`: the rules that neither the compiler nor clippy knows, checked.
//!
//! Style that no machine checks decays. A remark made twice in review belongs here.

mod docs;
mod protos;
mod readmes;
mod score;
mod surface;
mod text;

use std::fmt;

use anyhow::Result;

use crate::repo::top;
use crate::tree::Tree;

/// A broken rule, where, and the way out.
#[derive(Debug, PartialEq, Eq)]
struct Finding {
    path: String,
    /// Counted from 1.
    line: usize,
    what: String,
    fix: &'static str,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}; {}", self.path, self.line, self.what, self.fix)
    }
}

const CHECKS: &[fn(&Tree) -> Vec<Finding>] = &[
    text::module_docs,
    text::sizes,
    text::columns,
    text::left_overs,
    docs::names,
    docs::code_map,
    protos::behaviour,
    surface::names,
    readmes::fresh,
];

/// Prints what is not tidy, and the scoreboard. Says whether all is tidy.
pub(crate) fn tidy() -> Result<bool> {
    let tree = Tree::read(top())?;
    let findings: Vec<Finding> = CHECKS.iter().flat_map(|check| check(&tree)).collect();
    for finding in &findings {
        println!("{finding}");
    }
    println!("{}", score::board(&tree));
    println!("tidy: {} to fix", findings.len());
    Ok(findings.is_empty())
}

/// What tests look at: `path:line` of every finding.
#[cfg(test)]
fn places(findings: &[Finding]) -> Vec<String> {
    findings.iter().map(|finding| format!("{}:{}", finding.path, finding.line)).collect()
}
