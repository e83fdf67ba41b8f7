//! Several people decide, from outside: over gRPC, JSON, the page and the command line.

use hitl_proto::v1::answer_event_request::Answer;
use hitl_proto::v1::input::Kind as Input;
use hitl_proto::v1::wait_event_response::Update;
use hitl_proto::v1::{
    self, Assignee, BoolInput, CreateEventRequest, Event, EventState, Quorum, WaitEventRequest,
};
use serde_json::{Value as Json, json};
use tonic::{Code, Streaming};

use crate::shell::Shell;
use crate::site::{Site, config, request, soon, start, wait_request};

fn asked(required: u32, people: &[&str]) -> CreateEventRequest {
    CreateEventRequest {
        assignees: people.iter().map(|name| Assignee::person(*name)).collect(),
        quorum: (required > 0).then_some(Quorum { required, decline_ends: None }),
        ..request(Input::Bool(BoolInput::default()))
    }
}

async fn votes(site: &Site, event: &Event, name: &str) -> Result<Event, tonic::Status> {
    let request = v1::AnswerEventRequest {
        event_id: event.id.clone(),
        answer: Some(Answer::Json("true".to_owned())),
        responder: name.to_owned(),
        ..Default::default()
    };
    Ok(site.grpc.clone().answer_event(request).await?.into_inner().event.expect("an event"))
}

async fn next(updates: &mut Streaming<v1::WaitEventResponse>) -> Update {
    loop {
        let message = soon("an update", updates.message()).await.expect("the stream goes on");
        match message.and_then(|message| message.update) {
            Some(Update::Heartbeat(_)) => {}
            update => return update.expect("there is one"),
        }
    }
}

#[tokio::test]
async fn who_waits_with_updates_hears_every_comment_and_vote_and_then_the_end() {
    let site = Site::shared().await;
    let event = site.create(asked(2, &[])).await;
    let said = |text: &str| v1::AddCommentRequest {
        event_id: event.id.clone(),
        text: text.to_owned(),
        needs_info: true,
        author: "ada".to_owned(),
        ..Default::default()
    };
    site.grpc.clone().add_comment(said("before")).await.expect("it is pending");
    let wait = WaitEventRequest { updates: true, ..wait_request(&event) };
    let mut updates = site.grpc.clone().wait_event(wait).await.expect("it is there").into_inner();
    assert!(matches!(next(&mut updates).await, Update::Event(_)));
    let Update::Comment(before) = next(&mut updates).await else { panic!("a comment") };
    assert_eq!((before.text.as_str(), before.needs_info), ("before", true));
    site.grpc.clone().add_comment(said("after")).await.expect("it is pending");
    let Update::Comment(after) = next(&mut updates).await else { panic!("a comment") };
    assert_eq!(after.text, "after");
    votes(&site, &event, "ada").await.expect("the first vote");
    let Update::Event(voted) = next(&mut updates).await else { panic!("the event") };
    assert_eq!((voted.state(), voted.votes.len()), (EventState::Pending, 1));
    assert!(voted.votes[0].ballot.is_none(), "whoever may vote is not shown what others say");
    votes(&site, &event, "bob").await.expect("the second vote");
    loop {
        if let Update::Event(last) = next(&mut updates).await
            && let Some(response) = last.response
        {
            assert_eq!(response.votes.len(), 2);
            return;
        }
    }
}

#[tokio::test]
async fn one_person_votes_once_and_others_are_refused() {
    let site = Site::shared().await;
    let event = site.create(asked(2, &["ada", "bob"])).await;
    votes(&site, &event, "ada").await.expect("ada may");
    let again = votes(&site, &event, "Ada").await.expect_err("not twice");
    assert_eq!(again.code(), Code::PermissionDenied, "that is not how ada is written");
    let again = votes(&site, &event, "ada").await.expect_err("not twice");
    assert_eq!(again.code(), Code::FailedPrecondition);
    let eve = votes(&site, &event, "eve").await.expect_err("it is for others");
    assert_eq!(eve.code(), Code::PermissionDenied);
    // By the link that is for whoever has it nobody in particular answers.
    let link = site.http.post(&event.api_url).json(&json!({"value": true, "responder": "bob"}));
    assert_eq!(link.send().await.expect("a reply").status(), 403);
    assert_eq!(votes(&site, &event, "bob").await.expect("bob may").state(), EventState::Answered);
}

#[tokio::test]
async fn the_same_is_json_over_http() {
    let site = Site::shared().await;
    let event = site.create(asked(0, &["ada"])).await;
    let at = |verb: &str| format!("{}/v1/events/{}/{verb}", site.url, event.id);
    let post = async |verb: &str, body: Json| -> (u16, Json) {
        let reply = site.http.post(at(verb)).json(&body).send().await.expect("a reply");
        (reply.status().as_u16(), reply.json().await.expect("it is JSON"))
    };
    let (status, said) =
        post("comments", json!({"text": "Why?", "needsInfo": true, "author": "ada"})).await;
    assert_eq!((status, &said["comment"]["text"]), (200, &json!("Why?")));
    let listed = site.http.get(at("comments")).send().await.expect("a reply");
    let listed: Json = listed.json().await.expect("it is JSON");
    assert_eq!(listed["comments"][0]["needsInfo"], json!(true));
    let (status, claimed) = post("claim", json!({"responder": "ada"})).await;
    assert_eq!((status, &claimed["event"]["claim"]["name"]), (200, &json!("ada")));
    assert_eq!(post("claim", json!({"responder": "eve"})).await.0, 403);
    let (status, handed) =
        post("delegate", json!({"to": {"person": "bob"}, "responder": "ada"})).await;
    assert_eq!((status, &handed["event"]["delegates"]), (200, &json!([{"person": "bob"}])));
    assert_eq!(post("release", json!({"responder": "ada"})).await.0, 200);
    assert_eq!(post("answer", json!({"json": "true", "responder": "ada"})).await.0, 403);
    assert_eq!(post("answer", json!({"json": "true", "responder": "bob"})).await.0, 200);
}

#[tokio::test]
async fn the_page_shows_whom_it_is_for_and_what_was_said_and_takes_more() {
    let (server, site) = start(config()).await;
    let event = site.create(request(Input::Bool(BoolInput::default()))).await;
    let fields = [("action", "ask"), ("said", "Which <region>?"), ("responder", "Ada")];
    let sent = site.http.post(&event.form_url).form(&fields).send().await.expect("a reply");
    assert!(sent.status().is_success() || sent.status().is_redirection(), "{}", sent.status());
    let page = site.http.get(&event.form_url).send().await.expect("a page");
    let page = page.text().await.expect("it is text");
    assert!(
        page.contains("Which &#60;region&#62;?") || page.contains("Which &lt;region&gt;?"),
        "{page}"
    );
    assert!(page.contains("asks for more") && page.contains("Ada"), "{page}");

    let some = site.create(asked(2, &["ada", "bob"])).await;
    let refused = site.http.get(&some.form_url).send().await.expect("a page");
    let refused = refused.text().await.expect("it is text");
    assert!(refused.contains("It matters who answers this question"), "{refused}");
    let link = v1::CreateLinkRequest {
        event_id: some.id.clone(),
        responder: "ada".to_owned(),
        ..Default::default()
    };
    let link = site.grpc.clone().create_link(link).await.expect("a link").into_inner();
    let page = site.http.get(&link.form_url).send().await.expect("a page");
    let page = page.text().await.expect("it is text");
    for shown in ["ada and bob", "2 people have to give the same answer", "Nobody has answered yet"]
    {
        assert!(page.contains(shown), "{shown}: {page}");
    }
    let fields = [("action", "answer"), ("value", "true"), ("answer_id", "a1")];
    let sent = site.http.post(&link.form_url).form(&fields).send().await.expect("a reply");
    let after = sent.text().await.expect("it is text");
    assert!(after.contains("Your answer is recorded") || after.is_empty(), "{after}");
    let page = site.http.get(&link.form_url).send().await.expect("a page");
    let page = page.text().await.expect("it is text");
    assert!(page.contains("1 of 2 people"), "{page}");
    assert_eq!(votes(&site, &some, "bob").await.expect("bob may").state(), EventState::Answered);
    let known = format!("{}/events/default/{}", site.url, some.id);
    let page = site.http.get(known).send().await.expect("a page");
    let page = page.text().await.expect("it is text");
    assert!(page.contains("Who answered") && page.contains("bob"), "{page}");
    drop(server);
}

#[tokio::test]
async fn the_command_line_asks_several_and_shows_how_far_they_are() {
    let (server, site) = start(config()).await;
    let shell = Shell::at(&site.url);
    let id = shell.out(&["ask", "Drop it?", "--type", "bool", "--required", "2", "--detach"]).await;
    let id = id.trim();
    shell.out(&["answer", id, "yes", "--as", "ada", "--comment", "carefully"]).await;
    shell.out(&["comment", id, "--needs-info", "Which one?", "--as", "bob"]).await;
    let said = shell.out(&["comment", id]).await;
    assert!(said.contains("bob, who asks for more: Which one?"), "{said}");
    let shown = shell.out(&["get", id]).await;
    assert!(
        shown.contains("2 required, 1 so far") && shown.contains("ada: has answered"),
        "{shown}"
    );
    shell.out(&["answer", id, "yes", "--as", "cid"]).await;
    let shown = shell.out(&["get", id]).await;
    assert!(shown.contains("ada: true, with the comment: carefully"), "{shown}");
    drop(server);
}
