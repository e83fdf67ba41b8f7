//! How the command line secures its connection.

use clap::Args;
use hitl::Config;

use super::given;

/// For a server with an https address.
#[derive(Args, Debug, Default)]
pub(super) struct ClientTlsArgs {
    /// File with the authority that has signed the certificate of the server, as PEM. [default: $HITL_CA, or what this
    /// machine trusts]
    #[arg(long, global = true, help_heading = "Server", value_name = "FILE")]
    ca: Option<String>,

    /// File with the certificate of this client, for a server that wants one, as PEM. [default: $HITL_CERT]
    #[arg(long, global = true, help_heading = "Server", value_name = "FILE", requires = "key")]
    cert: Option<String>,

    /// File with the key of that certificate, as PEM. [default: $HITL_KEY]
    #[arg(long, global = true, help_heading = "Server", value_name = "FILE", requires = "cert")]
    key: Option<String>,
}

impl ClientTlsArgs {
    /// `config` with what the flags say. The variables are read by the SDK, which leaves them alone without TLS.
    pub(super) fn configure(&self, mut config: Config) -> Config {
        if let Some(ca) = given(&self.ca) {
            config = config.ca(ca);
        }
        if let Some(cert) = given(&self.cert) {
            config = config.cert(cert);
        }
        if let Some(key) = given(&self.key) {
            config = config.key(key);
        }
        config
    }

    /// The flags with which another command connects in the same way.
    pub(super) fn as_flags(&self) -> String {
        let flags = [("ca", &self.ca), ("cert", &self.cert), ("key", &self.key)];
        let set = flags.into_iter().filter_map(|(name, value)| Some((name, given(value)?)));
        set.map(|(name, value)| format!(" --{name} {value}")).collect()
    }
}
