//! Where Slack tells of a button that somebody has pressed.
//!
//! The press is recorded before Slack is told that it has come, so that none is lost. Whether it counts is decided
//! where every answer is: the person is a principal who may answer this one event, and authorised as any other.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use hitl_core::{Channel, Command, Event, Identity, Responder};
use hitl_service::Error;

use super::Site;
use super::error::Failure;
use super::refusals::Refuses;
use super::site::Guest;
use super::urlencoded;
use crate::channels::slack::{self, Person, Press, Pressed, Slack, SlackConfig, Unknown};

/// Largest request. A press has the whole message in it, and whatever else Slack says.
const BODY_BYTES_MAX: usize = 256 * 1024;

/// What is said of a request that Slack has not signed.
const NOT_SIGNED: Refuses = Refuses("it is not signed by Slack, or was not just now");

/// Has a press answer its event.
pub(super) async fn press(
    State(site): State<Arc<Site>>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, Failure> {
    if body.len() > BODY_BYTES_MAX {
        let message = format!("the body must have at most {BODY_BYTES_MAX} bytes");
        return Err(Failure::Http(StatusCode::PAYLOAD_TOO_LARGE, message));
    }
    let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let signed = [header("x-slack-request-timestamp"), header("x-slack-signature")];
    let channels = site.api.told_by();
    let apps = channels.map(|channels| channels.slack(&site.service)).unwrap_or_default();
    let (mut ours, mut why) = (Vec::new(), "no channel of this server is one in Slack".to_owned());
    for (config, secrets) in apps {
        match slack::check(&secrets, signed, &body, site.now()) {
            Ok(()) => ours.push((config, secrets)),
            Err(forged) => why = forged.to_string(),
        }
    }
    if ours.is_empty() {
        tracing::warn!(why, "a request in the name of Slack was refused");
        let failure =
            Failure::Http(StatusCode::UNAUTHORIZED, format!("the request is not taken: {why}"));
        return Ok(NOT_SIGNED.with(failure.into_response()));
    }
    let press = match read(&body) {
        Ok(Pressed::Answer(press)) => press,
        Ok(Pressed::Nothing) => return Ok(StatusCode::OK.into_response()),
        Err(why) => return Err(Failure::invalid("payload", why)),
    };
    let of_conversation = ours.iter().find(|(it, _)| it.conversation == press.conversation);
    let Some((config, secrets)) = of_conversation else {
        tracing::warn!(
            conversation = press.conversation,
            "a press was made where no channel posts"
        );
        return Ok(StatusCode::OK.into_response());
    };
    let Some(channels) = channels else { return Ok(StatusCode::OK.into_response()) };
    let app = config.slack(secrets, channels.tools());
    if let Some(words) = answer(&site, config, &app, &press).await? {
        slack::whisper(&app, &press, &words).await;
    }
    Ok(StatusCode::OK.into_response())
}

/// What was pressed, by the body of a request that Slack has signed.
fn read(body: &[u8]) -> Result<Pressed, &'static str> {
    let text = std::str::from_utf8(body).map_err(|_| "the body is not UTF-8")?;
    let fields = urlencoded::read(text).map_err(|_| "the body is no form")?;
    match fields.as_slice() {
        [(name, payload)] if name == "payload" => Pressed::read(payload),
        _ => Err("the body is not one payload"),
    }
}

/// Answers the event, and returns what whoever has pressed is to be told, if there is anything.
///
/// # Errors
/// The answer is not recorded for a reason that may pass. Slack says to whoever has pressed that it did not work.
async fn answer(
    site: &Site,
    config: &SlackConfig,
    app: &Slack,
    press: &Press,
) -> Result<Option<String>, Failure> {
    let person = match Person::find(config, app, press).await {
        Ok(person) => person,
        Err(Unknown::NotNamed) => {
            return Ok(Some(format!(
                "You are not among those who may answer here. Whoever runs hitl can add your member id, which is {}.",
                press.user
            )));
        }
        Err(Unknown::NotSaid(why)) => {
            tracing::warn!(why, "it is not known who has pressed a button in Slack");
            return Ok(Some(
                "hitl could not find out who you are. Press again in a moment.".to_owned(),
            ));
        }
    };
    let guest = || Guest::from(person.principal(&press.key));
    let event = match site.event(guest(), &press.key).await {
        Ok(event) => event,
        Err(Error::NotFound(_)) => {
            return Ok(Some("This question is not here any more.".to_owned()));
        }
        Err(other) => return Err(other.into()),
    };
    let Some(answer) = press.answer(&event) else {
        return Ok(Some(
            "This question cannot be answered by a button. Follow its link.".to_owned(),
        ));
    };
    let responder = Responder::claimed(person.name().to_owned(), Channel::Slack, press.place());
    let identity = Identity { responder, answer_id: Some(press.answer_id()) };
    let command = Command::Answer { answer, comment: String::new(), identity };
    match site.end(guest(), &press.key, command).await {
        Ok(event) => Ok(told(app, press, &event).await),
        Err(Error::AlreadyFinal { .. }) => {
            let event = site.event(guest(), &press.key).await?;
            slack::edit_pressed(app, press, &event).await;
            Ok(Some("This question had ended before. The message says how.".to_owned()))
        }
        Err(Error::SelfAnswer) => Ok(Some(
            "You have asked this question yourself, so somebody else answers it.".to_owned(),
        )),
        Err(Error::NotAssigned(_)) => Ok(Some("This question is for others.".to_owned())),
        Err(Error::AlreadyVoted { .. }) => Ok(Some("You have answered this before.".to_owned())),
        Err(Error::PermissionDenied(_)) => Ok(Some("You may not answer this question.".to_owned())),
        Err(Error::InvalidAnswer(_)) => {
            Ok(Some("The answer is not taken. Follow the link of the question.".to_owned()))
        }
        Err(other) => Err(other.into()),
    }
}

/// Shows that an answer was recorded, and says so if the message does not.
async fn told(app: &Slack, press: &Press, event: &Event) -> Option<String> {
    if event.response.is_none() {
        return Some("Your answer is recorded. The question waits for others.".to_owned());
    }
    slack::edit_pressed(app, press, event).await;
    None
}
