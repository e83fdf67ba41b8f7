//! Which endpoints there are. What an SDK takes is the same in every language: `sdk/endpoints.json` lists it.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::num::NonZeroU16;
use std::str::FromStr;

use crate::error::{Error, Result};

/// The ports that an endpoint without one names, as every URL.
const HTTP_PORT: NonZeroU16 = NonZeroU16::new(80).expect("80 is not zero");
const HTTPS_PORT: NonZeroU16 = NonZeroU16::new(443).expect("443 is not zero");
/// More servers than anybody would list.
const ENDPOINTS_MAX: usize = 16;
/// Of a name that DNS can have, and of each of its parts.
const NAME_BYTES_MAX: usize = 253;
const LABEL_BYTES_MAX: usize = 63;

/// Where a server is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Endpoint {
    scheme: Scheme,
    /// In lower case; an IPv6 address in brackets.
    host: String,
    port: NonZeroU16,
}

/// The endpoints of a list with commas, each once and all of one scheme.
///
/// # Errors
/// [`crate::ErrorKind::Invalid`].
pub(crate) fn list(given: &str) -> Result<Vec<Endpoint>> {
    let count = given.split(',').count();
    if count > ENDPOINTS_MAX {
        let help = format!("these are {count} endpoints: give at most {ENDPOINTS_MAX}");
        return Err(Error::config(help));
    }
    let mut endpoints: Vec<Endpoint> = Vec::new();
    for endpoint in given.split(',') {
        let endpoint = endpoint.parse()?;
        if !endpoints.contains(&endpoint) {
            endpoints.push(endpoint);
        }
    }
    if endpoints.iter().any(|endpoint| endpoint.scheme != endpoints[0].scheme) {
        let help = "some of the endpoints are http and some https: give all as one of both";
        return Err(Error::config(help.to_owned()));
    }
    Ok(endpoints)
}

/// How it is spoken to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Scheme {
    Http,
    Https,
}

impl Endpoint {
    /// Whether it is spoken to within TLS.
    pub(crate) fn is_https(&self) -> bool {
        self.scheme == Scheme::Https
    }

    /// # Errors
    /// Somebody on the way there could read what is sent, such as a token: it is plain http, and leaves this machine.
    pub(crate) fn keep_secrets(&self) -> Result<()> {
        if self.is_https() || self.is_loopback() {
            return Ok(());
        }
        Err(Error::config(format!(
            "the token is not sent to {self}, since whoever is on the way could read it: use https, or set \
             HITL_INSECURE_TRANSPORT=1 if nobody can be"
        )))
    }

    /// Whether what is sent there cannot leave this machine.
    pub(crate) fn is_loopback(&self) -> bool {
        let host = self.host_name();
        host == "localhost" || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
    }

    /// `HOST:PORT`.
    pub(crate) fn authority(&self) -> String {
        format!("{}:{}", self.host, self.port)
    }

    /// The host as a certificate has it.
    pub(crate) fn host_name(&self) -> &str {
        self.host.trim_matches(['[', ']'])
    }
}

/// The endpoint as `http://HOST:PORT` or `https://HOST:PORT`, in lower case.
impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = match self.scheme {
            Scheme::Http => "http",
            Scheme::Https => "https",
        };
        write!(f, "{scheme}://{}:{}", self.host, self.port)
    }
}

impl FromStr for Endpoint {
    type Err = Error;

    fn from_str(given: &str) -> Result<Self> {
        let text = given.trim_matches([' ', '\t', '\r', '\n']);
        let (scheme, rest) = match text.split_once("://") {
            Some((scheme, rest)) if scheme.eq_ignore_ascii_case("http") => (Scheme::Http, rest),
            Some((scheme, rest)) if scheme.eq_ignore_ascii_case("https") => (Scheme::Https, rest),
            Some(_) => return Err(unusable(given, "")),
            None => (Scheme::Http, text),
        };
        let default = match scheme {
            Scheme::Http => HTTP_PORT,
            Scheme::Https => HTTPS_PORT,
        };
        let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
        let (host, port) = split_port(authority, default)
            .filter(|_| !rest.contains(['?', '#', '@', '\\']))
            .ok_or_else(|| unusable(given, ""))?;
        match path.trim_end_matches('/') {
            "" => Ok(Self { scheme, host: host.to_ascii_lowercase(), port }),
            path => {
                let help = "and hitl serves nothing below a path: leave it out";
                Err(unusable(given, &format!(". It has the path \"/{path}\", {help}")))
            }
        }
    }
}

/// 1 to 65535, in digits and nothing else.
fn port_number(text: &str) -> Option<NonZeroU16> {
    text.parse().ok().filter(|_| text.bytes().all(|byte| byte.is_ascii_digit()))
}

/// Takes `HOST:PORT` apart. An IPv6 address keeps its brackets.
fn split_port(authority: &str, default: NonZeroU16) -> Option<(&str, NonZeroU16)> {
    let end = match authority.starts_with('[') {
        true => authority.find(']')? + 1,
        false => authority.find(':').unwrap_or(authority.len()),
    };
    let (host, port) = authority.split_at(end);
    let port = match port.strip_prefix(':') {
        Some(port) => port_number(port)?,
        None if port.is_empty() => default,
        None => return None,
    };
    is_host(host).then_some((host, port))
}

fn is_host(host: &str) -> bool {
    if let Some(inner) = host.strip_prefix('[') {
        return inner.strip_suffix(']').is_some_and(|inner| inner.parse::<Ipv6Addr>().is_ok());
    }
    let mut labels = host.strip_suffix('.').unwrap_or(host).split('.');
    // What ends in a number is an address, as every resolver takes it.
    if labels.clone().next_back().is_some_and(is_number) {
        return host.parse::<Ipv4Addr>().is_ok();
    }
    host.len() <= NAME_BYTES_MAX && labels.all(is_label)
}

fn is_number(label: &str) -> bool {
    !label.is_empty() && label.bytes().all(|byte| byte.is_ascii_digit())
}

/// Underscores are no part of names on the Internet, but of many within a network.
fn is_label(label: &str) -> bool {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    (1..=LABEL_BYTES_MAX).contains(&label.len()) && label.bytes().all(fits)
}

fn unusable(given: &str, more: &str) -> Error {
    // What stands before an @ may be a password.
    let shown = match given.rsplit_once('@') {
        Some((_, host)) => format!("…@{host}"),
        None => given.to_owned(),
    };
    let help = format!("give it as http://HOST:PORT or https://HOST:PORT{more}");
    Error::config(format!("the endpoint {shown:?} is not usable: {help}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Client, Config, ErrorKind};
    use serde_json::Value as Json;

    #[test]
    fn every_endpoint_is_taken_as_in_every_other_language() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../endpoints.json");
        let list: Json = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
        let cases = list["cases"].as_array().unwrap();
        assert!(!cases.is_empty());
        for case in cases {
            let given = case["given"].as_str().unwrap();
            let made = Client::new(Config::default().endpoint(given));
            match case["used"].as_str() {
                Some(used) => assert_eq!(made.unwrap().endpoint(), used, "{given:?}"),
                None => {
                    let error = made.err().unwrap_or_else(|| panic!("{given:?} is taken"));
                    let expected = case["refused"].as_str().unwrap();
                    assert_eq!(error.kind(), ErrorKind::Invalid);
                    assert!(error.message().contains(expected), "{given:?}: {error}");
                }
            }
        }
    }

    #[test]
    fn several_are_taken_as_in_every_other_language() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../endpoints.json");
        let known: Json = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
        let cases = known["several"].as_array().unwrap();
        assert!(!cases.is_empty());
        for case in cases {
            let given = case["given"].as_str().unwrap();
            match (list(given), case["refused"].as_str()) {
                (Ok(taken), None) => {
                    let taken: Vec<_> = taken.iter().map(ToString::to_string).collect();
                    assert_eq!(Json::from(taken), case["used"], "{given:?}");
                }
                (Err(error), Some(refused)) => {
                    assert!(error.message().contains(refused), "{error}");
                }
                (taken, _) => panic!("{given:?}: {taken:?}"),
            }
        }
        let mixed = Config::default().endpoint("127.0.0.1:1,hitl.example.org").token("hitl_a");
        assert!(Client::new(mixed).unwrap_err().message().contains("hitl.example.org"));
    }

    #[test]
    fn a_token_is_sent_where_nobody_on_the_way_can_read_it() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../endpoints.json");
        let list: Json = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
        let cases = list["tokens"].as_array().unwrap();
        assert!(!cases.is_empty());
        for case in cases {
            let endpoint: Endpoint = case["given"].as_str().unwrap().parse().unwrap();
            assert_eq!(Some(endpoint.keep_secrets().is_ok()), case["sent"].as_bool(), "{endpoint}");
        }
    }

    #[test]
    fn no_password_is_shown() {
        let error = "http://user:secret@host:1".parse::<Endpoint>().unwrap_err();
        assert!(!error.message().contains("secret"), "{error}");
    }

    #[tokio::test]
    async fn what_is_taken_is_connected_to() {
        for host in ["localhost", "127.0.0.1", "[::1]"] {
            let bound = host.trim_matches(['[', ']']);
            let listener = tokio::net::TcpListener::bind((bound, 0)).await.unwrap();
            let endpoint = format!("{host}:{}", listener.local_addr().unwrap().port());
            let config = Config::default().endpoint(endpoint).retry_for(std::time::Duration::ZERO);
            let client = Client::new(config).unwrap();
            let (called, accepted) =
                tokio::join!(client.get("id"), async { listener.accept().await.map(drop) });
            assert_eq!(called.unwrap_err().kind(), ErrorKind::Unavailable);
            accepted.unwrap();
        }
    }

    #[tokio::test]
    async fn a_name_with_an_underscore_is_looked_up() {
        let config = Config::default().endpoint("http://no_such_host:4485");
        let client = Client::new(config.retry_for(std::time::Duration::ZERO)).unwrap();
        let error = client.get("id").await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unavailable);
        assert!(error.message().contains("at http://no_such_host:4485"), "{error}");
    }
}
