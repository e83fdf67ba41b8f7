//! What was typed and refused, on its way to the page that shows it.
//!
//! A page that is the reply to a POST can't be seen again: "back" to it shows the browser's own
//! page about sending a form twice. So whoever presses a button is sent on to a page that can be
//! asked for again, after a refusal as after a success, and what was typed travels in the address
//! of that page. No server has to remember it, and any replica can show it.

use hitl_core::Violation;
use serde::{Deserialize, Serialize};

use super::entry::Entry;
use super::reader::Reader;
use crate::auth::Links;

/// Name of the draft in the query.
const NAME: &str = "draft";

/// Longest draft. The address that holds it stays below the 8 kB that proxies take.
const BYTES_MAX: usize = 4 * 1024;

/// What was typed, and what was wrong with it.
#[derive(Serialize, Deserialize)]
pub(super) struct Draft {
    typed: Vec<(String, String)>,
    /// Field and message of each rule that it broke.
    wrong: Vec<(String, String)>,
}

impl Draft {
    /// A draft of what `entry` holds, refused for `violations`.
    pub(super) fn new(entry: &Entry, violations: &[Violation]) -> Self {
        let wrong = violations.iter().map(|v| (v.field.clone(), v.message.clone()));
        Self { typed: entry.kept().cloned().collect(), wrong: wrong.collect() }
    }

    /// The draft in the query of a page of `reader`, if there is one of ours.
    pub(super) fn of_query(links: &Links, reader: &Reader, query: &str) -> Option<Self> {
        let mut pairs = form_urlencoded::parse(query.as_bytes());
        let (_, sealed) = pairs.find(|(name, _)| name == NAME)?;
        serde_json::from_slice(&links.unseal(&reader.seal, &sealed)?).ok()
    }

    /// The query of the page that shows it to `reader`; none if it would be too long.
    pub(super) fn query(&self, links: &Links, reader: &Reader) -> Option<String> {
        let bytes = serde_json::to_vec(self).expect("texts are JSON");
        if bytes.len() > BYTES_MAX {
            return None;
        }
        Some(format!("{NAME}={}", links.seal(&reader.seal, &bytes)))
    }

    /// What was typed, and what was wrong with it.
    pub(super) fn into_parts(self) -> (Entry, Vec<Violation>) {
        let wrong = self.wrong.into_iter().map(|(field, message)| Violation { field, message });
        (Entry(self.typed), wrong.collect())
    }
}
