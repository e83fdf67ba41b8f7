//! `hitl answer`: answers an event.

use clap::Args;
use hitl::Answer;

use super::exit::Exit;
use super::responder::ResponderArgs;
use super::{ServerArgs, reach, show, terminal};

const HELP: &str = "\
VALUE is what a person would type; --json takes plain JSON. The first valid answer wins; one that does \
not fit changes nothing.

Examples:
  hitl answer ID 42
  hitl answer ID yes --as Ada
  hitl answer ID $'first option\\nsecond option'
  hitl answer ID --json '{\"region\": \"eu\", \"replicas\": 3}'";

/// Answer an event
#[derive(Args, Debug)]
#[command(after_help = HELP)]
pub(super) struct AnswerArgs {
    /// The event's id.
    id: String,

    /// The answer as text: a choice takes its options one a line, an object takes JSON.
    #[arg(required_unless_present = "json", conflicts_with = "json", allow_hyphen_values = true)]
    value: Option<String>,

    /// The answer as JSON.
    #[arg(long, value_name = "VALUE", allow_hyphen_values = true)]
    json: Option<String>,

    #[command(flatten)]
    by: ResponderArgs,
}

pub(super) async fn run(server: &ServerArgs, args: AnswerArgs) -> anyhow::Result<Exit> {
    let answer = match args.json {
        Some(json) => Answer::Json(json),
        None => Answer::Text(args.value.unwrap_or_default()),
    };
    let client = server.client()?;
    let event = reach(&client, client.answer(&args.id, answer, &args.by.responder)).await?;
    terminal::note(&show::ending(&event));
    Ok(Exit::Done)
}
