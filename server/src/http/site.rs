//! What the routes work with: the API for what is a call of it, and the use cases for pages and links.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::FromRef;
use hitl_core::{Command, Deliberation, Event, EventKey, LinkHolder, Principal, Timestamp};
use hitl_service::quotas::Payer;
use hitl_service::{Background, Error, Owner, Service, Session};
use hitl_store::random;
pub use prometheus_client::registry::Registry;

use super::cookies::Cookies;
use super::request::LinkPath;
use crate::admission::Admission;
use crate::api::{Api, Caller};
use crate::auth::Links;
use crate::auth::sign_in::SignIn;

/// See the module.
#[derive(Debug)]
pub struct Site {
    /// The calls of the API.
    pub api: Api,
    /// The use cases.
    pub service: Service,
    /// The links of this deployment.
    pub links: Links,
    /// How people get known by a browser.
    pub(super) sign_in: SignIn,
    /// The cookies that say so.
    pub(super) cookies: Cookies,
    /// How many calls are worked on at a time.
    pub admission: Admission,
    /// Numbers of the server beside those of the use cases.
    pub registry: Registry,
}

/// A route that is a call of the API sees nothing else.
impl FromRef<Arc<Site>> for Api {
    fn from_ref(site: &Arc<Site>) -> Self {
        site.api.clone()
    }
}

/// Who looks or acts, and from where.
pub(super) struct Guest {
    pub(super) principal: Principal,
    /// The network address, if it is known.
    pub(super) address: Option<IpAddr>,
}

/// From who knows where.
impl From<Principal> for Guest {
    fn from(principal: Principal) -> Self {
        Self { principal, address: None }
    }
}

impl From<&Caller> for Guest {
    fn from(caller: &Caller) -> Self {
        Self { principal: caller.principal.clone(), address: caller.ip() }
    }
}

impl Site {
    /// A site of these parts.
    pub fn new(
        api: Api,
        service: Service,
        links: Links,
        sign_in: SignIn,
        admission: Admission,
        registry: Registry,
    ) -> Self {
        let cookies = Cookies::new(links.public_url());
        Self { api, service, links, sign_in, cookies, admission, registry }
    }

    /// Whom the link is for, if it is good.
    ///
    /// # Errors
    /// [`Error::LinkInvalid`], the same whatever is wrong with it; and those of the store.
    pub(super) async fn link(&self, link: &LinkPath) -> Result<LinkHolder, Error> {
        let link = self.links.read(&self.service, link.text()).await?;
        // Whose link it is will be known when it has been looked at.
        let _call = self.admission.call(Payer::default())?;
        self.service.link_holder(link).await
    }

    pub(super) fn session(&self, guest: impl Into<Guest>) -> Session {
        let Guest { principal, address } = guest.into();
        self.service.session(principal).from_address(address)
    }

    /// The event at `key` as it stands, for `guest`.
    ///
    /// # Errors
    /// As [`hitl_service::Session::get`], and [`Error::Overloaded`].
    pub(super) async fn event(
        &self,
        guest: impl Into<Guest>,
        key: &EventKey,
    ) -> Result<Event, Error> {
        let session = self.session(guest);
        let _call = self.admission.call(session.payer())?;
        let event = session.get(key).await?;
        self.admission.can_reply(&event)?;
        Ok(event)
    }

    /// The same with all that was voted, said and done about it.
    ///
    /// # Errors
    /// As [`hitl_service::Session::thread`], and [`Error::Overloaded`].
    pub(super) async fn thread(
        &self,
        guest: impl Into<Guest>,
        key: &EventKey,
    ) -> Result<(Event, Deliberation), Error> {
        let session = self.session(guest);
        let _call = self.admission.call(session.payer())?;
        let (event, deliberation) = session.thread(key).await?;
        self.admission.can_reply(&event)?;
        Ok((event, deliberation))
    }

    /// The event at `key` once it has ended, or as it stands when `limit` has passed or the server goes.
    ///
    /// # Errors
    /// As [`hitl_service::Session::wait`], and [`Error::Overloaded`].
    pub(super) async fn poll(
        &self,
        guest: impl Into<Guest>,
        key: &EventKey,
        limit: Duration,
        owner: Owner,
    ) -> Result<Event, Error> {
        let (event, wait) = self.session(guest).wait(key, owner).await?;
        self.admission.can_reply(&event)?;
        drop(event);
        let event = wait.ended_within(limit).await?;
        self.admission.can_deliver(&event).await;
        Ok(event)
    }

    /// Lets `command` of `guest` act on the event at `key`.
    ///
    /// # Errors
    /// As [`hitl_service::Session::end`], and [`Error::Overloaded`].
    pub(super) async fn end(
        &self,
        guest: impl Into<Guest>,
        key: &EventKey,
        command: Command,
    ) -> Result<Event, Error> {
        let session = self.session(guest);
        let _call = self.admission.call(session.payer())?;
        session.end(key, command).await
    }

    /// Where what takes long to make is made.
    pub(super) fn background(&self) -> &Background {
        self.service.background()
    }

    /// The present instant.
    pub(super) fn now(&self) -> Timestamp {
        self.service.clock().now()
    }

    /// 32 hexadecimal digits that nobody can predict.
    pub(super) fn random_id(&self) -> String {
        format!("{:032x}", u128::from_be_bytes(random::bytes(self.service.random())))
    }
}
