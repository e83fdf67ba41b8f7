//! The kinds of harm, one function each: it goes on until it is told that it is over, and returns how often it was
//! done.

use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use bytes::Bytes;
use h2::client::SendRequest;
use hitl_proto::v1::{ListEventsRequest, WaitEventRequest};
use http::Request;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;

use crate::peers::{Target, framed, until_over};

type Running = Pin<Box<dyn Future<Output = usize> + Send>>;

/// A kind of harm.
pub(crate) struct Attack {
    pub(crate) name: &'static str,
    /// Less than this means that it never took place.
    pub(crate) at_least: usize,
    pub(crate) run: fn(Target, CancellationToken) -> Running,
}

/// All of them.
pub(crate) const ATTACKS: &[Attack] = &[
    attack("lists that are not read, HTTP/2", 100, |t, o| Box::pin(unread_lists(t, o))),
    attack("waits that are not read, HTTP/2", 1_000, |t, o| Box::pin(unread_waits(t, o))),
    attack("pages and lists that are not read, HTTP/1", 100, |t, o| Box::pin(unread_pages(t, o))),
    attack("bodies that are not finished", 100, |t, o| Box::pin(unfinished_bodies(t, o))),
    attack("bodies that trickle", 100, |t, o| Box::pin(trickled_bodies(t, o))),
    attack("full headers on open streams", 1_000, |t, o| Box::pin(full_headers(t, o))),
    attack("idle connections", 100, |t, o| Box::pin(idle(t, o))),
    attack("waits that take every place", 1_000, |t, o| Box::pin(hoarded_waits(t, o))),
    attack("prompts that explode", 5, |t, o| Box::pin(exploding_prompts(t, o))),
    attack("patterns that take long", 5, |t, o| Box::pin(heavy_patterns(t, o))),
    attack("floods of control frames", 1_000, |t, o| Box::pin(control_frames(t, o))),
    attack("streams that are reset at once", 1_000, |t, o| Box::pin(rapid_resets(t, o))),
];

const fn attack(
    name: &'static str,
    at_least: usize,
    run: fn(Target, CancellationToken) -> Running,
) -> Attack {
    Attack { name, at_least, run }
}

async fn unread_lists(target: Target, over: CancellationToken) -> usize {
    let list = ListEventsRequest { namespace: "large".into(), page_size: 50, ..Default::default() };
    unread_calls(&target, &over, "ListEvents", &framed(&list), 400).await
}

async fn unread_waits(target: Target, over: CancellationToken) -> usize {
    let event = &target.events[0];
    let wait = WaitEventRequest {
        namespace: event.namespace.clone(),
        event_id: event.id.clone(),
        heartbeat_interval: None,
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

async fn unread_pages(target: Target, over: CancellationToken) -> usize {
    let mut held = Vec::new();
    while !over.is_cancelled() && held.len() < 1_000 {
        let form = &target.events[held.len() % target.events.len()].form_url;
        let form = form.split_once("/q/").map_or("", |(_, rest)| rest);
        let path = match held.len() % 2 {
            0 => "/v1/events?namespace=large&page_size=50".to_owned(),
            _ => format!("/q/{form}"),
        };
        let Some(mut stream) = target.tcp().await else { continue };
        let request = format!("GET {path} HTTP/1.1\r\nhost: {}\r\n\r\n", target.address);
        if stream.write_all(request.as_bytes()).await.is_ok() {
            held.push(stream);
        }
    }
    over.cancelled().await;
    held.len()
}

async fn unfinished_bodies(target: Target, over: CancellationToken) -> usize {
    let body = vec![b' '; 1024 * 1024 - 1];
    slow_bodies(&target, &over, &body, Duration::MAX).await
}

async fn trickled_bodies(target: Target, over: CancellationToken) -> usize {
    slow_bodies(&target, &over, b"{", Duration::from_millis(500)).await
}

/// Up to 2,000 connections that send `body` of one byte more, and then a byte at each `pause`.
async fn slow_bodies(
    target: &Target,
    over: &CancellationToken,
    body: &[u8],
    pause: Duration,
) -> usize {
    let head = format!(
        "POST /v1/events HTTP/1.1\r\nhost: {}\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n",
        target.address,
        1024 * 1024,
    );
    let mut held = JoinSet::new();
    let mut done = 0;
    while !over.is_cancelled() && done < 2_000 {
        let Some(mut stream) = target.tcp().await else { continue };
        let sent = async {
            stream.write_all(head.as_bytes()).await.ok()?;
            stream.write_all(body).await.ok()
        };
        if timeout(Duration::from_secs(1), sent).await.is_ok_and(|sent| sent.is_some()) {
            done += 1;
        }
        held.spawn(async move {
            loop {
                sleep(pause).await;
                if stream.write_all(b" ").await.is_err() {
                    return;
                }
            }
        });
    }
    over.cancelled().await;
    done
}

async fn full_headers(target: Target, over: CancellationToken) -> usize {
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

async fn idle(target: Target, over: CancellationToken) -> usize {
    let mut tasks = JoinSet::new();
    let (mut quiet, mut silent) = (Vec::new(), Vec::new());
    while !over.is_cancelled() && quiet.len() + silent.len() < 2_000 {
        if silent.len() % 2 == 0 {
            quiet.extend(target.http2(65_535, &mut tasks).await);
        }
        silent.extend(target.tcp().await);
    }
    over.cancelled().await;
    quiet.len() + silent.len()
}

async fn hoarded_waits(target: Target, over: CancellationToken) -> usize {
    let event = &target.small;
    let wait = WaitEventRequest {
        namespace: event.namespace.clone(),
        event_id: event.id.clone(),
        heartbeat_interval: None,
    };
    let message = framed(&wait);
    let mut tasks = JoinSet::new();
    let (mut held, mut done) = (Vec::new(), 0);
    for _ in 0..10 {
        // They read, so that nothing but their number is wrong with them.
        let Some(client) = target.http2(1 << 20, &mut tasks).await else { continue };
        let Ok(mut client) = client.ready().await else { continue };
        for _ in 0..1_500 {
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

async fn exploding_prompts(target: Target, over: CancellationToken) -> usize {
    let table = format!("{}\n{}\n{}", "|a".repeat(362), "|-".repeat(362), "a\n".repeat(724));
    let prompt: String = (0..22).map(|_| format!("{table}\n\n")).collect();
    let prompt: String = prompt.chars().take(65_000).collect();
    let ask = serde_json::json!({
        "name": "explodes", "prompt": prompt, "promptFormat": "PROMPT_FORMAT_MARKDOWN",
        "input": {"bool": {}},
    });
    let Some(form) = asked(&target, &ask).await else { return 0 };
    let mut askers = JoinSet::new();
    for _ in 0..8 {
        let (form, over) = (form.clone(), over.clone());
        askers.spawn(async move {
            until_over(&over, async || usize::from(http().get(&form).send().await.is_ok())).await
        });
    }
    askers.join_all().await.into_iter().sum()
}

async fn heavy_patterns(target: Target, over: CancellationToken) -> usize {
    let patterns: serde_json::Map<String, serde_json::Value> = (0..90)
        .map(|n| {
            (
                format!("f{n}"),
                serde_json::json!({"type": "string", "pattern": format!("^{n}[a-z]{{0,200}}$")}),
            )
        })
        .collect();
    let schema = serde_json::json!({"type": "object", "properties": patterns}).to_string();
    let schema = serde_json::json!({
        "name": "schema", "prompt": "?", "input": {"object": {"jsonSchema": schema}},
    });
    let form = asked(&target, &schema).await;
    // One that the server may refuse; either way it must not take long.
    let pattern = serde_json::json!({
        "name": "pattern", "prompt": "?", "input": {"str": {"pattern": r"\b.{0,900}\b!"}},
    });
    let link = asked(&target, &pattern).await.map(|form| form.replace("/q/", "/v1/links/"));
    let text = serde_json::json!({"value": "a ".repeat(87_000)});
    let mut askers = JoinSet::new();
    for _ in 0..8 {
        let (form, link, text, over) = (form.clone(), link.clone(), text.clone(), over.clone());
        askers.spawn(async move {
            until_over(&over, async || {
                let shown = match &form {
                    Some(form) => http().get(form).send().await.is_ok(),
                    None => false,
                };
                let matched = match &link {
                    Some(link) => http().post(link).json(&text).send().await.is_ok(),
                    None => false,
                };
                sleep(Duration::from_millis(1)).await;
                usize::from(shown) + usize::from(matched)
            })
            .await
        });
    }
    askers.join_all().await.into_iter().sum()
}

/// Asks a question, and returns the address of its form.
async fn asked(target: &Target, question: &serde_json::Value) -> Option<String> {
    let address = format!("http://{}/v1/events", target.address);
    let reply = http().post(address).json(question).send().await.ok()?;
    let reply: serde_json::Value = reply.json().await.ok()?;
    Some(reply["event"]["formUrl"].as_str()?.to_owned())
}

fn http() -> reqwest::Client {
    let client = support::http::client().timeout(Duration::from_secs(10));
    client.build().expect("a client without special settings")
}

async fn control_frames(target: Target, over: CancellationToken) -> usize {
    let ping = [&[0, 0, 8, 6, 0, 0, 0, 0, 0][..], &[7; 8]].concat();
    let settings = [0, 0, 0, 4, 0, 0, 0, 0, 0].to_vec();
    let window = [&[0, 0, 4, 8, 0, 0, 0, 0, 0][..], &[0, 0, 0, 1]].concat();
    let priority = [&[0, 0, 5, 2, 0, 0, 0, 0, 9][..], &[0, 0, 0, 0, 1]].concat();
    let mut flooders = JoinSet::new();
    for frame in [ping, settings, window, priority] {
        let (target, over) = (target.clone(), over.clone());
        flooders.spawn(async move {
            let burst = frame.repeat(1_000);
            until_over(&over, async || flood(&target, &burst).await).await
        });
    }
    flooders.join_all().await.into_iter().sum()
}

/// One raw connection that sends `burst` again and again until it is cut off; the number of bursts.
async fn flood(target: &Target, burst: &[u8]) -> usize {
    let Some(stream) = target.tcp().await else { return 0 };
    let (mut reader, mut writer) = stream.into_split();
    // What comes back is read, so that nothing but the flood is wrong with it.
    let drain = async {
        let mut bytes = [0; 4_096];
        while matches!(reader.read(&mut bytes).await, Ok(read) if read > 0) {}
    };
    let mut bursts = 0;
    let send = async {
        let preface =
            [&b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"[..], &[0, 0, 0, 4, 0, 0, 0, 0, 0]].concat();
        if writer.write_all(&preface).await.is_err() {
            return;
        }
        while writer.write_all(burst).await.is_ok() && bursts < 500 {
            bursts += 1;
        }
    };
    tokio::select! {
        () = drain => {}
        () = send => {}
    }
    bursts
}

async fn rapid_resets(target: Target, over: CancellationToken) -> usize {
    let mut resetters = JoinSet::new();
    for _ in 0..4 {
        let (target, over) = (target.clone(), over.clone());
        resetters.spawn(async move { until_over(&over, async || resets(&target).await).await });
    }
    resetters.join_all().await.into_iter().sum()
}

/// One connection that takes back each call as soon as it is made.
async fn resets(target: &Target) -> usize {
    let mut tasks = JoinSet::new();
    let Some(client) = target.http2(65_535, &mut tasks).await else { return 0 };
    let Ok(mut client) = client.ready().await else { return 0 };
    for done in 0..2_000 {
        let request = target.head("ListEvents").body(()).expect("the head is good");
        let Some((_, mut stream)) = send(&mut client, request, None).await else { return done };
        stream.send_reset(h2::Reason::CANCEL);
    }
    2_000
}
