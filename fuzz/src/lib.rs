//! What strangers can send or store, as targets of libFuzzer.
//!
//! A target takes bytes and panics if the code under it breaks a promise. Each is one file, with a line in the table
//! in `targets` and a directory of seeds in `fuzz/corpus`. `cargo xtask fuzz` builds the program with coverage in our
//! own crates, and runs every target; the seeds alone run in this crate's tests too.

mod page;
mod targets;
mod world;

/// One thing that is fed.
#[derive(Clone, Copy, Debug)]
pub struct Target {
    name: &'static str,
    run: fn(&[u8]),
}

impl Target {
    /// The target with this name.
    pub fn named(name: &str) -> Option<Self> {
        targets::ALL.iter().find(|target| target.name == name).copied()
    }

    /// The names of all.
    pub fn names() -> Vec<&'static str> {
        targets::ALL.iter().map(|target| target.name).collect()
    }

    /// Feeds it.
    ///
    /// # Panics
    /// A promise is broken.
    pub fn run(&self, input: &[u8]) {
        (self.run)(input);
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;

    use super::*;

    #[test]
    fn every_target_has_seeds_and_survives_them() {
        let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus");
        let directories = fs::read_dir(&corpus).unwrap();
        let mut found: Vec<String> =
            directories.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        found.sort();
        let mut names = Target::names();
        names.sort_unstable();
        assert_eq!(found, names);
        for name in names {
            let target = Target::named(name).unwrap();
            let mut seeds = 0;
            for seed in fs::read_dir(corpus.join(name)).unwrap() {
                target.run(&fs::read(seed.unwrap().path()).unwrap());
                seeds += 1;
            }
            assert!((3..=100).contains(&seeds), "{name} has {seeds} seeds");
        }
    }
}
