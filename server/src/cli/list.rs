//! `hitl list`: lists events.

use std::collections::BTreeSet;
use std::time::Duration;

use clap::{Args, ValueEnum};
use hitl::v1::{Event, EventState, ListEventsRequest, WatchEventsRequest};
use hitl::{Change, Client, Watch};
use tokio::time::{Instant, sleep, sleep_until};

use super::ask::label;
use super::exit::Exit;
use super::table::{Cell, aligned};
use super::terminal::Style;
use super::{ServerArgs, id, reach, show, terminal};

const HELP: &str = "\
Pending events come first, nearest deadline first; then the ended ones, latest first. On a terminal the ids are as \
short as tells them apart, and every command takes them so.

Examples:
  hitl list
  hitl list --watch
  hitl list --state any --scope nightly-42
  hitl list --label team=payments --json | jq -r .id";

const PAGE_SIZE: usize = 100;
/// Columns that a name takes at most, and below which a terminal is too narrow for names.
const NAME_COLUMNS: usize = 24;
const NARROW: usize = 72;
/// Characters of a prompt that are shown where no terminal cuts it.
const PROMPT_CHARS_MAX: usize = 200;
/// How often a list that is watched is shown anew, at most and at least.
const REDRAW_MIN: Duration = Duration::from_millis(500);
const REDRAW_MAX: Duration = Duration::from_secs(10);
/// Lines of the terminal that a list which is watched does not take: its head, what follows it, and the cursor's.
const LINES_LEFT: usize = 4;

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

    /// Goes on until Ctrl-C, and shows what changes: the list itself on a terminal, else each event that was created or
    /// ended as another line.
    #[arg(long)]
    watch: bool,
}

pub(super) async fn run(server: &ServerArgs, args: ListArgs) -> anyhow::Result<Exit> {
    let client = server.client()?;
    let view = View { json: args.json, is_pending_only: matches!(args.state, State::Pending) };
    let limit = if args.all { usize::MAX } else { args.limit };
    let watches = args.watch;
    let request = args.into_request();
    match (watches, terminal::size().filter(|_| !view.json)) {
        (true, Some(size)) => watch_on_terminal(&client, request, view, limit, size).await,
        (true, None) => watch_in_lines(&client, request, view, limit).await,
        (false, _) => {
            let listed = reach(&client, list(&client, request, limit)).await?;
            listed.print(view)?;
            Ok(Exit::Done)
        }
    }
}

/// How events are shown.
#[derive(Clone, Copy, Debug)]
struct View {
    json: bool,
    /// Whether their state goes without saying.
    is_pending_only: bool,
}

/// What a list came to.
#[derive(Debug, Default)]
struct Listed {
    events: Vec<Event>,
    unreadable: BTreeSet<String>,
    has_more: bool,
    /// With it a watch shows what came after the list.
    resume_token: String,
}

async fn list(
    client: &Client,
    mut request: ListEventsRequest,
    limit: usize,
) -> anyhow::Result<Listed> {
    let mut listed = Listed { has_more: true, ..Listed::default() };
    while listed.has_more && listed.events.len() < limit {
        let left = limit - listed.events.len();
        request.page_size = i32::try_from(left.min(PAGE_SIZE)).unwrap_or(i32::MAX);
        let page = client.list(request.clone()).await?;
        if request.page_token.is_empty() {
            listed.resume_token = page.resume_token;
        }
        listed.events.extend(page.events);
        listed.unreadable.extend(page.unreadable);
        listed.has_more = !page.next_page_token.is_empty();
        request.page_token = page.next_page_token;
    }
    Ok(listed)
}

impl Listed {
    fn print(&self, view: View) -> anyhow::Result<()> {
        if view.json {
            for event in &self.events {
                terminal::print(&show::json(event))?;
            }
        } else if !self.events.is_empty() {
            terminal::print_painted(&view.table(&self.events))?;
        }
        for note in self.notes(view) {
            terminal::note(&note);
        }
        Ok(())
    }

    /// What is said beside the events.
    fn notes(&self, view: View) -> Vec<String> {
        let mut notes = Vec::new();
        if self.events.is_empty() && !self.has_more {
            let nothing = if view.is_pending_only { "Nothing waits." } else { "There are none." };
            notes.push(nothing.to_owned());
        }
        let missing = self.unreadable.iter();
        notes.extend(
            missing.map(|what| {
                format!("Missing, because the server's store is damaged there: {what}")
            }),
        );
        if self.has_more {
            notes.push("There are more: give --all, or a larger --limit.".to_owned());
        }
        notes
    }
}

/// Shows the list in the stead of what the terminal showed, again after each change and as time goes by.
async fn watch_on_terminal(
    client: &Client,
    request: ListEventsRequest,
    view: View,
    limit: usize,
    (_, lines): (usize, usize),
) -> anyhow::Result<Exit> {
    let limit = limit.min(lines.saturating_sub(LINES_LEFT).max(1));
    let mut watch: Option<Watch> = None;
    loop {
        let listed = reach(client, list(client, request.clone(), limit)).await?;
        let table =
            if listed.events.is_empty() { String::new() } else { view.table(&listed.events) };
        terminal::redraw(&format!("{table}\n{}", listed.notes(view).join("\n")))?;
        let shown = Instant::now();
        let watch = watch.get_or_insert_with(|| watch_of(client, &request, &listed));
        tokio::select! {
            changed = watch.next() => { changed?; }
            () = sleep_until(shown + REDRAW_MAX) => {}
            pressed = tokio::signal::ctrl_c() => {
                pressed?;
                return Ok(Exit::Interrupted);
            }
        }
        sleep(REDRAW_MIN.saturating_sub(shown.elapsed())).await;
    }
}

/// Prints the list, and then each event that is created or ends.
async fn watch_in_lines(
    client: &Client,
    request: ListEventsRequest,
    view: View,
    limit: usize,
) -> anyhow::Result<Exit> {
    let listed = reach(client, list(client, request.clone(), limit)).await?;
    listed.print(view)?;
    // An event that pends no more is news to whoever lists those that do.
    let view = View { is_pending_only: false, ..view };
    let request = ListEventsRequest { state: EventState::Unspecified.into(), ..request };
    let mut watch = watch_of(client, &request, &Listed::default());
    loop {
        let Change { event, .. } = tokio::select! {
            changed = watch.next() => changed?,
            pressed = tokio::signal::ctrl_c() => {
                pressed?;
                return Ok(Exit::Interrupted);
            }
        };
        if view.json {
            terminal::print(&show::json(&event))?;
        } else {
            terminal::print_painted(&aligned(&[view.row(&event, None)], None))?;
        }
    }
}

fn watch_of(client: &Client, request: &ListEventsRequest, listed: &Listed) -> Watch {
    client.watch(WatchEventsRequest {
        namespace: request.namespace.clone(),
        resume_token: listed.resume_token.clone(),
        name: request.name.clone(),
        scope: request.scope.clone(),
        labels: request.labels.clone(),
        ..Default::default()
    })
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

impl View {
    /// The events in a table: on a terminal as wide as that, elsewhere with all that there is.
    fn table(self, events: &[Event]) -> String {
        let columns = terminal::size().map(|(columns, _)| columns);
        self.table_of(events, columns)
    }

    fn table_of(self, events: &[Event], columns: Option<usize>) -> String {
        let ids = events.iter().map(|event| event.id.as_str());
        let shape = columns.map(|columns| Shape {
            digits: id::digits_that_differ(ids),
            has_name: columns >= NARROW,
        });
        let mut heads = vec!["ID", "NAME", "STATE", "WHEN", "PROMPT"];
        heads.retain(|head| match *head {
            "STATE" => shape.is_none() || !self.is_pending_only,
            "NAME" => shape.is_none_or(|shape| shape.has_name),
            _ => true,
        });
        let mut rows: Vec<_> = vec![heads.into_iter().map(heading).collect()];
        rows.extend(events.iter().map(|event| self.row(event, shape)));
        aligned(&rows, columns)
    }

    /// The cells of an event, for a terminal of this shape or for whoever reads all.
    fn row(self, event: &Event, shape: Option<Shape>) -> Vec<Cell> {
        let digits = shape.map_or(event.id.len(), |shape| shape.digits.min(event.id.len()));
        let mut row = vec![Cell::from(&event.id[..digits])];
        if shape.is_none_or(|shape| shape.has_name) {
            row.push(Cell::from(event.name.as_str()).at_most(NAME_COLUMNS));
        }
        if shape.is_none() || !self.is_pending_only {
            row.push(Cell::from(show::state(event)));
        }
        row.push(Cell::new(&show::when(event), urgency(event)));
        let asked = if event.title.is_empty() { &event.prompt } else { &event.title };
        row.push(Cell::from(terminal::one_line(asked, PROMPT_CHARS_MAX)));
        row
    }
}

/// What of an event there is room for on a terminal.
#[derive(Clone, Copy, Debug)]
struct Shape {
    /// Digits of the ids.
    digits: usize,
    has_name: bool,
}

fn heading(text: &str) -> Cell {
    Cell::new(text, Style::Heading)
}

/// How soon it has to be answered.
fn urgency(event: &Event) -> Style {
    match show::left(event) {
        None => Style::Quiet,
        Some(left) if left < Duration::from_secs(2 * 60) => Style::Late,
        Some(left) if left < Duration::from_secs(10 * 60) => Style::Soon,
        Some(_) => Style::Plain,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use unicode_width::UnicodeWidthStr;

    fn event(id: &str, prompt: &str) -> Event {
        let name = "deploy-to-production-of-everything".to_owned();
        let (id, prompt) = (id.to_owned(), prompt.to_owned());
        Event { id, prompt, name, state: EventState::Pending.into(), ..Default::default() }
    }

    #[test]
    fn a_list_fits_the_terminal_and_shows_what_it_has_room_for() {
        let view = View { json: false, is_pending_only: true };
        let events = [
            event("0192f0c1a7e47b3c8d5e6f7a8b9c0d1e", "Deploy release 2.41 to production now?"),
            event(
                "0192f0c1a8e47b3c8d5e6f7a8b9c0d1e",
                "リリースを本番環境に展開してもよろしいですか、それとも待ちますか",
            ),
        ];
        for columns in [60, 80, 160] {
            let table = view.table_of(&events, Some(columns));
            // Without colours.
            let table = anstream::adapter::strip_str(&table).to_string();
            assert!(table.lines().all(|line| line.width() <= columns), "{columns}:\n{table}");
            assert!(table.contains("\n0192f0c1a7  ") && table.contains("Deploy"), "{table}");
            assert_eq!(table.contains("deploy-to"), columns >= NARROW, "{table}");
            assert!(!table.contains("PENDING"), "{table}");
        }
        let whole = view.table_of(&events, None);
        assert!(whole.contains("0192f0c1a7e47b3c8d5e6f7a8b9c0d1e") && whole.contains("PENDING"));
    }
}
