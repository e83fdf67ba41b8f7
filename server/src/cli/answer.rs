//! `hitl answer`: answers an event.

use std::io::{self, IsTerminal};

use clap::Args;
use hitl::v1::EventState;
use hitl::{Answer, Client, ErrorKind};
use tokio::task::block_in_place;

use super::dialog::Dialog;
use super::exit::{Exit, Usage};
use super::responder::ResponderArgs;
use super::{ServerArgs, default, id, reach, show, terminal};
use crate::api::from_proto;

const HELP: &str = "\
VALUE is what a person would type; --json takes plain JSON. Without either, the question is shown and the answer asked \
for at the terminal. The first valid answer wins; one that does not fit changes nothing.

Examples:
  hitl answer ID
  hitl answer ID 42
  hitl answer ID yes --as Ada --comment 'Canary looked fine'
  hitl answer ID $'first option\\nsecond option'
  hitl answer ID --json '{\"region\": \"eu\", \"replicas\": 3}'";

/// Answer an event
#[derive(Args, Debug)]
#[command(after_help = HELP)]
pub(super) struct AnswerArgs {
    /// The event's id, or the first digits of it.
    id: String,

    /// The answer as text: a choice takes its options one a line, an object takes JSON.
    #[arg(conflicts_with = "json", allow_hyphen_values = true)]
    value: Option<String>,

    /// The answer as JSON.
    #[arg(long, value_name = "VALUE", allow_hyphen_values = true)]
    json: Option<String>,

    /// What else there is to say: the program gets it with the answer.
    #[arg(long, value_name = "TEXT")]
    comment: Option<String>,

    #[command(flatten)]
    by: ResponderArgs,
}

pub(super) async fn run(server: &ServerArgs, args: AnswerArgs) -> anyhow::Result<Exit> {
    let answer = args.json.map(Answer::Json).or_else(|| args.value.map(Answer::Text));
    if answer.is_none() && !(io::stdin().is_terminal() && io::stderr().is_terminal()) {
        let why = "there is no terminal to ask for the answer at: give VALUE or --json";
        return Err(Usage(why.to_owned(), "answer").into());
    }
    let client = server.client()?;
    let comment = args.comment.unwrap_or_default();
    let id = reach(&client, id::resolve(&client, &args.id)).await?;
    let Some(answer) = answer else {
        return converse(&client, &id, &args.by.responder, &comment).await;
    };
    let call = client.answer_with_comment(&id, answer, &args.by.responder, &comment);
    let event = reach(&client, call).await?;
    terminal::note(&show::ending(&event));
    Ok(Exit::Done)
}

/// Shows the question, and asks for the answer until the server takes one.
async fn converse(
    client: &Client,
    id: &str,
    responder: &str,
    comment: &str,
) -> anyhow::Result<Exit> {
    let event = reach(client, client.get(id)).await?;
    if event.state() != EventState::Pending {
        terminal::note(&show::ending(&event));
        return Ok(Exit::Error);
    }
    terminal::note(&show::question(&event));
    let input = from_proto::input(event.input).map_err(|_| {
        anyhow::anyhow!("this program does not know this type of answer: is the server newer?")
    })?;
    let mut dialog = Dialog { typed: io::stdin().lock(), shown: io::stderr() };
    loop {
        let Some(value) = block_in_place(|| dialog.answer(&input))? else {
            terminal::note("Nothing was sent.");
            return Ok(Exit::Interrupted);
        };
        let answer = Answer::Value(default::message(value));
        match client.answer_with_comment(id, answer, responder, comment).await {
            Ok(event) => {
                terminal::note(&show::ending(&event));
                return Ok(Exit::Done);
            }
            // The server knows rules that were not looked at here.
            Err(error) if error.kind() == ErrorKind::Invalid => dialog.refused(error.message())?,
            Err(error) => return Err(error.into()),
        }
    }
}
