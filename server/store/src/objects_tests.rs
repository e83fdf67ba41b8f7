//! A create-once knows whether it won, whatever the store says of it.

use object_store::memory::InMemory;

use super::*;
use crate::record::{ResponseRecord, VERSION};
use hitl_testing::scripted::{Op, Scripted, Step, broken, exists, precondition};

fn record(nonce: u8) -> ResponseRecord {
    let response = hitl_core::Response {
        outcome: hitl_core::Outcome::Cancelled { reason: String::new() },
        time: hitl_core::Timestamp::from_ms(1).unwrap(),
        responder: None,
        answer_id: None,
        comment: String::new(),
        votes: Vec::new(),
        weight: hitl_core::Weight::default(),
    };
    ResponseRecord {
        version: VERSION,
        nonce: Nonce([nonce; 16]),
        event: None,
        response,
        receipt: None,
    }
}

/// Creates our record in a store that holds `before` and follows `script`; says how many writes that took.
async fn create(
    before: Option<ResponseRecord>,
    script: Vec<(Op, Step)>,
) -> (Result<CreateOnce<ResponseRecord>, Error>, usize) {
    let store = Scripted::over(Arc::new(InMemory::new()));
    let objects = Objects::new(store.clone(), StoreMetrics::default());
    let path = Path::from("p");
    if let Some(before) = &before {
        objects.put(&path, record::encode(before), PutMode::Create).await.unwrap();
    }
    for (op, step) in script {
        store.next(op, "p", step);
    }
    let record = record::encode(&record(1));
    let created = objects.create_once::<ResponseRecord>(&path, Nonce([1; 16]), record).await;
    (created, store.asked(Op::Put, "p") - usize::from(before.is_some()))
}

fn refuse(error: fn() -> StoreError) -> (Op, Step) {
    (Op::Put, Step::RefuseAndSay(error))
}

#[tokio::test]
async fn a_write_of_ours_that_the_store_reports_as_failed_has_won() {
    for error in [exists, precondition, broken] {
        let (created, _) = create(None, vec![(Op::Put, Step::DoAndSay(error))]).await;
        assert!(matches!(created, Ok(CreateOnce::Ours)), "{created:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_conflict_with_nothing_there_is_tried_again_until_it_is_clear() {
    let (created, _) = create(None, vec![refuse(exists), refuse(broken), refuse(exists)]).await;
    assert!(matches!(created, Ok(CreateOnce::Ours)), "{created:?}");
    let never = (0..9).map(|_| refuse(exists)).collect();
    let (created, writes) = create(None, never).await;
    assert!(matches!(created, Err(Error::StoreUnavailable(_))), "{created:?}");
    assert_eq!(writes, 6);
}

/// A store with too much to do gets more of it by every repetition, and its client has repeated each four times.
#[tokio::test(start_paused = true)]
async fn a_store_that_fails_is_asked_once_more_and_then_left_alone() {
    let (created, writes) = create(None, (0..9).map(|_| refuse(broken)).collect()).await;
    assert!(matches!(created, Err(Error::StoreUnavailable(_))), "{created:?}");
    assert_eq!(writes, 2);
}

#[tokio::test]
async fn whoever_comes_second_learns_what_the_first_wrote() {
    for script in [vec![], vec![refuse(broken)], vec![refuse(precondition)]] {
        let (Ok(CreateOnce::Theirs(first)), _) = create(Some(record(2)), script).await else {
            panic!("lost to nobody")
        };
        assert_eq!(first.nonce, Nonce([2; 16]));
    }
}

#[tokio::test]
async fn an_outcome_that_cannot_be_read_is_unknown_not_lost() {
    let hidden = vec![refuse(broken), (Op::Get, Step::RefuseAndSay(broken))];
    let (created, _) = create(None, hidden).await;
    assert!(matches!(created, Err(Error::StoreUnavailable(_))));
}

#[tokio::test]
async fn what_cannot_be_understood_is_an_error_not_an_absence() {
    let objects = Objects::new(Arc::new(InMemory::new()), StoreMetrics::default());
    let path = Path::from("p");
    objects.put(&path, "{}".into(), PutMode::Create).await.unwrap();
    assert!(matches!(
        objects.read::<ResponseRecord>(&path).await,
        Err(Error::RecordUnreadable { .. })
    ));
    let created = objects
        .create_once::<ResponseRecord>(&path, Nonce([1; 16]), record::encode(&record(1)))
        .await;
    assert!(matches!(created, Err(Error::RecordUnreadable { .. })));
}

#[tokio::test]
async fn an_object_that_is_larger_than_any_of_ours_is_not_taken_into_memory() {
    let objects = Objects::new(Arc::new(InMemory::new()), StoreMetrics::default());
    let path = Path::from("p");
    let most = usize::try_from(OBJECT_BYTES_MAX).unwrap();
    objects.put(&path, vec![b' '; most].into(), PutMode::Overwrite).await.unwrap();
    assert_eq!(objects.bytes(&path).await.unwrap().unwrap().len(), most);
    objects.put(&path, vec![b' '; most + 1].into(), PutMode::Overwrite).await.unwrap();
    let refusal = objects.bytes(&path).await.unwrap_err();
    assert!(matches!(refusal, Error::RecordUnreadable { .. }), "{refusal}");
    assert!(refusal.to_string().contains("larger than any record"), "{refusal}");
}

/// One that says that it is small.
#[tokio::test]
async fn the_size_of_an_object_is_what_comes_and_not_what_is_said() {
    let inner = InMemory::new();
    let path = Path::from("p");
    inner.put(&path, "small".into()).await.unwrap();
    let mut object = inner.get(&path).await.unwrap();
    let part = Bytes::from(vec![b' '; 1 << 20]);
    let endless = futures::stream::repeat_with(move || Ok(part.clone()));
    object.payload = GetResultPayload::Stream(endless.boxed());
    assert_eq!(bounded(object).await.unwrap(), None);
}
