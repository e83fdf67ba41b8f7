//! Links: whom one is for, which are good, and how they are made and ended.
//!
//! What a link's text says is proved before it comes here, so that nobody burdens the store by guessing. Nothing that
//! the store says of a link is remembered: a link that was revoked at one replica is refused by every other at once.

mod namespaces;

use hitl_core::{Action, AuditKind, Audited, EventKey, LinkHolder, link};
use hitl_store::{LinkId, LinkedEvent, LinksOf, REVOCATIONS_MAX, StoredLink, random};

use crate::error::Error;
use crate::{Service, Session};
pub(crate) use namespaces::KnownNamespaces;
pub use namespaces::{NamespaceHint, namespace_hint};

/// What the text of a link says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Link {
    /// All of it: no record is needed. So is the link that each event has of itself, which is for whoever holds it.
    Whole(LinkHolder),
    /// Under which id it is recorded.
    Made(LinkId),
}

impl Service {
    /// Whom `link` is for, if it is good.
    ///
    /// # Errors
    /// [`Error::LinkInvalid`] if it is unknown, has expired, was revoked, or shows nothing any more; and those of the
    /// store.
    pub async fn link_holder(&self, link: Link) -> Result<LinkHolder, Error> {
        let store = &self.0.store;
        let (event, responder, expire_time, [after_all, after_responder]) = match link {
            Link::Whole(LinkHolder { key, responder }) => {
                let request = store.request(&key).await?.ok_or(Error::LinkInvalid)?;
                (LinkedEvent::of(&request), responder, request.deadline, [0, 0])
            }
            Link::Made(id) => {
                let link = store.link(id).await?.ok_or(Error::LinkInvalid)?;
                let StoredLink { event, responder, expire_time, .. } = link;
                (event, responder, expire_time, [link.after_all, link.after_responder])
            }
        };
        if self.0.clock.now() >= link::opens_until(expire_time, event.deadline) {
            return Err(Error::LinkInvalid);
        }
        let of_responder = async {
            if responder.is_empty() {
                return Ok(false);
            }
            store.is_revoked(&event, LinksOf::Responder(&responder), after_responder).await
        };
        let of_all = store.is_revoked(&event, LinksOf::Everybody, after_all);
        let (of_all, of_responder) = tokio::try_join!(of_all, of_responder)?;
        if of_all || of_responder {
            return Err(Error::LinkInvalid);
        }
        Ok(LinkHolder { key: event.key(), responder })
    }
}

impl Session {
    /// Makes a link by which somebody called `responder` answers the event at `key`, good for `ttl_ms`, or else for as
    /// long as the event waits.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::AlreadyFinal`], [`Error::InvalidRequest`], [`Error::ClockOff`],
    /// [`Error::LinkInvalid`], [`Error::PermissionDenied`], and those of the store.
    pub async fn create_link(
        &self,
        key: &EventKey,
        responder: String,
        ttl_ms: Option<i64>,
    ) -> Result<StoredLink, Error> {
        self.may_hand_out(key)?;
        link::check_responder(&responder).map_err(|wrong| Error::invalid_fields(vec![wrong]))?;
        let service = self.service();
        let event = service.get(key).await?;
        if let Some(response) = &event.response {
            let (state, time) = (event.state(), response.time);
            return Err(Error::AlreadyFinal { key: key.clone(), state, time });
        }
        let now = service.now()?;
        let event = LinkedEvent::of(&event.request);
        let expire_time = link::expiry(now, ttl_ms, event.deadline)
            .map_err(|wrong| Error::invalid_fields(vec![wrong]))?;
        let store = &service.0.store;
        let (after_all, after_responder) = tokio::try_join!(
            store.revocations(&event, LinksOf::Everybody),
            store.revocations(&event, LinksOf::Responder(&responder)),
        )?;
        if after_all.max(after_responder) == REVOCATIONS_MAX {
            let message =
                format!("had its links revoked {REVOCATIONS_MAX} times, and gets no more");
            return Err(Error::invalid("event_id", message));
        }
        let link = StoredLink {
            id: LinkId::new(event.deadline, random::bytes(service.random())),
            event,
            responder,
            create_time: now,
            expire_time,
            after_all,
            after_responder,
            created_by: self.recorded(),
        };
        store.create_link(link.clone(), service.nonce()).await?;
        let created = Audited::new(AuditKind::LinkCreated).of_event(key);
        self.audit(created.saying(format!("for {}", link.responder))).await;
        Ok(link)
    }

    /// Ends the links of the event at `key` that were made so far: all of them with the one that the event has of
    /// itself, or those for a `responder`.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::InvalidRequest`], [`Error::LinkInvalid`], [`Error::PermissionDenied`], and those
    /// of the store.
    pub async fn revoke_links(&self, key: &EventKey, responder: Option<&str>) -> Result<(), Error> {
        self.may_hand_out(key)?;
        let of = match responder {
            None => LinksOf::Everybody,
            Some(name) => {
                link::check_responder(name).map_err(|wrong| Error::invalid_fields(vec![wrong]))?;
                LinksOf::Responder(name)
            }
        };
        let service = self.service();
        let store = &service.0.store;
        let request = store.request(key).await?.ok_or_else(|| Error::NotFound(key.clone()))?;
        let event = LinkedEvent::of(&request);
        let number = store.revocations(&event, of).await?;
        // So many times, and no link was made after the last.
        if number == REVOCATIONS_MAX {
            return Ok(());
        }
        let by = (service.clock().now(), self.recorded());
        store.revoke_links(event, of, number, by, service.nonce()).await?;
        let whose = responder.map_or_else(|| "all".to_owned(), |name| format!("those for {name}"));
        self.audit(Audited::new(AuditKind::LinksRevoked).of_event(key).saying(whose)).await;
        Ok(())
    }

    fn may_hand_out(&self, key: &EventKey) -> Result<(), Error> {
        self.may(Action::HandOutLinks(&key.namespace))
    }
}

#[cfg(test)]
mod tests;
