//! Checks a value by a schema, a step at a time.

use std::collections::HashSet;

use serde_json::{Map, Value as Json};

use super::types::{in_words, is_of_type, kind};
use super::{keywords, numbers};
use crate::input::StrFormat;
use crate::limits;
use crate::literal;
use crate::pattern::{Pattern, Work};
use crate::rejection::Violation;

/// Most rules that are named.
const BROKEN_MAX: usize = 20;
/// How many schemas may be within each other while one value is checked, references included.
const DEPTH_MAX: usize = 100;
/// Longest path that is named whole.
const PATH_CHARS_MAX: usize = 200;
/// Bytes of text that take a step.
const BYTES_A_STEP: usize = 64;

/// The check of one value.
pub(super) struct Checker<'a> {
    root: &'a Json,
    work: &'a mut Work,
    steps_left: u64,
    depth: usize,
}

/// More would have to be done than may be.
struct TooMuch;

type Judged = Result<Vec<Violation>, TooMuch>;

impl<'a> Checker<'a> {
    pub(super) fn new(root: &'a Json, work: &'a mut Work) -> Self {
        Self { root, work, steps_left: limits::SCHEMA_STEPS_MAX, depth: 0 }
    }

    /// Every rule of `schema` that `value` breaks, up to the most that are named.
    pub(super) fn check(&mut self, schema: &'a Json, value: &Json, path: &str) -> Vec<Violation> {
        match self.judge(schema, value, path) {
            Ok(broken) => broken,
            Err(TooMuch) => vec![Violation::new(
                path,
                "would take too much work to check by the schema: make one of them simpler",
            )],
        }
    }

    fn judge(&mut self, schema: &'a Json, value: &Json, path: &str) -> Judged {
        // Each level writes its path anew.
        self.take(1 + path.len() / BYTES_A_STEP)?;
        let members = match schema {
            Json::Object(members) => members,
            Json::Bool(false) => return Ok(wrong(path, "must not be given")),
            _ => return Ok(Vec::new()),
        };
        if self.depth == DEPTH_MAX {
            return Err(TooMuch);
        }
        self.depth += 1;
        let judged = self.keywords(members, value, path);
        self.depth -= 1;
        judged
    }

    fn keywords(&mut self, schema: &'a Map<String, Json>, value: &Json, path: &str) -> Judged {
        if let Some(types) = schema.get("type").filter(|types| !is_of_type(value, types)) {
            // What else is wrong with a value of another type helps nobody.
            return Ok(wrong(path, format!("must be {}, not {}", in_words(types), kind(value))));
        }
        let mut broken = self.one_of_values(schema, value, path)?;
        match value {
            Json::Number(_) => add(&mut broken, number(schema, value, path)),
            Json::String(text) => add(&mut broken, self.text(schema, text, path)?),
            Json::Array(items) => add(&mut broken, self.items(schema, items, path)?),
            Json::Object(members) => add(&mut broken, self.members(schema, members, path)?),
            Json::Null | Json::Bool(_) => {}
        }
        add(&mut broken, self.combined(schema, value, path)?);
        Ok(broken)
    }

    fn one_of_values(&mut self, schema: &Map<String, Json>, value: &Json, path: &str) -> Judged {
        if let Some(Json::Array(values)) = schema.get("enum") {
            self.take(values.len().saturating_mul(weight(value)))?;
            if !values.iter().any(|one| numbers::same(one, value)) {
                let short = |one: &Json| literal::shortened(&one.to_string());
                let listed: Vec<_> = values.iter().take(10).map(short).collect();
                let more = if values.len() > 10 { ", …" } else { "" };
                return Ok(wrong(path, format!("must be one of {}{more}", listed.join(", "))));
            }
        }
        if let Some(only) = schema.get("const") {
            self.take(weight(value))?;
            if !numbers::same(only, value) {
                let only = literal::shortened(&only.to_string());
                return Ok(wrong(path, format!("must be {only}")));
            }
        }
        Ok(Vec::new())
    }

    fn text(&mut self, schema: &Map<String, Json>, text: &str, path: &str) -> Judged {
        self.take(text.len() / BYTES_A_STEP)?;
        let mut broken = Vec::new();
        let count = |name: &str| schema.get(name).and_then(numbers::count);
        let chars = text.chars().count();
        if let Some(min) = count("minLength").filter(|min| chars < *min) {
            add(
                &mut broken,
                wrong(path, format!("must have at least {min} characters, has {chars}")),
            );
        }
        if let Some(max) = count("maxLength").filter(|max| chars > *max) {
            add(
                &mut broken,
                wrong(path, format!("must have at most {max} characters, has {chars}")),
            );
        }
        if let Some(pattern) = schema.get("pattern").and_then(Json::as_str)
            && !self.is_found(pattern, text)?
        {
            add(&mut broken, wrong(path, format!("must match the pattern {pattern}")));
        }
        let format = schema.get("format").and_then(Json::as_str).and_then(StrFormat::from_name);
        if let Some(fault) = format.and_then(|format| format.fault(text)) {
            add(&mut broken, wrong(path, fault));
        }
        Ok(broken)
    }

    fn is_found(&mut self, pattern: &str, text: &str) -> Result<bool, TooMuch> {
        self.take(1 + text.len() / BYTES_A_STEP)?;
        match Pattern::of(pattern) {
            Ok(compiled) => compiled.is_found_in(text, self.work).map_err(|_| TooMuch),
            Err(_) => Ok(false),
        }
    }

    fn items(&mut self, schema: &'a Map<String, Json>, items: &[Json], path: &str) -> Judged {
        let mut broken = Vec::new();
        let count = |name: &str| schema.get(name).and_then(numbers::count);
        let len = items.len();
        if let Some(min) = count("minItems").filter(|min| len < *min) {
            add(&mut broken, wrong(path, format!("must have at least {min} items, has {len}")));
        }
        if let Some(max) = count("maxItems").filter(|max| len > *max) {
            add(&mut broken, wrong(path, format!("must have at most {max} items, has {len}")));
        }
        if schema.get("uniqueItems") == Some(&Json::Bool(true)) {
            self.take(items.iter().map(weight).sum())?;
            let mut seen = HashSet::new();
            if !items.iter().all(|item| seen.insert(hitl_canonical::text(item))) {
                add(&mut broken, wrong(path, "must not have an item twice"));
            }
        }
        let first =
            schema.get("prefixItems").and_then(Json::as_array).map_or(&[][..], Vec::as_slice);
        for (at, item) in items.iter().enumerate() {
            if let Some(schema) = first.get(at).or_else(|| schema.get("items")) {
                add(&mut broken, self.judge(schema, item, &format!("{path}[{at}]"))?);
            }
        }
        if let Some(wanted) = schema.get("contains") {
            let mut found = 0;
            for item in items {
                found += usize::from(self.judge(wanted, item, path)?.is_empty());
            }
            let (min, max) = (count("minContains").unwrap_or(1), count("maxContains"));
            if found < min || max.is_some_and(|max| found > max) {
                add(
                    &mut broken,
                    wrong(path, "has too few or too many items of the kind that the schema wants"),
                );
            }
        }
        Ok(broken)
    }

    fn members(
        &mut self,
        schema: &'a Map<String, Json>,
        members: &Map<String, Json>,
        path: &str,
    ) -> Judged {
        let mut broken = Vec::new();
        let count = |name: &str| schema.get(name).and_then(numbers::count);
        let len = members.len();
        if let Some(min) = count("minProperties").filter(|min| len < *min) {
            add(&mut broken, wrong(path, format!("must have at least {min} members, has {len}")));
        }
        if let Some(max) = count("maxProperties").filter(|max| len > *max) {
            add(&mut broken, wrong(path, format!("must have at most {max} members, has {len}")));
        }
        add(&mut broken, self.required(schema, members, path)?);
        let properties = schema.get("properties").and_then(Json::as_object);
        let patterns = schema.get("patternProperties").and_then(Json::as_object);
        for (name, value) in members {
            self.take(1)?;
            let at = format!("{path}.{name}");
            let mut is_known = false;
            if let Some(property) = properties.and_then(|properties| properties.get(name)) {
                is_known = true;
                add(&mut broken, self.judge(property, value, &at)?);
            }
            for (pattern, property) in patterns.into_iter().flatten() {
                if self.is_found(pattern, name)? {
                    is_known = true;
                    add(&mut broken, self.judge(property, value, &at)?);
                }
            }
            match schema.get("additionalProperties") {
                Some(Json::Bool(false)) if !is_known => {
                    add(&mut broken, wrong(&at, "is no member that the schema knows"));
                }
                Some(others) if !is_known => add(&mut broken, self.judge(others, value, &at)?),
                _ => {}
            }
            if let Some(names) = schema.get("propertyNames") {
                add(&mut broken, self.judge(names, &Json::from(name.as_str()), &at)?);
            }
            let dependent = schema.get("dependentSchemas").and_then(|all| all.get(name));
            if let Some(dependent) = dependent {
                let whole = Json::Object(members.clone());
                self.take(weight(&whole))?;
                add(&mut broken, self.judge(dependent, &whole, path)?);
            }
        }
        Ok(broken)
    }

    fn required(
        &mut self,
        schema: &Map<String, Json>,
        members: &Map<String, Json>,
        path: &str,
    ) -> Judged {
        let dependent = schema.get("dependentRequired").and_then(Json::as_object);
        let dependent = dependent.into_iter().flatten();
        let lists =
            dependent.filter(|(name, _)| members.contains_key(*name)).map(|(_, names)| names);
        let names = lists.chain(schema.get("required")).filter_map(Json::as_array).flatten();
        let mut broken = Vec::new();
        for name in names.filter_map(Json::as_str) {
            self.take(1)?;
            if !members.contains_key(name) {
                add(&mut broken, wrong(&format!("{path}.{name}"), "is required"));
            }
        }
        Ok(broken)
    }

    fn combined(&mut self, schema: &'a Map<String, Json>, value: &Json, path: &str) -> Judged {
        let mut broken = Vec::new();
        if let Some(reference) = schema.get("$ref").and_then(Json::as_str) {
            match keywords::resolve(self.root, reference) {
                Some(target) => add(&mut broken, self.judge(target, value, path)?),
                None => add(&mut broken, wrong(path, "has a schema that cannot be read")),
            }
        }
        for one in list(schema, "allOf") {
            add(&mut broken, self.judge(one, value, path)?);
        }
        for (keyword, most) in [("anyOf", usize::MAX), ("oneOf", 1)] {
            let forms = list(schema, keyword);
            if !forms.is_empty() {
                add(&mut broken, self.one_of_forms(forms, most, value, path)?);
            }
        }
        if let Some(unwanted) = schema.get("not")
            && self.judge(unwanted, value, path)?.is_empty()
        {
            add(&mut broken, wrong(path, "has a form that the schema rules out"));
        }
        if let Some(condition) = schema.get("if") {
            let holds = self.judge(condition, value, path)?.is_empty();
            if let Some(then) = schema.get(if holds { "then" } else { "else" }) {
                add(&mut broken, self.judge(then, value, path)?);
            }
        }
        Ok(broken)
    }

    /// Whether the value has one of `forms`, and not more than `most` of them.
    fn one_of_forms(&mut self, forms: &'a [Json], most: usize, value: &Json, path: &str) -> Judged {
        let mut fitting = 0;
        let mut nearest: Option<Vec<Violation>> = None;
        for form in forms {
            let broken = self.judge(form, value, path)?;
            if broken.is_empty() {
                fitting += 1;
            } else if nearest.as_ref().is_none_or(|nearest| depth_of(&broken) > depth_of(nearest)) {
                nearest = Some(broken);
            }
        }
        Ok(match fitting {
            0 => nearest.unwrap_or_default(),
            _ if fitting > most => {
                wrong(path, "has several forms of the schema at once, and must have one")
            }
            _ => Vec::new(),
        })
    }

    fn take(&mut self, steps: usize) -> Result<(), TooMuch> {
        let steps = u64::try_from(steps).unwrap_or(u64::MAX);
        self.steps_left = self.steps_left.checked_sub(steps).ok_or(TooMuch)?;
        Ok(())
    }
}

/// How deep in the value the fault lies: the form whose fault lies deepest is the one that was meant.
fn depth_of(broken: &[Violation]) -> usize {
    broken.iter().map(|violation| violation.field.len()).max().unwrap_or_default()
}

fn list<'a>(schema: &'a Map<String, Json>, keyword: &str) -> &'a [Json] {
    schema.get(keyword).and_then(Json::as_array).map_or(&[], Vec::as_slice)
}

fn number(schema: &Map<String, Json>, value: &Json, path: &str) -> Vec<Violation> {
    let Json::Number(number) = value else { return Vec::new() };
    let given = numbers::double(number);
    let bound = |name: &str| schema.get(name).and_then(Json::as_f64);
    let mut broken = Vec::new();
    let mut refuse = |fault: bool, words: String| {
        if fault {
            add(&mut broken, wrong(path, format!("must be {words}, is {number}")));
        }
    };
    if let Some(min) = bound("minimum") {
        refuse(given < min, format!("at least {min}"));
    }
    if let Some(max) = bound("maximum") {
        refuse(given > max, format!("at most {max}"));
    }
    if let Some(min) = bound("exclusiveMinimum") {
        refuse(given <= min, format!("more than {min}"));
    }
    if let Some(max) = bound("exclusiveMaximum") {
        refuse(given >= max, format!("less than {max}"));
    }
    if let Some(of) = bound("multipleOf") {
        refuse(!numbers::is_multiple(number, of), format!("a multiple of {of}"));
    }
    broken
}

/// How many steps it takes to look at all of a value.
fn weight(value: &Json) -> usize {
    1 + match value {
        Json::Null | Json::Bool(_) | Json::Number(_) => 0,
        Json::String(text) => text.len() / BYTES_A_STEP,
        Json::Array(items) => items.iter().map(weight).sum(),
        Json::Object(members) => {
            members.iter().map(|(name, it)| 1 + name.len() / BYTES_A_STEP + weight(it)).sum()
        }
    }
}

fn wrong(path: &str, message: impl Into<String>) -> Vec<Violation> {
    let path = match path.char_indices().nth(PATH_CHARS_MAX) {
        None => path.to_owned(),
        Some((end, _)) => format!("{}…", &path[..end]),
    };
    vec![Violation::new(path, message)]
}

/// Adds to what is wrong, as long as it would be named.
fn add(broken: &mut Vec<Violation>, more: Vec<Violation>) {
    let room = BROKEN_MAX.saturating_sub(broken.len());
    broken.extend(more.into_iter().take(room));
}
