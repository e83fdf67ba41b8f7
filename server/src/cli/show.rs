//! Events in the words of the terminal.

use std::time::Duration;

use hitl::v1::assignee::Kind as Assigned;
use hitl::v1::input::Kind as InputKind;
use hitl::v1::value::Kind;
use hitl::v1::vote::Ballot;
use hitl::v1::{
    CredentialKind, Event, EventState, Responder as Who, Response, ReviewDecision, ReviewInput,
    Risk, Value as Given, Vote,
};
use hitl::{DataType, Object};

use hitl_proto::visible;

use super::{exhibit, terminal};
use crate::api::plain;
use hitl_store::clock::{Clock, SystemClock};

/// Columns for the names of things.
const NAME_COLUMNS: usize = 11;

/// The event as one line of canonical proto JSON.
pub(super) fn json(event: &Event) -> String {
    crate::json::to_json(event).to_string()
}

/// The answer (or default) as scripts want it: the bare text of a str, options one a line, an
/// object as JSON.
pub(super) fn value(event: &Event) -> anyhow::Result<String> {
    let value = event.response.as_ref().and_then(|response| response.value.clone());
    let input = event.input.as_ref().and_then(|input| input.kind.as_ref());
    let Some((value, input)) = value.zip(input) else {
        return Ok(String::new());
    };
    Ok(match value.kind {
        Some(Kind::Int(number)) => number.to_string(),
        Some(Kind::Float(number)) => serde_json::json!(number).to_string(),
        Some(Kind::Str(text)) => text,
        Some(Kind::Bool(truth)) => truth.to_string(),
        Some(Kind::Choice(choice)) => choice.selected.join("\n"),
        Some(Kind::Object(_)) => Object::<serde_json::Value>::from_value(value, input)?.to_string(),
        Some(Kind::Review(_)) => plain::json(value).to_string(),
        None => String::new(),
    })
}

/// The state as the API calls it, without its prefix.
pub(super) fn state(event: &Event) -> String {
    let name = event.state().as_str_name();
    name.trim_start_matches("EVENT_STATE_").to_owned()
}

/// How long until the deadline, or since the end.
pub(super) fn when(event: &Event) -> String {
    let now_ms = SystemClock.now().ms();
    match event.response.as_ref().and_then(|response| response.time) {
        Some(time) => format!("{} ago", span(now_ms - ms(time))),
        None => format!("{} left", span(ms(event.deadline.unwrap_or_default()) - now_ms)),
    }
}

/// How long it is until the deadline, if the event has not ended.
pub(super) fn left(event: &Event) -> Option<Duration> {
    let left_ms = ms(event.deadline.unwrap_or_default()) - SystemClock.now().ms();
    let left = Duration::from_millis(left_ms.max(0).unsigned_abs());
    event.response.is_none().then_some(left)
}

/// How an event ended, in a sentence. The name is as given: nothing proves it.
pub(super) fn ending(event: &Event) -> String {
    let response = event.response.clone().unwrap_or_default();
    let verb = match event.state() {
        EventState::Answered => "Answered",
        EventState::Declined => "Declined",
        EventState::Cancelled => "Cancelled",
        EventState::TimedOut => "Nobody answered in time",
        EventState::Pending | EventState::Unspecified => "Not ended",
    };
    if event.response.is_none() && event.quorum.is_some() {
        return format!("Recorded, and it waits for others: {}.", progress(event));
    }
    let mut sentence = verb.to_owned();
    if let Some(time) = response.time {
        sentence += &format!(" at {time}");
    }
    if let Some(name) = responder(&response) {
        let name = visible::line(name).replace('"', "\\\"");
        sentence += &format!(" by somebody who gave the name \"{name}\"");
    }
    match (response.reason.as_str(), response.comment.as_str()) {
        ("", "") => sentence + ".",
        ("", comment) => {
            format!("{sentence}, with the comment: {}", terminal::indented(comment, 2))
        }
        (reason, _) => format!("{sentence}: {}", terminal::indented(reason, 2)),
    }
}

/// Everything about an event, one thing a line; what has lines itself is indented below its name.
pub(super) fn event(event: &Event) -> anyhow::Result<String> {
    let mut lines = vec![
        ("id", event.id.clone()),
        ("name", event.name.clone()),
        ("state", format!("{}, {}", state(event), when(event))),
        ("title", event.title.clone()),
        ("prompt", event.prompt.clone()),
        ("input", input(event)),
        ("scope", event.scope.clone()),
        ("risk", risk(event)),
    ];
    let mut labels: Vec<_> = event.labels.iter().map(|(k, v)| format!("{k}={v}")).collect();
    labels.sort();
    lines.push(("labels", labels.join(" ")));
    lines.push(("created", time(event.create_time)));
    if let Some(creator) = &event.created_by {
        lines.push(("by", proved(creator.known_by(), &creator.principal)));
    }
    lines.push(("deadline", time(event.deadline)));
    lines.push(("for", assignees(event)));
    lines.push(("agree", progress(event)));
    lines.extend(votes(event).iter().map(|vote| ("vote", self::vote(vote))));
    if let Some(claim) = &event.claim {
        let until = time(claim.expire_time);
        lines.push((
            "claimed",
            format!("by {}, until {until}", terminal::one_line(&claim.name, 60)),
        ));
    }
    match &event.response {
        None => lines.push(("link", event.form_url.clone())),
        Some(response) => {
            lines.push(("ended", ending(event)));
            if let Some(responder) = &response.responder {
                lines.push(("proved", proved(responder.known_by(), &responder.principal)));
            }
            if response.value.is_some() {
                lines.push(("value", value(event)?));
            }
            lines.push(("comment", response.comment.clone()));
        }
    }
    Ok(with_evidence(listed(&lines), event))
}

/// Whom the event is for by now; empty if for everybody who may answer.
fn assignees(event: &Event) -> String {
    let now = if event.delegates.is_empty() { &event.assignees } else { &event.delegates };
    let names = now.iter().map(|assignee| match &assignee.kind {
        Some(Assigned::Person(name)) => terminal::one_line(name, 60),
        Some(Assigned::Group(name)) => format!("group {}", terminal::one_line(name, 60)),
        None => "somebody".to_owned(),
    });
    names.collect::<Vec<_>>().join(", ")
}

fn votes(event: &Event) -> &[Vote] {
    event.response.as_ref().map_or(&event.votes, |response| &response.votes)
}

/// How far those who have to agree have come; empty if the first answer counts.
fn progress(event: &Event) -> String {
    let Some(quorum) = &event.quorum else { return String::new() };
    format!("{} required, {} so far", quorum.required, votes(event).len())
}

/// What one person said, if that is shown.
fn vote(vote: &Vote) -> String {
    let said = match &vote.ballot {
        Some(Ballot::Value(value)) => match plain(value) {
            Some(json) => json.to_string(),
            None => "something that this program does not know".to_owned(),
        },
        Some(Ballot::Decline(decline)) if decline.reason.is_empty() => "declined".to_owned(),
        Some(Ballot::Decline(decline)) => {
            format!("declined: {}", terminal::indented(&decline.reason, NAME_COLUMNS))
        }
        None => "has answered; you see what once you have".to_owned(),
    };
    let who = terminal::one_line(&called(&vote.responder.clone().unwrap_or_default()), 60);
    let comment = match vote.comment.as_str() {
        "" => String::new(),
        comment => format!(", with the comment: {}", terminal::indented(comment, NAME_COLUMNS)),
    };
    format!("{who}: {said}{comment}")
}

fn plain(value: &Given) -> Option<serde_json::Value> {
    let value = crate::api::from_proto::value(Some(value.clone()), "value").ok()?;
    Some(value.to_json())
}

/// What somebody is called: as was proved, or else as they said.
pub(super) fn called(responder: &Who) -> String {
    let given = [&responder.principal, &responder.name].into_iter().find(|name| !name.is_empty());
    match (given, responder.known_by()) {
        (Some(name), _) => name.clone(),
        (None, CredentialKind::Owner) => "the user of the server's machine".to_owned(),
        (None, _) => "somebody".to_owned(),
    }
}

/// What is asked, by whom and until when, for whoever is about to answer at the terminal.
pub(super) fn question(event: &Event) -> String {
    let mut lines = vec![
        ("title", event.title.clone()),
        ("prompt", event.prompt.clone()),
        ("name", event.name.clone()),
        ("risk", risk(event)),
    ];
    if let Some(creator) = &event.created_by {
        lines.push(("by", proved(creator.known_by(), &creator.principal)));
    }
    lines.push(("run", event.scope.clone()));
    lines.push(("time", when(event)));
    with_evidence(listed(&lines), event)
}

/// Things by their names, without those that are empty.
pub(super) fn listed(lines: &[(&str, String)]) -> String {
    let shown = lines.iter().filter(|(_, text)| !text.is_empty());
    let shown = shown.map(|(name, text)| {
        format!("{name:<width$}{}", terminal::indented(text, NAME_COLUMNS), width = NAME_COLUMNS)
    });
    shown.collect::<Vec<_>>().join("\n")
}

/// `shown` with the evidence of `event` below it.
fn with_evidence(shown: String, event: &Event) -> String {
    match exhibit::of(event) {
        below if below.is_empty() => shown,
        below => format!("{shown}\n{below}"),
    }
}

/// How much is at stake, if that is worth a word.
fn risk(event: &Event) -> String {
    match event.risk() {
        Risk::Unspecified | Risk::Low => String::new(),
        Risk::Medium => "medium".to_owned(),
        Risk::High => "high".to_owned(),
    }
}

fn input(event: &Event) -> String {
    let kind = event.input.as_ref().and_then(|input| input.kind.as_ref());
    match kind {
        Some(InputKind::Int(_)) => "int".to_owned(),
        Some(InputKind::Float(_)) => "float".to_owned(),
        Some(InputKind::Str(_)) => "str".to_owned(),
        Some(InputKind::Bool(_)) => "bool".to_owned(),
        Some(InputKind::Choice(choice)) => {
            let values = choice.options.iter().map(|option| option.value.as_str());
            format!("choice of {}", values.collect::<Vec<_>>().join(", "))
        }
        Some(InputKind::Object(object)) => format!("object {}", object.json_schema),
        Some(InputKind::Review(review)) => {
            format!("decision on {}: {}", review.action, decisions(review))
        }
        None => String::new(),
    }
}

/// The decisions that may be made.
fn decisions(review: &ReviewInput) -> String {
    let name = |decision: ReviewDecision| {
        decision.as_str_name().trim_start_matches("REVIEW_DECISION_").to_lowercase()
    };
    review.allow().map(name).collect::<Vec<_>>().join(", ")
}

/// Who somebody was proved to be, whatever name was given; empty if there was no credential.
pub(super) fn proved(known_by: CredentialKind, principal: &str) -> String {
    let kind = match known_by {
        CredentialKind::Unspecified | CredentialKind::None => return String::new(),
        CredentialKind::Link if principal.is_empty() => "whoever had a link",
        CredentialKind::Link => "whoever had the link for",
        CredentialKind::Token => "the token",
        CredentialKind::Person => "the person",
        CredentialKind::Owner => "the user of the server's machine",
        CredentialKind::ClientCertificate => "the certificate of",
    };
    match principal {
        "" => kind.to_owned(),
        name => format!("{kind} \"{}\"", visible::line(name).replace('"', "\\\"")),
    }
}

fn responder(response: &Response) -> Option<&str> {
    let name = response.responder.as_ref().map(|responder| responder.name.as_str());
    name.filter(|name| !name.is_empty())
}

fn time(time: Option<prost_types::Timestamp>) -> String {
    time.map(|time| time.to_string()).unwrap_or_default()
}

fn ms(time: prost_types::Timestamp) -> i64 {
    time.seconds * 1000 + i64::from(time.nanos) / 1_000_000
}

/// A time span in its two largest units: `2d 3h`, `59m 58s`, `7s`.
fn span(ms: i64) -> String {
    let seconds = ms.max(0) / 1000;
    let (days, hours) = (seconds / 86_400, seconds / 3600 % 24);
    let (minutes, seconds) = (seconds / 60 % 60, seconds % 60);
    match (days, hours, minutes) {
        (0, 0, 0) => format!("{seconds}s"),
        (0, 0, _) => format!("{minutes}m {seconds}s"),
        (0, _, _) => format!("{hours}h {minutes}m"),
        _ => format!("{days}d {hours}h"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use hitl::v1;

    #[test]
    fn a_span_has_its_two_largest_units() {
        let shown = [-5, 7_999, 3_598_000, 3_600_000, 97_200_000].map(span);
        assert_eq!(shown, ["0s", "7s", "59m 58s", "1h 0m", "1d 3h"]);
    }

    #[test]
    fn a_value_is_printed_as_a_script_wants_it() {
        let shown = |kind: Kind| {
            let value = v1::Value { kind: Some(kind) };
            value_of(value)
        };
        assert_eq!(shown(Kind::Int(i64::MIN)), "-9223372036854775808");
        assert_eq!(shown(Kind::Float(1.0)), "1.0");
        assert_eq!(shown(Kind::Str("a b\n".to_owned())), "a b\n");
        let selected = vec!["a".to_owned(), "b".to_owned()];
        assert_eq!(shown(Kind::Choice(v1::ChoiceValue { selected })), "a\nb");
        let fields = [("n".to_owned(), v1::Value { kind: Some(Kind::Int(1)) })].into();
        assert_eq!(shown(Kind::Object(v1::ObjectValue { fields })), r#"{"n":1}"#);
    }

    fn value_of(value: v1::Value) -> String {
        let kind = Some(InputKind::Object(v1::ObjectInput::default()));
        let event = Event {
            input: Some(v1::Input { kind }),
            response: Some(Response { value: Some(value), ..Default::default() }),
            ..Default::default()
        };
        super::value(&event).unwrap()
    }

    #[test]
    fn an_event_ended_in_a_sentence() {
        let responder = v1::Responder { name: "Ada".to_owned(), ..Default::default() };
        let event = Event {
            state: EventState::Declined.into(),
            response: Some(Response {
                reason: "not today".to_owned(),
                time: Some(prost_types::Timestamp::default()),
                responder: Some(responder),
                ..Default::default()
            }),
            ..Default::default()
        };
        let sentence =
            "Declined at 1970-01-01T00:00:00Z by somebody who gave the name \"Ada\": not today";
        assert_eq!(ending(&event), sentence);
    }

    /// An event in which everything that others write holds `text`.
    fn written_by_others(text: &str) -> Event {
        let option = v1::ChoiceOption { value: text.to_owned(), ..Default::default() };
        let choice = v1::ChoiceInput { options: vec![option], ..Default::default() };
        let selected = vec![text.to_owned()];
        let responder = v1::Responder { name: text.to_owned(), ..Default::default() };
        Event {
            id: "0192f0c1".to_owned(),
            name: text.to_owned(),
            title: text.to_owned(),
            prompt: text.to_owned(),
            evidence: vec![v1::Evidence::text(text, text)],
            input: Some(v1::Input { kind: Some(InputKind::Choice(choice)) }),
            scope: text.to_owned(),
            labels: [(text.to_owned(), text.to_owned())].into(),
            state: EventState::Answered.into(),
            response: Some(Response {
                reason: text.to_owned(),
                comment: text.to_owned(),
                value: Some(v1::Value { kind: Some(Kind::Choice(v1::ChoiceValue { selected })) }),
                responder: Some(responder),
                ..Default::default()
            }),
            ..Default::default()
        }
    }

    #[test]
    fn nothing_that_others_write_can_forge_a_line_or_hide() {
        for line_break in ["\n", "\r\n", "\r", "\u{2028}", "\u{85}", "\u{b}"] {
            let evil = written_by_others(&format!(
                "no{line_break}state      ANSWERED{line_break}hitl: ok"
            ));
            let shown = format!("{}\n{}", event(&evil).unwrap(), ending(&evil));
            let forged = shown.split(['\n', '\r', '\u{2028}', '\u{85}', '\u{b}']);
            let forged = forged.filter(|line| {
                line.starts_with("state      ANSWERED, ") || line.starts_with("hitl:")
            });
            assert_eq!(forged.count(), 1, "{shown}");
            assert_eq!(shown.matches("\nstate").count(), 1, "{shown}");
        }
        let hidden = event(&written_by_others("a\u{202E}\x1b[2J\u{200B}\u{E0041}b")).unwrap();
        assert!(hidden.chars().all(|c| c == '\n' || !c.is_control()), "{hidden}");
        assert_eq!(
            hidden.matches("a\\u{202E}\\u{1B}[2J\\u{200B}\\u{E0041}b").count(),
            13,
            "{hidden}"
        );
    }

    #[test]
    fn a_name_is_shown_as_given_and_cannot_end_its_own_quotes() {
        let shown = ending(&written_by_others("CFO\": yes\nproven"));
        assert!(shown.contains(r#"who gave the name "CFO\": yes\u{A}proven""#), "{shown}");
    }
}
