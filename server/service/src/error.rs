//! What can go wrong in a call, in one type: each transport writes it in its own way, and none adds to it.

use std::time::Duration;

use crate::quotas::OverQuota;
use hitl_core::{EventKey, Rejection, State, Timestamp, Violation};

/// Most violations that one error lists.
const VIOLATIONS_MAX: usize = 100;
/// Longest path of a field in one of them: that of the deepest field has its name of 63 characters in it.
const FIELD_CHARS_MAX: usize = 300;
/// Longest text of one of them.
const MESSAGE_CHARS_MAX: usize = 1000;

/// Why a call failed. Each variant is one reason of the API's `ErrorReason`.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A field of the request breaks a documented rule.
    #[error("the request is not valid: {}", list(.0))]
    InvalidRequest(Vec<Violation>),
    /// The answer does not fit the event's input; the event is unchanged.
    #[error("the answer is not valid, and the event still waits for one: {}", list(.0))]
    InvalidAnswer(Vec<Violation>),
    /// No such event in this namespace.
    #[error("there is no event {} in the namespace {}", .0.id, .0.namespace)]
    NotFound(EventKey),
    /// The event ended before this call.
    #[error("the event {} has ended before: it {} at {time}", .key.id, ending(*.state))]
    AlreadyFinal {
        /// Which event.
        key: EventKey,
        /// How it ended.
        state: State,
        /// When it ended.
        time: Timestamp,
    },
    /// The idempotency key belongs to a different request.
    #[error(
        "the idempotency key belongs to the event {}, whose request differs in {}: \
         use another key to ask something else",
        .key.id, .fields.join(", ")
    )]
    IdempotencyKeyReused {
        /// The event that has the key.
        key: EventKey,
        /// Names of the fields that differ.
        fields: Vec<&'static str>,
    },
    /// The idempotency key belongs to an event that has ended and was removed.
    #[error(
        "the idempotency key belongs to the event {}, which has ended and was removed after its time of retention: \
         use another key to ask again",
        .0.id
    )]
    Removed(EventKey),
    /// The event has not ended, or ended before ends were signed.
    #[error(
        "there is no receipt of the event {}: it {}",
        .key.id,
        if *.state == State::Pending { "has not ended" } else { "ended before its server signed receipts" }
    )]
    NoReceipt {
        /// Which event.
        key: EventKey,
        /// Where it stands.
        state: State,
    },
    /// The link is not valid, for whatever reason: none is told, so that none can be probed for.
    #[error("this link is not valid; ask whoever sent it for a new one")]
    LinkInvalid,
    /// The server wants a credential, and there is none that is good. Why is not told, so that nothing can be probed
    /// for.
    #[error(
        "this server wants a good token: give one in HITL_TOKEN or as `authorization: Bearer TOKEN`; \
         `hitl token create` makes one"
    )]
    Unauthenticated,
    /// The issuer cannot be asked for its keys, so it is not known whether the credential is good.
    #[error(
        "the OIDC issuer of this server cannot be asked for its keys, so no token of it can be judged; call again"
    )]
    IssuerUnavailable,
    /// The principal may not do that there, whether or not what it is about exists.
    #[error("{0}")]
    PermissionDenied(&'static str),
    /// Whoever created the event may not answer or decline it.
    #[error(
        "whoever created an event does not answer it: have somebody else answer, or create it with allow_self_answer"
    )]
    SelfAnswer,
    /// The event is for others.
    #[error(
        "the event {} is not for this caller: its assignees say whom it is for, and one of them or an admin hands it \
         over with DelegateEvent",
        .0.id
    )]
    NotAssigned(EventKey),
    /// It matters who answers, and the credential shows nobody in particular.
    #[error(
        "it matters who answers the event {}, and this credential is for whoever has it: sign in, use a token, or have \
         a link made in your name; a server that asks for no credential wants a responder",
        .0.id
    )]
    NobodyInParticular(EventKey),
    /// That person has voted before.
    #[error("this person has answered the event {} before, at {time}, and does so once", .key.id)]
    AlreadyVoted {
        /// Which event.
        key: EventKey,
        /// When.
        time: Timestamp,
    },
    /// Somebody else is at it.
    #[error("somebody else has claimed the event {} until {until}", .key.id)]
    Claimed {
        /// Which event.
        key: EventKey,
        /// Until when.
        until: Timestamp,
    },
    /// The event has as many votes, or its thread as many entries, as it may have or one person may add.
    #[error("the event {} has as many {what} as it may have, or as one person may add", .key.id)]
    Full {
        /// Which event.
        key: EventKey,
        /// Of what.
        what: &'static str,
    },
    /// No such token.
    #[error("there is no token {0} that is good")]
    TokenNotFound(String),
    /// No such channel.
    #[error("there is no channel {0}")]
    ChannelNotFound(String),
    /// There is a channel of this name, or somebody else has changed it at the same time.
    #[error(
        "there is a channel {0} already, or somebody else has just changed it: look at the channels again"
    )]
    ChannelExists(String),
    /// No such dead letter.
    #[error("there is no dead letter {0}")]
    DeliveryNotFound(String),
    /// A browser sent the call from a page of another origin, or to a host name that is not ours.
    #[error("{0}")]
    OriginRefused(String),
    /// The server holds as many waits as it may.
    #[error("the server holds as many waits as it may; try again later")]
    TooManyWaiters,
    /// The server has as many calls under way as it may, or holds as many bytes for them.
    #[error("the server has as much to do as it may; try again later")]
    Overloaded,
    /// The caller, or what it acts in, has as much as one may have.
    #[error(transparent)]
    OverQuota(#[from] OverQuota),
    /// Those who were asked about the event were told again a short time ago.
    #[error("they were reminded of it less than ten minutes ago; do it again in {} s", .wait_ms / 1000 + 1)]
    RemindedRecently {
        /// When they may be again.
        wait_ms: i64,
    },
    /// The token is older than what a watch can resume from.
    #[error(
        "the resume token is older than 24 hours: list the events, and watch anew with the list's token"
    )]
    ResumeTokenExpired,
    /// The store failed, and whether the call took effect is unknown.
    #[error("the store failed, and whether the call took effect is unknown; repeat it ({0})")]
    StoreUnavailable(Box<dyn std::error::Error + Send + Sync>),
    /// The disk has no room for the write, or only what is kept for the end of what is open. Nothing was written.
    #[error(
        "the disk is full, so nothing was written; call again when space was freed on the disk of the server"
    )]
    DiskFull,
    /// The directory of the store is not the one any more that was opened; the process ends.
    #[error(
        "the directory of the store is gone, so nothing more is written, and the server ends ({0})"
    )]
    StoreGone(String),
    /// A stored record cannot be read.
    #[error("the stored record {path} cannot be read: {message}")]
    RecordUnreadable {
        /// Where it is stored.
        path: String,
        /// What is wrong with it.
        message: String,
    },
    /// The server's clock is too far from the store's, so nothing that depends on the time is done.
    #[error(
        "this server's clock is {} ms {} the store's, so it cannot tell what is due; call again, or another server",
        .ahead_ms.unsigned_abs(), if *.ahead_ms < 0 { "behind" } else { "ahead of" }
    )]
    ClockOff {
        /// How far it is ahead, at the least; negative if behind.
        ahead_ms: i64,
    },
    /// The server is shutting down.
    #[error("the server is shutting down; call again")]
    ShuttingDown,
    /// A fault of the server.
    #[error("the server failed: {0}")]
    Internal(String),
}

impl From<hitl_store::Error> for Error {
    fn from(error: hitl_store::Error) -> Self {
        match error {
            hitl_store::Error::StoreUnavailable(cause) => Self::StoreUnavailable(cause),
            hitl_store::Error::Removed(key) => Self::Removed(key),
            hitl_store::Error::DiskFull => Self::DiskFull,
            hitl_store::Error::StoreGone(place) => Self::StoreGone(place),
            hitl_store::Error::RecordUnreadable { path, message } => {
                Self::RecordUnreadable { path, message }
            }
        }
    }
}

impl Error {
    /// A violation of one field of the request.
    pub fn invalid(field: &str, message: impl Into<String>) -> Self {
        Self::invalid_fields(vec![Violation::new(field, message)])
    }

    /// Violations of several fields of the request, as many as a person would read.
    pub fn invalid_fields(broken: Vec<Violation>) -> Self {
        Self::InvalidRequest(bounded(broken))
    }

    /// What the domain refused about the event at `key`.
    pub fn rejected(rejection: Rejection, key: &EventKey) -> Self {
        match rejection {
            Rejection::InvalidRequest(broken) => Self::InvalidRequest(bounded(broken)),
            Rejection::InvalidAnswer(broken) => Self::InvalidAnswer(bounded(broken)),
            Rejection::AlreadyFinal { state, time } => {
                Self::AlreadyFinal { key: key.clone(), state, time }
            }
            Rejection::SelfAnswer => Self::SelfAnswer,
            Rejection::NotAssigned => Self::NotAssigned(key.clone()),
            Rejection::NobodyInParticular => Self::NobodyInParticular(key.clone()),
            Rejection::AlreadyVoted { time } => Self::AlreadyVoted { key: key.clone(), time },
            Rejection::Claimed { until } => Self::Claimed { key: key.clone(), until },
            Rejection::VotesFull => Self::Full { key: key.clone(), what: "votes" },
            Rejection::ThreadFull => Self::Full { key: key.clone(), what: "comments" },
            Rejection::NotDue => Self::Internal(format!("the timer of {key} came early")),
        }
    }

    /// When to try again, if trying again as it is can help.
    pub fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::ShuttingDown
            | Self::StoreUnavailable(_)
            | Self::StoreGone(_)
            | Self::ClockOff { .. } => Some(Duration::from_millis(500)),
            // Somebody has to see to it.
            Self::DiskFull => Some(Duration::from_secs(5)),
            Self::OverQuota(over) => Some(over.retry_after()),
            Self::RemindedRecently { wait_ms } => {
                u64::try_from(*wait_ms / 1000 + 1).ok().map(Duration::from_secs)
            }
            Self::IssuerUnavailable => Some(Duration::from_secs(2)),
            Self::TooManyWaiters | Self::Overloaded => Some(Duration::from_secs(2)),
            _ => None,
        }
    }

    /// The fields at fault.
    pub fn violations(&self) -> &[Violation] {
        match self {
            Self::InvalidRequest(broken) | Self::InvalidAnswer(broken) => broken,
            _ => &[],
        }
    }
}

/// As many violations, and as much of each, as a person would read. An answer of a megabyte can break a hundred
/// thousand rules, and each reply names them several times.
fn bounded(mut broken: Vec<Violation>) -> Vec<Violation> {
    let more = broken.len().saturating_sub(VIOLATIONS_MAX);
    broken.truncate(VIOLATIONS_MAX);
    for violation in &mut broken {
        cut(&mut violation.field, FIELD_CHARS_MAX);
        cut(&mut violation.message, MESSAGE_CHARS_MAX);
    }
    if more > 0 {
        let field = broken[0].field.split('.').next().unwrap_or_default().to_owned();
        broken
            .push(Violation::new(field, format!("breaks {more} more rules, which are not listed")));
    }
    broken
}

fn cut(text: &mut String, chars_max: usize) {
    if let Some((at, _)) = text.char_indices().nth(chars_max) {
        text.truncate(at);
        text.push('…');
    }
}

fn list(broken: &[Violation]) -> String {
    let each: Vec<_> = broken.iter().map(|v| format!("{} {}", v.field, v.message)).collect();
    each.join("; ")
}

fn ending(state: State) -> &'static str {
    match state {
        State::Pending => "is pending",
        State::Answered => "was answered",
        State::Declined => "was declined",
        State::Cancelled => "was cancelled",
        State::TimedOut => "timed out",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_repeats_no_more_than_a_person_would_read() {
        let long = "x".repeat(1_000_000);
        let broken = (0..100_000).map(|n| Violation::new(format!("value.{n}"), "is unknown"));
        let key =
            EventKey { namespace: Default::default(), id: hitl_core::EventId::from_bytes([1; 16]) };
        let many = Error::rejected(Rejection::InvalidAnswer(broken.collect()), &key);
        assert_eq!(many.violations().len(), VIOLATIONS_MAX + 1);
        let last = many.violations().last().unwrap();
        assert_eq!(last.field, "value");
        assert!(last.message.contains("99900 more"), "{}", last.message);
        for error in [many, Error::invalid(&long, long.clone())] {
            assert!(error.to_string().len() < 10_000, "{}", error.to_string().len());
        }
    }
}
