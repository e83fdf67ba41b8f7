//! `hitl claim` and `hitl delegate`: who of several is at an event, and whom it is for instead.

use std::time::Duration;

use clap::Args;
use hitl::v1::Assignee;

use super::exit::{Exit, Usage};
use super::responder::ResponderArgs;
use super::{ServerArgs, id, reach, terminal};

const CLAIM_HELP: &str = "\
A claim keeps nobody from answering: it tells the others that somebody is at it, for a quarter of an hour or as --for \
says.

Examples:
  hitl claim ID
  hitl claim ID --for 2h
  hitl claim ID --release";

/// Say that you are at an event that is for several
#[derive(Args, Debug)]
#[command(after_help = CLAIM_HELP)]
pub(super) struct ClaimArgs {
    /// The event's id, or the first digits of it.
    id: String,

    /// How long the claim holds, such as 30m; at most 24 hours. [default: 15m]
    #[arg(long = "for", value_name = "TIME", value_parser = humantime::parse_duration)]
    ttl: Option<Duration>,

    /// Ends the claim.
    #[arg(long, conflicts_with = "ttl")]
    release: bool,

    #[command(flatten)]
    by: ResponderArgs,
}

const DELEGATE_HELP: &str = "\
Whoever the event is for hands it over, and does not answer it any more; an admin adds somebody to those it is for.

Examples:
  hitl delegate ID bob
  hitl delegate ID --group sre";

/// Hand an event over to somebody else
#[derive(Args, Debug)]
#[command(after_help = DELEGATE_HELP)]
pub(super) struct DelegateArgs {
    /// The event's id, or the first digits of it.
    id: String,

    /// The person whom it is for from now on.
    person: Option<String>,

    /// The group that it is for from now on.
    #[arg(long, value_name = "NAME", conflicts_with = "person")]
    group: Option<String>,

    #[command(flatten)]
    by: ResponderArgs,
}

pub(super) async fn run(server: &ServerArgs, args: &ClaimArgs) -> anyhow::Result<Exit> {
    let client = server.client()?;
    let id = reach(&client, id::resolve(&client, &args.id)).await?;
    if args.release {
        reach(&client, client.release(&id, &args.by.responder)).await?;
        terminal::note("Nobody is at it now.");
        return Ok(Exit::Done);
    }
    let event = reach(&client, client.claim(&id, args.ttl, &args.by.responder)).await?;
    let until = event.claim.and_then(|claim| claim.expire_time);
    let until = until.map(|until| format!(" until {until}")).unwrap_or_default();
    terminal::note(&format!(
        "You are at it{until}. To answer: hitl answer {id}{}",
        server.as_flags()
    ));
    Ok(Exit::Done)
}

pub(super) async fn delegate(server: &ServerArgs, args: &DelegateArgs) -> anyhow::Result<Exit> {
    let to = match (&args.person, &args.group) {
        (Some(person), _) => Assignee::person(person),
        (None, Some(group)) => Assignee::group(group),
        (None, None) => {
            return Err(Usage("say to whom: give a name or --group".to_owned(), "delegate").into());
        }
    };
    let client = server.client()?;
    let id = reach(&client, id::resolve(&client, &args.id)).await?;
    reach(&client, client.delegate(&id, to, &args.by.responder)).await?;
    terminal::note("Handed over.");
    Ok(Exit::Done)
}
