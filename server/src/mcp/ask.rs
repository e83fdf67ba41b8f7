//! The arguments of `ask_human`, and the request that they make.

use std::collections::BTreeMap;
use std::time::Duration;

use hitl_proto::v1::create_event_request::Expiration;
use hitl_proto::v1::input::Kind as InputKind;
use hitl_proto::v1::on_timeout::Action;
use hitl_proto::v1::{self, PromptFormat};
use hitl_proto::visible;
use serde::{Deserialize, Serialize};
use serde_json::{Number, Value};

use super::HOLD_MAX;
use super::refused::Refused;
use crate::api::plain;

/// The scope of all questions asked by the tools.
const SCOPE: &str = "mcp";
/// Characters of the prompt that lists show where there is no title.
const NAME_CHARS_MAX: usize = 60;

/// What a model asks. Serialized, it is what tells one question from another.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Ask {
    prompt: String,
    #[serde(default)]
    title: Option<String>,
    #[serde(default)]
    kind: Option<Kind>,
    #[serde(default)]
    options: Vec<Choice>,
    #[serde(default)]
    multiple: bool,
    #[serde(default)]
    min: Option<Number>,
    #[serde(default)]
    max: Option<Number>,
    #[serde(default)]
    schema: Option<Value>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    action: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    arguments: Option<Value>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    decisions: Vec<Decision>,
    #[serde(default)]
    default: Option<Value>,
    #[serde(default)]
    markdown: bool,
    #[serde(default)]
    of: Of,
    #[serde(default)]
    timeout_seconds: Option<u32>,
    #[serde(default)]
    labels: BTreeMap<String, String>,
    #[serde(default, skip_serializing)]
    idempotency_key: String,
    #[serde(default, skip_serializing)]
    wait_seconds: Option<u32>,
}

/// The kind of answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
enum Kind {
    YesNo,
    Choice,
    Text,
    LongText,
    Integer,
    Number,
    Form,
    Review,
}

/// What may be decided on an action.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
enum Decision {
    Approve,
    Edit,
    Reject,
    Respond,
}

/// Who is to answer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Of {
    /// Whoever may, in the inbox or by the link.
    #[default]
    Anyone,
    /// The person at the client.
    User,
}

#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(untagged)]
enum Choice {
    Value(String),
    #[serde(rename_all = "snake_case")]
    Described {
        value: String,
        #[serde(default)]
        label: String,
        #[serde(default)]
        description: String,
    },
}

impl Ask {
    /// Who is to answer.
    pub(super) fn of(&self) -> Of {
        self.of
    }

    /// How long the call may be held.
    pub(super) fn hold(&self) -> Duration {
        hold(self.wait_seconds)
    }

    /// What tells this question from others.
    pub(super) fn arguments(&self) -> String {
        serde_json::to_string(self).expect("arguments came as JSON")
    }

    /// The request for the event.
    ///
    /// # Errors
    /// An argument that does not go with the others.
    pub(super) fn request(&self) -> Result<v1::CreateEventRequest, Refused> {
        let input = v1::Input { kind: Some(self.input()?) };
        let default = self.default.as_ref().map(|default| self.default(&input, default));
        let ttl = self
            .timeout_seconds
            .map(|seconds| prost_types::Duration { seconds: i64::from(seconds), nanos: 0 });
        let format = if self.markdown { PromptFormat::Markdown } else { PromptFormat::Text };
        Ok(v1::CreateEventRequest {
            name: self.title.clone().unwrap_or_else(|| name_of(&self.prompt)),
            prompt: self.prompt.clone(),
            prompt_format: format.into(),
            input: Some(input),
            scope: SCOPE.to_owned(),
            labels: self.labels.clone(),
            expiration: ttl.map(Expiration::Ttl),
            on_timeout: default
                .transpose()?
                .map(|value| v1::OnTimeout { action: Some(Action::DefaultValue(value)) }),
            idempotency_key: self.idempotency_key.clone(),
            // What the user says in the client is recorded with the credential that has asked.
            allow_self_answer: self.of == Of::User,
            ..v1::CreateEventRequest::default()
        })
    }

    fn kind(&self) -> Kind {
        self.kind.unwrap_or(match (&self.schema, self.options.is_empty()) {
            _ if self.action.is_some() => Kind::Review,
            (Some(_), _) => Kind::Form,
            (None, false) => Kind::Choice,
            (None, true) => Kind::Text,
        })
    }

    fn input(&self) -> Result<InputKind, Refused> {
        let kind = self.kind();
        let is_choice = kind == Kind::Choice;
        let is_bounded = !matches!(kind, Kind::YesNo | Kind::Form | Kind::Review)
            && (!is_choice || self.multiple);
        let is_review = kind == Kind::Review;
        for (name, is_given, fits) in [
            ("options", !self.options.is_empty(), is_choice),
            ("multiple", self.multiple, is_choice),
            ("schema", self.schema.is_some(), kind == Kind::Form || is_review),
            ("action", self.action.is_some(), is_review),
            ("arguments", self.arguments.is_some(), is_review),
            ("decisions", !self.decisions.is_empty(), is_review),
            ("min", self.min.is_some(), is_bounded),
            ("max", self.max.is_some(), is_bounded),
        ] {
            if is_given && !fits {
                let message =
                    "does not go with this kind of answer: leave it out, or give another kind";
                return Err(Refused::argument(name, message));
            }
        }
        Ok(match kind {
            Kind::YesNo => InputKind::Bool(v1::BoolInput::default()),
            Kind::Choice => InputKind::Choice(self.choice()?),
            Kind::Text | Kind::LongText => InputKind::Str(v1::StrInput {
                min_length: bound("min", self.min.as_ref(), count)?,
                max_length: bound("max", self.max.as_ref(), count)?,
                multiline: kind == Kind::LongText,
                ..v1::StrInput::default()
            }),
            Kind::Integer => InputKind::Int(v1::IntInput {
                min: bound("min", self.min.as_ref(), Number::as_i64)?,
                max: bound("max", self.max.as_ref(), Number::as_i64)?,
            }),
            Kind::Number => InputKind::Float(v1::FloatInput {
                min: bound("min", self.min.as_ref(), Number::as_f64)?,
                max: bound("max", self.max.as_ref(), Number::as_f64)?,
            }),
            Kind::Form => InputKind::Object(v1::ObjectInput { json_schema: self.json_schema()? }),
            Kind::Review => InputKind::Review(self.review()?),
        })
    }

    fn choice(&self) -> Result<v1::ChoiceInput, Refused> {
        let options = self.options.iter().cloned().map(|option| match option {
            Choice::Value(value) => v1::ChoiceOption { value, ..v1::ChoiceOption::default() },
            Choice::Described { value, label, description } => {
                v1::ChoiceOption { value, label, description }
            }
        });
        let options: Vec<_> = options.collect();
        if options.is_empty() {
            return Err(Refused::argument("options", "are required for a choice"));
        }
        let most = self.multiple.then(|| u32::try_from(options.len()).unwrap_or(u32::MAX));
        let max = bound("max", self.max.as_ref(), count)?;
        Ok(v1::ChoiceInput {
            options,
            min_selected: bound("min", self.min.as_ref(), count)?,
            max_selected: max.or(most),
        })
    }

    fn review(&self) -> Result<v1::ReviewInput, Refused> {
        let Some(action) = &self.action else {
            return Err(Refused::argument("action", "is required for a review"));
        };
        let number = |decision: &Decision| match decision {
            Decision::Approve => v1::ReviewDecision::Approve.into(),
            Decision::Edit => v1::ReviewDecision::Edit.into(),
            Decision::Reject => v1::ReviewDecision::Reject.into(),
            Decision::Respond => v1::ReviewDecision::Respond.into(),
        };
        Ok(v1::ReviewInput {
            action: action.clone(),
            arguments: self.arguments.as_ref().unwrap_or(&Value::Null).to_string(),
            json_schema: match self.schema {
                Some(_) => self.json_schema()?,
                None => String::new(),
            },
            allow: self.decisions.iter().map(number).collect(),
            digest: String::new(),
        })
    }

    /// Models give a schema as an object, or as its text.
    fn json_schema(&self) -> Result<String, Refused> {
        match &self.schema {
            Some(Value::String(text)) => Ok(text.clone()),
            Some(schema @ Value::Object(_)) => Ok(schema.to_string()),
            _ => Err(Refused::argument("schema", "must be a JSON Schema of type object")),
        }
    }

    fn default(&self, input: &v1::Input, default: &Value) -> Result<v1::Value, Refused> {
        // One option of a choice is an answer as good as a list of it.
        let default = match default {
            Value::String(_) if self.kind() == Kind::Choice => Value::Array(vec![default.clone()]),
            default => default.clone(),
        };
        let read = plain::read(input.clone(), &default.to_string());
        read.map_err(|error| Refused::argument("default", Refused::from(error).message()))
    }
}

/// How long a call may be held for which a model has asked for so many seconds.
pub(super) fn hold(wait_seconds: Option<u32>) -> Duration {
    wait_seconds.map_or(HOLD_MAX, |seconds| Duration::from_secs(seconds.into()).min(HOLD_MAX))
}

fn bound<T>(
    name: &str,
    given: Option<&Number>,
    read: impl Fn(&Number) -> Option<T>,
) -> Result<Option<T>, Refused> {
    let Some(number) = given else { return Ok(None) };
    let bound = read(number);
    bound.map(Some).ok_or_else(|| {
        Refused::argument(name, "must be a whole number, and not negative for a length or a count")
    })
}

fn count(number: &Number) -> Option<u32> {
    number.as_u64().and_then(|number| u32::try_from(number).ok())
}

fn name_of(prompt: &str) -> String {
    let first = prompt.lines().map(str::trim).find(|line| !line.is_empty()).unwrap_or("question");
    visible::cut_line(first, NAME_CHARS_MAX)
}

#[cfg(test)]
#[path = "ask_tests.rs"]
mod tests;
