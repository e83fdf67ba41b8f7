//! Tries out, before a store is used, whether it keeps the promises that everything here rests on.
//!
//! Some servers that speak the protocol of S3 accept the condition of a create and ignore it. Others let two writers
//! both win a race. A server that lets two writers win only now and then is not found by a few races;
//! `docs/operations.md` says which stores are known to be fit.

use bytes::Bytes;
use futures::future::{join_all, try_join_all};
use object_store::path::Path;
use object_store::{Error as StoreError, PutMode};

use crate::error::Error;
use crate::objects::{Objects, is_refusal};
use crate::open::OpenError;
use crate::random::{self, Random};

/// Keys that are raced for, all at the same time.
const KEYS: usize = 4;
/// Writers that race for each.
const WRITERS: u8 = 8;

/// Creates objects of its own below `meta/probe`, which are gone afterwards, and tells what the store does wrong.
///
/// # Errors
/// [`OpenError::Unfit`], and [`OpenError::Failed`] if the store fails.
pub(crate) async fn probe(objects: &Objects, random: &dyn Random) -> Result<(), OpenError> {
    let nonce = u64::from_be_bytes(random::bytes(random));
    // The name is this probe's alone, since other replicas may start at the same time.
    let place = Path::from(format!("meta/probe/{nonce:016x}"));
    let keys: Vec<Path> = (0..KEYS).map(|key| place.clone().join(key.to_string())).collect();
    let result = check(objects, &place, &keys).await;
    // What is left of a probe that failed is harmless.
    let cleaned = try_join_all(keys.iter().map(|key| objects.delete(key))).await;
    result?;
    cleaned?;
    Ok(())
}

async fn check(objects: &Objects, place: &Path, keys: &[Path]) -> Result<(), OpenError> {
    let (first, rest) = keys.split_first().expect("there is more than one key");
    twice(objects, first).await?;
    try_join_all(rest.iter().map(|key| race(objects, key))).await?;
    list(objects, place, keys).await
}

/// The second create must be refused, and must have changed nothing.
async fn twice(objects: &Objects, path: &Path) -> Result<(), OpenError> {
    let (first, second) = (Bytes::from_static(b"first"), Bytes::from_static(b"second"));
    match objects.put(path, first.clone(), PutMode::Create).await {
        Err(StoreError::NotImplemented { .. } | StoreError::NotSupported { .. }) => {
            return unfit("it cannot create an object only if there is none");
        }
        Err(error) if !is_refusal(&error) => return Err(Error::from(error).into()),
        // If the very first create is refused, its first reply was lost and the client has repeated it.
        Ok(()) | Err(_) => {}
    }
    read(objects, path, &first).await?;
    match objects.put(path, second, PutMode::Create).await {
        Err(error) if is_refusal(&error) => {}
        Err(error) => return Err(Error::from(error).into()),
        Ok(()) => return unfit("it let a second writer create an object that another had created"),
    }
    match objects.bytes(path).await? {
        Some(found) if found == first => Ok(()),
        _ => unfit("it refused a second create, and changed the object all the same"),
    }
}

/// Several create the same object at the same time. One may win, and what that one wrote must be there.
async fn race(objects: &Objects, path: &Path) -> Result<(), OpenError> {
    let body = |writer| Bytes::from(vec![writer]);
    let creates = (0..WRITERS).map(|writer| objects.put(path, body(writer), PutMode::Create));
    let outcomes = join_all(creates).await;
    let winners: Vec<u8> =
        (0..WRITERS).zip(&outcomes).filter_map(|(writer, o)| o.is_ok().then_some(writer)).collect();
    let failure = outcomes.into_iter().find_map(|o| o.err().filter(|error| !is_refusal(error)));
    match (winners.as_slice(), failure) {
        ([winner], _) => read(objects, path, &body(*winner)).await,
        ([], Some(error)) => Err(Error::from(error).into()),
        // The winner's reply was lost, and asked for again.
        ([], None) => Ok(()),
        (several, _) => unfit(&format!(
            "it let {} of {WRITERS} writers at the same time create the same object",
            several.len()
        )),
    }
}

async fn read(objects: &Objects, path: &Path, expected: &Bytes) -> Result<(), OpenError> {
    match objects.bytes(path).await? {
        Some(found) if found == expected => Ok(()),
        Some(_) => unfit("an object that it had just taken had other contents"),
        None => unfit("an object that it had just taken could not be read"),
    }
}

/// What was written must be listed at once.
async fn list(objects: &Objects, place: &Path, keys: &[Path]) -> Result<(), OpenError> {
    let mut listed = objects.list(place).await?.found;
    listed.sort_unstable();
    if listed == keys {
        return Ok(());
    }
    unfit(&format!(
        "of {} objects that it had just taken it listed {}",
        keys.len(),
        keys.iter().filter(|key| listed.contains(key)).count()
    ))
}

fn unfit(what: &str) -> Result<(), OpenError> {
    Err(OpenError::Unfit(what.to_owned()))
}
