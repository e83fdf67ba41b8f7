//! Addresses of the web that a person can be shown: where they lead, as a browser reads them, and a label that says so.
//!
//! An address and its label are made from one parse by the rules that browsers follow: these read
//! `https:///evil.example` as a link to evil.example, and skip tabs and line breaks wherever they are.

use url::Url;

/// Longest label: that of the longest name of a host, with its port.
const LABEL_CHARS_MAX: usize = 260;

/// An address that may be linked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WebAddress {
    /// The address as a browser would write it.
    pub href: String,
    /// The host, in the form in which it is looked up, with its port unless that is the usual one.
    pub host: String,
}

impl WebAddress {
    /// Where `text` leads. `None` if it is no absolute address with `http` or `https`, or has a name or a password
    /// before the host, which a reader may take for the host.
    pub fn of(text: &str) -> Option<Self> {
        let url = Url::parse(text).ok()?;
        let is_web = matches!(url.scheme(), "http" | "https");
        if !is_web || !url.username().is_empty() || url.password().is_some() {
            return None;
        }
        let name = url.host_str().filter(|host| !host.is_empty())?;
        let host = match url.port() {
            None => name.to_owned(),
            Some(port) => format!("{name}:{port}"),
        };
        (host.len() <= LABEL_CHARS_MAX).then(|| Self { href: url.into(), host })
    }
}
