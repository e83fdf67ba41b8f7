//! How pages look to somebody: theme, time zone, and whether single keys do anything. A cookie of the browser keeps it.
//!
//! It is put into the first tag of each page on its way out, so that no page has to know of it.

use std::sync::Arc;

use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::http::{HeaderMap, header};
use axum::middleware::Next;
use axum::response::Response;

use super::{Form, News, reply, see};
use crate::http::Site;
use crate::http::cookies::Cookie;
use crate::http::error::Failure;
use crate::http::request::FormBody;
use crate::http::sign_in::Visit;

/// How long a browser keeps it: a year.
const KEPT_S: i64 = 366 * 86_400;
/// Longest name of a time zone.
const ZONE_CHARS_MAX: usize = 64;
/// With what each page begins.
const BEGIN: &str = "<!doctype html>\n<html lang=\"en\"";

/// See the module.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(in crate::http) struct Look {
    /// `light` or `dark`; empty for what the system says.
    pub(super) theme: String,
    /// Such as Europe/Berlin; empty for the browser's own.
    pub(super) zone: String,
    pub(super) are_keys_off: bool,
}

impl Look {
    /// What the cookie among `headers` says.
    pub(in crate::http) fn of(site: &Site, headers: &HeaderMap) -> Self {
        site.cookies.read(headers, Cookie::Look).map(Self::read).unwrap_or_default()
    }

    fn read(cookie: &str) -> Self {
        let mut parts = cookie.split('~');
        let (theme, keys) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
        let zone = parts.next().unwrap_or_default();
        Self::checked(theme, keys == "off", zone).unwrap_or_default()
    }

    /// A look of these parts, if they make one.
    fn checked(theme: &str, are_keys_off: bool, zone: &str) -> Option<Self> {
        let is_theme = matches!(theme, "" | "light" | "dark");
        let is_zone_char =
            |c: char| c.is_ascii_alphanumeric() || matches!(c, '/' | '_' | '-' | '+');
        let is_zone = zone.len() <= ZONE_CHARS_MAX && zone.chars().all(is_zone_char);
        let look = Self { theme: theme.to_owned(), zone: zone.to_owned(), are_keys_off };
        (is_theme && is_zone).then_some(look)
    }

    fn cookie(&self) -> String {
        let keys = if self.are_keys_off { "off" } else { "" };
        format!("{}~{keys}~{}", self.theme, self.zone)
    }

    /// What it adds to the first tag of a page.
    fn attributes(&self) -> String {
        let mut attributes = String::new();
        let mut add = |name: &str, value: &str| {
            if !value.is_empty() {
                attributes.push_str(&format!(" data-{name}=\"{value}\""));
            }
        };
        add("theme", &self.theme);
        add("zone", &self.zone);
        add("keys", if self.are_keys_off { "off" } else { "" });
        attributes
    }
}

/// Takes a look from the form of the settings.
pub(in crate::http) async fn save(
    State(site): State<Arc<Site>>,
    visit: Visit,
    body: Result<FormBody, Failure>,
) -> Response {
    let form = match Form::of(&site, &visit, body) {
        Ok(form) => form,
        Err(page) => return *page,
    };
    let look = Look::checked(form.text("theme"), form.text("keys") == "off", form.text("zone"));
    match look {
        Some(look) => {
            let cookie = site.cookies.set(Cookie::Look, &look.cookie(), KEPT_S);
            visit.reply(see(cookie))
        }
        None => {
            let said = "A time zone is a name such as Europe/Berlin or UTC.".to_owned();
            let news = News { wrong: vec![said], ..News::default() };
            reply(&site, visit, Look::default(), news).await
        }
    }
}

/// Has each page look as its reader wants it to.
pub(in crate::http) async fn apply(
    State(site): State<Arc<Site>>,
    request: Request,
    next: Next,
) -> Response {
    let look = Look::of(&site, request.headers());
    let response = next.run(request).await;
    let kind = response.headers().get(header::CONTENT_TYPE);
    let is_page = kind.is_some_and(|kind| kind.as_bytes().starts_with(b"text/html"));
    if !is_page || look == Look::default() {
        return response;
    }
    let (mut head, body) = response.into_parts();
    // Pages are in memory as a whole already.
    let Ok(bytes) = to_bytes(body, usize::MAX).await else {
        return Response::from_parts(head, Body::empty());
    };
    let Some(rest) = bytes.strip_prefix(BEGIN.as_bytes()) else {
        return Response::from_parts(head, Body::from(bytes));
    };
    head.headers.remove(header::CONTENT_LENGTH);
    let page = [BEGIN.as_bytes(), look.attributes().as_bytes(), rest].concat();
    Response::from_parts(head, Body::from(page))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_look_survives_its_cookie_and_nothing_else_becomes_one() {
        let look = Look::checked("dark", true, "America/Argentina/Buenos_Aires").unwrap();
        assert_eq!(Look::read(&look.cookie()), look);
        assert_eq!(
            look.attributes(),
            " data-theme=\"dark\" data-zone=\"America/Argentina/Buenos_Aires\" data-keys=\"off\""
        );
        for wrong in ["blue~~", "dark~~a b", "~~\"><script>", &format!("~~{}", "a".repeat(65))] {
            assert_eq!(Look::read(wrong), Look::default(), "{wrong}");
        }
        assert_eq!(Look::default().attributes(), "");
    }
}
