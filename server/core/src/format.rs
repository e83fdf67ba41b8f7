//! Well-known formats of text.

use std::str::FromStr;

use chrono::{DateTime, NaiveDate};
use email_address::{EmailAddress, Options};

use crate::input::StrFormat;

impl StrFormat {
    /// Whether `text` has this format.
    pub fn accepts(self, text: &str) -> bool {
        match self {
            Self::Email => {
                let options = Options::default().without_display_text().without_domain_literal();
                EmailAddress::parse_with_options(text, options).is_ok()
            }
            Self::Uri => url::Url::from_str(text).is_ok() && !text.contains(char::is_whitespace),
            Self::Date => text.len() == "2026-11-22".len() && NaiveDate::from_str(text).is_ok(),
            Self::DateTime => DateTime::parse_from_rfc3339(text).is_ok(),
        }
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
}
