//! Point reads. They run on the caller's thread: a lookup in memory or in the page cache takes
//! microseconds, less than handing it to another thread.

use bytes::Bytes;
use futures::stream::{self, StreamExt};
use object_store::path::Path;
use object_store::{Error, GetOptions, GetRange, GetResult, GetResultPayload, Result};

use crate::error::{StoreError, not_found};
use crate::key;
use crate::record::{self, Record};
use crate::shared::Shared;

pub(crate) fn get(shared: &Shared, location: &Path, options: GetOptions) -> Result<GetResult> {
    if let Some(version) = &options.version {
        return Err(Error::NotSupported {
            source: format!("version {version}: only the latest is kept").into(),
        });
    }
    let bytes = load(shared, location)?;
    let record = Record::parse(&bytes)?;
    let meta = record.meta(location.clone())?;
    let attributes = record.attributes()?;
    options.check_preconditions(&meta)?;
    let range = match options.range {
        Some(range) => resolve(&range, meta.size)?,
        None => 0..meta.size,
    };
    let body = if options.head {
        Bytes::new()
    } else {
        let length = record.body_len();
        slice(&record::into_body(bytes, length), range.clone())
    };
    Ok(GetResult {
        payload: GetResultPayload::Stream(stream::iter([Ok(body)]).boxed()),
        meta,
        range,
        attributes,
        extensions: Default::default(),
    })
}

/// One lookup for all ranges, so that they are of the same version of the object.
pub(crate) fn get_ranges(
    shared: &Shared,
    location: &Path,
    ranges: &[std::ops::Range<u64>],
) -> Result<Vec<Bytes>> {
    let bytes = load(shared, location)?;
    let length = Record::parse(&bytes)?.body_len();
    let body = record::into_body(bytes, length);
    ranges
        .iter()
        .map(|range| {
            let range = resolve(&GetRange::Bounded(range.clone()), body.len() as u64)?;
            Ok(slice(&body, range))
        })
        .collect()
}

fn load(shared: &Shared, location: &Path) -> Result<fjall::Slice> {
    let found = shared.get(&key::of(location))?;
    found.ok_or_else(|| not_found(location))
}

fn resolve(range: &GetRange, length: u64) -> Result<std::ops::Range<u64>> {
    let resolved = range.as_range(length);
    resolved.map_err(|error| StoreError::Range(error.to_string()).into())
}

fn slice(body: &Bytes, range: std::ops::Range<u64>) -> Bytes {
    let index = |at| usize::try_from(at).expect("a range inside a body in memory fits");
    body.slice(index(range.start)..index(range.end))
}
