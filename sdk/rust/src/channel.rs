//! The connection that all calls of a client share.

use std::time::Duration;

use tonic::transport::{Channel, Endpoint};

use crate::config::Settings;
use crate::error::{Error, Result};
use crate::serve;

/// Finds a connection that died without a word while only waits are open on it.
const KEEPALIVE_INTERVAL: Duration = Duration::from_secs(20);
const KEEPALIVE_TIMEOUT: Duration = Duration::from_secs(10);
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// The channel, which connects at its first call and again after each loss.
pub(crate) fn connect(settings: &Settings) -> Result<Channel> {
    let endpoint = Endpoint::from_shared(settings.endpoint.clone())
        .map_err(|error| Error::config(format!("{}: {error}", settings.endpoint)))?
        .http2_keep_alive_interval(KEEPALIVE_INTERVAL)
        .keep_alive_timeout(KEEPALIVE_TIMEOUT)
        .keep_alive_while_idle(true);
    Ok(match settings.launcher.clone() {
        Some(launcher) => endpoint.connect_with_connector_lazy(serve::connector(launcher)),
        None => endpoint.connect_timeout(CONNECT_TIMEOUT).connect_lazy(),
    })
}
