//! `cargo xtask site`: the documentation as a site that needs no network, in `target/site/html`.
//!
//! The documents stay where they are, and link to each other and to files as they lie in the repository. A copy with
//! the same places is made of those that are for readers; links to anything else become text. MkDocs, which is strict,
//! then says whether every other link leads somewhere.

mod reference;

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::Command;
use std::sync::LazyLock;

use anyhow::{Context, Result};
use regex::{Captures, Regex};

use crate::process::run;
use crate::repo::{target, top};
use crate::tools;
use crate::tree::Tree;

/// How the site looks and which pages its menu has.
const CONFIG: &str = "docs/mkdocs.yml";

/// Where the reference of the API goes.
const REFERENCE: &str = "docs/reference.md";

/// A link: its text, and where it leads.
static LINK: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"\[([^\[\]]*)\]\(([^()\s]+)\)").expect("a constant pattern"));

/// Makes the site.
pub(crate) fn site() -> Result<()> {
    let tree = Tree::read(top())?;
    let pages: BTreeSet<&str> = tree
        .files()
        .map(|(path, _)| path)
        .filter(|path| is_page(path))
        .chain([REFERENCE])
        .collect();
    let dir = target().join("site");
    if dir.exists() {
        fs::remove_dir_all(&dir).with_context(|| dir.display().to_string())?;
    }
    let source = dir.join("source");
    for page in &pages {
        let text = match tree.get(page) {
            Some(text) => text.to_owned(),
            None => reference::page(&tree),
        };
        write(&source.join(page), &relinked(page, &text, &pages))?;
    }
    let config = dir.join("mkdocs.yml");
    write(&config, tree.get(CONFIG).with_context(|| format!("there is no {CONFIG}"))?)?;
    let program = tools::mkdocs()?;
    run(Command::new(program)
        .args(["build", "--strict", "--quiet", "--config-file"])
        .arg(&config)
        .args(["--site-dir"])
        .arg(dir.join("html"))
        // Nobody who builds it hears of what its makers have to say.
        .env("NO_MKDOCS_2_WARNING", "1"))?;
    println!("{} pages in {}", pages.len(), dir.join("html").display());
    Ok(())
}

/// Whether a file is for readers of the site.
fn is_page(path: &str) -> bool {
    path == "README.md"
        || path == "CHANGELOG.md"
        || path == "SECURITY.md"
        || (path.starts_with("docs/") && path.ends_with(".md"))
        || ["sdk/", "adapters/"].iter().any(|top| path.starts_with(top))
            && path.ends_with("/README.md")
}

/// The text with the links of `page` that lead to other pages, and the others as mere text.
fn relinked(page: &str, text: &str, pages: &BTreeSet<&str>) -> String {
    let dir = page.rsplit_once('/').map_or("", |(dir, _)| dir);
    let mut fenced = false;
    let lines = text.lines().map(|line| {
        if line.trim_start().starts_with("```") {
            fenced = !fenced;
        }
        if fenced {
            return line.to_owned();
        }
        LINK.replace_all(line, |link: &Captures<'_>| {
            let (name, to) = (&link[1], &link[2]);
            let (path, part) = to.split_once('#').unwrap_or((to, ""));
            if to.contains(':') || path.is_empty() {
                return link[0].to_owned();
            }
            let goal = joined(dir, path);
            let readme = joined(&goal, "README.md");
            if pages.contains(goal.as_str()) {
                link[0].to_owned()
            } else if pages.contains(readme.as_str()) {
                let part = if part.is_empty() { String::new() } else { format!("#{part}") };
                format!("[{name}]({}/README.md{part})", path.trim_end_matches('/'))
            } else {
                name.to_owned()
            }
        })
        .into_owned()
    });
    lines.collect::<Vec<_>>().join("\n") + "\n"
}

/// `path` as seen from `dir`, from the top.
fn joined(dir: &str, path: &str) -> String {
    let mut parts: Vec<&str> = Vec::new();
    for part in dir.split('/').chain(path.split('/')) {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop();
            }
            _ => parts.push(part),
        }
    }
    parts.join("/")
}

fn write(path: &Path, text: &str) -> Result<()> {
    fs::create_dir_all(path.with_file_name(""))?;
    fs::write(path, text).with_context(|| path.display().to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_to_pages_stay_and_others_become_text() {
        let pages = BTreeSet::from(["README.md", "docs/a.md", "sdk/go/README.md"]);
        let text = "[a](a.md#part) [go](../sdk/go) [code](../server/src/lib.rs)\n\
                    [web](https://x.example) [here](#part)\n```\n[code](../server)\n```\n";
        let expected = "[a](a.md#part) [go](../sdk/go/README.md) code\n\
                        [web](https://x.example) [here](#part)\n```\n[code](../server)\n```\n";
        assert_eq!(relinked("docs/b.md", text, &pages), expected);
    }
}
