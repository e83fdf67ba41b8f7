//! Mails to the byte: threads, parts that say the same, and nothing of others in a header.

use hitl_core::{Content, Evidence, Outcome, Spec, Value};

use super::*;
use crate::channels::digest::tests::{ended, event, spec};

fn mailbox(text: &str) -> Mailbox {
    text.parse().unwrap()
}

fn mail(event: &hitl_core::Event, told: Told, id: &str) -> String {
    let (from, to) = (mailbox("hitl <hitl@example.org>"), mailbox("Ann <ann@example.com>"));
    let mail = compose(Letter {
        told,
        digest: &Digest::of(event),
        note: "",
        from: &from,
        to: &to,
        link: (told != Told::Ended).then_some("https://hitl.example/q/abc"),
        thread: &Thread::of(&event.request.key(), &from, &to),
        id,
        time: event.request.create_time,
    });
    String::from_utf8(mail.unwrap().formatted()).unwrap()
}

/// The value of a header, which is on one line if it is short.
fn header<'a>(mail: &'a str, name: &str) -> &'a str {
    let start = format!("{name}: ");
    let found =
        mail.lines().take_while(|line| !line.is_empty()).find_map(|line| line.strip_prefix(&start));
    found.unwrap_or_default()
}

#[test]
fn a_reminder_and_the_end_stand_below_the_question_in_its_thread() {
    let asked = mail(&event(spec()), Told::Asked, "d1");
    let first = header(&asked, "Message-ID");
    assert!(first.starts_with("<07070707") && first.ends_with("@example.org>"), "{first}");
    assert_eq!(header(&asked, "References"), "");
    assert_eq!(header(&asked, "Subject"), "Deploy v2.41?");
    assert_eq!(header(&asked, "Auto-Submitted"), "auto-generated");
    assert_eq!(header(&asked, "Date"), "Mon, 30 Nov 2026 00:53:20 +0000");
    let over = ended(event(spec()), Outcome::Answered { value: Value::Bool(true) }, "");
    let others = [
        mail(&event(spec()), Told::Reminder, "d2"),
        mail(&event(spec()), Told::Reminder, "d3"),
        mail(&over, Told::Ended, "d4"),
    ];
    for other in &others {
        assert_eq!(header(other, "References"), first);
        assert_eq!(header(other, "In-Reply-To"), first);
        assert_eq!(header(other, "Subject"), "Re: Deploy v2.41?");
        assert_ne!(header(other, "Message-ID"), first);
    }
    assert_ne!(header(&others[0], "Message-ID"), header(&others[1], "Message-ID"));
    // Sent again it is the same mail, to the byte.
    assert_eq!(mail(&event(spec()), Told::Asked, "d1"), asked);
    assert!(others[2].contains("Answered: Yes") && !others[2].contains("/q/abc"));
}

#[test]
fn each_recipient_has_a_thread_of_their_own() {
    let from = mailbox("hitl@example.org");
    let key = event(spec()).request.key();
    let of = |to: &str| Thread::of(&key, &from, &mailbox(to)).first();
    assert_ne!(of("ann@example.com"), of("bob@example.com"));
    assert_eq!(of("Ann <ann@example.com>"), of("ann@example.com"));
}

#[test]
fn both_parts_say_the_same_and_the_link_is_in_both() {
    let asked = mail(&event(spec()), Told::Asked, "d1");
    assert_eq!(header(&asked, "Content-Type").split(';').next(), Some("multipart/alternative"));
    let parts: Vec<_> = asked.split("\r\n--hitl-").collect();
    assert_eq!(parts.len(), 4, "the head, two parts and the end: {asked}");
    let decoded = |part: &str| part.replace("=\r\n", "").replace("=3D", "=");
    for (part, kind) in [(parts[1], "text/plain"), (parts[2], "text/html")] {
        let part = decoded(part);
        assert!(part.contains(kind), "{part}");
        for said in [
            "Deploy v2.41?",
            "The canary is healthy (A).",
            "A. Version",
            "v2.41",
            "https://hitl.example/q/abc",
            "30 November 2026, 01:53 UTC; then it ends without an answer",
            "Not known: this server asks for no credential",
            "default / deploy",
        ] {
            assert!(part.contains(said), "{kind}: {said} in {part}");
        }
    }
    let html = decoded(parts[2]);
    for foreign in ["<img", "<script", "<style", "<link", "src=", "url("] {
        assert!(!html.contains(foreign), "{foreign} loads something");
    }
}

#[test]
fn nothing_that_others_wrote_becomes_a_header_or_markup() {
    let evil = "x\r\nBcc: all@example.com\r\n\r\n<script>alert(1)</script>\u{202E}";
    let spec = Spec {
        title: String::new(),
        prompt: evil.to_owned(),
        evidence: vec![Evidence {
            title: "</pre><h1>".to_owned(),
            note: String::new(),
            content: Content::Text(evil.to_owned()),
        }],
        ..spec()
    };
    for told in [Told::Asked, Told::Reminder] {
        let mail = mail(&event(spec.clone()), told, "id\r\nBcc: all@example.com");
        let (head, body) = mail.split_once("\r\n\r\n").unwrap();
        let names: Vec<_> = head
            .split("\r\n")
            .filter(|line| !line.starts_with([' ', '\t']))
            .filter_map(|line| line.split_once(": "))
            .map(|(name, _)| name)
            .collect();
        let known = [
            "Message-ID",
            "Date",
            "From",
            "To",
            "Subject",
            "Auto-Submitted",
            "In-Reply-To",
            "References",
            "MIME-Version",
            "Content-Type",
        ];
        assert!(names.iter().all(|name| known.contains(name)), "{head}");
        let (_, html) = body.split_once("Content-Type: text/html").unwrap();
        assert!(!html.contains("<script") && !html.contains("</pre><h1>"), "{html}");
        assert!(!mail.contains('\u{202E}'));
    }
}

#[test]
fn a_title_in_any_script_is_a_subject() {
    let title = "Версия 2.41 — ausrollen? \u{1F680}".repeat(4);
    let mail = mail(&event(Spec { title, ..spec() }), Told::Asked, "d1");
    assert!(header(&mail, "Subject").starts_with("=?utf-8?b?"), "{mail}");
    assert!(mail.lines().all(|line| line.len() <= 998));
}
