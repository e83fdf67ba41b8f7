//! The settings of every kind of channel: read, checked and kept in this one place.

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use hitl_core::Violation;
use hitl_proto::v1;
use hitl_proto::v1::notification_channel::Settings;
use hitl_store::clock::Clock;
use hitl_store::random::Random;
use serde::{Deserialize, Serialize};

use super::chat::ChatConfig;
use super::exec::ExecConfig;
use super::mail::{self, MailConfig};
use super::ntfy::NtfyConfig;
use super::slack::{self, SlackConfig};
use super::webhook::WebhookConfig;
use super::{Channel, Outbound};

/// The settings of a channel, as they are kept and shown: no secret is among them. Stored as JSON under the name of
/// the variant, so variants and their fields only ever grow.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ChannelConfig {
    /// Standard Webhooks, for programs.
    Webhook(WebhookConfig),
    /// A topic of ntfy.
    Ntfy(NtfyConfig),
    /// A program on the server's machine.
    Exec(ExecConfig),
    /// Mails by SMTP.
    Mail(MailConfig),
    /// A conversation in Slack.
    Slack(SlackConfig),
    /// An incoming webhook of Discord.
    Discord(ChatConfig),
    /// An incoming webhook of Microsoft Teams, made by Workflows.
    Teams(ChatConfig),
}

/// The secrets of a channel, each under a name that its kind knows. Sealed in the store.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Secrets(BTreeMap<String, String>);

/// What channels send with, and go by.
#[derive(Clone, Debug)]
pub struct Tools {
    /// HTTP to others' servers.
    pub outbound: Outbound,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Randomness.
    pub random: Arc<dyn Random>,
    /// Where people reach this server, without a slash at the end.
    pub public_url: String,
    /// The directory whose programs `exec` may run; none if it is off.
    pub exec_dir: Option<PathBuf>,
}

impl ChannelConfig {
    /// What it is called: the name of the variant in JSON, and of the command that adds one.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Webhook(_) => "webhook",
            Self::Ntfy(_) => "ntfy",
            Self::Exec(_) => "exec",
            Self::Mail(_) => "mail",
            Self::Slack(_) => "slack",
            Self::Discord(_) => "discord",
            Self::Teams(_) => "teams",
        }
    }

    /// The settings and secrets that are asked for, if they are right. Nothing is asked of the network.
    ///
    /// # Errors
    /// Which field is wrong, and what to do about it.
    pub fn read(settings: Settings, tools: &Tools) -> Result<(Self, Secrets), Violation> {
        match settings {
            Settings::Webhook(asked) => WebhookConfig::read(asked, tools),
            Settings::Ntfy(asked) => NtfyConfig::read(asked, tools),
            Settings::Exec(asked) => ExecConfig::read(asked, tools),
            Settings::Mail(asked) => MailConfig::read(asked),
            Settings::Slack(asked) => SlackConfig::read(asked, tools),
            Settings::Discord(asked) => ChatConfig::read_discord(asked, tools)
                .map(|(config, secrets)| (Self::Discord(config), secrets)),
            Settings::Teams(asked) => ChatConfig::read_teams(asked, tools)
                .map(|(config, secrets)| (Self::Teams(config), secrets)),
        }
    }

    /// The settings that were stored.
    pub(super) fn deserialized(stored: &serde_json::Value) -> serde_json::Result<Self> {
        Self::deserialize(stored)
    }

    /// The settings as the API shows them, without secrets.
    pub fn shown(&self) -> Settings {
        match self {
            Self::Webhook(config) => Settings::Webhook(config.shown()),
            Self::Ntfy(config) => Settings::Ntfy(config.shown()),
            Self::Exec(config) => Settings::Exec(config.shown()),
            Self::Mail(config) => Settings::Mail(config.shown()),
            Self::Slack(config) => Settings::Slack(config.shown()),
            Self::Discord(_) => Settings::Discord(v1::DiscordSettings::default()),
            Self::Teams(_) => Settings::Teams(v1::TeamsSettings::default()),
        }
    }

    /// The channel with these settings and `secrets`.
    pub fn open(self, secrets: Secrets, tools: &Tools) -> Box<dyn Channel> {
        match self {
            Self::Webhook(config) => config.open(secrets, tools),
            Self::Ntfy(config) => config.open(secrets, tools),
            Self::Exec(config) => config.open(secrets, tools),
            Self::Mail(config) => config.open(secrets, tools),
            Self::Slack(config) => config.open(&secrets, tools),
            Self::Discord(_) => ChatConfig::open_discord(secrets, tools),
            Self::Teams(_) => ChatConfig::open_teams(secrets, tools),
        }
    }
}

impl ChannelConfig {
    /// The names of the secrets that are given in `settings`; the others stay as they are when a channel is changed.
    pub fn given(settings: &Settings) -> Vec<&'static str> {
        let secrets: &[(&'static str, &String)] = match settings {
            Settings::Webhook(asked) => &[("secret", &asked.secret)],
            Settings::Ntfy(asked) => &[("token", &asked.token)],
            Settings::Mail(asked) => &[(mail::PASSWORD, &asked.password)],
            Settings::Slack(asked) => {
                &[(slack::TOKEN, &asked.token), (slack::SIGNING_SECRET, &asked.signing_secret)]
            }
            Settings::Discord(asked) => &[("url", &asked.url)],
            Settings::Teams(asked) => &[("url", &asked.url)],
            Settings::Exec(_) => &[],
        };
        let given = secrets.iter().filter(|(_, secret)| !secret.is_empty());
        given.map(|(name, _)| *name).collect()
    }

    /// Refuses settings that go with secrets which are not among `secrets`.
    ///
    /// # Errors
    /// Which is missing.
    pub fn check_secrets(&self, secrets: &Secrets) -> Result<(), Violation> {
        let needed: &[(&str, &str)] = match self {
            Self::Mail(config) if !config.user.is_empty() => {
                &[(mail::PASSWORD, "channel.mail.password")]
            }
            Self::Slack(_) => &[
                (slack::TOKEN, "channel.slack.token"),
                (slack::SIGNING_SECRET, "channel.slack.signing_secret"),
            ],
            _ => &[],
        };
        let missing = needed.iter().find(|(name, _)| secrets.get(name).is_empty());
        missing.map_or(Ok(()), |(_, field)| Err(Violation::new(*field, "is required")))
    }
}

impl Tools {
    /// Those of a server that allows nothing beside the public internet.
    ///
    /// # Errors
    /// The certificates of this machine cannot be used.
    pub fn strict(clock: Arc<dyn Clock>, random: Arc<dyn Random>) -> reqwest::Result<Self> {
        Ok(Self {
            outbound: Outbound::new(&[])?,
            clock,
            random,
            public_url: String::new(),
            exec_dir: None,
        })
    }
}

impl Secrets {
    /// The same with another one.
    #[must_use]
    pub fn with(mut self, name: &str, secret: String) -> Self {
        self.0.insert(name.to_owned(), secret);
        self
    }

    /// The secret of this name; empty if there is none.
    pub fn get(&self, name: &str) -> &str {
        self.0.get(name).map_or("", String::as_str)
    }

    /// The same, of which those that were `given` are the `new` ones.
    #[must_use]
    pub fn replaced_by(self, new: &Self, given: &[&str]) -> Self {
        given.iter().fold(self, |kept, name| kept.with(name, new.get(name).to_owned()))
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl fmt::Debug for Secrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secrets(secret)")
    }
}
