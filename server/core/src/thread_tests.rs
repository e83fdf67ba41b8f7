//! Who is at it, who may hand it over, and that nobody fills a thread alone.

use super::*;
use crate::create::Expiration;
use crate::event::{Channel, OnTimeout, PromptFormat};
use crate::evidence::Risk;
use crate::id::{EventId, Namespace};
use crate::input::{BoolInput, Input};
use crate::weight::Weight;

const NOW_MS: i64 = 10_000;

fn at(ms: i64) -> Timestamp {
    Timestamp::from_ms(ms).unwrap()
}

fn request(assignees: Vec<Assignee>) -> Request {
    Request {
        id: EventId::from_bytes([7; 16]),
        namespace: Namespace::default(),
        name: "n".into(),
        title: String::new(),
        prompt: "p".into(),
        prompt_format: PromptFormat::Text,
        evidence: Vec::new(),
        risk: Risk::Low,
        require_confirmation: false,
        input: Input::Bool(BoolInput::default()),
        scope: "run".into(),
        labels: [].into(),
        expiration: Expiration::default(),
        on_timeout: OnTimeout::Fail,
        idempotency_key: None,
        allow_self_answer: false,
        assignees,
        quorum: None,
        created_by: None,
        on_end: None,
        alarms: crate::reminder::Alarms::default(),
        channels: Vec::new(),
        create_time: at(0),
        deadline: at(100_000),
        weight: Weight::default(),
    }
}

fn for_sre() -> Request {
    request(vec![Assignee::Group("sre".into()), Assignee::Person("ada".into())])
}

fn somebody(name: &str) -> Responder {
    let proof = Some(Proof {
        known_by: CredentialKind::Person,
        id: format!("id-{name}"),
        name: name.into(),
    });
    Responder { proof, ..Responder::claimed(String::new(), Channel::Grpc, String::new()) }
}

fn of_sre() -> Standing {
    Standing { groups: vec!["sre".into()], is_admin: false }
}

fn comment(text: &str) -> Act {
    Act::Comment { text: text.into(), needs_info: false }
}

fn claim(until_ms: i64) -> Act {
    Act::Claim { until: at(until_ms) }
}

fn thread(entries: &[(i64, &str, Act)]) -> Thread {
    let entry = |(ms, name, act): &(i64, &str, Act)| ThreadEntry {
        time: at(*ms),
        by: somebody(name),
        act: act.clone(),
    };
    entries.iter().map(entry).collect()
}

fn holder(thread: &Thread, ms: i64) -> Option<String> {
    thread.claim(at(ms)).map(|claim| claim.by.proof.unwrap().name)
}

#[test]
fn the_first_claim_holds_until_it_ends_or_is_given_up() {
    let first = thread(&[(1, "ada", claim(100)), (2, "bob", claim(100))]);
    assert_eq!(holder(&first, 50), Some("ada".into()));
    assert_eq!(holder(&first, 100), None);
    let after = thread(&[(1, "ada", claim(100)), (100, "bob", claim(200))]);
    assert_eq!(holder(&after, 150), Some("bob".into()));
    let longer = thread(&[(1, "ada", claim(100)), (50, "ada", claim(300))]);
    assert_eq!(holder(&longer, 250), Some("ada".into()));
    let released =
        thread(&[(1, "ada", claim(100)), (2, "ada", Act::Release), (3, "bob", claim(100))]);
    assert_eq!(holder(&released, 50), Some("bob".into()));
}

fn judged(
    request: &Request,
    thread: &Thread,
    name: &str,
    act: &Act,
    standing: &Standing,
) -> Result<(), Rejection> {
    let deliberation = Deliberation { votes: Vec::new(), thread: thread.clone() };
    check_act(request, &deliberation, &somebody(name), act, standing, at(NOW_MS))
}

#[test]
fn only_those_it_is_for_claim_and_hand_over_and_an_admin_may_name_others() {
    let (request, empty) = (for_sre(), Thread::default());
    let to_eve = Act::Delegate { to: Assignee::Person("eve".into()), hands_over: true };
    let admin = Standing { groups: Vec::new(), is_admin: true };
    for act in [claim(NOW_MS + 1), to_eve.clone()] {
        assert_eq!(judged(&request, &empty, "ada", &act, &Standing::default()), Ok(()));
        assert_eq!(judged(&request, &empty, "id-ada", &act, &of_sre()), Ok(()));
        assert_eq!(judged(&request, &empty, "bob", &act, &of_sre()), Ok(()));
        assert_eq!(
            judged(&request, &empty, "bob", &act, &Standing::default()),
            Err(Rejection::NotAssigned)
        );
    }
    assert_eq!(judged(&request, &empty, "root", &to_eve, &admin), Ok(()));
    let claimed = thread(&[(NOW_MS - 1, "ada", claim(NOW_MS + 9))]);
    let taken = Err(Rejection::Claimed { until: at(NOW_MS + 9) });
    assert_eq!(judged(&request, &claimed, "bob", &claim(NOW_MS + 1), &of_sre()), taken);
    assert_eq!(judged(&request, &claimed, "bob", &Act::Release, &of_sre()), taken);
    assert_eq!(judged(&request, &claimed, "root", &Act::Release, &admin), Ok(()));
    let for_all = self::request(Vec::new());
    assert!(judged(&for_all, &empty, "ada", &claim(NOW_MS + 1), &of_sre()).is_err());
    assert_eq!(judged(&for_all, &empty, "ada", &comment("why?"), &Standing::default()), Ok(()));
}

#[test]
fn whoever_of_a_group_hands_it_over_is_not_one_of_them_until_it_is_handed_back() {
    let request = for_sre();
    let to = |name: &str| Act::Delegate { to: Assignee::Person(name.into()), hands_over: true };
    let away = thread(&[(1, "bob", to("eve"))]).roster(&request);
    let sre = ["sre".to_owned()];
    assert!(!away.has(&somebody("bob"), &sre) && away.has(&somebody("eve"), &[]));
    assert!(away.has(&somebody("cid"), &sre), "the others of the group are there still");
    let back = thread(&[(1, "bob", to("eve")), (2, "eve", to("bob"))]).roster(&request);
    assert!(back.has(&somebody("bob"), &sre) && !back.has(&somebody("eve"), &[]));
}

#[test]
fn nobody_fills_a_thread_alone() {
    let request = for_sre();
    let full_of = |count: usize, name: &dyn Fn(usize) -> String| -> Thread {
        let entry = |n: usize| ThreadEntry {
            time: at(n as i64),
            by: somebody(&name(n)),
            act: comment("x"),
        };
        (0..count).map(entry).collect()
    };
    let of_one = full_of(limits::THREAD_ENTRIES_OF_ONE_MAX, &|_| "ada".into());
    let said = comment("more");
    let nobody = Standing::default();
    assert_eq!(judged(&request, &of_one, "ada", &said, &nobody), Err(Rejection::ThreadFull));
    assert_eq!(judged(&request, &of_one, "bob", &said, &nobody), Ok(()));
    let of_many = full_of(limits::THREAD_ENTRIES_MAX, &|n| n.to_string());
    assert_eq!(judged(&request, &of_many, "bob", &said, &nobody), Err(Rejection::ThreadFull));
}

#[test]
fn words_have_a_bound_and_can_be_seen() {
    let request = for_sre();
    for bad in [String::new(), " ".into(), "x".repeat(limits::THREAD_COMMENT_BYTES_MAX + 1)] {
        let result =
            judged(&request, &Thread::default(), "ada", &comment(&bad), &Standing::default());
        assert!(matches!(result, Err(Rejection::InvalidRequest(_))), "{result:?}");
    }
    let long = claim(NOW_MS + limits::CLAIM_MS_MAX + 1);
    assert!(judged(&request, &Thread::default(), "ada", &long, &Standing::default()).is_err());
}
