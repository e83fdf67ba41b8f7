//! Reads the flat JSON Schema of an object input: the subset that MCP elicitation uses.
//!
//! Each property becomes a [`Field`] with an [`Input`] of its own, so that an object is checked,
//! parsed and shown by the very same rules as a lone value. A keyword outside the subset is
//! refused: a rule that is silently ignored is worse than none.

use serde_json::{Map, Value as Json};

use crate::choice::{ChoiceInput, ChoiceOption};
use crate::input::{BoolInput, FloatInput, Input, IntInput, ObjectInput, StrFormat, StrInput};
use crate::limits;
use crate::parse;
use crate::rejection::Violation;
use crate::value::Value;

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

type Result<T> = std::result::Result<T, Vec<Violation>>;

impl ObjectInput {
    /// The properties, in the order of the schema.
    ///
    /// # Errors
    /// Every rule of the subset that the schema breaks, with paths that start at `json_schema`.
    pub fn fields(&self) -> Result<Vec<Field>> {
        let schema =
            self.parse().map_err(|message| vec![Violation::new("json_schema", message)])?;
        let allowed = [
            "type",
            "properties",
            "required",
            "title",
            "description",
            "$schema",
            "additionalProperties",
        ];
        let mut broken = Vec::new();
        unknown_keywords(&mut broken, "json_schema", &schema, &allowed);
        if schema.get("type").and_then(Json::as_str) != Some("object") {
            broken.push(Violation::new("json_schema.type", "must be \"object\""));
        }
        if schema.get("additionalProperties").is_some_and(|json| *json != Json::Bool(false)) {
            broken
                .push(Violation::new("json_schema.additionalProperties", "must be false if given"));
        }
        let empty = Map::new();
        let properties = schema.get("properties").and_then(Json::as_object).unwrap_or(&empty);
        if !(1..=limits::FIELDS_MAX).contains(&properties.len()) {
            let message = format!("must be an object with 1 to {} members", limits::FIELDS_MAX);
            broken.push(Violation::new("json_schema.properties", message));
        }
        let required = required(&mut broken, &schema, properties);
        let mut fields = Vec::new();
        for (name, property) in properties.iter().take(limits::FIELDS_MAX) {
            match field(name, property, required.contains(&name.as_str())) {
                Ok(field) => fields.push(field),
                Err(violations) => broken.extend(violations),
            }
        }
        if broken.is_empty() { Ok(fields) } else { Err(broken) }
    }

    fn parse(&self) -> std::result::Result<Map<String, Json>, String> {
        if self.json_schema.len() > limits::SCHEMA_BYTES_MAX {
            return Err(format!("must have at most {} bytes", limits::SCHEMA_BYTES_MAX));
        }
        serde_json::from_str(&self.json_schema)
            .map_err(|error| format!("must be a JSON object: {error}"))
    }
}

fn required<'a>(
    broken: &mut Vec<Violation>,
    schema: &'a Map<String, Json>,
    properties: &Map<String, Json>,
) -> Vec<&'a str> {
    let Some(list) = schema.get("required") else {
        return Vec::new();
    };
    let names: Option<Vec<&str>> =
        list.as_array().and_then(|items| items.iter().map(Json::as_str).collect());
    let names = names.unwrap_or_else(|| {
        broken.push(Violation::new("json_schema.required", "must be an array of strings"));
        Vec::new()
    });
    for name in names.iter().filter(|name| !properties.contains_key(**name)) {
        broken.push(Violation::new(
            "json_schema.required",
            format!("names {name:?}, which is no property"),
        ));
    }
    names
}

fn field(name: &str, property: &Json, required: bool) -> Result<Field> {
    let at = format!("json_schema.properties.{name}");
    let Some(property) = property.as_object() else {
        return Err(vec![Violation::new(at, "must be an object")]);
    };
    let mut reader = Reader { at, property, broken: Vec::new() };
    if name.is_empty()
        || name.chars().count() > limits::LABEL_KEY_CHARS_MAX
        || name.chars().any(char::is_control)
    {
        reader.refuse(
            "",
            format!(
                "must have a name of 1 to {} printable characters",
                limits::LABEL_KEY_CHARS_MAX
            ),
        );
    }
    let title = reader.string("title").unwrap_or_default();
    let description = reader.string("description").unwrap_or_default();
    let input = reader.input();
    if reader.broken.is_empty() {
        let own = input.check_self().into_iter();
        reader.broken.extend(
            own.map(|v| Violation::new(&*reader.at, format!("{}: {}", v.field, v.message))),
        );
    }
    let default = property.get("default").filter(|_| reader.broken.is_empty());
    let default = default.and_then(|json| {
        match parse::json(&input, &json.to_string()).and_then(|v| input.check(&v)) {
            Ok(value) => Some(value),
            Err(violations) => {
                let messages: Vec<_> = violations.into_iter().map(|v| v.message).collect();
                reader.refuse("default", messages.join("; "));
                None
            }
        }
    });
    if !reader.broken.is_empty() {
        return Err(reader.broken);
    }
    Ok(Field { name: name.to_owned(), title, description, required, default, input })
}

/// Reads one property and gathers what is wrong with it.
struct Reader<'a> {
    at: String,
    property: &'a Map<String, Json>,
    broken: Vec<Violation>,
}

impl Reader<'_> {
    fn input(&mut self) -> Input {
        let kind = self.property.get("type").and_then(Json::as_str).unwrap_or_default();
        match kind {
            "string"
                if self.property.contains_key("enum") || self.property.contains_key("oneOf") =>
            {
                self.allow(&["enum", "enumNames", "oneOf"]);
                let options = options(&mut self.broken, &self.at, self.property, "oneOf");
                Input::Choice(ChoiceInput { options, min_selected: 1, max_selected: 1 })
            }
            "string" => self.str(),
            "integer" => {
                self.allow(&["minimum", "maximum"]);
                Input::Int(IntInput { min: self.whole("minimum"), max: self.whole("maximum") })
            }
            "number" => {
                self.allow(&["minimum", "maximum"]);
                Input::Float(FloatInput {
                    min: self.number("minimum"),
                    max: self.number("maximum"),
                })
            }
            "boolean" => {
                self.allow(&[]);
                Input::Bool(BoolInput::default())
            }
            "array" => self.array(),
            _ => {
                self.refuse(
                    "type",
                    "must be string, integer, number, boolean, or array of enum items",
                );
                Input::Bool(BoolInput::default())
            }
        }
    }

    fn str(&mut self) -> Input {
        self.allow(&["minLength", "maxLength", "pattern", "format"]);
        let format = self.string("format").and_then(|name| {
            let format = StrFormat::from_name(&name);
            if format.is_none() {
                self.refuse("format", "must be email, uri, date or date-time");
            }
            format
        });
        Input::Str(StrInput {
            min_length: self.length("minLength"),
            max_length: self.length("maxLength"),
            pattern: self.string("pattern"),
            multiline: false,
            format,
        })
    }

    fn array(&mut self) -> Input {
        self.allow(&["items", "minItems", "maxItems", "uniqueItems"]);
        let at = format!("{}.items", self.at);
        let empty = Map::new();
        let items = self.property.get("items").and_then(Json::as_object).unwrap_or(&empty);
        unknown_keywords(&mut self.broken, &at, items, &["type", "enum", "enumNames", "anyOf"]);
        let options = options(&mut self.broken, &at, items, "anyOf");
        let all = u32::try_from(options.len()).unwrap_or(u32::MAX);
        let min_selected = self.length("minItems").unwrap_or(0);
        let max_selected = self.length("maxItems").unwrap_or(all.max(1));
        Input::Choice(ChoiceInput { options, min_selected, max_selected })
    }

    fn allow(&mut self, keywords: &[&str]) {
        let allowed = [&["type", "title", "description", "default"], keywords].concat();
        unknown_keywords(&mut self.broken, &self.at, self.property, &allowed);
    }

    fn refuse(&mut self, keyword: &str, message: impl Into<String>) {
        let field =
            if keyword.is_empty() { self.at.clone() } else { format!("{}.{keyword}", self.at) };
        self.broken.push(Violation::new(field, message));
    }

    fn read<T>(
        &mut self,
        keyword: &str,
        wanted: &str,
        read: impl FnOnce(&Json) -> Option<T>,
    ) -> Option<T> {
        let value = read(self.property.get(keyword)?);
        if value.is_none() {
            self.refuse(keyword, format!("must be {wanted}"));
        }
        value
    }

    fn string(&mut self, keyword: &str) -> Option<String> {
        self.read(keyword, "a string", |json| json.as_str().map(str::to_owned))
    }

    fn length(&mut self, keyword: &str) -> Option<u32> {
        self.read(keyword, "a whole number from 0", |json| {
            json.as_u64().and_then(|n| u32::try_from(n).ok())
        })
    }

    fn whole(&mut self, keyword: &str) -> Option<i64> {
        self.read(keyword, "a whole number of 64 bits", Json::as_i64)
    }

    fn number(&mut self, keyword: &str) -> Option<f64> {
        self.read(keyword, "a number", Json::as_f64)
    }
}

/// Options from `enum` (with `enumNames` as labels) or from a list of `{const, title}` under `titled`.
fn options(
    broken: &mut Vec<Violation>,
    at: &str,
    holder: &Map<String, Json>,
    titled: &str,
) -> Vec<ChoiceOption> {
    let strings = |key: &str| -> Option<Vec<String>> {
        holder.get(key)?.as_array()?.iter().map(|item| item.as_str().map(str::to_owned)).collect()
    };
    let pairs = |key: &str| -> Option<Vec<ChoiceOption>> {
        let option = |item: &Json| {
            let value = item.get("const")?.as_str()?.to_owned();
            let label = item.get("title").map_or(Some(""), Json::as_str)?.to_owned();
            Some(ChoiceOption { value, label, description: String::new() })
        };
        holder.get(key)?.as_array()?.iter().map(option).collect()
    };
    let named = |values: Vec<String>| {
        let mut labels = strings("enumNames").unwrap_or_default().into_iter();
        let option = |value| ChoiceOption {
            value,
            label: labels.next().unwrap_or_default(),
            ..ChoiceOption::default()
        };
        values.into_iter().map(option).collect()
    };
    strings("enum").map(named).or_else(|| pairs(titled)).unwrap_or_else(|| {
        let message = format!(
            "must have enum (an array of strings) or {titled} (an array of {{const, title}})"
        );
        broken.push(Violation::new(at, message));
        Vec::new()
    })
}

fn unknown_keywords(
    broken: &mut Vec<Violation>,
    at: &str,
    schema: &Map<String, Json>,
    allowed: &[&str],
) {
    for keyword in schema.keys().filter(|keyword| !allowed.contains(&keyword.as_str())) {
        broken.push(Violation::new(
            format!("{at}.{keyword}"),
            "is outside the supported subset of JSON Schema",
        ));
    }
}

#[cfg(test)]
#[path = "schema_tests.rs"]
mod tests;
