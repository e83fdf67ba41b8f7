//! `hitl status`: which server commands use, and who they are there.

use clap::Args;
use hitl::v1::{CredentialKind, EventState, ListEventsRequest, WhoAmIResponse};
use serde_json::json;

use super::exit::Exit;
use super::{ServerArgs, given, reach, show, terminal, up};
use crate::local::State;

/// Events that are counted at most.
const COUNTED_MAX: usize = 1_000;

/// Say which server is used, who you are there, and how much waits
#[derive(Args, Debug)]
#[command(after_help = "\
Without --endpoint it is about the local server, which is not started for it. It exits with 1 if no server is there.

Examples:
  hitl status
  hitl status --json | jq -r .endpoint")]
pub(super) struct StatusArgs {
    /// Prints it as one line of JSON.
    #[arg(long)]
    json: bool,
}

pub(super) async fn run(server: &ServerArgs, args: &StatusArgs) -> anyhow::Result<Exit> {
    let local = match given(&server.endpoint) {
        Some(_) => None,
        None => {
            let dir = up::data_dir()?;
            let Some(state) = State::of_living(&dir)? else {
                return no_server(args.json);
            };
            Some((dir, state))
        }
    };
    let client = server.client()?;
    let who = reach(&client, client.who_am_i()).await?;
    let pending = pending(&client).await?;
    let endpoint = client.endpoint();
    if args.json {
        let mut status = json!({
            "running": true,
            "endpoint": endpoint,
            "namespace": client.namespace(),
            "principal": who.principal,
            "knownBy": who.known_by().as_str_name(),
            "pending": pending.0,
            "pendingIsMore": pending.1,
        });
        if let Some((dir, state)) = &local {
            status["pid"] = state.pid.into();
            status["version"] = state.version.clone().into();
            status["data"] = dir.path().display().to_string().into();
        }
        terminal::print(&status.to_string())?;
        return Ok(Exit::Done);
    }
    let mut lines = vec![("server", endpoint)];
    if let Some((dir, State { pid, version, .. })) = &local {
        lines.push(("process", format!("{pid}, version {version}, of this machine alone")));
        lines.push(("data", dir.path().display().to_string()));
    }
    lines.push(("namespace", client.namespace().to_owned()));
    lines.push(("you", you(&who)));
    lines.push(("waits", how_many(pending)));
    terminal::print(&show::listed(&lines))?;
    Ok(Exit::Done)
}

fn no_server(json: bool) -> anyhow::Result<Exit> {
    if json {
        terminal::print(&json!({"running": false}).to_string())?;
    } else {
        terminal::note("No local server runs. The next command that needs one starts it.");
    }
    Ok(Exit::Error)
}

/// How many events wait, and whether there are more.
async fn pending(client: &hitl::Client) -> anyhow::Result<(usize, bool)> {
    let mut request = ListEventsRequest {
        state: EventState::Pending.into(),
        page_size: 500,
        ..Default::default()
    };
    let mut count = 0;
    loop {
        let page = client.list(request.clone()).await?;
        count += page.events.len();
        request.page_token = page.next_page_token;
        if request.page_token.is_empty() || count >= COUNTED_MAX {
            return Ok((count, !request.page_token.is_empty()));
        }
    }
}

fn how_many((count, is_more): (usize, bool)) -> String {
    match (count, is_more) {
        (0, _) => "nothing".to_owned(),
        (1, false) => "1 event".to_owned(),
        (count, false) => format!("{count} events"),
        (count, true) => format!("more than {count} events"),
    }
}

fn you(who: &WhoAmIResponse) -> String {
    match who.known_by() {
        CredentialKind::Unspecified | CredentialKind::None => {
            "nobody in particular: this server asks for no credential".to_owned()
        }
        known_by => show::proved(known_by, &who.principal),
    }
}
