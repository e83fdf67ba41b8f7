//! How an event went, for people who are known: what happened when, who did it and how, and how anybody checks that.

use hitl_core::{CredentialKind, Event, OnTimeout, Proof, Response};

use super::evidence::Digest;
use super::values::{self, When};

/// See the module.
pub(super) struct Detail {
    pub(super) steps: Vec<Step>,
    pub(super) facts: Vec<(&'static str, String)>,
    pub(super) id: String,
}

/// Something that happened.
pub(super) struct Step {
    pub(super) at: When,
    pub(super) what: String,
}

impl Detail {
    /// How `event` went, which ended with `response`.
    pub(super) fn of(event: &Event, response: &Response) -> Self {
        let request = &*event.request;
        let asked = match &request.created_by {
            None => "Asked by a program that this server does not know".to_owned(),
            Some(proof) => format!("Asked by {}, {}", named(proof), credential(proof.known_by)),
        };
        let ended = match (&response.responder, event.state()) {
            (None, _) => "The deadline passed".to_owned(),
            (Some(responder), state) => {
                let did = match state {
                    hitl_core::State::Declined => "Declined",
                    hitl_core::State::Cancelled => "Withdrawn",
                    _ => "Answered",
                };
                match (&responder.proof, responder.name.as_str()) {
                    (Some(proof), _) if !named(proof).is_empty() => {
                        format!("{did} by {}, {}", named(proof), credential(proof.known_by))
                    }
                    (_, "") => format!("{did} by somebody who gave no name"),
                    (_, name) => format!("{did} by somebody who gave the name {name}"),
                }
            }
        };
        let mut steps = vec![
            Step { at: values::when(request.create_time), what: asked },
            Step { at: values::when(response.time), what: ended },
        ];
        if response.time < request.deadline {
            let what = "The deadline would have been".to_owned();
            steps.push(Step { at: values::when(request.deadline), what });
        }
        Self { steps, facts: facts(event, response), id: request.id.to_string() }
    }
}

fn facts(event: &Event, response: &Response) -> Vec<(&'static str, String)> {
    let request = &*event.request;
    let took = values::span(response.time.ms_since(request.create_time));
    let mut facts = vec![("Took", took)];
    if let Some(responder) = &response.responder {
        let address = Some(&responder.address).filter(|address| !address.is_empty());
        facts.extend(address.map(|address| ("From", address.clone())));
        let id = responder.proof.as_ref().map(|proof| proof.id.clone());
        facts.extend(id.filter(|id| !id.is_empty()).map(|id| ("Known as", id)));
    }
    facts.push(match &request.on_timeout {
        OnTimeout::Fail => ("If nobody", "The program is told so".to_owned()),
        OnTimeout::Default(value) => ("If nobody", values::summary(&request.input, value)),
    });
    let shown = match request.evidence.len() {
        0 => "the question".to_owned(),
        1 => "the question and 1 item of evidence".to_owned(),
        items => format!("the question and {items} items of evidence"),
    };
    facts.push(("Shown", shown));
    facts.push(("Digest", format!("sha256 {}", Digest::of(request).whole)));
    facts.push(("Event", format!("{}/{}", request.namespace, request.id)));
    if request.scope != "run" {
        facts.push(("Run", request.scope.clone()));
    }
    facts.extend(request.labels.iter().map(|(key, value)| ("Label", format!("{key}: {value}"))));
    facts
}

/// What somebody is called who was proved to be that.
fn named(proof: &Proof) -> &str {
    match proof.known_by {
        CredentialKind::Owner => "the user of this machine",
        _ => &proof.name,
    }
}

/// How it was proved.
fn credential(kind: CredentialKind) -> &'static str {
    match kind {
        CredentialKind::None => "who was asked for nothing",
        CredentialKind::Link => "by a link",
        CredentialKind::Token => "by a token",
        CredentialKind::Person => "signed in",
        CredentialKind::Owner => "signed in on it",
        CredentialKind::ClientCertificate => "by a certificate",
    }
}
