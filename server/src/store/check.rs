//! Looks at a store as a server does at its start, and says what it found.

use std::sync::Arc;

use crate::store::objects::Objects;
use crate::store::open::{self, OpenError, Options};
use crate::store::url::StoreUrl;
use crate::store::{Skew, probe};

/// Probes the store at `url`, whatever it holds; what that writes is gone afterwards. Returns how far this machine's
/// clock is ahead of the store's, in milliseconds, if that is too far.
///
/// # Errors
/// [`OpenError`].
pub async fn check(url: &StoreUrl, options: Options) -> Result<Option<i64>, OpenError> {
    let skew = Arc::new(Skew::default());
    let store = open::connect(url, options.clock, skew.clone(), options.on_fatal)?;
    let objects = Objects::new(store, options.metrics);
    probe::probe(&objects, &*options.random).await.map_err(|error| open::explain(error, url))?;
    Ok(skew.off_ms())
}
