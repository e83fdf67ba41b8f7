//! HTTP to others' servers, whose addresses strangers may have chosen: no private address, no redirect, no proxy, and a
//! bound for everything.
//!
//! A name is resolved once for each connection, by a resolver that gives only the addresses that may be asked, and the
//! connection is made to one of those: what was judged is what is asked, whatever the name leads to a moment later.

use std::error::Error as _;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Once};
use std::time::Duration;

use bytes::Bytes;
use futures::future::BoxFuture;
use http::header::{CONTENT_TYPE, RETRY_AFTER};
use http::{HeaderMap, HeaderValue, Method, StatusCode};
use ipnet::IpNet;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::{Client, redirect};
use url::{Host, Url};

use super::address::Allowed;
use super::{Retry, Undelivered};

/// Longest that a receiver may take for one reply, from the resolution of its name on.
const PATIENCE: Duration = Duration::from_secs(15);
/// Longest that it may take until it is connected.
const CONNECT_PATIENCE: Duration = Duration::from_secs(5);
/// Bytes of a reply that are read.
const REPLY_BYTES_MAX: usize = 64 * 1024;
/// Connections that are kept for later, of each receiver.
const IDLE_MAX: usize = 4;

static TLS: Once = Once::new();

/// Sends requests within these bounds. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Outbound {
    /// For https, to whatever address is good; or why there is none.
    secure: Result<Client, String>,
    /// For plain http, to addresses that the operator allows by name.
    plain: Client,
    allowed: Allowed,
    lookup: Arc<dyn Lookup>,
}

/// What came back.
#[derive(Debug)]
pub struct Reply {
    /// The status, which may be any.
    pub status: StatusCode,
    /// The headers.
    pub headers: HeaderMap,
    /// The beginning of the body.
    pub body: Bytes,
}

/// Finds the addresses of names.
pub(super) trait Lookup: std::fmt::Debug + Send + Sync {
    /// The addresses of `host`.
    fn lookup(&self, host: String) -> BoxFuture<'static, std::io::Result<Vec<IpAddr>>>;
}

/// The resolver of the system.
#[derive(Debug)]
struct System;

/// Gives only addresses that may be asked.
#[derive(Clone, Debug)]
struct Judge {
    allowed: Allowed,
    lookup: Arc<dyn Lookup>,
    is_plain: bool,
}

impl Outbound {
    /// Sends to the public internet, and to these networks. On a machine without certificates of authorities it sends
    /// nothing by https, which others than those who want that must not suffer for.
    ///
    /// # Errors
    /// There can be no client at all.
    pub fn new(networks: &[IpNet]) -> reqwest::Result<Self> {
        Self::with(networks, Arc::new(System))
    }

    pub(super) fn with(networks: &[IpNet], lookup: Arc<dyn Lookup>) -> reqwest::Result<Self> {
        // Whoever comes second finds it done.
        TLS.call_once(|| drop(rustls::crypto::ring::default_provider().install_default()));
        let allowed = Allowed::new(networks);
        let client = |is_plain| {
            let judge = Judge { allowed: allowed.clone(), lookup: lookup.clone(), is_plain };
            Client::builder()
                .dns_resolver(Arc::new(judge))
                .https_only(!is_plain)
                .no_proxy()
                .redirect(redirect::Policy::none())
                .connect_timeout(CONNECT_PATIENCE)
                .timeout(PATIENCE)
                .pool_max_idle_per_host(IDLE_MAX)
                .user_agent(concat!("hitl/", env!("CARGO_PKG_VERSION")))
        };
        let secure = client(false).build().map_err(|error| {
            let why = format!("this server trusts no authority for https: {}", root(&error));
            tracing::warn!(why, "no channel can use https; install the package ca-certificates");
            why
        });
        let plain = client(true).tls_certs_only([]).build()?;
        Ok(Self { secure, plain, allowed, lookup })
    }

    /// Refuses an address that is never asked, as far as that can be said without asking anybody.
    ///
    /// # Errors
    /// What is wrong, in words that follow the name of a field.
    pub fn check(&self, text: &str) -> Result<Url, String> {
        let url = Url::parse(text).map_err(|_| "must be a URL".to_owned())?;
        let is_web = matches!(url.scheme(), "https" | "http");
        if !is_web || !url.username().is_empty() || url.password().is_some() {
            return Err("must be an https URL without a name or password".to_owned());
        }
        if text.len() > hitl_core::limits::URL_BYTES_MAX {
            let max = hitl_core::limits::URL_BYTES_MAX;
            return Err(format!("must have at most {max} bytes"));
        }
        if let Some(address) = literal(&url) {
            self.judge(url.scheme() == "http")
                .check(address)
                .map_err(|wrong| format!("must not lead there: {wrong}"))?;
        }
        Ok(url)
    }

    /// Posts `body` to `url`, and waits for the reply.
    ///
    /// # Errors
    /// There is no reply, or the address is not one that may be asked.
    pub async fn post(
        &self,
        url: &Url,
        headers: HeaderMap,
        body: Vec<u8>,
    ) -> Result<Reply, Undelivered> {
        self.send(Method::POST, url, headers, body).await
    }

    /// Sends `body` to `url` by this method, as JSON unless `headers` say otherwise, and waits for the reply.
    ///
    /// # Errors
    /// There is no reply, or the address is not one that may be asked.
    pub async fn send(
        &self,
        method: Method,
        url: &Url,
        mut headers: HeaderMap,
        body: Vec<u8>,
    ) -> Result<Reply, Undelivered> {
        let is_plain = url.scheme() != "https";
        if let Some(address) = literal(url) {
            self.judge(is_plain).check(address).map_err(Undelivered::never)?;
        }
        let json = HeaderValue::from_static("application/json");
        headers.entry(CONTENT_TYPE).or_insert(json);
        let secure = || self.secure.as_ref().map_err(|why| Undelivered::later(why.clone()));
        let client = if is_plain { &self.plain } else { secure()? };
        let reply = client.request(method, url.clone()).headers(headers).body(body).send().await;
        let mut reply = reply.map_err(|error| unreachable_host(url, &error))?;
        let mut read = Vec::new();
        // What comes after the beginning is of no use, and how the reply breaks off neither: its status says it all.
        while let Ok(Some(chunk)) = reply.chunk().await {
            let room = REPLY_BYTES_MAX - read.len();
            read.extend_from_slice(&chunk[..chunk.len().min(room)]);
            if read.len() == REPLY_BYTES_MAX {
                break;
            }
        }
        Ok(Reply { status: reply.status(), headers: reply.headers().clone(), body: read.into() })
    }

    /// The addresses of `host` that may be connected to, for protocols other than HTTP. Whoever connects uses these,
    /// and does not resolve again.
    ///
    /// # Errors
    /// There is none.
    pub async fn addresses(&self, host: &str, port: u16) -> Result<Vec<SocketAddr>, Undelivered> {
        let judge = self.judge(false);
        let addresses = match host.parse::<IpAddr>() {
            Ok(address) => {
                judge.check(address).map(|()| vec![address]).map_err(Undelivered::never)?
            }
            Err(_) => judge.addresses(host.to_owned()).await.map_err(|error| {
                Undelivered::later(format!("cannot find the address of {host}: {error}"))
            })?,
        };
        Ok(addresses.into_iter().map(|address| SocketAddr::new(address, port)).collect())
    }

    fn judge(&self, is_plain: bool) -> Judge {
        Judge { allowed: self.allowed.clone(), lookup: self.lookup.clone(), is_plain }
    }
}

impl Reply {
    /// Nothing if the receiver has taken the message; else why not, and when to try again.
    ///
    /// # Errors
    /// The status is not one of success.
    pub fn taken(&self, now_ms: i64) -> Result<(), Undelivered> {
        let said = format!("it replied {}", self.status);
        match self.status {
            status if status.is_success() => Ok(()),
            StatusCode::GONE => {
                Err(Undelivered::never(format!("{said}: it wants no more messages")))
            }
            status if status.is_redirection() => {
                Err(Undelivered::later(format!("{said}: redirects are not followed")))
            }
            _ => Err(Undelivered { reason: said, retry: self.retry(now_ms) }),
        }
    }

    fn retry(&self, now_ms: i64) -> Retry {
        let after = self.headers.get(RETRY_AFTER).and_then(|value| value.to_str().ok());
        let seconds = after.and_then(|after| after.parse::<f64>().ok()).filter(|it| it.is_finite());
        let at = after.and_then(|after| chrono::DateTime::parse_from_rfc2822(after).ok());
        match (seconds, at) {
            (Some(seconds), _) => Retry::AfterMs((seconds.max(0.0) * 1_000.0) as i64),
            (None, Some(at)) => Retry::AfterMs((at.timestamp_millis() - now_ms).max(0)),
            (None, None) => Retry::Later,
        }
    }
}

impl Judge {
    /// # Errors
    /// Why `address` may not be asked.
    fn check(&self, address: IpAddr) -> Result<(), String> {
        if self.is_plain && !self.allowed.names(address) {
            return Err(format!(
                "plain http to {address} is refused unless --channel-allow-network names its network"
            ));
        }
        if !self.allowed.admits(address) {
            return Err(format!(
                "{address} is no address of the public internet, and --channel-allow-network does not name its network"
            ));
        }
        Ok(())
    }

    async fn addresses(self, host: String) -> std::io::Result<Vec<IpAddr>> {
        let found = self.lookup.lookup(host).await?;
        let (good, bad): (Vec<_>, Vec<_>) = found
            .into_iter()
            .map(|address| (address, self.check(address)))
            .partition(|it| it.1.is_ok());
        if good.is_empty() {
            let why = bad.into_iter().find_map(|(_, refused)| refused.err());
            let why = why.unwrap_or_else(|| "the name has no address".to_owned());
            return Err(std::io::Error::new(std::io::ErrorKind::PermissionDenied, why));
        }
        Ok(good.into_iter().map(|(address, _)| address).collect())
    }
}

impl Resolve for Judge {
    fn resolve(&self, name: Name) -> Resolving {
        let addresses = self.clone().addresses(name.as_str().to_owned());
        Box::pin(async move {
            let found = addresses.await?;
            let found: Addrs =
                Box::new(found.into_iter().map(|address| SocketAddr::new(address, 0)));
            Ok(found)
        })
    }
}

impl Lookup for System {
    fn lookup(&self, host: String) -> BoxFuture<'static, std::io::Result<Vec<IpAddr>>> {
        Box::pin(async move {
            let found = tokio::net::lookup_host((host, 0)).await?;
            Ok(found.map(|address| address.ip()).collect())
        })
    }
}

/// The address that stands in `url` itself, which no resolver is asked for. The parser has read it in every form in
/// which one can be written.
fn literal(url: &Url) -> Option<IpAddr> {
    match url.host()? {
        Host::Ipv4(address) => Some(address.into()),
        Host::Ipv6(address) => Some(address.into()),
        Host::Domain(_) => None,
    }
}

/// What `error` stems from.
fn root(error: &reqwest::Error) -> &(dyn std::error::Error + 'static) {
    let mut root: &(dyn std::error::Error + 'static) = error;
    while let Some(source) = root.source() {
        root = source;
    }
    root
}

/// Why there is no reply. The path of the URL may be a secret, and is left out.
fn unreachable_host(url: &Url, error: &reqwest::Error) -> Undelivered {
    let host = url.host_str().unwrap_or_default();
    if error.is_timeout() {
        return Undelivered::later(format!("{host} did not reply in time"));
    }
    let root = root(error);
    let refused = root.downcast_ref::<std::io::Error>();
    let is_refused = refused.is_some_and(|it| it.kind() == std::io::ErrorKind::PermissionDenied);
    let reason = if error.source().is_some() {
        format!("cannot reach {host}: {root}")
    } else {
        format!("cannot reach {host}")
    };
    // What a name leads to may change, so even a private address is tried again.
    if is_refused {
        Undelivered::later(format!("{host}: {root}"))
    } else {
        Undelivered::later(reason)
    }
}

#[cfg(test)]
#[path = "outbound_tests.rs"]
mod tests;
