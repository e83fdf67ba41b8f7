//! Those who mean no harm: 200 who wait, one who answers them, and newcomers.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use hitl_proto::v1::answer_event_request::Answer;
use hitl_proto::v1::event_service_client::EventServiceClient;
use hitl_proto::v1::wait_event_response::Update;
use hitl_proto::v1::{
    AnswerEventRequest, CreateEventRequest, Event, Input, IntInput, Value, WaitEventRequest, input,
    value,
};
use support::server::{Server, channel};
use tokio::sync::mpsc;
use tokio::time::{sleep, timeout};
use tonic::transport::Channel;
use tonic::{Code, Status};

use crate::since;

/// How many wait.
const WAITERS: usize = 200;
/// Time between two answers.
const PACE: Duration = Duration::from_millis(20);
/// Time before a call that was refused, or a wait that broke, is tried again.
const RETRY_PAUSE: Duration = Duration::from_millis(100);
/// How long a wait may take to hear of its answer before it counts as lost.
const PATIENCE: Duration = Duration::from_secs(15);
/// Attempts at a call that is told to come again.
const ATTEMPTS: usize = 50;

/// Who waits, and through which connections.
pub(crate) struct Bystanders {
    /// For answers and nothing else: whoever asks two hundred questions at once has taken more than its share, and is
    /// served after others for a while.
    client: EventServiceClient<Channel>,
    asker: EventServiceClient<Channel>,
    /// Who has waited for longest is answered first. The others have not been there for a moment yet, and a connection
    /// that is new is served after others.
    waits: VecDeque<Wait>,
}

struct Wait {
    event: Event,
    told: mpsc::Receiver<Instant>,
}

/// How long answers took to reach those who wait.
#[derive(Default)]
pub(crate) struct Latencies {
    seconds: Vec<f64>,
    /// Waits that were not told in time.
    pub(crate) lost: usize,
}

impl Bystanders {
    /// Has 200 wait, each for an event of its own.
    pub(crate) async fn wait(server: &Server) -> Self {
        let mut all =
            Self { client: client(server), asker: client(server), waits: VecDeque::new() };
        all.fill_up(server).await;
        all
    }

    /// Replaces those who were told.
    pub(crate) async fn fill_up(&mut self, server: &Server) {
        while self.waits.len() < WAITERS {
            let event = created(&mut self.asker).await.expect("an event is created in the end");
            let (tell, told) = mpsc::channel(1);
            let (waiter, attached) = (client(server), mpsc::channel(1));
            tokio::spawn(wait_for(waiter, event.clone(), attached.0, tell));
            let mut attached = attached.1;
            timeout(PATIENCE, attached.recv()).await.expect("the wait begins");
            self.waits.push_back(Wait { event, told });
        }
    }

    /// Answers one after the other for so long, and measures how long each takes to be told.
    pub(crate) async fn answer_for(&mut self, time: Duration) -> Latencies {
        let mut all = Latencies { seconds: Vec::new(), lost: 0 };
        let begun = Instant::now();
        while begun.elapsed() < time
            && let Some(mut wait) = self.waits.pop_front()
        {
            let answered = answer(&mut self.client, &wait.event).await;
            match (answered, timeout(PATIENCE, wait.told.recv()).await) {
                (Some(sent), Ok(Some(told))) => {
                    all.seconds.push(told.saturating_duration_since(sent).as_secs_f64());
                }
                _ => all.lost += 1,
            }
            sleep(PACE).await;
        }
        all
    }
}

impl Latencies {
    /// Adds those of another phase of the same kind.
    pub(crate) fn add(&mut self, more: Self) {
        self.seconds.extend(more.seconds);
        self.lost += more.lost;
    }

    /// How many were told.
    pub(crate) fn told(&self) -> usize {
        self.seconds.len()
    }

    /// So many of a hundred were told within that many seconds.
    pub(crate) fn percentile(&self, percent: usize) -> f64 {
        let mut sorted = self.seconds.clone();
        sorted.sort_by(f64::total_cmp);
        let at = (sorted.len() * percent).div_ceil(100).saturating_sub(1);
        sorted.get(at).copied().unwrap_or(f64::MAX)
    }
}

/// How long it takes until somebody new can ask and be answered; `None` if longer than `limit`.
pub(crate) async fn newcomer_is_served(server: &Server, limit: Duration) -> Option<Duration> {
    let begun = Instant::now();
    let life = async {
        loop {
            let mut client = client(server);
            if let Ok(event) = created(&mut client).await
                && answer(&mut client, &event).await.is_some()
            {
                return Duration::from_secs_f64(since(begun));
            }
        }
    };
    timeout(limit, life).await.ok()
}

/// A client with a connection of its own.
fn client(server: &Server) -> EventServiceClient<Channel> {
    EventServiceClient::new(channel(&server.endpoint()))
}

async fn created(client: &mut EventServiceClient<Channel>) -> Result<Event, Status> {
    let request = || CreateEventRequest {
        name: "bystander".to_owned(),
        prompt: "How many?".to_owned(),
        input: Some(Input { kind: Some(input::Kind::Int(IntInput::default())) }),
        namespace: "bystanders".to_owned(),
        ..CreateEventRequest::default()
    };
    let mut last = Status::unknown("never tried");
    for _ in 0..ATTEMPTS {
        match client.create_event(request()).await {
            Ok(reply) => return Ok(reply.into_inner().event.expect("a create returns the event")),
            Err(status) if may_retry(&status) => last = status,
            Err(status) => return Err(status),
        }
        sleep(RETRY_PAUSE).await;
    }
    Err(last)
}

/// When the answer that was taken was sent.
async fn answer(client: &mut EventServiceClient<Channel>, event: &Event) -> Option<Instant> {
    let request = AnswerEventRequest {
        namespace: event.namespace.clone(),
        event_id: event.id.clone(),
        answer: Some(Answer::Value(Value { kind: Some(value::Kind::Int(1)) })),
        answer_id: "bystander".to_owned(),
        responder: String::new(),
        comment: String::new(),
    };
    for _ in 0..ATTEMPTS {
        let sent = Instant::now();
        match client.answer_event(request.clone()).await {
            Ok(_) => return Some(sent),
            Err(status) if may_retry(&status) => sleep(RETRY_PAUSE).await,
            Err(status) => panic!("an answer is refused: {status}"),
        }
    }
    None
}

/// Waits as an SDK does: again, if the stream breaks or is refused.
async fn wait_for(
    mut client: EventServiceClient<Channel>,
    event: Event,
    attached: mpsc::Sender<()>,
    tell: mpsc::Sender<Instant>,
) {
    let request = WaitEventRequest {
        namespace: event.namespace,
        event_id: event.id,
        heartbeat_interval: None,
        updates: false,
    };
    loop {
        if let Ok(reply) = client.wait_event(request.clone()).await {
            let mut updates = reply.into_inner();
            while let Ok(Some(message)) = updates.message().await {
                let Some(Update::Event(event)) = message.update else { continue };
                if event.response.is_some() {
                    let _ = tell.send(Instant::now()).await;
                    return;
                }
                let _ = attached.try_send(());
            }
        }
        sleep(RETRY_PAUSE).await;
    }
}

fn may_retry(status: &Status) -> bool {
    let again = [Code::Unavailable, Code::ResourceExhausted, Code::Unknown, Code::Cancelled];
    again.contains(&status.code())
}
