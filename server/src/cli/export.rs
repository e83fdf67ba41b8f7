//! `hitl export`: writes what has ended as JSON lines, and goes on where it was if it was cut short.
//!
//! After each page its lines are synced first. Then a second file is written that says how many bytes the lines are and
//! where the next page begins. An export that goes on cuts off what was written after that.

use std::fs::{self, File, OpenOptions};
use std::io::{Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, bail, ensure};
use clap::Args;
use hitl::v1::{Event, EventState, ListEventsRequest, ListEventsResponse};
use hitl_core::Timestamp;
use indicatif::{ProgressBar, ProgressStyle};
use serde::{Deserialize, Serialize};

use super::exit::Exit;
use super::{ServerArgs, given, reach, show, terminal};

const HELP: &str = "\
One line of JSON for each event, the latest first. Links are left out, since whoever has one may answer.

Examples:
  hitl export --output ended.jsonl
  hitl export --namespace payments --since 2026-11-01T00:00:00Z | jq -r .id

A run that was cut short goes on when the same command is given again.";

const PAGE_SIZE: i32 = 200;
/// The version of what is noted of an export that is not finished.
const VERSION: u32 = 1;

/// Write what has ended as lines of JSON
#[derive(Args, Debug)]
#[command(after_help = HELP)]
pub(super) struct ExportArgs {
    /// The file to write, which must not be there. [default: standard output]
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,

    /// Only what has ended at or after this time, such as 2026-11-22T13:37:00Z.
    #[arg(long, value_name = "TIME", value_parser = time)]
    since: Option<Timestamp>,
}

fn time(text: &str) -> Result<Timestamp, String> {
    text.parse().map_err(|_| "must be a time such as 2026-11-22T13:37:00Z".to_owned())
}

/// How far an export is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Progress {
    version: u32,
    namespace: String,
    since: Option<Timestamp>,
    /// Fetches the next page.
    page_token: String,
    /// How long the file is without it.
    bytes: u64,
    events: u64,
}

pub(super) async fn run(server: &ServerArgs, args: ExportArgs) -> anyhow::Result<Exit> {
    let client = server.client()?;
    let begun = Progress {
        version: VERSION,
        namespace: given(&server.namespace).unwrap_or("default").to_owned(),
        since: args.since,
        page_token: String::new(),
        bytes: 0,
        events: 0,
    };
    let mut target = match args.output {
        Some(path) => Target::open(path, begun)?,
        None => Target { sink: Sink::Stdout, progress: begun },
    };
    let style = ProgressStyle::with_template("{spinner} {human_pos} events written, {per_sec}")?;
    let bar = ProgressBar::new_spinner().with_style(style);
    let mut unreadable = 0;
    loop {
        let request = ListEventsRequest {
            page_size: PAGE_SIZE,
            page_token: target.progress.page_token.clone(),
            ..ListEventsRequest::default()
        };
        let page = reach(&client, client.list(request)).await?;
        unreadable += page.unreadable.len();
        let (lines, events, is_last) = lines(&page, args.since);
        target.write(&lines, events, page.next_page_token)?;
        bar.set_position(target.progress.events);
        if is_last {
            break;
        }
    }
    bar.finish_and_clear();
    if unreadable > 0 {
        terminal::note(&format!(
            "{unreadable} things are missing, because the server's store is damaged there."
        ));
    }
    target.finish()
}

/// The lines of what has ended of a page, how many those are, and whether it is the last page that is wanted.
fn lines(page: &ListEventsResponse, since: Option<Timestamp>) -> (String, u64, bool) {
    let mut lines = String::new();
    let (mut events, mut is_past) = (0, false);
    for event in page.events.iter().filter(|event| event.state() != EventState::Pending) {
        if since.is_some_and(|since| ended(event).is_some_and(|ended| ended < since)) {
            is_past = true;
            break;
        }
        let bare = Event { form_url: String::new(), api_url: String::new(), ..event.clone() };
        lines += &show::json(&bare);
        lines.push('\n');
        events += 1;
    }
    (lines, events, is_past || page.next_page_token.is_empty())
}

fn ended(event: &Event) -> Option<Timestamp> {
    let time = event.response.as_ref()?.time.as_ref()?;
    Timestamp::from_ms(time.seconds * 1_000 + i64::from(time.nanos) / 1_000_000)
}

/// Where the lines go, and how far they are.
struct Target {
    sink: Sink,
    progress: Progress,
}

enum Sink {
    Stdout,
    File { file: File, path: PathBuf },
}

impl Target {
    /// The file at `path`: a new one, or one that an export like this has begun.
    fn open(path: PathBuf, begun: Progress) -> anyhow::Result<Self> {
        let noted = progress_of(&path);
        let progress = match fs::read(&noted) {
            Ok(bytes) => {
                let found: Progress = serde_json::from_slice(&bytes).with_context(|| {
                    format!(
                        "{} cannot be read: delete it and its export to begin anew",
                        noted.display()
                    )
                })?;
                let is_same = (found.version, &found.namespace, found.since)
                    == (begun.version, &begun.namespace, begun.since);
                ensure!(
                    is_same,
                    "{} is an unfinished export of something else: finish that one, or delete it and {}",
                    path.display(),
                    noted.display()
                );
                found
            }
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                ensure!(
                    !path.exists(),
                    "{} is there already, and nothing is overwritten: give another file",
                    path.display()
                );
                // Before the file, which without it would look finished.
                note(&noted, &begun)?;
                begun
            }
            Err(error) => {
                return Err(error).with_context(|| format!("cannot read {}", noted.display()));
            }
        };
        let cannot = || format!("cannot write {}", path.display());
        let mut options = OpenOptions::new();
        let mut file =
            options.create(true).write(true).truncate(false).open(&path).with_context(cannot)?;
        if file.metadata().with_context(cannot)?.len() < progress.bytes {
            bail!(
                "{} is shorter than what was exported to it: delete it and {} to begin anew",
                path.display(),
                noted.display()
            );
        }
        file.set_len(progress.bytes).with_context(cannot)?;
        file.seek(SeekFrom::End(0)).with_context(cannot)?;
        Ok(Self { sink: Sink::File { file, path }, progress })
    }

    fn write(&mut self, lines: &str, events: u64, next_page_token: String) -> anyhow::Result<()> {
        self.progress.bytes += lines.len() as u64;
        self.progress.events += events;
        self.progress.page_token = next_page_token;
        match &mut self.sink {
            Sink::Stdout if lines.is_empty() => Ok(()),
            Sink::Stdout => Ok(terminal::print(lines.trim_end_matches('\n'))?),
            Sink::File { file, path } => {
                let written = file.write_all(lines.as_bytes()).and_then(|()| file.sync_data());
                written.with_context(|| format!("cannot write {}", path.display()))?;
                note(&progress_of(path), &self.progress)
            }
        }
    }

    fn finish(self) -> anyhow::Result<Exit> {
        if let Sink::File { file, path } = self.sink {
            let noted = progress_of(&path);
            file.sync_all().with_context(|| format!("cannot write {}", path.display()))?;
            fs::remove_file(&noted)
                .with_context(|| format!("cannot delete {}", noted.display()))?;
            sync_directory(&path)?;
            let events = self.progress.events;
            terminal::note(&format!("Wrote {events} events to {}.", path.display()));
        }
        Ok(Exit::Done)
    }
}

/// Where it is noted how far the export to `path` is.
fn progress_of(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".progress");
    name.into()
}

/// Replaces what is noted, so that a crash leaves the old or the new.
fn note(noted: &Path, progress: &Progress) -> anyhow::Result<()> {
    let mut new = noted.as_os_str().to_owned();
    new.push(".new");
    let new = PathBuf::from(new);
    let write = || {
        let mut file = File::create(&new)?;
        file.write_all(&serde_json::to_vec(progress)?)?;
        file.sync_all()?;
        fs::rename(&new, noted)
    };
    write().with_context(|| format!("cannot write {}", noted.display()))?;
    sync_directory(noted)
}

fn sync_directory(path: &Path) -> anyhow::Result<()> {
    let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty());
    let parent = parent.unwrap_or(Path::new("."));
    let synced = File::open(parent).and_then(|directory| directory.sync_all());
    synced.with_context(|| format!("cannot write {}", parent.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn begun() -> Progress {
        Progress {
            version: VERSION,
            namespace: "default".to_owned(),
            since: None,
            page_token: String::new(),
            bytes: 0,
            events: 0,
        }
    }

    #[test]
    fn an_export_that_was_cut_short_goes_on_without_a_lost_or_a_doubled_line() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("ended.jsonl");
        let mut target = Target::open(path.clone(), begun()).unwrap();
        target.write("1\n2\n", 2, "second".to_owned()).unwrap();
        drop(target);
        // It was killed while it wrote the second page.
        OpenOptions::new().append(true).open(&path).unwrap().write_all(b"3\n4").unwrap();
        let mut target = Target::open(path.clone(), begun()).unwrap();
        assert_eq!((target.progress.page_token.as_str(), target.progress.events), ("second", 2));
        target.write("3\n4\n", 2, String::new()).unwrap();
        target.finish().unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "1\n2\n3\n4\n");
        assert!(!progress_of(&path).exists());
        let Err(refused) = Target::open(path, begun()) else { panic!("it is overwritten") };
        assert!(refused.to_string().contains("nothing is overwritten"), "{refused}");
    }

    #[test]
    fn an_export_does_not_go_on_with_one_of_something_else_or_with_a_file_that_lost_lines() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("ended.jsonl");
        let mut target = Target::open(path.clone(), begun()).unwrap();
        target.write("1\n", 1, "second".to_owned()).unwrap();
        let other = Progress { namespace: "other".to_owned(), ..begun() };
        let Err(refused) = Target::open(path.clone(), other) else { panic!("it goes on") };
        assert!(refused.to_string().contains("something else"), "{refused}");
        fs::write(&path, "").unwrap();
        let Err(refused) = Target::open(path, begun()) else { panic!("it goes on") };
        assert!(refused.to_string().contains("shorter"), "{refused}");
    }
}
