//! Where the server is and on whose behalf to ask.
//!
//! What code sets wins over the environment, and the environment over the default. The environment
//! is read once, when a client is made.

use std::path::PathBuf;
use std::time::Duration;

use tonic::codegen::http::HeaderMap;

use crate::credential::{Credential, Token};
use crate::endpoint::{self, Endpoint};
use crate::error::{Error, Result};
use crate::headers::{self, Headers};
use crate::interceptor::Interceptors;
use crate::limits::Limits;
use crate::local::Local;
use crate::proxy::{self, Proxy};
use crate::tls::{Given, Pem, Tls};

/// How a [`crate::Client`] reaches its server. `Config::default()` takes everything from the environment.
#[derive(Clone, Debug, Default)]
pub struct Config {
    endpoint: Option<String>,
    token: Option<Token>,
    insecure: bool,
    namespace: Option<String>,
    run_id: Option<String>,
    binary: Option<PathBuf>,
    retry_for: Option<Duration>,
    call_timeout: Option<Duration>,
    announce: Option<bool>,
    headers: headers::Given,
    interceptors: Interceptors,
    proxy: Option<proxy::Given>,
    tls: Given,
}

impl Config {
    /// The server's address, such as `https://hitl.example.org` or `http://127.0.0.1:4485`. Else `HITL_ENDPOINT`;
    /// without either the local server is used, and started when none runs. Of several, with commas between, the first
    /// is called, and each next one when the one before does not serve.
    #[must_use]
    pub fn endpoint(mut self, endpoint: impl Into<String>) -> Self {
        self.endpoint = Some(endpoint.into());
        self
    }

    /// The token that proves to the server who calls: its text, or a [`Token`] from a function. Else `HITL_TOKEN` for a
    /// server at an endpoint, and for the local server what that says itself; a server that asks for no credential
    /// needs none.
    #[must_use]
    pub fn token(mut self, token: impl Into<Token>) -> Self {
        self.token = Some(token.into());
        self
    }

    /// Lets a token go over plain http to another machine: the way there is safe. Else `HITL_INSECURE_TRANSPORT=1`.
    #[must_use]
    pub fn insecure(mut self, insecure: bool) -> Self {
        self.insecure = insecure;
        self
    }

    /// The namespace of every event. Else `HITL_NAMESPACE`, else `default`.
    #[must_use]
    pub fn namespace(mut self, namespace: impl Into<String>) -> Self {
        self.namespace = Some(namespace.into());
        self
    }

    /// Names this run of the program, so that it can crash and start again (see the crate's
    /// documentation). Else `HITL_RUN_ID`; without either every create makes another event.
    #[must_use]
    pub fn run_id(mut self, run_id: impl Into<String>) -> Self {
        self.run_id = Some(run_id.into());
        self
    }

    /// The authority that has signed the certificate of the server, as PEM: the file that it is in, or its bytes. Else
    /// the file in `HITL_CA`; without either whatever authority this machine trusts.
    #[must_use]
    pub fn ca(mut self, ca: impl Into<Pem>) -> Self {
        self.tls.ca = Some(ca.into());
        self
    }

    /// The certificate of this client, for a server that wants one, as PEM; [`Config::key`] goes with it. Else the file
    /// in `HITL_CERT`.
    #[must_use]
    pub fn cert(mut self, cert: impl Into<Pem>) -> Self {
        self.tls.cert = Some(cert.into());
        self
    }

    /// The key of [`Config::cert`], as PEM. Else the file in `HITL_KEY`.
    #[must_use]
    pub fn key(mut self, key: impl Into<Pem>) -> Self {
        self.tls.key = Some(key.into());
        self
    }

    /// The proxy that leads to the server by CONNECT, as `http://HOST:PORT` or `http://USER:PASSWORD@HOST:PORT`, which
    /// is never printed. Else `HITL_PROXY`, but not to a server of this machine; no other variable names one. TLS is
    /// spoken with the server, so that the proxy reads nothing of it. The local server is reached without.
    #[must_use]
    pub fn proxy(mut self, proxy: impl Into<String>) -> Self {
        self.proxy = Some(proxy::Given(proxy.into()));
        self
    }

    /// A header that goes with every call, such as what a proxy on the way asks for: there may be 32. It goes over
    /// plain http too, unlike the token, and is never printed.
    #[must_use]
    pub fn header(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.headers.0.push((name.into(), value.into()));
        self
    }

    /// What each call passes through: it gets the path of the method and the headers, which it may add to, but not the
    /// token. What it returns is dropped when the reply begins, or when there is none, so that it may measure and
    /// trace.
    ///
    /// ```
    /// let config = hitl::Config::default().interceptor(|method, _headers| {
    ///     println!("{method} is called");
    /// });
    /// # drop(config);
    /// ```
    #[must_use]
    pub fn interceptor<H: Send + 'static>(
        mut self,
        begin: impl Fn(&str, &mut HeaderMap) -> H + Send + Sync + 'static,
    ) -> Self {
        self.interceptors.push(begin);
        self
    }

    /// The `hitl` program that finds or starts the local server. Else `HITL_BIN`, else `hitl` beside
    /// this program, else `hitl` in `PATH`, of which directories that are not absolute are left out.
    #[must_use]
    pub fn binary(mut self, binary: impl Into<PathBuf>) -> Self {
        self.binary = Some(binary.into());
        self
    }

    /// How long a call is repeated while the server cannot be reached; zero means one attempt. A wait,
    /// once it has reached the server, goes on without limit. Unless set 30 s, but a server that was never
    /// reached and whose machine refuses the connection is not called again.
    #[must_use]
    pub fn retry_for(mut self, limit: Duration) -> Self {
        self.retry_for = Some(limit);
        self
    }

    /// How long a call may take with all of its attempts; unless set, as long as those take. Waits and watches
    /// are not bound by it. [`crate::Client::with_call_timeout`] sets it for some calls.
    #[must_use]
    pub fn call_timeout(mut self, limit: Duration) -> Self {
        self.call_timeout = Some(limit);
        self
    }

    /// Whether waits tell on stderr where to answer, if the program has not looked at the link itself. Else
    /// `HITL_ANNOUNCE`, of which `0` is no; else they do.
    #[must_use]
    pub fn announce(mut self, is_wanted: bool) -> Self {
        self.announce = Some(is_wanted);
        self
    }

    /// Fills what is not set. What is empty counts as not set.
    pub(crate) fn resolve(self, env: impl Fn(&str) -> Option<String>) -> Result<Settings> {
        let present = |value: &String| !value.is_empty();
        let env = |name: &str| env(name).filter(present);
        let set = |own: Option<String>, name: &str| own.filter(present).or_else(|| env(name));
        let own_token = self.token.filter(|token| !token.is_empty());
        let server = match set(self.endpoint, "HITL_ENDPOINT") {
            Some(given) => self.tls.at(endpoint::list(&given)?, env)?,
            None => Server::Local(Local::new(
                self.binary.or_else(|| env("HITL_BIN").map(PathBuf::from)),
            )),
        };
        // The local server says its own, which is not that of another.
        let token = own_token.or_else(|| match &server {
            Server::At(..) => env("HITL_TOKEN").map(Token::from).filter(|token| !token.is_empty()),
            Server::Local(_) => None,
        });
        if let Some(token) = &token {
            token.check()?;
            let insecure = env("HITL_INSECURE_TRANSPORT");
            let is_safe = insecure.is_some_and(|value| matches!(value.as_str(), "1" | "true"));
            if let Server::At(servers, _) = &server
                && !(self.insecure || is_safe)
            {
                servers.iter().try_for_each(Endpoint::keep_secrets)?;
            }
        }
        if self.call_timeout == Some(Duration::ZERO) {
            let help = "call_timeout is 0 s: give a time in which a call can be made";
            return Err(Error::config(help.to_owned()));
        }
        Ok(Settings {
            server,
            proxy: proxy::resolve(self.proxy, env("HITL_PROXY"))?,
            token,
            headers: Headers::new(&self.headers)?,
            interceptors: self.interceptors,
            namespace: set(self.namespace, "HITL_NAMESPACE")
                .unwrap_or_else(|| "default".to_owned()),
            run_id: set(self.run_id, "HITL_RUN_ID"),
            limits: Limits {
                retry_for: self.retry_for.unwrap_or(Duration::from_secs(30)),
                is_patient: self.retry_for.is_some(),
                call_timeout: self.call_timeout,
            },
            announce: self.announce.unwrap_or_else(|| {
                let said = env("HITL_ANNOUNCE").unwrap_or_default().to_ascii_lowercase();
                !["0", "false", "off"].contains(&said.as_str())
            }),
        })
    }
}

impl Given {
    /// The servers, at least one and all of one scheme, with what is not set from the environment. What is in the
    /// environment may be meant for another server; what is in code is not.
    fn at(self, servers: Vec<Endpoint>, env: impl Fn(&str) -> Option<String>) -> Result<Server> {
        let set = |own: Option<Pem>| own.filter(Pem::is_set);
        let own = Self { ca: set(self.ca), cert: set(self.cert), key: set(self.key) };
        if let Some(endpoint) = servers.iter().find(|endpoint| !endpoint.is_https()) {
            if own.is_empty() {
                return Ok(Server::At(servers, None));
            }
            return Err(Error::config(format!(
                "`ca`, `cert` and `key` are for TLS, and {endpoint} is plain http: use https://"
            )));
        }
        let or = |own: Option<Pem>, name: &str| own.or_else(|| env(name).map(Pem::from));
        let (ca, cert) = (or(own.ca, "HITL_CA"), or(own.cert, "HITL_CERT"));
        let tls = Tls::new(&Self { ca, cert, key: or(own.key, "HITL_KEY") })?;
        Ok(Server::At(servers, Some(tls)))
    }
}

/// A [`Config`] with nothing left open.
#[derive(Debug)]
pub(crate) struct Settings {
    pub(crate) server: Server,
    pub(crate) proxy: Option<Proxy>,
    pub(crate) token: Option<Token>,
    pub(crate) headers: Headers,
    pub(crate) interceptors: Interceptors,
    pub(crate) namespace: String,
    pub(crate) run_id: Option<String>,
    pub(crate) limits: Limits,
    pub(crate) announce: bool,
}

impl Settings {
    /// What proves who calls.
    pub(crate) fn credential(&self) -> Credential {
        match (&self.server, &self.token) {
            (_, Some(token)) => Credential::Token(token.clone()),
            (Server::Local(local), None) => Credential::Local(local.clone()),
            (Server::At(..), None) => Credential::None,
        }
    }
}

/// Which server that is.
#[derive(Debug)]
pub(crate) enum Server {
    /// One of these, each as good as the others, within TLS if their endpoints say so.
    At(Vec<Endpoint>, Option<Tls>),
    /// The one of this machine, started when it is needed.
    Local(Local),
}

impl Server {
    /// How many there are.
    pub(crate) fn count(&self) -> usize {
        match self {
            Self::At(servers, _) => servers.len(),
            Self::Local(_) => 1,
        }
    }

    /// Where the one at `place` is. Empty before the first connect to a local one.
    pub(crate) fn endpoint(&self, place: usize) -> String {
        match self {
            Self::At(servers, _) => servers[place].to_string(),
            Self::Local(local) => local.endpoint(),
        }
    }

    /// The same for errors and for the channel, with no port where none is known.
    pub(crate) fn name(&self, place: usize) -> String {
        let known = Some(self.endpoint(place)).filter(|endpoint| !endpoint.is_empty());
        known.unwrap_or_else(|| "http://127.0.0.1".to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn resolve(config: Config, vars: &[(&str, &str)]) -> Result<Settings> {
        let find = |name: &str| vars.iter().find(|(key, _)| *key == name);
        config.resolve(|name| find(name).map(|(_, value)| (*value).to_owned()))
    }

    #[test]
    fn code_wins_over_environment_over_default() {
        let vars = [
            ("HITL_ENDPOINT", "http://env:1"),
            ("HITL_NAMESPACE", "env"),
            ("HITL_RUN_ID", "env-run"),
        ];
        let config = Config::default().endpoint("code:2/").run_id("code-run");
        let settings = resolve(config, &vars).unwrap();
        assert_eq!(settings.server.endpoint(0), "http://code:2");
        assert_eq!(settings.run_id.as_deref(), Some("code-run"));
        assert_eq!(settings.namespace, "env");

        let empty = Config::default().endpoint("").namespace("").run_id("");
        let settings = resolve(empty.clone(), &vars).unwrap();
        assert_eq!(settings.server.endpoint(0), "http://env:1");
        assert_eq!(settings.namespace, "env");
        assert_eq!(settings.run_id.as_deref(), Some("env-run"));

        let settings = resolve(empty, &vars.map(|(name, _)| (name, ""))).unwrap();
        assert_eq!(settings.namespace, "default");
        assert_eq!(settings.run_id, None);
        assert!(matches!(settings.server, Server::Local(_)));
    }

    #[test]
    fn the_program_is_the_one_of_the_code_or_of_the_environment() {
        let program = |config| match resolve(config, &[("HITL_BIN", "/opt/hitl")]).unwrap().server {
            Server::Local(local) => local.binary.unwrap(),
            Server::At(servers, _) => panic!("nobody named {servers:?}"),
        };
        assert_eq!(program(Config::default()), PathBuf::from("/opt/hitl"));
        assert_eq!(program(Config::default().binary("mine")), PathBuf::from("mine"));
    }

    #[test]
    fn a_token_is_sent_in_plain_text_to_this_machine_alone_unless_told_otherwise() {
        let token = ("HITL_TOKEN", "hitl_x");
        for (endpoint, fine) in [
            ("http://127.0.0.1:1", true),
            ("http://[::1]:1", true),
            ("localhost", true),
            ("http://10.0.0.1:1", false),
            ("http://127.0.0.1.evil.example", false),
        ] {
            let at = |vars: &[_]| resolve(Config::default().endpoint(endpoint), vars);
            assert_eq!(at(&[token]).is_ok(), fine, "{endpoint}");
            assert!(at(&[]).is_ok() && at(&[("HITL_TOKEN", "")]).is_ok(), "{endpoint}");
            assert!(at(&[token, ("HITL_INSECURE_TRANSPORT", "1")]).is_ok(), "{endpoint}");
        }
        let error = resolve(Config::default().endpoint("http://h:1").token("hitl_x"), &[]);
        let error = error.unwrap_err();
        assert!(error.message().contains("https") && !error.message().contains("hitl_x"));
    }

    #[test]
    fn unusable_settings_say_what_to_do() {
        for endpoint in ["https://", "http://", "a b"] {
            let error = resolve(Config::default().endpoint(endpoint), &[]).unwrap_err();
            assert!(error.message().contains("http://HOST:PORT"), "{error}");
        }
    }
}
