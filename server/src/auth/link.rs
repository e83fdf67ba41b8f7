//! Links: capability URLs that let whoever holds one answer one event.
//!
//! The path of a link is 43 characters of base64url: 16 bytes that name something, and 16 that prove it with a key that
//! all servers of a deployment have (`short.rs`). What is named is an event, whose own link it is then: the same is
//! made whenever the event is shown, and nothing is stored. Or it is the record of a link that was made for somebody.
//! Earlier versions made longer ones, which still work (`old.rs`).
//!
//! There may be two keys, so that the one that signs can be changed: what either has signed is good.

mod old;
mod short;

use std::fmt;

use hitl_core::{EventKey, LinkHolder, Namespace, Request};
use hitl_store::{LinkId, StoredLink};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use super::LinkKeys;
use hitl_service::error::Error;
use hitl_service::{Link, Service};
use short::Short;

/// Keeps keys that are made of the keys apart from every other use of them.
const DERIVED_DOMAIN: &[u8] = b"hitl derived key v1\0";

/// Makes links and judges them. Cheap to clone.
#[derive(Clone)]
pub struct Links {
    /// HMAC with each key taken in, to be cloned for each use. The first signs.
    keyed: Vec<Hmac<Sha256>>,
    public_url: String,
}

/// The two URLs of one link.
#[derive(Clone, PartialEq, Eq)]
pub struct Urls {
    /// The page where a person answers.
    pub form: String,
    /// Where a program answers with plain JSON.
    pub api: String,
}

/// A link as it stands in a path.
#[derive(Clone, Copy)]
pub enum LinkText<'a> {
    /// In the form that links are made in.
    Short(&'a str),
    /// In the form of earlier versions.
    Old {
        /// The event's id.
        id: &'a str,
        /// The rest.
        token: &'a str,
    },
}

impl fmt::Debug for Links {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Links").field("public_url", &self.public_url).finish_non_exhaustive()
    }
}

impl fmt::Debug for Urls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Urls(secret)")
    }
}

impl fmt::Debug for LinkText<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("LinkText(secret)")
    }
}

impl Links {
    /// Links below `public_url`, such as `http://127.0.0.1:4485`, signed with `keys`.
    pub fn new(keys: &LinkKeys, public_url: &str) -> Self {
        let keyed =
            |key: &[u8; 32]| Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes any key");
        let keyed = keys.all().map(keyed).collect();
        Self { keyed, public_url: public_url.trim_end_matches('/').to_owned() }
    }

    /// Where the server is reached from outside, without a slash at the end.
    pub fn public_url(&self) -> &str {
        &self.public_url
    }

    /// The link that an event has of itself.
    pub fn urls(&self, request: &Request) -> Urls {
        let key = EventKey { namespace: request.namespace.clone(), id: request.id };
        self.with(&Short::of_event(&self.keyed[0], &key))
    }

    /// The link that was made for somebody.
    pub fn urls_of(&self, link: &StoredLink) -> Urls {
        self.with(&Short::of_made(&self.keyed[0], link.id))
    }

    fn with(&self, short: &Short) -> Urls {
        let (base, text) = (&self.public_url, short.text());
        Urls { form: format!("{base}/q/{text}"), api: format!("{base}/v1/links/{text}") }
    }

    /// What the link says, if it is one of ours. Whether it is good is for the service to say.
    ///
    /// # Errors
    /// [`Error::LinkInvalid`], the same whatever is wrong with it; and those of the store.
    pub async fn read(&self, service: &Service, text: LinkText<'_>) -> Result<Link, Error> {
        let link = match text {
            LinkText::Short(text) => self.short(service, text).await?,
            LinkText::Old { id, token } => {
                old::holder(self, id, token, service.clock().now()).map(Link::Whole)
            }
        };
        link.ok_or(Error::LinkInvalid)
    }

    async fn short(&self, service: &Service, text: &str) -> Result<Option<Link>, Error> {
        let Some(short) = Short::parse(text) else {
            return Ok(None);
        };
        if self.keyed.iter().any(|key| short.is_of_made(key)) {
            return Ok(Some(Link::Made(LinkId::from_bytes(short.id))));
        }
        let hints: Vec<_> = self.keyed.iter().map(|key| short.hint(key)).collect();
        let is_it =
            |namespace: &Namespace| self.keyed.iter().any(|key| short.is_of_event(key, namespace));
        let namespace = service.find_namespace(&hints, is_it).await?;
        let key = namespace.map(|namespace| EventKey { namespace, id: short.event_id() });
        Ok(key.map(|key| Link::Whole(LinkHolder { key, responder: String::new() })))
    }

    /// Secrets of every server of the deployment for this purpose, from which nobody finds the keys. The first is of
    /// the key that signs.
    pub(crate) fn derived_keys(&self, purpose: &[u8]) -> Vec<[u8; 32]> {
        let derived = |key| mac(key, [DERIVED_DOMAIN, purpose, b""]).finalize().into_bytes().into();
        self.keyed.iter().map(derived).collect()
    }

    /// Proves `parts` with the key that signs. The first names the use, and ends where no other's does.
    pub(super) fn proof(&self, parts: [&[u8]; 3]) -> Hmac<Sha256> {
        mac(&self.keyed[0], parts)
    }

    /// Whether `proof` is the beginning of what one of the keys proves `parts` with.
    pub(super) fn is_proof(&self, parts: [&[u8]; 3], proof: &[u8]) -> bool {
        self.keyed.iter().any(|key| mac(key, parts).verify_truncated_left(proof).is_ok())
    }
}

fn mac(keyed: &Hmac<Sha256>, parts: [&[u8]; 3]) -> Hmac<Sha256> {
    let mut mac = keyed.clone();
    for part in parts {
        mac.update(part);
    }
    mac
}

#[cfg(test)]
mod tests;
