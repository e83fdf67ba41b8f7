//! Where the server is and on whose behalf to ask.
//!
//! What code sets wins over the environment, and the environment over the default. The environment
//! is read once, when a client is made.

use std::net::{Ipv4Addr, SocketAddr};
use std::num::NonZeroU16;
use std::path::PathBuf;
use std::time::Duration;

use crate::endpoint;
use crate::error::{Error, Result};
use crate::serve::{Launcher, START_LIMIT};

/// The port of a server that was told no other: HITL on the keys of a telephone.
const DEFAULT_PORT: u16 = 4485;

/// How a [`crate::Client`] reaches its server. `Config::default()` takes everything from the environment.
#[derive(Clone, Debug, Default)]
pub struct Config {
    endpoint: Option<String>,
    namespace: Option<String>,
    run_id: Option<String>,
    binary: Option<PathBuf>,
    retry_for: Option<Duration>,
}

impl Config {
    /// The server's address, such as `http://127.0.0.1:4485`. Else `HITL_ENDPOINT`; without either a
    /// local server is used, and started when none runs.
    #[must_use]
    pub fn endpoint(mut self, endpoint: impl Into<String>) -> Self {
        self.endpoint = Some(endpoint.into());
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

    /// The `hitl` program with which to start a local server. Else `HITL_BIN`, else `hitl` beside
    /// this program, else `hitl` in `PATH`, of which directories that are not absolute are left out.
    #[must_use]
    pub fn binary(mut self, binary: impl Into<PathBuf>) -> Self {
        self.binary = Some(binary.into());
        self
    }

    /// How long a call is repeated while the server cannot be reached: 30 s unless set; zero means
    /// one attempt. A wait, once it has reached the server, goes on without limit.
    #[must_use]
    pub fn retry_for(mut self, limit: Duration) -> Self {
        self.retry_for = Some(limit);
        self
    }

    /// Fills what is not set. What is empty counts as not set.
    pub(crate) fn resolve(self, env: impl Fn(&str) -> Option<String>) -> Result<Settings> {
        let present = |value: &String| !value.is_empty();
        let env = |name: &str| env(name).filter(present);
        let set = |own: Option<String>, name: &str| own.filter(present).or_else(|| env(name));
        let (endpoint, launcher) = match set(self.endpoint, "HITL_ENDPOINT") {
            Some(endpoint) => (endpoint::parse(&endpoint)?, None),
            None => {
                let launcher = Launcher {
                    address: SocketAddr::from((Ipv4Addr::LOCALHOST, port(env("HITL_PORT"))?)),
                    binary: self.binary.or_else(|| env("HITL_BIN").map(PathBuf::from)),
                    data_dir: data_dir(&env),
                    start_limit: START_LIMIT,
                };
                (format!("http://{}", launcher.address), Some(launcher))
            }
        };
        Ok(Settings {
            endpoint,
            launcher,
            namespace: set(self.namespace, "HITL_NAMESPACE")
                .unwrap_or_else(|| "default".to_owned()),
            run_id: set(self.run_id, "HITL_RUN_ID"),
            retry_for: self.retry_for.unwrap_or(Duration::from_secs(30)),
        })
    }
}

/// A [`Config`] with nothing left open.
#[derive(Debug)]
pub(crate) struct Settings {
    pub(crate) endpoint: String,
    /// Present if the server is a local one that this client may start.
    pub(crate) launcher: Option<Launcher>,
    pub(crate) namespace: String,
    pub(crate) run_id: Option<String>,
    pub(crate) retry_for: Duration,
}

fn port(text: Option<String>) -> Result<u16> {
    let Some(text) = text else { return Ok(DEFAULT_PORT) };
    endpoint::port_number(&text)
        .map(NonZeroU16::get)
        .ok_or_else(|| Error::config(format!("HITL_PORT is {text:?}: set it to 1 to 65535")))
}

/// Where a local server keeps its data, and where its log goes.
fn data_dir(env: &impl Fn(&str) -> Option<String>) -> Option<PathBuf> {
    let of = |name: &str| env(name).map(PathBuf::from);
    // The specification of XDG has relative paths ignored. They would be of wherever this program happens to run, and
    // so would a relative home.
    let absolute = |name| of(name).filter(|dir| dir.is_absolute());
    let shared = || absolute("XDG_DATA_HOME");
    let home = || absolute("HOME").map(|home| home.join(".local/share"));
    of("HITL_DATA_DIR").or_else(|| shared().or_else(home).map(|dir| dir.join("hitl")))
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
        assert_eq!(settings.endpoint, "http://code:2");
        assert_eq!(settings.run_id.as_deref(), Some("code-run"));
        assert_eq!(settings.namespace, "env");
        assert!(settings.launcher.is_none());

        let empty = Config::default().endpoint("").namespace("").run_id("");
        let settings = resolve(empty.clone(), &vars).unwrap();
        assert_eq!(settings.endpoint, "http://env:1");
        assert_eq!(settings.namespace, "env");
        assert_eq!(settings.run_id.as_deref(), Some("env-run"));

        let settings = resolve(empty, &vars.map(|(name, _)| (name, ""))).unwrap();
        assert_eq!(settings.endpoint, "http://127.0.0.1:4485");
        assert_eq!(settings.namespace, "default");
        assert_eq!(settings.run_id, None);
        assert!(settings.launcher.is_some());
    }

    #[test]
    fn the_local_server_follows_its_variables() {
        let vars = [("HITL_PORT", "7001"), ("HITL_BIN", "/opt/hitl"), ("HOME", "/users/ada")];
        let launcher = resolve(Config::default(), &vars).unwrap().launcher.unwrap();
        assert_eq!(launcher.address.port(), 7001);
        assert_eq!(launcher.binary, Some("/opt/hitl".into()));
        assert_eq!(launcher.data_dir, Some("/users/ada/.local/share/hitl".into()));
    }

    #[test]
    fn no_data_is_kept_in_the_working_directory_by_accident() {
        for home in ["", ".", "users/ada"] {
            let vars = [("HOME", home), ("XDG_DATA_HOME", home)];
            let launcher = resolve(Config::default(), &vars).unwrap().launcher.unwrap();
            assert_eq!(launcher.data_dir, None, "{home:?}");
        }
    }

    #[test]
    fn unusable_settings_say_what_to_do() {
        for endpoint in ["https://host", "http://", "a b"] {
            let error = resolve(Config::default().endpoint(endpoint), &[]).unwrap_err();
            assert!(error.message().contains("http://HOST:PORT"), "{error}");
        }
        for port in ["x", "0", "65536", "+80"] {
            let error = resolve(Config::default(), &[("HITL_PORT", port)]).unwrap_err();
            assert_eq!(error.kind(), crate::ErrorKind::Invalid);
        }
    }
}
