//! Watching a namespace: by stream and by server-sent events, from a list, and through a kill of the server.

use futures::StreamExt;
use hitl_proto::v1::value::Kind as Value;
use hitl_proto::v1::watch_events_response::Update;
use hitl_proto::v1::{
    ChangeKind, CreateEventRequest, Event, EventState, ListEventsRequest, WatchEventsRequest,
    WatchEventsResponse,
};
use serde_json::Value as Json;
use tonic::{Code, Streaming};

use crate::failure::Failure;
use crate::kinds;
use crate::site::{Site, config, kept, millis, request, soon, start, typed};

/// A change as tests look at it.
type Seen = (ChangeKind, String);

async fn watch(site: &Site, request: WatchEventsRequest) -> Streaming<WatchEventsResponse> {
    let reply = soon("a watch", site.grpc.clone().watch_events(request)).await;
    reply.expect("a watch starts").into_inner()
}

async fn update(stream: &mut Streaming<WatchEventsResponse>) -> Update {
    let message = soon("an update", stream.message()).await.expect("the watch goes on");
    message.and_then(|message| message.update).expect("it does not end, nor say nothing")
}

async fn bookmark(stream: &mut Streaming<WatchEventsResponse>) -> String {
    loop {
        if let Update::Bookmark(bookmark) = update(stream).await {
            return bookmark.resume_token;
        }
    }
}

async fn change(stream: &mut Streaming<WatchEventsResponse>) -> (ChangeKind, Event) {
    loop {
        if let Update::Change(change) = update(stream).await {
            return (change.kind(), change.event.expect("a change has its event"));
        }
    }
}

fn seen((kind, event): (ChangeKind, Event)) -> Seen {
    (kind, event.id)
}

fn of(namespace: &str) -> WatchEventsRequest {
    WatchEventsRequest { namespace: namespace.to_owned(), ..WatchEventsRequest::default() }
}

async fn ask(site: &Site, namespace: &str) -> Event {
    let request = CreateEventRequest { namespace: namespace.to_owned(), ..request(kinds::int()) };
    site.create(request).await
}

#[tokio::test]
async fn a_watch_shows_what_is_created_and_what_ends_in_its_namespace_and_where_to_resume() {
    let site = Site::shared().await;
    let mut changes = watch(&site, of("watched")).await;
    assert!(matches!(update(&mut changes).await, Update::Bookmark(_)), "the first is a bookmark");
    ask(&site, "elsewhere").await;
    let event = ask(&site, "watched").await;
    let (kind, created) = change(&mut changes).await;
    assert_eq!((kind, &created.id), (ChangeKind::Created, &event.id));
    let answered = site.answer(&event, typed(&Value::Int(1))).await.expect("it is good");
    assert_eq!(change(&mut changes).await, (ChangeKind::Ended, answered));
}

#[tokio::test]
async fn a_watch_from_the_token_of_a_list_shows_what_came_after_the_list() {
    let site = Site::shared().await;
    let namespace = "listed-and-watched";
    let before = ask(&site, namespace).await;
    let mut list = ListEventsRequest { namespace: namespace.to_owned(), ..Default::default() };
    let mut client = site.grpc.clone();
    let first = client.list_events(list.clone()).await.expect("it can be listed").into_inner();
    let mut listed = first.events;
    list.page_token = first.next_page_token;
    // A page has what was found within half a second among the events of all other tests.
    while listed.is_empty() && !list.page_token.is_empty() {
        let page = client.list_events(list.clone()).await.expect("it goes on").into_inner();
        listed = page.events;
        list.page_token = page.next_page_token;
    }
    assert_eq!(listed.len(), 1);
    let event = ask(&site, namespace).await;
    let resumed = WatchEventsRequest { resume_token: first.resume_token, ..of(namespace) };
    let mut changes = watch(&site, resumed).await;
    // What was created seconds before the list may be shown too.
    while seen(change(&mut changes).await) != (ChangeKind::Created, event.id.clone()) {}
    assert_ne!(before.id, event.id);
}

#[tokio::test]
async fn a_watch_resumes_after_kill_9_without_missing_a_change() {
    let (mut server, mut site) = start(config()).await;
    let mut changes = watch(&site, of("default")).await;
    let token = bookmark(&mut changes).await;
    let mut expected = Vec::new();
    for _ in 0..3 {
        let event = ask(&site, "default").await;
        expected.push((ChangeKind::Created, event.id.clone()));
        site.answer(&event, typed(&Value::Int(1))).await.expect("it is good");
        expected.push((ChangeKind::Ended, event.id.clone()));
        server.kill().await.expect("it dies");
        server.restart().await.expect("it starts again");
        site = Site::at(&server.endpoint());
        if kept(site.try_get(&event).await).is_none() {
            return;
        }
    }
    let mut resumed =
        watch(&site, WatchEventsRequest { resume_token: token, ..of("default") }).await;
    for expected in expected {
        assert_eq!(seen(change(&mut resumed).await), expected);
    }
}

#[tokio::test]
async fn a_watch_is_of_what_its_filter_matches() {
    let site = Site::shared().await;
    let answered = WatchEventsRequest { state: EventState::Answered.into(), ..of("filtered") };
    let mut changes = watch(&site, answered).await;
    bookmark(&mut changes).await;
    let event = ask(&site, "filtered").await;
    site.answer(&event, typed(&Value::Int(1))).await.expect("it is good");
    assert_eq!(seen(change(&mut changes).await), (ChangeKind::Ended, event.id));
}

#[tokio::test]
async fn what_cannot_be_watched_is_refused() {
    let site = Site::shared().await;
    let old = format!("w1-{}", 1_000_000_000_000_i64);
    for (request, code, fields) in [
        (
            WatchEventsRequest { resume_token: "junk".into(), ..of("x") },
            Code::InvalidArgument,
            &["resume_token"][..],
        ),
        (
            WatchEventsRequest { bookmark_interval: Some(millis(999)), ..of("x") },
            Code::InvalidArgument,
            &["bookmark_interval"],
        ),
        (of("No Namespace"), Code::InvalidArgument, &["namespace"]),
        (WatchEventsRequest { resume_token: old, ..of("x") }, Code::OutOfRange, &[]),
    ] {
        let refused = match site.grpc.clone().watch_events(request).await {
            Ok(reply) => reply.into_inner().message().await.expect_err("it is refused"),
            Err(status) => status,
        };
        assert_eq!(refused.code(), code, "{refused:?}");
        assert_eq!(Failure::of(&refused).fields, fields);
    }
}

#[tokio::test]
async fn a_browser_watches_by_server_sent_events_and_resumes_by_the_last_id() {
    let site = Site::shared().await;
    let url = format!("{}/v1/events:watch?namespace=sse&bookmark_interval=1s", site.url);
    let stream = support::http::client().build().expect("a client");
    let reply = stream.get(&url).send().await.expect("it is answered");
    assert_eq!(reply.headers()["content-type"], "text/event-stream");
    let mut frames = Frames::of(reply);
    let (kind, id, _) = frames.next().await;
    assert_eq!(kind, "bookmark");
    let event = ask(&site, "sse").await;
    loop {
        let (kind, _, data) = frames.next().await;
        if kind == "change" {
            assert_eq!(
                (&data["kind"], &data["event"]["id"]),
                (&"CHANGE_KIND_CREATED".into(), &event.id.clone().into())
            );
            break;
        }
    }
    let resumed =
        stream.get(&url).header("last-event-id", id).send().await.expect("it is answered");
    let mut frames = Frames::of(resumed);
    while frames.next().await.2["event"]["id"].as_str() != Some(&event.id) {}
}

/// The frames of a stream of server-sent events: what kind, which id, and the data.
struct Frames {
    body: futures::stream::BoxStream<'static, Vec<u8>>,
    text: String,
}

impl Frames {
    fn of(reply: reqwest::Response) -> Self {
        let body = reply.bytes_stream().map(|part| part.expect("the stream goes on").to_vec());
        Self { body: body.boxed(), text: String::new() }
    }

    async fn next(&mut self) -> (String, String, Json) {
        loop {
            if let Some((frame, rest)) = self.text.split_once("\n\n") {
                let field = |name: &str| {
                    let mut lines = frame.lines().filter_map(|line| line.strip_prefix(name));
                    lines.next().unwrap_or_default().to_owned()
                };
                let data = serde_json::from_str(&field("data: ")).expect("the data is JSON");
                let frame = (field("event: "), field("id: "), data);
                self.text = rest.to_owned();
                return frame;
            }
            let part = soon("a frame", self.body.next()).await.expect("the stream does not end");
            self.text.push_str(&String::from_utf8(part).expect("it is text"));
        }
    }
}

#[tokio::test]
async fn a_watch_of_the_sdk_goes_on_through_a_restart_of_the_server() {
    let (mut server, site) = start(config()).await;
    let settings = hitl::Config::default().endpoint(server.endpoint());
    let client = hitl::Client::new(settings).expect("a client");
    let list = client.list(ListEventsRequest::default()).await.expect("it can be listed");
    let from = WatchEventsRequest { resume_token: list.resume_token, ..Default::default() };
    let mut changes = client.watch(from);
    let mut next = async || soon("a change", changes.next()).await.expect("the watch goes on");
    let first = ask(&site, "default").await;
    assert_eq!(next().await.event.id, first.id);
    server.kill().await.expect("it dies");
    server.restart().await.expect("it starts again");
    let event = ask(&Site::at(&server.endpoint()), "default").await;
    // What came just before the last bookmark comes again.
    while next().await.event.id != event.id {}
}
