//! How a browser's user gets known: by an issuer, by a proxy, or by a code of this machine's command line.

use std::net::IpAddr;
use std::sync::Arc;

use hitl_core::{Actor, Known, KnownKind, Principal, Timestamp};
use hitl_service::Service;
use hitl_service::error::Error;
use hitl_store::clock::SystemClock;
use http::HeaderMap;

use super::Links;
use super::codes::Codes;
use super::oidc::{Identity, Oidc, OidcArgs};
use super::proxy::{Named, Proxy, ProxyArgs};
use super::session::{Holder, Lifetimes, Session};
use super::sign_out::SignOuts;

const HOUR_MS: i64 = 3_600_000;

/// See the module.
#[derive(Debug)]
pub struct SignIn {
    /// The issuer, if there is one.
    pub oidc: Option<Arc<Oidc>>,
    /// The proxy, if there is one.
    pub proxy: Option<Proxy>,
    /// How long sessions last.
    pub lasts: Lifetimes,
    /// What has ended.
    pub sign_outs: SignOuts,
    /// The codes of the command line. None if this server is not the user's own.
    pub codes: Option<Codes>,
}

/// Who looks at a page.
#[derive(Clone, Debug)]
pub struct Visitor {
    /// What they may do.
    pub principal: Principal,
    /// What the forms of their pages are bound to.
    pub form_id: String,
    /// Their session, if that is how they are known.
    pub session: Option<Session>,
    /// The network address that they come from, if it is known.
    pub address: Option<IpAddr>,
}

/// Why it is not known who looks at a page.
#[derive(Debug)]
pub enum Unknown {
    /// Nobody has signed in.
    NotSignedIn,
    /// A name is shown that cannot be believed.
    Refused(&'static str),
    /// The store does not say whether the session was ended.
    Store(Error),
}

impl SignIn {
    /// What the flags of a server at `public_url` say. A local one is its user's own.
    ///
    /// # Errors
    /// Something is wrong with them; the message says what to do.
    pub fn new(
        oidc: &OidcArgs,
        proxy: &ProxyArgs,
        public_url: &str,
        is_local: bool,
    ) -> anyhow::Result<Self> {
        let settings = oidc.settings(public_url)?;
        let issuer = settings.map(|settings| Oidc::new(settings, Arc::new(SystemClock)));
        Ok(Self {
            oidc: issuer.transpose()?.map(Arc::new),
            proxy: proxy.settings(oidc.mapping())?,
            lasts: oidc.lifetimes(),
            sign_outs: SignOuts::default(),
            codes: is_local.then(Codes::default),
        })
    }

    /// No way at all: nobody can sign in.
    pub fn none() -> Self {
        Self {
            oidc: None,
            proxy: None,
            lasts: Lifetimes { idle_ms: 2 * HOUR_MS, whole_ms: 12 * HOUR_MS },
            sign_outs: SignOuts::default(),
            codes: None,
        }
    }

    /// Who sends a request from `address` with these headers, of which `cookie` is a session's.
    ///
    /// # Errors
    /// It is not known.
    pub async fn visitor(
        &self,
        service: &Service,
        links: &Links,
        address: Option<IpAddr>,
        headers: &HeaderMap,
        cookie: Option<&str>,
    ) -> Result<Visitor, Unknown> {
        if let Some(proxy) = &self.proxy
            && let Some(named) = proxy.named(address, headers).map_err(Unknown::Refused)?
        {
            return Ok(Visitor::of_proxy(named));
        }
        let now = service.clock().now();
        let session = cookie.and_then(|cookie| Session::read(links, cookie, now, self.lasts));
        if let Some(session) = session.filter(|session| self.takes(session))
            && !self.sign_outs.has_ended(service, &session).await.map_err(Unknown::Store)?
        {
            return Ok(Visitor::of_session(session));
        }
        Err(Unknown::NotSignedIn)
    }

    /// Whether sessions of this kind are still begun here: one of an issuer that is not asked any more means nothing.
    fn takes(&self, session: &Session) -> bool {
        match &session.holder {
            Holder::Owner => self.codes.is_some(),
            Holder::Person { identity, .. } => {
                self.oidc.as_ref().is_some_and(|oidc| oidc.issuer() == identity.issuer)
            }
        }
    }
}

impl Visitor {
    /// Whoever reaches a server that asks for nothing.
    pub fn anyone() -> Self {
        Self::of(Principal::Anyone, String::new(), None)
    }

    fn of(principal: Principal, form_id: String, session: Option<Session>) -> Self {
        Self { principal, form_id, session, address: None }
    }

    fn of_session(session: Session) -> Self {
        let principal = match &session.holder {
            Holder::Owner => Principal::Owner,
            Holder::Person { identity, .. } => identity.principal(None),
        };
        Self::of(principal, session.id().to_owned(), Some(session))
    }

    fn of_proxy(named: Named) -> Self {
        let id = format!("proxy#{}", named.user);
        let known = Known {
            kind: KnownKind::Person,
            id: id.clone(),
            name: named.name,
            rights: named.rights,
            groups: named.groups,
            until: None,
        };
        Self::of(Principal::Known(Arc::new(known)), id, None)
    }

    /// Who it is, and from where.
    pub fn actor(&self) -> Actor {
        let address = self.address.map(|address| address.to_string());
        Actor::new(&self.principal, address.unwrap_or_default())
    }

    /// What the visitor is called, if that is proved; empty if not.
    pub fn name(&self) -> &str {
        match &self.principal {
            Principal::Known(known) => &known.name,
            _ => "",
        }
    }
}

impl Identity {
    /// The principal, which is the same whether a token or a session says who it is, and is that `until` then if that
    /// is known.
    pub fn principal(&self, until: Option<Timestamp>) -> Principal {
        let kind = if self.is_program { KnownKind::Program } else { KnownKind::Person };
        Principal::Known(Arc::new(Known {
            kind,
            id: format!("{}#{}", self.issuer, self.subject),
            name: self.name.clone(),
            rights: self.rights.clone(),
            groups: self.groups.clone(),
            until,
        }))
    }
}
