//! The calls of the API as JSON over HTTP, one handler each.

use std::sync::Arc;

use axum::Extension;
use axum::extract::State;
use axum::response::Response;
use hitl_proto::v1;

use super::Site;
use super::error::{self, Failure};
use super::render::Renderer;
use super::request::{EventPath, JsonBody, Known, Query, bind};
use crate::api::Api;
use crate::json::to_text;

type Reply = Result<Response, Failure>;

pub(super) async fn create(State(api): State<Api>, known: Known, body: JsonBody) -> Reply {
    let request: v1::CreateEventRequest = body.message()?;
    reply(&api.create_event(request, known.caller()).await?)
}

/// A page of events is long enough as JSON to be made elsewhere.
pub(super) async fn list(
    State(api): State<Api>,
    Extension(renderer): Extension<Renderer>,
    known: Known,
    query: Query,
) -> Reply {
    let request: v1::ListEventsRequest = query.message()?;
    let page = api.list_events(request, known.caller()).await?;
    Ok(renderer.run(move || error::text(page_text(page))).await?)
}

/// So are the results of a batch.
pub(super) async fn batch_create(
    State(api): State<Api>,
    Extension(renderer): Extension<Renderer>,
    known: Known,
    body: JsonBody,
) -> Reply {
    let request: v1::BatchCreateEventsRequest = body.message()?;
    let results = api.batch_create_events(request, known.caller()).await?;
    renderer.run(move || reply(&results)).await?
}

pub(super) async fn batch_answer(
    State(api): State<Api>,
    Extension(renderer): Extension<Renderer>,
    known: Known,
    body: JsonBody,
) -> Reply {
    let request: v1::BatchAnswerEventsRequest = body.message()?;
    let results = api.batch_answer_events(request, known.caller()).await?;
    renderer.run(move || reply(&results)).await?
}

pub(super) async fn get(
    State(site): State<Arc<Site>>,
    id: EventPath,
    known: Known,
    mut query: Query,
) -> Reply {
    let wait = query.wait()?;
    let mut request: v1::GetEventRequest = query.message()?;
    bind(&mut request.event_id, id)?;
    if wait.is_zero() {
        let background = site.background().clone();
        let look = async move { reply(&site.api.get_event(request, known.caller()).await?) };
        return background.run(look).await?;
    }
    let (caller, owner) = known.waits();
    reply(&site.api.poll_event(request, wait, &caller, owner).await?)
}

pub(super) async fn answer(
    State(api): State<Api>,
    id: EventPath,
    known: Known,
    body: JsonBody,
) -> Reply {
    let mut request: v1::AnswerEventRequest = body.message()?;
    bind(&mut request.event_id, id)?;
    reply(&api.answer_event(request, known.caller()).await?)
}

pub(super) async fn create_link(
    State(api): State<Api>,
    id: EventPath,
    known: Known,
    body: JsonBody,
) -> Reply {
    let mut request: v1::CreateLinkRequest = body.message()?;
    bind(&mut request.event_id, id)?;
    reply(&api.create_link(request, known.caller()).await?)
}

pub(super) async fn revoke_links(
    State(api): State<Api>,
    id: EventPath,
    known: Known,
    body: JsonBody,
) -> Reply {
    let mut request: v1::RevokeLinksRequest = body.message()?;
    bind(&mut request.event_id, id)?;
    reply(&api.revoke_links(request, known.caller()).await?)
}

pub(super) async fn decline(
    State(api): State<Api>,
    id: EventPath,
    known: Known,
    body: JsonBody,
) -> Reply {
    let mut request: v1::DeclineEventRequest = body.message()?;
    bind(&mut request.event_id, id)?;
    reply(&api.decline_event(request, known.caller()).await?)
}

pub(super) async fn cancel(
    State(api): State<Api>,
    id: EventPath,
    known: Known,
    body: JsonBody,
) -> Reply {
    let mut request: v1::CancelEventRequest = body.message()?;
    bind(&mut request.event_id, id)?;
    reply(&api.cancel_event(request, known.caller()).await?)
}

/// What several people do about an event beside answers, one handler each.
macro_rules! about_event {
    ($($name:ident: $request:ident => $call:ident),*) => {$(
        pub(super) async fn $name(
            State(api): State<Api>,
            id: EventPath,
            known: Known,
            body: JsonBody,
        ) -> Reply {
            let mut request: v1::$request = body.message()?;
            bind(&mut request.event_id, id)?;
            reply(&api.$call(request, known.caller()).await?)
        }
    )*};
}
about_event! {
    comment: AddCommentRequest => add_comment,
    claim: ClaimEventRequest => claim_event,
    release: ReleaseEventRequest => release_event,
    delegate: DelegateEventRequest => delegate_event
}

pub(super) async fn comments(
    State(api): State<Api>,
    id: EventPath,
    known: Known,
    query: Query,
) -> Reply {
    let mut request: v1::ListCommentsRequest = query.message()?;
    bind(&mut request.event_id, id)?;
    reply(&api.list_comments(request, known.caller()).await?)
}

pub(super) async fn remind(
    State(api): State<Api>,
    id: EventPath,
    known: Known,
    body: JsonBody,
) -> Reply {
    let mut request: v1::RemindEventRequest = body.message()?;
    bind(&mut request.event_id, id)?;
    reply(&api.remind_event(request, known.caller()).await?)
}

fn reply<M: prost::Message + prost::Name>(message: &M) -> Reply {
    Ok(error::message(message))
}

/// `page` as JSON. One event after the other comes to its text and is let go of, since what is between the two takes
/// ten times the text.
fn page_text(mut page: v1::ListEventsResponse) -> Vec<u8> {
    let events = std::mem::take(&mut page.events);
    let rest = to_text(&page);
    if events.is_empty() {
        return rest;
    }
    let mut text = br#"{"events":["#.to_vec();
    for (at, event) in events.into_iter().enumerate() {
        if at > 0 {
            text.push(b',');
        }
        text.extend(to_text(&event));
    }
    text.push(b']');
    if rest.len() > b"{}".len() {
        text.push(b',');
    }
    text.extend(&rest[1..]);
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::from_json;

    #[test]
    fn a_page_made_event_by_event_is_the_message_as_json() {
        let event = |id: &str| v1::Event { id: id.to_owned(), ..Default::default() };
        for events in [vec![], vec![event("a")], vec![event("a"), event("b")]] {
            for next_page_token in ["", "next"] {
                let page = v1::ListEventsResponse {
                    events: events.clone(),
                    next_page_token: next_page_token.to_owned(),
                    ..Default::default()
                };
                let text = page_text(page.clone());
                assert_eq!(from_json::<v1::ListEventsResponse>(&text), Ok(page));
            }
        }
    }
}
