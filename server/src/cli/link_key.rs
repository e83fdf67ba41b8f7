//! `hitl link-key`: the key that links are signed with.

use std::path::PathBuf;

use anyhow::Context;
use clap::{Args, Subcommand};

use super::exit::Exit;
use super::terminal;
use crate::auth::link_key::{self, Step};
use crate::local;
use hitl_store::StoreUrl;
use hitl_store::random::SystemRandom;

/// Change the key that links are signed with
#[derive(Args, Debug)]
#[command(after_help = "\
Two keys may be in the file: links that either has signed are good. With one server:
  hitl link-key rotate           and start the server again
  hitl link-key forget           once the events of before have ended, and start the server again

With several, each of which needs the same file:
  hitl link-key stage            give the file to every server, and start each again
  hitl link-key rotate           likewise
  hitl link-key forget           likewise, once the events of before have ended

Sessions and drafts of forms are sealed with the same key, and end with it.")]
pub(super) struct LinkKeyArgs {
    #[command(subcommand)]
    command: LinkKeyCommand,
}

#[derive(Debug, Subcommand)]
enum LinkKeyCommand {
    /// Make the key to sign with next, so that every server can know it before any signs with it
    #[command(after_help = "Example:\n  hitl link-key stage --link-key-file /etc/hitl/link.key")]
    Stage(FileArgs),
    /// Sign with the next key, which is made if there is none; links of the one before stay good
    #[command(after_help = "Example:\n  hitl link-key rotate --link-key-file /etc/hitl/link.key")]
    Rotate(FileArgs),
    /// Have links of the key before be good no more
    #[command(after_help = "Example:\n  hitl link-key forget --link-key-file /etc/hitl/link.key")]
    Forget(FileArgs),
}

#[derive(Args, Debug)]
struct FileArgs {
    /// The file with the key, as for `hitl serve`. [default: where `hitl serve` has it]
    #[arg(long, env = "HITL_LINK_KEY_FILE", value_name = "FILE")]
    link_key_file: Option<PathBuf>,

    /// The store of the server, as for `hitl serve`, which says where the file is.
    #[arg(long, env = "HITL_STORE", value_name = "STORE")]
    store: Option<StoreUrl>,

    /// The data directory of the server, as for `hitl serve`.
    #[arg(long, env = "HITL_DATA_DIR", value_name = "DIRECTORY")]
    data_dir: Option<PathBuf>,
}

pub(super) fn run(args: LinkKeyArgs) -> anyhow::Result<Exit> {
    let (step, args, told) = match args.command {
        LinkKeyCommand::Stage(args) => (
            Step::Stage,
            args,
            "links of the next key are good too, and `hitl link-key rotate` has servers sign with it",
        ),
        LinkKeyCommand::Rotate(args) => (
            Step::Rotate,
            args,
            "links are signed with another key, and those of the one before stay good until `hitl link-key forget`",
        ),
        LinkKeyCommand::Forget(args) => {
            (Step::Forget, args, "links of the key before are good no more")
        }
    };
    let file = args.file()?;
    link_key::change(&file, step, &SystemRandom)
        .with_context(|| format!("cannot change the link key {}", file.display()))?;
    terminal::note(&format!(
        "Once each server of the store was started again with this {}, {told}.",
        file.display()
    ));
    Ok(Exit::Done)
}

impl FileArgs {
    fn file(&self) -> anyhow::Result<PathBuf> {
        if let Some(file) = &self.link_key_file {
            return Ok(file.clone());
        }
        let data_dir = || {
            let env = |name: &str| std::env::var_os(name).map(PathBuf::from);
            local::data_dir(self.data_dir.clone(), env)
                .context("there is no home directory: give --link-key-file")
        };
        let store = match &self.store {
            Some(store) => store.clone(),
            None => StoreUrl::Embedded(data_dir()?.join("store")),
        };
        link_key::place(&store, data_dir)?
            .context("a store in memory has no key that lasts: there is nothing to change")
    }
}
