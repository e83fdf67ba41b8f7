//! Webhooks for programs, by the rules of Standard Webhooks: each message has an id that stays the same in every
//! attempt, the time of the attempt, and signatures of both and of the body.

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use base64::Engine;
use base64::prelude::BASE64_STANDARD as BASE64;
use hitl_core::{Event, Violation};
use hitl_proto::v1;
use hitl_store::clock::Clock;
use hitl_store::random::{self, Random};
use hmac::{Hmac, KeyInit, Mac};
use http::{HeaderMap, HeaderName, HeaderValue};
use serde::{Deserialize, Serialize};
use serde_json::json;
use sha2::Sha256;
use url::Url;

use super::{Channel, ChannelConfig, Message, Outbound, Receipt, Secrets, Tools, Undelivered};
use crate::api::summary_for_others;
use crate::json::to_json;

/// The secret that signs.
pub(super) const SECRET: &str = "secret";
/// The secret that signed before.
const PREVIOUS: &str = "previous";
/// Until when that signs too, in milliseconds since 1970.
const PREVIOUS_UNTIL: &str = "previous_until";
/// How secrets begin.
const PREFIX: &str = "whsec_";
/// Bytes of a secret.
const SECRET_BYTES: std::ops::RangeInclusive<usize> = 24..=64;

/// The settings of a webhook.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WebhookConfig {
    url: String,
    /// Whether the link to answer is left out.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    without_link: bool,
}

struct Webhook {
    config: WebhookConfig,
    secrets: Secrets,
    outbound: Outbound,
    clock: Arc<dyn Clock>,
}

/// Leaves the secrets out.
impl fmt::Debug for Webhook {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Webhook").field("config", &self.config).finish_non_exhaustive()
    }
}

impl WebhookConfig {
    /// One that tells a requester, and signs with these secrets, which may be none.
    pub(super) fn of_requester(url: &str, tools: &Tools) -> Result<Self, String> {
        tools.outbound.check(url)?;
        Ok(Self { url: url.to_owned(), without_link: true })
    }

    pub(super) fn read(
        asked: v1::WebhookSettings,
        tools: &Tools,
    ) -> Result<(ChannelConfig, Secrets), Violation> {
        let v1::WebhookSettings { url, secret, without_link } = asked;
        let wrong = |message| Violation::new("channel.webhook.url", message);
        tools.outbound.check(&url).map_err(wrong)?;
        if !secret.is_empty() && key(&secret).is_none() {
            let message = "must be whsec_ and 24 to 64 bytes in base64";
            return Err(Violation::new("channel.webhook.secret", message));
        }
        let secret = if secret.is_empty() { new_secret(&*tools.random) } else { secret };
        let config = ChannelConfig::Webhook(Self { url, without_link });
        Ok((config, Secrets::default().with(SECRET, secret)))
    }

    pub(super) fn shown(&self) -> v1::WebhookSettings {
        let Self { url, without_link } = self;
        v1::WebhookSettings { url: url.clone(), secret: String::new(), without_link: *without_link }
    }

    pub(super) fn open(self, secrets: Secrets, tools: &Tools) -> Box<dyn Channel> {
        let (outbound, clock) = (tools.outbound.clone(), tools.clock.clone());
        Box::new(Webhook { config: self, secrets, outbound, clock })
    }
}

/// `secrets` with a new one that signs, beside the one before for `overlap_ms`.
pub(super) fn rotated(secrets: &Secrets, overlap_ms: i64, tools: &Tools) -> Secrets {
    let until = tools.clock.now().plus_ms(overlap_ms).ms();
    let previous = secrets.get(SECRET).to_owned();
    secrets
        .clone()
        .with(PREVIOUS, previous)
        .with(PREVIOUS_UNTIL, until.to_string())
        .with(SECRET, new_secret(&*tools.random))
}

fn new_secret(random: &dyn Random) -> String {
    format!("{PREFIX}{}", BASE64.encode(random::bytes::<32>(random)))
}

/// The key in a secret.
fn key(secret: &str) -> Option<Vec<u8>> {
    let key = BASE64.decode(secret.strip_prefix(PREFIX)?).ok()?;
    SECRET_BYTES.contains(&key.len()).then_some(key)
}

/// What `secret` signs a message with: `v1,` and the signature.
fn signature(secret: &str, id: &str, seconds: i64, body: &[u8]) -> Option<String> {
    let mut mac = Hmac::<Sha256>::new_from_slice(&key(secret)?).expect("HMAC takes any key");
    mac.update(format!("{id}.{seconds}.").as_bytes());
    mac.update(body);
    Some(format!("v1,{}", BASE64.encode(mac.finalize().into_bytes())))
}

/// The message as programs read it.
pub(super) fn payload(message: &Message, with_link: bool) -> serde_json::Value {
    let event: &Event = &message.event;
    let mut data = json!({ "event": to_json(&summary_for_others(event)) });
    if with_link && !message.link.is_empty() {
        data["link"] = message.link.clone().into();
    }
    if !message.note.is_empty() {
        data["note"] = message.note.clone().into();
    }
    if !message.recipient.is_empty() {
        data["recipient"] = message.recipient.clone().into();
    }
    json!({
        "type": format!("event.{}", message.told.name()),
        "timestamp": message.time.to_string(),
        "sequence": message.sequence,
        "data": data,
    })
}

#[async_trait]
impl Channel for Webhook {
    async fn send(&self, message: &Message) -> Result<Receipt, Undelivered> {
        let url = Url::parse(&self.config.url)
            .map_err(|_| Undelivered::never("its URL cannot be read"))?;
        let now = self.clock.now();
        let (id, seconds) = (message.id.to_string(), now.ms() / 1_000);
        let body = payload(message, !self.config.without_link).to_string().into_bytes();
        let until: i64 = self.secrets.get(PREVIOUS_UNTIL).parse().unwrap_or(0);
        let previous = (now.ms() < until).then(|| self.secrets.get(PREVIOUS));
        let secrets = [Some(self.secrets.get(SECRET)), previous];
        let signatures: Vec<String> = secrets
            .into_iter()
            .flatten()
            .filter_map(|secret| signature(secret, &id, seconds, &body))
            .collect();
        let mut headers = HeaderMap::new();
        let mut add = |name: &'static str, text: &str| {
            let value = HeaderValue::from_str(text).expect("ids, digits and base64 are printable");
            headers.insert(HeaderName::from_static(name), value);
        };
        add("webhook-id", &id);
        add("webhook-timestamp", &seconds.to_string());
        if !signatures.is_empty() {
            add("webhook-signature", &signatures.join(" "));
        }
        let reply = self.outbound.post(&url, headers, body).await?;
        reply.taken(now.ms())?;
        Ok(Receipt::saying(&reply.status.to_string()))
    }
}

#[cfg(test)]
#[path = "webhook_tests.rs"]
mod tests;
