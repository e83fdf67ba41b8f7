//! The table of `sdk/README.md`: every name that an SDK is said to have is in its sources.

use std::collections::BTreeSet;

use super::Finding;
use crate::sdks::{SDKS, Sdk, TABLE, rows};
use crate::tree::Tree;

/// Directories of generated code and of programs that use an SDK.
const OTHERS: [&str; 5] = ["gen", "v1", "hitlv1", "examples", "conformance"];

/// Names in the table that are not in the sources, and rows without a name for each language.
pub(crate) fn names(tree: &Tree) -> Vec<Finding> {
    let words = SDKS.each_ref().map(|sdk| words(tree, sdk));
    rows(tree).flat_map(|(line, row)| missing(line, &row, &words)).collect()
}

fn missing(line: usize, row: &[&str], words: &[BTreeSet<&str>; SDKS.len()]) -> Vec<Finding> {
    let finding = |what, fix| Finding { path: TABLE.to_owned(), line, what, fix };
    if row.len() != SDKS.len() {
        return vec![finding(format!("{} names", row.len()), "give one for each language")];
    }
    let all = row.iter().zip(words).zip(&SDKS);
    let absent = all.filter(|((name, words), _)| !words.contains(*name));
    absent
        .map(|((name, _), sdk)| {
            finding(format!("{} has no `{name}`", sdk.language), "the surfaces are to match")
        })
        .collect()
}

/// Every word in the hand-written sources of `sdk`.
fn words<'a>(tree: &'a Tree, sdk: &Sdk) -> BTreeSet<&'a str> {
    let ours = tree.files().filter(|(path, _)| {
        let below = path.strip_prefix(sdk.sources).filter(|below| below.ends_with(sdk.ending));
        below.is_some_and(|below| !below.split('/').any(|part| OTHERS.contains(&part)))
    });
    ours.flat_map(|(_, text)| text.split(|c: char| !c.is_alphanumeric() && c != '_')).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tidy::places;

    #[test]
    fn a_name_that_a_language_lacks_and_a_row_that_is_short_are_found() {
        let tree = Tree::of(&[
            (
                "sdk/README.md",
                "| what | Rust |\n\
                 | waits | `wait` | `wait` | `wait` | `Wait` | `await` |\n\
                 | waits | `wait` | `wait` | `wait` | `Wait` | `wait` |\n\
                 | waits | `wait` |\n",
            ),
            ("sdk/rust/src/wait.rs", "fn wait()"),
            ("sdk/python/src/hitl/wait.py", "def wait():"),
            ("sdk/typescript/src/wait.ts", "wait()"),
            ("sdk/go/wait.go", "func Wait()"),
            ("sdk/java/src/main/java/dev/hitl/Wait.java", "await()"),
            ("sdk/java/src/main/java/dev/hitl/v1/Wait.java", "wait()"),
        ]);
        assert_eq!(places(&names(&tree)), ["sdk/README.md:3", "sdk/README.md:4"]);
    }
}
