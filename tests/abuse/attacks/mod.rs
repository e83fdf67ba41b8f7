//! The kinds of harm, one function each: it goes on until it is told that it is over, and returns how often it was
//! done.

mod calls;
mod connections;
mod frames;
mod programs;
mod work;

use std::future::Future;
use std::pin::Pin;

use tokio_util::sync::CancellationToken;

use crate::peers::Target;

type Running = Pin<Box<dyn Future<Output = usize> + Send>>;

/// A kind of harm.
pub(crate) struct Attack {
    pub(crate) name: &'static str,
    /// Less than this means that it never took place.
    pub(crate) at_least: usize,
    pub(crate) run: fn(Target, CancellationToken) -> Running,
}

/// All of them.
pub(crate) const ATTACKS: &[Attack] = &[
    attack("lists that are not read, HTTP/2", 100, |t, o| Box::pin(calls::unread_lists(t, o))),
    attack("waits that are not read, HTTP/2", 1_000, |t, o| Box::pin(calls::unread_waits(t, o))),
    attack("pages and lists that are not read, HTTP/1", 100, |t, o| {
        Box::pin(connections::unread_pages(t, o))
    }),
    attack("replies read slowly, by slowhttptest", 1, |t, o| {
        Box::pin(programs::slow_readers(t, o))
    }),
    attack("heads that come slowly, by slowhttptest", 1, |t, o| {
        Box::pin(programs::slow_heads(t, o))
    }),
    attack("bodies that are not finished", 100, |t, o| {
        Box::pin(connections::unfinished_bodies(t, o))
    }),
    attack("bodies that trickle", 100, |t, o| Box::pin(connections::trickled_bodies(t, o))),
    attack("full headers on open streams", 1_000, |t, o| Box::pin(calls::full_headers(t, o))),
    attack("idle connections", 100, |t, o| Box::pin(connections::idle(t, o))),
    attack("waits that take every place", 1_000, |t, o| Box::pin(calls::hoarded_waits(t, o))),
    attack("prompts that explode", 5, |t, o| Box::pin(work::exploding_prompts(t, o))),
    attack("patterns that take long", 5, |t, o| Box::pin(work::heavy_patterns(t, o))),
    attack("as many calls as h2load makes", 1, |t, o| Box::pin(programs::load(t, o))),
    attack("frames: calls that are reset at once", 10, |t, o| Box::pin(frames::rapid_resets(t, o))),
    attack("frames: a head that never ends", 10, |t, o| Box::pin(frames::continuations(t, o))),
    attack("frames: settings", 10, |t, o| Box::pin(frames::settings(t, o))),
    attack("frames: pings", 10, |t, o| Box::pin(frames::pings(t, o))),
    attack("frames: windows and priorities", 10, |t, o| {
        Box::pin(frames::windows_and_priorities(t, o))
    }),
    attack("frames: empty data", 10, |t, o| Box::pin(frames::empty_data(t, o))),
    attack("frames: headers that grow when unpacked", 10, |t, o| {
        Box::pin(frames::compressed_headers(t, o))
    }),
];

const fn attack(
    name: &'static str,
    at_least: usize,
    run: fn(Target, CancellationToken) -> Running,
) -> Attack {
    Attack { name, at_least, run }
}
