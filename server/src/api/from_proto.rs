//! From messages to the domain. Only the shape is judged here; the rules are the domain's.

use std::collections::BTreeMap;
use std::time::Duration;

use hitl_core::{
    Answer, BoolInput, ChoiceInput, ChoiceOption, EventKey, Expiration, FloatInput, Input,
    IntInput, Namespace, ObjectInput, OnEnd, OnTimeout, PromptFormat, Risk, Spec, State, StrFormat,
    StrInput, Timestamp, Value,
};
use hitl_proto::v1;
use prost_types::Duration as ProtoDuration;

use super::{alarms, deciding, evidence, review};
use hitl_service::error::Error;
use hitl_service::{Filter, ListQuery};

/// Events of a page whose size is not given.
const PAGE_SIZE_DEFAULT: usize = 100;
/// Most events of a page.
const PAGE_SIZE_MAX: usize = 1000;
/// Time between heartbeats when none is asked for.
pub(super) const HEARTBEAT_DEFAULT: Duration = Duration::from_secs(15);
/// Least and most time between heartbeats.
const HEARTBEAT_RANGE: std::ops::RangeInclusive<Duration> =
    Duration::from_secs(1)..=Duration::from_secs(300);
/// The run of whoever names none, as in the original Python API.
const SCOPE_DEFAULT: &str = "run";

pub(super) fn namespace(text: &str) -> Result<Namespace, Error> {
    if text.is_empty() {
        return Ok(Namespace::default());
    }
    text.parse().map_err(|error: hitl_core::id::ParseNamespaceError| {
        Error::invalid("namespace", error.to_string())
    })
}

pub(crate) fn key(namespace_text: &str, id: &str) -> Result<EventKey, Error> {
    let namespace = namespace(namespace_text)?;
    let id = id.parse().map_err(|error: hitl_core::id::ParseIdError| {
        Error::invalid("event_id", error.to_string())
    })?;
    Ok(EventKey { namespace, id })
}

pub(super) fn spec(request: v1::CreateEventRequest) -> Result<Spec, Error> {
    Ok(Spec {
        name: request.name,
        title: request.title,
        prompt: request.prompt,
        prompt_format: match v1::PromptFormat::try_from(request.prompt_format) {
            Ok(v1::PromptFormat::Unspecified | v1::PromptFormat::Text) => PromptFormat::Text,
            Ok(v1::PromptFormat::Markdown) => PromptFormat::Markdown,
            Err(_) => return Err(Error::invalid("prompt_format", "must be a known format")),
        },
        evidence: evidence::items(request.evidence)?,
        risk: risk(request.risk)?,
        require_confirmation: request.require_confirmation,
        input: input(request.input)?,
        scope: if request.scope.is_empty() { SCOPE_DEFAULT.to_owned() } else { request.scope },
        labels: request.labels,
        expiration: expiration(request.expiration)?,
        on_timeout: match request.on_timeout.and_then(|on_timeout| on_timeout.action) {
            None | Some(v1::on_timeout::Action::Fail(_)) => OnTimeout::Fail,
            Some(v1::on_timeout::Action::DefaultValue(default)) => {
                OnTimeout::Default(value(Some(default), "on_timeout.default_value")?)
            }
        },
        idempotency_key: Some(request.idempotency_key).filter(|key| !key.is_empty()),
        allow_self_answer: request.allow_self_answer,
        assignees: deciding::assignees(request.assignees)?,
        quorum: request.quorum.map(deciding::quorum),
        alarms: alarms::read(request.reminders, request.escalations)?,
        // The session says who.
        created_by: None,
        on_end: request.on_end.map(|v1::OnEnd { url, channel }| OnEnd { url, channel }),
    })
}

pub(super) fn risk(risk: i32) -> Result<Risk, Error> {
    match v1::Risk::try_from(risk) {
        Ok(v1::Risk::Unspecified | v1::Risk::Low) => Ok(Risk::Low),
        Ok(v1::Risk::Medium) => Ok(Risk::Medium),
        Ok(v1::Risk::High) => Ok(Risk::High),
        Err(_) => Err(Error::invalid("risk", "must be a known risk")),
    }
}

pub(super) fn answer(answer: Option<v1::answer_event_request::Answer>) -> Result<Answer, Error> {
    use v1::answer_event_request::Answer as Proto;
    match answer {
        Some(Proto::Value(typed)) => Ok(Answer::Value(value(Some(typed), "value")?)),
        Some(Proto::Json(json)) => Ok(Answer::Json(json)),
        Some(Proto::Text(text)) => Ok(Answer::Text(text)),
        None => Err(Error::invalid("answer", "is required: give value, json or text")),
    }
}

pub(super) fn list_query(request: v1::ListEventsRequest) -> Result<ListQuery, Error> {
    let page_size = page_size(request.page_size)?;
    let v1::ListEventsRequest { namespace, state, name, scope, labels, .. } = request;
    Ok(ListQuery {
        filter: filter(&namespace, state, name, scope, labels)?,
        page_size,
        page_token: request.page_token,
    })
}

pub(super) fn page_size(asked: i32) -> Result<usize, Error> {
    match usize::try_from(asked) {
        Ok(0) => Ok(PAGE_SIZE_DEFAULT),
        Ok(size) => Ok(size.min(PAGE_SIZE_MAX)),
        Err(_) => Err(Error::invalid("page_size", "must not be negative")),
    }
}

/// Whole milliseconds of the duration in `field`, if there is one.
pub(super) fn duration_ms(
    field: &str,
    duration: Option<ProtoDuration>,
) -> Result<Option<i64>, Error> {
    let Some(ProtoDuration { seconds, nanos }) = duration else {
        return Ok(None);
    };
    let ms = whole_ms(seconds, nanos);
    ms.map(Some).ok_or_else(|| Error::invalid(field, "must be a valid duration"))
}

/// The instant in `field`, if there is one.
pub(super) fn instant(
    field: &str,
    instant: Option<prost_types::Timestamp>,
) -> Result<Option<Timestamp>, Error> {
    let Some(prost_types::Timestamp { seconds, nanos }) = instant else {
        return Ok(None);
    };
    let instant = whole_ms(seconds, nanos).and_then(Timestamp::from_ms);
    instant.map(Some).ok_or_else(|| Error::invalid(field, "must be a valid instant"))
}

/// Which events a list or a watch is of.
pub(super) fn filter(
    in_namespace: &str,
    in_state: i32,
    name: String,
    scope: String,
    labels: BTreeMap<String, String>,
) -> Result<Filter, Error> {
    let some = |text: String| Some(text).filter(|text| !text.is_empty());
    Ok(Filter {
        state: state(in_state)?,
        name: some(name),
        scope: some(scope),
        labels,
        ..Filter::all_of(namespace(in_namespace)?)
    })
}

pub(super) fn heartbeat_interval(interval: Option<ProtoDuration>) -> Result<Duration, Error> {
    sign_of_life("heartbeat_interval", interval)
}

/// How often a stream without news shows that it is alive, as `field` asks.
pub(super) fn sign_of_life(
    field: &str,
    interval: Option<ProtoDuration>,
) -> Result<Duration, Error> {
    let Some(interval) = interval else {
        return Ok(HEARTBEAT_DEFAULT);
    };
    Duration::try_from(interval)
        .ok()
        .filter(|interval| HEARTBEAT_RANGE.contains(interval))
        .ok_or_else(|| Error::invalid(field, "must lie between 1 s and 5 min"))
}

fn state(state: i32) -> Result<Option<State>, Error> {
    match v1::EventState::try_from(state) {
        Ok(v1::EventState::Unspecified) => Ok(None),
        Ok(v1::EventState::Pending) => Ok(Some(State::Pending)),
        Ok(v1::EventState::Answered) => Ok(Some(State::Answered)),
        Ok(v1::EventState::Declined) => Ok(Some(State::Declined)),
        Ok(v1::EventState::Cancelled) => Ok(Some(State::Cancelled)),
        Ok(v1::EventState::TimedOut) => Ok(Some(State::TimedOut)),
        Err(_) => Err(Error::invalid("state", "must be a known state")),
    }
}

fn expiration(
    expiration: Option<v1::create_event_request::Expiration>,
) -> Result<Expiration, Error> {
    use v1::create_event_request::Expiration as Proto;
    match expiration {
        None => Ok(Expiration::default()),
        Some(Proto::Ttl(ttl)) => {
            let ms = whole_ms(ttl.seconds, ttl.nanos);
            Ok(Expiration::TtlMs(
                ms.ok_or_else(|| Error::invalid("ttl", "must be a valid duration"))?,
            ))
        }
        Some(Proto::Deadline(instant)) => {
            let ms = whole_ms(instant.seconds, instant.nanos).and_then(Timestamp::from_ms);
            Ok(Expiration::Deadline(
                ms.ok_or_else(|| Error::invalid("deadline", "must be a valid instant"))?,
            ))
        }
    }
}

/// Milliseconds, rounded up: an event must not time out before the instant that was asked for.
fn whole_ms(seconds: i64, nanos: i32) -> Option<i64> {
    let nanos = i64::from(nanos);
    let ms = nanos.div_euclid(1_000_000) + i64::from(nanos.rem_euclid(1_000_000) > 0);
    seconds.checked_mul(1000)?.checked_add(ms)
}

pub(crate) fn input(input: Option<v1::Input>) -> Result<Input, Error> {
    use v1::input::Kind;
    let kind = input.and_then(|input| input.kind);
    Ok(
        match kind.ok_or_else(|| Error::invalid("input", "is required: name the kind of answer"))? {
            Kind::Int(v1::IntInput { min, max }) => Input::Int(IntInput { min, max }),
            Kind::Float(v1::FloatInput { min, max }) => Input::Float(FloatInput { min, max }),
            Kind::Str(str) => Input::Str(StrInput {
                format: str_format(str.format)?,
                min_length: str.min_length,
                max_length: str.max_length,
                pattern: Some(str.pattern).filter(|pattern| !pattern.is_empty()),
                multiline: str.multiline,
            }),
            Kind::Bool(v1::BoolInput { true_label, false_label }) => {
                Input::Bool(BoolInput { true_label, false_label })
            }
            Kind::Choice(choice) => {
                let min_selected = choice.min_selected.unwrap_or(1);
                let max_selected = choice.max_selected.unwrap_or(min_selected.max(1));
                let options = choice.options.into_iter().map(option).collect();
                Input::Choice(ChoiceInput { options, min_selected, max_selected })
            }
            Kind::Object(v1::ObjectInput { json_schema }) => {
                // A byte order mark is no part of JSON, and those who read the schema later may not know it.
                let json_schema = json_schema.trim_start_matches('\u{feff}').to_owned();
                Input::Object(ObjectInput { json_schema })
            }
            Kind::Review(input) => Input::Review(review::of_input(input)?),
        },
    )
}

fn option(v1::ChoiceOption { value, label, description }: v1::ChoiceOption) -> ChoiceOption {
    ChoiceOption { value, label, description }
}

fn str_format(format: i32) -> Result<Option<StrFormat>, Error> {
    match v1::StrFormat::try_from(format) {
        Ok(v1::StrFormat::Unspecified) => Ok(None),
        Ok(v1::StrFormat::Email) => Ok(Some(StrFormat::Email)),
        Ok(v1::StrFormat::Uri) => Ok(Some(StrFormat::Uri)),
        Ok(v1::StrFormat::Date) => Ok(Some(StrFormat::Date)),
        Ok(v1::StrFormat::DateTime) => Ok(Some(StrFormat::DateTime)),
        Err(_) => Err(Error::invalid("input.str.format", "must be a known format")),
    }
}

pub(crate) fn value(value: Option<v1::Value>, field: &str) -> Result<Value, Error> {
    use v1::value::Kind;
    let kind = value.and_then(|value| value.kind);
    Ok(match kind.ok_or_else(|| Error::invalid(field, "must have a value of some kind"))? {
        Kind::Int(number) => Value::Int(number),
        Kind::Float(number) => Value::Float(number),
        Kind::Str(text) => Value::Str(text),
        Kind::Bool(truth) => Value::Bool(truth),
        Kind::Choice(v1::ChoiceValue { selected }) => Value::Choice(selected),
        Kind::Object(v1::ObjectValue { fields }) => {
            let member = |(name, member): (String, v1::Value)| {
                if matches!(member.kind, Some(Kind::Object(_))) {
                    return Err(Error::invalid(
                        &format!("{field}.{name}"),
                        "must not be an object itself",
                    ));
                }
                Ok((name.clone(), self::value(Some(member), &format!("{field}.{name}"))?))
            };
            Value::Object(fields.into_iter().map(member).collect::<Result<_, Error>>()?)
        }
        Kind::Review(value) => Value::Review(review::of_value(value, field)?),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_of_a_millisecond_round_up() {
        assert_eq!(whole_ms(1, 0), Some(1000));
        assert_eq!(whole_ms(1, 1), Some(1001));
        assert_eq!(whole_ms(0, 999_999_999), Some(1000));
        assert_eq!(whole_ms(-1, -1), Some(-1000));
        assert_eq!(whole_ms(i64::MAX, 0), None);
    }
}
