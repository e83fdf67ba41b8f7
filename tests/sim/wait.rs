//! A wait at one replica, over a network that breaks with the replica.

use std::time::Duration;

use hitl_core::{Event, EventKey};
use hitl_service::{Error, Over, Owner, Wait as Single, Waits};
use support::history::Outcome;
use support::load::target::Held;
use tokio::time::timeout;

use crate::call::classify;
use crate::replica::Process;
use crate::view::view;
use crate::world::key;

/// Whoever waits has time: longer than any replica is stopped.
const ATTACH_LIMIT: Duration = Duration::from_secs(60);
/// Time between two messages of a stream on which nothing happens.
const HEARTBEAT: Duration = Duration::from_secs(15);

/// See the module.
#[derive(Debug)]
pub(crate) struct Stream {
    process: Process,
    wait: Begun,
    /// Nothing went wrong any more when it had begun.
    calm: bool,
}

#[derive(Debug)]
enum Begun {
    Alone(Box<Single>),
    WithOthers(Waits),
}

impl Stream {
    /// Begins a wait at `process`; there is no stream if the event has ended.
    pub(crate) async fn begin(
        process: Process,
        event: &str,
        held: Held,
    ) -> (Outcome, Option<Self>) {
        let calm = process.link.is_calm();
        let Some(event) = key(event) else {
            return (Outcome::Fault(format!("no id: {event}")), None);
        };
        let begin = timeout(ATTACH_LIMIT, async {
            process.link.runs().await;
            let begun = Begun::new(&process, &event, held).await;
            process.link.runs().await;
            begun
        });
        let begun = tokio::select! {
            biased;
            () = process.link.killed() => return (killed(), None),
            begun = begin => begun,
        };
        match begun {
            Ok(Ok((event, wait))) => {
                let outcome = Outcome::Seen(view(&event));
                // A shared wait is read after it was added, perhaps by a request that was sent before the calm.
                let calm = process.link.is_calm();
                let stream = event.response.is_none().then_some(Self { process, wait, calm });
                (outcome, stream)
            }
            Ok(Err(error)) => (classify(&error, calm && process.link.is_calm()), None),
            Err(_) => (Outcome::Unknown(format!("no message in {ATTACH_LIMIT:?}")), None),
        }
    }

    /// What comes after the first message.
    pub(crate) async fn told(self) -> Outcome {
        let Self { process, wait, calm } = self;
        let end = async {
            // As the server does: each heartbeat begins the wait anew.
            let end = loop {
                if let Ok(end) = timeout(HEARTBEAT, wait.ended()).await {
                    break end;
                }
            };
            process.link.runs().await;
            end
        };
        tokio::select! {
            biased;
            () = process.link.killed() => killed(),
            () = wait.serve() => killed(),
            end = end => match end {
                Ok(event) => Outcome::Seen(view(&event)),
                Err(error) => classify(&error, calm && process.link.is_calm()),
            },
        }
    }
}

impl Begun {
    /// Begins a wait, and returns the event as it stands.
    async fn new(process: &Process, event: &EventKey, held: Held) -> Result<(Event, Self), Error> {
        let (service, owner) = (&process.service, Owner::default());
        match held {
            Held::Alone => {
                let (event, wait) = service.wait(event, owner).await?;
                Ok((event, Self::Alone(Box::new(wait))))
            }
            Held::WithOthers => {
                let waits = service.waits(owner)?;
                waits.add(event.clone(), false)?;
                Ok((service.get(event).await?, Self::WithOthers(waits)))
            }
        }
    }

    async fn ended(&self) -> Result<Event, Error> {
        match self {
            Self::Alone(wait) => wait.ended().await,
            Self::WithOthers(waits) => match waits.next().await? {
                Some(Over::Ended(event)) => Ok(*event),
                Some(Over::Failed(failed)) => Err(failed.error),
                None => Err(Error::Internal("the stream ended before its wait".to_owned())),
            },
        }
    }

    /// What the server does for the stream beside, for as long as it holds.
    async fn serve(&self) {
        match self {
            Self::Alone(_) => std::future::pending().await,
            Self::WithOthers(waits) => match waits.look().await {},
        }
    }
}

fn killed() -> Outcome {
    Outcome::Unknown("the replica was killed".to_owned())
}
