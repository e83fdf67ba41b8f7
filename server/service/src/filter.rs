//! Which events a list or a watch is of.

use std::collections::BTreeMap;

use hitl_core::{Event, Namespace, State};

/// What an event must be like.
#[derive(Clone, Debug)]
pub struct Filter {
    /// Of this namespace.
    pub namespace: Namespace,
    /// Only in this state.
    pub state: Option<State>,
    /// Only of this name.
    pub name: Option<String>,
    /// Only of this scope.
    pub scope: Option<String>,
    /// Only with all of these labels.
    pub labels: BTreeMap<String, String>,
}

impl Filter {
    /// Every event of `namespace`.
    pub fn all_of(namespace: Namespace) -> Self {
        Self { namespace, state: None, name: None, scope: None, labels: BTreeMap::new() }
    }

    /// Whether `event` matches, if it is in `state`. The namespace is not compared.
    pub(crate) fn matches(&self, event: &Event, state: State) -> bool {
        let request = &event.request;
        self.state.is_none_or(|wanted| wanted == state)
            && self.name.as_ref().is_none_or(|name| request.name == *name)
            && self.scope.as_ref().is_none_or(|scope| request.scope == *scope)
            && self.labels.iter().all(|(key, value)| request.labels.get(key) == Some(value))
    }
}
