//! Which proxies there are. What an SDK takes is the same in every language: `sdk/endpoints.json` lists it.

use std::fmt;
use std::str::FromStr;

use base64::prelude::{BASE64_STANDARD, Engine};

use crate::endpoint::Endpoint;
use crate::error::{Error, Result};

/// What was given, which may have a password and is not printed.
#[derive(Clone, Default)]
pub(crate) struct Given(pub(crate) String);

/// What leads to servers by CONNECT.
#[derive(Clone)]
pub(crate) struct Proxy {
    /// Plain http.
    endpoint: Endpoint,
    /// What `proxy-authorization` says, if anything.
    authorization: Option<String>,
    /// Whether it is not for servers of this machine.
    spares_loopback: bool,
}

/// The one that code names, else the one of the environment.
///
/// # Errors
/// [`crate::ErrorKind::Invalid`].
pub(crate) fn resolve(code: Option<Given>, environment: Option<String>) -> Result<Option<Proxy>> {
    if let Some(given) = code.filter(|given| !given.0.is_empty()) {
        return given.0.parse().map(Some);
    }
    environment.map(|given| Proxy::of_environment(&given)).transpose()
}

impl Proxy {
    /// That of the environment, which may be meant for other servers than those of this machine.
    fn of_environment(given: &str) -> Result<Self> {
        Ok(Self { spares_loopback: true, ..given.parse()? })
    }

    /// Whether it is gone through to get to `server`.
    pub(crate) fn is_for(&self, server: &Endpoint) -> bool {
        !(self.spares_loopback && server.is_loopback())
    }

    /// `HOST:PORT`, to connect to.
    pub(crate) fn authority(&self) -> String {
        self.endpoint.authority()
    }

    pub(crate) fn authorization(&self) -> Option<&str> {
        self.authorization.as_deref()
    }
}

impl FromStr for Proxy {
    type Err = Error;

    fn from_str(given: &str) -> Result<Self> {
        let text = given.trim_matches([' ', '\t', '\r', '\n']);
        let (scheme, rest) = text.split_once("://").unwrap_or(("http", text));
        let (user, server) = match rest.rsplit_once('@') {
            Some((user, server)) => (Some(user), server),
            None => (None, rest),
        };
        let endpoint = server.parse::<Endpoint>().map_err(|_| unusable())?;
        // A second scheme would be that of the server.
        if !scheme.eq_ignore_ascii_case("http") || server.contains("://") {
            return Err(unusable());
        }
        let authorization = user.map(basic).transpose()?;
        Ok(Self { endpoint, authorization, spares_loopback: false })
    }
}

/// `USER:PASSWORD` as `proxy-authorization` has it.
fn basic(written: &str) -> Result<String> {
    let (user, password) = written.split_once(':').unwrap_or((written, ""));
    let [user, password] = [user, password].map(|part| decoded(part).ok_or_else(unusable));
    let (user, password) = (user?, password?);
    if user.is_empty() || user.contains(':') {
        return Err(unusable());
    }
    Ok(format!("Basic {}", BASE64_STANDARD.encode(format!("{user}:{password}"))))
}

/// What a part of a URL stands for: text without control characters.
fn decoded(part: &str) -> Option<String> {
    let mut bytes = Vec::new();
    let mut rest = part.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'%' => 16 * digit(rest.next()?)? + digit(rest.next()?)?,
            _ if byte.is_ascii_alphanumeric() || b"-._~!$&'()*+,;=:".contains(&byte) => byte,
            _ => return None,
        });
    }
    String::from_utf8(bytes).ok().filter(|text| !text.contains(char::is_control))
}

fn digit(byte: u8) -> Option<u8> {
    char::from(byte).to_digit(16).and_then(|digit| digit.try_into().ok())
}

/// Nothing of what was given is shown, for any of it may be a password.
fn unusable() -> Error {
    let help = "give it as http://HOST:PORT or http://USER:PASSWORD@HOST:PORT, with signs such as @ in USER and \
                PASSWORD as %40";
    Error::config(format!("proxy (HITL_PROXY) is not usable: {help}"))
}

/// Where it is, as messages say it.
impl fmt::Display for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.endpoint.fmt(f)
    }
}

impl fmt::Debug for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

impl fmt::Debug for Given {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("(a proxy)")
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Value as Json;

    use super::*;
    use crate::{Client, Config, ErrorKind};

    #[test]
    fn every_proxy_is_taken_as_in_every_other_language() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../endpoints.json");
        let list: Json = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
        let cases = list["proxies"].as_array().unwrap();
        assert!(!cases.is_empty());
        for case in cases {
            let given = case["given"].as_str().unwrap();
            match (given.parse::<Proxy>(), case["used"].as_str()) {
                (Ok(proxy), Some(used)) => {
                    assert_eq!(proxy.to_string(), used, "{given:?}");
                    assert_eq!(proxy.authorization(), case["says"].as_str(), "{given:?}");
                }
                (Err(error), None) => {
                    assert_eq!(error.kind(), ErrorKind::Invalid);
                    let message = error.message();
                    assert!(message.starts_with("proxy"), "{message}");
                    assert!(!message.contains("secret") && !message.contains("3128"), "{message}");
                }
                (taken, _) => panic!("{given:?}: {taken:?}"),
            }
        }
    }

    #[test]
    fn no_password_is_printed() {
        let config = Config::default().endpoint("http://h:1").proxy("http://ada:secret@proxy:3128");
        let client = Client::new(config.clone()).unwrap();
        assert!(!format!("{config:?} {client:?}").contains("secret"));
    }

    #[test]
    fn that_of_the_environment_is_not_for_servers_of_this_machine() {
        let [code, environment]: [Proxy; 2] =
            ["http://proxy:1".parse().unwrap(), Proxy::of_environment("http://proxy:1").unwrap()];
        let [here, away] =
            ["http://localhost:2", "https://hitl.example.org"].map(|at| at.parse().unwrap());
        assert!(code.is_for(&here) && code.is_for(&away));
        assert!(!environment.is_for(&here) && environment.is_for(&away));
    }
}
