//! Faults planted on purpose, so that the simulation and the tests of crashes and power cuts show that they would
//! notice them.
//!
//! Each is a store laid around the real one of a process. Everything that a server does to be right ends in the order
//! of its writes and in what it reads back, so a store that changes those makes of a right server a wrong one.

mod creates;
mod keys;
mod listings;
mod order;
mod outcomes;
mod removals;
#[cfg(test)]
mod tests;
mod votes;

use std::fmt;
use std::future::ready;
use std::sync::Arc;

use async_trait::async_trait;
use futures::stream::BoxStream;
use futures::{StreamExt, TryStreamExt};
use object_store::path::Path;
use object_store::{
    CopyOptions, GetOptions, GetResult, ListResult, MultipartUpload, ObjectMeta, ObjectStore,
    ObjectStoreExt, PutMultipartOptions, PutOptions, PutPayload, PutResult, Result,
};

use creates::{AckBeforeSync, IsLost, Overwrite};
use listings::OwnOnly;
use order::{RecordBeforeAnnouncement, TimerGoesFirst};
use outcomes::{LostWakeUp, RememberPending};
use removals::{RequestGoesLast, TombstoneForgotten};
use votes::{SettleForgotten, VoteCountsTwice};

/// Names the fault of the program `faulty`.
pub const VARIABLE: &str = "HITL_PLANTED_FAULT";

/// Keys that are left out of one listing at most: a broken one of nothing else would have no end.
const HIDDEN_MAX: usize = 10_000;

/// What is wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// A write is acknowledged before it is done.
    AckBeforeSync,
    /// A create overwrites what is there.
    Overwrite,
    /// Timers that this process has not set are not looked at.
    DropTimersAtRestart,
    /// An outcome that another process recorded comes into sight so late that whoever waits from now on has missed its
    /// announcement.
    LostWakeUp,
    /// What other replicas announce is not listened to.
    DeafToReplicas,
    /// That an event is pending is remembered, until this process tries to end it.
    RememberPending,
    /// A create that the store says exists already counts as lost, whoever wrote what is there.
    ConflictIsLost,
    /// A create that failed otherwise counts as lost if anything is there.
    ErrorIsLost,
    /// An end is announced only once it is recorded.
    RecordBeforeAnnouncement,
    /// The timer goes before the end is recorded.
    TimerGoesFirst,
    /// When an event is removed its response goes first, and its request is overwritten when the response should go.
    RequestGoesLast,
    /// When an event is removed its request is deleted, and nothing says that it was removed.
    TombstoneForgotten,
    /// A vote is recorded a second time, as somebody else's.
    VoteCountsTwice,
    /// After a vote nothing is owed.
    SettleForgotten,
}

impl Fault {
    /// Each of them.
    pub const ALL: [Self; 14] = [
        Self::AckBeforeSync,
        Self::Overwrite,
        Self::DropTimersAtRestart,
        Self::LostWakeUp,
        Self::DeafToReplicas,
        Self::RememberPending,
        Self::ConflictIsLost,
        Self::ErrorIsLost,
        Self::RecordBeforeAnnouncement,
        Self::TimerGoesFirst,
        Self::RequestGoesLast,
        Self::TombstoneForgotten,
        Self::VoteCountsTwice,
        Self::SettleForgotten,
    ];

    /// The fault with this name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|fault| fault.name() == name)
    }

    /// What it is called in the environment.
    pub fn name(self) -> &'static str {
        match self {
            Self::AckBeforeSync => "ack-before-sync",
            Self::Overwrite => "overwrite",
            Self::DropTimersAtRestart => "drop-timers-at-restart",
            Self::LostWakeUp => "lost-wake-up",
            Self::DeafToReplicas => "deaf-to-replicas",
            Self::RememberPending => "remember-pending",
            Self::ConflictIsLost => "conflict-is-lost",
            Self::ErrorIsLost => "error-is-lost",
            Self::RecordBeforeAnnouncement => "record-before-announcement",
            Self::TimerGoesFirst => "timer-goes-first",
            Self::RequestGoesLast => "request-goes-last",
            Self::TombstoneForgotten => "tombstone-forgotten",
            Self::VoteCountsTwice => "vote-counts-twice",
            Self::SettleForgotten => "settle-forgotten",
        }
    }

    /// The `store` of one process, with this fault.
    pub fn over(self, store: Arc<dyn ObjectStore>) -> Arc<dyn ObjectStore> {
        let twist: Arc<dyn Twist> = match self {
            Self::AckBeforeSync => Arc::new(AckBeforeSync::default()),
            Self::Overwrite => Arc::new(Overwrite),
            Self::DropTimersAtRestart => Arc::new(OwnOnly::below("timers")),
            Self::LostWakeUp => Arc::new(LostWakeUp::default()),
            Self::DeafToReplicas => Arc::new(OwnOnly::below("resolved")),
            Self::RememberPending => Arc::new(RememberPending::default()),
            Self::ConflictIsLost => Arc::new(IsLost::after_refusals()),
            Self::ErrorIsLost => Arc::new(IsLost::after_failures()),
            Self::RecordBeforeAnnouncement => Arc::new(RecordBeforeAnnouncement::default()),
            Self::TimerGoesFirst => Arc::new(TimerGoesFirst),
            Self::RequestGoesLast => Arc::new(RequestGoesLast::default()),
            Self::TombstoneForgotten => Arc::new(TombstoneForgotten),
            Self::VoteCountsTwice => Arc::new(VoteCountsTwice),
            Self::SettleForgotten => Arc::new(SettleForgotten),
        };
        Arc::new(Twisted { store, twist })
    }
}

/// What a store does otherwise.
#[async_trait]
trait Twist: fmt::Debug + Send + Sync {
    async fn put(
        &self,
        store: &Arc<dyn ObjectStore>,
        path: &Path,
        payload: PutPayload,
        options: PutOptions,
    ) -> Result<PutResult> {
        store.put_opts(path, payload, options).await
    }

    async fn get(
        &self,
        store: &Arc<dyn ObjectStore>,
        path: &Path,
        options: GetOptions,
    ) -> Result<GetResult> {
        store.get_opts(path, options).await
    }

    async fn delete(&self, store: &Arc<dyn ObjectStore>, path: &Path) -> Result<()> {
        store.delete(path).await
    }

    /// Whether listings have this object, or this prefix.
    fn lists(&self, _: &Path) -> bool {
        true
    }
}

/// A store with one fault.
#[derive(Debug, Clone)]
struct Twisted {
    store: Arc<dyn ObjectStore>,
    twist: Arc<dyn Twist>,
}

impl Twisted {
    fn filtered(
        &self,
        listing: BoxStream<'static, Result<ObjectMeta>>,
    ) -> BoxStream<'static, Result<ObjectMeta>> {
        let (twist, mut hidden) = (self.twist.clone(), 0);
        let counted = listing.try_take_while({
            let twist = twist.clone();
            move |object| {
                hidden += usize::from(!twist.lists(&object.location));
                ready(Ok(hidden <= HIDDEN_MAX))
            }
        });
        counted.try_filter(move |object| ready(twist.lists(&object.location))).boxed()
    }
}

#[async_trait]
impl ObjectStore for Twisted {
    async fn put_opts(
        &self,
        path: &Path,
        payload: PutPayload,
        options: PutOptions,
    ) -> Result<PutResult> {
        self.twist.put(&self.store, path, payload, options).await
    }

    async fn get_opts(&self, path: &Path, options: GetOptions) -> Result<GetResult> {
        self.twist.get(&self.store, path, options).await
    }

    fn delete_stream(
        &self,
        paths: BoxStream<'static, Result<Path>>,
    ) -> BoxStream<'static, Result<Path>> {
        let ours = self.clone();
        let delete = move |path: Path| {
            let ours = ours.clone();
            async move { ours.twist.delete(&ours.store, &path).await.map(|()| path) }
        };
        paths.and_then(delete).boxed()
    }

    fn list(&self, prefix: Option<&Path>) -> BoxStream<'static, Result<ObjectMeta>> {
        self.filtered(self.store.list(prefix))
    }

    fn list_with_offset(
        &self,
        prefix: Option<&Path>,
        offset: &Path,
    ) -> BoxStream<'static, Result<ObjectMeta>> {
        self.filtered(self.store.list_with_offset(prefix, offset))
    }

    async fn list_with_delimiter(&self, prefix: Option<&Path>) -> Result<ListResult> {
        let mut listed = self.store.list_with_delimiter(prefix).await?;
        listed.objects.retain(|object| self.twist.lists(&object.location));
        listed.common_prefixes.retain(|prefix| self.twist.lists(prefix));
        Ok(listed)
    }

    async fn put_multipart_opts(
        &self,
        path: &Path,
        options: PutMultipartOptions,
    ) -> Result<Box<dyn MultipartUpload>> {
        self.store.put_multipart_opts(path, options).await
    }

    async fn copy_opts(&self, from: &Path, to: &Path, options: CopyOptions) -> Result<()> {
        self.store.copy_opts(from, to, options).await
    }
}

impl fmt::Display for Twisted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} over {}", self.twist, self.store)
    }
}

/// What a write comes to that is not done now.
fn done() -> PutResult {
    PutResult { e_tag: None, version: None, extensions: Default::default() }
}
