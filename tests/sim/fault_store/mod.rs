//! A store around any other, in which everything goes wrong that goes wrong with object stores, by seed.
//!
//! Each process has a [`FaultStore`] of its own, with a [`Link`] that says whether the process runs and how the way to
//! the store is; all of them share one [`Bucket`]. A write travels by itself: once it is sent, it may arrive though its
//! sender was killed or has given up.

mod body;
mod bucket;
mod error;
mod fault;
mod link;
#[cfg(test)]
mod tests;

use std::fmt;
use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use futures::stream::BoxStream;
use futures::{FutureExt, StreamExt, TryStreamExt, stream};
use object_store::path::Path;
use object_store::{
    CopyOptions, Error, GetOptions, GetResult, ListResult, MultipartUpload, ObjectMeta,
    ObjectStore, PutMode, PutMultipartOptions, PutOptions, PutPayload, PutResult, Result,
};
use rand::rngs::StdRng;
use rand::seq::SliceRandom;
use rand::{RngExt, SeedableRng};
use tokio::sync::oneshot;
use tokio::time::sleep;

pub(crate) use bucket::Bucket;
use bucket::{STALE_MAX, Write, word};
use error::{broken, denied, exists, silent, slow_down, unmet, unused};
pub(crate) use fault::{Fault, Operation, Tally};
use link::Plan;
pub(crate) use link::{Cut, Link, millis};

/// See the module.
#[derive(Debug, Clone)]
pub(crate) struct FaultStore {
    process: String,
    bucket: Arc<Bucket>,
    link: Arc<Link>,
}

impl FaultStore {
    /// The way of the process with this name over `link` to `bucket`.
    pub(crate) fn new(process: String, bucket: Arc<Bucket>, link: Arc<Link>) -> Self {
        Self { process, bucket, link }
    }

    async fn begin(&self, operation: Operation) -> Plan {
        self.link.runs().await;
        let plan = self.link.draw(operation);
        self.bucket.count(operation, plan.fault);
        plan
    }

    async fn end<T>(&self, what: String, plan: &Plan, result: Result<T>) -> Result<T> {
        self.link.runs().await;
        let Self { process, bucket, .. } = self;
        let word = word(&result);
        match plan.fault {
            Some(fault) => bucket.trace().note(format_args!("{process} {what} {word}: {fault:?}")),
            None => bucket.trace().note(format_args!("{process} {what} {word}")),
        }
        result
    }

    async fn write(&self, operation: Operation, write: Write) -> Result<PutResult> {
        let plan = self.begin(operation).await;
        let result = self.deliver(&plan, &write).await;
        self.end(write.to_string(), &plan, result).await
    }

    async fn deliver(&self, plan: &Plan, write: &Write) -> Result<PutResult> {
        let path = write.path();
        match plan.fault {
            None => {
                let result = self.send(plan, write).await;
                sleep(plan.back).await;
                result
            }
            Some(Fault::CommitThenError) => {
                let _ = self.send(plan, write).await;
                Err(broken())
            }
            Some(Fault::CommitThenHang) => {
                let _ = self.send(plan, write).await;
                self.link.hang(plan.hang).await;
                Err(silent())
            }
            Some(Fault::LateLanding) => {
                let late = Plan { there: plan.there + plan.late, lands_anyway: true, ..*plan };
                drop(self.dispatch(&late, write));
                sleep(plan.there).await;
                Err(silent())
            }
            Some(Fault::DuplicateDelivery) => {
                let result = self.send(plan, write).await;
                let again = Plan { there: plan.late, lands_anyway: true, ..*plan };
                drop(self.dispatch(&again, write));
                sleep(plan.back).await;
                result
            }
            Some(Fault::OwnConflict) => {
                let _ = self.send(plan, write).await;
                Err(exists(path))
            }
            Some(Fault::OwnPrecondition) => match self.send(plan, write).await {
                Ok(_) | Err(Error::AlreadyExists { .. }) => Err(unmet(path)),
                result => result,
            },
            Some(fault) => Err(self.refuse(fault, plan, path).await),
        }
    }

    /// Sends `write`, and waits for its reply.
    async fn send(&self, plan: &Plan, write: &Write) -> Result<PutResult> {
        match self.dispatch(plan, write).await {
            Ok(result) => result,
            // It was lost on the way from a process that is gone.
            Err(_) => std::future::pending().await,
        }
    }

    /// Sends `write` on a way of its own.
    fn dispatch(&self, plan: &Plan, write: &Write) -> oneshot::Receiver<Result<PutResult>> {
        let (reply, replied) = oneshot::channel();
        let (plan, write, store) = (*plan, write.clone(), self.clone());
        tokio::spawn(async move {
            sleep(plan.there).await;
            let is_sender_gone = store.link.is_dead() || reply.is_closed();
            if plan.lands_anyway || !is_sender_gone {
                // Whoever has given up does not want to know.
                let _ = reply.send(store.bucket.apply(&write).await);
            }
        });
        replied
    }

    /// What an operation comes to that is not done at all.
    async fn refuse(&self, fault: Fault, plan: &Plan, path: &Path) -> Error {
        match fault {
            Fault::Hang => self.link.hang(plan.hang).await,
            _ => sleep(plan.there).await,
        }
        match fault {
            Fault::FalseConflict => exists(path),
            Fault::SlowDown => slow_down(),
            Fault::Revoked => denied(path),
            Fault::Hang => silent(),
            _ => broken(),
        }
    }

    /// The objects below `prefix` that come after `offset`.
    async fn objects(
        &self,
        prefix: Option<Path>,
        offset: Option<Path>,
    ) -> BoxStream<'static, Result<ObjectMeta>> {
        let plan = self.begin(Operation::List).await;
        let prefix = prefix.as_ref();
        let result = match plan.fault {
            Some(fault) if is_refusal(fault) => {
                Err(self.refuse(fault, &plan, &prefix.cloned().unwrap_or_default()).await)
            }
            _ => {
                sleep(plan.there).await;
                let found = self.bucket.list(prefix, age(&plan)).await;
                sleep(plan.back).await;
                found
            }
        };
        let length = result.as_ref().map_or(0, Vec::len);
        let what = format!("list {} of {length}", prefix.unwrap_or(&Path::default()));
        match self.end(what, &plan, result).await {
            Ok(mut objects) => {
                let offset = offset.unwrap_or_default();
                objects.retain(|object| object.location > offset);
                body::listing(objects, &plan)
            }
            Err(error) => stream::iter([Err(error)]).boxed(),
        }
    }
}

#[async_trait]
impl ObjectStore for FaultStore {
    async fn put_opts(
        &self,
        location: &Path,
        payload: PutPayload,
        options: PutOptions,
    ) -> Result<PutResult> {
        let operation = match options.mode {
            PutMode::Create => Operation::Create,
            PutMode::Overwrite | PutMode::Update(_) => Operation::Overwrite,
        };
        self.write(operation, Write::Put(location.clone(), payload, options)).await
    }

    async fn get_opts(&self, location: &Path, options: GetOptions) -> Result<GetResult> {
        let (operation, verb) =
            if options.head { (Operation::Head, "head") } else { (Operation::Get, "get") };
        let plan = self.begin(operation).await;
        let result = match plan.fault {
            Some(fault) if is_refusal(fault) => Err(self.refuse(fault, &plan, location).await),
            _ => {
                sleep(plan.there).await;
                let found = self.bucket.store().get_opts(location, options).await;
                sleep(plan.back).await;
                match found {
                    Ok(found) if operation == Operation::Get => {
                        body::spoil(found, &plan, self.link.clone()).await
                    }
                    found => found,
                }
            }
        };
        self.end(format!("{verb} {location}"), &plan, result).await
    }

    fn delete_stream(
        &self,
        locations: BoxStream<'static, Result<Path>>,
    ) -> BoxStream<'static, Result<Path>> {
        let store = self.clone();
        let delete = move |location: Path| {
            let store = store.clone();
            async move {
                store.write(Operation::Delete, Write::Delete(location.clone())).await?;
                Ok(location)
            }
        };
        locations.and_then(delete).boxed()
    }

    fn list(&self, prefix: Option<&Path>) -> BoxStream<'static, Result<ObjectMeta>> {
        let (store, prefix) = (self.clone(), prefix.cloned());
        let objects = async move { store.objects(prefix, None).await };
        objects.flatten_stream().boxed()
    }

    fn list_with_offset(
        &self,
        prefix: Option<&Path>,
        offset: &Path,
    ) -> BoxStream<'static, Result<ObjectMeta>> {
        let (store, prefix, offset) = (self.clone(), prefix.cloned(), offset.clone());
        let objects = async move { store.objects(prefix, Some(offset)).await };
        objects.flatten_stream().boxed()
    }

    async fn list_with_delimiter(&self, prefix: Option<&Path>) -> Result<ListResult> {
        let plan = self.begin(Operation::Children).await;
        let root = Path::default();
        let result = match plan.fault {
            Some(fault) if is_refusal(fault) => {
                Err(self.refuse(fault, &plan, prefix.unwrap_or(&root)).await)
            }
            fault => {
                sleep(plan.there).await;
                let mut found = self.bucket.children(prefix, age(&plan)).await;
                sleep(plan.back).await;
                if let (Ok(found), Some(fault)) = (&mut found, fault) {
                    let mut rng = StdRng::seed_from_u64(plan.seed);
                    if fault == Fault::SkippedKeys {
                        found.common_prefixes.retain(|_| rng.random());
                        found.objects.retain(|_| rng.random());
                    }
                    found.common_prefixes.shuffle(&mut rng);
                    found.objects.shuffle(&mut rng);
                }
                found
            }
        };
        self.end(format!("children {}", prefix.unwrap_or(&root)), &plan, result).await
    }

    async fn put_multipart_opts(
        &self,
        _: &Path,
        _: PutMultipartOptions,
    ) -> Result<Box<dyn MultipartUpload>> {
        Err(unused())
    }

    async fn get_ranges(&self, _: &Path, _: &[Range<u64>]) -> Result<Vec<Bytes>> {
        Err(unused())
    }

    async fn copy_opts(&self, _: &Path, _: &Path, _: CopyOptions) -> Result<()> {
        Err(unused())
    }
}

impl fmt::Display for FaultStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "FaultStore({}, {})", self.process, self.bucket.store())
    }
}

/// Whether nothing at all comes back but an error.
fn is_refusal(fault: Fault) -> bool {
    matches!(fault, Fault::ErrorBefore | Fault::Hang | Fault::SlowDown | Fault::Revoked)
}

/// How old the listing is to be.
fn age(plan: &Plan) -> Duration {
    if plan.fault == Some(Fault::StaleListing) {
        STALE_MAX.mul_f64(StdRng::seed_from_u64(plan.seed).random())
    } else {
        Duration::ZERO
    }
}
