//! The idempotency key of a question that was asked without one, so that a call which is repeated meets its question.
//!
//! Calls are repeated: a client loses the stream, a model asks again. But a question that is asked again the next hour
//! is a new one, and an old yes must not answer it. So the key is a hash of who asks and of all arguments, the day, and
//! a number that goes up whenever the question before was over. A question counts as the one before while it is open,
//! and for [`FRESH_MS`] after its end.

use hitl_core::{Namespace, Timestamp};
use hitl_proto::v1;
use sha2::{Digest, Sha256};

use super::desk::Desk;
use super::refused::{Refused, Why};

/// How long after its end a question still answers a call that repeats it: ten minutes.
const FRESH_MS: i64 = 10 * 60 * 1000;
/// Most questions of one day that are the same to the letter and have no key.
const TIMES_MAX: u32 = 100;
const DAY_MS: i64 = 24 * 60 * 60 * 1000;

/// Creates the event that `request` asks for, or finds the one that an earlier call like this made. `digest` is of who
/// asks and of what.
pub(super) async fn create<D: Desk>(
    desk: &D,
    request: v1::CreateEventRequest,
    digest: &str,
) -> Result<v1::CreateEventResponse, Refused> {
    if !request.idempotency_key.is_empty() {
        return desk.create(request).await;
    }
    let today = desk.now().ms().div_euclid(DAY_MS);
    if let Some(event) = last_of(desk, digest, today - 1).await?
        && is_fresh(&event, desk.now())
    {
        return Ok(v1::CreateEventResponse { event: Some(event), existed: true });
    }
    for time in 0..TIMES_MAX {
        let idempotency_key = key(digest, today, time);
        let request = v1::CreateEventRequest { idempotency_key, ..request.clone() };
        match desk.create(request).await {
            Ok(created) => {
                let is_over = created.event.as_ref().is_some_and(|it| !is_fresh(it, desk.now()));
                if !(created.existed && is_over) {
                    return Ok(created);
                }
            }
            Err(Refused { why: Why::Removed, .. }) => {}
            Err(refused) => return Err(refused),
        }
    }
    let message =
        format!("the same was asked {TIMES_MAX} times today: say what is new, or give one");
    Err(Refused::argument("idempotency_key", &message))
}

/// Of those who ask the same and have the same `asker`.
pub(super) fn digest(asker: &str, arguments: &str) -> String {
    let hash = Sha256::new().chain_update(asker).chain_update([0]).chain_update(arguments);
    let hash = hash.finalize();
    hash[..16].iter().map(|byte| format!("{byte:02x}")).collect()
}

fn key(digest: &str, day: i64, time: u32) -> String {
    format!("mcp:{digest}:{day}:{time}")
}

/// The last event of these on `day`.
async fn last_of<D: Desk>(desk: &D, digest: &str, day: i64) -> Result<Option<v1::Event>, Refused> {
    let namespace: Namespace = match desk.namespace() {
        "" => Namespace::default(),
        name => name.parse().map_err(|error| Refused::other(format!("the namespace {error}")))?,
    };
    let mut last = None;
    for time in 0..TIMES_MAX {
        let id = hitl_service::event_id_of(&namespace, &key(digest, day, time));
        match desk.get(&id.to_string()).await {
            Ok(event) => last = Some(event),
            Err(Refused { why: Why::NotFound, .. }) => break,
            Err(refused) => return Err(refused),
        }
    }
    Ok(last)
}

/// Whether a call that repeats the question means this event.
fn is_fresh(event: &v1::Event, now: Timestamp) -> bool {
    let ended = event.response.as_ref().and_then(|response| response.time);
    let ended_ms = ended.map(|time| time.seconds * 1000);
    ended_ms.is_none_or(|ended_ms| now.ms() - ended_ms < FRESH_MS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_digest_tells_askers_and_questions_apart_and_nothing_else() {
        assert_eq!(digest("ann", "{}"), digest("ann", "{}"));
        assert_ne!(digest("ann", "{}"), digest("bob", "{}"));
        assert_ne!(digest("ann", "{}"), digest("ann", "{ }"));
        assert_ne!(digest("a", "bc"), digest("ab", "c"));
    }

    #[test]
    fn a_question_is_fresh_while_it_is_open_and_for_ten_minutes_after() {
        let at = |seconds: i64| Timestamp::from_ms(seconds * 1000).unwrap();
        let open = v1::Event::default();
        assert!(is_fresh(&open, at(1_000_000)));
        let time = Some(prost_types::Timestamp { seconds: 1_000, nanos: 0 });
        let response = Some(v1::Response { time, ..v1::Response::default() });
        let ended = v1::Event { response, ..open };
        assert!(is_fresh(&ended, at(1_599)));
        assert!(!is_fresh(&ended, at(1_600)));
    }
}
