//! Room on a disk: how much may still be written, and a part of it that is kept for what must be.
//!
//! A store that meets a full disk in the middle of a write has to end, since nobody knows what the disk took. So the
//! room is checked before each write. New work is refused while there is still some room, the reserve, which is kept
//! for answers, timeouts and deletions. The reserve is a file whose blocks are allocated, because other programs fill
//! disks too; it is cut shorter when the rest is full, and made whole again when there is room. Where a file system
//! allocates nothing ahead, the reserve is only a limit for new work.
//!
//! The file also keeps room for what the store has in memory and will write to a table later.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use rustix::fs::{FallocateFlags, StatVfs, fallocate, statvfs};

use crate::private;

/// The default reserve is one part in so many of the disk.
const DEFAULT_PART: u64 = 8;
/// The default reserve is at most so many bytes.
const DEFAULT_BYTES_MAX: u64 = 64 << 20;
/// By how much more than is needed the file is cut, so that not every write has to cut it. It is little, since other
/// programs may take what is given back.
const CUT_BYTES: u64 = 32 << 10;
/// By how much the file grows at least while the store writes.
const GROW_BYTES_MIN: u64 = 128 << 10;
/// It grows by one part in so many of the reserve, if that is more.
const GROW_PART: u64 = 16;
/// Unit in which the operating system counts the blocks of a file.
pub(crate) const BLOCK_BYTES: u64 = 512;
/// New work is refused while fewer files than one in so many can be made.
const FILES_PART: u64 = 64;
/// The most files that are kept for that.
const FILES_KEPT_MAX: u64 = 1_024;

/// Marks a write, among the extensions of `PutOptions`, as new work, which is refused while the reserve is needed.
#[derive(Clone, Copy, Debug)]
pub struct NewWork;

/// What a store itself needs of its disk, besides the write in question.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Floor {
    /// What it has yet to write: it stays free or in the reserve.
    pub kept_bytes: u64,
    /// What it may write at any moment by itself: it stays free.
    pub free_bytes: u64,
}

/// How much room a write may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Room {
    /// Bytes for new work.
    pub new_work: u64,
    /// Bytes for everything else.
    pub rest: u64,
}

/// A disk in numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Usage {
    /// Size of the file system, in bytes.
    pub total_bytes: u64,
    /// What may still be written, without the reserve.
    pub free_bytes: u64,
    /// How large the reserve is to be.
    pub reserve_bytes: u64,
    /// How much of it is allocated.
    pub reserve_held_bytes: u64,
}

/// The room on the disk of one directory. See the module.
#[derive(Debug)]
pub struct Reserve {
    dir: PathBuf,
    path: PathBuf,
    bytes: u64,
    file: Mutex<Option<File>>,
}

impl Reserve {
    /// The room on the disk of `dir`, with a reserve of `bytes`, or of a part of the disk, in the file `path`. It takes
    /// nothing yet: see [`grow`](Self::grow).
    pub fn new(dir: &Path, path: PathBuf, bytes: Option<u64>) -> Self {
        let default = || {
            let total = look(dir).map_or(0, |disk| disk.f_blocks.saturating_mul(disk.f_frsize));
            (total / DEFAULT_PART).min(DEFAULT_BYTES_MAX)
        };
        let bytes = bytes.unwrap_or_else(default);
        // The file of an earlier process counts at once: it could not be made anew on a full disk.
        let file = OpenOptions::new().write(true).open(&path).ok();
        Self { dir: dir.to_owned(), path, bytes, file: Mutex::new(file) }
    }

    /// How much may be written. If the disk is too full for `wanted`, of what is no new work, the missing part is taken
    /// from the reserve first.
    pub fn room(&self, wanted: u64, floor: Floor) -> Room {
        if wanted > 0
            && let Some(disk) = look(&self.dir)
        {
            let needed = floor.free_bytes.saturating_add(wanted);
            self.shrink(needed.saturating_sub(free(&disk)));
        }
        self.look(floor, |free, _| free)
    }

    /// How much might be written if all that was needed of the reserve were let go of.
    pub fn room_at_most(&self, floor: Floor) -> Room {
        self.look(floor, u64::saturating_add)
    }

    fn look(&self, floor: Floor, usable: impl Fn(u64, u64) -> u64) -> Room {
        // If the directory cannot be looked at, its disk is not known to be full; other checks find what is wrong.
        let Some(disk) = look(&self.dir) else {
            return Room { new_work: u64::MAX, rest: u64::MAX };
        };
        if !files_left(&disk, 1) {
            return Room { new_work: 0, rest: 0 };
        }
        let (free, held) = (free(&disk), self.held());
        let all = free.saturating_add(held).saturating_sub(floor.kept_bytes);
        let rest = all.min(usable(free, held).saturating_sub(floor.free_bytes));
        let mut new_work = all.saturating_sub(self.bytes).min(rest);
        if !files_left(&disk, files_kept(&disk)) {
            new_work = 0;
        }
        Room { new_work, rest }
    }

    /// Makes the reserve whole again, or as large as it can be.
    pub fn grow(&self, floor: Floor) {
        self.grow_by(1, floor);
    }

    /// The same, but not for little.
    pub fn keep_up(&self, floor: Floor) {
        self.grow_by((self.bytes / GROW_PART).max(GROW_BYTES_MIN), floor);
    }

    fn grow_by(&self, least: u64, floor: Floor) {
        let held = self.held();
        let missing = self.bytes.saturating_add(floor.kept_bytes).saturating_sub(held);
        if missing < least {
            return;
        }
        let Some(disk) = look(&self.dir) else {
            return;
        };
        let spare = free(&disk).saturating_sub(floor.free_bytes.saturating_add(2 * CUT_BYTES));
        let more = missing.min(spare);
        if more < CUT_BYTES.min(missing) {
            return;
        }
        let mut file = self.file();
        let file = match &mut *file {
            Some(file) => file,
            none => match self.make() {
                Ok(made) => none.insert(made),
                // The disk is full, or the file cannot be written: then the reserve is only a limit.
                Err(_) => return,
            },
        };
        if fallocate(&*file, FallocateFlags::empty(), 0, held + more).is_err() {
            let _ = file.set_len(held);
        }
    }

    /// The disk in numbers, unless it cannot be looked at.
    pub fn usage(&self) -> Option<Usage> {
        let disk = look(&self.dir)?;
        Some(Usage {
            total_bytes: disk.f_blocks.saturating_mul(disk.f_frsize),
            free_bytes: free(&disk),
            reserve_bytes: self.bytes,
            reserve_held_bytes: self.held(),
        })
    }

    /// Cuts the file shorter by at least `bytes`, if it has as many.
    fn shrink(&self, bytes: u64) {
        let held = self.held();
        if held == 0 || bytes == 0 {
            return;
        }
        if let Some(file) = &*self.file() {
            // What the file system does not give back shows when the disk is looked at again.
            let _ = file.set_len(held.saturating_sub(bytes.saturating_add(CUT_BYTES)));
        }
    }

    /// What the file has allocated, which may be less than its length on a file system that allocates nothing ahead.
    fn held(&self) -> u64 {
        let meta = self.file().as_ref().and_then(|file| file.metadata().ok());
        meta.map_or(0, |meta| (meta.blocks() * BLOCK_BYTES).min(meta.len()))
    }

    fn make(&self) -> io::Result<File> {
        OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(false)
            .mode(private::FILE)
            .open(&self.path)
    }

    fn file(&self) -> MutexGuard<'_, Option<File>> {
        self.file.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn look(dir: &Path) -> Option<StatVfs> {
    statvfs(dir).ok()
}

fn free(disk: &StatVfs) -> u64 {
    disk.f_bavail.saturating_mul(disk.f_frsize)
}

/// Whether so many more files can be made. Some file systems do not count them.
fn files_left(disk: &StatVfs, count: u64) -> bool {
    disk.f_files == 0 || disk.f_favail >= count
}

fn files_kept(disk: &StatVfs) -> u64 {
    (disk.f_files / FILES_PART).min(FILES_KEPT_MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reserve(dir: &Path, bytes: u64) -> Reserve {
        Reserve::new(dir, dir.join("reserve"), Some(bytes))
    }

    const NOTHING: Floor = Floor { kept_bytes: 0, free_bytes: 0 };

    #[test]
    fn the_reserve_is_allocated_cut_for_what_must_be_written_and_made_whole_again() {
        let dir = tempfile::tempdir().unwrap();
        let reserve = reserve(dir.path(), 8 << 20);
        reserve.grow(NOTHING);
        let held = || reserve.usage().unwrap().reserve_held_bytes;
        assert_eq!(held(), 8 << 20, "this file system allocates ahead");
        reserve.shrink(1 << 20);
        assert!(held() <= 7 << 20 && held() > 6 << 20, "{}", held());
        reserve.grow(NOTHING);
        assert_eq!(held(), 8 << 20);
        // What has yet to be written a second time is held as well.
        let floor = Floor { kept_bytes: 1 << 20, free_bytes: 0 };
        reserve.keep_up(floor);
        assert_eq!(held(), 9 << 20);
        reserve.keep_up(Floor { kept_bytes: floor.kept_bytes + 1, free_bytes: 0 });
        assert_eq!(held(), 9 << 20, "not for little");
    }

    #[test]
    fn new_work_is_refused_before_the_rest_and_takes_nothing_of_the_reserve() {
        let dir = tempfile::tempdir().unwrap();
        let disk = statvfs(dir.path()).unwrap();
        // A reserve of all there is, which is not allocated: only the limit.
        let reserve = reserve(dir.path(), disk.f_blocks * disk.f_frsize);
        let room = reserve.room(1, NOTHING);
        assert_eq!(room.new_work, 0);
        assert!(room.rest > 0);
        let all = Floor { kept_bytes: u64::MAX, free_bytes: 0 };
        assert_eq!(reserve.room(1, all), Room { new_work: 0, rest: 0 });
    }

    #[test]
    fn looking_lets_go_of_nothing() {
        let dir = tempfile::tempdir().unwrap();
        let reserve = reserve(dir.path(), 1 << 20);
        reserve.grow(NOTHING);
        let full = Floor { kept_bytes: 0, free_bytes: u64::MAX };
        assert_eq!(reserve.room(0, full).rest, 0);
        assert_eq!(reserve.room_at_most(full).rest, 0);
        assert_eq!(reserve.usage().unwrap().reserve_held_bytes, 1 << 20);
        reserve.room(1, full);
        assert_eq!(reserve.usage().unwrap().reserve_held_bytes, 0);
    }

    #[test]
    fn a_reserve_that_is_there_is_found_again() {
        let dir = tempfile::tempdir().unwrap();
        reserve(dir.path(), 1 << 20).grow(NOTHING);
        let again = reserve(dir.path(), 1 << 20);
        assert_eq!(again.usage().unwrap().reserve_held_bytes, 1 << 20);
    }
}
