//! The files of the repository in memory, so that every check is a function that tests can call.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use ignore::WalkBuilder;

/// Path from the top of the repository, with `/`, to contents; binary files are empty.
#[derive(Debug, Default)]
pub(crate) struct Tree {
    files: BTreeMap<String, String>,
}

impl Tree {
    /// Reads what git would track: everything that is not ignored, committed or not.
    pub(crate) fn read(top: &Path) -> Result<Tree> {
        let mut tree = Tree::default();
        let walk = WalkBuilder::new(top)
            .hidden(false)
            // A checkout without its history is tidied as well, and a developer's own excludes are
            // not the project's.
            .require_git(false)
            .git_global(false)
            .filter_entry(|entry| entry.file_name() != ".git")
            .build();
        for entry in walk {
            let entry = entry?;
            if entry.file_type().is_none_or(|kind| !kind.is_file()) {
                continue;
            }
            let path = entry.path().strip_prefix(top)?.to_string_lossy().replace('\\', "/");
            let contents = fs::read(entry.path()).with_context(|| format!("cannot read {path}"))?;
            tree.files.insert(path, String::from_utf8(contents).unwrap_or_default());
        }
        Ok(tree)
    }

    #[cfg(test)]
    pub(crate) fn of(files: &[(&str, &str)]) -> Tree {
        let own = |(path, text): &(&str, &str)| ((*path).to_owned(), (*text).to_owned());
        Tree { files: files.iter().map(own).collect() }
    }

    pub(crate) fn get(&self, path: &str) -> Option<&str> {
        self.files.get(path).map(String::as_str)
    }

    /// Every file, in the order of paths.
    pub(crate) fn files(&self) -> impl Iterator<Item = (&str, &str)> {
        self.files.iter().map(|(path, text)| (path.as_str(), text.as_str()))
    }

    /// Rust that people wrote.
    pub(crate) fn rust(&self) -> impl Iterator<Item = (&str, &str)> {
        self.files().filter(|(path, _)| path.ends_with(".rs") && !is_generated(path))
    }

    /// Whether `path` is a file or a directory with files.
    pub(crate) fn contains(&self, path: &str) -> bool {
        let path = path.trim_end_matches('/');
        path.is_empty() || self.files.contains_key(path) || {
            let dir = format!("{path}/");
            self.files.range(dir.clone()..).next().is_some_and(|(next, _)| next.starts_with(&dir))
        }
    }

    /// Whether some file, wherever it is, has this name.
    pub(crate) fn contains_name(&self, name: &str) -> bool {
        self.files.keys().any(|path| path.rsplit('/').next() == Some(name))
    }
}

/// Generated code is nobody's style.
pub(crate) fn is_generated(path: &str) -> bool {
    path.split('/').any(|part| part == "gen" || part == "generated")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn directories_exist_if_files_are_below_them() {
        let tree = Tree::of(&[("docs/a.md", ""), ("docs-old/b.md", "")]);
        assert!(tree.contains("docs/a.md") && tree.contains("docs") && tree.contains("docs/"));
        assert!(!tree.contains("doc") && !tree.contains("docs/b.md"));
    }

    #[test]
    fn generated_code_is_not_hand_written() {
        let tree = Tree::of(&[("proto/src/gen/a.rs", ""), ("server/src/general.rs", "")]);
        let paths: Vec<&str> = tree.rust().map(|(path, _)| path).collect();
        assert_eq!(paths, ["server/src/general.rs"]);
    }
}
