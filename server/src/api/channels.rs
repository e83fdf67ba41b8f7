//! `AdminService`: channels.

use hitl_core::{Event, EventId, Namespace, Rule, Spec, Told};
use hitl_proto::v1;
use hitl_service::deliveries::{NewChannel, Receipt, Tried, Undelivered};
use hitl_service::error::Error;
use hitl_store::{StoredChannel, Way, random};

use super::deliveries::{kind_of, kind_to_proto};
use super::{Api, Caller, from_proto, to_proto};
use crate::channels::{ChannelConfig, Channels};

/// For how long two secrets are good unless the caller says so.
const OVERLAP_MS_DEFAULT: i64 = 86_400_000;
/// Longest time for which they may be.
const OVERLAP_MS_MAX: i64 = 30 * 86_400_000;

impl Api {
    /// `AdminService.CreateChannel`.
    ///
    /// # Errors
    /// As documented at the RPC.
    pub async fn create_channel(
        &self,
        request: v1::CreateChannelRequest,
        caller: &Caller,
    ) -> Result<v1::CreateChannelResponse, Error> {
        let _call = self.admission.call(caller.payer())?;
        let session = self.session(caller);
        // Who may not is told nothing of this server's settings.
        session.list_channels().await?;
        let channels = self.channels()?;
        let asked = request.channel.unwrap_or_default();
        let settings = asked.settings.ok_or_else(|| {
            Error::invalid("channel.settings", "is required: say by what way the channel tells")
        })?;
        let read = ChannelConfig::read(settings, channels.tools());
        let (config, secrets) = read.map_err(|wrong| Error::invalid_fields(vec![wrong]))?;
        config.check_secrets(&secrets).map_err(|wrong| Error::invalid_fields(vec![wrong]))?;
        let secret = secrets.get("secret").to_owned();
        let way = channels.stored(&config, &secrets);
        let new = NewChannel { name: asked.name, way, rules: rules(asked.rules)? };
        let made = session.create_channel(new).await?;
        Ok(v1::CreateChannelResponse { channel: Some(shown(channels, &made)), secret })
    }

    /// `AdminService.ListChannels`.
    ///
    /// # Errors
    /// As documented at the RPC.
    pub async fn list_channels(
        &self,
        _: v1::ListChannelsRequest,
        caller: &Caller,
    ) -> Result<v1::ListChannelsResponse, Error> {
        let _call = self.admission.call(caller.payer())?;
        let listed = self.session(caller).list_channels().await?;
        let channels = self.channels()?;
        let channels = listed.iter().map(|channel| shown(channels, channel)).collect();
        Ok(v1::ListChannelsResponse { channels })
    }

    /// `AdminService.UpdateChannel`.
    ///
    /// # Errors
    /// As documented at the RPC.
    pub async fn update_channel(
        &self,
        request: v1::UpdateChannelRequest,
        caller: &Caller,
    ) -> Result<v1::UpdateChannelResponse, Error> {
        let _call = self.admission.call(caller.payer())?;
        let session = self.session(caller);
        session.list_channels().await?;
        let channels = self.channels()?;
        let asked = request.channel.unwrap_or_default();
        let rules = rules(asked.rules)?;
        let change = |before: NewChannel| {
            let way = match asked.settings {
                None => before.way,
                Some(settings) => {
                    let (config, secrets) = ChannelConfig::read(settings.clone(), channels.tools())
                        .map_err(|wrong| Error::invalid_fields(vec![wrong]))?;
                    if config.kind() != before.way.kind {
                        let message = format!("must be those of a {}", before.way.kind);
                        return Err(Error::invalid("channel.settings", message));
                    }
                    let kept = channels.secrets(&before.way);
                    let kept = kept.map_err(|wrong| Error::invalid("channel.name", wrong))?;
                    let given = ChannelConfig::given(&settings);
                    let secrets = kept.replaced_by(&secrets, &given);
                    let checked = config.check_secrets(&secrets);
                    checked.map_err(|wrong| Error::invalid_fields(vec![wrong]))?;
                    channels.stored(&config, &secrets)
                }
            };
            Ok(NewChannel { way, rules, ..before })
        };
        let changed = session.change_channel(&asked.name, change).await?;
        Ok(v1::UpdateChannelResponse { channel: Some(shown(channels, &changed)) })
    }

    /// `AdminService.RotateChannelSecret`.
    ///
    /// # Errors
    /// As documented at the RPC.
    pub async fn rotate_channel_secret(
        &self,
        request: v1::RotateChannelSecretRequest,
        caller: &Caller,
    ) -> Result<v1::RotateChannelSecretResponse, Error> {
        let _call = self.admission.call(caller.payer())?;
        let overlap_ms = from_proto::duration_ms("overlap", request.overlap)?;
        let overlap_ms = overlap_ms.unwrap_or(OVERLAP_MS_DEFAULT);
        if !(0..=OVERLAP_MS_MAX).contains(&overlap_ms) {
            return Err(Error::invalid("overlap", "must lie between 0 and 30 days"));
        }
        let mut secret = String::new();
        let change = |before: NewChannel| {
            let rotated = self.channels()?.with_new_secret(&before.way, overlap_ms);
            let (way, new) = rotated.map_err(|wrong| Error::invalid("name", wrong))?;
            secret = new;
            Ok(NewChannel { way, ..before })
        };
        self.session(caller).change_channel(&request.name, change).await?;
        Ok(v1::RotateChannelSecretResponse { secret })
    }

    /// `AdminService.DeleteChannel`.
    ///
    /// # Errors
    /// As documented at the RPC.
    pub async fn delete_channel(
        &self,
        request: v1::DeleteChannelRequest,
        caller: &Caller,
    ) -> Result<v1::DeleteChannelResponse, Error> {
        let _call = self.admission.call(caller.payer())?;
        self.session(caller).delete_channel(&request.name).await?;
        Ok(v1::DeleteChannelResponse {})
    }

    /// `AdminService.TestChannel`.
    ///
    /// # Errors
    /// As documented at the RPC.
    pub async fn test_channel(
        &self,
        request: v1::TestChannelRequest,
        caller: &Caller,
    ) -> Result<v1::TestChannelResponse, Error> {
        let _call = self.admission.call(caller.payer())?;
        let event = self.test_event()?;
        let tried = self.session(caller).try_channel(&request.name, event).await?;
        Ok(v1::TestChannelResponse { deliveries: self.as_deliveries(&request.name, tried) })
    }

    /// An event that does not exist, to try a channel with.
    fn test_event(&self) -> Result<Event, Error> {
        let spec: Spec = from_proto::spec(v1::CreateEventRequest {
            name: "test".to_owned(),
            title: "A test of this channel".to_owned(),
            prompt: "If you can read this, the channel works. There is nothing to answer."
                .to_owned(),
            input: Some(v1::Input { kind: Some(v1::input::Kind::Bool(v1::BoolInput::default())) }),
            ..Default::default()
        })?;
        let id = EventId::from_bytes(random::bytes(self.service.random()));
        let request = hitl_core::create(spec, Namespace::default(), id, self.now())
            .map_err(|_| Error::Internal("the event of a test breaks a rule".to_owned()))?;
        Ok(Event { request: request.into(), response: None })
    }

    fn as_deliveries(&self, channel: &str, tried: Tried) -> Vec<v1::Delivery> {
        let delivery = |(recipient, sent): (String, Result<Receipt, Undelivered>)| {
            let (state, summary) = match sent {
                Ok(Receipt { summary, .. }) => (v1::DeliveryState::Delivered, summary),
                Err(Undelivered { reason, .. }) => (v1::DeliveryState::Dead, reason),
            };
            v1::Delivery {
                channel: channel.to_owned(),
                kind: v1::DeliveryKind::Test.into(),
                state: state.into(),
                recipient,
                attempts: 1,
                attempt_time: Some(self.proto_now()),
                summary,
                ..Default::default()
            }
        };
        tried.into_iter().map(delivery).collect()
    }

    fn channels(&self) -> Result<&Channels, Error> {
        let none = || Error::Internal("this server has no channels".to_owned());
        self.channels.as_ref().ok_or_else(none)
    }
}

/// A channel as the API shows it.
fn shown(channels: &Channels, channel: &StoredChannel) -> v1::NotificationChannel {
    // What a newer server has stored is shown without its settings.
    let settings = channel.way.as_ref().and_then(|way: &Way| channels.config(way).ok());
    v1::NotificationChannel {
        name: channel.name.clone(),
        rules: channel.rules.iter().map(rule_to_proto).collect(),
        create_time: Some(to_proto::timestamp(channel.create_time)),
        update_time: Some(to_proto::timestamp(channel.update_time)),
        settings: settings.map(|config| config.shown()),
    }
}

fn rules(rules: Vec<v1::ChannelRule>) -> Result<Vec<Rule>, Error> {
    let rule = |(at, rule): (usize, v1::ChannelRule)| {
        let wrong = |part: &str, message: &str| {
            Error::invalid(&format!("channel.rules[{at}].{part}"), message)
        };
        let namespace = |name: String| {
            name.parse::<Namespace>()
                .map_err(|_| wrong("namespaces", "must be names of namespaces"))
        };
        let kind = |kind: v1::DeliveryKind| kind_of(kind).filter(|told| *told != Told::Test);
        let kinds: Option<_> = rule.kinds().map(kind).collect();
        if rule.kinds.iter().any(|kind| v1::DeliveryKind::try_from(*kind).is_err()) {
            return Err(wrong("kinds", "must be known kinds of change"));
        }
        let risk_min = from_proto::risk(rule.risk_min)?;
        Ok(Rule {
            namespaces: rule.namespaces.into_iter().map(namespace).collect::<Result<_, _>>()?,
            told: kinds.ok_or_else(|| wrong("kinds", "must be known kinds of change"))?,
            labels: rule.labels,
            event_name: rule.event_name,
            assignees: rule.assignees.into_iter().collect(),
            risk_min,
        })
    };
    rules.into_iter().enumerate().map(rule).collect()
}

fn rule_to_proto(rule: &Rule) -> v1::ChannelRule {
    v1::ChannelRule {
        namespaces: rule.namespaces.iter().map(ToString::to_string).collect(),
        kinds: rule.told.iter().map(|told| kind_to_proto(*told).into()).collect(),
        labels: rule.labels.clone(),
        event_name: rule.event_name.clone(),
        assignees: rule.assignees.iter().cloned().collect(),
        risk_min: to_proto::risk(rule.risk_min).into(),
    }
}
