//! Links in the store: those that were made for somebody, and which were revoked.
//!
//! The link that each event has of itself is not here: it is proved by its text alone. One that is made for a person is
//! a record that its id leads to. The id is half of its text; the other half is proved with a key that the store does
//! not have, so whoever reads the store cannot follow it.
//!
//! Each revocation is a record of its own, with a number: it ends the links that were made before it, and a link made
//! after it has a higher number. So whether a link was revoked is whether one object is there, whose key is known.
//!
//! All of it stands below the day of its event's deadline. A month after that no link shows anything any more, and what
//! stands below such a day is removed.

mod id;

use hitl_core::link::VIEW_MS;
use hitl_core::{EventKey, Proof, Request, Timestamp};
use object_store::path::Path;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::error::Error;
use crate::events::EventStore;
use crate::keys;
use crate::objects::CreateOnce;
use crate::record::{self, Nonce, VERSION};
pub use id::LinkId;

/// Most times that the links of an event, or those of one of its responders, are revoked. After that no link is made
/// for it any more.
pub const REVOCATIONS_MAX: u32 = 100;

const DAY_MS: i64 = 86_400_000;
/// Days that records are kept after their own: as long as a link shows anything, and one more since clocks differ.
const DAYS_KEPT: i64 = VIEW_MS / DAY_MS + 1;

/// A link as it was made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoredLink {
    /// Which link.
    pub id: LinkId,
    /// The event that it leads to.
    #[serde(flatten)]
    pub event: LinkedEvent,
    /// Whom it is for.
    pub responder: String,
    /// When it was made.
    pub create_time: Timestamp,
    /// Until when it is good: the deadline of its event at the latest.
    pub expire_time: Timestamp,
    /// How often all links of the event had been revoked before.
    pub after_all: u32,
    /// How often those of the responder had been revoked before.
    pub after_responder: u32,
    /// Who made it. `None` if the server asked for no credential.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created_by: Option<Proof>,
}

/// The event that a link leads to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LinkedEvent {
    /// Its namespace.
    pub namespace: hitl_core::Namespace,
    /// Its id.
    pub event_id: hitl_core::EventId,
    /// When it times out, which never changes.
    pub deadline: Timestamp,
}

/// Which links of an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LinksOf<'a> {
    /// All that there are.
    Everybody,
    /// Those that were made for somebody of this name.
    Responder(&'a str),
}

/// `links/{day}/{id}.json`
#[derive(Debug, Serialize, Deserialize)]
struct LinkRecord {
    version: u32,
    nonce: Nonce,
    link: StoredLink,
}

/// `revocations/{day}/{hash}.json`
#[derive(Debug, Serialize, Deserialize)]
struct RevocationRecord {
    version: u32,
    nonce: Nonce,
    #[serde(flatten)]
    event: LinkedEvent,
    /// Whose links were revoked. `None` if all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    responder: Option<String>,
    /// How many revocations of the same links there were before.
    number: u32,
    time: Timestamp,
    /// Who did it. `None` if the server asked for no credential.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    revoked_by: Option<Proof>,
}

record::of_no_event!(LinkRecord, RevocationRecord);

impl LinkedEvent {
    /// The event that asks this.
    pub fn of(request: &Request) -> Self {
        let Request { namespace, id, deadline, .. } = request;
        Self { namespace: namespace.clone(), event_id: *id, deadline: *deadline }
    }

    /// Where the event lives.
    pub fn key(&self) -> EventKey {
        EventKey { namespace: self.namespace.clone(), id: self.event_id }
    }

    /// Where it is recorded that these links of it were revoked, after this many times before.
    fn revocation(&self, of: LinksOf<'_>, number: u32) -> Path {
        let (scope, name) = match of {
            LinksOf::Everybody => ("all", ""),
            LinksOf::Responder(name) => ("responder", name),
        };
        let mut hash = Sha256::new();
        for part in [self.namespace.as_str(), &self.event_id.to_string(), scope, name] {
            // With its length before it, no part can be taken for two.
            hash.update(u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes());
            hash.update(part);
        }
        let hash = hash.chain_update(number.to_be_bytes()).finalize();
        let hash: String = hash.iter().map(|byte| format!("{byte:02x}")).collect();
        keys::revocation(day(self.deadline), &hash)
    }
}

fn day(time: Timestamp) -> i64 {
    time.ms().div_euclid(DAY_MS)
}

impl EventStore {
    /// Records `link`, durably.
    ///
    /// # Errors
    /// [`Error::StoreUnavailable`] if the outcome is unknown; [`Error::RecordUnreadable`] if another has its id, which
    /// is random.
    pub async fn create_link(&self, link: StoredLink, nonce: Nonce) -> Result<(), Error> {
        let path = link.id.path();
        let bytes = record::encode(&LinkRecord { version: VERSION, nonce, link });
        match self.objects.create_once::<LinkRecord>(&path, nonce, bytes).await? {
            CreateOnce::Ours => Ok(()),
            CreateOnce::Theirs(_) => Err(unreadable(&path, "another link has this id")),
        }
    }

    /// The link with this id, if there is one.
    ///
    /// # Errors
    /// [`Error::StoreUnavailable`] and [`Error::RecordUnreadable`].
    pub async fn link(&self, id: LinkId) -> Result<Option<StoredLink>, Error> {
        let path = id.path();
        let Some(LinkRecord { link, .. }) = self.objects.read::<LinkRecord>(&path).await? else {
            return Ok(None);
        };
        // One that was copied to another key must not count as that one.
        if link.id == id { Ok(Some(link)) } else { Err(unreadable(&path, "it is another link")) }
    }

    /// How often these links of `event` were revoked, [`REVOCATIONS_MAX`] at most.
    ///
    /// # Errors
    /// [`Error::StoreUnavailable`].
    pub async fn revocations(&self, event: &LinkedEvent, of: LinksOf<'_>) -> Result<u32, Error> {
        for number in 0..REVOCATIONS_MAX {
            if !self.is_revoked(event, of, number).await? {
                return Ok(number);
            }
        }
        Ok(REVOCATIONS_MAX)
    }

    /// Whether the links of `event` were revoked that were made after so many revocations.
    ///
    /// # Errors
    /// [`Error::StoreUnavailable`].
    pub async fn is_revoked(
        &self,
        event: &LinkedEvent,
        of: LinksOf<'_>,
        after: u32,
    ) -> Result<bool, Error> {
        self.objects.exists(&event.revocation(of, after)).await
    }

    /// Records, durably, that the links of `event` were revoked that were made after `number` revocations.
    ///
    /// # Errors
    /// [`Error::StoreUnavailable`] if the outcome is unknown, and [`Error::RecordUnreadable`].
    pub async fn revoke_links(
        &self,
        event: LinkedEvent,
        of: LinksOf<'_>,
        number: u32,
        by: (Timestamp, Option<Proof>),
        nonce: Nonce,
    ) -> Result<(), Error> {
        let path = event.revocation(of, number);
        let responder = match of {
            LinksOf::Everybody => None,
            LinksOf::Responder(name) => Some(name.to_owned()),
        };
        let (time, revoked_by) = by;
        let version = VERSION;
        let record =
            RevocationRecord { version, nonce, event, responder, number, time, revoked_by };
        // Whoever else has written it has revoked the same.
        let bytes = record::encode(&record);
        self.objects.create_once::<RevocationRecord>(&path, nonce, bytes).await.map(drop)
    }

    /// Removes what is kept of links that show nothing any more at `now`.
    ///
    /// # Errors
    /// [`Error::StoreUnavailable`], and what a listing may fail with.
    pub async fn remove_old_links(&self, now: Timestamp) -> Result<(), Error> {
        let is_old =
            |path: &&Path| keys::day_of_links(path).is_some_and(|of| of < day(now) - DAYS_KEPT);
        for prefix in [keys::links(), keys::revocations()] {
            for day in self.objects.children(&prefix).await?.found.iter().filter(is_old) {
                for path in self.objects.list(day).await?.found {
                    self.objects.delete(&path).await?;
                }
            }
        }
        Ok(())
    }

    /// The namespaces that have events, as far as their names can be read.
    ///
    /// # Errors
    /// [`Error::StoreUnavailable`].
    pub async fn namespaces(&self) -> Result<Vec<hitl_core::Namespace>, Error> {
        let listed = self.objects.children(&keys::events()).await?;
        let name = |path: Path| path.filename()?.parse().ok();
        Ok(listed.found.into_iter().filter_map(name).collect())
    }
}

fn unreadable(path: &Path, message: &str) -> Error {
    Error::RecordUnreadable { path: path.to_string(), message: message.to_owned() }
}

#[cfg(test)]
#[path = "links_tests.rs"]
mod tests;
