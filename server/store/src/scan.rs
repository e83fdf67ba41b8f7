//! Walks an index from either end, and lists only as much as is asked for. Its callers know nothing of hours and
//! minutes.

use futures::{Stream, StreamExt, TryStreamExt};
use hitl_core::Timestamp;

use crate::error::Error;
use crate::index::{HOUR_MS, Indexes, Listed, MINUTE_MS, minute_of};
use crate::keys::{Entry, Index};

/// Hours whose minutes are listed at the same time. It is few, since the walk may end in the first of them.
const HOURS_AHEAD: usize = 4;

/// From which end an index is walked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// From the earliest instant on.
    Earliest,
    /// From the latest instant back.
    Latest,
}

/// A part of an index that may have entries, or that is damaged.
enum Part {
    Minute(Timestamp),
    Damaged(String),
}

impl Indexes {
    /// What `index` has after `after` in this `order`, one short listing at a time: a part that the store has
    /// damaged is named there, and the rest is found.
    pub fn scan(
        &self,
        index: Index,
        after: Option<Entry>,
        order: Order,
    ) -> impl Stream<Item = Result<Listed<Entry>, Error>> {
        let bound = after.clone();
        let parts = futures::stream::once(self.parts(index, after, order)).try_flatten();
        parts.and_then(move |part| {
            let after = bound.clone();
            async move {
                match part {
                    Part::Damaged(part) => Ok(Listed { found: Vec::new(), damaged: vec![part] }),
                    Part::Minute(minute) => {
                        let entries = self.minute(index, minute).await?;
                        Ok(ordered(entries, after.as_ref(), order))
                    }
                }
            }
        })
    }

    /// The minutes that may have entries after `after`. Each hour is listed when the walk comes to it. What is damaged
    /// of an hour comes before its minutes.
    async fn parts(
        &self,
        index: Index,
        after: Option<Entry>,
        order: Order,
    ) -> Result<impl Stream<Item = Result<Part, Error>>, Error> {
        let mut hours = self.hours(index).await?;
        let at = after.map(|entry| minute_of(entry.time));
        // An hour, or a minute, that begins before this instant ends before it too.
        let has_more = move |begin: Timestamp, length_ms: i64| match (order, at) {
            (_, None) => true,
            (Order::Earliest, Some(at)) => begin.plus_ms(length_ms) > at,
            (Order::Latest, Some(at)) => begin <= at,
        };
        hours.found.retain(|hour| has_more(*hour, HOUR_MS));
        if order == Order::Latest {
            hours.found.reverse();
        }
        let look = move |hour| async move {
            let mut minutes = self.minutes_of(index, hour).await?;
            minutes.found.retain(|minute| has_more(*minute, MINUTE_MS));
            if order == Order::Latest {
                minutes.found.reverse();
            }
            Ok::<_, Error>(minutes)
        };
        let damaged = hours.damaged.into_iter().map(|part| Ok(Part::Damaged(part)));
        let hours = futures::stream::iter(hours.found).map(look).buffered(HOURS_AHEAD);
        let minutes = hours.map_ok(|Listed { found, damaged }| {
            let damaged = damaged.into_iter().map(|part| Ok(Part::Damaged(part)));
            let minutes = found.into_iter().map(|minute| Ok(Part::Minute(minute)));
            futures::stream::iter(damaged.chain(minutes))
        });
        Ok(futures::stream::iter(damaged).chain(minutes.try_flatten()))
    }
}

fn ordered(entries: Listed<Entry>, after: Option<&Entry>, order: Order) -> Listed<Entry> {
    let Listed { mut found, damaged } = entries;
    match order {
        Order::Earliest => found.retain(|entry| after.is_none_or(|after| entry > after)),
        Order::Latest => {
            found.retain(|entry| after.is_none_or(|after| entry < after));
            found.reverse();
        }
    }
    Listed { found, damaged }
}
