//! The audit over a store in memory, with time held in hand.

use std::sync::Arc;

use hitl_core::{
    AuditFilter, AuditKind, CredentialKind, Known, KnownKind, Namespace, Namespaces, Principal,
    Rights, Role, Timestamp,
};
use hitl_store::clock::{Clock, ManualClock};
use hitl_store::random::SystemRandom;
use hitl_store::{Options, StoreUrl, open};
use tokio_util::sync::CancellationToken;

use super::*;
use crate::{Background, Error, NewToken};

struct World {
    service: Service,
    clock: ManualClock,
    shutdown: CancellationToken,
}

impl World {
    async fn new() -> Self {
        let clock = ManualClock::at(Timestamp::from_ms(1_795_348_837_250).unwrap());
        let options = Options { clock: Arc::new(clock.clone()), ..Options::default() };
        let store = open(&StoreUrl::Memory, options).await.unwrap();
        let (shutdown, background) = (CancellationToken::new(), Background::new(None));
        let (time, random) = (Arc::new(clock.clone()), Arc::new(SystemRandom));
        let service = Service::new(store, time, random, 10, shutdown.clone(), background);
        Self { service, clock, shutdown }
    }

    /// All entries that `query` asks for, page by page.
    async fn list(&self, query: AuditQuery) -> Vec<AuditEntry> {
        let session = self.service.session(Principal::Owner);
        let (mut query, mut all) = (query, Vec::new());
        loop {
            let page = session.list_audit(&query).await.unwrap();
            assert!(page.entries.len() <= query.page_size.max(1));
            all.extend(page.entries);
            if page.next_page_token.is_empty() {
                return all;
            }
            query.page_token = page.next_page_token;
        }
    }

    async fn all(&self) -> Vec<AuditEntry> {
        self.list(AuditQuery { page_size: 100, ..AuditQuery::default() }).await
    }
}

fn holder(role: Role, namespaces: Namespaces) -> Principal {
    Principal::Known(Arc::new(Known {
        kind: KnownKind::Person,
        id: "issuer#ann".to_owned(),
        name: "Ann".to_owned(),
        rights: Rights::of([role].into_iter().collect(), namespaces),
        groups: Vec::new(),
        until: None,
    }))
}

fn team() -> Namespace {
    "team".parse().unwrap()
}

fn in_team() -> Namespaces {
    Namespaces::Only([team()].into())
}

#[tokio::test]
async fn what_becomes_of_a_token_is_written_before_its_maker_is_told() {
    let world = World::new().await;
    let owner = world.service.session(Principal::Owner).from_address("192.0.2.1".parse().ok());
    let asked = NewToken { name: "ci".to_owned(), roles: vec![Role::Admin], ..NewToken::default() };
    let made = owner.create_token(asked).await.unwrap();
    let next = owner.rotate_token(made.text.id, 0, None).await.unwrap();
    owner.revoke_token(next.text.id).await.unwrap();
    owner.revoke_token(next.text.id).await.unwrap();
    // Nothing runs in the background, so it was written by the calls.
    let mut all = world.all().await;
    all.sort_by_key(|entry| entry.kind.name());
    let kinds = [AuditKind::TokenCreated, AuditKind::TokenRevoked, AuditKind::TokenRotated];
    assert_eq!(all.iter().map(|entry| entry.kind).collect::<Vec<_>>(), kinds);
    for entry in &all {
        assert_eq!((entry.who.known_by, &*entry.address), (CredentialKind::Owner, "192.0.2.1"));
    }
    let ids = [made.text.id, next.text.id, next.text.id].map(|id| id.to_string());
    assert_eq!(all.iter().map(|entry| entry.subject.clone()).collect::<Vec<_>>(), ids);
    assert_eq!(all[0].detail, "admin in default: ci");
    assert!(all[2].detail.contains(&made.text.id.to_string()), "{}", all[2].detail);
    let written = format!("{all:?}");
    for secret in [made.text.reveal(), next.text.reveal()] {
        assert!(!written.contains(&secret[secret.len() - 20..]), "{written}");
    }
}

#[tokio::test]
async fn refusals_are_written_within_a_second_and_at_the_latest_when_the_server_ends() {
    let world = World::new().await;
    let running = tokio::spawn({
        let service = world.service.clone();
        async move { service.write_audit().await }
    });
    let ann = world
        .service
        .session(holder(Role::Notifier, in_team()))
        .from_address("192.0.2.1".parse().ok());
    let refused = || ann.may(Action::Create(&Namespace::default())).unwrap_err();
    assert!(matches!(refused(), Error::PermissionDenied(_)));
    while world.all().await.is_empty() {
        world.clock.advance_ms(100);
        tokio::task::yield_now().await;
    }
    let [entry] = &*world.all().await else { panic!("one refusal is one entry") };
    assert_eq!((entry.kind, &*entry.action), (AuditKind::Refusal, "create"));
    assert_eq!((&*entry.who.id, entry.count), ("issuer#ann", 1));
    assert_eq!(entry.namespace, Some(Namespace::default()));
    world.clock.advance_ms(1);
    for _ in 0..1_000 {
        refused();
    }
    world.shutdown.cancel();
    running.await.unwrap();
    world.service.finish().await;
    let all = world.all().await;
    let counts: Vec<_> = all.iter().map(|entry| entry.count).collect();
    assert_eq!(counts, [1_000, 1]);
}

#[tokio::test]
async fn pages_have_every_entry_once_and_the_latest_first() {
    let world = World::new().await;
    for n in 0..25 {
        let what = Audited::refusal("look", "why").about(n.to_string());
        world.service.audit_refusal(Actor::unknown(format!("192.0.2.{n}")), what);
        if n % 7 == 6 {
            // Some objects have several entries, and some are of other hours.
            world.service.finish_audit().await;
            world.clock.advance_ms(1_800_000);
        }
    }
    world.service.finish_audit().await;
    let expected: Vec<_> = (0..25).rev().map(|n| n.to_string()).collect();
    for page_size in [1, 3, 25, 100] {
        let listed = world.list(AuditQuery { page_size, ..AuditQuery::default() }).await;
        let subjects: Vec<_> = listed.into_iter().map(|entry| entry.subject).collect();
        assert_eq!(subjects, expected, "{page_size} a page");
    }
    let since = world.clock.now().plus_ms(-1_800_000);
    let filter = AuditFilter { since: Some(since), ..AuditFilter::default() };
    let latest = world.list(AuditQuery { filter, page_size: 2, ..AuditQuery::default() }).await;
    assert_eq!(latest.iter().map(|entry| &*entry.subject).collect::<Vec<_>>(), expected[..11]);
    let session = world.service.session(Principal::Owner);
    let wrong = AuditQuery { page_token: "x".to_owned(), ..AuditQuery::default() };
    assert!(matches!(session.list_audit(&wrong).await, Err(Error::InvalidRequest(_))));
}

#[tokio::test]
async fn an_auditor_of_a_namespace_reads_what_is_about_it_and_nothing_else() {
    let world = World::new().await;
    let actor = || Actor::unknown("::1");
    world.service.audit(actor(), Audited::new(AuditKind::SignIn)).await;
    world.service.audit(actor(), Audited::refused(Action::List(&team()), "role")).await;
    let query = |namespaces| AuditQuery {
        filter: AuditFilter { namespaces, ..AuditFilter::default() },
        page_size: 10,
        page_token: String::new(),
    };
    let of_team = world.service.session(holder(Role::Auditor, in_team()));
    assert_eq!(of_team.audited(), in_team());
    assert_eq!(of_team.list_audit(&query(in_team())).await.unwrap().entries.len(), 1);
    let refused = of_team.list_audit(&query(Namespaces::All)).await;
    assert!(matches!(refused, Err(Error::PermissionDenied(_))));
    assert!(matches!(
        of_team.follow_audit(AuditFilter::default()),
        Err(Error::PermissionDenied(_))
    ));
    let of_all = world.service.session(holder(Role::Auditor, Namespaces::All));
    assert_eq!(of_all.list_audit(&query(Namespaces::All)).await.unwrap().entries.len(), 2);
    let responder = world.service.session(holder(Role::Responder, Namespaces::All));
    assert!(matches!(
        responder.list_audit(&query(in_team())).await,
        Err(Error::PermissionDenied(_))
    ));
}

#[tokio::test]
async fn whoever_follows_is_told_once_of_each_entry_from_then_on() {
    let world = World::new().await;
    let note = async |subject: &str| {
        let what = Audited::new(AuditKind::SignIn).about(subject);
        world.service.audit(Actor::unknown("::1"), what).await;
    };
    note("before").await;
    world.clock.advance_ms(1);
    let session = world.service.session(Principal::Owner);
    let mut follow = session.follow_audit(AuditFilter::default()).unwrap();
    assert!(follow.next().await.unwrap().is_empty(), "a sign that it has begun");
    let subjects = |entries: Vec<AuditEntry>| -> Vec<String> {
        entries.into_iter().map(|entry| entry.subject).collect()
    };
    note("one").await;
    world.clock.advance_ms(1_000);
    assert_eq!(subjects(follow.next().await.unwrap()), ["one"]);
    note("two").await;
    // Into the next hour.
    world.clock.advance_ms(3_599_000);
    note("three").await;
    world.clock.advance_ms(1_000);
    assert_eq!(subjects(follow.next().await.unwrap()), ["two", "three"]);
    let others: Vec<_> =
        (1..FOLLOWERS_MAX).map(|_| session.follow_audit(AuditFilter::default()).unwrap()).collect();
    let more = session.follow_audit(AuditFilter::default());
    assert!(matches!(more, Err(Error::TooManyWaiters)));
    drop(others);
    world.shutdown.cancel();
    assert!(matches!(follow.next().await, Err(Error::ShuttingDown)));
}
