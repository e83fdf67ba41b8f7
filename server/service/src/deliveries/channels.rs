//! Making, changing, trying and removing channels, and knowing those that others have made.

use std::sync::Arc;

use hitl_core::tell::RULES_MAX;
use hitl_core::{Action, AuditKind, Audited, ChannelId, Event, Namespace, Rule, Told, Violation};
use hitl_store::{StoredChannel, Way, random};

use super::message::{DeliveryId, Message};
use super::{Receipt, Undelivered, pace};
use crate::error::Error;
use crate::{Service, Session};

/// Most channels in a store.
pub const CHANNELS_MAX: usize = 100;
/// Largest settings of a channel.
const SETTINGS_BYTES_MAX: usize = 64 * 1024;

/// A channel that is asked for. What it is, is checked by whoever knows that; its name and rules are not yet.
#[derive(Clone, Debug)]
pub struct NewChannel {
    /// What to call it.
    pub name: String,
    /// By what way it tells.
    pub way: Way,
    /// Of what.
    pub rules: Vec<Rule>,
}

/// What became of a message that was sent to try a channel: to each recipient.
pub type Tried = Vec<(String, Result<Receipt, Undelivered>)>;

impl Service {
    /// Says how this replica tells, and reads the channels. To be called before anything is created.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn tell_by(&self, telling: super::Telling) -> Result<(), Error> {
        let is_first = self.0.deliveries.telling.set(telling).is_ok();
        debug_assert!(is_first, "it is said once");
        self.read_channels().await
    }

    /// By what ways the channels of this kind tell, as they were read last.
    pub fn ways(&self, kind: &str) -> Vec<Way> {
        let channels = self.0.deliveries.channels();
        let ways = channels.iter().filter_map(|channel| channel.way.clone());
        ways.filter(|way| way.kind == kind).collect()
    }

    /// Reads the channels as they are now.
    pub(super) async fn read_channels(&self) -> Result<(), Error> {
        let known = self.0.deliveries.channels();
        let channels = self.0.store.channels(&known).await?;
        self.0.deliveries.know(channels);
        Ok(())
    }

    /// Looks for channels that other replicas have made, changed or removed, until the shutdown.
    pub(crate) async fn follow_channels(&self) {
        let is_alone = !self.0.store.is_shared() || self.0.deliveries.telling.get().is_none();
        let mut has_failed = false;
        loop {
            let again = self.0.clock.monotonic().plus_ms(pace::LOOK_MS);
            tokio::select! {
                biased;
                () = self.0.shutdown.cancelled() => return,
                () = self.0.clock.pause_until(again), if !is_alone => {}
            }
            match self.read_channels().await {
                Ok(()) => has_failed = false,
                Err(error) if !has_failed => {
                    has_failed = true;
                    tracing::warn!(%error, "the channels could not be read and will be again");
                }
                Err(_) => {}
            }
        }
    }
}

impl Service {
    /// Writes each channel anew for which `again` gives another way.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn rewrite_channels(&self, again: impl Fn(&Way) -> Option<Way>) -> Result<(), Error> {
        self.read_channels().await?;
        for channel in self.0.deliveries.channels().iter() {
            let Some(way) = channel.way.as_ref().and_then(&again) else { continue };
            let revision = channel.revision + 1;
            let anew = StoredChannel { revision, way: Some(way), ..(**channel).clone() };
            // Another replica may have done it.
            self.0.store.write_channel(&anew, self.nonce()).await?;
        }
        self.read_channels().await
    }
}

impl Session {
    /// Makes a channel.
    ///
    /// # Errors
    /// [`Error::PermissionDenied`], [`Error::InvalidRequest`], [`Error::ChannelExists`], and those of the store.
    pub async fn create_channel(&self, asked: NewChannel) -> Result<Arc<StoredChannel>, Error> {
        self.may_manage_channels()?;
        check(&asked)?;
        let service = self.service();
        service.read_channels().await?;
        let channels = service.0.deliveries.channels();
        let live = channels.iter().filter(|it| it.way.is_some()).count();
        if live >= CHANNELS_MAX {
            let message = format!("is one too many: a store has at most {CHANNELS_MAX} channels");
            return Err(Error::invalid("name", message));
        }
        let before = channels.iter().find(|it| it.name == asked.name);
        if before.is_some_and(|it| it.way.is_some()) {
            return Err(Error::ChannelExists(asked.name));
        }
        let now = service.now()?;
        let channel = StoredChannel {
            id: ChannelId::of_random(u64::from_be_bytes(random::bytes(service.random()))),
            name: asked.name,
            revision: before.map_or(0, |it| it.revision) + 1,
            create_time: now,
            update_time: now,
            changed_by: self.recorded(),
            way: Some(asked.way),
            rules: asked.rules,
        };
        self.write(channel, AuditKind::ChannelCreated).await
    }

    /// Gives a channel other settings and secrets, or other rules. `change` is given what it has.
    ///
    /// # Errors
    /// [`Error::PermissionDenied`], [`Error::InvalidRequest`], [`Error::ChannelNotFound`], [`Error::ChannelExists`] if
    /// somebody else has changed it at the same time, and those of the store.
    pub async fn change_channel(
        &self,
        name: &str,
        change: impl FnOnce(NewChannel) -> Result<NewChannel, Error>,
    ) -> Result<Arc<StoredChannel>, Error> {
        self.may_manage_channels()?;
        let before = self.find(name).await?;
        let way = before.way.clone().ok_or_else(|| Error::ChannelNotFound(name.to_owned()))?;
        let asked = change(NewChannel { name: name.to_owned(), way, rules: before.rules.clone() })?;
        check(&asked)?;
        let channel = StoredChannel {
            revision: before.revision + 1,
            update_time: self.service().now()?,
            changed_by: self.recorded(),
            way: Some(asked.way),
            rules: asked.rules,
            ..(*before).clone()
        };
        self.write(channel, AuditKind::ChannelChanged).await
    }

    /// The channels, by name.
    ///
    /// # Errors
    /// [`Error::PermissionDenied`], and those of the store.
    pub async fn list_channels(&self) -> Result<Vec<Arc<StoredChannel>>, Error> {
        self.may_manage_channels()?;
        self.service().read_channels().await?;
        let channels = self.service().0.deliveries.channels();
        Ok(channels.iter().filter(|it| it.way.is_some()).cloned().collect())
    }

    /// Removes a channel with its secrets, and with what it is still owed.
    ///
    /// # Errors
    /// [`Error::PermissionDenied`], [`Error::ChannelNotFound`], [`Error::ChannelExists`] if somebody else has changed
    /// it at the same time, and those of the store.
    pub async fn delete_channel(&self, name: &str) -> Result<(), Error> {
        self.may_manage_channels()?;
        let before = self.find(name).await?;
        let gone = StoredChannel {
            revision: before.revision + 1,
            update_time: self.service().now()?,
            changed_by: self.recorded(),
            way: None,
            rules: Vec::new(),
            ..(*before).clone()
        };
        self.write(gone, AuditKind::ChannelDeleted).await.map(drop)
    }

    /// Sends a message about `event`, which need not exist, by a channel, once.
    ///
    /// # Errors
    /// [`Error::PermissionDenied`], [`Error::ChannelNotFound`], and those of the store.
    pub async fn try_channel(&self, name: &str, event: Event) -> Result<Tried, Error> {
        self.may_manage_channels()?;
        let channel = self.find(name).await?;
        let service = self.service();
        let (Some(telling), Some(way)) = (service.0.deliveries.telling.get(), &channel.way) else {
            return Err(Error::ChannelNotFound(name.to_owned()));
        };
        let time = service.now()?;
        let recipients = match telling.tell.recipients(way, &event) {
            Ok(recipients) => recipients,
            Err(undelivered) => return Ok(vec![(String::new(), Err(undelivered))]),
        };
        let mut tried = Vec::new();
        for recipient in recipients {
            let message = Message {
                id: DeliveryId::of_test(random::bytes(service.random())),
                told: Told::Test,
                event: event.clone(),
                recipient: recipient.clone(),
                link: String::new(),
                note: String::new(),
                time,
                sequence: 0,
                attempts_before: 0,
                earlier: Vec::new(),
            };
            let sent = tokio::time::timeout(pace::SENDING_LIMIT, telling.tell.send(way, &message));
            let late = || Undelivered::later("it took longer than 20 s");
            tried.push((recipient, sent.await.unwrap_or_else(|_| Err(late()))));
        }
        Ok(tried)
    }

    async fn find(&self, name: &str) -> Result<Arc<StoredChannel>, Error> {
        self.service().read_channels().await?;
        let found = self.service().0.deliveries.named(name);
        found.ok_or_else(|| Error::ChannelNotFound(name.to_owned()))
    }

    async fn write(
        &self,
        channel: StoredChannel,
        kind: AuditKind,
    ) -> Result<Arc<StoredChannel>, Error> {
        let service = self.service();
        if !service.0.store.write_channel(&channel, service.nonce()).await? {
            return Err(Error::ChannelExists(channel.name));
        }
        service.read_channels().await?;
        let what = channel.way.as_ref().map_or("", |way| &way.kind);
        self.audit(Audited::new(kind).about(channel.name.clone()).saying(what)).await;
        Ok(Arc::new(channel))
    }

    pub(super) fn may_manage_channels(&self) -> Result<(), Error> {
        self.may(Action::ManageChannels)
    }
}

/// Names every broken rule.
fn check(asked: &NewChannel) -> Result<(), Error> {
    let mut broken = Vec::new();
    if asked.name.parse::<Namespace>().is_err() {
        let message = "must have 1 to 63 of a-z, 0-9 and -, with no - at either end";
        broken.push(Violation::new("name", message));
    }
    if asked.rules.len() > RULES_MAX {
        broken.push(Violation::new("rules", format!("must be at most {RULES_MAX}")));
    }
    for (at, rule) in asked.rules.iter().take(RULES_MAX).enumerate() {
        broken.extend(rule.check(&format!("rules[{at}]")));
    }
    if asked.way.settings.to_string().len() + asked.way.sealed.len() > SETTINGS_BYTES_MAX {
        let message = format!("must have at most {SETTINGS_BYTES_MAX} bytes");
        broken.push(Violation::new("settings", message));
    }
    if broken.is_empty() { Ok(()) } else { Err(Error::invalid_fields(broken)) }
}
