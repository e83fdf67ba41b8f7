//! `hitl decline`: refuses to answer an event.

use clap::Args;

use super::exit::Exit;
use super::responder::ResponderArgs;
use super::{ServerArgs, id, reach, show, terminal};

/// Decline an event: refuse to give a value
#[derive(Args, Debug)]
#[command(after_help = "Example:\n  hitl decline ID --reason 'not on a Friday' --as Ada")]
pub(super) struct DeclineArgs {
    /// The event's id, or the first digits of it.
    id: String,

    /// Why; whoever asked is told.
    #[arg(long, value_name = "TEXT", default_value = "", hide_default_value = true)]
    reason: String,

    #[command(flatten)]
    by: ResponderArgs,
}

pub(super) async fn run(server: &ServerArgs, args: &DeclineArgs) -> anyhow::Result<Exit> {
    let client = server.client()?;
    let id = reach(&client, id::resolve(&client, &args.id)).await?;
    let event = reach(&client, client.decline(&id, &args.reason, &args.by.responder)).await?;
    terminal::note(&show::ending(&event));
    Ok(Exit::Done)
}
