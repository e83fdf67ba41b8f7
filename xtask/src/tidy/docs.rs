//! Documents name only what exists, and the code map leaves nothing out.

use std::sync::LazyLock;

use regex::Regex;

use super::Finding;
use crate::tree::Tree;

const CODE_MAP: &str = "ARCHITECTURE.md";

const SERVER: &str = "server/src/";

const DOCUMENTS: &[&str] =
    &["ARCHITECTURE.md", "CHANGELOG.md", "CONTRIBUTING.md", "README.md", "SECURITY.md", "STYLE.md"];

/// Where a path in a document may start: beside the document, at the top, or in the server.
const ROOTS: &[&str] = &["", SERVER, "proto/"];

/// What is in backticks, if it could be a path.
static QUOTED: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"`([\w.-]+(?:/[\w.-]+)*/?)`").expect("a constant pattern"));

/// The destination of a link.
static LINKED: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"\]\(([^()\s]+)\)").expect("a constant pattern"));

/// Endings that only files of ours have. Others may be a user's, or an object's in the store.
static SOURCE: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"\w\.(rs|proto|md|mjs|binpb)$").expect("a constant pattern"));

/// Paths and links in documents lead somewhere.
pub(crate) fn names(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    let documents = tree.files().filter(|(path, _)| is_document(path));
    for (document, text) in documents {
        let dir = document.rsplit_once('/').map_or("", |(dir, _)| dir);
        let mut fenced = false;
        for (index, line) in text.lines().enumerate() {
            if line.trim_start().starts_with("```") {
                fenced = !fenced;
            }
            if fenced {
                continue;
            }
            let quoted = captured(&QUOTED, line).filter(|name| !quoted_exists(tree, dir, name));
            let linked = captured(&LINKED, line).filter(|link| !link_exists(tree, dir, link));
            findings.extend(quoted.chain(linked).map(|name| Finding {
                path: document.to_owned(),
                line: index + 1,
                what: format!("`{name}` does not exist"),
                fix: "name what there is",
            }));
        }
    }
    findings
}

/// Every module of the server is on the map, itself or with its directory.
pub(crate) fn code_map(tree: &Tree) -> Vec<Finding> {
    let Some(map) = tree.get(CODE_MAP) else {
        return vec![Finding {
            path: CODE_MAP.to_owned(),
            line: 1,
            what: "there is no code map".to_owned(),
            fix: "write one, with a line for each module of the server",
        }];
    };
    let mut findings = Vec::new();
    for (path, _) in tree.rust() {
        let Some(module) = path.strip_prefix(SERVER) else {
            continue;
        };
        let ends = path.match_indices('/').map(|(end, _)| end);
        let dirs = ends.filter(|end| *end >= SERVER.len()).map(|end| &path[..end]);
        if !dirs.chain([module]).any(|name| contains_word(map, name)) {
            findings.push(Finding {
                path: path.to_owned(),
                line: 1,
                what: format!("{CODE_MAP} names neither it nor its directory"),
                fix: "give it a line in the code map",
            });
        }
    }
    findings
}

fn is_document(path: &str) -> bool {
    DOCUMENTS.contains(&path)
        || (path.starts_with("docs/") && path.ends_with(".md"))
        || (["sdk/", "adapters/", "packaging/"].iter().any(|top| path.starts_with(top))
            && path.ends_with("/README.md"))
}

fn captured<'a>(pattern: &Regex, line: &'a str) -> impl Iterator<Item = &'a str> {
    pattern.captures_iter(line).filter_map(|found| found.get(1)).map(|name| name.as_str())
}

/// Whether `name` exists, or is no path of ours at all.
fn quoted_exists(tree: &Tree, dir: &str, name: &str) -> bool {
    let Some((first, _)) = name.split_once('/') else {
        return !SOURCE.is_match(name) || tree.contains_name(name);
    };
    let ours = SOURCE.is_match(name) || tree.contains(first);
    !ours || resolves(tree, dir, name) || ROOTS.iter().any(|root| resolves(tree, root, name))
}

fn link_exists(tree: &Tree, dir: &str, link: &str) -> bool {
    let path = link.split('#').next().unwrap_or_default();
    path.contains(':') || resolves(tree, dir, path)
}

/// Whether `name`, seen from `dir`, leads to a file or a directory.
fn resolves(tree: &Tree, dir: &str, name: &str) -> bool {
    let mut parts: Vec<&str> = Vec::new();
    for part in dir.split('/').chain(name.split('/')) {
        match part {
            "" | "." => {}
            ".." if parts.pop().is_none() => return false,
            ".." => {}
            _ => parts.push(part),
        }
    }
    tree.contains(&parts.join("/"))
}

/// `app.rs` is in "see app.rs" and in "`src/app.rs`", not in "snapp.rs".
fn contains_word(text: &str, word: &str) -> bool {
    let in_word =
        |next: Option<char>| next.is_some_and(|next| next.is_alphanumeric() || next == '_');
    text.match_indices(word).any(|(at, _)| {
        !in_word(text[..at].chars().next_back()) && !in_word(text[at + word.len()..].chars().next())
    })
}

#[cfg(test)]
mod tests {
    use super::super::places;
    use super::*;

    #[test]
    fn a_name_of_nothing_is_found() {
        let tree = Tree::of(&[
            ("README.md", "`docs/gone.md`\n[x](gone.md)\n`server/gone`\n`gone.rs`\n"),
            ("docs/a.md", "[up](../GONE.md)\n`store/gone.rs`"),
            ("sdk/go/README.md", "[`examples/`](examples)"),
            ("server/src/lib.rs", ""),
        ]);
        assert_eq!(
            places(&names(&tree)),
            [
                "README.md:1",
                "README.md:2",
                "README.md:3",
                "README.md:4",
                "docs/a.md:1",
                "docs/a.md:2",
                "sdk/go/README.md:1"
            ]
        );
    }

    #[test]
    fn names_of_something_and_other_words_are_fine() {
        let text = "`docs/a.md` [x](docs/a.md#part) [y](https://x.example/z.md) [z](#here) `docs/`\n\
            `store/keys.rs` `keys.rs` `application/json` `meta/format.json` `v1` `a/b`\n\
            ```\n`docs/gone.md`\n```\n";
        let tree = Tree::of(&[
            ("README.md", text),
            ("docs/a.md", "[top](../README.md) `a.md`"),
            ("server/src/store/keys.rs", ""),
            ("sdk/other.md", "`docs/gone.md`"),
        ]);
        assert_eq!(names(&tree), []);
    }

    #[test]
    fn a_module_off_the_map_is_found() {
        let tree = Tree::of(&[
            ("ARCHITECTURE.md", "`server/src/store` keeps; server/src/grpc/ calls; `app.rs` wires"),
            ("server/src/app.rs", ""),
            ("server/src/pp.rs", ""),
            ("server/src/grpc/mod.rs", ""),
            ("server/src/store/deep/keys.rs", ""),
            ("server/src/stores/keys.rs", ""),
            ("server/core/src/any.rs", ""),
        ]);
        assert_eq!(places(&code_map(&tree)), ["server/src/pp.rs:1", "server/src/stores/keys.rs:1"]);
        assert_eq!(places(&code_map(&Tree::default())), ["ARCHITECTURE.md:1"]);
    }
}
