//! What all pages share: the frame, the style, the headers, and the pages that say that something is not there.
//!
//! Nothing comes from elsewhere, so the content policy can forbid everything but the one style sheet and the one
//! script, which are inlined and named by their hashes: a page is one request, behind whatever path a proxy puts us.
//! The script makes pages live, and each works without it.

use std::sync::{LazyLock, OnceLock};

use askama::Template;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use sha2::{Digest, Sha256};

use super::error::Failure;
use super::refusals::{NO_LINK, Refuses};
use super::render::Renderer;

/// The style sheet of every page.
pub(super) const STYLE: &str = include_str!("../../templates/style.css");
/// The script of every page.
pub(super) const SCRIPT: &str = include_str!("../../templates/page.js");
/// The style sheet of pages with lists, beside that.
pub(super) const DESK_STYLE: &str = include_str!("../../templates/desk.css");
/// The script of the inbox, beside that of every page.
pub(super) const INBOX_SCRIPT: &str = include_str!("../../templates/inbox.js");
/// The icon of every page.
pub(super) const ICON: &str = "data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 24 24' \
                               fill='%230b5a62'%3E%3Crect x='4' y='2.5' width='6' height='19' rx='3'/%3E%3Ccircle \
                               cx='17' cy='5.5' r='3.1'/%3E%3Crect x='14' y='10.5' width='6' height='11' \
                               rx='3'/%3E%3C/svg%3E";

/// What pages say of the server that shows them. It is the same for all pages of a process, and set before the first.
static INSTANCE: OnceLock<Instance> = OnceLock::new();

/// What pages say of the server that shows them.
#[derive(Clone, Debug, Default)]
pub struct Instance {
    /// What the server is called; empty for hitl.
    pub name: String,
    /// Whom people ask who cannot get any further; empty if nobody is named.
    pub contact: String,
}

/// Has all pages say what `instance` is. Only the first call counts.
pub fn introduce(instance: Instance) {
    let _ = INSTANCE.set(instance);
}

/// What the server is called.
pub(super) fn instance_name() -> &'static str {
    INSTANCE.get().map(|it| it.name.as_str()).filter(|name| !name.is_empty()).unwrap_or("hitl")
}

fn whom_to_ask() -> &'static str {
    INSTANCE.get().map_or("", |instance| instance.contact.as_str())
}

static POLICY: LazyLock<HeaderValue> = LazyLock::new(|| {
    let hashes = |texts: [&str; 2]| {
        texts
            .map(|text| format!("'sha256-{}'", BASE64_STANDARD.encode(Sha256::digest(text))))
            .join(" ")
    };
    let (styles, scripts) = (hashes([STYLE, DESK_STYLE]), hashes([SCRIPT, INBOX_SCRIPT]));
    let policy = format!(
        "default-src 'none'; style-src {styles}; script-src {scripts}; img-src data:; connect-src \
         'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    );
    HeaderValue::from_str(&policy).expect("base64 makes a header")
});

/// A page that says one thing.
#[derive(Template)]
#[template(path = "notice.html")]
struct Notice<'a> {
    title: &'a str,
    message: &'a str,
}

/// `template` as a page.
pub(super) fn html(status: StatusCode, template: &impl Template) -> Response {
    let content_type = [(header::CONTENT_TYPE, "text/html; charset=utf-8")];
    let text = template.render().expect("writing to a string cannot fail");
    (status, content_type, text).into_response()
}

/// A page that says one thing.
pub(super) fn notice(status: StatusCode, title: &str, message: &str) -> Response {
    html(status, &Notice { title, message })
}

/// The page for every link that is not valid, the same to the byte whatever is wrong with it.
pub(super) fn no_such_link() -> Response {
    let title = "This link does not open a question";
    let message =
        "It may be cut off or too old. Copy it whole, or ask whoever sent it for a new one.";
    let page = match whom_to_ask() {
        "" => notice(StatusCode::NOT_FOUND, title, message),
        contact => {
            let message = format!("{message} If that does not help, ask {contact}.");
            notice(StatusCode::NOT_FOUND, title, &message)
        }
    };
    NO_LINK.with(page)
}

/// The page for an address that leads nowhere.
pub(super) fn nothing_here() -> Response {
    notice(StatusCode::NOT_FOUND, "There is nothing here", "Check the address.")
}

/// The page for a form that was not made for whoever sends it.
pub(super) fn foreign_form() -> Response {
    let message = "It was sent by a page that is not ours, or that is older than your session. Go back, load the page \
                   again, and send it from there.";
    let page = notice(StatusCode::FORBIDDEN, "Nothing was recorded", message);
    Refuses("the form was not made for whoever sent it").with(page)
}

/// A page that is the reply to a POST. The browser alone may keep it, so that its back button can show it again without
/// sending the form a second time.
pub(super) fn kept_by_browser(mut page: Response) -> Response {
    let private = HeaderValue::from_static("private, no-cache");
    page.headers_mut().insert(header::CACHE_CONTROL, private);
    page
}

/// The page that `work` makes, on a thread for such work. If it cannot be made, what is shown needs no such work.
pub(super) async fn draw(
    renderer: &Renderer,
    work: impl FnOnce() -> Response + Send + 'static,
) -> Response {
    renderer.run(work).await.unwrap_or_else(|error| {
        let (status, _) = Failure::Api(error).status_and_body();
        let message = "The server has too much to do to show this page. Nothing was changed. Go back, and try it \
                       again in a moment.";
        let mut response = notice(status, "Not just now", message);
        response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static("2"));
        response
    })
}

/// Whether the client would rather see a page than JSON.
pub(super) fn is_wanted(headers: &HeaderMap) -> bool {
    let accept = headers.get(header::ACCEPT).and_then(|value| value.to_str().ok());
    accept.is_some_and(|accept| accept.contains("text/html"))
}

/// Sets the headers that protect pages and links on every response, an error or a reply of gRPC as well: no browser may
/// make anything of those either.
pub(super) fn protected(mut response: Response) -> Response {
    const FIXED: [(HeaderName, &str); 6] = [
        // A link is a secret in the address: it goes to no other site, no cache and no index.
        (header::REFERRER_POLICY, "no-referrer"),
        (HeaderName::from_static("x-robots-tag"), "noindex, nofollow"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::X_FRAME_OPTIONS, "DENY"),
        (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
        (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
    ];
    let headers = response.headers_mut();
    headers.reserve(FIXED.len() + 2);
    for (name, value) in FIXED {
        headers.insert(name, HeaderValue::from_static(value));
    }
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    headers.insert(header::CONTENT_SECURITY_POLICY, POLICY.clone());
    response
}

/// The same as a layer.
pub(super) async fn protect(response: Response) -> Response {
    protected(response)
}
