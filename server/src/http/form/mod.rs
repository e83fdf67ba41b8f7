//! The page where a person answers: GET shows the question, POST takes the answer, and afterwards
//! it shows what happened.
//!
//! It needs no script. GET changes nothing, since programs that scan mails follow every link in
//! them; only a person who picks and presses sends an answer, so nothing is picked beforehand. The
//! hidden answer id makes a second press of the button a repeat of the first. Whatever goes wrong,
//! what was typed comes back with the page, and "back" never asks whether to send a form twice.

mod asked;
mod bulk;
mod confirm;
mod detail;
mod draft;
mod entry;
mod evidence;
mod fields;
mod hints;
mod marks;
mod moment;
mod outcome;
mod reader;
mod review;
mod thread;
mod values;
mod view;
mod wording;

use std::sync::Arc;

use axum::Extension;
use axum::extract::State;
use axum::http::{HeaderValue, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use hitl_core::Violation;

use super::Site;
use super::error::Failure;
use super::page;
use super::render::Renderer;
use super::request::{EventKeyPath, FormBody, LinkPath, Peer};
use super::sign_in::Visit;
pub(super) use asked::plain_title;
pub(super) use bulk::{show as show_together, submit as submit_together};
use draft::Draft;
use entry::Entry;
use hitl_service::error::Error;
use reader::Reader;
use thread::Thread;
pub(super) use values::{When, short_span, summary, time_left, when};

/// Status of the page with what was refused.
const REFUSED: StatusCode = StatusCode::UNPROCESSABLE_ENTITY;

/// Most fields of a form: more than all options that the largest input can offer. What comes back with the page is
/// many times longer than a field without content.
const PAIRS_MAX: usize = 20_000;

/// Shows the question, or what became of it, to whoever has a link.
pub(super) async fn show(
    State(site): State<Arc<Site>>,
    Extension(renderer): Extension<Renderer>,
    link: LinkPath,
    uri: Uri,
) -> Response {
    match site.link(&link).await {
        Ok(holder) => {
            let reader = Reader::of_link(holder, &link);
            shown(&site, &renderer, reader, uri.query().unwrap_or_default()).await
        }
        Err(error) => outcome::failed(error, None),
    }
}

/// Takes an answer or a refusal of whoever has a link.
pub(super) async fn submit(
    State(site): State<Arc<Site>>,
    Extension(renderer): Extension<Renderer>,
    link: LinkPath,
    peer: Peer,
    body: Result<FormBody, Failure>,
) -> Response {
    match (site.link(&link).await, entry(body)) {
        (Ok(holder), Ok(entry)) => {
            taken(&site, &renderer, Reader::of_link(holder, &link), &peer, entry).await
        }
        (Err(Error::LinkInvalid), _) => page::no_such_link(),
        (Err(error), Ok(entry)) => {
            let page = page::draw(&renderer, move || outcome::failed(error, Some(&entry))).await;
            page::kept_by_browser(page)
        }
        (_, Err(page)) => *page,
    }
}

/// Shows the same to somebody who is known.
pub(super) async fn show_known(
    State(site): State<Arc<Site>>,
    Extension(renderer): Extension<Renderer>,
    EventKeyPath(key): EventKeyPath,
    visit: Visit,
    uri: Uri,
) -> Response {
    let Some(key) = key else { return page::nothing_here() };
    let reader = Reader::of_visitor(&visit.visitor, key, &site.links);
    let page = shown(&site, &renderer, reader, uri.query().unwrap_or_default()).await;
    visit.reply(page)
}

/// Takes an answer or a refusal of somebody who is known.
pub(super) async fn submit_known(
    State(site): State<Arc<Site>>,
    Extension(renderer): Extension<Renderer>,
    EventKeyPath(key): EventKeyPath,
    visit: Visit,
    peer: Peer,
    body: Result<FormBody, Failure>,
) -> Response {
    let Some(key) = key else { return page::nothing_here() };
    let entry = match entry(body) {
        Ok(entry) => entry,
        Err(page) => return *page,
    };
    // A session is in a cookie, which a browser sends along with whatever another site has made it send.
    if !site.links.is_form_token(&visit.visitor.form_id, entry.text("form_token")) {
        return page::foreign_form();
    }
    let reader = Reader::of_visitor(&visit.visitor, key, &site.links);
    let page = taken(&site, &renderer, reader, &peer, entry).await;
    visit.reply(page)
}

/// The page with the question, or what became of it.
async fn shown(site: &Site, renderer: &Renderer, reader: Reader, query: &str) -> Response {
    let found = site.thread(reader.guest(), &reader.key).await;
    let (event, so_far) = match found.map_err(|error| reader.hide(error)) {
        Ok(found) => found,
        Err(error) => {
            return reader::nothing(&error).unwrap_or_else(|| outcome::failed(error, None));
        }
    };
    if event.response.is_none() {
        if !reader.may_respond() {
            return outcome::not_yours();
        }
        let session = site.session(reader.guest());
        if event.request.quorum.is_some() && session.own_vote(&so_far).is_some() {
            return thread::voted(&event, &so_far);
        }
        if let Some(page) =
            session.is_for(&event, &so_far).err().as_ref().and_then(thread::not_for_reader)
        {
            return page;
        }
    }
    let thread = Thread::of(site, &reader, &event, &so_far, site.now());
    let draft = Draft::of_query(&site.links, &reader, query);
    let (new_id, now) = (site.random_id(), site.now());
    let draw = move || match draft.map(Draft::into_parts) {
        None if event.response.is_none() => {
            let entry = Entry::new(new_id);
            view::question(StatusCode::OK, &event, &reader, &entry, &[], &thread, now)
        }
        Some((entry, violations)) if event.response.is_none() => {
            view::question(REFUSED, &event, &reader, &entry, &violations, &thread, now)
        }
        Some((entry, _)) if !entry.is_of(&event) => outcome::lost(&event, &reader, &entry),
        _ => outcome::ended(&event, &reader),
    };
    page::draw(renderer, draw).await
}

/// What was sent, if it can be a form of ours.
fn entry(body: Result<FormBody, Failure>) -> Result<Entry, Box<Response>> {
    match body {
        Ok(FormBody(pairs)) if pairs.len() > PAIRS_MAX => Err(outcome::too_many_fields().into()),
        Ok(FormBody(pairs)) => Ok(Entry(pairs)),
        Err(failure) => Err(outcome::unreadable(&failure).into()),
    }
}

/// Takes what was sent, and sends the browser on to see what came of it.
async fn taken(
    site: &Site,
    renderer: &Renderer,
    reader: Reader,
    peer: &Peer,
    entry: Entry,
) -> Response {
    let done = match thread::act(site, &reader, peer, &entry).await {
        Some(done) => done,
        None => end(site, renderer, &reader, peer, &entry).await,
    };
    match done {
        Ok(()) => see(reader.location("")),
        Err(error) => explain(site, renderer, reader, entry, error).await,
    }
}

/// Ends the event as `entry` says, if that is confirmed where it has to be.
async fn end(
    site: &Site,
    renderer: &Renderer,
    reader: &Reader,
    peer: &Peer,
    entry: &Entry,
) -> Result<(), Error> {
    let command = entry.command(reader, peer)?;
    if !entry.declines() {
        let event = site.event(reader.guest(), &reader.key).await?;
        if confirm::is_needed(&event) {
            let entry = entry.clone();
            let wrong = renderer.run(move || confirm::check(&event, &entry)).await?;
            if !wrong.is_empty() {
                return Err(Error::InvalidAnswer(wrong));
            }
        }
    }
    site.end(reader.guest(), &reader.key, command).await.map(drop)
}

/// Says why nothing was recorded; where something is to be mended, on the page where that is done.
async fn explain(
    site: &Site,
    renderer: &Renderer,
    reader: Reader,
    entry: Entry,
    error: Error,
) -> Response {
    let entry = entry.with_usable_id(|| site.random_id());
    let page = match reader.hide(error) {
        Error::InvalidAnswer(violations) | Error::InvalidRequest(violations) => {
            let draft = Draft::new(&entry, &violations);
            if let Some(query) = draft.query(&site.links, &reader) {
                return see(reader.location(&query));
            }
            refused(site, renderer, reader, entry, violations).await
        }
        Error::AlreadyFinal { .. } => refused(site, renderer, reader, entry, Vec::new()).await,
        Error::SelfAnswer => outcome::own_question(),
        error => match reader::nothing(&error).or_else(|| thread::not_for_reader(&error)) {
            // To the byte what every other gets that is not there.
            Some(page) => return page,
            None => page::draw(renderer, move || outcome::failed(error, Some(&entry))).await,
        },
    };
    page::kept_by_browser(page)
}

/// The page with `entry` and what is wrong with it, as the reply itself: it is too long for an address, or needs no
/// mending.
async fn refused(
    site: &Site,
    renderer: &Renderer,
    reader: Reader,
    entry: Entry,
    violations: Vec<Violation>,
) -> Response {
    let found = site.thread(reader.guest(), &reader.key).await;
    let now = site.now();
    let found = found.map_err(|error| reader.hide(error)).map(|(event, so_far)| {
        let mut thread = Thread::of(site, &reader, &event, &so_far, now);
        entry.text("said").clone_into(&mut thread.draft);
        (event, thread)
    });
    let draw = move || match found {
        Ok((event, _)) if event.response.is_some() => outcome::lost(&event, &reader, &entry),
        Ok((event, thread)) => {
            view::question(REFUSED, &event, &reader, &entry, &violations, &thread, now)
        }
        Err(error) => {
            reader::nothing(&error).unwrap_or_else(|| outcome::failed(error, Some(&entry)))
        }
    };
    page::draw(renderer, draw).await
}

/// On to that address by GET.
fn see(location: HeaderValue) -> Response {
    (StatusCode::SEE_OTHER, [(header::LOCATION, location)]).into_response()
}
