//! By what way a new channel tells: a command for each kind. Secrets come from files, since everybody on a machine can
//! read the arguments of its programs.

use std::path::{Path, PathBuf};

use anyhow::Context;
use clap::{Args, Subcommand};
use hitl::v1;
use hitl::v1::notification_channel::Settings;

use super::RuleArgs;
use super::mail::MailArgs;
use super::slack::SlackArgs;

/// By what way a channel tells.
#[derive(Debug, Subcommand)]
pub(super) enum WayArgs {
    /// Post to a program, signed by the rules of Standard Webhooks.
    Webhook {
        /// Where to post: https, or http to a network that the server allows.
        url: String,
        /// File with the secret to sign with: whsec_ and 24 to 64 bytes in base64. [default: one is made]
        #[arg(long, value_name = "FILE")]
        secret_file: Option<PathBuf>,
        /// Leave out the link, so that the receiver cannot answer.
        #[arg(long)]
        without_link: bool,
        #[command(flatten)]
        rule: RuleArgs,
    },
    /// Notify telephones by a topic of ntfy.
    Ntfy {
        /// The topic with its server, such as https://ntfy.sh/my-secret-topic.
        url: String,
        /// File with the access token of a protected topic.
        #[arg(long, value_name = "FILE")]
        token_file: Option<PathBuf>,
        #[command(flatten)]
        rule: RuleArgs,
    },
    /// Run a program of the directory that the server was given by --channel-exec-dir.
    Exec {
        /// The name of the program.
        program: String,
        #[command(flatten)]
        rule: RuleArgs,
        /// Its arguments, after `--`.
        #[arg(last = true)]
        arguments: Vec<String>,
    },
    /// Send mails by SMTP, one to each recipient.
    Mail {
        #[command(flatten)]
        mail: MailArgs,
        #[command(flatten)]
        rule: RuleArgs,
    },
    /// Post to a conversation in Slack, with buttons where a press is an answer.
    Slack {
        #[command(flatten)]
        slack: SlackArgs,
        #[command(flatten)]
        rule: RuleArgs,
    },
    /// Post to a channel of Discord by an incoming webhook.
    Discord {
        #[command(flatten)]
        url: UrlFile,
        #[command(flatten)]
        rule: RuleArgs,
    },
    /// Post to a channel of Microsoft Teams by a webhook of Workflows.
    Teams {
        #[command(flatten)]
        url: UrlFile,
        #[command(flatten)]
        rule: RuleArgs,
    },
}

/// A URL that is a secret.
#[derive(Args, Debug)]
pub(super) struct UrlFile {
    /// File with the URL of the webhook; - is the standard input.
    #[arg(long, value_name = "FILE")]
    url_file: PathBuf,
}

impl WayArgs {
    /// The settings, and the rule.
    ///
    /// # Errors
    /// A file cannot be read.
    pub(super) fn read(self) -> anyhow::Result<(Settings, RuleArgs)> {
        let optional = |file: Option<PathBuf>| match file {
            Some(file) => secret_in(&file),
            None => Ok(String::new()),
        };
        Ok(match self {
            Self::Webhook { url, secret_file, without_link, rule } => {
                let secret = optional(secret_file)?;
                (Settings::Webhook(v1::WebhookSettings { url, secret, without_link }), rule)
            }
            Self::Ntfy { url, token_file, rule } => {
                let token = optional(token_file)?;
                (Settings::Ntfy(v1::NtfySettings { url, token }), rule)
            }
            Self::Exec { program, rule, arguments } => {
                (Settings::Exec(v1::ExecSettings { program, arguments }), rule)
            }
            Self::Mail { mail, rule } => (Settings::Mail(mail.settings()?), rule),
            Self::Slack { slack, rule } => (Settings::Slack(slack.settings()?), rule),
            Self::Discord { url, rule } => {
                let url = secret_in(&url.url_file)?;
                (Settings::Discord(v1::DiscordSettings { url }), rule)
            }
            Self::Teams { url, rule } => {
                let url = secret_in(&url.url_file)?;
                (Settings::Teams(v1::TeamsSettings { url }), rule)
            }
        })
    }
}

/// The secret in `file`, without the line break at its end.
pub(super) fn secret_in(file: &Path) -> anyhow::Result<String> {
    let read = if file == Path::new("-") {
        std::io::read_to_string(std::io::stdin().lock())
    } else {
        std::fs::read_to_string(file)
    };
    let text = read.with_context(|| format!("cannot read {}", file.display()))?;
    Ok(text.trim().to_owned())
}
