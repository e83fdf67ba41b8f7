//! Which endpoints there are. What an SDK takes is the same in every language: `sdk/endpoints.json` lists it.

use std::net::{Ipv4Addr, Ipv6Addr};
use std::num::NonZeroU16;

use crate::error::{Error, Result};

/// The port that an endpoint without one names, as every http URL.
const HTTP_PORT: NonZeroU16 = NonZeroU16::new(80).expect("80 is not zero");
/// Of a name that DNS can have, and of each of its parts.
const NAME_BYTES_MAX: usize = 253;
const LABEL_BYTES_MAX: usize = 63;

/// The endpoint as `http://HOST:PORT`, in lower case.
pub(crate) fn parse(given: &str) -> Result<String> {
    let text = given.trim_matches([' ', '\t', '\r', '\n']);
    let rest = match text.split_once("://") {
        Some((scheme, rest)) if scheme.eq_ignore_ascii_case("http") => rest,
        Some((scheme, _)) if scheme.eq_ignore_ascii_case("https") => {
            return Err(unusable(given, ", without TLS"));
        }
        Some(_) => return Err(unusable(given, "")),
        None => text,
    };
    let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
    let (host, port) = split_port(authority)
        .filter(|_| !rest.contains(['?', '#', '@', '\\']))
        .ok_or_else(|| unusable(given, ""))?;
    match path.trim_end_matches('/') {
        "" => Ok(format!("http://{}:{port}", host.to_ascii_lowercase())),
        path => {
            let help = "and hitl serves nothing below a path: leave it out";
            Err(unusable(given, &format!(". It has the path \"/{path}\", {help}")))
        }
    }
}

/// 1 to 65535, in digits and nothing else.
fn port_number(text: &str) -> Option<NonZeroU16> {
    text.parse().ok().filter(|_| text.bytes().all(|byte| byte.is_ascii_digit()))
}

/// Takes `HOST:PORT` apart. An IPv6 address keeps its brackets.
fn split_port(authority: &str) -> Option<(&str, NonZeroU16)> {
    let end = match authority.starts_with('[') {
        true => authority.find(']')? + 1,
        false => authority.find(':').unwrap_or(authority.len()),
    };
    let (host, port) = authority.split_at(end);
    let port = match port.strip_prefix(':') {
        Some(port) => port_number(port)?,
        None if port.is_empty() => HTTP_PORT,
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
    let help = format!("give it as http://HOST:PORT{more}");
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
    fn no_password_is_shown() {
        let error = parse("http://user:secret@host:1").unwrap_err();
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
