//! `hitl receipt-key`: the keys that receipts are signed and verified with.

use std::path::PathBuf;

use anyhow::Context;
use clap::{Args, Subcommand};

use super::exit::Exit;
use super::{ServerArgs, reach, terminal};
use crate::auth::receipt_key;
use crate::local;
use hitl_store::StoreUrl;
use hitl_store::random::SystemRandom;

/// Save the public keys of receipts, or make a new key to sign with
#[derive(Args, Debug)]
#[command(after_help = "Examples:
  hitl receipt-key list > keys.json
  hitl receipt-key rotate --receipt-key-file /etc/hitl/receipt.key")]
pub(super) struct ReceiptKeyArgs {
    #[command(subcommand)]
    command: ReceiptKeyCommand,
}

#[derive(Debug, Subcommand)]
enum ReceiptKeyCommand {
    /// Print the public keys of a server, those in use and all that were, as a JWK set
    #[command(after_help = "\
The same stands at /.well-known/hitl-receipt-keys.json of the server. With them receipts are verified without it.

Examples:
  hitl receipt-key list > keys.json
  hitl receipt-key list --endpoint https://hitl.example.org | jq -r '.keys[].kid'")]
    List,
    /// Make a new key to sign with in place of the one there is
    #[command(after_help = "\
What was signed with the old key stays verifiable, since its public half is in the store. Nobody signs with it any more
once each server of the store has the new file and was started again.

Examples:
  hitl receipt-key rotate
  hitl receipt-key rotate --receipt-key-file /etc/hitl/receipt.key")]
    Rotate(RotateArgs),
}

#[derive(Args, Debug)]
struct RotateArgs {
    /// The file with the key, as for `hitl serve`. [default: where `hitl serve` has it]
    #[arg(long, env = "HITL_RECEIPT_KEY_FILE", value_name = "FILE")]
    receipt_key_file: Option<PathBuf>,

    /// The store of the server, as for `hitl serve`, which says where the file is.
    #[arg(long, env = "HITL_STORE", value_name = "STORE")]
    store: Option<StoreUrl>,

    /// The data directory of the server, as for `hitl serve`.
    #[arg(long, env = "HITL_DATA_DIR", value_name = "DIRECTORY")]
    data_dir: Option<PathBuf>,
}

pub(super) async fn run(server: &ServerArgs, args: ReceiptKeyArgs) -> anyhow::Result<Exit> {
    match args.command {
        ReceiptKeyCommand::List => {
            let client = server.client()?;
            let keys = reach(&client, client.receipt_keys()).await?;
            terminal::print(&keys.to_json())?;
        }
        ReceiptKeyCommand::Rotate(args) => rotate(&args)?,
    }
    Ok(Exit::Done)
}

fn rotate(args: &RotateArgs) -> anyhow::Result<()> {
    let file = args.file()?;
    let (old, new) = receipt_key::rotate(&file, &SystemRandom)
        .with_context(|| format!("cannot replace the key of receipts {}", file.display()))?;
    terminal::print(new.id())?;
    terminal::note(&format!(
        "Receipts are signed with {} instead of {} once each server of the store was started again with this {}.",
        new.id(),
        old.id(),
        file.display()
    ));
    Ok(())
}

impl RotateArgs {
    fn file(&self) -> anyhow::Result<PathBuf> {
        if let Some(file) = &self.receipt_key_file {
            return Ok(file.clone());
        }
        let data_dir = || {
            let env = |name: &str| std::env::var_os(name).map(PathBuf::from);
            local::data_dir(self.data_dir.clone(), env)
                .context("there is no home directory: give --receipt-key-file")
        };
        let store = match &self.store {
            Some(store) => store.clone(),
            None => StoreUrl::Embedded(data_dir()?.join("store")),
        };
        receipt_key::place(&store, data_dir)?
            .context("a store in memory has no key that lasts: there is nothing to rotate")
    }
}
