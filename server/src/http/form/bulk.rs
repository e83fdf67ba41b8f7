//! Several questions that are alike, answered by one entry: same program, name and input, and little at stake.
//!
//! The page shows each question with what tells it from the others, and each is ticked or not. Each is answered and
//! recorded on its own, and the page that follows says of each what became of it. Nothing of high risk is answered so.

use std::sync::Arc;

use askama::Template;
use axum::Extension;
use axum::extract::State;
use axum::http::{StatusCode, Uri};
use axum::response::Response;
use futures::StreamExt;
use hitl_core::evidence::Content;
use hitl_core::{Event, EventKey, Namespaces, State as EventState, Violation, parse};
use hitl_service::error::Error;
use hitl_service::{Facets, Filter, SearchQuery, Sort};

use super::entry::Entry;
use super::fields::{self, Control, Field};
use super::reader::Reader;
use super::{REFUSED, entry, moment, values};
use crate::http::error::Failure;
use crate::http::form::plain_title;
use crate::http::inbox::{Row, are_alike};
use crate::http::nav::Nav;
use crate::http::render::Renderer;
use crate::http::request::{FormBody, Peer};
use crate::http::sign_in::Visit;
use crate::http::{Site, page};

/// Most questions that are answered together.
const TOGETHER_MAX: usize = 100;
/// Questions read or answered at the same time.
const AT_A_TIME: usize = 8;
/// Most facts that tell one from another.
const COLUMNS_MAX: usize = 4;

/// One question of several.
struct Item {
    row: Row,
    /// The text of each fact that differs.
    cells: Vec<String>,
    is_ticked: bool,
}

impl Item {
    /// What tells it from the others, whose title is `title`.
    fn called(&self, title: &str) -> &str {
        match self.row.origin.as_str() {
            "" => &self.row.title,
            origin if self.row.title == title => origin,
            _ => &self.row.title,
        }
    }
}

/// A question that is not answered together with the others, and why.
struct Left {
    title: String,
    key: String,
    why: &'static str,
}

#[derive(Template)]
#[template(path = "bulk.html")]
struct Together<'a> {
    nav: Nav,
    title: String,
    columns: Vec<String>,
    items: Vec<Item>,
    left: Vec<Left>,
    fields: Vec<Field>,
    comment: Field,
    responder: Field,
    named: &'a str,
    form_token: &'a str,
    answer_id: &'a str,
    complaints: Vec<(String, String)>,
}

/// What became of one question.
struct Done {
    title: String,
    key: String,
    is_recorded: bool,
    said: String,
}

#[derive(Template)]
#[template(path = "bulk_done.html")]
struct Results {
    nav: Nav,
    recorded: usize,
    answer: String,
    done: Vec<Done>,
}

/// What was found of the questions that were named.
struct Gathered {
    alike: Vec<Event>,
    left: Vec<Left>,
}

/// Shows the questions that the address names (`e`, again for each), or all that are like one (`like`).
pub(in crate::http) async fn show(
    State(site): State<Arc<Site>>,
    Extension(renderer): Extension<Renderer>,
    visit: Visit,
    uri: Uri,
) -> Response {
    let query = uri.query().unwrap_or_default();
    let entry = Entry::new(site.random_id());
    let gathered = match gather(&site, &visit, query, "").await {
        Ok(gathered) => gathered,
        Err(error) => return visit.reply(not_now(error)),
    };
    let page = draw(&site, &renderer, &visit, gathered, entry, Vec::new()).await;
    visit.reply(page)
}

/// Answers those that are ticked.
pub(in crate::http) async fn submit(
    State(site): State<Arc<Site>>,
    Extension(renderer): Extension<Renderer>,
    visit: Visit,
    peer: Peer,
    body: Result<FormBody, Failure>,
) -> Response {
    let entry = match entry(body) {
        Ok(entry) => entry,
        Err(page) => return *page,
    };
    if !site.links.is_form_token(&visit.visitor.form_id, entry.text("form_token")) {
        return page::foreign_form();
    }
    let entry = entry.with_usable_id(|| site.random_id());
    let named = form_urlencoded::Serializer::new(String::new())
        .extend_pairs(entry.all("e").map(|key| ("e", key)))
        .finish();
    let gathered = match gather(&site, &visit, &named, entry.text("answer_id")).await {
        Ok(gathered) => gathered,
        Err(error) => return visit.reply(not_now(error)),
    };
    let page = answer(&site, &renderer, &visit, &peer, gathered, entry).await;
    visit.reply(page::kept_by_browser(page))
}

async fn answer(
    site: &Site,
    renderer: &Renderer,
    visit: &Visit,
    peer: &Peer,
    gathered: Gathered,
    entry: Entry,
) -> Response {
    let Some(first) = gathered.alike.first().cloned() else {
        return draw(site, renderer, visit, gathered, entry, Vec::new()).await;
    };
    let is_decline = entry.declines();
    let sent = entry.clone();
    let read = renderer.run(move || {
        let input = &first.request.input;
        let value =
            parse::form(input, &moment::joined(&sent)).and_then(|value| input.check(&value));
        value.map(|value| values::summary(input, &value))
    });
    let summary = match read.await {
        Ok(Ok(summary)) => summary,
        Ok(Err(_)) if is_decline => String::new(),
        Ok(Err(violations)) => {
            return draw(site, renderer, visit, gathered, entry, violations).await;
        }
        Err(error) => return not_now(error),
    };
    let answers = gathered.alike.into_iter().map(|event| one(site, visit, peer, &entry, event));
    let mut done: Vec<Done> = futures::stream::iter(answers).buffered(AT_A_TIME).collect().await;
    let recorded = done.iter().filter(|done| done.is_recorded).count();
    done.extend(gathered.left.into_iter().map(|left| Done {
        title: left.title,
        key: left.key,
        is_recorded: false,
        said: left.why.to_owned(),
    }));
    let nav = Nav::of(&visit.visitor.principal, "inbox");
    let answer = if is_decline { "Sent back".to_owned() } else { summary };
    let results = Results { nav, recorded, answer, done };
    page::draw(renderer, move || page::html(StatusCode::OK, &results)).await
}

/// Answers one.
async fn one(site: &Site, visit: &Visit, peer: &Peer, entry: &Entry, event: Event) -> Done {
    let key = event.request.key();
    let reader = Reader::of_visitor(&visit.visitor, key.clone(), &site.links);
    let ended = match entry.command(&reader, peer) {
        Ok(command) => site.end(reader.guest(), &key, command).await,
        Err(error) => Err(error),
    };
    let said = match &ended {
        Ok(_) => "recorded".to_owned(),
        Err(Error::AlreadyFinal { .. }) => "had ended before".to_owned(),
        Err(Error::SelfAnswer) => "you have asked this yourself".to_owned(),
        Err(Error::NotFound(_) | Error::PermissionDenied(_)) => "not yours to answer".to_owned(),
        Err(_) => "not recorded; it can be sent again".to_owned(),
    };
    Done {
        title: plain_title(&event.request),
        key: format!("{}/{}", key.namespace, key.id),
        is_recorded: ended.is_ok(),
        said,
    }
}

/// The questions that `query` names. Those that were ended under `answer_id` count as open: sending a form twice says
/// twice what came of it.
async fn gather(
    site: &Site,
    visit: &Visit,
    query: &str,
    answer_id: &str,
) -> Result<Gathered, Error> {
    let session = site.service.session(visit.visitor.principal.clone());
    let _turn = site.admission.page(session.payer()).await?;
    let pairs: Vec<_> = form_urlencoded::parse(query.as_bytes()).collect();
    let like = pairs.iter().find(|(name, _)| name == "like").and_then(|(_, key)| read_key(key));
    let named = pairs.iter().filter(|(name, _)| name == "e").filter_map(|(_, key)| read_key(key));
    let mut events = Vec::new();
    if let Some(key) = like {
        let event = session.get(&key).await?;
        let filter = Filter {
            state: Some(EventState::Pending),
            name: Some(event.request.name.clone()),
            namespaces: Namespaces::Only([key.namespace].into()),
            facets: Facets::default(),
            ..Filter::all_of(hitl_core::Namespace::default())
        };
        let query = SearchQuery {
            filter,
            sort: Sort::Deadline,
            page_size: TOGETHER_MAX,
            page_token: String::new(),
        };
        events.push(event);
        events.extend(session.search(&query).await?.page.events);
    } else {
        let keys: Vec<_> = named.take(TOGETHER_MAX).collect();
        let reads = keys.into_iter().map(|key| {
            let session = session.clone();
            async move { session.get(&key).await }
        });
        let mut reads = futures::stream::iter(reads).buffered(AT_A_TIME);
        while let Some(read) = reads.next().await {
            match read {
                Ok(event) => events.push(event),
                Err(Error::NotFound(_) | Error::PermissionDenied(_)) => {}
                Err(error) => return Err(error),
            }
        }
    }
    Ok(sorted_out(events, visit, answer_id))
}

fn read_key(text: &str) -> Option<EventKey> {
    let (namespace, id) = text.split_once('/')?;
    Some(EventKey { namespace: namespace.parse().ok()?, id: id.parse().ok()? })
}

/// Those like the first that can be answered, and the others.
fn sorted_out(events: Vec<Event>, visit: &Visit, answer_id: &str) -> Gathered {
    let mut gathered = Gathered { alike: Vec::new(), left: Vec::new() };
    let mut seen = std::collections::BTreeSet::new();
    for event in events {
        let request = &event.request;
        if !seen.insert(request.key()) {
            continue;
        }
        let is_alike = gathered.alike.first().map_or_else(
            || are_alike(request, request),
            |first: &Event| are_alike(&first.request, request),
        );
        let may =
            visit.visitor.principal.authorize(hitl_core::Action::Respond(&request.key())).is_ok();
        let has_ended = event
            .response
            .as_ref()
            .is_some_and(|response| response.answer_id.as_deref() != Some(answer_id));
        let why = match () {
            () if has_ended => "had ended before",
            () if !may => "not yours to answer",
            () if request.risk == hitl_core::Risk::High => "of high risk: answered on its own page",
            () if request.require_confirmation => "has to be confirmed on its own page",
            () if !is_alike => "not like the others",
            () if gathered.alike.len() == TOGETHER_MAX => "one too many at a time",
            () => {
                gathered.alike.push(event);
                continue;
            }
        };
        let key = format!("{}/{}", request.namespace, request.id);
        gathered.left.push(Left { title: plain_title(request), key, why });
    }
    gathered
}

async fn draw(
    site: &Site,
    renderer: &Renderer,
    visit: &Visit,
    gathered: Gathered,
    entry: Entry,
    violations: Vec<Violation>,
) -> Response {
    let Some(first) = gathered.alike.first() else {
        let message = "None of these can be answered together: they have ended, are not alike, or are of high risk. \
                       Tick others in the inbox, or open each by itself.";
        return page::notice(StatusCode::OK, "There is nothing to answer together", message);
    };
    let key = first.request.key();
    let reader = Reader::of_visitor(&visit.visitor, key, &site.links);
    let nav = Nav::of(&visit.visitor.principal, "inbox");
    let now = site.now();
    let status = if violations.is_empty() { StatusCode::OK } else { REFUSED };
    let draw = move || {
        let first = gathered.alike[0].request.clone();
        let (columns, cells) = differing(&gathered.alike);
        let items = gathered.alike.iter().zip(cells).map(|(event, cells)| Item {
            row: Row::of(&event.request, now),
            cells,
            is_ticked: true,
        });
        let mut fields = fields::fields(&first.input, &entry, &violations);
        let complaints = fields
            .iter()
            .filter(|field| !field.error.is_empty())
            .map(|field| (field.id.clone(), field.complaint()))
            .collect();
        if let Some(field) = fields.iter_mut().find(|field| !field.error.is_empty()) {
            field.focus = true;
        }
        let page = Together {
            nav,
            title: plain_title(&first),
            columns,
            items: items.collect(),
            left: gathered.left,
            comment: fields::comment(&entry, &violations),
            responder: fields::responder(&entry, &violations),
            fields,
            named: &reader.named,
            form_token: &reader.form_token,
            answer_id: entry.text("answer_id"),
            complaints,
        };
        page::html(status, &page)
    };
    page::draw(renderer, draw).await
}

/// The facts that are not the same in all `events`: what they are called, and each one's.
fn differing(events: &[Event]) -> (Vec<String>, Vec<Vec<String>>) {
    let facts = |event: &Event| -> Vec<(String, String)> {
        let items = event.request.evidence.iter();
        let facts = items.filter_map(|item| match &item.content {
            Content::Facts(facts) => Some(facts.clone()),
            _ => None,
        });
        facts.flatten().map(|fact| (fact.label, fact.value)).collect()
    };
    let all: Vec<Vec<(String, String)>> = events.iter().map(facts).collect();
    let of = |facts: &[(String, String)], label: &str| {
        let fact = facts.iter().find(|(name, _)| name == label);
        fact.map(|(_, value)| value.clone()).unwrap_or_default()
    };
    let mut columns: Vec<String> = Vec::new();
    for (label, _) in all.iter().flatten() {
        let first = of(&all[0], label);
        let differs = all.iter().any(|facts| of(facts, label) != first);
        if differs && !columns.contains(label) && columns.len() < COLUMNS_MAX {
            columns.push(label.clone());
        }
    }
    let cells = all.iter().map(|facts| columns.iter().map(|label| of(facts, label)).collect());
    let cells = cells.collect();
    (columns, cells)
}

fn not_now(error: Error) -> Response {
    let (status, _) = Failure::Api(error).status_and_body();
    let message =
        "The questions cannot be read at the moment, or are not yours to see. Nothing was changed.";
    page::notice(status, "Not just now", message)
}

#[cfg(test)]
#[path = "bulk_tests.rs"]
mod tests;
