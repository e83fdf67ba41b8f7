//! `hitl decline`: refuses to answer an event.

use clap::Args;

use super::exit::Exit;
use super::{ServerArgs, show, terminal};

/// Decline an event: refuse to give a value
#[derive(Args, Debug)]
#[command(after_help = "Example:\n  hitl decline ID --reason 'not on a Friday' --as Ada")]
pub(super) struct DeclineArgs {
    /// The event's id.
    id: String,

    /// Why; whoever asked is told.
    #[arg(long, value_name = "TEXT", default_value = "", hide_default_value = true)]
    reason: String,

    /// Who declines; recorded with the reason.
    #[arg(
        long = "as",
        value_name = "NAME",
        env = "USER",
        default_value = "",
        hide_default_value = true
    )]
    responder: String,
}

pub(super) async fn run(server: &ServerArgs, args: &DeclineArgs) -> anyhow::Result<Exit> {
    let event = server.client()?.decline(&args.id, &args.reason, &args.responder).await?;
    terminal::note(&show::ending(&event));
    Ok(Exit::Done)
}
