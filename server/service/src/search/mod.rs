//! Searching what is pending and what ended lately, by an index in memory.
//!
//! A list that is narrowed reads every event that it leaves out. The index says which events may match, so that only
//! those are read: a hundred thousand pending events are gone through in tens of milliseconds. It is a cache: what it
//! says is checked against the store, and what it has not heard of yet is found a moment later.
//!
//! It costs memory and work with each event, so it is made when somebody first searches, and dropped when nobody has
//! for half an hour. Until it is made a search goes through the store as a list does, and says that it does.

mod doc;
mod index;
mod keep;

#[cfg(test)]
mod tests;

use std::sync::Arc;

use hitl_core::State;
use hitl_store::Entry;

use crate::error::Error;
use crate::filter::Filter;
use crate::list::{Found, ListQuery, Page, Part, first_of};
use crate::{Service, Session};
use doc::Wanted;
use index::Place;
pub(crate) use keep::Search;

/// Most events read for one page beyond its size, where the index is not sure.
const READ_MAX: usize = 2_000;
/// Bytes of the events of a page after which it ends.
const PAGE_BYTES_MAX: usize = 2 * 1024 * 1024;
/// What every token of a search begins with.
const TOKEN_PREFIX: &str = "s";

/// In which order what is pending is found. What has ended is found latest first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Sort {
    /// What is due first.
    #[default]
    Deadline,
    /// What was asked first.
    Age,
    /// What has most at stake, and of that what is due first.
    Risk,
}

/// What to search for: what is pending, or what has ended if the filter says so.
#[derive(Clone, Debug)]
pub struct SearchQuery {
    /// Which events.
    pub filter: Filter,
    /// In which order.
    pub sort: Sort,
    /// Most events of the page, 1 to 1,000.
    pub page_size: usize,
    /// Where the page before ended; empty for the first.
    pub page_token: String,
}

/// One page of what was found.
#[derive(Clone, Debug, Default)]
pub struct Hits {
    /// The events, and where it goes on.
    pub page: Page,
    /// Whether the index was not there, so that the page may be shorter than it could be, and in the order of time.
    pub is_partial: bool,
    /// How many there are from the beginning of this page on, if that is known: more may be counted than are found.
    pub total: Option<usize>,
}

impl Session {
    /// One page of what `query` looks for. Events that are found overdue are ended first.
    ///
    /// # Errors
    /// [`Error::InvalidRequest`] for a page token that is none, [`Error::LinkInvalid`], [`Error::PermissionDenied`],
    /// and those of the store.
    pub async fn search(&self, query: &SearchQuery) -> Result<Hits, Error> {
        self.may_list(&query.filter.namespaces)?;
        self.service().search(query).await
    }
}

impl Service {
    /// See [`Session::search`].
    pub(crate) async fn search(&self, query: &SearchQuery) -> Result<Hits, Error> {
        let search = &self.0.search;
        search.touch(self.0.clock.monotonic());
        let part = part_of(&query.filter);
        let token = match query.page_token.strip_prefix(TOKEN_PREFIX) {
            Some(place) => Some(read_token(place)?),
            None => None,
        };
        // What follows in the order of the store goes on there.
        let is_listed = !query.page_token.is_empty() && token.is_none();
        if is_listed || !search.is_ready() {
            return self.listed(query, token.as_ref()).await;
        }
        let mut hits = self.indexed(part, query, token.as_ref()).await?;
        if part == Part::Ended && hits.page.next_page_token.is_empty() {
            self.go_on_before_horizon(query, &mut hits).await?;
        }
        Ok(hits)
    }

    /// The same by the store alone.
    async fn listed(&self, query: &SearchQuery, after: Option<&Place>) -> Result<Hits, Error> {
        let part = part_of(&query.filter);
        let mut filter = query.filter.clone();
        if part == Part::Pending {
            filter.state = Some(State::Pending);
        }
        let page_token = match after {
            None => query.page_token.clone(),
            Some(place) => list_token(part, &place.entry),
        };
        let list = ListQuery { filter, page_size: query.page_size, page_token };
        let page = self.list(&list).await?;
        let is_partial = query.filter.is_narrow() || query.sort != Sort::Deadline;
        Ok(Hits { page, is_partial: is_partial && !self.0.search.is_ready(), total: None })
    }

    /// What the index finds.
    async fn indexed(
        &self,
        part: Part,
        query: &SearchQuery,
        after: Option<&Place>,
    ) -> Result<Hits, Error> {
        let wanted = Arc::new(Wanted::of(&query.filter));
        let (mut hits, mut after) = (Hits::default(), after.cloned());
        let (mut read, mut bytes) = (0, 0);
        loop {
            let count = query.page_size - hits.page.events.len() + 1;
            let (service, wanted, sort) = (self.clone(), wanted.clone(), query.sort);
            let from = after.clone();
            let find = move || service.0.search.find(part, &wanted, sort, from.as_ref(), count);
            let found = self.0.background.compute(find).await?;
            hits.total.get_or_insert(found.total);
            if found.places.is_empty() {
                return Ok(hits);
            }
            let is_all = found.places.len() < count;
            read += found.places.len();
            let entries: Vec<Entry> =
                found.places.iter().map(|place| place.entry.clone()).collect();
            for (place, (entry, stands)) in
                found.places.into_iter().zip(self.read_all(part, entries).await?)
            {
                if hits.page.events.len() == query.page_size || bytes >= PAGE_BYTES_MAX {
                    hits.page.next_page_token =
                        after.as_ref().map(|after| token(query.sort, after)).unwrap_or_default();
                    return Ok(hits);
                }
                match stands {
                    Found::Holds(event) if query.filter.matches(&event, event.state()) => {
                        bytes += event.weight_bytes();
                        hits.page.events.push(event);
                    }
                    Found::Holds(_) => {}
                    Found::Left(_) | Found::Empty => self.0.search.forget(part, &entry),
                    Found::Unreadable => hits.page.unreadable.push(entry.key.id.to_string()),
                }
                after = Some(place);
            }
            if is_all {
                return Ok(hits);
            }
            if read > READ_MAX + query.page_size {
                hits.page.next_page_token =
                    after.as_ref().map(|after| token(query.sort, after)).unwrap_or_default();
                return Ok(hits);
            }
        }
    }

    /// Goes on with what ended before the index reaches.
    async fn go_on_before_horizon(
        &self,
        query: &SearchQuery,
        hits: &mut Hits,
    ) -> Result<(), Error> {
        let Some(horizon) = self.0.search.horizon() else { return Ok(()) };
        let page_size = query.page_size - hits.page.events.len();
        let place = Place { rank: 0, entry: first_of(horizon) };
        if query.filter.facets.ended_from.is_some_and(|from| from >= horizon) {
            return Ok(());
        }
        hits.total = None;
        if page_size == 0 {
            hits.page.next_page_token = list_token(Part::Ended, &place.entry);
            return Ok(());
        }
        let rest = SearchQuery { page_size, ..query.clone() };
        let before = query.filter.facets.ended_before.filter(|before| *before < horizon);
        let place = before.map_or(place, |before| Place { rank: 0, entry: first_of(before) });
        let older = self.listed(&rest, Some(&place)).await?;
        hits.page.events.extend(older.page.events);
        hits.page.unreadable.extend(older.page.unreadable);
        hits.page.next_page_token = older.page.next_page_token;
        Ok(())
    }
}

fn part_of(filter: &Filter) -> Part {
    let has_ended = filter.facets.has_ended || !matches!(filter.state, None | Some(State::Pending));
    if has_ended { Part::Ended } else { Part::Pending }
}

fn token(sort: Sort, place: &Place) -> String {
    let sort = match sort {
        Sort::Deadline => 'd',
        Sort::Age => 'a',
        Sort::Risk => 'r',
    };
    format!("{TOKEN_PREFIX}{sort}{}.{}", place.rank, place.entry)
}

fn read_token(text: &str) -> Result<Place, Error> {
    let parse = || {
        let (rank, entry) = text.get(1..)?.split_once('.')?;
        Some(Place { rank: rank.parse().ok()?, entry: entry.parse().ok()? })
    };
    parse().ok_or_else(|| {
        Error::invalid("page_token", "must be the next_page_token of an earlier page")
    })
}

/// The token with which a list goes on after `entry`.
fn list_token(part: Part, entry: &Entry) -> String {
    let part = match part {
        Part::Pending => 'p',
        Part::Ended => 'e',
    };
    format!("{part}{entry}")
}
