//! Asks again until an answer is valid by a check that only the program can make.
//!
//! An answer is final for the server, so that another one is asked for by another event, which shows what was wrong.

use hitl_proto::v1;
use hitl_proto::v1::value::Kind;
use sha2::{Digest, Sha256};

use crate::create::EventBuilder;
use crate::error::{Error, FieldViolation, Result};
use crate::event::{self, Event};
use crate::key;
use crate::value::DataType;
use crate::waits;

/// How often is asked unless it is set.
pub(crate) const ATTEMPTS: u32 = 3;
/// More of an answer, or of what is wrong with it, nobody reads.
const CHARS_MAX: usize = 500;
/// What the evidence of another attempt is called.
const TITLE: &str = "The answer before was not valid";

impl<T: DataType> EventBuilder<T> {
    /// Asks, waits, and asks again while `check` says what is wrong with the answer: the next event shows that, with
    /// the answer. Each attempt has all of the timeout. A default is not checked. In a run, who asks the same again
    /// meets the same events.
    ///
    /// ```no_run
    /// # async fn example(client: hitl::Client) -> hitl::Result<()> {
    /// let even = |number: &i64| match number % 2 {
    ///     0 => Ok(()),
    ///     _ => Err(format!("{number} is odd")),
    /// };
    /// let replicas = client.event::<i64>("scale", "How many replicas?").ask_valid(even).await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`crate::ErrorKind::Invalid`] with what was wrong last if there was no valid answer in
    /// [`EventBuilder::attempts`], and those of [`EventBuilder::create`] and [`Event::wait`].
    pub async fn ask_valid(self, check: impl Fn(&T) -> Result<(), String>) -> Result<T> {
        let (run, mut asking) = (self.run.clone(), Asking::new(self.attempts)?);
        let (client, question) = self.into_request()?;
        let mut request = question.clone();
        loop {
            let reply = client.create_in(run.as_ref(), request).await?;
            let event = Event::<T>::new(client.clone(), reply)?;
            event.announce(&client);
            let ended = waits::wait(&client, event.id()).await?;
            match asking.judge(ended, &check)? {
                Judged::Valid(value) => return Ok(value),
                Judged::Again(again) => request = again.of(&question),
            }
        }
    }
}

/// The attempts that there were.
pub(crate) struct Asking {
    attempts: u32,
    number: u32,
    /// The event of the first one, by which those of the others are known.
    first_id: String,
}

/// What an answer comes to.
pub(crate) enum Judged<T> {
    Valid(T),
    Again(Again),
}

/// What tells another attempt from the first.
pub(crate) struct Again {
    key: String,
    evidence: v1::Evidence,
}

impl Asking {
    /// # Errors
    /// [`crate::ErrorKind::Invalid`] if nothing would be asked.
    pub(crate) fn new(attempts: u32) -> Result<Self> {
        if attempts == 0 {
            return Err(Error::config("attempts is 0: give a number from 1".to_owned()));
        }
        Ok(Self { attempts, number: 1, first_id: String::new() })
    }

    /// What the end of an event comes to.
    ///
    /// # Errors
    /// It has no value, or no valid one while there is another attempt.
    pub(crate) fn judge<T: DataType>(
        &mut self,
        ended: v1::Event,
        check: impl Fn(&T) -> Result<(), String>,
    ) -> Result<Judged<T>> {
        if self.first_id.is_empty() {
            self.first_id.clone_from(&ended.id);
        }
        let is_default = ended.state() == v1::EventState::TimedOut;
        let given = ended.response.as_ref().and_then(|response| response.value.clone());
        let name = ended.name.clone();
        let value = event::outcome(ended)?;
        let Some(why) = check(&value).err().filter(|_| !is_default) else {
            return Ok(Judged::Valid(value));
        };
        let why = shortened(if why.is_empty() { "it is not valid" } else { &why });
        if self.number >= self.attempts {
            return Err(given_up(&name, self.attempts, why));
        }
        self.number += 1;
        let digest = Sha256::digest(format!("{}\n{}", self.first_id, self.number));
        let answer = shortened(&given.map(|given| text(&given)).unwrap_or_default());
        Ok(Judged::Again(Again {
            key: format!("again-{}", key::hex(&digest)),
            evidence: v1::Evidence::facts(TITLE, [("Answer", answer), ("Why not", why)]),
        }))
    }
}

impl Again {
    /// The question once more.
    pub(crate) fn of(self, question: &v1::CreateEventRequest) -> v1::CreateEventRequest {
        let mut request = question.clone();
        request.evidence.insert(0, self.evidence);
        request.idempotency_key = self.key;
        request
    }
}

fn given_up(name: &str, attempts: u32, why: String) -> Error {
    let told = format!("no answer to \"{name}\" was valid in {attempts} attempts: {why}");
    let mut error = Error::config(told);
    error.0.field_violations = vec![FieldViolation { field: "value".to_owned(), description: why }];
    error
}

/// An answer as people read it.
fn text(value: &v1::Value) -> String {
    match &value.kind {
        Some(Kind::Int(number)) => number.to_string(),
        Some(Kind::Float(number)) => number.to_string(),
        Some(Kind::Str(text)) => text.clone(),
        Some(Kind::Bool(truth)) => truth.to_string(),
        Some(Kind::Choice(choice)) => choice.selected.join(", "),
        Some(Kind::Object(object)) => {
            let each = object.fields.iter().map(|(name, value)| format!("{name}: {}", text(value)));
            each.collect::<Vec<_>>().join("; ")
        }
        Some(Kind::Review(review)) => {
            let decision = review.decision().as_str_name().trim_start_matches("REVIEW_DECISION_");
            format!("{} {}", decision.to_lowercase(), review.message).trim_end().to_owned()
        }
        None => String::new(),
    }
}

fn shortened(text: &str) -> String {
    match text.char_indices().nth(CHARS_MAX) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_shown_as_people_read_it() {
        let of = |kind| text(&v1::Value { kind: Some(kind) });
        assert_eq!(of(Kind::Int(-7)), "-7");
        assert_eq!(of(Kind::Float(1.5)), "1.5");
        assert_eq!(of(Kind::Bool(true)), "true");
        let selected = vec!["a".to_owned(), "b".to_owned()];
        assert_eq!(of(Kind::Choice(v1::ChoiceValue { selected })), "a, b");
        let field = |text: &str| v1::Value { kind: Some(Kind::Str(text.to_owned())) };
        let fields = [("b", "2"), ("a", "1")].map(|(name, value)| (name.to_owned(), field(value)));
        assert_eq!(of(Kind::Object(v1::ObjectValue { fields: fields.into() })), "a: 1; b: 2");
    }

    #[test]
    fn what_is_long_is_cut_between_characters() {
        assert_eq!(shortened(&"ü".repeat(500)), "ü".repeat(500));
        assert_eq!(shortened(&"ü".repeat(501)), format!("{}…", "ü".repeat(500)));
    }
}
