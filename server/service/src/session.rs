//! The one way in for callers: who calls may do what it asks for, or is refused before anything is done.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use hitl_core::{
    Action, Actor, Audited, Command, Denied, Event, EventKey, Namespace, Namespaces, Principal,
    Proof, Spec,
};
use hitl_receipt::Receipt;
use hitl_store::PublishedKey;

use crate::error::Error;
use crate::quotas::Payer;
use crate::{Created, Filter, ListQuery, Owner, Page, Service, Wait, Waits, Watch};

/// The use cases, as one principal may use them. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Session {
    service: Service,
    principal: Principal,
    /// From where the principal calls, if that is known.
    address: Option<IpAddr>,
}

impl Service {
    /// The use cases, as `principal` may use them.
    pub fn session(&self, principal: Principal) -> Session {
        Session { service: self.clone(), principal, address: None }
    }
}

impl Session {
    /// The same for calls from `address`.
    #[must_use]
    pub fn from_address(self, address: Option<IpAddr>) -> Self {
        Self { address, ..self }
    }

    /// Who calls, and from where.
    pub(crate) fn actor(&self) -> Actor {
        let address = self.address.map(|address| address.to_string());
        Actor::new(&self.principal, address.unwrap_or_default())
    }

    /// For whom what this principal takes is counted.
    pub fn payer(&self) -> Payer {
        Payer::new(&self.principal, self.address)
    }

    pub(crate) fn service(&self) -> &Service {
        &self.service
    }

    pub(crate) fn principal(&self) -> &Principal {
        &self.principal
    }

    /// Creates the event that `spec` asks for, durably, with its timer; or finds the one that an earlier create with
    /// the same idempotency key made, even if that has ended.
    ///
    /// # Errors
    /// [`Error::InvalidRequest`], [`Error::IdempotencyKeyReused`], [`Error::Removed`], [`Error::ClockOff`],
    /// [`Error::LinkInvalid`], [`Error::PermissionDenied`], [`Error::OverQuota`], and those of the store.
    pub async fn create(&self, namespace: Namespace, spec: Spec) -> Result<Created, Error> {
        self.may(Action::Create(&namespace))?;
        let created_by = self.recorded();
        self.service.create(self.payer(), namespace, Spec { created_by, ..spec }).await
    }

    /// Who this is, as it is recorded where that may be nobody.
    pub(crate) fn recorded(&self) -> Option<Proof> {
        match &self.principal {
            Principal::Anyone => None,
            somebody => Some(somebody.proof()),
        }
    }

    /// The event at `key` as it stands. One whose deadline has passed is ended first.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::LinkInvalid`], [`Error::PermissionDenied`], and those of the store.
    pub async fn get(&self, key: &EventKey) -> Result<Event, Error> {
        self.may(Action::Look(key))?;
        self.service.get(key).await
    }

    /// Lets `command` act on the event at `key`, and returns the event as it stands then.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::InvalidAnswer`], [`Error::InvalidRequest`], [`Error::AlreadyFinal`],
    /// [`Error::NotAssigned`], [`Error::NobodyInParticular`], [`Error::AlreadyVoted`], [`Error::ClockOff`],
    /// [`Error::LinkInvalid`], [`Error::PermissionDenied`], and those of the store.
    pub async fn end(&self, key: &EventKey, mut command: Command) -> Result<Event, Error> {
        self.may(match command {
            Command::Answer { .. } | Command::Decline { .. } => Action::Respond(key),
            Command::Cancel { .. } | Command::Expire => Action::Cancel(key),
        })?;
        // Whatever the caller says of itself, this is what was proved.
        if let Some(responder) = command.responder_mut() {
            responder.proof = Some(self.principal.proof());
        }
        let ended = self.service.end_by(key, command, self.standing(key)).await;
        let refused = match &ended {
            Err(Error::SelfAnswer) => Some("whoever created an event does not answer it"),
            Err(Error::NotAssigned(_)) => Some("the event is for others"),
            Err(Error::NobodyInParticular(_)) => Some("it matters who answers the event"),
            _ => None,
        };
        if let Some(why) = refused {
            let refusal = Audited::refused(Action::Respond(key), why);
            self.service.audit_refusal(self.actor(), refusal);
        }
        ended
    }

    /// One page of the events that match `query`. Events that are found overdue are ended first.
    ///
    /// # Errors
    /// [`Error::InvalidRequest`] for a page token that is none, [`Error::LinkInvalid`], [`Error::PermissionDenied`],
    /// and those of the store.
    pub async fn list(&self, query: &ListQuery) -> Result<Page, Error> {
        self.may_list(&query.filter.namespaces)?;
        self.service.list(query).await
    }

    /// Begins a wait of `owner` for the event at `key`, which is returned as it stands.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::TooManyWaiters`], [`Error::ShuttingDown`], [`Error::LinkInvalid`],
    /// [`Error::PermissionDenied`], and those of the store.
    pub async fn wait(&self, key: &EventKey, owner: Owner) -> Result<(Event, Wait), Error> {
        self.may(Action::Look(key))?;
        self.service.wait(key, owner.paying(self.payer())).await
    }

    /// Begins a stream of waits of `owner`, which may add those that this principal may begin.
    ///
    /// # Errors
    /// [`Error::ShuttingDown`].
    pub fn waits(&self, owner: Owner) -> Result<Waits, Error> {
        self.service.waits(owner.paying(self.payer()), self.clone())
    }

    /// Begins a watch of `owner` for changes of what `filter` matches, from where `token` says, or from now on if it is
    /// empty. There is a bookmark at least once in `interval`.
    ///
    /// # Errors
    /// [`Error::ResumeTokenExpired`], [`Error::InvalidRequest`], [`Error::TooManyWaiters`], [`Error::ShuttingDown`],
    /// [`Error::LinkInvalid`], [`Error::PermissionDenied`].
    pub fn watch(
        &self,
        filter: Filter,
        token: &str,
        interval: Duration,
        owner: Owner,
    ) -> Result<Watch, Error> {
        self.may_list(&filter.namespaces)?;
        self.service.watch(filter, token, interval, owner.paying(self.payer()))
    }

    /// Whether this principal may be shown the links of events of `namespace`.
    pub fn may_hand_out_links(&self, namespace: &Namespace) -> bool {
        self.principal.authorize(Action::HandOutLinks(namespace)).is_ok()
    }

    /// The namespaces whose events this principal may list and watch.
    pub fn visible(&self) -> Namespaces {
        self.principal.visible()
    }

    pub(crate) fn may_list(&self, namespaces: &Namespaces) -> Result<(), Error> {
        match namespaces {
            Namespaces::Only(some) => {
                some.iter().try_for_each(|namespace| self.may(Action::List(namespace)))
            }
            Namespaces::All if self.visible() == Namespaces::All => Ok(()),
            Namespaces::All => {
                let refusal = Audited::refusal("list all namespaces", Denied::Role.name());
                self.service.audit_refusal(self.actor(), refusal);
                Err(Denied::Role.into())
            }
        }
    }

    /// The receipt of how the event at `key` ended. One whose deadline has passed is ended first.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::NoReceipt`], [`Error::LinkInvalid`], and those of the store.
    pub async fn receipt(&self, key: &EventKey) -> Result<Receipt, Error> {
        self.may(Action::Look(key))?;
        self.service.receipt(key).await
    }

    /// The public keys that receipts are verified with, which are for everybody who may know itself.
    ///
    /// # Errors
    /// [`Error::LinkInvalid`], and those of the store.
    pub async fn receipt_keys(&self) -> Result<Arc<[PublishedKey]>, Error> {
        self.may(Action::KnowItself)?;
        self.service.receipt_keys().await
    }

    /// A token from which a watch sends every change that comes after this call.
    pub fn resume_token(&self) -> String {
        self.service.resume_token()
    }
}

impl From<Denied> for Error {
    fn from(denied: Denied) -> Self {
        match denied {
            Denied::Link => Self::LinkInvalid,
            Denied::Role => {
                Self::PermissionDenied("the roles of this credential do not let it do that there")
            }
            Denied::Anyone => Self::PermissionDenied(
                "this server asks for no credential (--insecure), and so has no admin for tokens and channels: start \
                 it without",
            ),
        }
    }
}
