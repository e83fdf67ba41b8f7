//! What of the inbox is asked for. It stands in the address, so that a view can be kept and sent to others.

use std::collections::BTreeMap;

use hitl_core::{Namespace, Namespaces, State};
use hitl_service::Filter;

/// Longest search, in bytes.
const SEARCH_BYTES_MAX: usize = 1024;

/// See the module.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Wanted {
    /// What was typed.
    pub(super) search: String,
    /// What of it means nothing; empty if all of it is understood.
    pub(super) complaint: String,
    /// Where the page before ended.
    pub(super) page_token: String,
    text: Vec<String>,
    name: Option<String>,
    run: Option<String>,
    namespace: Option<Namespace>,
    labels: BTreeMap<String, String>,
}

impl Wanted {
    /// What `query` asks for: `q` is a search, `page` goes on with a page.
    pub(super) fn of(query: &str) -> Self {
        let mut wanted = Self::default();
        for (name, value) in form_urlencoded::parse(query.as_bytes()) {
            match &*name {
                "q" => wanted.search = value.trim().to_owned(),
                "page" => wanted.page_token = value.into_owned(),
                _ => {}
            }
        }
        if wanted.search.len() > SEARCH_BYTES_MAX {
            wanted.complaint = format!("A search has at most {SEARCH_BYTES_MAX} bytes.");
            return wanted;
        }
        for word in wanted.search.clone().split_whitespace() {
            if let Err(complaint) = wanted.take(word) {
                wanted.complaint = complaint;
            }
        }
        wanted
    }

    /// Takes one word of a search: `label:key=value`, `run:`, `name:` and `namespace:`; any other is looked for.
    fn take(&mut self, word: &str) -> Result<(), String> {
        match word.split_once(':') {
            Some(("label", label)) => {
                let (key, value) = label
                    .split_once('=')
                    .ok_or_else(|| format!("Write {word}=value, such as label:team=payments."))?;
                self.labels.insert(key.to_owned(), value.to_owned());
            }
            Some(("run", run)) => self.run = Some(run.to_owned()),
            Some(("name", name)) => self.name = Some(name.to_owned()),
            Some(("namespace", namespace)) => {
                let parsed =
                    namespace.parse().map_err(|_| format!("{namespace} is no namespace."))?;
                self.namespace = Some(parsed);
            }
            _ => self.text.push(word.to_owned()),
        }
        Ok(())
    }

    /// The filter for a reader who may see `visible`.
    pub(super) fn filter(&self, visible: Namespaces) -> Filter {
        let namespaces = match &self.namespace {
            // One that the reader may not see looks like one that is empty.
            Some(namespace) => {
                let seen = visible.contains(namespace).then(|| namespace.clone());
                Namespaces::Only(seen.into_iter().collect())
            }
            None => visible,
        };
        Filter {
            namespaces,
            state: Some(State::Pending),
            name: self.name.clone(),
            scope: self.run.clone(),
            labels: self.labels.clone(),
            text: self.text.iter().map(|word| word.to_lowercase()).collect(),
        }
    }

    /// The address of the page that `token` begins, relative to the inbox.
    pub(super) fn address_of(&self, token: &str) -> String {
        format!("?{}", self.query("page", token))
    }

    /// Where the changes since `token` are streamed, relative to the inbox.
    pub(super) fn changes_since(&self, token: &str) -> String {
        format!("inbox/changes?{}", self.query("since", token))
    }

    fn query(&self, name: &str, token: &str) -> String {
        let mut query = form_urlencoded::Serializer::new(String::new());
        if !self.search.is_empty() {
            query.append_pair("q", &self.search);
        }
        query.append_pair(name, token).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_search_has_words_and_fields() {
        let wanted = Wanted::of("q=deploy+label%3Ateam%3Dops+run%3Anightly+NOW&page=p7");
        let filter = wanted.filter(Namespaces::All);
        assert_eq!(filter.text, ["deploy", "now"]);
        assert_eq!(filter.labels, [("team".to_owned(), "ops".to_owned())].into());
        assert_eq!(filter.scope.as_deref(), Some("nightly"));
        assert_eq!((filter.namespaces, filter.state), (Namespaces::All, Some(State::Pending)));
        assert_eq!(
            wanted.address_of("a b"),
            "?q=deploy+label%3Ateam%3Dops+run%3Anightly+NOW&page=a+b"
        );
        let of_one = Wanted::of("q=namespace:team-1").filter(Namespaces::All);
        assert_eq!(of_one.namespaces, Namespaces::Only(["team-1".parse().unwrap()].into()));
    }

    #[test]
    fn a_namespace_that_the_reader_may_not_see_is_empty() {
        let own = || Namespaces::Only(["own".parse().unwrap()].into());
        let of = |query: &str| Wanted::of(query).filter(own()).namespaces;
        assert_eq!(of("q=namespace:other"), Namespaces::Only([].into()));
        assert_eq!((of("q=namespace:own"), of("")), (own(), own()));
    }

    #[test]
    fn what_is_not_understood_is_said() {
        assert_eq!(Wanted::of("").complaint, "");
        assert_eq!(Wanted::of("q=http://a").complaint, "");
        assert!(Wanted::of("q=label:team").complaint.contains("label:team=value"));
        assert!(Wanted::of("q=namespace:No").complaint.contains("No is no namespace"));
        assert!(Wanted::of(&format!("q={}", "x".repeat(1025))).complaint.contains("1024"));
    }
}
