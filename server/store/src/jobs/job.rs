//! A job, and the key under which it is stored.

use std::borrow::Cow;
use std::fmt;

use hitl_core::{EventKey, Timestamp};
use object_store::path::Path;

use crate::Entry;
use crate::keys::{self, Index, Minute};

/// Work that is to be done at an instant or soon after.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Job {
    /// The instant.
    pub due: Timestamp,
    /// Which work.
    pub kind: Kind,
    /// The event that it concerns.
    pub key: EventKey,
    /// Tells apart jobs of one kind for one event. Each kind decides what it counts.
    pub n: u64,
}

/// A kind of work: a word of the letters a to z.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Kind(Cow<'static, str>);

impl Kind {
    /// The end of an event whose deadline has come.
    pub const EXPIRE: Self = Self::new("expire");

    /// The kind with this name.
    ///
    /// # Panics
    /// If the name is none; for a constant the compiler says so.
    pub const fn new(name: &'static str) -> Self {
        assert!(is_name(name.as_bytes()), "a kind is a word of the letters a to z");
        Self(Cow::Borrowed(name))
    }

    fn parse(name: &str) -> Option<Self> {
        is_name(name.as_bytes()).then(|| Self(Cow::Owned(name.to_owned())))
    }
}

const fn is_name(name: &[u8]) -> bool {
    let mut at = 0;
    while at < name.len() {
        if !name[at].is_ascii_lowercase() {
            return false;
        }
        at += 1;
    }
    !name.is_empty()
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Job {
    /// The expiry of the event at `key`, whose deadline is `deadline`.
    pub fn expire(deadline: Timestamp, key: EventKey) -> Self {
        Self { due: deadline, kind: Kind::EXPIRE, key, n: 0 }
    }

    /// Where it is stored.
    pub(crate) fn place(&self) -> JobIndex {
        if self.kind == Kind::EXPIRE { JobIndex::Pending } else { JobIndex::Jobs }
    }

    /// The key under which it is stored.
    pub(crate) fn path(&self) -> Path {
        match self.place() {
            JobIndex::Pending => {
                Index::Timers.path(&Entry { time: self.due, key: self.key.clone() })
            }
            JobIndex::Jobs => keys::path(&format!("{JOBS}/{}/{self}", Minute(self.due))),
        }
    }
}

/// The name under which it is stored, and the text by which logs call it.
impl fmt::Display for Job {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { due, kind, key: EventKey { namespace, id }, n } = self;
        write!(f, "{:013}-{kind}-{namespace}-{id}-{n}", due.ms())
    }
}

/// The prefix of all jobs but expiries.
const JOBS: &str = "jobs";

/// A part of the store in which jobs stand, by hour and minute.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum JobIndex {
    /// `timers/`: the expiries, one for each event that is open.
    Pending,
    /// `jobs/`: all others.
    Jobs,
}

impl JobIndex {
    /// Every place.
    pub(crate) const ALL: [Self; 2] = [Self::Pending, Self::Jobs];

    /// The prefix of the whole place.
    pub(crate) fn root(self) -> Path {
        match self {
            Self::Pending => Index::Timers.root(),
            Self::Jobs => Path::from(JOBS),
        }
    }

    /// The prefix of the minute that holds `time`.
    pub(crate) fn minute(self, time: Timestamp) -> Path {
        match self {
            Self::Pending => Index::Timers.minute(time),
            Self::Jobs => keys::path(&format!("{JOBS}/{}", Minute(time))),
        }
    }

    /// The job that stands at `path`; `None` if that is no key of this place.
    pub(crate) fn parse(self, path: &Path) -> Option<Job> {
        match self {
            Self::Pending => {
                Index::Timers.parse(path).map(|Entry { time, key }| Job::expire(time, key))
            }
            Self::Jobs => parse(path.filename()?).filter(|job| job.place() == self),
        }
    }
}

/// Read from both ends, since the name of a namespace may hold hyphens.
fn parse(name: &str) -> Option<Job> {
    let (ms, rest) = name.split_at_checked(13)?;
    let (kind, rest) = rest.strip_prefix('-')?.split_once('-')?;
    let (rest, n) = rest.rsplit_once('-')?;
    let (namespace, id) = rest.rsplit_once('-')?;
    let due = Timestamp::from_ms(ms.parse().ok()?)?;
    let key = EventKey { namespace: namespace.parse().ok()?, id: id.parse().ok()? };
    Some(Job { due, kind: Kind::parse(kind)?, key, n: n.parse().ok()? })
}

#[cfg(test)]
mod tests {
    use hitl_core::EventId;
    use proptest::prelude::*;

    use super::*;

    fn job(ms: i64, kind: &str, namespace: &str, id: [u8; 16], n: u64) -> Job {
        let key = EventKey { namespace: namespace.parse().unwrap(), id: EventId::from_bytes(id) };
        Job { due: Timestamp::from_ms(ms).unwrap(), kind: Kind::parse(kind).unwrap(), key, n }
    }

    proptest! {
        #[test]
        fn every_job_survives_its_key(
            ms in 0_i64..9_999_999_999_999,
            kind in "[a-z]{1,20}",
            namespace in "[a-z0-9]([a-z0-9-]{0,20}[a-z0-9])?",
            id: [u8; 16],
            n: u64,
        ) {
            let job = job(ms, &kind, &namespace, id, n);
            if job.kind != Kind::EXPIRE {
                prop_assert_eq!(JobIndex::Jobs.parse(&job.path()), Some(job));
            }
        }
    }

    /// Keys are persisted: this test may be added to, never changed.
    #[test]
    fn keys_look_as_they_always_have() {
        let id = "ab".repeat(16);
        let collect = job(1_795_354_620_123, "collect", "team-1", [0xab; 16], 7);
        let path = format!("jobs/2026-11-22T13/37/1795354620123-collect-team-1-{id}-7");
        assert_eq!(collect.path().as_ref(), path);
        let expire = Job::expire(collect.due, collect.key);
        let path = format!("timers/2026-11-22T13/37/1795354620123-expire-team-1-{id}");
        assert_eq!(expire.path().as_ref(), path);
        assert_eq!(JobIndex::Pending.parse(&expire.path()), Some(expire));
    }

    #[test]
    fn what_is_no_job_is_told_apart() {
        let id = "ab".repeat(16);
        let names = [
            format!("1795354620123-expire-team-{id}-0"),
            format!("1795354620123-Collect-team-{id}-0"),
            format!("1795354620123--team-{id}-0"),
            format!("1795354620123-collect-team-{id}"),
            format!("1795354620123-collect-team-{id}-x"),
            format!("179535462012-collect-team-{id}-0"),
            format!("1795354620123-collect-{id}-0"),
        ];
        for name in names {
            let path = Path::from(format!("jobs/2026-11-22T13/37/{name}"));
            assert_eq!(JobIndex::Jobs.parse(&path), None, "{name}");
        }
    }
}
