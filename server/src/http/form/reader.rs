//! Who has the form before them, and by what right.

use std::net::IpAddr;

use axum::http::{HeaderValue, StatusCode};
use axum::response::Response;
use hitl_core::{Action, EventKey, LinkHolder, Principal};

use crate::auth::Links;
use crate::auth::sign_in::Visitor;
use crate::http::links::hide;
use crate::http::page;
use crate::http::request::LinkPath;
use crate::http::site::Guest;
use hitl_service::error::Error;

/// See the module.
pub(super) struct Reader {
    pub(super) principal: Principal,
    pub(super) key: EventKey,
    /// Whom an answer comes from; empty if that is for the reader to say.
    pub(super) named: String,
    /// Whether the reader has an inbox, since they came by no link.
    pub(super) has_inbox: bool,
    /// The last part of the page's address. Relative, so that it holds behind any prefix of a proxy.
    here: String,
    /// What drafts are sealed for: for nobody else.
    pub(super) seal: String,
    /// What a form of this reader has in it, and no page of anybody else; empty where the address says as much.
    pub(super) form_token: String,
    /// The network address of a reader who is known.
    address: Option<IpAddr>,
}

impl Reader {
    /// Whoever has a link.
    pub(super) fn of_link(holder: LinkHolder, link: &LinkPath) -> Self {
        Self {
            key: holder.key.clone(),
            named: holder.responder.clone(),
            principal: Principal::Link(holder),
            has_inbox: false,
            here: link.last().to_owned(),
            seal: link.last().to_owned(),
            form_token: String::new(),
            address: None,
        }
    }

    /// Somebody who is known.
    pub(super) fn of_visitor(visitor: &Visitor, key: EventKey, links: &Links) -> Self {
        Self {
            principal: visitor.principal.clone(),
            named: visitor.name().to_owned(),
            has_inbox: true,
            here: key.id.to_string(),
            seal: format!("{} {} {}", visitor.form_id, key.namespace, key.id),
            form_token: links.form_token(&visitor.form_id),
            address: visitor.address,
            key,
        }
    }

    /// Who looks or acts.
    pub(super) fn guest(&self) -> Guest {
        Guest { principal: self.principal.clone(), address: self.address }
    }

    /// Whether the event is for the reader to answer, and not only to look at.
    pub(super) fn may_respond(&self) -> bool {
        self.principal.authorize(Action::Respond(&self.key)).is_ok()
    }

    /// Whether the reader is told what was said, and not only how the event ended.
    pub(super) fn is_told_all(&self, response: &hitl_core::Response) -> bool {
        match &self.principal {
            Principal::Link(holder) => holder.gave(response),
            _ => true,
        }
    }

    /// Whom a response comes from: whoever is known, or else whoever the reader says.
    pub(super) fn responder(&self, claimed: &str) -> String {
        if self.named.is_empty() { claimed.to_owned() } else { self.named.clone() }
    }

    /// The address of the page, relative to itself, with this query if there is one.
    pub(super) fn location(&self, query: &str) -> HeaderValue {
        let mark = if query.is_empty() { "" } else { "?" };
        let location = format!("{}{mark}{query}", self.here);
        HeaderValue::from_str(&location).expect("ids, tokens and seals are ASCII")
    }

    /// The same error, or that of an event that is not there: to the byte the same for what the reader may not see.
    pub(super) fn hide(&self, error: Error) -> Error {
        match (&self.principal, error) {
            (Principal::Link(_), error) => hide(error),
            (_, Error::NotFound(_) | Error::PermissionDenied(_) | Error::LinkInvalid) => {
                Error::NotFound(self.key.clone())
            }
            (_, error) => error,
        }
    }
}

/// The page for what is not there, if `error` says that.
pub(super) fn nothing(error: &Error) -> Option<Response> {
    match error {
        Error::LinkInvalid => Some(page::no_such_link()),
        Error::NotFound(_) => {
            let message = "There is no such question here, or your roles do not let you see it.";
            Some(page::notice(StatusCode::NOT_FOUND, "There is nothing here", message))
        }
        _ => None,
    }
}
