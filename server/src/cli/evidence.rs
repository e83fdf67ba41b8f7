//! The flags of `hitl ask` that say what is shown beside the question.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use anyhow::Context;
use clap::{ArgMatches, Args, Command, FromArgMatches, ValueEnum};
use hitl::v1::{self, Evidence};
use hitl_core::limits;

use super::exit::Usage;

/// How much is at stake.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Risk {
    /// Nothing out of the ordinary
    Low,
    /// Worth a second look
    Medium,
    /// Hard to undo, or dear
    High,
}

impl From<Risk> for v1::Risk {
    fn from(risk: Risk) -> Self {
        match risk {
            Risk::Low => Self::Low,
            Risk::Medium => Self::Medium,
            Risk::High => Self::High,
        }
    }
}

/// What is shown, by the kind of it.
#[derive(Args, Debug, Default)]
#[command(next_help_heading = "Evidence, shown in the order in which it is given")]
struct Flags {
    /// Shows a fact. Those that follow each other are one item. May be repeated, as all of these.
    #[arg(long = "fact", value_name = "NAME=VALUE", value_parser = super::ask::label)]
    facts: Vec<(String, String)>,

    /// Shows a file as text.
    #[arg(long = "text", value_name = "FILE")]
    texts: Vec<PathBuf>,

    /// Shows a file as source code.
    #[arg(long = "code", value_name = "FILE")]
    codes: Vec<PathBuf>,

    /// Shows a file of JSON.
    #[arg(long = "json-file", value_name = "FILE")]
    jsons: Vec<PathBuf>,

    /// Shows what changes from one file to another.
    #[arg(long = "diff", value_names = ["BEFORE", "AFTER"], num_args = 2)]
    diffs: Vec<PathBuf>,

    /// Shows a diff that is in a file, as `git diff` writes it.
    #[arg(long = "patch", value_name = "FILE")]
    patches: Vec<PathBuf>,

    /// Shows a file of comma-separated values, whose first line names the columns.
    #[arg(long = "table", value_name = "FILE.csv")]
    tables: Vec<PathBuf>,

    /// Shows a link, with its host.
    #[arg(long = "link", value_name = "URL")]
    links: Vec<String>,
}

/// The same in the order of the command line.
#[derive(Debug, Default)]
pub(super) struct EvidenceArgs(Vec<Given>);

#[derive(Debug)]
enum Given {
    Fact(String, String),
    Text(PathBuf),
    Code(PathBuf),
    Json(PathBuf),
    Diff(PathBuf, PathBuf),
    Patch(PathBuf),
    Table(PathBuf),
    Link(String),
}

impl EvidenceArgs {
    /// The items, read from their files.
    pub(super) fn items(self) -> anyhow::Result<Vec<Evidence>> {
        let mut items: Vec<Evidence> = Vec::new();
        let mut facts = Vec::new();
        for given in self.0 {
            if let Given::Fact(label, value) = given {
                facts.push((label, value));
                continue;
            }
            items.extend(fact_item(&mut facts));
            items.push(given.item()?);
        }
        items.extend(fact_item(&mut facts));
        Ok(items)
    }
}

fn fact_item(facts: &mut Vec<(String, String)>) -> Option<Evidence> {
    (!facts.is_empty()).then(|| Evidence::facts("", facts.drain(..)))
}

impl Given {
    fn item(self) -> anyhow::Result<Evidence> {
        Ok(match self {
            Self::Fact(label, value) => Evidence::facts("", [(label, value)]),
            Self::Text(file) => Evidence::text(name(&file), read(&file)?),
            Self::Code(file) => Evidence::code(name(&file), read(&file)?, language(&file)),
            // Editors put a byte order mark there, and it is no part of JSON.
            Self::Json(file) => {
                Evidence::json(name(&file), read(&file)?.trim_start_matches('\u{feff}'))
            }
            Self::Diff(before, after) => {
                let item = Evidence::diff(name(&after), read(&before)?, read(&after)?);
                let from = name(&before);
                if from == name(&after) { item } else { item.with_note(format!("from {from}")) }
            }
            Self::Patch(file) => Evidence::unified_diff(name(&file), read(&file)?),
            Self::Table(file) => table(&file)?,
            Self::Link(url) => Evidence::link("", url),
        })
    }
}

impl Args for EvidenceArgs {
    fn augment_args(command: Command) -> Command {
        Flags::augment_args(command)
    }

    fn augment_args_for_update(command: Command) -> Command {
        Flags::augment_args_for_update(command)
    }
}

impl FromArgMatches for EvidenceArgs {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        let flags = Flags::from_arg_matches(matches)?;
        // Where each value stands on the command line, by the flag.
        let places = |id: &str| matches.indices_of(id).into_iter().flatten().collect::<Vec<_>>();
        let mut given: HashMap<usize, Given> = HashMap::new();
        given.extend(
            places("facts")
                .into_iter()
                .zip(flags.facts.into_iter().map(|(k, v)| Given::Fact(k, v))),
        );
        given.extend(places("texts").into_iter().zip(flags.texts.into_iter().map(Given::Text)));
        given.extend(places("codes").into_iter().zip(flags.codes.into_iter().map(Given::Code)));
        given.extend(places("jsons").into_iter().zip(flags.jsons.into_iter().map(Given::Json)));
        let pairs =
            flags.diffs.chunks_exact(2).map(|pair| Given::Diff(pair[0].clone(), pair[1].clone()));
        given.extend(places("diffs").into_iter().step_by(2).zip(pairs));
        given
            .extend(places("patches").into_iter().zip(flags.patches.into_iter().map(Given::Patch)));
        given.extend(places("tables").into_iter().zip(flags.tables.into_iter().map(Given::Table)));
        given.extend(places("links").into_iter().zip(flags.links.into_iter().map(Given::Link)));
        let mut in_order: Vec<_> = given.into_iter().collect();
        in_order.sort_by_key(|(place, _)| *place);
        Ok(Self(in_order.into_iter().map(|(_, given)| given).collect()))
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}

/// The text of a file, if it can be evidence by its size.
fn read(file: &Path) -> anyhow::Result<String> {
    let cannot = || format!("cannot read {}", file.display());
    let bytes_max = limits::EVIDENCE_BYTES_MAX;
    let size = std::fs::metadata(file).with_context(cannot)?.len();
    if size > u64::try_from(bytes_max)? {
        let what =
            format!("{} has {size} bytes, and all evidence at most {bytes_max}", file.display());
        return Err(wrong(what));
    }
    std::fs::read_to_string(file).with_context(cannot)
}

fn table(file: &Path) -> anyhow::Result<Evidence> {
    let text = read(file)?;
    let text = text.trim_start_matches('\u{feff}');
    let mut reader = csv::ReaderBuilder::new().from_reader(text.as_bytes());
    let not_a_table = |error: csv::Error| wrong(format!("{} is no table: {error}", file.display()));
    let cells = |record: &csv::StringRecord| record.iter().map(str::to_owned).collect::<Vec<_>>();
    let columns = cells(reader.headers().map_err(not_a_table)?);
    let rows = reader.records().map(|row| Ok(cells(&row.map_err(not_a_table)?)));
    let rows = rows.collect::<anyhow::Result<Vec<_>>>()?;
    Ok(Evidence::table(name(file), columns, rows))
}

/// What an item is called: the name of its file.
fn name(file: &Path) -> String {
    let name = file.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    name.chars().take(limits::NAME_CHARS_MAX).collect()
}

fn language(file: &Path) -> String {
    let extension =
        file.extension().map(|it| it.to_string_lossy().into_owned()).unwrap_or_default();
    extension.chars().take(limits::LANGUAGE_CHARS_MAX).collect()
}

fn wrong(message: String) -> anyhow::Error {
    Usage(message, "ask").into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        evidence: EvidenceArgs,
    }

    fn items(words: &[&str]) -> anyhow::Result<Vec<Evidence>> {
        let words = std::iter::once("ask").chain(words.iter().copied());
        Line::try_parse_from(words)?.evidence.items()
    }

    #[test]
    fn items_come_in_the_order_of_the_command_line() {
        let files = tempfile::tempdir().unwrap();
        let file = |name: &str, text: &str| {
            let path = files.path().join(name);
            std::fs::write(&path, text).unwrap();
            path.to_str().unwrap().to_owned()
        };
        let (old, new) = (file("old.sql", "a\n"), file("new.sql", "b\n"));
        let table = file("t.csv", "\u{feff}name,count\n\"a, b\",1\n");
        let shown = items(&[
            "--fact",
            "a=1",
            "--fact",
            "b=x=y",
            "--diff",
            &old,
            &new,
            "--fact",
            "c=",
            "--code",
            &new,
            "--table",
            &table,
            "--json-file",
            &file("j.json", "\u{feff}{}"),
            "--text",
            &old,
            "--patch",
            &file("p.diff", "-a"),
            "--link",
            "https://a.example/",
        ]);
        let with_title = |title: &str, item: Evidence| Evidence { title: title.to_owned(), ..item };
        let expected = [
            Evidence::facts("", [("a", "1"), ("b", "x=y")]),
            Evidence::diff("new.sql", "a\n", "b\n").with_note("from old.sql"),
            Evidence::facts("", [("c", "")]),
            Evidence::code("new.sql", "b\n", "sql"),
            Evidence::table("t.csv", ["name", "count"], [["a, b", "1"]]),
            with_title("j.json", Evidence::json("", "{}")),
            Evidence::text("old.sql", "a\n"),
            Evidence::unified_diff("p.diff", "-a"),
            Evidence::link("", "https://a.example/"),
        ];
        assert_eq!(shown.unwrap(), expected);
        assert!(items(&[]).unwrap().is_empty());
    }

    #[test]
    fn what_cannot_be_shown_is_refused_by_name() {
        let files = tempfile::tempdir().unwrap();
        let path = files.path().join("uneven.csv");
        std::fs::write(&path, "a,b\n1\n").unwrap();
        let error = items(&["--table", path.to_str().unwrap()]).unwrap_err();
        assert!(error.is::<Usage>() && error.to_string().contains("uneven.csv"), "{error:#}");
        std::fs::write(&path, "x".repeat(limits::EVIDENCE_BYTES_MAX + 1)).unwrap();
        let error = items(&["--text", path.to_str().unwrap()]).unwrap_err();
        assert!(error.to_string().contains("262145 bytes"), "{error:#}");
        let error = items(&["--code", "/no/such/file"]).unwrap_err();
        assert!(error.to_string().contains("/no/such/file"), "{error:#}");
        assert!(items(&["--diff", "only-one"]).is_err());
    }
}
