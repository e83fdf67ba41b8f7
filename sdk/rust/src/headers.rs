//! Headers that go with every call, such as what a proxy on the way asks for.

use std::fmt;
use std::sync::Arc;

use tonic::codegen::http::header::{HeaderMap, HeaderName, HeaderValue};

use crate::error::{Error, Result};

const HEADERS_MAX: usize = 32;
const NAME_BYTES_MAX: usize = 64;
const VALUE_BYTES_MAX: usize = 4_096;

/// These, and those that begin with `content-` or `grpc-` or end with `-bin`, are made by HTTP/2 and gRPC, and who
/// calls is said by the token.
const TAKEN: [&str; 8] = [
    "authorization",
    "connection",
    "host",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "user-agent",
];

/// What was given, which is not printed.
#[derive(Clone, Default)]
pub(crate) struct Given(pub(crate) Vec<(String, String)>);

/// What goes with every call. Cheap to clone.
#[derive(Clone, Default)]
pub(crate) struct Headers(Arc<HeaderMap>);

impl Headers {
    /// # Errors
    /// [`crate::ErrorKind::Invalid`], which names a header that cannot be.
    pub(crate) fn new(given: &Given) -> Result<Self> {
        let count = given.0.len();
        if count > HEADERS_MAX {
            let help = format!("these are {count} headers: give at most {HEADERS_MAX}");
            return Err(Error::config(help));
        }
        let mut headers = HeaderMap::new();
        for (name, value) in &given.0 {
            headers.insert(checked_name(name)?, checked_value(name, value)?);
        }
        Ok(Self(Arc::new(headers)))
    }

    /// Adds them to those of a call.
    pub(crate) fn add_to(&self, headers: &mut HeaderMap) {
        for (name, value) in self.0.iter() {
            headers.insert(name.clone(), value.clone());
        }
    }
}

fn checked_name(name: &str) -> Result<HeaderName> {
    let lower = name.to_ascii_lowercase();
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"_.-".contains(&byte);
    let is_name = lower.len() <= NAME_BYTES_MAX
        && lower.bytes().all(fits)
        && lower.starts_with(|first: char| first.is_ascii_alphanumeric());
    let is_taken = TAKEN.contains(&lower.as_str())
        || lower.starts_with("content-")
        || lower.starts_with("grpc-")
        || lower.ends_with("-bin");
    HeaderName::try_from(lower).ok().filter(|_| is_name && !is_taken).ok_or_else(|| {
        Error::config(format!(
            "no header can be called {name:?}: give a name of letters, digits, -, _ and . that is not one of HTTP or \
             gRPC, and the token by `token`"
        ))
    })
}

fn checked_value(name: &str, value: &str) -> Result<HeaderValue> {
    let fits = value.len() <= VALUE_BYTES_MAX && value.bytes().all(|b| (b' '..=b'~').contains(&b));
    let mut value = HeaderValue::try_from(value).ok().filter(|_| fits).ok_or_else(|| {
        Error::config(format!(
            "the header {name:?} has characters that a header cannot have, or more than 4,096"
        ))
    })?;
    value.set_sensitive(true);
    Ok(value)
}

impl fmt::Debug for Given {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} headers", self.0.len())
    }
}

impl fmt::Debug for Headers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} headers", self.0.len())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Value as Json;

    use super::*;
    use crate::Config;

    #[test]
    fn a_header_can_be_set_as_in_every_other_language() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../endpoints.json");
        let list: Json = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
        let cases = list["headers"].as_array().unwrap();
        assert!(!cases.is_empty());
        for case in cases {
            let [name, value] = ["name", "value"].map(|member| case[member].as_str().unwrap());
            let made = Headers::new(&Given(vec![(name.to_owned(), value.to_owned())]));
            match (made, case["refused"].as_str()) {
                (Ok(_), None) => {}
                (Err(error), Some(refused)) => {
                    assert!(error.message().contains(refused), "{error}");
                }
                (made, _) => panic!("{name:?}: {made:?}"),
            }
        }
        let many = (0..33).map(|n| (format!("x-{n}"), String::new())).collect();
        Headers::new(&Given(many)).unwrap_err();
    }

    #[test]
    fn headers_are_not_printed() {
        let config = Config::default().header("x-key", "secret");
        let settings = config.clone().resolve(|_| None).unwrap();
        assert!(!format!("{config:?} {settings:?}").contains("secret"));
    }
}
