//! Tells by the channels of the store: opens each by its settings and secrets, and has it send.

use std::sync::Arc;

use async_trait::async_trait;
use hitl_core::{Event, OnEnd};
use hitl_service::Service;
use hitl_service::deliveries::Tell;
use hitl_service::error::Error;
use hitl_store::{StoredLink, Way};

use super::config::{ChannelConfig, Secrets, Tools};
use super::seal::Seal;
use super::slack::SlackConfig;
use super::webhook::{self, WebhookConfig};
use super::{Channel, Message, Receipt, Undelivered};
use crate::auth::Links;

/// Makes, reads and opens channels. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Channels(Arc<Parts>);

#[derive(Debug)]
struct Parts {
    tools: Tools,
    seal: Seal,
    links: Links,
}

impl Channels {
    /// Channels that send with `tools`, whose secrets are sealed with a key that is made of that of `links`.
    pub fn new(tools: Tools, links: Links) -> Self {
        Self(Arc::new(Parts { seal: Seal::new(&links), tools, links }))
    }

    /// What they send with.
    pub fn tools(&self) -> &Tools {
        &self.0.tools
    }

    /// A channel with these settings and secrets, as it is stored.
    pub fn stored(&self, config: &ChannelConfig, secrets: &Secrets) -> Way {
        let kind = config.kind();
        let settings = serde_json::to_value(config).expect("settings are JSON");
        let sealed = self.0.seal.seal(kind, secrets, &*self.0.tools.random);
        Way { kind: kind.to_owned(), settings, sealed }
    }

    /// The settings of a channel that was stored.
    ///
    /// # Errors
    /// A newer server has stored it.
    pub fn config(&self, way: &Way) -> Result<ChannelConfig, String> {
        let read = ChannelConfig::deserialized(&way.settings);
        read.map_err(|error| {
            format!("its settings cannot be read, and may be a newer server's: {error}")
        })
    }

    /// The secrets of a channel that was stored.
    ///
    /// # Errors
    /// They were sealed with another key.
    pub fn secrets(&self, way: &Way) -> Result<Secrets, String> {
        self.0.seal.open(&way.kind, &way.sealed).map_err(|error| error.to_string())
    }

    /// The settings and secrets of the channels in Slack, as far as this server can read them.
    pub(crate) fn slack(&self, service: &Service) -> Vec<(SlackConfig, Secrets)> {
        let read = |way: &Way| match (self.config(way), self.secrets(way)) {
            (Ok(ChannelConfig::Slack(config)), Ok(secrets)) => Some((config, secrets)),
            _ => None,
        };
        service.ways("slack").iter().filter_map(read).collect()
    }

    /// The same channel with another secret to sign with; that, and the channel.
    ///
    /// # Errors
    /// It signs nothing, or its secrets cannot be read.
    pub fn with_new_secret(&self, way: &Way, overlap_ms: i64) -> Result<(Way, String), String> {
        let config = self.config(way)?;
        if !matches!(config, ChannelConfig::Webhook(_)) {
            return Err("is no webhook, so it has no secret of ours".to_owned());
        }
        let secrets = webhook::rotated(&self.secrets(way)?, overlap_ms, &self.0.tools);
        let secret = secrets.get(webhook::SECRET).to_owned();
        Ok((self.stored(&config, &secrets), secret))
    }

    /// Seals anew what was sealed with the link key before, which may be forgotten then.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn seal_anew(&self, service: &Service) -> Result<(), Error> {
        let again = |way: &Way| {
            let secrets =
                self.0.seal.is_old(&way.sealed).then(|| self.secrets(way).ok()).flatten()?;
            let sealed = self.0.seal.seal(&way.kind, &secrets, &*self.0.tools.random);
            Some(Way { sealed, ..way.clone() })
        };
        service.rewrite_channels(again).await
    }

    fn open(&self, way: &Way) -> Result<Box<dyn Channel>, Undelivered> {
        // Another server of the store may be able to, and an operator may see to it: so it is tried again.
        let config = self.config(way).map_err(Undelivered::later)?;
        let secrets = self.secrets(way).map_err(Undelivered::later)?;
        Ok(config.open(secrets, &self.0.tools))
    }
}

#[async_trait]
impl Tell for Channels {
    fn recipients(&self, way: &Way, event: &Event) -> Result<Vec<String>, Undelivered> {
        Ok(self.open(way)?.recipients(event))
    }

    async fn send(&self, way: &Way, message: &Message) -> Result<Receipt, Undelivered> {
        self.open(way)?.send(message).await
    }

    fn on_end(&self, on_end: &OnEnd, signer: Option<&Way>) -> Result<Way, String> {
        let config = WebhookConfig::of_requester(&on_end.url, &self.0.tools)?;
        let secrets = match signer {
            None => Secrets::default(),
            Some(way) if way.kind == "webhook" => self.secrets(way)?,
            Some(_) => {
                return Err(format!("names the channel {}, which is no webhook", on_end.channel));
            }
        };
        Ok(self.stored(&ChannelConfig::Webhook(config), &secrets))
    }

    fn link(&self, event: &Event) -> String {
        self.0.links.urls(&event.request).form
    }

    fn link_of(&self, link: &StoredLink) -> String {
        self.0.links.urls_of(link).form
    }
}
