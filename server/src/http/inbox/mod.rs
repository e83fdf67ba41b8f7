//! The inbox: what waits for an answer, soonest first, of all namespaces that the reader may see.
//!
//! The page is made by the server and works without a script. The script tells of what is new and what has ended
//! meanwhile, by the stream at `/inbox/changes`, and moves between questions by keys.

mod changes;
mod query;
mod row;

use std::collections::BTreeSet;
use std::sync::Arc;

use askama::Template;
use axum::Extension;
use axum::extract::State;
use axum::http::{StatusCode, Uri};
use axum::response::Response;
use hitl_core::{Namespaces, Principal, Timestamp};
use hitl_service::{Error, ListQuery, Page};

use super::error::Failure;
use super::render::Renderer;
use super::sign_in::Visit;
use super::{Site, page};
pub(super) use changes::changes;
use query::Wanted;
use row::{Group, group};

/// Most questions of a page.
const ROWS_MAX: usize = 100;
/// Most lists for one page, each of which looks at events for half a second at most.
const LISTS_MAX: usize = 4;

#[derive(Template)]
#[template(path = "inbox.html")]
struct Inbox {
    /// What was searched for, as it was typed.
    search: String,
    /// What of it is not understood.
    complaint: String,
    groups: Vec<Group>,
    shown: usize,
    /// Where the next page is; empty if there is none.
    more: String,
    /// Whether there is a page about who the reader is.
    has_account: bool,
    /// Whether the reader may read any of the audit.
    has_audit: bool,
    /// Whether this is the first page.
    is_first: bool,
    /// Whether some of what should be here cannot be read.
    has_damage: bool,
    /// Where the changes from here on are streamed.
    changes: String,
}

/// What there is beside the inbox for its reader.
#[derive(Clone, Copy)]
struct Nav {
    has_account: bool,
    has_audit: bool,
}

/// Shows what waits.
pub(super) async fn show(
    State(site): State<Arc<Site>>,
    Extension(renderer): Extension<Renderer>,
    visit: Visit,
    uri: Uri,
) -> Response {
    let wanted = Wanted::of(uri.query().unwrap_or_default());
    let principal = visit.visitor.principal.clone();
    let changes = wanted.changes_since(&site.service.session(principal.clone()).resume_token());
    let (listed, now) = match list(&site, principal, &wanted).await {
        Ok(listed) => (listed, site.now()),
        Err(error) => return visit.reply(not_now(error)),
    };
    let has_account = visit.visitor.principal != Principal::Anyone;
    let has_audit = visit.visitor.principal.audited() != Namespaces::Only(BTreeSet::new());
    let nav = Nav { has_account, has_audit };
    let draw = move || draw(&wanted, &listed, nav, changes, now);
    let page = page::draw(&renderer, draw).await;
    visit.reply(page)
}

/// The page when nothing can be listed.
fn not_now(error: Error) -> Response {
    let message = match &error {
        Error::InvalidRequest(_) => {
            "The address of this page is not understood. Go to the beginning of the inbox."
        }
        _ => {
            "The questions cannot be listed at the moment. Nothing was changed. Try again in a moment."
        }
    };
    let (status, _) = Failure::Api(error).status_and_body();
    page::notice(status, "Not just now", message)
}

/// The first questions of those that are wanted. A list ends early where few of many match, so it is gone on with a few
/// times.
async fn list(site: &Site, principal: Principal, wanted: &Wanted) -> Result<Page, Error> {
    let session = site.service.session(principal);
    let _call = site.admission.call(session.payer())?;
    let _turn = site.admission.page(session.payer()).await?;
    let mut all = Page { next_page_token: wanted.page_token.clone(), ..Page::default() };
    for _ in 0..LISTS_MAX {
        let query = ListQuery {
            filter: wanted.filter(session.visible()),
            page_size: ROWS_MAX - all.events.len(),
            page_token: all.next_page_token,
        };
        let page = session.list(&query).await?;
        all.events.extend(page.events);
        all.unreadable.extend(page.unreadable);
        all.next_page_token = page.next_page_token;
        if all.next_page_token.is_empty() || all.events.len() >= ROWS_MAX {
            break;
        }
    }
    Ok(all)
}

fn draw(
    wanted: &Wanted,
    listed: &Page,
    Nav { has_account, has_audit }: Nav,
    changes: String,
    now: Timestamp,
) -> Response {
    let more = match listed.next_page_token.as_str() {
        "" => String::new(),
        token => wanted.address_of(token),
    };
    let inbox = Inbox {
        search: wanted.search.clone(),
        complaint: wanted.complaint.clone(),
        groups: group(&listed.events, now),
        shown: listed.events.len(),
        more,
        has_account,
        has_audit,
        is_first: wanted.page_token.is_empty(),
        has_damage: !listed.unreadable.is_empty(),
        changes,
    };
    page::html(StatusCode::OK, &inbox)
}
