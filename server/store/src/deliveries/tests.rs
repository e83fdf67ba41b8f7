//! Records of deliveries over a store in memory.

use std::sync::Arc;

use hitl_core::{EventId, Namespace};
use object_store::memory::InMemory;

use super::*;
use crate::clock::SystemClock;

/// Golden files: they may be added to, never changed.
const DELIVERY_V1: &str = include_str!("../golden/delivery-v1.json");
const DEAD_LETTER_V1: &str = include_str!("../golden/dead-letter-v1.json");

const T: i64 = 1_795_354_620_123;

fn at(ms: i64) -> Timestamp {
    Timestamp::from_ms(ms).unwrap()
}

fn id(step: Step) -> DeliveryId {
    let key =
        EventKey { namespace: "team-1".parse().unwrap(), id: EventId::from_bytes([0xab; 16]) };
    DeliveryId { key, channel: "0123456789".parse().unwrap(), step }
}

fn store() -> EventStore {
    EventStore::over(Arc::new(InMemory::new()), true, Arc::new(SystemClock))
}

fn record(summary: &str) -> DeliveryRecord {
    DeliveryRecord {
        told: Told::Asked,
        time: at(T),
        attempts: 1,
        recipient: String::new(),
        reference: String::new(),
        summary: summary.to_owned(),
    }
}

fn json(bytes: &[u8]) -> serde_json::Value {
    serde_json::from_slice(bytes).unwrap()
}

/// Keys and bytes are persisted: this test may be added to, never changed.
#[test]
fn what_is_kept_of_a_delivery_looks_as_it_always_has() {
    let DeliveryId { key, channel, step } = id(Step::between(0x1a).unwrap());
    let event = "ab".repeat(16);
    let plain = path(&key, channel, step, None, Stage::Done);
    assert_eq!(plain.as_ref(), format!("deliveries/team-1/{event}/0123456789/001a-done.json"));
    let tag = Tag::of("ann@example.org");
    let part = path(&key, channel, step, Some(tag), Stage::Dead);
    assert_eq!(part.as_ref(), format!("deliveries/team-1/{event}/0123456789/001a-{tag}-dead.json"));
    assert_eq!(parse(part.filename().unwrap()), Some((step, Some(tag), Stage::Dead)));
    assert_eq!(parse(plain.filename().unwrap()), Some((step, None, Stage::Done)));
    for other in ["001A-done.json", "1a-done.json", "001a-.json", "001a-xyz-done.json", "x"] {
        assert_eq!(parse(other), None, "{other}");
    }
    let job = id(Step::ENDED).job(at(T), 3);
    let name = format!("{T}-deliver-team-1-{event}-{}", 0x0123_4567_89ff_ff03_u64);
    assert_eq!(job.to_string(), name);
    let read: StoredRecord = record::decode(&plain, DELIVERY_V1.as_bytes()).unwrap();
    assert_eq!(json(&record::encode(&read)), json(DELIVERY_V1.as_bytes()));
    let letter = keys::dead_letter(at(T), &id(Step::ASKED).to_string());
    let expected = format!("dead-letters/2026-11-22T13/{T}-{event}_0123456789_0000_team-1.json");
    assert_eq!(letter.as_ref(), expected);
    let read: serde_json::Value = json(DEAD_LETTER_V1.as_bytes());
    let letter: DeadLetter = serde_json::from_value(read["letter"].clone()).unwrap();
    assert_eq!(serde_json::to_value(&letter).unwrap(), read["letter"]);
}

#[test]
fn a_delivery_survives_its_text_and_its_job() {
    for step in [Step::ASKED, Step::between(1).unwrap(), Step::ENDED] {
        let id = id(step);
        assert_eq!(id.to_string().parse::<DeliveryId>().unwrap(), id);
        assert_eq!(DeliveryId::of(&id.job(at(T), 9)), Some((id.clone(), 9)));
        assert!(!id.to_string().contains('.'), "Standard Webhooks sign around dots");
    }
    assert_eq!(DeliveryId::of(&crate::jobs::Job::expire(at(T), id(Step::ASKED).key)), None);
    for wrong in ["", "a_b_c_d", "x"] {
        assert!(wrong.parse::<DeliveryId>().is_err(), "{wrong}");
    }
}

#[tokio::test]
async fn a_thread_knows_what_is_settled_and_for_whom() {
    let store = store();
    let nonce = Nonce([1; 16]);
    let (asked, ended) = (id(Step::ASKED), id(Step::ENDED));
    let (ann, bob) = (Tag::of("ann"), Tag::of("bob"));
    let put = async |id: &DeliveryId, tag, stage, summary| {
        store.record_delivery(id, tag, stage, record(summary), nonce).await.unwrap();
    };
    put(&asked, Some(ann), Stage::Done, "200").await;
    put(&asked, Some(bob), Stage::Dead, "no such person").await;
    let reminder = id(Step::between(7).unwrap());
    put(&reminder, None, Stage::Owed, "soon").await;
    put(&ended, None, Stage::Tried, "first").await;
    put(&ended, None, Stage::Tried, "second").await;
    let thread = store.thread(&asked.key, asked.channel).await.unwrap();
    assert!(thread.is_settled_for(Step::ASKED, ann) && thread.is_settled_for(Step::ASKED, bob));
    assert!(!thread.is_settled(Step::ASKED) && !thread.is_settled(Step::ENDED));
    assert_eq!(thread.owed().collect::<Vec<_>>(), [reminder.step]);
    assert_eq!(thread.made_before(Step::ENDED, Some(ann)).collect::<Vec<_>>(), [Step::ASKED]);
    assert_eq!(thread.made_before(Step::ENDED, Some(bob)).count(), 0);
    assert_eq!(thread.dead_recipients(Step::ASKED).collect::<Vec<_>>(), [bob]);
    let tried = store.delivery(&ended, None, Stage::Tried).await.unwrap().unwrap();
    assert_eq!(tried.summary, "second");
    assert_eq!(store.deliveries_of(&asked.key).await.unwrap().len(), 4);
    store.remove_deliveries(&asked.key).await.unwrap();
    assert_eq!(store.thread(&asked.key, asked.channel).await.unwrap(), Thread::default());
}

#[tokio::test]
async fn dead_letters_come_latest_first_and_go_with_their_age() {
    let store = store();
    let letter = |ms, step: u16| DeadLetter {
        namespace: Namespace::default(),
        event_id: EventId::from_bytes([1; 16]),
        channel: "0123456789".parse().unwrap(),
        channel_name: "ops".to_owned(),
        step,
        told: Told::Ended,
        time: at(ms),
        attempts: 14,
        reason: "it replied 500".to_owned(),
    };
    let all = [letter(T, 0), letter(T, 1), letter(T + 2 * 3_600_000, 0)];
    for letter in all.iter().chain(&all) {
        store.put_dead_letter(letter, Nonce([1; 16])).await.unwrap();
    }
    let page = store.dead_letters(None, 2).await.unwrap();
    let found =
        |page: &[(String, DeadLetter)]| page.iter().map(|(_, it)| it.clone()).collect::<Vec<_>>();
    assert_eq!(found(&page), [all[2].clone(), all[1].clone()]);
    let rest = store.dead_letters(Some(&page[1].0), 2).await.unwrap();
    assert_eq!(found(&rest), [all[0].clone()]);
    store.remove_dead_letter(&all[1]).await.unwrap();
    let late = at(T + 3_600_000 + DEAD_LETTER_KEPT_MS);
    assert_eq!(store.remove_old_dead_letters(late).await.unwrap(), 1);
    assert_eq!(found(&store.dead_letters(None, 9).await.unwrap()), [all[2].clone()]);
}

#[tokio::test]
async fn what_is_owed_is_found_with_its_last_attempt() {
    let store = store();
    let (asked, ended) = (id(Step::ASKED), id(Step::ENDED));
    store.put_job(&ended.job(at(T + 60_000), 2)).await.unwrap();
    store.put_job(&asked.job(at(T), 0)).await.unwrap();
    store.record_delivery(&ended, None, Stage::Tried, record("500"), Nonce([1; 16])).await.unwrap();
    let owed = store.owed_deliveries(at(T), 10).await.unwrap();
    assert_eq!([&owed[0].id, &owed[1].id], [&asked, &ended]);
    assert_eq!((owed[1].attempts, owed[1].tried.as_ref().unwrap().summary.as_str()), (2, "500"));
    assert_eq!(store.owed_deliveries(at(T), 1).await.unwrap().len(), 1);
}
