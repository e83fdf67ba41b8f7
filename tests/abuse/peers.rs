//! What attackers have in common: where the server is, what they found there, and connections that they use badly.

use std::time::Duration;

use bytes::Bytes;
use h2::client::SendRequest;
use hitl_proto::v1::event_service_client::EventServiceClient;
use hitl_proto::v1::{
    ChoiceInput, ChoiceOption, ChoiceValue, CreateEventRequest, Event, Input, IntInput, OnTimeout,
    Value, input, on_timeout, value,
};
use http::Request;
use prost::Message;
use support::server::{Server, channel};
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

/// Time for a connection that the server may refuse.
const CONNECT_LIMIT: Duration = Duration::from_secs(2);

/// Where the server is, and events that are large in every way that is allowed.
#[derive(Clone)]
pub(crate) struct Target {
    pub(crate) address: String,
    pub(crate) events: Vec<Event>,
    /// One that is as small as any.
    pub(crate) small: Event,
}

impl Target {
    /// Fills the server with 60 events whose lists are as long as lists may be.
    pub(crate) async fn of(server: &Server) -> Self {
        let address = server.endpoint().trim_start_matches("http://").to_owned();
        let mut client = EventServiceClient::new(channel(&server.endpoint()));
        let mut events = Vec::new();
        for _ in 0..60 {
            let reply = client.create_event(large()).await.expect("it is allowed");
            events.extend(reply.into_inner().event);
        }
        let reply = client.create_event(small()).await.expect("it is allowed");
        let small = reply.into_inner().event.expect("a create returns the event");
        Self { address, events, small }
    }

    /// An HTTP/2 connection whose peer grants this window to each stream and reads whatever fits.
    pub(crate) async fn http2(
        &self,
        window: u32,
        tasks: &mut JoinSet<()>,
    ) -> Option<SendRequest<Bytes>> {
        let connect = async {
            let stream = TcpStream::connect(&self.address).await.ok()?;
            let mut builder = h2::client::Builder::new();
            builder.initial_window_size(window).initial_max_send_streams(8_192);
            builder.handshake::<_, Bytes>(stream).await.ok()
        };
        let (client, connection) = timeout(CONNECT_LIMIT, connect).await.ok()??;
        tasks.spawn(async move { drop(connection.await) });
        Some(client)
    }

    /// A plain connection.
    pub(crate) async fn tcp(&self) -> Option<TcpStream> {
        timeout(CONNECT_LIMIT, TcpStream::connect(&self.address)).await.ok()?.ok()
    }

    /// The head of a call of the event service.
    pub(crate) fn head(&self, rpc: &str) -> http::request::Builder {
        Request::post(format!("http://{}/hitl.v1.EventService/{rpc}", self.address))
            .header("content-type", "application/grpc")
            .header("te", "trailers")
    }
}

/// `message` as the one message of a call.
pub(crate) fn framed(message: &impl Message) -> Bytes {
    let encoded = message.encode_to_vec();
    let length = u32::try_from(encoded.len()).expect("it is short");
    [&[0][..], &length.to_be_bytes(), &encoded].concat().into()
}

/// Repeats `attempt` until the attack is over, and counts what it did.
pub(crate) async fn until_over<F: Future<Output = usize>>(
    over: &CancellationToken,
    mut attempt: impl FnMut() -> F,
) -> usize {
    let mut done = 0;
    while !over.is_cancelled() {
        tokio::select! {
            more = attempt() => done += more,
            () = over.cancelled() => {}
        }
    }
    done
}

fn small() -> CreateEventRequest {
    CreateEventRequest {
        name: "small".to_owned(),
        namespace: "small".to_owned(),
        prompt: "?".to_owned(),
        input: Some(Input { kind: Some(input::Kind::Int(IntInput::default())) }),
        ..CreateEventRequest::default()
    }
}

fn large() -> CreateEventRequest {
    let option = |n: usize| ChoiceOption {
        value: format!("{n:04}{}", "v".repeat(100)),
        label: format!("{n:04}{}", "l".repeat(100)),
        description: "d".repeat(60),
    };
    CreateEventRequest {
        name: "large".to_owned(),
        namespace: "large".to_owned(),
        prompt: "p".repeat(60_000),
        input: Some(Input {
            kind: Some(input::Kind::Choice(ChoiceInput {
                options: (0..500).map(option).collect(),
                min_selected: Some(0),
                max_selected: Some(500),
            })),
        }),
        on_timeout: Some(OnTimeout {
            action: Some(on_timeout::Action::DefaultValue(Value {
                kind: Some(value::Kind::Choice(ChoiceValue {
                    selected: (0..500).map(|n| option(n).value).collect(),
                })),
            })),
        }),
        ..CreateEventRequest::default()
    }
}
