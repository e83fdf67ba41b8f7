//! `hitl receipt`: proof of how an event ended.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail, ensure};
use clap::{Args, Subcommand};
use hitl::{KeySet, Receipt, Statement};
use hitl_proto::visible;

use super::exit::Exit;
use super::{ServerArgs, id, reach, terminal};

const HELP: &str = "\
Prints a line of JSON that proves, to whoever has the server's public keys, what was asked and how it ended.

Examples:
  hitl receipt ID > receipt.json
  hitl receipt verify receipt.json";

const VERIFY_HELP: &str = "\
With --keys no server is needed. Without, the keys are those of the server, which is asked for them: then the receipt
proves no more than that server says itself.

Exit codes: 0 valid, 1 not valid or not to be verified, 2 wrong usage.

Examples:
  hitl receipt-key list > keys.json                    once, from a server that is trusted
  hitl receipt verify receipt.json --keys keys.json    any time, anywhere";

/// Longest file that is read: several times the largest event, as it is written.
const FILE_BYTES_MAX: u64 = 16 * 1024 * 1024;
/// Columns for the names of things.
const NAME_COLUMNS: usize = 9;

/// Print the signed receipt of how an event ended, or verify one
#[derive(Args, Debug)]
#[command(after_help = HELP, args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
pub(super) struct ReceiptArgs {
    /// The event's id, or the first digits of it.
    #[arg(required = true)]
    id: Option<String>,

    #[command(subcommand)]
    command: Option<ReceiptCommand>,
}

#[derive(Debug, Subcommand)]
enum ReceiptCommand {
    /// Verify a receipt, and say what it proves
    #[command(after_help = VERIFY_HELP)]
    Verify(VerifyArgs),
}

#[derive(Args, Debug)]
struct VerifyArgs {
    /// The receipt, as `hitl receipt` printed it.
    file: PathBuf,

    /// The public keys, as `hitl receipt-key list` printed them. [default: those of the server]
    #[arg(long, value_name = "FILE")]
    keys: Option<PathBuf>,

    /// Fails unless it is the receipt of this event.
    #[arg(long, value_name = "ID")]
    event: Option<String>,
}

pub(super) async fn run(server: &ServerArgs, args: ReceiptArgs) -> anyhow::Result<Exit> {
    match (args.command, args.id) {
        (Some(ReceiptCommand::Verify(args)), _) => verify(server, &args).await,
        (None, Some(id)) => {
            let client = server.client()?;
            let id = reach(&client, id::resolve(&client, &id)).await?;
            let receipt = reach(&client, client.receipt(&id)).await?;
            terminal::print(&receipt.to_json())?;
            Ok(Exit::Done)
        }
        (None, None) => bail!("an event is missing: give its id"),
    }
}

async fn verify(server: &ServerArgs, args: &VerifyArgs) -> anyhow::Result<Exit> {
    let file = args.file.display();
    let receipt = Receipt::from_json(&read(&args.file)?).with_context(|| file.to_string())?;
    let keys = match &args.keys {
        Some(file) => {
            KeySet::from_json(&read(file)?).with_context(|| file.display().to_string())?
        }
        None => {
            let client = server.client()?;
            reach(&client, client.receipt_keys()).await?
        }
    };
    let said = receipt.verify(&keys).with_context(|| format!("{file} is not valid"))?;
    if let Some(event) = &args.event {
        ensure!(
            said.event_id() == event,
            "{file} is the receipt of another event: of {}, not of {event}",
            visible::line(said.event_id())
        );
    }
    terminal::print(&words(&said, &receipt.key_id))?;
    Ok(Exit::Done)
}

fn read(path: &Path) -> anyhow::Result<String> {
    let cannot = || format!("cannot read {}", path.display());
    let mut text = String::new();
    let file = File::open(path).with_context(cannot)?;
    let length = file.take(FILE_BYTES_MAX + 1).read_to_string(&mut text).with_context(cannot)?;
    ensure!(length as u64 <= FILE_BYTES_MAX, "{} is larger than any receipt", path.display());
    Ok(text)
}

/// What a receipt proves, one thing a line; what others wrote is indented, so that none of it looks like ours.
fn words(said: &Statement, key_id: &str) -> String {
    let json = |pointer: &str| said.json().pointer(pointer).map(ToString::to_string);
    let named = |text: &str| visible::line(text).replace('"', "\\\"");
    let state = said.state().trim_start_matches("EVENT_STATE_");
    let lines = [
        ("event", format!("{} in {}", said.event_id(), said.namespace())),
        ("name", said.text("/question/name").to_owned()),
        ("title", said.text("/question/title").to_owned()),
        ("prompt", said.text("/question/prompt").to_owned()),
        ("shown", shown(said)),
        ("risk", risk(said)),
        ("input", json("/question/input").unwrap_or_default()),
        ("ended", format!("{state} at {}", said.time())),
        ("value", json("/response/value").unwrap_or_default()),
        ("comment", said.text("/response/comment").to_owned()),
        ("reason", said.text("/response/reason").to_owned()),
        ("by", who(said, &named)),
    ];
    let said = lines.iter().filter(|(_, text)| !text.is_empty()).map(|(name, text)| {
        format!("{name:<NAME_COLUMNS$}{}", terminal::indented(text, NAME_COLUMNS))
    });
    let said: Vec<_> = said.collect();
    format!(
        "The receipt is valid. Whoever holds the key {} has signed that this was asked, and ended so:\n{}\nIt proves \
         no more than that: see docs/receipts.md.",
        named(key_id),
        said.join("\n")
    )
}

/// What was shown beside the prompt, by kind. What it says is in the text of the receipt.
fn shown(said: &Statement) -> String {
    const KINDS: [&str; 7] = ["facts", "text", "code", "json", "diff", "table", "link"];
    let items = said.json().pointer("/question/evidence").and_then(|items| items.as_array());
    let word = |item: &serde_json::Value| {
        let kind = KINDS.into_iter().find(|kind| item.get(kind).is_some()).unwrap_or("something");
        match item.get("title").and_then(|title| title.as_str()) {
            Some(title) => format!("{kind} \"{}\"", visible::line(title).replace('"', "\\\"")),
            None => kind.to_owned(),
        }
    };
    items.into_iter().flatten().map(word).collect::<Vec<_>>().join(", ")
}

fn risk(said: &Statement) -> String {
    said.text("/question/risk").trim_start_matches("RISK_").to_lowercase()
}

/// Who ended the event, and how that is known. A name that was only given is nobody's proof.
fn who(said: &Statement, named: &impl Fn(&str) -> String) -> String {
    if said.json().pointer("/response/responder").is_none() {
        return "nobody: its deadline came".to_owned();
    }
    let of = |member: &str| said.text(&format!("/response/responder/{member}"));
    let claim = match of("name") {
        "" => "somebody who gave no name".to_owned(),
        name => format!("somebody who gave the name \"{}\"", named(name)),
    };
    let proof = match of("principal") {
        "" => String::new(),
        principal => {
            let by = of("knownBy").trim_start_matches("CREDENTIAL_KIND_").to_lowercase();
            format!(", known as \"{}\" by {by}", named(principal))
        }
    };
    let name = claim + &proof;
    let channel = of("channel").trim_start_matches("CHANNEL_").to_lowercase();
    let from = match of("address") {
        "" => String::new(),
        address => format!(" from {}", named(address)),
    };
    format!("{name}, through {channel}{from}")
}

#[cfg(test)]
mod tests {
    use hitl_receipt::SigningKey;

    use super::*;

    fn shown(responder: &str, prompt: &str) -> String {
        let text = serde_json::json!({
            "format": "hitl.receipt.v1",
            "question": {
                "id": "07", "namespace": "default", "name": "deploy", "prompt": prompt, "input": {"bool": {}},
            },
            "response": {
                "state": "EVENT_STATE_ANSWERED", "time": "2026-11-22T13:37:00Z", "value": {"bool": true},
                "responder": {"name": responder, "channel": "CHANNEL_FORM", "address": "127.0.0.1"},
            },
        })
        .to_string();
        let key = SigningKey::from_seed(&[1; 32]);
        let receipt = Receipt::new(text.clone(), key.seal(1, &text)).unwrap();
        words(&receipt.verify(&[key.public()].into_iter().collect()).unwrap(), &receipt.key_id)
    }

    #[test]
    fn a_receipt_says_what_it_proves_in_plain_words() {
        let shown = shown("Ann", "Deploy?");
        for line in [
            "event    07 in default",
            "prompt   Deploy?",
            "ended    ANSWERED at 2026-11-22T13:37:00Z",
            "value    {\"bool\":true}",
            "by       somebody who gave the name \"Ann\", through form from 127.0.0.1",
        ] {
            assert!(shown.lines().any(|shown| shown == line), "{line}: {shown}");
        }
    }

    #[test]
    fn nothing_that_others_wrote_looks_like_ours() {
        let shown = shown("CFO\", through grpc\nby       x", "Deploy?\nended    DECLINED");
        let forged =
            shown.lines().filter(|line| line.starts_with("ended    D") || *line == "by       x");
        assert_eq!(forged.count(), 0, "{shown}");
        assert!(
            shown.contains(r#"the name "CFO\", through grpc\u{A}by       x", through form"#),
            "{shown}"
        );
    }
}
