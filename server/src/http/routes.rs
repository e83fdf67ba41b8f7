//! The one table of routes. The router is built from it, and so is the OpenAPI document: what is
//! served is described, and what is described is served.

use std::sync::Arc;

use axum::routing::{MethodRouter, get, post};

use super::{
    Site, audit, events, form, health, history, inbox, legacy, links, mcp, openapi, receipts,
    settings, sign_in, slack, watch,
};

/// One method of one path.
pub(super) struct Route {
    pub(super) method: &'static str,
    pub(super) path: &'static str,
    pub(super) endpoint: MethodRouter<Arc<Site>>,
    pub(super) doc: Doc,
    /// Whether it shows what may be large, to somebody who does not wait for an answer.
    pub(super) is_look: bool,
}

/// Whom a listener serves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Audience {
    /// Everybody.
    All,
    /// Programs, since people have a listener of their own.
    Programs,
    /// People, at a listener of their own.
    People,
}

/// Whether `path` is where others look whether the server is well.
pub(crate) fn is_probe(path: &str) -> bool {
    matches!(path, "/healthz" | "/readyz")
}

impl Audience {
    /// Whether a route of this path is served to it. A link is for people, even one that a program follows: it needs
    /// nothing but to be known.
    fn has(self, path: &str) -> bool {
        let is_link = LINKS.iter().any(|prefix| path.starts_with(prefix));
        let is_of_people = is_link
            || is_page(path)
            || matches!(path, "/account" | SLACK)
            || ["/inbox/", "/history/", "/settings/"].iter().any(|part| path.starts_with(part));
        match self {
            Self::All => true,
            Self::Programs => !is_of_people || path == CODE,
            Self::People => is_of_people || is_probe(path),
        }
    }
}

/// Where Slack tells of presses, from outside like a browser.
const SLACK: &str = "/channels/slack/actions";

/// Where the command line gets a code for a browser.
const CODE: &str = "/sign-in/code";

/// How the paths of links begin. The last is that of pages in earlier versions.
pub(super) const LINKS: [&str; 3] = ["/q/", "/v1/links/", "/form/"];

/// Whether it is a page for people who have signed in. Links to those stand in mails and chats, and issuers send people
/// back to them; what they send has a token in it that no other site knows.
pub(super) fn is_page(path: &str) -> bool {
    matches!(path, "/" | "/audit" | "/bulk" | "/history" | "/settings" | "/sign-out")
        || path.starts_with("/events/")
        || path == "/sign-in"
        || path.starts_with("/sign-in/")
}

/// The routes that are served to `audience`.
pub(super) fn of(audience: Audience) -> impl Iterator<Item = Route> {
    table().into_iter().filter(move |route| audience.has(route.path))
}

/// What the OpenAPI document says about a route.
#[derive(Clone, Copy)]
pub(crate) enum Doc {
    /// Nothing: it is for people, for machines that only look at the status, or for clients of old.
    Hidden,
    /// It is the RPC of this name.
    Rpc { name: &'static str, waits: bool },
    /// It is the RPC of this name, whose messages come as server-sent events.
    Stream { name: &'static str },
    /// It is one of the routes that no RPC has.
    Own { name: &'static str, waits: bool },
}

/// Every route.
#[expect(clippy::too_many_lines, reason = "it is a table")]
pub(super) fn table() -> Vec<Route> {
    let rpc = |name| Doc::Rpc { name, waits: false };
    let own = |name| Doc::Own { name, waits: false };
    let get_event = Doc::Rpc { name: "GetEvent", waits: true };
    let get_link = Doc::Own { name: "GetLink", waits: true };
    vec![
        route("post", "/v1/events", post(events::create), rpc("CreateEvent")),
        look("/v1/events", get(events::list), rpc("ListEvents")),
        route("get", "/v1/events:watch", get(watch::watch), Doc::Stream { name: "WatchEvents" }),
        route(
            "post",
            "/v1/events:batchCreate",
            post(events::batch_create),
            rpc("BatchCreateEvents"),
        ),
        route(
            "post",
            "/v1/events:batchAnswer",
            post(events::batch_answer),
            rpc("BatchAnswerEvents"),
        ),
        route("get", "/v1/events/{event_id}", get(events::get), get_event),
        route("post", "/v1/events/{event_id}/answer", post(events::answer), rpc("AnswerEvent")),
        route("post", "/v1/events/{event_id}/decline", post(events::decline), rpc("DeclineEvent")),
        route("post", "/v1/events/{event_id}/cancel", post(events::cancel), rpc("CancelEvent")),
        route("post", "/v1/events/{event_id}/remind", post(events::remind), rpc("RemindEvent")),
        look("/v1/events/{event_id}/comments", get(events::comments), rpc("ListComments")),
        route("post", "/v1/events/{event_id}/comments", post(events::comment), rpc("AddComment")),
        route("post", "/v1/events/{event_id}/claim", post(events::claim), rpc("ClaimEvent")),
        route("post", "/v1/events/{event_id}/release", post(events::release), rpc("ReleaseEvent")),
        route(
            "post",
            "/v1/events/{event_id}/delegate",
            post(events::delegate),
            rpc("DelegateEvent"),
        ),
        route("get", "/v1/events/{event_id}/receipt", get(receipts::show), rpc("GetReceipt")),
        route("get", "/v1/receipt-keys", get(receipts::keys), rpc("ListReceiptKeys")),
        route("get", "/.well-known/hitl-receipt-keys.json", get(receipts::jwks), Doc::Hidden),
        route("post", "/v1/events/{event_id}/links", post(events::create_link), rpc("CreateLink")),
        route(
            "post",
            "/v1/events/{event_id}/links:revoke",
            post(events::revoke_links),
            rpc("RevokeLinks"),
        ),
        route("get", "/v1/links/{link}", get(links::show), get_link),
        route("post", "/v1/links/{link}", post(links::submit), own("AnswerLink")),
        route("get", "/v1/links/{event_id}/{token}", get(links::show), Doc::Hidden),
        route("post", "/v1/links/{event_id}/{token}", post(links::submit), Doc::Hidden),
        look("/v1/openapi.json", get(openapi::show), own("GetOpenApi")),
        look("/", get(inbox::show), Doc::Hidden),
        route("get", "/inbox/changes", get(inbox::changes), Doc::Hidden),
        look("/q/{link}", get(form::show), Doc::Hidden),
        route("post", "/q/{link}", post(form::submit), Doc::Hidden),
        look("/form/{event_id}/{token}", get(form::show), Doc::Hidden),
        route("post", "/form/{event_id}/{token}", post(form::submit), Doc::Hidden),
        look("/bulk", get(form::show_together), Doc::Hidden),
        route("post", "/bulk", post(form::submit_together), Doc::Hidden),
        look("/history", get(history::show), Doc::Hidden),
        route("get", "/history/export", get(history::export), Doc::Hidden),
        look("/settings", get(settings::show), Doc::Hidden),
        route("post", "/settings/look", post(settings::save), Doc::Hidden),
        route("post", "/settings/tokens", post(settings::create), Doc::Hidden),
        route("post", "/settings/rotate-token", post(settings::rotate), Doc::Hidden),
        route("post", "/settings/revoke-token", post(settings::revoke), Doc::Hidden),
        route("post", "/settings/revoke-links", post(settings::revoke_links), Doc::Hidden),
        look("/audit", get(audit::show), Doc::Hidden),
        route("get", "/account", get(sign_in::home), Doc::Hidden),
        look("/events/{namespace}/{event_id}", get(form::show_known), Doc::Hidden),
        route("post", "/events/{namespace}/{event_id}", post(form::submit_known), Doc::Hidden),
        route("get", "/sign-in", get(sign_in::show), Doc::Hidden),
        route("get", "/sign-in/start", get(sign_in::start), Doc::Hidden),
        route("get", "/sign-in/callback", get(sign_in::callback), Doc::Hidden),
        route("post", "/sign-in/back-channel", post(sign_in::back_channel), Doc::Hidden),
        route("post", CODE, post(sign_in::code), Doc::Hidden),
        route("get", "/sign-in/local", get(sign_in::redeem), Doc::Hidden),
        route("post", "/sign-out", post(sign_in::sign_out), Doc::Hidden),
        route("post", SLACK, post(slack::press), Doc::Hidden),
        route("post", "/mcp", post(mcp::call), Doc::Hidden),
        route("get", "/healthz", get(health::alive), Doc::Hidden),
        route("get", "/readyz", get(health::ready), Doc::Hidden),
        route("get", "/metrics", get(health::metrics), Doc::Hidden),
        route("get", "/health", get(legacy::health), Doc::Hidden),
        look("/status/{event_id}", get(legacy::status), Doc::Hidden),
        route("post", "/submit", post(legacy::submit), Doc::Hidden),
        route("post", "/submit/json", post(legacy::submit_json), Doc::Hidden),
    ]
}

fn route(
    method: &'static str,
    path: &'static str,
    endpoint: MethodRouter<Arc<Site>>,
    doc: Doc,
) -> Route {
    Route { method, path, endpoint, doc, is_look: false }
}

fn look(path: &'static str, endpoint: MethodRouter<Arc<Site>>, doc: Doc) -> Route {
    Route { is_look: true, ..route("get", path, endpoint, doc) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn people_are_served_what_a_browser_needs_and_programs_the_rest() {
        const OF_PEOPLE: [&str; 25] = [
            "/",
            "/account",
            "/audit",
            "/bulk",
            SLACK,
            "/events/{namespace}/{event_id}",
            "/form/{event_id}/{token}",
            "/history",
            "/history/export",
            "/inbox/changes",
            "/q/{link}",
            "/settings",
            "/settings/look",
            "/settings/revoke-links",
            "/settings/revoke-token",
            "/settings/rotate-token",
            "/settings/tokens",
            "/sign-in",
            "/sign-in/back-channel",
            "/sign-in/callback",
            "/sign-in/local",
            "/sign-in/start",
            "/sign-out",
            "/v1/links/{event_id}/{token}",
            "/v1/links/{link}",
        ];
        const OF_BOTH: [&str; 3] = ["/healthz", "/readyz", CODE];
        let paths =
            |audience| -> Vec<&'static str> { of(audience).map(|route| route.path).collect() };
        let (programs, people) = (paths(Audience::Programs), paths(Audience::People));
        assert_eq!(paths(Audience::All).len(), table().len());
        for path in OF_PEOPLE.into_iter().chain(OF_BOTH) {
            assert!(people.contains(&path), "{path}");
        }
        for route in table() {
            let served = [&programs, &people].map(|paths| paths.contains(&route.path));
            let (both, alone) = (OF_BOTH.contains(&route.path), OF_PEOPLE.contains(&route.path));
            assert_eq!(served, [!alone, alone || both], "{}", route.path);
        }
    }
}
