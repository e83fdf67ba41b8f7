//! `hitl list`: lists events.

use std::collections::BTreeSet;

use clap::{Args, ValueEnum};
use hitl::v1::{Event, EventState, ListEventsRequest};

use super::ask::label;
use super::exit::Exit;
use super::{ServerArgs, reach, show, terminal};

const HELP: &str = "\
Pending events come first, nearest deadline first; then the ended ones, latest first.

Examples:
  hitl list
  hitl list --state any --scope nightly-42
  hitl list --label team=payments --json | jq -r .id";

const PAGE_SIZE: usize = 100;

/// The state to list.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum State {
    /// Waits for a person
    Pending,
    /// A person gave a value
    Answered,
    /// A person refused
    Declined,
    /// Whoever asked withdrew the question
    Cancelled,
    /// Nobody answered in time
    TimedOut,
    /// All of them
    Any,
}

/// List events, the pending ones unless told otherwise
#[derive(Args, Debug)]
#[command(after_help = HELP)]
pub(super) struct ListArgs {
    /// Only events in this state.
    #[arg(long, default_value = "pending")]
    state: State,

    /// Only events of exactly this name.
    #[arg(long, default_value = "", hide_default_value = true)]
    name: String,

    /// Only events of exactly this run.
    #[arg(long, default_value = "", hide_default_value = true)]
    scope: String,

    /// Only events with this label. May be repeated.
    #[arg(long = "label", value_name = "KEY=VALUE", value_parser = label)]
    labels: Vec<(String, String)>,

    /// Most events to list.
    #[arg(long, value_name = "NUMBER", default_value_t = PAGE_SIZE)]
    limit: usize,

    /// Lists every event, however many.
    #[arg(long, conflicts_with = "limit")]
    all: bool,

    /// Prints each event as one line of JSON.
    #[arg(long)]
    json: bool,
}

pub(super) async fn run(server: &ServerArgs, args: ListArgs) -> anyhow::Result<Exit> {
    let client = server.client()?;
    let mut left = if args.all { usize::MAX } else { args.limit };
    let json = args.json;
    let mut request = args.into_request();
    let mut table = vec![["ID", "NAME", "STATE", "WHEN", "PROMPT"].map(str::to_owned)];
    let mut more = true;
    let mut unreadable = BTreeSet::new();
    while more && left > 0 {
        request.page_size = i32::try_from(left.min(PAGE_SIZE)).unwrap_or(i32::MAX);
        let page = reach(&client, client.list(request.clone())).await?;
        left = left.saturating_sub(page.events.len());
        unreadable.extend(page.unreadable);
        for event in page.events {
            if json {
                terminal::print(&show::json(&event))?;
            } else {
                table.push(row(&event));
            }
        }
        more = !page.next_page_token.is_empty();
        request.page_token = page.next_page_token;
    }
    if !json {
        terminal::print(&aligned(&table))?;
    }
    for what in unreadable {
        terminal::note(&format!("Missing, because the server's store is damaged there: {what}"));
    }
    if more {
        terminal::note("There are more: give --all, or a larger --limit.");
    }
    Ok(Exit::Done)
}

impl ListArgs {
    fn into_request(self) -> ListEventsRequest {
        let state = match self.state {
            State::Pending => EventState::Pending,
            State::Answered => EventState::Answered,
            State::Declined => EventState::Declined,
            State::Cancelled => EventState::Cancelled,
            State::TimedOut => EventState::TimedOut,
            State::Any => EventState::Unspecified,
        };
        ListEventsRequest {
            state: state.into(),
            name: self.name,
            scope: self.scope,
            labels: self.labels.into_iter().collect(),
            ..Default::default()
        }
    }
}

fn row(event: &Event) -> [String; 5] {
    [
        event.id.clone(),
        terminal::one_line(&event.name, 24),
        show::state(event),
        show::when(event),
        terminal::one_line(&event.prompt, 60),
    ]
}

/// The rows with every column but the last as wide as its widest cell.
pub(super) fn aligned<const N: usize>(rows: &[[String; N]]) -> String {
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max();
    let widths: [usize; N] = std::array::from_fn(|column| width(column).unwrap_or(0));
    let lines = rows.iter().map(|row| {
        let cells = row.iter().zip(widths).map(|(cell, width)| format!("{cell:width$}"));
        cells.collect::<Vec<_>>().join("  ").trim_end().to_owned()
    });
    lines.collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_as_wide_as_their_widest_cell() {
        let rows = [["A", "B", "C"], ["äöü", "b", "c"], ["x", "yy", ""]];
        let rows = rows.map(|row| row.map(str::to_owned));
        assert_eq!(aligned(&rows), "A    B   C\näöü  b   c\nx    yy");
    }
}
