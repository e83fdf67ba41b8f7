//! What stands below `meta/`: that this is a store, and which key its links are signed with.

use object_store::PutMode;

use crate::error::Error;
use crate::events::EventStore;
use crate::keys;
use crate::open::OpenError;
use crate::record::{self, LinkKeyRecord, VERSION};

/// Hashes of the keys of links that a server has, by which others are told from them.
#[derive(Clone, Copy, Debug)]
pub struct LinkKeyPrints<'a> {
    /// The one that it signs with.
    pub signing: &'a str,
    /// The one that it signed with before.
    pub previous: Option<&'a str>,
    /// The one that others may sign with already.
    pub next: Option<&'a str>,
}

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

    /// Makes sure that every server of this store knows the key that its links are signed with. The first server
    /// decides, and whoever comes with another has to have that one beside it: then links are signed with the other
    /// from now on. Says whether they are so since this call.
    ///
    /// # Errors
    /// [`OpenError::OtherLinkKey`], and those of the store.
    pub async fn hold_to_link_key(&self, prints: LinkKeyPrints<'_>) -> Result<bool, OpenError> {
        let path = keys::link_key();
        let ours = LinkKeyRecord { version: VERSION, fingerprint: prints.signing.to_owned() };
        let ours = record::encode(&ours);
        let Err(error) = self.objects.put(&path, ours.clone(), PutMode::Create).await else {
            return Ok(false);
        };
        // Whatever failure the store names, what is there then is what counts.
        let found = self.objects.bytes(&path).await?;
        let found = found.and_then(|bytes| serde_json::from_slice::<LinkKeyRecord>(&bytes).ok());
        match found.map(|found| found.fingerprint) {
            Some(found) if found == prints.signing || prints.next == Some(&*found) => Ok(false),
            Some(found) if prints.previous == Some(&*found) => {
                self.objects.put(&path, ours, PutMode::Overwrite).await.map_err(Error::from)?;
                Ok(true)
            }
            Some(_) => Err(OpenError::OtherLinkKey),
            None => Err(Error::from(error).into()),
        }
    }
}
