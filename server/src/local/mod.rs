//! The local server: the one that a user's programs share, and that `hitl up` starts when it is needed. All of its
//! rules are here.
//!
//! The data directory belongs to its owner alone. Two files in it are locked. The kernel ends a lock with the last
//! process that has it open, so that no crash leaves one behind:
//!
//! - `server.lock` is held by whoever starts a server, who hands it over to the server: there is one at a time.
//! - `server.json` says where the server listens. It is true as long as that server holds the lock on this very file.
//!   Nothing else is believed: no process id, which may be another's by now, and nobody who answers on a port.

mod claim;
mod dir;
mod lock;
mod log;
mod start;
mod state;

#[cfg(test)]
mod tests;

pub use claim::Claim;
pub use dir::{DataDir, data_dir};
pub use log::LOGS;
pub use start::up;
pub use state::{API, State};

use std::net::{Ipv4Addr, SocketAddr};
use std::num::NonZeroU16;

use anyhow::Context;

/// Port that a server listens on unless told otherwise: HITL on a phone's keys.
pub const PORT_DEFAULT: u16 = 4485;

/// Where a local server listens.
pub fn address(port: u16) -> SocketAddr {
    SocketAddr::from((Ipv4Addr::LOCALHOST, port))
}

/// The port that `HITL_PORT` has the local server listen on, if it is set.
///
/// # Errors
/// It is no port.
pub fn port_of(variable: Option<&str>) -> anyhow::Result<Option<NonZeroU16>> {
    let Some(text) = variable.filter(|text| !text.is_empty()) else {
        return Ok(None);
    };
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    let port = text.parse().ok().filter(|_| digits);
    port.map(Some).with_context(|| format!("HITL_PORT is {text:?}: set it to 1 to 65535"))
}

/// Has this process leave the terminal that it was started from, so that neither Ctrl-C nor the end of that terminal
/// reaches it.
pub fn leave_terminal() {
    // It fails only for the leader of a group of processes: one that a person runs in a terminal, who may end it there.
    let _ = rustix::process::setsid();
}
