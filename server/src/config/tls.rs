//! The flags of TLS, and of the listener for people.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::Args;

use crate::auth::certificate::CertificateRule;
use crate::net::tls::{ClientAuthority, TlsFiles};

/// How connections are secured.
#[derive(Args, Clone, Debug, Default)]
#[command(next_help_heading = "TLS")]
pub struct TlsArgs {
    /// File with the certificate of this server and those of whoever signed it, as PEM. With it the server speaks TLS
    /// and nothing else. It and the others here are read again when they change, or at once on SIGHUP.
    #[arg(long, env = "HITL_TLS_CERT", value_name = "FILE", requires = "tls_key")]
    pub tls_cert: Option<PathBuf>,

    /// File with the key of that certificate, as PEM, which nobody else may read.
    #[arg(long, env = "HITL_TLS_KEY", value_name = "FILE", requires = "tls_cert")]
    pub tls_key: Option<PathBuf>,

    /// File with the authorities that sign the certificates of clients, as PEM. Clients are asked for one then, and may
    /// have none.
    #[arg(long, env = "HITL_TLS_CLIENT_CA", value_name = "FILE", requires = "tls_cert")]
    pub tls_client_ca: Option<PathBuf>,

    /// Refuse clients without such a certificate. With --pages-listen, people need none.
    #[arg(long, env = "HITL_TLS_REQUIRE_CLIENT_CERT", requires = "tls_client_ca")]
    pub tls_require_client_cert: bool,

    /// What whoever has such a certificate may do without a token, such as spiffe://example.org/ci=requester@team-a:
    /// NAME=ROLE,ROLE, or NAME=ROLE@NAMESPACE,NAMESPACE. A name is an address, a mail address or a host of the
    /// certificate, or cn: and the common name of its subject. May be repeated.
    #[arg(
        long = "tls-client-role",
        env = "HITL_TLS_CLIENT_ROLE",
        value_name = "NAME=ROLE[@NAMESPACE]",
        value_delimiter = ';',
        requires = "tls_client_ca"
    )]
    pub tls_client_roles: Vec<CertificateRule>,

    /// Allow plain text on any address, since something in front of this server, such as an ingress or a service mesh,
    /// does the TLS.
    #[arg(long, env = "HITL_PLAIN_TEXT", conflicts_with = "tls_cert")]
    pub plain_text: bool,

    /// Address of a listener for people alone: forms and links are served there and nowhere else, and nothing else is
    /// served there. Without it one port serves both.
    #[arg(long, env = "HITL_PAGES_LISTEN", value_name = "ADDRESS:PORT")]
    pub pages_listen: Option<SocketAddr>,
}

impl TlsArgs {
    /// The variables of these flags.
    pub const VARIABLES: [&str; 7] = [
        "HITL_TLS_CERT",
        "HITL_TLS_KEY",
        "HITL_TLS_CLIENT_CA",
        "HITL_TLS_CLIENT_ROLE",
        "HITL_TLS_REQUIRE_CLIENT_CERT",
        "HITL_PLAIN_TEXT",
        "HITL_PAGES_LISTEN",
    ];

    /// The files with certificates and key, if TLS is spoken.
    pub fn files(&self) -> Option<TlsFiles> {
        let (certificate, key) = (self.tls_cert.clone()?, self.tls_key.clone()?);
        let required = self.tls_require_client_cert;
        let clients = self.tls_client_ca.clone().map(|file| ClientAuthority { file, required });
        Some(TlsFiles { certificate, key, clients })
    }

    /// How addresses of this server begin.
    pub fn scheme(&self) -> &'static str {
        if self.tls_cert.is_some() { "https" } else { "http" }
    }
}
