//! Each fault as its victim sees it, and what it leaves behind.

use std::future::Future;
use std::time::Instant;

use futures::{StreamExt, TryStreamExt};
use object_store::{Error, ObjectStore, ObjectStoreExt, PutMode};

use super::tests::{BOTH, Fixture, create};
use super::*;

const LIMIT: std::time::Duration = std::time::Duration::from_secs(20);

/// What is left of a create that meets `fault`, and what its caller was told.
async fn create_with(fault: Fault) -> (Fixture, Result<(), Error>) {
    let fixture = Fixture::new(Dialect::S3);
    // Longer than a client waits for a reply that never comes.
    fixture.server.faults().set_delay_ms(3_000..3_001);
    fixture.server.faults().script(Op::Put, "k", fault, 1);
    let told = create(&fixture.client, "a/k", "x").await.map(drop);
    assert_eq!(fixture.server.faults().fired().get(&fault), Some(&1));
    (fixture, told)
}

async fn until<F: Future<Output = bool>>(mut holds: impl FnMut() -> F) {
    let begun = Instant::now();
    while !holds().await {
        assert!(begun.elapsed() < LIMIT, "it does not come to hold");
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    }
}

async fn keys(client: &Arc<dyn ObjectStore>) -> Result<Vec<String>, Error> {
    let keys = client.list(None).map_ok(|meta| meta.location.to_string());
    keys.try_collect().await
}

#[tokio::test]
async fn what_fails_before_leaves_nothing() {
    for (fault, status) in [
        (Fault::ErrorBefore, "500"),
        (Fault::SlowDown, "503"),
        (Fault::TooManyRequests, "429"),
        (Fault::PermissionRevoked, "403"),
        (Fault::Conflict, "409"),
    ] {
        let (Fixture { server, client, .. }, told) = create_with(fault).await;
        let told = told.unwrap_err();
        assert!(told.to_string().contains(status), "{fault:?}: {told}");
        assert_eq!(matches!(told, Error::AlreadyExists { .. }), fault == Fault::Conflict);
        assert_eq!(server.keys(""), [""; 0], "{fault:?}");
        create(&client, "a/k", "x").await.unwrap();
    }
}

#[tokio::test]
async fn what_fails_after_is_there() {
    for fault in [
        Fault::CommitThenError,
        Fault::CommitThenHang,
        Fault::CommitThenClose,
        Fault::CommitThenReset,
        Fault::OwnPrecondition,
    ] {
        let (Fixture { server, .. }, told) = create_with(fault).await;
        let told = told.unwrap_err();
        let exists = matches!(told, Error::AlreadyExists { .. });
        assert_eq!(exists, fault == Fault::OwnPrecondition, "{fault:?}: {told}");
        assert_eq!(server.object("a/k").unwrap(), "x", "{fault:?}");
    }
}

#[tokio::test]
async fn a_late_write_comes_after_it_was_read_to_be_absent() {
    let (Fixture { server, client, .. }, told) = create_with(Fault::LateLanding).await;
    told.unwrap_err();
    let absent = client.get(&"a/k".into()).await;
    assert!(matches!(absent, Err(Error::NotFound { .. })), "{absent:?}");
    until(async || server.held_back() == 0).await;
    assert_eq!(server.object("a/k").unwrap(), "x");
    // And it loses to whoever came in between.
    server.faults().script(Op::Put, "l", Fault::LateLanding, 1);
    create(&client, "l", "late").await.unwrap_err();
    create(&client, "l", "soon").await.unwrap();
    until(async || server.held_back() == 0).await;
    assert_eq!(server.object("l").unwrap(), "soon");
}

#[tokio::test]
async fn a_duplicate_is_judged_again() {
    let (Fixture { server, client, .. }, told) = create_with(Fault::Duplicate).await;
    told.unwrap();
    let first = lock(&server.shared.objects).get("a/k").unwrap().generation;
    until(async || server.held_back() == 0).await;
    assert_eq!(lock(&server.shared.objects).get("a/k").unwrap().generation, first);

    server.faults().script(Op::Put, "m", Fault::Duplicate, 1);
    create(&client, "m", "x").await.unwrap();
    client.delete(&"m".into()).await.unwrap();
    until(async || server.held_back() == 0).await;
    assert_eq!(server.object("m").unwrap(), "x");
}

#[tokio::test]
async fn lists_are_stale_short_or_in_no_order() {
    for dialect in BOTH {
        let Fixture { server, client, .. } = Fixture::new(dialect);
        server.faults().set_delay_ms(4_000..4_001);
        for n in 0..20 {
            client.put(&format!("k{n:02}").into(), "x".into()).await.unwrap();
        }
        server.faults().script(Op::List, "", Fault::StaleList, 1);
        assert_eq!(keys(&client).await.unwrap(), [""; 0]);
        let all = server.keys("");
        assert_eq!(keys(&client).await.unwrap(), all);

        server.reset_requests();
        server.faults().script(Op::List, "", Fault::ShortPage, 2);
        assert_eq!(keys(&client).await.unwrap(), all);
        assert_eq!(server.requests().lists, 3);

        server.faults().script(Op::List, "", Fault::UnorderedList, 1);
        let mut unordered = keys(&client).await.unwrap();
        assert_ne!(unordered, all);
        unordered.sort();
        assert_eq!(unordered, all);
    }
}

#[tokio::test]
async fn lists_do_not_end_lack_keys_or_end_too_early() {
    for dialect in BOTH {
        let Fixture { server, client, .. } = Fixture::new(dialect);
        for n in 0..10 {
            client.put(&format!("k{n}").into(), "x".into()).await.unwrap();
        }
        server.faults().script(Op::List, "", Fault::RepeatedToken, u32::MAX);
        let listed = client.list(None).take(50).try_collect::<Vec<_>>().await.unwrap();
        assert_eq!(listed.len(), 50);
        assert!(server.requests().lists >= 5);
        server.faults().calm();

        server.faults().script(Op::List, "", Fault::SkippedKeys, 1);
        assert_eq!(keys(&client).await.unwrap(), ["k1", "k3", "k5", "k7", "k9"]);
        // A client that asks for no more than it is told of does not notice.
        server.faults().script(Op::List, "", Fault::MissingToken, 1);
        assert_eq!(keys(&client).await.unwrap(), ["k0"]);
        assert_eq!(keys(&client).await.unwrap().len(), 10);
    }
}

#[tokio::test]
async fn a_body_ends_too_soon() {
    let Fixture { server, client, .. } = Fixture::new(Dialect::S3);
    client.put(&"k".into(), "0123456789".into()).await.unwrap();
    server.faults().script(Op::Get, "k", Fault::TruncatedBody, 1);
    let got = client.get(&"k".into()).await.unwrap();
    assert_eq!(got.meta.size, 10);
    got.bytes().await.unwrap_err();
    server.faults().script(Op::List, "", Fault::TruncatedBody, 1);
    keys(&client).await.unwrap_err();
}

#[tokio::test]
async fn faults_at_random_are_the_same_for_the_same_seed_and_end() {
    let run = async |seed| {
        let Fixture { server, client, .. } = Fixture::new(Dialect::S3);
        server.faults().random(seed, [(Fault::ErrorBefore, 0.2), (Fault::SlowDown, 0.1)]);
        let mut told = Vec::new();
        for n in 0..100 {
            told.push(client.put(&n.to_string().into(), "x".into()).await.is_ok());
        }
        server.faults().calm();
        client.put(&"k".into(), "x".into()).await.unwrap();
        let failed = told.iter().filter(|ok| !**ok).count() as u64;
        assert_eq!(server.faults().fired().values().sum::<u64>(), failed);
        told
    };
    let first = run(1).await;
    assert!(first.contains(&true) && first.contains(&false));
    assert_eq!(first, run(1).await);
    assert_ne!(first, run(2).await);
}

#[tokio::test]
async fn a_door_is_shut_in_two_ways_while_another_stays_open() {
    let Fixture { server, door, client } = Fixture::new(Dialect::S3);
    let other = tests::client(&server, &server.door().unwrap());
    for way in [Way::Refusing, Way::Hanging] {
        client.put(&"k".into(), "x".into()).await.unwrap();
        door.shut(way).await.unwrap();
        let begun = Instant::now();
        client.put(&"k".into(), "y".into()).await.unwrap_err();
        let hung = begun.elapsed() > std::time::Duration::from_millis(1_500);
        assert_eq!(hung, way == Way::Hanging);
        other.put_opts(&"k".into(), "z".into(), PutMode::Overwrite.into()).await.unwrap();
        door.open().await.unwrap();
        assert_eq!(client.get(&"k".into()).await.unwrap().bytes().await.unwrap(), "z");
    }
}
