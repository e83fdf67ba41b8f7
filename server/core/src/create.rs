//! From a question to a [`Request`]: the only way one comes to be.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::assignees::{self, Assignee, Quorum};
use crate::event::{OnTimeout, PromptFormat, Request};
use crate::evidence::{self, Evidence, Risk};
use crate::id::{EventId, Namespace};
use crate::input::Input;
use crate::limits;
use crate::lookalike::is_blank;
use crate::principal::Proof;
use crate::rejection::{Rejection, Violation};
use crate::reminder::{self, Alarms};
use crate::tell::OnEnd;
use crate::time::Timestamp;
use crate::weight::Weight;

/// A question as the task put it, not checked yet.
#[derive(Clone, Debug, PartialEq)]
pub struct Spec {
    /// What the event is called in lists and logs.
    pub name: String,
    /// The question in a few words; empty if the prompt is all there is.
    pub title: String,
    /// The question the person sees.
    pub prompt: String,
    /// How the prompt is to be read.
    pub prompt_format: PromptFormat,
    /// What is shown beside the prompt.
    pub evidence: Vec<Evidence>,
    /// How much is at stake.
    pub risk: Risk,
    /// Whether an answer on a page has to be confirmed.
    pub require_confirmation: bool,
    /// The kind of answer wanted.
    pub input: Input,
    /// The run the event belongs to.
    pub scope: String,
    /// Labels to find the event by.
    pub labels: BTreeMap<String, String>,
    /// When the event times out.
    pub expiration: Expiration,
    /// What happens then.
    pub on_timeout: OnTimeout,
    /// What makes the create safe to repeat.
    pub idempotency_key: Option<String>,
    /// Whether whoever creates the event may also answer it.
    pub allow_self_answer: bool,
    /// Whom the event is for; everybody who may answer if empty.
    pub assignees: Vec<Assignee>,
    /// How many have to agree; the first answer ends it if `None`.
    pub quorum: Option<Quorum>,
    /// Who creates it; `None` if the server asks for no credential.
    pub created_by: Option<Proof>,
    /// What the requester wants to be told when it ends.
    pub on_end: Option<OnEnd>,
    /// When those who were asked are told again, and when others are.
    pub alarms: Alarms,
}

/// When an event times out, as it was asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Expiration {
    /// So many milliseconds after create.
    TtlMs(i64),
    /// At this instant.
    Deadline(Timestamp),
}

impl Default for Expiration {
    fn default() -> Self {
        Self::TtlMs(limits::TTL_DEFAULT_MS)
    }
}

/// Checks `spec` against every rule and fixes the deadline of the event that it asks for.
///
/// # Errors
/// [`Rejection::InvalidRequest`] with every broken rule, not only the first.
pub fn create(
    spec: Spec,
    namespace: Namespace,
    id: EventId,
    now: Timestamp,
) -> Result<Request, Rejection> {
    let mut broken = Vec::new();
    check_texts(&mut broken, &spec);
    if let Some(key) = &spec.idempotency_key
        && !(1..=limits::IDEMPOTENCY_KEY_BYTES_MAX).contains(&key.len())
    {
        let message = format!("must have 1 to {} bytes", limits::IDEMPOTENCY_KEY_BYTES_MAX);
        broken.push(Violation::new("idempotency_key", message));
    }
    check_labels(&mut broken, &spec.labels);
    evidence::check(&mut broken, &spec.evidence);
    assignees::check(&mut broken, &spec.assignees, spec.quorum);
    if let Some(on_end) = &spec.on_end {
        on_end.check(&mut broken);
    }
    let input_broken = spec.input.check_self();
    // A default can only be judged by an input that makes sense itself.
    let default_broken = match &spec.on_timeout {
        OnTimeout::Default(value) if input_broken.is_empty() => spec.input.check_default(value),
        OnTimeout::Default(_) | OnTimeout::Fail => Vec::new(),
    };
    broken.extend(input_broken);
    broken.extend(default_broken.into_iter().map(|v| Violation {
        field: v.field.replacen("value", "on_timeout.default_value", 1),
        message: v.message,
    }));
    let deadline = check_expiration(&mut broken, spec.expiration, now);
    reminder::check(&mut broken, &spec.alarms, [now, deadline]);
    if !broken.is_empty() {
        return Err(Rejection::InvalidRequest(broken));
    }
    Ok(Request {
        id,
        namespace,
        name: spec.name,
        title: spec.title,
        prompt: spec.prompt,
        prompt_format: spec.prompt_format,
        evidence: spec.evidence,
        risk: spec.risk,
        require_confirmation: spec.require_confirmation,
        input: spec.input,
        scope: spec.scope,
        labels: spec.labels,
        expiration: spec.expiration,
        on_timeout: spec.on_timeout,
        idempotency_key: spec.idempotency_key,
        allow_self_answer: spec.allow_self_answer,
        assignees: spec.assignees,
        quorum: spec.quorum,
        created_by: spec.created_by,
        on_end: spec.on_end,
        alarms: spec.alarms,
        channels: Vec::new(),
        create_time: now,
        deadline,
        weight: Weight::default(),
    })
}

fn check_texts(broken: &mut Vec<Violation>, spec: &Spec) {
    one_line(broken, "name", &spec.name, limits::NAME_CHARS_MAX);
    if is_blank(&spec.name) {
        broken.push(Violation::new("name", "is required: give a name that can be seen"));
    }
    one_line(broken, "title", &spec.title, limits::NAME_CHARS_MAX);
    if !spec.title.is_empty() && is_blank(&spec.title) {
        broken.push(Violation::new("title", "must have a character that can be seen"));
    }
    one_line(broken, "scope", &spec.scope, limits::NAME_CHARS_MAX);
    if spec.prompt.is_empty() || spec.prompt.len() > limits::PROMPT_BYTES_MAX {
        let message = format!("must have 1 to {} bytes", limits::PROMPT_BYTES_MAX);
        broken.push(Violation::new("prompt", message));
    } else if is_blank(&spec.prompt) {
        broken.push(Violation::new("prompt", "must have a character that can be seen"));
    }
}

/// Names of the fields in which two requests ask for different things; empty if one is a repeat of the other.
///
/// What the server fixed (create time, deadline, who created it) does not count: a repeat with the same time to live
/// comes later, perhaps with another token, and still asks for the same.
pub fn differing_fields(a: &Request, b: &Request) -> Vec<&'static str> {
    let same = [
        ("name", a.name == b.name),
        ("title", a.title == b.title),
        ("prompt", a.prompt == b.prompt),
        ("prompt_format", a.prompt_format == b.prompt_format),
        ("evidence", a.evidence == b.evidence),
        ("risk", a.risk == b.risk),
        ("require_confirmation", a.require_confirmation == b.require_confirmation),
        ("input", a.input == b.input),
        ("scope", a.scope == b.scope),
        ("labels", a.labels == b.labels),
        ("expiration", a.expiration == b.expiration),
        ("on_timeout", a.on_timeout == b.on_timeout),
        ("idempotency_key", a.idempotency_key == b.idempotency_key),
        ("allow_self_answer", a.allow_self_answer == b.allow_self_answer),
        ("assignees", a.assignees == b.assignees),
        ("quorum", a.quorum == b.quorum),
        ("on_end", a.on_end == b.on_end),
        ("reminders", a.alarms.reminders == b.alarms.reminders),
        ("escalations", a.alarms.escalations == b.alarms.escalations),
    ];
    same.into_iter().filter(|(_, same)| !same).map(|(field, _)| field).collect()
}

/// Records a violation if `text` is too long or holds control characters, which would forge lines in logs and lists.
pub(crate) fn one_line(broken: &mut Vec<Violation>, field: &str, text: &str, chars_max: usize) {
    if text.chars().count() > chars_max {
        broken.push(Violation::new(field, format!("must have at most {chars_max} characters")));
    }
    if text.chars().any(char::is_control) {
        broken.push(Violation::new(field, "must not hold line breaks or other control characters"));
    }
}

/// What is wrong with one field of words: too long, or on more than one line.
pub fn one_line_words(field: &str, text: &str, chars_max: usize) -> Vec<Violation> {
    let mut broken = Vec::new();
    one_line(&mut broken, field, text, chars_max);
    broken
}

fn check_labels(broken: &mut Vec<Violation>, labels: &BTreeMap<String, String>) {
    if labels.len() > limits::LABELS_MAX {
        broken.push(Violation::new("labels", format!("must be at most {}", limits::LABELS_MAX)));
    }
    for (key, value) in labels.iter().take(limits::LABELS_MAX) {
        if key.is_empty() {
            broken.push(Violation::new("labels", "must not have an empty key"));
        }
        one_line(broken, "labels", key, limits::LABEL_KEY_CHARS_MAX);
        one_line(broken, &format!("labels[{key:?}]"), value, limits::LABEL_VALUE_CHARS_MAX);
    }
}

fn check_expiration(
    broken: &mut Vec<Violation>,
    expiration: Expiration,
    now: Timestamp,
) -> Timestamp {
    let (field, deadline) = match expiration {
        Expiration::TtlMs(ms) => ("ttl", now.plus_ms(ms)),
        Expiration::Deadline(instant) => ("deadline", instant),
    };
    if !(1..=limits::TTL_MAX_MS).contains(&deadline.ms_since(now)) {
        broken.push(Violation::new(field, "must lie between 1 ms and 366 days from now"));
    }
    deadline
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::input::IntInput;
    use crate::value::Value;

    pub(crate) fn spec() -> Spec {
        Spec {
            name: "proceed".into(),
            title: String::new(),
            prompt: "Go on?".into(),
            prompt_format: PromptFormat::Text,
            evidence: Vec::new(),
            risk: Risk::Low,
            require_confirmation: false,
            input: Input::Int(IntInput { min: Some(0), max: Some(9) }),
            scope: "run".into(),
            labels: BTreeMap::new(),
            expiration: Expiration::default(),
            on_timeout: OnTimeout::Fail,
            idempotency_key: None,
            allow_self_answer: false,
            assignees: Vec::new(),
            quorum: None,
            created_by: None,
            on_end: None,
            alarms: Alarms::default(),
        }
    }

    fn fields_of(spec: Spec) -> Vec<String> {
        let now = Timestamp::from_ms(1_000).unwrap();
        match create(spec, Namespace::default(), EventId::from_bytes([1; 16]), now) {
            Ok(_) => Vec::new(),
            Err(Rejection::InvalidRequest(broken)) => broken.into_iter().map(|v| v.field).collect(),
            Err(other) => panic!("{other:?}"),
        }
    }

    #[test]
    fn the_deadline_is_fixed_from_the_time_of_create() {
        let now = Timestamp::from_ms(1_000).unwrap();
        let request =
            create(spec(), Namespace::default(), EventId::from_bytes([1; 16]), now).unwrap();
        assert_eq!(request.deadline.ms_since(now), limits::TTL_DEFAULT_MS);
    }

    #[test]
    fn every_broken_rule_is_named_at_once() {
        let bad = Spec {
            name: "two\nlines".into(),
            prompt: String::new(),
            expiration: Expiration::TtlMs(0),
            input: Input::Int(IntInput { min: Some(2), max: Some(1) }),
            ..spec()
        };
        assert_eq!(fields_of(bad), ["name", "prompt", "input.int.max", "ttl"]);
    }

    #[test]
    fn a_name_or_a_prompt_that_shows_nothing_is_refused() {
        for blank in [" ", "\u{a0}", "\u{200b}\u{2060}", "\u{3164}"] {
            let bad = Spec { name: blank.into(), prompt: blank.into(), ..spec() };
            assert_eq!(fields_of(bad), ["name", "prompt"], "{blank:?}");
        }
    }

    #[test]
    fn a_default_must_be_a_valid_answer() {
        let with = |value| Spec { on_timeout: OnTimeout::Default(value), ..spec() };
        assert_eq!(fields_of(with(Value::Int(9))), Vec::<String>::new());
        assert_eq!(fields_of(with(Value::Int(10))), ["on_timeout.default_value"]);
        assert_eq!(fields_of(with(Value::Bool(true))), ["on_timeout.default_value"]);
    }

    #[test]
    fn a_deadline_lies_ahead_and_within_a_year() {
        for ms in [1_000, 999, 1_000 + limits::TTL_MAX_MS + 1] {
            let deadline = Timestamp::from_ms(ms).unwrap();
            assert_eq!(
                fields_of(Spec { expiration: Expiration::Deadline(deadline), ..spec() }),
                ["deadline"]
            );
        }
    }

    #[test]
    fn a_repeat_differs_in_nothing_and_another_request_says_in_what() {
        let at = |ms, spec| {
            let now = Timestamp::from_ms(ms).unwrap();
            create(spec, Namespace::default(), EventId::from_bytes([1; 16]), now).unwrap()
        };
        assert_eq!(differing_fields(&at(0, spec()), &at(5_000, spec())), Vec::<&str>::new());
        let other = Spec { prompt: "Stop?".into(), scope: "x".into(), ..spec() };
        assert_eq!(differing_fields(&at(0, spec()), &at(0, other)), ["prompt", "scope"]);
    }
}
