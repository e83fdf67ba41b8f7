//! Calls everything that the tables of `docs/access.md` name, and says what came of it.

use hitl_proto::v1::event_service_client::EventServiceClient;
use hitl_proto::v1::wait_events_response::Update;
use hitl_proto::v1::{self, ErrorReason, Role};
use reqwest::StatusCode;
use serde_json::{Value as Json, json};
use tonic::Status;
use tonic::transport::Channel;
use tonic_types::StatusExt;

use super::NO_ID;
use super::world::{World, with};
use crate::kinds;
use crate::site::{request, soon};
use support::server::ADMIN;

/// What came of a call, as far as the tables tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Came {
    Done,
    Unauthenticated,
    Denied,
}

impl World {
    /// What comes of calling what `row` names, about the event with this id.
    pub(crate) async fn call(
        &self,
        row: &str,
        id: &str,
        token: Option<&str>,
    ) -> Vec<(String, Came, String)> {
        let mut came = Vec::new();
        for called in row.split(", ") {
            let called = called.trim_matches('`');
            let (what, said) = match called.split_once(' ') {
                Some((method, path)) => self.over_http(method, path, id, token).await,
                None => self.over_grpc(called, id, token).await,
            };
            came.push((called.to_owned(), what, said));
        }
        came
    }

    async fn over_grpc(&self, rpc: &str, id: &str, token: Option<&str>) -> (Came, String) {
        let mut events = self.events();
        let id = id.to_owned();
        let namespace = String::new();
        let answer = || v1::AnswerEventRequest {
            event_id: id.clone(),
            answer: Some(v1::answer_event_request::Answer::Json("1".to_owned())),
            ..Default::default()
        };
        let done = match rpc {
            "CreateEvent" => {
                events.create_event(with(token, request(kinds::int()))).await.map(drop)
            }
            "GetEvent" => {
                let get = v1::GetEventRequest { namespace, event_id: id };
                events.get_event(with(token, get)).await.map(drop)
            }
            "ListEvents" => {
                events.list_events(with(token, v1::ListEventsRequest::default())).await.map(drop)
            }
            "WaitEvent" => {
                let wait = v1::WaitEventRequest { event_id: id, ..Default::default() };
                events.wait_event(with(token, wait)).await.map(drop)
            }
            "WatchEvents" => {
                events.watch_events(with(token, v1::WatchEventsRequest::default())).await.map(drop)
            }
            "WaitEvents" | "BatchCreateEvents" | "BatchAnswerEvents" => {
                return self.of_many(rpc, &id, answer(), token).await;
            }
            "AnswerEvent" => events.answer_event(with(token, answer())).await.map(drop),
            "DeclineEvent" => {
                let decline = v1::DeclineEventRequest { event_id: id, ..Default::default() };
                events.decline_event(with(token, decline)).await.map(drop)
            }
            "CancelEvent" => {
                let cancel = v1::CancelEventRequest { event_id: id, ..Default::default() };
                events.cancel_event(with(token, cancel)).await.map(drop)
            }
            "RemindEvent" => {
                let remind = v1::RemindEventRequest { event_id: id, ..Default::default() };
                events.remind_event(with(token, remind)).await.map(drop)
            }
            "CreateLink" => {
                let responder = "Ann".to_owned();
                let link = v1::CreateLinkRequest { event_id: id, responder, ..Default::default() };
                events.create_link(with(token, link)).await.map(drop)
            }
            "RevokeLinks" => {
                let revoke = v1::RevokeLinksRequest { event_id: id, ..Default::default() };
                events.revoke_links(with(token, revoke)).await.map(drop)
            }
            "AddComment" | "ListComments" | "ClaimEvent" | "ReleaseEvent" | "DelegateEvent" => {
                return self.of_several(rpc, id, token).await;
            }
            "GetReceipt" => {
                let get = v1::GetReceiptRequest { namespace, event_id: id };
                events.get_receipt(with(token, get)).await.map(drop)
            }
            "ListReceiptKeys" => {
                events.list_receipt_keys(with(token, v1::ListReceiptKeysRequest {})).await.map(drop)
            }
            other => self.of_admin(other, token).await,
        };
        match done {
            Ok(()) => (Came::Done, String::new()),
            Err(status) => of_status(&status),
        }
    }

    /// A call about an event that is for several.
    async fn of_several(&self, rpc: &str, event_id: String, token: Option<&str>) -> (Came, String) {
        let mut events = self.events();
        let done = match rpc {
            "AddComment" => {
                let text = "Why?".to_owned();
                let add = v1::AddCommentRequest { event_id, text, ..Default::default() };
                events.add_comment(with(token, add)).await.map(drop)
            }
            "ListComments" => {
                let list = v1::ListCommentsRequest { event_id, ..Default::default() };
                events.list_comments(with(token, list)).await.map(drop)
            }
            "ClaimEvent" => {
                let claim = v1::ClaimEventRequest { event_id, ..Default::default() };
                events.claim_event(with(token, claim)).await.map(drop)
            }
            "ReleaseEvent" => {
                let release = v1::ReleaseEventRequest { event_id, ..Default::default() };
                events.release_event(with(token, release)).await.map(drop)
            }
            "DelegateEvent" => {
                let to = Some(v1::Assignee::person("Ann"));
                let delegate = v1::DelegateEventRequest { event_id, to, ..Default::default() };
                events.delegate_event(with(token, delegate)).await.map(drop)
            }
            other => panic!("how is {other} called?"),
        };
        match done {
            Ok(()) => (Came::Done, String::new()),
            Err(status) => of_status(&status),
        }
    }

    /// A call whose reply says of each entry how it went.
    async fn of_many(
        &self,
        rpc: &str,
        id: &str,
        answer: v1::AnswerEventRequest,
        token: Option<&str>,
    ) -> (Came, String) {
        let mut events = self.events();
        let key = v1::EventKey { namespace: String::new(), event_id: id.to_owned() };
        let done = match rpc {
            "WaitEvents" => {
                let add = v1::WaitEventsRequest { add: vec![key], ..Default::default() };
                let asked = tokio_stream::iter([add]);
                match events.wait_events(with(token, asked)).await {
                    Ok(stream) => return one_wait(stream.into_inner(), &self.events(), id).await,
                    Err(status) => Err(status),
                }
            }
            "BatchCreateEvents" => {
                let batch = v1::BatchCreateEventsRequest { requests: vec![request(kinds::int())] };
                match events.batch_create_events(with(token, batch)).await {
                    Ok(reply) => match reply.into_inner().results.remove(0).result {
                        Some(v1::create_event_result::Result::Failure(failure)) => {
                            return of_failure(&failure);
                        }
                        _ => Ok(()),
                    },
                    Err(status) => Err(status),
                }
            }
            "BatchAnswerEvents" => {
                let batch = v1::BatchAnswerEventsRequest { requests: vec![answer] };
                match events.batch_answer_events(with(token, batch)).await {
                    Ok(reply) => match reply.into_inner().results.remove(0).result {
                        Some(v1::answer_event_result::Result::Failure(failure)) => {
                            return of_failure(&failure);
                        }
                        _ => Ok(()),
                    },
                    Err(status) => Err(status),
                }
            }
            other => panic!("how is {other} called?"),
        };
        match done {
            Ok(()) => (Came::Done, String::new()),
            Err(status) => of_status(&status),
        }
    }

    async fn of_admin(&self, rpc: &str, token: Option<&str>) -> Result<(), Status> {
        let mut admin = self.admin();
        match rpc {
            "CreateToken" => {
                let create = v1::CreateTokenRequest {
                    name: "another".to_owned(),
                    roles: vec![Role::Auditor.into()],
                    ..Default::default()
                };
                admin.create_token(with(token, create)).await.map(drop)
            }
            "ListAudit" => {
                let request = v1::ListAuditRequest { filter: audit(), ..Default::default() };
                admin.list_audit(with(token, request)).await.map(drop)
            }
            "FollowAudit" => {
                let request = v1::FollowAuditRequest { filter: audit() };
                admin.follow_audit(with(token, request)).await.map(drop)
            }
            "ListTokens" => {
                admin.list_tokens(with(token, v1::ListTokensRequest::default())).await.map(drop)
            }
            "RevokeToken" => {
                let token_id = self.made(Role::Auditor, "x").await.token.expect("it is there").id;
                let revoke = v1::RevokeTokenRequest { token_id };
                admin.revoke_token(with(token, revoke)).await.map(drop)
            }
            "RotateToken" => {
                let token_id = self.made(Role::Auditor, "x").await.token.expect("it is there").id;
                let rotate = v1::RotateTokenRequest { token_id, ..Default::default() };
                admin.rotate_token(with(token, rotate)).await.map(drop)
            }
            "WhoAmI" => admin.who_am_i(with(token, v1::WhoAmIRequest {})).await.map(drop),
            other => self.of_channels(other, token).await,
        }
    }

    async fn of_channels(&self, rpc: &str, token: Option<&str>) -> Result<(), Status> {
        let mut admin = self.admin();
        match rpc {
            "CreateChannel" => {
                let request = v1::CreateChannelRequest::default();
                admin.create_channel(with(token, request)).await.map(drop)
            }
            "ListChannels" => {
                admin.list_channels(with(token, v1::ListChannelsRequest {})).await.map(drop)
            }
            "UpdateChannel" => {
                let request = v1::UpdateChannelRequest::default();
                admin.update_channel(with(token, request)).await.map(drop)
            }
            "RotateChannelSecret" => {
                let request = v1::RotateChannelSecretRequest::default();
                admin.rotate_channel_secret(with(token, request)).await.map(drop)
            }
            "DeleteChannel" => {
                let request = v1::DeleteChannelRequest::default();
                admin.delete_channel(with(token, request)).await.map(drop)
            }
            "TestChannel" => {
                let request = v1::TestChannelRequest::default();
                admin.test_channel(with(token, request)).await.map(drop)
            }
            "ListDeliveries" => {
                let request = v1::ListDeliveriesRequest::default();
                admin.list_deliveries(with(token, request)).await.map(drop)
            }
            "Redeliver" => {
                let delivery_id = format!("{NO_ID}_0123456789_0000_default");
                let request = v1::RedeliverRequest { delivery_id };
                admin.redeliver(with(token, request)).await.map(drop)
            }
            other => panic!("how is {other} called?"),
        }
    }

    async fn over_http(
        &self,
        method: &str,
        path: &str,
        id: &str,
        token: Option<&str>,
    ) -> (Came, String) {
        let url = self.server.url(&path.replace("{event_id}", id));
        let call = match method {
            "GET" => self.http.get(url),
            _ => self.http.post(url),
        };
        let question = json!({"name": "n", "prompt": "p", "input": {"int": {}}});
        let answer = json!({"eventId": id, "json": "1"});
        let call = match (method, path) {
            ("POST", "/v1/events") => call.json(&question),
            ("POST", "/v1/events:batchCreate") => call.json(&json!({"requests": [question]})),
            ("POST", "/v1/events:batchAnswer") => call.json(&json!({"requests": [answer]})),
            ("POST", "/v1/events/{event_id}/answer") => call.json(&json!({"json": "1"})),
            ("POST", "/v1/events/{event_id}/links") => call.json(&json!({"responder": "Ann"})),
            ("POST", "/v1/events/{event_id}/comments") => call.json(&json!({"text": "Why?"})),
            ("POST", "/v1/events/{event_id}/delegate") => {
                call.json(&json!({"to": {"person": "Ann"}}))
            }
            ("POST", "/submit") => call.form(&[("request_id", id), ("value", "1")]),
            ("POST", "/submit/json") => call.json(&json!({"request_id": id, "value": 1})),
            ("POST", _) => call.json(&json!({})),
            _ => call,
        };
        let call = match token {
            Some(token) => call.header("authorization", format!("Bearer {token}")),
            None => call,
        };
        let reply = soon(path, call.send()).await.expect("the server replies");
        let (status, headers) = (reply.status(), reply.headers().clone());
        if headers["content-type"] == "text/event-stream" {
            return (Came::Done, String::new());
        }
        let body = reply.text().await.expect("text");
        let json: Json = serde_json::from_str(&body).unwrap_or_default();
        if let Some(failure) = json["results"][0].get("failure") {
            let denied = failure["reason"] == "ERROR_REASON_PERMISSION_DENIED";
            return (if denied { Came::Denied } else { Came::Done }, body);
        }
        let reason = json["error"]["details"][0]["reason"].as_str().unwrap_or_default();
        let challenge = headers.get("www-authenticate").map(|value| value.to_str().expect("text"));
        let came = match status {
            StatusCode::UNAUTHORIZED => {
                assert_eq!((reason, challenge), ("ERROR_REASON_UNAUTHENTICATED", Some("Bearer")));
                Came::Unauthenticated
            }
            StatusCode::FORBIDDEN => {
                assert_eq!(reason, "ERROR_REASON_PERMISSION_DENIED", "{path}: {body}");
                Came::Denied
            }
            _ => Came::Done,
        };
        (came, format!("{status} {body}"))
    }
}

/// The first thing that is told of a wait; an event that still waits is cancelled, so that there is something to tell.
async fn one_wait(
    mut stream: tonic::Streaming<v1::WaitEventsResponse>,
    events: &EventServiceClient<Channel>,
    id: &str,
) -> (Came, String) {
    let cancel = v1::CancelEventRequest { event_id: id.to_owned(), ..Default::default() };
    // One that was refused is not there, or is another's to cancel.
    let _ = events.clone().cancel_event(with(Some(ADMIN), cancel)).await;
    loop {
        let message = soon("the end of a wait", stream.message()).await;
        match message.map(|message| message.and_then(|message| message.update)) {
            Ok(Some(Update::Failed(failed))) => {
                return of_failure(&failed.failure.expect("it says why"));
            }
            Ok(Some(Update::Heartbeat(_))) => {}
            Ok(_) => return (Came::Done, String::new()),
            Err(status) => return of_status(&status),
        }
    }
}

/// What the tables say is of one namespace.
fn audit() -> Option<v1::AuditFilter> {
    Some(v1::AuditFilter { namespace: "default".to_owned(), ..Default::default() })
}

fn of_status(status: &Status) -> (Came, String) {
    let info = status.get_details_error_info();
    let reason = info.map(|info| info.reason).unwrap_or_default();
    let came = match reason.as_str() {
        "ERROR_REASON_UNAUTHENTICATED" => Came::Unauthenticated,
        "ERROR_REASON_PERMISSION_DENIED" => Came::Denied,
        _ => Came::Done,
    };
    (came, format!("{:?} {} {:?}", status.code(), status.message(), status.details()))
}

fn of_failure(failure: &v1::Failure) -> (Came, String) {
    let came = match failure.reason() {
        ErrorReason::PermissionDenied => Came::Denied,
        ErrorReason::Unauthenticated => Came::Unauthenticated,
        _ => Came::Done,
    };
    (came, format!("{failure:?}"))
}
