//! Lists: what is found by which filter, in which order, page by page.

use std::collections::{BTreeMap, BTreeSet};

use hitl_proto::v1::create_event_request::Expiration;
use hitl_proto::v1::value::Kind as Value;
use hitl_proto::v1::{CreateEventRequest, Event, EventState, ListEventsRequest};
use serde_json::Value as Json;
use tonic::Code;

use crate::failure::Failure;
use crate::kinds;
use crate::site::{Site, millis, request, typed};

fn in_namespace(namespace: &str) -> CreateEventRequest {
    CreateEventRequest { namespace: namespace.to_owned(), ..request(kinds::int()) }
}

fn listing(namespace: &str) -> ListEventsRequest {
    ListEventsRequest { namespace: namespace.to_owned(), ..ListEventsRequest::default() }
}

/// All pages of a list, each checked to keep to its size.
async fn all(site: &Site, mut request: ListEventsRequest) -> Vec<Event> {
    let mut events = Vec::new();
    for _ in 0..1_000 {
        let reply = site.grpc.clone().list_events(request.clone()).await.expect("a page");
        let page = reply.into_inner();
        let size_max = if request.page_size == 0 { 100 } else { request.page_size };
        assert!(page.events.len() <= usize::try_from(size_max).expect("a size"));
        events.extend(page.events);
        if page.next_page_token.is_empty() {
            return events;
        }
        request.page_token = page.next_page_token;
    }
    panic!("the list does not end");
}

/// The same over HTTP, of what `query` asks for. A page may have nothing, since it ends after half a second.
async fn all_by_http(site: &Site, query: &str) -> Vec<Json> {
    let (mut events, mut token) = (Vec::new(), String::new());
    for _ in 0..1_000 {
        let page = site.read(&format!("/v1/events?{query}&page_token={token}")).await;
        events.extend(page["events"].as_array().into_iter().flatten().cloned());
        token = page["nextPageToken"].as_str().unwrap_or_default().to_owned();
        if token.is_empty() {
            return events;
        }
    }
    panic!("the list does not end");
}

fn ids(events: &[Event]) -> Vec<&str> {
    events.iter().map(|event| event.id.as_str()).collect()
}

#[tokio::test]
async fn pending_events_come_first_by_deadline_and_then_the_ended_ones_latest_first() {
    let site = Site::shared().await;
    let mut created = Vec::new();
    for seconds in [500, 100, 300, 200, 400, 900, 901, 902] {
        let expiration = Some(Expiration::Ttl(millis(seconds * 1_000)));
        created.push(site.create(CreateEventRequest { expiration, ..in_namespace("order") }).await);
    }
    let mut ended = Vec::new();
    for index in [6, 5, 7] {
        let answered = site.answer(&created[index], typed(&Value::Int(1))).await;
        ended.push(time_and_id(&answered.expect("the answer is good")));
    }
    assert!(ended.is_sorted_by_key(|(time, _)| *time));
    // Those that ended in the same millisecond are ordered by their ids.
    ended.sort_by(|one, other| other.cmp(one));
    let pending = [1, 3, 2, 4, 0].map(|index| created[index].id.as_str());
    let order: Vec<_> =
        pending.into_iter().chain(ended.iter().map(|(_, id)| id.as_str())).collect();
    for page_size in [0, 1, 2, 3, 5, 8, 1_000, i32::MAX] {
        let listed = all(&site, ListEventsRequest { page_size, ..listing("order") }).await;
        assert_eq!(ids(&listed), order, "pages of {page_size}");
    }
    let listed = all(&site, listing("order")).await;
    for event in &listed {
        assert_eq!(*event, site.get(event).await, "a list shows what a read shows");
    }
}

/// When an event ended, in a form that can be compared, and its id.
fn time_and_id(event: &Event) -> ((i64, i32), String) {
    let time = event.response.as_ref().and_then(|response| response.time);
    let time = time.expect("it has ended");
    ((time.seconds, time.nanos), event.id.clone())
}

/// Events a, b and c in `namespace`: deploy of run-1, deploy of run-2 (answered), refund of run-1.
async fn three(site: &Site, namespace: &str) -> [Event; 3] {
    let create = async |name: &str, scope: &str, labels: &[(&str, &str)]| {
        let mut request = in_namespace(namespace);
        request.name = name.to_owned();
        request.scope = scope.to_owned();
        request.labels = labels_of(labels);
        site.create(request).await
    };
    let a = create("deploy", "run-1", &[("team", "a"), ("env", "prod")]).await;
    let b = create("deploy", "run-2", &[("team", "a")]).await;
    let c = create("refund", "run-1", &[("team", "b & c=d")]).await;
    site.answer(&b, typed(&Value::Int(1))).await.expect("the answer is good");
    [a, b, c]
}

fn labels_of(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    pairs.iter().map(|&(k, v)| (k.to_owned(), v.to_owned())).collect()
}

#[tokio::test]
async fn filters_find_exactly_what_has_the_state_name_scope_and_all_the_labels() {
    let site = Site::shared().await;
    let [a, b, c] = three(&site, "filters").await;
    let found = async |with: &dyn Fn(&mut ListEventsRequest)| {
        let mut wanted = listing("filters");
        with(&mut wanted);
        let events = all(&site, wanted).await;
        let names = [(&a.id, 'a'), (&b.id, 'b'), (&c.id, 'c')];
        let mut found: Vec<_> =
            names.into_iter().filter(|(id, _)| events.iter().any(|e| e.id == **id)).collect();
        assert_eq!(found.len(), events.len(), "nothing is there twice, and nothing else");
        found.drain(..).map(|(_, name)| name).collect::<String>()
    };
    assert_eq!(found(&|_| {}).await, "abc");
    assert_eq!(found(&|r| r.set_state(EventState::Pending)).await, "ac");
    assert_eq!(found(&|r| r.set_state(EventState::Answered)).await, "b");
    assert_eq!(found(&|r| r.set_state(EventState::Declined)).await, "");
    assert_eq!(found(&|r| r.name = "deploy".to_owned()).await, "ab");
    assert_eq!(found(&|r| r.name = "Deploy".to_owned()).await, "");
    assert_eq!(found(&|r| r.scope = "run-1".to_owned()).await, "ac");
    assert_eq!(found(&|r| r.labels = labels_of(&[("team", "a")])).await, "ab");
    assert_eq!(found(&|r| r.labels = labels_of(&[("team", "a"), ("env", "prod")])).await, "a");
    assert_eq!(found(&|r| r.labels = labels_of(&[("team", "")])).await, "");
    assert_eq!(found(&|r| r.namespace = "no-such-namespace".to_owned()).await, "");
}

#[tokio::test]
async fn http_takes_the_same_filters_from_the_query() {
    let site = Site::shared().await;
    let [a, _, c] = three(&site, "queries").await;
    let cases = [
        ("state=EVENT_STATE_PENDING&labels[team]=b%20%26%20c%3Dd", &c),
        ("name=deploy&scope=run-1", &a),
        ("labels[team]=a&labels[env]=prod", &a),
    ];
    for (query, expected) in cases {
        let found = all_by_http(&site, &format!("namespace=queries&{query}")).await;
        assert_eq!(found.len(), 1, "{query}: {found:?}");
        assert_eq!(found[0]["id"], expected.id);
    }
}

#[tokio::test]
async fn an_event_that_ends_while_its_list_is_paged_is_never_missed() {
    let site = Site::shared().await;
    let mut created = BTreeSet::new();
    let mut events = Vec::new();
    for _ in 0..12 {
        let event = site.create(in_namespace("moving")).await;
        created.insert(event.id.clone());
        events.push(event);
    }
    let mut seen = BTreeSet::new();
    let mut request = ListEventsRequest { page_size: 3, ..listing("moving") };
    loop {
        let reply = site.grpc.clone().list_events(request.clone()).await.expect("a page");
        let page = reply.into_inner();
        seen.extend(page.events.into_iter().map(|event| event.id));
        if page.next_page_token.is_empty() {
            break;
        }
        request.page_token = page.next_page_token;
        if let Some(event) = events.pop() {
            site.answer(&event, typed(&Value::Int(1))).await.expect("the answer is good");
        }
    }
    assert_eq!(seen, created);
}

#[tokio::test]
async fn http_pages_through_the_same_list() {
    let site = Site::shared().await;
    three(&site, "http-pages").await;
    let seen = all_by_http(&site, "namespace=http-pages&page_size=1").await;
    let seen: Vec<_> = seen.iter().filter_map(|event| event["id"].as_str()).collect();
    assert_eq!(seen, ids(&all(&site, listing("http-pages")).await));
}

#[tokio::test]
async fn a_bad_page_token_size_or_filter_is_an_invalid_request() {
    let site = Site::shared().await;
    three(&site, "tokens").await;
    let first = ListEventsRequest { page_size: 1, ..listing("tokens") };
    let reply = site.grpc.clone().list_events(first.clone()).await.expect("a page");
    let token = reply.into_inner().next_page_token;
    assert!(!token.is_empty());
    let refused = async |field: &str, with: &dyn Fn(&mut ListEventsRequest)| {
        let mut request = first.clone();
        with(&mut request);
        let refused = site.grpc.clone().list_events(request).await.expect_err(field);
        let refused = Failure::of(&refused);
        assert!(refused.is(Code::InvalidArgument, "INVALID_REQUEST"), "{field}: {refused:?}");
        assert_eq!(refused.fields, [field]);
    };
    refused("page_token", &|r| r.page_token = "nonsense".to_owned()).await;
    refused("page_token", &|r| r.page_token = "../../x".to_owned()).await;
    refused("page_size", &|r| r.page_size = -1).await;
    refused("state", &|r| r.state = 99).await;
    refused("namespace", &|r| r.namespace = "Not OK".to_owned()).await;
    for query in ["page_size=x", "page_size=-1", "state=NO_SUCH_STATE", "page_token=%00"] {
        let reply = site.fetch(&format!("{}/v1/events?{query}", site.url)).await;
        let refused = Failure::of_reply(reply).await;
        assert!(refused.is(Code::InvalidArgument, "INVALID_REQUEST"), "{query}: {refused:?}");
    }
}
