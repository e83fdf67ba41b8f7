//! Each rule of evidence is kept, and what breaks one is named by item and field.

use super::*;

fn item(content: Content) -> Evidence {
    Evidence { title: String::new(), note: String::new(), content }
}

fn broken(items: &[Evidence]) -> Vec<String> {
    let mut broken = Vec::new();
    check(&mut broken, items);
    broken.into_iter().map(|v| format!("{} {}", v.field, v.message)).collect()
}

fn refused(content: Content, field: &str) {
    let broken = broken(&[item(Content::Text("fine".into())), item(content)]);
    assert!(broken.iter().any(|it| it.starts_with(&format!("evidence[1].{field} "))), "{broken:?}");
}

fn link(url: &str) -> Content {
    Content::Link { url: url.into(), label: String::new() }
}

fn texts(before: &str, after: &str) -> Content {
    Content::Diff(Diff::Texts { before: before.into(), after: after.into() })
}

#[test]
fn evidence_of_every_kind_is_accepted() {
    let fact =
        Fact { label: "Version".into(), value: "2".into(), url: "https://a.example/x".into() };
    let table = Content::Table { columns: vec!["a".into()], rows: vec![vec!["1".into()]] };
    let kinds = [
        Content::Facts(vec![fact]),
        Content::Text("text\nwith lines".into()),
        Content::Code { code: "x = 1".into(), language: "python".into() },
        Content::Json(r#"{"a": [1e999, "\u202e", 123456789012345678901]}"#.into()),
        texts("", "new"),
        Content::Diff(Diff::Unified("-a\n+b\n".into())),
        table,
        link("http://127.0.0.1:8080/x?y#z"),
    ];
    assert_eq!(broken(&kinds.map(item)), Vec::<String>::new());
}

#[test]
fn what_is_wrong_is_named_by_item_and_field() {
    let fact = |label: &str, url: &str| Fact {
        label: label.into(),
        value: String::new(),
        url: url.into(),
    };
    let table = |columns: &[&str], rows: &[&[&str]]| Content::Table {
        columns: columns.iter().map(|it| (*it).to_owned()).collect(),
        rows: rows.iter().map(|row| row.iter().map(|it| (*it).to_owned()).collect()).collect(),
    };
    let long = "x".repeat(limits::FACT_VALUE_CHARS_MAX + 1);
    for (content, field) in [
        (Content::Facts(vec![]), "facts.facts"),
        (Content::Facts(vec![fact("a", ""), fact(" ", "")]), "facts.facts[1].label"),
        (Content::Facts(vec![fact("a\nb", "")]), "facts.facts[0].label"),
        (Content::Facts(vec![fact("a", "ftp://a.example")]), "facts.facts[0].url"),
        (Content::Facts(vec![Fact { value: long, ..fact("a", "") }]), "facts.facts[0].value"),
        (Content::Text("\u{200b}".into()), "text.text"),
        (Content::Code { code: String::new(), language: String::new() }, "code.code"),
        (Content::Code { code: "x".into(), language: "a\tb".into() }, "code.language"),
        (Content::Json("{'a': 1}".into()), "json.json"),
        (Content::Json(r#"{"a": 1, "a": 2}"#.into()), "json.json"),
        (Content::Json("[".repeat(100_000)), "json.json"),
        (texts("same", "same"), "diff.texts"),
        (Content::Diff(Diff::Unified(" ".into())), "diff.unified"),
        (table(&[], &[]), "table.columns"),
        (table(&["a", "b"], &[&["1", "2"], &["1"]]), "table.rows[1].cells"),
        (table(&["a"], &[&[&"x".repeat(limits::CELL_CHARS_MAX + 1)]]), "table.rows[0].cells[0]"),
        (link("javascript:alert(1)"), "link.url"),
        (link("https://bank.example@evil.example"), "link.url"),
        (link("/relative"), "link.url"),
        (link(&format!("https://a.example/{}", "x".repeat(limits::URL_BYTES_MAX))), "link.url"),
    ] {
        refused(content, field);
    }
}

#[test]
fn all_items_together_are_bounded() {
    let text = |bytes: usize| item(Content::Text("x".repeat(bytes)));
    let half = limits::EVIDENCE_BYTES_MAX / 2;
    assert_eq!(broken(&[text(half), text(half)]), Vec::<String>::new());
    let over = broken(&[text(half - 1), text(half), text(2)]);
    let words = "evidence[1] is the largest of the evidence, which has 262145 bytes of text in all";
    assert!(over.len() == 1 && over[0].starts_with(words), "{over:?}");
    let many = vec![text(1); limits::EVIDENCE_ITEMS_MAX + 1];
    assert_eq!(broken(&many), ["evidence must be at most 20 items"]);
    let lines = "\n".repeat(limits::EVIDENCE_DIFF_LINES_MAX);
    assert!(broken(&[item(texts("a", &lines))])[0].contains("lines in diffs"));
    let rows = vec![vec![String::new(); 20]; limits::EVIDENCE_CELLS_MAX / 20];
    let table = Content::Table { columns: vec!["a".into(); 20], rows };
    assert!(broken(&[item(table)])[0].contains("cells in tables"));
}
