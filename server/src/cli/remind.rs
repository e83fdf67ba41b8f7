//! `hitl remind`: tells those again who were asked.

use clap::Args;

use super::exit::Exit;
use super::{ServerArgs, id, reach, terminal};

/// Tell those again who were asked, by the channels that tell of the event
#[derive(Args, Debug)]
#[command(
    after_help = "At most once in ten minutes for each event. Reminders by the clock are set when it is asked: \
see `hitl ask --remind`.\n\nExample:\n  hitl remind ID --note 'the window closes at noon'"
)]
pub(super) struct RemindArgs {
    /// The event's id, or the first digits of it.
    id: String,

    /// What else to say.
    #[arg(long, value_name = "TEXT", default_value = "", hide_default_value = true)]
    note: String,
}

pub(super) async fn run(server: &ServerArgs, args: &RemindArgs) -> anyhow::Result<Exit> {
    let client = server.client()?;
    let id = reach(&client, id::resolve(&client, &args.id)).await?;
    reach(&client, client.remind(&id, &args.note)).await?;
    terminal::note("Those who were asked are told again.");
    Ok(Exit::Done)
}
