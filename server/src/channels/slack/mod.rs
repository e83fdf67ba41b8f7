//! Slack: a message with buttons where a press is an answer, and a link where it is not; edited when the event ends.
//!
//! Presses come in at `server/src/http/slack.rs`, which judges them by what stands here: whether Slack has sent them
//! (`signature.rs`), what was pressed (`press.rs`), and who has (`people.rs`).

mod api;
mod blocks;
mod people;
mod press;
mod signature;

use std::time::Duration;

use hitl_core::{Event, Violation};
use hitl_proto::v1;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{Channel, ChannelConfig, Message, Receipt, Secrets, Told, Tools, Undelivered};
pub(crate) use api::Slack;
pub(crate) use people::{Person, Unknown};
pub(crate) use press::{Press, Pressed};
pub(crate) use signature::Forged;

/// Slack's own API.
const API_URL: &str = "https://slack.com/api";
/// Most people of a channel, and most domains.
const PEOPLE_MAX: usize = 500;
const DOMAINS_MAX: usize = 20;
/// Longest name, id or domain.
const TEXT_CHARS_MAX: usize = 200;
/// Longest secret.
const SECRET_BYTES_MAX: usize = 1024;
/// Under what the secrets are kept.
pub(super) const TOKEN: &str = "token";
pub(super) const SIGNING_SECRET: &str = "signing_secret";
/// What a message that was told by more than one conversation's address is called here.
const REFERENCE_SEPARATOR: char = '/';

/// Where messages are posted, and whose presses count.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct SlackConfig {
    /// The id of the conversation, such as `C024BE91L`.
    pub conversation: String,
    /// People who may answer, by their ids in Slack.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub people: Vec<SlackPerson>,
    /// Whoever has a confirmed address in one of these domains may answer, too.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub email_domains: Vec<String>,
    /// Whether messages lead to the page where people sign in, instead of one where whoever has the link answers.
    pub without_link: bool,
    /// Where the API is, if that is not Slack's own; may be empty.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub api_url: String,
}

/// Who somebody in Slack is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct SlackPerson {
    /// The id in Slack, such as `U024BE7LH`.
    pub user: String,
    /// The name that is recorded.
    pub name: String,
    /// The id of the same person by other ways, such as `https://issuer.example#subject`; may be empty.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub principal: String,
}

/// The channel.
#[derive(Debug)]
struct Conversation {
    config: SlackConfig,
    slack: Slack,
    public_url: String,
}

impl SlackConfig {
    /// The settings and the secrets that are asked for, if they are right.
    ///
    /// # Errors
    /// Which field is wrong, and what to do about it.
    pub(super) fn read(
        asked: v1::SlackSettings,
        tools: &Tools,
    ) -> Result<(ChannelConfig, Secrets), Violation> {
        if !is_id(&asked.conversation, "CGD") {
            return Err(wrong(
                "conversation",
                "must be the id of a conversation, such as C024BE91L: it is at the end of what Slack shows of it",
            ));
        }
        let is_token = asked.token.starts_with("xoxb-") && is_secret(&asked.token);
        if !asked.token.is_empty() && !is_token {
            return Err(wrong(
                "token",
                "must be the token of the app's bot, which begins with xoxb-",
            ));
        }
        let is_signing = is_secret(&asked.signing_secret)
            && asked.signing_secret.bytes().all(|byte| byte.is_ascii_alphanumeric());
        if !asked.signing_secret.is_empty() && !is_signing {
            return Err(wrong(
                "signing_secret",
                "must be the signing secret of the app, on its page Basic Information",
            ));
        }
        if asked.people.len() > PEOPLE_MAX {
            return Err(wrong("people", format!("must be at most {PEOPLE_MAX}")));
        }
        let people = asked.people.into_iter().enumerate().map(|(at, person)| person_of(at, person));
        let people = people.collect::<Result<Vec<_>, _>>()?;
        if asked.email_domains.len() > DOMAINS_MAX {
            return Err(wrong("email_domains", format!("must be at most {DOMAINS_MAX}")));
        }
        let email_domains: Vec<String> =
            asked.email_domains.iter().map(|domain| domain.to_ascii_lowercase()).collect();
        let is_domain = |domain: &String| {
            let is_name = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-');
            domain.contains('.') && domain.len() <= TEXT_CHARS_MAX && domain.bytes().all(is_name)
        };
        if let Some(at) = email_domains.iter().position(|domain| !is_domain(domain)) {
            return Err(wrong(
                format!("email_domains[{at}]"),
                "must be a domain such as example.com",
            ));
        }
        if !asked.api_url.is_empty() {
            tools.outbound.check(&asked.api_url).map_err(|message| wrong("api_url", message))?;
        }
        let secrets =
            Secrets::default().with(TOKEN, asked.token).with(SIGNING_SECRET, asked.signing_secret);
        let config = Self {
            conversation: asked.conversation,
            people,
            email_domains,
            without_link: asked.without_link,
            api_url: asked.api_url.trim_end_matches('/').to_owned(),
        };
        Ok((ChannelConfig::Slack(config), secrets))
    }

    /// The settings as the API shows them.
    pub(super) fn shown(&self) -> v1::SlackSettings {
        let person = |person: &SlackPerson| v1::SlackPerson {
            user: person.user.clone(),
            name: person.name.clone(),
            principal: person.principal.clone(),
        };
        v1::SlackSettings {
            conversation: self.conversation.clone(),
            token: String::new(),
            signing_secret: String::new(),
            people: self.people.iter().map(person).collect(),
            email_domains: self.email_domains.clone(),
            without_link: self.without_link,
            api_url: self.api_url.clone(),
        }
    }

    /// The channel with these settings.
    pub(super) fn open(self, secrets: &Secrets, tools: &Tools) -> Box<dyn Channel> {
        let slack = self.slack(secrets, tools);
        Box::new(Conversation { config: self, slack, public_url: tools.public_url.clone() })
    }

    /// Slack, as the app of this channel calls it.
    pub(crate) fn slack(&self, secrets: &Secrets, tools: &Tools) -> Slack {
        let url = if self.api_url.is_empty() { API_URL } else { &self.api_url };
        Slack::new(url, secrets.get(TOKEN), tools.outbound.clone())
    }
}

/// Longest that is waited for Slack once a press has been worked on: Slack itself gives up after 3 s.
const AFTERWARDS: Duration = Duration::from_millis(1_500);

/// Has the message that was pressed say how `event` stands now. The delivery of the end does so too, to the messages
/// that it knows of: this one may be another.
pub(crate) async fn edit_pressed(slack: &Slack, press: &Press, event: &Event) {
    let mut body = blocks::message(event, None, "");
    body["channel"] = json!(press.conversation);
    body["ts"] = json!(press.ts);
    afterwards(slack.call("chat.update", &body)).await;
}

/// Tells who has pressed a button `words`, which nobody else sees.
pub(crate) async fn whisper(slack: &Slack, press: &Press, words: &str) {
    let body = json!({
        "channel": press.conversation,
        "user": press.user,
        "text": blocks::escape(words),
    });
    afterwards(slack.call("chat.postEphemeral", &body)).await;
}

async fn afterwards(call: impl Future<Output = Result<Value, Undelivered>>) {
    match tokio::time::timeout(AFTERWARDS, call).await {
        Ok(Ok(_)) => {}
        Ok(Err(error)) => {
            tracing::warn!(reason = error.reason, "Slack was not told what became of a press");
        }
        Err(_) => tracing::warn!("Slack was too slow to be told what became of a press"),
    }
}

/// Whether Slack has signed `body` for the app with these secrets, not long before `now`.
///
/// # Errors
/// [`Forged`].
pub(crate) fn check(
    secrets: &Secrets,
    [time, signature]: [Option<&str>; 2],
    body: &[u8],
    now: hitl_core::Timestamp,
) -> Result<(), Forged> {
    signature::check(secrets.get(SIGNING_SECRET), time, signature, body, now)
}

fn person_of(at: usize, asked: v1::SlackPerson) -> Result<SlackPerson, Violation> {
    let v1::SlackPerson { user, name, principal } = asked;
    if !is_id(&user, "UW") {
        return Err(wrong(
            format!("people[{at}].user"),
            "must be the id of a member, such as U024BE7LH",
        ));
    }
    let is_text =
        |text: &str| text.chars().count() <= TEXT_CHARS_MAX && !text.chars().any(char::is_control);
    if name.trim().is_empty() || !is_text(&name) || !is_text(&principal) {
        let message = format!("must have 1 to {TEXT_CHARS_MAX} characters, and no line break");
        return Err(wrong(format!("people[{at}].name"), message));
    }
    Ok(SlackPerson { user, name, principal })
}

/// Whether `text` is an id of Slack that begins with one of `letters`.
fn is_id(text: &str, letters: &str) -> bool {
    text.starts_with(|first| letters.contains(first))
        && (2..=32).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit())
}

fn is_secret(text: &str) -> bool {
    (1..=SECRET_BYTES_MAX).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic())
}

fn wrong(field: impl Into<String>, message: impl Into<String>) -> Violation {
    Violation::new(format!("channel.slack.{}", field.into()), message)
}

#[async_trait::async_trait]
impl Channel for Conversation {
    async fn send(&self, message: &Message) -> Result<Receipt, Undelivered> {
        let posted: Vec<&str> = message
            .earlier
            .iter()
            .map(|receipt| receipt.reference.as_str())
            .filter(|reference| !reference.is_empty())
            .collect();
        match (message.told, posted.as_slice()) {
            (Told::Reminder | Told::Escalated, [first, ..]) => self.reply(message, first).await,
            (Told::Asked | Told::Updated | Told::Ended, [_, ..]) => {
                self.edit(message, &posted).await
            }
            (_, []) | (Told::Test, _) => self.post(message).await,
        }
    }
}

impl Conversation {
    /// The whole of what is said of the event now.
    fn content(&self, message: &Message) -> Value {
        blocks::message(&message.event, self.link(message).as_deref(), &message.note)
    }

    /// Where the page is.
    fn link(&self, message: &Message) -> Option<String> {
        let Event { request, response } = &message.event;
        match () {
            () if response.is_some() => None,
            () if self.config.without_link => {
                Some(format!("{}/events/{}/{}", self.public_url, request.namespace, request.id))
            }
            () => Some(message.link.clone()).filter(|link| !link.is_empty()),
        }
    }

    async fn post(&self, message: &Message) -> Result<Receipt, Undelivered> {
        let body = self.to_conversation(self.content(message));
        let posted = self.slack.call("chat.postMessage", &body).await?;
        let [conversation, ts] =
            ["channel", "ts"].map(|name| posted[name].as_str().unwrap_or_default());
        Ok(receipt(&format!("{conversation}{REFERENCE_SEPARATOR}{ts}"), "posted"))
    }

    /// Says in the thread of the message `to` that its event still waits. The buttons are on that message.
    async fn reply(&self, message: &Message, to: &str) -> Result<Receipt, Undelivered> {
        let mut body =
            self.to_conversation(blocks::reminder(&message.event, message.told, &message.note));
        body["thread_ts"] = json!(split(to)?.1);
        // Those who do not follow the thread see it as well.
        body["reply_broadcast"] = json!(true);
        self.slack.call("chat.postMessage", &body).await?;
        Ok(receipt("", "replied in the thread"))
    }

    /// Has each message that was posted say how the event stands now.
    async fn edit(&self, message: &Message, posted: &[&str]) -> Result<Receipt, Undelivered> {
        let content = self.content(message);
        for reference in posted {
            let (conversation, ts) = split(reference)?;
            let mut body = content.clone();
            body["channel"] = json!(conversation);
            body["ts"] = json!(ts);
            match self.slack.call("chat.update", &body).await {
                Err(error) if api::is_gone(&error) => {}
                edited => drop(edited?),
            }
        }
        Ok(receipt("", "edited"))
    }

    fn to_conversation(&self, mut body: Value) -> Value {
        body["channel"] = json!(self.config.conversation);
        // Slack would open the link to show what is there.
        body["unfurl_links"] = json!(false);
        body["unfurl_media"] = json!(false);
        body
    }
}

fn split(reference: &str) -> Result<(&str, &str), Undelivered> {
    let unreadable = || Undelivered::never("the reference of the earlier message cannot be read");
    reference.split_once(REFERENCE_SEPARATOR).ok_or_else(unreadable)
}

fn receipt(reference: &str, summary: &str) -> Receipt {
    Receipt { reference: reference.to_owned(), summary: summary.to_owned() }
}

#[cfg(test)]
mod tests;
