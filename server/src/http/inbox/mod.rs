//! The inbox: what waits for an answer, soonest first, of all namespaces that the reader may see.
//!
//! The page is made by the server and works without a script. The script tells of what is new and what has ended
//! meanwhile, by the stream at `/inbox/changes`, moves between questions by keys, and on a wide screen shows a question
//! beside the list, where it is answered.

mod changes;
mod query;
mod row;

use std::sync::Arc;

use askama::Template;
use axum::Extension;
use axum::extract::State;
use axum::http::{StatusCode, Uri};
use axum::response::Response;
use hitl_core::{Principal, Risk, Timestamp};
use hitl_service::{Error, Hits, SearchQuery};

use super::error::Failure;
use super::nav::Nav;
use super::render::Renderer;
use super::sign_in::Visit;
use super::{Site, page};
pub(super) use changes::changes;
use query::Wanted;
use row::{Group, group};
pub(in crate::http) use row::{Row, are_alike};

/// Most questions of a page.
const ROWS_MAX: usize = 100;
/// Most lists for one page, each of which looks at events for half a second at most.
const LISTS_MAX: usize = 4;

#[derive(Template)]
#[template(path = "inbox.html")]
struct Inbox {
    nav: Nav,
    wanted: Wanted,
    /// Whether a filter or an order is set that the search does not show.
    has_filter: bool,
    groups: Vec<Group>,
    shown: usize,
    /// How many there are, if that is known, with a plus if there are more.
    count: String,
    /// Where the next page is; empty if there is none.
    more: String,
    /// Whether this is the first page.
    is_first: bool,
    /// Whether the page may lack some of what matches, since it cannot be searched quickly yet.
    is_partial: bool,
    /// Whether some of what should be here cannot be read.
    has_damage: bool,
    /// Where the changes from here on are streamed.
    changes: String,
}

impl Inbox {
    /// The values of a choice of the filter, each with what it is called and whether it is picked.
    fn picked(&self, field: &str, value: &str) -> bool {
        self.wanted.words.given(field) == value
    }
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
    let nav = Nav::of(&principal, "inbox");
    let (hits, now) = match find(&site, principal, &wanted).await {
        Ok(hits) => (hits, site.now()),
        Err(error) => return visit.reply(not_now(error)),
    };
    let draw = move || draw(wanted, &hits, nav, changes, now);
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
async fn find(site: &Site, principal: Principal, wanted: &Wanted) -> Result<Hits, Error> {
    let session = site.service.session(principal);
    let _call = site.admission.call(session.payer())?;
    let _turn = site.admission.page(session.payer()).await?;
    let mut query = SearchQuery {
        filter: wanted.filter(session.visible(), site.now()),
        sort: wanted.sort,
        page_size: ROWS_MAX,
        page_token: wanted.page_token.clone(),
    };
    let mut all = session.search(&query).await?;
    for _ in 1..LISTS_MAX {
        let found = all.page.events.len();
        if all.page.next_page_token.is_empty() || found >= ROWS_MAX {
            break;
        }
        query.page_size = ROWS_MAX - found;
        query.page_token = std::mem::take(&mut all.page.next_page_token);
        let next = session.search(&query).await?;
        all.page.events.extend(next.page.events);
        all.page.unreadable.extend(next.page.unreadable);
        all.page.next_page_token = next.page.next_page_token;
    }
    Ok(all)
}

fn draw(wanted: Wanted, hits: &Hits, nav: Nav, changes: String, now: Timestamp) -> Response {
    let page = &hits.page;
    let shown = page.events.len();
    let has_more = !page.next_page_token.is_empty();
    let count = match hits.total {
        Some(total) if wanted.page_token.is_empty() && total >= shown && has_more => {
            total.to_string()
        }
        _ if has_more => format!("{shown}+"),
        _ => shown.to_string(),
    };
    let inbox = Inbox {
        nav,
        has_filter: !wanted.words.given.is_empty()
            || wanted.by_run
            || !wanted.sort_name().is_empty(),
        groups: group(&page.events, wanted.sort, wanted.by_run, now),
        shown,
        count,
        more: if has_more { wanted.address_of(&page.next_page_token) } else { String::new() },
        is_first: wanted.page_token.is_empty(),
        is_partial: hits.is_partial,
        has_damage: !page.unreadable.is_empty(),
        changes,
        wanted,
    };
    page::html(StatusCode::OK, &inbox)
}
