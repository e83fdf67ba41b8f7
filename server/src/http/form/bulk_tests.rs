//! What tells questions that are alike apart, and how they are named in addresses.

use hitl_core::evidence::{Evidence, Fact};
use hitl_core::{EventId, Namespace, Spec, Timestamp};
use hitl_testing::spec;

use super::*;

fn event(number: u8, facts: &[(&str, &str)]) -> Event {
    let facts = facts.iter().map(|(label, value)| Fact {
        label: (*label).to_owned(),
        value: (*value).to_owned(),
        url: String::new(),
    });
    let item = Evidence {
        title: String::new(),
        note: String::new(),
        content: Content::Facts(facts.collect()),
    };
    let spec = Spec { evidence: vec![item], ..spec(60_000) };
    let now = Timestamp::from_ms(1_795_354_620_000).unwrap();
    let id = EventId::from_bytes([number; 16]);
    let request = hitl_core::create(spec, Namespace::default(), id, now).unwrap();
    Event { request: Arc::new(request), response: None }
}

#[test]
fn only_facts_that_differ_tell_questions_apart() {
    let events = [
        event(1, &[("Order", "8841"), ("Currency", "EUR"), ("Amount", "119.00")]),
        event(2, &[("Order", "8852"), ("Currency", "EUR")]),
    ];
    let (columns, cells) = differing(&events);
    assert_eq!(columns, ["Order", "Amount"]);
    assert_eq!(cells, [["8841", "119.00"], ["8852", ""]]);
}

#[test]
fn keys_of_questions_are_read_and_nothing_else_is() {
    let id = "0".repeat(32);
    assert_eq!(read_key(&format!("team-1/{id}")).unwrap().namespace.as_str(), "team-1");
    for other in ["", "x", "team-1/", &id, &format!("No/{id}"), &format!("a/{id}/b")] {
        assert!(read_key(other).is_none(), "{other}");
    }
}
