//! Asks a store, before anything rests on it, whether it honours create-once.
//!
//! Several look-alikes of the great stores take the condition and ignore it.

use bytes::Bytes;
use object_store::path::Path;
use object_store::{Error as StoreError, PutMode};

use crate::error::Error;
use crate::store::objects::Objects;
use crate::store::open::OpenError;

/// Creates one object twice: the second create must be refused, and must have changed nothing.
pub(crate) async fn create_once(objects: &Objects) -> Result<(), OpenError> {
    let path = Path::from("meta/probe");
    objects.delete(&path).await?;
    let result = twice(objects, &path).await;
    objects.delete(&path).await?;
    result
}

async fn twice(objects: &Objects, path: &Path) -> Result<(), OpenError> {
    let (first, second) = (Bytes::from_static(b"first"), Bytes::from_static(b"second"));
    objects.put(path, first.clone(), PutMode::Create).await.map_err(Error::from)?;
    let unfit = |what: &str| Err(OpenError::Unfit(what.to_owned()));
    match objects.put(path, second, PutMode::Create).await {
        Err(StoreError::AlreadyExists { .. } | StoreError::Precondition { .. }) => {}
        Err(error) => return Err(Error::from(error).into()),
        Ok(()) => return unfit("it let a second writer create an object that another had created"),
    }
    match objects.bytes(path).await? {
        Some(found) if found == first => Ok(()),
        Some(_) => unfit("it refused a second create, and changed the object all the same"),
        None => unfit("an object that it had just taken could not be read"),
    }
}
