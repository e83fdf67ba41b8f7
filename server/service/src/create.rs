//! Asking: from a spec to a durable event.

use std::sync::Arc;

use hitl_core::{Event, EventId, EventKey, Namespace, Request, Spec, Timestamp};
use sha2::{Digest, Sha256};

use crate::Service;
use crate::end::expiry;
use crate::error::Error;
use crate::quotas::Payer;
use hitl_store::announcements::Follower;
use hitl_store::random;
use hitl_store::{Entry, Index};

/// What became of a create.
#[derive(Debug)]
pub struct Created {
    /// The event as it stands.
    pub event: Event,
    /// Whether an earlier create with the same idempotency key had made it.
    pub existed: bool,
}

impl Service {
    /// See [`Session::create`](crate::Session::create).
    pub(crate) async fn create(
        &self,
        payer: Payer,
        namespace: Namespace,
        spec: Spec,
    ) -> Result<Created, Error> {
        let now = self.now()?;
        let id = match &spec.idempotency_key {
            Some(key) => event_id_of(&namespace, key),
            None => self.timed_id(now),
        };
        let key = EventKey { namespace: namespace.clone(), id };
        let is_keyed = spec.idempotency_key.is_some();
        let is_laborious = spec.input.is_laborious();
        let create = move || hitl_core::create(spec, namespace, id, now);
        let created =
            if is_laborious { self.0.background.compute(create).await? } else { create() };
        let request = created.map_err(|rejection| Error::rejected(rejection, &key))?;
        self.check_on_end(&request)?;
        let request = Request { channels: self.told_of_creation(&request), ..request };
        // It needs no task of its own as an end does: if the caller hangs up nobody waits for the event yet,
        // and its timer is found by the next scan.
        let event = Event { request: Arc::new(request), response: None };
        let place = match self.0.pending.place(payer, key.clone(), event.weight_bytes()) {
            Ok(place) => Some(place),
            // Whoever repeats a create gets its event, which counts already.
            Err(_) if is_keyed && self.0.store.read(&key).await?.is_some() => None,
            Err(over) => return Err(over.into()),
        };
        let created = self.record(event.request).await?;
        if let Some(place) = place.filter(|_| !created.existed) {
            place.keep();
        }
        Ok(created)
    }

    async fn record(&self, request: Arc<Request>) -> Result<Created, Error> {
        let owed = Self::owed_by_creation(&request);
        let created = self.0.store.create_owing(request.clone(), &owed, self.nonce()).await?;
        self.0.namespaces.learn(&request.namespace);
        if !created.existed {
            self.0.metrics.created.inc();
            self.0.search.created(&request);
            let announced = Entry { time: request.create_time, key: request.key() };
            let event = Event { request, response: None };
            self.0.jobs.set(expiry(&event));
            self.set_owed(owed);
            self.0.watches.announced(Index::Created, &announced);
            return Ok(Created { event, existed: false });
        }
        let key = request.key();
        // The first create may have been cut short between the request and its timer.
        let event = self.get(&key).await.map_err(|error| match error {
            // It was removed just now.
            Error::NotFound(key) => Error::Removed(key),
            error => error,
        })?;
        let event = self.0.store.ensure_indexed(event).await?;
        if event.response.is_none() {
            self.owe_creation_again(&event).await?;
            self.0.jobs.set(expiry(&event));
        } else if event.request.deadline == request.deadline {
            // This create has written it again.
            self.drop_expiry(&event);
        }
        let fields = hitl_core::create::differing_fields(&created.request, &request);
        if !fields.is_empty() {
            return Err(Error::IdempotencyKeyReused { key, fields });
        }
        Ok(Created { event, existed: true })
    }

    /// An id that orders events by their time of creation.
    fn timed_id(&self, now: Timestamp) -> EventId {
        let ms = u64::try_from(now.ms()).expect("instants lie after the epoch");
        let uuid = uuid::Builder::from_unix_timestamp_millis(ms, &random::bytes(&*self.0.random))
            .into_uuid();
        EventId::from_bytes(*uuid.as_bytes())
    }
}

/// The id that belongs to an idempotency key: a hash, so that every replica, and every SDK, finds the same one without
/// asking.
pub fn event_id_of(namespace: &Namespace, key: &str) -> EventId {
    let hash = Sha256::new()
        .chain_update(namespace.as_str())
        .chain_update([0])
        .chain_update(key)
        .finalize();
    let bytes = hash.first_chunk().expect("a SHA-256 has 32 bytes");
    EventId::from_bytes(*uuid::Builder::from_custom_bytes(*bytes).into_uuid().as_bytes())
}
