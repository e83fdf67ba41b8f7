//! What of the inbox is asked for. It stands in the address, so that a view can be kept and sent to others.

use hitl_core::{Namespaces, State, Timestamp};
use hitl_service::{Filter, Sort};

use crate::http::words::Words;

/// See the module.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Wanted {
    pub(super) words: Words,
    pub(super) sort: Sort,
    /// Whether it is grouped by runs and not by time.
    pub(super) by_run: bool,
    /// Where the page before ended.
    pub(super) page_token: String,
}

impl Wanted {
    /// What `query` asks for: a search, `sort` and `by` for the order, and `page` to go on with a page.
    pub(super) fn of(query: &str) -> Self {
        let mut wanted = Self { words: Words::of(query), ..Self::default() };
        for (name, value) in form_urlencoded::parse(query.as_bytes()) {
            match (&*name, &*value) {
                ("sort", "age") => wanted.sort = Sort::Age,
                ("sort", "risk") => wanted.sort = Sort::Risk,
                ("by", "run") => wanted.by_run = true,
                ("page", token) => token.clone_into(&mut wanted.page_token),
                _ => {}
            }
        }
        if wanted.words.state.is_some_and(|state| state != State::Pending) {
            wanted.words.complaint =
                "Here is only what waits. What has ended is in the history.".to_owned();
        }
        wanted
    }

    /// The filter for a reader who may see `visible`.
    pub(super) fn filter(&self, visible: Namespaces, now: Timestamp) -> Filter {
        Filter { state: Some(State::Pending), ..self.words.filter(visible, now) }
    }

    pub(super) fn sort_name(&self) -> &'static str {
        match self.sort {
            Sort::Deadline => "",
            Sort::Age => "age",
            Sort::Risk => "risk",
        }
    }

    /// The address of the page that `token` begins, relative to the inbox.
    pub(super) fn address_of(&self, token: &str) -> String {
        let mut query = self.query();
        let order = [("sort", self.sort_name()), ("by", if self.by_run { "run" } else { "" })];
        query.extend_pairs(order.into_iter().filter(|(_, value)| !value.is_empty()));
        format!("?{}", query.append_pair("page", token).finish())
    }

    /// Where the changes since `token` are streamed, relative to the inbox.
    pub(super) fn changes_since(&self, token: &str) -> String {
        format!("inbox/changes?{}", self.query().append_pair("since", token).finish())
    }

    fn query(&self) -> form_urlencoded::Serializer<'static, String> {
        let mut query = form_urlencoded::Serializer::new(String::new());
        query.extend_pairs(self.words.pairs());
        query
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_view_is_in_its_address() {
        let wanted = Wanted::of("q=deploy+run%3Anightly+NOW&risk=high&sort=age&by=run&page=p7");
        assert_eq!(
            (wanted.sort, wanted.by_run, wanted.page_token.as_str()),
            (Sort::Age, true, "p7")
        );
        assert_eq!(
            wanted.address_of("a b"),
            "?q=deploy+run%3Anightly+NOW&risk=high&sort=age&by=run&page=a+b"
        );
        assert_eq!(
            wanted.changes_since("w1"),
            "inbox/changes?q=deploy+run%3Anightly+NOW&risk=high&since=w1"
        );
        let now = Timestamp::from_ms(1_795_354_620_000).unwrap();
        assert_eq!(wanted.filter(Namespaces::All, now).state, Some(State::Pending));
    }

    #[test]
    fn what_has_ended_is_elsewhere() {
        assert_eq!(Wanted::of("q=state:pending").words.complaint, "");
        assert!(Wanted::of("state=answered").words.complaint.contains("in the history"));
    }
}
