//! The form over plain HTTP: what a browser without scripts sends, and what it gets back.

use hitl_proto::v1::input::Kind as Input;
use hitl_proto::v1::value::Kind as Value;
use hitl_proto::v1::{BoolInput, ChoiceInput, ChoiceOption, StrInput};

use crate::kinds;
use crate::samples::bad_answers;
use crate::site::{Site, is_pending, value_of};
use crate::web::{answered, page};

/// One line of text, which must not be empty.
fn line() -> Input {
    Input::Str(StrInput::default())
}

fn pairs(fields: &[(&str, &str)]) -> Vec<(String, String)> {
    fields.iter().map(|&(name, value)| (name.to_owned(), value.to_owned())).collect()
}

#[tokio::test]
async fn the_page_names_the_question_and_offers_the_words_of_the_input() {
    let site = Site::shared().await;
    let yes_no = Input::Bool(BoolInput {
        true_label: "Ship it".to_owned(),
        false_label: "Hold & wait".to_owned(),
    });
    let option = |value: &str, label: &str| ChoiceOption {
        value: value.to_owned(),
        label: label.to_owned(),
        description: "Help for it".to_owned(),
    };
    let choice = Input::Choice(ChoiceInput {
        options: vec![option("eu", "Europe"), option("us", "")],
        ..ChoiceInput::default()
    });
    let cases = [(yes_no, ["Ship it", "Hold &"]), (choice, ["Europe", "Help for it"])];
    for (input, words) in cases {
        let event = site.ask(input).await;
        let page = page(site.fetch(&event.form_url).await).await;
        for word in words.iter().chain(&["question", "What is it?", "<form", "method=\"post\""]) {
            assert!(page.contains(word), "{word} is missing: {page}");
        }
    }
}

#[tokio::test]
async fn a_bad_answer_comes_back_as_a_page_that_says_why_and_the_event_still_waits() {
    let site = Site::shared().await;
    let typed =
        bad_answers().into_iter().filter(|bad| bad.json.is_string() && bad.field == "value");
    for bad in typed.filter(|bad| !matches!(bad.input, Input::Object(_))) {
        let text = bad.json.as_str().unwrap_or_default().to_owned();
        let event = site.ask(bad.input).await;
        let fields = answered(vec![("value".to_owned(), text.clone())], "x");
        let page = site.submit_refused(&event, &fields).await;
        assert!(page.contains("<form"), "it can be corrected: {text}: {page}");
        assert!(is_pending(&site.get(&event).await), "{text}");
    }
}

#[tokio::test]
async fn what_was_typed_is_still_there_beside_the_complaint() {
    let site = Site::shared().await;
    let event = site.ask(kinds::person()).await;
    let fields = pairs(&[
        ("value.name", "Zoë \"Z\""),
        ("value.age", "forty"),
        ("value.colour", "green"),
        ("value.mail", ""),
    ]);
    let page = site.submit_refused(&event, &answered(fields, "x")).await;
    for part in ["Zoë &#34;Z&#34;", "forty", "whole number"] {
        assert!(page.contains(part), "{part} is missing: {page}");
    }
    assert!(!page.contains("value.age must"), "people see a field's title, not its path");
}

#[tokio::test]
async fn what_a_browser_adds_or_leaves_out_does_not_matter() {
    let site = Site::shared().await;
    // An empty text box is always sent, and line breaks are sent as CR LF.
    let event = site.ask(kinds::person()).await;
    let fields = pairs(&[
        ("value.name", "Al"),
        ("value.age", " 7 "),
        ("value.mail", ""),
        ("value.height", ""),
    ]);
    site.submit_and_follow(&event, &answered(fields, "x")).await;
    let expected = kinds::fields([("name", Value::Str("Al".to_owned())), ("age", Value::Int(7))]);
    assert_eq!(value_of(&site.get(&event).await), Some(&expected));
    let event = site.ask(kinds::text()).await;
    site.submit_and_follow(&event, &answered(pairs(&[("value", "a\r\nb")]), "x")).await;
    assert_eq!(value_of(&site.get(&event).await), Some(&Value::Str("a\nb".to_owned())));
}

#[tokio::test]
async fn an_empty_or_halfway_form_is_no_answer() {
    let site = Site::shared().await;
    for input in [line(), kinds::int(), kinds::yes_or_no(), kinds::colours(1, 3), kinds::person()] {
        let event = site.ask(input).await;
        let halves = [
            answered(Vec::new(), "x"),
            answered(pairs(&[("value", "")]), "x"),
            pairs(&[]),
            pairs(&[("value", "1"), ("action", "explode")]),
        ];
        for fields in halves {
            site.submit_refused(&event, &fields).await;
        }
        assert!(is_pending(&site.get(&event).await));
    }
}

#[tokio::test]
async fn a_form_that_is_no_form_is_refused() {
    let site = Site::shared().await;
    let event = site.ask(kinds::int()).await;
    for (kind, body) in [
        ("text/plain", "value=1&action=answer"),
        ("application/json", "{\"value\": 1}"),
        ("multipart/form-data; boundary=x", "--x\r\n\r\n--x--"),
        ("application/x-www-form-urlencoded", "value=%ff&action=answer"),
    ] {
        let call = site.http.post(&event.form_url).header("content-type", kind).body(body);
        let reply = call.send().await.expect("the server replies");
        assert!(reply.status().is_client_error(), "{kind}: {}", reply.status());
    }
    assert!(is_pending(&site.get(&event).await));
}
