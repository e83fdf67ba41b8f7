//! The same votes come to the same end in any order, one person never counts twice, and one thing ends an event.

use std::sync::Arc;

use proptest::prelude::*;

use super::*;
use crate::assignees::Assignee;
use crate::create::{Expiration, Spec, create};
use crate::decide::{Answer, Command, Decision, Identity, decide};
use crate::event::{Channel, OnTimeout, PromptFormat, State};
use crate::evidence::Risk;
use crate::id::{EventId, Namespace};
use crate::input::{Input, IntInput};
use crate::limits;
use crate::principal::{CredentialKind, Proof};
use crate::rejection::Rejection;
use crate::thread::{Act, Standing, ThreadEntry, check_act};

const DEADLINE_MS: i64 = 2_000;
const NAMES: [&str; 5] = ["ada", "bob", "cid", "dan", "eve"];

fn at(ms: i64) -> Timestamp {
    Timestamp::from_ms(ms).unwrap()
}

fn asked(assignees: &[&str], required: u32, decline_ends: bool) -> Event {
    let spec = Spec {
        name: "n".into(),
        title: String::new(),
        prompt: "p".into(),
        prompt_format: PromptFormat::Text,
        evidence: Vec::new(),
        risk: Risk::Low,
        require_confirmation: false,
        input: Input::Int(IntInput { min: Some(0), max: Some(9) }),
        scope: "run".into(),
        labels: [].into(),
        expiration: Expiration::Deadline(at(DEADLINE_MS)),
        on_timeout: OnTimeout::Fail,
        idempotency_key: None,
        allow_self_answer: false,
        assignees: assignees.iter().map(|name| Assignee::Person((*name).into())).collect(),
        quorum: Some(Quorum { required, decline_ends }),
        created_by: None,
        on_end: None,
        alarms: crate::reminder::Alarms::default(),
    };
    let id = EventId::from_bytes([7; 16]);
    let request = create(spec, Namespace::default(), id, at(1_000)).unwrap();
    Event { request: Arc::new(request), response: None }
}

/// `name`, by one of three doors: signed in, by a link, and with a token.
fn by(name: &str, door: u8) -> Responder {
    let (known_by, id) = match door % 3 {
        0 => (CredentialKind::Person, name),
        1 => (CredentialKind::Link, ""),
        _ => (CredentialKind::Token, name),
    };
    let proof = Some(Proof { known_by, id: id.into(), name: name.into() });
    Responder { proof, ..Responder::claimed(String::new(), Channel::Grpc, String::new()) }
}

fn says(name: &str, door: u8, value: Option<i64>, answer_id: Option<&str>) -> Command {
    let answer_id = answer_id.map(str::to_owned);
    let identity = Identity { responder: by(name, door), answer_id };
    match value {
        Some(number) => Command::Answer {
            answer: Answer::Value(Value::Int(number)),
            comment: String::new(),
            identity,
        },
        None => Command::Decline { reason: format!("{name} said no"), identity },
    }
}

/// What is there of one event, as the service and the store keep it.
#[derive(Clone, Debug)]
struct World {
    event: Event,
    deliberation: Deliberation,
}

impl World {
    fn new(event: Event) -> Self {
        Self { event, deliberation: Deliberation::default() }
    }

    fn decide(&self, command: &Command, ms: i64) -> Result<Decision, Rejection> {
        decide(&self.event, &self.deliberation, command, &Standing::default(), at(ms))
    }

    /// Applies `command`. If the process dies after a vote, nothing looks what all votes come to.
    fn apply(&mut self, command: &Command, ms: i64, dies: bool) -> Result<(), Rejection> {
        loop {
            match self.decide(command, ms)? {
                Decision::End(end) => {
                    self.event.response = Some(Arc::new(end));
                    return Ok(());
                }
                Decision::EndFirst(end) => self.event.response = Some(Arc::new(end)),
                Decision::Repeat => return Ok(()),
                Decision::Vote(vote) => {
                    self.deliberation.votes.push(vote);
                    if !dies {
                        self.settle();
                    }
                    return Ok(());
                }
            }
        }
    }

    fn settle(&mut self) {
        if self.event.response.is_none() {
            self.event.response = tally(&self.event, &self.deliberation).map(Arc::new);
        }
    }

    fn hand_over(&mut self, from: &str, to: &str, ms: i64) -> Result<(), Rejection> {
        let act = Act::Delegate { to: Assignee::Person(to.into()), hands_over: true };
        let Self { event, deliberation } = self;
        let by = by(from, 0);
        check_act(&event.request, deliberation, &by, &act, &Standing::default(), at(ms))?;
        let entry = ThreadEntry { time: at(ms), by, act };
        deliberation.thread =
            deliberation.thread.entries().iter().cloned().chain([entry]).collect();
        Ok(())
    }
}

fn ended(world: &World) -> (State, Vec<&str>) {
    let response = world.event.response.as_ref().unwrap();
    let names =
        response.votes.iter().map(|vote| vote.responder.proof.as_ref().unwrap().name.as_str());
    (response.outcome.state(), names.collect())
}

#[test]
fn so_many_people_with_the_same_value_end_it_and_the_end_names_them_all() {
    let mut world = World::new(asked(&[], 2, true));
    for (n, (name, value)) in [("ada", 1), ("bob", 2)].into_iter().enumerate() {
        world.apply(&says(name, 0, Some(value), None), 1_100 + n as i64, false).unwrap();
        assert_eq!(world.event.state(), State::Pending);
    }
    world.apply(&says("cid", 0, Some(1), None), 1_200, false).unwrap();
    assert_eq!(ended(&world), (State::Answered, vec!["ada", "bob", "cid"]));
    let response = world.event.response.as_ref().unwrap();
    assert_eq!(response.outcome, Outcome::Answered { value: Value::Int(1) });
    assert_eq!((response.time, response.responder.clone()), (at(1_200), Some(by("cid", 0))));
}

#[test]
fn a_decline_ends_it_unless_it_was_asked_otherwise() {
    let mut world = World::new(asked(&NAMES[..3], 2, true));
    world.apply(&says("ada", 0, None, None), 1_100, false).unwrap();
    assert_eq!(ended(&world), (State::Declined, vec!["ada"]));

    let mut world = World::new(asked(&NAMES[..3], 2, false));
    world.apply(&says("ada", 0, None, None), 1_100, false).unwrap();
    assert_eq!(world.event.state(), State::Pending);
    world.apply(&says("bob", 0, None, None), 1_200, false).unwrap();
    assert_eq!(ended(&world), (State::Declined, vec!["ada", "bob"]));
    let outcome = &world.event.response.as_ref().unwrap().outcome;
    assert_eq!(*outcome, Outcome::Declined { reason: "bob said no".into() });

    let mut unknown = World::new(asked(&[], 2, false));
    for name in NAMES {
        unknown.apply(&says(name, 0, None, None), 1_100, false).unwrap();
    }
    assert_eq!(unknown.event.state(), State::Pending, "others may come until the deadline");
    unknown.apply(&Command::Expire, DEADLINE_MS, false).unwrap();
    assert_eq!(ended(&unknown), (State::TimedOut, NAMES.to_vec()));
}

#[test]
fn it_ends_as_declined_when_people_disagree_for_good() {
    let mut world = World::new(asked(&NAMES[..3], 2, true));
    for (n, name) in NAMES[..3].iter().enumerate() {
        assert_eq!(world.event.state(), State::Pending);
        world.apply(&says(name, 0, Some(n as i64), None), 1_100, false).unwrap();
    }
    assert_eq!(world.event.state(), State::Declined);
}

#[test]
fn a_person_votes_once_by_any_door_and_may_repeat_the_same_call() {
    let mut world = World::new(asked(&[], 2, true));
    world.apply(&says("ada", 0, Some(1), Some("a")), 1_100, false).unwrap();
    for door in 0..3 {
        let again = world.apply(&says("ada", door, Some(1), None), 1_200, false);
        assert_eq!(again, Err(Rejection::AlreadyVoted { time: at(1_100) }));
    }
    assert_eq!(world.decide(&says("ada", 0, Some(1), Some("a")), 1_300), Ok(Decision::Repeat));
    assert!(world.decide(&says("ada", 0, Some(2), Some("a")), 1_300).is_err());
    world.apply(&says("bob", 0, Some(1), Some("b")), 1_400, false).unwrap();
    for (name, id) in [("ada", "a"), ("bob", "b")] {
        assert_eq!(world.decide(&says(name, 0, Some(1), Some(id)), 1_500), Ok(Decision::Repeat));
        assert!(world.decide(&says(name, 0, Some(2), Some(id)), 1_500).is_err());
    }
}

#[test]
fn it_is_answered_by_those_it_is_for_and_by_nobody_in_particular() {
    let world = World::new(asked(&NAMES[..2], 1, true));
    let refused = world.decide(&says("eve", 0, Some(1), None), 1_100);
    assert_eq!(refused, Err(Rejection::NotAssigned));
    let nobody = says("", 1, Some(1), None);
    assert_eq!(world.decide(&nobody, 1_100), Err(Rejection::NobodyInParticular));
    let open = World::new(asked(&[], 2, true));
    assert_eq!(open.decide(&nobody, 1_100), Err(Rejection::NobodyInParticular));
    for door in 0..3 {
        let vote = world.decide(&says("ada", door, Some(1), None), 1_100);
        assert!(matches!(vote, Ok(Decision::Vote(_))), "{vote:?}");
    }
}

#[test]
fn whoever_hands_it_over_has_no_vote_any_more_and_the_other_has() {
    let mut world = World::new(asked(&NAMES[..2], 2, true));
    assert_eq!(world.hand_over("eve", "dan", 1_050), Err(Rejection::NotAssigned));
    assert!(matches!(world.hand_over("ada", "bob", 1_050), Err(Rejection::InvalidRequest(_))));
    world.hand_over("ada", "eve", 1_100).unwrap();
    let refused = world.apply(&says("ada", 0, Some(1), None), 1_200, false);
    assert_eq!(refused, Err(Rejection::NotAssigned));
    world.apply(&says("eve", 0, Some(1), None), 1_200, false).unwrap();
    world.apply(&says("bob", 0, Some(1), None), 1_300, false).unwrap();
    assert_eq!(ended(&world), (State::Answered, vec!["eve", "bob"]));
}

#[test]
fn what_was_voted_before_the_deadline_counts_even_if_nobody_has_looked_yet() {
    for late in [Command::Expire, says("cid", 0, Some(5), None)] {
        let mut world = World::new(asked(&[], 2, true));
        world.apply(&says("ada", 0, Some(1), None), 1_100, true).unwrap();
        world.apply(&says("bob", 0, Some(1), None), 1_999, true).unwrap();
        let _ = world.apply(&late, DEADLINE_MS + 5_000, false);
        assert_eq!(ended(&world), (State::Answered, vec!["ada", "bob"]));
        assert_eq!(world.event.response.as_ref().unwrap().time, at(1_999));
    }
}

#[test]
fn a_vote_is_bounded() {
    let mut world = World::new(asked(&[], 20, false));
    for n in 0..limits::VOTES_MAX {
        world.apply(&says(&n.to_string(), 0, None, None), 1_100, false).unwrap();
    }
    let full = world.apply(&says("more", 0, None, None), 1_100, false);
    assert_eq!(full, Err(Rejection::VotesFull));
}

#[derive(Clone, Debug)]
enum Step {
    Says { name: usize, door: u8, value: Option<i64>, dies: bool },
    HandsOver { from: usize, to: usize },
    Settles,
    Expires,
    Cancels,
}

fn steps() -> impl Strategy<Value = Vec<(Step, i64)>> {
    let says = (0..NAMES.len(), 0..3_u8, prop::option::of(0..3_i64), any::<bool>());
    let step = prop_oneof![
        6 => says.prop_map(|(name, door, value, dies)| Step::Says { name, door, value, dies }),
        2 => (0..NAMES.len(), 0..NAMES.len()).prop_map(|(from, to)| Step::HandsOver { from, to }),
        1 => Just(Step::Settles),
        1 => Just(Step::Expires),
        1 => Just(Step::Cancels),
    ];
    prop::collection::vec((step, 1_000_i64..2_400), 1..25)
}

fn any_asked() -> impl Strategy<Value = Event> {
    (0..NAMES.len(), 1..4_u32, any::<bool>()).prop_map(|(people, required, decline_ends)| {
        let required = if people == 0 { required } else { required.min(people as u32) };
        asked(&NAMES[..people], required, decline_ends)
    })
}

proptest! {
    /// Whatever people do in whatever order, and whenever a process dies between a vote and the look at all of them.
    #[test]
    fn one_end_and_one_vote_a_person(event in any_asked(), steps in steps()) {
        let required = event.request.quorum.unwrap().required as usize;
        let mut world = World::new(event);
        let cancel = Command::Cancel { reason: String::new(), responder: by("program", 2) };
        for (step, ms) in steps {
            let before = world.event.response.clone();
            match step {
                Step::Says { name, door, value, dies } => {
                    let _ = world.apply(&says(NAMES[name], door, value, None), ms, dies);
                }
                Step::HandsOver { from, to } if before.is_none() => {
                    let _ = world.hand_over(NAMES[from], NAMES[to], ms);
                }
                Step::HandsOver { .. } => {}
                Step::Settles => world.settle(),
                Step::Expires => drop(world.apply(&Command::Expire, ms, false)),
                Step::Cancels => drop(world.apply(&cancel, ms, false)),
            }
            if before.is_some() {
                prop_assert_eq!(&world.event.response, &before);
            }
        }
        let _ = world.apply(&Command::Expire, 9_000, false);
        let response = world.event.response.unwrap();
        let mut names: Vec<_> =
            response.votes.iter().map(|vote| vote.responder.proof.as_ref().unwrap().name.clone()).collect();
        names.sort();
        let all = names.len();
        names.dedup();
        prop_assert_eq!(names.len(), all);
        let given = |wanted: &Value| response.votes.iter().filter(|vote| {
            matches!(&vote.ballot, Ballot::Answer { value, .. } if value == wanted)
        }).count();
        match &response.outcome {
            Outcome::Answered { value } => prop_assert!(given(value) >= required),
            _ => prop_assert!((0..3).all(|value| given(&Value::Int(value)) < required)),
        }
    }

    /// Two replicas that have the same votes, in whatever order their listings have them, come to the same end.
    #[test]
    fn the_order_in_which_votes_are_met_does_not_matter(
        event in any_asked(),
        votes in prop::collection::vec((0..NAMES.len(), 0..3_u8, prop::option::of(0..3_i64), 1_000..2_000_i64), 0..12),
        seed in any::<u64>(),
    ) {
        let cast = |(name, door, value, ms): (usize, u8, Option<i64>, i64)| Vote {
            ballot: match value {
                Some(number) => Ballot::Answer { value: Value::Int(number), comment: String::new() },
                None => Ballot::Decline { reason: String::new() },
            },
            time: at(ms),
            responder: by(NAMES[name], door),
            answer_id: None,
        };
        // One record for each person and door, as keys in a store are.
        let mut all: Vec<Vote> = Vec::new();
        for vote in votes.into_iter().map(cast) {
            let key = |vote: &Vote| Person::of(&vote.responder).unwrap().key().to_owned();
            if !all.iter().any(|other| key(other) == key(&vote)) {
                all.push(vote);
            }
        }
        let mut shuffled = all.clone();
        for n in 1..shuffled.len() {
            shuffled.swap(n, (seed >> (n % 60)) as usize % (n + 1));
        }
        let end = |votes| tally(&event, &Deliberation { votes, thread: Thread::default() });
        prop_assert_eq!(end(all), end(shuffled));
    }
}
