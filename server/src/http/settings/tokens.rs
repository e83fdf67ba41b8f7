//! Tokens in the settings: made, rotated and revoked, by an admin of all namespaces.

use std::sync::Arc;

use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use hitl_core::{Role, Timestamp, TokenId};
use hitl_service::{NewToken, Session};
use hitl_store::TokenState;

use super::{Form, Look, Made, News, TOKENS_SHOWN, TokenRow, Tokens, reply, role, said};
use crate::http::Site;
use crate::http::error::Failure;
use crate::http::form::when;
use crate::http::request::FormBody;
use crate::http::sign_in::Visit;
use hitl_service::error::Error;

const DAY_MS: i64 = 86_400_000;
/// For how long the old token is good beside the new one, unless the form says otherwise.
const OVERLAP_MS: i64 = 3_600_000;

type Sent = Result<FormBody, Failure>;

fn session(site: &Site, visit: &Visit) -> Session {
    site.service.session(visit.visitor.principal.clone()).from_address(visit.visitor.address)
}

/// The tokens, those that are good first.
pub(super) async fn list(site: &Site, visit: &Visit) -> Result<Tokens, Error> {
    let session = session(site, visit);
    let _call = site.admission.call(session.payer())?;
    let page = session.list_tokens(None, TOKENS_SHOWN).await?;
    let now = site.now();
    let mut rows: Vec<_> = page.tokens.iter().map(|token| row(token, now)).collect();
    rows.sort_by(|one, other| {
        other.is_good.cmp(&one.is_good).then_with(|| one.name.cmp(&other.name))
    });
    Ok(Tokens { rows, has_more: page.next_after.is_some() })
}

fn row(state: &TokenState, now: Timestamp) -> TokenRow {
    let token = &state.token;
    let day = |time: Timestamp| time.utc().format("%-d %B %Y").to_string();
    let (ends, is_good) = match (state.revoke_time, &state.rotated, token.expire_time) {
        (Some(time), _, _) => (format!("revoked on {}", day(time)), false),
        (_, Some(rotated), _) if rotated.time <= now => {
            (format!("replaced on {}", day(rotated.time)), false)
        }
        (_, Some(rotated), _) => {
            (format!("replaced, good until {}", when(rotated.time).human), true)
        }
        (_, _, Some(time)) if time <= now => (format!("expired on {}", day(time)), false),
        (_, _, Some(time)) => (format!("on {}", day(time)), true),
        (_, _, None) => ("never".to_owned(), true),
    };
    TokenRow {
        id: token.id.to_string(),
        name: token.name.clone(),
        roles: token.roles.iter().map(|one| role(*one)).collect::<Vec<_>>().join(", "),
        namespaces: match token.namespaces.as_slice() {
            [all] if all == "*" => "all namespaces".to_owned(),
            some => some.join(", "),
        },
        made: when(token.create_time),
        ends,
        is_good,
    }
}

/// Makes one.
pub(in crate::http) async fn create(
    State(site): State<Arc<Site>>,
    visit: Visit,
    headers: HeaderMap,
    body: Sent,
) -> Response {
    let form = match Form::of(&site, &visit, body) {
        Ok(form) => form,
        Err(page) => return *page,
    };
    let roles = Role::ALL.into_iter().filter(|one| form.all("role").any(|name| name == role(*one)));
    let namespaces = form.text("namespaces").split([',', ' ']).filter(|name| !name.is_empty());
    let ttl_ms = match form.text("days") {
        "" => Ok(None),
        days => days.parse::<i64>().map(|days| days.checked_mul(DAY_MS)).map_err(|_| ()),
    };
    let news = match ttl_ms {
        Err(()) => News { wrong: vec!["Days are a whole number.".to_owned()], ..News::default() },
        Ok(ttl_ms) => {
            let asked = NewToken {
                name: form.text("name").to_owned(),
                roles: roles.collect(),
                namespaces: namespaces.map(str::to_owned).collect(),
                ttl_ms,
            };
            news_of(session(&site, &visit).create_token(asked).await)
        }
    };
    let look = Look::of(&site, &headers);
    reply(&site, visit, look, news).await
}

/// Makes one in the stead of another, which is good for an hour more.
pub(in crate::http) async fn rotate(
    State(site): State<Arc<Site>>,
    visit: Visit,
    headers: HeaderMap,
    body: Sent,
) -> Response {
    let form = match Form::of(&site, &visit, body) {
        Ok(form) => form,
        Err(page) => return *page,
    };
    let news = match form.text("id").parse::<TokenId>() {
        Err(_) => unknown(),
        Ok(id) => news_of(session(&site, &visit).rotate_token(id, OVERLAP_MS, None).await),
    };
    let look = Look::of(&site, &headers);
    reply(&site, visit, look, news).await
}

/// Ends one.
pub(in crate::http) async fn revoke(
    State(site): State<Arc<Site>>,
    visit: Visit,
    headers: HeaderMap,
    body: Sent,
) -> Response {
    let form = match Form::of(&site, &visit, body) {
        Ok(form) => form,
        Err(page) => return *page,
    };
    let news = match form.text("id").parse::<TokenId>() {
        Err(_) => unknown(),
        Ok(id) => match session(&site, &visit).revoke_token(id).await {
            Ok(state) => {
                News { done: format!("{} was revoked.", state.token.name), ..News::default() }
            }
            Err(error) => News { wrong: said(error), ..News::default() },
        },
    };
    let look = Look::of(&site, &headers);
    reply(&site, visit, look, news).await
}

fn unknown() -> News {
    News { wrong: vec!["There is no such token.".to_owned()], ..News::default() }
}

fn news_of(made: Result<hitl_service::Made, Error>) -> News {
    match made {
        Ok(made) => News {
            made: Some(Made { name: made.token.token.name, text: made.text.reveal() }),
            ..News::default()
        },
        Err(error) => News { wrong: said(error), ..News::default() },
    }
}
