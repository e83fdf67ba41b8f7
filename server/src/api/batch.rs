//! Batches: many calls in one, each with the rules and the result of a call of its own.
//!
//! The entries of a batch run at the same time, so that the store makes them durable together. At most 512 entries of
//! all batches run at a time, and the others wait for their turn, so that batches take no place of single calls.

use futures::StreamExt;
use futures::stream::FuturesUnordered;
use hitl_core::Command;
use hitl_proto::v1;
use prost::Message;

use super::{Api, Caller, Problem, from_proto, to_proto};
use crate::admission::REPLY_FACTOR;
use hitl_service::Error;
use hitl_service::quotas::Payer;
use v1::answer_event_result::Result as Answered;
use v1::create_event_result::Result as Creation;

/// Most entries of a batch.
const ENTRIES_MAX: usize = 1_000;
/// Most bytes of a reply, so that clients with the usual limit of 4 MiB can read it.
const REPLY_BYTES_MAX: usize = 3 * 1024 * 1024;
/// By how much an event in a reply is longer than its request: id, times, links.
const EVENT_BYTES: usize = 1024;
/// By how much a response in a reply is longer than the answer.
const RESPONSE_BYTES: usize = 512;
/// Entries of one batch that are worked on at a time.
const AT_A_TIME: usize = 128;

/// The room in the reply of one batch.
struct Reply {
    free: usize,
}

impl Api {
    /// `EventService.BatchCreateEvents`.
    ///
    /// # Errors
    /// As documented at the RPC.
    pub async fn batch_create_events(
        &self,
        batch: v1::BatchCreateEventsRequest,
        caller: &Caller,
    ) -> Result<v1::BatchCreateEventsResponse, Error> {
        let create = |request| async { Ok(Creation::Created(self.create(request, caller).await?)) };
        let results = self
            .batch(batch.requests, caller.payer(), EVENT_BYTES, create, Creation::Failure)
            .await?;
        let wrap = |result| v1::CreateEventResult { result: Some(result) };
        Ok(v1::BatchCreateEventsResponse { results: results.into_iter().map(wrap).collect() })
    }

    /// `EventService.BatchAnswerEvents`.
    ///
    /// # Errors
    /// As documented at the RPC.
    pub async fn batch_answer_events(
        &self,
        batch: v1::BatchAnswerEventsRequest,
        caller: &Caller,
    ) -> Result<v1::BatchAnswerEventsResponse, Error> {
        let answer =
            |request| async { Ok(Answered::Response(self.answer(request, caller).await?)) };
        let results = self
            .batch(batch.requests, caller.payer(), RESPONSE_BYTES, answer, Answered::Failure)
            .await?;
        let wrap = |result| v1::AnswerEventResult { result: Some(result) };
        Ok(v1::BatchAnswerEventsResponse { results: results.into_iter().map(wrap).collect() })
    }

    async fn answer(
        &self,
        request: v1::AnswerEventRequest,
        caller: &Caller,
    ) -> Result<v1::Response, Error> {
        let key = from_proto::key(&request.namespace, &request.event_id)?;
        self.count_in(caller, &key.namespace)?;
        let answer = from_proto::answer(request.answer)?;
        let identity = caller.identity(request.responder, request.answer_id);
        let event = self
            .session(caller)
            .end(&key, Command::Answer { answer, comment: request.comment, identity })
            .await?;
        // A vote that does not end the event yet.
        let pending = v1::Response { state: v1::EventState::Pending.into(), ..Default::default() };
        Ok(to_proto::summary(&event, None).response.unwrap_or(pending))
    }

    /// What becomes of each of `requests` of `payer`, whose results have `more` bytes than they, in their order.
    async fn batch<Q: Message, R: EncodedLen, F: Future<Output = Result<R, Error>>>(
        &self,
        requests: Vec<Q>,
        payer: Payer,
        more: usize,
        call: impl Fn(Q) -> F,
        failure: impl Fn(v1::Failure) -> R,
    ) -> Result<Vec<R>, Error> {
        let count = requests.len();
        if !(1..=ENTRIES_MAX).contains(&count) {
            let message = format!("must have 1 to {ENTRIES_MAX} entries, has {count}");
            return Err(Error::invalid("requests", message));
        }
        let _call = self.admission.call(payer)?;
        let expected: usize = requests.iter().map(|request| request.encoded_len() + more).sum();
        let _reply = self.admission.lease(None, expected.min(REPLY_BYTES_MAX) * REPLY_FACTOR)?;
        let mut reply = Reply { free: REPLY_BYTES_MAX };
        let mut results: Vec<Option<R>> = requests.iter().map(|_| None).collect();
        let mut waiting = requests.into_iter().enumerate();
        let mut working = FuturesUnordered::new();
        loop {
            while working.len() < AT_A_TIME
                && let Some((at, request)) = waiting.next()
            {
                let room = request.encoded_len() + more;
                if reply.reserve(room) {
                    let entry = self.entry(payer, call(request));
                    working.push(async move { (at, room, entry.await) });
                } else {
                    results[at] = Some(failure(reply_is_full()));
                }
            }
            let Some((at, room, result)) = working.next().await else { break };
            let result = result.unwrap_or_else(|error| failure(Problem::from(&error).into()));
            let fits = reply.settle(room, result.bytes());
            results[at] = Some(if fits { result } else { failure(reply_is_full()) });
        }
        Ok(results.into_iter().flatten().collect())
    }

    async fn entry<R>(
        &self,
        payer: Payer,
        work: impl Future<Output = Result<R, Error>>,
    ) -> Result<R, Error> {
        self.admission.count(payer)?;
        let _turn = self.admission.entry(payer).await?;
        work.await
    }
}

impl Reply {
    /// Keeps `bytes` for a result before the work for it begins, since a result that does not fit cannot be told. One
    /// always fits, so that whoever sends the rest again comes to an end.
    fn reserve(&mut self, bytes: usize) -> bool {
        let fits = bytes <= self.free || self.free == REPLY_BYTES_MAX;
        if fits {
            self.free = self.free.saturating_sub(bytes);
        }
        fits
    }

    /// Takes `bytes` for a result for which `reserved` were kept; whether they are there. More than expected are taken
    /// by what was found: an event that had ended before, or many broken rules.
    fn settle(&mut self, reserved: usize, bytes: usize) -> bool {
        if bytes <= reserved {
            return true;
        }
        let more = bytes - reserved;
        let fits = more <= self.free;
        if fits {
            self.free -= more;
        }
        fits
    }
}

/// The entry was not begun, or a repetition finds what it did: the caller sends it again.
fn reply_is_full() -> v1::Failure {
    v1::Failure {
        message: "the reply is full: send the rest again".to_owned(),
        retry_after: Some(prost_types::Duration::default()),
        ..Problem::from(&Error::Overloaded).into()
    }
}

/// A result that knows what it takes in a reply.
trait EncodedLen {
    fn bytes(&self) -> usize;
}

impl EncodedLen for Creation {
    fn bytes(&self) -> usize {
        self.encoded_len()
    }
}

impl EncodedLen for Answered {
    fn bytes(&self) -> usize {
        self.encoded_len()
    }
}
