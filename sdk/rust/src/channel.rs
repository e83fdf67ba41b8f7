//! The connection that all calls of a client share.

use std::fmt::Display;
use std::time::Duration;

use tonic::transport::{Channel, Endpoint, Uri};

use crate::config::{Server, Settings};
use crate::error::{Error, Result};
use crate::local;
use crate::tunnel::{self, TUNNEL_TIMEOUT};

/// These find a connection that died without a word within one attempt of a call, so that another
/// attempt meets a new connection.
const KEEPALIVE_INTERVAL: Duration = Duration::from_secs(10);
const KEEPALIVE_TIMEOUT: Duration = Duration::from_secs(5);
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// The channel to the server at `place`, which connects at its first call and again after each loss.
pub(crate) fn connect(settings: &Settings, place: usize) -> Result<Channel> {
    let endpoint = endpoint(settings, place)?;
    let (servers, tls) = match &settings.server {
        Server::Local(local) => {
            return Ok(endpoint.connect_with_connector_lazy(local::connector(local.clone())));
        }
        Server::At(servers, tls) => (servers, tls),
    };
    let server = servers[place].clone();
    let proxy = settings.proxy.clone().filter(|proxy| proxy.is_for(&server));
    // A tunnel tells by itself that it took too long.
    let before = proxy.as_ref().map_or(Duration::ZERO, |_| TUNNEL_TIMEOUT);
    let endpoint = endpoint.connect_timeout(before + CONNECT_TIMEOUT);
    Ok(match (tls, proxy) {
        (None, None) => endpoint.connect_lazy(),
        (None, Some(proxy)) => {
            endpoint.connect_with_connector_lazy(tunnel::connector(proxy, server))
        }
        (Some(tls), proxy) => {
            endpoint.connect_with_connector_lazy(tls.clone().connector(server, proxy))
        }
    })
}

pub(crate) fn endpoint(settings: &Settings, place: usize) -> Result<Endpoint> {
    let name = settings.server.name(place);
    let failed = |error: &dyn Display| Error::config(format!("{name}: {error}"));
    let origin = name.parse::<Uri>().map_err(|error| failed(&error))?;
    // TLS is ours, which tonic must not know: it would want its own.
    let uri = name.replacen("https://", "http://", 1);
    let endpoint = Endpoint::from_shared(uri).map_err(|error| failed(&error))?;
    Ok(endpoint
        .origin(origin)
        .http2_keep_alive_interval(KEEPALIVE_INTERVAL)
        .keep_alive_timeout(KEEPALIVE_TIMEOUT)
        .keep_alive_while_idle(true))
}
