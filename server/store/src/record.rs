//! The stored bytes: JSON that a person can read in the bucket, with a version.
//!
//! Readers accept every version up to their own and ignore fields they don't know; writers write
//! the newest. The nonce tells whose write a record is, whatever the store said of it.

use bytes::Bytes;
use hitl_core::{EventKey, Request, Response, ThreadEntry, Timestamp, Vote};
use hitl_receipt::Seal;
use object_store::path::Path;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::keys;

/// The version that this code writes, of the layout and of every record in it.
pub(crate) const VERSION: u32 = 1;

/// A random number that marks one attempt to write one record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Nonce(pub [u8; 16]);

impl Serialize for Nonce {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&format_args!("{:032x}", u128::from_be_bytes(self.0)))
    }
}

impl<'de> Deserialize<'de> for Nonce {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let number = u128::from_str_radix(&text, 16).map_err(serde::de::Error::custom)?;
        Ok(Self(number.to_be_bytes()))
    }
}

/// What is stored as one object.
pub(crate) trait Record: DeserializeOwned {
    /// The version in which it was written.
    fn version(&self) -> u32;
    /// Whose write it is.
    fn nonce(&self) -> Nonce;
    /// The event that it says it belongs to, if it names one.
    fn event(&self) -> Option<String>;
}

/// Makes records of types with a version and a nonce that belong to no event's directory.
macro_rules! of_no_event {
    ($($type:ty),*) => {$(
        impl $crate::record::Record for $type {
            fn version(&self) -> u32 {
                self.version
            }

            fn nonce(&self) -> $crate::record::Nonce {
                self.nonce
            }

            fn event(&self) -> Option<String> {
                None
            }
        }
    )*};
}
pub(crate) use of_no_event;

/// `request.json`, as it is written first.
#[derive(Debug, Serialize)]
pub(crate) struct NewRequestRecord<'a> {
    pub(crate) version: u32,
    pub(crate) nonce: Nonce,
    pub(crate) request: &'a Request,
}

/// The tombstone that overwrites it when the event is removed: [`REMOVED_BYTES_MAX`] at most.
#[derive(Debug, Serialize)]
pub(crate) struct RemovedRecord {
    pub(crate) version: u32,
    pub(crate) nonce: Nonce,
    pub(crate) removed: Removed,
}

/// Most bytes of a tombstone.
#[cfg(test)]
pub(crate) const REMOVED_BYTES_MAX: usize = 200;

/// Which event was removed, and when.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Removed {
    event: String,
    /// In milliseconds since the epoch, since there are few bytes for it.
    time: i64,
}

/// `request.json`, as it is read.
#[derive(Debug, Deserialize)]
#[serde(try_from = "AnyRequestRecord")]
pub(crate) struct RequestRecord {
    pub(crate) version: u32,
    pub(crate) nonce: Nonce,
    pub(crate) asked: Asked,
}

/// What stands in it.
#[derive(Debug)]
pub(crate) enum Asked {
    /// What was asked.
    Request(Box<Request>),
    /// That the event was removed.
    Removed(Removed),
}

#[derive(Deserialize)]
struct AnyRequestRecord {
    version: u32,
    nonce: Nonce,
    request: Option<Box<Request>>,
    removed: Option<Removed>,
}

impl TryFrom<AnyRequestRecord> for RequestRecord {
    type Error = &'static str;

    fn try_from(record: AnyRequestRecord) -> Result<Self, Self::Error> {
        let AnyRequestRecord { version, nonce, request, removed } = record;
        let asked = match (request, removed) {
            (Some(request), None) => Asked::Request(request),
            (None, Some(removed)) => Asked::Removed(removed),
            _ => return Err("it holds neither a request nor that one was removed"),
        };
        Ok(Self { version, nonce, asked })
    }
}

impl Removed {
    /// The event with this name was removed at `time`.
    pub(crate) fn new(event: String, time: Timestamp) -> Self {
        Self { event, time: time.ms() }
    }

    /// When.
    pub(crate) fn time(&self) -> Timestamp {
        let epoch = Timestamp::from_ms(0).expect("the epoch is an instant");
        Timestamp::from_ms(self.time).unwrap_or(epoch)
    }
}

impl Asked {
    /// What was asked, if it was not removed.
    pub(crate) fn request(self) -> Option<Request> {
        match self {
            Self::Request(request) => Some(*request),
            Self::Removed(_) => None,
        }
    }
}

/// `response.json`
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct ResponseRecord<R = Response> {
    pub(crate) version: u32,
    pub(crate) nonce: Nonce,
    /// The event that has ended so. The oldest records do not name it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) event: Option<String>,
    pub(crate) response: R,
    /// The signature of the receipt. Records of before there were receipts have none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) receipt: Option<Seal>,
}

/// `votes/{hash of the person}.json`: what one person voted.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct VoteRecord<V = Vote> {
    pub(crate) version: u32,
    pub(crate) nonce: Nonce,
    /// The event that it was voted on.
    pub(crate) event: String,
    pub(crate) vote: V,
}

/// `thread/{ms}-{tag}.json`: one thing that was said or done.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct ThreadRecord<E = ThreadEntry> {
    pub(crate) version: u32,
    pub(crate) nonce: Nonce,
    /// The event that it is about.
    pub(crate) event: String,
    pub(crate) entry: E,
}

/// `meta/format.json`
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct FormatRecord {
    pub(crate) version: u32,
}

/// `meta/link-key.json`: a hash of the key, by which another key is told from it.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct LinkKeyRecord {
    pub(crate) version: u32,
    pub(crate) fingerprint: String,
}

/// `meta/receipt-keys/{key id}.json`: a public key of receipts. What is signed with it stands in responses.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct ReceiptKeyRecord {
    pub(crate) version: u32,
    /// In base64url, as in a JWK.
    pub(crate) x: String,
    pub(crate) time: Timestamp,
}

/// `meta/retention.json`: for which policy, and up to which instant, the jobs were written that remove what has ended.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct RetentionRecord {
    pub(crate) version: u32,
    pub(crate) policy: String,
    pub(crate) time: Timestamp,
}

/// Whether `bytes` say that an event was removed.
pub(crate) fn is_removed(bytes: &[u8]) -> bool {
    let record = serde_json::from_slice::<RequestRecord>(bytes);
    record.is_ok_and(|record| matches!(record.asked, Asked::Removed(_)))
}

/// What a record says that it is of the event at `key`.
pub(crate) fn event(key: &EventKey) -> String {
    key.to_string()
}

impl Record for RequestRecord {
    fn version(&self) -> u32 {
        self.version
    }

    fn nonce(&self) -> Nonce {
        self.nonce
    }

    fn event(&self) -> Option<String> {
        Some(match &self.asked {
            Asked::Request(request) => event(&request.key()),
            Asked::Removed(removed) => removed.event.clone(),
        })
    }
}

impl Record for ResponseRecord {
    fn version(&self) -> u32 {
        self.version
    }

    fn nonce(&self) -> Nonce {
        self.nonce
    }

    fn event(&self) -> Option<String> {
        self.event.clone()
    }
}

impl Record for VoteRecord {
    fn version(&self) -> u32 {
        self.version
    }

    fn nonce(&self) -> Nonce {
        self.nonce
    }

    fn event(&self) -> Option<String> {
        Some(self.event.clone())
    }
}

impl Record for ThreadRecord {
    fn version(&self) -> u32 {
        self.version
    }

    fn nonce(&self) -> Nonce {
        self.nonce
    }

    fn event(&self) -> Option<String> {
        Some(self.event.clone())
    }
}

/// The bytes of `record`.
pub(crate) fn encode(record: &impl Serialize) -> Bytes {
    serde_json::to_vec(record).expect("records have string keys and finite numbers").into()
}

/// The record in `bytes`, which stand at `path`.
///
/// # Errors
/// What is wrong with the bytes, in words.
pub(crate) fn decode<R: Record>(path: &Path, bytes: &[u8]) -> Result<R, String> {
    let record: R = serde_json::from_slice(bytes).map_err(|error| error.to_string())?;
    if !(1..=VERSION).contains(&record.version()) {
        return Err(format!(
            "it has version {}, and this program reads up to {VERSION}: upgrade it",
            record.version()
        ));
    }
    // A record that was copied to another key must not count as a record of that event.
    match record.event() {
        Some(event) if keys::event(path) != Some(event.as_str()) => {
            Err(format!("it is a record of the event {event}, which does not stand there"))
        }
        _ => Ok(record),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Golden files of every version ever written: these may be added to, never changed.
    const REQUEST_V1: &str = include_str!("golden/request-v1.json");
    const REQUEST_V1_WITH_EVIDENCE: &str = include_str!("golden/request-v1-evidence.json");
    const RESPONSE_V1: &str = include_str!("golden/response-v1.json");
    const RESPONSE_V1_WITH_RECEIPT: &str = include_str!("golden/response-v1-receipt.json");
    const RESPONSE_V1_WITH_COMMENT: &str = include_str!("golden/response-v1-comment.json");
    const REQUEST_V1_WITH_QUORUM: &str = include_str!("golden/request-v1-quorum.json");
    const RESPONSE_V1_WITH_VOTES: &str = include_str!("golden/response-v1-votes.json");
    const VOTE_V1: &str = include_str!("golden/vote-v1.json");
    const THREAD_V1: [&str; 5] = [
        include_str!("golden/thread-v1-comment.json"),
        include_str!("golden/thread-v1-needs-info.json"),
        include_str!("golden/thread-v1-claim.json"),
        include_str!("golden/thread-v1-release.json"),
        include_str!("golden/thread-v1-delegate.json"),
    ];

    #[test]
    fn records_of_every_version_are_read_and_the_newest_is_written_the_same() {
        for written in [REQUEST_V1, REQUEST_V1_WITH_EVIDENCE, REQUEST_V1_WITH_QUORUM] {
            let request: RequestRecord = decode(&place(), written.as_bytes()).unwrap();
            let (version, nonce) = (request.version, request.nonce);
            let request = request.asked.request().unwrap();
            assert_eq!(request.prompt, "What should I add to x?");
            let again = encode(&NewRequestRecord { version, nonce, request: &request });
            assert_eq!(json(&again), json(written.as_bytes()));
        }
        let responses = [
            RESPONSE_V1,
            RESPONSE_V1_WITH_RECEIPT,
            RESPONSE_V1_WITH_COMMENT,
            RESPONSE_V1_WITH_VOTES,
        ];
        for written in responses {
            let response: ResponseRecord = decode(&place(), written.as_bytes()).unwrap();
            assert_eq!(json(&encode(&response)), json(written.as_bytes()));
        }
        let vote: VoteRecord = decode(&place(), VOTE_V1.as_bytes()).unwrap();
        assert_eq!(json(&encode(&vote)), json(VOTE_V1.as_bytes()));
        for written in THREAD_V1 {
            let entry: ThreadRecord = decode(&place(), written.as_bytes()).unwrap();
            assert_eq!(json(&encode(&entry)), json(written.as_bytes()));
        }
    }

    #[test]
    fn what_is_left_of_an_event_is_small_and_belongs_to_it() {
        let namespace = "n".repeat(hitl_core::limits::NAMESPACE_CHARS_MAX);
        let event = format!("{namespace}/{}", "ab".repeat(16));
        let time = Timestamp::from_ms(9_999_999_999_999).unwrap();
        let removed = Removed::new(event.clone(), time);
        let record = RemovedRecord { version: VERSION, nonce: Nonce([0xff; 16]), removed };
        let bytes = encode(&record);
        assert!(bytes.len() <= REMOVED_BYTES_MAX, "{} bytes", bytes.len());
        assert!(is_removed(&bytes) && !is_removed(REQUEST_V1.as_bytes()));
        let there = Path::from(format!("events/{event}/request.json"));
        let read: RequestRecord = decode(&there, &bytes).unwrap();
        assert!(matches!(read.asked, Asked::Removed(removed) if removed.time() == time));
        decode::<RequestRecord>(&place(), &bytes).unwrap_err();
    }

    #[test]
    fn a_record_of_another_event_is_refused() {
        let elsewhere = [
            Path::from(format!("events/other/{}/request.json", id())),
            Path::from(format!("events/default/{}/request.json", "0".repeat(32))),
            Path::from("request.json"),
        ];
        for path in elsewhere {
            let refusal = decode::<RequestRecord>(&path, REQUEST_V1.as_bytes()).unwrap_err();
            assert!(refusal.contains("does not stand there"), "{refusal}");
            let response = ResponseRecord {
                event: Some(format!("default/{}", id())),
                ..decode::<ResponseRecord>(&path, RESPONSE_V1.as_bytes()).unwrap()
            };
            let bytes = encode(&response);
            decode::<ResponseRecord>(&path, &bytes).unwrap_err();
            decode::<ResponseRecord>(&place(), &bytes).unwrap();
        }
    }

    #[test]
    fn unknown_fields_are_ignored_and_newer_versions_refused() {
        let more = REQUEST_V1.replacen("\"version\"", "\"colour\": \"red\", \"version\"", 1);
        assert!(decode::<RequestRecord>(&place(), more.as_bytes()).is_ok());
        let newer = REQUEST_V1.replacen("\"version\": 1", "\"version\": 2", 1);
        assert!(
            decode::<RequestRecord>(&place(), newer.as_bytes()).unwrap_err().contains("version 2")
        );
        assert!(decode::<RequestRecord>(&place(), b"{}").is_err());
        assert!(decode::<RequestRecord>(&place(), b"").is_err());
    }

    /// The id in the golden files.
    fn id() -> String {
        let request: serde_json::Value = json(REQUEST_V1.as_bytes());
        request["request"]["id"].as_str().unwrap().to_owned()
    }

    fn place() -> Path {
        Path::from(format!("events/default/{}/request.json", id()))
    }

    fn json(bytes: &[u8]) -> serde_json::Value {
        serde_json::from_slice(bytes).unwrap()
    }
}
