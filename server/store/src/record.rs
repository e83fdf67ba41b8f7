//! The stored bytes: JSON that a person can read in the bucket, with a version.
//!
//! Readers accept every version up to their own and ignore fields they don't know; writers write
//! the newest. The nonce tells whose write a record is, whatever the store said of it.

use bytes::Bytes;
use hitl_core::{EventKey, Request, Response};
use object_store::path::Path;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::keys;

/// The version that this code writes, of the layout and of every record in it.
pub(crate) const VERSION: u32 = 1;

/// Marks one attempt to write one record.
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
pub(crate) trait Record: Serialize + DeserializeOwned {
    /// The version in which it was written.
    fn version(&self) -> u32;
    /// Whose write it is.
    fn nonce(&self) -> Nonce;
    /// Which event it says that it is of, if it says so.
    fn event(&self) -> Option<String>;
}

/// `request.json`
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct RequestRecord<R = Request> {
    pub(crate) version: u32,
    pub(crate) nonce: Nonce,
    pub(crate) request: R,
}

/// `response.json`
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct ResponseRecord<R = Response> {
    pub(crate) version: u32,
    pub(crate) nonce: Nonce,
    /// The event that has ended so. Records of before this was written down do not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) event: Option<String>,
    pub(crate) response: R,
}

/// `meta/format.json`
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct FormatRecord {
    pub(crate) version: u32,
}

/// `meta/link-key.json`: not the key, but what shows whether another is the same.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct LinkKeyRecord {
    pub(crate) version: u32,
    pub(crate) fingerprint: String,
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
        Some(event(&self.request.key()))
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
    // Whoever copies it elsewhere must not make one event of two, nor one event's answer another's.
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
    const RESPONSE_V1: &str = include_str!("golden/response-v1.json");

    #[test]
    fn records_of_every_version_are_read_and_the_newest_is_written_the_same() {
        let request: RequestRecord = decode(&place(), REQUEST_V1.as_bytes()).unwrap();
        assert_eq!(request.request.prompt, "What should I add to x?");
        assert_eq!(json(&encode(&request)), json(REQUEST_V1.as_bytes()));
        let response: ResponseRecord = decode(&place(), RESPONSE_V1.as_bytes()).unwrap();
        assert_eq!(json(&encode(&response)), json(RESPONSE_V1.as_bytes()));
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
