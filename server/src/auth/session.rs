//! Sessions of browsers: who has signed in, sealed into a cookie, so that every replica knows and none keeps anything.
//!
//! A session ends when it was not used for a while, a while after it began whatever happens, or when its holder or the
//! issuer signs out. That last is the only thing that the store hears of: a marker, of which every replica knows within
//! seconds (see `sign_out`).

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD as BASE64;
use hitl_core::Timestamp;
use hitl_store::random::{self, Random};
use hitl_store::{SESSION_MS_MAX, SessionMark};
use hmac::Mac;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::Links;
use super::oidc::{Identity, SignedOut};

/// Longest cookie that is made or read: browsers take 4,096 bytes with the name and all.
pub const COOKIE_CHARS_MAX: usize = 3_800;

/// Bytes of a seal.
const SEAL_BYTES: usize = 32;

/// What a sealed text is for. None is taken for another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Use {
    /// A session.
    Session,
    /// A sign-in that has begun.
    SignIn,
    /// The proof that a form was made for whoever sends it.
    Form,
}

impl Use {
    fn domain(self) -> &'static [u8] {
        match self {
            Self::Session => b"hitl session v1\0",
            Self::SignIn => b"hitl sign-in v1\0",
            Self::Form => b"hitl form v1\0",
        }
    }
}

impl Links {
    /// `bytes` as a text that only whoever has the key can have made.
    pub fn seal_for(&self, purpose: Use, bytes: &[u8]) -> String {
        let seal = self.proof([purpose.domain(), bytes, b""]).finalize().into_bytes();
        BASE64.encode([&seal[..], bytes].concat())
    }

    /// What was sealed for that; none if `sealed` is anything else.
    pub fn unseal_for(&self, purpose: Use, sealed: &str) -> Option<Vec<u8>> {
        if sealed.len() > COOKIE_CHARS_MAX {
            return None;
        }
        let bytes = BASE64.decode(sealed).ok()?;
        let (seal, bytes) = bytes.split_at_checked(SEAL_BYTES)?;
        self.is_proof([purpose.domain(), bytes, b""], seal).then(|| bytes.to_vec())
    }

    /// A text that belongs in the forms of whoever is known by `id`, and in no other's.
    pub fn form_token(&self, id: &str) -> String {
        let proof = self.proof([Use::Form.domain(), id.as_bytes(), b""]);
        BASE64.encode(proof.finalize().into_bytes())
    }

    /// Whether `token` is that.
    pub fn is_form_token(&self, id: &str, token: &str) -> bool {
        let proof = BASE64.decode(token).unwrap_or_default();
        proof.len() == SEAL_BYTES && self.is_proof([Use::Form.domain(), id.as_bytes(), b""], &proof)
    }
}

/// How long sessions last.
#[derive(Clone, Copy, Debug)]
pub struct Lifetimes {
    /// From one use to the next, at most.
    pub idle_ms: i64,
    /// From begin to end, at most.
    pub whole_ms: i64,
}

/// Who has signed in by a browser.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Session {
    id: String,
    begun: Timestamp,
    seen: Timestamp,
    /// Whose it is.
    pub holder: Holder,
}

/// Whose a session is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Holder {
    /// The user of this machine.
    Owner,
    /// Somebody whom the issuer knows.
    Person {
        /// Who they are.
        identity: Identity,
        /// How often all of the person's sessions were ended, on the day on which this one began, before it did.
        generation: u32,
    },
}

impl Session {
    /// A session that begins now.
    pub fn begin(holder: Holder, now: Timestamp, random: &dyn Random) -> Self {
        let id = BASE64.encode(random::bytes::<16>(random));
        Self { id, begun: now, seen: now, holder }
    }

    /// What names it to the forms that are made for it.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The session in a cookie, if it lasts at `now`.
    pub fn read(links: &Links, cookie: &str, now: Timestamp, lasts: Lifetimes) -> Option<Self> {
        let bytes = links.unseal_for(Use::Session, cookie)?;
        let session: Self = serde_json::from_slice(&bytes).ok()?;
        let (age_ms, idle_ms) = (session.age_ms(now), session.idle_ms(now));
        let whole_ms = lasts.whole_ms.min(SESSION_MS_MAX);
        // One from the future was made by a server whose clock is ahead; it is not older for that.
        (age_ms < whole_ms && idle_ms < lasts.idle_ms).then_some(session)
    }

    /// The cookie. Groups that it has no room for are left out, from the last; those that rules name come first.
    ///
    /// None if there is no room for the rest.
    pub fn cookie(&self, links: &Links) -> Option<String> {
        let mut session = self.clone();
        loop {
            let bytes = serde_json::to_vec(&session).expect("texts and numbers are JSON");
            let cookie = links.seal_for(Use::Session, &bytes);
            if cookie.len() <= COOKIE_CHARS_MAX {
                return Some(cookie);
            }
            let Holder::Person { identity, .. } = &mut session.holder else { return None };
            // A group takes 100 bytes at most, or many: each round leaves out enough, and comes to an end.
            let kept = identity.groups.len() * 9 / 10;
            if identity.groups.is_empty() {
                return None;
            }
            identity.groups.truncate(kept);
        }
    }

    /// The same, used again at `now`; none if it was used so short a time ago that the cookie need not be renewed.
    pub fn renewed(&self, now: Timestamp, lasts: Lifetimes) -> Option<Self> {
        let is_due = self.idle_ms(now) >= (lasts.idle_ms / 10).min(RENEW_MS);
        is_due.then(|| Self { seen: now, ..self.clone() })
    }

    /// How long it can last at most, in seconds.
    pub fn left_s(&self, now: Timestamp, lasts: Lifetimes) -> i64 {
        (lasts.whole_ms.min(SESSION_MS_MAX) - self.age_ms(now)).max(0) / 1000
    }

    /// Markers each of which ends this session.
    pub fn marks(&self) -> Vec<SessionMark> {
        let mut marks = vec![self.own_mark()];
        if let Holder::Person { identity, generation } = &self.holder {
            let Identity { issuer, subject, session, .. } = identity;
            marks.push(person_mark(self.begun, issuer, subject, *generation));
            if !session.is_empty() {
                marks.push(mark(self.begun, &["issuer session", issuer, session]));
            }
        }
        marks
    }

    /// The marker that ends this session alone.
    pub fn own_mark(&self) -> SessionMark {
        mark(self.begun, &["session", &self.id])
    }

    fn age_ms(&self, now: Timestamp) -> i64 {
        now.ms_since(self.begun)
    }

    fn idle_ms(&self, now: Timestamp) -> i64 {
        now.ms_since(self.seen)
    }
}

/// Longest that a cookie is not renewed although its session is used.
const RENEW_MS: i64 = 60_000;

/// The marker that ends the sessions of a person that began on the day of `begun` and are of this generation.
pub fn person_mark(begun: Timestamp, issuer: &str, subject: &str, generation: u32) -> SessionMark {
    mark(begun, &["person", issuer, subject, &generation.to_string()])
}

/// The marker that ends the sessions that began on the day of `begun` and that `out` names by a session of the issuer;
/// none if it names none.
pub fn issuer_session_mark(begun: Timestamp, out: &SignedOut) -> Option<SessionMark> {
    let names = !out.session.is_empty();
    names.then(|| mark(begun, &["issuer session", &out.issuer, &out.session]))
}

/// The marker of a logout token that was heeded.
pub fn heeded_mark(now: Timestamp, token: &str) -> SessionMark {
    mark(now, &["logout token", token])
}

fn mark(begun: Timestamp, parts: &[&str]) -> SessionMark {
    let mut hash = Sha256::new();
    for part in parts {
        // With its length before it, no part can be taken for two.
        hash.update(u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes());
        hash.update(part);
    }
    SessionMark::new(begun, hash.finalize().into())
}

#[cfg(test)]
mod tests {
    use hitl_core::Rights;
    use hitl_store::random::SystemRandom;

    use super::*;
    use crate::auth::{LinkKey, LinkKeys};

    const LASTS: Lifetimes = Lifetimes { idle_ms: 3_600_000, whole_ms: 12 * 3_600_000 };

    fn links(key: u8) -> Links {
        Links::new(&LinkKeys::one(LinkKey::new([key; 32])), "http://h:1")
    }

    fn at(s: i64) -> Timestamp {
        Timestamp::from_ms(1_800_000_000_000 + s * 1000).unwrap()
    }

    fn session(groups: usize) -> Session {
        let identity = Identity {
            issuer: "https://issuer.example".to_owned(),
            subject: "ann".to_owned(),
            session: "s1".to_owned(),
            name: "Ann".to_owned(),
            groups: (0..groups).map(|n| format!("group-{n:04}")).collect(),
            rights: Rights::default(),
            is_program: false,
        };
        Session::begin(Holder::Person { identity, generation: 0 }, at(0), &SystemRandom)
    }

    #[test]
    fn no_bit_of_a_cookie_can_be_changed_and_no_other_use_or_key_opens_it() {
        let cookie = session(1).cookie(&links(7)).unwrap();
        let read = |links: &Links, cookie: &str| Session::read(links, cookie, at(1), LASTS);
        assert!(read(&links(7), &cookie).is_some());
        assert!(read(&links(8), &cookie).is_none());
        let bytes = BASE64.decode(&cookie).unwrap();
        for bit in 0..bytes.len() * 8 {
            let mut forged = bytes.clone();
            forged[bit / 8] ^= 1 << (bit % 8);
            assert!(read(&links(7), &BASE64.encode(forged)).is_none(), "bit {bit}");
        }
        let text = serde_json::to_vec(&session(1)).unwrap();
        assert!(read(&links(7), &links(7).seal_for(Use::SignIn, &text)).is_none());
        for junk in ["", "AA", "!", &"A".repeat(COOKIE_CHARS_MAX + 1)] {
            assert!(read(&links(7), junk).is_none());
        }
    }

    #[test]
    fn a_session_ends_when_it_is_not_used_and_in_the_end_whatever_happens() {
        let links = links(7);
        let read = |session: &Session, s| {
            Session::read(&links, &session.cookie(&links).unwrap(), at(s), LASTS)
        };
        let mut session = session(0);
        assert!(read(&session, 3_599).is_some());
        assert!(read(&session, 3_600).is_none());
        assert!(session.renewed(at(59), LASTS).is_none());
        for s in (0..12 * 3_600).step_by(1_800) {
            session = read(&session, s).unwrap();
            session = session.renewed(at(s), LASTS).unwrap_or(session);
        }
        assert!(read(&session, 12 * 3_600 - 1).is_some());
        assert!(read(&session, 12 * 3_600).is_none());
    }

    #[test]
    fn a_cookie_fits_into_a_browser_and_keeps_the_first_groups() {
        let links = links(7);
        let cookie = session(2_000).cookie(&links).unwrap();
        assert!(cookie.len() <= COOKIE_CHARS_MAX);
        let session = Session::read(&links, &cookie, at(1), LASTS).unwrap();
        let Holder::Person { identity, .. } = session.holder else { panic!("it is a person's") };
        assert!(identity.groups.len() > 100 && identity.groups[0] == "group-0000");
    }

    #[test]
    fn a_session_is_ended_by_what_names_it_and_nothing_else() {
        let (one, other) = (session(0), session(0));
        assert!(one.marks().contains(&one.own_mark()));
        assert!(!other.marks().contains(&one.own_mark()));
        let out = |subject: &str, session: &str| SignedOut {
            issuer: "https://issuer.example".to_owned(),
            subject: subject.to_owned(),
            session: session.to_owned(),
        };
        let by_issuer = |session| issuer_session_mark(at(5), &out("ann", session)).unwrap();
        assert!(one.marks().contains(&by_issuer("s1")));
        assert!(!one.marks().contains(&by_issuer("s2")));
        assert!(issuer_session_mark(at(5), &out("ann", "")).is_none());
        let person =
            |subject, generation| person_mark(at(5), "https://issuer.example", subject, generation);
        assert!(one.marks().contains(&person("ann", 0)));
        assert!(!one.marks().contains(&person("ann", 1)));
        assert!(!one.marks().contains(&person("bob", 0)));
    }

    #[test]
    fn the_token_of_a_form_is_good_for_whom_it_was_made() {
        let token = links(7).form_token("ann");
        assert!(links(7).is_form_token("ann", &token));
        assert!(!links(7).is_form_token("bob", &token));
        assert!(!links(8).is_form_token("ann", &token));
        assert!(!links(7).is_form_token("ann", ""));
    }
}
