//! `hitl wait`: waits for an event and prints the answer; what `hitl ask` does after asking, too.

use std::time::Duration;

use clap::Args;
use hitl::Client;
use hitl::v1::{Event, EventState};

use super::exit::Exit;
use super::terminal::{self, StatusLine};
use super::{ServerArgs, id, show};

const HELP: &str = "\
The value alone goes to stdout. How the event ends is the exit code, as with `hitl ask`. The wait goes on \
through lost connections and restarts of the server; Ctrl-C leaves the event open.

Example:
  answer=$(hitl wait 0192f0c1a7e47b3c8d5e6f7a8b9c0d1e)";

/// Wait for an event and print its answer
#[derive(Args, Debug)]
#[command(after_help = HELP)]
pub(super) struct WaitArgs {
    /// The event's id, or the first digits of it.
    id: String,

    /// Prints the event as one line of JSON instead of the value.
    #[arg(long)]
    json: bool,
}

pub(super) async fn run(server: &ServerArgs, args: &WaitArgs) -> anyhow::Result<Exit> {
    let client = server.client()?;
    let id = id::resolve(&client, &args.id).await?;
    let event = client.get(&id).await?;
    follow(server, &client, event, args.json).await
}

/// Waits until `event` ends, showing the time left, and prints what it came to.
pub(super) async fn follow(
    server: &ServerArgs,
    client: &Client,
    event: Event,
    json: bool,
) -> anyhow::Result<Exit> {
    let ended = tokio::select! {
        ended = client.wait_event(&event.id) => ended?,
        never = count_down(&event) => never,
        pressed = tokio::signal::ctrl_c() => {
            pressed?;
            let flags = server.as_flags();
            terminal::note(&format!(
                "The event stays open.\n  To wait again: hitl wait {0}{flags}\n  \
                 To withdraw it: hitl cancel {0}{flags}",
                event.id
            ));
            return Ok(Exit::Interrupted);
        }
    };
    report(&ended, json)
}

/// Shows the time left: once a second on a terminal, else once.
async fn count_down(event: &Event) -> Event {
    if event.state() != EventState::Pending {
        return std::future::pending().await;
    }
    let line = StatusLine::new();
    if !line.is_on() {
        terminal::note(&format!("Waiting: {}", show::when(event)));
        return std::future::pending().await;
    }
    let mut second = tokio::time::interval(Duration::from_secs(1));
    loop {
        second.tick().await;
        line.set(&format!("Waiting: {} (Ctrl-C leaves the event open)", show::when(event)));
    }
}

fn report(event: &Event, json: bool) -> anyhow::Result<Exit> {
    let exit = Exit::of(event);
    match (exit, event.state()) {
        (Exit::Done, EventState::TimedOut) => {
            terminal::note("Nobody answered in time: this is the default.");
        }
        (Exit::Done, _) => {}
        _ => terminal::note(&show::ending(event)),
    }
    if json {
        terminal::print(&show::json(event))?;
    } else if exit == Exit::Done || event.state() == EventState::Answered {
        terminal::print(&show::value(event)?)?;
    }
    Ok(exit)
}
