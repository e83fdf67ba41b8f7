//! Discord and Microsoft Teams, by the incoming webhooks that they give out. Their URLs are secrets: whoever has one
//! may post.
//!
//! Discord lets a message be edited by the same URL, so the end of a question replaces it. Teams does not.

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use hitl_core::Violation;
use hitl_proto::v1;
use hitl_store::clock::Clock;
use http::{HeaderMap, Method, StatusCode};
use serde::{Deserialize, Serialize};
use serde_json::json;
use url::Url;

use super::words::Words;
use super::{Channel, Message, Outbound, Receipt, Secrets, Told, Tools, Undelivered};

/// The URL.
const URL: &str = "url";
/// Longest title and text of an embed of Discord.
const DISCORD_CHARS_MAX: (usize, usize) = (256, 3_000);
/// Longest title and text of a card: Teams takes 28 KB in all.
const TEAMS_CHARS_MAX: (usize, usize) = (256, 5_000);

/// The settings of a chat: its URL is a secret, and there is nothing else.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChatConfig {}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Chat {
    Discord,
    Teams,
}

struct Incoming {
    chat: Chat,
    secrets: Secrets,
    outbound: Outbound,
    clock: Arc<dyn Clock>,
}

/// Leaves the secrets out.
impl fmt::Debug for Incoming {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Incoming").field("chat", &self.chat).finish_non_exhaustive()
    }
}

impl ChatConfig {
    pub(super) fn read_discord(
        asked: v1::DiscordSettings,
        tools: &Tools,
    ) -> Result<(Self, Secrets), Violation> {
        let wrong = |message: String| Violation::new("channel.discord.url", message);
        let url = tools.outbound.check(&asked.url).map_err(wrong)?;
        if !url.path().starts_with("/api/webhooks/") {
            let message = "must be the URL of a webhook: https://discord.com/api/webhooks/…";
            return Err(wrong(message.to_owned()));
        }
        Ok((Self {}, Secrets::default().with(URL, asked.url)))
    }

    pub(super) fn read_teams(
        asked: v1::TeamsSettings,
        tools: &Tools,
    ) -> Result<(Self, Secrets), Violation> {
        let wrong = |message| Violation::new("channel.teams.url", message);
        tools.outbound.check(&asked.url).map_err(wrong)?;
        Ok((Self {}, Secrets::default().with(URL, asked.url)))
    }

    pub(super) fn open_discord(secrets: Secrets, tools: &Tools) -> Box<dyn Channel> {
        open(Chat::Discord, secrets, tools)
    }

    pub(super) fn open_teams(secrets: Secrets, tools: &Tools) -> Box<dyn Channel> {
        open(Chat::Teams, secrets, tools)
    }
}

fn open(chat: Chat, secrets: Secrets, tools: &Tools) -> Box<dyn Channel> {
    let (outbound, clock) = (tools.outbound.clone(), tools.clock.clone());
    Box::new(Incoming { chat, secrets, outbound, clock })
}

/// What Discord is asked to show.
fn embed(message: &Message) -> serde_json::Value {
    let (title_max, body_max) = DISCORD_CHARS_MAX;
    let Words { title, body } = Words::of(message, title_max, body_max);
    let mut embed = json!({ "title": title, "description": escaped(&body) });
    if !message.link.is_empty() {
        embed["url"] = message.link.clone().into();
        embed["fields"] = json!([{ "name": "Answer", "value": message.link }]);
    }
    // Nobody is called by a name that stands in a prompt.
    json!({ "embeds": [embed], "allowed_mentions": { "parse": [] } })
}

/// What Teams is asked to show.
fn card(message: &Message) -> serde_json::Value {
    let (title_max, body_max) = TEAMS_CHARS_MAX;
    let Words { title, body } = Words::of(message, title_max, body_max);
    let mut content = json!({
        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
        "type": "AdaptiveCard",
        "version": "1.4",
        "body": [block(&title, "Bolder"), block(&body, "Default")],
    });
    if !message.link.is_empty() {
        content["actions"] =
            json!([{ "type": "Action.OpenUrl", "title": "Answer", "url": message.link }]);
    }
    let kind = "application/vnd.microsoft.card.adaptive";
    json!({ "type": "message", "attachments": [{ "contentType": kind, "content": content }] })
}

/// A paragraph of a card.
fn block(text: &str, weight: &str) -> serde_json::Value {
    json!({ "type": "TextBlock", "text": escaped(text), "wrap": true, "weight": weight })
}

/// `text` without a meaning in Markdown: no link of an event's looks like one of ours.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        if matches!(
            character,
            '\\' | '*' | '_' | '~' | '`' | '|' | '>' | '[' | ']' | '(' | ')' | '#' | '@' | '<'
        ) {
            escaped.push('\\');
        }
        escaped.push(character);
    }
    escaped
}

#[async_trait]
impl Channel for Incoming {
    async fn send(&self, message: &Message) -> Result<Receipt, Undelivered> {
        let url = Url::parse(self.secrets.get(URL))
            .map_err(|_| Undelivered::never("its URL cannot be read"))?;
        match self.chat {
            Chat::Discord => self.discord(url, message).await,
            Chat::Teams => {
                let body = card(message).to_string().into_bytes();
                let reply = self.outbound.post(&url, HeaderMap::new(), body).await?;
                reply.taken(self.clock.now().ms())?;
                Ok(Receipt::saying(&reply.status.to_string()))
            }
        }
    }
}

impl Incoming {
    /// Posts the message; or edits the first one when the event has ended.
    async fn discord(&self, mut url: Url, message: &Message) -> Result<Receipt, Undelivered> {
        let body = embed(message).to_string().into_bytes();
        let first = message.earlier.iter().find(|receipt| !receipt.reference.is_empty());
        if let (Told::Ended, Some(first)) = (message.told, first) {
            let mut edited = url.clone();
            if let Ok(mut path) = edited.path_segments_mut() {
                path.pop_if_empty().extend(["messages", first.reference.as_str()]);
            }
            let reply =
                self.outbound.send(Method::PATCH, &edited, HeaderMap::new(), body.clone()).await?;
            // Somebody may have removed it; then the end is posted anew.
            if reply.status != StatusCode::NOT_FOUND {
                reply.taken(self.clock.now().ms())?;
                let summary = format!("edited: {}", reply.status);
                return Ok(Receipt { reference: first.reference.clone(), summary });
            }
        }
        url.query_pairs_mut().append_pair("wait", "true");
        let reply = self.outbound.post(&url, HeaderMap::new(), body).await?;
        reply.taken(self.clock.now().ms())?;
        let said: serde_json::Value = serde_json::from_slice(&reply.body).unwrap_or_default();
        let id = said["id"].as_str().filter(|id| id.bytes().all(|b| b.is_ascii_digit()));
        Ok(Receipt {
            reference: id.unwrap_or_default().to_owned(),
            summary: reply.status.to_string(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::samples::{ended_message, message};
    use super::*;

    #[test]
    fn what_an_event_says_is_no_markup() {
        assert_eq!(escaped("[a](b) @here"), "\\[a\\]\\(b\\) \\@here");
        let shown = embed(&message(Told::Asked));
        assert_eq!(shown["allowed_mentions"]["parse"], json!([]));
        assert_eq!(shown["embeds"][0]["url"], "https://hitl.example/q/CANARY");
    }

    #[test]
    fn a_card_opens_the_question_until_it_has_ended() {
        let asked = card(&message(Told::Asked));
        let content = &asked["attachments"][0]["content"];
        assert_eq!(content["actions"][0]["url"], "https://hitl.example/q/CANARY");
        let ended = card(&ended_message());
        assert!(ended["attachments"][0]["content"]["actions"].is_null());
    }
}
