//! For how long what has ended is kept, and which job removes it then.

use std::collections::BTreeMap;
use std::fmt;

use hitl_core::{EventId, EventKey, Namespace, Request, Timestamp};

use crate::jobs::{Job, Kind};
use crate::keys::Entry;
use crate::read_at::VOUCHED_MS;

/// The removal of an event whose time of retention is over. Its number is the instant, in milliseconds, under which its
/// end was announced: there is one job for each announcement.
pub const COLLECT: Kind = Kind::new("collect");
/// The removal of what says that an event was removed.
pub const FORGET: Kind = Kind::new("forget");
/// The label that keeps an event for ever, whatever its value.
pub const HOLD: &str = "hold";
/// The shortest time of retention.
pub const KEPT_MS_MIN: i64 = 60_000;
/// How long after the request of an event is overwritten its response is removed. By then no server acts on a request
/// that it read before.
pub const CLEAR_MS: i64 = 120_000;

const DAY_MS: i64 = 86_400_000;
/// How far apart the clocks of two servers may be.
const APART_MS_MAX: i64 = 2 * crate::skew::APART_MS_MAX;

// A server may remember a request for that long, and the call that ends the event may take as long again.
const _: () = assert!(CLEAR_MS >= 2 * VOUCHED_MS + APART_MS_MAX);

/// For how long what has ended is kept, by namespace.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Retention {
    /// What has no rule of its own is kept for so many milliseconds; `None` is for ever.
    default: Option<i64>,
    namespaces: BTreeMap<Namespace, Option<i64>>,
    /// How long the tombstone of an event stays whose id comes from an idempotency key: for as long as its create may
    /// be repeated.
    keyed_ms: i64,
    /// How long that of any other event stays: for as long as a write may be on its way.
    timed_ms: i64,
}

/// One rule: for how long the events of a namespace are kept, or of all that have no rule of their own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RetentionRule {
    /// The namespace, if it is for one.
    pub namespace: Option<Namespace>,
    /// Milliseconds; `None` is for ever.
    pub kept_ms: Option<i64>,
}

/// Everything is kept for ever.
impl Default for Retention {
    fn default() -> Self {
        let (keyed_ms, timed_ms) = (30 * DAY_MS, DAY_MS);
        Self { default: None, namespaces: BTreeMap::new(), keyed_ms, timed_ms }
    }
}

impl Retention {
    /// The rules together.
    ///
    /// # Errors
    /// Which two rules are for the same, in words.
    pub fn of(rules: &[RetentionRule]) -> Result<Self, String> {
        let mut retention = Self::default();
        let mut has_default = false;
        for RetentionRule { namespace, kept_ms } in rules {
            let Some(namespace) = namespace else {
                if std::mem::replace(&mut has_default, true) {
                    return Err("two times of retention are given for all namespaces".to_owned());
                }
                retention.default = *kept_ms;
                continue;
            };
            if retention.namespaces.insert(namespace.clone(), *kept_ms).is_some() {
                return Err(format!("two times of retention are given for {namespace}"));
            }
        }
        Ok(retention)
    }

    /// The same rules with other lives of tombstones: of events whose id comes from an idempotency key, and of others.
    pub fn remembering(self, keyed_ms: i64, timed_ms: i64) -> Self {
        Self { keyed_ms, timed_ms, ..self }
    }

    /// Whether nothing is ever removed.
    pub fn is_for_ever(&self) -> bool {
        self.default.is_none() && self.namespaces.values().all(Option::is_none)
    }

    /// For how many milliseconds the events of `namespace` are kept; `None` is for ever.
    pub fn kept_ms(&self, namespace: &Namespace) -> Option<i64> {
        self.namespaces.get(namespace).copied().unwrap_or(self.default)
    }

    /// The same of one event.
    pub fn kept_ms_of(&self, request: &Request) -> Option<i64> {
        let is_held = request.labels.contains_key(HOLD);
        self.kept_ms(&request.namespace).filter(|_| !is_held)
    }

    /// The job that removes the event whose end is `announced`, unless its namespace is kept for ever.
    pub(crate) fn collect(&self, announced: &Entry) -> Option<Job> {
        let kept_ms = self.kept_ms(&announced.key.namespace)?;
        let n = announced.time.ms().unsigned_abs();
        let due = announced.time.plus_ms(kept_ms);
        Some(Job { due, kind: COLLECT, key: announced.key.clone(), n })
    }

    /// The job that forgets that the event at `key` was removed at `removed`.
    pub fn forget(&self, key: &EventKey, removed: Timestamp) -> Job {
        let age_ms = if is_timed(key.id) { self.timed_ms } else { self.keyed_ms };
        Job { due: removed.plus_ms(age_ms), kind: FORGET, key: key.clone(), n: 0 }
    }
}

/// Whether an id was made from the time, and not from an idempotency key: that is the version of the UUID that it is.
fn is_timed(id: EventId) -> bool {
    id.to_string().as_bytes()[12] == b'7'
}

/// The one text of a policy, by which two are told apart.
impl fmt::Display for Retention {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kept = |kept_ms: Option<i64>| {
            kept_ms.map_or_else(|| "for ever".to_owned(), |ms| format!("{ms} ms"))
        };
        f.write_str(&kept(self.default))?;
        for (namespace, kept_ms) in &self.namespaces {
            write!(f, "; {namespace}: {}", kept(*kept_ms))?;
        }
        Ok(())
    }
}
