//! Receipts of ended events, and the public keys that verify them.
//!
//! Only the signature is stored, in the same write as the response: what it is of is made of the stored request and
//! response anew, so that it cannot differ from what is recorded. A public key stands under its own name, which is made
//! of the key, so every server may put it there and none can put another.

use std::sync::{Arc, Mutex, PoisonError};

use futures::{StreamExt, TryStreamExt};
use hitl_core::receipt::{FORMAT, text};
use hitl_core::{Request, Response, Timestamp};
use hitl_receipt::{KEYS_MAX, KeySet, PublicKey, Receipt, Seal, SigningKey};
use object_store::PutMode;
use object_store::path::Path;

use crate::clock::Monotonic;
use crate::error::Error;
use crate::events::EventStore;
use crate::keys;
use crate::objects::Objects;
use crate::open::OpenError;
use crate::record::{self, Asked, ReceiptKeyRecord, RequestRecord, ResponseRecord, VERSION};

/// For how long the public keys are remembered. Anybody may ask for them, and hardly any are added.
const REMEMBERED_MS: i64 = 10_000;
/// Keys read at a time.
const READING_MAX: usize = 16;

/// What there is of the receipt of an event that was seen to have ended.
#[derive(Debug)]
pub enum ReceiptOf {
    /// The receipt.
    Event(Receipt),
    /// Nothing: whoever ended it signed nothing.
    Unsigned,
    /// Nothing any more: the event was removed.
    Removed,
}

/// A public key of receipts, and when a server first signed with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PublishedKey {
    /// The key.
    pub key: PublicKey,
    /// When.
    pub time: Timestamp,
}

/// The public keys, as they were read last.
#[derive(Debug, Default)]
pub(crate) struct ReceiptKeys(Mutex<Option<(Monotonic, Arc<[PublishedKey]>)>>);

impl EventStore {
    /// The receipt of the end of what `request` asks, which is recorded.
    ///
    /// # Errors
    /// [`Error::StoreUnavailable`], and [`Error::RecordUnreadable`] also if this program is too old for the receipt.
    pub async fn receipt(&self, request: &Request) -> Result<ReceiptOf, Error> {
        let path = keys::response(&request.key());
        let Some(record) = self.objects.read::<ResponseRecord>(&path).await? else {
            return Ok(ReceiptOf::Removed);
        };
        let Some(seal) = record.receipt else {
            return Ok(ReceiptOf::Unsigned);
        };
        match receipt(request, &record.response, seal) {
            Ok(receipt) => Ok(ReceiptOf::Event(receipt)),
            Err(message) => Err(unreadable(&path, message)),
        }
    }

    /// Puts `key`, with which this server signs, among the public keys of the store. Says whether it is new there.
    ///
    /// # Errors
    /// [`OpenError::TooManyReceiptKeys`], and those of the store.
    pub async fn publish_receipt_key(&self, key: &PublicKey) -> Result<bool, OpenError> {
        let path = keys::receipt_key(&key.id());
        let found = self.objects.bytes(&path).await?;
        if found.is_some_and(|bytes| published(&path, &bytes).is_ok()) {
            return Ok(false);
        }
        let others = self.objects.list(&keys::receipt_keys()).await?;
        if others.found.len() >= KEYS_MAX {
            return Err(OpenError::TooManyReceiptKeys);
        }
        let record = ReceiptKeyRecord { version: VERSION, x: key.x(), time: self.clock.now() };
        // Whatever stands there is damaged, or another server's record of the same key.
        let put = self.objects.put(&path, record::encode(&record), PutMode::Overwrite).await;
        put.map_err(Error::from)?;
        Ok(true)
    }

    /// The public keys of the store, the oldest first. What is damaged is left out.
    ///
    /// # Errors
    /// [`Error::StoreUnavailable`].
    pub async fn receipt_keys(&self) -> Result<Arc<[PublishedKey]>, Error> {
        let now = self.clock.monotonic();
        if let Some((read, keys)) = &*self.receipt_keys.lock()
            && now.ms_since(*read) <= REMEMBERED_MS
        {
            return Ok(keys.clone());
        }
        let keys: Arc<[_]> = read_all(&self.objects).await?.into();
        *self.receipt_keys.lock() = Some((now, keys.clone()));
        Ok(keys)
    }
}

impl ReceiptKeys {
    fn lock(&self) -> std::sync::MutexGuard<'_, Option<(Monotonic, Arc<[PublishedKey]>)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The signature of what `request` asks and that it ended with `response`.
pub(crate) fn seal(signer: &SigningKey, request: &Request, response: &Response) -> Seal {
    let text = text(FORMAT, request, response).expect("a program knows the format that it writes");
    signer.seal(FORMAT, &text)
}

/// The public keys in `objects`, to verify with.
pub(crate) async fn key_set(objects: &Objects) -> Result<KeySet, Error> {
    Ok(read_all(objects).await?.into_iter().map(|published| published.key).collect())
}

/// Refuses the record of a public key, `bytes` at `path`, that is damaged or of another key.
pub(crate) fn check_key(path: &Path, bytes: &[u8]) -> Result<(), Error> {
    published(path, bytes).map(drop).map_err(|message| unreadable(path, message))
}

/// Refuses the record of a response, which stands at `path`, if it has a receipt and that does not verify.
pub(crate) async fn check_receipt(
    objects: &Objects,
    keys: &KeySet,
    path: &Path,
    record: ResponseRecord,
) -> Result<(), Error> {
    let Some((seal, request)) = record.receipt.zip(keys::other_record(path)) else {
        return Ok(());
    };
    // Without the question there is nothing to verify: the event is being removed.
    let Some(RequestRecord { asked: Asked::Request(request), .. }) = objects.read(&request).await?
    else {
        return Ok(());
    };
    let verified = receipt(&request, &record.response, seal)
        .and_then(|receipt| receipt.verify(keys).map_err(|error| error.to_string()));
    let wrong = |message| format!("its receipt does not verify: {message}");
    verified.map(drop).map_err(|message| unreadable(path, wrong(message)))
}

/// The receipt that `seal` makes of what `request` asks and that it ended with `response`.
fn receipt(request: &Request, response: &Response, seal: Seal) -> Result<Receipt, String> {
    let text = text(seal.format, request, response).ok_or_else(|| {
        let format = seal.format;
        format!(
            "its receipt has format {format}, and this program knows up to {FORMAT}: upgrade it"
        )
    })?;
    Receipt::new(text, seal).map_err(|error| error.to_string())
}

async fn read_all(objects: &Objects) -> Result<Vec<PublishedKey>, Error> {
    let listed = objects.list(&keys::receipt_keys()).await?;
    let reads = listed.found.into_iter().take(KEYS_MAX).map(|path| async move {
        match objects.bytes(&path).await {
            Ok(bytes) => Ok(bytes.and_then(|bytes| noted(&path, published(&path, &bytes)))),
            Err(Error::RecordUnreadable { message, .. }) => Ok(noted(&path, Err(message))),
            Err(error) => Err(error),
        }
    });
    let read = futures::stream::iter(reads).buffer_unordered(READING_MAX);
    let mut keys: Vec<_> = read.try_filter_map(|key| async move { Ok(key) }).try_collect().await?;
    keys.sort_by_key(|published| (published.time, *published.key.bytes()));
    Ok(keys)
}

/// What is damaged is named in the log.
fn noted(path: &Path, key: Result<PublishedKey, String>) -> Option<PublishedKey> {
    key.inspect_err(
        |message| tracing::warn!(%path, message, "a public key of receipts cannot be read"),
    )
    .ok()
}

/// The public key in `bytes`, which stand at `path`.
fn published(path: &Path, bytes: &[u8]) -> Result<PublishedKey, String> {
    let record: ReceiptKeyRecord =
        serde_json::from_slice(bytes).map_err(|error| error.to_string())?;
    let key = PublicKey::from_x(&record.x).ok_or("it holds no public key")?;
    if keys::receipt_key_id(path) != Some(key.id().as_str()) {
        return Err("it holds another key than its name says".to_owned());
    }
    Ok(PublishedKey { key, time: record.time })
}

fn unreadable(path: &Path, message: String) -> Error {
    Error::RecordUnreadable { path: path.to_string(), message }
}

#[cfg(test)]
#[path = "receipts_tests.rs"]
mod tests;
