//! `hitl comment`: says something in the thread of an event, or shows what was said.

use clap::Args;
use hitl::v1::Comment;
use serde_json::Value;

use super::exit::Exit;
use super::responder::ResponderArgs;
use super::{ServerArgs, id, reach, show, terminal};

const HELP: &str = "\
Without TEXT it shows what was said so far. A comment answers nothing: `hitl answer` does.

Examples:
  hitl comment ID
  hitl comment ID 'The canary has run for an hour.'
  hitl comment ID --needs-info 'Which region is this about?' --as Ada";

/// Say something about an event, or show what was said
#[derive(Args, Debug)]
#[command(after_help = HELP)]
pub(super) struct CommentArgs {
    /// The event's id, or the first digits of it.
    id: String,

    /// What to say.
    text: Option<String>,

    /// Says that whoever asked is to say more before it can be answered.
    #[arg(long, requires = "text")]
    needs_info: bool,

    /// Prints the comments as JSON, one a line.
    #[arg(long)]
    json: bool,

    #[command(flatten)]
    by: ResponderArgs,
}

pub(super) async fn run(server: &ServerArgs, args: &CommentArgs) -> anyhow::Result<Exit> {
    let client = server.client()?;
    let id = reach(&client, id::resolve(&client, &args.id)).await?;
    let comments = match &args.text {
        Some(text) => {
            let said = client.comment(&id, text, args.needs_info, &args.by.responder);
            let said = reach(&client, said).await?;
            if !args.json {
                terminal::note("Said. Whoever waits with updates hears it, and the page shows it.");
                return Ok(Exit::Done);
            }
            vec![said]
        }
        None => reach(&client, client.comments(&id)).await?,
    };
    if comments.is_empty() && !args.json {
        terminal::note("Nothing was said yet.");
    }
    for comment in &comments {
        terminal::print(&if args.json { json(comment).to_string() } else { line(comment) })?;
    }
    Ok(Exit::Done)
}

fn json(comment: &Comment) -> Value {
    crate::json::to_json(comment)
}

fn line(comment: &Comment) -> String {
    let author = comment.author.clone().unwrap_or_default();
    let who = terminal::one_line(&show::called(&author), 60);
    let time = comment.time.map(|time| time.to_string()).unwrap_or_default();
    let asks = if comment.needs_info { ", who asks for more" } else { "" };
    format!("{time} {who}{asks}: {}", terminal::indented(&comment.text, 2))
}
