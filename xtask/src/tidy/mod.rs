//! `cargo xtask tidy`: the rules that neither the compiler nor clippy knows, checked.
//!
//! Style that no machine checks decays. A remark made twice in review belongs here.

mod docs;
mod proofs;
mod protos;
mod readmes;
mod score;
mod surface;
mod text;

use anyhow::Result;

use crate::finding::Finding;
use crate::repo::top;
use crate::tree::Tree;

const CHECKS: &[fn(&Tree) -> Vec<Finding>] = &[
    text::module_docs,
    text::sizes,
    text::columns,
    text::left_overs,
    docs::names,
    docs::code_map,
    proofs::exist,
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
