//! What is said of an event: all that it takes to decide, within bounds.

use std::sync::Arc;

use hitl_core::{BoolInput, EventId, Namespace, PromptFormat, Responder, Spec, create};

use super::*;

pub(in crate::channels) fn spec() -> Spec {
    Spec {
        name: "deploy".to_owned(),
        title: "Deploy v2.41?".to_owned(),
        prompt: "The canary is healthy [[A]].".to_owned(),
        prompt_format: PromptFormat::Text,
        evidence: vec![Evidence {
            title: "Version".to_owned(),
            note: String::new(),
            content: Content::Text("v2.41".to_owned()),
        }],
        risk: Risk::Low,
        require_confirmation: false,
        input: Input::Bool(BoolInput::default()),
        scope: "run".to_owned(),
        ..hitl_testing::spec(3_600_000)
    }
}

pub(in crate::channels) fn event(spec: Spec) -> Event {
    let now = Timestamp::from_ms(1_796_000_000_000).unwrap();
    let request = create(spec, Namespace::default(), EventId::from_bytes([7; 16]), now).unwrap();
    Event { request: Arc::new(request), response: None }
}

pub(in crate::channels) fn ended(mut event: Event, outcome: Outcome, comment: &str) -> Event {
    let mut responder = Responder::claimed("somebody".to_owned(), Channel::Slack, String::new());
    responder.proof = Some(Proof {
        known_by: CredentialKind::Person,
        id: "slack:T1#U1".to_owned(),
        name: "Ann".to_owned(),
    });
    event.response = Some(Arc::new(Response {
        outcome,
        time: event.request.create_time.plus_ms(60_000),
        responder: Some(responder),
        answer_id: None,
        comment: comment.to_owned(),
        votes: Vec::new(),
        weight: hitl_core::Weight::default(),
    }));
    event
}

#[test]
fn a_question_is_said_in_short_with_all_that_it_takes_to_decide() {
    let digest = Digest::of(&event(spec()));
    assert_eq!(digest.title, "Deploy v2.41?");
    assert_eq!(digest.prompt, "The canary is healthy (A).");
    assert_eq!(
        (digest.evidence[0].head.as_str(), digest.evidence[0].lines[0].as_str()),
        ("A. Version", "v2.41")
    );
    assert_eq!(digest.about, "default / deploy");
    assert_eq!(digest.on_timeout, "then it ends without an answer");
    assert_eq!(digest.deadline, "30 November 2026, 01:53 UTC");
    assert!(digest.asker.starts_with("Not known"), "{}", digest.asker);
    assert_eq!(digest.ended, None);
}

#[test]
fn who_asks_is_what_the_server_knows_and_by_what() {
    let of = |known_by, name: &str| {
        let proof = Proof { known_by, id: "id-1".to_owned(), name: name.to_owned() };
        Digest::of(&event(Spec { created_by: Some(proof), ..spec() })).asker
    };
    assert_eq!(of(CredentialKind::Token, "ci"), "ci, known by its token");
    assert_eq!(of(CredentialKind::Person, "Ann"), "Ann, who has signed in");
    assert_eq!(of(CredentialKind::ClientCertificate, ""), "id-1, known by its certificate");
    assert_eq!(of(CredentialKind::Owner, "x"), "The user of the machine that the server runs on");
}

#[test]
fn an_end_says_what_was_answered_by_whom_and_how() {
    let ended =
        |outcome, comment: &str| Digest::of(&ended(event(spec()), outcome, comment)).ended.unwrap();
    let yes = ended(Outcome::Answered { value: Value::Bool(true) }, "go");
    assert_eq!((yes.what.as_str(), yes.said.as_str()), ("Answered: Yes", "go"));
    assert_eq!(yes.by, "by Ann in Slack, 30 November 2026, 00:54 UTC");
    let no = ended(Outcome::Declined { reason: "not\nnow".to_owned() }, "");
    assert_eq!((no.what.as_str(), no.said.as_str()), ("Declined", "not\nnow"));
    let late = ended(Outcome::TimedOut { default: Some(Value::Bool(false)) }, "");
    assert_eq!(late.what, "Nobody answered in time; it went on with No");
}

#[test]
fn whatever_others_wrote_is_bounded_and_shows_what_is_hidden_in_it() {
    let long = "x\u{202E}\n".repeat(20_000);
    let item = |content| Evidence { title: "t".repeat(200), note: "n".repeat(200), content };
    let contents = [
        Content::Text(long.clone()),
        Content::Json(format!("[{:?}]", "y".repeat(9_000))),
        Content::Code { code: "z".repeat(9_000), language: String::new() },
        Content::Diff(Diff::Texts { before: "a\n".repeat(900), after: "b\n".repeat(900) }),
        Content::Diff(Diff::Unified("@@ -1 +1 @@\n-a\n+b\n".to_owned())),
        Content::Table { columns: vec!["c".to_owned()], rows: vec![vec!["r".to_owned()]; 900] },
        Content::Facts(vec![hitl_core::Fact { label: "f".to_owned(), ..Default::default() }; 90]),
        Content::Link { url: "https://example.com".to_owned(), label: "l".to_owned() },
    ];
    let evidence = contents.into_iter().map(item).collect();
    let prompt = long[..60_000].to_owned();
    let digest = Digest::of(&event(Spec { title: String::new(), prompt, evidence, ..spec() }));
    assert!(digest.prompt.chars().count() < PROMPT_CHARS_MAX * 8);
    assert!(digest.prompt.contains("x\\u{202E}\n") && digest.prompt.ends_with('…'));
    assert!(digest.title.chars().count() <= TITLE_CHARS_MAX && digest.title.is_ascii());
    for item in &digest.evidence {
        assert!(item.lines.len() <= ITEM_LINES_MAX, "{}", item.head);
        assert!(item.lines.iter().all(|line| line.chars().count() <= LINE_CHARS_MAX));
    }
    assert!(digest.evidence[0].is_cut && digest.evidence[7].is_cut);
    let all = format!("{digest:?}");
    assert!(!all.contains('\u{202E}'));
}

#[test]
fn a_title_is_one_line_however_the_prompt_begins() {
    let title = |prompt: &str| {
        let spec = Spec { title: String::new(), prompt: prompt.to_owned(), ..spec() };
        Digest::of(&event(spec)).title
    };
    assert_eq!(title("## Ship it?\n\nAll is well."), "Ship it?");
    assert_eq!(title("\r\n Ship\u{1b}[2J it?\r\nNow."), "Ship\\u{1B}[2J it?");
    assert_eq!(title("#"), "deploy");
}
