//! `hitl channel`: who is told of events, and by what way.

mod mail;
mod slack;
mod way;

use std::collections::BTreeMap;
use std::time::Duration;

use clap::{Args, Subcommand, ValueEnum};
use hitl::v1;
use hitl::v1::notification_channel::Settings;

use super::exit::Exit;
use super::table::{Cell, aligned};
use super::terminal::Style;
use super::{ServerArgs, reach, terminal};
use crate::json::to_json;
use way::WayArgs;

/// Add, list, change, test and remove channels, by which people and programs are told of events.
#[derive(Args, Debug)]
#[command(after_help = "\
A channel tells of everything unless it has a rule: the flags --of, --in, --for, --label, --event-name and --risk make
one, and only what matches all of them is told of.

Examples:
  hitl channel add ops webhook https://example.org/hook
  hitl channel add phone ntfy https://ntfy.sh/my-secret-topic --of asked --risk high
  hitl channel add chat discord --url-file discord.url
  hitl channel add mail mail --host smtp.example.com --user hitl --password-file password \\
      --from hitl@example.com --to ann@example.com
  hitl channel add ops slack --conversation C024BE91L --token-file token \\
      --signing-secret-file secret --person U024BE7LH=Ann
  hitl channel test phone
  hitl channel rotate ops --overlap 2d
  hitl channel rules ops --in prod --of ended
  hitl channel list
  hitl channel remove ops")]
pub(super) struct ChannelArgs {
    #[command(subcommand)]
    command: ChannelCommand,
}

#[derive(Debug, Subcommand)]
enum ChannelCommand {
    /// Add a channel. Of a webhook it prints the secret that receivers verify with, which is not shown again.
    Add {
        /// What to call it: lower-case letters, digits and hyphens.
        name: String,
        #[command(subcommand)]
        way: WayArgs,
    },
    /// List the channels, without their secrets.
    List {
        /// Prints each channel as one line of JSON.
        #[arg(long)]
        json: bool,
    },
    /// Give a channel another rule. Without flags it tells of everything.
    Rules {
        /// The name of the channel.
        name: String,
        #[command(flatten)]
        rule: RuleArgs,
    },
    /// Send a message by a channel, and say what became of it.
    Test {
        /// The name of the channel.
        name: String,
    },
    /// Make another secret for a webhook, and print it.
    Rotate {
        /// The name of the channel.
        name: String,
        /// For how long messages are signed with the secret before, too: 0s to 30d.
        #[arg(long, value_name = "TIME", default_value = "1d", value_parser = humantime::parse_duration)]
        overlap: Duration,
    },
    /// Remove a channel, with what it was still to be told.
    Remove {
        /// The name of the channel.
        name: String,
    },
}

/// Of what a channel tells.
#[derive(Args, Debug)]
struct RuleArgs {
    /// Of these kinds of change alone. May be repeated.
    #[arg(long = "of", value_name = "KIND", value_delimiter = ',')]
    kinds: Vec<KindArg>,
    /// Of events in this namespace alone. May be repeated.
    #[arg(long = "in", value_name = "NAMESPACE", value_delimiter = ',')]
    namespaces: Vec<String>,
    /// Of events with this label alone. May be repeated.
    #[arg(long = "label", value_name = "KEY=VALUE", value_parser = label)]
    labels: Vec<(String, String)>,
    /// Of events with this name alone; deploy* is all that begin so.
    #[arg(long, value_name = "NAME")]
    event_name: Option<String>,
    /// Of events that are for this person or group alone. May be repeated.
    #[arg(long = "for", value_name = "NAME", value_delimiter = ',')]
    assignees: Vec<String>,
    /// Of events with this risk or a higher one.
    #[arg(long, value_name = "RISK")]
    risk: Option<RiskArg>,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum KindArg {
    /// It was created
    Asked,
    /// It still waits
    Reminder,
    /// It has waited too long
    Escalated,
    /// Something about it has changed
    Updated,
    /// It has ended
    Ended,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum RiskArg {
    Low,
    Medium,
    High,
}

fn label(text: &str) -> Result<(String, String), String> {
    let (key, value) = text.split_once('=').ok_or("must be KEY=VALUE")?;
    Ok((key.to_owned(), value.to_owned()))
}

pub(super) async fn run(server: &ServerArgs, args: ChannelArgs) -> anyhow::Result<Exit> {
    let client = server.client()?;
    match args.command {
        ChannelCommand::Add { name, way } => {
            let (settings, rule) = way.read()?;
            let channel = v1::NotificationChannel {
                name,
                rules: rule.into_rules(),
                settings: Some(settings),
                ..Default::default()
            };
            let request = v1::CreateChannelRequest { channel: Some(channel) };
            let made = reach(&client, client.create_channel(request)).await?;
            show_secret(&made.secret)?;
        }
        ChannelCommand::List { json } => {
            let listed = reach(&client, client.list_channels(v1::ListChannelsRequest {})).await?;
            show(&listed.channels, json)?;
        }
        ChannelCommand::Rules { name, rule } => {
            let rules = rule.into_rules();
            let channel = v1::NotificationChannel { name, rules, ..Default::default() };
            let request = v1::UpdateChannelRequest { channel: Some(channel) };
            reach(&client, client.update_channel(request)).await?;
        }
        ChannelCommand::Test { name } => {
            let request = v1::TestChannelRequest { name };
            let tested = reach(&client, client.test_channel(request)).await?;
            return report(&tested.deliveries);
        }
        ChannelCommand::Rotate { name, overlap } => {
            let request = v1::RotateChannelSecretRequest { name, overlap: overlap.try_into().ok() };
            let made = reach(&client, client.rotate_channel_secret(request)).await?;
            show_secret(&made.secret)?;
        }
        ChannelCommand::Remove { name } => {
            reach(&client, client.delete_channel(v1::DeleteChannelRequest { name })).await?;
        }
    }
    Ok(Exit::Done)
}

/// The text alone goes where a program reads it.
fn show_secret(secret: &str) -> anyhow::Result<()> {
    if secret.is_empty() {
        return Ok(());
    }
    terminal::print(secret)?;
    terminal::note("This is the secret to verify messages with. It is not shown again.");
    Ok(())
}

/// What became of a test; it has failed if somebody was not told.
fn report(deliveries: &[v1::Delivery]) -> anyhow::Result<Exit> {
    let mut is_good = true;
    for delivery in deliveries {
        let is_sent = delivery.state() == v1::DeliveryState::Delivered;
        is_good &= is_sent;
        let to = match delivery.recipient.as_str() {
            "" => String::new(),
            name => format!(" to {}", terminal::one_line(name, 60)),
        };
        let said = terminal::one_line(&delivery.summary, 300);
        terminal::print(&format!("{}{to}: {said}", if is_sent { "sent" } else { "not sent" }))?;
    }
    if deliveries.is_empty() {
        terminal::print("there is nobody to tell")?;
    }
    Ok(if is_good { Exit::Done } else { Exit::Error })
}

fn show(channels: &[v1::NotificationChannel], json: bool) -> anyhow::Result<()> {
    let heads = ["NAME", "KIND", "TO", "TELLS OF"];
    let mut table = vec![heads.map(|head| Cell::new(head, Style::Heading)).to_vec()];
    for channel in channels {
        if json {
            terminal::print(&to_json(channel).to_string())?;
            continue;
        }
        let (kind, to) = place(channel.settings.as_ref());
        let of = terminal::one_line(&told_of(channel), 60);
        let row = [channel.name.clone(), kind.to_owned(), terminal::one_line(&to, 60), of];
        table.push(row.map(Cell::from).to_vec());
    }
    if !json {
        terminal::print_painted(&aligned(&table, None))?;
    }
    Ok(())
}

/// The kind of a channel, and where it tells, unless that is a secret.
fn place(settings: Option<&Settings>) -> (&'static str, String) {
    match settings {
        Some(Settings::Webhook(it)) => ("webhook", it.url.clone()),
        Some(Settings::Ntfy(it)) => ("ntfy", it.url.clone()),
        Some(Settings::Exec(it)) => ("exec", it.program.clone()),
        Some(Settings::Discord(_)) => ("discord", String::new()),
        Some(Settings::Mail(it)) => ("mail", it.to.join(", ")),
        Some(Settings::Slack(it)) => ("slack", it.conversation.clone()),
        Some(Settings::Teams(_)) => ("teams", String::new()),
        None => ("unknown", String::new()),
    }
}

/// The rules of a channel, as a line.
fn told_of(channel: &v1::NotificationChannel) -> String {
    let rules: Vec<_> = channel.rules.iter().map(rule_text).collect();
    if rules.is_empty() { "everything".to_owned() } else { rules.join("; ") }
}

fn rule_text(rule: &v1::ChannelRule) -> String {
    let mut parts = Vec::new();
    let kinds: Vec<_> = rule.kinds().map(kind_name).collect();
    if !kinds.is_empty() {
        parts.push(kinds.join(","));
    }
    if !rule.namespaces.is_empty() {
        parts.push(format!("in {}", rule.namespaces.join(",")));
    }
    parts.extend(rule.labels.iter().map(|(key, value)| format!("{key}={value}")));
    if !rule.event_name.is_empty() {
        parts.push(rule.event_name.clone());
    }
    if !rule.assignees.is_empty() {
        parts.push(format!("for {}", rule.assignees.join(",")));
    }
    if matches!(rule.risk_min(), v1::Risk::Medium | v1::Risk::High) {
        let risk = rule.risk_min().as_str_name().trim_start_matches("RISK_").to_lowercase();
        parts.push(format!("risk {risk}"));
    }
    if parts.is_empty() { "everything".to_owned() } else { parts.join(" ") }
}

/// What a kind of change is called in commands.
pub(super) fn kind_name(kind: v1::DeliveryKind) -> String {
    kind.as_str_name().trim_start_matches("DELIVERY_KIND_").to_lowercase()
}

impl RuleArgs {
    /// No rule if nothing is said.
    fn into_rules(self) -> Vec<v1::ChannelRule> {
        let kind = |kind: KindArg| v1::DeliveryKind::from(kind).into();
        let rule = v1::ChannelRule {
            namespaces: self.namespaces,
            kinds: self.kinds.into_iter().map(kind).collect(),
            labels: BTreeMap::from_iter(self.labels),
            event_name: self.event_name.unwrap_or_default(),
            assignees: self.assignees,
            risk_min: self.risk.map_or(v1::Risk::Unspecified, v1::Risk::from).into(),
        };
        if rule == v1::ChannelRule::default() { Vec::new() } else { vec![rule] }
    }
}

impl From<KindArg> for v1::DeliveryKind {
    fn from(kind: KindArg) -> Self {
        match kind {
            KindArg::Asked => Self::Asked,
            KindArg::Reminder => Self::Reminder,
            KindArg::Escalated => Self::Escalated,
            KindArg::Updated => Self::Updated,
            KindArg::Ended => Self::Ended,
        }
    }
}

impl From<RiskArg> for v1::Risk {
    fn from(risk: RiskArg) -> Self {
        match risk {
            RiskArg::Low => Self::Low,
            RiskArg::Medium => Self::Medium,
            RiskArg::High => Self::High,
        }
    }
}
