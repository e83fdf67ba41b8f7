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

use axum::Extension;
use axum::extract::State;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};

use super::error::Failure;
use super::links::hide;
use super::page;
use super::render::Renderer;
use super::request::{FormBody, LinkPath, Peer};
use crate::api::Api;
use crate::auth::Grant;
use crate::error::Error;
use entry::Entry;

/// Most fields of a form: more than all options that the largest input can offer. What comes back with the page is
/// many times longer than a field without content.
const PAIRS_MAX: usize = 20_000;

/// Shows the question, or what became of it.
pub(super) async fn show(
    State(api): State<Arc<Api>>,
    Extension(renderer): Extension<Renderer>,
    link: LinkPath,
) -> Response {
    let Ok(grant) = api.links().verify(&link.id, &link.token, api.now()) else {
        return page::no_such_link();
    };
    match api.event(&grant.key).await.map_err(hide) {
        Ok(event) if event.response.is_none() => {
            let (entry, now) = (Entry::new(api.random_id()), api.now());
            let draw = move || view::question(StatusCode::OK, &event, &grant, &entry, &[], now);
            page::draw(&renderer, draw).await
        }
        Ok(event) => page::draw(&renderer, move || outcome::ended(&event)).await,
        Err(error) => outcome::failed(error, None),
    }
}

/// Takes an answer or a refusal, and sends the browser back to see what came of it.
pub(super) async fn submit(
    State(api): State<Arc<Api>>,
    Extension(renderer): Extension<Renderer>,
    link: LinkPath,
    peer: Peer,
    body: Result<FormBody, Failure>,
) -> Response {
    let Ok(grant) = api.links().verify(&link.id, &link.token, api.now()) else {
        return page::no_such_link();
    };
    let entry = match body {
        Ok(FormBody(pairs)) if pairs.len() > PAIRS_MAX => return outcome::too_many_fields(),
        Ok(FormBody(pairs)) => Entry(pairs),
        Err(failure) => return outcome::unreadable(&failure),
    };
    let ended = match entry.command(&grant, peer) {
        Ok(command) => api.end(&grant.key, command).await,
        Err(error) => Err(error),
    };
    match ended {
        Ok(_) => see_again(&link),
        Err(error) => explain(&api, &renderer, grant, entry, hide(error)).await,
    }
}

/// The page that says why nothing was recorded.
async fn explain(
    api: &Api,
    renderer: &Renderer,
    grant: Grant,
    entry: Entry,
    error: Error,
) -> Response {
    if !matches!(
        error,
        Error::InvalidAnswer(_) | Error::InvalidRequest(_) | Error::AlreadyFinal { .. }
    ) {
        return page::draw(renderer, move || outcome::failed(error, Some(&entry))).await;
    }
    let event = api.event(&grant.key).await.map_err(hide);
    let (new_id, now) = (api.random_id(), api.now());
    let draw = move || match event {
        Ok(event) if event.response.is_some() => outcome::lost(&event, &entry),
        Ok(event) => {
            let entry = entry.with_usable_id(|| new_id);
            let status = StatusCode::UNPROCESSABLE_ENTITY;
            view::question(status, &event, &grant, &entry, error.violations(), now)
        }
        Err(error) => outcome::failed(error, Some(&entry)),
    };
    page::draw(renderer, draw).await
}

/// Back to the same address by GET. It is relative, so that it holds behind any prefix of a proxy.
fn see_again(link: &LinkPath) -> Response {
    let location = HeaderValue::from_str(&link.token).expect("a valid token is base64");
    (StatusCode::SEE_OTHER, [(header::LOCATION, location)]).into_response()
}
