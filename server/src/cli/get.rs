//! `hitl get`: shows an event.

use clap::Args;

use super::exit::Exit;
use super::{ServerArgs, id, reach, show, terminal};

const HELP: &str = "\
Shows the link too: whoever has that can answer.

Examples:
  hitl get ID
  hitl get ID --json | jq -r .state";

/// Show an event as it stands
#[derive(Args, Debug)]
#[command(after_help = HELP)]
pub(super) struct GetArgs {
    /// The event's id, or the first digits of it.
    id: String,

    /// Prints the event as one line of JSON.
    #[arg(long)]
    json: bool,
}

pub(super) async fn run(server: &ServerArgs, args: &GetArgs) -> anyhow::Result<Exit> {
    let client = server.client()?;
    let id = reach(&client, id::resolve(&client, &args.id)).await?;
    let event = reach(&client, client.get(&id)).await?;
    let shown = if args.json { show::json(&event) } else { show::event(&event)? };
    terminal::print(&shown)?;
    Ok(Exit::Done)
}
