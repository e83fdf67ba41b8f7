//! Messages in blocks: which have buttons, and what Slack reads in them.

use hitl_core::{BoolInput, ChoiceInput, Content, Evidence, IntInput, Outcome, Spec};

use super::*;
use crate::channels::digest::tests::{ended, event, spec};

fn choice(options: &[&str], max_selected: u32) -> Input {
    let option = |value: &&str| ChoiceOption { value: (*value).to_owned(), ..Default::default() };
    Input::Choice(ChoiceInput {
        options: options.iter().map(option).collect(),
        min_selected: 1,
        max_selected,
    })
}

fn of(input: Input) -> Event {
    event(Spec { input, ..spec() })
}

/// The buttons: what each says and its id.
fn buttons(message: &Value) -> Vec<(String, String)> {
    let blocks = message["blocks"].as_array().unwrap();
    let actions = blocks.iter().filter(|block| block["type"] == "actions");
    let elements = actions.flat_map(|block| block["elements"].as_array().unwrap());
    let said = |text: &Value| text.as_str().unwrap_or_default().to_owned();
    elements.map(|element| (said(&element["text"]["text"]), said(&element["action_id"]))).collect()
}

fn labels(event: &Event) -> Vec<String> {
    buttons(&message(event, Some("https://hitl.example/q/abc"), ""))
        .into_iter()
        .map(|(label, _)| label)
        .collect()
}

#[test]
fn an_answer_of_one_press_has_a_button_and_every_other_a_link() {
    assert_eq!(labels(&of(Input::Bool(BoolInput::default()))), ["Yes", "No", "Read all"]);
    assert_eq!(labels(&of(choice(&["eu", "us"], 1))), ["eu", "us", "Read all"]);
    let five = ["a", "b", "c", "d", "e"];
    assert_eq!(labels(&of(choice(&five, 1))).len(), 6);
    let long = "x".repeat(76);
    for input in [
        choice(&["a", "b", "c", "d", "e", "f"], 1),
        choice(&["a", "b"], 2),
        choice(&["a", &long], 1),
        Input::Int(IntInput::default()),
    ] {
        assert_eq!(labels(&of(input.clone())), ["Read and answer"], "{input:?}");
    }
}

#[test]
fn an_answer_that_has_to_be_confirmed_is_and_one_that_takes_a_typed_word_has_no_button() {
    let with = |risk, require_confirmation| event(Spec { risk, require_confirmation, ..spec() });
    let confirms = |event: &Event| {
        let message = message(event, None, "");
        let blocks = message["blocks"].as_array().unwrap().clone();
        let actions = blocks.into_iter().find(|block| block["type"] == "actions")?;
        Some(actions["elements"][0]["confirm"].is_object())
    };
    assert_eq!(confirms(&with(Risk::Low, false)), Some(false));
    assert_eq!(confirms(&with(Risk::Low, true)), Some(true));
    assert_eq!(confirms(&with(Risk::High, false)), Some(true));
    assert_eq!(confirms(&with(Risk::High, true)), None);
}

#[test]
fn a_message_whose_event_has_ended_has_no_button_and_says_how_it_ended() {
    let over =
        ended(event(spec()), Outcome::Answered { value: hitl_core::Value::Bool(true) }, "<go>");
    let message = message(&over, Some("https://hitl.example/q/abc"), "");
    assert_eq!(buttons(&message), []);
    let text = message.to_string();
    assert!(text.contains("*Answered: Yes*") && text.contains("by Ann in Slack"), "{text}");
    assert!(text.contains("&lt;go&gt;") && !text.contains("/q/abc"), "{text}");
    assert_eq!(message["text"], "Deploy v2.41?: Answered: Yes");
}

#[test]
fn nothing_that_others_wrote_is_a_mention_a_link_or_a_line_of_ours() {
    let evil = "<!channel> <@U1> <https://evil.example|Answer here> & \u{202E}\n*Answered: Yes*";
    let spec = Spec {
        title: "<!here>".to_owned(),
        prompt: evil.to_owned(),
        evidence: vec![Evidence {
            title: "<!everyone>".to_owned(),
            note: String::new(),
            content: Content::Text(format!("```\n{evil}")),
        }],
        ..spec()
    };
    let message = message(&event(spec), None, "");
    assert_eq!(message["text"], "&lt;!here&gt;");
    let blocks = message["blocks"].as_array().unwrap();
    for block in blocks.iter().filter(|block| block["type"] == "section") {
        let text = block["text"]["text"].as_str().unwrap();
        assert!(!text.contains("<!") && !text.contains("<@") && !text.contains("<http"), "{text}");
        let ours = text.lines().filter(|line| line.starts_with('*'));
        assert!(
            ours.clone().all(|line| line.contains("everyone")) || text.contains("```"),
            "{text}"
        );
        assert_eq!(text.matches("```").count() % 2, 0, "{text}");
        assert!(!text.contains('\u{202E}'));
    }
}

#[test]
fn no_message_is_larger_than_slack_takes() {
    let text = "<&>`\n".repeat(10_000);
    let item = || Evidence {
        title: "&".repeat(200),
        note: "<".repeat(200),
        content: Content::Text(text.clone()),
    };
    let spec = Spec {
        title: "&".repeat(200),
        prompt: text.clone(),
        evidence: std::iter::repeat_with(item).take(5).collect(),
        ..spec()
    };
    let message = message(&event(spec), None, &"n".repeat(5_000));
    let blocks = message["blocks"].as_array().unwrap();
    assert!(blocks.len() <= 50);
    for block in blocks {
        let text = block["text"]["text"].as_str().unwrap_or_default();
        assert!(text.chars().count() <= SECTION_CHARS_MAX, "{}", text.len());
        if block["text"]["type"] != "mrkdwn" {
            continue;
        }
        // No escape is cut in two.
        let last = text.rfind('&').map_or("&;", |at| &text[at..]);
        assert!(last.contains(';'), "{last}");
    }
}

#[test]
fn a_button_names_its_event() {
    let key = event(spec()).request.key();
    assert_eq!(referred(&reference(&key)), Some(key));
    for wrong in ["", "/", "default", "default/xyz", "No Name/07"] {
        assert_eq!(referred(wrong), None, "{wrong}");
    }
}
