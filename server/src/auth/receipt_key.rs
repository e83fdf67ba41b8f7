//! The file with the key that receipts are signed with, which lives like the one of the links.

use std::io;
use std::path::{Path, PathBuf};

use hitl_receipt::SigningKey;
use hitl_store::StoreUrl;
use hitl_store::random::Random;

use super::key_file;

/// Where the key is, unless somebody says otherwise: beside an embedded store and not in it, so that a copy of the
/// store signs nothing; else in the data directory. A store in memory has none that lasts.
///
/// # Errors
/// Those of `data_dir`.
pub fn place<E>(
    store: &StoreUrl,
    data_dir: impl FnOnce() -> Result<PathBuf, E>,
) -> Result<Option<PathBuf>, E> {
    match store {
        StoreUrl::Memory => Ok(None),
        StoreUrl::Embedded(directory) => Ok(Some(super::beside(directory, "receipt"))),
        StoreUrl::Files(_) | StoreUrl::Bucket(_) => Ok(Some(data_dir()?.join("receipt.key"))),
    }
}

/// The key in `file`, which is made if there is none.
///
/// # Errors
/// The file cannot be read or made, can be read by others, or holds no key.
pub fn load_or_make(file: &Path, random: &dyn Random) -> io::Result<SigningKey> {
    key_file::load_or_make(file, random).map(|seed| SigningKey::from_seed(&seed))
}

/// Puts a new key in the place of the one in `file`, and returns both: what the old one has signed stays verifiable,
/// since its public half is in the store, and nobody can sign with it any more.
///
/// # Errors
/// The file cannot be read or written, can be read by others, or holds no key.
pub fn rotate(file: &Path, random: &dyn Random) -> io::Result<(SigningKey, SigningKey)> {
    let old = key_file::load_existing(file)?;
    let new = key_file::replace(file, random)?;
    Ok((SigningKey::from_seed(&old), SigningKey::from_seed(&new)))
}
