//! Signing in on one's own machine: the command line gets a code that works once, and a browser shows it.

use std::sync::Arc;

use axum::extract::State;
use axum::http::{StatusCode, Uri};
use axum::response::Response;
use hitl_core::{Actor, AuditKind, Audited, Principal};
use serde_json::json;

use super::{redirect, session_cookie, visit};
use crate::auth::session::{Holder, Session};
use crate::http::error::{self, Failure};
use crate::http::refusals::Refuses;
use crate::http::request::{Known, Peer};
use crate::http::{Site, page};
use hitl_service::error::Error;

/// Makes a code, for the user of this machine alone.
pub(in crate::http) async fn code(
    State(site): State<Arc<Site>>,
    known: Known,
) -> Result<Response, Failure> {
    let codes =
        site.sign_in.codes.as_ref().filter(|_| known.caller().principal == Principal::Owner);
    let codes = codes.ok_or(Error::PermissionDenied(
        "only the user of this machine gets a code, by the local server's own token",
    ))?;
    let code = codes.make(site.service.clock().monotonic(), site.service.random());
    Ok(error::json(StatusCode::OK, &json!({"code": code})))
}

/// Takes a code for a session. The browser is sent on at once, so that its history has no address with a code in it.
pub(in crate::http) async fn redeem(
    State(site): State<Arc<Site>>,
    peer: Peer,
    uri: Uri,
) -> Response {
    let Some(codes) = &site.sign_in.codes else {
        return visit::not_signed_in(&site);
    };
    let mut query = form_urlencoded::parse(uri.query().unwrap_or_default().as_bytes());
    let code = query.find(|(name, _)| name == "code").map(|(_, code)| code).unwrap_or_default();
    if !codes.redeem(&code, site.service.clock().monotonic()) {
        let message = "A code works once, and for a minute. Run `hitl inbox` again.";
        let page = page::notice(StatusCode::UNAUTHORIZED, "You are not signed in", message);
        return Refuses("the code is not good").with(page);
    }
    let session = Session::begin(Holder::Owner, site.now(), site.service.random());
    let cookie = session_cookie(&site, &session).expect("it holds no groups");
    let what = Audited::new(AuditKind::SignIn).saying("by a code of the command line");
    site.service.audit(Actor::new(&Principal::Owner, peer.address()), what).await;
    redirect("../", [cookie])
}
