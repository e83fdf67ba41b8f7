//! Reviews: a decision on an action that a program is about to take.
//!
//! What a person decides on is fixed by its digest, and so is what may be done afterwards: a decision holds for exactly
//! the action that was shown, and for nothing that is like it.

pub mod arguments;
pub(crate) mod form;
mod schema;

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::create::one_line;
use crate::input::refuse;
use crate::limits;
use crate::lookalike::is_blank;
use crate::pattern::Work;
use crate::rejection::Violation;
pub use arguments::digest;

/// Wants a decision on an action.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReviewInput {
    /// What would be done, such as the name of a tool.
    pub action: String,
    /// What it would be done with, as JSON text.
    pub arguments: String,
    /// JSON Schema that the arguments fit; any JSON if empty.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub json_schema: String,
    /// Which decisions may be made; never none.
    pub allow: Vec<ReviewDecision>,
}

/// What a person decides about an action.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ReviewDecision {
    /// The action may be taken as it was shown.
    Approve,
    /// The action may be taken with other arguments.
    Edit,
    /// The action may not be taken.
    Reject,
    /// The action may not be taken, and there is something to go on with instead.
    Respond,
}

/// A decision on an action.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReviewValue {
    /// What was decided.
    pub decision: ReviewDecision,
    /// What the action may be taken with, as JSON text; empty if it may not be taken.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub arguments: String,
    /// Why it was rejected, or what to go on with.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub message: String,
    /// Digest of what was shown; empty if nobody was shown anything.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub shown_digest: String,
    /// Digest of what was approved; empty if nothing was.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub approved_digest: String,
}

impl ReviewDecision {
    /// All of them, in the order in which they are offered.
    pub const ALL: [Self; 4] = [Self::Approve, Self::Edit, Self::Reject, Self::Respond];

    /// What it is called in JSON and text.
    pub fn name(self) -> &'static str {
        match self {
            Self::Approve => "approve",
            Self::Edit => "edit",
            Self::Reject => "reject",
            Self::Respond => "respond",
        }
    }

    /// The decision that is called `name`.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|decision| decision.name() == name)
    }

    /// Whether the action may be taken.
    pub fn approves(self) -> bool {
        matches!(self, Self::Approve | Self::Edit)
    }
}

impl ReviewValue {
    /// A decision without arguments and words.
    pub fn of(decision: ReviewDecision) -> Self {
        Self {
            decision,
            arguments: String::new(),
            message: String::new(),
            shown_digest: String::new(),
            approved_digest: String::new(),
        }
    }

    /// The same as plain JSON, without what is empty.
    pub(crate) fn to_json(&self) -> serde_json::Value {
        let mut members = serde_json::Map::new();
        members.insert("decision".to_owned(), self.decision.name().into());
        if !self.arguments.is_empty() {
            let read = serde_json::from_str(&self.arguments);
            let arguments = read.unwrap_or_else(|_| self.arguments.as_str().into());
            members.insert("arguments".to_owned(), arguments);
        }
        for (name, text) in [
            ("message", &self.message),
            ("shown_digest", &self.shown_digest),
            ("approved_digest", &self.approved_digest),
        ] {
            if !text.is_empty() {
                members.insert(name.to_owned(), text.as_str().into());
            }
        }
        members.into()
    }

    /// Bytes of all the text within.
    pub(crate) fn text_bytes(&self) -> usize {
        let texts = [&self.arguments, &self.message, &self.shown_digest, &self.approved_digest];
        8 + texts.iter().map(|text| text.len()).sum::<usize>()
    }
}

impl ReviewInput {
    /// The SHA-256 of what is shown, in 64 hexadecimal digits; empty if the arguments are no JSON, which no event has.
    pub fn digest(&self) -> String {
        digest(&self.action, &self.arguments).unwrap_or_default()
    }

    /// Every rule that this input itself breaks, with paths that start within it.
    pub(crate) fn check_self(&self) -> Vec<Violation> {
        let mut broken = Vec::new();
        one_line(&mut broken, "action", &self.action, limits::NAME_CHARS_MAX);
        if is_blank(&self.action) {
            broken.push(Violation::new("action", "is required: give a name that can be seen"));
        }
        if self.allow.is_empty() {
            broken.push(Violation::new("allow", "must name a decision"));
        }
        for (at, decision) in self.allow.iter().enumerate() {
            if self.allow[..at].contains(decision) {
                let message = format!("names {} a second time", decision.name());
                broken.push(Violation::new(format!("allow[{at}]"), message));
            }
        }
        let read = arguments::read(&self.arguments);
        let schema = schema::check_self(&self.json_schema);
        match (&read, schema) {
            (_, Err(violations)) => broken.extend(violations),
            // Arguments that their own schema refuses could not be approved.
            (Ok(read), Ok(Some(schema))) => {
                let mut work = Work::of_one_answer();
                broken.extend(schema::check(&schema, read, "arguments", &mut work));
            }
            (_, Ok(_)) => {}
        }
        if let Err(message) = read {
            broken.push(Violation::new("arguments", message));
        }
        broken
    }

    /// `value` in its normal form: with the digests of what was shown and of what may be done.
    pub(crate) fn check(
        &self,
        value: &ReviewValue,
        work: &mut Work,
    ) -> Result<ReviewValue, Vec<Violation>> {
        let decision = value.decision;
        if !self.allow.contains(&decision) {
            let allowed: Vec<_> = self.allow.iter().map(|it| it.name()).collect();
            let message = format!("must be one of {}, not {}", allowed.join(", "), decision.name());
            return Err(at("decision", message));
        }
        let shown_digest = self.digest();
        if !value.shown_digest.is_empty() && value.shown_digest != shown_digest {
            let message = "is not that of this event: the decision was made on something else";
            return Err(at("shown_digest", message));
        }
        Self::check_message(decision, &value.message)?;
        let arguments = self.approved_arguments(value, work)?;
        let approved_digest = match decision.approves() {
            true => digest(&self.action, &arguments).map_err(|why| at("arguments", why))?,
            false => String::new(),
        };
        let message = value.message.clone();
        Ok(ReviewValue { decision, arguments, message, shown_digest, approved_digest })
    }

    fn check_message(decision: ReviewDecision, message: &str) -> Result<(), Vec<Violation>> {
        let chars = message.chars().count();
        match decision {
            ReviewDecision::Approve | ReviewDecision::Edit if chars > 0 => {
                let why = "must be empty when the action is approved: say it as a comment";
                Err(at("message", why))
            }
            ReviewDecision::Respond if is_blank(message) => Err(at("message", "is required")),
            _ if chars > limits::REASON_CHARS_MAX => {
                let max = limits::REASON_CHARS_MAX;
                Err(at("message", format!("must have at most {max} characters, has {chars}")))
            }
            _ => Ok(()),
        }
    }

    /// What the action may be taken with.
    fn approved_arguments(
        &self,
        value: &ReviewValue,
        work: &mut Work,
    ) -> Result<String, Vec<Violation>> {
        let given = value.arguments.as_str();
        match value.decision {
            ReviewDecision::Approve => {
                let same = || digest(&self.action, given).is_ok_and(|it| it == self.digest());
                if !given.is_empty() && !same() {
                    let why = "must be those that were shown: to approve others, edit them";
                    return Err(at("arguments", why));
                }
                Ok(self.arguments.clone())
            }
            ReviewDecision::Edit => {
                if given.is_empty() {
                    return Err(at("arguments", "is required"));
                }
                let read = arguments::read(given).map_err(|why| at("arguments", why))?;
                if let Some(schema) = schema::read(&self.json_schema) {
                    let broken = schema::check(&schema, &read, "value.arguments", work);
                    if !broken.is_empty() {
                        return Err(broken);
                    }
                }
                Ok(arguments::without_mark(given).to_owned())
            }
            ReviewDecision::Reject | ReviewDecision::Respond if given.is_empty() => {
                Ok(String::new())
            }
            ReviewDecision::Reject | ReviewDecision::Respond => {
                Err(at("arguments", "must be empty when the action is not approved"))
            }
        }
    }

    /// The members of the arguments if they are flat: an object of text, numbers, and yes or no, each as JSON.
    pub fn flat_arguments(&self) -> Option<Vec<(String, Flat)>> {
        let serde_json::Value::Object(members) = arguments::read(&self.arguments).ok()? else {
            return None;
        };
        if members.is_empty() || members.len() > limits::FIELDS_MAX {
            return None;
        }
        // A form carries no other control characters.
        let is_typed = |text: &str| !text.contains(|c: char| c.is_control() && !"\n\t".contains(c));
        let flat = |(name, value): (String, serde_json::Value)| {
            let value = match value {
                serde_json::Value::String(text) if is_typed(&text) => Flat::Text(text),
                serde_json::Value::Number(number) => Flat::Number(number),
                serde_json::Value::Bool(truth) => Flat::Bool(truth),
                _ => return None,
            };
            Some((name, value))
        };
        if !members.keys().all(|name| is_typed(name)) {
            return None;
        }
        members.into_iter().map(flat).collect()
    }
}

/// A member of flat arguments.
#[derive(Clone, Debug, PartialEq)]
pub enum Flat {
    /// Text.
    Text(String),
    /// A number.
    Number(serde_json::Number),
    /// Yes or no.
    Bool(bool),
}

/// A decision in plain JSON: its name alone, or an object.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Plain<'a> {
    decision: String,
    #[serde(default, borrow)]
    arguments: Option<&'a RawValue>,
    #[serde(default)]
    message: String,
    #[serde(default, alias = "shownDigest")]
    shown_digest: String,
    // What a response said may be sent back as it came.
    #[serde(default, alias = "approvedDigest", rename = "approved_digest")]
    _approved_digest: String,
}

/// Reads plain JSON text: the name of a decision, or an object with `decision`, `arguments` and `message`.
pub(crate) fn from_json(text: &str) -> Result<ReviewValue, Vec<Violation>> {
    if text.starts_with('"') {
        let name: String = serde_json::from_str(text).map_err(|why| refuse(why.to_string()))?;
        return Ok(ReviewValue::of(named(&name)?));
    }
    let plain: Plain<'_> = serde_json::from_str(text).map_err(|why| {
        refuse(format!(
            "must be the name of a decision, or an object with decision, arguments and message: {why}"
        ))
    })?;
    Ok(ReviewValue {
        arguments: plain.arguments.map(|json| json.get().to_owned()).unwrap_or_default(),
        message: plain.message,
        shown_digest: plain.shown_digest,
        ..ReviewValue::of(named(&plain.decision)?)
    })
}

/// Reads what a person types: `approve`, `edit {…}`, `reject: why`, `respond: what`, or JSON.
pub(crate) fn from_text(text: &str) -> Result<ReviewValue, Vec<Violation>> {
    let text = text.trim();
    let end = text.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(text.len());
    let (name, rest) = text.split_at(end);
    let rest = rest.trim_start();
    let rest = rest.strip_prefix(':').unwrap_or(rest).trim().to_owned();
    let value = ReviewValue::of(named(&name.to_ascii_lowercase())?);
    Ok(match value.decision {
        ReviewDecision::Approve | ReviewDecision::Edit => ReviewValue { arguments: rest, ..value },
        ReviewDecision::Reject | ReviewDecision::Respond => ReviewValue { message: rest, ..value },
    })
}

fn named(name: &str) -> Result<ReviewDecision, Vec<Violation>> {
    ReviewDecision::from_name(name)
        .ok_or_else(|| at("decision", "must be approve, edit, reject or respond"))
}

fn at(field: &str, message: impl Into<String>) -> Vec<Violation> {
    vec![Violation::new(format!("value.{field}"), message)]
}

#[cfg(test)]
mod tests;
