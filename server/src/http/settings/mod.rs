//! The settings: who somebody is here, how pages look to them, and the tokens and links that they may end.
//!
//! Each part says the command that does the same.

mod look;
mod tokens;

use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use hitl_core::{Action, EventKey, Namespace, Namespaces, Principal, Right, Role};
use hitl_service::error::Error;

use super::error::Failure;
use super::form::When;
use super::nav::Nav;
use super::request::FormBody;
use super::sign_in::Visit;
use super::{Site, page};
pub(super) use look::{Look, apply, save};
pub(super) use tokens::{create, revoke, rotate};

/// Most tokens that are shown.
const TOKENS_SHOWN: usize = 500;

#[derive(Template)]
#[template(path = "settings.html")]
struct Settings {
    nav: Nav,
    name: String,
    /// Roles, each with where it is held.
    roles: Vec<(String, String)>,
    can_sign_out: bool,
    form_token: String,
    look: Look,
    /// The tokens, if the reader may manage them.
    tokens: Option<Tokens>,
    /// Whether the reader may end links anywhere.
    has_links: bool,
    /// What was done just now, or what is wrong with it.
    done: String,
    wrong: Vec<String>,
    /// The text of a token that was made just now, which is shown this once.
    made: Option<Made>,
}

/// What there is of tokens.
struct Tokens {
    rows: Vec<TokenRow>,
    has_more: bool,
}

/// One token.
struct TokenRow {
    id: String,
    name: String,
    roles: String,
    namespaces: String,
    made: When,
    /// When it ends, or how it has ended.
    ends: String,
    is_good: bool,
}

/// A token that was made.
struct Made {
    name: String,
    text: String,
}

/// What a page says of what was done.
#[derive(Default)]
struct News {
    done: String,
    wrong: Vec<String>,
    made: Option<Made>,
    /// From the address of the page to the first one.
    up: &'static str,
}

/// Shows them.
pub(super) async fn show(
    State(site): State<Arc<Site>>,
    visit: Visit,
    headers: HeaderMap,
) -> Response {
    let look = Look::of(&site, &headers);
    let page = draw(&site, &visit, look, StatusCode::OK, News::default()).await;
    visit.reply(page)
}

/// Ends the links of an event.
pub(super) async fn revoke_links(
    State(site): State<Arc<Site>>,
    visit: Visit,
    headers: HeaderMap,
    body: Result<FormBody, Failure>,
) -> Response {
    let form = match Form::of(&site, &visit, body) {
        Ok(form) => form,
        Err(page) => return *page,
    };
    let news = match event_key(form.text("event")) {
        None => {
            let said = "Give the address of the question, or its namespace and id as team-1/0af1…";
            News { wrong: vec![said.to_owned()], ..News::default() }
        }
        Some(key) => {
            let responder = Some(form.text("responder")).filter(|name| !name.is_empty());
            let session = site.service.session(visit.visitor.principal.clone());
            let session = session.from_address(visit.visitor.address);
            match session.revoke_links(&key, responder).await {
                Ok(()) => News { done: "The links were ended.".to_owned(), ..News::default() },
                Err(error) => News { wrong: said(error), ..News::default() },
            }
        }
    };
    let look = Look::of(&site, &headers);
    reply(&site, visit, look, news).await
}

/// The page after a form was sent.
async fn reply(site: &Site, visit: Visit, look: Look, news: News) -> Response {
    let status = match news.wrong.is_empty() {
        true => StatusCode::OK,
        false => StatusCode::UNPROCESSABLE_ENTITY,
    };
    let has_secret = news.made.is_some();
    let page = draw(site, &visit, look, status, News { up: "../", ..news }).await;
    // A page with the text of a token is kept nowhere.
    visit.reply(if has_secret { page } else { page::kept_by_browser(page) })
}

async fn draw(
    site: &Site,
    visit: &Visit,
    look: Look,
    status: StatusCode,
    News { done, wrong, made, up }: News,
) -> Response {
    let visitor = &visit.visitor;
    let (name, roles) = who(&visitor.principal);
    let tokens = match visitor.principal.authorize(Action::ManageTokens) {
        Ok(()) => match tokens::list(site, visit).await {
            Ok(tokens) => Some(tokens),
            Err(error) => return not_now(error),
        },
        Err(_) => None,
    };
    let page = Settings {
        nav: Nav { up, ..Nav::of(&visitor.principal, "settings") },
        name,
        roles,
        can_sign_out: visitor.session.is_some(),
        form_token: site.links.form_token(&visitor.form_id),
        look,
        tokens,
        has_links: may_end_links(&visitor.principal),
        done,
        wrong,
        made,
    };
    page::html(status, &page)
}

fn not_now(error: Error) -> Response {
    let (status, _) = Failure::Api(error).status_and_body();
    let message =
        "The settings cannot be shown at the moment. Nothing was changed. Try again in a moment.";
    page::notice(status, "Not just now", message)
}

/// Who `principal` is, and what it may do where.
fn who(principal: &Principal) -> (String, Vec<(String, String)>) {
    let everything = || vec![("everything".to_owned(), "all namespaces".to_owned())];
    match principal {
        Principal::Known(known) => (known.name.clone(), known.rights.iter().map(row).collect()),
        Principal::Owner => ("the user of this machine".to_owned(), everything()),
        Principal::Anyone | Principal::Link(_) => {
            ("anyone: this server asks nobody who they are".to_owned(), everything())
        }
    }
}

fn row(right: &Right) -> (String, String) {
    let roles: Vec<_> = right.roles.iter().map(role).collect();
    let namespaces = match &right.namespaces {
        Namespaces::All => "all namespaces".to_owned(),
        Namespaces::Only(names) => {
            names.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
        }
    };
    (roles.join(", "), namespaces)
}

/// What a role is called.
fn role(role: Role) -> &'static str {
    match role {
        Role::Requester => "requester",
        Role::Responder => "responder",
        Role::Notifier => "notifier",
        Role::Auditor => "auditor",
        Role::Admin => "admin",
    }
}

fn may_end_links(principal: &Principal) -> bool {
    match principal.visible() {
        Namespaces::All => principal.authorize(Action::HandOutLinks(&Namespace::default())).is_ok(),
        Namespaces::Only(some) => some
            .iter()
            .any(|namespace| principal.authorize(Action::HandOutLinks(namespace)).is_ok()),
    }
}

/// The event that somebody means: by the address of its page, or by namespace and id.
fn event_key(text: &str) -> Option<EventKey> {
    let text = text.trim().trim_end_matches('/');
    let mut parts = text.rsplit('/');
    let id = parts.next()?.parse().ok()?;
    let namespace = match parts.next() {
        None => Namespace::default(),
        Some(namespace) => namespace.parse().ok()?,
    };
    Some(EventKey { namespace, id })
}

/// What is wrong, in sentences.
fn said(error: Error) -> Vec<String> {
    match error {
        Error::InvalidRequest(violations) | Error::InvalidAnswer(violations) => violations
            .into_iter()
            .map(|violation| format!("{} {}.", violation.field, violation.message))
            .collect(),
        Error::PermissionDenied(_) => {
            vec!["Your roles do not let you do that. Nothing was changed.".to_owned()]
        }
        Error::NotFound(_) => vec!["There is no such question. Nothing was changed.".to_owned()],
        Error::TokenNotFound(_) => {
            vec!["There is no such token, or it is not good any more.".to_owned()]
        }
        _ => vec!["That did not work just now. Try it again in a moment.".to_owned()],
    }
}

/// A form of these pages, sent by whoever it was made for.
struct Form(Vec<(String, String)>);

impl Form {
    fn of(
        site: &Site,
        visit: &Visit,
        body: Result<FormBody, Failure>,
    ) -> Result<Self, Box<Response>> {
        let form = Self(body.map(|FormBody(pairs)| pairs).unwrap_or_default());
        match site.links.is_form_token(&visit.visitor.form_id, form.text("form_token")) {
            true => Ok(form),
            false => Err(page::foreign_form().into()),
        }
    }

    /// The text of the field `name`; empty if it is not there.
    fn text(&self, name: &'static str) -> &str {
        self.all(name).next().unwrap_or_default()
    }

    fn all(&self, name: &'static str) -> impl Iterator<Item = &str> {
        let named = self.0.iter().filter(move |(given, _)| given == name);
        named.map(|(_, value)| value.trim())
    }
}

/// On to the settings by GET.
fn see(cookie: HeaderValue) -> Response {
    let location = [(header::LOCATION, HeaderValue::from_static("../settings"))];
    let mut response = (StatusCode::SEE_OTHER, location).into_response();
    response.headers_mut().append(header::SET_COOKIE, cookie);
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_is_meant_by_its_address_or_its_id() {
        let id = "0af1".repeat(8);
        for (text, namespace) in [
            (id.clone(), "default"),
            (format!("team-1/{id}"), "team-1"),
            (format!(" https://hitl.example/prefix/events/team-1/{id}/ "), "team-1"),
        ] {
            let key = event_key(&text).unwrap();
            assert_eq!((key.namespace.as_str(), key.id.to_string()), (namespace, id.clone()));
        }
        for other in ["", "team-1", "team-1/", "https://hitl.example/q/abc"] {
            assert!(event_key(other).is_none(), "{other}");
        }
    }
}
