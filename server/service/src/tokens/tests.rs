//! Two replicas over one store in memory, with time held in hand.

use std::sync::Arc;

use hitl_core::{EventKey, Role, Timestamp};
use hitl_store::clock::{Clock, ManualClock};
use hitl_store::random::SystemRandom;
use hitl_store::{EventStore, Options, StoreUrl, open};
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

    async fn token(&self, asked: NewToken) -> Made {
        self.one.session(Principal::Owner).create_token(asked).await.unwrap()
    }

    async fn holder(&self, service: &Service, text: &TokenText) -> Option<Principal> {
        service.holder(text).await.unwrap()
    }
}

async fn replica(directory: &tempfile::TempDir, clock: &ManualClock) -> Service {
    let url = StoreUrl::Files(directory.path().to_owned());
    let options =
        Options { disk_reserve: Some(0), clock: Arc::new(clock.clone()), ..Options::default() };
    let store: EventStore = open(&url, options).await.unwrap();
    Service::new(
        store,
        Arc::new(clock.clone()),
        Arc::new(SystemRandom),
        100,
        CancellationToken::new(),
        Background::new(None),
    )
}

fn asked(roles: &[Role]) -> NewToken {
    NewToken { name: "ci".to_owned(), roles: roles.to_vec(), ..NewToken::default() }
}

fn wrong(text: &TokenText) -> TokenText {
    let mut secret = text.secret;
    secret[31] ^= 1;
    TokenText { id: text.id, secret }
}

#[tokio::test]
async fn a_token_is_good_on_every_replica_and_a_wrong_secret_or_an_unknown_id_is_not() {
    let world = World::new().await;
    let made = world.token(asked(&[Role::Requester])).await;
    for service in [&world.one, &world.other] {
        let Some(Principal::Known(known)) = world.holder(service, &made.text).await else {
            panic!("it is good");
        };
        assert_eq!((known.name.as_str(), known.id.clone()), ("ci", made.text.id.to_string()));
        assert_eq!(world.holder(service, &wrong(&made.text)).await, None);
        let unknown = TokenText { id: TokenId::from_bytes([9; 8]), secret: made.text.secret };
        assert_eq!(world.holder(service, &unknown).await, None);
    }
}

#[tokio::test]
async fn a_remembered_token_costs_no_read_and_a_revoked_one_is_refused_within_three_seconds() {
    let world = World::new().await;
    let made = world.token(asked(&[Role::Requester])).await;
    assert!(world.other.remembered_holder(&made.text).is_none(), "nobody has read it yet");
    world.holder(&world.other, &made.text).await.unwrap();
    let owner = world.one.session(Principal::Owner);
    world.holder(&world.one, &made.text).await.unwrap();
    let revoked = owner.revoke_token(made.text.id).await.unwrap();
    assert_eq!(world.holder(&world.one, &made.text).await, None, "at once where it was revoked");
    assert!(world.other.remembered_holder(&made.text).unwrap().is_some());
    world.clock.advance_ms(BELIEVED_MS);
    assert!(world.other.remembered_holder(&made.text).is_none(), "that was too long ago");
    assert_eq!(world.holder(&world.other, &made.text).await, None);
    world.clock.advance_ms(1_000);
    assert_eq!(owner.revoke_token(made.text.id).await.unwrap(), revoked, "once is for good");
}

#[tokio::test]
async fn a_token_expires_to_the_millisecond() {
    let world = World::new().await;
    let made = world.token(NewToken { ttl_ms: Some(60_000), ..asked(&[Role::Auditor]) }).await;
    world.clock.advance_ms(59_999);
    assert!(world.holder(&world.one, &made.text).await.is_some());
    world.clock.advance_ms(1);
    assert_eq!(world.one.remembered_holder(&made.text), Some(None));
    assert_eq!(world.holder(&world.other, &made.text).await, None);
}

#[tokio::test]
async fn a_rotated_token_is_good_for_the_overlap_and_its_successor_is_the_same_principal() {
    let world = World::new().await;
    let owner = world.one.session(Principal::Owner);
    let old = world.token(asked(&[Role::Requester, Role::Responder])).await;
    let key = {
        let holder = world.holder(&world.one, &old.text).await.unwrap();
        let session = world.one.session(holder);
        let created = session.create(Namespace::default(), spec(600_000)).await.unwrap();
        created.event.request.key()
    };
    let new = owner.rotate_token(old.text.id, 10_000, None).await.unwrap();
    let again = owner.rotate_token(old.text.id, 0, None).await.unwrap_err();
    assert!(matches!(again, Error::TokenNotFound(_)), "{again}");
    let answers = async |text: &TokenText| {
        let holder = world.holder(&world.one, text).await.unwrap();
        world.one.session(holder).end(&key, answer(1, "a")).await
    };
    assert!(matches!(answers(&old.text).await, Err(Error::SelfAnswer)));
    assert!(matches!(answers(&new.text).await, Err(Error::SelfAnswer)), "of the same principal");
    world.clock.advance_ms(10_000);
    assert_eq!(world.holder(&world.one, &old.text).await, None);
    let somebody = world.token(asked(&[Role::Responder])).await;
    let event = answers(&somebody.text).await.unwrap();
    let proof = event.response.as_ref().unwrap().responder.as_ref().unwrap().proof.clone();
    assert_eq!(proof.unwrap().id, somebody.text.id.to_string());
    let page = owner.list_tokens(None, 2).await.unwrap();
    let rest = owner.list_tokens(page.next_after, 2).await.unwrap();
    assert_eq!((page.tokens.len(), rest.tokens.len(), rest.next_after), (2, 1, None));
    let listed = page.tokens.iter().chain(&rest.tokens).find(|it| it.token.id == old.text.id);
    assert_eq!(listed.unwrap().rotated.as_ref().unwrap().successor, new.text.id);
}

#[tokio::test]
async fn nobody_but_an_admin_of_everything_makes_lists_or_ends_tokens() {
    let world = World::new().await;
    let namespaced = world.token(asked(&Role::ALL)).await;
    let everywhere = NewToken { namespaces: vec!["*".to_owned()], ..asked(&[Role::Admin]) };
    let admin = world.token(everywhere).await;
    let known = world.holder(&world.one, &namespaced.text).await.unwrap();
    let id: EventKey =
        EventKey { namespace: Namespace::default(), id: hitl_core::EventId::from_bytes([1; 16]) };
    let link = Principal::Link(hitl_core::LinkHolder { key: id, responder: String::new() });
    for principal in [Principal::Anyone, known, link] {
        let session = world.one.session(principal.clone());
        let refused = [
            session.create_token(asked(&[Role::Auditor])).await.unwrap_err(),
            session.list_tokens(None, 10).await.unwrap_err(),
            session.revoke_token(admin.text.id).await.unwrap_err(),
            session.rotate_token(TokenId::from_bytes([9; 8]), 0, None).await.unwrap_err(),
        ];
        for error in refused {
            let denied = matches!(error, Error::PermissionDenied(_) | Error::LinkInvalid);
            assert!(denied, "{principal:?}: {error}");
        }
    }
    let admin = world.holder(&world.other, &admin.text).await.unwrap();
    let session = world.other.session(admin);
    session.create_token(asked(&[Role::Auditor])).await.unwrap();
    session.revoke_token(namespaced.text.id).await.unwrap();
}

#[tokio::test]
async fn what_is_wrong_with_a_new_token_is_named() {
    let world = World::new().await;
    let session = world.one.session(Principal::Owner);
    let good = asked(&[Role::Auditor]);
    let named = |names: &[&str]| names.iter().map(|&name| name.to_owned()).collect::<Vec<_>>();
    let cases = [
        (NewToken { name: " ".into(), ..good.clone() }, "name"),
        (NewToken { name: "a\nb".into(), ..good.clone() }, "name"),
        (asked(&[]), "roles"),
        (NewToken { namespaces: named(&["*", "a"]), ..good.clone() }, "namespaces"),
        (NewToken { namespaces: named(&["A"]), ..good.clone() }, "namespaces"),
        (NewToken { ttl_ms: Some(59_999), ..good }, "ttl"),
    ];
    for (asked, field) in cases {
        let error = session.create_token(asked).await.unwrap_err();
        let fields: Vec<_> = error.violations().iter().map(|v| v.field.as_str()).collect();
        assert_eq!(fields, [field], "{error}");
    }
}

#[tokio::test]
async fn streams_end_when_their_token_does_and_no_other_does() {
    let world = World::new().await;
    let (one, two) =
        (world.token(asked(&[Role::Auditor])).await, world.token(asked(&[Role::Auditor])).await);
    let standing = async |made: &Made| {
        let holder = world.holder(&world.other, &made.text).await.unwrap();
        world.other.standing(&holder)
    };
    let (first, second, gone) = (standing(&one).await, standing(&two).await, standing(&one).await);
    drop(gone);
    let running = tokio::spawn({
        let service = world.other.clone();
        async move { service.watch_tokens().await }
    });
    world.one.session(Principal::Owner).revoke_token(one.text.id).await.unwrap();
    let ended = tokio::spawn(async move { first.ended().await });
    while !ended.is_finished() {
        world.clock.advance_ms(REFRESHED_MS);
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    let others = tokio::time::timeout(Duration::from_millis(50), second.ended()).await;
    assert!(others.is_err(), "the token of this one is good");
    running.abort();
    assert!(world.clock.now().ms_since(Timestamp::from_ms(NOW_MS).unwrap()) > 0);
}

#[tokio::test]
async fn a_stream_ends_when_its_credential_says_that_it_does() {
    let world = World::new().await;
    let until = |ms| Some(Timestamp::from_ms(NOW_MS).unwrap().plus_ms(ms));
    let standing = |until| {
        world.one.standing(&Principal::Known(Arc::new(Known {
            kind: KnownKind::Program,
            id: "issuer#ci".to_owned(),
            name: "ci".to_owned(),
            rights: Rights::default(),
            groups: Vec::new(),
            until,
        })))
    };
    let mut soon = Box::pin(async { standing(until(5_000)).ended().await });
    let mut later = Box::pin(async { standing(until(6_000)).ended().await });
    let mut never = Box::pin(async { standing(None).ended().await });
    assert!(futures::poll!(&mut soon).is_pending());
    assert!(futures::poll!(&mut later).is_pending() && futures::poll!(&mut never).is_pending());
    world.clock.advance_ms(5_000);
    soon.await;
    assert!(futures::poll!(&mut later).is_pending() && futures::poll!(&mut never).is_pending());
}
