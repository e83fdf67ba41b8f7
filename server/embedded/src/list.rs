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

use crate::damage::{self, Pieces};
use crate::error::StoreError;
use crate::key::{self, KeyRange};
use crate::record::Record;
use crate::shared::Shared;

/// Objects read in one go: about 0.2 ms of work.
const CHUNK: usize = 256;

/// All objects of `range`. The snapshot is the one of the first poll and is held until the stream
/// ends, which keeps the space of what is deleted meanwhile: do not park a listing.
///
/// A damaged place is an error in the stream, and the listing goes on behind it. A caller that needs all objects stops
/// at the error.
pub(crate) fn list(shared: Arc<Shared>, range: KeyRange) -> BoxStream<'static, Result<ObjectMeta>> {
    stream::try_unfold(Cursor::Start(shared, range), Cursor::next_chunk)
        .map_ok(stream::iter)
        .try_flatten()
        .boxed()
}

type Chunk = Vec<Result<ObjectMeta>>;

enum Cursor {
    Start(Arc<Shared>, KeyRange),
    At(Box<Listing>),
}

struct Listing {
    // The iterator drops before what it reads from.
    entries: Entries,
    /// What is not listed yet.
    rest: KeyRange,
    snapshot: Arc<Snapshot>,
    shared: Arc<Shared>,
}

enum Entries {
    Whole(fjall::Iter),
    /// Of a range with damaged places.
    Around(Pieces),
}

impl Cursor {
    async fn next_chunk(self) -> Result<Option<(Chunk, Self)>> {
        blocking(move || self.advance()).await
    }

    fn advance(self) -> Result<Option<(Chunk, Self)>> {
        let mut listing = match self {
            Self::Start(shared, rest) => {
                let snapshot = shared.durable()?;
                let entries = Entries::Whole(snapshot.range(&shared.objects, rest.clone()));
                Box::new(Listing { entries, rest, snapshot, shared })
            }
            Self::At(listing) => listing,
        };
        listing.shared.check()?;
        let mut chunk = Vec::with_capacity(CHUNK);
        while chunk.len() < CHUNK
            && let Some(object) = listing.next()
        {
            chunk.push(object);
        }
        Ok((!chunk.is_empty()).then_some((chunk, Self::At(listing))))
    }
}

impl Listing {
    fn next(&mut self) -> Option<Result<ObjectMeta>> {
        let entry = match &mut self.entries {
            Entries::Whole(entries) => entries.next().map(fjall::Guard::into_inner),
            Entries::Around(pieces) => pieces.next(&self.snapshot),
        };
        let error = match entry? {
            Ok((key, record)) => {
                self.rest.0 = Bound::Excluded(key.to_vec());
                return Some(object(&key, &record).map_err(Into::into));
            }
            Err(error) => error,
        };
        if matches!(self.entries, Entries::Whole(_)) && damage::is_damage(&error) {
            // It begins anew where it had come to, so that nothing beside the damaged place is lost.
            self.entries = Entries::Around(Pieces::of(&self.shared.objects, &self.rest));
            return self.next();
        }
        let what = match &self.rest.0 {
            Bound::Excluded(key) => key::path(key).map_or_else(
                |_| "a part of the listing".to_owned(),
                |path| format!("what is listed after {path}"),
            ),
            _ => "the beginning of the listing".to_owned(),
        };
        if !damage::is_damage(&error) {
            return Some(Err(StoreError::from(error).into()));
        }
        let file = match &self.entries {
            Entries::Around(pieces) => pieces.file().cloned(),
            Entries::Whole(_) => None,
        };
        Some(Err(self.shared.damaged(&error, what, file).into()))
    }
}

fn object(key: &[u8], record: &[u8]) -> Result<ObjectMeta, StoreError> {
    Record::parse(record)?.meta(key::path(key)?)
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
        let whole = children(&snapshot, &shared, &directory).map_err(|error| match error {
            StoreError::Read(error) => {
                let what = format!("the listing of {}", String::from_utf8_lossy(&directory[1..]));
                shared.explain(error, what, &key::starting_with(&directory))
            }
            other => other,
        })?;
        Ok(whole.result)
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
