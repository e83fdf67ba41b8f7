//! The Model Context Protocol: agents ask people by four tools.
//!
//! There are two ways in. Over `/mcp` the tools call the API of this server (`near.rs`, `http.rs`). In `hitl mcp`,
//! which an agent's client starts and talks to over standard streams, they call a server through the Rust SDK
//! (`far.rs`, `stdio.rs`). [`desk::Desk`] is all that they know of either, so that both do the same.
//!
//! No replica remembers a client. A question is an event, found again by its id, by its idempotency key (`key.rs`), or
//! by the state that a client carries back (`state.rs`). A client that vanishes takes nothing along.
//!
//! No other module names `rmcp`, which speaks the protocol: the revision of 2026-07-28, in which a call that needs the
//! user is answered by what to ask, and repeated; and those before it.

mod arguments;
mod ask;
mod desk;
mod dialog;
mod elicit;
mod far;
mod hold;
pub(crate) mod http;
mod key;
mod near;
mod refused;
mod show;
mod state;
pub(crate) mod stdio;
mod table;
mod tools;

use std::time::Duration;

/// Longest that a call is held. Some clients give up after a minute, whatever progress they are told of.
const HOLD_MAX: Duration = Duration::from_secs(50);
