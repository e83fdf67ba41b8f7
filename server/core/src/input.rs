//! The kinds of answer an event can want: whether an input makes sense, and whether a value fits it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::choice::ChoiceInput;
use crate::create::one_line;
use crate::limits;
use crate::lookalike::Lookalikes;
use crate::pattern::Work;
use crate::rejection::Violation;
use crate::review::ReviewInput;
use crate::schema::Field;
use crate::value::Value;

/// The kind of answer an event wants.
///
/// Stored as JSON with the kind as its key, such as `{"int": {"min": 0}}`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Input {
    /// A whole number.
    Int(IntInput),
    /// A number with a fraction.
    Float(FloatInput),
    /// Text.
    Str(StrInput),
    /// Yes or no.
    Bool(BoolInput),
    /// One or more of a list of options.
    Choice(ChoiceInput),
    /// Several named fields.
    Object(ObjectInput),
    /// A decision on an action.
    Review(ReviewInput),
}

/// Wants a whole number.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct IntInput {
    /// Smallest accepted number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub min: Option<i64>,
    /// Largest accepted number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max: Option<i64>,
}

/// Wants a finite number.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct FloatInput {
    /// Smallest accepted number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub min: Option<f64>,
    /// Largest accepted number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max: Option<f64>,
}

/// Wants text.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct StrInput {
    /// Fewest accepted characters (Unicode scalar values).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub min_length: Option<u32>,
    /// Most accepted characters (Unicode scalar values).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_length: Option<u32>,
    /// Regular expression searched for anywhere in the text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pattern: Option<String>,
    /// Whether the form offers several lines.
    pub multiline: bool,
    /// Well-known format that the text must have.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub format: Option<StrFormat>,
}

/// A well-known format of text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum StrFormat {
    /// An e-mail address.
    Email,
    /// An absolute URI.
    Uri,
    /// A calendar date (RFC 3339 full-date).
    Date,
    /// An instant (RFC 3339 date-time).
    DateTime,
}

/// Wants yes or no.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct BoolInput {
    /// What the form calls true; "Yes" if empty.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub true_label: String,
    /// What the form calls false; "No" if empty.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub false_label: String,
}

/// Wants several named fields.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ObjectInput {
    /// JSON Schema of the flat subset that [`crate::schema`] reads.
    pub json_schema: String,
}

impl Input {
    /// What the kind is called in messages.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Int(_) => "int",
            Self::Float(_) => "float",
            Self::Str(_) => "str",
            Self::Bool(_) => "bool",
            Self::Choice(_) => "choice",
            Self::Object(_) => "object",
            Self::Review(_) => "review",
        }
    }

    /// Whether it may take long to judge an answer to this input, or the input itself, so that others should not have
    /// to wait for it: it has patterns, or fields that may have some.
    pub fn is_laborious(&self) -> bool {
        match self {
            Self::Str(input) => input.pattern.is_some(),
            Self::Object(_) | Self::Review(_) => true,
            Self::Int(_) | Self::Float(_) | Self::Bool(_) | Self::Choice(_) => false,
        }
    }

    /// Every rule that this input itself breaks, with paths that start at `input`.
    pub fn check_self(&self) -> Vec<Violation> {
        let broken = match self {
            Self::Int(input) => ordered("max", input.min, input.max),
            Self::Float(input) => input.check_self(),
            Self::Str(input) => input.check_self(),
            Self::Bool(input) => input.check_self(),
            Self::Choice(input) => input.check_self(),
            Self::Object(input) => input.check_self(),
            Self::Review(input) => input.check_self(),
        };
        broken.into_iter().map(|violation| violation.below(self.kind()).below("input")).collect()
    }

    /// `value` in its normal form, if it is an answer to this input.
    ///
    /// # Errors
    /// Every broken rule, with paths that start at `value`.
    pub fn check(&self, value: &Value) -> Result<Value, Vec<Violation>> {
        self.check_within(value, &mut Work::of_one_answer())
    }

    /// Every rule that keeps `value` from being used when nobody answers, with paths that start at `value`.
    pub(crate) fn check_default(&self, value: &Value) -> Vec<Violation> {
        let mut broken = self.check(value).err().unwrap_or_default();
        if let (Self::Review(_), Value::Review(value)) = (self, value) {
            if value.decision.approves() {
                broken = refuse("must not approve the action: nobody has looked at it then");
            } else if !(value.shown_digest.is_empty() && value.approved_digest.is_empty()) {
                broken = refuse("must have no digest: nobody is shown anything then");
            }
        }
        broken
    }

    /// As [`Input::check`], with so much `work` left for the patterns.
    pub(crate) fn check_within(
        &self,
        value: &Value,
        work: &mut Work,
    ) -> Result<Value, Vec<Violation>> {
        if value.text_bytes() > limits::VALUE_BYTES_MAX {
            return Err(refuse(format!(
                "must have at most {} bytes in all",
                limits::VALUE_BYTES_MAX
            )));
        }
        match (self, value) {
            (Self::Int(input), Value::Int(number)) => {
                within(number, input.min.as_ref(), input.max.as_ref())?;
            }
            (Self::Float(input), Value::Float(number)) => input.check(*number)?,
            (Self::Str(input), Value::Str(text)) => input.check(text, work)?,
            (Self::Bool(_), Value::Bool(_)) => {}
            (Self::Choice(input), Value::Choice(selected)) => {
                return input.check(selected).map(Value::Choice);
            }
            (Self::Object(input), Value::Object(fields)) => {
                return input.check(fields, work).map(Value::Object);
            }
            (Self::Review(input), Value::Review(value)) => {
                return input.check(value, work).map(Value::Review);
            }
            (input, value) => {
                return Err(refuse(format!(
                    "must be of kind {}, not {}",
                    input.kind(),
                    value.kind()
                )));
            }
        }
        Ok(value.clone())
    }
}

impl FloatInput {
    fn check_self(&self) -> Vec<Violation> {
        let bounds = [("min", self.min), ("max", self.max)];
        let infinite =
            bounds.into_iter().filter(|(_, bound)| bound.is_some_and(|bound| !bound.is_finite()));
        let mut broken: Vec<_> =
            infinite.map(|(field, _)| Violation::new(field, "must be finite")).collect();
        broken.extend(ordered("max", self.min, self.max));
        broken
    }

    fn check(&self, number: f64) -> Result<(), Vec<Violation>> {
        if !number.is_finite() {
            return Err(refuse("must be a finite number, not NaN or an infinity"));
        }
        within(&number, self.min.as_ref(), self.max.as_ref())
    }
}

impl BoolInput {
    /// What a person sees for `truth`.
    pub fn label(&self, truth: bool) -> &str {
        let (label, default) =
            if truth { (&self.true_label, "Yes") } else { (&self.false_label, "No") };
        if label.is_empty() { default } else { label }
    }

    fn check_self(&self) -> Vec<Violation> {
        let mut broken = Vec::new();
        one_line(&mut broken, "true_label", &self.true_label, limits::OPTION_CHARS_MAX);
        one_line(&mut broken, "false_label", &self.false_label, limits::OPTION_CHARS_MAX);
        let mut labels = Lookalikes::default();
        labels.add(&mut broken, "true_label", self.label(true));
        labels.add(&mut broken, "false_label", self.label(false));
        broken
    }
}

impl ObjectInput {
    fn check(
        &self,
        fields: &BTreeMap<String, Value>,
        work: &mut Work,
    ) -> Result<BTreeMap<String, Value>, Vec<Violation>> {
        let known = self.fields()?;
        let mut broken = Vec::new();
        let mut checked = BTreeMap::new();
        for name in fields.keys().filter(|name| !known.iter().any(|field| field.name == **name)) {
            broken.push(Violation::new(format!("value.{name}"), "is not a field of this event"));
        }
        for Field { name, required, input, .. } in known.iter() {
            match fields.get(name).map(|value| input.check_within(value, work)) {
                Some(Ok(value)) => drop(checked.insert(name.clone(), value)),
                Some(Err(violations)) => {
                    broken.extend(violations.into_iter().map(|v| v.at_field(name)));
                }
                None if *required => {
                    broken.push(Violation::new(format!("value.{name}"), "is required"));
                }
                None => {}
            }
        }
        if broken.is_empty() { Ok(checked) } else { Err(broken) }
    }
}

impl Violation {
    /// A violation of a field's own rules, seen from the object that holds the field.
    pub(crate) fn at_field(self, name: &str) -> Self {
        Self {
            field: self.field.replacen("value", &format!("value.{name}"), 1),
            message: self.message,
        }
    }
}

/// The one violation of a value as a whole.
pub(crate) fn refuse(message: impl Into<String>) -> Vec<Violation> {
    vec![Violation::new("value", message)]
}

pub(crate) fn ordered<T: PartialOrd>(
    field: &str,
    min: Option<T>,
    max: Option<T>,
) -> Vec<Violation> {
    match (min, max) {
        (Some(min), Some(max)) if max < min => {
            vec![Violation::new(field, "must not be less than the minimum")]
        }
        _ => Vec::new(),
    }
}

fn within<T: PartialOrd + std::fmt::Display>(
    number: &T,
    min: Option<&T>,
    max: Option<&T>,
) -> Result<(), Vec<Violation>> {
    match (min, max) {
        (Some(min), _) if number < min => {
            Err(refuse(format!("must be at least {min}, is {number}")))
        }
        (_, Some(max)) if number > max => {
            Err(refuse(format!("must be at most {max}, is {number}")))
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
#[path = "input_tests.rs"]
mod tests;
