//! The connection that all calls of a client share.

use std::time::Duration;

use tonic::transport::{Channel, Endpoint};

use crate::config::{Server, Settings};
use crate::error::{Error, Result};
use crate::local;

/// These find a connection that died without a word within one attempt of a call, so that another
/// attempt meets a new connection.
const KEEPALIVE_INTERVAL: Duration = Duration::from_secs(10);
const KEEPALIVE_TIMEOUT: Duration = Duration::from_secs(5);
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// The channel, which connects at its first call and again after each loss.
pub(crate) fn connect(settings: &Settings) -> Result<Channel> {
    let endpoint = endpoint(settings)?;
    Ok(match &settings.server {
        Server::Local(local) => {
            endpoint.connect_with_connector_lazy(local::connector(local.clone()))
        }
        Server::At(_) => endpoint.connect_timeout(CONNECT_TIMEOUT).connect_lazy(),
    })
}

pub(crate) fn endpoint(settings: &Settings) -> Result<Endpoint> {
    let uri = settings.server.name();
    let endpoint = Endpoint::from_shared(uri.clone())
        .map_err(|error| Error::config(format!("{uri}: {error}")))?;
    Ok(endpoint
        .http2_keep_alive_interval(KEEPALIVE_INTERVAL)
        .keep_alive_timeout(KEEPALIVE_TIMEOUT)
        .keep_alive_while_idle(true))
}
