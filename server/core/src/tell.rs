//! Of what people are told: which changes a channel tells of, and what an event owes whoever asked once it has ended.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::assignees::Assignee;
use crate::event::Request;
use crate::evidence::Risk;
use crate::id::Namespace;
use crate::limits;
use crate::rejection::Violation;
use crate::web_address::WebAddress;

/// Most rules of a channel.
pub const RULES_MAX: usize = 20;
/// Most namespaces of a rule.
const NAMESPACES_MAX: usize = 100;
/// Most people and groups of a rule.
const ASSIGNEES_MAX: usize = 100;
/// Bits of the id of a channel.
const ID_BITS: u32 = 40;

/// Identifies a channel, also after another has taken its name: 10 lower-case hexadecimal digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ChannelId(u64);

/// What a message tells of its event.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Told {
    /// It was created, and waits for an answer.
    Asked,
    /// It still waits: the message repeats what was asked.
    Reminder,
    /// It has waited too long, and others are told now.
    Escalated,
    /// Something about it has changed, and it still waits.
    Updated,
    /// It has ended; the event says how.
    Ended,
    /// Nothing: an admin tries the channel, with an event that does not exist.
    Test,
}

/// Of which changes a channel tells: all that is set must hold.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rule {
    /// In these namespaces; in all if empty.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub namespaces: BTreeSet<Namespace>,
    /// These kinds of change; all if empty.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub told: BTreeSet<Told>,
    /// Events that have all of these labels.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub labels: BTreeMap<String, String>,
    /// Events with this name; with a `*` at its end, those whose name begins so. Any if empty.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub event_name: String,
    /// Events that are for one of these people or groups; for anybody if empty.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub assignees: BTreeSet<String>,
    /// Events with this risk or a higher one.
    #[serde(default, skip_serializing_if = "Risk::is_low")]
    pub risk_min: Risk,
}

/// What the requester wants to be told when the event ends.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OnEnd {
    /// Where to post the ended event.
    pub url: String,
    /// The webhook channel whose secret signs it; unsigned if empty.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub channel: String,
}

impl ChannelId {
    /// That of no channel, under which what is owed to requesters stands.
    pub const ON_END: Self = Self(0);

    /// The id of these random bits.
    pub fn of_random(bits: u64) -> Self {
        // Never that of the requesters.
        Self((bits >> (64 - ID_BITS)).max(1))
    }

    /// The id as a number of 40 bits.
    pub fn number(self) -> u64 {
        self.0
    }

    /// The id that is this number; none if it has more than 40 bits.
    pub fn from_number(number: u64) -> Option<Self> {
        (number >> ID_BITS == 0).then_some(Self(number))
    }
}

impl fmt::Display for ChannelId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:010x}", self.0)
    }
}

/// Text that is not the id of a channel.
#[derive(Debug, thiserror::Error)]
#[error("must be 10 lower-case hexadecimal digits")]
pub struct ParseChannelIdError;

impl FromStr for ChannelId {
    type Err = ParseChannelIdError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let is_id =
            text.len() == 10 && text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
        let number = is_id.then(|| u64::from_str_radix(text, 16).ok()).flatten();
        number.map(Self).ok_or(ParseChannelIdError)
    }
}

impl Serialize for ChannelId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for ChannelId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

impl Told {
    /// Every kind of change of which a rule can speak.
    pub const ALL: [Self; 5] =
        [Self::Asked, Self::Reminder, Self::Escalated, Self::Updated, Self::Ended];

    /// What it is called in messages, lists and metrics.
    pub fn name(self) -> &'static str {
        match self {
            Self::Asked => "asked",
            Self::Reminder => "reminder",
            Self::Escalated => "escalated",
            Self::Updated => "updated",
            Self::Ended => "ended",
            Self::Test => "test",
        }
    }
}

impl Rule {
    /// What is wrong with the rule; `field` is where it stands.
    pub fn check(&self, field: &str) -> Vec<Violation> {
        let mut broken = Vec::new();
        let mut at_most = |part: &str, count: usize, max: usize| {
            if count > max {
                broken.push(Violation::new(
                    format!("{field}.{part}"),
                    format!("must be at most {max}"),
                ));
            }
        };
        at_most("namespaces", self.namespaces.len(), NAMESPACES_MAX);
        at_most("assignees", self.assignees.len(), ASSIGNEES_MAX);
        at_most("labels", self.labels.len(), limits::LABELS_MAX);
        at_most("event_name", self.event_name.chars().count(), limits::NAME_CHARS_MAX + 1);
        for (key, value) in &self.labels {
            let is_short = (1..=limits::LABEL_KEY_CHARS_MAX).contains(&key.chars().count())
                && value.chars().count() <= limits::LABEL_VALUE_CHARS_MAX;
            if !is_short {
                broken.push(Violation::new(
                    format!("{field}.labels"),
                    "must be labels that an event can have",
                ));
            }
        }
        broken
    }

    /// Whether a channel with this rule tells of what has become of the event with this request.
    pub fn matches(&self, request: &Request, told: Told) -> bool {
        let has_label = |(key, value): (&String, &String)| request.labels.get(key) == Some(value);
        let is_for = |assignee: &Assignee| self.assignees.contains(assignee.name());
        let is_named = match self.event_name.strip_suffix('*') {
            Some(beginning) => request.name.starts_with(beginning),
            None => self.event_name.is_empty() || self.event_name == request.name,
        };
        is_named
            && (self.namespaces.is_empty() || self.namespaces.contains(&request.namespace))
            && (self.told.is_empty() || self.told.contains(&told))
            && (self.assignees.is_empty() || request.assignees.iter().any(is_for))
            && request.risk >= self.risk_min
            && self.labels.iter().all(has_label)
    }
}

impl OnEnd {
    /// What is wrong with it.
    pub(crate) fn check(&self, broken: &mut Vec<Violation>) {
        if self.url.len() > limits::URL_BYTES_MAX || WebAddress::of(&self.url).is_none() {
            broken.push(Violation::new(
                "on_end.url",
                format!(
                    "must be an http or https URL without a name or password, of at most {} bytes",
                    limits::URL_BYTES_MAX
                ),
            ));
        }
        if !self.channel.is_empty() && self.channel.parse::<Namespace>().is_err() {
            broken.push(Violation::new("on_end.channel", "must be the name of a channel"));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{EventId, Timestamp, create};

    fn request() -> Request {
        let spec = crate::Spec {
            name: "deploy-api".into(),
            risk: Risk::Medium,
            labels: [("team".to_owned(), "sre".to_owned())].into(),
            assignees: vec![Assignee::Group("sre".to_owned())],
            ..create::tests::spec()
        };
        let now = Timestamp::from_ms(1_000).unwrap();
        create(spec, "prod".parse().unwrap(), EventId::from_bytes([1; 16]), now).unwrap()
    }

    #[test]
    fn a_rule_matches_only_what_all_of_it_says() {
        let request = request();
        let label = |value: &str| [("team".to_owned(), value.to_owned())].into();
        let namespaces = |name: &str| [name.parse().unwrap()].into();
        let named = |name: &str| Rule { event_name: name.to_owned(), ..Rule::default() };
        let good = [
            Rule::default(),
            Rule { namespaces: namespaces("prod"), ..Rule::default() },
            Rule { labels: label("sre"), risk_min: Risk::Medium, ..named("deploy-*") },
            Rule { told: [Told::Asked].into(), ..named("deploy-api") },
            named("*"),
            Rule { assignees: ["ann".to_owned(), "sre".to_owned()].into(), ..Rule::default() },
        ];
        let bad = [
            Rule { namespaces: namespaces("dev"), ..Rule::default() },
            Rule { labels: label("dba"), ..Rule::default() },
            Rule { risk_min: Risk::High, ..Rule::default() },
            Rule { told: [Told::Ended].into(), ..Rule::default() },
            Rule { labels: label("sre"), ..named("deploy") },
            named("rollback*"),
            Rule { assignees: ["ann".to_owned()].into(), ..Rule::default() },
        ];
        assert!(good.iter().all(|rule| rule.matches(&request, Told::Asked)));
        for rule in bad {
            assert!(!rule.matches(&request, Told::Asked), "{rule:?}");
        }
    }

    #[test]
    fn the_id_of_a_channel_survives_its_text_and_its_number() {
        for bits in [0, 1, u64::MAX, 0x1234_5678_9abc_def0] {
            let id = ChannelId::of_random(bits);
            assert_eq!(id.to_string().parse::<ChannelId>().unwrap(), id);
            assert_eq!(ChannelId::from_number(id.number()), Some(id));
            assert_ne!(id, ChannelId::ON_END);
        }
        assert_eq!(ChannelId::from_number(1 << ID_BITS), None);
        for wrong in ["", "0", "00000000000", "000000000G", "ABCDEF0123"] {
            assert!(wrong.parse::<ChannelId>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn an_event_tells_its_end_to_an_address_of_the_web_alone() {
        let broken = |url: &str, channel: &str| {
            let mut broken = Vec::new();
            OnEnd { url: url.to_owned(), channel: channel.to_owned() }.check(&mut broken);
            broken.into_iter().map(|it| it.field).collect::<Vec<_>>()
        };
        assert!(broken("https://example.org/hook?x=1", "").is_empty());
        assert!(broken("http://example.org", "hooks-1").is_empty());
        for wrong in
            ["", "example.org", "ftp://example.org", "https://a:b@example.org", "file:///x"]
        {
            assert_eq!(broken(wrong, ""), ["on_end.url"], "{wrong}");
        }
        assert_eq!(broken("https://example.org", "No Name"), ["on_end.channel"]);
    }
}
