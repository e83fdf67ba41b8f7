//! A disk as they are: what was written is in its cache until it is told to flush, and a power cut takes of the cache
//! what chance takes, sector by sector.
//!
//! The power fails at a chosen operation, so that a cut hits the middle of a sync as often as a pause between two.

use rand::RngExt;
use rand::rngs::StdRng;

use crate::blocks::Blocks;
use crate::losses::Losses;

/// What a disk writes whole or not at all.
pub(crate) const SECTOR: usize = 512;

/// What begins below this is never torn. ext4 keeps its superblock there, with one checksum over two sectors and no
/// copy that it would look for by itself: to tear it is to lose the file system, whoever writes to it.
const TORN_FROM: u64 = 4_096;

/// The power is gone: nobody gets a reply.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct PowerGone;

/// See the module.
#[derive(Debug)]
pub(crate) struct Disk {
    /// What survives.
    durable: Blocks,
    /// What is read.
    current: Blocks,
    /// What is in `current` and not in `durable`, in the order in which it came.
    unflushed: Vec<Write>,
    power: Power,
    /// Writes and flushes so far.
    operations: u64,
    rng: StdRng,
}

#[derive(Debug)]
struct Write {
    offset: u64,
    data: Vec<u8>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Power {
    On,
    /// The power fails at the write or flush after so many more.
    FailsAfter(u64),
    Gone,
}

/// What a power cut leaves of the writes that were not flushed.
#[derive(Debug, Clone, Copy)]
enum Mood {
    /// Nothing.
    TakesAll,
    /// Those up to some moment, and a part of the next one.
    KeepsFirst(usize),
    /// Any, in whole or in part.
    Whim,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fate {
    Kept,
    Torn,
    Dropped,
}

impl Disk {
    /// A disk that holds `blocks`.
    pub(crate) fn new(blocks: Blocks, rng: StdRng) -> Self {
        let current = blocks.clone();
        Self {
            durable: blocks,
            current,
            unflushed: Vec::new(),
            power: Power::On,
            operations: 0,
            rng,
        }
    }

    pub(crate) fn read(&self, offset: u64, into: &mut [u8]) -> Result<(), PowerGone> {
        if self.is_off() {
            return Err(PowerGone);
        }
        self.current.read(offset, into);
        Ok(())
    }

    /// Takes a write into the cache. If the power fails meanwhile, what comes of it is left to chance too.
    pub(crate) fn write(&mut self, offset: u64, data: Vec<u8>) -> Result<(), PowerGone> {
        if self.is_off() {
            return Err(PowerGone);
        }
        self.current.write(offset, &data);
        self.unflushed.push(Write { offset, data });
        self.spend()
    }

    /// Makes everything durable that was written. If the power fails meanwhile, that has happened or has not.
    pub(crate) fn flush(&mut self) -> Result<(), PowerGone> {
        if self.is_off() {
            return Err(PowerGone);
        }
        let spent = self.spend();
        if spent.is_ok() || self.rng.random_bool(0.5) {
            for Write { offset, data } in self.unflushed.drain(..) {
                self.durable.write(offset, &data);
            }
        }
        spent
    }

    /// Has the power fail at the write or flush after `operations` more.
    pub(crate) fn fail_after(&mut self, operations: u64) {
        self.power = Power::FailsAfter(operations);
    }

    /// The power does not fail, unless it has failed already.
    pub(crate) fn do_not_fail(&mut self) {
        if !self.is_off() {
            self.power = Power::On;
        }
    }

    /// How many writes and flushes there were so far.
    pub(crate) fn operations(&self) -> u64 {
        self.operations
    }

    pub(crate) fn is_off(&self) -> bool {
        self.power == Power::Gone
    }

    /// Cuts the power, if it is not gone yet, and switches it on again: what was lost is lost.
    pub(crate) fn power_cycle(&mut self) -> Losses {
        let mut losses = Losses::default();
        let mood = self.mood();
        for (number, write) in std::mem::take(&mut self.unflushed).iter().enumerate() {
            let fate = mood.fate(number, &mut self.rng);
            let fate = self.land(write, fate);
            losses += match fate {
                Fate::Kept => Losses { kept: 1, ..Losses::default() },
                Fate::Torn => Losses { torn: 1, ..Losses::default() },
                Fate::Dropped => Losses { dropped: 1, ..Losses::default() },
            };
        }
        self.current = self.durable.clone();
        self.power = Power::On;
        losses
    }

    fn mood(&mut self) -> Mood {
        match self.rng.random_range(0..3) {
            0 => Mood::TakesAll,
            1 => Mood::KeepsFirst(self.rng.random_range(0..self.unflushed.len().max(1))),
            _ => Mood::Whim,
        }
    }

    /// Has a write meet its fate, and says what came of it: a write of one sector cannot be torn.
    fn land(&mut self, write: &Write, fate: Fate) -> Fate {
        let whole = if self.rng.random_bool(0.5) { Fate::Kept } else { Fate::Dropped };
        let fate = if fate == Fate::Torn && write.offset < TORN_FROM { whole } else { fate };
        let (mut kept, mut lost) = (0, 0);
        let mut offset = write.offset;
        for sector in write.data.chunks(SECTOR) {
            let lands = match fate {
                Fate::Kept => true,
                Fate::Torn => self.rng.random_bool(0.5),
                Fate::Dropped => false,
            };
            if lands {
                self.durable.write(offset, sector);
                kept += 1;
            } else {
                lost += 1;
            }
            offset += SECTOR as u64;
        }
        match (kept, lost) {
            (_, 0) => Fate::Kept,
            (0, _) => Fate::Dropped,
            _ => Fate::Torn,
        }
    }

    /// Counts an operation, at which the power may fail.
    fn spend(&mut self) -> Result<(), PowerGone> {
        self.operations += 1;
        self.power = match self.power {
            Power::FailsAfter(0) | Power::Gone => Power::Gone,
            Power::FailsAfter(left) => Power::FailsAfter(left - 1),
            Power::On => Power::On,
        };
        if self.is_off() { Err(PowerGone) } else { Ok(()) }
    }
}

impl Mood {
    /// What becomes of the write of this number.
    fn fate(self, number: usize, rng: &mut StdRng) -> Fate {
        match self {
            Self::TakesAll => Fate::Dropped,
            Self::KeepsFirst(kept) if number < kept => Fate::Kept,
            Self::KeepsFirst(kept) if number == kept => Fate::Torn,
            Self::KeepsFirst(_) => Fate::Dropped,
            Self::Whim => match rng.random_range(0..3) {
                0 => Fate::Kept,
                1 => Fate::Torn,
                _ => Fate::Dropped,
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;

    use super::*;

    fn disk(seed: u64) -> Disk {
        Disk::new(Blocks::default(), StdRng::seed_from_u64(seed))
    }

    fn sectors(disk: &Disk, count: usize) -> Vec<u8> {
        let mut all = vec![0; count * SECTOR];
        disk.read(TORN_FROM, &mut all).expect("the power is on");
        all.chunks(SECTOR).map(|sector| sector[0]).collect()
    }

    #[test]
    fn what_was_flushed_survives_and_the_rest_is_left_to_chance() {
        let mut sum = Losses::default();
        for seed in 0..50 {
            let mut disk = disk(seed);
            disk.write(TORN_FROM, vec![1; 2 * SECTOR]).expect("the power is on");
            disk.flush().expect("the power is on");
            let second = TORN_FROM + SECTOR as u64;
            disk.write(second, vec![2; 4 * SECTOR]).expect("the power is on");
            assert_eq!(sectors(&disk, 5), [1, 2, 2, 2, 2]);
            let losses = disk.power_cycle();
            let left = sectors(&disk, 5);
            let kept = left.iter().filter(|sector| **sector == 2).count();
            let (old, new) = if left[1] == 2 { (0, 2) } else { (1, 0) };
            assert!(left[0] == 1 && [old, new].contains(&left[1]), "{left:?}");
            let expected = match kept {
                0 => Losses { dropped: 1, ..Losses::default() },
                4 => Losses { kept: 1, ..Losses::default() },
                _ => Losses { torn: 1, ..Losses::default() },
            };
            assert_eq!(losses, expected, "{left:?}");
            sum += losses;
        }
        assert!(sum.kept > 0 && sum.torn > 0 && sum.dropped > 0, "{sum}");
    }

    #[test]
    fn the_power_fails_at_the_operation_chosen_and_nothing_works_until_it_is_back() {
        let mut disk = disk(1);
        disk.fail_after(2);
        disk.write(TORN_FROM, vec![1; SECTOR]).expect("the power is on");
        disk.flush().expect("the power is on");
        assert_eq!(disk.write(TORN_FROM, vec![2; SECTOR]), Err(PowerGone));
        assert!(disk.is_off());
        disk.do_not_fail();
        assert_eq!(disk.read(TORN_FROM, &mut [0; SECTOR]), Err(PowerGone));
        assert_eq!(disk.write(TORN_FROM, vec![3; SECTOR]), Err(PowerGone));
        assert_eq!(disk.flush(), Err(PowerGone));
        disk.power_cycle();
        assert!([1, 2].contains(&sectors(&disk, 1)[0]));
    }
}
