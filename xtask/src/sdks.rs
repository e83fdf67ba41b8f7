//! The SDKs: where each has its files, and what it calls things.

use crate::tree::Tree;

/// The names of all SDKs side by side, a column for each of [`SDKS`] after the first.
pub(crate) const TABLE: &str = "sdk/README.md";

/// The SDK in one language.
pub(crate) struct Sdk {
    pub(crate) language: &'static str,
    /// Its directory.
    pub(crate) dir: &'static str,
    /// Where its hand-written sources are, and how their names end.
    pub(crate) sources: &'static str,
    pub(crate) ending: &'static str,
    /// The program with which its README opens, below [`Sdk::dir`].
    pub(crate) example: &'static str,
}

/// In the order of the table's columns.
pub(crate) const SDKS: [Sdk; 5] = [
    Sdk {
        language: "Rust",
        dir: "sdk/rust",
        sources: "sdk/rust/src/",
        ending: ".rs",
        example: "examples/ask.rs",
    },
    Sdk {
        language: "Python",
        dir: "sdk/python",
        sources: "sdk/python/src/hitl/",
        ending: ".py",
        example: "examples/ask.py",
    },
    Sdk {
        language: "TypeScript",
        dir: "sdk/typescript",
        sources: "sdk/typescript/src/",
        ending: ".ts",
        example: "examples/ask.ts",
    },
    Sdk {
        language: "Go",
        dir: "sdk/go",
        sources: "sdk/go/",
        ending: ".go",
        example: "examples/ask/main.go",
    },
    Sdk {
        language: "Java",
        dir: "sdk/java",
        sources: "sdk/java/src/main/java/",
        ending: ".java",
        example: "examples/Ask.java",
    },
];

/// The rows of the table that give names, with their lines, counted from 1.
pub(crate) fn rows(tree: &Tree) -> impl Iterator<Item = (usize, Vec<&str>)> {
    let table = tree.get(TABLE).unwrap_or_default();
    (1..).zip(table.lines()).filter_map(|(line, text)| Some((line, row(text)?)))
}

/// The names of one row; `None` if the line is no such row.
fn row(line: &str) -> Option<Vec<&str>> {
    let cells: Vec<&str> = line.strip_prefix('|')?.strip_suffix('|')?.split('|').collect();
    let names = cells.get(1..)?.iter();
    names.map(|cell| cell.trim().strip_prefix('`')?.strip_suffix('`')).collect()
}
