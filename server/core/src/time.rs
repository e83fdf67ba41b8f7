//! Instants of UTC, in milliseconds: fine enough for people, and exact in every language's number type.

use std::fmt;
use std::str::FromStr;

use chrono::{DateTime, SecondsFormat, Utc};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// An instant, in milliseconds since the Unix epoch, between the years 1970 and 9999.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(i64);

/// The last millisecond of the year 9999, past which RFC 3339 has no form.
const MAX_MS: i64 = 253_402_300_799_999;

impl Timestamp {
    /// An instant from milliseconds since the epoch; `None` outside the years 1970 to 9999.
    pub fn from_ms(ms: i64) -> Option<Self> {
        (0..=MAX_MS).contains(&ms).then_some(Self(ms))
    }

    /// Milliseconds since the epoch.
    pub fn ms(self) -> i64 {
        self.0
    }

    /// This instant moved by `ms` milliseconds, held within the years 1970 to 9999.
    #[must_use]
    pub fn plus_ms(self, ms: i64) -> Self {
        Self(self.0.saturating_add(ms).clamp(0, MAX_MS))
    }

    /// Milliseconds from `earlier` to this instant; negative if `earlier` is the later one.
    pub fn ms_since(self, earlier: Self) -> i64 {
        self.0 - earlier.0
    }

    /// The same instant as a calendar date and time.
    pub fn utc(self) -> DateTime<Utc> {
        DateTime::from_timestamp_millis(self.0).expect("every Timestamp lies within chrono's range")
    }
}

/// RFC 3339 with milliseconds, such as `2026-11-22T13:37:00.000Z`.
impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.utc().to_rfc3339_opts(SecondsFormat::Millis, true))
    }
}

/// Text that is not an instant of RFC 3339 between the years 1970 and 9999.
#[derive(Debug, thiserror::Error)]
#[error("not an instant of RFC 3339 between the years 1970 and 9999")]
pub struct ParseTimestampError;

impl FromStr for Timestamp {
    type Err = ParseTimestampError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let instant = DateTime::parse_from_rfc3339(text).map_err(|_| ParseTimestampError)?;
        Self::from_ms(instant.timestamp_millis()).ok_or(ParseTimestampError)
    }
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn every_instant_survives_its_text_form(ms in 0..=MAX_MS) {
            let instant = Timestamp::from_ms(ms).unwrap();
            prop_assert_eq!(instant.to_string().parse::<Timestamp>().unwrap(), instant);
        }
    }

    #[test]
    fn instants_outside_the_calendar_are_refused() {
        assert_eq!(Timestamp::from_ms(-1), None);
        assert_eq!(Timestamp::from_ms(MAX_MS + 1), None);
        assert!("1969-12-31T23:59:59Z".parse::<Timestamp>().is_err());
    }
}
