//! The READMEs of the SDKs are what comes out when they are spliced.

use super::Finding;
use crate::gen_readmes::{readme, splice};
use crate::sdks::{SDKS, Sdk};
use crate::tree::Tree;

/// READMEs that are not what their sources make of them, or whose sources do not fit together.
pub(crate) fn fresh(tree: &Tree) -> Vec<Finding> {
    SDKS.iter().filter_map(|sdk| stale(tree, sdk)).collect()
}

fn stale(tree: &Tree, sdk: &Sdk) -> Option<Finding> {
    let path = readme(sdk);
    let text = tree.get(&path).unwrap_or_default();
    let (line, what, fix) = match splice(tree, sdk) {
        Ok(spliced) if spliced == text => return None,
        Ok(spliced) => {
            let alike = spliced.lines().zip(text.lines()).take_while(|(new, old)| new == old);
            (alike.count() + 1, "it is stale from here".to_owned(), "run `cargo xtask gen`")
        }
        Err(error) => (1, format!("{error:#}"), "make its sources fit together"),
    };
    Some(Finding { path, line, what, fix })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tidy::places;

    #[test]
    fn readmes_that_are_stale_or_missing_or_cannot_be_spliced_are_found() {
        let sources = [
            ("sdk/README.template.md", "{{example}}\n\n{{how}}\n"),
            ("sdk/rust/README.parts.md", "# how\nNow."),
            ("sdk/rust/examples/ask.rs", "fn main() {}\n"),
            ("sdk/python/README.parts.md", "# how\nNow."),
            ("sdk/python/examples/ask.py", "import hitl\n"),
            ("sdk/typescript/README.parts.md", "# how\nNow."),
            ("sdk/typescript/examples/ask.ts", "ask();\n"),
            ("sdk/go/README.parts.md", "# how\nNow."),
            ("sdk/go/examples/ask/main.go", "package main\n"),
            ("sdk/java/README.parts.md", "# how else\nNow."),
            ("sdk/java/examples/Ask.java", "class Ask {}\n"),
        ];
        let tree = Tree::of(&sources);
        let made = |sdk| splice(&tree, sdk).expect("the sources fit");
        let (rust, python) = (made(&SDKS[0]), made(&SDKS[1]));
        let edited = made(&SDKS[2]).replace("ask();", "ask(); // by hand");
        let readmes = [
            ("sdk/rust/README.md", rust.as_str()),
            ("sdk/python/README.md", python.as_str()),
            ("sdk/typescript/README.md", edited.as_str()),
        ];
        assert_eq!(
            places(&fresh(&Tree::of(&[&sources[..], &readmes[..]].concat()))),
            ["sdk/typescript/README.md:4", "sdk/go/README.md:1", "sdk/java/README.md:1"]
        );
    }
}
