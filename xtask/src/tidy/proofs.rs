//! What `SECURITY.md` calls a proof is there: tests by their names, and targets of the fuzzer.

use std::collections::HashSet;
use std::sync::LazyLock;

use regex::Regex;

use super::Finding;
use crate::tree::Tree;

const DOCUMENT: &str = "SECURITY.md";

/// Where the targets have their seeds.
const CORPUS: &str = "fuzz/corpus/";

/// The name of a test: a sentence.
static NAMED: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"`([a-z0-9]+(?:_[a-z0-9]+){3,})`").expect("a constant pattern"));

static FUNCTION: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"\bfn ([a-z0-9_]+)\(").expect("a constant pattern"));

/// Every test that is named exists, and every target is named.
pub(crate) fn exist(tree: &Tree) -> Vec<Finding> {
    let Some(document) = tree.get(DOCUMENT) else { return Vec::new() };
    let functions: HashSet<&str> = tree
        .rust()
        .flat_map(|(_, text)| FUNCTION.captures_iter(text))
        .filter_map(|found| found.get(1).map(|name| name.as_str()))
        .collect();
    let mut findings = Vec::new();
    for (index, line) in document.lines().enumerate() {
        let named = NAMED.captures_iter(line).filter_map(|found| found.get(1));
        for name in named.map(|name| name.as_str()).filter(|name| !functions.contains(name)) {
            findings.push(finding(index + 1, format!("there is no test `{name}`")));
        }
    }
    let targets: HashSet<&str> = tree
        .files()
        .filter_map(|(path, _)| path.strip_prefix(CORPUS)?.split_once('/'))
        .map(|(target, _)| target)
        .collect();
    let mut unnamed: Vec<_> =
        targets.into_iter().filter(|target| !document.contains(&format!("`{target}`"))).collect();
    unnamed.sort_unstable();
    findings.extend(
        unnamed.into_iter().map(|target| finding(1, format!("it names no target `{target}`"))),
    );
    findings
}

fn finding(line: usize, what: String) -> Finding {
    Finding {
        path: DOCUMENT.to_owned(),
        line,
        what,
        fix: "name the tests that there are, and every fuzz target",
    }
}

#[cfg(test)]
mod tests {
    use super::super::places;
    use super::*;

    #[test]
    fn a_proof_that_is_not_there_and_a_target_that_is_not_named_are_found() {
        let document = "one\n`a_test_that_is` `form`\n`a_test_that_is_not` `short_name`\n";
        let findings = exist(&Tree::of(&[
            (DOCUMENT, document),
            ("x.rs", "async fn a_test_that_is() {}"),
            ("fuzz/corpus/form/a", ""),
            ("fuzz/corpus/links/a", ""),
        ]));
        assert_eq!(places(&findings), ["SECURITY.md:3", "SECURITY.md:1"]);
    }
}
