//! What a person has put into the form so far.

use hitl_core::{Answer, Channel, Command, Event, limits};

use super::reader::Reader;
use super::{moment, review};
use crate::http::request::Peer;
use hitl_service::error::Error;

/// The fields as the browser sent them, in order.
#[derive(Clone)]
pub(super) struct Entry(pub(super) Vec<(String, String)>);

impl Entry {
    /// A form that nobody has touched yet.
    pub(super) fn new(answer_id: String) -> Self {
        Self(vec![("answer_id".to_owned(), answer_id)])
    }

    /// Whether nobody has touched it yet, so that defaults may stand in.
    pub(super) fn is_new(&self) -> bool {
        self.0.len() == 1
    }

    /// The text of the field `name`; empty if it is not there.
    pub(super) fn text<'a>(&'a self, name: &str) -> &'a str {
        let named = self.0.iter().find(|(given, _)| given == name);
        named.map(|(_, value)| value.as_str()).unwrap_or_default()
    }

    /// The part of it that belongs to the field `name`.
    pub(super) fn of_field(&self, name: &str) -> Self {
        let own = |given: &str| given == name || moment::field(given) == Some(name);
        Self(self.0.iter().filter(|(given, _)| own(given)).cloned().collect())
    }

    /// Every value of the field `name`.
    pub(super) fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        let same_name = move |(given, _): &&(String, String)| given == name;
        self.0.iter().filter(same_name).map(|(_, value)| value.as_str())
    }

    /// What a person wrote into it, without what the page put there.
    pub(super) fn written(&self) -> impl Iterator<Item = &str> {
        let written = self
            .0
            .iter()
            .filter(|(name, value)| by_hand(name) && name != review::SHOWN && !value.is_empty());
        written.map(|(_, value)| value.as_str())
    }

    /// All of it that a page of ours asks for.
    pub(super) fn kept(&self) -> impl Iterator<Item = &(String, String)> {
        let ours = |name: &str| by_hand(name) || matches!(name, "answer_id" | "action" | "confirm");
        self.0.iter().filter(move |(name, _)| ours(name))
    }

    /// What a person wrote into the box `name`, without the line breaks of forms and without space around it.
    fn words(&self, name: &str) -> String {
        self.text(name).replace("\r\n", "\n").trim().to_owned()
    }

    /// Why the person gives no answer: what was picked, and what was written.
    fn reason(&self) -> String {
        let said = [self.words("why"), self.words("reason")];
        said.into_iter().filter(|text| !text.is_empty()).collect::<Vec<_>>().join(": ")
    }

    /// Whether what became of `event` came of this entry, alone or with others.
    pub(super) fn is_of(&self, event: &Event) -> bool {
        let Some(response) = &event.response else { return false };
        let votes = response.votes.iter().map(|vote| &vote.answer_id);
        let mut recorded = votes.chain([&response.answer_id]).flatten();
        recorded.any(|id| id == self.text("answer_id"))
    }

    /// Whether it was sent by the button that gives no answer.
    pub(super) fn declines(&self) -> bool {
        self.text("action") == "decline"
    }

    /// The same, with another answer id if its own can never be accepted.
    pub(super) fn with_usable_id(mut self, new_id: impl FnOnce() -> String) -> Self {
        let id = self.text("answer_id");
        if id.is_empty() || id.len() > limits::ANSWER_ID_BYTES_MAX {
            self.0.retain(|(name, _)| name != "answer_id");
            self.0.push(("answer_id".to_owned(), new_id()));
        }
        self
    }

    /// What the person wants done.
    pub(super) fn command(&self, reader: &Reader, peer: &Peer) -> Result<Command, Error> {
        let name = reader.responder(self.text("responder").trim());
        let identity = peer.identity(Channel::Form, name, self.text("answer_id").to_owned());
        match self.text("action") {
            // A browser that submits on Enter may name no button.
            "answer" | "" => {
                let comment = self.words("comment");
                Ok(Command::Answer {
                    answer: Answer::Form(moment::joined(self)),
                    comment,
                    identity,
                })
            }
            "decline" => Ok(Command::Decline { reason: self.reason(), identity }),
            _ => Err(Error::invalid("action", "must be answer or decline")),
        }
    }
}

fn by_hand(name: &str) -> bool {
    let name = moment::field(name).unwrap_or(name);
    name == "value"
        || name.starts_with("value.")
        || matches!(name, "reason" | "why" | "responder" | "comment")
}
