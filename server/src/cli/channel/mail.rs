//! The flags of a channel that sends mails.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use hitl::v1::{MailSecurity, MailSettings};

use super::way::secret_in;

/// How the connection to the SMTP server is secured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Security {
    /// By STARTTLS, at port 587
    Starttls,
    /// By TLS from the first byte on, at port 465
    Tls,
    /// Not at all, at port 25: for an SMTP server on the same machine
    None,
}

/// Mails by SMTP, one for each recipient
#[derive(Args, Debug)]
pub(super) struct MailArgs {
    /// The name of the SMTP server.
    #[arg(long)]
    host: String,

    /// Its port. [default: as goes with the security]
    #[arg(long)]
    port: Option<u16>,

    /// How the connection is secured. [default: starttls]
    #[arg(long)]
    security: Option<Security>,

    /// File with a certificate in PEM by which the SMTP server is believed, instead of those of the system.
    #[arg(long, value_name = "FILE")]
    smtp_ca: Option<PathBuf>,

    /// The user, if the SMTP server asks for one.
    #[arg(long)]
    user: Option<String>,

    /// File with the password that goes with it.
    #[arg(long, value_name = "FILE")]
    password_file: Option<PathBuf>,

    /// Whom mails come from, such as 'hitl <hitl@example.com>'.
    #[arg(long, value_name = "ADDRESS")]
    from: String,

    /// Whom they go to. May be repeated.
    #[arg(long, value_name = "ADDRESS", required = true)]
    to: Vec<String>,
}

impl MailArgs {
    /// The settings that these flags describe.
    pub(super) fn settings(self) -> anyhow::Result<MailSettings> {
        let security = match self.security {
            None | Some(Security::Starttls) => MailSecurity::Starttls,
            Some(Security::Tls) => MailSecurity::Tls,
            Some(Security::None) => MailSecurity::None,
        };
        let read = |file: Option<PathBuf>| {
            file.map(|file| secret_in(&file)).transpose().map(Option::unwrap_or_default)
        };
        Ok(MailSettings {
            host: self.host,
            port: self.port.unwrap_or_default().into(),
            security: security.into(),
            ca_pem: read(self.smtp_ca)?,
            user: self.user.unwrap_or_default(),
            password: read(self.password_file)?,
            from: self.from,
            to: self.to,
        })
    }
}
