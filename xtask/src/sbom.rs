//! `cargo xtask sbom`: the bill of materials of the binary, as CycloneDX 1.6.
//!
//! It comes from cargo's own account of what the binary is built of, with the checksums of Cargo.lock. What is linked
//! is `required`; what only runs while it is built, such as procedural macros, is `excluded`. There is no time and no
//! serial number in it, so that the same sources give the same bytes.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::process::Command;

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};

use crate::process::read;
use crate::repo::top;

/// The package with the binary.
const PACKAGE: &str = "hitl-server";

/// A crate: its name and its version.
type Crate = (String, String);

/// What a crate's manifest says.
#[derive(Clone, Debug, Default)]
struct About {
    license: String,
    repository: String,
}

/// Prints it.
pub(crate) fn print() -> Result<()> {
    println!("{}", text()?);
    Ok(())
}

/// The bill of materials, as JSON.
pub(crate) fn text() -> Result<String> {
    Ok(format!("{:#}", bill()?))
}

/// Holds it against what a build of the binary is made of. Says whether they are the same.
pub(crate) fn check() -> Result<bool> {
    let built = built(&cargo(&["build", "-p", PACKAGE, "--message-format", "json", "--quiet"])?);
    let named = named(&bill()?);
    for (name, version) in built.difference(&named) {
        println!("sbom: it does not name {name} {version}, which is built");
    }
    for (name, version) in named.difference(&built) {
        println!("sbom: it names {name} {version}, which is not built");
    }
    ensure!(!built.is_empty(), "the build said nothing of what it is made of");
    println!("sbom: {} crates", named.len());
    Ok(built == named)
}

fn bill() -> Result<Value> {
    let linked = tree("normal,no-proc-macro")?;
    let all = tree("normal,build")?;
    let lock = fs::read_to_string(top().join("Cargo.lock")).context("Cargo.lock")?;
    let checksums = checksums(&lock);
    let component = |of: (&Crate, &About)| {
        let is_linked = linked.contains_key(of.0);
        component(of.0, of.1, is_linked, checksums.get(of.0).map(String::as_str))
    };
    let (own, others): (Vec<_>, Vec<_>) = all.iter().partition(|((name, _), _)| name == PACKAGE);
    let mut own = own.first().map(|of| component(*of)).context("the package has no such crate")?;
    own["type"] = "application".into();
    Ok(json!({
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": { "component": own, "lifecycles": [{ "phase": "build" }] },
        "components": others.into_iter().map(component).collect::<Vec<_>>(),
    }))
}

fn component(of: &Crate, about: &About, is_linked: bool, checksum: Option<&str>) -> Value {
    let (name, version) = of;
    let purl = format!("pkg:cargo/{name}@{version}");
    let mut component = json!({
        "type": "library",
        "bom-ref": purl,
        "name": name,
        "version": version,
        "purl": purl,
        "scope": if is_linked { "required" } else { "excluded" },
    });
    if !about.license.is_empty() {
        // Some still write it as it was written before there were expressions.
        component["licenses"] = json!([{ "expression": about.license.replace('/', " OR ") }]);
    }
    if !about.repository.is_empty() {
        component["externalReferences"] = json!([{ "type": "vcs", "url": about.repository }]);
    }
    if let Some(checksum) = checksum {
        component["hashes"] = json!([{ "alg": "SHA-256", "content": checksum }]);
    }
    component
}

/// The crates that the binary reaches by these kinds of dependencies.
fn tree(edges: &str) -> Result<BTreeMap<Crate, About>> {
    let format = ["--prefix", "none", "--format", "{p}\t{l}\t{r}"];
    let shown = cargo(&[&["tree", "-p", PACKAGE, "--edges", edges], &format[..]].concat())?;
    Ok(shown.lines().filter_map(crate_of_line).collect())
}

/// The crate in a line such as `h2 v0.4.16 MIT https://…` (with tabs between the fields), which has more after the
/// version if it is no crate of a registry, and after the last field if it was shown before.
fn crate_of_line(line: &str) -> Option<(Crate, About)> {
    let line = line.strip_suffix(" (*)").unwrap_or(line);
    let mut fields = line.split('\t');
    let mut words = fields.next()?.split(' ');
    let (name, version) = (words.next()?, words.next()?.strip_prefix('v')?);
    let mut field = || fields.next().unwrap_or_default().to_owned();
    let about = About { license: field(), repository: field() };
    Some(((name.to_owned(), version.to_owned()), about))
}

/// What Cargo.lock says of the bytes of each crate.
fn checksums(lock: &str) -> BTreeMap<Crate, String> {
    let blocks = lock.split("[[package]]").filter_map(|block| {
        let value = |key: &str| {
            let line = block.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix(" = \""));
            line.and_then(|line| line.strip_suffix('"')).map(str::to_owned)
        };
        Some(((value("name")?, value("version")?), value("checksum")?))
    });
    blocks.collect()
}

/// The crates of which cargo says, message by message, that they were built.
fn built(messages: &str) -> BTreeSet<Crate> {
    let messages = messages.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let artifacts = messages.filter(|message| message["reason"] == "compiler-artifact");
    artifacts.filter_map(|artifact| crate_of_id(artifact["package_id"].as_str()?)).collect()
}

/// The crate in an id such as `registry+https://…#h2@0.4.16` or `path+file:///…/server/core#hitl-core@0.1.0`, which
/// leaves out a name that the directory has.
fn crate_of_id(id: &str) -> Option<Crate> {
    let (place, rest) = id.rsplit_once('#')?;
    let directory = place.rsplit('/').next()?;
    let (name, version) = rest.split_once('@').unwrap_or((directory, rest));
    Some((name.to_owned(), version.to_owned()))
}

/// The crates that a bill names.
fn named(bill: &Value) -> BTreeSet<Crate> {
    let components = bill["components"].as_array().into_iter().flatten();
    let all = components.chain([&bill["metadata"]["component"]]);
    let text = |value: &Value| value.as_str().map(str::to_owned);
    all.filter_map(|one| Some((text(&one["name"])?, text(&one["version"])?))).collect()
}

fn cargo(arguments: &[&str]) -> Result<String> {
    read(Command::new("cargo").args(arguments).arg("--locked").current_dir(top()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(name: &str, version: &str) -> Crate {
        (name.to_owned(), version.to_owned())
    }

    #[test]
    fn lines_of_a_tree_are_read() {
        let line = "hitl-core v0.1.0 (/here/server/core)\tApache-2.0\t (*)";
        let (found, about) = crate_of_line(line).unwrap();
        assert_eq!(found, of("hitl-core", "0.1.0"));
        assert_eq!((about.license.as_str(), about.repository.as_str()), ("Apache-2.0", ""));
        let (found, about) =
            crate_of_line("serde_derive v1.0.2 (proc-macro)\tMIT\thttps://x").unwrap();
        assert_eq!(found, of("serde_derive", "1.0.2"));
        assert_eq!(about.repository, "https://x");
        assert!(crate_of_line("[build-dependencies]").is_none());
    }

    #[test]
    fn ids_of_packages_are_read() {
        let id = "registry+https://github.com/rust-lang/crates.io-index#h2@0.4.16";
        assert_eq!(crate_of_id(id), Some(of("h2", "0.4.16")));
        assert_eq!(crate_of_id("path+file:///here/hitl#0.1.0"), Some(of("hitl", "0.1.0")));
    }

    #[test]
    fn a_bill_names_what_it_holds_with_licence_and_checksum() {
        let about = About { license: "MIT/Apache-2.0".to_owned(), repository: String::new() };
        let component = component(&of("h2", "0.4.16"), &about, true, Some("ab"));
        assert_eq!(component["licenses"][0]["expression"], "MIT OR Apache-2.0");
        assert_eq!(component["hashes"][0]["content"], "ab");
        assert_eq!(component["scope"], "required");
        let bill = json!({ "components": [component], "metadata": {} });
        assert_eq!(named(&bill), BTreeSet::from([of("h2", "0.4.16")]));
    }
}
