//! `hitl token`: makes, lists and ends tokens, and prints that of the local server.

use std::sync::Arc;
use std::time::Duration;

use clap::{Args, Subcommand, ValueEnum};
use hitl::v1;
use hitl_core::Principal;
use hitl_service::{Background, Service, Session};
use hitl_store::StoreUrl;
use hitl_store::clock::{Clock, SystemClock};
use hitl_store::random::SystemRandom;
use serde_json::json;
use tokio_util::sync::CancellationToken;

use super::exit::Exit;
use super::table::{Cell, aligned};
use super::terminal::Style;
use super::{ServerArgs, reach, terminal, up};
use crate::api::admin;

/// Most tokens of a page.
const PAGE_SIZE: i32 = 1000;

/// Make, list and end tokens, by which callers prove who they are.
#[derive(Args, Debug)]
#[command(after_help = "\
A token has roles, and has them in namespaces:
  requester  creates events; gets, lists, awaits, watches and cancels them
  responder  gets, lists and watches events; answers and declines them
  notifier   gets the links of the events that its other roles let it see
  auditor    gets, lists, awaits and watches events, reads the audit, and changes nothing
  admin      everything; with --namespace '*' also this command

The first token of a server is made with --store, or is in its --admin-token-file.

Examples:
  hitl token create ci --role requester --namespace team-1 --expires 90d
  hitl token create admin --role admin --namespace '*' --store s3://bucket/hitl
  hitl token list
  hitl token rotate 3b1f0c9a8d7e6f50 --overlap 1h
  curl -H \"authorization: Bearer $(hitl token local)\" http://127.0.0.1:4485/v1/events")]
pub(super) struct TokenArgs {
    #[command(subcommand)]
    command: TokenCommand,
}

#[derive(Debug, Subcommand)]
enum TokenCommand {
    /// Make a token, and print it. This is the only time that it is shown.
    Create {
        /// What to call it: events and answers name it.
        name: String,
        /// What its holder may do. May be repeated.
        #[arg(long = "role", required = true, value_name = "ROLE")]
        roles: Vec<RoleArg>,
        /// Where; '*' is everywhere. May be repeated. [default: default]
        #[arg(id = "namespace", long, env = "HITL_NAMESPACE", value_name = "NAME")]
        namespaces: Vec<String>,
        /// For how long it is good, such as 90d. [default: for ever]
        #[arg(long, value_name = "TIME", value_parser = humantime::parse_duration)]
        expires: Option<Duration>,
        #[command(flatten)]
        store: StoreArg,
    },
    /// List the tokens: those that are good, expired and revoked.
    List {
        /// Prints each token as one line of JSON.
        #[arg(long)]
        json: bool,
        #[command(flatten)]
        store: StoreArg,
    },
    /// End a token for good, on every server of the store within five seconds.
    Revoke {
        /// The id of the token.
        id: String,
        #[command(flatten)]
        store: StoreArg,
    },
    /// Make a token in the stead of another, with the same rights, and print it.
    Rotate {
        /// The id of the token that ends.
        id: String,
        /// For how long both are good, such as 1h. [default: the other ends at once]
        #[arg(long, value_name = "TIME", value_parser = humantime::parse_duration)]
        overlap: Option<Duration>,
        /// For how long the new one is good. [default: as long as the other was at first]
        #[arg(long, value_name = "TIME", value_parser = humantime::parse_duration)]
        expires: Option<Duration>,
        #[command(flatten)]
        store: StoreArg,
    },
    /// Print the token of the local server, which is started if none runs.
    Local,
}

/// In which store.
#[derive(Args, Debug)]
struct StoreArg {
    /// In this store itself, as for `hitl serve --store`: of a directory no server may have it open. Else the server is
    /// asked, which lets only an admin of all namespaces.
    #[arg(long, value_name = "STORE")]
    store: Option<StoreUrl>,
}

/// What the holder of a token may do.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum RoleArg {
    /// Creates events, and follows and cancels them
    Requester,
    /// Answers and declines
    Responder,
    /// Gets the links of events
    Notifier,
    /// Looks, and changes nothing
    Auditor,
    /// Everything
    Admin,
}

/// Who does it: the server, or this program in the store itself.
enum Doer {
    Server(hitl::Client),
    Store(Session),
}

pub(super) async fn run(
    server: &ServerArgs,
    args: TokenArgs,
    options: hitl_store::Options,
) -> anyhow::Result<Exit> {
    match args.command {
        TokenCommand::Local => {
            terminal::print(&up::local().await?.token)?;
            Ok(Exit::Done)
        }
        TokenCommand::Create { name, roles, namespaces, expires, store } => {
            let request = v1::CreateTokenRequest {
                name,
                roles: roles.into_iter().map(|role| v1::Role::from(role).into()).collect(),
                namespaces,
                ttl: expires.map(duration),
            };
            let doer = store.doer(server, options).await?;
            let v1::CreateTokenResponse { token, secret } = doer.create(request).await?;
            show_new(token, &secret)
        }
        TokenCommand::List { json, store } => {
            list_all(store.doer(server, options).await?, json).await
        }
        TokenCommand::Revoke { id, store } => {
            let request = v1::RevokeTokenRequest { token_id: id };
            store.doer(server, options).await?.revoke(request).await?;
            Ok(Exit::Done)
        }
        TokenCommand::Rotate { id, overlap, expires, store } => {
            let request = v1::RotateTokenRequest {
                token_id: id,
                overlap: overlap.map(duration),
                ttl: expires.map(duration),
            };
            let doer = store.doer(server, options).await?;
            let v1::RotateTokenResponse { token, secret } = doer.rotate(request).await?;
            show_new(token, &secret)
        }
    }
}

/// The text alone goes where a program reads it.
fn show_new(token: Option<v1::Token>, secret: &str) -> anyhow::Result<Exit> {
    let token = token.unwrap_or_default();
    terminal::print(secret)?;
    terminal::note(&format!(
        "This is the token \"{}\" ({}). It is not shown again: whoever has it is its holder.",
        terminal::one_line(&token.name, 60),
        token.id
    ));
    Ok(Exit::Done)
}

async fn list_all(doer: Doer, json: bool) -> anyhow::Result<Exit> {
    let now = SystemClock.now().to_string();
    let heads = ["ID", "STATE", "NAME", "ROLES", "NAMESPACES", "EXPIRES"];
    let mut table = vec![heads.map(|head| Cell::new(head, Style::Heading)).to_vec()];
    let mut request = v1::ListTokensRequest { page_size: PAGE_SIZE, ..Default::default() };
    loop {
        let page = doer.list(request.clone()).await?;
        for token in page.tokens {
            if json {
                terminal::print(&as_json(&token).to_string())?;
            } else {
                table.push(row(&token, &now).map(Cell::from).to_vec());
            }
        }
        if page.next_page_token.is_empty() {
            break;
        }
        request.page_token = page.next_page_token;
    }
    if !json {
        terminal::print_painted(&aligned(&table, None))?;
    }
    Ok(Exit::Done)
}

fn row(token: &v1::Token, now: &str) -> [String; 6] {
    let time = |time: &Option<prost_types::Timestamp>| time.as_ref().map(ToString::to_string);
    let (revoked, expires) = (time(&token.revoke_time), time(&token.expire_time));
    let is_past = |time: &Option<String>| time.as_deref().is_some_and(|time| time <= now);
    let state = match (is_past(&revoked), is_past(&expires), token.successor_id.is_empty()) {
        (true, _, true) => "revoked",
        (true, _, false) => "rotated",
        (false, true, _) => "expired",
        (false, false, false) => "rotating",
        (false, false, true) => "good",
    };
    [
        token.id.clone(),
        state.to_owned(),
        terminal::one_line(&token.name, 24),
        roles(token).join(","),
        token.namespaces.join(","),
        expires.unwrap_or_else(|| "never".to_owned()),
    ]
}

fn roles(token: &v1::Token) -> Vec<String> {
    let name = |role: v1::Role| role.as_str_name().trim_start_matches("ROLE_").to_lowercase();
    token.roles().map(name).collect()
}

fn as_json(token: &v1::Token) -> serde_json::Value {
    let time = |time: &Option<prost_types::Timestamp>| time.as_ref().map(ToString::to_string);
    json!({
        "id": token.id,
        "name": token.name,
        "roles": roles(token),
        "namespaces": token.namespaces,
        "createTime": time(&token.create_time),
        "expireTime": time(&token.expire_time),
        "revokeTime": time(&token.revoke_time),
        "successorId": token.successor_id,
    })
}

fn duration(time: Duration) -> prost_types::Duration {
    // What is longer than a Duration of the API is longer than the server accepts: let it say so.
    time.try_into().unwrap_or(prost_types::Duration { seconds: i64::MAX, nanos: 0 })
}

impl From<RoleArg> for v1::Role {
    fn from(role: RoleArg) -> Self {
        match role {
            RoleArg::Requester => Self::Requester,
            RoleArg::Responder => Self::Responder,
            RoleArg::Notifier => Self::Notifier,
            RoleArg::Auditor => Self::Auditor,
            RoleArg::Admin => Self::Admin,
        }
    }
}

impl StoreArg {
    async fn doer(self, server: &ServerArgs, options: hitl_store::Options) -> anyhow::Result<Doer> {
        let Some(url) = self.store else {
            return Ok(Doer::Server(server.client()?));
        };
        let store = hitl_store::open(&url, options).await?;
        // Whoever can write to the store can do as much without this program.
        let service = Service::new(
            store,
            Arc::new(SystemClock),
            Arc::new(SystemRandom),
            1,
            CancellationToken::new(),
            Background::new(None),
        );
        Ok(Doer::Store(service.session(Principal::Owner)))
    }
}

impl Doer {
    async fn create(
        &self,
        request: v1::CreateTokenRequest,
    ) -> anyhow::Result<v1::CreateTokenResponse> {
        match self {
            Self::Server(client) => Ok(reach(client, client.create_token(request)).await?),
            Self::Store(session) => Ok(admin::create(session, request).await?),
        }
    }

    async fn list(&self, request: v1::ListTokensRequest) -> anyhow::Result<v1::ListTokensResponse> {
        match self {
            Self::Server(client) => Ok(reach(client, client.list_tokens(request)).await?),
            Self::Store(session) => Ok(admin::list(session, request).await?),
        }
    }

    async fn revoke(
        &self,
        request: v1::RevokeTokenRequest,
    ) -> anyhow::Result<v1::RevokeTokenResponse> {
        match self {
            Self::Server(client) => Ok(reach(client, client.revoke_token(request)).await?),
            Self::Store(session) => Ok(admin::revoke(session, request).await?),
        }
    }

    async fn rotate(
        &self,
        request: v1::RotateTokenRequest,
    ) -> anyhow::Result<v1::RotateTokenResponse> {
        match self {
            Self::Server(client) => Ok(reach(client, client.rotate_token(request)).await?),
            Self::Store(session) => Ok(admin::rotate(session, request).await?),
        }
    }
}
