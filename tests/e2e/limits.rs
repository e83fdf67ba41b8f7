//! Bounds of the server: connections that say nothing, streams and waits beyond their number.

use std::time::Duration;

use futures::future::join_all;
use hitl_proto::v1::value::Kind as Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tonic::{Code, Streaming};

use crate::failure::Failure;
use crate::kinds;
use crate::site::{Site, config, soon, start, typed, wait_request};

/// Longest that a connection may stay open which does not say what it wants.
const PATIENCE: Duration = Duration::from_secs(45);

#[tokio::test]
async fn a_connection_that_never_finishes_its_first_request_is_closed() {
    let site = Site::shared().await;
    let address = site.url.trim_start_matches("http://");
    let unfinished = [
        "",
        "G",
        "GET /healthz HTTP/1.1\r\n",
        "GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\nX: ",
        "PRI * HTTP/2.0\r\n",
        "POST /submit/json HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nContent-Length: 9\r\n\r\n{",
    ];
    let closed = join_all(unfinished.map(async |text| {
        let mut stream = TcpStream::connect(address).await.expect("the server listens");
        stream.write_all(text.as_bytes()).await.expect("the server reads");
        let mut reply = Vec::new();
        let read = timeout(PATIENCE, stream.read_to_end(&mut reply)).await;
        (text, read.is_ok())
    }));
    let open: Vec<_> = closed.await.into_iter().filter(|(_, closed)| !closed).collect();
    assert!(open.is_empty(), "still open after {PATIENCE:?}: {open:?}");
}

#[tokio::test]
async fn a_header_that_trickles_in_is_cut_off() {
    let site = Site::shared().await;
    let address = site.url.trim_start_matches("http://");
    let mut stream = TcpStream::connect(address).await.expect("the server listens");
    stream.write_all(b"GET /healthz HTTP/1.1\r\n").await.expect("the server reads");
    let cut = timeout(PATIENCE, async {
        let mut letters = [0; 512];
        loop {
            tokio::select! {
                read = stream.read(&mut letters) => if matches!(read, Ok(0) | Err(_)) { break },
                () = tokio::time::sleep(Duration::from_millis(500)) => {
                    if stream.write_all(b"X: y\r\n").await.is_err() { break }
                }
            }
        }
    });
    cut.await.expect("the server closes the connection");
}

/// Opens one wait, and returns it once the event has come.
async fn open_wait(
    site: &Site,
    event: &hitl_proto::v1::Event,
) -> Result<Streaming<hitl_proto::v1::WaitEventResponse>, tonic::Status> {
    let reply = site.grpc.clone().wait_event(wait_request(event)).await?;
    let mut updates = reply.into_inner();
    updates.message().await?;
    Ok(updates)
}

#[tokio::test]
async fn a_wait_beyond_the_limit_is_told_to_come_later_and_the_others_still_get_their_answer() {
    let (_server, site) = start(config().arg("--max-waits").arg("3")).await;
    let event = site.ask(kinds::int()).await;
    let mut held = Vec::new();
    for _ in 0..3 {
        held.push(open_wait(&site, &event).await.expect("within the limit"));
    }
    let refused = Failure::of(&open_wait(&site, &event).await.expect_err("beyond the limit"));
    assert!(
        refused.is(Code::ResourceExhausted, "TOO_MANY_WAITERS") && refused.retry,
        "{refused:?}"
    );
    let reply = site.fetch(&format!("{}/v1/events/{}?wait=5s", site.url, event.id)).await;
    assert!(reply.headers().contains_key("retry-after"));
    let refused = Failure::of_reply(reply).await;
    assert!(
        refused.is(Code::ResourceExhausted, "TOO_MANY_WAITERS") && refused.retry,
        "{refused:?}"
    );
    drop(held.pop());
    // The server learns of a wait that is given up by its own time.
    let again = soon("room for another wait", async {
        loop {
            if let Ok(wait) = open_wait(&site, &event).await {
                break wait;
            }
        }
    });
    held.push(again.await);
    site.answer(&event, typed(&Value::Int(1))).await.expect("other calls go on");
    for updates in &mut held {
        let last = soon("the answer", updates.message()).await.expect("it goes on");
        assert!(last.is_some());
    }
}

#[tokio::test]
async fn streams_beyond_the_limit_of_a_connection_queue_and_none_is_lost() {
    let (_server, site) = start(config().arg("--max-streams").arg("10")).await;
    let event = site.ask(kinds::int()).await;
    let one_connection = Site::at(&site.url);
    // Before its first reply a client does not know the limit, and what is beyond it would be refused.
    one_connection.get(&event).await;
    let waits = (0..40).map(|_| soon("the wait", one_connection.wait(&event)));
    let answering = async {
        open_wait(&site, &event).await.expect("another connection has room");
        site.answer(&event, typed(&Value::Int(1))).await.expect("the answer is good")
    };
    let (ended, answered) = tokio::join!(join_all(waits), answering);
    for event in ended {
        assert_eq!(event.expect("the wait ends well"), answered);
    }
}

#[tokio::test]
async fn a_connection_beyond_the_limit_does_not_take_the_others_down() {
    let (_server, site) = start(config().arg("--max-connections").arg("8")).await;
    let event = site.ask(kinds::int()).await;
    let address = site.url.trim_start_matches("http://");
    let mut held = Vec::new();
    for _ in 0..30 {
        held.extend(TcpStream::connect(address).await);
    }
    site.answer(&event, typed(&Value::Int(1))).await.expect("who is in stays in");
    drop(held);
    let back = soon("room for a new connection", async {
        while site.http.get(format!("{}/readyz", site.url)).send().await.is_err() {}
    });
    back.await;
}
