//! Looks at the engine's journals before it does.
//!
//! The engine cuts a journal off where a batch is not whole, and says nothing of it. Mostly that is a write that was
//! under way when the process or the power ended, and that nobody was told of. But if the changed byte belongs to the
//! length of an entry, every later write is cut off with it. If it does not, the engine fails to open. The cases are
//! told apart by whether whole batches follow.
//!
//! ```text
//! batch:  1 | items u32 | sequence number u64 | items | 3 | XXH3 of the items u64 | "FJL" 3
//! item:   2 | kind u8 | compression u8 | keyspace u64 | key length u16 | value length u32, twice | key | value
//!   or:   4 | keyspace u64
//! ```

use std::fs::{self, File};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::ops::Range;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use xxhash_rust::xxh3::xxh3_64;

use crate::error::OpenError;
use crate::private;

const CHUNK: u64 = 1 << 20;
const BATCH_HEAD: usize = 13;
const BATCH_END: usize = 13;
const ITEM_HEAD: usize = 21;
const CLEAR: usize = 9;
const MAGIC: &[u8] = b"FJL\x03";
/// The ending that is added to the name of a journal that was mended. The copy without the damage has the name.
const DAMAGED: &str = "damaged";

/// A journal as it was before the engine opened it.
#[derive(Debug)]
pub(crate) struct Journal {
    path: PathBuf,
    /// Where what was written ends: behind the last byte that is not zero, since the engine makes room in advance.
    end: u64,
    /// What cannot be read although whole batches follow, or although it has the form of a batch.
    damaged: Vec<Range<usize>>,
}

/// The journals in the directory of the engine.
pub(crate) fn all(database: &Path) -> io::Result<Vec<Journal>> {
    let mut journals = Vec::new();
    for entry in fs::read_dir(database)? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("jnl")) {
            let mut file = File::open(&path)?;
            let end = end(&mut file)?;
            let mut bytes = Vec::new();
            file.seek(SeekFrom::Start(0))?;
            file.take(end).read_to_end(&mut bytes)?;
            journals.push(Journal { path, end, damaged: damaged(&bytes) });
        }
    }
    Ok(journals)
}

/// Refuses to open a journal of which the engine would lose what was acknowledged.
pub(crate) fn check(dir: &Path, journals: &[Journal]) -> Result<(), OpenError> {
    let Some(journal) = journals.iter().find(|journal| !journal.damaged.is_empty()) else {
        return Ok(());
    };
    Err(OpenError::Corrupt { dir: dir.to_owned(), reason: journal.loss() })
}

/// Takes what is damaged out of `journals`, and keeps each as it was beside it. Returns what is lost.
pub(crate) fn mend(journals: &[Journal]) -> io::Result<Vec<(PathBuf, String)>> {
    let mut losses = Vec::new();
    for journal in journals.iter().filter(|journal| !journal.damaged.is_empty()) {
        let mut bytes = fs::read(&journal.path)?;
        bytes.truncate(usize::try_from(journal.end).unwrap_or(usize::MAX));
        for range in journal.damaged.iter().rev() {
            bytes.drain(range.clone());
        }
        let mended = journal.path.with_extension("mended");
        let mut create = File::options();
        create.write(true).create(true).truncate(true).mode(private::FILE);
        let mut file = create.open(&mended)?;
        file.write_all(&bytes)?;
        file.sync_all()?;
        fs::rename(&journal.path, journal.path.with_extension(DAMAGED))?;
        fs::rename(&mended, &journal.path)?;
        losses.push((journal.path.clone(), journal.loss()));
    }
    Ok(losses)
}

/// Logs what the engine has cut from `journals` since.
pub(crate) fn report_cuts(journals: &[Journal]) {
    for journal in journals {
        if let Some(bytes) = journal.cut().filter(|bytes| *bytes > 0) {
            let file = journal.path.display().to_string();
            tracing::warn!(
                file,
                bytes,
                "the end of a journal was cut off: a write that was under way when the server ended last, which \
                 nobody was told of as done"
            );
        }
    }
}

impl Journal {
    /// How many bytes were cut off since. `None` if it is gone: then it has been written to tables.
    pub(crate) fn cut(&self) -> Option<u64> {
        let meta = fs::metadata(&self.path).ok()?;
        Some(self.end.saturating_sub(meta.len()))
    }

    #[cfg(test)]
    pub(crate) fn end(&self) -> u64 {
        self.end
    }

    fn loss(&self) -> String {
        let bytes: usize = self.damaged.iter().map(Range::len).sum();
        let first = self.damaged.first().map_or(0, |range| range.start);
        format!(
            "the journal {} holds something else than was written: {bytes} bytes of acknowledged writes, from \
             byte {first} on, cannot be read",
            self.path.display()
        )
    }
}

fn end(file: &mut File) -> io::Result<u64> {
    let mut to = file.metadata()?.len();
    let mut chunk = Vec::new();
    while to > 0 {
        let from = to.saturating_sub(CHUNK);
        file.seek(SeekFrom::Start(from))?;
        chunk.clear();
        Read::by_ref(file).take(to - from).read_to_end(&mut chunk)?;
        if let Some(last) = chunk.iter().rposition(|byte| *byte != 0) {
            return Ok(from + last as u64 + 1);
        }
        to = from;
    }
    Ok(0)
}

/// The parts of a journal of these bytes that are no whole batches, but for a batch at the end that was not finished.
fn damaged(bytes: &[u8]) -> Vec<Range<usize>> {
    let mut damaged = Vec::new();
    let mut at = 0;
    while at < bytes.len() {
        let Some((end, is_whole)) = batch(bytes, at) else {
            let Some(next) = next_whole(bytes, at + 1) else { break };
            damaged.push(at..next);
            at = next;
            continue;
        };
        if !is_whole {
            damaged.push(at..end);
        }
        at = end;
    }
    damaged
}

/// Where the next whole batch begins.
fn next_whole(bytes: &[u8], from: usize) -> Option<usize> {
    (from..bytes.len()).find(|at| batch(bytes, *at).is_some_and(|(_, is_whole)| is_whole))
}

/// Where the batch ends that begins `at` this byte, and whether its checksum fits. `None` if there is none.
fn batch(bytes: &[u8], at: usize) -> Option<(usize, bool)> {
    let head = bytes.get(at..at + BATCH_HEAD).filter(|head| head[0] == 1)?;
    let items = u32::from_le_bytes(head[1..5].try_into().ok()?);
    let begin = at + BATCH_HEAD;
    let mut to = begin;
    for _ in 0..items {
        to = item(bytes, to)?;
    }
    let end = bytes.get(to..to + BATCH_END).filter(|end| end[0] == 3 && end[9..] == *MAGIC)?;
    let checksum = u64::from_le_bytes(end[1..9].try_into().ok()?);
    Some((to + BATCH_END, xxh3_64(&bytes[begin..to]) == checksum))
}

/// Where the item ends that begins `at` this byte.
fn item(bytes: &[u8], at: usize) -> Option<usize> {
    match bytes.get(at)? {
        2 => {
            let head = bytes.get(at..at + ITEM_HEAD)?;
            let key = usize::from(u16::from_le_bytes(head[11..13].try_into().ok()?));
            let value = u32::from_le_bytes(head[17..21].try_into().ok()?);
            let end = (at + ITEM_HEAD + key).checked_add(usize::try_from(value).ok()?)?;
            (end <= bytes.len()).then_some(end)
        }
        4 => (at + CLEAR <= bytes.len()).then_some(at + CLEAR),
        _ => None,
    }
}
