//! The words of a search: what a list of events is narrowed by, as people type it and as addresses keep it.
//!
//! A search is words and fields in any order: `refund label:team=payments run:nightly risk:high due:<1h`. Each field
//! can stand in the address by itself too, as boxes of a form send it.

use std::collections::BTreeMap;

use hitl_core::{Namespace, Namespaces, Risk, State, Timestamp};
use hitl_service::{Facets, Filter};

/// Longest search, in bytes.
const SEARCH_BYTES_MAX: usize = 1024;
/// Most words and fields of a search.
const WORDS_MAX: usize = 32;
const MINUTE_MS: i64 = 60_000;
const DAY_MS: i64 = 86_400_000;

/// The names of fields, which a search writes before a colon and an address before an equals sign.
pub(super) const FIELDS: [&str; 10] =
    ["label", "run", "name", "namespace", "program", "risk", "kind", "due", "state", "person"];

/// See the module.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Words {
    /// What was typed.
    pub(super) search: String,
    /// What means nothing; empty if all of it is understood.
    pub(super) complaint: String,
    /// What stood in the address by itself, in order.
    pub(super) given: Vec<(String, String)>,
    pub(super) state: Option<State>,
    text: Vec<String>,
    name: Option<String>,
    run: Option<String>,
    namespace: Option<Namespace>,
    labels: BTreeMap<String, String>,
    program: Option<String>,
    risk: Option<Risk>,
    kinds: Vec<&'static str>,
    due_ms: Option<i64>,
    person: Option<String>,
}

impl Words {
    /// What `query` asks for: `q` is a search, and each name of [`FIELDS`] one field. The rest is left alone.
    pub(super) fn of(query: &str) -> Self {
        let mut words = Self::default();
        for (name, value) in form_urlencoded::parse(query.as_bytes()) {
            let value = value.trim();
            if value.is_empty() {
                continue;
            }
            match &*name {
                "q" => value.clone_into(&mut words.search),
                name if FIELDS.contains(&name) => {
                    words.given.push((name.to_owned(), value.to_owned()));
                }
                _ => {}
            }
        }
        let bytes = words.given.iter().map(|(_, value)| value.len()).sum::<usize>();
        if words.search.len() + bytes > SEARCH_BYTES_MAX {
            words.complaint = format!("A search has at most {SEARCH_BYTES_MAX} bytes.");
            words.given.clear();
            return words;
        }
        let typed = split(&words.search);
        if typed.len() + words.given.len() > WORDS_MAX {
            words.complaint = format!("A search has at most {WORDS_MAX} words.");
            return words;
        }
        let fields = words.given.clone().into_iter().map(|(name, value)| format!("{name}:{value}"));
        for word in typed.into_iter().chain(fields) {
            if let Err(complaint) = words.take(&word) {
                words.complaint = complaint;
            }
        }
        words
    }

    /// Takes one word.
    fn take(&mut self, word: &str) -> Result<(), String> {
        let Some((field, value)) = word.split_once(':').filter(|(name, _)| FIELDS.contains(name))
        else {
            self.text.push(word.to_lowercase());
            return Ok(());
        };
        let some = || Some(value.to_owned());
        match field {
            "label" => {
                let (key, value) = value
                    .split_once('=')
                    .ok_or_else(|| format!("Write {word}=value, such as label:team=payments."))?;
                self.labels.insert(key.to_owned(), value.to_owned());
            }
            "run" => self.run = some(),
            "name" => self.name = some(),
            "program" => self.program = some(),
            "person" => self.person = Some(value.to_lowercase()),
            "namespace" => {
                let parsed = value.parse().map_err(|_| format!("{value} is no namespace."))?;
                self.namespace = Some(parsed);
            }
            "risk" => {
                self.risk = Some(match value {
                    "low" => Risk::Low,
                    "medium" => Risk::Medium,
                    "high" => Risk::High,
                    _ => return Err("A risk is low, medium or high.".to_owned()),
                });
            }
            "kind" => self.kinds = kinds(value)?,
            "state" => self.state = Some(state(value)?),
            _ => self.due_ms = Some(span_ms(value.trim_start_matches(['<', '=']))?),
        }
        Ok(())
    }

    /// The filter for a reader who may see `visible`.
    pub(super) fn filter(&self, visible: Namespaces, now: Timestamp) -> Filter {
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
            state: self.state,
            name: self.name.clone(),
            scope: self.run.clone(),
            labels: self.labels.clone(),
            text: self.text.clone(),
            facets: Facets {
                risk: self.risk,
                kinds: self.kinds.clone(),
                program: self.program.clone(),
                due_before: self.due_ms.map(|ms| now.plus_ms(ms)),
                person: self.person.clone(),
                ..Facets::default()
            },
        }
    }

    /// Whether nothing is left out.
    pub(super) fn is_empty(&self) -> bool {
        self.search.is_empty() && self.given.is_empty()
    }

    /// What stood in the address under `name`; empty if nothing.
    pub(super) fn given(&self, name: &str) -> &str {
        let given = self.given.iter().find(|(given, _)| given == name);
        given.map(|(_, value)| value.as_str()).unwrap_or_default()
    }

    /// What keeps this search in an address.
    pub(super) fn pairs(&self) -> impl Iterator<Item = (&str, &str)> {
        let search = Some(("q", self.search.as_str())).filter(|(_, search)| !search.is_empty());
        let given = self.given.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        search.into_iter().chain(given)
    }
}

/// The words of `text`; what stands in quotes is one.
fn split(text: &str) -> Vec<String> {
    let (mut words, mut word, mut is_quoted) = (Vec::new(), String::new(), false);
    for c in text.chars() {
        match c {
            '"' => is_quoted = !is_quoted,
            c if c.is_whitespace() && !is_quoted => words.push(std::mem::take(&mut word)),
            c => word.push(c),
        }
    }
    words.push(word);
    words.retain(|word| !word.is_empty());
    words
}

fn kinds(value: &str) -> Result<Vec<&'static str>, String> {
    Ok(match value {
        "number" => vec!["int", "float"],
        "int" => vec!["int"],
        "float" => vec!["float"],
        "text" | "str" => vec!["str"],
        "bool" | "yes-no" => vec!["bool"],
        "choice" => vec!["choice"],
        "fields" | "object" => vec!["object"],
        "review" => vec!["review"],
        _ => return Err("A kind is number, text, bool, choice, fields or review.".to_owned()),
    })
}

fn state(value: &str) -> Result<State, String> {
    Ok(match value {
        "pending" => State::Pending,
        "answered" => State::Answered,
        "declined" => State::Declined,
        "withdrawn" | "cancelled" => State::Cancelled,
        "timed-out" | "timed_out" => State::TimedOut,
        _ => {
            return Err(
                "A state is pending, answered, declined, withdrawn or timed-out.".to_owned()
            );
        }
    })
}

/// A span such as `30m`, `2h` or `3d`.
fn span_ms(text: &str) -> Result<i64, String> {
    let parse = || {
        let unit = text.chars().last()?;
        let number: i64 = text[..text.len() - unit.len_utf8()].parse().ok()?;
        let unit_ms = match unit {
            'm' => MINUTE_MS,
            'h' => 60 * MINUTE_MS,
            'd' => DAY_MS,
            _ => return None,
        };
        (1..=10_000).contains(&number).then_some(number * unit_ms)
    };
    parse().ok_or_else(|| "Write due:<30m, due:<2h or due:<3d.".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn now() -> Timestamp {
        Timestamp::from_ms(1_795_354_620_000).unwrap()
    }

    #[test]
    fn a_search_has_words_and_fields() {
        let words = Words::of(
            "q=deploy+label%3Ateam%3Dops+run%3A%22big+one%22+NOW+risk%3Ahigh+due%3A%3C1h&kind=number&page=p7",
        );
        assert_eq!(words.complaint, "");
        let filter = words.filter(Namespaces::All, now());
        assert_eq!(filter.text, ["deploy", "now"]);
        assert_eq!(filter.labels, [("team".to_owned(), "ops".to_owned())].into());
        assert_eq!(filter.scope.as_deref(), Some("big one"));
        assert_eq!(filter.namespaces, Namespaces::All);
        let facets = filter.facets;
        assert_eq!((facets.risk, facets.kinds), (Some(Risk::High), vec!["int", "float"]));
        assert_eq!(facets.due_before, Some(now().plus_ms(3_600_000)));
        let kept: Vec<_> = words.pairs().map(|(name, _)| name).collect();
        assert_eq!(kept, ["q", "kind"]);
    }

    #[test]
    fn a_namespace_that_the_reader_may_not_see_is_empty() {
        let own = || Namespaces::Only(["own".parse().unwrap()].into());
        let of = |query: &str| Words::of(query).filter(own(), now()).namespaces;
        assert_eq!(of("q=namespace:other"), Namespaces::Only([].into()));
        assert_eq!((of("q=namespace:own"), of("namespace=own"), of("")), (own(), own(), own()));
    }

    #[test]
    fn what_is_not_understood_is_said() {
        assert_eq!(Words::of("").complaint, "");
        assert_eq!(Words::of("q=http://a").complaint, "");
        for (query, said) in [
            ("q=label:team", "label:team=value"),
            ("q=namespace:No", "No is no namespace"),
            ("q=risk:huge", "low, medium or high"),
            ("risk=huge", "low, medium or high"),
            ("q=due:soon", "due:<30m"),
            ("q=due:0h", "due:<30m"),
            ("q=kind:thing", "A kind is"),
            ("q=state:open", "A state is"),
        ] {
            assert!(Words::of(query).complaint.contains(said), "{query}");
        }
        assert!(Words::of(&format!("q={}", "x".repeat(1025))).complaint.contains("1024"));
        assert!(Words::of(&format!("q={}", "x+".repeat(40))).complaint.contains("32 words"));
    }
}
