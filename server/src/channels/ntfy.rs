//! ntfy: notifications on telephones, by a topic of a server of anybody's.

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use hitl_core::{Risk, Violation};
use hitl_proto::v1;
use hitl_store::clock::Clock;
use http::header::AUTHORIZATION;
use http::{HeaderMap, HeaderValue};
use serde::{Deserialize, Serialize};
use serde_json::json;
use url::Url;

use super::words::Words;
use super::{
    Channel, ChannelConfig, Message, Outbound, Receipt, Secrets, Told, Tools, Undelivered,
};

/// The access token.
const TOKEN: &str = "token";
/// Longest title that telephones show.
const TITLE_CHARS_MAX: usize = 120;
/// What ntfy takes in bytes is 4,096; a character has up to four.
const BODY_CHARS_MAX: usize = 1_000;
/// Longest token.
const TOKEN_CHARS_MAX: usize = 200;

/// The settings of a topic.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NtfyConfig {
    url: String,
}

struct Ntfy {
    config: NtfyConfig,
    secrets: Secrets,
    outbound: Outbound,
    clock: Arc<dyn Clock>,
}

/// Leaves the secrets out.
impl fmt::Debug for Ntfy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ntfy").field("config", &self.config).finish_non_exhaustive()
    }
}

impl NtfyConfig {
    pub(super) fn read(
        asked: v1::NtfySettings,
        tools: &Tools,
    ) -> Result<(ChannelConfig, Secrets), Violation> {
        let v1::NtfySettings { url, token } = asked;
        let wrong = |message: String| Violation::new("channel.ntfy.url", message);
        let parsed = tools.outbound.check(&url).map_err(wrong)?;
        if topic(&parsed).is_none() {
            return Err(wrong("must have a topic, as in https://ntfy.sh/my-topic".to_owned()));
        }
        let is_printable = token.bytes().all(|byte| byte.is_ascii_graphic());
        if !is_printable || token.len() > TOKEN_CHARS_MAX {
            let message = format!("must be at most {TOKEN_CHARS_MAX} printable characters");
            return Err(Violation::new("channel.ntfy.token", message));
        }
        let secrets = match token.as_str() {
            "" => Secrets::default(),
            _ => Secrets::default().with(TOKEN, token),
        };
        Ok((ChannelConfig::Ntfy(Self { url }), secrets))
    }

    pub(super) fn shown(&self) -> v1::NtfySettings {
        v1::NtfySettings { url: self.url.clone(), token: String::new() }
    }

    pub(super) fn open(self, secrets: Secrets, tools: &Tools) -> Box<dyn Channel> {
        let (outbound, clock) = (tools.outbound.clone(), tools.clock.clone());
        Box::new(Ntfy { config: self, secrets, outbound, clock })
    }
}

/// The server and the topic that `url` names.
fn topic(url: &Url) -> Option<(Url, String)> {
    let segments: Vec<&str> = url.path_segments()?.filter(|it| !it.is_empty()).collect();
    let (topic, before) = segments.split_last()?;
    let mut server = url.clone();
    server.set_path(&before.join("/"));
    server.set_query(None);
    server.set_fragment(None);
    Some((server, (*topic).to_owned()))
}

/// What ntfy is asked to show.
fn publication(message: &Message, topic: &str) -> serde_json::Value {
    let Words { title, body } = Words::of(message, TITLE_CHARS_MAX, BODY_CHARS_MAX);
    let (tag, mut priority) = match message.told {
        Told::Asked | Told::Test | Told::Updated => ("question", 3),
        Told::Reminder => ("hourglass_flowing_sand", 4),
        Told::Escalated => ("rotating_light", 5),
        Told::Ended => ("white_check_mark", 2),
    };
    if message.event.request.risk == Risk::High && message.told == Told::Asked {
        priority = 4;
    }
    let mut shown = json!({
        "topic": topic,
        "title": title,
        "message": body,
        "tags": [tag],
        "priority": priority,
    });
    if !message.link.is_empty() {
        shown["click"] = message.link.clone().into();
        let label = "Answer";
        shown["actions"] =
            json!([{ "action": "view", "label": label, "url": message.link, "clear": true }]);
    }
    shown
}

#[async_trait]
impl Channel for Ntfy {
    async fn send(&self, message: &Message) -> Result<Receipt, Undelivered> {
        let url = Url::parse(&self.config.url).ok();
        let (server, topic) = url
            .and_then(|url| topic(&url))
            .ok_or_else(|| Undelivered::never("its URL cannot be read"))?;
        let mut headers = HeaderMap::new();
        let token = self.secrets.get(TOKEN);
        if !token.is_empty() {
            let mut bearer = HeaderValue::from_str(&format!("Bearer {token}"))
                .map_err(|_| Undelivered::never("its token cannot be sent"))?;
            bearer.set_sensitive(true);
            headers.insert(AUTHORIZATION, bearer);
        }
        let body = publication(message, &topic).to_string().into_bytes();
        let reply = self.outbound.post(&server, headers, body).await?;
        reply.taken(self.clock.now().ms())?;
        let said: serde_json::Value = serde_json::from_slice(&reply.body).unwrap_or_default();
        let reference = said["id"].as_str().unwrap_or_default().to_owned();
        Ok(Receipt { reference, summary: reply.status.to_string() })
    }
}

#[cfg(test)]
mod tests {
    use super::super::samples::{ended_message, message};
    use super::*;

    #[test]
    fn a_topic_is_the_last_part_of_its_url() {
        let parts = |url: &str| {
            topic(&Url::parse(url).unwrap()).map(|(server, topic)| (server.to_string(), topic))
        };
        let some = |server: &str, topic: &str| Some((server.to_owned(), topic.to_owned()));
        assert_eq!(parts("https://ntfy.sh/my-topic"), some("https://ntfy.sh/", "my-topic"));
        assert_eq!(parts("https://h/ntfy/t/?x#y"), some("https://h/ntfy", "t"));
        assert_eq!(parts("https://ntfy.sh/"), None);
    }

    #[test]
    fn a_question_has_a_button_that_opens_it_and_an_end_has_none() {
        let asked = publication(&message(Told::Asked), "t");
        assert_eq!(asked["title"], "Ship it?");
        assert_eq!(asked["actions"][0]["url"], "https://hitl.example/q/CANARY");
        assert_eq!(asked["click"], asked["actions"][0]["url"]);
        let ended = publication(&ended_message(), "t");
        assert_eq!((&ended["actions"], &ended["click"]), (&json!(null), &json!(null)));
        assert_eq!(ended["message"], "Answered by ann: yes\nComment: go");
    }
}
