//! Watching the disk of a store on this machine: that it is there, that its reserve is whole when it can be, and when
//! it fills up.

use crate::Service;

/// Time between two looks.
const LOOK_MS: i64 = 5_000;

impl Service {
    /// Looks at the disk until the shutdown. What it finds of a directory that is gone ends the process.
    pub(super) async fn watch_disk(&self) {
        let Some(disk) = self.0.store.disk() else {
            return;
        };
        let mut was_full = false;
        while !self.0.shutdown.is_cancelled() {
            if let Err(error) = disk.check_place() {
                tracing::error!(%error, "the store is gone");
                return;
            }
            disk.tend();
            let is_full = disk.is_full();
            if is_full != was_full {
                was_full = is_full;
                self.say_fullness(is_full);
            }
            let next = self.0.clock.monotonic().plus_ms(LOOK_MS);
            tokio::select! {
                () = self.0.shutdown.cancelled() => {}
                () = self.0.clock.pause_until(next) => {}
            }
        }
    }

    fn say_fullness(&self, is_full: bool) {
        let usage = self.0.store.disk().and_then(hitl_store::Disk::usage);
        let (free, reserve) =
            usage.map_or((0, 0), |usage| (usage.free_bytes, usage.reserve_held_bytes));
        if is_full {
            tracing::error!(
                free_bytes = free,
                reserve_bytes = reserve,
                "the disk is full: new events are refused until space is freed; those that are open can be answered"
            );
        } else {
            tracing::info!(free_bytes = free, "the disk has room again: new events are taken");
        }
    }
}
