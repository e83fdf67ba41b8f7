//! The value of an object in the engine: version, time, attributes, then the body as it came.
//!
//! The head has a fixed size so that the writer thread can stamp version and time into a record
//! that the caller's thread has built: copying bodies is work that should run in parallel.
//!
//! ```text
//! version u64 | last_modified, ms since 1970, i64 | n u32 | n bytes of attributes | body
//! attribute:   kind u8 | name length u32 | name | value length u32 | value
//! ```
//!
//! All numbers are little-endian. There is no format byte: the directory has one (`engine`).

use bytes::Bytes;
use chrono::{DateTime, Utc};
use object_store::path::Path;
use object_store::{Attribute, Attributes, Error, ObjectMeta, PutPayload};

use crate::error::StoreError;

const TIME: usize = 8;
const ATTRIBUTES: usize = 16;
const HEAD: usize = 20;

/// A record without its version and time.
pub(crate) fn encode(attributes: &Attributes, body: &PutPayload) -> Result<Vec<u8>, Error> {
    let mut record = Vec::with_capacity(HEAD + body.content_length());
    record.resize(HEAD, 0);
    for (attribute, value) in attributes {
        let (kind, name) = kind(attribute)?;
        record.push(kind);
        put_text(&mut record, name);
        put_text(&mut record, value);
    }
    let length = length(record.len() - HEAD);
    record[ATTRIBUTES..HEAD].copy_from_slice(&length);
    body.iter().for_each(|part| record.extend_from_slice(part));
    Ok(record)
}

/// Makes `record`, new or copied from another object, the state of an object as of now.
pub(crate) fn stamp(record: &mut [u8], version: u64, now: DateTime<Utc>) {
    record[..TIME].copy_from_slice(&version.to_le_bytes());
    record[TIME..ATTRIBUTES].copy_from_slice(&now.timestamp_millis().to_le_bytes());
}

/// The etag of a version; quoted, as HTTP has it.
pub(crate) fn etag(version: u64) -> String {
    format!("\"{version:x}\"")
}

/// A record as read from the engine.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Record<'a> {
    version: u64,
    millis: i64,
    attributes: &'a [u8],
    body: &'a [u8],
}

impl<'a> Record<'a> {
    pub(crate) fn parse(bytes: &'a [u8]) -> Result<Self, StoreError> {
        let short = StoreError::Record("it is cut short");
        let mut rest = bytes;
        let (Some(version), Some(millis), Some(attributes)) =
            (rest.split_off(..8), rest.split_off(..8), take_sized(&mut rest))
        else {
            return Err(short);
        };
        Ok(Self {
            version: u64::from_le_bytes(version.try_into().expect("8 bytes were taken")),
            millis: i64::from_le_bytes(millis.try_into().expect("8 bytes were taken")),
            attributes,
            body: rest,
        })
    }

    pub(crate) fn etag(&self) -> String {
        etag(self.version)
    }

    pub(crate) fn body_len(&self) -> usize {
        self.body.len()
    }

    pub(crate) fn meta(&self, location: Path) -> Result<ObjectMeta, StoreError> {
        Ok(ObjectMeta {
            location,
            last_modified: DateTime::from_timestamp_millis(self.millis)
                .ok_or(StoreError::Record("its time is out of range"))?,
            size: self.body.len() as u64,
            e_tag: Some(self.etag()),
            version: None,
        })
    }

    pub(crate) fn attributes(&self) -> Result<Attributes, StoreError> {
        let mut attributes = Attributes::new();
        let mut rest = self.attributes;
        while let Some(&kind) = rest.split_off_first() {
            let (Some(name), Some(value)) = (take_text(&mut rest), take_text(&mut rest)) else {
                return Err(StoreError::Record("its attributes are cut short"));
            };
            attributes.insert(attribute(kind, name)?, value.to_owned().into());
        }
        Ok(attributes)
    }
}

/// The body of a record, without copying it.
pub(crate) fn into_body(record: fjall::Slice, body_len: usize) -> Bytes {
    let record = Bytes::from_owner(record);
    record.slice(record.len() - body_len..)
}

fn kind(attribute: &Attribute) -> Result<(u8, &str), Error> {
    Ok(match attribute {
        Attribute::Metadata(name) => (0, name),
        Attribute::ContentDisposition => (1, ""),
        Attribute::ContentEncoding => (2, ""),
        Attribute::ContentLanguage => (3, ""),
        Attribute::ContentType => (4, ""),
        Attribute::CacheControl => (5, ""),
        Attribute::StorageClass => (6, ""),
        other => {
            return Err(Error::NotSupported { source: format!("attribute {other:?}").into() });
        }
    })
}

fn attribute(kind: u8, name: &str) -> Result<Attribute, StoreError> {
    Ok(match kind {
        0 => Attribute::Metadata(name.to_owned().into()),
        1 => Attribute::ContentDisposition,
        2 => Attribute::ContentEncoding,
        3 => Attribute::ContentLanguage,
        4 => Attribute::ContentType,
        5 => Attribute::CacheControl,
        6 => Attribute::StorageClass,
        _ => return Err(StoreError::Record("it has an unknown attribute")),
    })
}

fn length(bytes: usize) -> [u8; 4] {
    u32::try_from(bytes).expect("the queue accepts no record of 4 GiB").to_le_bytes()
}

fn put_text(record: &mut Vec<u8>, text: &str) {
    record.extend_from_slice(&length(text.len()));
    record.extend_from_slice(text.as_bytes());
}

fn take_sized<'a>(rest: &mut &'a [u8]) -> Option<&'a [u8]> {
    let length = rest.split_off(..4)?;
    let length = u32::from_le_bytes(length.try_into().ok()?);
    rest.split_off(..usize::try_from(length).ok()?)
}

fn take_text<'a>(rest: &mut &'a [u8]) -> Option<&'a str> {
    std::str::from_utf8(take_sized(rest)?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn attributes() -> Attributes {
        Attributes::from_iter([
            (Attribute::ContentType, "application/json"),
            (Attribute::Metadata("who".into()), "Zoë"),
            (Attribute::StorageClass, ""),
        ])
    }

    #[test]
    fn a_record_gives_back_what_it_was_made_of() {
        let now = DateTime::from_timestamp_millis(1_793_000_000_123).unwrap();
        let body = PutPayload::from_iter([&b"two "[..], b"parts"].map(Bytes::from_static));
        for attributes in [Attributes::new(), attributes()] {
            let mut bytes = encode(&attributes, &body).unwrap();
            stamp(&mut bytes, 0xabc, now);
            let record = Record::parse(&bytes).unwrap();
            let meta = record.meta(Path::from("a")).unwrap();
            assert_eq!(meta.e_tag.as_deref(), Some("\"abc\""));
            assert_eq!((meta.last_modified, meta.size), (now, 9));
            assert_eq!(record.attributes().unwrap(), attributes);
            let length = record.body_len();
            assert_eq!(into_body(bytes.into(), length), "two parts");
        }
    }

    #[test]
    fn a_record_cut_short_is_an_error_never_a_panic() {
        let whole = encode(&attributes(), &PutPayload::default()).unwrap();
        for cut in 0..whole.len() {
            assert!(Record::parse(&whole[..cut]).is_err());
        }
        let mut wrong = whole.clone();
        wrong[HEAD] = 99;
        assert!(Record::parse(&wrong).unwrap().attributes().is_err());
    }
}
