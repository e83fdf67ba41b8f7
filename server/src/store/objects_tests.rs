//! A create-once knows whether it won, whatever the store says of it.

use std::collections::VecDeque;
use std::fmt;
use std::sync::Mutex;

use async_trait::async_trait;
use futures::stream::BoxStream;
use object_store::memory::InMemory;
use object_store::{
    CopyOptions, GetOptions, GetResult, ListResult, MultipartUpload, ObjectMeta,
    PutMultipartOptions, PutOptions, PutPayload, PutResult,
};

use super::*;
use crate::store::record::{ResponseRecord, VERSION};

/// What the store does with the next create.
#[derive(Debug)]
enum Script {
    /// Takes it, and reports this all the same.
    TakeAndSay(fn() -> StoreError),
    /// Does not take it, and reports this.
    RefuseAndSay(fn() -> StoreError),
    /// Fails the read that follows too.
    RefuseAndHide,
}

#[derive(Debug, Default)]
struct Scripted {
    inner: InMemory,
    script: Mutex<VecDeque<Script>>,
    hidden: Mutex<bool>,
}

fn exists() -> StoreError {
    StoreError::AlreadyExists { path: "p".into(), source: "409".into() }
}

fn precondition() -> StoreError {
    StoreError::Precondition { path: "p".into(), source: "412".into() }
}

fn broken() -> StoreError {
    StoreError::Generic { store: "scripted", source: "connection reset".into() }
}

impl fmt::Display for Scripted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("scripted")
    }
}

#[async_trait]
impl ObjectStore for Scripted {
    async fn put_opts(
        &self,
        path: &Path,
        payload: PutPayload,
        options: PutOptions,
    ) -> Result<PutResult, StoreError> {
        let next = self.script.lock().unwrap().pop_front();
        match next {
            None => self.inner.put_opts(path, payload, options).await,
            Some(Script::TakeAndSay(error)) => {
                let _ = self.inner.put_opts(path, payload, options).await;
                Err(error())
            }
            Some(Script::RefuseAndSay(error)) => Err(error()),
            Some(Script::RefuseAndHide) => {
                *self.hidden.lock().unwrap() = true;
                Err(broken())
            }
        }
    }

    async fn get_opts(&self, path: &Path, options: GetOptions) -> Result<GetResult, StoreError> {
        if *self.hidden.lock().unwrap() {
            return Err(broken());
        }
        self.inner.get_opts(path, options).await
    }

    async fn put_multipart_opts(
        &self,
        path: &Path,
        options: PutMultipartOptions,
    ) -> Result<Box<dyn MultipartUpload>, StoreError> {
        self.inner.put_multipart_opts(path, options).await
    }

    fn delete_stream(
        &self,
        paths: BoxStream<'static, Result<Path, StoreError>>,
    ) -> BoxStream<'static, Result<Path, StoreError>> {
        self.inner.delete_stream(paths)
    }

    fn list(&self, prefix: Option<&Path>) -> BoxStream<'static, Result<ObjectMeta, StoreError>> {
        self.inner.list(prefix)
    }

    async fn list_with_delimiter(&self, prefix: Option<&Path>) -> Result<ListResult, StoreError> {
        self.inner.list_with_delimiter(prefix).await
    }

    async fn copy_opts(
        &self,
        from: &Path,
        to: &Path,
        options: CopyOptions,
    ) -> Result<(), StoreError> {
        self.inner.copy_opts(from, to, options).await
    }
}

fn record(nonce: u8) -> ResponseRecord {
    let response = hitl_core::Response {
        outcome: hitl_core::Outcome::Cancelled { reason: String::new() },
        time: hitl_core::Timestamp::from_ms(1).unwrap(),
        responder: None,
        answer_id: None,
    };
    ResponseRecord { version: VERSION, nonce: Nonce([nonce; 16]), response }
}

/// Creates our record in a store that holds `before` and follows `script`.
async fn create(
    before: Option<ResponseRecord>,
    script: Vec<Script>,
) -> Result<Created<ResponseRecord>, Error> {
    let store = Arc::new(Scripted::default());
    let objects = Objects::new(store.clone(), StoreMetrics::default());
    let path = Path::from("p");
    if let Some(before) = before {
        objects.put(&path, record::encode(&before), PutMode::Create).await.unwrap();
    }
    store.script.lock().unwrap().extend(script);
    objects.create_once::<ResponseRecord>(&path, Nonce([1; 16]), record::encode(&record(1))).await
}

#[tokio::test]
async fn a_write_of_ours_that_the_store_reports_as_failed_has_won() {
    for error in [exists, precondition, broken] {
        let created = create(None, vec![Script::TakeAndSay(error)]).await;
        assert!(matches!(created, Ok(Created::Ours)), "{created:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_conflict_with_nothing_there_is_tried_again_until_it_is_clear() {
    let created =
        create(None, vec![Script::RefuseAndSay(exists), Script::RefuseAndSay(broken)]).await;
    assert!(matches!(created, Ok(Created::Ours)), "{created:?}");
    let never = (0..ATTEMPTS_MAX).map(|_| Script::RefuseAndSay(exists)).collect();
    assert!(matches!(create(None, never).await, Err(Error::StoreUnavailable(_))));
}

#[tokio::test]
async fn whoever_comes_second_learns_what_the_first_wrote() {
    for script in
        [vec![], vec![Script::RefuseAndSay(broken)], vec![Script::RefuseAndSay(precondition)]]
    {
        let Ok(Created::Theirs(first)) = create(Some(record(2)), script).await else {
            panic!("lost to nobody")
        };
        assert_eq!(first.nonce, Nonce([2; 16]));
    }
}

#[tokio::test]
async fn an_outcome_that_cannot_be_read_is_unknown_not_lost() {
    assert!(matches!(
        create(None, vec![Script::RefuseAndHide]).await,
        Err(Error::StoreUnavailable(_))
    ));
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
