//! E-mail by SMTP: one mail for each recipient, with a link of their own.
//!
//! All mails about one event to one recipient are a thread: the first has an id that follows from the event and the two
//! addresses, and the others refer to it. A mail that is sent again has the same id, so mail programs show it once.

mod compose;
mod smtp;

use std::collections::BTreeSet;

use hitl_core::{Event, Violation};
use hitl_proto::v1;
use lettre::message::Mailbox;
use serde::{Deserialize, Serialize};

use super::digest::Digest;
use super::{Channel, ChannelConfig, Message, Outbound, Receipt, Secrets, Tools, Undelivered};
use compose::{Letter, Thread};
use smtp::{Relay, Security};

/// Most recipients of a channel.
const RECIPIENTS_MAX: usize = 50;
/// Longest address with its name, and longest name of a host.
const ADDRESS_CHARS_MAX: usize = 320;
const HOST_CHARS_MAX: usize = 253;
/// Longest user, password and certificate.
const LOGIN_BYTES_MAX: usize = 1024;
const CA_BYTES_MAX: usize = 64 * 1024;
/// Under what the password is kept.
pub(super) const PASSWORD: &str = "password";

/// Where mails are handed over, and whom they are for.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct MailConfig {
    /// The name of the SMTP server.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// How the connection is secured.
    security: Security,
    /// By which certificate the server is believed, instead of those of the system; may be empty.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub ca_pem: String,
    /// As whom mails are handed over; empty if the server asks for no password.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub user: String,
    /// Whom mails come from.
    pub from: String,
    /// Whom they go to.
    pub to: Vec<String>,
}

/// The channel.
#[derive(Debug)]
struct Mail {
    config: MailConfig,
    secrets: Secrets,
    outbound: Outbound,
}

impl MailConfig {
    /// The settings and the secrets that are asked for, if they are right.
    ///
    /// # Errors
    /// Which field is wrong, and what to do about it.
    pub(super) fn read(asked: v1::MailSettings) -> Result<(ChannelConfig, Secrets), Violation> {
        let security = match v1::MailSecurity::try_from(asked.security) {
            Ok(v1::MailSecurity::Unspecified | v1::MailSecurity::Starttls) => Security::StartTls,
            Ok(v1::MailSecurity::Tls) => Security::Tls,
            Ok(v1::MailSecurity::None) => Security::None,
            Err(_) => return Err(wrong("security", "must be a known way to secure a connection")),
        };
        let is_host = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b':');
        if !(1..=HOST_CHARS_MAX).contains(&asked.host.len()) || !asked.host.bytes().all(is_host) {
            return Err(wrong(
                "host",
                "must be the name of an SMTP server, such as smtp.example.com",
            ));
        }
        let port = match asked.port {
            0 => security.usual_port(),
            port => {
                u16::try_from(port).map_err(|_| wrong("port", "must lie between 1 and 65535"))?
            }
        };
        if !asked.ca_pem.is_empty()
            && (asked.ca_pem.len() > CA_BYTES_MAX || !smtp::is_certificate(&asked.ca_pem))
        {
            return Err(wrong("ca_pem", "must be a certificate in PEM"));
        }
        if asked.user.len() > LOGIN_BYTES_MAX || asked.password.len() > LOGIN_BYTES_MAX {
            return Err(wrong(
                "password",
                format!("must have at most {LOGIN_BYTES_MAX} bytes, and so must the user"),
            ));
        }
        if asked.user.is_empty() && !asked.password.is_empty() {
            return Err(wrong("user", "is required with a password"));
        }
        if !asked.user.is_empty() && security == Security::None {
            return Err(wrong(
                "security",
                "must not be none with a password, which everybody on the way could read",
            ));
        }
        let from = mailbox("from", &asked.from)?;
        if asked.to.is_empty() || asked.to.len() > RECIPIENTS_MAX {
            return Err(wrong("to", format!("must be 1 to {RECIPIENTS_MAX} addresses")));
        }
        let (mut to, mut seen) = (Vec::new(), BTreeSet::new());
        for (at, address) in asked.to.iter().enumerate() {
            let field = format!("to[{at}]");
            let mailbox = mailbox(&field, address)?;
            if !seen.insert(mailbox.email.to_string().to_lowercase()) {
                return Err(wrong(field, "must differ from the addresses before it"));
            }
            to.push(mailbox.to_string());
        }
        let (host, user) = (asked.host, asked.user);
        let secrets = Secrets::default();
        let secrets = if asked.password.is_empty() {
            secrets
        } else {
            secrets.with(PASSWORD, asked.password)
        };
        let config =
            Self { host, port, security, ca_pem: asked.ca_pem, user, from: from.to_string(), to };
        Ok((ChannelConfig::Mail(config), secrets))
    }

    /// The settings as the API shows them.
    pub(super) fn shown(&self) -> v1::MailSettings {
        let security = match self.security {
            Security::None => v1::MailSecurity::None,
            Security::StartTls => v1::MailSecurity::Starttls,
            Security::Tls => v1::MailSecurity::Tls,
        };
        v1::MailSettings {
            host: self.host.clone(),
            port: self.port.into(),
            security: security.into(),
            ca_pem: self.ca_pem.clone(),
            user: self.user.clone(),
            password: String::new(),
            from: self.from.clone(),
            to: self.to.clone(),
        }
    }

    /// The recipient of this address as the settings write it, with a name if they have one.
    fn named<'a>(&'a self, address: &'a str) -> &'a str {
        let is_it = |to: &&String| {
            to.parse::<Mailbox>().is_ok_and(|mailbox| mailbox.email.to_string() == address)
        };
        self.to.iter().find(is_it).map_or(address, String::as_str)
    }

    /// The channel with these settings.
    pub(super) fn open(self, secrets: Secrets, tools: &Tools) -> Box<dyn Channel> {
        Box::new(Mail { config: self, secrets, outbound: tools.outbound.clone() })
    }
}

/// The address that `text` is, perhaps with a name.
fn mailbox(field: &str, text: &str) -> Result<Mailbox, Violation> {
    let is_short = text.chars().count() <= ADDRESS_CHARS_MAX && !text.chars().any(char::is_control);
    let read = if is_short { text.parse().ok() } else { None };
    read.ok_or_else(|| {
        wrong(field, "must be a mail address, such as ann@example.com or Ann <ann@example.com>")
    })
}

fn wrong(field: impl Into<String>, message: impl Into<String>) -> Violation {
    Violation::new(format!("channel.mail.{}", field.into()), message)
}

#[async_trait::async_trait]
impl Channel for Mail {
    fn recipients(&self, _: &Event) -> Vec<String> {
        // Without their names: whoever answers by the link is recorded by the address.
        let addresses = self.config.to.iter().filter_map(|to| to.parse::<Mailbox>().ok());
        addresses.map(|mailbox| mailbox.email.to_string()).collect()
    }

    async fn send(&self, message: &Message) -> Result<Receipt, Undelivered> {
        let [from, to] =
            [self.config.from.as_str(), self.config.named(&message.recipient)].map(|text| {
                let unreadable = || Undelivered::never(format!("{text:?} is no mail address"));
                text.parse::<Mailbox>().map_err(|_| unreadable())
            });
        let (from, to) = (from?, to?);
        let mail = compose::compose(Letter {
            told: message.told,
            digest: &Digest::of(&message.event),
            note: &message.note,
            from: &from,
            to: &to,
            link: Some(&*message.link).filter(|link| !link.is_empty()),
            thread: &Thread::of(&message.event.request.key(), &from, &to),
            id: &message.id.to_string(),
            time: message.time,
        });
        let mail = mail.map_err(|error| Undelivered::never(format!("{error:#}")))?;
        let MailConfig { host, port, security, ca_pem, user, .. } = &self.config;
        let mut failed = Undelivered::later("the mail server has no address");
        for address in self.outbound.addresses(host, *port).await? {
            let login = [user.as_str(), self.secrets.get(PASSWORD)];
            let relay = Relay { host, address, security: *security, ca_pem, login };
            match relay.send(&mail).await {
                Ok(()) => {
                    return Ok(Receipt {
                        reference: compose::id(&mail),
                        summary: "taken by the mail server".to_owned(),
                    });
                }
                // Another address of the same server refuses it as well.
                Err(refused) if refused.retry == super::Retry::Never => return Err(refused),
                Err(later) => failed = later,
            }
        }
        Err(failed)
    }
}

#[cfg(test)]
mod tests;
