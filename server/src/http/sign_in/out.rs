//! Signing out, here and at the issuer.

use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::Response;
use hitl_core::{AuditKind, Audited};

use super::{Visit, host, issuer, not_recorded};
use crate::http::cookies::Cookie;
use crate::http::error::Failure;
use crate::http::request::FormBody;
use crate::http::{Site, page};

#[derive(Template)]
#[template(path = "signed_out.html")]
struct SignedOutPage<'a> {
    issuer: &'a str,
    /// Where to sign out there too; empty if that cannot be done.
    elsewhere: String,
}

/// Ends the session of whoever sends the form of the first page, on every replica, and has the browser forget it.
pub(in crate::http) async fn sign_out(
    State(site): State<Arc<Site>>,
    headers: HeaderMap,
    visit: Visit,
    body: Result<FormBody, Failure>,
) -> Response {
    let form = body.map(|FormBody(pairs)| pairs).unwrap_or_default();
    let token = form.iter().find(|(name, _)| name == "form_token").map(|(_, token)| token.as_str());
    if !site.links.is_form_token(&visit.visitor.form_id, token.unwrap_or_default()) {
        return page::foreign_form();
    }
    let Some(session) = &visit.visitor.session else {
        let message = "It is not a session of this server that says who you are. Sign out where you signed in.";
        return page::notice(StatusCode::OK, "There is nothing to sign out of", message);
    };
    if let Err(error) = site.sign_in.sign_outs.end(&site.service, session).await {
        return not_recorded(error);
    }
    tracing::info!("signed out");
    site.service.audit(visit.visitor.actor(), Audited::new(AuditKind::SignOut)).await;
    let id_token = site.cookies.read(&headers, Cookie::IdToken);
    let mut elsewhere = None;
    let oidc = issuer(&site);
    if let Some(oidc) = oidc {
        let back = format!("{}/", site.links.public_url());
        elsewhere = oidc.end_session_url(id_token, &back).await;
    }
    let page = SignedOutPage {
        issuer: &oidc.map(host).unwrap_or_default(),
        elsewhere: elsewhere.map(String::from).unwrap_or_default(),
    };
    let mut response = page::html(StatusCode::OK, &page);
    for cookie in [Cookie::Session, Cookie::IdToken] {
        response.headers_mut().append(header::SET_COOKIE, site.cookies.clear(cookie));
    }
    response
}
