//! Power cuts: the real server runs in a virtual machine, on a disk that forgets what was not flushed when the power is
//! cut, and everything that clients were told must be there once the machine is up again. Then the same with a server
//! that does not sync, which must be found.
//!
//! `HITL_TEST_SEED` repeats the choices of a run; the timing of the machine is not repeated. `HITL_TEST_LONG=1` makes
//! the run long.

mod blocks;
mod cpio;
mod disk;
mod guest;
mod image;
mod losses;
mod nbd;
mod plan;
mod report;
mod run;

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use plan::{Cuts, Outcome, Plan};
use report::Report;
use run::run;
use support::checker::Rule;
use support::findings::{by_rule, say, seed, show};
use support::tools;

/// What CI has time for. On a machine that does nothing else, a cut takes about 7 seconds.
const CUTS: Cuts = Cuts { least: 10, time: Duration::from_secs(120), most: 16 };
const CUTS_LONG: Cuts = Cuts { least: 60, time: Duration::ZERO, most: 60 };
const CUTS_OF_FILES: Cuts = Cuts { least: 4, time: Duration::from_secs(30), most: 6 };
/// A server that does not sync is found at the first cut, unless that came too early.
const CUTS_WITH_FAULT: Cuts = Cuts { least: 5, time: Duration::ZERO, most: 5 };

const EMBEDDED: &str = "/disk/store";
const FILES: &str = "file:///disk/files";

#[test]
fn nothing_acknowledged_is_lost_when_the_power_is_cut() {
    let _alone = alone();
    let cuts = if is_long() { CUTS_LONG } else { CUTS };
    must_hold(&Plan { binary: tools::hitl(), store: EMBEDDED, fault: None, seed: seed(), cuts });
}

#[test]
fn nothing_acknowledged_is_lost_from_plain_files_when_the_power_is_cut() {
    let _alone = alone();
    let cuts = if is_long() { CUTS_LONG } else { CUTS_OF_FILES };
    must_hold(&Plan { binary: tools::hitl(), store: FILES, fault: None, seed: seed(), cuts });
}

#[test]
fn a_server_that_does_not_sync_is_found() {
    let _alone = alone();
    let plan = Plan {
        binary: tools::faulty(),
        store: EMBEDDED,
        fault: Some("no-sync"),
        seed: seed(),
        cuts: CUTS_WITH_FAULT,
    };
    let outcome = go(&plan);
    let found = by_rule(&outcome.verdict.violations);
    let lost = [Rule::CreateLost, Rule::List, Rule::StaleRead, Rule::WinnerRecorded];
    assert!(
        lost.iter().any(|rule| found.contains_key(rule)),
        "not found, seed {}: {found:?} {}",
        plan.seed,
        outcome.broken.unwrap_or_default()
    );
}

/// Runs `plan` on a server that may break no promise.
fn must_hold(plan: &Plan) {
    let outcome = go(plan);
    let Outcome { history, verdict, broken, .. } = &outcome;
    let violations = &verdict.violations;
    if !violations.is_empty() || broken.is_some() {
        show("power", violations, history);
    }
    let seed = plan.seed;
    if let Some(why) = broken {
        panic!("the run broke off, seed {seed}: {why}");
    }
    assert!(violations.is_empty(), "{} violations, seed {seed}", violations.len());
    let short = Report::of(&outcome).shortcomings(plan.cuts.least);
    assert!(short.is_empty(), "the run proves too little: {short:?}");
}

fn go(plan: &Plan) -> Outcome {
    let begun = Instant::now();
    let runtime = tokio::runtime::Runtime::new().expect("the machine has threads");
    let outcome = runtime.block_on(run(plan)).expect("the virtual machine can be made");
    let Plan { store, fault, seed, .. } = plan;
    let (report, elapsed) = (Report::of(&outcome), begun.elapsed());
    say(&format!("power, {store}, fault {fault:?}, seed {seed}, {elapsed:.1?}: {report}"));
    outcome
}

fn is_long() -> bool {
    std::env::var_os("HITL_TEST_LONG").is_some_and(|long| long == "1")
}

/// Each run wants the machine for itself.
fn alone() -> MutexGuard<'static, ()> {
    static ALONE: Mutex<()> = Mutex::new(());
    ALONE.lock().unwrap_or_else(PoisonError::into_inner)
}
