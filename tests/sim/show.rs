//! What people see of a run that broke a promise.

use std::fs::File;
use std::io::{BufWriter, Write};

pub(crate) use support::findings::{by_rule, say};

use crate::run::{Outcome, run};
use crate::scenario::Scenario;
use crate::stores::Kind;

const VIOLATIONS_SHOWN: usize = 10;

/// Repeats the run of `seed`, prints what it broke, and writes down everything that happened. Says how many promises
/// were broken.
pub(crate) fn replay(seed: u64, kind: Kind) -> usize {
    let outcome = run(Scenario::of(seed), kind, None, true);
    let Outcome { scenario, history, verdict, lines, .. } = &outcome;
    let mut text = format!("{scenario:?}\nviolations {:?}\n", by_rule(&verdict.violations));
    for violation in verdict.violations.iter().take(VIOLATIONS_SHOWN) {
        text += &format!("- {violation}\n");
    }
    let path = std::env::temp_dir().join(format!("hitl-sim-{seed}.txt"));
    let written = File::create(&path).map_err(anyhow::Error::from).and_then(|file| {
        let mut out = BufWriter::new(file);
        writeln!(out, "{text}")?;
        for line in lines {
            writeln!(out, "{line}")?;
        }
        history.dump(&mut out)
    });
    say(&format!("{text}everything that happened: {} {written:?}", path.display()));
    verdict.violations.len()
}
