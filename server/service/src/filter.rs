//! Which events a list or a watch is of.

use std::collections::BTreeMap;

use hitl_core::{Event, Namespace, Namespaces, Request, State};

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
    /// Only with each of these texts, in lower case, somewhere in its name, prompt, scope or labels.
    pub text: Vec<String>,
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
        }
    }

    /// Whether `event` matches, if it is in `state`. The namespaces are not compared.
    pub(crate) fn matches(&self, event: &Event, state: State) -> bool {
        let request = &event.request;
        self.state.is_none_or(|wanted| wanted == state)
            && self.name.as_ref().is_none_or(|name| request.name == *name)
            && self.scope.as_ref().is_none_or(|scope| request.scope == *scope)
            && self.labels.iter().all(|(key, value)| request.labels.get(key) == Some(value))
            && has_texts(request, &self.text)
    }
}

fn has_texts(request: &Request, texts: &[String]) -> bool {
    if texts.is_empty() {
        return true;
    }
    let labels = request.labels.iter().flat_map(|(key, value)| [key, value]);
    let places = [&request.name, &request.prompt, &request.scope].into_iter().chain(labels);
    let places: Vec<String> = places.map(|place| place.to_lowercase()).collect();
    texts.iter().all(|text| places.iter().any(|place| place.contains(text)))
}
