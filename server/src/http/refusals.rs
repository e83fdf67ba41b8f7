//! Has the audit told of every reply that refuses somebody who has not proved to be anybody, or not enough: whoever
//! makes such a reply says so among its extensions. What roles do not allow is noted where it is decided.

use axum::Router;
use axum::extract::{MatchedPath, Request, State};
use axum::http::HeaderValue;
use axum::middleware::{self, Next};
use axum::response::Response;
use hitl_core::{Actor, Audited};
use hitl_service::Service;

use crate::auth::Who;
use crate::json::descriptors;
use crate::net;

/// The status of gRPC for a call without a good credential.
const UNAUTHENTICATED: &str = "16";
/// What such a reply says everywhere.
pub(super) const NO_CREDENTIAL: Refuses = Refuses("there is no good credential");
/// What is said of every link that is not valid, whatever is wrong with it.
pub(super) const NO_LINK: Refuses = Refuses("the link is not valid");

/// That a reply refuses somebody, and why: nothing of what was sent.
#[derive(Clone, Copy, Debug)]
pub(super) struct Refuses(pub(super) &'static str);

impl Refuses {
    /// `response`, which says so.
    pub(super) fn with(self, mut response: Response) -> Response {
        response.extensions_mut().insert(self);
        response
    }
}

/// Has the audit of `service` told of what all routes, HTTP and gRPC, refuse.
pub fn audited(router: Router, service: Service) -> Router {
    router.layer(middleware::from_fn_with_state(service, note))
}

async fn note(State(service): State<Service>, request: Request, next: Next) -> Response {
    let (method, extensions) = (request.method().clone(), request.extensions());
    let route = extensions.get::<MatchedPath>().cloned();
    let called = route.as_ref().and_then(|route| rpc(route.as_str(), request.uri().path()));
    let peer = extensions.get::<net::Peer>().copied();
    let principal = Who::of(extensions).ok();
    let response = next.run(request).await;
    let is_refused = |value: &HeaderValue| value == UNAUTHENTICATED;
    let why = response.extensions().get::<Refuses>().copied().or_else(|| {
        response.headers().get("grpc-status").is_some_and(is_refused).then_some(NO_CREDENTIAL)
    });
    if let Some(Refuses(why)) = why {
        let address = peer.map(|peer| peer.address.ip().to_string()).unwrap_or_default();
        let actor = match &principal {
            Some(principal) => Actor::new(principal, address),
            None => Actor::unknown(address),
        };
        let wanted = called.unwrap_or_else(|| {
            // The template of the route and never its path, in which links stand.
            let route = route.as_ref().map_or("(no route)", MatchedPath::as_str);
            format!("{method} {route}")
        });
        service.audit_refusal(actor, Audited::refusal(wanted, why));
    }
    response
}

/// The name of the RPC that `path` calls, if `route` is that of its service.
fn rpc(route: &str, path: &str) -> Option<String> {
    let service = route.strip_suffix("/{*rest}")?.strip_prefix('/')?;
    let method = path.rsplit('/').next()?;
    let service = descriptors().get_service_by_name(service)?;
    service.methods().map(|known| known.name().to_owned()).find(|known| known == method)
}
