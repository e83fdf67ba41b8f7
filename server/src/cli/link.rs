//! `hitl link`: makes a link for one person, and ends links.

use std::time::{Duration, SystemTime};

use anyhow::Context;
use clap::{Args, Subcommand};
use serde_json::json;

use super::exit::Exit;
use super::{ServerArgs, id, reach, terminal};

/// Make a link by which one person answers an event, or end links
#[derive(Args, Debug)]
#[command(
    args_conflicts_with_subcommands = true,
    subcommand_negates_reqs = true,
    after_help = "\
Whoever answers by the link is recorded as the person it was made for, so send it to nobody else. It is good for as
long as the event waits, or as --expires says; afterwards it shows how the event ended. It is not shown again.

Examples:
  hitl link ID --for 'Ada Lovelace'
  hitl link ID --for ada --expires 2h
  hitl link revoke ID --for ada"
)]
pub(super) struct LinkArgs {
    #[command(subcommand)]
    command: Option<LinkCommand>,

    #[command(flatten)]
    make: Option<MakeArgs>,
}

#[derive(Args, Debug)]
struct MakeArgs {
    /// The event's id, or the first digits of it.
    id: String,

    /// The person that the link is for.
    #[arg(long = "for", value_name = "NAME")]
    responder: String,

    /// For how long the link is good, such as 2h. [default: as long as the event waits]
    #[arg(long, value_name = "TIME", value_parser = humantime::parse_duration)]
    expires: Option<Duration>,

    /// Prints the link as one line of JSON, with the address for programs and the time at which it expires.
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Subcommand)]
enum LinkCommand {
    /// End links of an event, for good and on every server
    #[command(after_help = "\
Links that are made afterwards are good. The link that `hitl ask` and `hitl get` show ends with all others, and there
is no other of its kind: make links for persons then.

Examples:
  hitl link revoke ID --for ada
  hitl link revoke ID")]
    Revoke {
        /// The event's id, or the first digits of it.
        id: String,

        /// The person whose links end. [default: all links of the event end]
        #[arg(long = "for", value_name = "NAME")]
        responder: Option<String>,
    },
}

pub(super) async fn run(server: &ServerArgs, args: LinkArgs) -> anyhow::Result<Exit> {
    match (args.command, args.make) {
        (Some(LinkCommand::Revoke { id, responder }), _) => {
            let client = server.client()?;
            let id = reach(&client, id::resolve(&client, &id)).await?;
            reach(&client, client.revoke_links(&id, responder.as_deref())).await?;
            Ok(Exit::Done)
        }
        (None, make) => make_link(server, &make.context("give the id of an event")?).await,
    }
}

/// The link alone goes where a program reads it.
async fn make_link(server: &ServerArgs, args: &MakeArgs) -> anyhow::Result<Exit> {
    let client = server.client()?;
    let id = reach(&client, id::resolve(&client, &args.id)).await?;
    let link = reach(&client, client.create_link(&id, &args.responder, args.expires)).await?;
    let expires = rfc3339(link.expires);
    if args.json {
        let shown = json!({"url": link.url, "apiUrl": link.api_url, "expireTime": expires});
        terminal::print(&shown.to_string())?;
    } else {
        terminal::print(&link.url)?;
    }
    terminal::note(&format!(
        "This link is for {}, until {expires}. It is not shown again: whoever has it answers by that name.",
        terminal::one_line(&args.responder, 60)
    ));
    Ok(Exit::Done)
}

fn rfc3339(time: SystemTime) -> String {
    humantime::format_rfc3339_millis(time).to_string()
}
