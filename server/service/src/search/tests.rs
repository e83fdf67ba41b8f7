//! That an index finds what a list finds, and what it does where it cannot.

use hitl_core::{EventKey, Namespaces, Risk, Spec, Timestamp};
use hitl_store::clock::ManualClock;
use hitl_store::random::SystemRandom;
use hitl_store::{Options, StoreUrl, open};
use hitl_testing::{answer, spec};
use tokio_util::sync::CancellationToken;

use super::index::Index;
use super::*;
use crate::Background;
use crate::filter::Facets;
use crate::quotas::Payer;

const NOW_MS: i64 = 1_795_348_837_250;

struct World {
    service: Service,
    clock: ManualClock,
    _shutdown: tokio_util::sync::DropGuard,
}

impl World {
    async fn new() -> Self {
        let options = Options { disk_reserve: Some(0), ..Options::default() };
        let store = open(&StoreUrl::Memory, options).await.unwrap();
        let clock = ManualClock::at(Timestamp::from_ms(NOW_MS).unwrap());
        let shutdown = CancellationToken::new();
        let service = Service::new(
            store,
            Arc::new(clock.clone()),
            Arc::new(SystemRandom),
            100,
            shutdown.clone(),
            Background::new(None),
        );
        let runs = service.clone();
        tokio::spawn(async move { runs.run().await });
        Self { service, clock, _shutdown: shutdown.drop_guard() }
    }

    async fn ask(&self, prompt: &str, risk: Risk, after_ms: i64) -> EventKey {
        let spec = Spec { prompt: prompt.to_owned(), risk, ..spec(after_ms) };
        let namespace = hitl_core::Namespace::default();
        let created = self.service.create(Payer::default(), namespace, spec).await.unwrap();
        self.clock.advance_ms(1);
        created.event.request.key()
    }

    /// Searches once, so that an index is made, and waits until it is.
    async fn indexed(&self) {
        self.search("", Sort::Deadline, 1, "").await;
        while !self.service.0.search.is_ready() {
            tokio::task::yield_now().await;
        }
    }

    async fn search(&self, text: &str, sort: Sort, page_size: usize, token: &str) -> Hits {
        self.find(Facets::default(), text, sort, page_size, token).await
    }

    async fn find(
        &self,
        facets: Facets,
        text: &str,
        sort: Sort,
        page_size: usize,
        token: &str,
    ) -> Hits {
        let filter = Filter {
            namespaces: Namespaces::All,
            text: text.split_whitespace().map(str::to_owned).collect(),
            facets,
            ..Filter::all_of(hitl_core::Namespace::default())
        };
        let query = SearchQuery { filter, sort, page_size, page_token: token.to_owned() };
        self.service.search(&query).await.unwrap()
    }
}

fn keys(hits: &Hits) -> Vec<EventKey> {
    hits.page.events.iter().map(|event| event.request.key()).collect()
}

#[tokio::test]
async fn an_index_finds_what_the_store_has_and_says_when_there_is_none() {
    let world = World::new().await;
    let first = world.ask("Deploy the API?", Risk::Low, 50_000).await;
    let second = world.ask(&format!("{} deploy", "long ".repeat(2_000)), Risk::High, 60_000).await;
    world.ask("Refund it?", Risk::Medium, 40_000).await;
    let by_list = world.search("deploy", Sort::Deadline, 10, "").await;
    assert!(by_list.is_partial && by_list.total.is_none());
    world.indexed().await;
    let by_index = world.search("deploy", Sort::Deadline, 10, "").await;
    assert!(!by_index.is_partial);
    assert_eq!(keys(&by_index), [first.clone(), second.clone()]);
    assert_eq!(keys(&by_list), keys(&by_index));
    // What happens here is found at once.
    let third = world.ask("Deploy more?", Risk::Low, 70_000).await;
    world.service.end(&first, answer(1, "a")).await.unwrap();
    assert_eq!(keys(&world.search("deploy", Sort::Deadline, 10, "").await), [second, third]);
    let ended = Facets { has_ended: true, ..Facets::default() };
    assert_eq!(keys(&world.find(ended, "api", Sort::Deadline, 10, "").await), [first]);
}

#[tokio::test]
async fn pages_follow_each_other_in_every_order() {
    let world = World::new().await;
    let risks = [Risk::Low, Risk::High, Risk::Medium, Risk::High, Risk::Low];
    let mut asked = Vec::new();
    for (at, risk) in risks.into_iter().enumerate() {
        asked.push(world.ask("Which?", risk, 90_000 - i64::try_from(at).unwrap() * 1_000).await);
    }
    world.indexed().await;
    let by_risk = [3, 1, 2, 4, 0];
    for (sort, order) in
        [(Sort::Age, [0, 1, 2, 3, 4]), (Sort::Deadline, [4, 3, 2, 1, 0]), (Sort::Risk, by_risk)]
    {
        let (mut found, mut token) = (Vec::new(), String::new());
        loop {
            let hits = world.search("which", sort, 2, &token).await;
            found.extend(keys(&hits));
            token = hits.page.next_page_token;
            if token.is_empty() {
                break;
            }
        }
        let expected: Vec<_> = order.iter().map(|at| asked[*at].clone()).collect();
        assert_eq!(found, expected, "{sort:?}");
    }
}

#[tokio::test]
async fn facets_leave_out_what_they_say() {
    let world = World::new().await;
    let high = world.ask("One?", Risk::High, 3_000_000).await;
    let soon = world.ask("Two?", Risk::Low, 60_000).await;
    for is_indexed in [false, true] {
        if is_indexed {
            world.indexed().await;
        }
        let of = |facets| world.find(facets, "", Sort::Deadline, 10, "");
        let risky = Facets { risk: Some(Risk::High), ..Facets::default() };
        assert_eq!(keys(&of(risky).await), std::slice::from_ref(&high));
        let before = Timestamp::from_ms(NOW_MS + 1_000_000);
        assert_eq!(
            keys(&of(Facets { due_before: before, ..Facets::default() }).await),
            std::slice::from_ref(&soon)
        );
        let numbers = Facets { kinds: vec!["float"], ..Facets::default() };
        assert_eq!(keys(&of(numbers).await), []);
    }
}

#[tokio::test]
async fn a_history_is_searched_between_two_instants_with_and_without_an_index() {
    let world = World::new().await;
    let mut ended = Vec::new();
    for _ in 0..4 {
        let key = world.ask("Past?", Risk::Low, 3_600_000_000).await;
        world.service.end(&key, answer(1, "a")).await.unwrap();
        ended.insert(0, key);
        world.clock.advance_ms(600_000);
    }
    let between = Facets {
        has_ended: true,
        ended_from: Timestamp::from_ms(NOW_MS + 500_000),
        ended_before: Timestamp::from_ms(NOW_MS + 1_500_000),
        ..Facets::default()
    };
    let all = Facets { has_ended: true, ..Facets::default() };
    for is_indexed in [false, true] {
        if is_indexed {
            world.indexed().await;
        }
        let of = |facets| world.find(facets, "", Sort::Deadline, 10, "");
        assert_eq!(keys(&of(between.clone()).await), ended[1..3]);
        assert_eq!(keys(&of(all.clone()).await), ended);
        let first = world.find(all.clone(), "", Sort::Deadline, 3, "").await;
        let token = first.page.next_page_token;
        assert_eq!(keys(&world.find(all.clone(), "", Sort::Deadline, 3, &token).await), ended[3..]);
    }
}

#[tokio::test]
async fn an_index_that_ends_goes_on_in_the_store() {
    let world = World::new().await;
    let mut ended = Vec::new();
    for _ in 0..4 {
        let key = world.ask("Past?", Risk::Low, 3_600_000_000).await;
        world.service.end(&key, answer(1, "a")).await.unwrap();
        ended.insert(0, key);
        world.clock.advance_ms(600_000);
    }
    world.indexed().await;
    while world.service.0.search.horizon().is_some() {
        tokio::task::yield_now().await;
    }
    world.service.0.search.begin_history_at(Timestamp::from_ms(NOW_MS + 1_000_000).unwrap());
    let all = || Facets { has_ended: true, ..Facets::default() };
    assert_eq!(keys(&world.find(all(), "past", Sort::Deadline, 10, "").await), ended);
    let first = world.find(all(), "past", Sort::Deadline, 2, "").await;
    assert_eq!(keys(&first), ended[..2]);
    let next = world.find(all(), "past", Sort::Deadline, 2, &first.page.next_page_token).await;
    assert_eq!(keys(&next), ended[2..]);
}

#[test]
fn what_is_forgotten_gives_its_room_back() {
    let mut index = Index::default();
    assert_eq!(index.sizes(), (0, 0, 0));
    let now = Timestamp::from_ms(NOW_MS).unwrap();
    let id = hitl_core::EventId::from_bytes([7; 16]);
    let request =
        hitl_core::create(spec(60_000), hitl_core::Namespace::default(), id, now).unwrap();
    let event = hitl_core::Event { request: Arc::new(request), response: None };
    assert!(index.put(&event) && index.put(&event));
    let entry = Entry { time: event.request.deadline, key: event.request.key() };
    assert_eq!((index.sizes().0, index.sizes().1), (1, 0));
    index.forget(Part::Pending, &entry);
    assert_eq!(index.sizes(), (0, 0, 0));
}
