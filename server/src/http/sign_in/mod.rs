//! The pages by which people sign in and out.
//!
//! The way to the issuer is a link and not a form, and the way out ends on a page of ours: the content policy lets no
//! form of ours lead to another site, and browsers hold that against where a form is redirected to, too.

mod back_channel;
mod home;
mod local;
mod out;
mod visit;

use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use hitl_core::{Actor, AuditKind, Audited, Timestamp};
use serde::{Deserialize, Serialize};
use url::Url;

use super::Site;
use super::cookies::Cookie;
use super::page;
use super::refusals::Refuses;
use super::request::Peer;
use crate::auth::oidc::{Begun, Identity, Oidc, Refused, Returned, SignedIn};
use crate::auth::session::{Holder, Session, Use};
use crate::auth::sign_out;
use hitl_service::error::Error;

pub(super) use back_channel::back_channel;
pub(super) use home::home;
pub(super) use local::{code, redeem};
pub(super) use out::sign_out;
pub(super) use visit::Visit;

/// How long a person may take at the issuer: ten minutes.
const SIGN_IN_S: i64 = 600;
/// Longest path that a sign-in leads to.
const TO_CHARS_MAX: usize = 300;
/// Longest ID token that is kept for the way out.
const ID_TOKEN_CHARS_MAX: usize = 3_800;

/// A sign-in on its way, in its cookie.
#[derive(Serialize, Deserialize)]
struct Way {
    begun: Begun,
    at: Timestamp,
}

#[derive(Template)]
#[template(path = "sign_in.html")]
struct SignInPage<'a> {
    issuer: &'a str,
    start: String,
}

/// The page from which people go to the issuer.
pub(super) async fn show(State(site): State<Arc<Site>>, uri: Uri) -> Response {
    let Some(oidc) = issuer(&site) else {
        return visit::not_signed_in(&site);
    };
    let to = form_urlencoded::byte_serialize(to(&uri).as_bytes()).collect::<String>();
    let start = format!("sign-in/start?to={to}");
    page::html(StatusCode::OK, &SignInPage { issuer: &host(oidc), start })
}

/// Sends the browser to the issuer.
pub(super) async fn start(State(site): State<Arc<Site>>, uri: Uri) -> Response {
    let Some(oidc) = issuer(&site) else {
        return visit::not_signed_in(&site);
    };
    let begun = Begun::new(to(&uri), site.service.random());
    let url = match oidc.authorize_url(&begun).await {
        Ok(url) => url,
        Err(error) => return unreachable(oidc, &error),
    };
    let way = Way { begun, at: site.now() };
    let way = serde_json::to_vec(&way).expect("texts are JSON");
    let cookie =
        site.cookies.set(Cookie::SignIn, &site.links.seal_for(Use::SignIn, &way), SIGN_IN_S);
    redirect(url.as_str(), [cookie])
}

/// Where the issuer sends the browser back to.
pub(super) async fn callback(
    State(site): State<Arc<Site>>,
    peer: Peer,
    uri: Uri,
    headers: HeaderMap,
) -> Response {
    let Some(oidc) = issuer(&site) else {
        return visit::not_signed_in(&site);
    };
    let (returned, refusal) = returned(&uri);
    let Some(way) = way(&site, &headers).filter(|way| way.begun.is_of(&returned.state)) else {
        return again(
            "This sign-in is not the one that was begun in this browser, or it took more than ten minutes.",
        );
    };
    if let Some(refusal) = refusal {
        tracing::info!(refusal, "a sign-in was refused by the issuer");
        let page = again("You were not signed in there.");
        return Refuses("the issuer refused the sign-in").with(page);
    }
    match oidc.finish(&way.begun, &returned).await {
        Ok(signed_in) => enter(&site, oidc, &signed_in, &way.begun.to, peer.address()).await,
        Err(Refused::Token(why)) => {
            tracing::warn!(why, "a sign-in was refused");
            Refuses(why).with(again("What came back with you could not be believed."))
        }
        Err(Refused::Issuer(error)) => unreachable(oidc, &error),
    }
}

/// Begins a session for whoever has signed in, if there is anything that they may do.
async fn enter(
    site: &Site,
    oidc: &Oidc,
    signed_in: &SignedIn,
    to: &str,
    address: &str,
) -> Response {
    let identity = oidc.who(signed_in);
    let actor = Actor::new(&identity.principal(None), address);
    if identity.rights.is_empty() {
        tracing::info!(subject = identity.subject, "somebody signed in who may do nothing here");
        let refusal = Audited::refusal("sign in", "nothing that the issuer says gives a role here");
        site.service.audit_refusal(actor, refusal);
        return no_role(oidc, &identity);
    }
    let (name, issuer) = (identity.subject.clone(), &identity.issuer);
    let generation = sign_out::generation(&site.service, site.now(), issuer, &name).await;
    let generation = match generation {
        Ok(generation) => generation,
        Err(error) => return not_recorded(error),
    };
    let session =
        Session::begin(Holder::Person { identity, generation }, site.now(), site.service.random());
    let Some(cookie) = session_cookie(site, &session) else {
        tracing::warn!(
            subject = name,
            "the roles of a person do not fit into a cookie: give fewer --oidc-role"
        );
        return again("There is more that you may do here than fits into a browser's cookie.");
    };
    tracing::info!(subject = name, "signed in");
    let what = Audited::new(AuditKind::SignIn).saying(format!("by {}", host(oidc)));
    site.service.audit(actor, what).await;
    let left_s = session.left_s(site.now(), site.sign_in.lasts);
    let id_token = match signed_in.id_token.len() {
        ..=ID_TOKEN_CHARS_MAX => site.cookies.set(Cookie::IdToken, &signed_in.id_token, left_s),
        _ => site.cookies.clear(Cookie::IdToken),
    };
    // Relative, so that it holds behind any prefix of a proxy.
    redirect(&format!("..{to}"), [cookie, id_token, site.cookies.clear(Cookie::SignIn)])
}

/// The header with the cookie of `session`; none if it does not fit.
fn session_cookie(site: &Site, session: &Session) -> Option<HeaderValue> {
    let left_s = session.left_s(site.now(), site.sign_in.lasts);
    Some(site.cookies.set(Cookie::Session, &session.cookie(&site.links)?, left_s))
}

fn issuer(site: &Site) -> Option<&Oidc> {
    site.sign_in.oidc.as_deref().filter(|oidc| oidc.can_sign_in())
}

fn way(site: &Site, headers: &HeaderMap) -> Option<Way> {
    let cookie = site.cookies.read(headers, Cookie::SignIn)?;
    let way: Way = serde_json::from_slice(&site.links.unseal_for(Use::SignIn, cookie)?).ok()?;
    (site.now().ms_since(way.at) < SIGN_IN_S * 1000).then_some(way)
}

/// What the issuer sent back, and the error if it is one.
fn returned(uri: &Uri) -> (Returned, Option<String>) {
    let (mut returned, mut error) = (Returned::default(), None);
    for (name, value) in form_urlencoded::parse(uri.query().unwrap_or_default().as_bytes()) {
        match &*name {
            "code" => returned.code = value.into_owned(),
            "state" => returned.state = value.into_owned(),
            "iss" => returned.issuer = value.into_owned(),
            "error" => error = Some(hitl_proto::visible::cut_line(&value, 60)),
            _ => {}
        }
    }
    (returned, error)
}

/// Where the browser wants to go: a page of ours, whatever the address says.
fn to(uri: &Uri) -> String {
    let mut query = form_urlencoded::parse(uri.query().unwrap_or_default().as_bytes());
    let to = query.find(|(name, _)| name == "to").map(|(_, to)| to.into_owned());
    to.filter(|to| is_ours(to)).unwrap_or_else(|| "/".to_owned())
}

fn is_ours(to: &str) -> bool {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '/');
    let is_event = to.starts_with("/events/") && !to.contains("//");
    let is_page = matches!(to, "/history" | "/audit" | "/settings");
    (is_event || is_page) && to.len() <= TO_CHARS_MAX && to.chars().all(is_plain)
}

fn host(oidc: &Oidc) -> String {
    let url = Url::parse(oidc.issuer()).ok();
    url.and_then(|url| url.host_str().map(str::to_owned)).unwrap_or_default()
}

fn redirect<const N: usize>(to: &str, cookies: [HeaderValue; N]) -> Response {
    let mut response = StatusCode::SEE_OTHER.into_response();
    let to = HeaderValue::from_str(to).expect("an address is ASCII");
    response.headers_mut().insert(header::LOCATION, to);
    for cookie in cookies {
        response.headers_mut().append(header::SET_COOKIE, cookie);
    }
    response
}

/// The issuer does not do its part.
fn unreachable(oidc: &Oidc, error: &anyhow::Error) -> Response {
    tracing::warn!("nobody can sign in: {error:#}");
    let message = format!(
        "{} does not do its part, and without it nobody can sign in. Whoever has signed in already stays so. Nothing \
         was changed. Try it again in a moment.",
        host(oidc)
    );
    let status = StatusCode::SERVICE_UNAVAILABLE;
    let mut page = page::notice(status, "Signing in does not work just now", &message);
    page.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static("10"));
    page
}

fn no_role(oidc: &Oidc, identity: &Identity) -> Response {
    let message = format!(
        "{} knows you as {}, but nothing that it says of you gives you a role here. Ask whoever runs this server to \
         let you in, or use a link that was sent to you.",
        host(oidc),
        identity.name
    );
    page::notice(StatusCode::FORBIDDEN, "You may not do anything here", &message)
}

fn again(message: &str) -> Response {
    let message = format!(
        "{message} Go back to the question or to the first page of this server, and sign in again."
    );
    page::notice(StatusCode::BAD_REQUEST, "You are not signed in", &message)
}

/// The store did not take or say something.
fn not_recorded(error: Error) -> Response {
    let failure = super::error::Failure::Api(error);
    let (status, _) = failure.status_and_body();
    let message =
        "The server cannot reach what it keeps. Nothing was changed. Try it again in a moment.";
    page::notice(status, "Not just now", message)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sign_in_leads_to_a_page_of_ours_alone() {
        let to = |query: &str| to(&format!("/sign-in?{query}").parse().unwrap());
        assert_eq!(to("to=%2Fevents%2Fteam%2F0af1"), "/events/team/0af1");
        assert_eq!(to("to=/events/team/0af1"), "/events/team/0af1");
        assert_eq!(to("to=%2Fhistory"), "/history");
        for other in [
            "",
            "to=",
            "to=//evil.example",
            "to=https://evil.example",
            "to=/events//evil.example",
            "to=/events/%5Cevil.example",
            "to=/events/../sign-out",
            "to=/events/a%0d%0ab",
            "to=/%5Cevil.example",
            "to=/metrics",
        ] {
            assert_eq!(to(other), "/", "{other}");
        }
    }
}
