//! Reads the flat JSON Schema of an object input: the subset that MCP elicitation uses.
//!
//! Each property becomes a [`Field`] with an [`Input`] of its own, so that an object is checked,
//! parsed and shown by the very same rules as a lone value. A keyword outside the subset is
//! refused, and so is one whose content means nothing: a rule that is silently ignored is worse
//! than none.
//!
//! A schema is judged when its event is created. When the event is answered, the schema is only
//! read: a rule that this code has learned since must not make a stored event unanswerable.

mod options;
mod property;
mod reader;

use std::borrow::Cow;

use serde_json::{Map, Value as Json};

use crate::input::{Input, ObjectInput};
use crate::limits;
use crate::literal;
use crate::lookalike::Lookalikes;
use crate::rejection::Violation;
use crate::str_input;
use crate::strict_json;
use crate::value::Value;
use reader::{Faults, Purpose, Reader};

/// What the addresses of the drafts of JSON Schema begin with.
const DRAFTS: [&str; 2] = ["http://json-schema.org/", "https://json-schema.org/"];

/// One property of an object input.
#[derive(Clone, Debug, PartialEq)]
pub struct Field {
    /// Key of the property.
    pub name: String,
    /// What a person sees; the key if empty.
    pub title: String,
    /// One paragraph of help; may be empty.
    pub description: String,
    /// Whether an answer must have it.
    pub required: bool,
    /// What the form is prefilled with.
    pub default: Option<Value>,
    /// The kind of answer it wants; never an object.
    pub input: Input,
}

impl Field {
    /// What a person sees: the title, or the key if there is none.
    pub fn label(&self) -> &str {
        if self.title.is_empty() { &self.name } else { &self.title }
    }
}

impl ObjectInput {
    /// The properties, in the order of the schema.
    ///
    /// # Errors
    /// What keeps the schema from being read, with paths that start at `json_schema`.
    pub(crate) fn read_fields(&self) -> Result<Vec<Field>, Vec<Violation>> {
        let mut faults = Faults::new(Purpose::Answer);
        let fields = self.read(&mut faults);
        faults.none().map(|()| fields)
    }

    /// Every rule that the schema breaks, with paths that start at `json_schema`.
    pub(crate) fn check_self(&self) -> Vec<Violation> {
        let mut faults = Faults::new(Purpose::Create);
        let fields = self.read(&mut faults);
        tell_apart(&mut faults, &fields);
        if let Some(violation) = str_input::together(&fields) {
            faults.refuse(violation.field, violation.message);
        }
        faults.none().err().unwrap_or_default()
    }

    fn read(&self, faults: &mut Faults) -> Vec<Field> {
        let text = &self.json_schema;
        if text.len() > limits::SCHEMA_BYTES_MAX {
            let message = format!("must have at most {} bytes", limits::SCHEMA_BYTES_MAX);
            faults.refuse("json_schema", message);
            return Vec::new();
        }
        // Defaults and bounds are whole numbers by their digits, not by the double that a reader makes of them.
        let exact = literal::exact(text).unwrap_or_else(|message| {
            faults.refuse_at_create("json_schema", message);
            Cow::Borrowed(text.as_str())
        });
        match serde_json::from_str(&exact) {
            Ok(schema) => {
                if let Err(message) = strict_json::check(text.as_bytes()) {
                    faults.refuse_at_create("json_schema", message);
                }
                read(&mut Reader::new("json_schema".to_owned(), &schema, faults))
            }
            Err(error) => {
                faults.refuse("json_schema", format!("must be a JSON object: {error}"));
                Vec::new()
            }
        }
    }
}

fn read(schema: &mut Reader<'_>) -> Vec<Field> {
    schema.allow(&[
        "type",
        "properties",
        "required",
        "title",
        "description",
        "$schema",
        "additionalProperties",
    ]);
    let members = schema.members;
    if members.get("type").and_then(Json::as_str) != Some("object") {
        schema.refuse("type", "must be \"object\"");
    }
    if members.get("additionalProperties").is_some_and(|json| *json != Json::Bool(false)) {
        schema.refuse("additionalProperties", "must be false if given");
    }
    annotations(schema);
    let empty = Map::new();
    let properties = members.get("properties").and_then(Json::as_object).unwrap_or(&empty);
    if !(1..=limits::FIELDS_MAX).contains(&properties.len()) {
        let message = format!("must be an object with 1 to {} members", limits::FIELDS_MAX);
        schema.refuse("properties", message);
    }
    let required = required(schema, properties);
    let fields = properties.iter().take(limits::FIELDS_MAX).filter_map(|(name, property)| {
        property::field(schema, name, property, required.contains(&name.as_str()))
    });
    fields.collect()
}

/// What says something about the schema, and nothing about the answer.
fn annotations(schema: &mut Reader<'_>) {
    let members = schema.members;
    if let Some(title) = members.get("title") {
        schema.judge_title("title", title);
    }
    if members.get("description").is_some_and(|json| !json.is_string()) {
        schema.refuse_at_create("description", "must be a string");
    }
    let is_draft =
        |json: &Json| json.as_str().is_some_and(|uri| DRAFTS.iter().any(|d| uri.starts_with(d)));
    if members.get("$schema").is_some_and(|json| !is_draft(json)) {
        let message = "must be the address of a draft of JSON Schema, \
                       such as \"https://json-schema.org/draft/2020-12/schema\"";
        schema.refuse_at_create("$schema", message);
    }
}

fn required<'a>(schema: &mut Reader<'a>, properties: &Map<String, Json>) -> Vec<&'a str> {
    let Some(list) = schema.members.get("required") else {
        return Vec::new();
    };
    let names: Option<Vec<&str>> =
        list.as_array().and_then(|items| items.iter().map(Json::as_str).collect());
    let names = names.unwrap_or_else(|| {
        schema.refuse("required", "must be an array of strings");
        Vec::new()
    });
    for (index, name) in names.iter().enumerate() {
        if !properties.contains_key(*name) {
            schema.refuse("required", format!("names {name:?}, which is no property"));
        } else if names[..index].contains(name) {
            schema.refuse_at_create("required", format!("names {name:?} twice"));
        }
    }
    names
}

/// Refuses fields that a person, or whoever writes their names into JSON, could not tell apart.
fn tell_apart(faults: &mut Faults, fields: &[Field]) {
    let (mut names, mut labels) = (Lookalikes::default(), Lookalikes::default());
    for field in fields {
        let at = format!("json_schema.properties.{}", field.name);
        let mut broken = Vec::new();
        names.add(&mut broken, &at, &field.name);
        // Fields whose names look alike and stand for titles are the same fault, said once.
        if !field.title.is_empty() || broken.is_empty() {
            let at = if field.title.is_empty() { at } else { format!("{at}.title") };
            labels.add(&mut broken, &at, field.label());
        }
        faults.extend_at_create(broken);
    }
}

#[cfg(test)]
#[path = "schema_tests.rs"]
mod tests;
