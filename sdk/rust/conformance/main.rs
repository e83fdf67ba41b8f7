//! Drives the Rust SDK for the scenarios: a command a line on standard input, a reply a line on standard output.

mod events;
mod values;

use std::collections::HashMap;
use std::sync::{LazyLock, Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use hitl::{Client, Config, v1};
use serde_json::{Value as Json, json};
use tokio::io::{AsyncBufReadExt, BufReader, stdin};

use values::{answer, error, shown, text};

static CLIENTS: LazyLock<Mutex<HashMap<String, Client>>> = LazyLock::new(Mutex::default);

#[tokio::main]
async fn main() -> Result<()> {
    let mut lines = BufReader::new(stdin()).lines();
    while let Some(line) = lines.next_line().await? {
        let command: Json = serde_json::from_str(&line)?;
        tokio::spawn(async move {
            let reply = match carry_out(&command).await {
                Ok(ok) => json!({"id": command["id"], "ok": ok}),
                Err(failure) => json!({"id": command["id"], "error": error(&failure)}),
            };
            println!("{reply}");
        });
    }
    Ok(())
}

async fn carry_out(c: &Json) -> Result<Json> {
    let [id, reason, responder] = ["event_id", "reason", "responder"].map(|name| text(c, name));
    Ok(match text(c, "op") {
        "client" => make_client(c).map(|()| json!({}))?,
        "create" => events::create(&client(c)?, c).await?,
        "wait" => match c["limit_ms"].as_u64().map(Duration::from_millis) {
            None => json!({"value": events::held(c)?.wait().await?}),
            Some(limit) => match tokio::time::timeout(limit, events::held(c)?.wait()).await {
                Ok(value) => json!({"value": value?}),
                Err(_) => json!({"gave_up": true}),
            },
        },
        "cancel_event" => events::held(c)?.cancel(reason).await.map(|()| json!({}))?,
        "wait_event" => shown(&client(c)?.wait_event(id).await?),
        "get" => shown(&client(c)?.get(id).await?),
        "answer" => shown(&client(c)?.answer(id, answer(c)?, responder).await?),
        "decline" => shown(&client(c)?.decline(id, reason, responder).await?),
        "cancel" => shown(&client(c)?.cancel(id, reason).await?),
        "list" => list(c).await?,
        "ask" => events::ask(c).await?,
        other => bail!("no op {other}"),
    })
}

fn make_client(c: &Json) -> Result<()> {
    let mut config = Config::default();
    config = c["endpoint"].as_str().into_iter().fold(config, Config::endpoint);
    config = c["namespace"].as_str().into_iter().fold(config, Config::namespace);
    config = c["run_id"].as_str().into_iter().fold(config, Config::run_id);
    let retry_for = c["retry_for_ms"].as_u64().map(Duration::from_millis);
    config = retry_for.into_iter().fold(config, Config::retry_for);
    clients().insert(text(c, "client").to_owned(), Client::new(config)?);
    Ok(())
}

/// The client that the command names, or one made from the environment.
fn client(c: &Json) -> Result<Client> {
    let name = c["client"].as_str().unwrap_or("default");
    if let Some(client) = clients().get(name) {
        return Ok(client.clone());
    }
    let client = Client::from_env()?;
    Ok(clients().entry(name.to_owned()).or_insert(client).clone())
}

fn clients() -> std::sync::MutexGuard<'static, HashMap<String, Client>> {
    CLIENTS.lock().unwrap_or_else(PoisonError::into_inner)
}

async fn list(c: &Json) -> Result<Json> {
    let state = format!("EVENT_STATE_{}", c["state"].as_str().unwrap_or("UNSPECIFIED"));
    let request = v1::ListEventsRequest {
        state: v1::EventState::from_str_name(&state).context("no such state")?.into(),
        name: text(c, "name").to_owned(),
        scope: text(c, "scope").to_owned(),
        labels: serde_json::from_value(c["labels"].clone()).unwrap_or_default(),
        page_size: i32::try_from(c["page_size"].as_i64().unwrap_or(0))?,
        page_token: text(c, "page_token").to_owned(),
        ..Default::default()
    };
    let page = client(c)?.list(request).await?;
    let events: Vec<_> = page.events.iter().map(shown).collect();
    Ok(json!({"events": events, "next_page_token": page.next_page_token}))
}
