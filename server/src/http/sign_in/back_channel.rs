//! Where the issuer itself tells that somebody has signed out (OpenID Connect Back-Channel Logout 1.0).

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use hitl_core::{Actor, AuditKind, Audited};

use super::issuer;
use crate::auth::oidc::Refused;
use crate::http::Site;
use crate::http::error::Failure;
use crate::http::refusals::Refuses;
use crate::http::request::{FormBody, Peer};
use hitl_service::error::Error;

/// Ends the sessions that a logout token names. The issuer is told that they have ended once every replica will know.
pub(in crate::http) async fn back_channel(
    State(site): State<Arc<Site>>,
    peer: Peer,
    FormBody(pairs): FormBody,
) -> Result<Response, Failure> {
    let not_taken = || Failure::Http(StatusCode::NOT_FOUND, "there is no such path".to_owned());
    let oidc = issuer(&site).ok_or_else(not_taken)?;
    let token = pairs.iter().find(|(name, _)| name == "logout_token");
    let token = token.map(|(_, token)| token.as_str()).unwrap_or_default();
    let out = match oidc.signed_out(token).await {
        Ok(out) => out,
        Err(Refused::Token(why)) => {
            tracing::warn!(why, "a logout token was refused");
            let message = format!("the logout_token is not good: {why}");
            let failure = Failure::Http(StatusCode::BAD_REQUEST, message);
            return Ok(Refuses(why).with(failure.into_response()));
        }
        Err(Refused::Issuer(error)) => {
            tracing::warn!("a logout token cannot be judged: {error:#}");
            return Err(Error::IssuerUnavailable.into());
        }
    };
    site.sign_in.sign_outs.heed(&site.service, &out, token).await?;
    tracing::info!(subject = out.subject, "signed out at the issuer");
    let what = Audited::new(AuditKind::SignOut).about(&*out.subject).saying("by the issuer");
    site.service.audit(Actor::unknown(peer.address()), what).await;
    Ok(StatusCode::OK.into_response())
}
