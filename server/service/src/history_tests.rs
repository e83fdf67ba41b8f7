//! What a page of a list asks of the store, and what it says of a store that is damaged.

use hitl_core::{Namespace, Spec, State};
use object_store::ObjectStore;

use super::*;
use crate::filter::Filter;
use crate::list::{ListQuery, Page};
use crate::quotas::Payer;
use hitl_store::clock::ManualClock;
use hitl_store::random::SystemRandom;
use hitl_testing::scripted::{self, Op, Scripted, Step};
use hitl_testing::{answer, spec};

const NOW_MS: i64 = 1_795_348_837_250;
const DAY_MS: i64 = 86_400_000;

struct World {
    store: Arc<Scripted>,
    clock: ManualClock,
    service: Service,
}

impl World {
    fn over(inner: Arc<dyn ObjectStore>, now_ms: i64) -> Self {
        let clock = ManualClock::at(Timestamp::from_ms(now_ms).unwrap());
        let store = Scripted::over(inner);
        let events = EventStore::over(store.clone(), true, Arc::new(clock.clone()));
        let shutdown = CancellationToken::new();
        let service = Service::new(
            events,
            Arc::new(clock.clone()),
            Arc::new(SystemRandom),
            100,
            shutdown,
            Background::new(None),
        );
        Self { store, clock, service }
    }

    /// Asks and answers one event, and returns its key.
    async fn ended(&self) -> EventKey {
        let created = self
            .service
            .create(Payer::default(), Namespace::default(), spec(60_000))
            .await
            .unwrap();
        let key = created.event.request.key();
        self.service.end(&key, answer(1, "a")).await.unwrap();
        key
    }

    async fn page(&self, state: State, page_size: usize, page_token: String) -> Page {
        let query = ListQuery {
            filter: Filter { state: Some(state), ..Filter::all_of(Namespace::default()) },
            page_size,
            page_token,
        };
        self.service.list(&query).await.unwrap()
    }

    fn listings(&self) -> usize {
        self.store.asked(Op::List, "")
    }
}

/// A history of so many days in which one event ended on each, and a process that knows nothing of it.
async fn history(days: i64) -> (World, Vec<EventKey>) {
    let inner = scripted::empty();
    let begun_ms = NOW_MS - days * DAY_MS;
    let world = World::over(inner.clone(), begun_ms);
    let mut keys = Vec::new();
    for _ in 0..days {
        keys.insert(0, world.ended().await);
        world.clock.advance_ms(DAY_MS);
    }
    (World::over(inner, NOW_MS), keys)
}

fn keys(page: &Page) -> Vec<EventKey> {
    page.events.iter().map(|event| event.request.key()).collect()
}

#[tokio::test]
async fn a_page_of_history_costs_what_it_holds_and_not_what_the_history_does() {
    let (world, ended) = history(400).await;
    let page = world.page(State::Answered, 10, String::new()).await;
    assert_eq!(keys(&page), ended[..10]);
    // One of all hours; for each event its hour and its minute; a few hours that were begun on at the end, and those of
    // just now, of which nothing is known yet.
    let first = world.listings();
    assert!(first <= 1 + 2 * 10 + 8, "{first} listings");
    let next = world.page(State::Answered, 10, page.next_page_token).await;
    assert_eq!(keys(&next), ended[10..20]);
    // The hours are known by now.
    let second = world.listings() - first;
    assert!(second <= 2 * 10 + 8, "{second} listings");
}

#[tokio::test]
async fn what_ends_after_the_hours_were_listed_is_listed_as_well() {
    let (world, mut ended) = history(3).await;
    assert_eq!(keys(&world.page(State::Answered, 10, String::new()).await), ended);
    // Here, and at a replica.
    for hours in [0, 1, 1, 3, 9] {
        world.clock.advance_ms(hours * 3_600_000);
        ended.insert(0, world.ended().await);
        let elsewhere = World::over(world.store.inner(), world.clock.now().ms() + 1);
        ended.insert(0, elsewhere.ended().await);
        assert_eq!(keys(&world.page(State::Answered, 100, String::new()).await), ended);
    }
}

#[tokio::test]
async fn a_page_of_pending_events_lists_no_further_than_it_goes() {
    let world = World::over(scripted::empty(), NOW_MS);
    for day in 0..100 {
        world
            .service
            .create(Payer::default(), Namespace::default(), spec((day + 1) * DAY_MS))
            .await
            .unwrap();
    }
    let before = world.listings();
    let page = world.page(State::Pending, 10, String::new()).await;
    assert_eq!(page.events.len(), 10);
    let listings = world.listings() - before;
    assert!(listings <= 1 + 2 * 10 + 5, "{listings} listings");
}

#[tokio::test]
async fn an_event_that_cannot_be_read_is_named_and_the_rest_is_listed() {
    let (world, ended) = history(5).await;
    let lost: &'static str = Box::leak(ended[2].id.to_string().into_boxed_str());
    let request: &'static str = Box::leak(format!("{lost}/request.json").into_boxed_str());
    world.store.damage(Some(request));
    let mut listed = Vec::new();
    let mut unreadable = Vec::new();
    let mut token = String::new();
    loop {
        let page = world.page(State::Answered, 2, token).await;
        listed.extend(keys(&page));
        unreadable.extend(page.unreadable);
        token = page.next_page_token;
        if token.is_empty() {
            break;
        }
    }
    let rest: Vec<_> = ended.iter().filter(|key| **key != ended[2]).cloned().collect();
    assert_eq!(listed, rest);
    assert_eq!(unreadable, [lost]);
    let error = world.service.get(&ended[2]).await.unwrap_err();
    assert!(
        matches!(&error, Error::RecordUnreadable { path, .. } if path.contains(lost)),
        "{error}"
    );
}

#[tokio::test]
async fn a_part_of_the_index_that_cannot_be_read_is_named_and_the_rest_is_listed() {
    let (world, ended) = history(5).await;
    let page = world.page(State::Answered, 100, String::new()).await;
    let ended_at = page.events[2].response.as_ref().unwrap().time;
    let entry: &'static str = Box::leak(format!("{:013}-", ended_at.ms()).into_boxed_str());
    world.store.damage(Some(entry));
    let page = world.page(State::Answered, 100, String::new()).await;
    let rest: Vec<_> = ended.iter().filter(|key| **key != ended[2]).cloned().collect();
    assert_eq!(keys(&page), rest);
    assert!(!page.unreadable.is_empty());
    assert!(page.unreadable.iter().all(|part| part.starts_with("resolved")), "{page:?}");
}

#[tokio::test]
async fn timers_beside_a_damaged_one_fire() {
    let world = World::over(scripted::empty(), NOW_MS);
    let mut keys = Vec::new();
    for number in 0..3 {
        let created = world
            .service
            .create(Payer::default(), Namespace::default(), spec(60_000 + number))
            .await;
        keys.push(created.unwrap().event.request.key());
    }
    let restarted = World::over(world.store.inner(), NOW_MS + 600_000);
    let lost: &'static str = Box::leak(format!("{:013}-", NOW_MS + 60_001).into_boxed_str());
    restarted.store.damage(Some(lost));
    let service = restarted.service.clone();
    let running = tokio::spawn(async move { service.run().await });
    for key in [&keys[0], &keys[2]] {
        let response = format!("{}/response.json", key.id);
        let is_ended = async {
            while restarted.store.asked(Op::Put, &response) == 0 {
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(std::time::Duration::from_secs(30), is_ended).await.unwrap();
    }
    running.abort();
}

/// A world with so many pending events of one name, and after them one that is called "last".
async fn world_with_many_and_one(many: usize) -> World {
    let world = World::over(scripted::empty(), NOW_MS);
    for _ in 0..many {
        world.service.create(Payer::default(), Namespace::default(), spec(60_000)).await.unwrap();
    }
    let last = Spec { name: "last".to_owned(), ..spec(120_000) };
    world.service.create(Payer::default(), Namespace::default(), last).await.unwrap();
    world
}

fn named_last(page_token: String) -> ListQuery {
    let filter = Filter { name: Some("last".to_owned()), ..Filter::all_of(Namespace::default()) };
    ListQuery { filter, page_size: 10, page_token }
}

#[tokio::test]
async fn a_page_goes_on_past_thousands_of_events_that_do_not_match() {
    let world = world_with_many_and_one(3_000).await;
    let page = world.service.list(&named_last(String::new())).await.unwrap();
    assert_eq!(page.events.len(), 1);
}

#[tokio::test]
async fn a_page_that_has_taken_long_ends_and_the_next_one_goes_on_where_it_was() {
    let world = world_with_many_and_one(100).await;
    let clock = world.clock.clone();
    world.store.next(
        Op::Get,
        "response.json",
        Step::After(Box::pin(async move { clock.advance_ms(600) })),
    );
    let page = world.service.list(&named_last(String::new())).await.unwrap();
    assert_eq!(page.events.len(), 0);
    let page = world.service.list(&named_last(page.next_page_token)).await.unwrap();
    assert_eq!(page.events.len(), 1);
}
