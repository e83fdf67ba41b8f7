//! Links: until when one opens its event, whom it may be for, and what it shows once the event has ended.

use crate::create::one_line;
use crate::event::{Responder, Response};
use crate::limits::NAME_CHARS_MAX;
use crate::lookalike;
use crate::principal::{CredentialKind, LinkHolder, Proof};
use crate::rejection::Violation;
use crate::time::Timestamp;

/// How long after the deadline of its event a link still shows how the event ended: 30 days.
pub const VIEW_MS: i64 = 30 * 24 * 60 * 60 * 1000;

/// Shortest time for which a link is made: a second.
const TTL_MS_MIN: i64 = 1_000;

/// Until when a link is good that is made at `now` for `ttl_ms`: never longer than its event waits.
///
/// # Errors
/// The time is shorter than a second.
pub fn expiry(
    now: Timestamp,
    ttl_ms: Option<i64>,
    deadline: Timestamp,
) -> Result<Timestamp, Violation> {
    match ttl_ms {
        Some(ttl_ms) if ttl_ms < TTL_MS_MIN => {
            Err(Violation::new("ttl", "must be 1 second at least"))
        }
        Some(ttl_ms) => Ok(now.plus_ms(ttl_ms).min(deadline)),
        None => Ok(deadline),
    }
}

/// Until when a link leads to a page. One that expires before its event leads nowhere from then on; any other shows for
/// 30 days how the event ended.
pub fn opens_until(expire_time: Timestamp, deadline: Timestamp) -> Timestamp {
    if expire_time < deadline { expire_time } else { deadline.plus_ms(VIEW_MS) }
}

/// Whether a link can be made for somebody of this name.
///
/// # Errors
/// What is wrong with it.
pub fn check_responder(name: &str) -> Result<(), Violation> {
    let mut broken = Vec::new();
    one_line(&mut broken, "responder", name, NAME_CHARS_MAX);
    if lookalike::is_blank(name) {
        broken.push(Violation::new("responder", "is required: whom the link is for"));
    }
    broken.into_iter().next().map_or(Ok(()), Err)
}

impl LinkHolder {
    /// Whether this response came by a link that was made for the same person, or that person had a vote in it by one,
    /// so that what it says is for whoever has this one.
    pub fn gave(&self, response: &Response) -> bool {
        let voted = response.votes.iter().map(|vote| &vote.responder);
        response.responder.iter().chain(voted).any(|responder| self.is(responder))
    }

    fn is(&self, responder: &Responder) -> bool {
        let proof = responder.proof.as_ref();
        matches!(proof, Some(Proof { known_by: CredentialKind::Link, name, .. }) if *name == self.responder)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::{Channel, Outcome};
    use crate::id::{EventId, EventKey, Namespace};
    use crate::votes::{Ballot, Vote};
    use crate::weight::Weight;

    fn at(s: i64) -> Timestamp {
        Timestamp::from_ms(s * 1_000).unwrap()
    }

    #[test]
    fn a_link_is_good_for_as_long_as_it_is_asked_for_and_never_longer_than_its_event_waits() {
        assert_eq!(expiry(at(10), None, at(100)), Ok(at(100)));
        assert_eq!(expiry(at(10), Some(20_000), at(100)), Ok(at(30)));
        assert_eq!(expiry(at(10), Some(i64::MAX), at(100)), Ok(at(100)));
        for bad in [999, 0, -1, i64::MIN] {
            assert!(expiry(at(10), Some(bad), at(100)).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_link_that_expires_early_leads_nowhere_and_any_other_shows_the_end_for_a_month() {
        assert_eq!(opens_until(at(30), at(100)), at(30));
        assert_eq!(opens_until(at(100), at(100)), at(100).plus_ms(VIEW_MS));
    }

    #[test]
    fn a_link_is_for_a_name_that_can_be_seen_and_stands_on_one_line() {
        for good in ["Ann", "Ann ü", &"ü".repeat(200)] {
            assert!(check_responder(good).is_ok(), "{good}");
        }
        for bad in ["", " ", "\u{200b}", "a\nb", &"a".repeat(201)] {
            assert_eq!(check_responder(bad).unwrap_err().field, "responder", "{bad:?}");
        }
    }

    #[test]
    fn a_response_is_the_holders_own_if_it_came_by_a_link_for_the_same_person() {
        let key = EventKey { namespace: Namespace::default(), id: EventId::from_bytes([1; 16]) };
        let holder = |name: &str| LinkHolder { key: key.clone(), responder: name.to_owned() };
        let response = |proof: Option<(CredentialKind, &str)>| Response {
            outcome: Outcome::Declined { reason: String::new() },
            time: at(1),
            responder: Some(Responder {
                proof: proof.map(|(known_by, name)| Proof {
                    known_by,
                    id: String::new(),
                    name: name.to_owned(),
                }),
                ..Responder::claimed("Ann".to_owned(), Channel::Form, String::new())
            }),
            answer_id: None,
            comment: String::new(),
            votes: Vec::new(),
            weight: Weight::default(),
        };
        let own = response(Some((CredentialKind::Link, "Ann")));
        assert!(holder("Ann").gave(&own));
        assert!(!holder("Bob").gave(&own) && !holder("").gave(&own));
        let anybodys = response(Some((CredentialKind::Link, "")));
        assert!(holder("").gave(&anybodys) && !holder("Ann").gave(&anybodys));
        for foreign in [response(Some((CredentialKind::Token, "Ann"))), response(None)] {
            assert!(!holder("Ann").gave(&foreign) && !holder("").gave(&foreign));
        }
        let vote = Vote {
            ballot: Ballot::Decline { reason: String::new() },
            time: at(1),
            responder: own.responder.clone().unwrap(),
            answer_id: None,
        };
        let voted = Response { votes: vec![vote], ..response(None) };
        assert!(holder("Ann").gave(&voted) && !holder("Bob").gave(&voted));
        let nobodys = Response { responder: None, ..own };
        assert!(!holder("").gave(&nobodys));
    }
}
