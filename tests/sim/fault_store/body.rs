//! Bodies and listings that are not what they should be.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures::stream::BoxStream;
use futures::{StreamExt, stream};
use object_store::{GetResult, GetResultPayload, ObjectMeta, Result};
use rand::rngs::StdRng;
use rand::seq::SliceRandom;
use rand::{Rng, RngExt, SeedableRng};

use super::error::{broken, silent};
use super::fault::Fault;
use super::link::{Link, Plan};

/// Parts of a body that comes slowly.
const PARTS: u32 = 4;

/// `found`, with the body that `plan` wants it to have.
pub(crate) async fn spoil(found: GetResult, plan: &Plan, link: Arc<Link>) -> Result<GetResult> {
    let GetResult { meta, range, attributes, extensions, .. } = &found;
    let (meta, range) = (meta.clone(), range.clone());
    let (attributes, extensions) = (attributes.clone(), extensions.clone());
    let bytes = found.bytes().await?;
    let mut rng = StdRng::seed_from_u64(plan.seed);
    let cut = rng.random_range(0..bytes.len().max(1)).min(bytes.len());
    let chunks = match plan.fault {
        Some(Fault::TruncatedBody) => vec![Ok(bytes.slice(..cut))],
        Some(Fault::BrokenBody) => vec![Ok(bytes.slice(..cut)), Err(broken())],
        Some(Fault::GarbageBody) => {
            let mut garbage = vec![0; bytes.len()];
            rng.fill_bytes(&mut garbage);
            vec![Ok(Bytes::from(garbage))]
        }
        Some(Fault::SlowBody) => {
            return Ok(GetResult {
                payload: GetResultPayload::Stream(slowly(&bytes, plan.hang, link)),
                meta,
                range,
                attributes,
                extensions,
            });
        }
        _ => vec![Ok(bytes)],
    };
    let payload = GetResultPayload::Stream(stream::iter(chunks).boxed());
    Ok(GetResult { payload, meta, range, attributes, extensions })
}

/// `bytes` in a few parts that take `time` together.
fn slowly(bytes: &Bytes, time: Duration, link: Arc<Link>) -> BoxStream<'static, Result<Bytes>> {
    let size = bytes.len().div_ceil(PARTS as usize).max(1);
    let parts: Vec<_> = bytes.chunks(size).map(|part| bytes.slice_ref(part)).collect();
    stream::iter(parts)
        .then(move |part| {
            let link = link.clone();
            async move {
                link.hang(time / PARTS).await;
                link.runs().await;
                Ok(part)
            }
        })
        .boxed()
}

/// `objects`, as the listing that `plan` wants.
pub(crate) fn listing(
    mut objects: Vec<ObjectMeta>,
    plan: &Plan,
) -> BoxStream<'static, Result<ObjectMeta>> {
    let mut rng = StdRng::seed_from_u64(plan.seed);
    let mut error = None;
    match plan.fault {
        Some(Fault::UnorderedListing | Fault::StaleListing) => objects.shuffle(&mut rng),
        Some(Fault::ShortListing) => {
            objects.truncate(rng.random_range(0..=objects.len()));
            error = Some(Err(silent()));
        }
        Some(Fault::EndlessListing) => {
            return stream::iter(objects.into_iter().cycle().map(Ok)).boxed();
        }
        Some(Fault::SkippedKeys) => objects.retain(|_| rng.random()),
        _ => {}
    }
    stream::iter(objects.into_iter().map(Ok).chain(error)).boxed()
}
