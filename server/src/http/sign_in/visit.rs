//! Who looks at a page for people who have signed in.

use std::sync::Arc;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use hitl_core::Principal;

use super::{issuer, not_recorded, session_cookie};
use crate::auth::Who;
use crate::auth::sign_in::{Unknown, Visitor};
use crate::http::cookies::Cookie;
use crate::http::refusals::Refuses;
use crate::http::{Site, page};
use crate::net;

/// A look of somebody who is known. Whoever is not is sent to sign in.
pub(in crate::http) struct Visit {
    pub(in crate::http) visitor: Visitor,
    /// The cookie that keeps the session from ending for want of use.
    renewal: Option<HeaderValue>,
}

impl FromRequestParts<Arc<Site>> for Visit {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, site: &Arc<Site>) -> Result<Self, Response> {
        let address = parts.extensions.get::<net::Peer>().map(|peer| peer.address.ip());
        let cookie = site.cookies.read(&parts.headers, Cookie::Session);
        let visitor =
            site.sign_in.visitor(&site.service, &site.links, address, &parts.headers, cookie);
        let is_open = matches!(Who::of(&parts.extensions), Ok(Principal::Anyone));
        match visitor.await {
            Ok(mut visitor) => {
                visitor.address = address;
                Ok(Self::of(site, visitor))
            }
            Err(Unknown::NotSignedIn) if is_open => Ok(Self::of(site, Visitor::anyone())),
            Err(Unknown::NotSignedIn) if issuer(site).is_some() => {
                Err(to_sign_in(parts.uri.path()))
            }
            Err(Unknown::NotSignedIn) => Err(not_signed_in(site)),
            Err(Unknown::Refused(why)) => {
                tracing::warn!(why, "the name that a proxy gives is not believed");
                let title = "It is not proved who you are";
                Err(Refuses(why).with(page::notice(StatusCode::UNAUTHORIZED, title, why)))
            }
            Err(Unknown::Store(error)) => Err(not_recorded(error)),
        }
    }
}

impl Visit {
    fn of(site: &Site, visitor: Visitor) -> Self {
        let session = visitor.session.as_ref();
        let renewed = session.and_then(|session| session.renewed(site.now(), site.sign_in.lasts));
        let renewal = renewed.and_then(|session| session_cookie(site, &session));
        Self { visitor, renewal }
    }

    /// `response`, which also keeps the session alive.
    pub(in crate::http) fn reply(self, mut response: Response) -> Response {
        if let Some(cookie) = self.renewal {
            response.headers_mut().append(header::SET_COOKIE, cookie);
        }
        response
    }
}

/// To the page where people sign in, and from there back to `path`.
fn to_sign_in(path: &str) -> Response {
    let up = "../".repeat(path.matches('/').count().saturating_sub(1));
    let to = form_urlencoded::byte_serialize(path.as_bytes()).collect::<String>();
    let location = HeaderValue::from_str(&format!("{up}sign-in?to={to}")).expect("it is ASCII");
    (StatusCode::SEE_OTHER, [(header::LOCATION, location)]).into_response()
}

/// The page for whoever is not known where nobody can sign in by an issuer.
pub(super) fn not_signed_in(site: &Site) -> Response {
    let message = if site.sign_in.codes.is_some() {
        "Run `hitl inbox` on this machine: it opens this page and signs you in."
    } else {
        "Nobody can sign in to this server by a browser. Use a link that was sent to you, or ask whoever runs it."
    };
    page::notice(StatusCode::UNAUTHORIZED, "You are not signed in", message)
}
