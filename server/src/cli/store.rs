//! `hitl store`: checks a store, and copies a whole one.

use clap::{Args, Subcommand};
use indicatif::{ProgressBar, ProgressStyle};

use super::exit::Exit;
use super::terminal;
use crate::app;
use crate::auth::beside;
use hitl_store::{self, StoreUrl, Unreadable};

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
    #[command(
        after_help = "Writes a few objects below meta/probe and deletes them again. With --deep every object is read
instead, nothing is written, and what is damaged is listed.

Examples:
  hitl store check s3://bucket/hitl
  hitl store check --deep /var/lib/hitl/store"
    )]
    Check {
        /// Reads everything, and lists what is damaged. Of an embedded store the server must be stopped.
        #[arg(long)]
        deep: bool,
        /// The store, as for `hitl serve --store`.
        store: StoreUrl,
    },
    /// Copy everything in a store that no server uses into an empty place of any kind.
    #[command(
        after_help = "Every object is read back and compared. A copy that was cut short goes on when the same
command is run again; until it is whole no server opens it. Of a damaged store --skip-unreadable saves the rest, and
lists what it leaves out.

Examples:
  hitl store copy ~/.local/share/hitl/store s3://bucket/hitl
  hitl store copy --skip-unreadable /var/lib/hitl/store /var/lib/hitl/saved"
    )]
    Copy {
        /// Leaves out what cannot be read, with all else of the same event, and lists it.
        #[arg(long)]
        skip_unreadable: bool,
        /// The store to copy; its servers must be stopped.
        from: StoreUrl,
        /// Where to.
        to: StoreUrl,
    },
}

pub(super) async fn run(args: StoreArgs) -> anyhow::Result<Exit> {
    match args.command {
        StoreCommand::Check { deep: false, store } => check(&store).await,
        StoreCommand::Check { deep: true, store } => check_deep(&store).await,
        StoreCommand::Copy { skip_unreadable, from, to } => {
            let unreadable =
                if skip_unreadable { Unreadable::IsLeftOut } else { Unreadable::Fails };
            copy(&from, &to, unreadable).await
        }
    }
}

async fn check(url: &StoreUrl) -> anyhow::Result<Exit> {
    let hitl_store::Checked { off_ms } = hitl_store::check(url, app::store_options()).await?;
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

async fn check_deep(url: &StoreUrl) -> anyhow::Result<Exit> {
    let style = ProgressStyle::with_template("{spinner} {human_pos} objects read")?;
    let bar = ProgressBar::new_spinner().with_style(style);
    let progress = |done| bar.set_position(done);
    let checked = hitl_store::check_deep(url, app::store_options(), progress).await;
    bar.finish_and_clear();
    let hitl_store::Deep { objects, damaged, damaged_count } = checked?;
    print_damage(&damaged, damaged_count)?;
    if damaged_count == 0 {
        terminal::print(&format!("All {objects} objects of {url} are whole."))?;
        return Ok(Exit::Done);
    }
    anyhow::bail!(
        "{url} is damaged: {objects} objects are whole, and what is listed above is not. Save the rest with \
         `hitl store copy --skip-unreadable`, and serve the copy"
    )
}

/// One line for each thing that cannot be read.
fn print_damage(damaged: &[(String, String)], count: u64) -> anyhow::Result<()> {
    for (what, message) in damaged {
        terminal::print(&format!("{what}: {message}"))?;
    }
    let more = count - damaged.len() as u64;
    if more > 0 {
        terminal::print(&format!("and {more} more"))?;
    }
    Ok(())
}

async fn copy(from: &StoreUrl, to: &StoreUrl, unreadable: Unreadable) -> anyhow::Result<Exit> {
    let style = "{wide_bar} {human_pos}/{human_len} objects, {eta} left";
    let bar = ProgressBar::new(0).with_style(ProgressStyle::with_template(style)?);
    let progress = |done, total| {
        bar.set_length(total);
        bar.set_position(done);
    };
    let copied = hitl_store::copy(from, to, unreadable, app::store_options(), progress).await;
    bar.finish_and_clear();
    let hitl_store::Copied { objects, before, left, left_count } = copied?;
    print_damage(&left, left_count)?;
    if left_count > 0 {
        terminal::note("The lines above say what could not be read and was left out, and why.");
    }
    terminal::print(&format!(
        "Copied {objects} objects from {from} to {to} and compared each{}.",
        if before == 0 { String::new() } else { format!("; {before} of them were there before") }
    ))?;
    let key = match from {
        StoreUrl::Embedded(directory) => beside(directory, "link").display().to_string(),
        _ => "the file that the servers of the first were given".to_owned(),
    };
    terminal::note(&format!(
        "Links stay valid if the servers of {to} sign with the same key: --link-key-file, with {key}"
    ));
    Ok(Exit::Done)
}
