//! `POST /mcp`: the tools for agents, in the namespace that the query names.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{StatusCode, header};
use axum::response::Response;
use hitl_core::Channel;

use super::error::Failure;
use super::request::{Known, Query};
use super::{BODY_BYTES_MAX, Site};
use crate::api::Caller;
use crate::mcp::http::{Call, serve};

pub(super) async fn call(
    State(site): State<Arc<Site>>,
    known: Known,
    mut query: Query,
    request: Request,
) -> Result<Response, Failure> {
    let namespace = query.take("namespace").unwrap_or_default();
    query.nothing_else()?;
    let (caller, owner) = known.waits();
    let caller = Caller { channel: Channel::Mcp, ..caller };
    let call = Call { caller, owner, namespace };
    let reply = serve(&site.api, &site.links, call, request, BODY_BYTES_MAX).await;
    let status = reply.status();
    if !status.is_success() && !reply.headers().contains_key(header::CONTENT_TYPE) {
        return Err(Failure::Http(status, refusal(status)));
    }
    Ok(reply.map(Body::new))
}

/// Why a request was refused before it was read as a message of the protocol.
fn refusal(status: StatusCode) -> String {
    match status {
        StatusCode::NOT_ACCEPTABLE => {
            "a client of MCP accepts both application/json and text/event-stream".to_owned()
        }
        // Of a body that is no message, too.
        StatusCode::UNSUPPORTED_MEDIA_TYPE => {
            "the body must be a message of MCP as JSON, and the content-type application/json"
                .to_owned()
        }
        StatusCode::PAYLOAD_TOO_LARGE => {
            format!("the body must have at most {BODY_BYTES_MAX} bytes")
        }
        _ => "this is no message of the Model Context Protocol".to_owned(),
    }
}
