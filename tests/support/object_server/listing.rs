//! A page of a list: prefix, delimiter, start and token.

use std::collections::BTreeMap;
use std::ops::Bound;

use super::objects::Object;

/// Most entries of a page.
pub(super) const PAGE_MAX: usize = 1_000;

/// What a list asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Query {
    pub(super) prefix: String,
    /// Keys are cut after the first of these behind the prefix.
    pub(super) delimiter: Option<String>,
    /// The last entry that is not wanted any more: a key, or what is common to many.
    pub(super) after: Option<After>,
    pub(super) entries_max: usize,
}

/// Where a page begins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum After {
    /// Behind this key.
    Key(String),
    /// Behind this entry of the page before, with all that begins with it if it ends in the delimiter.
    Entry(String),
}

/// A page.
#[derive(Debug, Default)]
pub(super) struct Page {
    pub(super) objects: Vec<(String, Object)>,
    pub(super) prefixes: Vec<String>,
    /// The last entry, if more come after it.
    pub(super) next: Option<String>,
    /// Whether it says that more come and does not say where.
    pub(super) is_token_missing: bool,
}

/// The page of `objects` that `query` asks for.
pub(super) fn page(objects: &BTreeMap<String, Object>, query: &Query) -> Page {
    let mut page = Page::default();
    let mut last: Option<String> = None;
    for (key, object) in objects.range((from(query), Bound::Unbounded)) {
        let Some(rest) = key.strip_prefix(&query.prefix) else { break };
        let common = query.delimiter.as_ref().and_then(|delimiter| {
            let end = rest.find(delimiter)? + delimiter.len();
            Some(format!("{}{}", query.prefix, &rest[..end]))
        });
        let entry = common.as_ref().unwrap_or(key);
        if last.as_ref() == Some(entry) || is_behind(query, entry) {
            continue;
        }
        if page.objects.len() + page.prefixes.len() == query.entries_max {
            page.next = last;
            return page;
        }
        last = Some(entry.clone());
        match common {
            Some(prefix) => page.prefixes.push(prefix),
            None => page.objects.push((key.clone(), object.clone())),
        }
    }
    page
}

fn from(query: &Query) -> Bound<String> {
    match &query.after {
        Some(After::Key(key) | After::Entry(key)) if *key >= query.prefix => {
            Bound::Excluded(key.clone())
        }
        _ => Bound::Included(query.prefix.clone()),
    }
}

/// Whether the page before had this entry already.
fn is_behind(query: &Query, entry: &str) -> bool {
    matches!(&query.after, Some(After::Entry(last)) if entry == last)
}
