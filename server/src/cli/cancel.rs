//! `hitl cancel`: withdraws an event.

use clap::Args;

use super::exit::Exit;
use super::{ServerArgs, id, reach, show, terminal};

/// Cancel an event: withdraw the question
#[derive(Args, Debug)]
#[command(after_help = "Example:\n  hitl cancel ID --reason 'the build was superseded'")]
pub(super) struct CancelArgs {
    /// The event's id, or the first digits of it.
    id: String,

    /// Why; whoever waits is told.
    #[arg(long, value_name = "TEXT", default_value = "", hide_default_value = true)]
    reason: String,
}

pub(super) async fn run(server: &ServerArgs, args: &CancelArgs) -> anyhow::Result<Exit> {
    let client = server.client()?;
    let id = reach(&client, id::resolve(&client, &args.id)).await?;
    let event = reach(&client, client.cancel(&id, &args.reason)).await?;
    terminal::note(&show::ending(&event));
    Ok(Exit::Done)
}
