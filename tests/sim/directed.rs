//! Single troubles, each as bad as it gets: what seeds have found, or would meet too seldom.

use std::sync::Arc;

use hitl_core::{
    Answer, Channel, Command, EventKey, Expiration, Identity, Input, IntInput, Namespace,
    OnTimeout, PromptFormat, Responder, Risk, Spec, Value,
};
use hitl_service::{Owner, Wait};
use object_store::memory::InMemory;
use support::history::Recorder;
use tokio::time::{Instant, sleep, timeout};

use crate::clock::EPOCH_MS;
use crate::fault_store::{Bucket, Fault, millis};
use crate::replica::{Process, Replica};
use crate::stores;
use crate::trace::Trace;

/// Longer than any announcement is listed, or looked for.
const LONG_MS: u64 = 90_000;
/// Two listings, one of them of the minute before, and a read.
const TOLD_MS: u64 = 4_000;

/// Two replicas with which nothing is wrong by itself.
struct Two {
    one: Process,
    other: Process,
}

impl Two {
    async fn new() -> Self {
        let recorder = Recorder::of_virtual_time(EPOCH_MS).into();
        let trace = Arc::new(Trace::new(false));
        let store = Arc::new(InMemory::new());
        stores::format(&*store).await;
        let bucket = Arc::new(Bucket::new(store, trace, recorder));
        let start = |number| {
            let seed = u64::try_from(number).expect("it is small");
            let replica = Replica::new(number, Instant::now(), bucket.clone(), seed, 0.0);
            replica.start();
            replica.process().expect("it was started")
        };
        Self { one: start(1), other: start(2) }
    }

    async fn create(&self) -> EventKey {
        let spec = Spec {
            name: "event".to_owned(),
            title: String::new(),
            prompt: "May it go on?".to_owned(),
            prompt_format: PromptFormat::Text,
            evidence: Vec::new(),
            risk: Risk::Low,
            require_confirmation: false,
            input: Input::Int(IntInput { min: None, max: None }),
            scope: String::new(),
            labels: [].into(),
            expiration: Expiration::TtlMs(86_400_000),
            on_timeout: OnTimeout::Fail,
            idempotency_key: None,
            allow_self_answer: false,
            assignees: Vec::new(),
            quorum: None,
            created_by: None,
            on_end: None,
            alarms: hitl_core::Alarms::default(),
        };
        let created = self.one.service.create(Namespace::default(), spec).await;
        created.expect("nothing is wrong").event.request.key()
    }

    async fn answer(&self, event: &EventKey) {
        let responder = Responder::claimed(String::new(), Channel::Grpc, String::new());
        let identity = Identity { responder, answer_id: None };
        let answer = Answer::Value(Value::Int(1));
        let answer = Command::Answer { answer, comment: String::new(), identity };
        self.one.service.end(event, answer).await.expect("nothing is wrong");
    }
}

async fn is_told(wait: &Wait) -> bool {
    timeout(millis(TOLD_MS), wait.ended()).await.is_ok_and(|told| told.is_ok())
}

#[tokio::test(start_paused = true)]
async fn an_end_is_told_once_the_store_can_be_listed_for_the_first_time() {
    let two = Two::new().await;
    let event = two.create().await;
    two.other.link.always(Some(Fault::ShortListing));
    let (_, wait) =
        two.other.service.wait(&event, Owner::default()).await.expect("reads go through");
    two.answer(&event).await;
    sleep(millis(LONG_MS)).await;
    two.other.link.always(None);
    assert!(is_told(&wait).await);
}

#[tokio::test(start_paused = true)]
async fn an_end_is_told_once_an_announced_event_can_be_read() {
    let two = Two::new().await;
    let event = two.create().await;
    let (_, wait) =
        two.other.service.wait(&event, Owner::default()).await.expect("nothing is wrong");
    two.other.link.always(Some(Fault::GarbageBody));
    two.answer(&event).await;
    sleep(millis(LONG_MS)).await;
    two.other.link.always(None);
    assert!(is_told(&wait).await);
}

#[tokio::test(start_paused = true)]
async fn an_end_that_is_read_for_any_reason_is_told() {
    let two = Two::new().await;
    let event = two.create().await;
    let (_, wait) =
        two.other.service.wait(&event, Owner::default()).await.expect("nothing is wrong");
    two.other.link.always(Some(Fault::ShortListing));
    two.answer(&event).await;
    two.other.service.get(&event).await.expect("reads go through");
    assert!(is_told(&wait).await);
}

#[tokio::test(start_paused = true)]
async fn listings_that_do_not_end_keep_nobody_busy_for_ever() {
    let two = Two::new().await;
    let event = two.create().await;
    let (_, wait) =
        two.other.service.wait(&event, Owner::default()).await.expect("reads go through");
    two.other.link.always(Some(Fault::EndlessListing));
    two.answer(&event).await;
    sleep(millis(LONG_MS)).await;
    two.other.link.always(None);
    assert!(is_told(&wait).await);
}

#[tokio::test(start_paused = true)]
async fn an_end_is_told_although_every_other_listing_lacks_its_announcement() {
    let two = Two::new().await;
    let event = two.create().await;
    two.other.link.always(Some(Fault::SkippedKeys));
    let (_, wait) =
        two.other.service.wait(&event, Owner::default()).await.expect("reads go through");
    two.answer(&event).await;
    // An announcement is listed for twenty seconds, once in each.
    let told = timeout(millis(20_000), wait.ended()).await;
    assert!(told.is_ok_and(|told| told.is_ok()));
}
