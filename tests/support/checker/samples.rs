//! Small histories to judge: a server that is up for 60 s, and one event `a`, created at 0 and due after 10 s.

use hitl_proto::v1::EventState;

use crate::history::{
    Asked, Autopsy, Digest, Draft, History, Life, Listing, Op, Outcome, PROMPT, Record, Stamp, View,
};

/// All histories begin here; monotonic and wall clock go together.
pub(super) const EPOCH_MS: i64 = 1_700_000_000_000;
pub(super) const DEADLINE: i64 = 10_000;

pub(super) fn at(ms: i64) -> Stamp {
    Stamp { mono_us: u64::try_from(ms * 1_000).unwrap(), wall_ms: EPOCH_MS + ms }
}

pub(super) fn draft(name: &str) -> Draft {
    Draft { name: name.to_owned(), key: format!("key of {name}"), ttl_ms: DEADLINE, default: None }
}

pub(super) fn view(id: &str, end: Option<Digest>) -> View {
    let (create_ms, deadline_ms) = (EPOCH_MS, EPOCH_MS + DEADLINE);
    let asked = Asked { draft: draft(id), prompt: PROMPT.to_owned(), create_ms, deadline_ms };
    View { id: id.to_owned(), asked, end }
}

pub(super) fn end(state: EventState, ms: i64) -> Digest {
    Digest {
        state: state.as_str_name().to_owned(),
        value: None,
        reason: String::new(),
        time_ms: EPOCH_MS + ms,
        answer_id: String::new(),
    }
}

pub(super) fn answered(by: &str) -> Digest {
    Digest { value: Some(1), answer_id: by.to_owned(), ..end(EventState::Answered, 1_000) }
}

pub(super) fn timed_out() -> Digest {
    end(EventState::TimedOut, DEADLINE)
}

pub(super) fn answer(by: &str) -> Op {
    Op::Answer { answer_id: by.to_owned(), value: 1 }
}

pub(super) fn seen(end: Option<Digest>) -> Outcome {
    Outcome::Seen(view("a", end))
}

/// A call about the event `a`.
pub(super) fn record(op: Op, invoked: i64, returned: i64, outcome: Outcome) -> Record {
    let event = Some("a".to_owned());
    Record { client: 0, event, op, invoked: at(invoked), returned: at(returned), outcome }
}

/// A history of a server that is up for 60 s, in which the event `a` is created at 0.
pub(super) fn history(records: impl IntoIterator<Item = Record>) -> History {
    let mut all = vec![record(Op::Create(draft("a")), 0, 5, seen(None))];
    all.extend(records);
    let lives = vec![Life { ready: at(0), killed: at(60_000) }];
    History { records: all, lives, ..History::default() }
}

pub(super) fn autopsy(asked: &[&str], ended: &[&str]) -> Autopsy {
    let set = |ids: &[&str]| ids.iter().map(|id| (*id).to_owned()).collect();
    let life = Life { ready: at(0), killed: at(60_000) };
    Autopsy { life, asked: set(asked), ended: set(ended) }
}

pub(super) fn listing(events: Vec<View>) -> Listing {
    Listing { invoked: at(61_000), returned: at(61_100), events }
}
