//! Which schemas are taken: what each keyword may hold, and which keywords are refused.

use serde_json::{Map, Value as Json};

use crate::limits;
use crate::pattern::Pattern;
use crate::rejection::Violation;

/// Most faults that are named.
const FAULTS_MAX: usize = 20;
/// What the addresses of the draft begin with.
const DRAFTS: [&str; 2] = ["https://json-schema.org/", "http://json-schema.org/"];

/// What would restrict in this draft or in another, and is not known here.
const REFUSED: [&str; 12] = [
    "unevaluatedProperties",
    "unevaluatedItems",
    "$dynamicRef",
    "$dynamicAnchor",
    "$recursiveRef",
    "$recursiveAnchor",
    "$anchor",
    "$vocabulary",
    "dependencies",
    "additionalItems",
    "nullable",
    "divisibleBy",
];

/// Every reason for which `schema` is not taken, with paths that start at `json_schema`.
pub(super) fn check(schema: &Json) -> Vec<Violation> {
    let mut faults = Faults { root: schema, pattern_bytes: 0, broken: Vec::new() };
    faults.schema("json_schema", schema);
    if faults.pattern_bytes > limits::PATTERNS_COMPILED_BYTES_MAX {
        let message =
            "has patterns that are too large together: repeat less, or bound lengths by maxLength";
        faults.refuse("json_schema", message);
    }
    faults.broken.truncate(FAULTS_MAX);
    faults.broken
}

struct Faults<'a> {
    root: &'a Json,
    pattern_bytes: usize,
    broken: Vec<Violation>,
}

impl Faults<'_> {
    fn refuse(&mut self, path: &str, message: impl Into<String>) {
        self.broken.push(Violation::new(path, message));
    }

    /// A schema nests no deeper than strict JSON does, so this ends.
    fn schema(&mut self, path: &str, schema: &Json) {
        match schema {
            Json::Bool(_) => {}
            Json::Object(members) => {
                for (keyword, given) in members {
                    self.keyword(path, keyword, given, members);
                }
            }
            _ => self.refuse(path, "must be an object, or true or false"),
        }
    }

    fn keyword(&mut self, path: &str, keyword: &str, given: &Json, all: &Map<String, Json>) {
        let at = format!("{path}.{keyword}");
        match keyword {
            "type" => self.types(&at, given),
            "enum" if given.as_array().is_none_or(Vec::is_empty) => {
                self.refuse(&at, "must be an array with at least one value");
            }
            "multipleOf" if given.as_f64().is_none_or(|number| number <= 0.0) => {
                self.refuse(&at, "must be a number greater than 0");
            }
            "minimum" | "maximum" | "exclusiveMinimum" | "exclusiveMaximum"
                if !given.is_number() =>
            {
                self.refuse(&at, "must be a number");
            }
            "minLength" | "maxLength" | "minItems" | "maxItems" | "minProperties"
            | "maxProperties" | "minContains" | "maxContains"
                if super::numbers::count(given).is_none() =>
            {
                self.refuse(&at, "must be a whole number, 0 or more");
            }
            "uniqueItems" if !given.is_boolean() => self.refuse(&at, "must be true or false"),
            "required" => self.names(&at, given),
            "dependentRequired" => match given.as_object() {
                Some(members) => {
                    for (name, names) in members {
                        self.names(&format!("{at}.{name}"), names);
                    }
                }
                None => self.refuse(&at, "must be an object of arrays of names"),
            },
            "pattern" => match given.as_str() {
                Some(pattern) => self.pattern(&at, pattern),
                None => self.refuse(&at, "must be a regular expression as text"),
            },
            "items"
            | "contains"
            | "additionalProperties"
            | "propertyNames"
            | "not"
            | "if"
            | "then"
            | "else" => self.schema(&at, given),
            "allOf" | "anyOf" | "oneOf" | "prefixItems" => self.list(&at, given),
            "properties" | "dependentSchemas" | "$defs" | "definitions" => self.members(&at, given),
            "patternProperties" => {
                for pattern in given.as_object().into_iter().flat_map(Map::keys) {
                    self.pattern(&format!("{at}.{pattern}"), pattern);
                }
                self.members(&at, given);
            }
            "$ref" => self.reference(&at, given),
            "$id" if path != "json_schema" => {
                self.refuse(&at, "must stand at the top only: references lead from there");
            }
            "$schema" if all.contains_key("$schema") => {
                let is_draft = |uri: &str| DRAFTS.iter().any(|draft| uri.starts_with(draft));
                if !given.as_str().is_some_and(is_draft) {
                    self.refuse(&at, "must be the address of a draft of JSON Schema");
                }
            }
            _ if REFUSED.contains(&keyword) => {
                self.refuse(
                    &at,
                    "is not known here, and a rule must not be passed over: say it otherwise",
                );
            }
            // What describes only.
            _ => {}
        }
    }

    fn types(&mut self, at: &str, given: &Json) {
        let is_type = |json: &Json| {
            json.as_str().is_some_and(|name| {
                ["null", "boolean", "integer", "number", "string", "array", "object"]
                    .contains(&name)
            })
        };
        let fits = match given {
            Json::Array(names) => !names.is_empty() && names.iter().all(is_type),
            one => is_type(one),
        };
        if !fits {
            self.refuse(
                at,
                "must be one or several of null, boolean, integer, number, string, array, object",
            );
        }
    }

    fn names(&mut self, at: &str, given: &Json) {
        if !given.as_array().is_some_and(|names| names.iter().all(Json::is_string)) {
            self.refuse(at, "must be an array of names");
        }
    }

    fn list(&mut self, at: &str, given: &Json) {
        match given.as_array() {
            Some(schemas) if !schemas.is_empty() => {
                for (index, schema) in schemas.iter().enumerate() {
                    self.schema(&format!("{at}[{index}]"), schema);
                }
            }
            _ => self.refuse(at, "must be an array with at least one schema"),
        }
    }

    fn members(&mut self, at: &str, given: &Json) {
        match given.as_object() {
            Some(schemas) => {
                for (name, schema) in schemas {
                    self.schema(&format!("{at}.{name}"), schema);
                }
            }
            None => self.refuse(at, "must be an object of schemas"),
        }
    }

    fn pattern(&mut self, at: &str, pattern: &str) {
        if pattern.len() > limits::PATTERN_BYTES_MAX {
            let message = format!("must have at most {} bytes", limits::PATTERN_BYTES_MAX);
            self.refuse(at, message);
            return;
        }
        match Pattern::of(pattern) {
            Ok(compiled) => {
                self.pattern_bytes += compiled.bytes();
                for message in compiled.foreign() {
                    self.refuse(at, message.clone());
                }
            }
            Err(why) => self.refuse(at, format!("is not a regular expression of RE2: {why}")),
        }
    }

    fn reference(&mut self, at: &str, given: &Json) {
        let target = given.as_str().and_then(|reference| resolve(self.root, reference));
        if !target.is_some_and(|target| target.is_object() || target.is_boolean()) {
            let message = "must be # or #/… and lead to a schema in this one: nothing is fetched";
            self.refuse(at, message);
        }
    }
}

/// Where `reference` leads within `root`.
pub(super) fn resolve<'a>(root: &'a Json, reference: &str) -> Option<&'a Json> {
    let pointer = reference.strip_prefix('#')?;
    let pointer = percent_decoded(pointer)?;
    root.pointer(&pointer)
}

/// The text that a fragment of an address stands for.
fn percent_decoded(text: &str) -> Option<String> {
    let mut bytes = text.bytes();
    let mut decoded = Vec::with_capacity(text.len());
    while let Some(byte) = bytes.next() {
        if byte != b'%' {
            decoded.push(byte);
            continue;
        }
        let mut digit = || char::from(bytes.next()?).to_digit(16);
        let (high, low) = (digit()?, digit()?);
        decoded.push(u8::try_from(high * 16 + low).ok()?);
    }
    String::from_utf8(decoded).ok()
}
