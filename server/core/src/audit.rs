//! The audit: who got in, who was refused, and what changed about who may do what.
//!
//! An entry names what it is about by ids and names alone: nothing that lets anybody in ever stands in one.

use serde::{Deserialize, Serialize};

use crate::authorize::Action;
use crate::id::{EventKey, Namespace};
use crate::limits::{AUDIT_DETAIL_CHARS_MAX, AUDIT_TEXT_CHARS_MAX};
use crate::principal::{CredentialKind, Namespaces, Principal, Proof};
use crate::time::Timestamp;

/// What an entry is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AuditKind {
    /// Somebody signed in with a browser.
    SignIn,
    /// A sign-in was ended.
    SignOut,
    /// Somebody was refused.
    Refusal,
    /// A token was created.
    TokenCreated,
    /// A token was created in the stead of another.
    TokenRotated,
    /// A token was revoked.
    TokenRevoked,
    /// A link was made for somebody.
    LinkCreated,
    /// Links were revoked.
    LinksRevoked,
    /// Links are signed with another key.
    LinkKeyRotated,
    /// Receipts are signed with a key that was not in the store before.
    ReceiptKeyAdded,
    /// A server has started, with these settings.
    Settings,
    /// An event was handed over to somebody.
    EventDelegated,
    /// A channel was created.
    ChannelCreated,
    /// A channel got other settings, secrets or rules.
    ChannelChanged,
    /// A channel was removed.
    ChannelDeleted,
    /// A delivery that was given up is made again.
    Redelivered,
    /// Something that a newer server wrote.
    #[serde(other)]
    Unknown,
}

/// Who did something, and from where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Actor {
    /// Who, as far as it was proved.
    pub proof: Proof,
    /// The network address; empty if unknown.
    pub address: String,
}

/// What was done, or refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Audited {
    kind: AuditKind,
    namespace: Option<Namespace>,
    action: String,
    subject: String,
    detail: String,
}

/// One entry.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditEntry {
    /// When it happened; of several that are alike, the first.
    pub time: Timestamp,
    /// What it is about.
    pub kind: AuditKind,
    /// Who did it, or wanted to.
    pub who: Proof,
    /// The network address; empty if unknown.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub address: String,
    /// The namespace, if it is about one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub namespace: Option<Namespace>,
    /// Of a refusal, what was wanted.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub action: String,
    /// The id of what it is about.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub subject: String,
    /// What else there is to say; of a refusal, why.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub detail: String,
    /// How often it happened.
    pub count: u64,
    /// When it happened last, if more than once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_time: Option<Timestamp>,
}

/// Which entries are asked for. All that is set must hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditFilter {
    /// Of these kinds; of all if empty.
    pub kinds: Vec<AuditKind>,
    /// Of who has this name or this id.
    pub principal: Option<String>,
    /// About these namespaces. About none too if they are all.
    pub namespaces: Namespaces,
    /// Of this instant or later.
    pub since: Option<Timestamp>,
    /// Before this instant.
    pub before: Option<Timestamp>,
}

impl AuditKind {
    /// Every kind that is written.
    pub const ALL: [Self; 16] = [
        Self::SignIn,
        Self::SignOut,
        Self::Refusal,
        Self::TokenCreated,
        Self::TokenRotated,
        Self::TokenRevoked,
        Self::LinkCreated,
        Self::LinksRevoked,
        Self::LinkKeyRotated,
        Self::ReceiptKeyAdded,
        Self::Settings,
        Self::EventDelegated,
        Self::ChannelCreated,
        Self::ChannelChanged,
        Self::ChannelDeleted,
        Self::Redelivered,
    ];

    /// What people read.
    pub fn name(self) -> &'static str {
        match self {
            Self::SignIn => "sign-in",
            Self::SignOut => "sign-out",
            Self::Refusal => "refusal",
            Self::TokenCreated => "token-created",
            Self::TokenRotated => "token-rotated",
            Self::TokenRevoked => "token-revoked",
            Self::LinkCreated => "link-created",
            Self::LinksRevoked => "links-revoked",
            Self::LinkKeyRotated => "link-key-rotated",
            Self::ReceiptKeyAdded => "receipt-key-added",
            Self::Settings => "settings",
            Self::EventDelegated => "event-delegated",
            Self::ChannelCreated => "channel-created",
            Self::ChannelChanged => "channel-changed",
            Self::ChannelDeleted => "channel-deleted",
            Self::Redelivered => "redelivered",
            Self::Unknown => "unknown",
        }
    }

    /// The kind that people call `name`.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }
}

impl Actor {
    /// This principal, from there.
    pub fn new(principal: &Principal, address: impl Into<String>) -> Self {
        Self { proof: principal.proof(), address: address.into() }
    }

    /// Somebody of whom nothing was proved, from there.
    pub fn unknown(address: impl Into<String>) -> Self {
        let proof =
            Proof { known_by: CredentialKind::None, id: String::new(), name: String::new() };
        Self { proof, address: address.into() }
    }
}

impl Audited {
    /// Something of this kind.
    pub fn new(kind: AuditKind) -> Self {
        Self {
            kind,
            namespace: None,
            action: String::new(),
            subject: String::new(),
            detail: String::new(),
        }
    }

    /// That `action` was refused, and why.
    pub fn refusal(action: impl Into<String>, why: impl Into<String>) -> Self {
        Self { action: action.into(), ..Self::new(AuditKind::Refusal) }.saying(why)
    }

    /// That `action` was refused, and why.
    pub fn refused(action: Action<'_>, why: &str) -> Self {
        let refusal = Self::refusal(action.name(), why);
        let refusal = Self { namespace: action.namespace().cloned(), ..refusal };
        match action.event() {
            Some(key) => refusal.about(key.id.to_string()),
            None => refusal,
        }
    }

    /// The same, about what has this id.
    pub fn about(self, subject: impl Into<String>) -> Self {
        Self { subject: subject.into(), ..self }
    }

    /// The same, about this event.
    pub fn of_event(self, key: &EventKey) -> Self {
        let subject = key.id.to_string();
        Self { namespace: Some(key.namespace.clone()), subject, ..self }
    }

    /// The same, with what else there is to say.
    pub fn saying(self, detail: impl Into<String>) -> Self {
        Self { detail: detail.into(), ..self }
    }

    /// The entry of it, when `actor` did it at `time`.
    pub fn entry(self, actor: Actor, time: Timestamp) -> AuditEntry {
        let Actor { proof: Proof { known_by, id, name }, address } = actor;
        let text = |text| cut(text, AUDIT_TEXT_CHARS_MAX);
        AuditEntry {
            time,
            kind: self.kind,
            who: Proof { known_by, id: text(id), name: text(name) },
            address: text(address),
            namespace: self.namespace,
            action: text(self.action),
            subject: text(self.subject),
            detail: cut(self.detail, AUDIT_DETAIL_CHARS_MAX),
            count: 1,
            last_time: None,
        }
    }
}

impl AuditEntry {
    /// Whether both are the same but for what they are about, and when: then one with a count says as much.
    pub fn is_like(&self, other: &Self) -> bool {
        let what = |entry: &Self| (entry.kind, entry.namespace.clone());
        self.who == other.who
            && self.address == other.address
            && self.action == other.action
            && self.detail == other.detail
            && what(self) == what(other)
    }

    /// Whether both come from one source: the principal, or the address if there is none.
    pub fn is_of_same_source(&self, other: &Self) -> bool {
        match (self.is_of_the_known(), other.is_of_the_known()) {
            (true, true) => self.who.is_of_same_principal(&other.who),
            (false, false) => self.address == other.address,
            _ => false,
        }
    }

    /// Whether somebody who has proved to be somebody did it.
    pub fn is_of_the_known(&self) -> bool {
        !self.who.id.is_empty()
    }
}

impl Default for AuditFilter {
    fn default() -> Self {
        Self {
            kinds: Vec::new(),
            principal: None,
            namespaces: Namespaces::All,
            since: None,
            before: None,
        }
    }
}

impl AuditFilter {
    /// Whether `entry` is asked for.
    pub fn matches(&self, entry: &AuditEntry) -> bool {
        let is_there = match (&self.namespaces, &entry.namespace) {
            (Namespaces::All, _) => true,
            (some, Some(namespace)) => some.contains(namespace),
            (Namespaces::Only(_), None) => false,
        };
        let is_theirs = |name: &String| entry.who.name == *name || entry.who.id == *name;
        is_there
            && (self.kinds.is_empty() || self.kinds.contains(&entry.kind))
            && self.principal.as_ref().is_none_or(is_theirs)
            && self.since.is_none_or(|since| entry.last_time.unwrap_or(entry.time) >= since)
            && self.before.is_none_or(|before| entry.time < before)
    }
}

/// `text` with as many characters as there may be.
fn cut(mut text: String, chars_max: usize) -> String {
    if let Some((at, _)) = text.char_indices().nth(chars_max) {
        text.truncate(at);
        text.push('…');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(ms: i64) -> Timestamp {
        Timestamp::from_ms(ms).unwrap()
    }

    fn actor(id: &str, address: &str) -> Actor {
        let proof = Proof {
            known_by: CredentialKind::Token,
            id: id.to_owned(),
            name: format!("name of {id}"),
        };
        Actor { proof, address: address.to_owned() }
    }

    #[test]
    fn an_entry_is_small_whatever_it_says() {
        let long = "\u{1F600}".repeat(100_000);
        let audited = Audited::refusal(&*long, &*long).about(&*long);
        let who = Proof { known_by: CredentialKind::Person, id: long.clone(), name: long.clone() };
        let entry = audited.entry(Actor { proof: who, address: long }, at(1));
        let bytes = serde_json::to_vec(&entry).unwrap();
        assert!(bytes.len() < 8 * 1024, "{} bytes", bytes.len());
    }

    #[test]
    fn a_kind_is_found_by_its_name_and_a_newer_one_is_unknown() {
        for kind in AuditKind::ALL {
            assert_eq!(AuditKind::named(kind.name()), Some(kind));
        }
        assert_eq!(AuditKind::named("unknown"), None);
        assert_eq!(serde_json::from_str::<AuditKind>("\"a_newer\"").unwrap(), AuditKind::Unknown);
    }

    #[test]
    fn refusals_are_alike_whatever_event_they_are_about() {
        let key = |id| EventKey {
            namespace: Namespace::default(),
            id: crate::EventId::from_bytes([id; 16]),
        };
        let entry = |id, who: &str| {
            Audited::refused(Action::Look(&key(id)), "role").entry(actor(who, "::1"), at(1))
        };
        assert!(entry(1, "a").is_like(&entry(2, "a")));
        assert!(!entry(1, "a").is_like(&entry(1, "b")));
        assert!(!entry(1, "a").is_of_same_source(&entry(1, "b")));
        let nobody =
            |address: &str| Audited::refusal("call", "why").entry(Actor::unknown(address), at(1));
        assert!(nobody("::1").is_of_same_source(&nobody("::1")));
        assert!(!nobody("::1").is_of_same_source(&nobody("::2")));
    }

    #[test]
    fn a_filter_shows_entries_of_no_namespace_to_those_alone_who_ask_for_all() {
        let team: Namespace = "team".parse().unwrap();
        let only = |name: &str| Namespaces::Only([name.parse().unwrap()].into());
        let sign_in = Audited::new(AuditKind::SignIn).entry(actor("ann", "::1"), at(10));
        let refused = Audited::refused(Action::Create(&team), "role");
        let refused = refused.entry(actor("bob", "::1"), at(20));
        let shown = |filter: AuditFilter| [&sign_in, &refused].map(|entry| filter.matches(entry));
        let all = AuditFilter::default;
        assert_eq!(shown(all()), [true, true]);
        assert_eq!(shown(AuditFilter { namespaces: only("team"), ..all() }), [false, true]);
        assert_eq!(shown(AuditFilter { namespaces: only("other"), ..all() }), [false, false]);
        assert_eq!(shown(AuditFilter { kinds: vec![AuditKind::SignIn], ..all() }), [true, false]);
        let of = |who: &str| AuditFilter { principal: Some(who.to_owned()), ..all() };
        assert_eq!(shown(of("bob")), [false, true]);
        assert_eq!(shown(of("name of ann")), [true, false]);
        assert_eq!(shown(AuditFilter { since: Some(at(11)), ..all() }), [false, true]);
        assert_eq!(shown(AuditFilter { before: Some(at(20)), ..all() }), [true, false]);
    }
}
