//! Receipts, and the keys that verify them: as calls of the API, and the keys once more as a JWK set where programs
//! look for such a thing.

use std::sync::Arc;

use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use hitl_core::Principal;
use hitl_proto::v1;
use hitl_receipt::KeySet;

use super::Site;
use super::error::{self, Failure};
use super::request::{EventPath, Known, Query, bind};
use crate::api::Api;
use hitl_service::quotas::Payer;

type Reply = Result<Response, Failure>;

pub(super) async fn show(
    State(api): State<Api>,
    id: EventPath,
    known: Known,
    query: Query,
) -> Reply {
    let mut request: v1::GetReceiptRequest = query.message()?;
    bind(&mut request.event_id, id)?;
    let receipt = api.get_receipt(request, known.caller()).await?;
    Ok(error::message(&receipt))
}

pub(super) async fn keys(State(api): State<Api>, known: Known, query: Query) -> Reply {
    let request: v1::ListReceiptKeysRequest = query.message()?;
    let keys = api.list_receipt_keys(request, known.caller()).await?;
    Ok(error::message(&keys))
}

/// For whoever asks: a public key is no secret, and whoever verifies a receipt may be no caller of ours.
pub(super) async fn jwks(State(site): State<Arc<Site>>) -> Reply {
    const KIND: &str = "application/jwk-set+json";
    let _call = site.admission.call(Payer::default())?;
    let keys = site.service.session(Principal::Anyone).receipt_keys().await?;
    let keys: KeySet = keys.iter().map(|published| published.key).collect();
    Ok(([(header::CONTENT_TYPE, KIND)], keys.to_json()).into_response())
}
