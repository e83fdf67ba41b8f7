//! The tools over HTTP, at one path, for every revision of the protocol.
//!
//! There are no sessions: each request stands for itself, on whatever replica it arrives, and carries a credential like
//! any other. The guard of the routes has looked at its origin and its host before. A client of a revision before
//! 2026-07-28 can be asked nothing without a session, so it is given a link.

use std::convert::Infallible;
use std::fmt::Display;
use std::sync::Arc;

use ::http::{Request, Response};
use bytes::Bytes;
use hitl_service::Owner;
use hyper::body::Body;
use rmcp::transport::streamable_http_server::session::never::NeverSessionManager;
use rmcp::transport::streamable_http_server::{StreamableHttpServerConfig, StreamableHttpService};

use super::near::Near;
use super::tools::Tools;
use crate::api::{Api, Caller};
use crate::auth::Links;

/// Who calls, and about which questions.
pub(crate) struct Call {
    pub(crate) caller: Caller,
    pub(crate) owner: Owner,
    /// Empty for the default.
    pub(crate) namespace: String,
}

/// The reply to `request`, whose body has at most `bytes_max`.
pub(crate) async fn serve<B>(
    api: &Api,
    links: &Links,
    call: Call,
    request: Request<B>,
    bytes_max: usize,
) -> Response<impl Body<Data = Bytes, Error = Infallible> + use<B>>
where
    B: Body<Error: Display> + Send + 'static,
{
    let near = Near::new(api.clone(), links, call.caller, call.owner, call.namespace);
    let config = StreamableHttpServerConfig::default()
        .with_legacy_session_mode(false)
        .disable_allowed_hosts()
        .with_max_request_body_bytes(bytes_max);
    let sessions = Arc::new(NeverSessionManager::default());
    let service =
        StreamableHttpService::new(move || Ok(Tools::new(near.clone())), sessions, config);
    service.handle(request).await
}
