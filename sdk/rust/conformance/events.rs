//! Typed events, each asked as the command says and kept under its name.

use std::collections::HashMap;
use std::sync::{Arc, LazyLock, Mutex, PoisonError};
use std::time::{Duration, UNIX_EPOCH};

use anyhow::{Context, Result};
use hitl::{Choice, Choices, Client, DataType, Event, EventBuilder, Object, v1};
use serde_json::{Value as Json, json};

use crate::values::{Shown, text};

type Held = Arc<dyn AnyEvent>;
static EVENTS: LazyLock<Mutex<HashMap<String, Held>>> = LazyLock::new(Mutex::default);

/// An event of whatever type.
#[async_trait::async_trait]
pub(crate) trait AnyEvent: Send + Sync {
    async fn wait(&self) -> Result<Json>;
    async fn cancel(&self, reason: &str) -> Result<()>;
}

#[async_trait::async_trait]
impl<T: DataType + Shown> AnyEvent for Event<T> {
    async fn wait(&self) -> Result<Json> {
        let value = Self::wait(self).await?;
        Ok(value.shown(self.record()))
    }

    async fn cancel(&self, reason: &str) -> Result<()> {
        Ok(Self::cancel(self, reason).await?)
    }
}

pub(crate) fn held(c: &Json) -> Result<Held> {
    let events = EVENTS.lock().unwrap_or_else(PoisonError::into_inner);
    events.get(text(c, "event")).cloned().context("no such event")
}

pub(crate) async fn ask(c: &Json) -> Result<Json> {
    let (name, prompt) = (text(c, "name"), text(c, "prompt"));
    Ok(match text(c, "type") {
        "int" => json!({"value": {"int": hitl::ask::<i64>(name, prompt).await?.to_string()}}),
        _ => json!({"value": {"bool": hitl::ask::<bool>(name, prompt).await?}}),
    })
}

pub(crate) async fn create(client: &Client, c: &Json) -> Result<Json> {
    let (name, prompt) = (text(c, "name"), c["prompt"].as_str().unwrap_or("What is it?"));
    let int = |name: &str| c[name].as_str().and_then(|n| n.parse().ok()).into_iter();
    let size = |name: &str| c[name].as_u64().and_then(|n| u32::try_from(n).ok()).into_iter();
    match text(c, "type") {
        "int" => {
            let e = int("min").fold(client.event(name, prompt), EventBuilder::<i64>::min);
            finish(c, int("max").fold(e, EventBuilder::<i64>::max)).await
        }
        "float" => {
            let e = client.event(name, prompt);
            let e = c["min"].as_f64().into_iter().fold(e, EventBuilder::<f64>::min);
            finish(c, c["max"].as_f64().into_iter().fold(e, EventBuilder::<f64>::max)).await
        }
        "str" => {
            let e = size("min_length").fold(client.event(name, prompt), EventBuilder::min_length);
            let e = size("max_length").fold(e, EventBuilder::max_length);
            let e = c["pattern"].as_str().into_iter().fold(e, EventBuilder::pattern);
            let e = if c["multiline"] == true { e.multiline() } else { e };
            let format = format!("STR_FORMAT_{}", text(c, "format"));
            let format = v1::StrFormat::from_str_name(&format);
            finish(c, format.into_iter().fold(e, EventBuilder::format)).await
        }
        "bool" => {
            let labels = c["yes"].as_str().zip(c["no"].as_str()).into_iter();
            let e = client.event::<bool>(name, prompt);
            finish(c, labels.fold(e, |e, (yes, no)| e.labels(yes, no))).await
        }
        "choice" => finish(c, options(c, client.event::<Choice>(name, prompt))).await,
        "choices" => {
            let e = options(c, client.event::<Choices>(name, prompt));
            let e = size("min_selected").fold(e, EventBuilder::min_selected);
            finish(c, size("max_selected").fold(e, EventBuilder::max_selected)).await
        }
        _ => finish(c, client.event::<Object<Json>>(name, prompt).schema(&c["schema"])).await,
    }
}

fn options<T>(c: &Json, event: EventBuilder<T>) -> EventBuilder<T>
where
    T: DataType<Input = v1::ChoiceInput>,
{
    let all = c["options"].as_array().into_iter().flatten();
    all.fold(event, |event, option| match option["label"].as_str() {
        Some(label) => event.option_labelled(text(option, "value"), label),
        None => event.option(text(option, "value")),
    })
}

async fn finish<T: DataType + Shown>(c: &Json, e: EventBuilder<T>) -> Result<Json> {
    let e = c["scope"].as_str().into_iter().fold(e, EventBuilder::scope);
    let timeout = c["timeout_ms"].as_u64().map(Duration::from_millis);
    let e = timeout.into_iter().fold(e, EventBuilder::timeout);
    let e = T::read(&c["default"]).into_iter().fold(e, EventBuilder::default_on_timeout);
    let labels = c["labels"].as_object().into_iter().flatten();
    let e = labels.fold(e, |e, (key, value)| e.label(key, value.as_str().unwrap_or_default()));
    let e = if c["markdown"] == true { e.markdown() } else { e };
    let e = c["idempotency_key"].as_str().into_iter().fold(e, EventBuilder::idempotency_key);
    let event = e.create().await?;
    let deadline = event.deadline().duration_since(UNIX_EPOCH)?.as_millis();
    let shown = json!({
        "event_id": event.id(), "request_id": event.request_id(), "name": event.name(),
        "form_url": event.form_url(), "api_url": event.api_url(), "endpoint": event.endpoint(),
        "existed": event.existed(), "deadline_ms": u64::try_from(deadline)?,
    });
    let mut events = EVENTS.lock().unwrap_or_else(PoisonError::into_inner);
    events.insert(text(c, "event").to_owned(), Arc::new(event));
    Ok(shown)
}
