//! How the index is made, kept up to date and dropped.
//!
//! What happens in this process is told to it at once, by a short list that whoever searches takes in first. What other
//! replicas do on a shared store it learns by a watch.

use std::pin::pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures::TryStreamExt;
use hitl_core::{Event, Namespace, Namespaces, Request, Timestamp};
use hitl_store::clock::Monotonic;
use hitl_store::{Entry, Order};
use tokio::sync::Notify;

use super::Sort;
use super::doc::Wanted;
use super::index::{Candidates, Index, Place};
use crate::Service;
use crate::error::Error;
use crate::filter::Filter;
use crate::list::{Found, Part};
use crate::waiters::Owner;
use crate::watch::Watched;

/// After so long without a search the index is dropped.
const IDLE_MS: i64 = 30 * 60_000;
/// Pause before it is made again after a failure, or when there was no room for it.
const AGAIN_MS: i64 = 30_000;
/// How often it is seen whether anybody still searches.
const LOOK_MS: i64 = 60_000;
/// Most changes, and most bytes of their events, that wait to be taken in.
const NEWS_MAX: usize = 20_000;
const NEWS_BYTES_MAX: usize = 16 * 1024 * 1024;
/// Changes after which they are taken in without a search.
const NEWS_MANY: usize = 500;
/// Events read at the same time while it is made.
const READING_MAX: usize = 32;

/// The index of one process, if it has one.
#[derive(Debug, Default)]
pub(crate) struct Search {
    /// Whether changes are taken note of.
    is_kept: AtomicBool,
    /// Whether all that is pending is in it.
    is_ready: AtomicBool,
    index: Mutex<Index>,
    news: Mutex<News>,
    used: Mutex<Option<Monotonic>>,
    /// Notified when somebody searches while there is none, and when there is much news.
    wanted: Notify,
}

#[derive(Debug, Default)]
struct News {
    events: Vec<Event>,
    bytes: usize,
    /// Whether some did not fit.
    has_missed: bool,
}

impl Search {
    /// Takes note that `request` was created here.
    pub(crate) fn created(&self, request: &Arc<Request>) {
        if self.is_kept.load(Ordering::Relaxed) {
            self.tell(Event { request: request.clone(), response: None });
        }
    }

    /// Takes note that `event` has ended here.
    pub(crate) fn ended(&self, event: &Event) {
        if self.is_kept.load(Ordering::Relaxed) {
            self.tell(event.clone());
        }
    }

    fn tell(&self, event: Event) {
        let bytes = event.weight_bytes();
        let mut news = lock(&self.news);
        if news.events.len() >= NEWS_MAX || news.bytes + bytes > NEWS_BYTES_MAX {
            news.has_missed = true;
        } else {
            news.bytes += bytes;
            news.events.push(event);
        }
        let is_much =
            news.events.len().is_multiple_of(NEWS_MANY) || news.bytes > NEWS_BYTES_MAX / 4;
        drop(news);
        if is_much {
            self.wanted.notify_one();
        }
    }

    /// Somebody searches at `now`.
    pub(super) fn touch(&self, now: Monotonic) {
        *lock(&self.used) = Some(now);
        if !self.is_kept.load(Ordering::Relaxed) {
            self.wanted.notify_one();
        }
    }

    pub(super) fn is_ready(&self) -> bool {
        self.is_ready.load(Ordering::Acquire)
    }

    /// See [`Index::find`].
    pub(super) fn find(
        &self,
        part: Part,
        wanted: &Wanted,
        sort: Sort,
        after: Option<&Place>,
        count: usize,
    ) -> Candidates {
        self.take_news();
        lock(&self.index).find(part, wanted, sort, after, count)
    }

    pub(super) fn forget(&self, part: Part, entry: &Entry) {
        lock(&self.index).forget(part, entry);
    }

    pub(super) fn horizon(&self) -> Option<Timestamp> {
        lock(&self.index).horizon()
    }

    #[cfg(test)]
    pub(super) fn begin_history_at(&self, time: Timestamp) {
        lock(&self.index).begins_at(time);
    }

    /// Takes in what was told. False if the index is not whole any more.
    fn take_news(&self) -> bool {
        // Before the list is emptied, so that nobody searches between the two.
        let mut index = lock(&self.index);
        let news = std::mem::take(&mut *lock(&self.news));
        let fits = news.events.iter().all(|event| index.put(event));
        let is_whole = fits && !news.has_missed;
        if !is_whole {
            self.is_ready.store(false, Ordering::Release);
        }
        is_whole
    }

    fn begin(&self) {
        *lock(&self.index) = Index::default();
        *lock(&self.news) = News::default();
        self.is_kept.store(true, Ordering::Relaxed);
    }

    fn drop_all(&self) {
        self.is_kept.store(false, Ordering::Relaxed);
        self.is_ready.store(false, Ordering::Release);
        *lock(&self.index) = Index::default();
        *lock(&self.news) = News::default();
    }

    fn is_idle(&self, now: Monotonic) -> bool {
        lock(&self.used).is_none_or(|used| now.ms_since(used) > IDLE_MS)
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Why an index is not kept any longer.
enum Over {
    Shutdown,
    Idle,
    /// It does not hold all that it should.
    Broken,
}

impl Service {
    /// Makes the index whenever somebody searches, and keeps it as long as somebody does, until the shutdown.
    pub(crate) async fn keep_search(&self) {
        let (search, clock) = (&self.0.search, &self.0.clock);
        loop {
            tokio::select! {
                biased;
                () = self.0.shutdown.cancelled() => return,
                () = search.wanted.notified() => {}
            }
            if search.is_idle(clock.monotonic()) {
                continue;
            }
            let service = self.clone();
            let kept = self.0.background.run(async move { service.keep_one().await }).await;
            search.drop_all();
            match kept.and_then(|over| over) {
                Ok(Over::Shutdown) => return,
                Ok(Over::Idle) => continue,
                Ok(Over::Broken) => tracing::info!("searches go through the store for a while"),
                Err(error) => tracing::warn!(%error, "searches go through the store for a while"),
            }
            let again = clock.monotonic().plus_ms(AGAIN_MS);
            tokio::select! {
                biased;
                () = self.0.shutdown.cancelled() => return,
                () = clock.pause_until(again) => {}
            }
            search.wanted.notify_one();
        }
    }

    /// Makes an index and keeps it.
    async fn keep_one(&self) -> Result<Over, Error> {
        let search = &self.0.search;
        search.begin();
        let mut watch = match self.0.store.is_shared() {
            true => {
                let all =
                    Filter { namespaces: Namespaces::All, ..Filter::all_of(Namespace::default()) };
                let every = Duration::from_millis(LOOK_MS.unsigned_abs());
                Some(self.watch(all, &self.resume_token(), every, Owner::default())?)
            }
            false => None,
        };
        let begun = self.0.clock.monotonic();
        for part in [Part::Pending, Part::Ended] {
            if !self.take_part(part).await? {
                return Ok(Over::Broken);
            }
            search.is_ready.store(true, Ordering::Release);
        }
        let took_ms = self.0.clock.monotonic().ms_since(begun);
        tracing::info!(took_ms, "searches go by an index");
        loop {
            if !search.take_news() {
                return Ok(Over::Broken);
            }
            let look = self.0.clock.monotonic().plus_ms(LOOK_MS);
            let watched = async {
                match &mut watch {
                    Some(watch) => watch.next().await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                biased;
                () = self.0.shutdown.cancelled() => return Ok(Over::Shutdown),
                () = search.wanted.notified() => {}
                watched = watched => {
                    if let Watched::Change(change) = watched? {
                        search.tell(change.event);
                    }
                }
                () = self.0.clock.pause_until(look) => {}
            }
            if search.is_idle(self.0.clock.monotonic()) {
                return Ok(Over::Idle);
            }
        }
    }

    /// Takes in what the store has of `part`, as far as there is room. False if not all that is pending fits.
    async fn take_part(&self, part: Part) -> Result<bool, Error> {
        let search = &self.0.search;
        let (index, order) = match part {
            Part::Pending => (hitl_store::Index::Timers, Order::Earliest),
            Part::Ended => (hitl_store::Index::Resolved, Order::Latest),
        };
        if part == Part::Ended {
            // Nothing of the history is known yet: only what ends from now on.
            lock(&search.index).begins_at(self.0.clock.now());
        }
        let mut listings = pin!(self.0.store.indexes().scan(index, None, order));
        while let Some(listed) = listings.try_next().await? {
            for batch in listed.found.chunks(READING_MAX) {
                let read = self.read_all(part, batch.to_vec()).await?;
                let mut index = lock(&search.index);
                for (_, found) in read {
                    if let Found::Holds(event) = found
                        && !index.put(&event)
                    {
                        return Ok(false);
                    }
                }
                if let (Part::Ended, Some(last)) = (part, batch.last()) {
                    if !index.has_room() {
                        return Ok(true);
                    }
                    index.reaches_back_to(last.time.plus_ms(1));
                }
                drop(index);
                if self.0.shutdown.is_cancelled() {
                    return Err(Error::ShuttingDown);
                }
            }
        }
        if part == Part::Ended {
            lock(&search.index).has_all();
        }
        Ok(true)
    }
}
