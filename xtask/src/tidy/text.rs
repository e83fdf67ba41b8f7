//! What can be seen without understanding the code: sizes, opening lines, left-overs.

use std::sync::LazyLock;

use regex::Regex;

use super::Finding;
use crate::tree::{Tree, is_generated};

/// More lines than this are listed: look whether the file holds two ideas.
pub(crate) const FILE_LINES_GOAL: usize = 300;

/// More lines than this are refused.
const FILE_LINES_MAX: usize = 500;

/// rustfmt breaks code well before; this is for comments and strings.
const LINE_COLUMNS_MAX: usize = 120;

/// A reason that the next reader cannot see, or that somebody meant to remove.
static LEFT_OVERS: LazyLock<[(Regex, &str, &str); 3]> = LazyLock::new(|| {
    let regex = |pattern| Regex::new(pattern).expect("the pattern is a constant");
    [
        (
            regex(r"\b(TODO|FIXME|XXX)\b"),
            "a note to oneself",
            "do it, or leave it and say why in a comment",
        ),
        (
            regex(r"(^|[^\w./~-])/(work|root|home)/"),
            "a path of one machine",
            "name it from the top of the repository",
        ),
        (regex(r"#\[ignore"), "a test that does not run", "make it run, or remove it"),
    ]
});

/// Every module opens with its job.
pub(crate) fn module_docs(tree: &Tree) -> Vec<Finding> {
    tree.rust()
        .filter(|(_, text)| !text.trim_start().starts_with("//!"))
        .map(|(path, _)| Finding {
            path: path.to_owned(),
            line: 1,
            what: "the module does not say what it is for".to_owned(),
            fix: "open it with `//!`: its job, and why it is so",
        })
        .collect()
}

/// One idea a file.
pub(crate) fn sizes(tree: &Tree) -> Vec<Finding> {
    tree.rust()
        .map(|(path, text)| (path, text.lines().count()))
        .filter(|(_, lines)| *lines > FILE_LINES_MAX)
        .map(|(path, lines)| Finding {
            path: path.to_owned(),
            line: FILE_LINES_MAX + 1,
            what: format!("{lines} lines, more than {FILE_LINES_MAX}"),
            fix: "split it by idea",
        })
        .collect()
}

/// Lines fit beside each other on a screen.
pub(crate) fn columns(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (path, text) in tree.rust() {
        for (index, line) in text.lines().enumerate() {
            let columns = line.chars().count();
            if columns > LINE_COLUMNS_MAX {
                findings.push(Finding {
                    path: path.to_owned(),
                    line: index + 1,
                    what: format!("{columns} columns, more than {LINE_COLUMNS_MAX}"),
                    fix: "break the line",
                });
            }
        }
    }
    findings
}

/// Nothing is left over from the work.
pub(crate) fn left_overs(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    // This file has to name what it looks for.
    let looked_at =
        tree.files().filter(|(path, _)| !is_generated(path) && !file!().ends_with(path));
    for (path, text) in looked_at {
        for (index, line) in text.lines().enumerate() {
            let found = LEFT_OVERS.iter().filter(|(pattern, ..)| pattern.is_match(line));
            findings.extend(found.map(|(_, what, fix)| Finding {
                path: path.to_owned(),
                line: index + 1,
                what: (*what).to_owned(),
                fix,
            }));
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::super::places;
    use super::*;

    #[test]
    fn a_module_without_its_job_is_found() {
        let tree = Tree::of(&[
            ("a.rs", "//! Job.\n"),
            ("b.rs", "use x;\n//! Late.\n"),
            ("c/gen/d.rs", "use x;"),
        ]);
        assert_eq!(places(&module_docs(&tree)), ["b.rs:1"]);
    }

    #[test]
    fn a_file_too_long_is_found() {
        let (fits, long) = ("x\n".repeat(500), "x\n".repeat(501));
        let tree = Tree::of(&[("fits.rs", &fits), ("long.rs", &long), ("data.json", &long)]);
        assert_eq!(places(&sizes(&tree)), ["long.rs:501"]);
    }

    #[test]
    fn a_line_too_wide_is_found_by_characters() {
        let wide = format!("{}\n{}é", "é".repeat(120), "x".repeat(120));
        assert_eq!(places(&columns(&Tree::of(&[("a.rs", &wide)]))), ["a.rs:2"]);
    }

    #[test]
    fn left_overs_are_found() {
        let text = "fine\n// TODO: later\n\"/home/me/x\"\n#[ignore = \"slow\"]\n";
        let tree = Tree::of(&[("a.md", text), ("gen/b.rs", text)]);
        assert_eq!(places(&left_overs(&tree)), ["a.md:2", "a.md:3", "a.md:4"]);
    }

    #[test]
    fn what_only_resembles_a_left_over_is_fine() {
        let text = "TODOS https://x.example/home/y ~/work/z tests/work/a /homely ## home";
        assert_eq!(left_overs(&Tree::of(&[("a.md", text)])), []);
    }
}
