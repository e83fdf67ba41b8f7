//! Refusals that are not written yet: those that are alike are one entry, with a count.
//!
//! The first of them is written at once, and the others once a minute. Only so many are told apart: of one source, and
//! of all. Whoever has proved to be somebody and whoever has not have room of their own, so that strangers hide nothing
//! of what principals try. What is not told apart is counted.

use hitl_core::{Actor, AuditEntry, Audited, Timestamp};

/// How long those that are alike are gathered.
const GATHERED_MS: i64 = 60_000;
/// Most that are told apart in that time, of the known and of the unknown each.
const KINDS_MAX: usize = 20;
/// Most of one source.
const OF_SOURCE_MAX: usize = 5;

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Refusals(Vec<Seen>);

#[derive(Debug)]
struct Seen {
    /// With a count of those since it was written.
    entry: AuditEntry,
    written: Option<Timestamp>,
}

impl Refusals {
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Adds one.
    pub(super) fn add(&mut self, entry: AuditEntry) {
        if let Some(seen) = self.0.iter_mut().find(|seen| seen.entry.is_like(&entry)) {
            seen.add(entry);
        } else if self.has_room(&entry) {
            self.0.push(Seen { entry, written: None });
        } else {
            let entry = of_many(&entry);
            match self.0.iter_mut().find(|seen| seen.entry.is_like(&entry)) {
                Some(seen) => seen.add(entry),
                None => self.0.push(Seen { entry, written: None }),
            }
        }
    }

    /// Those that are to be written at `now`.
    pub(super) fn due(&mut self, now: Timestamp) -> Vec<AuditEntry> {
        let is_old = |written: Timestamp| !(0..GATHERED_MS).contains(&now.ms_since(written));
        let mut due = Vec::new();
        self.0.retain_mut(|seen| {
            let is_due = seen.written.is_none_or(is_old);
            if is_due && seen.entry.count > 0 {
                due.push(seen.take());
                seen.written = Some(now);
                return true;
            }
            !is_due
        });
        due
    }

    /// All that are there.
    pub(super) fn rest(&mut self) -> Vec<AuditEntry> {
        let mut all = std::mem::take(&mut self.0);
        all.retain(|seen| seen.entry.count > 0);
        all.iter_mut().map(Seen::take).collect()
    }

    fn has_room(&self, entry: &AuditEntry) -> bool {
        let seen = || self.0.iter().map(|seen| &seen.entry);
        let is_known = entry.is_of_the_known();
        seen().filter(|seen| seen.is_of_the_known() == is_known).count() < KINDS_MAX
            && seen().filter(|seen| seen.is_of_same_source(entry)).count() < OF_SOURCE_MAX
    }
}

impl Seen {
    fn add(&mut self, entry: AuditEntry) {
        if self.entry.count == 0 {
            self.entry = entry;
        } else {
            self.entry.count += 1;
            self.entry.last_time = Some(entry.time);
        }
    }

    /// What there is to write, which is not there any more then.
    fn take(&mut self) -> AuditEntry {
        let entry = self.entry.clone();
        self.entry.count = 0;
        self.entry.last_time = None;
        entry
    }
}

/// What stands for `entry` where there is no room to tell it from others.
fn of_many(entry: &AuditEntry) -> AuditEntry {
    let whose = if entry.is_of_the_known() { "principals" } else { "strangers" };
    let many = Audited::refusal("several", format!("more refusals of {whose} than are told apart"));
    many.entry(Actor::unknown(""), entry.time)
}

#[cfg(test)]
mod tests {
    use hitl_core::{CredentialKind, Proof};

    use super::*;

    fn at(ms: i64) -> Timestamp {
        Timestamp::from_ms(1_795_348_837_250 + ms).unwrap()
    }

    fn of(actor: Actor, action: &str, ms: i64) -> AuditEntry {
        Audited::refusal(action, "why").entry(actor, at(ms))
    }

    fn stranger(address: &str, action: &str, ms: i64) -> AuditEntry {
        of(Actor::unknown(address), action, ms)
    }

    fn known(id: &str) -> Actor {
        let proof =
            Proof { known_by: CredentialKind::Token, id: id.to_owned(), name: String::new() };
        Actor { proof, address: "::1".to_owned() }
    }

    #[test]
    fn a_flood_is_one_entry_at_once_and_one_a_minute() {
        let mut refusals = Refusals::default();
        let mut written = Vec::new();
        for ms in 0..180_000 {
            refusals.add(stranger("192.0.2.1", "look", ms));
            if ms % 500 == 0 {
                written.extend(refusals.due(at(ms)));
            }
        }
        written.extend(refusals.rest());
        assert_eq!(written.len(), 4, "{written:?}");
        assert_eq!((written[0].count, written[0].last_time), (1, None));
        assert_eq!(written[1].time, at(1));
        assert_eq!(written.iter().map(|entry| entry.count).sum::<u64>(), 180_000);
        assert!(refusals.is_empty());
    }

    #[test]
    fn what_differs_is_told_apart_up_to_a_bound_and_the_rest_is_counted() {
        let mut refusals = Refusals::default();
        for n in 0..1_000 {
            refusals.add(stranger("192.0.2.1", &format!("action {n}"), n));
            refusals.add(stranger(&format!("192.0.2.{n}"), "look", n));
        }
        refusals.add(of(known("1"), "respond", 0));
        let due = refusals.due(at(1_000));
        assert!(due.len() <= KINDS_MAX + 2, "{} entries", due.len());
        assert!(due.iter().any(|entry| entry.who.id == "1"), "strangers hide no principal");
        assert_eq!(due.iter().map(|entry| entry.count).sum::<u64>(), 2_001);
        let of_one = due.iter().filter(|entry| entry.action.starts_with("action")).count();
        assert!(of_one <= OF_SOURCE_MAX, "{of_one}");
    }

    #[test]
    fn what_has_not_happened_for_a_minute_is_forgotten() {
        let mut refusals = Refusals::default();
        refusals.add(stranger("::1", "look", 0));
        assert_eq!(refusals.due(at(500)).len(), 1);
        assert!(refusals.due(at(60_000)).is_empty());
        assert!(!refusals.is_empty());
        assert!(refusals.due(at(60_500)).is_empty());
        assert!(refusals.is_empty());
        refusals.add(stranger("::1", "look", 61_000));
        assert_eq!(refusals.due(at(61_000)).len(), 1);
    }

    #[test]
    fn a_clock_that_is_set_back_holds_nothing_up() {
        let mut refusals = Refusals::default();
        refusals.add(stranger("::1", "look", 3_600_000));
        assert_eq!(refusals.due(at(3_600_000)).len(), 1);
        refusals.add(stranger("::1", "look", 0));
        assert_eq!(refusals.due(at(0)).len(), 1);
    }
}
