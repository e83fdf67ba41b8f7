//! Several replicas over one store in which everything goes wrong, in virtual time and by seed.
//!
//! `HITL_SIM_SEED` repeats one run exactly, and writes down what happened in it; `HITL_SIM_SEEDS` sets how many seeds
//! are run.

mod books;
mod call;
mod clock;
mod directed;
mod fault_store;
mod random;
mod replica;
mod retention;
mod run;
mod scenario;
mod seeds;
mod show;
mod stores;
mod totals;
mod trace;
mod trouble;
mod view;
mod votes;
mod wait;
mod watch;
mod world;

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use run::{Outcome, run};
use scenario::Scenario;
use stores::Kind;
use support::checker::Rule;
use support::planted::Fault;
use support::signal;
use totals::Totals;

const SEEDS: u64 = 500;
/// Fewer, since these take real time: what goes wrong is the same.
const SEEDS_REAL: u64 = 20;
/// A planted fault must be found within so many.
const SEEDS_PLANTED: u64 = 200;

/// What a planted fault breaks: any of these rules finds it.
const PLANTED: &[(Fault, &[Rule])] = &[
    (Fault::ConflictIsLost, &[Rule::WinnerRecorded]),
    (Fault::ErrorIsLost, &[Rule::WinnerRecorded]),
    (
        Fault::Overwrite,
        &[Rule::OneOutcome, Rule::WinnerRecorded, Rule::LoserAcknowledged, Rule::RequestChanged],
    ),
    (Fault::RecordBeforeAnnouncement, &[Rule::WaiterNotTold]),
    (Fault::TimerGoesFirst, &[Rule::LateTimer]),
    (Fault::LostWakeUp, &[Rule::WaiterNotTold]),
    (Fault::DeafToReplicas, &[Rule::WaiterNotTold]),
    (Fault::RememberPending, &[Rule::StaleRead]),
    (Fault::DropTimersAtRestart, &[Rule::LateTimer]),
];

#[test]
fn every_promise_is_kept_whatever_goes_wrong() {
    let _alone = alone();
    if let Some(seed) = number("HITL_SIM_SEED") {
        let violations = show::replay(seed, Kind::Memory);
        assert_eq!(violations, 0, "seed {seed}");
        return;
    }
    let totals = keeps_every_promise(Kind::Memory, number("HITL_SIM_SEEDS").unwrap_or(SEEDS));
    let short = totals.shortcomings();
    assert!(short.is_empty(), "the runs prove too little: {short:#?}");
}

#[test]
fn every_promise_is_kept_whatever_goes_wrong_with_real_stores() {
    let _alone = alone();
    for kind in [Kind::Files, Kind::Embedded] {
        keeps_every_promise(kind, SEEDS_REAL);
    }
}

/// Runs so many seeds, none of which may break a promise.
fn keeps_every_promise(kind: Kind, seeds: u64) -> Totals {
    let begun = Instant::now();
    let is_broken = |outcome: &Outcome| !outcome.verdict.violations.is_empty();
    let (totals, broken) = seeds::search(0..seeds, kind, None, is_broken);
    show::say(&format!("simulation over {kind:?}, {:.1?}\n{totals}", begun.elapsed()));
    if let Some(broken) = broken {
        let seed = broken.scenario.seed;
        show::replay(seed, kind);
        panic!("a promise is broken; over memory HITL_SIM_SEED={seed} repeats the run exactly");
    }
    totals
}

#[test]
fn the_same_seed_does_the_same() {
    let _alone = alone();
    for seed in 0..10 {
        let [first, second] =
            [(); 2].map(|()| run(Scenario::of(seed), Kind::Memory, None, true).lines);
        let differs =
            (0..first.len().max(second.len())).find(|&at| first.get(at) != second.get(at));
        let shown = differs.map(|at| [&first, &second].map(|lines| around(lines, at)));
        assert!(shown.is_none(), "seed {seed} did something else the second time: {shown:#?}");
    }
}

/// The lines at `at`, with some before and after it.
fn around(lines: &[String], at: usize) -> &[String] {
    &lines[at.saturating_sub(5).min(lines.len())..(at + 5).min(lines.len())]
}

#[test]
fn planted_faults_are_found() {
    let _alone = alone();
    show::say("planted fault             seed  runs  seconds  found by");
    let mut missed = Vec::new();
    for (fault, rules) in PLANTED {
        let begun = Instant::now();
        let breaks = |outcome: &Outcome| {
            outcome.verdict.violations.iter().any(|violation| rules.contains(&violation.rule))
        };
        let (totals, broken) = seeds::search(0..SEEDS_PLANTED, Kind::Memory, Some(*fault), breaks);
        let seconds = begun.elapsed().as_secs_f32();
        let found = broken.as_ref().map(|broken| show::by_rule(&broken.verdict.violations));
        let seed =
            broken.map_or_else(|| "none".to_owned(), |broken| broken.scenario.seed.to_string());
        let name = format!("{fault:?}");
        let runs = totals.runs();
        show::say(&format!("{name:<24}  {seed:>4}  {runs:>4}  {seconds:>7.1}  {found:?}"));
        if found.is_none() {
            missed.push(format!("{fault:?}: none of {rules:?}"));
        }
    }
    assert!(missed.is_empty(), "not found: {missed:#?}");
}

/// Each test wants all cores for itself.
fn alone() -> MutexGuard<'static, ()> {
    static ALONE: Mutex<()> = Mutex::new(());
    ALONE.lock().unwrap_or_else(PoisonError::into_inner)
}

fn number(variable: &str) -> Option<u64> {
    let text = std::env::var(variable).ok()?;
    Some(text.parse().unwrap_or_else(|_| panic!("{variable} is no number: {text}")))
}
