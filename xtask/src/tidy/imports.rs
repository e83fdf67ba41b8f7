//! Holds the sources against the table of who may import whom.

use super::Finding;
use super::layers::{CRATES, DIRECTIONS, IMPURE};
use super::paths::{Named, named};
use crate::tree::Tree;

const SERVER: &str = "server/src/";
const CORE: &str = "server/core/src/";

/// Modules of the server import only downwards.
pub(crate) fn directions(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (path, text) in tree.rust().filter(|(path, _)| path.starts_with(SERVER)) {
        let module = module(path);
        let row = DIRECTIONS.iter().find(|(name, _)| *name == module[0]);
        let Some((_, allowed)) = row else {
            findings.push(Finding {
                path: path.to_owned(),
                line: 1,
                what: format!("no direction is known for `{}`", module[0]),
                fix: "say what it may import in xtask/src/tidy/layers.rs",
            });
            continue;
        };
        for named in outside_tests(path, text) {
            let Some(target) = target(&named, &module) else {
                continue;
            };
            let is_module = DIRECTIONS.iter().any(|(name, _)| *name == target);
            if is_module && target != module[0] && !allowed.contains(&target) {
                findings.push(Finding {
                    path: path.to_owned(),
                    line: named.line,
                    what: format!("`{}` must not name `{target}`", module[0]),
                    fix: "call a layer below, or pass the thing in from `app`",
                });
            }
        }
    }
    findings
}

/// A crate that one layer hides is named by that layer alone.
pub(crate) fn crates(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (path, text) in tree.rust().filter(|(path, _)| path.starts_with(SERVER)) {
        let module = module(path);
        for named in outside_tests(path, text) {
            let row = CRATES.iter().find(|(name, _)| is_of_family(&named.parts[0], name));
            if let Some((name, allowed)) = row
                && !allowed.contains(&module[0])
            {
                findings.push(Finding {
                    path: path.to_owned(),
                    line: named.line,
                    what: format!("`{}` must not name `{}`", module[0], named.parts[0]),
                    fix: if *name == "fjall" {
                        "only server/embedded knows the engine"
                    } else {
                        "go through the layer that hides it"
                    },
                });
            }
        }
    }
    findings
}

/// The core has only values and rules.
pub(crate) fn purity(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (path, text) in tree.rust().filter(|(path, _)| path.starts_with(CORE)) {
        for named in outside_tests(path, text) {
            let whole = format!("{}::", named.parts.join("::"));
            let impure = IMPURE.iter().find(|impure| whole.starts_with(&format!("{impure}::")));
            findings.extend(impure.map(|impure| Finding {
                path: path.to_owned(),
                line: named.line,
                what: format!("the core must not name `{impure}`"),
                fix: "take the value as an argument",
            }));
        }
    }
    findings
}

/// `server/src/grpc/events.rs` is `grpc::events`, and `server/src/grpc/mod.rs` is `grpc`.
fn module(path: &str) -> Vec<&str> {
    let below = path.strip_prefix(SERVER).unwrap_or(path);
    let mut parts: Vec<&str> = below.trim_end_matches(".rs").split('/').collect();
    if parts.last() == Some(&"mod") {
        parts.pop();
    }
    parts
}

/// The module at the top of the server that a path leads into.
fn target<'a>(named: &'a Named, module: &[&str]) -> Option<&'a str> {
    let ups = named.parts.iter().take_while(|part| *part == "super").count();
    let to_top = match named.parts[0].as_str() {
        "crate" | "hitl_server" => 1,
        "super" if ups == module.len() + named.depth => ups,
        _ => return None,
    };
    named.parts.get(to_top).map(String::as_str)
}

fn outside_tests(path: &str, text: &str) -> Vec<Named> {
    if path.ends_with("tests.rs") || path.contains("/tests/") {
        return Vec::new();
    }
    named(text).into_iter().filter(|named| !named.in_tests).collect()
}

fn is_of_family(name: &str, family: &str) -> bool {
    name.strip_prefix(family).is_some_and(|rest| rest.is_empty() || rest.starts_with('_'))
}

#[cfg(test)]
mod tests {
    use super::super::places;
    use super::*;

    fn one(path: &str, text: &str) -> Tree {
        Tree::of(&[(path, text)])
    }

    #[test]
    fn an_import_upwards_is_found() {
        let tree = one("server/src/grpc/mod.rs", "//! Doc.\nuse crate::{error, store::Store};");
        assert_eq!(places(&directions(&tree)), ["server/src/grpc/mod.rs:2"]);
        let tree = one("server/src/store/keys.rs", "use super::super::service::Service;");
        assert_eq!(places(&directions(&tree)), ["server/src/store/keys.rs:1"]);
        let tree = one("server/src/store/mod.rs", "mod inner { use super::super::http::page; }");
        assert_eq!(places(&directions(&tree)), ["server/src/store/mod.rs:1"]);
        let tree = one("server/src/main.rs", "fn main() { hitl_server::store::open() }");
        assert_eq!(places(&directions(&tree)), ["server/src/main.rs:1"]);
    }

    #[test]
    fn imports_downwards_beside_and_in_tests_are_fine() {
        let tree = Tree::of(&[
            ("server/src/service/mod.rs", "use crate::{service::wait, store::Store};"),
            ("server/src/service/wait.rs", "use super::{Service, create};\nuse std::mem;"),
            ("server/src/store/mod.rs", "mod tests { use crate::app::App; }"),
            ("server/src/store/tests.rs", "use crate::app::App;"),
        ]);
        assert_eq!(directions(&tree), []);
    }

    #[test]
    fn a_module_without_direction_is_found() {
        let tree = one("server/src/misc.rs", "");
        assert_eq!(places(&directions(&tree)), ["server/src/misc.rs:1"]);
    }

    #[test]
    fn every_direction_leads_to_a_known_module() {
        for (_, allowed) in DIRECTIONS.iter().chain(CRATES) {
            for name in *allowed {
                assert!(DIRECTIONS.iter().any(|(known, _)| known == name), "{name} has no row");
            }
        }
    }

    /// Otherwise two modules could each be said to lie above the other.
    #[test]
    fn directions_have_no_cycle() {
        let mut free: Vec<&str> = Vec::new();
        while free.len() < DIRECTIONS.len() {
            let next = DIRECTIONS.iter().find(|(name, allowed)| {
                !free.contains(name) && allowed.iter().all(|below| free.contains(below))
            });
            let Some((name, _)) = next else { panic!("a cycle: all but {free:?}") };
            free.push(name);
        }
    }

    #[test]
    fn a_crate_that_another_layer_hides_is_found() {
        let source = "use tonic_types::StatusExt;";
        let tree = one("server/src/service/mod.rs", source);
        assert_eq!(places(&crates(&tree)), ["server/src/service/mod.rs:1"]);
        assert_eq!(crates(&one("server/src/grpc/status.rs", source)), []);
        let tree = one("server/src/store/mod.rs", "use fjall::Keyspace;");
        assert_eq!(places(&crates(&tree)), ["server/src/store/mod.rs:1"]);
    }

    #[test]
    fn impurity_in_the_core_is_found() {
        let source = "use std::{fmt, time::{Duration, SystemTime}};\nfn f() { rand::random() }";
        let found = purity(&one("server/core/src/decide.rs", source));
        assert_eq!(places(&found), ["server/core/src/decide.rs:1", "server/core/src/decide.rs:2"]);
        assert_eq!(purity(&one("server/core/src/a.rs", "use std::fmt; mod random; fn f() {}")), []);
        assert_eq!(purity(&one("server/src/clock.rs", source)), []);
    }
}
