//! Listings of buckets, which come in pages, each with a token for the next.
//!
//! A store, or a proxy before it, that gives the same token again makes its clients ask for ever. One that says that
//! there is more, and gives no token for it, makes them miss the rest. So each page is checked as it comes in, and so
//! are the keys of all pages: a key that comes twice shows that a page came twice. Every listing ends after a fixed
//! number of pages.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use futures::stream::{self, BoxStream};
use futures::{Stream, StreamExt};
use object_store::client::{HttpError, HttpErrorKind, HttpResponse, HttpResponseBody};
use object_store::path::Path;
use object_store::{Error as StoreError, ObjectMeta};

/// Most bytes of a page: a thousand keys, each written as long as a key can be.
const PAGE_BYTES_MAX: usize = 16 * 1024 * 1024;
/// Most pages of a listing of a whole store, of a thousand keys each.
pub(crate) const PAGES_MAX: usize = 1_000_000;

tokio::task_local! {
    /// The listing that the requests of this task are for.
    static LISTING: Arc<Listing>;
}

/// What is wrong with a listing.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Fault {
    #[error(
        "it lists the same page again and again: the token for the next page came twice ({0:?})"
    )]
    TokenTwice(String),
    #[error("it says that a listing goes on, and not where: there is no token for the next page")]
    NoToken,
    #[error("it lists the same again and again: {0} came twice")]
    KeyTwice(String),
    #[error("a listing does not end: it has more than {0} pages")]
    TooManyPages(usize),
    #[error("a page of a listing has more than {PAGE_BYTES_MAX} bytes")]
    TooLarge,
}

impl From<Fault> for StoreError {
    fn from(fault: Fault) -> Self {
        Self::Generic { store: "listing", source: Box::new(fault) }
    }
}

impl From<Fault> for HttpError {
    fn from(fault: Fault) -> Self {
        // Of the kinds that are not tried again.
        Self::new(HttpErrorKind::Decode, fault)
    }
}

/// The pages of one listing so far.
#[derive(Debug)]
struct Listing {
    pages_max: usize,
    tokens: Mutex<HashSet<String>>,
}

impl Listing {
    fn new(pages_max: usize) -> Arc<Self> {
        Arc::new(Self { pages_max, tokens: Mutex::default() })
    }

    fn turn(&self, token: &str) -> Result<(), Fault> {
        let mut tokens = self.tokens.lock().unwrap_or_else(PoisonError::into_inner);
        if !tokens.insert(token.to_owned()) {
            return Err(Fault::TokenTwice(token.to_owned()));
        }
        if tokens.len() >= self.pages_max {
            Err(Fault::TooManyPages(self.pages_max))
        } else {
            Ok(())
        }
    }
}

/// Does `work`, which makes one listing of at most `pages_max` pages.
pub(crate) async fn bounded<T>(pages_max: usize, work: impl Future<Output = T>) -> T {
    LISTING.scope(Listing::new(pages_max), work).await
}

/// The objects of `listing`, which has at most `pages_max` pages, until it repeats itself.
pub(crate) fn watched<'a>(
    pages_max: usize,
    listing: BoxStream<'a, Result<ObjectMeta, StoreError>>,
) -> impl Stream<Item = Result<ObjectMeta, StoreError>> + Send + use<'a> {
    let start = (listing, Listing::new(pages_max), Repetition::default());
    stream::unfold(Some(start), |state| async move {
        let (mut listing, pages, mut seen) = state?;
        let next = LISTING.scope(pages.clone(), listing.next()).await?;
        if let Ok(object) = &next
            && seen.is_met_by(&object.location)
        {
            return Some((Err(Fault::KeyTwice(object.location.to_string()).into()), None));
        }
        Some((next, Some((listing, pages, seen))))
    })
}

/// Finds out in constant space that keys repeat themselves: it remembers one key, and after twice as many keys another.
#[derive(Debug, Default)]
struct Repetition {
    remembered: Option<Path>,
    keys: u64,
}

impl Repetition {
    fn is_met_by(&mut self, key: &Path) -> bool {
        if self.remembered.as_ref() == Some(key) {
            return true;
        }
        self.keys += 1;
        if self.keys.is_power_of_two() {
            self.remembered = Some(key.clone());
        }
        false
    }
}

/// The reply to a request with this `query`, once it is known that the listing goes on behind it, if it is one.
pub(crate) async fn checked(
    query: Option<&str>,
    reply: HttpResponse,
) -> Result<HttpResponse, HttpError> {
    let query = query.unwrap_or_default();
    let is_list = query.contains("list-type=2") || query.contains("comp=list");
    if !is_list || !reply.status().is_success() {
        return Ok(reply);
    }
    let (head, body) = reply.into_parts();
    let page = collect(body).await?;
    if let Some(token) = next_token(&page)? {
        // A request outside of any listing has no pages.
        LISTING.try_with(|listing| listing.turn(&token)).unwrap_or(Ok(()))?;
    }
    Ok(HttpResponse::from_parts(head, page.into()))
}

async fn collect(body: HttpResponseBody) -> Result<Bytes, HttpError> {
    let mut parts = body.bytes_stream();
    let mut page = Vec::new();
    while let Some(part) = parts.next().await {
        let part = part?;
        if page.len() + part.len() > PAGE_BYTES_MAX {
            return Err(Fault::TooLarge.into());
        }
        page.extend_from_slice(&part);
    }
    Ok(page.into())
}

/// The token for the page after this one, in the words of S3 and Google Cloud or of Azure.
fn next_token(page: &[u8]) -> Result<Option<String>, Fault> {
    let page = String::from_utf8_lossy(page);
    let token = element(&page, "NextContinuationToken").or_else(|| element(&page, "NextMarker"));
    let token = token.filter(|token| !token.is_empty());
    let is_truncated = element(&page, "IsTruncated").is_some_and(|it| it.trim() == "true");
    match token {
        Some(token) => Ok(Some(token.to_owned())),
        None if is_truncated => Err(Fault::NoToken),
        None => Ok(None),
    }
}

/// The text of the only element of this name. A key may not hold a `<` that is not escaped.
fn element<'a>(page: &'a str, name: &str) -> Option<&'a str> {
    let (_, rest) = page.split_once(&format!("<{name}>"))?;
    rest.split_once(&format!("</{name}>")).map(|(text, _)| text)
}

#[cfg(test)]
#[path = "paging_tests.rs"]
mod tests;
