//! Listings, sorted by path.
//!
//! A listing reads a chunk at a time on a blocking thread: never a whole prefix in memory, never
//! a long scan on a thread that serves requests. A delimited listing jumps over each common
//! prefix with one seek, however many objects are below it.

use std::ops::Bound;
use std::sync::Arc;

use fjall::{Readable, Snapshot};
use futures::stream::{self, BoxStream, StreamExt, TryStreamExt};
use object_store::path::{DELIMITER_BYTE, Path};
use object_store::{ListResult, ObjectMeta, Result};

use crate::error::StoreError;
use crate::key::{self, KeyRange};
use crate::record::Record;
use crate::shared::Shared;

/// Objects read in one go: about 0.2 ms of work.
const CHUNK: usize = 256;

/// All objects of `range`. The snapshot is the one of the first poll and is held until the stream
/// ends, which keeps the space of what is deleted meanwhile: do not park a listing.
pub(crate) fn list(shared: Arc<Shared>, range: KeyRange) -> BoxStream<'static, Result<ObjectMeta>> {
    stream::try_unfold(Cursor::Start(shared, range), Cursor::next_chunk)
        .map_ok(|chunk| stream::iter(chunk.into_iter().map(Ok)))
        .try_flatten()
        .boxed()
}

enum Cursor {
    Start(Arc<Shared>, KeyRange),
    // The iterator drops before what it reads from.
    At(fjall::Iter, Arc<Shared>),
}

impl Cursor {
    async fn next_chunk(self) -> Result<Option<(Vec<ObjectMeta>, Self)>> {
        blocking(move || self.advance()).await
    }

    fn advance(self) -> Result<Option<(Vec<ObjectMeta>, Self)>> {
        let (mut iter, shared) = match self {
            Self::Start(shared, range) => (shared.durable()?.range(&shared.objects, range), shared),
            Self::At(iter, shared) => (iter, shared),
        };
        shared.check()?;
        let mut chunk = Vec::with_capacity(CHUNK);
        for entry in iter.by_ref().take(CHUNK) {
            let (key, record) = entry.into_inner().map_err(StoreError::from)?;
            chunk.push(Record::parse(&record)?.meta(key::path(&key)?)?);
        }
        Ok((!chunk.is_empty()).then_some((chunk, Self::At(iter, shared))))
    }
}

/// The objects directly in the directory `prefix` and the directories in it. `object_store` wants
/// the result whole, so a directory must not have more direct children than fit in memory.
pub(crate) async fn list_with_delimiter(
    shared: Arc<Shared>,
    prefix: Option<&Path>,
) -> Result<ListResult> {
    let directory = key::directory(prefix);
    blocking(move || {
        let snapshot = shared.durable()?;
        Ok(children(&snapshot, &shared, &directory)?.result)
    })
    .await
}

pub(crate) struct Children {
    pub(crate) result: ListResult,
    /// How many entries were looked at: the cost of the listing.
    #[cfg_attr(not(test), expect(dead_code, reason = "what a test bounds"))]
    pub(crate) entries_read: usize,
}

pub(crate) fn children(
    snapshot: &Snapshot,
    shared: &Shared,
    directory: &[u8],
) -> Result<Children, StoreError> {
    let mut objects = Vec::new();
    let mut common_prefixes = Vec::new();
    let mut entries_read = 0;
    let (mut start, end) = key::starting_with(directory);
    'seek: loop {
        for entry in snapshot.range(&shared.objects, (start, end.clone())) {
            entries_read += 1;
            let (key, record) = entry.into_inner()?;
            let below = &key[directory.len()..];
            if let Some(at) = below.iter().position(|byte| *byte == DELIMITER_BYTE) {
                let common = &key[..directory.len() + at];
                common_prefixes.push(key::path(common)?);
                start = Bound::Included(key::after(&key[..=common.len()]));
                continue 'seek;
            }
            objects.push(Record::parse(&record)?.meta(key::path(&key)?)?);
        }
        break;
    }
    // The engine sorts `a-b/c` before `a/c`; as paths, `a` comes before `a-b`.
    common_prefixes.sort_unstable();
    let result = ListResult { common_prefixes, objects, extensions: Default::default() };
    Ok(Children { result, entries_read })
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T> + Send + 'static,
) -> Result<T> {
    tokio::task::spawn_blocking(work).await?
}
