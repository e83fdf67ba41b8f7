//! A watch at one replica, which its clients reach over a network that breaks with the replica.

use std::time::Duration;

use hitl_core::Namespace;
use hitl_service::{Change, ChangeKind, Filter, Owner, Watch as Inner, Watched as Came};
use support::history::{ChangeSeen, Outcome};
use support::load::target::Watched;

use crate::call::classify;
use crate::replica::Process;

/// Longest time between two bookmarks.
const INTERVAL: Duration = Duration::from_secs(5);

/// See the module.
#[derive(Debug)]
pub(crate) struct Watch {
    process: Process,
    inner: Inner,
}

impl Watch {
    /// Begins a watch at `process` from `token` on.
    pub(crate) async fn begin(process: Process, token: &str) -> Result<Self, Outcome> {
        let calm = process.link.is_calm();
        let begin = async {
            process.link.runs().await;
            let filter = Filter::all_of(Namespace::default());
            process.service.watch(filter, token, INTERVAL, Owner::default())
        };
        let begun = tokio::select! {
            biased;
            () = process.link.killed() => return Err(killed()),
            begun = begin => begun,
        };
        match begun {
            Ok(inner) => Ok(Self { process, inner }),
            Err(error) => Err(classify(&error, calm && process.link.is_calm())),
        }
    }

    /// What comes next, or why nothing does.
    pub(crate) async fn next(&mut self) -> Result<Watched, Outcome> {
        let Self { process, inner } = self;
        let next = async {
            let came = inner.next().await;
            process.link.runs().await;
            came
        };
        let came = tokio::select! {
            biased;
            () = process.link.killed() => return Err(killed()),
            came = next => came,
        };
        match came {
            Ok(Came::Bookmark(token)) => Ok(Watched::Bookmark(token)),
            Ok(Came::Change(Change { kind, event })) => Ok(Watched::Change(ChangeSeen {
                event: event.request.id.to_string(),
                is_end: kind == ChangeKind::Ended,
            })),
            // It may outlast storms, and what it reads now may have been sent in one.
            Err(error) => Err(classify(&error, false)),
        }
    }
}

fn killed() -> Outcome {
    Outcome::Unknown("the replica was killed".to_owned())
}
