//! What of the history is asked for. It stands in the address, so that a view can be kept and sent to others.

use hitl_core::{Namespaces, State, Timestamp};
use hitl_service::{Facets, Filter};

use crate::http::words::Words;

const DAY_MS: i64 = 86_400_000;

/// See the module.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Wanted {
    pub(super) words: Words,
    /// The first and the last day, such as 2026-11-22, in UTC.
    pub(super) from: String,
    pub(super) to: String,
    /// Where the page before ended.
    pub(super) page_token: String,
}

impl Wanted {
    /// What `query` asks for.
    pub(super) fn of(query: &str) -> Self {
        let mut wanted = Self { words: Words::of(query), ..Self::default() };
        for (name, value) in form_urlencoded::parse(query.as_bytes()) {
            let value = value.trim();
            match &*name {
                "from" => value.clone_into(&mut wanted.from),
                "to" => value.clone_into(&mut wanted.to),
                "page" => value.clone_into(&mut wanted.page_token),
                _ => {}
            }
        }
        for text in [&mut wanted.from, &mut wanted.to] {
            if !text.is_empty() && day(text).is_none() {
                let said: String = text.chars().take(40).collect();
                wanted.words.complaint = format!("{said} is no day such as 2026-11-22.");
                text.clear();
            }
        }
        if wanted.words.state == Some(State::Pending) {
            wanted.words.complaint =
                "Here is only what has ended. What waits is in the inbox.".to_owned();
            wanted.words.state = None;
        }
        wanted
    }

    /// The filter for a reader who may see `visible`.
    pub(super) fn filter(&self, visible: Namespaces, now: Timestamp) -> Filter {
        let filter = self.words.filter(visible, now);
        let facets = Facets {
            has_ended: true,
            ended_from: day(&self.from),
            ended_before: day(&self.to).map(|day| day.plus_ms(DAY_MS)),
            ..filter.facets
        };
        Filter { facets, ..filter }
    }

    /// Whether nothing is left out.
    pub(super) fn is_empty(&self) -> bool {
        self.words.is_empty() && self.from.is_empty() && self.to.is_empty()
    }

    /// Whether something is left out that the search does not show.
    pub(super) fn has_filter(&self) -> bool {
        !(self.words.given.is_empty() && self.from.is_empty() && self.to.is_empty())
    }

    /// Whether it is the state of this name that is asked for.
    pub(super) fn is_state(&self, name: &str) -> bool {
        self.words.given("state") == name
    }

    /// The address of the page that `token` begins, relative to the first.
    pub(super) fn address_of(&self, token: &str) -> String {
        format!("history?{}", self.query().append_pair("page", token).finish())
    }

    /// Where what is asked for is exported in `format`.
    pub(super) fn export_as(&self, format: &str) -> String {
        format!("history/export?{}", self.query().append_pair("format", format).finish())
    }

    fn query(&self) -> form_urlencoded::Serializer<'static, String> {
        let mut query = form_urlencoded::Serializer::new(String::new());
        query.extend_pairs(self.words.pairs());
        let days = [("from", &self.from), ("to", &self.to)];
        query.extend_pairs(days.into_iter().filter(|(_, day)| !day.is_empty()));
        query
    }
}

/// When a day begins, in UTC.
fn day(text: &str) -> Option<Timestamp> {
    if text.len() != 10 {
        return None;
    }
    format!("{text}T00:00:00Z").parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_view_is_in_its_address() {
        let query = "q=refund&state=answered&person=ada&from=2026-11-22&to=2026-11-23";
        let wanted = Wanted::of(&format!("{query}&page=p+1"));
        assert_eq!(wanted.words.complaint, "");
        assert_eq!(wanted.address_of("p 1"), format!("history?{query}&page=p+1"));
        assert_eq!(wanted.export_as("csv"), format!("history/export?{query}&format=csv"));
        let filter = wanted.filter(Namespaces::All, Timestamp::from_ms(0).unwrap());
        assert_eq!((filter.state, filter.facets.has_ended), (Some(State::Answered), true));
        assert_eq!(filter.facets.person.as_deref(), Some("ada"));
        let span_ms =
            filter.facets.ended_before.unwrap().ms_since(filter.facets.ended_from.unwrap());
        assert_eq!(span_ms, 2 * DAY_MS);
    }

    #[test]
    fn what_is_not_understood_is_said_and_left_out() {
        let wanted = Wanted::of("from=22.11.2026&state=pending");
        assert!(wanted.words.complaint.contains("in the inbox"));
        let filter = wanted.filter(Namespaces::All, Timestamp::from_ms(0).unwrap());
        assert_eq!((filter.state, filter.facets.ended_from), (None, None));
        assert!(Wanted::of("to=2026-13-01").words.complaint.contains("2026-13-01 is no day"));
    }
}
