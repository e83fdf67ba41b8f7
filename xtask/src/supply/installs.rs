//! Nothing is installed that no lock fixes: how scripts and xtask call the package managers.

use std::sync::LazyLock;

use regex::Regex;

use crate::finding::Finding;
use crate::tree::Tree;

/// What installs, what says that a lock or an exact version decides, and what to write instead.
struct Rule {
    calls: Regex,
    fixed: Regex,
    fix: &'static str,
}

static RULES: LazyLock<[Rule; 3]> = LazyLock::new(|| {
    let rule = |calls, fixed, fix| Rule {
        calls: Regex::new(calls).expect("a constant pattern"),
        fixed: Regex::new(fixed).expect("a constant pattern"),
        fix,
    };
    [
        rule(
            r"\bpip\W+install\b",
            r"--require-hashes|--constraint",
            "install from a requirements.lock with --require-hashes, or a file of ours with --constraint",
        ),
        rule(
            r"\bnpm\W+(install|i|add)\b|\bnpx\b",
            r"--save-exact",
            "install from a package-lock.json by `npm ci`, or exact versions with --save-exact",
        ),
        rule(r"\bgo (install|get)\b.*@", r"@v[0-9]|@\$[a-z0-9_]+\b", "name an exact version"),
    ]
});

/// Calls that take whatever is newest.
pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (path, text) in tree.files().filter(|(path, _)| installs(path)) {
        for (index, line) in text.lines().enumerate() {
            if line.trim_start().starts_with(['#', '/']) {
                continue;
            }
            let broken = RULES.iter().filter(|rule| rule.calls.is_match(line));
            let broken = broken.filter(|rule| !rule.fixed.is_match(line));
            findings.extend(broken.map(|rule| Finding {
                path: path.to_owned(),
                line: index + 1,
                what: "it installs what no lock fixes".to_owned(),
                fix: rule.fix,
            }));
        }
    }
    findings
}

/// Whether a file is a script of ours that installs: documents tell users what to install.
fn installs(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path);
    ["sdk/", ".ci/", "tests/", "adapters/", "packaging/"].iter().any(|top| path.starts_with(top))
        && (!name.contains('.') || name.ends_with(".sh"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calls_that_take_what_is_newest_are_found() {
        let script = "#!/bin/sh\n# npm install is not for us\npip install --require-hashes -r x.lock\n\
                      pip install x==1\nnpm ci\nnpm install x\ngo install m@v1.2\ngo install m@latest\n";
        let found = check(&Tree::of(&[("sdk/python/check", script), ("README.md", script)]));
        let lines: Vec<usize> = found.iter().map(|finding| finding.line).collect();
        assert_eq!(lines, [4, 6, 8]);
    }
}
