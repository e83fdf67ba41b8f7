//! Cookies, as strict as the way to the browser allows.
//!
//! Over https a cookie has the prefix `__Host-`, with which no browser takes it from another host or a plain page.
//! Plain http is for this machine alone; there the prefix cannot be used, and the port goes into the name, since
//! browsers do not keep the cookies of two ports of a host apart.

use axum::http::{HeaderMap, HeaderValue, header};
use url::Url;

/// A cookie of ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Cookie {
    /// Who has signed in.
    Session,
    /// A sign-in that has begun.
    SignIn,
    /// What the issuer gave at sign-in, which it wants back at sign-out.
    IdToken,
    /// How pages look to somebody.
    Look,
}

/// Names and writes cookies.
#[derive(Clone, Debug)]
pub(super) struct Cookies {
    is_secure: bool,
    port: u16,
}

impl Cookies {
    /// The cookies of a server that people reach at `public_url`.
    pub(super) fn new(public_url: &str) -> Self {
        let url = Url::parse(public_url).ok();
        let is_secure = url.as_ref().is_some_and(|url| url.scheme() == "https");
        let port = url.as_ref().and_then(Url::port_or_known_default).unwrap_or_default();
        Self { is_secure, port }
    }

    fn name(&self, cookie: Cookie) -> String {
        let name = match cookie {
            Cookie::Session => "hitl-session",
            Cookie::SignIn => "hitl-sign-in",
            Cookie::IdToken => "hitl-id-token",
            Cookie::Look => "hitl-look",
        };
        if self.is_secure { format!("__Host-{name}") } else { format!("{name}-{}", self.port) }
    }

    /// The cookie that came with a request; none if two came by that name, of which one is not ours.
    pub(super) fn read<'a>(&self, headers: &'a HeaderMap, cookie: Cookie) -> Option<&'a str> {
        let name = self.name(cookie);
        let lines = headers.get_all(header::COOKIE).iter().filter_map(|line| line.to_str().ok());
        let pairs =
            lines.flat_map(|line| line.split(';')).filter_map(|pair| pair.trim().split_once('='));
        let mut values = pairs.filter(|(given, _)| *given == name).map(|(_, value)| value);
        let value = values.next()?;
        values.next().is_none().then_some(value)
    }

    /// The header that has a browser keep `value` for so many seconds.
    ///
    /// It goes with visits from other sites, since a link to a question stands in a mail or a chat, but with nothing
    /// that another site sends.
    pub(super) fn set(&self, cookie: Cookie, value: &str, age_s: i64) -> HeaderValue {
        let secure = if self.is_secure { "; Secure" } else { "" };
        let name = self.name(cookie);
        let text =
            format!("{name}={value}; Path=/; Max-Age={age_s}; HttpOnly; SameSite=Lax{secure}");
        let mut header =
            HeaderValue::from_str(&text).expect("values are ASCII and hold no control characters");
        header.set_sensitive(true);
        header
    }

    /// The header that has a browser forget it.
    pub(super) fn clear(&self, cookie: Cookie) -> HeaderValue {
        self.set(cookie, "", 0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(lines: &[&str]) -> HeaderMap {
        let pairs = lines.iter().map(|line| (header::COOKIE, HeaderValue::from_str(line).unwrap()));
        pairs.collect()
    }

    #[test]
    fn cookies_are_bound_to_the_host_where_browsers_can_do_that() {
        let set = |url: &str| {
            let header = Cookies::new(url).set(Cookie::Session, "v", 60);
            header.to_str().unwrap().to_owned()
        };
        assert_eq!(
            set("https://hitl.example/hitl"),
            "__Host-hitl-session=v; Path=/; Max-Age=60; HttpOnly; SameSite=Lax; Secure"
        );
        assert_eq!(
            set("http://127.0.0.1:4485"),
            "hitl-session-4485=v; Path=/; Max-Age=60; HttpOnly; SameSite=Lax"
        );
    }

    #[test]
    fn a_cookie_that_comes_twice_is_none() {
        let cookies = Cookies::new("https://hitl.example");
        let read =
            |lines: &[&str]| cookies.read(&headers(lines), Cookie::Session).map(str::to_owned);
        assert_eq!(read(&["a=b; __Host-hitl-session=v==; c=d"]), Some("v==".to_owned()));
        assert_eq!(read(&["a=b", "__Host-hitl-session=v"]), Some("v".to_owned()));
        for none in [
            &["__Host-hitl-session=v; __Host-hitl-session=w"][..],
            &["__Host-hitl-session=v", "__Host-hitl-session=v"],
            &["hitl-session=v; x__Host-hitl-session=v"],
            &[],
        ] {
            assert_eq!(read(none), None, "{none:?}");
        }
    }
}
