//! Sending a parcel: a message for each recipient, with a link of its own.

use hitl_core::Event;
use hitl_store::{DeliveryId, LinkId, LinkedEvent, LinksOf, Stage, StoredLink, Tag};
use sha2::{Digest, Sha256};

use super::attempt::{Outcome, Parcel};
use super::message::{self, Message, Receipt, Retry, Undelivered};
use super::pace;
use crate::Service;
use crate::error::Error;

impl Service {
    /// Sends the parcel to everybody who has not had it.
    pub(super) async fn send_to_all(&self, parcel: &Parcel) -> Result<Outcome, Error> {
        let telling = self.0.deliveries.telling.get().expect("the handler has seen to that");
        let mut outcome = Outcome::default();
        let way = parcel.way.clone().map_err(Undelivered::never);
        let recipients =
            way.and_then(|way| Ok((telling.tell.recipients(&way, &parcel.event)?, way)));
        let (recipients, way) = match recipients {
            Ok(recipients) => recipients,
            Err(undelivered) => {
                let is_last = parcel.is_last_attempt();
                outcome.failed("", undelivered.given_up_if(is_last));
                return Ok(outcome);
            }
        };
        for tag in parcel.thread.dead_recipients(parcel.id.step) {
            let dead = self.0.store.delivery(&parcel.id, Some(tag), Stage::Dead).await?;
            if let Some(dead) = dead {
                outcome.failed(&dead.recipient, Undelivered::never(dead.summary));
            }
        }
        for recipient in recipients {
            let tag = (!recipient.is_empty()).then(|| Tag::of(&recipient));
            if tag.is_some_and(|tag| parcel.thread.is_settled_for(parcel.id.step, tag)) {
                continue;
            }
            let message = self.message(parcel, &recipient, tag).await?;
            let sent = tokio::time::timeout(pace::SENDING_LIMIT, telling.tell.send(&way, &message));
            let late = || Undelivered::later("it took longer than 20 s");
            let sent = sent.await.unwrap_or_else(|_| Err(late()));
            match sent {
                Ok(receipt) => {
                    let receipt = receipt.within_bounds();
                    self.record_part(parcel, &recipient, tag, Stage::Done, &receipt).await?;
                    outcome.receipt = Some(receipt);
                }
                Err(undelivered) => {
                    let undelivered = undelivered.given_up_if(parcel.is_last_attempt());
                    if undelivered.retry == Retry::Never {
                        let said = Receipt::saying(&undelivered.reason);
                        self.record_part(parcel, &recipient, tag, Stage::Dead, &said).await?;
                    }
                    outcome.failed(&recipient, undelivered);
                }
            }
        }
        Ok(outcome)
    }

    async fn message(
        &self,
        parcel: &Parcel,
        recipient: &str,
        tag: Option<Tag>,
    ) -> Result<Message, Error> {
        let telling = self.0.deliveries.telling.get().expect("the handler has seen to that");
        let Parcel { id, event, thread, .. } = parcel;
        let mut earlier = Vec::new();
        for step in thread.made_before(id.step, tag) {
            let made = DeliveryId { step, ..id.clone() };
            let record = self.0.store.delivery(&made, tag, Stage::Done).await?;
            let receipt = record.map(|it| Receipt { reference: it.reference, summary: it.summary });
            earlier.extend(receipt);
        }
        let link = match (&event.response, recipient) {
            (Some(_), _) => String::new(),
            (None, "") => telling.tell.link(event),
            (None, name) => telling.tell.link_of(&self.link_for(id, event, name).await?),
        };
        Ok(Message {
            id: message::DeliveryId::new(id, tag),
            told: parcel.told,
            event: event.clone(),
            recipient: recipient.to_owned(),
            link,
            note: parcel.note.clone(),
            time: parcel.time,
            sequence: id.step.number(),
            attempts_before: parcel.attempts,
            earlier,
        })
    }

    /// The link of `recipient` to the event of a delivery: the same in every attempt.
    async fn link_for(
        &self,
        id: &DeliveryId,
        event: &Event,
        recipient: &str,
    ) -> Result<StoredLink, Error> {
        let store = &self.0.store;
        let hash =
            Sha256::new().chain_update(id.to_string()).chain_update([0]).chain_update(recipient);
        let hash = hash.finalize();
        let bytes = *hash.first_chunk().expect("a SHA-256 has 32 bytes");
        let link_id = LinkId::new(event.request.deadline, bytes);
        if let Some(link) = store.link(link_id).await? {
            return Ok(link);
        }
        let linked = LinkedEvent::of(&event.request);
        let (after_all, after_responder) = tokio::try_join!(
            store.revocations(&linked, LinksOf::Everybody),
            store.revocations(&linked, LinksOf::Responder(recipient)),
        )?;
        let link = StoredLink {
            id: link_id,
            event: linked,
            responder: recipient.to_owned(),
            create_time: self.now()?,
            expire_time: event.request.deadline,
            after_all,
            after_responder,
            created_by: None,
        };
        match store.create_link(link.clone(), self.nonce()).await {
            Ok(()) => Ok(link),
            // Another replica makes the same delivery.
            Err(error) => match store.link(link_id).await? {
                Some(link) => Ok(link),
                None => Err(error.into()),
            },
        }
    }

    /// Records what became of the part of a delivery that one recipient has, if it has several.
    async fn record_part(
        &self,
        parcel: &Parcel,
        recipient: &str,
        tag: Option<Tag>,
        stage: Stage,
        receipt: &Receipt,
    ) -> Result<(), Error> {
        if tag.is_none() {
            return Ok(());
        }
        let record = self.delivery_record(parcel, recipient, receipt)?;
        Ok(self.0.store.record_delivery(&parcel.id, tag, stage, record, self.nonce()).await?)
    }
}
