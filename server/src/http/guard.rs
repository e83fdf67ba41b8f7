//! Keeps pages of other sites from using a person's browser to call us.
//!
//! A server on the loopback address that asks for no credentials is reachable for every page that
//! the person opens. Two rules keep those out. A request that may change something and that a
//! browser says comes from another origin is refused unless that origin is allowed; browsers say so
//! in `sec-fetch-site` or `origin`, and no page can make them lie. And while no credentials are
//! asked for, the host must be one of ours: else a page could point a name of its own at 127.0.0.1,
//! and be of our origin. An address in digits cannot be pointed elsewhere, so it always passes.
//!
//! A link is its own credential: whoever can forge a request with it could answer anyway. Its page
//! sends `origin: null`, too, since its address must not leak.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, Uri, header, uri};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use tower_http::cors::{AllowOrigin, CorsLayer};

use super::Settings;
use super::error::Failure;
use crate::error::Error;

/// How long a browser may remember what it is allowed to send.
const PREFLIGHT_AGE: Duration = Duration::from_secs(3600);

/// Headers that a page of an allowed origin may send: those of JSON, gRPC-Web and credentials.
const ALLOWED_HEADERS: [HeaderName; 6] = [
    header::ACCEPT,
    header::AUTHORIZATION,
    header::CONTENT_TYPE,
    HeaderName::from_static("grpc-timeout"),
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
pub fn guard(router: Router, settings: &Settings) -> Router {
    let guard = Arc::new(Guard::new(settings));
    let guarded = router.layer(middleware::from_fn_with_state(guard, check));
    if settings.allowed_origins.is_empty() {
        return guarded;
    }
    // Outermost: a browser asks by OPTIONS first, which no route serves.
    guarded.layer(cors(&settings.allowed_origins))
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
            Failure::Api(Error::OriginRefused(why)).into_response()
        }
    }
}

/// Decides by the head of a request alone.
struct Guard {
    allowed_origins: Vec<String>,
    open: bool,
    /// Scheme and authority of the public address.
    own_origin: String,
    /// Names that callers use for us, in lower case.
    own_hosts: Vec<String>,
}

impl Guard {
    fn new(settings: &Settings) -> Self {
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

    /// # Errors
    /// Why the request is refused, and what to do if it should not be.
    fn judge(&self, method: &Method, uri: &Uri, headers: &HeaderMap) -> Result<(), String> {
        let host = authority(uri, headers);
        // Every browser names a host; what names none is no browser.
        let names_host = uri.authority().is_some() || headers.contains_key(header::HOST);
        if self.open && names_host && !host.as_ref().is_some_and(|host| self.is_own_host(host)) {
            let host = host.as_ref().map_or("(unreadable)", uri::Authority::host);
            return Err(format!(
                "the host {host:?} is not known here; if it should be, start the server with --known-host"
            ));
        }
        let changes_nothing = matches!(*method, Method::GET | Method::HEAD | Method::OPTIONS);
        let has_token = uri.path().starts_with("/form/") || uri.path().starts_with("/v1/links/");
        if changes_nothing || has_token || self.is_own_origin(host.as_ref(), headers) {
            return Ok(());
        }
        let origin = text(headers, &header::ORIGIN).unwrap_or("another site");
        Err(format!(
            "pages of {origin:?} may not call this server; if they should, start it with --cors-origin"
        ))
    }

    fn is_own_host(&self, authority: &uri::Authority) -> bool {
        let host = authority.host().to_ascii_lowercase();
        let digits = host.trim_start_matches('[').trim_end_matches(']');
        host == "localhost" || digits.parse::<IpAddr>().is_ok() || self.own_hosts.contains(&host)
    }

    /// Whether no browser says that the request comes from a page of an origin that is not allowed.
    fn is_own_origin(&self, host: Option<&uri::Authority>, headers: &HeaderMap) -> bool {
        let origin = text(headers, &header::ORIGIN).map(str::to_ascii_lowercase);
        if let Some(origin) = &origin
            && self.allowed_origins.iter().any(|allowed| allowed == origin || allowed == "*")
        {
            return true;
        }
        match (text(headers, &HeaderName::from_static("sec-fetch-site")), origin) {
            // "none" is what a person does in the browser's own window.
            (Some(site), _) => matches!(site, "same-origin" | "none"),
            (None, None) => true,
            (None, Some(origin)) => {
                let same_host = host.is_some_and(|host| {
                    origin.split_once("://").is_some_and(|(_, own)| own == host.as_str())
                });
                same_host || origin == self.own_origin
            }
        }
    }
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
    fn a_page_of_another_origin_can_change_nothing() {
        let heads: [(&[(&str, &str)], bool); 11] = [
            (&[], true),
            (&[("sec-fetch-site", "same-origin")], true),
            (&[("sec-fetch-site", "none")], true),
            (&[("sec-fetch-site", "same-site")], false),
            (&[("sec-fetch-site", "cross-site")], false),
            (&[("origin", "http://127.0.0.1:4485")], true),
            (&[("origin", "https://hitl.example:8443")], true),
            (&[("origin", "http://127.0.0.1:9999")], false),
            (&[("origin", "https://evil.example")], false),
            (&[("origin", "null")], false),
            (&[("origin", "https://inbox.example"), ("sec-fetch-site", "cross-site")], true),
        ];
        for (head, allowed) in heads {
            for path in ["/v1/events", "/hitl.v1.EventService/AnswerEvent", "/submit"] {
                let judged = allows(&guard(), &Method::POST, path, head);
                assert_eq!(judged, allowed, "{path} {head:?}");
            }
            assert!(allows(&guard(), &Method::GET, "/v1/events", head));
            assert!(allows(&guard(), &Method::POST, "/form/id/token", head));
        }
    }
}
