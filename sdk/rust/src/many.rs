//! Many creates, and many answers, in few calls.

use std::collections::VecDeque;
use std::future::Future;
use std::time::Duration;

use hitl_proto::v1;
use prost::Message;
use tokio::time::Instant;
use tonic::Status;
use v1::answer_event_result::Result as Answered;
use v1::create_event_result::Result as Created;

use crate::client::{Client, Stub};
use crate::error::{Error, Result};
use crate::key;
use crate::retry::Backoff;

/// Most entries of one call.
const ENTRIES_MAX: usize = 1_000;
/// Most bytes of the entries of one call, though one alone may have more.
const BATCH_BYTES_MAX: usize = 1024 * 1024;

impl Client {
    /// Creates many events in few calls, each as [`Client::create`] does, and returns what became of each, in
    /// their order.
    pub async fn create_many(
        &self,
        mut requests: Vec<v1::CreateEventRequest>,
    ) -> Vec<Result<v1::CreateEventResponse>> {
        let tickets: Vec<_> = requests.iter_mut().map(|request| self.name(None, request)).collect();
        let send = |mut stub: Stub, requests| async move {
            let batch = v1::BatchCreateEventsRequest { requests };
            let results = stub.batch_create_events(batch).await?.into_inner().results;
            Ok(results.into_iter().map(created).collect())
        };
        let results = self.many(&requests, send).await;
        for (ticket, result) in tickets.into_iter().zip(&results) {
            if let (Some(ticket), Ok(_)) = (ticket, result) {
                ticket.keep();
            }
        }
        results
    }

    /// Answers many events in few calls, and returns how each ended, or why it did not, in their order. An empty
    /// namespace is the client's; an empty answer id is a random one, so that repeating the call on a lost
    /// connection answers nothing twice.
    pub async fn answer_many(
        &self,
        mut requests: Vec<v1::AnswerEventRequest>,
    ) -> Vec<Result<v1::Response>> {
        for request in &mut requests {
            self.fill(&mut request.namespace);
            if request.answer_id.is_empty() {
                request.answer_id = key::once();
            }
        }
        let send = |mut stub: Stub, requests| async move {
            let batch = v1::BatchAnswerEventsRequest { requests };
            let results = stub.batch_answer_events(batch).await?.into_inner().results;
            Ok(results.into_iter().map(answered).collect())
        };
        self.many(&requests, send).await
    }

    /// Sends `requests` in batches, each entry again for as long as that can help.
    async fn many<Q, R, F>(
        &self,
        requests: &[Q],
        send: impl Fn(Stub, Vec<Q>) -> F,
    ) -> Vec<Result<R>>
    where
        Q: Message + Clone,
        F: Future<Output = Result<Vec<Result<R>>, Status>>,
    {
        let mut results: Vec<Option<Result<R>>> = requests.iter().map(|_| None).collect();
        let mut waiting: VecDeque<usize> = (0..requests.len()).collect();
        let mut backoff = Backoff::new();
        while !waiting.is_empty() {
            let batch = next_batch(requests, &mut waiting);
            let entries: Vec<Q> = batch.iter().map(|at| requests[*at].clone()).collect();
            let sent = self.round(Instant::now(), |stub| send(stub, entries.clone())).await;
            let (again, error) = match sent.and_then(|replies| matching(replies, batch.len())) {
                Err(error) => {
                    // Nothing is known of any of them.
                    fail(&error, batch.iter().copied(), &mut results);
                    (batch.clone(), Some(error))
                }
                Ok(replies) => take(replies, &batch, &mut results),
            };
            let is_progress = again.len() < batch.len();
            if is_progress {
                backoff = Backoff::new();
            }
            let Some(error) = error else { continue };
            let is_invited = is_progress && error.retry_delay() == Some(Duration::ZERO);
            let goes_on = |error: &Error, elapsed| self.worth_another(error, elapsed);
            if is_invited {
                again.into_iter().for_each(|at| waiting.push_back(at));
            } else if let Err(error) = backoff.pause(error, goes_on).await {
                if !is_progress && error.is_loss() {
                    // What could not be done for a whole batch can be done for no other.
                    fail(&error, waiting.drain(..), &mut results);
                }
            } else {
                again.into_iter().rev().for_each(|at| waiting.push_front(at));
            }
        }
        let missing = || Err(Error::internal("a result is missing".to_owned()));
        results.into_iter().map(|result| result.unwrap_or_else(missing)).collect()
    }
}

fn fail<R>(error: &Error, entries: impl Iterator<Item = usize>, results: &mut [Option<Result<R>>]) {
    for at in entries {
        results[at] = Some(Err(error.clone()));
    }
}

/// Takes out of `waiting` as many as go into one call.
fn next_batch<Q: Message>(requests: &[Q], waiting: &mut VecDeque<usize>) -> Vec<usize> {
    let (mut batch, mut bytes) = (Vec::new(), 0);
    while let Some(at) = waiting.front() {
        bytes += requests[*at].encoded_len();
        let is_full = batch.len() == ENTRIES_MAX || bytes > BATCH_BYTES_MAX;
        if is_full && !batch.is_empty() {
            break;
        }
        batch.extend(waiting.pop_front());
    }
    batch
}

fn matching<R>(replies: Vec<Result<R>>, count: usize) -> Result<Vec<Result<R>>> {
    if replies.len() == count {
        return Ok(replies);
    }
    let message = format!("the server sent {} results for {count} entries", replies.len());
    Err(Error::internal(message))
}

/// Keeps the results of a batch. Returns which of its entries are to be sent again, and the failure of that one which
/// has to wait longest.
fn take<R>(
    replies: Vec<Result<R>>,
    batch: &[usize],
    results: &mut [Option<Result<R>>],
) -> (Vec<usize>, Option<Error>) {
    let (mut again, mut slowest) = (Vec::new(), None::<Error>);
    for (at, reply) in batch.iter().zip(replies) {
        if let Err(error) = &reply
            && error.is_retryable()
        {
            again.push(*at);
            if slowest.as_ref().is_none_or(|slow| slow.retry_delay() < error.retry_delay()) {
                slowest = Some(error.clone());
            }
        }
        results[*at] = Some(reply);
    }
    (again, slowest)
}

fn created(result: v1::CreateEventResult) -> Result<v1::CreateEventResponse> {
    match result.result {
        Some(Created::Created(created)) => Ok(created),
        Some(Created::Failure(failure)) => Err(Error::from_failure(failure)),
        None => Err(Error::internal("the server's reply has no result".to_owned())),
    }
}

fn answered(result: v1::AnswerEventResult) -> Result<v1::Response> {
    match result.result {
        Some(Answered::Response(response)) => Ok(response),
        Some(Answered::Failure(failure)) => Err(Error::from_failure(failure)),
        None => Err(Error::internal("the server's reply has no result".to_owned())),
    }
}
