//! One waiter: it holds a stream of some replica, and after every break another, until it is told of the end.

use std::sync::Arc;
use std::time::Duration;

use hitl_core::{Event, EventKey};
use hitl_service::{Error, Over, Owner, Wait as Single, Waits};
use rand::RngExt;
use rand::rngs::StdRng;
use support::history::{Op, Outcome};
use tokio::time::{sleep, timeout};

use crate::call::classify;
use crate::client::{back_off, is_open};
use crate::fault_store::millis;
use crate::replica::Process;
use crate::view::view;
use crate::world::{Phase, World, key};

/// Whoever waits has time: longer than any replica is stopped.
const ATTACH_LIMIT: Duration = Duration::from_secs(60);
/// Time between two messages of a stream on which nothing happens.
const HEARTBEAT: Duration = Duration::from_secs(15);

/// See the module.
#[derive(Debug)]
pub(crate) struct Wait {
    pub(crate) number: u64,
    pub(crate) client: usize,
    pub(crate) event: String,
    pub(crate) rng: StdRng,
    pub(crate) world: Arc<World>,
}

impl Wait {
    /// Waits until it is told, or until waits are to be given up.
    pub(crate) async fn run(mut self) {
        let begun = self.world.recorder.stamp();
        let (world, client, event) = (self.world.clone(), self.client, self.event.clone());
        let wait = self.number;
        tokio::select! {
            biased;
            () = self.until_told() => {}
            () = world.phase.until(|phase| phase == Phase::End) => {
                world.record(client, Some(event), Op::WaitEnd { wait }, begun, Outcome::Abandoned);
            }
        }
    }

    async fn until_told(&mut self) {
        let mut attempt = 0;
        // Whoever is told, or refused for good, is done.
        while is_open(&self.stream().await) {
            back_off(&mut self.rng, attempt).await;
            attempt += 1;
        }
    }

    async fn stream(&mut self) -> Outcome {
        let Some(process) = self.world.pick(&mut self.rng) else {
            return Outcome::Unreached;
        };
        let breaks = self.rng.random_bool(0.1).then(|| self.rng.random_range(1_000..20_000));
        let wait = self.number;
        let event = Some(self.event.clone());
        let invoked = self.world.recorder.stamp();
        let (outcome, stream) = attach(&process, &self.event, wait).await;
        let first = Op::WaitFirst { wait };
        let attached =
            self.world.record(self.client, event.clone(), first, invoked, outcome.clone());
        let Some(stream) = stream else {
            return outcome;
        };
        let outcome = last(&process, &stream, breaks.map(millis)).await;
        self.world.record(self.client, event, Op::WaitEnd { wait }, attached, outcome.clone());
        outcome
    }
}

/// How a wait is held: each third as one of those that a stream may hold many of.
#[derive(Debug)]
enum Stream {
    Single(Box<Single>),
    Shared(Waits),
}

impl Stream {
    /// Begins a wait, and returns the event as it stands.
    async fn begin(
        process: &Process,
        event: &EventKey,
        number: u64,
    ) -> Result<(Event, Self), Error> {
        let (service, owner) = (&process.service, Owner::default());
        if !number.is_multiple_of(3) {
            let (event, wait) = service.wait(event, owner).await?;
            return Ok((event, Self::Single(Box::new(wait))));
        }
        let waits = service.waits(owner)?;
        waits.add(event.clone(), false)?;
        Ok((service.get(event).await?, Self::Shared(waits)))
    }

    async fn ended(&self) -> Result<Event, Error> {
        match self {
            Self::Single(wait) => wait.ended().await,
            Self::Shared(waits) => match waits.next().await? {
                Some(Over::Ended(event)) => Ok(*event),
                Some(Over::Failed(failed)) => Err(failed.error),
                None => Err(Error::Internal("the stream ended before its wait".to_owned())),
            },
        }
    }

    /// What the server does for the stream beside, for as long as it holds.
    async fn serve(&self) {
        match self {
            Self::Single(_) => std::future::pending().await,
            Self::Shared(waits) => match waits.look().await {},
        }
    }
}

/// Begins a wait; there is no stream if the event has ended.
async fn attach(process: &Process, event: &str, number: u64) -> (Outcome, Option<Stream>) {
    let calm = process.link.is_calm();
    let Some(event) = key(event) else {
        return (Outcome::Fault(format!("no id: {event}")), None);
    };
    let begin = timeout(ATTACH_LIMIT, async {
        process.link.runs().await;
        let stream = Stream::begin(process, &event, number).await;
        process.link.runs().await;
        stream
    });
    tokio::select! {
        biased;
        () = process.link.killed() => (killed(), None),
        stream = begin => match stream {
            Ok(Ok((event, stream))) => {
                (Outcome::Seen(view(&event)), event.response.is_none().then_some(stream))
            }
            Ok(Err(error)) => (classify(&error, calm && process.link.is_calm()), None),
            Err(_) => (Outcome::Unknown(format!("no message in {ATTACH_LIMIT:?}")), None),
        }
    }
}

/// What comes after the first message; the network may break the stream after a while.
async fn last(process: &Process, stream: &Stream, breaks: Option<Duration>) -> Outcome {
    // A shared wait is read after it was added, perhaps by a request that was sent before the calm.
    let calm = process.link.is_calm();
    let end = async {
        // As the server does: each heartbeat begins the wait anew.
        let end = loop {
            if let Ok(end) = timeout(HEARTBEAT, stream.ended()).await {
                break end;
            }
        };
        process.link.runs().await;
        end
    };
    let broken = async {
        match breaks {
            Some(after) if !process.link.is_calm() => sleep(after).await,
            _ => std::future::pending().await,
        }
    };
    tokio::select! {
        biased;
        () = process.link.killed() => killed(),
        () = stream.serve() => killed(),
        end = end => match end {
            Ok(event) => Outcome::Seen(view(&event)),
            Err(error) => classify(&error, calm && process.link.is_calm()),
        },
        () = broken => Outcome::Unknown("the stream broke".to_owned()),
    }
}

fn killed() -> Outcome {
    Outcome::Unknown("the replica was killed".to_owned())
}
