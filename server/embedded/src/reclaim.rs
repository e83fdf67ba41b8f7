//! Gives space back after large removals.
//!
//! The engine never changes a table: what is removed or overwritten stays in its table until a merge meets it with the
//! entry that says so. Its own merges only see to it that no level grows too large. So after a removal nothing happens
//! until as much else is written, and entries that say that something was removed (dead ones) may even get to the last
//! level, where nothing is left that they could meet. This thread looks every few seconds how many entries are dead.
//! When those are an eighth of all, it has the engine move all levels down into the last one, in steps of a few tables
//! each, and then rewrites the tables of the last level that have dead entries. So the work is in proportion to what is
//! removed, and each step leaves a whole store behind.
//!
//! The engine moves a table down only if the next level has tables on both sides of it, or none. So there are two
//! entries that are never removed, before and behind all others ([`key::EDGES`]), which come to stand in the last level
//! with the first table. Where an earlier version made the store, all of it is merged once to bring them there.
//!
//! An error of the engine's own merges ends all writing. Here it ends only the pass: if it is damage, the file is named
//! in the log, nothing more is merged here, and the next start looks for damage first.

use std::collections::HashMap;
use std::ops::Bound;
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use fjall::compaction::Leveled;
use fjall::{AbstractTree, PersistMode};

use crate::batch::Op;
use crate::damage;
use crate::engine::{REMEDY, TABLE_BYTES};
use crate::key::{self, Key};
use crate::queue::Aside;
use crate::shared::Shared;

/// Time between two looks.
const LOOK: Duration = Duration::from_secs(if cfg!(test) { 1 } else { 10 });
/// The longest time between two looks, after passes that came to little.
const LOOK_MAX: Duration = Duration::from_secs(600);
/// One entry in so many has to be dead for a pass to be worth its while.
const PART: u64 = 8;
/// Fewer dead entries are left alone: with what they belong to, they take some 20 MB at most.
const DEAD_MIN: u64 = 10_000;
/// Tables of the last level that are rewritten at a time.
const GROUP: usize = 4;
/// A larger store is not merged as a whole.
const WHOLE_BYTES_MAX: u64 = 4 << 30;
/// Most steps of one pass, for each table that there was at its start.
const STEPS_A_TABLE: usize = 8;
/// How often it is looked whether the engine has moved to a table what was in memory.
const FLUSH_POLL: Duration = Duration::from_millis(5);
/// After so many snapshots have been let go of, the engine looks which old states nobody sees any more.
const SNAPSHOTS: usize = 10_000;

/// What a pass came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Worked {
    /// Half of the dead entries that it found, or more, are gone.
    Much,
    /// Fewer are gone, so that there is no use in passing again soon.
    Little,
}

/// Why a pass did not end as it should.
#[derive(Debug)]
pub(crate) enum Cut {
    /// The store closes or has stopped.
    Closed,
    /// The engine failed.
    Failed(fjall::Error),
}

impl<E: Into<fjall::Error>> From<E> for Cut {
    fn from(error: E) -> Self {
        Self::Failed(error.into())
    }
}

pub(crate) struct Reclaimer {
    shared: Arc<Shared>,
    writer: Aside,
    /// Moves all levels down: no level but the last is allowed to hold anything.
    down: Arc<Leveled>,
}

/// How many entries there are in memory and in tables, and how many of those say only that something was removed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Entries {
    pub(crate) all: u64,
    pub(crate) dead: u64,
}

impl Entries {
    fn and(self, all: u64, dead: u64) -> Self {
        Self { all: self.all + all, dead: self.dead + dead }
    }

    fn is_worth_a_pass(self) -> bool {
        self.dead >= DEAD_MIN && self.is_worth_a_merge()
    }

    fn is_worth_a_merge(self) -> bool {
        self.dead > 0 && self.dead.saturating_mul(PART) >= self.all
    }
}

impl Reclaimer {
    pub(crate) fn new(shared: Arc<Shared>, writer: Aside) -> Self {
        let down = Leveled::default().with_l0_threshold(0).with_table_target_size(TABLE_BYTES);
        Self { shared, writer, down: Arc::new(down) }
    }

    /// The thread ends when the store closes or has stopped.
    pub(crate) fn spawn(self) -> std::io::Result<JoinHandle<()>> {
        let name = "hitl-embedded-reclaimer".to_owned();
        thread::Builder::new().name(name).spawn(move || self.run())
    }

    fn run(&self) {
        self.shared.gate.end_mine_with_store();
        let mut pause = LOOK;
        while self.shared.gate.rest(pause) {
            if !self.is_worth_a_pass() {
                pause = LOOK;
                continue;
            }
            match self.pass() {
                // If enough was removed meanwhile, the next look begins the next pass.
                Ok(Worked::Much) => pause = LOOK,
                Ok(Worked::Little) => pause = (pause * 2).min(LOOK_MAX),
                Err(Cut::Closed) => return,
                Err(Cut::Failed(error)) if damage::is_damage(&error) => {
                    let all = (Bound::Unbounded, Bound::Unbounded);
                    let error = self.shared.explain(error, "a table".to_owned(), &all);
                    tracing::error!(%error, "space is not given back any more: {REMEDY}");
                    return;
                }
                Err(Cut::Failed(error)) => {
                    tracing::warn!(%error, "space could not be given back, and this is tried again");
                    pause = (pause * 2).min(LOOK_MAX);
                }
            }
        }
    }

    fn is_worth_a_pass(&self) -> bool {
        let memtable = self.shared.objects.tree.active_memtable().len() as u64;
        let most = self.entries_in_tables().and(memtable, memtable);
        // What is in memory is counted one by one, which takes some milliseconds.
        most.is_worth_a_pass() && self.entries().is_worth_a_pass()
    }

    /// The entries of the store.
    pub(crate) fn entries(&self) -> Entries {
        let memtable = self.shared.objects.tree.active_memtable();
        let dead = memtable.iter().filter(|entry| entry.key.is_tombstone()).count() as u64;
        self.entries_in_tables().and(memtable.len() as u64, dead)
    }

    fn entries_in_tables(&self) -> Entries {
        let version = self.shared.objects.tree.current_version();
        version.iter_tables().fold(Entries::default(), |entries, table| {
            entries.and(table.metadata.item_count, table.metadata.tombstone_count)
        })
    }

    /// Brings all levels down to the last, and rewrites what of that has dead entries.
    pub(crate) fn pass(&self) -> Result<Worked, Cut> {
        let begun = Instant::now();
        let before = self.shared.objects.disk_space();
        self.flush(Vec::new())?;
        let found = self.dead_by_table();
        self.bring_edges_down()?;
        self.move_down()?;
        // Where these stand, nothing is: they only make the tables meet something, which the engine asks for.
        for keys in self.dead_groups() {
            self.flush(keys)?;
            self.move_down()?;
        }
        // The files of tables that were merged are removed once no snapshot shows them any more.
        self.flush(vec![key::NOTHING.into()])?;
        let after = self.shared.objects.disk_space();
        let worked = self.worked(&found);
        tracing::info!(before, after, ?worked, took = ?begun.elapsed(), "space was given back");
        Ok(worked)
    }

    /// How many dead entries there are in each table.
    fn dead_by_table(&self) -> HashMap<u64, u64> {
        let version = self.shared.objects.tree.current_version();
        version.iter_tables().map(|table| (table.id(), table.metadata.tombstone_count)).collect()
    }

    /// What has become of the dead entries that were `found`. Those of tables that came later are left out: what is
    /// removed during a pass is none of its work.
    fn worked(&self, found: &HashMap<u64, u64>) -> Worked {
        let left = self.dead_by_table();
        let left = found.iter().filter(|(table, _)| left.contains_key(table));
        let left: u64 = left.map(|(_, dead)| dead).sum();
        if left * 2 <= found.values().sum() { Worked::Much } else { Worked::Little }
    }

    /// Merges the whole store if the last level does not reach from edge to edge, unless that is too much.
    fn bring_edges_down(&self) -> Result<(), Cut> {
        let tree = &self.shared.objects.tree;
        let version = tree.current_version();
        let tables = || version.iter_levels().last().into_iter().flat_map(|level| level.iter());
        let reaches = |edge: &[u8]| {
            let mut tables = tables().flat_map(|run| run.iter());
            tables.any(|table| table.metadata.key_range.contains_key(edge))
        };
        let bytes = tree.disk_space();
        let has_room = self.shared.room(0, 0).new_work > bytes;
        if key::EDGES.into_iter().all(reaches) || bytes > WHOLE_BYTES_MAX || !has_room {
            return Ok(());
        }
        tree.major_compact(TABLE_BYTES, self.seen())?;
        self.let_go(Vec::new())
    }

    /// Has the writer write that nothing is at `keys`, and moves what is in memory to a table.
    fn flush(&self, keys: Vec<Key>) -> Result<(), Cut> {
        self.let_go(keys)?;
        let objects = &self.shared.objects;
        objects.rotate_memtable()?;
        while objects.sealed_memtable_count() > 0 {
            // Nothing is buffered here; what matters is the error after a failed flush.
            self.shared.db.persist(PersistMode::Buffer)?;
            self.rest(FLUSH_POLL)?;
        }
        Ok(())
    }

    /// Has readers look at the state as it is after `keys`, and the engine drop those that nobody sees any more.
    fn let_go(&self, keys: Vec<Key>) -> Result<(), Cut> {
        let answer = self.writer.submit(Op::Erase { keys }).ok_or(Cut::Closed)?;
        answer.map_err(|error| fjall::Error::Io(std::io::Error::other(error)))?;
        (0..SNAPSHOTS).for_each(|_| drop(self.shared.db.snapshot()));
        Ok(())
    }

    /// Takes as long for each step as it rests after it, so that the engine's own merges and those who wait get on.
    fn move_down(&self) -> Result<(), Cut> {
        let steps = (self.shared.objects.table_count() + 1) * STEPS_A_TABLE;
        for _ in 0..steps {
            let begun = Instant::now();
            if !self.step()? {
                break;
            }
            self.rest(begun.elapsed())?;
            self.let_go(Vec::new())?;
        }
        Ok(())
    }

    /// Moves or merges a few tables. `false` if there is nothing left to do, or nothing at present.
    fn step(&self) -> Result<bool, Cut> {
        let tree = &self.shared.objects.tree;
        let before = tree.current_version().id();
        tree.compact(Arc::clone(&self.down) as _, self.seen())?;
        Ok(tree.current_version().id() != before)
    }

    /// What was overwritten before this is shown to nobody any more.
    fn seen(&self) -> fjall::SeqNo {
        self.shared.db.supervisor.snapshot_tracker.get_seqno_safe_to_gc()
    }

    /// A key beside the first of each table of the last level that has too many dead entries, for a few neighbours at a
    /// time.
    fn dead_groups(&self) -> Vec<Vec<Key>> {
        let version = self.shared.objects.tree.current_version();
        let mut groups = vec![Vec::new()];
        for table in version.iter_levels().last().into_iter().flat_map(|level| level.iter()) {
            for table in table.iter() {
                let meta = &table.metadata;
                let entries = Entries { all: meta.item_count, dead: meta.tombstone_count };
                let key = key::unused_after(meta.key_range.min());
                let last = groups.last_mut().expect("there is one from the start");
                if entries.is_worth_a_merge() && key <= *meta.key_range.max() {
                    last.push(key);
                }
                let is_cut = last.len() == GROUP || !entries.is_worth_a_merge();
                if is_cut && !last.is_empty() {
                    groups.push(Vec::new());
                }
            }
        }
        groups.retain(|keys| !keys.is_empty());
        groups
    }

    fn rest(&self, time: Duration) -> Result<(), Cut> {
        if self.shared.check().is_ok() && self.shared.gate.rest(time) {
            Ok(())
        } else {
            Err(Cut::Closed)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pass_is_worth_its_while_when_an_eighth_is_dead_and_not_for_few() {
        let is_worth = |all, dead| Entries { all, dead }.is_worth_a_pass();
        assert!(!is_worth(0, 0));
        assert!(!is_worth(DEAD_MIN - 1, DEAD_MIN - 1));
        assert!(is_worth(DEAD_MIN, DEAD_MIN));
        assert!(is_worth(DEAD_MIN * PART, DEAD_MIN));
        assert!(!is_worth(DEAD_MIN * PART + 1, DEAD_MIN));
        assert!(!Entries::default().is_worth_a_merge(), "a table with nothing dead stays");
    }
}
