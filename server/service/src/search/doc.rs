//! What the index knows of one event: enough to leave out what cannot match. Whether it does match, the event itself
//! says.

use hitl_core::{Event, Risk, State, Timestamp};
use hitl_store::Entry;

use crate::filter::{Facets, Filter};

/// Most bytes of text that are kept of an event. Of a longer one every search for words has to read the event.
const TEXT_BYTES_MAX: usize = 2_048;
/// What an event takes in the index beside its text.
const DOC_BYTES: usize = 240;

/// See the module.
#[derive(Debug)]
pub(super) struct Doc {
    pub(super) state: State,
    pub(super) risk: Risk,
    pub(super) create_time: Timestamp,
    kind: &'static str,
    deadline: Timestamp,
    /// Name, title, scope, program, responder, labels and the beginning of the prompt, in lower case.
    text: Box<str>,
    /// Whether there is more text than that.
    is_cut: bool,
}

/// What a search looks for, made once for all events.
#[derive(Debug)]
pub(super) struct Wanted {
    filter: Filter,
    /// All texts that must be somewhere, in lower case.
    needles: Vec<String>,
}

impl Doc {
    /// What is to be known of `event`, and where it stands: by its deadline while it is pending, else by its end.
    pub(super) fn of(event: &Event) -> (Entry, Self) {
        let request = &*event.request;
        let mut text = String::new();
        let program = request.created_by.as_ref().map_or("", |proof| &proof.name);
        let labels = request.labels.iter().flat_map(|(key, value)| [key.as_str(), value.as_str()]);
        let responder = event.response.as_ref().and_then(|response| response.responder.as_ref());
        let proved = responder.and_then(|responder| responder.proof.as_ref());
        let by = [responder.map(|it| it.name.as_str()), proved.map(|it| it.name.as_str())];
        let parts = [request.name.as_str(), &request.title, &request.scope, program]
            .into_iter()
            .chain(by.into_iter().flatten())
            .chain(labels)
            .chain([request.prompt.as_str()]);
        let mut is_cut = false;
        for part in parts {
            let room = TEXT_BYTES_MAX.saturating_sub(text.len());
            let kept = &part[..part.floor_char_boundary(room)];
            is_cut |= kept.len() < part.len();
            text.push_str(&kept.to_lowercase());
            text.push('\u{1f}');
        }
        let time = event.response.as_ref().map_or(request.deadline, |response| response.time);
        let doc = Self {
            state: event.state(),
            risk: request.risk,
            create_time: request.create_time,
            kind: request.input.kind(),
            deadline: request.deadline,
            text: text.into(),
            is_cut,
        };
        (Entry { time, key: request.key() }, doc)
    }

    /// What it takes in memory, about.
    pub(super) fn bytes(&self) -> usize {
        DOC_BYTES + self.text.len()
    }

    /// Whether the event at `entry` may be one of those that are `wanted`.
    pub(super) fn may_match(&self, entry: &Entry, wanted: &Wanted) -> bool {
        let Filter { namespaces, state, facets, .. } = &wanted.filter;
        let Facets { risk, kinds, due_before, ended_from, ended_before, .. } = facets;
        let is_pending = self.state == State::Pending;
        namespaces.contains(&entry.key.namespace)
            && state.is_none_or(|state| state == self.state)
            && risk.is_none_or(|risk| risk == self.risk)
            && (kinds.is_empty() || kinds.contains(&self.kind))
            && due_before.is_none_or(|before| self.deadline < before)
            && (is_pending || ended_from.is_none_or(|from| entry.time >= from))
            && (is_pending || ended_before.is_none_or(|before| entry.time < before))
            && (self.is_cut || wanted.needles.iter().all(|needle| self.text.contains(needle)))
    }
}

impl Wanted {
    /// What `filter` looks for.
    pub(super) fn of(filter: &Filter) -> Self {
        let Facets { program, person, .. } = &filter.facets;
        let exact = [&filter.name, &filter.scope, program, person].into_iter().flatten();
        let labels = filter.labels.iter().flat_map(|(key, value)| [key, value]);
        let needles = exact.chain(labels).chain(&filter.text).map(|text| text.to_lowercase());
        Self { needles: needles.filter(|text| !text.is_empty()).collect(), filter: filter.clone() }
    }
}
