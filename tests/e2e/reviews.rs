//! Reviews at the command line: what is shown, what may be decided, and what a script reads of it.

use serde_json::{Value as Json, json};

use crate::shell::Shell;
use crate::site::Site;

/// Asks for a decision on a refund, and returns the link and the id of it.
const ASK: [&str; 6] =
    ["Refund Ada?", "--review", "refund", "arguments.json", "--schema", "schema.json"];

async fn shell() -> (Site, Shell) {
    let site = Site::shared().await;
    let shell = Shell::at(&site.url);
    let schema = json!({"properties": {"amount": {"type": "number", "maximum": 500}}});
    let arguments = json!({"to": "Ada", "amount": 120, "notify": true});
    for (file, json) in [("arguments.json", arguments), ("schema.json", schema)] {
        std::fs::write(shell.dir().join(file), json.to_string()).expect("it can be written");
    }
    // The server goes with the last who holds it.
    (site, shell)
}

#[tokio::test]
async fn a_script_goes_on_only_after_an_approval_and_reads_what_was_approved() {
    let (_site, shell) = shell().await;
    let digest = "6e754bf35ee93590a88fc501983653a2da86e76841c678157cd4aec356b9ffd5";
    for (typed, code, arguments) in [
        ("approve", 0, json!({"to": "Ada", "amount": 120, "notify": true})),
        (r#"edit {"amount": 80.5}"#, 0, json!({"amount": 80.5})),
        ("reject: too much", 3, Json::Null),
        ("respond: ask Bob first", 3, Json::Null),
    ] {
        let asking = shell.ask(&ASK).await;
        shell.out(&["answer", asking.id(), typed]).await;
        let done = asking.done().await;
        assert_eq!(done.code, Some(code), "{typed}: {done:?}");
        let value: Json = serde_json::from_str(&done.out).expect("it is JSON");
        assert_eq!(value["arguments"], arguments, "{typed}: {value}");
        assert_eq!(value["shown_digest"], digest, "{typed}: {value}");
        assert_eq!(value["approved_digest"] == digest, typed == "approve", "{typed}: {value}");
    }
}

#[tokio::test]
async fn what_does_not_fit_is_refused_and_the_event_still_waits() {
    let (_site, shell) = shell().await;
    let id =
        shell.out(&[&["ask"], &ASK[..], &["--detach", "--allow", "approve,edit"]].concat()).await;
    for (typed, words) in [
        ("maybe", "approve, edit, reject or respond"),
        ("reject", "must be one of approve, edit"),
        (r#"edit {"amount": 501}"#, "must be at most 500"),
        (r#"approve {"amount": 1}"#, "must be those that were shown"),
    ] {
        let done = shell.run(&["answer", id.trim(), typed]).await;
        assert_eq!(done.code, Some(1), "{typed}: {done:?}");
        assert!(done.err.contains(words), "{typed}: {done:?}");
    }
    let shown = shell.out(&["get", id.trim()]).await;
    for words in
        ["PENDING", "Action: refund", "\"amount\": 120", "decision on refund: approve, edit"]
    {
        assert!(shown.contains(words), "{words}: {shown}");
    }
}

#[tokio::test]
async fn a_review_that_makes_no_sense_is_refused_by_the_option_that_is_wrong() {
    let (_site, shell) = shell().await;
    std::fs::write(shell.dir().join("much.json"), r#"{"amount": 501}"#).expect("it can be written");
    let with = |rest: &[&'static str]| [&["ask", "Refund?"], rest].concat();
    for (args, words) in [
        (with(&["--review", "refund", "much.json", "--schema", "schema.json"]), "--review"),
        (with(&["--review", "", "much.json"]), "--review"),
        (
            with(&[
                "--review",
                "refund",
                "much.json",
                "--schema",
                "much.json",
                "--default",
                "approve",
            ]),
            "approve",
        ),
        (with(&["--review", "refund", "none.json"]), "none.json"),
        (with(&["--review", "refund", "much.json", "--allow", "maybe"]), "maybe"),
    ] {
        let done = shell.run(&args).await;
        assert!(matches!(done.code, Some(1 | 2)), "{args:?}: {done:?}");
        assert!(done.err.contains(words), "{words}: {done:?}");
    }
}

#[tokio::test]
async fn a_receipt_says_what_was_shown_and_what_was_approved() {
    let (_site, shell) = shell().await;
    let id = shell.out(&[&["ask"], &ASK[..], &["--detach"]].concat()).await;
    shell.out(&["answer", id.trim(), r#"edit {"amount": 1}"#]).await;
    let receipt: Json =
        serde_json::from_str(&shell.out(&["receipt", id.trim()]).await).expect("it is JSON");
    let text: Json =
        serde_json::from_str(receipt["text"].as_str().expect("a text")).expect("it is JSON");
    let (asked, decided) =
        (&text["question"]["input"]["review"], &text["response"]["value"]["review"]);
    assert_eq!(asked["action"], "refund");
    assert_eq!(asked["digest"], decided["shownDigest"]);
    assert_eq!(decided["arguments"], r#"{"amount": 1}"#);
    assert_ne!(decided["approvedDigest"], decided["shownDigest"]);
}
