//! Every lock of the repository, read: what each fixes, and what should be fixed and is not.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use regex::Regex;
use serde::Deserialize;

use crate::finding::Finding;
use crate::tree::Tree;

/// Where packages come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Registry {
    Cargo,
    Npm,
    Pip,
    Go,
    Maven,
}

/// What one file fixes.
#[derive(Debug)]
pub(super) struct Lock {
    pub(super) path: String,
    pub(super) registry: Registry,
    pub(super) packages: Vec<Package>,
}

/// One package of it.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Package {
    pub(super) name: String,
    pub(super) version: String,
    /// Where it stands, counted from 1.
    pub(super) line: usize,
}

/// How one kind of lock is read.
type Read = fn(&Tree, &str, &str, &mut Vec<Finding>) -> Vec<Package>;

/// Every lock, and what is not fixed by any.
pub(super) fn read(tree: &Tree) -> (Vec<Lock>, Vec<Finding>) {
    let (mut locks, mut findings) = (Vec::new(), Vec::new());
    for (path, text) in tree.files() {
        let name = path.rsplit('/').next().unwrap_or(path);
        let (registry, read): (Registry, Read) = match name {
            "Cargo.lock" => (Registry::Cargo, cargo),
            "package.json" => (Registry::Npm, npm),
            "go.mod" => (Registry::Go, go),
            "pom.xml" => (Registry::Maven, maven),
            _ if name.ends_with("requirements.lock") => (Registry::Pip, pip),
            _ => continue,
        };
        let packages = read(tree, path, text, &mut findings);
        locks.push(Lock { path: path.to_owned(), registry, packages });
    }
    (locks, findings)
}

fn cargo(_: &Tree, path: &str, text: &str, findings: &mut Vec<Finding>) -> Vec<Package> {
    let mut packages = Vec::new();
    let mut at = 1;
    for block in text.split("[[package]]") {
        let value = |key: &str| {
            let line = block.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix(" = \""));
            line.and_then(|line| line.strip_suffix('"'))
        };
        if let (Some(name), Some(version)) = (value("name"), value("version")) {
            if value("source").is_some() && value("checksum").is_none() {
                findings.push(unfixed(path, at, format!("{name} has no checksum")));
            }
            packages.push(Package { name: name.into(), version: version.into(), line: at + 1 });
        }
        at += block.matches('\n').count();
    }
    packages
}

/// What `package.json` asks for, and its lock fixes.
#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Manifest {
    dependencies: BTreeMap<String, String>,
    dev_dependencies: BTreeMap<String, String>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct NpmLock {
    packages: BTreeMap<String, NpmPackage>,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct NpmPackage {
    version: String,
    integrity: String,
    dependencies: BTreeMap<String, String>,
    dev_dependencies: BTreeMap<String, String>,
}

fn npm(tree: &Tree, path: &str, text: &str, findings: &mut Vec<Finding>) -> Vec<Package> {
    let lock_path = path.replace("package.json", "package-lock.json");
    let manifest: Manifest = serde_json::from_str(text).unwrap_or_default();
    let lock_text = tree.get(&lock_path).unwrap_or_default();
    let lock: NpmLock = serde_json::from_str(lock_text).unwrap_or_default();
    let asked = lock.packages.get("").map(|top| (&top.dependencies, &top.dev_dependencies));
    if asked != Some((&manifest.dependencies, &manifest.dev_dependencies)) {
        findings.push(unfixed(path, 1, format!("{lock_path} is not of what it asks for")));
    }
    let mut packages = Vec::new();
    for (place, package) in lock.packages.iter().filter(|(place, _)| !place.is_empty()) {
        let line = line_of(lock_text, &format!("\"{place}\""));
        let name = place.rsplit("node_modules/").next().unwrap_or(place);
        if package.integrity.is_empty() {
            findings.push(unfixed(&lock_path, line, format!("{name} has no integrity")));
        }
        packages.push(Package { name: name.to_owned(), version: package.version.clone(), line });
    }
    packages
}

/// A requirement of pip: its name, and its version if that is exact.
static REQUIREMENT: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"^([A-Za-z0-9._-]+)(?:\[[^\]]*\])?(?:==([^\s;\\]+))?").expect("a constant pattern")
});

fn pip(tree: &Tree, path: &str, text: &str, findings: &mut Vec<Finding>) -> Vec<Package> {
    let mut packages = Vec::new();
    for (index, line) in text.lines().enumerate() {
        let Some(found) = REQUIREMENT.captures(line) else { continue };
        let name = plain(&found[1]);
        let hashed =
            text.lines().nth(index + 1).is_some_and(|next| next.contains("--hash=sha256:"));
        match found.get(2) {
            Some(version) if hashed => packages.push(Package {
                name,
                version: version.as_str().to_owned(),
                line: index + 1,
            }),
            _ => {
                findings.push(unfixed(
                    path,
                    index + 1,
                    format!("{name} has no version or no hash"),
                ));
            }
        }
    }
    // What stands beside it is what it was made of.
    let source = path.replace("requirements.lock", "requirements.txt");
    for (index, line) in tree.get(&source).unwrap_or_default().lines().enumerate() {
        let Some(found) = REQUIREMENT.captures(line) else { continue };
        let (name, version) = (plain(&found[1]), found.get(2).map(|version| version.as_str()));
        let fixed = packages.iter().any(|package| {
            package.name == name && version.is_none_or(|version| version == package.version)
        });
        if !fixed {
            findings.push(unfixed(&source, index + 1, format!("{path} is not of this {name}")));
        }
    }
    packages
}

/// Registries take these for the same.
fn plain(name: &str) -> String {
    name.to_lowercase().replace(['_', '.'], "-")
}

static GO_REQUIRE: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"^(?:require )?\s*([\w.~/-]+\.[\w.~/-]+) (v[^\s]+)").expect("a constant pattern")
});

fn go(tree: &Tree, path: &str, text: &str, findings: &mut Vec<Finding>) -> Vec<Package> {
    let sums = tree.get(&path.replace("go.mod", "go.sum")).unwrap_or_default();
    let mut packages = Vec::new();
    for (index, line) in text.lines().enumerate() {
        let Some(found) = GO_REQUIRE.captures(line) else { continue };
        let (name, version) = (found[1].to_owned(), found[2].to_owned());
        if !sums.lines().any(|sum| sum.starts_with(&format!("{name} {version} h1:"))) {
            findings.push(unfixed(path, index + 1, format!("go.sum has no {name} {version}")));
        }
        packages.push(Package { name, version, line: index + 1 });
    }
    packages
}

/// A dependency or a plugin, whose children that are groups of others stand after what names it.
static MAVEN_PART: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"(?s)<(dependency|plugin)>(.*?)</(?:dependency|plugin)>")
        .expect("a constant pattern")
});

fn maven(_: &Tree, path: &str, text: &str, findings: &mut Vec<Finding>) -> Vec<Package> {
    let mut packages = Vec::new();
    for part in MAVEN_PART.captures_iter(text) {
        let whole = part.get(0).expect("the match itself");
        let line = text[..whole.start()].matches('\n').count() + 1;
        let group = element(&part[2], "groupId").unwrap_or("org.apache.maven.plugins");
        let name = format!("{group}:{}", element(&part[2], "artifactId").unwrap_or_default());
        let version = element(&part[2], "version").unwrap_or_default();
        let version = match version.strip_prefix("${").and_then(|name| name.strip_suffix('}')) {
            Some(property) => element(text, property).unwrap_or_default(),
            None => version,
        };
        if !is_exact(version) {
            findings.push(unfixed(path, line, format!("{name} has no exact version")));
        }
        packages.push(Package { name, version: version.to_owned(), line });
    }
    packages
}

fn is_exact(version: &str) -> bool {
    version.starts_with(|c: char| c.is_ascii_digit()) && !version.ends_with("-SNAPSHOT")
}

fn element<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    let (_, rest) = text.split_once(&format!("<{name}>"))?;
    rest.split_once(&format!("</{name}>")).map(|(value, _)| value.trim())
}

fn line_of(text: &str, needle: &str) -> usize {
    text.lines().position(|line| line.contains(needle)).map_or(1, |index| index + 1)
}

fn unfixed(path: &str, line: usize, what: String) -> Finding {
    Finding { path: path.to_owned(), line, what, fix: "run `cargo xtask lock`" }
}

#[cfg(test)]
#[path = "locks_tests.rs"]
mod tests;
