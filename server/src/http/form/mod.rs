//! The page where a person answers: GET shows the question, POST takes the answer, and afterwards
//! it shows what happened.
//!
//! It needs no script. GET changes nothing, since programs that scan mails follow every link in
//! them; only a person who picks and presses sends an answer, so nothing is picked beforehand. The
//! hidden answer id makes a second press of the button a repeat of the first. Whatever goes wrong,
//! what was typed comes back with the page, and "back" never asks whether to send a form twice.

mod draft;
mod entry;
mod fields;
mod hints;
mod outcome;
mod values;
mod view;

use std::sync::Arc;

use axum::Extension;
use axum::extract::State;
use axum::http::{HeaderValue, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use hitl_core::Violation;

use super::Site;
use super::error::Failure;
use super::links::hide;
use super::page;
use super::render::Renderer;
use super::request::{FormBody, LinkPath, Peer};
use crate::auth::Grant;
use draft::Draft;
use entry::Entry;
use hitl_service::error::Error;

/// Status of the page with what was refused.
const REFUSED: StatusCode = StatusCode::UNPROCESSABLE_ENTITY;

/// Most fields of a form: more than all options that the largest input can offer. What comes back with the page is
/// many times longer than a field without content.
const PAIRS_MAX: usize = 20_000;

/// Shows the question, or what became of it.
pub(super) async fn show(
    State(site): State<Arc<Site>>,
    Extension(renderer): Extension<Renderer>,
    link: LinkPath,
    uri: Uri,
) -> Response {
    let Ok(grant) = site.links.verify(&link.id, &link.token, site.now()) else {
        return page::no_such_link();
    };
    let event = match site.event(grant.principal(), &grant.key).await.map_err(hide) {
        Ok(event) => event,
        Err(error) => return outcome::failed(error, None),
    };
    let draft = Draft::of_query(&site.links, &link.token, uri.query().unwrap_or_default());
    let (new_id, now) = (site.random_id(), site.now());
    let draw = move || match draft.map(Draft::into_parts) {
        None if event.response.is_none() => {
            let entry = Entry::new(new_id);
            view::question(StatusCode::OK, &event, &grant, &entry, &[], now)
        }
        Some((entry, violations)) if event.response.is_none() => {
            view::question(REFUSED, &event, &grant, &entry, &violations, now)
        }
        Some((entry, _)) if !entry.is_of(&event) => outcome::lost(&event, &entry),
        _ => outcome::ended(&event),
    };
    page::draw(&renderer, draw).await
}

/// Takes an answer or a refusal, and sends the browser on to see what came of it.
pub(super) async fn submit(
    State(site): State<Arc<Site>>,
    Extension(renderer): Extension<Renderer>,
    link: LinkPath,
    peer: Peer,
    body: Result<FormBody, Failure>,
) -> Response {
    let Ok(grant) = site.links.verify(&link.id, &link.token, site.now()) else {
        return page::no_such_link();
    };
    let entry = match body {
        Ok(FormBody(pairs)) if pairs.len() > PAIRS_MAX => return outcome::too_many_fields(),
        Ok(FormBody(pairs)) => Entry(pairs),
        Err(failure) => return outcome::unreadable(&failure),
    };
    let ended = match entry.command(&grant, &peer) {
        Ok(command) => site.end(grant.principal(), &grant.key, command).await,
        Err(error) => Err(error),
    };
    match ended {
        Ok(_) => see_again(&link),
        Err(error) => explain(&site, &renderer, &link, grant, entry, hide(error)).await,
    }
}

/// Says why nothing was recorded; where something is to be mended, on the page where that is done.
async fn explain(
    site: &Site,
    renderer: &Renderer,
    link: &LinkPath,
    grant: Grant,
    entry: Entry,
    error: Error,
) -> Response {
    let entry = entry.with_usable_id(|| site.random_id());
    let page = match error {
        Error::InvalidAnswer(violations) | Error::InvalidRequest(violations) => {
            let draft = Draft::new(&entry, &violations);
            if let Some(location) = draft.location(&site.links, &link.token) {
                return (StatusCode::SEE_OTHER, [(header::LOCATION, location)]).into_response();
            }
            refused(site, renderer, grant, entry, violations).await
        }
        Error::AlreadyFinal { .. } => refused(site, renderer, grant, entry, Vec::new()).await,
        // To the byte what every other link gets that is not valid.
        Error::LinkInvalid => return page::no_such_link(),
        error => page::draw(renderer, move || outcome::failed(error, Some(&entry))).await,
    };
    page::kept_by_browser(page)
}

/// The page with `entry` and what is wrong with it, as the reply itself: it is too long for an address, or needs no
/// mending.
async fn refused(
    site: &Site,
    renderer: &Renderer,
    grant: Grant,
    entry: Entry,
    violations: Vec<Violation>,
) -> Response {
    let (event, now) = (site.event(grant.principal(), &grant.key).await.map_err(hide), site.now());
    let draw = move || match event {
        Ok(event) if event.response.is_some() => outcome::lost(&event, &entry),
        Ok(event) => view::question(REFUSED, &event, &grant, &entry, &violations, now),
        Err(error) => outcome::failed(error, Some(&entry)),
    };
    page::draw(renderer, draw).await
}

/// Back to the same address by GET. It is relative, so that it holds behind any prefix of a proxy.
fn see_again(link: &LinkPath) -> Response {
    let location = HeaderValue::from_str(&link.token).expect("a valid token is base64");
    (StatusCode::SEE_OTHER, [(header::LOCATION, location)]).into_response()
}
