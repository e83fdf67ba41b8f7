//! Reads a decision from the fields of a web form: `value.decision`, `value.message`, `value.shown_digest`, and the
//! arguments as JSON in `value.arguments` or, where they are flat, each in `value.arguments.<name>`.
//!
//! A form sends the arguments along with every decision. Whoever has changed them and approves them as they were has
//! meant one of the two, and nobody but the person can say which.

use serde_json::{Map, Number, Value as Json};

use super::{Flat, ReviewDecision, ReviewInput, ReviewValue, at, digest, named};
use crate::number;
use crate::rejection::Violation;
use crate::typed::trimmed;

/// Name of the arguments in the form; flat ones have their own below it.
const ARGUMENTS: &str = "value.arguments";

/// The decision that the fields name.
///
/// # Errors
/// What is wrong, with paths that are names of fields.
pub(crate) fn read(
    input: &ReviewInput,
    pairs: &[(String, String)],
) -> Result<ReviewValue, Vec<Violation>> {
    let decision = trimmed(text(pairs, "value.decision").unwrap_or_default());
    if decision.is_empty() {
        return Err(at("decision", "is required"));
    }
    let decision = named(decision)?;
    let value = ReviewValue {
        message: text(pairs, "value.message").map(lines).unwrap_or_default().trim().to_owned(),
        shown_digest: text(pairs, "value.shown_digest").unwrap_or_default().to_owned(),
        ..ReviewValue::of(decision)
    };
    let arguments = match decision {
        ReviewDecision::Approve => {
            refuse_changes(input, pairs)?;
            String::new()
        }
        ReviewDecision::Edit => edited(input, pairs)?.unwrap_or_else(|| input.arguments.clone()),
        // What was typed elsewhere has no part in it.
        ReviewDecision::Reject | ReviewDecision::Respond => String::new(),
    };
    Ok(ReviewValue { arguments, ..value })
}

fn refuse_changes(input: &ReviewInput, pairs: &[(String, String)]) -> Result<(), Vec<Violation>> {
    if matches!(edited(input, pairs), Ok(None)) {
        return Ok(());
    }
    let why = if input.allow.contains(&ReviewDecision::Edit) {
        "does not go with changed arguments: approve them with changes, or put them back"
    } else {
        "does not go with changed arguments: put them back"
    };
    Err(at("decision", why))
}

/// The arguments as they were changed; none if they were not.
fn edited(
    input: &ReviewInput,
    pairs: &[(String, String)],
) -> Result<Option<String>, Vec<Violation>> {
    if let Some(whole) = text(pairs, ARGUMENTS) {
        let given = digest(&input.action, whole).map_err(|why| at("arguments", why))?;
        return Ok((given != input.digest()).then(|| whole.to_owned()));
    }
    let Some(members) = input.flat_arguments() else { return Ok(None) };
    let (mut object, mut broken, mut is_changed) = (Map::new(), Vec::new(), false);
    for (name, shown) in members {
        let field = format!("{ARGUMENTS}.{name}");
        let read = text(pairs, &field).map_or(Ok(None), |given| changed(&shown, given));
        let new = read.unwrap_or_else(|why| {
            broken.push(Violation::new(field, why));
            None
        });
        is_changed |= new.is_some();
        object.insert(name, new.unwrap_or_else(|| shown.into_json()));
    }
    match broken.is_empty() {
        true => Ok(is_changed.then(|| Json::Object(object).to_string())),
        false => Err(broken),
    }
}

/// What was typed in the place of `shown`; none if it is the same.
fn changed(shown: &Flat, given: &str) -> Result<Option<Json>, String> {
    let first = |broken: Vec<Violation>| {
        broken.into_iter().next().map(|violation| violation.message).unwrap_or_default()
    };
    Ok(match shown {
        Flat::Text(text) => {
            let given = lines(given);
            (given != *text).then(|| given.into())
        }
        Flat::Number(number) if trimmed(given) == number.to_string() => None,
        Flat::Number(_) if trimmed(given).is_empty() => return Err("is required".to_owned()),
        Flat::Number(number) => {
            let typed = match number::int(given) {
                Ok(whole) => Number::from(whole),
                Err(_) => {
                    let double = number::float(given).map_err(first)?;
                    Number::from_f64(double).ok_or("must be a finite number")?
                }
            };
            (typed.as_f64() != number.as_f64()).then_some(Json::Number(typed))
        }
        Flat::Bool(truth) => match trimmed(given) {
            "true" => (!truth).then_some(true.into()),
            "false" => truth.then_some(false.into()),
            _ => return Err("must be true or false".to_owned()),
        },
    })
}

impl Flat {
    /// The member as JSON.
    pub fn into_json(self) -> Json {
        match self {
            Self::Text(text) => text.into(),
            Self::Number(number) => Json::Number(number),
            Self::Bool(truth) => truth.into(),
        }
    }
}

fn text<'a>(pairs: &'a [(String, String)], name: &str) -> Option<&'a str> {
    pairs.iter().find(|(given, _)| given == name).map(|(_, value)| value.as_str())
}

/// Browsers send line breaks as CR LF whatever the page's own were.
fn lines(text: &str) -> String {
    text.replace("\r\n", "\n")
}
