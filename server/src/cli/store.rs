//! `hitl store`: checks a store, and copies a whole one.

use clap::{Args, Subcommand};
use indicatif::{ProgressBar, ProgressStyle};

use super::exit::Exit;
use super::terminal;
use crate::app;
use crate::store::{self, StoreUrl};

/// Check a store, or copy a whole one.
#[derive(Args, Debug)]
#[command(after_help = "Examples:
  hitl store check s3://bucket/hitl
  hitl store copy ~/.local/share/hitl/store s3://bucket/hitl")]
pub(super) struct StoreArgs {
    #[command(subcommand)]
    command: StoreCommand,
}

#[derive(Debug, Subcommand)]
enum StoreCommand {
    /// Ask a store whether it keeps the promises that hitl rests on.
    #[command(after_help = "Writes a few objects below meta/probe and deletes them again.

Examples:
  hitl store check s3://bucket/hitl
  hitl store check /var/lib/hitl/store")]
    Check {
        /// The store, as for `hitl serve --store`.
        store: StoreUrl,
    },
    /// Copy everything in a store that no server uses into an empty place of any kind.
    #[command(
        after_help = "Every object is read back and compared. A copy that was cut short goes on when the same
command is run again; until it is whole no server opens it.

Examples:
  hitl store copy ~/.local/share/hitl/store s3://bucket/hitl
  hitl store copy s3://bucket/hitl /var/lib/hitl/store"
    )]
    Copy {
        /// The store to copy; its servers must be stopped.
        from: StoreUrl,
        /// Where to.
        to: StoreUrl,
    },
}

pub(super) async fn run(args: StoreArgs) -> anyhow::Result<Exit> {
    match args.command {
        StoreCommand::Check { store } => check(&store).await,
        StoreCommand::Copy { from, to } => copy(&from, &to).await,
    }
}

async fn check(url: &StoreUrl) -> anyhow::Result<Exit> {
    let off_ms = store::check(url, app::store_options()).await?;
    terminal::print(&format!(
        "{url} keeps its promises: of many writers one creates an object, and what is written is \
         read and listed at once."
    ))?;
    let Some(ahead_ms) = off_ms else { return Ok(Exit::Done) };
    let side = if ahead_ms < 0 { "behind" } else { "ahead of" };
    anyhow::bail!(
        "this machine's clock is {} ms {side} the store's; a server here would do nothing. See to its time \
         synchronisation",
        ahead_ms.unsigned_abs()
    )
}

async fn copy(from: &StoreUrl, to: &StoreUrl) -> anyhow::Result<Exit> {
    let style = "{wide_bar} {human_pos}/{human_len} objects, {eta} left";
    let bar = ProgressBar::new(0).with_style(ProgressStyle::with_template(style)?);
    let progress = |done, total| {
        bar.set_length(total);
        bar.set_position(done);
    };
    let copied = store::copy(from, to, app::store_options(), progress).await;
    bar.finish_and_clear();
    let store::Copied { objects, before } = copied?;
    terminal::print(&format!(
        "Copied {objects} objects from {from} to {to} and compared each{}.",
        if before == 0 { String::new() } else { format!("; {before} of them were there before") }
    ))?;
    let key = match from {
        StoreUrl::Embedded(directory) => app::beside(directory).display().to_string(),
        _ => "the file that the servers of the first were given".to_owned(),
    };
    terminal::note(&format!(
        "Links stay valid if the servers of {to} sign with the same key: --link-key-file, with {key}"
    ));
    Ok(Exit::Done)
}
