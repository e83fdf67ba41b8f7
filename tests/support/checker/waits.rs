//! Every waiter is told: soon while its stream holds, and within a bounded time of a server that is up if it has to
//! reconnect.

use std::collections::BTreeMap;

use super::{Bounds, Rule, Story, Verdict, life_from};
use crate::history::{Life, Op, Outcome, Record, Stamp};

pub(super) fn check(story: &Story<'_>, lives: &[Life], bounds: &Bounds, verdict: &mut Verdict) {
    let mut waits: BTreeMap<u64, Vec<&Record>> = BTreeMap::new();
    for record in &story.records {
        if let Op::WaitFirst { wait } | Op::WaitEnd { wait } = record.op {
            waits.entry(wait).or_default().push(record);
        }
    }
    for (number, records) in waits {
        for pair in records.windows(2) {
            if let [first, last] = pair {
                stream(story, number, first, last, lives, bounds, verdict);
            }
        }
        whole(story, number, &records, lives, bounds, verdict);
    }
}

/// One stream, from its first message to its end: it may not stay silent for long once the event has ended or is due.
fn stream(
    story: &Story<'_>,
    number: u64,
    first: &Record,
    last: &Record,
    lives: &[Life],
    bounds: &Bounds,
    verdict: &mut Verdict,
) {
    let attached = matches!(first.op, Op::WaitFirst { .. })
        && matches!(&first.outcome, Outcome::Seen(view) if view.end.is_none());
    if !attached || !matches!(last.op, Op::WaitEnd { .. }) {
        return;
    }
    let Some(life) = life_from(lives, first.returned) else { return };
    let since =
        if life.ready.mono_us > first.returned.mono_us { life.ready } else { first.returned };
    // A client may notice late that the server is gone.
    let killed = life.killed;
    let until = if killed.mono_us < last.returned.mono_us { killed } else { last.returned };
    let silent_ms = until.wall_ms - since.wall_ms.max(due_ms(story));
    verdict.expect(silent_ms <= bounds.late_ms, Rule::LateTimer, story.id, || {
        format!("waiter {number} was attached for {silent_ms} ms after the deadline: {last:?}")
    });
    if let Some(ended) = story.ended {
        let from = ended.mono_us.max(since.mono_us);
        let silent_ms = ms(until.mono_us.saturating_sub(from));
        verdict.expect(silent_ms <= bounds.told_ms, Rule::WaiterNotTold, story.id, || {
            format!(
                "waiter {number} was attached for {silent_ms} ms after the end was known: {last:?}"
            )
        });
    }
}

/// A wait over all its streams.
fn whole(
    story: &Story<'_>,
    number: u64,
    records: &[&Record],
    lives: &[Life],
    bounds: &Bounds,
    verdict: &mut Verdict,
) {
    let (Some(first), Some(last)) = (records.first(), records.last()) else {
        return;
    };
    let begun = first.invoked;
    let up_ms = [story.ended.map(|ended| ended.mono_us), due_mono_us(story, begun)]
        .into_iter()
        .flatten()
        .map(|from| bounds.uptime_of(lives, from.max(begun.mono_us), last.returned.mono_us))
        .max();
    if let Some(up_ms) = up_ms {
        verdict.expect(up_ms <= bounds.uptime_ms, Rule::WaiterNotTold, story.id, || {
            format!("waiter {number} needed {up_ms} ms of a server that was up: {last:?}")
        });
    }
}

fn due_ms(story: &Story<'_>) -> i64 {
    story.asked.map_or(i64::MAX, |asked| asked.deadline_ms)
}

/// The deadline on the monotonic clock, by way of an instant that is known on both.
fn due_mono_us(story: &Story<'_>, known: Stamp) -> Option<u64> {
    let asked = story.asked?;
    known.mono_us.checked_add_signed((asked.deadline_ms - known.wall_ms) * 1_000)
}

impl Bounds {
    /// How long the server was up between two instants, without the start of each life.
    fn uptime_of(&self, lives: &[Life], from_us: u64, to_us: u64) -> i64 {
        let of = |life: &Life| {
            let from = from_us.max(life.ready.mono_us + self.reconnect_ms.unsigned_abs() * 1_000);
            ms(to_us.min(life.killed.mono_us).saturating_sub(from))
        };
        lives.iter().map(of).sum()
    }
}

fn ms(us: u64) -> i64 {
    i64::try_from(us / 1_000).unwrap_or(i64::MAX)
}
