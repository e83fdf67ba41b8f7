//! The page where a person answers: GET shows the question, POST takes the answer, and afterwards
//! it shows what happened.
//!
//! It needs no script. GET changes nothing, since programs that scan mails follow every link in
//! them; only a person who picks and presses sends an answer, so nothing is picked beforehand. The
//! hidden answer id makes a second press of the button a repeat of the first. Whatever goes wrong,
//! what was typed comes back with the page.

mod entry;
mod fields;
mod hints;
mod outcome;
mod values;
mod view;

use std::sync::Arc;

use axum::extract::State;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};

use super::error::Failure;
use super::links::hide;
use super::page;
use super::request::{FormBody, LinkPath, Peer};
use crate::api::Api;
use crate::auth::Grant;
use crate::error::Error;
use entry::Entry;

/// Shows the question, or what became of it.
pub(super) async fn show(State(api): State<Arc<Api>>, link: LinkPath) -> Response {
    let Ok(grant) = api.links().verify(&link.id, &link.token, api.now()) else {
        return page::no_such_link();
    };
    match api.event(&grant.key).await.map_err(hide) {
        Ok(event) if event.response.is_none() => {
            let entry = Entry::new(api.random_id());
            view::question(StatusCode::OK, &event, &grant, &entry, &[], api.now())
        }
        Ok(event) => outcome::ended(&event),
        Err(error) => outcome::failed(error, None),
    }
}

/// Takes an answer or a refusal, and sends the browser back to see what came of it.
pub(super) async fn submit(
    State(api): State<Arc<Api>>,
    link: LinkPath,
    peer: Peer,
    body: Result<FormBody, Failure>,
) -> Response {
    let Ok(grant) = api.links().verify(&link.id, &link.token, api.now()) else {
        return page::no_such_link();
    };
    let entry = match body {
        Ok(FormBody(pairs)) => Entry(pairs),
        Err(failure) => return outcome::unreadable(&failure),
    };
    let ended = match entry.command(&grant, peer) {
        Ok(command) => api.end(&grant.key, command).await,
        Err(error) => Err(error),
    };
    match ended {
        Ok(_) => see_again(&link),
        Err(error) => explain(&api, &grant, entry, hide(error)).await,
    }
}

/// The page that says why nothing was recorded.
async fn explain(api: &Api, grant: &Grant, entry: Entry, error: Error) -> Response {
    if !matches!(
        error,
        Error::InvalidAnswer(_) | Error::InvalidRequest(_) | Error::AlreadyFinal { .. }
    ) {
        return outcome::failed(error, Some(&entry));
    }
    match api.event(&grant.key).await.map_err(hide) {
        Ok(event) if event.response.is_some() => outcome::lost(&event, &entry),
        Ok(event) => {
            let entry = entry.with_usable_id(|| api.random_id());
            let status = StatusCode::UNPROCESSABLE_ENTITY;
            view::question(status, &event, grant, &entry, error.violations(), api.now())
        }
        Err(error) => outcome::failed(error, Some(&entry)),
    }
}

/// Back to the same address by GET. It is relative, so that it holds behind any prefix of a proxy.
fn see_again(link: &LinkPath) -> Response {
    let location = HeaderValue::from_str(&link.token).expect("a valid token is base64");
    (StatusCode::SEE_OTHER, [(header::LOCATION, location)]).into_response()
}
