//! Each fault really is one: a checker that misses it is no checker.

use futures::stream;
use object_store::memory::InMemory;
use object_store::{Error, PutMode};

use super::creates::LATE;
use super::outcomes::OUT_OF_SIGHT;
use super::*;

const OUTCOME: &str = "events/team-1/ab/response.json";
const REQUEST: &str = "events/team-1/ab/request.json";
const ANNOUNCED: &str = "resolved/2026-11-22T13/37/1795354620123-team-1-ab";
const TIMER: &str = "timers/2026-11-22T13/37/1795354620123-expire-team-1-ab";
const OTHER_TIMER: &str = "timers/2026-11-22T13/37/1795354620123-expire-team-ab";
const RECORD: &str = r#"{"version":1,"nonce":"7f","response":{"nonce":"7f"}}"#;

type Store = Arc<dyn ObjectStore>;

/// A store, and what one process sees of it that has this fault.
fn planted(fault: Fault) -> (Store, Store) {
    let store: Store = Arc::new(InMemory::new());
    (store.clone(), fault.over(store))
}

async fn create(store: &Store, path: &str, body: &'static str) -> Result<()> {
    store.put_opts(&path.into(), body.into(), PutMode::Create.into()).await.map(drop)
}

async fn overwrite(store: &Store, path: &str) {
    store.put(&path.into(), "overwritten".into()).await.unwrap();
}

async fn body(store: &Store, path: &str) -> String {
    let bytes = store.get(&path.into()).await.unwrap().bytes().await.unwrap();
    String::from_utf8(bytes.into()).unwrap()
}

async fn is_there(store: &Store, path: &str) -> bool {
    match store.head(&path.into()).await {
        Ok(_) => true,
        Err(Error::NotFound { .. }) => false,
        Err(error) => panic!("{error}"),
    }
}

async fn listed(store: &Store) -> Vec<String> {
    let listed: Vec<_> = store.list(None).try_collect().await.unwrap();
    listed.into_iter().map(|object| object.location.to_string()).collect()
}

/// Does what is asked, and says that it failed.
#[derive(Debug)]
struct Breaks(fn(&Path) -> Error);

#[async_trait]
impl Twist for Breaks {
    async fn put(
        &self,
        store: &Store,
        path: &Path,
        payload: PutPayload,
        options: PutOptions,
    ) -> Result<PutResult> {
        store.put_opts(path, payload, options).await?;
        Err((self.0)(path))
    }
}

fn refusal(path: &Path) -> Error {
    Error::Precondition { path: path.to_string(), source: "412".into() }
}

fn failure(_: &Path) -> Error {
    Error::Generic { store: "test", source: "the connection broke".into() }
}

/// As in [`planted`], over a store that reports every write like this.
fn planted_over(fault: Fault, reports: fn(&Path) -> Error) -> (Store, Store) {
    let store: Store = Arc::new(InMemory::new());
    let breaks = Arc::new(Twisted { store: store.clone(), twist: Arc::new(Breaks(reports)) });
    (store, fault.over(breaks))
}

#[test]
fn each_has_a_name_of_its_own() {
    for fault in Fault::ALL {
        assert_eq!(Fault::named(fault.name()), Some(fault));
    }
}

#[tokio::test]
async fn overwrite_lets_two_creates_win() {
    let (store, faulty) = planted(Fault::Overwrite);
    create(&faulty, OUTCOME, "first").await.unwrap();
    create(&faulty, OUTCOME, "second").await.unwrap();
    assert_eq!(body(&store, OUTCOME).await, "second");
}

#[tokio::test(start_paused = true)]
async fn ack_before_sync_answers_before_the_write() {
    let (store, faulty) = planted(Fault::AckBeforeSync);
    create(&faulty, OUTCOME, RECORD).await.unwrap();
    assert!(!is_there(&store, OUTCOME).await);
    create(&faulty, OUTCOME, RECORD).await.unwrap_err();
    tokio::time::sleep(2 * LATE).await;
    assert!(is_there(&store, OUTCOME).await);
    create(&faulty, OUTCOME, RECORD).await.unwrap_err();
}

#[tokio::test]
async fn timers_and_announcements_of_others_are_not_listed() {
    for (fault, theirs, ours) in [
        (Fault::DropTimersAtRestart, TIMER, OTHER_TIMER),
        (Fault::DeafToReplicas, ANNOUNCED, "resolved/2026-11-22T13/38/1795354680123-team-ab"),
    ] {
        let (store, faulty) = planted(fault);
        overwrite(&store, theirs).await;
        overwrite(&store, REQUEST).await;
        assert_eq!(listed(&faulty).await, [REQUEST]);
        let (index, _) = theirs.split_once('/').unwrap();
        let hours = faulty.list_with_delimiter(Some(&index.into())).await.unwrap();
        assert!(hours.common_prefixes.is_empty());

        overwrite(&faulty, ours).await;
        assert_eq!(listed(&faulty).await, [REQUEST, ours]);
        let hours = faulty.list_with_delimiter(Some(&index.into())).await.unwrap();
        assert_eq!(hours.common_prefixes.len(), 1);
        assert!(is_there(&faulty, theirs).await);
    }
}

#[tokio::test]
async fn a_broken_listing_of_what_is_not_shown_ends() {
    let store: Store = Arc::new(InMemory::new());
    overwrite(&store, TIMER).await;
    let timer = store.head(&TIMER.into()).await.unwrap();
    let endless = stream::repeat_with(move || Ok(timer.clone())).boxed();
    let twisted = Twisted { store, twist: Arc::new(OwnOnly::below("timers")) };
    let listed: Vec<_> = twisted.filtered(endless).try_collect().await.unwrap();
    assert!(listed.is_empty());
}

#[tokio::test]
async fn what_was_pending_stays_so_until_the_process_tries_to_end_it() {
    let (store, faulty) = planted(Fault::RememberPending);
    assert!(!is_there(&faulty, OUTCOME).await);
    create(&store, OUTCOME, RECORD).await.unwrap();
    assert!(!is_there(&faulty, OUTCOME).await);
    create(&faulty, OUTCOME, "another").await.unwrap_err();
    assert_eq!(body(&faulty, OUTCOME).await, RECORD);
}

#[tokio::test(start_paused = true)]
async fn an_outcome_of_another_process_comes_into_sight_late() {
    let (store, faulty) = planted(Fault::LostWakeUp);
    create(&store, OUTCOME, RECORD).await.unwrap();
    assert!(!is_there(&faulty, OUTCOME).await);
    tokio::time::sleep(OUT_OF_SIGHT).await;
    assert!(is_there(&faulty, OUTCOME).await);

    let own = "events/team-1/cd/response.json";
    create(&faulty, own, RECORD).await.unwrap();
    assert!(is_there(&faulty, own).await);
}

#[tokio::test]
async fn a_create_is_not_known_again_after_an_error_of_the_kind() {
    for (fault, loses, keeps) in [
        (Fault::ConflictIsLost, refusal as fn(&Path) -> Error, failure as fn(&Path) -> Error),
        (Fault::ErrorIsLost, failure, refusal),
    ] {
        let (store, faulty) = planted_over(fault, loses);
        create(&faulty, OUTCOME, RECORD).await.unwrap_err();
        assert_eq!(body(&store, OUTCOME).await, RECORD);
        let lost = RECORD.replacen("7f", "0f", 1);
        assert_eq!(body(&faulty, OUTCOME).await, lost);

        let (_, faulty) = planted_over(fault, keeps);
        create(&faulty, OUTCOME, RECORD).await.unwrap_err();
        assert_eq!(body(&faulty, OUTCOME).await, RECORD);
    }
}

#[tokio::test]
async fn an_end_is_announced_once_it_is_recorded() {
    let (store, faulty) = planted(Fault::RecordBeforeAnnouncement);
    overwrite(&faulty, ANNOUNCED).await;
    assert!(!is_there(&store, ANNOUNCED).await);
    create(&faulty, OUTCOME, RECORD).await.unwrap();
    assert!(is_there(&store, ANNOUNCED).await);
    let again = "resolved/2026-11-22T13/38/1795354680123-team-1-ab";
    overwrite(&faulty, again).await;
    assert!(is_there(&store, again).await);
}

#[tokio::test]
async fn an_end_is_announced_once_its_record_is_read_back() {
    let store: Store = Arc::new(InMemory::new());
    let faulty = Fault::RecordBeforeAnnouncement.over(store.clone());
    overwrite(&faulty, ANNOUNCED).await;
    create(&store, OUTCOME, RECORD).await.unwrap();
    create(&faulty, OUTCOME, RECORD).await.unwrap_err();
    assert!(!is_there(&store, ANNOUNCED).await);
    assert_eq!(body(&faulty, OUTCOME).await, RECORD);
    assert!(is_there(&store, ANNOUNCED).await);
}

#[tokio::test]
async fn an_announcement_that_is_taken_back_is_not_made() {
    let (store, faulty) = planted(Fault::RecordBeforeAnnouncement);
    overwrite(&faulty, ANNOUNCED).await;
    let _ = faulty.delete(&ANNOUNCED.into()).await;
    create(&faulty, OUTCOME, RECORD).await.unwrap();
    assert!(!is_there(&store, ANNOUNCED).await);
}

#[tokio::test]
async fn the_timer_goes_although_the_end_is_not_recorded() {
    let (store, faulty) = planted(Fault::TimerGoesFirst);
    for path in [TIMER, OTHER_TIMER, OUTCOME] {
        overwrite(&store, path).await;
    }
    create(&faulty, OUTCOME, RECORD).await.unwrap_err();
    assert!(!is_there(&store, TIMER).await);
    assert!(is_there(&store, OTHER_TIMER).await);
}

#[tokio::test]
async fn of_a_removed_event_the_request_goes_last() {
    let (store, faulty) = planted(Fault::RequestGoesLast);
    create(&faulty, REQUEST, RECORD).await.unwrap();
    create(&faulty, OUTCOME, RECORD).await.unwrap();
    overwrite(&faulty, REQUEST).await;
    assert!(!is_there(&store, OUTCOME).await);
    assert_eq!(body(&store, REQUEST).await, RECORD);
    faulty.delete(&OUTCOME.into()).await.unwrap();
    assert_eq!(body(&store, REQUEST).await, "overwritten");
}

#[tokio::test]
async fn of_a_removed_event_no_tombstone_is_left() {
    let (store, faulty) = planted(Fault::TombstoneForgotten);
    create(&faulty, REQUEST, RECORD).await.unwrap();
    overwrite(&faulty, REQUEST).await;
    assert!(!is_there(&store, REQUEST).await);
}
