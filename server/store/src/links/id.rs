//! The id of a link that was made for somebody.

use std::fmt;
use std::str::FromStr;

use hitl_core::Timestamp;
use object_store::path::Path;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::day;
use crate::keys;

/// Bytes of an id that are the day.
const DAY_BYTES: usize = 3;

/// Identifies a link that was made: the day of its event's deadline, and 13 random bytes.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct LinkId([u8; 16]);

impl LinkId {
    /// The id of a link to an event with this deadline, with these random bytes.
    pub fn new(deadline: Timestamp, random: [u8; 16 - DAY_BYTES]) -> Self {
        let day = day(deadline).to_be_bytes();
        let mut id = [0; 16];
        id[..DAY_BYTES].copy_from_slice(&day[day.len() - DAY_BYTES..]);
        id[DAY_BYTES..].copy_from_slice(&random);
        Self(id)
    }

    /// The id with these bytes.
    pub const fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }

    /// Its bytes.
    pub const fn bytes(self) -> [u8; 16] {
        self.0
    }

    /// Where the link is recorded.
    pub(super) fn path(self) -> Path {
        let day = self.0[..DAY_BYTES].iter().fold(0, |day, byte| day << 8 | i64::from(*byte));
        keys::link(day, &self.to_string())
    }
}

impl fmt::Display for LinkId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", u128::from_be_bytes(self.0))
    }
}

impl fmt::Debug for LinkId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for LinkId {
    type Err = hitl_core::id::ParseIdError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        // An event's id is written the same way.
        text.parse::<hitl_core::EventId>()?;
        let number = u128::from_str_radix(text, 16).expect("these are hexadecimal digits");
        Ok(Self(number.to_be_bytes()))
    }
}

impl Serialize for LinkId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for LinkId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}
