//! Keeps pages of other sites from using a person's browser to call us.
//!
//! A server on the loopback address that asks for no credentials is reachable for every page that
//! the person opens. Two rules keep those out. A request that a browser says comes from a page of
//! another origin is refused unless that origin is allowed, whether it would change something or
//! only look: browsers say so in `sec-fetch-site` or `origin`, and no page can make them lie. And
//! while no credentials are asked for, the host must be one of ours: else a page could point a name
//! of its own at 127.0.0.1, and be of our origin. An address in digits cannot be pointed elsewhere,
//! so it always passes.
//!
//! A link is there to be followed from anywhere, so opening one is let through, and nothing else
//! with it. Its page is sent with `no-referrer`, since its address must not leak; where a browser
//! does not say `sec-fetch-site` (an old one, or any on plain HTTP), such a page can only send
//! `origin: null`, and that is taken for it: whoever forges that must know the link.
//!
//! Whatever is replied, here or further in, leaves with the headers that protect pages.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Uri, header, uri};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use hitl_proto::visible;
use tower_http::cors::{AllowOrigin, CorsLayer};

use super::error::Failure;
use super::refusals::Refuses;
use super::{Settings, page, routes};
use hitl_service::error::Error;

/// Most of a foreign origin or host that a refusal repeats.
const NAMED_CHARS_MAX: usize = 100;

const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");
const SEC_FETCH_MODE: HeaderName = HeaderName::from_static("sec-fetch-mode");
const SEC_FETCH_DEST: HeaderName = HeaderName::from_static("sec-fetch-dest");

/// How long a browser may remember what it is allowed to send.
const PREFLIGHT_AGE: Duration = Duration::from_secs(3600);

/// Headers that a page of an allowed origin may send: those of JSON, gRPC-Web, Connect, MCP and credentials.
const ALLOWED_HEADERS: [HeaderName; 11] = [
    header::ACCEPT,
    header::AUTHORIZATION,
    header::CONTENT_TYPE,
    HeaderName::from_static("connect-protocol-version"),
    HeaderName::from_static("connect-timeout-ms"),
    HeaderName::from_static("grpc-timeout"),
    HeaderName::from_static("mcp-method"),
    HeaderName::from_static("mcp-name"),
    HeaderName::from_static("mcp-protocol-version"),
    HeaderName::from_static("x-grpc-web"),
    HeaderName::from_static("x-user-agent"),
];

/// Headers that it may read.
const EXPOSED_HEADERS: [HeaderName; 4] = [
    HeaderName::from_static("grpc-status"),
    HeaderName::from_static("grpc-message"),
    HeaderName::from_static("grpc-status-details-bin"),
    header::RETRY_AFTER,
];

/// Puts the guard around all routes, HTTP and gRPC.
pub fn guard(router: Router, guard: Arc<Guard>, settings: &Settings) -> Router {
    let guarded = router.layer(middleware::from_fn_with_state(guard, check));
    let guarded = if settings.allowed_origins.is_empty() {
        guarded
    } else {
        // Outside of the guard: a browser asks by OPTIONS first, which no route serves.
        guarded.layer(cors(&settings.allowed_origins))
    };
    guarded.layer(middleware::map_response(page::protect))
}

fn cors(allowed_origins: &[String]) -> CorsLayer {
    let origins = if allowed_origins.iter().any(|origin| origin == "*") {
        AllowOrigin::any()
    } else {
        let values = allowed_origins.iter().map(|origin| origin.trim_end_matches('/').parse());
        AllowOrigin::list(values.filter_map(Result::<HeaderValue, _>::ok))
    };
    CorsLayer::new()
        .allow_origin(origins)
        .allow_methods([Method::GET, Method::HEAD, Method::POST])
        .allow_headers(ALLOWED_HEADERS)
        .expose_headers(EXPOSED_HEADERS)
        .max_age(PREFLIGHT_AGE)
}

async fn check(State(guard): State<Arc<Guard>>, request: Request, next: Next) -> Response {
    match guard.judge(request.method(), request.uri(), request.headers()) {
        Ok(()) => next.run(request).await,
        Err(why) => {
            tracing::warn!(why, "a browser's call was refused");
            let refused = if page::is_wanted(request.headers()) {
                page::notice(StatusCode::FORBIDDEN, "This was refused", &why)
            } else {
                Failure::Api(Error::OriginRefused(why)).into_response()
            };
            Refuses("a browser sent it for a page of another origin, or to a foreign host")
                .with(refused)
        }
    }
}

/// Whose page a browser sent the request for.
#[derive(Debug, PartialEq, Eq)]
enum Sender<'a> {
    /// One of ours or of an allowed origin, or nobody's: the person's own doing, or no browser at all.
    Trusted,
    /// One that has no origin, as far as the browser says.
    Nameless,
    /// Another site's, of this origin if the browser says it.
    Foreign(Option<&'a str>),
}

/// Decides by the head of a request alone.
#[derive(Debug)]
pub struct Guard {
    allowed_origins: Vec<String>,
    open: bool,
    /// Scheme and authority of the public address.
    own_origin: String,
    /// Names that callers use for us, in lower case.
    own_hosts: Vec<String>,
}

impl Guard {
    /// The guard of a server with these settings.
    pub fn new(settings: &Settings) -> Self {
        let public: Option<Uri> = settings.public_url.parse().ok();
        let scheme = public.as_ref().and_then(Uri::scheme_str).unwrap_or("http");
        let authority = public.as_ref().and_then(Uri::authority).map(uri::Authority::as_str);
        let origins = settings.allowed_origins.iter();
        let known_hosts = settings.known_hosts.iter().map(String::as_str);
        Self {
            allowed_origins: origins
                .map(|o| o.trim_end_matches('/').to_ascii_lowercase())
                .collect(),
            open: settings.open,
            own_origin: format!("{scheme}://{}", authority.unwrap_or_default())
                .to_ascii_lowercase(),
            own_hosts: known_hosts
                .chain(public.as_ref().and_then(Uri::host))
                .map(str::to_ascii_lowercase)
                .collect(),
        }
    }

    /// Whether a request with this head may pass.
    pub fn admits(&self, method: &Method, uri: &Uri, headers: &HeaderMap) -> bool {
        self.judge(method, uri, headers).is_ok()
    }

    /// # Errors
    /// Why the request is refused, and what to do if it should not be.
    fn judge(&self, method: &Method, uri: &Uri, headers: &HeaderMap) -> Result<(), String> {
        let host = authority(uri, headers);
        // Every browser names a host; what names none is no browser.
        let names_host = uri.authority().is_some() || headers.contains_key(header::HOST);
        if self.open && names_host && !host.as_ref().is_some_and(|host| self.is_own_host(host)) {
            let host = host.as_ref().map_or("(unreadable)", uri::Authority::host);
            return Err(format!(
                "the host \"{}\" is not known here; if it should be, start the server with --known-host",
                visible::cut_line(host, NAMED_CHARS_MAX)
            ));
        }
        let is_link = routes::LINKS.iter().any(|prefix| uri.path().starts_with(prefix));
        let is_link = is_link || routes::is_page(uri.path());
        let origin = match self.sender(host.as_ref(), headers) {
            Sender::Trusted => return Ok(()),
            Sender::Nameless if is_link => return Ok(()),
            Sender::Foreign(_) if is_link && is_visit(method, headers) => return Ok(()),
            Sender::Nameless => "without a name".to_owned(),
            Sender::Foreign(None) => "of another site".to_owned(),
            Sender::Foreign(Some(origin)) => {
                format!("of \"{}\"", visible::cut_line(origin, NAMED_CHARS_MAX))
            }
        };
        Err(format!(
            "pages {origin} may not call this server; if they should, start it with --cors-origin"
        ))
    }

    fn is_own_host(&self, authority: &uri::Authority) -> bool {
        let host = authority.host().to_ascii_lowercase();
        let digits = host.trim_start_matches('[').trim_end_matches(']');
        host == "localhost" || digits.parse::<IpAddr>().is_ok() || self.own_hosts.contains(&host)
    }

    fn sender<'a>(&self, host: Option<&uri::Authority>, headers: &'a HeaderMap) -> Sender<'a> {
        let origin = text(headers, &header::ORIGIN);
        let is_allowed = |origin: &str| {
            let mut allowed = self.allowed_origins.iter();
            allowed.any(|allowed| allowed == "*" || allowed.eq_ignore_ascii_case(origin))
        };
        if origin.is_some_and(is_allowed) {
            return Sender::Trusted;
        }
        match (text(headers, &SEC_FETCH_SITE), origin) {
            // "none" is what a person does in the browser's own window.
            (Some("same-origin" | "none"), _) | (None, None) => Sender::Trusted,
            (Some(_), origin) => Sender::Foreign(origin),
            (None, Some("null")) => Sender::Nameless,
            (None, Some(origin)) if self.is_own_origin(host, origin) => Sender::Trusted,
            (None, Some(origin)) => Sender::Foreign(Some(origin)),
        }
    }

    /// Whether a page of `origin` is ours, as far as the address tells by which we are called.
    fn is_own_origin(&self, host: Option<&uri::Authority>, origin: &str) -> bool {
        let same_host = host.is_some_and(|host| {
            let authority = origin.split_once("://").map(|(_, authority)| authority);
            authority.is_some_and(|authority| authority.eq_ignore_ascii_case(host.as_str()))
        });
        same_host || origin.eq_ignore_ascii_case(&self.own_origin)
    }
}

/// Whether a person goes to the page, rather than another page taking it into itself.
fn is_visit(method: &Method, headers: &HeaderMap) -> bool {
    let destination = text(headers, &SEC_FETCH_DEST);
    matches!(*method, Method::GET | Method::HEAD)
        && text(headers, &SEC_FETCH_MODE) == Some("navigate")
        && destination.is_none_or(|destination| destination == "document")
}

/// Where the request was addressed to: HTTP/2 says it in the address, HTTP/1 in a header.
fn authority(uri: &Uri, headers: &HeaderMap) -> Option<uri::Authority> {
    let in_header = || text(headers, &header::HOST)?.to_ascii_lowercase().parse().ok();
    uri.authority().cloned().or_else(in_header)
}

fn text<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a str> {
    headers.get(name).map(|value| value.to_str().unwrap_or("(unreadable)"))
}

#[cfg(test)]
mod tests {
    use super::*;

    type Pairs<'a> = &'a [(&'a str, &'a str)];

    fn guard() -> Guard {
        Guard::new(&Settings {
            allowed_origins: vec!["https://inbox.example/".to_owned()],
            known_hosts: vec!["Hitl.hitl".to_owned()],
            open: true,
            public_url: "https://hitl.example:8443".to_owned(),
        })
    }

    fn allows(guard: &Guard, method: &Method, path: &str, pairs: &[(&str, &str)]) -> bool {
        let mut headers = HeaderMap::new();
        for (name, value) in pairs {
            headers.insert(name.parse::<HeaderName>().unwrap(), value.parse().unwrap());
        }
        headers.entry(header::HOST).or_insert(HeaderValue::from_static("127.0.0.1:4485"));
        guard.judge(method, &path.parse().unwrap(), &headers).is_ok()
    }

    #[test]
    fn only_our_own_host_names_pass_while_no_credentials_are_asked_for() {
        let names = [
            ("localhost", true),
            ("LOCALHOST:4485", true),
            ("127.0.0.1", true),
            ("[::1]:4485", true),
            ("10.0.0.7:80", true),
            ("hitl.example", true),
            ("hitl.HITL:4485", true),
            ("hitl", false),
            ("evil.example", false),
            ("localhost.evil.example", false),
            ("127.0.0.1.evil.example", false),
            ("127.0.0.1.nip.io:4485", false),
        ];
        for (host, allowed) in names {
            for method in [Method::GET, Method::POST] {
                let judged = allows(&guard(), &method, "/v1/events", &[("host", host)]);
                assert_eq!(judged, allowed, "{method} {host}");
            }
        }
        let closed = Guard { open: false, ..guard() };
        assert!(allows(&closed, &Method::GET, "/v1/events", &[("host", "evil.example")]));
    }

    #[test]
    fn a_host_that_cannot_be_read_is_none_of_ours() {
        let mut headers = HeaderMap::new();
        headers.insert(header::HOST, HeaderValue::from_static("a b"));
        assert!(guard().judge(&Method::GET, &Uri::from_static("/"), &headers).is_err());
    }

    #[test]
    fn a_page_of_another_origin_can_neither_change_nor_look() {
        let heads: [(&[(&str, &str)], bool); 14] = [
            (&[], true),
            (&[("sec-fetch-site", "same-origin")], true),
            (&[("sec-fetch-site", "same-origin"), ("origin", "null")], true),
            (&[("sec-fetch-site", "none")], true),
            (&[("sec-fetch-site", "same-site")], false),
            (&[("sec-fetch-site", "cross-site")], false),
            (&[("sec-fetch-site", "cross-site"), ("sec-fetch-mode", "navigate")], false),
            (&[("origin", "http://127.0.0.1:4485")], true),
            (&[("origin", "https://hitl.example:8443")], true),
            (&[("origin", "http://127.0.0.1:9999")], false),
            (&[("origin", "https://evil.example")], false),
            (&[("origin", "null")], false),
            (&[("origin", "https://Inbox.example"), ("sec-fetch-site", "cross-site")], true),
            (&[("origin", "http://127.0.0.1:4485"), ("sec-fetch-site", "cross-site")], false),
        ];
        for (head, allowed) in heads {
            for path in [
                "/v1/events",
                "/hitl.v1.EventService/AnswerEvent",
                "/submit",
                "/metrics",
                "/v1/tokens",
            ] {
                for method in [Method::GET, Method::HEAD, Method::POST, Method::OPTIONS] {
                    let judged = allows(&guard(), &method, path, head);
                    assert_eq!(judged, allowed, "{method} {path} {head:?}");
                }
            }
        }
    }

    #[test]
    fn a_link_may_be_opened_from_anywhere_and_used_from_its_own_page_alone() {
        let visit = ("sec-fetch-mode", "navigate");
        let heads: [(Pairs<'_>, bool, bool); 10] = [
            (&[], true, true),
            (&[("origin", "null")], true, true),
            (&[("origin", "null"), ("sec-fetch-site", "same-origin")], true, true),
            (&[("origin", "null"), ("sec-fetch-site", "cross-site")], false, false),
            (&[("origin", "https://evil.example")], false, false),
            (&[("origin", "https://inbox.example")], true, true),
            (&[("sec-fetch-site", "cross-site"), visit], true, false),
            (
                &[("sec-fetch-site", "same-site"), visit, ("sec-fetch-dest", "document")],
                true,
                false,
            ),
            (
                &[("sec-fetch-site", "cross-site"), visit, ("sec-fetch-dest", "iframe")],
                false,
                false,
            ),
            (&[("sec-fetch-site", "cross-site"), ("sec-fetch-mode", "no-cors")], false, false),
        ];
        for (head, opens, sends) in heads {
            for path in ["/q/link", "/v1/links/link", "/form/id/token", "/v1/links/id/token"] {
                assert_eq!(allows(&guard(), &Method::GET, path, head), opens, "{path} {head:?}");
                assert_eq!(allows(&guard(), &Method::POST, path, head), sends, "{path} {head:?}");
            }
        }
    }

    #[test]
    fn a_refusal_repeats_little_of_what_it_refuses() {
        let mut headers = HeaderMap::new();
        headers.insert(header::ORIGIN, "x".repeat(8_000).parse().unwrap());
        let why = guard().judge(&Method::GET, &Uri::from_static("/"), &headers).unwrap_err();
        assert!(why.len() < 300, "{why}");
    }
}
