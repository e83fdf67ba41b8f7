//! What stands below `meta/`: that this is a store, and which key its links are signed with.

use object_store::PutMode;

use crate::error::Error;
use crate::events::EventStore;
use crate::keys;
use crate::open::OpenError;
use crate::record::{self, LinkKeyRecord, VERSION};

impl EventStore {
    /// Whether the store is there and can be read.
    ///
    /// A bucket that is gone says of every object that it is not there, and so does whatever answers in its stead; but
    /// one object is in every store.
    ///
    /// # Errors
    /// [`Error::StoreUnavailable`].
    pub async fn check(&self) -> Result<(), Error> {
        let path = keys::format();
        if self.objects.exists(&path).await? {
            return Ok(());
        }
        let missing = format!(
            "{path} is not in the store: the bucket or directory is gone, or something else answers in its stead"
        );
        Err(Error::StoreUnavailable(missing.into()))
    }

    /// Makes sure that every server of this store signs links with the same key, of which `fingerprint` is a hash. The
    /// first server decides.
    ///
    /// # Errors
    /// [`OpenError::OtherLinkKey`], and those of the store.
    pub async fn hold_to_link_key(&self, fingerprint: &str) -> Result<(), OpenError> {
        let path = keys::link_key();
        let ours = LinkKeyRecord { version: VERSION, fingerprint: fingerprint.to_owned() };
        let created = self.objects.put(&path, record::encode(&ours), PutMode::Create).await;
        let Err(error) = created else {
            return Ok(());
        };
        // Whatever failure the store names, what is there then is what counts.
        let found = self.objects.bytes(&path).await?;
        let found = found.and_then(|bytes| serde_json::from_slice::<LinkKeyRecord>(&bytes).ok());
        match found {
            Some(found) if found.fingerprint == fingerprint => Ok(()),
            Some(_) => Err(OpenError::OtherLinkKey),
            None => Err(Error::from(error).into()),
        }
    }
}
