//! HTTP: the pages where people answer, JSON for programs without gRPC, and the guard that stands before both.
//!
//! A handler converts, calls the API or, for pages and links, the use cases, and converts back; no rule about events
//! lives here. What does live here is everything that a browser makes necessary: escaping, headers, origins, and pages
//! that work without a script.

mod audit;
mod cookies;
mod error;
mod events;
mod form;
mod guard;
mod health;
mod history;
mod inbox;
mod legacy;
mod links;
pub mod markdown;
mod mcp;
mod members;
mod nav;
mod openapi;
mod page;
mod receipts;
mod refusals;
mod render;
mod request;
mod routes;
mod settings;
mod sign_in;
mod site;
mod slack;
mod trace;
mod urlencoded;
pub(crate) mod visible;
mod watch;
mod words;

#[cfg(test)]
mod tests;

use std::sync::Arc;

use axum::Extension;
pub use axum::Router;
pub use axum::body::Body;
use axum::extract::{DefaultBodyLimit, Request, State};
use axum::http::HeaderMap;
use axum::middleware::{self, Next};
use axum::response::Response;

use error::Failure;
pub use guard::{Guard, guard};
use hitl_service::error::Error;
pub use page::{Instance, introduce};
pub use refusals::audited;
use render::Renderer;
pub use routes::Audience;
#[cfg(test)]
pub(crate) use routes::Doc;
pub(crate) use routes::is_probe;
pub use site::{Registry, Site};

/// Method and path of every route, and what the OpenAPI document says about it.
#[cfg(test)]
pub(crate) fn route_docs() -> Vec<(&'static str, &'static str, Doc)> {
    routes::table().into_iter().map(|route| (route.method, route.path, route.doc)).collect()
}

/// Largest body of a request.
pub const BODY_BYTES_MAX: usize = hitl_core::limits::REQUEST_BYTES_MAX;

/// The reply to a request with these headers that is refused before it has reached any route.
pub fn refusal(error: Error, headers: &HeaderMap) -> Response {
    page::protected(error::refusal(error, headers))
}

/// What the HTTP side needs to know about where it runs.
#[derive(Debug, Clone, Default)]
pub struct Settings {
    /// Origins whose pages may call us, such as `https://inbox.example.org`; `*` for all.
    pub allowed_origins: Vec<String>,
    /// Names of hosts by which we are called, besides that of the public address.
    pub known_hosts: Vec<String>,
    /// Whether no credentials are asked for, so that nothing but the host name keeps foreign pages out.
    pub open: bool,
    /// Where the server is reached from outside, such as `http://127.0.0.1:4485`.
    pub public_url: String,
}

/// All HTTP routes that `audience` is served. [`guard()`] belongs around them, and around the gRPC routes too.
pub fn router(site: Arc<Site>, audience: Audience) -> Router {
    let document = openapi::Document::new(match audience {
        Audience::All => site.links.public_url(),
        // Wherever the document was found: the public address is that of the links.
        Audience::Programs | Audience::People => "/",
    });
    let looks = middleware::from_fn_with_state(site.clone(), look);
    let router = routes::of(audience).fold(Router::new(), |router, route| {
        let endpoint = match route.is_look {
            true => route.endpoint.layer(looks.clone()),
            false => route.endpoint,
        };
        router.route(route.path, endpoint)
    });
    router
        .fallback(error::no_such_route)
        .method_not_allowed_fallback(error::no_such_method)
        .layer(Extension(document))
        .layer(Extension(Renderer::new(site.background().clone())))
        .layer(DefaultBodyLimit::max(BODY_BYTES_MAX))
        .layer(middleware::from_fn(trace::trace))
        .layer(middleware::from_fn_with_state(site.clone(), settings::apply))
        .with_state(site)
}

/// Serves a route that only looks at something in the background, since what it reads and makes may be large.
async fn look(
    State(site): State<Arc<Site>>,
    request: Request,
    next: Next,
) -> Result<Response, Failure> {
    Ok(site.background().run(next.run(request)).await?)
}
