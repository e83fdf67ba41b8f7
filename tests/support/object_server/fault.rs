//! What can go wrong with a request.

use super::Dialect;

/// The kinds of request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[allow(missing_docs, reason = "they are named after the operations")]
pub enum Op {
    Put,
    Get,
    Head,
    List,
    Delete,
    BulkDelete,
}

impl Op {
    pub(super) fn is_write(self) -> bool {
        matches!(self, Self::Put | Self::Delete | Self::BulkDelete)
    }
}

/// A way in which a store fails its callers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Fault {
    /// 500, and nothing was done.
    ErrorBefore,
    /// It was done, and the reply is 500 or 503.
    CommitThenError,
    /// It was done, and there is no reply until the caller gives up.
    CommitThenHang,
    /// It was done, and the connection is closed instead of a reply.
    CommitThenClose,
    /// It was done, and the connection is reset instead of a reply.
    CommitThenReset,
    /// An error or no reply at all, and the write is done a while later.
    LateLanding,
    /// The write is done and acknowledged, and done again a while later, if its condition then holds.
    Duplicate,
    /// 409, and nothing was done.
    Conflict,
    /// The write was done, and the reply is that its condition does not hold.
    OwnPrecondition,
    /// 503 `SlowDown`, and nothing was done; several in a row.
    SlowDown,
    /// 429, and nothing was done.
    TooManyRequests,
    /// 403 for everybody for a while, and nothing was done.
    PermissionRevoked,
    /// A list that does not have the last changes.
    StaleList,
    /// A page with fewer entries than asked for, and a token for the rest.
    ShortPage,
    /// A page in no order.
    UnorderedList,
    /// A page whose token for the next one leads to itself.
    RepeatedToken,
    /// A page that lacks some of its keys.
    SkippedKeys,
    /// A page that says that more come, without a token for them.
    MissingToken,
    /// The connection ends in the middle of the body.
    TruncatedBody,
}

impl Fault {
    /// All of them.
    pub const ALL: [Self; 19] = [
        Self::ErrorBefore,
        Self::CommitThenError,
        Self::CommitThenHang,
        Self::CommitThenClose,
        Self::CommitThenReset,
        Self::LateLanding,
        Self::Duplicate,
        Self::Conflict,
        Self::OwnPrecondition,
        Self::SlowDown,
        Self::TooManyRequests,
        Self::PermissionRevoked,
        Self::StaleList,
        Self::ShortPage,
        Self::UnorderedList,
        Self::RepeatedToken,
        Self::SkippedKeys,
        Self::MissingToken,
        Self::TruncatedBody,
    ];

    /// Whether this can happen to such a request.
    pub(super) fn fits(self, dialect: Dialect, op: Op, conditional: bool) -> bool {
        match self {
            Self::ErrorBefore
            | Self::CommitThenHang
            | Self::CommitThenClose
            | Self::CommitThenReset
            | Self::SlowDown
            | Self::TooManyRequests
            | Self::PermissionRevoked => true,
            Self::CommitThenError | Self::LateLanding | Self::Duplicate => op.is_write(),
            // Only Amazon has this one.
            Self::Conflict => op == Op::Put && conditional && dialect == Dialect::S3,
            Self::OwnPrecondition => op == Op::Put && conditional,
            Self::StaleList
            | Self::ShortPage
            | Self::UnorderedList
            | Self::RepeatedToken
            | Self::SkippedKeys
            | Self::MissingToken => op == Op::List,
            Self::TruncatedBody => matches!(op, Op::Get | Op::List),
        }
    }

    /// How many requests in a row meet it when it happens at random.
    pub(super) fn burst(self) -> std::ops::Range<u32> {
        match self {
            Self::SlowDown => 2..12,
            Self::PermissionRevoked => 5..40,
            _ => 1..2,
        }
    }
}
