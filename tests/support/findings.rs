//! Says what a run of clients against a service in trouble has found.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufWriter, Write};

use crate::checker::{Rule, Violation};
use crate::history::History;

const VIOLATIONS_SHOWN: usize = 20;
const SEED: &str = "HITL_TEST_SEED";

/// The seed of this run: what `HITL_TEST_SEED` says, or else any.
///
/// # Panics
/// If the variable is no number.
pub fn seed() -> u64 {
    match std::env::var(SEED) {
        Ok(seed) => seed.parse().unwrap_or_else(|_| panic!("{SEED} is no number: {seed}")),
        Err(_) => rand::random(),
    }
}

/// How often each rule was broken.
pub fn by_rule(violations: &[Violation]) -> BTreeMap<Rule, usize> {
    let mut rules = BTreeMap::new();
    for violation in violations {
        *rules.entry(violation.rule).or_default() += 1;
    }
    rules
}

/// Prints the first violations with the calls of their events, and writes the whole history to a file of `suite`.
pub fn show(suite: &str, violations: &[Violation], history: &History) {
    let mut text = format!("violations {:?}\n", by_rule(violations));
    for violation in violations.iter().take(VIOLATIONS_SHOWN) {
        text += &format!("- {violation}\n");
    }
    if let Some(first) = violations.first() {
        text += "all calls of the first event:\n";
        let of =
            history.records.iter().filter(|record| record.event.as_ref() == Some(&first.event));
        for record in of {
            text += &format!("  {}\n", serde_json::to_string(record).unwrap_or_default());
        }
    }
    let path = std::env::temp_dir().join(format!("hitl-{suite}-{}.jsonl", std::process::id()));
    let dumped = File::create(&path)
        .map_err(anyhow::Error::from)
        .and_then(|file| history.dump(&mut BufWriter::new(file)));
    say(&format!("{text}the whole history: {} {dumped:?}", path.display()));
}

/// Says it even if the test passes: libtest keeps only what is printed by macro.
pub fn say(text: &str) {
    let _ = writeln!(std::io::stderr(), "\n{text}");
}
