//! Well-known formats of text.
//!
//! A value is handed to programs in other languages, which make a date or an address of it. What
//! one of them cannot hold would fail where nobody can mend it, so only what all of them hold is
//! accepted: chrono, Go's `time`, `java.time`, Python's `datetime` and JavaScript's `Date`.

use std::str::FromStr;

use chrono::{DateTime, NaiveDate, Utc};
use email_address::{EmailAddress, Options};

use crate::input::StrFormat;
use crate::typed::{is_invisible, named};

/// Most digits of a fraction of a second: Python has microseconds.
const FRACTION_DIGITS_MAX: usize = 6;
/// Farthest from UTC that a time can be, in minutes: Java has 18 hours.
const OFFSET_MINUTES_MAX: u32 = 18 * 60;
/// The years that all calendars have.
const YEARS: std::ops::RangeInclusive<i32> = 1..=9999;

impl StrFormat {
    /// Whether `text` has this format.
    pub fn accepts(self, text: &str) -> bool {
        self.fault(text).is_none()
    }

    /// What keeps `text` from having this format, if anything does.
    pub(crate) fn fault(self, text: &str) -> Option<String> {
        let fault = match self {
            Self::Email => email(text),
            Self::Uri => uri(text),
            Self::Date => date(text).err(),
            Self::DateTime => date_time(text).err(),
        };
        fault.map(|fault| match fault {
            Fault::Form => format!("must be {}", self.description()),
            Fault::Character(c) => {
                format!("must be {}, and must not hold {}", self.description(), named(c))
            }
            Fault::Reason(reason) => format!("must be {}: {reason}", self.description()),
        })
    }

    /// What the format is called in JSON Schema.
    pub fn name(self) -> &'static str {
        match self {
            Self::Email => "email",
            Self::Uri => "uri",
            Self::Date => "date",
            Self::DateTime => "date-time",
        }
    }

    /// The format that JSON Schema calls `name`.
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Email, Self::Uri, Self::Date, Self::DateTime]
            .into_iter()
            .find(|format| format.name() == name)
    }

    /// What is wanted, for messages and forms.
    pub fn description(self) -> &'static str {
        match self {
            Self::Email => "an e-mail address such as ann@example.org",
            Self::Uri => "an absolute URI such as https://example.org/page",
            Self::Date => "a date such as 2026-11-22",
            Self::DateTime => "a date and time such as 2026-11-22T13:37:00Z",
        }
    }
}

/// What is wrong with a text.
enum Fault {
    /// It does not look like the format at all.
    Form,
    /// It holds this character, which has no place there and may be hard to see.
    Character(char),
    /// It looks like the format, and yet.
    Reason(&'static str),
}

fn email(text: &str) -> Option<Fault> {
    let options = Options::default().without_display_text().without_domain_literal();
    unseen(text)
        .or_else(|| EmailAddress::parse_with_options(text, options).is_err().then_some(Fault::Form))
}

fn uri(text: &str) -> Option<Fault> {
    if let Some(fault) = unseen(text) {
        return Some(fault);
    }
    // Browsers read it as a slash, and other programs do not.
    if text.contains('\\') {
        return Some(Fault::Character('\\'));
    }
    let Ok(url) = url::Url::from_str(text) else {
        return Some(Fault::Form);
    };
    let (_, rest) = text.split_once(':')?;
    // Browsers find a host in "https:example.org" and in "https:///example.org", and other programs do not.
    let names_host = rest.strip_prefix("//").is_some_and(|host| !host.starts_with('/'));
    (url.has_host() && url.scheme() != "file" && !names_host)
        .then_some(Fault::Reason("two slashes and the host must follow the colon"))
}

/// What nobody sees in an address is not meant, and makes it another one.
fn unseen(text: &str) -> Option<Fault> {
    let is_unseen = |c: &char| c.is_whitespace() || c.is_control() || is_invisible(*c);
    text.chars().find(is_unseen).map(Fault::Character)
}

fn date(text: &str) -> Result<NaiveDate, Fault> {
    let [year, month, day] = numbers(text, "####-##-##")?;
    let year = i32::try_from(year).map_err(|_| Fault::Form)?;
    if !YEARS.contains(&year) {
        return Err(Fault::Reason("the year must lie between 0001 and 9999"));
    }
    NaiveDate::from_ymd_opt(year, month, day)
        .ok_or(Fault::Reason("there is no such day in the calendar"))
}

fn date_time(text: &str) -> Result<(), Fault> {
    let (day, clock) = text.split_once('T').ok_or(Fault::Form)?;
    date(day)?;
    let offset_at = clock.find(['Z', '+', '-']).ok_or(Fault::Form)?;
    let (time, offset) = clock.split_at(offset_at);
    let (time, fraction) = time.split_once('.').unwrap_or((time, "0"));
    let [hours, minutes, seconds] = numbers(time, "##:##:##")?;
    if seconds == 60 {
        let reason = "the second must be at most 59, since most calendars have no leap seconds";
        return Err(Fault::Reason(reason));
    }
    if hours > 23 || minutes > 59 || seconds > 59 {
        return Err(Fault::Reason("there is no such time of day"));
    }
    if fraction.is_empty() || !fraction.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(Fault::Form);
    }
    if fraction.len() > FRACTION_DIGITS_MAX {
        return Err(Fault::Reason("a fraction of a second must have at most 6 digits"));
    }
    if offset != "Z" {
        let [hours, minutes] = numbers(&offset[1..], "##:##")?;
        if minutes > 59 || hours * 60 + minutes > OFFSET_MINUTES_MAX {
            return Err(Fault::Reason("the offset from UTC must be at most 18:00"));
        }
    }
    // In UTC it can be a year that the calendar no longer has.
    let instant = DateTime::parse_from_rfc3339(text).map_err(|_| Fault::Form)?;
    let year = chrono::Datelike::year(&instant.with_timezone(&Utc));
    if YEARS.contains(&year) {
        Ok(())
    } else {
        Err(Fault::Reason("the year in UTC must lie between 0001 and 9999"))
    }
}

/// The numbers in `text`, if it has the `shape` in which `#` is a digit and everything else itself.
fn numbers<const N: usize>(text: &str, shape: &str) -> Result<[u32; N], Fault> {
    let fits = text.len() == shape.len()
        && text.bytes().zip(shape.bytes()).all(|(byte, wanted)| match wanted {
            b'#' => byte.is_ascii_digit(),
            wanted => byte == wanted,
        });
    if !fits {
        return Err(Fault::Form);
    }
    let mut numbers = text.split(['-', ':']).map(|digits| digits.parse().unwrap_or(u32::MAX));
    Ok(std::array::from_fn(|_| numbers.next().unwrap_or(u32::MAX)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_format_tells_its_own_from_the_rest() {
        let cases = [
            (
                StrFormat::Email,
                "ann@example.org",
                vec!["ann", "ann@", "Ann <ann@example.org>", "a b@c.org"],
            ),
            (StrFormat::Uri, "https://example.org/a?b#c", vec!["example.org", "/a", "https://a b"]),
            (
                StrFormat::Date,
                "2024-02-29",
                vec!["2023-02-29", "2024-2-29", "+2024-02-29", "2024-02-29T00:00:00Z"],
            ),
            (
                StrFormat::DateTime,
                "2026-11-22T13:37:00+01:00",
                vec!["2026-11-22", "2026-11-22T25:00:00Z"],
            ),
        ];
        for (format, good, bads) in cases {
            assert!(format.accepts(good), "{good} is {}", format.name());
            for bad in bads {
                assert!(!format.accepts(bad), "{bad} is not {}", format.name());
            }
        }
    }

    #[test]
    fn only_what_every_language_can_hold_is_accepted() {
        let cases = [
            (StrFormat::Date, "0000-01-01", "year"),
            (StrFormat::Date, "2026-02-30", "no such day"),
            (StrFormat::DateTime, "2016-12-31T23:59:60Z", "leap second"),
            (StrFormat::DateTime, "2016-12-31T24:00:00Z", "time of day"),
            (StrFormat::DateTime, "0000-12-31T23:59:59Z", "year"),
            (StrFormat::DateTime, "0001-01-01T00:00:00+01:00", "year in UTC"),
            (StrFormat::DateTime, "9999-12-31T23:59:59-01:00", "year in UTC"),
            (StrFormat::DateTime, "2026-11-22T13:37:00.1234567Z", "6 digits"),
            (StrFormat::DateTime, "2026-11-22T13:37:00+18:01", "18:00"),
            (StrFormat::DateTime, "2026-11-22T13:37:00+01:60", "18:00"),
        ];
        for (format, text, reason) in cases {
            let fault = format.fault(text).unwrap_or_default();
            assert!(fault.contains(reason), "{text}: {fault}");
        }
        for bad in [
            "2026-11-22 13:37:00Z",
            "2026-11-22t13:37:00z",
            "2026-11-22T13:37Z",
            "2026-11-22T13:37:00",
            "2026-11-22T13:37:00.Z",
            "2026-11-22T13:37:00,5Z",
            "2026-11-22T13:37:00+0100",
            "+2026-11-22T13:37:00Z",
            "２026-11-22T13:37:00Z",
        ] {
            assert!(!StrFormat::DateTime.accepts(bad), "{bad}");
        }
        for good in [
            "0001-01-01T00:00:00Z",
            "9999-12-31T23:59:59.999999Z",
            "2026-11-22T13:37:00.5-18:00",
            "2024-02-29T00:00:00-00:00",
        ] {
            assert!(StrFormat::DateTime.accepts(good), "{good}");
        }
    }

    #[test]
    fn addresses_hold_nothing_that_is_not_seen_and_are_read_the_same_by_all() {
        for (format, text, part) in [
            (StrFormat::Email, "ann\u{200b}@example.org", "U+200B"),
            (StrFormat::Uri, "https://example.org/\u{202e}gpj.exe", "U+202E"),
            (StrFormat::Uri, "\u{1}https://example.org", "U+0001"),
            (StrFormat::Uri, "https:\\\\example.org", "hold \"\\\" (a sign)"),
            (StrFormat::Uri, "https:///example.org", "two slashes"),
            (StrFormat::Uri, "https:example.org", "two slashes"),
        ] {
            let fault = format.fault(text).unwrap_or_default();
            assert!(fault.contains(part), "{text}: {fault}");
        }
        for good in
            ["mailto:ann@example.org", "urn:isbn:0451450523", "https://[::1]:80/", "file:///etc"]
        {
            assert!(StrFormat::Uri.accepts(good), "{good}");
        }
    }
}
