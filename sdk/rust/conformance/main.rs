//! Drives the Rust SDK for the scenarios: commands as JSON lines on standard input, replies on standard output.

use std::collections::HashMap;
use std::sync::{Arc, LazyLock};
use std::time::{Duration, UNIX_EPOCH};

use anyhow::{Context, Result, bail};
use futures::future::BoxFuture;
use hitl::{
    Choice, Choices, Client, Config, DataType, Decision, Event, EventBuilder, KeySet, Object,
    Receipt, Review, Run, VerifyError, v1,
};
use prost::Message;
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::{Value as Json, json};
use tokio::{runtime::Runtime, sync::Mutex};

/// Carries out a command for an event, whatever its type.
type AnyEvent = Arc<dyn Fn(Json) -> BoxFuture<'static, Result<Json>> + Send + Sync>;
static CLIENTS: LazyLock<Mutex<HashMap<String, Client>>> = LazyLock::new(Mutex::default);
static RUNS: LazyLock<Mutex<HashMap<String, Run>>> = LazyLock::new(Mutex::default);
static EVENTS: LazyLock<Mutex<HashMap<String, AnyEvent>>> = LazyLock::new(Mutex::default);

/// Calls the setters for which the command has a member of the same name.
macro_rules! set {
    ($builder:expr, $c:ident, $($member:ident: $type:ty),+) => {{
        let mut builder = $builder;
        $(if let Some(value) = Option::<$type>::deserialize(&$c[stringify!($member)])? {
            builder = builder.$member(value);
        })+
        builder
    }};
}

fn main() -> Result<()> {
    let runtime = Runtime::new()?;
    for line in std::io::stdin().lines() {
        let c: Json = serde_json::from_str(&line?)?;
        runtime.spawn(async move {
            match carry_out(&c).await {
                Ok(ok) => println!("{}", json!({"id": c["id"], "ok": ok})),
                Err(error) => println!("{}", json!({"id": c["id"], "error": failure(&error)})),
            }
        });
    }
    Ok(())
}

/// How a client is to be, as the scenario says.
fn config(c: &Json) -> Result<Config> {
    let config = set!(Config::default(), c, endpoint: &str, namespace: &str, run_id: &str);
    let mut config = set!(config, c, token: &str, insecure: bool, proxy: &str);
    for (name, value) in c["headers"].as_object().into_iter().flatten() {
        config = config.header(name, value.as_str().context("a header is text")?);
    }
    let limit = c["retry_for_ms"].as_u64().map(Duration::from_millis);
    let config = if let Some(limit) = limit { config.retry_for(limit) } else { config };
    let config = call_timeout(c).map_or(config.clone(), |limit| config.call_timeout(limit));
    Ok(config)
}

fn comments(said: &[v1::Comment]) -> Json {
    let each = said.iter().map(|said| {
        let author = said.author.clone().unwrap_or_default().name;
        json!({"author": author, "text": said.text, "needs_info": said.needs_info})
    });
    json!({"comments": each.collect::<Vec<_>>()})
}

#[expect(clippy::too_many_lines, reason = "it is a table of what can be asked")]
async fn carry_out(c: &Json) -> Result<Json> {
    if c["op"] == "client" {
        CLIENTS.lock().await.insert(text(c, "client").to_owned(), Client::new(config(c)?)?);
        return Ok(json!({}));
    }
    if c["op"] == "verify" {
        return verify(c);
    }
    let client = CLIENTS.lock().await.get(text(c, "client")).cloned().context("no such client")?;
    let client = call_timeout(c).map_or(client.clone(), |limit| client.with_call_timeout(limit));
    if c["op"] == "run" {
        let run = client.run(text(c, "run_id"))?;
        RUNS.lock().await.insert(text(c, "run").to_owned(), run);
        return Ok(json!({}));
    }
    let run = RUNS.lock().await.get(text(c, "run")).cloned();
    let event = EVENTS.lock().await.get(text(c, "event")).cloned();
    let [id, reason, responder] = ["event_id", "reason", "responder"].map(|name| text(c, name));
    let reply = |event: v1::Event| json!({"event": event.encode_to_vec()});
    Ok(match (text(c, "op"), event) {
        ("create", _) => create(&client, run.as_ref(), c).await?,
        ("attach", _) => attach(&client, run.as_ref(), c).await?,
        ("within", _) => {
            let asks = client.run(text(c, "run_id"))?.within(within(&client, c)).await?;
            json!({"event_ids": asks})
        }
        ("events", _) => {
            let limit = c["limit"].as_u64().unwrap_or_default();
            let mut events = client.events(message(c)?, usize::try_from(limit)?);
            let mut listed = Vec::new();
            while let Some(event) = events.next().await? {
                listed.push(event.encode_to_vec());
            }
            json!({"listed": listed})
        }
        ("wait" | "wait_details" | "poll" | "json" | "cancel_event" | "execute", Some(event)) => {
            event(c.clone()).await?
        }
        ("ask_valid", _) => {
            let (name, prompt) = (text(c, "name"), text(c, "prompt"));
            let asked = match &run {
                Some(run) => run.event::<i64>(name, prompt),
                None => client.event(name, prompt),
            };
            let even = |number: &i64| match number % 2 {
                0 => Ok(()),
                _ => Err(format!("{number} is odd")),
            };
            json!({"value": set!(asked, c, attempts: u32).ask_valid(even).await?})
        }
        ("ask", _) => json!({"value": hitl::ask::<i64>(text(c, "name"), text(c, "prompt")).await?}),
        ("wait_event", _) => reply(client.wait_event(id).await?),
        ("wait_many", _) => {
            let ids = Vec::<String>::deserialize(&c["event_ids"])?;
            let waits = ids.iter().map(|id| client.wait_event(id));
            let events = futures::future::try_join_all(waits).await?;
            json!({"events": events.iter().map(Message::encode_to_vec).collect::<Vec<_>>()})
        }
        ("watch", _) => watch(&client, c).await?,
        ("create_many", _) => results("created", client.create_many(messages(c)?).await),
        ("answer_many", _) => results("response", client.answer_many(messages(c)?).await),
        ("get", _) => reply(client.get(id).await?),
        ("answer", _) => {
            let answer = message::<v1::AnswerEventRequest>(c)?.answer.context("no answer")?;
            reply(client.answer_with_comment(id, answer, responder, text(c, "comment")).await?)
        }
        ("decline", _) => reply(client.decline(id, reason, responder).await?),
        ("cancel", _) => reply(client.cancel(id, reason).await?),
        ("comment", _) => {
            let needs_info = c["needs_info"] == true;
            let said = client.comment(id, text(c, "text"), needs_info, responder).await?;
            comments(&[said])
        }
        ("comments", _) => comments(&client.comments(id).await?),
        ("receipt", _) => {
            let (receipt, keys) = (client.receipt(id).await?, client.receipt_keys().await?);
            let json = |text: String| serde_json::from_str::<Json>(&text);
            json!({"receipt": json(receipt.to_json())?, "keys": json(keys.to_json())?})
        }
        ("create_link", _) => {
            let ttl = c["ttl_ms"].as_u64().map(Duration::from_millis);
            let link = client.create_link(id, responder, ttl).await?;
            let expires_ms = link.expires.duration_since(UNIX_EPOCH)?.as_millis();
            let printed = format!("{link:?}");
            json!({"url": link.url, "api_url": link.api_url, "expires_ms": expires_ms, "printed": printed})
        }
        ("revoke_links", _) => {
            client.revoke_links(id, Some(responder).filter(|named| !named.is_empty())).await?;
            json!({})
        }
        ("list", _) => json!({"page": client.list(message(c)?).await?.encode_to_vec()}),
        _ => bail!("no such op, or no such event"),
    })
}

fn verify(c: &Json) -> Result<Json> {
    let receipt = Receipt::from_json(&c["receipt"].to_string())?;
    let said = receipt.verify(&KeySet::from_json(&c["keys"].to_string())?)?;
    Ok(
        json!({"event_id": said.event_id(), "namespace": said.namespace(), "state": said.state(), "time": said.time()}),
    )
}

fn call_timeout(c: &Json) -> Option<Duration> {
    c["call_timeout_ms"].as_u64().map(Duration::from_millis)
}

async fn watch(client: &Client, c: &Json) -> Result<Json> {
    let mut watch = client.watch(message(c)?);
    let mut changes = Vec::new();
    loop {
        let hitl::Change { kind, event, resume_token } = watch.next().await?;
        let (kind_number, bytes) = (i32::from(kind), event.encode_to_vec());
        changes.push(json!({"kind": kind_number, "event": bytes, "resume_token": resume_token}));
        if kind == v1::ChangeKind::Ended && event.name == text(c, "last") {
            return Ok(json!({"changes": changes}));
        }
    }
}

async fn within(client: &Client, c: &Json) -> Result<Vec<String>> {
    let mut ids = Vec::new();
    for _ in 0..c["count"].as_u64().unwrap_or_default() {
        ids.push(client.event::<i64>(text(c, "name"), "How many?").create().await?.id().to_owned());
    }
    Ok(ids)
}

async fn attach(client: &Client, run: Option<&Run>, c: &Json) -> Result<Json> {
    match text(c, "type") {
        "int" => attached::<i64>(client, run, c).await,
        "str" => attached::<String>(client, run, c).await,
        "review" => attached::<Review>(client, run, c).await,
        kind => bail!("nothing is attached to as {kind}"),
    }
}

async fn attached<T: DataType + Serialize>(
    client: &Client,
    run: Option<&Run>,
    c: &Json,
) -> Result<Json> {
    keep::<T>(
        c,
        match run {
            Some(run) => run.attach(text(c, "name"), c["number"].as_u64().unwrap_or(1)).await?,
            None => client.attach(text(c, "event_id")).await?,
        },
    )
    .await
}

async fn create(client: &Client, run: Option<&Run>, c: &Json) -> Result<Json> {
    let [name, prompt, yes, no] = ["name", "prompt", "yes", "no"].map(|name| text(c, name));
    macro_rules! event {
        ($type:ty) => {
            match run {
                Some(run) => run.event::<$type>(name, prompt),
                None => client.event::<$type>(name, prompt),
            }
        };
    }
    let options = Vec::<[String; 2]>::deserialize(&c["options"]).unwrap_or_default().into_iter();
    match text(c, "type") {
        "int" => finish(c, set!(event!(i64), c, min: i64, max: i64)).await,
        "float" => finish(c, set!(event!(f64), c, min: f64, max: f64)).await,
        "str" => {
            let format = v1::StrFormat::from_str_name(text(c, "format")).unwrap_or_default();
            let event = event!(String).format(format);
            let event = set!(event, c, min_length: u32, max_length: u32, pattern: &str);
            finish(c, if c["multiline"] == true { event.multiline() } else { event }).await
        }
        "bool" => finish(c, event!(bool).labels(yes, no)).await,
        "choice" => {
            let event = event!(Choice);
            let event = options.fold(event, |e, [value, label]| e.option_labelled(value, label));
            finish(c, event).await
        }
        "choices" => {
            let event = event!(Choices);
            let event = options.fold(event, |e, [value, label]| e.option_labelled(value, label));
            finish(c, set!(event, c, min_selected: u32, max_selected: u32)).await
        }
        "review" => {
            let mut event = event!(Review).action(text(c, "action"), &c["arguments"]);
            if !c["schema"].is_null() {
                event = event.arguments_schema(&c["schema"]);
            }
            let allow = Option::<Vec<Decision>>::deserialize(&c["allow"])?.unwrap_or_default();
            finish(c, event.allow(allow)).await
        }
        _ => finish(c, event!(Object<Json>).schema(&c["schema"])).await,
    }
}

async fn finish<T>(c: &Json, event: EventBuilder<T>) -> Result<Json>
where
    T: DataType + Serialize + DeserializeOwned,
{
    let mut event =
        set!(event, c, scope: &str, idempotency_key: &str, default_on_timeout: T, title: &str);
    if let Some(risk) = Option::<String>::deserialize(&c["risk"])? {
        let risk = v1::Risk::from_str_name(&format!("RISK_{}", risk.to_uppercase()));
        event = event.risk(risk.context("no such risk")?);
    }
    for [label, value] in Option::<Vec<[String; 2]>>::deserialize(&c["facts"])?.unwrap_or_default()
    {
        event = event.fact(label, value);
    }
    for bytes in Option::<Vec<Vec<u8>>>::deserialize(&c["evidence"])?.unwrap_or_default() {
        event = event.evidence(Message::decode(bytes.as_slice())?);
    }
    if c["require_confirmation"] == true {
        event = event.require_confirmation();
    }
    for person in Option::<Vec<String>>::deserialize(&c["assignees"])?.unwrap_or_default() {
        event = event.assignee(person);
    }
    for group in Option::<Vec<String>>::deserialize(&c["groups"])?.unwrap_or_default() {
        event = event.group(group);
    }
    if let Some(people) = Option::<u32>::deserialize(&c["required"])? {
        event = event.required(people);
    }
    if c["outvotes_declines"] == true {
        event = event.outvotes_declines();
    }
    for (key, value) in c["labels"].as_object().into_iter().flatten() {
        event = event.label(key, value.as_str().context("a label is text")?);
    }
    let event = if c["markdown"] == true { event.markdown() } else { event };
    let limit = c["timeout_ms"].as_u64().map(Duration::from_millis);
    let event = if let Some(limit) = limit { event.timeout(limit) } else { event };
    keep(c, event.create().await?).await
}

async fn keep<T: DataType + Serialize>(c: &Json, event: Event<T>) -> Result<Json> {
    let event = Arc::new(event);
    let reply = json!({
        "event_id": event.id(), "request_id": event.request_id(), "name": event.name(),
        "form_url": event.form_url(), "api_url": event.api_url(), "endpoint": event.endpoint(),
        "existed": event.existed(), "deadline_ms": event.deadline().duration_since(UNIX_EPOCH)?.as_millis(),
    });
    let any: AnyEvent = Arc::new(move |c| Box::pin(carry_out_for(event.clone(), c)));
    EVENTS.lock().await.insert(text(c, "event").to_owned(), any);
    Ok(reply)
}

async fn carry_out_for<T: DataType + Serialize>(event: Arc<Event<T>>, c: Json) -> Result<Json> {
    if c["op"] == "cancel_event" {
        return Ok(json!({"cancelled": event.cancel(text(&c, "reason")).await?}));
    }
    if c["op"] == "execute" {
        let review: Review = serde_json::from_value(serde_json::to_value(event.wait().await?)?)?;
        let given = if c["arguments"].is_null() { review.arguments() } else { &c["arguments"] };
        let approves = review.approves(text(&c, "action"), given);
        let executed = review.execute_if_approved(text(&c, "action"), |arguments| arguments)?;
        return Ok(json!({"executed": executed, "approves": approves}));
    }
    if c["op"] == "wait_details" {
        let hitl::Details { value, response } = event.wait_details().await?;
        return Ok(json!({"value": value, "comment": response.comment}));
    }
    let (value, without) = match (text(&c, "op"), c["limit_ms"].as_u64()) {
        ("json", _) => return Ok(json!({"json": serde_json::from_str::<Json>(&event.to_json())?})),
        ("poll", _) => (event.poll().await?, "pending"),
        (_, Some(limit)) => (event.wait_for(Duration::from_millis(limit)).await?, "gave_up"),
        (_, None) => (Some(event.wait().await?), "gave_up"),
    };
    Ok(if value.is_some() { json!({"value": value}) } else { json!({without: true}) })
}

fn results<M: Message>(name: &str, results: Vec<hitl::Result<M>>) -> Json {
    let result = |result: hitl::Result<M>| match result {
        Ok(message) => json!({name: message.encode_to_vec()}),
        Err(error) => json!({"error": said(&error)}),
    };
    json!({"results": results.into_iter().map(result).collect::<Vec<_>>()})
}

fn failure(error: &anyhow::Error) -> Json {
    if let Some(error) = error.downcast_ref::<VerifyError>() {
        return json!({"kind": "invalid", "message": error.to_string()});
    }
    let Some(error) = error.downcast_ref::<hitl::Error>() else {
        return json!({"kind": "adapter", "message": format!("{error:#}")});
    };
    said(error)
}

fn said(error: &hitl::Error) -> Json {
    json!({
        "kind": format!("{:?}", error.kind()), "reason": error.reason(), "message": error.message(),
        "fields": error.field_violations().iter().map(|rule| &rule.field).collect::<Vec<_>>(),
        "retryable": error.is_retryable(), "response": error.response().map(Message::encode_to_vec),
    })
}

fn text<'a>(json: &'a Json, member: &str) -> &'a str {
    json[member].as_str().unwrap_or_default()
}

/// The message of the API that goes with the command.
fn message<M: Message + Default>(c: &Json) -> Result<M> {
    Ok(M::decode(Vec::deserialize(&c["message"])?.as_slice())?)
}

fn messages<M: Message + Default>(c: &Json) -> Result<Vec<M>> {
    let messages = Vec::<Vec<u8>>::deserialize(&c["messages"])?;
    messages.iter().map(|bytes| Ok(M::decode(bytes.as_slice())?)).collect()
}
