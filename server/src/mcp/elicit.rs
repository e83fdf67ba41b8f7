//! Questions as dialogs of the client, and what comes back from them.
//!
//! A form is shown only by a client that says that it can, and only if the answer may be recorded. What it sends is an
//! answer like any other: the rules of the question are looked at when it is recorded, and not here.

use hitl_proto::v1::input::Kind;
use hitl_proto::v1::{self, StrFormat};
use rmcp::model::{
    ElicitRequestParams, ElicitResult, ElicitationAction, ElicitationCapability, ElicitationSchema,
};
use serde_json::{Map, Value, json};

/// The one field of a form, but for a question that has fields of its own.
const FIELD: &str = "answer";
const YES: &str = "yes";
const NO: &str = "no";

/// What the user has said.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Said {
    /// This, as JSON that the question takes.
    Answer(String),
    /// That they do not want to.
    Declined,
    /// Nothing: the dialog was closed, or a link was opened.
    Nothing,
}

/// The dialog for `event`, by a client with these capabilities: a form if `may_answer` says that its answer can be
/// recorded, else the page at `link`; none if the client has neither. `problem` is what was wrong with the answer
/// before.
pub(super) fn dialog(
    event: &v1::Event,
    client: &ElicitationCapability,
    may_answer: bool,
    link: &str,
    problem: Option<&str>,
) -> Option<ElicitRequestParams> {
    // A client of before there were modes says nothing of either, and has forms.
    let has_form = client.form.is_some() || client.url.is_none();
    let message = match problem {
        None => event.prompt.clone(),
        Some(problem) => format!("{}\n\n{problem}", event.prompt),
    };
    if has_form
        && may_answer
        && let Some(requested_schema) = schema(event)
    {
        return Some(ElicitRequestParams::FormElicitationParams {
            meta: None,
            message,
            requested_schema,
        });
    }
    (client.url.is_some() && !link.is_empty()).then(|| ElicitRequestParams::UrlElicitationParams {
        meta: None,
        message,
        url: link.to_owned(),
        elicitation_id: event.id.clone(),
    })
}

/// What the user has said in the dialog for `event`.
pub(super) fn said(event: &v1::Event, result: &ElicitResult) -> Said {
    match (&result.action, &result.content) {
        (ElicitationAction::Decline, _) => Said::Declined,
        (ElicitationAction::Accept, Some(Value::Object(content))) if !content.is_empty() => {
            Said::Answer(answer(event, content).to_string())
        }
        _ => Said::Nothing,
    }
}

fn answer(event: &v1::Event, content: &Map<String, Value>) -> Value {
    let kind = event.input.as_ref().and_then(|input| input.kind.as_ref());
    let given = content.get(FIELD).cloned().unwrap_or_default();
    match kind {
        Some(Kind::Object(_)) => Value::Object(content.clone()),
        Some(Kind::Bool(_)) if given == YES => true.into(),
        Some(Kind::Bool(_)) if given == NO => false.into(),
        Some(Kind::Choice(_)) if given.is_string() => Value::Array(vec![given]),
        _ => given,
    }
}

/// The schema of the form; none if a form of a dialog cannot ask for that.
fn schema(event: &v1::Event) -> Option<ElicitationSchema> {
    let whole = match event.input.as_ref()?.kind.as_ref()? {
        Kind::Object(object) => serde_json::from_str(&object.json_schema).ok()?,
        // A dialog would not show the action that is decided on: the page does.
        Kind::Review(_) => return None,
        kind => json!({"type": "object", "properties": {FIELD: field(kind)}, "required": [FIELD]}),
    };
    let Value::Object(whole) = whole else { return None };
    ElicitationSchema::from_json_schema(whole).ok()
}

fn field(kind: &Kind) -> Value {
    let mut field = match kind {
        Kind::Int(int) => json!({"type": "integer", "minimum": int.min, "maximum": int.max}),
        Kind::Float(float) => json!({"type": "number", "minimum": float.min, "maximum": float.max}),
        Kind::Str(str) => json!({
            "type": "string",
            "minLength": str.min_length,
            "maxLength": str.max_length,
            "format": format(str.format()),
        }),
        // Two options and not a box to tick, which would say no when nobody has looked.
        Kind::Bool(labels) => json!({"type": "string", "oneOf": [
            {"const": YES, "title": or(&labels.true_label, "Yes")},
            {"const": NO, "title": or(&labels.false_label, "No")},
        ]}),
        Kind::Choice(choice) => choice_field(choice),
        Kind::Object(_) | Kind::Review(_) => Value::Null,
    };
    if let Value::Object(members) = &mut field {
        members.retain(|_, value| !value.is_null());
        members.insert("title".to_owned(), "Answer".into());
    }
    field
}

fn choice_field(choice: &v1::ChoiceInput) -> Value {
    let option = |option: &v1::ChoiceOption| {
        let label = or(&option.label, &option.value);
        let title = match option.description.as_str() {
            "" => label.to_owned(),
            description => format!("{label}: {description}"),
        };
        json!({"const": option.value, "title": title})
    };
    let options: Vec<_> = choice.options.iter().map(option).collect();
    let min = choice.min_selected.unwrap_or(1);
    let max = choice.max_selected.unwrap_or(min.max(1));
    if (min, max) == (1, 1) {
        return json!({"type": "string", "oneOf": options});
    }
    json!({"type": "array", "minItems": min, "maxItems": max, "items": {"anyOf": options}})
}

fn format(format: StrFormat) -> Option<&'static str> {
    match format {
        StrFormat::Unspecified => None,
        StrFormat::Email => Some("email"),
        StrFormat::Uri => Some("uri"),
        StrFormat::Date => Some("date"),
        StrFormat::DateTime => Some("date-time"),
    }
}

fn or<'a>(text: &'a str, otherwise: &'a str) -> &'a str {
    if text.is_empty() { otherwise } else { text }
}

#[cfg(test)]
mod tests {
    use rmcp::model::{FormElicitationCapability, UrlElicitationCapability};

    use super::*;

    fn event(kind: Kind) -> v1::Event {
        v1::Event {
            id: "1".to_owned(),
            prompt: "Ship it?".to_owned(),
            input: Some(v1::Input { kind: Some(kind) }),
            ..v1::Event::default()
        }
    }

    fn form(kind: Kind) -> Value {
        let client = ElicitationCapability::new();
        let dialog = dialog(&event(kind), &client, true, "", None).unwrap();
        let ElicitRequestParams::FormElicitationParams { requested_schema, .. } = dialog else {
            panic!("it is a form");
        };
        serde_json::to_value(requested_schema).unwrap()["properties"].clone()
    }

    fn accepted(content: Value) -> ElicitResult {
        ElicitResult::new(ElicitationAction::Accept).with_content(content)
    }

    fn choice(max_selected: Option<u32>) -> Kind {
        let options = ["eu", "us"].map(|value| v1::ChoiceOption {
            value: value.to_owned(),
            ..v1::ChoiceOption::default()
        });
        Kind::Choice(v1::ChoiceInput {
            options: options.into(),
            max_selected,
            ..v1::ChoiceInput::default()
        })
    }

    #[test]
    fn each_kind_of_answer_has_a_field_and_what_it_gives_is_an_answer() {
        let int = Kind::Int(v1::IntInput { min: Some(1), max: None });
        assert_eq!(form(int.clone())[FIELD]["minimum"], 1);
        let bool = Kind::Bool(v1::BoolInput::default());
        assert_eq!(form(bool.clone())[FIELD]["oneOf"][1]["title"], "No");
        assert_eq!(form(choice(None))[FIELD]["oneOf"][0]["const"], "eu");
        assert_eq!(form(choice(Some(2)))[FIELD]["items"]["anyOf"][1]["const"], "us");
        let email = v1::StrInput { format: StrFormat::Email.into(), ..v1::StrInput::default() };
        assert_eq!(form(Kind::Str(email.clone()))[FIELD]["format"], "email");
        let json_schema = r#"{"type":"object","properties":{"n":{"type":"integer"}}}"#.to_owned();
        let object = Kind::Object(v1::ObjectInput { json_schema });
        assert_eq!(form(object.clone())["n"]["type"], "integer");
        for (kind, content, answer) in [
            (int, json!({"answer": 5}), "5"),
            (bool.clone(), json!({"answer": "yes"}), "true"),
            (bool, json!({"answer": "no"}), "false"),
            (choice(None), json!({"answer": "eu"}), r#"["eu"]"#),
            (choice(Some(2)), json!({"answer": ["us", "eu"]}), r#"["us","eu"]"#),
            (Kind::Str(email), json!({"answer": "a@b.example"}), r#""a@b.example""#),
            (object, json!({"n": 1}), r#"{"n":1}"#),
        ] {
            let said = said(&event(kind), &accepted(content));
            assert_eq!(said, Said::Answer(answer.to_owned()));
        }
    }

    #[test]
    fn a_dialog_is_what_the_client_can_show_and_the_credential_allows() {
        let event = event(Kind::Bool(v1::BoolInput::default()));
        let form = || ElicitationCapability::new().with_form(FormElicitationCapability::new());
        let url = || ElicitationCapability::new().with_url(UrlElicitationCapability::new());
        let both = form().with_url(UrlElicitationCapability::new());
        for (client, may_answer, link, expected) in [
            (ElicitationCapability::new(), true, "http://h/1", "form"),
            (form(), true, "http://h/1", "form"),
            (form(), false, "http://h/1", "none"),
            (url(), true, "http://h/1", "url"),
            (url(), true, "", "none"),
            (both.clone(), true, "http://h/1", "form"),
            (both, false, "http://h/1", "url"),
        ] {
            let dialog = dialog(&event, &client, may_answer, link, None);
            let dialog = serde_json::to_value(dialog).unwrap();
            let mode = dialog.get("mode").and_then(Value::as_str).unwrap_or("none");
            assert_eq!(mode, expected, "{client:?} {may_answer} {link}");
        }
    }

    #[test]
    fn a_dialog_that_is_closed_or_only_opened_a_link_says_nothing() {
        let event = event(Kind::Bool(v1::BoolInput::default()));
        assert_eq!(said(&event, &ElicitResult::new(ElicitationAction::Cancel)), Said::Nothing);
        assert_eq!(said(&event, &ElicitResult::new(ElicitationAction::Accept)), Said::Nothing);
        assert_eq!(said(&event, &ElicitResult::new(ElicitationAction::Decline)), Said::Declined);
    }
}
