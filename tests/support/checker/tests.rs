//! Each rule finds a small history that breaks it, and none finds anything in one that breaks none.

use hitl_proto::v1::EventState;

use super::samples::{
    DEADLINE, EPOCH_MS, answer, answered, at, autopsy, draft, end, history, listing, record, seen,
    timed_out, view,
};
use super::{Bounds, Rule, Verdict};
use crate::history::{ChangeSeen, History, Life, Op, Outcome, Record, STORE_UNAVAILABLE, View};

fn check(history: &History) -> Verdict {
    super::check(history, &Bounds::ALONE)
}

#[track_caller]
fn breaks(rule: Rule, history: &History) {
    let verdict = check(history);
    let mut rules: Vec<_> = verdict.violations.iter().map(|violation| violation.rule).collect();
    rules.dedup();
    assert_eq!(rules, [rule], "{:#?}", verdict.violations);
}

#[track_caller]
fn holds(history: &History) {
    let verdict = check(history);
    assert!(verdict.checks > 0 && verdict.violations.is_empty(), "{:#?}", verdict.violations);
}

#[test]
fn a_history_that_keeps_every_promise_holds() {
    let final_ = Outcome::AlreadyFinal { state: answered("x").state, time_ms: EPOCH_MS + 1_000 };
    let mut history = history([
        record(Op::WaitFirst { wait: 1 }, 10, 20, seen(None)),
        record(answer("x"), 900, 950, Outcome::Unknown("broken".into())),
        record(Op::WaitEnd { wait: 1 }, 20, 960, Outcome::Unknown("broken".into())),
        // Invoked before anybody knew of the end.
        record(Op::Get, 990, 1_010, seen(None)),
        record(answer("y"), 980, 1_020, final_),
        record(answer("x"), 990, 1_030, seen(Some(answered("x")))),
        record(Op::WaitFirst { wait: 1 }, 1_050, 1_060, seen(Some(answered("x")))),
        record(Op::Get, 1_100, 1_110, seen(Some(answered("x")))),
    ]);
    history.autopsies.push(autopsy(&["a"], &["a"]));
    history.listings.push(listing(vec![view("a", Some(answered("x")))]));
    holds(&history);
}

#[test]
fn two_outcomes_are_found() {
    let get = |ms, by| record(Op::Get, ms, ms + 1, seen(Some(answered(by))));
    breaks(Rule::OneOutcome, &history([get(2_000, "x"), get(3_000, "y")]));
    let refused = Outcome::AlreadyFinal { state: answered("x").state, time_ms: EPOCH_MS + 7 };
    breaks(
        Rule::OneOutcome,
        &history([get(2_000, "x"), record(answer("y"), 1_500, 1_600, refused)]),
    );
}

#[test]
fn a_loser_that_was_acknowledged_is_found() {
    let reply = seen(Some(answered("x")));
    breaks(Rule::LoserAcknowledged, &history([record(answer("y"), 900, 1_100, reply)]));
    let reply = seen(Some(timed_out()));
    let cancel = Op::Cancel { reason: String::new() };
    breaks(Rule::LoserAcknowledged, &history([record(cancel, 900, 10_100, reply)]));
}

#[test]
fn a_winner_that_is_not_on_record_is_found() {
    let won = record(answer("y"), 900, 1_100, seen(Some(answered("y"))));
    let other = record(Op::Get, 2_000, 2_001, seen(Some(answered("x"))));
    let verdict = check(&history([won.clone(), other]));
    assert!(verdict.violations.iter().any(|violation| violation.rule == Rule::WinnerRecorded));

    let mut lost = history([won]);
    lost.autopsies.push(autopsy(&["a"], &[]));
    // The event is overdue as well by then.
    let verdict = check(&lost);
    assert!(verdict.violations.iter().any(|violation| violation.rule == Rule::WinnerRecorded));
}

#[test]
fn a_winner_that_was_refused_is_found() {
    let time_ms = EPOCH_MS + 1_000;
    let refused = Outcome::AlreadyFinal { state: answered("x").state, time_ms };
    let read = record(Op::Get, 2_000, 2_001, seen(Some(answered("x"))));
    breaks(Rule::WinnerRecorded, &history([record(answer("x"), 900, 1_100, refused), read]));
}

#[test]
fn a_stale_read_is_found() {
    let read = record(Op::Get, 2_000, 2_001, seen(Some(answered("x"))));
    let stale = record(Op::Get, 2_002, 2_003, seen(None));
    breaks(Rule::StaleRead, &history([read.clone(), stale]));
    let stale = record(Op::WaitFirst { wait: 1 }, 2_002, 2_003, seen(None));
    breaks(Rule::StaleRead, &history([read, stale]));
    let overdue = record(Op::Get, DEADLINE + 1, DEADLINE + 2, seen(None));
    breaks(Rule::StaleRead, &history([overdue]));
}

#[test]
fn a_lost_create_is_found() {
    breaks(Rule::CreateLost, &history([record(Op::Get, 6, 7, Outcome::NotFound)]));
    // The create may not have happened yet when this was asked.
    holds(&history([record(Op::Get, 2, 7, Outcome::NotFound)]));
    let mut lost = history([]);
    lost.lives[0].killed = at(100);
    lost.autopsies.push(autopsy(&[], &[]));
    lost.autopsies[0].life.killed = at(100);
    breaks(Rule::CreateLost, &lost);
}

#[test]
fn a_changed_request_is_found() {
    let mut changed = view("a", None);
    changed.asked.deadline_ms += 1;
    let read = record(Op::Get, 6, 7, Outcome::Seen(changed));
    breaks(Rule::RequestChanged, &history([read]));
}

#[test]
fn a_key_with_two_events_is_found() {
    let mut second = record(Op::Create(draft("a")), 10, 15, seen(None));
    second.event = Some("b".into());
    second.outcome = Outcome::Seen(View { id: "b".into(), ..view("a", None) });
    breaks(Rule::KeyTwice, &history([second]));
}

#[test]
fn a_timer_that_is_early_or_at_another_instant_is_found() {
    let early = record(Op::Get, DEADLINE - 10, DEADLINE - 1, seen(Some(timed_out())));
    breaks(Rule::EarlyTimer, &history([early]));
    let elsewhen = end(EventState::TimedOut, DEADLINE + 1);
    let read = record(Op::Get, DEADLINE + 5, DEADLINE + 6, seen(Some(elsewhen)));
    breaks(Rule::EarlyTimer, &history([read]));
    let late = end(EventState::Cancelled, DEADLINE);
    let read = record(Op::Get, DEADLINE + 5, DEADLINE + 6, seen(Some(late)));
    breaks(Rule::EarlyTimer, &history([read]));
}

#[test]
fn a_timer_that_never_fired_is_found() {
    let mut lost = history([]);
    lost.autopsies.push(autopsy(&["a"], &[]));
    breaks(Rule::LateTimer, &lost);
    // Due while the server was down, and killed again before it can be called late.
    lost.autopsies[0].life.ready = at(59_000);
    holds(&lost);

    let first = record(Op::WaitFirst { wait: 1 }, 10, 20, seen(None));
    let told = |ms| record(Op::WaitEnd { wait: 1 }, 20, ms, seen(Some(timed_out())));
    holds(&history([first.clone(), told(DEADLINE + 1_900)]));
    breaks(Rule::LateTimer, &history([first, told(DEADLINE + 2_100)]));
}

#[test]
fn a_waiter_that_is_not_told_is_found() {
    let first = record(Op::WaitFirst { wait: 1 }, 10, 20, seen(None));
    let won = record(answer("x"), 900, 1_000, seen(Some(answered("x"))));
    let told = |ms| record(Op::WaitEnd { wait: 1 }, 20, ms, seen(Some(answered("x"))));
    holds(&history([first.clone(), won.clone(), told(2_900)]));
    breaks(Rule::WaiterNotTold, &history([first.clone(), won.clone(), told(3_100)]));
    let abandoned = record(Op::WaitEnd { wait: 1 }, 10, 3_100, Outcome::Abandoned);
    breaks(Rule::WaiterNotTold, &history([first.clone(), won.clone(), abandoned]));

    // The server was killed soon, but the client noticed late.
    let mut killed = history([first, won, told(9_000)]);
    killed.lives[0].killed = at(1_500);
    holds(&killed);
    // Attached before the service was well, and told soon after.
    let mut healed = killed.clone();
    healed.lives = vec![Life { ready: at(7_500), killed: at(60_000) }];
    holds(&healed);
    healed.lives[0].ready = at(6_500);
    breaks(Rule::WaiterNotTold, &healed);
    // Many short lives, and never a word.
    killed.lives.extend((2..9).map(|n| Life { ready: at(n * 1_000), killed: at(n * 1_000 + 999) }));
    holds(&killed);
    killed.lives.push(Life { ready: at(9_000), killed: at(99_000) });
    killed.records[3] = record(Op::WaitEnd { wait: 1 }, 9_010, 13_000, Outcome::Abandoned);
    breaks(Rule::WaiterNotTold, &killed);
}

#[test]
fn a_list_that_misses_repeats_or_misplaces_an_event_is_found() {
    let mut listed = history([]);
    listed.listings.push(listing(vec![]));
    breaks(Rule::List, &listed);
    let ended = || view("a", Some(timed_out()));
    listed.listings[0] = listing(vec![ended(), ended()]);
    breaks(Rule::List, &listed);
    let earlier = View { id: "b".into(), ..view("b", Some(answered("x"))) };
    listed.listings[0] = listing(vec![earlier.clone(), ended()]);
    breaks(Rule::List, &listed);
    listed.listings[0] = listing(vec![ended(), earlier]);
    holds(&listed);
}

#[test]
fn an_error_that_no_kill_explains_is_found() {
    let fault = Outcome::Fault("ERROR_REASON_INTERNAL".into());
    breaks(Rule::ServerFault, &history([record(Op::Get, 6, 7, fault)]));
    let unavailable =
        |ms| record(Op::Get, ms, ms + 1, Outcome::Unknown(STORE_UNAVAILABLE.to_owned()));
    breaks(Rule::ServerFault, &history([unavailable(6)]));
    holds(&history([unavailable(60_001)]));
}

fn change(event: &str, is_end: bool) -> ChangeSeen {
    ChangeSeen { event: event.to_owned(), is_end }
}

/// The event was created, and answered after 1 s. A watcher saw `changes`.
fn watched(changes: Vec<ChangeSeen>) -> History {
    let mut history = history([record(answer("x"), 900, 1_000, seen(Some(answered("x"))))]);
    history.watched.push(changes);
    history
}

#[test]
fn a_change_that_a_watcher_missed_is_found() {
    holds(&watched(vec![change("a", false), change("a", true)]));
    // Twice is once too often, but that is allowed.
    holds(&watched(vec![change("a", false), change("a", true), change("a", false)]));
    breaks(Rule::ChangeMissed, &watched(vec![change("a", false)]));
    breaks(Rule::ChangeMissed, &watched(vec![change("a", true)]));
    breaks(Rule::ChangeMissed, &watched(vec![change("b", false), change("b", true)]));
    // Another watcher's changes are no excuse.
    let mut two = watched(vec![change("a", false), change("a", true)]);
    two.watched.push(Vec::new());
    breaks(Rule::ChangeMissed, &two);
}

#[test]
fn an_end_that_a_watcher_saw_before_the_create_is_found() {
    breaks(Rule::ChangeOrder, &watched(vec![change("a", true), change("a", false)]));
}

#[test]
fn a_watcher_that_may_not_resume_is_found() {
    let expired = Outcome::Fault("ERROR_REASON_RESUME_TOKEN_EXPIRED: it is too old".into());
    let mut refused = watched(vec![change("a", false), change("a", true)]);
    let watch = record(Op::Watch { watcher: 0 }, 10, 20, expired);
    refused.records.push(Record { event: None, ..watch });
    breaks(Rule::ServerFault, &refused);
}

#[test]
fn a_receipt_of_something_else_breaks_its_rule() {
    let with = |fits: bool| History { receipts: vec![("a".to_owned(), fits)], ..history([]) };
    holds(&with(true));
    breaks(Rule::Receipt, &with(false));
}
