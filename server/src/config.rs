//! What a user may set: the flags of `hitl serve`, each with its environment variable and default.

mod channels;
mod quota;
mod test;
mod tls;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::Context;
use clap::Args;

use crate::auth::oidc::OidcArgs;
use crate::auth::proxy::ProxyArgs;
use crate::local::{self, PORT_DEFAULT};
use crate::size::parse_bytes;
pub use channels::ChannelArgs;
pub use quota::{QuotaRule, parse_quota, quotas};
pub use tls::TlsArgs;

use hitl_store::{KEPT_MS_MIN, RetentionRule, StoreUrl};

const MINUTE_MS: i64 = 60_000;
const DAY_MS: i64 = 24 * 60 * MINUTE_MS;

/// Run the server.
#[derive(Args, Clone, Debug)]
#[command(after_help = "Examples:
  hitl serve
  hitl serve --store /var/lib/hitl/store --public-url https://hitl.example.org
  hitl serve --store s3://bucket/hitl --link-key-file /etc/hitl/link.key --admin-token-file /etc/hitl/admin.token
  hitl serve --store memory:// --listen 127.0.0.1:0
  hitl serve --retain 30d --retain audit=forever
  hitl serve --tls-cert server.pem --tls-key server.key --tls-client-ca clients.pem")]
pub struct ServeArgs {
    /// Address to listen on; port 0 picks a free one. [default: 127.0.0.1:4485]
    #[arg(long, env = "HITL_LISTEN", value_name = "ADDRESS:PORT")]
    pub listen: Option<SocketAddr>,

    /// Where events are kept: a directory (the embedded store), memory:// (lost at exit), file:///directory (plain
    /// files), or a bucket that any number of servers share: s3://bucket/prefix, gs://bucket/prefix,
    /// az://container/prefix. [default: the directory `store` in the data directory]
    #[arg(long, env = "HITL_STORE", value_name = "STORE")]
    pub store: Option<StoreUrl>,

    /// Where this server is reached by the people who answer, for links. [default: http:// or https:// and the address
    /// it listens on for them]
    #[arg(long, env = "HITL_PUBLIC_URL", value_name = "URL")]
    pub public_url: Option<String>,

    /// What pages call this server, such as "Acme approvals".
    #[arg(long, env = "HITL_INSTANCE_NAME", value_name = "NAME", default_value = "hitl", value_parser = one_line)]
    pub instance_name: String,

    /// Whom people ask whose link does not open, such as ops@example.org. The page of a bad link names it.
    #[arg(long, env = "HITL_INSTANCE_CONTACT", value_name = "TEXT", value_parser = one_line)]
    pub instance_contact: Option<String>,

    /// File with the secret that links are signed with; made at first use. Servers of one store need the same.
    /// [default: beside the store; `link.key` in the data directory for file:// and buckets]
    #[arg(long, env = "HITL_LINK_KEY_FILE", value_name = "FILE")]
    pub link_key_file: Option<PathBuf>,

    /// File with the secret that receipts are signed with; made at first use. Servers of one store need the same.
    /// [default: beside the store; `receipt.key` in the data directory for file:// and buckets]
    #[arg(long, env = "HITL_RECEIPT_KEY_FILE", value_name = "FILE")]
    pub receipt_key_file: Option<PathBuf>,

    /// Directory for what this machine keeps. [default: $XDG_DATA_HOME/hitl, or ~/.local/share/hitl]
    #[arg(long, env = "HITL_DATA_DIR", value_name = "DIRECTORY")]
    pub data_dir: Option<PathBuf>,

    /// Be the local server of the data directory. That is how `hitl up` starts it, which hands over the right to be it.
    #[arg(long, hide = true)]
    pub local: bool,

    /// Ask nobody for a credential: whoever reaches this server may read and answer everything.
    #[arg(long, env = "HITL_INSECURE")]
    pub insecure: bool,

    /// File with the token of an admin of all namespaces, which nobody else can read. Whoever has it makes the others
    /// with `hitl token create`.
    #[arg(long, env = "HITL_ADMIN_TOKEN_FILE", value_name = "FILE")]
    pub admin_token_file: Option<PathBuf>,

    /// Name of a host by which callers reach this server, besides that of the public URL: `hitl.hitl`, the service in
    /// Kubernetes. Addresses in digits need not be named. May be repeated.
    #[arg(
        long = "known-host",
        env = "HITL_KNOWN_HOST",
        value_name = "NAME",
        value_delimiter = ','
    )]
    pub known_hosts: Vec<String>,

    /// Origin of web pages that may call this server from a browser, such as
    /// `https://app.example.org`. May be repeated.
    #[arg(
        long = "cors-origin",
        env = "HITL_CORS_ORIGIN",
        value_name = "ORIGIN",
        value_delimiter = ','
    )]
    pub cors_origins: Vec<String>,

    /// How much of the disk is kept for the end of what is open, such as 64MiB: what lies below it is not used for new
    /// events, but for answers and timeouts. [default: an eighth of the disk, 64MiB at most]
    #[arg(long, env = "HITL_DISK_RESERVE", value_name = "SIZE", value_parser = parse_bytes)]
    pub disk_reserve: Option<u64>,

    /// How long what has ended is kept, such as 30d, counted from its end; then it is removed. NAMESPACE=7d is for one
    /// namespace, and `forever` keeps it. What has the label `hold` is always kept. May be repeated. Give all servers
    /// of one store the same. [default: forever]
    #[arg(
        long,
        env = "HITL_RETAIN",
        value_name = "[NAMESPACE=]TIME",
        value_delimiter = ',',
        value_parser = parse_retain
    )]
    pub retain: Vec<RetentionRule>,

    /// How long the audit is kept: who signed in, who was refused, what became of tokens and keys; `forever` keeps it.
    /// Give all servers of one store the same.
    #[arg(
        long,
        env = "HITL_RETAIN_AUDIT",
        value_name = "TIME",
        default_value = "90d",
        value_parser = parse_audit_age
    )]
    pub retain_audit: AuditAge,

    /// End after so long without a call, if nothing is pending: 10m, 1h.
    #[arg(long, value_name = "TIME", value_parser = humantime::parse_duration)]
    pub idle_exit: Option<Duration>,

    /// Most waits held at a time. Fewer are held if half of the memory for callers is too small for so many. Of waits
    /// that share a stream 24 count as one.
    #[arg(long, env = "HITL_MAX_WAITS", value_name = "NUMBER", default_value_t = 200_000)]
    pub max_waits: usize,

    /// Most calls under way at a time, waits not counted.
    #[arg(long, env = "HITL_MAX_CALLS", value_name = "NUMBER", default_value_t = 8_192)]
    pub max_calls: usize,

    /// Most memory that the server may use, such as 512MiB. A third of it, less 43 MiB, is for what callers make it
    /// hold; what does not fit is refused for a while. [default: three quarters of this machine's, or of its control
    /// group's]
    #[arg(long, env = "HITL_MEMORY_MAX", value_name = "SIZE", value_parser = parse_bytes)]
    pub memory_max: Option<u64>,

    /// Most connections at a time. Fewer are taken if the limit on open files is too low for so many.
    #[arg(long, env = "HITL_MAX_CONNECTIONS", value_name = "NUMBER", default_value_t = 10_000)]
    pub max_connections: usize,

    /// Most calls and waits at a time on one HTTP/2 connection. Fewer are taken if one connection's part of the memory
    /// is too small for so many.
    #[arg(long, env = "HITL_MAX_STREAMS", value_name = "NUMBER", default_value_t = 4_096)]
    pub max_streams: u32,

    /// How much one credential, one namespace or one address may have, such as waits-per-credential=5000,
    /// pending-bytes-per-namespace=4GiB or calls-per-address=none. Counted are connections, waits, watches, calls
    /// (those of a second), pending-events and pending-bytes. May be repeated. [default: three quarters of the
    /// connections, waits and watches for each; 2000 calls, 100000 events and 1GiB for a credential, 1000000 events and
    /// 10GiB for a namespace]
    #[arg(
        long = "quota",
        env = "HITL_QUOTA",
        value_name = "NAME=NUMBER",
        value_delimiter = ',',
        value_parser = parse_quota
    )]
    pub quotas: Vec<QuotaRule>,

    /// The issuer whose people sign in.
    #[command(flatten)]
    pub oidc: OidcArgs,

    /// The proxy that signs people in.
    #[command(flatten)]
    pub proxy: ProxyArgs,

    /// How people and programs are told.
    #[command(flatten)]
    pub channels: ChannelArgs,

    /// How connections are secured. The last, since its heading is for all that follow.
    #[command(flatten)]
    pub tls: TlsArgs,
}

impl ServeArgs {
    /// The address to listen on.
    pub fn listen(&self) -> SocketAddr {
        let port = std::env::var("HITL_PORT")
            .ok()
            .and_then(|port| port.parse().ok())
            .unwrap_or(PORT_DEFAULT);
        self.listen.unwrap_or_else(|| local::address(port))
    }

    /// What the audit says of a server with these flags: what they say of who may do what, and no secret.
    pub fn summary(&self) -> String {
        let mut parts = vec![format!("hitl {}", env!("CARGO_PKG_VERSION"))];
        let mut say = |is_so: bool, part: &str| parts.extend(is_so.then(|| part.to_owned()));
        say(self.insecure, "asks nobody for a credential");
        say(self.local, "the local server of its user");
        say(self.admin_token_file.is_some(), "an admin by --admin-token-file");
        say(self.oidc.oidc_issuer.is_some(), "people by OIDC");
        say(!self.proxy.trusted_proxies.is_empty(), "people by a proxy");
        say(self.tls.tls_cert.is_some(), "TLS");
        say(self.tls.tls_require_client_cert, "certificates of clients are required");
        say(!self.tls.tls_client_roles.is_empty(), "programs by certificates");
        say(self.tls.plain_text, "plain text on any address");
        say(self.channels.exec_dir.is_some(), "channels may run programs");
        say(!self.channels.allowed_networks.is_empty(), "channels may send to networks of our own");
        say(!self.channels.on_end.is_empty(), "requesters may have webhooks called");
        say(!self.retain.is_empty(), "what has ended is removed by --retain");
        parts.push(match self.retain_audit.0 {
            Some(kept_ms) if kept_ms % DAY_MS == 0 => {
                format!("the audit is kept for {} days", kept_ms / DAY_MS)
            }
            Some(kept_ms) => format!("the audit is kept for {} minutes", kept_ms / MINUTE_MS),
            None => "the audit is kept for ever".to_owned(),
        });
        parts.join("; ")
    }

    /// How to have it listen elsewhere.
    pub fn other_port(&self) -> &'static str {
        if self.local {
            "Set HITL_PORT to another port, or unset it to have a free one taken"
        } else {
            "Give another address with --listen"
        }
    }

    /// The directory for what this machine keeps.
    ///
    /// # Errors
    /// None is given and there is no home directory.
    pub fn data_dir(&self) -> anyhow::Result<PathBuf> {
        let env = |name: &str| std::env::var_os(name).map(PathBuf::from);
        local::data_dir(self.data_dir.clone(), env)
            .context("there is no home directory to keep data in: give --data-dir")
    }
}

/// A short text for pages.
fn one_line(text: &str) -> Result<String, String> {
    let text = text.trim();
    match text.chars().count() {
        1..=INSTANCE_CHARS_MAX if !text.chars().any(char::is_control) => Ok(text.to_owned()),
        _ => Err(format!("must have 1 to {INSTANCE_CHARS_MAX} characters on one line")),
    }
}

/// Most characters of what pages say of the server.
const INSTANCE_CHARS_MAX: usize = 100;

/// A rule such as `30d`, `forever` or `team=7d`.
fn parse_retain(text: &str) -> Result<RetentionRule, String> {
    let (namespace, time) = match text.split_once('=') {
        Some((namespace, time)) => {
            let namespace =
                namespace.parse().map_err(|_| format!("`{namespace}` is no namespace"))?;
            (Some(namespace), time)
        }
        None => (None, text),
    };
    if time == "forever" {
        return Ok(RetentionRule { namespace, kept_ms: None });
    }
    let kept = humantime::parse_duration(time).map_err(|error| error.to_string())?;
    let kept_ms = i64::try_from(kept.as_millis()).ok().filter(|ms| *ms <= KEPT_MS_MAX);
    match kept_ms {
        Some(kept_ms) if kept_ms >= KEPT_MS_MIN => {
            Ok(RetentionRule { namespace, kept_ms: Some(kept_ms) })
        }
        Some(_) => Err("what has ended is kept for a minute at least: give 1m or more".to_owned()),
        None => Err("that is more than a hundred years: give `forever`".to_owned()),
    }
}

/// How long the audit is kept, in milliseconds; `None` is for ever.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AuditAge(pub Option<i64>);

/// A time such as `90d`, or `forever`.
fn parse_audit_age(text: &str) -> Result<AuditAge, String> {
    if text == "forever" {
        return Ok(AuditAge(None));
    }
    let kept = humantime::parse_duration(text).map_err(|error| error.to_string())?;
    let kept_ms = i64::try_from(kept.as_millis()).ok().filter(|ms| *ms <= KEPT_MS_MAX);
    match kept_ms {
        Some(kept_ms) if kept_ms >= AUDIT_KEPT_MS_MIN => Ok(AuditAge(Some(kept_ms))),
        Some(_) => Err("the audit is kept for an hour at least: give 1h or more".to_owned()),
        None => Err("that is more than a hundred years: give `forever`".to_owned()),
    }
}

/// Shortest time that the audit is kept, since it is removed by the hour.
const AUDIT_KEPT_MS_MIN: i64 = 3_600_000;
/// Longest time of retention that is not for ever: a hundred years.
const KEPT_MS_MAX: i64 = 100 * 366 * 86_400_000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_of_retention_are_read_with_and_without_a_namespace() {
        let rule = |namespace: Option<&str>, kept_ms| {
            let namespace = namespace.map(|name| name.parse().unwrap());
            Ok(RetentionRule { namespace, kept_ms })
        };
        assert_eq!(parse_retain("30d"), rule(None, Some(30 * 86_400_000)));
        assert_eq!(parse_retain("team-1=1m"), rule(Some("team-1"), Some(60_000)));
        assert_eq!(parse_retain("audit=forever"), rule(Some("audit"), None));
        assert_eq!(parse_retain("forever"), rule(None, None));
        for wrong in ["", "59s", "team=", "=7d", "Team=7d", "7", "200y", "team=a=7d"] {
            parse_retain(wrong).unwrap_err();
        }
    }

    #[test]
    fn the_audit_is_kept_for_an_hour_at_least() {
        assert_eq!(parse_audit_age("90d"), Ok(AuditAge(Some(90 * 86_400_000))));
        assert_eq!(parse_audit_age("forever"), Ok(AuditAge(None)));
        for wrong in ["", "59m", "90", "200y"] {
            parse_audit_age(wrong).unwrap_err();
        }
    }
}
