//! The crash loop: clients work against the real binary while it is killed again and again, and
//! afterwards everything they were told must hold. Then the same with faults planted in the server,
//! which the checker must find.
//!
//! `HITL_TEST_SEED` repeats the choices of a run; the timing of the machine is not repeated.

mod autopsy;
mod chaos;
#[cfg(feature = "mixed")]
mod mixed;
mod replicas;
mod report;
mod run;

use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use autopsy::Kind;
use replicas::Trouble;
use report::{KILLS, Report};
use run::{Plan, run};
use support::checker::{Rule, Verdict};
use support::findings::{by_rule, say, seed, show};
use support::history::History;
use support::object_server::Dialect;
use support::planted::VARIABLE;
use support::tools;

/// What a planted fault breaks.
struct Planted {
    fault: &'static str,
    /// Any of these finds it.
    breaks: &'static [Rule],
}

const PLANTED: &[Planted] = &[
    Planted {
        fault: "ack-before-sync",
        breaks: &[Rule::CreateLost, Rule::StaleRead, Rule::WinnerRecorded, Rule::OneOutcome],
    },
    Planted {
        fault: "overwrite",
        breaks: &[Rule::OneOutcome, Rule::WinnerRecorded, Rule::LoserAcknowledged],
    },
    Planted { fault: "drop-timers-at-restart", breaks: &[Rule::LateTimer] },
    Planted { fault: "lost-wake-up", breaks: &[Rule::WaiterNotTold] },
];

/// What goes wrong, for how many seconds, and which rules find it.
const UNBEARABLE: &[(Trouble, u64, &[Rule])] = &[
    (Trouble::DeafStore, 5, &[Rule::OneOutcome, Rule::WinnerRecorded]),
    (Trouble::RacyStore, 5, &[Rule::OneOutcome, Rule::WinnerRecorded]),
    (Trouble::Planted("remember-pending"), 5, &[Rule::StaleRead]),
    (Trouble::Planted("deaf-to-replicas"), 10, &[Rule::WaiterNotTold]),
    (Trouble::Planted("drop-timers-at-restart"), 20, &[Rule::LateTimer]),
];

#[test]
fn nothing_acknowledged_is_lost_through_a_hundred_kills() {
    let _alone = alone();
    let report = must_hold(&Plan {
        binaries: vec![tools::hitl()],
        store: Kind::Embedded,
        fault: None,
        seed: seed(),
        sought: &[],
        segments: 2,
        kills_per_segment: KILLS / 2,
    });
    let short = report.shortcomings();
    assert!(short.is_empty(), "the run proves too little: {short:?}");
}

#[test]
fn nothing_acknowledged_is_lost_in_plain_files() {
    let _alone = alone();
    must_hold(&Plan {
        binaries: vec![tools::hitl()],
        store: Kind::Files,
        fault: None,
        seed: seed(),
        sought: &[],
        segments: 1,
        kills_per_segment: 30,
    });
}

#[test]
fn replicas_keep_every_promise_while_everything_fails() {
    let _alone = alone();
    let plan = replicas::Plan {
        binaries: vec![tools::hitl()],
        dialect: Dialect::S3,
        seed: seed(),
        storm: Duration::from_secs(120),
        trouble: Trouble::All,
    };
    let begun = Instant::now();
    let outcome = go_replicas(&plan);
    let report = replicas::Report::of(&outcome);
    let (seed, elapsed) = (plan.seed, begun.elapsed());
    say(&format!("replicas, seed {seed}, {elapsed:.1?}\n{report}"));
    judge(&outcome.verdict, &outcome.history, outcome.broken.as_deref(), seed);
    let short = report.shortcomings();
    assert!(short.is_empty(), "the run proves too little: {short:?}");
    let found = &outcome.decoys;
    let is_found = replicas::BREAK.iter().all(|rule| found.contains_key(rule));
    assert!(is_found, "of clients that forget, only this is found: {found:?}");
}

#[test]
fn what_no_replicas_can_bear_is_found() {
    let _alone = alone();
    let mut missed = Vec::new();
    for (trouble, storm_s, breaks) in UNBEARABLE {
        let plan = replicas::Plan {
            binaries: vec![trouble.planted().map_or_else(tools::hitl, |_| tools::faulty())],
            dialect: Dialect::Google,
            seed: seed(),
            storm: Duration::from_secs(*storm_s),
            trouble: *trouble,
        };
        let begun = Instant::now();
        let outcome = go_replicas(&plan);
        let found = by_rule(&outcome.verdict.violations);
        let (seed, elapsed) = (plan.seed, begun.elapsed());
        say(&format!("{trouble:?}, seed {seed}, {elapsed:.1?}: found by {found:?}"));
        if !breaks.iter().any(|rule| found.contains_key(rule)) {
            let why = outcome.broken.unwrap_or_default();
            missed.push(format!("{trouble:?}, seed {seed}: none of {breaks:?} {why}"));
        }
    }
    assert!(missed.is_empty(), "not found: {missed:#?}");
}

#[test]
fn planted_faults_are_found() {
    let _alone = alone();
    let mut table =
        String::from("planted fault            kills  seconds  seed                  found by");
    let mut missed = Vec::new();
    for Planted { fault, breaks } in PLANTED {
        let plan = Plan {
            binaries: vec![tools::faulty()],
            store: Kind::Embedded,
            fault: Some(fault),
            seed: seed(),
            sought: breaks,
            segments: 3,
            kills_per_segment: 10,
        };
        let begun = Instant::now();
        let outcome = go(&plan);
        let found = by_rule(&outcome.verdict.violations);
        let seconds = begun.elapsed().as_secs_f32();
        let (kills, seed) = (outcome.kills, plan.seed);
        table += &format!("\n{fault:<23}  {kills:>5}  {seconds:>7.1}  {seed:<20}  {found:?}");
        if !breaks.iter().any(|rule| found.contains_key(rule)) {
            let why = outcome.broken.unwrap_or_default();
            missed.push(format!("{fault}, seed {}: none of {breaks:?} {why}", plan.seed));
        }
    }
    say(&table);
    assert!(missed.is_empty(), "not found: {missed:#?}");
}

#[test]
fn the_server_that_people_use_has_no_planted_faults() {
    let has_faults = |binary: &Path| {
        let name = VARIABLE.as_bytes();
        let bytes = std::fs::read(binary).expect("the binary is there");
        bytes.windows(name.len()).any(|part| part == name)
    };
    assert!(has_faults(&tools::faulty()));
    assert!(!has_faults(&tools::hitl()));
}

/// Runs `plan` on the server as it is, which may break no promise.
fn must_hold(plan: &Plan) -> Report {
    let begun = Instant::now();
    let Plan { seed, store, .. } = plan;
    let outcome = go(plan);
    let report = Report::of(&outcome);
    let elapsed = begun.elapsed();
    say(&format!("crash loop, {store:?}, seed {seed}, {elapsed:.1?}\n{report}"));
    judge(&outcome.verdict, &outcome.history, outcome.broken.as_deref(), *seed);
    report
}

/// The run must have come to its end, and may have broken no promise.
fn judge(verdict: &Verdict, history: &History, broken: Option<&str>, seed: u64) {
    let violations = &verdict.violations;
    if !violations.is_empty() || broken.is_some() {
        show("crash", violations, history);
    }
    assert!(broken.is_none(), "the run broke off, seed {seed}: {}", broken.unwrap_or_default());
    assert!(violations.is_empty(), "{} violations, seed {seed}", violations.len());
}

fn go_replicas(plan: &replicas::Plan) -> replicas::Outcome {
    let runtime = tokio::runtime::Runtime::new().expect("the machine has threads");
    runtime.block_on(replicas::run(plan)).expect("the replicas start")
}

fn go(plan: &Plan) -> run::Outcome {
    let runtime = tokio::runtime::Runtime::new().expect("the machine has threads");
    runtime.block_on(run(plan)).expect("the server starts")
}

/// Both tests want the machine for themselves.
fn alone() -> MutexGuard<'static, ()> {
    static ALONE: Mutex<()> = Mutex::new(());
    ALONE.lock().unwrap_or_else(PoisonError::into_inner)
}
