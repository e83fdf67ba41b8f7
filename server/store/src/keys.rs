//! The layout of the store: every key there is, made and read in one place.
//!
//! Keys are persisted, so their form must stay as it is. Instants are padded to 13 digits, which
//! lasts until the year 2286 and makes the order of keys the order of time.

use std::fmt;

use chrono::Timelike;
use hitl_core::{ChannelId, EventId, EventKey, Namespace, Timestamp, TokenId};
use object_store::path::Path;

/// The record of the layout version.
pub(crate) fn format() -> Path {
    Path::from("meta/format.json")
}

/// The record that a copy into this store is not finished.
pub(crate) fn copying() -> Path {
    Path::from("meta/copying")
}

/// The record of the key that the links of this store are signed with.
pub(crate) fn link_key() -> Path {
    Path::from("meta/link-key.json")
}

/// Where the public keys of receipts stand.
pub(crate) fn receipt_keys() -> Path {
    Path::from("meta/receipt-keys")
}

/// The record of the public key of receipts that is called `id`.
pub(crate) fn receipt_key(id: &str) -> Path {
    path(&format!("meta/receipt-keys/{id}.json"))
}

/// The name of the public key whose record stands at `path`.
pub(crate) fn receipt_key_id(path: &Path) -> Option<&str> {
    path.as_ref().strip_prefix("meta/receipt-keys/")?.strip_suffix(".json")
}

/// The record of the times of retention for which removal jobs were written.
pub(crate) fn retention() -> Path {
    Path::from("meta/retention.json")
}

/// All that is kept of tokens.
pub(crate) fn tokens() -> Path {
    Path::from("tokens")
}

/// A record of a token: `token`, `revoked` or `rotated`.
pub(crate) fn token(id: TokenId, record: &str) -> Path {
    path(&format!("tokens/{id}/{record}.json"))
}

/// The token whose records stand below `path`.
pub(crate) fn token_id(path: &Path) -> Option<TokenId> {
    path.filename()?.parse().ok()
}

/// All that is kept of the audit.
pub(crate) fn audit() -> Path {
    Path::from("audit")
}

/// The entries of the audit that were written in the hour that holds `time`.
pub(crate) fn audit_hour(time: Timestamp) -> Path {
    let (hour, _) = Minute(time).split();
    path(&format!("audit/{hour}"))
}

/// Some entries of the audit, written at `time` and told from others of that instant by `tag`.
pub(crate) fn audit_batch(time: Timestamp, tag: u64) -> Path {
    let (hour, _) = Minute(time).split();
    path(&format!("audit/{hour}/{:013}-{tag:016x}.json", time.ms()))
}

/// A key that sorts before everything that was written to the audit at `time` and after all that was written before.
pub(crate) fn audit_offset(time: Timestamp) -> Path {
    let (hour, _) = Minute(time).split();
    path(&format!("audit/{hour}/{:013}", time.ms()))
}

/// When what stands at `path` was written to the audit, and its tag; `None` if that is no key of the audit.
pub(crate) fn audit_batch_of(path: &Path) -> Option<(Timestamp, u64)> {
    let name = path.as_ref().strip_prefix("audit/")?.split_once('/')?.1;
    let (ms, tag) = name.strip_suffix(".json")?.split_once('-')?;
    let is_ours = ms.len() == 13 && tag.len() == 16;
    let time = Timestamp::from_ms(ms.parse().ok()?)?;
    Some((time, u64::from_str_radix(tag, 16).ok()?)).filter(|_| is_ours)
}

/// All links that were made, each below the day of its event's deadline, in days since 1970.
pub(crate) fn links() -> Path {
    Path::from("links")
}

/// The record of the link of this id, which is for an event with a deadline on this day.
pub(crate) fn link(day: i64, id: &str) -> Path {
    path(&format!("links/{day:06}/{id}.json"))
}

/// All revocations of links, each below the day of its event's deadline.
pub(crate) fn revocations() -> Path {
    Path::from("revocations")
}

/// The record that links of an event with a deadline on this day were revoked; a hash says which.
pub(crate) fn revocation(day: i64, hash: &str) -> Path {
    path(&format!("revocations/{day:06}/{hash}.json"))
}

/// The day that `path` is the directory of, or stands in.
pub(crate) fn day_of_links(path: &Path) -> Option<i64> {
    path.as_ref().split('/').nth(1)?.parse().ok()
}

/// All revisions of all channels.
pub(crate) fn channels() -> Path {
    Path::from("channels")
}

/// All revisions of the channel of this name.
pub(crate) fn channel_revisions(name: &str) -> Path {
    path(&format!("channels/{name}"))
}

/// One revision of the channel of this name.
pub(crate) fn channel(name: &str, revision: u32) -> Path {
    path(&format!("channels/{name}/{revision:06}.json"))
}

/// The channel of which a revision stands at `path`, and which.
pub(crate) fn channel_revision(path: &Path) -> Option<(&str, u32)> {
    let (name, revision) = path.as_ref().strip_prefix("channels/")?.split_once('/')?;
    let revision = revision.strip_suffix(".json")?.parse().ok()?;
    name.parse::<Namespace>().is_ok().then_some((name, revision))
}

/// All that is kept of deliveries.
pub(crate) fn deliveries() -> Path {
    Path::from("deliveries")
}

/// What is kept of the deliveries of one event.
pub(crate) fn deliveries_of_event(key: &EventKey) -> Path {
    path(&format!("deliveries/{}/{}", key.namespace, key.id))
}

/// What is kept of the deliveries of one event on one channel.
pub(crate) fn deliveries_on(key: &EventKey, channel: ChannelId) -> Path {
    path(&format!("deliveries/{}/{}/{channel}", key.namespace, key.id))
}

/// All dead letters, each below the hour in which it became one.
pub(crate) fn dead_letters() -> Path {
    Path::from("dead-letters")
}

/// The dead letters of the hour that holds `time`.
pub(crate) fn dead_letter_hour(time: Timestamp) -> Path {
    let (hour, _) = Minute(time).split();
    path(&format!("dead-letters/{hour}"))
}

/// The dead letter of the delivery that is called `id`, which became one at `time`.
pub(crate) fn dead_letter(time: Timestamp, id: &str) -> Path {
    let (hour, _) = Minute(time).split();
    path(&format!("dead-letters/{hour}/{:013}-{id}.json", time.ms()))
}

/// All that is kept of events.
pub(crate) fn events() -> Path {
    Path::from("events")
}

/// The record of what an event asks.
pub(crate) fn request(key: &EventKey) -> Path {
    path(&format!("events/{}/{}/request.json", key.namespace, key.id))
}

/// The record of how an event ended.
pub(crate) fn response(key: &EventKey) -> Path {
    path(&format!("events/{}/{}/response.json", key.namespace, key.id))
}

/// All that is kept of one event.
pub(crate) fn of_event(key: &EventKey) -> Path {
    path(&format!("events/{}/{}", key.namespace, key.id))
}

/// The record of what one person voted; a hash says who.
pub(crate) fn vote(key: &EventKey, hash: &str) -> Path {
    path(&format!("events/{}/{}/votes/{hash}.json", key.namespace, key.id))
}

/// An entry of the thread of an event, made at `time` and told from others of that instant by `tag`.
pub(crate) fn thread_entry(key: &EventKey, time: Timestamp, tag: u64) -> Path {
    path(&format!("events/{}/{}/thread/{:013}-{tag:016x}.json", key.namespace, key.id, time.ms()))
}

/// What kind of record stands at a path below an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum OfEvent {
    Request,
    Response,
    Vote,
    ThreadEntry,
}

/// What stands at `path`, if that is a record of an event.
pub(crate) fn of_event_at(path: &Path) -> Option<OfEvent> {
    let mut parts = path.as_ref().strip_prefix("events/")?.split('/').skip(2);
    match (parts.next()?, parts.next(), parts.next()) {
        ("request.json", None, None) => Some(OfEvent::Request),
        ("response.json", None, None) => Some(OfEvent::Response),
        ("votes", Some(name), None) if name.ends_with(".json") => Some(OfEvent::Vote),
        ("thread", Some(name), None) if name.ends_with(".json") => Some(OfEvent::ThreadEntry),
        _ => None,
    }
}

/// The event of which a record stands at `path`, as its namespace and id with a slash between.
pub(crate) fn event(path: &Path) -> Option<&str> {
    let rest = path.as_ref().strip_prefix("events/")?;
    let mut slashes = rest.match_indices('/').map(|(at, _)| at);
    let (_namespace, end) = (slashes.next()?, slashes.next()?);
    Some(&rest[..end])
}

/// The path of the response if a request stands at `path`, and that of the request if another record of an event does.
pub(crate) fn other_record(path: &Path) -> Option<Path> {
    let event = event(path)?;
    let other = match of_event_at(path)? {
        OfEvent::Request => "response.json",
        OfEvent::Response | OfEvent::Vote | OfEvent::ThreadEntry => "request.json",
    };
    Path::parse(format!("events/{event}/{other}")).ok()
}

/// The prefix in which `path`, which has several parts, stands.
pub(crate) fn parent(path: &Path) -> Path {
    let (parent, _) = path.as_ref().rsplit_once('/').expect("it has several parts");
    self::path(parent)
}

/// A key that needs no escaping: its parts are ids, namespaces and digits.
pub(crate) fn path(text: &str) -> Path {
    Path::parse(text).expect("no part of a key holds a character that paths refuse")
}

/// An entry in one of the indexes by time: an event that expires, was created or ended at an instant.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Entry {
    /// The instant.
    pub time: Timestamp,
    /// The event concerned.
    pub key: EventKey,
}

/// The indexes by time. All are split by hour and minute, so that no listing need be long.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Index {
    /// `timers/`: an open event, under its deadline. The word `expire` in its keys is the only one in use.
    Timers,
    /// `created/`: what was created when, for watches. Kept for a day, which is how far back a watch can resume.
    Created,
    /// `updated/`: what was voted, said or claimed when, for waits and watches. Kept as long as `created/`.
    Updated,
    /// `resolved/`: what ended when.
    Resolved,
}

impl Index {
    /// The prefix of the whole index.
    pub(crate) fn root(self) -> Path {
        Path::from(self.name())
    }

    fn name(self) -> &'static str {
        match self {
            Self::Timers => "timers",
            Self::Created => "created",
            Self::Updated => "updated",
            Self::Resolved => "resolved",
        }
    }

    /// The word between instant and namespace.
    fn infix(self) -> &'static str {
        match self {
            Self::Timers => "-expire-",
            Self::Created | Self::Updated | Self::Resolved => "-",
        }
    }

    /// The prefix of the hour that holds `time`.
    pub(crate) fn hour(self, time: Timestamp) -> Path {
        parent(&self.minute(time))
    }

    /// The prefix of the minute that holds `time`.
    pub(crate) fn minute(self, time: Timestamp) -> Path {
        path(&format!("{}/{}", self.name(), Minute(time)))
    }

    /// The key of `entry`.
    pub(crate) fn path(self, entry: &Entry) -> Path {
        let EventKey { namespace, id } = &entry.key;
        let minute = Minute(entry.time);
        let (name, infix, ms) = (self.name(), self.infix(), entry.time.ms());
        path(&format!("{name}/{minute}/{ms:013}{infix}{namespace}-{id}"))
    }

    /// A key that sorts before every entry of the instant `time` and after every earlier entry.
    pub(crate) fn offset(self, time: Timestamp) -> Path {
        path(&format!("{}/{}/{:013}", self.name(), Minute(time), time.ms()))
    }

    /// The entry that stands at `path`; `None` if that is no key of this index.
    pub(crate) fn parse(self, path: &Path) -> Option<Entry> {
        self.parse_name(path.filename()?)
    }

    fn parse_name(self, name: &str) -> Option<Entry> {
        let (ms, rest) = name.split_at_checked(13)?;
        let (namespace, id) = rest.strip_prefix(self.infix())?.rsplit_once('-')?;
        let time = Timestamp::from_ms(ms.parse().ok()?)?;
        let namespace: Namespace = namespace.parse().ok()?;
        let id: EventId = id.parse().ok()?;
        Some(Entry { time, key: EventKey { namespace, id } })
    }
}

/// The hour and the minute that hold an instant, such as `2026-11-22T13/37`.
pub(crate) struct Minute(pub(crate) Timestamp);

impl Minute {
    /// The hour, and the minute within it.
    fn split(&self) -> (String, u32) {
        let time = self.0.utc();
        (format!("{}T{:02}", time.date_naive(), time.hour()), time.minute())
    }
}

impl fmt::Display for Minute {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (hour, minute) = self.split();
        write!(f, "{hour}/{minute:02}")
    }
}

/// One text form for all indexes, used in page tokens and logs.
impl fmt::Display for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:013}-{}-{}", self.time.ms(), self.key.namespace, self.key.id)
    }
}

impl std::str::FromStr for Entry {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Index::Resolved.parse_name(text).ok_or(())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn entry(ms: i64, namespace: &str, id: [u8; 16]) -> Entry {
        let key = EventKey { namespace: namespace.parse().unwrap(), id: EventId::from_bytes(id) };
        Entry { time: Timestamp::from_ms(ms).unwrap(), key }
    }

    proptest! {
        #[test]
        fn every_entry_survives_its_key(
            ms in 0_i64..9_999_999_999_999,
            namespace in "[a-z0-9]([a-z0-9-]{0,20}[a-z0-9])?",
            id: [u8; 16],
        ) {
            let entry = entry(ms, &namespace, id);
            for index in [Index::Timers, Index::Created, Index::Updated, Index::Resolved] {
                prop_assert_eq!(index.parse(&index.path(&entry)), Some(entry.clone()));
            }
            prop_assert_eq!(entry.to_string().parse(), Ok(entry));
        }

        #[test]
        fn keys_order_as_time_does(a in 0_i64..9_999_999_999_999, b in 0_i64..9_999_999_999_999) {
            let path = |ms| Index::Timers.path(&entry(ms, "n", [1; 16]));
            prop_assert_eq!(a.cmp(&b), path(a).cmp(&path(b)));
        }
    }

    /// Keys are persisted: this test may be added to, never changed.
    #[test]
    fn keys_look_as_they_always_have() {
        let entry = entry(1_795_354_620_123, "team-1", [0xab; 16]);
        let id = "ab".repeat(16);
        assert_eq!(request(&entry.key).as_ref(), format!("events/team-1/{id}/request.json"));
        assert_eq!(response(&entry.key).as_ref(), format!("events/team-1/{id}/response.json"));
        let timer = format!("timers/2026-11-22T13/37/1795354620123-expire-team-1-{id}");
        assert_eq!(Index::Timers.path(&entry).as_ref(), timer);
        let resolved = format!("resolved/2026-11-22T13/37/1795354620123-team-1-{id}");
        assert_eq!(Index::Resolved.path(&entry).as_ref(), resolved);
        let created = format!("created/2026-11-22T13/37/1795354620123-team-1-{id}");
        assert_eq!(Index::Created.path(&entry).as_ref(), created);
        let updated = format!("updated/2026-11-22T13/37/1795354620123-team-1-{id}");
        assert_eq!(Index::Updated.path(&entry).as_ref(), updated);
        let voted = vote(&entry.key, "0f");
        assert_eq!(voted.as_ref(), format!("events/team-1/{id}/votes/0f.json"));
        let said = thread_entry(&entry.key, entry.time, 0xab);
        let expected = format!("events/team-1/{id}/thread/1795354620123-00000000000000ab.json");
        assert_eq!(said.as_ref(), expected);
        for (path, kind) in [(voted, OfEvent::Vote), (said, OfEvent::ThreadEntry)] {
            assert_eq!(of_event_at(&path), Some(kind));
            assert_eq!(event(&path), Some(format!("team-1/{id}").as_str()));
            assert_eq!(other_record(&path), Some(request(&entry.key)));
            assert!(path.prefix_matches(&of_event(&entry.key)));
        }
        assert_eq!(of_event_at(&request(&entry.key)), Some(OfEvent::Request));
        assert_eq!(other_record(&request(&entry.key)), Some(response(&entry.key)));
        assert_eq!(of_event_at(&path(&format!("events/team-1/{id}/votes"))), None);
        let audited = audit_batch(entry.time, 0xab);
        let expected = "audit/2026-11-22T13/1795354620123-00000000000000ab.json";
        assert_eq!(audited.as_ref(), expected);
        assert_eq!(audit_batch_of(&audited), Some((entry.time, 0xab)));
        assert_eq!(audit_batch_of(&path("audit/2026-11-22T13/1-ab.json")), None);
        assert!(audit_offset(entry.time) < audited && audited.prefix_matches(&audit()));
        let name = "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k";
        let key = receipt_key(name);
        assert_eq!(key.as_ref(), format!("meta/receipt-keys/{name}.json"));
        assert_eq!((receipt_key_id(&key), key.prefix_matches(&receipt_keys())), (Some(name), true));
    }
}
