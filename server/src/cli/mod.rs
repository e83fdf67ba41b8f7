//! The command line: one command per file, each a thin layer over the client library.
//!
//! What a script reads goes to stdout and nothing else does; links, notes and errors go to stderr.
//! How an event ended is the exit code.

mod answer;
mod ask;
mod audit;
mod browser;
mod cancel;
mod channel;
mod claim;
mod comment;
mod completions;
mod decline;
mod default;
mod delivery;
mod dialog;
mod evidence;
mod exhibit;
mod exit;
mod export;
mod get;
mod id;
mod inbox;
mod link;
mod link_key;
mod list;
mod log;
mod mcp;
mod moment;
mod open;
mod question;
mod receipt;
mod receipt_key;
mod remind;
mod responder;
mod serve;
mod show;
mod status;
mod stop;
mod store;
mod table;
mod terminal;
mod test_server;
mod tls;
mod token;
mod up;
mod wait;

use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context;
use clap::{Args, CommandFactory, Parser, Subcommand};
use hitl::{Client, Config};
use hitl_proto::visible;

use crate::config::ServeArgs;
use exit::{Exit, Usage};

const EXIT_CODES: &str = "\
Exit codes: 0 answered (or done), 1 error, 2 wrong usage, 3 declined, 4 cancelled, 5 timed out, \
130 interrupted.

A server on this machine is started when none runs, unless --endpoint names one. HITL_TOKEN has the token for that.

Examples:
  hitl ask 'Deploy to production?' --type bool
  hitl list
  hitl answer ID yes";

/// Lets programs stop and ask a person.
#[derive(Debug, Parser)]
#[command(name = "hitl", version, after_help = EXIT_CODES)]
struct Cli {
    #[command(flatten)]
    server: ServerArgs,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Serve(Box<ServeArgs>),
    Up(up::UpArgs),
    Status(status::StatusArgs),
    Stop(stop::StopArgs),
    Ask(Box<ask::AskArgs>),
    Wait(wait::WaitArgs),
    Answer(answer::AnswerArgs),
    Decline(decline::DeclineArgs),
    Cancel(cancel::CancelArgs),
    Remind(remind::RemindArgs),
    Comment(comment::CommentArgs),
    Claim(claim::ClaimArgs),
    Delegate(claim::DelegateArgs),
    Get(get::GetArgs),
    List(list::ListArgs),
    Mcp(mcp::McpArgs),
    Inbox(inbox::InboxArgs),
    Open(open::OpenArgs),
    Link(link::LinkArgs),
    LinkKey(link_key::LinkKeyArgs),
    Export(export::ExportArgs),
    Receipt(receipt::ReceiptArgs),
    ReceiptKey(receipt_key::ReceiptKeyArgs),
    Store(store::StoreArgs),
    Token(token::TokenArgs),
    Completions(completions::CompletionsArgs),
    Man(completions::ManArgs),
    Audit(audit::AuditArgs),
    TestServer(test_server::TestServerArgs),
    Channel(Box<channel::ChannelArgs>),
    Delivery(delivery::DeliveryArgs),
}

/// Which server, and which of its events.
#[derive(Args, Debug, Default)]
struct ServerArgs {
    /// The server to use, such as https://hitl.example.org or http://127.0.0.1:4485. [default: one on this machine]
    #[arg(long, global = true, help_heading = "Server", env = "HITL_ENDPOINT", value_name = "URL")]
    endpoint: Option<String>,

    /// The namespace of the events. [default: default]
    #[arg(
        long,
        global = true,
        help_heading = "Server",
        env = "HITL_NAMESPACE",
        value_name = "NAME"
    )]
    namespace: Option<String>,

    #[command(flatten)]
    tls: tls::ClientTlsArgs,
}

impl ServerArgs {
    /// A client as the flags say, which starts this very program when it needs a server.
    fn client(&self) -> anyhow::Result<Client> {
        self.client_with(Config::default())
    }

    fn client_with(&self, mut config: Config) -> anyhow::Result<Client> {
        let us = std::env::current_exe().context("cannot tell where this program is")?;
        config = config.binary(us);
        if let Some(endpoint) = given(&self.endpoint) {
            config = config.endpoint(endpoint);
        }
        if let Some(namespace) = given(&self.namespace) {
            config = config.namespace(namespace);
        }
        config = self.tls.configure(config);
        Ok(Client::new(config)?)
    }

    /// The flags with which another command reaches the same event.
    fn as_flags(&self) -> String {
        let endpoint = given(&self.endpoint).map(|url| format!(" --endpoint {url}"));
        let namespace = given(&self.namespace).map(|name| format!(" --namespace {name}"));
        endpoint.unwrap_or_default() + &namespace.unwrap_or_default() + &self.tls.as_flags()
    }
}

/// How long a call may take before the person is told what it is waiting for.
const PATIENCE: Duration = Duration::from_secs(3);

/// What `call` of `client` gives. A server that cannot be reached is tried for a while, which must
/// not look like a program that hangs.
async fn reach<T>(client: &Client, call: impl Future<Output = T>) -> T {
    let mut call = std::pin::pin!(call);
    match tokio::time::timeout(PATIENCE, &mut call).await {
        Ok(done) => done,
        Err(_) => {
            let known = Some(client.endpoint()).filter(|endpoint| !endpoint.is_empty());
            let server = known.unwrap_or_else(|| "the local server".to_owned());
            terminal::note(&format!("No reply from {server} yet; still trying."));
            call.await
        }
    }
}

/// A variable set to nothing counts as unset.
fn given(flag: &Option<String>) -> Option<&str> {
    flag.as_deref().filter(|value| !value.is_empty())
}

/// Parses the arguments and runs the command. A server opens its store with `store`.
pub fn main(store: hitl_store::Options) -> ExitCode {
    let cli = Cli::parse();
    let outcome = tokio::runtime::Runtime::new()
        .context("cannot start the threads of this program")
        .and_then(|runtime| runtime.block_on(cli.run(store)));
    outcome
        .unwrap_or_else(|error| {
            // An error may repeat what somebody wrote: its lines are indented, so that none looks like ours.
            terminal::note(&terminal::indented(&format!("hitl: {error:#}"), 2));
            for violation in unsaid(&error) {
                let rule =
                    format!("  {}: {}", visible::line(&violation.field), violation.description);
                terminal::note(&terminal::indented(&rule, 4));
            }
            if error.is::<Usage>() { Exit::Usage } else { Exit::Error }
        })
        .into()
}

/// The broken rules that the message does not mention.
fn unsaid(error: &anyhow::Error) -> Vec<&hitl::FieldViolation> {
    let Some(error) = error.downcast_ref::<hitl::Error>() else {
        return Vec::new();
    };
    let all = error.field_violations().iter();
    all.filter(|violation| !error.message().contains(&violation.description)).collect()
}

impl Cli {
    async fn run(self, store: hitl_store::Options) -> anyhow::Result<Exit> {
        let server = self.server;
        match self.command {
            Command::Serve(args) => serve::run(*args, store).await,
            Command::Up(up::UpArgs {}) => up::run().await,
            Command::Status(args) => status::run(&server, &args).await,
            Command::Stop(stop::StopArgs {}) => stop::run().await,
            Command::Ask(args) => ask::run(&server, *args).await,
            Command::Wait(args) => wait::run(&server, &args).await,
            Command::Answer(args) => answer::run(&server, args).await,
            Command::Decline(args) => decline::run(&server, &args).await,
            Command::Cancel(args) => cancel::run(&server, &args).await,
            Command::Remind(args) => remind::run(&server, &args).await,
            Command::Comment(args) => comment::run(&server, &args).await,
            Command::Claim(args) => claim::run(&server, &args).await,
            Command::Delegate(args) => claim::delegate(&server, &args).await,
            Command::Get(args) => get::run(&server, &args).await,
            Command::List(args) => list::run(&server, args).await,
            Command::Mcp(mcp::McpArgs {}) => mcp::run(&server).await,
            Command::Inbox(args) => inbox::run(&server, args).await,
            Command::Open(args) => open::run(&server, &args).await,
            Command::Link(args) => link::run(&server, args).await,
            Command::LinkKey(args) => link_key::run(args),
            Command::Export(args) => export::run(&server, args).await,
            Command::Receipt(args) => receipt::run(&server, args).await,
            Command::ReceiptKey(args) => receipt_key::run(&server, args).await,
            Command::Store(args) => store::run(args).await,
            Command::Token(args) => token::run(&server, args, store).await,
            Command::Completions(args) => completions::completions(Cli::command(), &args),
            Command::Man(args) => completions::man(Cli::command(), &args),
            Command::Audit(args) => audit::run(&server, args).await,
            Command::TestServer(args) => test_server::run(args, store).await,
            Command::Channel(args) => channel::run(&server, *args).await,
            Command::Delivery(args) => delivery::run(&server, args).await,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_arguments_are_consistent_and_every_command_has_help_with_an_example() {
        let mut cli = Cli::command();
        cli.build();
        cli.clone().debug_assert();
        for command in cli.get_subcommands().filter(|command| command.get_name() != "help") {
            let name = command.get_name();
            assert!(command.get_about().is_some(), "{name} says what it does");
            let help = command.get_after_help().map(ToString::to_string).unwrap_or_default();
            assert!(help.contains(&format!("hitl {name}")), "{name} has an example");
        }
    }

    #[test]
    fn an_endpoint_is_taken_as_by_every_sdk() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../sdk/endpoints.json");
        let list: serde_json::Value =
            serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
        for case in list["cases"].as_array().unwrap() {
            let given = case["given"].as_str().unwrap();
            let server = ServerArgs { endpoint: Some(given.to_owned()), ..ServerArgs::default() };
            match (server.client(), case["used"].as_str()) {
                (Ok(client), used) => {
                    assert_eq!(Some(client.endpoint().as_str()), used, "{given:?}");
                }
                (Err(error), None) => {
                    let refused = case["refused"].as_str().unwrap();
                    assert!(error.to_string().contains(refused), "{given:?}: {error}");
                }
                (Err(error), Some(used)) => panic!("{given:?} is not {used}: {error}"),
            }
        }
    }

    #[test]
    fn a_token_may_have_many_namespaces_and_other_commands_have_one() {
        let many = ["hitl", "token", "create", "ci", "--role", "admin", "--namespace", "a"];
        let many = many.into_iter().chain(["--namespace", "b"]);
        assert!(Cli::try_parse_from(many).is_ok());
        let two = ["hitl", "list", "--namespace", "a", "--namespace", "b"];
        assert!(Cli::try_parse_from(two).is_err());
        assert!(Cli::try_parse_from(["hitl", "token", "list", "--namespace", "a"]).is_ok());
    }

    #[test]
    fn values_may_start_with_a_minus() {
        for args in [
            ["hitl", "answer", "id", "-5"].as_slice(),
            &["hitl", "ask", "x?", "--type", "int", "--min", "-5", "--default", "-1"],
        ] {
            assert!(Cli::try_parse_from(args).is_ok(), "{args:?}");
        }
    }
}
