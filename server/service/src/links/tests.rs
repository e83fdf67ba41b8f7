//! Two replicas over one store, with time held in hand.

use std::sync::Arc;

use futures::FutureExt;
use hitl_core::{Event, Namespace, Principal, Timestamp};
use hitl_store::clock::{Clock, ManualClock};
use hitl_store::random::SystemRandom;
use hitl_store::{Options, StoreUrl, open};
use hitl_testing::{answer, spec};
use tokio_util::sync::CancellationToken;

use super::*;
use crate::Background;

const NOW_MS: i64 = 1_795_348_837_250;

struct World {
    one: Service,
    other: Service,
    clock: ManualClock,
    _directory: tempfile::TempDir,
}

impl World {
    async fn new() -> Self {
        let clock = ManualClock::at(Timestamp::from_ms(NOW_MS).unwrap());
        let directory = tempfile::tempdir().unwrap();
        let [one, other] = [replica(&directory, &clock).await, replica(&directory, &clock).await];
        Self { one, other, clock, _directory: directory }
    }

    async fn ask(&self) -> Event {
        let session = self.one.session(Principal::Owner);
        session.create(Namespace::default(), spec(3_600_000)).await.unwrap().event
    }

    async fn link(&self, event: &Event, name: &str, ttl_ms: Option<i64>) -> StoredLink {
        let session = self.one.session(Principal::Owner);
        session.create_link(&event.request.key(), name.to_owned(), ttl_ms).await.unwrap()
    }

    async fn revoke(&self, event: &Event, responder: Option<&str>) {
        let session = self.one.session(Principal::Owner);
        session.revoke_links(&event.request.key(), responder).await.unwrap();
    }
}

async fn replica(directory: &tempfile::TempDir, clock: &ManualClock) -> Service {
    let url = StoreUrl::Files(directory.path().to_owned());
    let clock: Arc<dyn Clock> = Arc::new(clock.clone());
    let options = Options { disk_reserve: Some(0), clock: clock.clone(), ..Options::default() };
    let store = open(&url, options).await.unwrap();
    let (random, shutdown) = (Arc::new(SystemRandom), CancellationToken::new());
    Service::new(store, clock, random, 100, shutdown, Background::new(None))
}

async fn opens(service: &Service, link: Link) -> Option<String> {
    match service.link_holder(link).await {
        Ok(holder) => Some(holder.responder),
        Err(Error::LinkInvalid) => None,
        Err(error) => panic!("{error}"),
    }
}

fn own(event: &Event) -> Link {
    Link::Whole(LinkHolder { key: event.request.key(), responder: String::new() })
}

#[tokio::test]
async fn a_link_names_its_responder_at_every_replica_until_it_expires() {
    let world = World::new().await;
    let event = world.ask().await;
    let (short, long) =
        (world.link(&event, "Ann", Some(60_000)).await, world.link(&event, "Bob", None).await);
    assert_eq!(short.expire_time, short.create_time.plus_ms(60_000));
    assert_eq!(long.expire_time, event.request.deadline);
    for service in [&world.one, &world.other] {
        assert_eq!(opens(service, Link::Made(short.id)).await.as_deref(), Some("Ann"));
        assert_eq!(opens(service, Link::Made(long.id)).await.as_deref(), Some("Bob"));
        assert_eq!(opens(service, own(&event)).await.as_deref(), Some(""));
    }
    let unknown = LinkId::new(event.request.deadline, [9; 13]);
    assert_eq!(opens(&world.one, Link::Made(unknown)).await, None);
    world.clock.advance_ms(60_000);
    assert_eq!(opens(&world.other, Link::Made(short.id)).await, None);
    assert_eq!(opens(&world.other, Link::Made(long.id)).await.as_deref(), Some("Bob"));
}

#[tokio::test]
async fn a_link_shows_the_end_of_its_event_for_a_month_after_the_deadline() {
    let world = World::new().await;
    let event = world.ask().await;
    let link = world.link(&event, "Ann", None).await;
    let left_ms = event.request.deadline.ms_since(world.clock.now());
    world.clock.advance_ms(left_ms + link::VIEW_MS - 1);
    for link in [own(&event), Link::Made(link.id)] {
        assert!(opens(&world.other, link).await.is_some());
    }
    world.clock.advance_ms(1);
    for link in [own(&event), Link::Made(link.id)] {
        assert_eq!(opens(&world.other, link).await, None);
    }
}

#[tokio::test]
async fn what_was_revoked_at_one_replica_is_refused_by_another_at_once_and_no_other_link_is() {
    let world = World::new().await;
    let (event, bystander) = (world.ask().await, world.ask().await);
    let (ann, bob) = (world.link(&event, "Ann", None).await, world.link(&event, "Bob", None).await);
    let elsewhere = world.link(&bystander, "Ann", None).await;
    world.revoke(&event, Some("Ann")).await;
    assert_eq!(opens(&world.other, Link::Made(ann.id)).await, None);
    for link in [Link::Made(bob.id), own(&event), Link::Made(elsewhere.id), own(&bystander)] {
        assert!(opens(&world.other, link.clone()).await.is_some(), "{link:?}");
    }
    let again = world.link(&event, "Ann", None).await;
    assert_eq!(opens(&world.other, Link::Made(again.id)).await.as_deref(), Some("Ann"));
    world.revoke(&event, None).await;
    for link in [Link::Made(again.id), Link::Made(bob.id), own(&event)] {
        assert_eq!(opens(&world.other, link.clone()).await, None, "{link:?}");
    }
    for link in [Link::Made(elsewhere.id), own(&bystander)] {
        assert!(opens(&world.other, link.clone()).await.is_some(), "{link:?}");
    }
    let after = world.link(&event, "Bob", None).await;
    assert_eq!(opens(&world.other, Link::Made(after.id)).await.as_deref(), Some("Bob"));
    assert_eq!(opens(&world.other, own(&event)).await, None);
}

#[tokio::test]
async fn links_are_made_for_events_that_wait_and_by_those_who_may() {
    let world = World::new().await;
    let event = world.ask().await;
    let key = event.request.key();
    let session = world.one.session(Principal::Owner);
    for (name, ttl_ms) in [("", None), ("a\nb", None), ("Ann", Some(0))] {
        let refused = session.create_link(&key, name.to_owned(), ttl_ms).await.unwrap_err();
        assert!(matches!(refused, Error::InvalidRequest(_)), "{refused}");
    }
    let holder = world.one.link_holder(own(&event)).await.unwrap();
    let by_link = world.one.session(Principal::Link(holder));
    let refused = by_link.create_link(&key, "Ann".to_owned(), None).await.unwrap_err();
    assert!(matches!(refused, Error::LinkInvalid), "{refused}");
    assert!(matches!(by_link.revoke_links(&key, None).await, Err(Error::LinkInvalid)));
    session.end(&key, answer(1, "id")).await.unwrap();
    let refused = session.create_link(&key, "Ann".to_owned(), None).await.unwrap_err();
    assert!(matches!(refused, Error::AlreadyFinal { .. }), "{refused}");
    let nowhere = EventKey { namespace: "elsewhere".parse().unwrap(), ..key };
    assert!(matches!(session.revoke_links(&nowhere, None).await, Err(Error::NotFound(_))));
}

#[tokio::test]
async fn links_that_were_revoked_too_often_are_not_made_any_more() {
    let world = World::new().await;
    let event = world.ask().await;
    for _ in 0..=REVOCATIONS_MAX {
        world.revoke(&event, Some("Ann")).await;
    }
    let session = world.one.session(Principal::Owner);
    let refused = session.create_link(&event.request.key(), "Ann".to_owned(), None).await;
    assert!(matches!(refused, Err(Error::InvalidRequest(_))));
    world.link(&event, "Bob", None).await;
}

#[tokio::test]
async fn a_namespace_is_found_in_which_another_replica_has_created_an_event() {
    let world = World::new().await;
    let team: Namespace = "team-1".parse().unwrap();
    let hints = [namespace_hint(&team)];
    let is_it = |namespace: &Namespace| *namespace == team;
    assert_eq!(world.other.find_namespace(&hints, is_it).await.unwrap(), None);
    let session = world.one.session(Principal::Owner);
    session.create(team.clone(), spec(3_600_000)).await.unwrap();
    assert_eq!(world.one.find_namespace(&hints, is_it).await.unwrap(), Some(team.clone()));
    // The next listing is not before a second has passed since the last.
    let mut find = std::pin::pin!(world.other.find_namespace(&hints, is_it));
    assert!(find.as_mut().now_or_never().is_none());
    world.clock.advance_ms(namespaces::LISTING_MS);
    assert_eq!(find.await.unwrap(), Some(team.clone()));
}
