//! Nothing is locked in a version that is known to be bad: `supply/floors.toml`.

use anyhow::{Context, Result};
use serde::Deserialize;

use super::locks::{Lock, Registry};
use super::version::Version;
use crate::finding::Finding;

/// Where the floors are.
pub(super) const FILE: &str = "supply/floors.toml";

/// The floors of the packages of one registry each.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Floors {
    #[serde(default)]
    cargo: Vec<Floor>,
    #[serde(default)]
    npm: Vec<Floor>,
    #[serde(default)]
    pip: Vec<Floor>,
    #[serde(default)]
    go: Vec<Floor>,
    #[serde(default)]
    maven: Vec<Floor>,
}

/// The oldest versions of one package that may be locked.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Floor {
    name: String,
    /// One for each line that is kept up.
    floors: Vec<String>,
    /// Locks that are old on purpose.
    #[serde(default)]
    except: Vec<String>,
    /// What is known against older ones.
    why: String,
}

impl Floors {
    pub(super) fn parse(text: &str) -> Result<Self> {
        basic_toml::from_str(text).context(FILE)
    }

    fn of(&self, registry: Registry) -> &[Floor] {
        match registry {
            Registry::Cargo => &self.cargo,
            Registry::Npm => &self.npm,
            Registry::Pip => &self.pip,
            Registry::Go => &self.go,
            Registry::Maven => &self.maven,
        }
    }

    /// What `lock` has that is older than it may be.
    pub(super) fn check(&self, lock: &Lock) -> Vec<Finding> {
        let floors = self.of(lock.registry);
        let mut findings = Vec::new();
        for package in &lock.packages {
            let of_it = floors.iter().filter(|floor| floor.name == package.name);
            for floor in of_it.filter(|floor| !floor.except.contains(&lock.path)) {
                if !floor.holds(&package.version) {
                    findings.push(Finding {
                        path: lock.path.clone(),
                        line: package.line,
                        what: format!(
                            "{} {} is older than {} ({})",
                            package.name,
                            package.version,
                            floor.floors.join(", "),
                            floor.why
                        ),
                        fix: "update it",
                    });
                }
            }
        }
        findings
    }
}

impl Floor {
    /// A version that cannot be read is not known to be good.
    fn holds(&self, version: &str) -> bool {
        let floors: Option<Vec<Version>> =
            self.floors.iter().map(|floor| Version::parse(floor)).collect();
        match (Version::parse(version), floors) {
            (Some(version), Some(floors)) => version.stands_on(&floors),
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::locks::Package;
    use super::*;

    #[test]
    fn a_lock_that_is_old_on_purpose_is_let_alone() {
        let text =
            "[[pip]]\nname = \"p\"\nfloors = [\"2.0\"]\nexcept = [\"old.lock\"]\nwhy = \"w\"\n";
        let lock = |path: &str| Lock {
            path: path.to_owned(),
            registry: Registry::Pip,
            packages: vec![Package { name: "p".to_owned(), version: "1.0".to_owned(), line: 1 }],
        };
        let floors = Floors::parse(text).unwrap();
        assert!(floors.check(&lock("old.lock")).is_empty());
        assert_eq!(floors.check(&lock("new.lock")).len(), 1);
    }

    #[test]
    fn what_is_older_than_its_floor_is_found_with_the_reason() {
        let floors = Floors::parse(
            "[[cargo]]\nname = \"h2\"\nfloors = [\"0.4.16\"]\nwhy = \"RUSTSEC-2026-0258\"\n\
             [[npm]]\nname = \"undici\"\nfloors = [\"6.21.2\", \"7.5.0\"]\nwhy = \"memory\"\n",
        )
        .unwrap();
        let lock = |registry, name: &str, version: &str| Lock {
            path: "some.lock".to_owned(),
            registry,
            packages: vec![Package { name: name.to_owned(), version: version.to_owned(), line: 7 }],
        };
        let found = floors.check(&lock(Registry::Cargo, "h2", "0.4.15"));
        assert_eq!(found.len(), 1);
        assert!(found[0].to_string().starts_with("some.lock:7: h2 0.4.15"), "{}", found[0]);
        assert!(found[0].what.contains("RUSTSEC-2026-0258"), "{}", found[0]);
        assert!(floors.check(&lock(Registry::Cargo, "h2", "0.4.16")).is_empty());
        assert!(floors.check(&lock(Registry::Npm, "h2", "0.1.0")).is_empty());
        assert_eq!(floors.check(&lock(Registry::Npm, "undici", "7.4.9")).len(), 1);
        assert_eq!(floors.check(&lock(Registry::Npm, "undici", "git+ssh")).len(), 1);
    }
}
