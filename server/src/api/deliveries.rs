//! `AdminService`: deliveries.

use hitl_core::Told;
use hitl_proto::v1;
use hitl_service::deliveries::{DeliveryQuery, DeliveryState, ListedDelivery};
use hitl_service::error::Error;

use super::{Api, Caller, from_proto, to_proto};

impl Api {
    /// `AdminService.ListDeliveries`.
    ///
    /// # Errors
    /// As documented at the RPC.
    pub async fn list_deliveries(
        &self,
        request: v1::ListDeliveriesRequest,
        caller: &Caller,
    ) -> Result<v1::ListDeliveriesResponse, Error> {
        let _call = self.admission.call(caller.payer())?;
        let size = from_proto::page_size(request.page_size)?;
        let session = self.session(caller);
        let page = session.list_deliveries(query(request)?, size).await?;
        Ok(v1::ListDeliveriesResponse {
            deliveries: page.deliveries.into_iter().map(delivery).collect(),
            next_page_token: page.next_after.unwrap_or_default(),
        })
    }

    /// `AdminService.Redeliver`.
    ///
    /// # Errors
    /// As documented at the RPC.
    pub async fn redeliver(
        &self,
        request: v1::RedeliverRequest,
        caller: &Caller,
    ) -> Result<v1::RedeliverResponse, Error> {
        let _call = self.admission.call(caller.payer())?;
        let id = request.delivery_id.parse().map_err(|_| {
            Error::invalid("delivery_id", "must be the id of a delivery, as ListDeliveries says it")
        })?;
        self.session(caller).redeliver(&id).await?;
        Ok(v1::RedeliverResponse {})
    }
}

fn query(request: v1::ListDeliveriesRequest) -> Result<DeliveryQuery, Error> {
    let state = request.state();
    let wrong = |message: &str| Err(Error::invalid("state", message));
    let is_known = v1::DeliveryState::try_from(request.state).is_ok();
    let v1::ListDeliveriesRequest { namespace, event_id, page_token, .. } = request;
    match (event_id.is_empty(), state) {
        _ if !is_known => wrong("must be a known state"),
        (false, v1::DeliveryState::Unspecified) => {
            Ok(DeliveryQuery::OfEvent(from_proto::key(&namespace, &event_id)?))
        }
        (false, _) => wrong("must not be set with an event"),
        (true, v1::DeliveryState::Unspecified | v1::DeliveryState::Dead) => {
            Ok(DeliveryQuery::Dead(Some(page_token).filter(|token| !token.is_empty())))
        }
        (true, v1::DeliveryState::Owed) => Ok(DeliveryQuery::Owed),
        (true, v1::DeliveryState::Delivered) => {
            wrong("must be owed or dead: what was delivered is listed by its event alone")
        }
    }
}

fn delivery(listed: ListedDelivery) -> v1::Delivery {
    let state = match listed.state {
        DeliveryState::Owed => v1::DeliveryState::Owed,
        DeliveryState::Delivered => v1::DeliveryState::Delivered,
        DeliveryState::Dead => v1::DeliveryState::Dead,
    };
    let kind = listed.told.map_or(v1::DeliveryKind::Unspecified, kind_to_proto);
    v1::Delivery {
        id: listed.id.to_string(),
        namespace: listed.id.key.namespace.to_string(),
        event_id: listed.id.key.id.to_string(),
        channel: listed.channel_name,
        kind: kind.into(),
        state: state.into(),
        recipient: listed.recipient,
        attempts: i32::try_from(listed.attempts).unwrap_or(i32::MAX),
        attempt_time: listed.time.map(to_proto::timestamp),
        next_attempt_time: listed.next_time.map(to_proto::timestamp),
        summary: listed.summary,
    }
}

pub(super) fn kind_to_proto(told: Told) -> v1::DeliveryKind {
    match told {
        Told::Asked => v1::DeliveryKind::Asked,
        Told::Reminder => v1::DeliveryKind::Reminder,
        Told::Escalated => v1::DeliveryKind::Escalated,
        Told::Updated => v1::DeliveryKind::Updated,
        Told::Ended => v1::DeliveryKind::Ended,
        Told::Test => v1::DeliveryKind::Test,
    }
}

pub(super) fn kind_of(kind: v1::DeliveryKind) -> Option<Told> {
    Told::ALL.into_iter().chain([Told::Test]).find(|told| kind_to_proto(*told) == kind)
}
