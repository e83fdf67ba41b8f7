//! Calls by HTTP/2 that are made and then badly used.

use std::time::Duration;

use bytes::Bytes;
use h2::client::SendRequest;
use hitl_proto::v1::{ListEventsRequest, WaitEventRequest};
use http::Request;
use tokio::task::JoinSet;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use crate::peers::{Target, framed};

pub(super) async fn unread_lists(target: Target, over: CancellationToken) -> usize {
    let list = ListEventsRequest { namespace: "large".into(), page_size: 50, ..Default::default() };
    unread_calls(&target, &over, "ListEvents", &framed(&list), 500).await
}

pub(super) async fn unread_waits(target: Target, over: CancellationToken) -> usize {
    let event = &target.events[0];
    let wait = WaitEventRequest {
        namespace: event.namespace.clone(),
        event_id: event.id.clone(),
        heartbeat_interval: None,
        updates: false,
    };
    unread_calls(&target, &over, "WaitEvent", &framed(&wait), 4_000).await
}

/// Ten connections that grant no window, with so many calls each.
async fn unread_calls(
    target: &Target,
    over: &CancellationToken,
    rpc: &str,
    message: &Bytes,
    calls: usize,
) -> usize {
    let mut tasks = JoinSet::new();
    let (mut held, mut done) = (Vec::new(), 0);
    for _ in 0..10 {
        let Some(client) = target.http2(0, &mut tasks).await else { continue };
        let Ok(mut client) = client.ready().await else { continue };
        for _ in 0..calls {
            let request = target.head(rpc).body(()).expect("the head is good");
            let Some(sent) = send(&mut client, request, Some(message)).await else { break };
            done += 1;
            held.push(sent);
            if over.is_cancelled() {
                return done;
            }
        }
    }
    over.cancelled().await;
    done
}

/// A call, with its body if it has one that is sent whole.
async fn send(
    client: &mut SendRequest<Bytes>,
    request: Request<()>,
    body: Option<&Bytes>,
) -> Option<(h2::client::ResponseFuture, h2::SendStream<Bytes>)> {
    let ready = std::future::poll_fn(|context| client.poll_ready(context));
    timeout(Duration::from_millis(200), ready).await.ok()?.ok()?;
    let (reply, mut stream) = client.send_request(request, false).ok()?;
    if let Some(body) = body {
        stream.send_data(body.clone(), true).ok()?;
    }
    tokio::task::yield_now().await;
    Some((reply, stream))
}

pub(super) async fn full_headers(target: Target, over: CancellationToken) -> usize {
    let mut tasks = JoinSet::new();
    let (mut held, mut done) = (Vec::new(), 0);
    for _ in 0..10 {
        let Some(client) = target.http2(65_535, &mut tasks).await else { continue };
        let Ok(mut client) = client.ready().await else { continue };
        for _ in 0..4_000 {
            let mut head = target.head("AnswerEvent");
            for n in 0..14 {
                head = head.header(format!("x-{n}"), "h".repeat(1_000));
            }
            let request = head.body(()).expect("the head is good");
            let Some(sent) = send(&mut client, request, None).await else { break };
            done += 1;
            held.push(sent);
            if over.is_cancelled() {
                return done;
            }
        }
    }
    over.cancelled().await;
    done
}

pub(super) async fn hoarded_waits(target: Target, over: CancellationToken) -> usize {
    let event = &target.small;
    let wait = WaitEventRequest {
        namespace: event.namespace.clone(),
        event_id: event.id.clone(),
        heartbeat_interval: None,
        updates: false,
    };
    let message = framed(&wait);
    let mut tasks = JoinSet::new();
    let (mut held, mut done) = (Vec::new(), 0);
    for _ in 0..10 {
        // They read, so that nothing but their number is wrong with them.
        let Some(client) = target.http2(1 << 20, &mut tasks).await else { continue };
        let Ok(mut client) = client.ready().await else { continue };
        for _ in 0..2_000 {
            let request = target.head("WaitEvent").body(()).expect("the head is good");
            let Some((reply, stream)) = send(&mut client, request, Some(&message)).await else {
                break;
            };
            done += 1;
            held.push(stream);
            tasks.spawn(async move {
                let Ok(reply) = reply.await else { return };
                let mut body = reply.into_body();
                while let Some(Ok(data)) = body.data().await {
                    let _ = body.flow_control().release_capacity(data.len());
                }
            });
            if over.is_cancelled() {
                return done;
            }
        }
    }
    over.cancelled().await;
    done
}
