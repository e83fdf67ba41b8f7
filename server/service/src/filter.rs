//! Which events a list or a watch is of.

use std::collections::BTreeMap;

use hitl_core::{Event, Namespace, Namespaces, Request, Response, Risk, State, Timestamp};

/// What an event must be like.
#[derive(Clone, Debug)]
pub struct Filter {
    /// Of these namespaces.
    pub namespaces: Namespaces,
    /// Only in this state.
    pub state: Option<State>,
    /// Only of this name.
    pub name: Option<String>,
    /// Only of this scope.
    pub scope: Option<String>,
    /// Only with all of these labels.
    pub labels: BTreeMap<String, String>,
    /// Only with each of these texts, in lower case, somewhere in its name, title, prompt, scope or labels.
    pub text: Vec<String>,
    /// Only what else people narrow a list by.
    pub facets: Facets,
}

/// What else an event must be like. What is empty is not asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Facets {
    /// Only of this risk.
    pub risk: Option<Risk>,
    /// Only with an input of one of these kinds, by their names in messages.
    pub kinds: Vec<&'static str>,
    /// Only asked by a program that was proved to have this name.
    pub program: Option<String>,
    /// Only due before this instant.
    pub due_before: Option<Timestamp>,
    /// Only what has ended, whatever the state.
    pub has_ended: bool,
    /// Only what ended at or after this instant.
    pub ended_from: Option<Timestamp>,
    /// Only what ended before this instant.
    pub ended_before: Option<Timestamp>,
    /// Only what was ended by somebody with this text, in lower case, in the name.
    pub person: Option<String>,
}

impl Filter {
    /// Every event of `namespace`.
    pub fn all_of(namespace: Namespace) -> Self {
        Self {
            namespaces: Namespaces::Only([namespace].into()),
            state: None,
            name: None,
            scope: None,
            labels: BTreeMap::new(),
            text: Vec::new(),
            facets: Facets::default(),
        }
    }

    /// Whether it leaves out anything but by state, namespace and time.
    pub(crate) fn is_narrow(&self) -> bool {
        let Facets { risk, kinds, program, due_before, person, .. } = &self.facets;
        let has_facet = risk.is_some()
            || !kinds.is_empty()
            || program.is_some()
            || due_before.is_some()
            || person.is_some();
        let has_name = self.name.is_some() || self.scope.is_some() || !self.labels.is_empty();
        has_facet || has_name || !self.text.is_empty()
    }

    /// Whether `event` matches, if it is in `state`. The namespaces are not compared.
    pub(crate) fn matches(&self, event: &Event, state: State) -> bool {
        let request = &event.request;
        self.state.is_none_or(|wanted| wanted == state)
            && self.name.as_ref().is_none_or(|name| request.name == *name)
            && self.scope.as_ref().is_none_or(|scope| request.scope == *scope)
            && self.labels.iter().all(|(key, value)| request.labels.get(key) == Some(value))
            && self.facets.match_request(request)
            && self.facets.match_response(event.response.as_deref())
            && has_texts(request, &self.text)
    }
}

impl Facets {
    fn match_request(&self, request: &Request) -> bool {
        let program = request.created_by.as_ref().map(|proof| proof.name.as_str());
        self.risk.is_none_or(|risk| request.risk == risk)
            && (self.kinds.is_empty() || self.kinds.contains(&request.input.kind()))
            && self.program.as_deref().is_none_or(|wanted| program == Some(wanted))
            && self.due_before.is_none_or(|before| request.deadline < before)
    }

    fn match_response(&self, response: Option<&Response>) -> bool {
        let Some(response) = response else {
            return !self.has_ended && self.person.is_none();
        };
        let is_by = |person: &String| {
            response.responder.as_ref().is_some_and(|responder| {
                let proved = responder.proof.as_ref().map_or("", |proof| &proof.name);
                [&responder.name, proved].iter().any(|name| name.to_lowercase().contains(person))
            })
        };
        self.ended_from.is_none_or(|from| response.time >= from)
            && self.ended_before.is_none_or(|before| response.time < before)
            && self.person.as_ref().is_none_or(is_by)
    }
}

fn has_texts(request: &Request, texts: &[String]) -> bool {
    if texts.is_empty() {
        return true;
    }
    let labels = request.labels.iter().flat_map(|(key, value)| [key, value]);
    let places =
        [&request.name, &request.title, &request.prompt, &request.scope].into_iter().chain(labels);
    let places: Vec<String> = places.map(|place| place.to_lowercase()).collect();
    texts.iter().all(|text| places.iter().any(|place| place.contains(text)))
}
