//! JSON Schemas of the messages, as canonical proto JSON writes them.

use std::collections::BTreeMap;

use prost_reflect::{EnumDescriptor, FieldDescriptor, FileDescriptor, Kind, MessageDescriptor};
use serde_json::{Map, Value, json};

/// The schemas that the document needs, gathered as they are referred to.
#[derive(Default)]
pub(super) struct Schemas(BTreeMap<String, Value>);

impl Schemas {
    /// All that were referred to, by name.
    pub(super) fn all(self) -> Map<String, Value> {
        self.0.into_iter().collect()
    }

    /// Adds a schema that no message has.
    pub(super) fn add(&mut self, name: &str, schema: Value) -> Value {
        self.0.insert(name.to_owned(), schema);
        refer(name)
    }

    /// A reference to the schema of `message`.
    pub(super) fn reference(&mut self, message: &MessageDescriptor) -> Value {
        self.named(message.name(), message, &[])
    }

    /// A reference to the schema of the request `message`, without the fields that the path has: a batch of them has no
    /// path that could.
    pub(super) fn request(&mut self, message: &MessageDescriptor, in_path: &[&str]) -> Value {
        if in_path.is_empty() {
            return self.reference(message);
        }
        let name = message.name().trim_end_matches("Request");
        self.named(&format!("{name}Body"), message, in_path)
    }

    fn named(&mut self, name: &str, message: &MessageDescriptor, in_path: &[&str]) -> Value {
        if !self.0.contains_key(name) {
            // First a place, since messages may hold themselves.
            self.0.insert(name.to_owned(), Value::Null);
            let schema = self.message(message, in_path);
            self.0.insert(name.to_owned(), schema);
        }
        refer(name)
    }

    fn message(&mut self, message: &MessageDescriptor, in_path: &[&str]) -> Value {
        let file = message.parent_file();
        let (mut properties, mut required) = (Map::new(), Vec::new());
        for field in message.fields().filter(|field| !in_path.contains(&field.name())) {
            let words = comment(&file, field.path());
            let mut schema = self.field(&field);
            schema["description"] = words.as_str().into();
            if words.starts_with("Output only.") {
                schema["readOnly"] = true.into();
            }
            // A list or a map that is empty is left out.
            if words.starts_with("Required.") && !field.is_list() && !field.is_map() {
                required.push(field.json_name().to_owned());
            }
            properties.insert(field.json_name().to_owned(), schema);
        }
        let mut schema = json!({
            "type": "object",
            "description": with_alternatives(message),
            "properties": properties,
            "additionalProperties": false,
        });
        if !required.is_empty() {
            schema["required"] = required.into();
        }
        schema
    }

    /// The schema of one field's value.
    pub(super) fn field(&mut self, field: &FieldDescriptor) -> Value {
        if field.is_map() {
            let Kind::Message(entry) = field.kind() else {
                return json!({"type": "object"});
            };
            let values = self.kind(&entry.map_entry_value_field().kind());
            return json!({"type": "object", "additionalProperties": values});
        }
        let schema = self.kind(&field.kind());
        if field.is_list() { json!({"type": "array", "items": schema}) } else { schema }
    }

    fn kind(&mut self, kind: &Kind) -> Value {
        match kind {
            Kind::Double | Kind::Float => json!({"type": "number"}),
            Kind::Int64 | Kind::Sint64 | Kind::Sfixed64 => {
                json!({"type": ["string", "integer"], "format": "int64"})
            }
            Kind::Uint64 | Kind::Fixed64 => {
                json!({"type": ["string", "integer"], "format": "uint64"})
            }
            Kind::Int32 | Kind::Sint32 | Kind::Sfixed32 => {
                json!({"type": "integer", "format": "int32"})
            }
            Kind::Uint32 | Kind::Fixed32 => {
                json!({"type": "integer", "format": "uint32", "minimum": 0})
            }
            Kind::Bool => json!({"type": "boolean"}),
            Kind::String => json!({"type": "string"}),
            Kind::Bytes => json!({"type": "string", "contentEncoding": "base64"}),
            Kind::Enum(values) => self.enumeration(values),
            Kind::Message(message) => match message.full_name() {
                "google.protobuf.Timestamp" => json!({"type": "string", "format": "date-time"}),
                "google.protobuf.Duration" => {
                    json!({"type": "string", "pattern": r"^-?[0-9]+(\.[0-9]{1,9})?s$"})
                }
                _ => self.reference(message),
            },
        }
    }

    fn enumeration(&mut self, values: &EnumDescriptor) -> Value {
        let file = values.parent_file();
        let names: Vec<_> = values.values().map(|value| value.name().to_owned()).collect();
        let each = values
            .values()
            .map(|value| format!("- `{}`: {}", value.name(), comment(&file, value.path())));
        let words = comment(&file, values.path());
        let description = format!("{words}\n\n{}", each.collect::<Vec<_>>().join("\n"));
        let schema = json!({"type": "string", "enum": names, "description": description});
        self.add(values.name(), schema)
    }
}

/// The words above the element at `path` of `file`.
pub(super) fn comment(file: &FileDescriptor, path: &[i32]) -> String {
    let info = file.file_descriptor_proto().source_code_info.as_ref();
    let location = info.and_then(|info| info.location.iter().find(|at| at.path == path));
    let words =
        location.map(prost_types::source_code_info::Location::leading_comments).unwrap_or_default();
    let lines: Vec<_> = words.lines().map(str::trim).collect();
    let paragraphs = lines.split(|line| line.is_empty()).filter(|lines| !lines.is_empty());
    paragraphs.map(|lines| lines.join(" ")).collect::<Vec<_>>().join("\n\n")
}

/// A message's own words, and which of its fields exclude each other, as JSON Schema says it only at great length.
fn with_alternatives(message: &MessageDescriptor) -> String {
    let file = message.parent_file();
    let mut words = comment(&file, message.path());
    for oneof in message.oneofs().filter(|oneof| oneof.fields().len() > 1) {
        let names: Vec<_> = oneof.fields().map(|field| field.json_name().to_owned()).collect();
        let own = comment(&file, oneof.path());
        words.push_str(&format!("\n\nAt most one of {}. {own}", names.join(", ")));
    }
    words
}

fn refer(name: &str) -> Value {
    json!({"$ref": format!("#/components/schemas/{name}")})
}
