//! A stand-in for whoever is told: it takes messages, refuses some, takes its time, and counts.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use http_body_util::{BodyExt, Full};
use hyper::body::{Bytes, Incoming};
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;

/// A message as it came.
#[derive(Clone, Debug)]
pub(crate) struct Got {
    pub(crate) path: String,
    pub(crate) id: String,
    pub(crate) timestamp: String,
    pub(crate) signature: String,
    pub(crate) kind: String,
    pub(crate) event_id: String,
    pub(crate) body: String,
    /// Whether it was told that it is taken.
    pub(crate) taken: bool,
}

#[derive(Debug, Default)]
struct State {
    got: Mutex<Vec<Got>>,
    trouble: AtomicBool,
    count: AtomicUsize,
}

/// See the module.
pub(crate) struct Receiver {
    port: u16,
    state: Arc<State>,
}

impl Receiver {
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let port = listener.local_addr().expect("it is bound").port();
        let state = Arc::<State>::default();
        let served = state.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let state = served.clone();
                let service = service_fn(move |request| take(state.clone(), request));
                let connection = hyper::server::conn::http1::Builder::new()
                    .serve_connection(TokioIo::new(stream), service);
                // Whoever is killed hangs up.
                tokio::spawn(async move { drop(connection.await) });
            }
        });
        Self { port, state }
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.port)
    }

    /// From now on a third of the messages is refused and a third takes its time; or none.
    pub(crate) fn trouble(&self, is_so: bool) {
        self.state.trouble.store(is_so, Ordering::Relaxed);
    }

    /// What came so far.
    pub(crate) fn got(&self) -> Vec<Got> {
        self.state.got.lock().expect("nobody panics with it").clone()
    }

    /// The first message of this kind, once it has come.
    pub(crate) async fn until(&self, is_it: impl Fn(&Got) -> bool) -> Got {
        for _ in 0..600 {
            if let Some(found) = self.got().into_iter().find(|got| is_it(got)) {
                return found;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("it does not come: {:?}", self.got());
    }
}

async fn take(
    state: Arc<State>,
    request: Request<Incoming>,
) -> Result<Response<Full<Bytes>>, hyper::Error> {
    let path = request.uri().path().to_owned();
    let header = |name: &str| {
        let value = request.headers().get(name).and_then(|value| value.to_str().ok());
        value.unwrap_or_default().to_owned()
    };
    let (id, timestamp, signature) =
        (header("webhook-id"), header("webhook-timestamp"), header("webhook-signature"));
    let body = request.into_body().collect().await?.to_bytes();
    let said: serde_json::Value = serde_json::from_slice(&body).unwrap_or_default();
    let number = state.count.fetch_add(1, Ordering::Relaxed);
    let is_troubled = state.trouble.load(Ordering::Relaxed);
    let taken = !(is_troubled && number.is_multiple_of(3));
    let got = Got {
        path,
        id,
        timestamp,
        signature,
        kind: said["type"].as_str().unwrap_or_default().to_owned(),
        event_id: said["data"]["event"]["id"].as_str().unwrap_or_default().to_owned(),
        body: String::from_utf8_lossy(&body).into_owned(),
        taken,
    };
    state.got.lock().expect("nobody panics with it").push(got);
    if is_troubled && number % 3 == 1 {
        tokio::time::sleep(Duration::from_millis(80)).await;
    }
    let status = if taken { 200 } else { 500 };
    Ok(Response::builder().status(status).body(Full::new(Bytes::new())).expect("it is a response"))
}
