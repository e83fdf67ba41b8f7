//! What a scenario knows by name, and text with such names in it.

use std::collections::BTreeMap;

use anyhow::{Context, Result};
use serde_json::Value as Json;

/// What came back, by the name of the event or the name it was saved under.
#[derive(Debug, Clone, Default)]
pub(crate) struct Vars(BTreeMap<String, Json>);

impl Vars {
    pub(crate) fn set(&mut self, name: &str, value: Json) {
        self.0.insert(name.to_owned(), value);
    }

    /// `json` with every `{name.field}` in its strings replaced. A string that is nothing else becomes what it stands
    /// for. `{"$repeat": "x", "times": 5}` is a long string.
    pub(crate) fn fill(&self, json: &Json) -> Result<Json> {
        Ok(match json {
            Json::String(text) => self.fill_text(text)?,
            Json::Array(items) => {
                items.iter().map(|item| self.fill(item)).collect::<Result<_>>()?
            }
            Json::Object(fields) => match (fields.get("$repeat"), fields.get("times")) {
                (Some(Json::String(text)), Some(times)) => {
                    let times = times.as_u64().context("`times` is a number")?;
                    Json::String(text.repeat(usize::try_from(times)?))
                }
                _ => {
                    let filled = fields.iter().map(|(k, v)| Ok((k.clone(), self.fill(v)?)));
                    Json::Object(filled.collect::<Result<_>>()?)
                }
            },
            other => other.clone(),
        })
    }

    /// The same of one text.
    pub(crate) fn fill_text(&self, text: &str) -> Result<Json> {
        if let Some(path) = text.strip_prefix('{').and_then(|rest| rest.strip_suffix('}'))
            && is_path(path)
        {
            return self.look_up(path);
        }
        // An index may stand within a name: {e{i}.event_id}.
        if let Some(index) = self.0.get("i").filter(|_| text.contains("{i}")) {
            return self.fill_text(&text.replace("{i}", &index.to_string()));
        }
        let mut filled = String::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once('{') {
            filled.push_str(before);
            match after.split_once('}') {
                Some((path, after)) if is_path(path) => {
                    let value = self.look_up(path)?;
                    filled.push_str(value.as_str().unwrap_or(&value.to_string()));
                    rest = after;
                }
                _ => {
                    filled.push('{');
                    rest = after;
                }
            }
        }
        Ok(Json::String(filled + rest))
    }

    fn look_up(&self, path: &str) -> Result<Json> {
        let mut parts = path.split('.');
        let name = parts.next().unwrap_or_default();
        let mut value = self.0.get(name).with_context(|| format!("nothing is known as {name}"))?;
        for part in parts {
            let inner = match part.parse::<usize>() {
                Ok(index) => value.get(index),
                Err(_) => value.get(part),
            };
            value = inner.with_context(|| format!("{path} is not there"))?;
        }
        Ok(value.clone())
    }
}

fn is_path(text: &str) -> bool {
    !text.is_empty() && text.chars().all(|c| c.is_ascii_alphanumeric() || "._".contains(c))
}
