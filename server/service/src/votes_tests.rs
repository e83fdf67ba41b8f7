//! Votes over a store in memory: by how many processes, and wherever one of them dies.

use std::sync::Arc;

use futures::FutureExt;
use hitl_core::{
    Answer, Assignee, Channel, Command, Identity, Known, KnownKind, LinkHolder, Namespaces,
    Outcome, Principal, Quorum, Responder, Rights, Role, Spec, State, Value,
};
use hitl_store::clock::Clock;
use hitl_store::jobs::Done;
use hitl_testing::spec;

use super::*;
use crate::jobs::{expire, settle as settle_job};
use crate::replicas_tests::World;
use crate::{Owner, Session};

const SECOND_MS: i64 = 1_000;

fn asked(required: u32, people: &[&str]) -> Spec {
    Spec {
        assignees: people.iter().map(|name| Assignee::Person((*name).to_owned())).collect(),
        quorum: Some(Quorum { required, decline_ends: true }),
        ..spec(60 * SECOND_MS)
    }
}

/// Somebody who has signed in, with all that it takes to ask and answer.
fn person(name: &str, groups: &[&str], roles: &[Role]) -> Principal {
    Principal::Known(Arc::new(Known {
        kind: KnownKind::Person,
        id: format!("id-{name}"),
        name: name.to_owned(),
        rights: Rights::of(roles.iter().copied().collect(), Namespaces::All),
        groups: groups.iter().map(|group| (*group).to_owned()).collect(),
        until: None,
    }))
}

fn session(service: &Service, name: &str) -> Session {
    service.session(person(name, &[], &[Role::Responder]))
}

fn says(number: i64, answer_id: &str) -> Command {
    let responder = Responder::claimed(String::new(), Channel::Grpc, String::new());
    let answer_id = Some(answer_id.to_owned()).filter(|id| !id.is_empty());
    Command::Answer {
        answer: Answer::Value(Value::Int(number)),
        comment: String::new(),
        identity: Identity { responder, answer_id },
    }
}

async fn create(service: &Service, spec: Spec) -> EventKey {
    let asks = service.session(person("program", &[], &[Role::Requester]));
    asks.create("default".parse().unwrap(), spec).await.unwrap().event.request.key()
}

fn voters(event: &Event) -> Vec<String> {
    let votes = &event.response.as_ref().unwrap().votes;
    votes.iter().map(|vote| vote.responder.proof.as_ref().unwrap().name.clone()).collect()
}

/// Votes as a process that dies between its vote and the look at all of them.
async fn vote_and_die(service: &Service, key: &EventKey, name: &str, number: i64) {
    let read_at = service.0.store.read_at();
    let event = service.read(key).await.unwrap();
    let responder = Responder::claimed(String::new(), Channel::Grpc, String::new());
    let responder = session(service, name).proved(responder);
    let ballot = hitl_core::Ballot::Answer { value: Value::Int(number), comment: String::new() };
    let vote = Vote { ballot, time: service.clock().now(), responder, answer_id: None };
    assert!(matches!(service.vote(&event, read_at, vote).await.unwrap(), Voted::Ours(_)));
}

#[tokio::test]
async fn two_replicas_that_vote_at_once_come_to_one_end_that_names_both() {
    for _ in 0..50 {
        let world = World::new();
        let (one, other) = (world.idle(), world.idle());
        let key = create(&one, asked(2, &["ada", "bob"])).await;
        let (ada, bob) = (session(&one, "ada"), session(&other, "bob"));
        let (first, second) =
            tokio::join!(ada.end(&key, says(7, "a")), bob.end(&key, says(7, "b")));
        let states = [first.unwrap().state(), second.unwrap().state()];
        assert!(states.contains(&State::Answered), "{states:?}");
        let [one, other] = [one.get(&key).await.unwrap(), other.get(&key).await.unwrap()];
        assert_eq!(one, other);
        let mut voters = voters(&one);
        voters.sort();
        assert_eq!(voters, ["ada", "bob"]);
    }
}

#[tokio::test]
async fn a_process_that_dies_after_the_last_vote_is_made_up_for_by_its_job() {
    let world = World::new();
    let (one, other) = (world.idle(), world.idle());
    let key = create(&one, asked(2, &[])).await;
    session(&one, "ada").end(&key, says(7, "")).await.unwrap();
    world.clock.advance_ms(SECOND_MS);
    let voted = world.clock.now();
    vote_and_die(&one, &key, "bob", 7).await;
    assert_eq!(other.get(&key).await.unwrap().state(), State::Pending);
    world.clock.advance_ms(SETTLE_MS);
    let job = settle(key.clone(), voted.plus_ms(SETTLE_MS));
    assert!(other.0.store.deliberation(&key).await.unwrap().votes.len() == 2);
    assert_eq!(settle_job::run(other.clone(), job.clone()).await.unwrap(), Done::Settled);
    let event = one.get(&key).await.unwrap();
    let response = event.response.as_ref().unwrap();
    assert_eq!(response.outcome, Outcome::Answered { value: Value::Int(7) });
    assert_eq!(response.time, voted, "it ended when the last of them voted");
    assert_eq!(settle_job::run(one.clone(), job).await.unwrap(), Done::Settled);
}

#[tokio::test]
async fn another_replica_does_that_within_five_seconds() {
    let world = World::new();
    let dies = world.idle();
    let _lives = world.running();
    let key = create(&dies, asked(1, &[])).await;
    // At every place between two looks of the other replica at the jobs.
    vote_and_die(&dies, &key, "ada", 7).await;
    let idle = world.idle();
    let wait_for_end = async {
        loop {
            if idle.read(&key).await.unwrap().response.is_some() {
                return;
            }
            tokio::task::yield_now().await;
        }
    };
    let ((), took_ms) = world.pass(5 * SECOND_MS, wait_for_end).await;
    assert!(took_ms <= 5 * SECOND_MS, "{took_ms} ms");
}

#[tokio::test]
async fn the_last_vote_and_the_deadline_have_one_winner() {
    let world = World::new();
    let (one, other) = (world.idle(), world.idle());
    let key = create(&one, asked(2, &[])).await;
    session(&one, "ada").end(&key, says(7, "")).await.unwrap();
    vote_and_die(&one, &key, "bob", 7).await;
    let deadline = one.read(&key).await.unwrap().request.deadline;
    world.clock.advance_ms(60 * SECOND_MS);
    let expiry = hitl_store::jobs::Job::expire(deadline, key.clone());
    expire::run(other.clone(), expiry).await.unwrap();
    let event = one.get(&key).await.unwrap();
    assert_eq!(
        (event.state(), voters(&event)),
        (State::Answered, vec!["ada".into(), "bob".into()])
    );

    let late = create(&one, asked(2, &[])).await;
    session(&one, "ada").end(&late, says(7, "")).await.unwrap();
    world.clock.advance_ms(60 * SECOND_MS);
    let refused = session(&one, "bob").end(&late, says(7, "")).await;
    assert!(
        matches!(refused, Err(Error::AlreadyFinal { state: State::TimedOut, .. })),
        "{refused:?}"
    );
    assert_eq!(voters(&one.get(&late).await.unwrap()), ["ada"]);
}

#[tokio::test]
async fn one_person_votes_once_by_whatever_door_and_replica() {
    let world = World::new();
    let (one, other) = (world.idle(), world.idle());
    let key = create(&one, asked(2, &[])).await;
    session(&one, "ada").end(&key, says(7, "a")).await.unwrap();
    let link = |name: &str| {
        other.session(Principal::Link(LinkHolder { key: key.clone(), responder: name.to_owned() }))
    };
    for again in
        [session(&other, "ada").end(&key, says(7, "b")), link("Ada").end(&key, says(7, "b"))]
    {
        let again = again.await;
        assert!(matches!(again, Err(Error::AlreadyVoted { .. })), "{again:?}");
    }
    let repeated = session(&other, "ada").end(&key, says(7, "a")).await.unwrap();
    assert_eq!(repeated.state(), State::Pending);
    let nobody = link("").end(&key, says(7, "b")).await;
    assert!(matches!(nobody, Err(Error::NobodyInParticular(_))), "{nobody:?}");
    assert_eq!(link("bob").end(&key, says(7, "b")).await.unwrap().state(), State::Answered);
}

#[tokio::test]
async fn an_event_is_answered_by_those_it_is_for_or_to_whom_it_was_handed_over() {
    let world = World::new();
    let service = world.idle();
    let for_sre = Spec { assignees: vec![Assignee::Group("sre".into())], ..spec(60 * SECOND_MS) };
    let key = create(&service, for_sre).await;
    let who =
        |name: &str, groups: &[&str], roles: &[Role]| service.session(person(name, groups, roles));
    let said = || Responder::claimed(String::new(), Channel::Grpc, String::new());
    let ada = who("ada", &["sre"], &[Role::Responder]);
    let eve = who("eve", &[], &[Role::Responder]);
    let admin = who("root", &[], &[Role::Admin]);
    for refused in [eve.end(&key, says(7, "")).await, admin.end(&key, says(7, "")).await] {
        assert!(matches!(refused, Err(Error::NotAssigned(_))), "{refused:?}");
    }
    let refused = eve.claim(&key, said(), None).await;
    assert!(matches!(refused, Err(Error::NotAssigned(_))), "{refused:?}");
    ada.claim(&key, said(), None).await.unwrap();
    let bob = who("bob", &["sre"], &[Role::Responder]);
    let taken = bob.claim(&key, said(), None).await;
    assert!(matches!(taken, Err(Error::Claimed { .. })), "{taken:?}");
    ada.release(&key, said()).await.unwrap();
    world.clock.advance_ms(1);
    bob.claim(&key, said(), None).await.unwrap();
    world.clock.advance_ms(1);
    ada.delegate(&key, said(), Assignee::Person("eve".into())).await.unwrap();
    let gone = ada.end(&key, says(7, "")).await;
    assert!(matches!(gone, Err(Error::NotAssigned(_))), "{gone:?}");
    assert_eq!(eve.end(&key, says(7, "")).await.unwrap().state(), State::Answered);
    let ended = eve.comment(&key, said(), "why?".into(), false).await;
    assert!(matches!(ended, Err(Error::AlreadyFinal { .. })), "{ended:?}");
}

#[tokio::test]
async fn what_is_said_reaches_those_who_wait_and_watch_here_and_elsewhere() {
    for is_elsewhere in [false, true] {
        let world = World::new();
        let here = world.running();
        let there = if is_elsewhere { world.idle() } else { here.clone() };
        let key = create(&here, spec(60 * SECOND_MS)).await;
        let (_, wait) = here.wait(&key, Owner::default()).await.unwrap();
        let filter = crate::Filter::all_of("default".parse().unwrap());
        let interval = std::time::Duration::from_secs(300);
        let mut watch = here.watch(filter, "", interval, Owner::default()).unwrap();
        assert!(matches!(watch.next().await.unwrap(), crate::Watched::Bookmark(_)));
        assert_eq!(wait.updates(), 0);
        world.elapse(1_100).await;
        let said = Responder::claimed("Ann".to_owned(), Channel::Grpc, String::new());
        let asks = there.session(Principal::Anyone);
        asks.comment(&key, said, "Which region?".into(), true).await.unwrap();
        let (seen, _) = world.pass(2_500, wait.updated(0)).await;
        assert_eq!(seen, 1);
        let next = async {
            loop {
                if let crate::Watched::Change(change) = watch.next().await.unwrap()
                    && change.kind == crate::ChangeKind::Updated
                {
                    return change.event.request.key();
                }
            }
        };
        let (told, _) = world.pass(2_500, next).await;
        assert_eq!(told, key);
        world.elapse(3_000).await;
        assert!(wait.updated(1).now_or_never().is_none(), "it is told once");
    }
}

#[tokio::test]
async fn an_event_without_a_quorum_writes_and_lists_no_more_than_before() {
    let world = World::new();
    let one = world.idle();
    let key = create(&one, spec(60 * SECOND_MS)).await;
    session(&one, "ada").end(&key, says(7, "")).await.unwrap();
    one.0.tasks.close();
    one.0.tasks.wait().await;
    let kept = world.keys().await;
    let about = kept
        .iter()
        .filter(|key| key.contains("votes") || key.contains("updated") || key.contains("jobs"));
    assert_eq!(about.count(), 0, "{kept:?}");
}
