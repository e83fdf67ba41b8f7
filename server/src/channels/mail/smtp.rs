//! Hands mails to an SMTP server, and says of a failure whether it is worth another try.

use std::error::Error;
use std::io;
use std::net::SocketAddr;
use std::sync::Once;
use std::time::Duration;

use hitl_proto::visible;
use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::client::{Certificate, CertificateStore, Tls, TlsParameters};
use lettre::transport::smtp::{self, AsyncSmtpTransport};
use lettre::{AsyncTransport, Message, Tokio1Executor};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use serde::{Deserialize, Serialize};

use crate::channels::{Retry, Undelivered};

/// Longest that the server may take for one step, and for a whole mail.
const STEP_PATIENCE: Duration = Duration::from_secs(10);
const MAIL_PATIENCE: Duration = Duration::from_secs(18);
/// Most of what the server says that is told on.
const REASON_CHARS_MAX: usize = 300;

/// How the connection is secured.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Security {
    /// Not at all.
    None,
    /// By STARTTLS, which the server must offer.
    #[default]
    StartTls,
    /// From the first byte on.
    Tls,
}

/// Where mails are handed over, and as whom.
pub(super) struct Relay<'a> {
    /// The name of the server, which its certificate has to have.
    pub(super) host: &'a str,
    /// Where it is.
    pub(super) address: SocketAddr,
    /// How the connection is secured.
    pub(super) security: Security,
    /// A certificate in PEM by which the server is believed, instead of those of the system; may be empty.
    pub(super) ca_pem: &'a str,
    /// User and password; an empty user if the server asks for none.
    pub(super) login: [&'a str; 2],
}

static CRYPTOGRAPHY: Once = Once::new();

impl Security {
    /// The port that goes with it.
    pub(super) fn usual_port(self) -> u16 {
        match self {
            Self::None => 25,
            Self::StartTls => 587,
            Self::Tls => 465,
        }
    }
}

/// Whether `pem` has a certificate.
pub(super) fn is_certificate(pem: &str) -> bool {
    // The library takes a text without any certificate, and then knows of no authority.
    let first = CertificateDer::pem_slice_iter(pem.as_bytes()).next();
    matches!(first, Some(Ok(_))) && Certificate::from_pem(pem.as_bytes()).is_ok()
}

impl Relay<'_> {
    /// Hands `mail` over. The server has taken it when this returns.
    ///
    /// # Errors
    /// It has not, or that is not known.
    pub(super) async fn send(&self, mail: &Message) -> Result<(), Undelivered> {
        let (transport, bytes) = (self.transport()?, mail.formatted());
        let sent = transport.send_raw(mail.envelope(), &bytes);
        match tokio::time::timeout(MAIL_PATIENCE, sent).await {
            Ok(Ok(_)) => Ok(()),
            Ok(Err(error)) => Err(classed(&error)),
            Err(_) => Err(Undelivered::later(format!(
                "the mail server took longer than {} s",
                MAIL_PATIENCE.as_secs()
            ))),
        }
    }

    /// A connection, which is made when the first mail is sent.
    fn transport(&self) -> Result<AsyncSmtpTransport<Tokio1Executor>, Undelivered> {
        // Whoever comes second finds it done.
        CRYPTOGRAPHY.call_once(|| drop(rustls::crypto::ring::default_provider().install_default()));
        let tls = match self.security {
            Security::None => Tls::None,
            Security::StartTls => Tls::Required(self.tls()?),
            Security::Tls => Tls::Wrapper(self.tls()?),
        };
        let host = self.address.ip().to_string();
        let transport = AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(host)
            .port(self.address.port())
            .tls(tls)
            .timeout(Some(STEP_PATIENCE));
        let [user, password] = self.login.map(str::to_owned);
        Ok(if user.is_empty() {
            transport.build()
        } else {
            transport.credentials(Credentials::new(user, password)).build()
        })
    }

    fn tls(&self) -> Result<TlsParameters, Undelivered> {
        let parameters = TlsParameters::builder(self.host.to_owned());
        let parameters = if self.ca_pem.is_empty() {
            parameters
        } else {
            let certificate = Certificate::from_pem(self.ca_pem.as_bytes());
            let certificate = certificate.map_err(|error| classed(&error))?;
            parameters.certificate_store(CertificateStore::None).add_root_certificate(certificate)
        };
        parameters.build().map_err(|error| classed(&error))
    }
}

/// What a failure of the library means.
///
/// A reply that begins with 4 says that it is worth another try, and one that begins with 5 that it is not. A wrong
/// password is not told from a passing trouble of the server's list of users by all servers, so it is tried again. So
/// is whatever happens on the way there: the network, and certificates, which their owner renews.
fn classed(error: &smtp::Error) -> Undelivered {
    let said = error.source().map(ToString::to_string).unwrap_or_default();
    let said = visible::cut_line(&said, REASON_CHARS_MAX);
    let (retry, what) = match error.status().map(u16::from) {
        Some(530 | 534 | 535 | 538) => {
            (Retry::Later, "the mail server refuses the user or the password")
        }
        Some(550 | 551 | 553) => {
            (Retry::Never, "the mail server does not take mail for this address")
        }
        Some(_) if error.is_permanent() => (Retry::Never, "the mail server refuses the mail"),
        Some(_) => (Retry::Later, "the mail server asks to try again later"),
        None if is_of_tls(error) => {
            (Retry::Later, "the connection to the mail server cannot be secured")
        }
        None if error.is_response() => (Retry::Later, "the mail server does not speak SMTP"),
        None if error.is_timeout() => (Retry::Later, "the mail server does not reply in time"),
        None if error.is_client() => {
            (Retry::Later, "the mail server does not offer what is needed")
        }
        None => (Retry::Later, "the mail server cannot be reached"),
    };
    let code = error.status().map(|code| format!(" ({code})")).unwrap_or_default();
    let said = if said.is_empty() { said } else { format!(": {said}") };
    Undelivered { reason: format!("{what}{code}{said}"), retry }
}

/// Whether the connection failed because it could not be secured, which the library says as if it had never been made.
fn is_of_tls(error: &smtp::Error) -> bool {
    let causes = std::iter::successors(error.source(), |&cause| cause.source());
    let mut inner = causes.filter_map(|cause| cause.downcast_ref::<io::Error>()?.get_ref());
    error.is_tls() || inner.any(<dyn Error + Send + Sync>::is::<rustls::Error>)
}
