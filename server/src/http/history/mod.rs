//! The history: what has ended, latest first, by day, for those who may see it.

mod export;
mod query;
mod row;

use std::sync::Arc;

use askama::Template;
use axum::Extension;
use axum::extract::State;
use axum::http::{StatusCode, Uri};
use axum::response::Response;
use hitl_service::{Error, Hits, SearchQuery, Session, Sort};

use super::error::Failure;
use super::nav::Nav;
use super::render::Renderer;
use super::sign_in::Visit;
use super::{Site, page};
pub(super) use export::export;
use query::Wanted;
use row::{Day, days};

/// Most events of a page.
const ROWS_MAX: usize = 100;
/// Most lists for one page, each of which looks at events for half a second at most.
const LISTS_MAX: usize = 4;

#[derive(Template)]
#[template(path = "history.html")]
struct History {
    nav: Nav,
    wanted: Wanted,
    days: Vec<Day>,
    shown: usize,
    /// Where the next page is; empty if there is none.
    older: String,
    /// Where the same is exported as CSV and as JSON.
    exports: [String; 2],
    is_first: bool,
    /// Whether it cannot be searched quickly yet.
    is_partial: bool,
    has_damage: bool,
}

/// Shows it.
pub(super) async fn show(
    State(site): State<Arc<Site>>,
    Extension(renderer): Extension<Renderer>,
    visit: Visit,
    uri: Uri,
) -> Response {
    let wanted = Wanted::of(uri.query().unwrap_or_default());
    let nav = Nav::of(&visit.visitor.principal, "history");
    let session = site.service.session(visit.visitor.principal.clone());
    let hits = match find(&site, &session, &wanted).await {
        Ok(hits) => hits,
        Err(error) => return visit.reply(not_now(error)),
    };
    let page = page::draw(&renderer, move || draw(wanted, &hits, nav)).await;
    visit.reply(page)
}

async fn find(site: &Site, session: &Session, wanted: &Wanted) -> Result<Hits, Error> {
    let _call = site.admission.call(session.payer())?;
    let _turn = site.admission.page(session.payer()).await?;
    let mut query = SearchQuery {
        filter: wanted.filter(session.visible(), site.now()),
        sort: Sort::Deadline,
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

fn not_now(error: Error) -> Response {
    let message = match &error {
        Error::InvalidRequest(_) => {
            "The address of this page is not understood. Go to the beginning of the history."
        }
        _ => {
            "The history cannot be read at the moment. Nothing was changed. Try again in a moment."
        }
    };
    let (status, _) = Failure::Api(error).status_and_body();
    page::notice(status, "Not just now", message)
}

fn draw(wanted: Wanted, hits: &Hits, nav: Nav) -> Response {
    let page = &hits.page;
    let history = History {
        nav,
        days: days(&page.events),
        shown: page.events.len(),
        older: match page.next_page_token.as_str() {
            "" => String::new(),
            token => wanted.address_of(token),
        },
        exports: ["csv", "json"].map(|format| wanted.export_as(format)),
        is_first: wanted.page_token.is_empty(),
        is_partial: hits.is_partial,
        has_damage: !page.unreadable.is_empty(),
        wanted,
    };
    page::html(StatusCode::OK, &history)
}
