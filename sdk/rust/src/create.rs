//! Describes an event and creates it. What can be restricted depends on the type of the answer.

use std::time::Duration;

use hitl_proto::v1;
use hitl_proto::v1::create_event_request::Expiration;
use hitl_proto::v1::evidence::Content;
use hitl_proto::v1::on_timeout::Action;

use crate::client::Client;
use crate::error::Result;
use crate::event::Event;
use crate::object::Object;
use crate::run::Counted;
use crate::valid::ATTEMPTS;
use crate::value::{Choices, DataType};

/// An event that is about to be created. The server checks every rule, so all setters are infallible.
#[derive(Clone, Debug)]
#[must_use = "nothing is asked before `create`"]
pub struct EventBuilder<T: DataType, C = Client> {
    pub(crate) client: C,
    pub(crate) request: v1::CreateEventRequest,
    /// The run that it is asked of.
    pub(crate) run: Option<Counted>,
    /// How often a valid answer is asked for.
    pub(crate) attempts: u32,
    pub(crate) input: T::Input,
    default: Option<T>,
}

impl<T: DataType, C> EventBuilder<T, C> {
    pub(crate) fn new(client: C, name: String, prompt: String) -> Self {
        let request = v1::CreateEventRequest { name, prompt, ..Default::default() };
        let input = T::Input::default();
        Self { client, request, run: None, attempts: ATTEMPTS, input, default: None }
    }

    pub(crate) fn in_run(self, run: Counted) -> Self {
        Self { run: Some(run), ..self }
    }

    /// The question in a few words: the headline of the page, above the prompt.
    pub fn title(mut self, title: impl Into<String>) -> Self {
        self.request.title = title.into();
        self
    }

    /// How much is at stake: low unless set. Pages take no answer at high risk without the person's word that this is
    /// known.
    pub fn risk(mut self, risk: v1::Risk) -> Self {
        self.request.set_risk(risk);
        self
    }

    /// Lets nobody answer on a page without confirming it in a second step, or with a typed word if the risk is high.
    pub fn require_confirmation(mut self) -> Self {
        self.request.require_confirmation = true;
        self
    }

    /// Shows a fact beside the prompt. Facts that are added one after the other are one item.
    pub fn fact(mut self, label: impl Into<String>, value: impl Into<String>) -> Self {
        let fact = v1::Fact { label: label.into(), value: value.into(), url: String::new() };
        match self.request.evidence.last_mut() {
            Some(v1::Evidence { title, note, content: Some(Content::Facts(item)) })
                if title.is_empty() && note.is_empty() =>
            {
                item.facts.push(fact);
            }
            _ => {
                let content = Some(Content::Facts(v1::FactsEvidence { facts: vec![fact] }));
                self.request.evidence.push(v1::Evidence { content, ..Default::default() });
            }
        }
        self
    }

    /// Shows an item beside the prompt: [`v1::Evidence`] has a function for each kind.
    pub fn evidence(mut self, item: v1::Evidence) -> Self {
        self.request.evidence.push(item);
        self
    }

    /// The run the event belongs to: `run` unless set.
    pub fn scope(mut self, scope: impl Into<String>) -> Self {
        self.request.scope = scope.into();
        self
    }

    /// Lets this client also answer and decline the event itself, which else somebody with another token has to.
    pub fn allow_self_answer(mut self) -> Self {
        self.request.allow_self_answer = true;
        self
    }

    /// The time until the event times out, 1 ms to 366 days: one hour unless set.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        let longest = prost_types::Duration { seconds: i64::MAX, nanos: 0 };
        let ttl = timeout.try_into().unwrap_or(longest);
        self.request.expiration = Some(Expiration::Ttl(ttl));
        self
    }

    /// The value to go on with when nobody answers in time. Without it that is an error.
    pub fn default_on_timeout(mut self, value: T) -> Self {
        self.default = Some(value);
        self
    }

    /// Adds a label to list by.
    pub fn label(mut self, key: impl Into<String>, value: impl Into<String>) -> Self {
        self.request.labels.insert(key.into(), value.into());
        self
    }

    /// Shows the prompt as Markdown instead of plain text.
    pub fn markdown(mut self) -> Self {
        self.request.set_prompt_format(v1::PromptFormat::Markdown);
        self
    }

    /// Makes creating it again safe whatever run it is: the same key and the same request give the
    /// same event. Derived from the run unless set (see the crate's documentation).
    pub fn idempotency_key(mut self, key: impl Into<String>) -> Self {
        self.request.idempotency_key = key.into();
        self
    }

    /// How often [`EventBuilder::ask_valid`] asks: 3 times unless set.
    pub fn attempts(mut self, attempts: u32) -> Self {
        self.attempts = attempts;
        self
    }

    pub(crate) fn request_mut(&mut self) -> &mut v1::CreateEventRequest {
        &mut self.request
    }

    /// The request as the API has it.
    pub(crate) fn into_request(self) -> Result<(C, v1::CreateEventRequest)> {
        let mut request = self.request;
        let input = T::input(self.input);
        if let Some(default) = self.default {
            let action = Action::DefaultValue(default.to_value(&input)?);
            request.on_timeout = Some(v1::OnTimeout { action: Some(action) });
        }
        request.input = Some(v1::Input { kind: Some(input) });
        Ok((self.client, request))
    }
}

impl<T: DataType> EventBuilder<T> {
    /// Creates the event. It and its timer are durable when this returns.
    ///
    /// # Errors
    /// Those of [`Client::create`].
    pub async fn create(self) -> Result<Event<T>> {
        let run = self.run.clone();
        let (client, request) = self.into_request()?;
        let reply = client.create_in(run.as_ref(), request).await?;
        Event::new(client, reply)
    }
}

impl<C> EventBuilder<i64, C> {
    /// The smallest number accepted.
    pub fn min(mut self, min: i64) -> Self {
        self.input.min = Some(min);
        self
    }

    /// The largest number accepted.
    pub fn max(mut self, max: i64) -> Self {
        self.input.max = Some(max);
        self
    }
}

impl<C> EventBuilder<f64, C> {
    /// The smallest number accepted.
    pub fn min(mut self, min: f64) -> Self {
        self.input.min = Some(min);
        self
    }

    /// The largest number accepted.
    pub fn max(mut self, max: f64) -> Self {
        self.input.max = Some(max);
        self
    }
}

impl<C> EventBuilder<String, C> {
    /// The fewest characters accepted.
    pub fn min_length(mut self, characters: u32) -> Self {
        self.input.min_length = Some(characters);
        self
    }

    /// The most characters accepted.
    pub fn max_length(mut self, characters: u32) -> Self {
        self.input.max_length = Some(characters);
        self
    }

    /// A regular expression (RE2) to be found in the text; anchor it to match the whole.
    pub fn pattern(mut self, pattern: impl Into<String>) -> Self {
        self.input.pattern = pattern.into();
        self
    }

    /// Offers several lines to write on.
    pub fn multiline(mut self) -> Self {
        self.input.multiline = true;
        self
    }

    /// A well-known format that the text must have.
    pub fn format(mut self, format: v1::StrFormat) -> Self {
        self.input.set_format(format);
        self
    }
}

impl<C> EventBuilder<bool, C> {
    /// What the form calls true and false: `Yes` and `No` unless set.
    pub fn labels(mut self, yes: impl Into<String>, no: impl Into<String>) -> Self {
        self.input.true_label = yes.into();
        self.input.false_label = no.into();
        self
    }
}

impl<T: DataType<Input = v1::ChoiceInput>, C> EventBuilder<T, C> {
    /// Offers an option, under its own value.
    pub fn option(self, value: impl Into<String>) -> Self {
        self.option_labelled(value, "")
    }

    /// Offers an option that the form shows as `label`.
    pub fn option_labelled(mut self, value: impl Into<String>, label: impl Into<String>) -> Self {
        let (value, label) = (value.into(), label.into());
        self.input.options.push(v1::ChoiceOption { value, label, ..Default::default() });
        self
    }
}

impl<C> EventBuilder<Choices, C> {
    /// The fewest options to pick: 1 unless set.
    pub fn min_selected(mut self, options: u32) -> Self {
        self.input.min_selected = Some(options);
        self
    }

    /// The most options to pick: 1, or the fewest if that is more, unless set.
    pub fn max_selected(mut self, options: u32) -> Self {
        self.input.max_selected = Some(options);
        self
    }
}

impl<T, C> EventBuilder<Object<T>, C>
where
    Object<T>: DataType<Input = v1::ObjectInput>,
{
    /// The fields, as a flat JSON Schema; [`v1::ObjectInput`] says what it may hold. Numbers are asked for within what
    /// the fields of a struct can hold, whatever wider bounds it has: a `u16` gets 0 to 65535.
    pub fn schema(mut self, schema: &serde_json::Value) -> Self {
        self.input.json_schema = schema.to_string();
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value::Choice;
    use hitl_proto::v1::input::Kind;

    #[test]
    fn what_is_set_is_what_is_asked() {
        let builder = EventBuilder::<i64, ()>::new((), "proceed".into(), "Add to x?".into());
        let (_, request) = builder
            .scope("run-7")
            .timeout(Duration::from_millis(1500))
            .min(0)
            .max(9)
            .default_on_timeout(5)
            .label("team", "a")
            .idempotency_key("k")
            .title("Add?")
            .risk(v1::Risk::High)
            .require_confirmation()
            .fact("x", "1")
            .fact("y", "2")
            .evidence(v1::Evidence::diff("x", "1", "2").with_note("x.txt"))
            .fact("z", "3")
            .into_request()
            .unwrap();
        assert_eq!((request.title.as_str(), request.risk()), ("Add?", v1::Risk::High));
        let int = v1::IntInput { min: Some(0), max: Some(9) };
        assert_eq!(request.input.unwrap().kind, Some(Kind::Int(int)));
        let ttl = prost_types::Duration { seconds: 1, nanos: 500_000_000 };
        assert_eq!(request.expiration, Some(Expiration::Ttl(ttl)));
        let value = v1::Value { kind: Some(v1::value::Kind::Int(5)) };
        assert_eq!(request.on_timeout.unwrap().action, Some(Action::DefaultValue(value)));
        assert_eq!((request.scope.as_str(), request.labels["team"].as_str()), ("run-7", "a"));
        assert!(request.require_confirmation);
        let diff = v1::Evidence::diff("x", "1", "2");
        let items = [
            v1::Evidence::facts("", [("x", "1"), ("y", "2")]),
            v1::Evidence { note: "x.txt".to_owned(), ..diff },
            v1::Evidence::facts("", [("z", "3")]),
        ];
        assert_eq!(request.evidence, items);
    }

    #[test]
    fn one_choice_and_several_are_told_apart_by_type() {
        let one = EventBuilder::<Choice, ()>::new((), String::new(), String::new());
        let (_, request) = one.option("a").option_labelled("b", "B").into_request().unwrap();
        let Some(Kind::Choice(choice)) = request.input.unwrap().kind else { panic!() };
        assert_eq!((choice.options.len(), choice.max_selected), (2, None));
        assert_eq!(choice.options[1].label, "B");
    }
}
