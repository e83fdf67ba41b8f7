//! What the first page of a search takes with a hundred thousand pending events in an embedded store, by the store
//! alone and by an index. `cargo run --release -p hitl-service --example search [EVENTS]`

use std::sync::Arc;
use std::time::Instant;

use futures::StreamExt;
use hitl_core::{Namespace, Namespaces, Principal, Risk, Spec};
use hitl_service::{Background, Filter, SearchQuery, Service, Session, Sort};
use hitl_store::clock::SystemClock;
use hitl_store::random::SystemRandom;
use hitl_store::{Options, StoreUrl, open};
use hitl_testing::spec;
use tokio_util::sync::CancellationToken;

const EVENTS_DEFAULT: usize = 100_000;
const AT_A_TIME: usize = 256;
const TRIES: usize = 20;
const PAGE_SIZE: usize = 100;

#[tokio::main]
async fn main() {
    let events =
        std::env::args().nth(1).and_then(|text| text.parse().ok()).unwrap_or(EVENTS_DEFAULT);
    let directory = tempfile::tempdir().expect("there is room for a directory");
    let url = StoreUrl::Embedded(directory.path().join("store"));
    let store = open(&url, Options { disk_reserve: Some(0), ..Options::default() });
    let store = store.await.expect("the store opens");
    let shutdown = CancellationToken::new();
    let (clock, random) = (Arc::new(SystemClock), Arc::new(SystemRandom));
    let service = Service::new(store, clock, random, 100, shutdown.clone(), Background::new(None));
    let runs = tokio::spawn({
        let service = service.clone();
        async move { service.run().await }
    });
    let session = service.session(Principal::Anyone);
    let creates = (0..events).map(|number| {
        let session = session.clone();
        async move { session.create(Namespace::default(), question(number)).await.map(drop) }
    });
    let made: Vec<_> = futures::stream::iter(creates).buffer_unordered(AT_A_TIME).collect().await;
    assert!(made.iter().all(Result::is_ok), "every event is created");
    println!("{events} pending events");
    measure(&session, "the store", "order 77", Sort::Deadline, 1).await;
    let begun = Instant::now();
    while search(&session, "order 77", Sort::Deadline).await.1 {
        tokio::task::yield_now().await;
    }
    println!("the index was there after {:.0} ms", begun.elapsed().as_secs_f64() * 1e3);
    for (text, sort) in [
        ("order 77", Sort::Deadline),
        ("refund damaged", Sort::Deadline),
        ("nothing-of-this-kind", Sort::Deadline),
        ("refund", Sort::Risk),
        ("", Sort::Age),
    ] {
        measure(&session, "the index", text, sort, TRIES).await;
    }
    shutdown.cancel();
    runs.await.expect("the service ends");
    service.finish().await;
}

fn question(number: usize) -> Spec {
    let names = ["damaged in transit", "never arrived", "wrong size", "changed their mind"];
    let why = names[number % names.len()];
    Spec {
        name: "refund".to_owned(),
        title: format!("Refund order {number}?"),
        prompt: format!("The customer says: {why}. {}", "It was paid by card. ".repeat(8)),
        risk: if number.is_multiple_of(100) { Risk::High } else { Risk::Low },
        labels: [("team".to_owned(), format!("t{}", number % 50))].into(),
        ..spec(3_600_000 + i64::try_from(number).unwrap_or_default())
    }
}

/// How many were found, and whether it was by the store alone.
async fn search(session: &Session, text: &str, sort: Sort) -> (usize, bool) {
    let filter = Filter {
        namespaces: Namespaces::All,
        text: text.split_whitespace().map(str::to_owned).collect(),
        ..Filter::all_of(Namespace::default())
    };
    let query = SearchQuery { filter, sort, page_size: PAGE_SIZE, page_token: String::new() };
    let hits = session.search(&query).await.expect("the search is allowed");
    (hits.page.events.len(), hits.is_partial)
}

async fn measure(session: &Session, by: &str, text: &str, sort: Sort, tries: usize) {
    let mut took_ms = Vec::new();
    let mut found = 0;
    for _ in 0..tries {
        let begun = Instant::now();
        found = search(session, text, sort).await.0;
        took_ms.push(begun.elapsed().as_secs_f64() * 1e3);
    }
    took_ms.sort_by(f64::total_cmp);
    let median = took_ms[took_ms.len() / 2];
    let worst = took_ms[took_ms.len() - 1];
    println!(
        "{by}, {text:?} by {sort:?}: {found} on the first page, median {median:.1} ms, worst {worst:.1} ms"
    );
}
