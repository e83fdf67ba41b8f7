//! How questions are grouped, and which are one row.

use std::sync::Arc;

use hitl_core::{EventId, Namespace, Spec};
use hitl_testing::spec;

use super::*;

fn now() -> Timestamp {
    Timestamp::from_ms(1_795_354_620_000).unwrap()
}

fn events(specs: impl IntoIterator<Item = Spec>) -> Vec<Event> {
    let made = specs.into_iter().zip(1_u8..).map(|(spec, number)| {
        let id = EventId::from_bytes([number; 16]);
        let request = hitl_core::create(spec, Namespace::default(), id, now()).unwrap();
        Event { request: Arc::new(request), response: None }
    });
    made.collect()
}

fn shapes(groups: &[Group]) -> Vec<(&str, usize, Vec<usize>)> {
    let rows = |group: &Group| group.rows.iter().map(Row::count).collect();
    groups.iter().map(|group| (group.title.as_str(), group.count, rows(group))).collect()
}

#[test]
fn what_is_alike_is_one_row_from_three_on_and_never_at_high_risk() {
    let named = |name: &str, risk| Spec { name: name.to_owned(), risk, ..spec(60_000) };
    let low = || named("refund", Risk::Low);
    let two = events([low(), low(), named("other", Risk::Low)]);
    assert_eq!(
        shapes(&group(&two, Sort::Deadline, false, now())),
        [("Within the hour", 3, vec![1, 1, 1])]
    );
    let three = events([low(), named("other", Risk::Low), low(), low()]);
    assert_eq!(
        shapes(&group(&three, Sort::Deadline, false, now())),
        [("Within the hour", 4, vec![3, 1])]
    );
    let high = events([0; 4].map(|_| named("refund", Risk::High)));
    assert_eq!(
        shapes(&group(&high, Sort::Risk, false, now())),
        [("High risk", 4, vec![1, 1, 1, 1])]
    );
}

#[test]
fn groups_are_by_time_or_by_run() {
    let run = |scope: &str, ttl_ms| Spec {
        scope: scope.to_owned(),
        name: format!("{scope} {ttl_ms}"),
        ..spec(ttl_ms)
    };
    let asked = events([
        run("a", 60_000),
        run("run", 2 * HOUR_MS),
        run("a", 3 * HOUR_MS),
        run("a", 3 * DAY_MS),
    ]);
    assert_eq!(
        shapes(&group(&asked, Sort::Deadline, false, now())),
        [("Within the hour", 1, vec![1]), ("Within a day", 2, vec![1, 1]), ("Later", 1, vec![1])]
    );
    assert_eq!(
        shapes(&group(&asked, Sort::Deadline, true, now())),
        [("Run a", 3, vec![1, 1, 1]), ("Without a run", 1, vec![1])]
    );
}
