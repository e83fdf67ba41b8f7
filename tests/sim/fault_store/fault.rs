//! What can go wrong with an operation on a store, and with which.

use std::collections::BTreeMap;

/// A kind of operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Operation {
    /// A put on condition that nothing is there.
    Create,
    /// A put without a condition.
    Overwrite,
    /// A read of a body.
    Get,
    /// A read of whether something is there.
    Head,
    /// A delete.
    Delete,
    /// A listing of all keys below a prefix.
    List,
    /// A listing of one level.
    Children,
}

/// One thing that goes wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Fault {
    /// An error, and nothing was done.
    ErrorBefore,
    /// No reply for longer than callers wait, then an error, and nothing was done.
    Hang,
    /// It was done, and an error says otherwise.
    CommitThenError,
    /// It was done, and there is no reply for longer than callers wait.
    CommitThenHang,
    /// An error, and it is done some time after that, if its condition still holds then.
    LateLanding,
    /// It is done, and once more some time after that.
    DuplicateDelivery,
    /// "Exists already", though nothing does.
    FalseConflict,
    /// It was done, and the reply is "exists already": the answer to a repetition that nobody asked for.
    OwnConflict,
    /// It was done, and the reply is that the condition does not hold.
    OwnPrecondition,
    /// This operation and the next few are refused: too many requests.
    SlowDown,
    /// This operation and all others for a while are refused: no permission.
    Revoked,
    /// The body ends early, and nothing says so.
    TruncatedBody,
    /// The body is not what was written.
    GarbageBody,
    /// The body breaks off with an error.
    BrokenBody,
    /// The body comes in small parts, with pauses.
    SlowBody,
    /// The listing shows what was there a few seconds ago.
    StaleListing,
    /// The listing breaks off with an error.
    ShortListing,
    /// The listing is in no order.
    UnorderedListing,
    /// The listing comes again and again: the token for its next page leads to the same one.
    EndlessListing,
    /// The listing lacks some keys, and nothing says so: pages that skip keys, or end without a token.
    SkippedKeys,
}

use Fault::{
    BrokenBody, CommitThenError, CommitThenHang, DuplicateDelivery, EndlessListing, ErrorBefore,
    FalseConflict, GarbageBody, Hang, LateLanding, OwnConflict, OwnPrecondition, Revoked,
    ShortListing, SkippedKeys, SlowBody, SlowDown, StaleListing, TruncatedBody, UnorderedListing,
};

impl Operation {
    /// Every kind.
    pub(crate) const ALL: [Self; 7] = [
        Self::Create,
        Self::Overwrite,
        Self::Get,
        Self::Head,
        Self::Delete,
        Self::List,
        Self::Children,
    ];

    /// What can go wrong with it.
    pub(crate) fn faults(self) -> &'static [Fault] {
        match self {
            Self::Create => &[
                ErrorBefore,
                Hang,
                CommitThenError,
                CommitThenHang,
                LateLanding,
                DuplicateDelivery,
                FalseConflict,
                OwnConflict,
                OwnPrecondition,
                SlowDown,
                Revoked,
            ],
            Self::Overwrite | Self::Delete => &[
                ErrorBefore,
                Hang,
                CommitThenError,
                CommitThenHang,
                LateLanding,
                DuplicateDelivery,
                SlowDown,
                Revoked,
            ],
            Self::Get => &[
                ErrorBefore,
                Hang,
                SlowDown,
                Revoked,
                TruncatedBody,
                GarbageBody,
                BrokenBody,
                SlowBody,
            ],
            Self::Head => &[ErrorBefore, Hang, SlowDown, Revoked],
            Self::List => &[
                ErrorBefore,
                Hang,
                SlowDown,
                Revoked,
                StaleListing,
                ShortListing,
                UnorderedListing,
                EndlessListing,
                SkippedKeys,
            ],
            Self::Children => {
                &[ErrorBefore, Hang, SlowDown, Revoked, StaleListing, UnorderedListing, SkippedKeys]
            }
        }
    }
}

/// How often each operation was made, and how often each thing went wrong with it.
#[derive(Debug, Default, Clone)]
pub(crate) struct Tally(BTreeMap<(Operation, Option<Fault>), u64>);

impl Tally {
    pub(crate) fn count(&mut self, operation: Operation, fault: Option<Fault>) {
        *self.0.entry((operation, fault)).or_default() += 1;
    }

    pub(crate) fn add(&mut self, other: &Self) {
        for (cell, times) in &other.0 {
            *self.0.entry(*cell).or_default() += times;
        }
    }

    /// How often `fault` happened to `operation`.
    pub(crate) fn of(&self, operation: Operation, fault: Fault) -> u64 {
        self.0.get(&(operation, Some(fault))).copied().unwrap_or_default()
    }

    /// How many operations were made, and with how many of them something went wrong.
    pub(crate) fn totals(&self) -> (u64, u64) {
        let faults = self.0.iter().filter(|((_, fault), _)| fault.is_some());
        (self.0.values().sum(), faults.map(|(_, times)| times).sum())
    }
}
