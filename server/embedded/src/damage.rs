//! Damage: places where the disk gives back other bytes than were written, or none.
//!
//! The engine checks every block that it reads and says that one does not fit, but not in which file, and its merging
//! iterators lose what lies beside a block that they cannot read. So the tables are read one by one here: that shows
//! which files are damaged and between which keys, and a listing goes around those places.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::io;
use std::ops::Bound;
use std::path::PathBuf;

use fjall::{AbstractTree, Iter, Keyspace, LsmError, Readable, Slice, Snapshot};

use crate::key::KeyRange;

/// Most damaged places of one range that are looked for. What lies behind the last is read as one piece.
const PLACES_MAX: usize = 10_000;
/// Most failures in a row within one piece of a range, after which the piece is given up.
const FAILURES_MAX: usize = 1_000;

/// A place in a file that cannot be read.
#[derive(Clone, Debug)]
pub(crate) struct DamagedSpan {
    pub(crate) file: PathBuf,
    pub(crate) reason: String,
    /// The last key before it and the first one behind it, as far as the table has such.
    after: Edge,
    before: Edge,
    /// The key before the last one before it.
    second_last: Option<Slice>,
}

/// Where one piece of a range ends and the next begins: just before a key, or just behind it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Edge {
    key: Slice,
    is_behind: bool,
}

impl Edge {
    fn before(key: &Slice) -> Self {
        Self { key: key.clone(), is_behind: false }
    }

    fn behind(key: &Slice) -> Self {
        Self { key: key.clone(), is_behind: true }
    }
}

/// Whether the engine says with `error` that what is on the disk is not what was written, and not that it could not
/// read at the moment.
pub(crate) fn is_damage(error: &fjall::Error) -> bool {
    match error {
        fjall::Error::Storage(error) => is_damaged_table(error),
        fjall::Error::Io(error) => is_damaged_file(error),
        fjall::Error::Decompress(_)
        | fjall::Error::InvalidTrailer
        | fjall::Error::InvalidTag(_)
        | fjall::Error::JournalRecovery(_)
        | fjall::Error::Unrecoverable => true,
        _ => false,
    }
}

fn is_damaged_table(error: &LsmError) -> bool {
    match error {
        LsmError::Io(error) => is_damaged_file(error),
        _ => true,
    }
}

/// A file that is gone, ends too early, or stands where the disk has a bad block.
fn is_damaged_file(error: &io::Error) -> bool {
    const EIO: i32 = 5;
    let is_cut = matches!(
        error.kind(),
        io::ErrorKind::UnexpectedEof | io::ErrorKind::NotFound | io::ErrorKind::InvalidData
    );
    is_cut || error.raw_os_error() == Some(EIO)
}

/// The places within `range` that cannot be read. Reads all of the range, in every table.
pub(crate) fn places(objects: &Keyspace, range: &KeyRange) -> Vec<DamagedSpan> {
    let slice = |bound: &Bound<Vec<u8>>| bound.as_ref().map(|key| Slice::from(key.as_slice()));
    let wanted = (slice(&range.0), slice(&range.1));
    let mut places = Vec::new();
    for table in objects.tree.current_version().iter_tables() {
        let keys = &table.metadata.key_range;
        let mut after = Edge::before(keys.min());
        let mut second_last = None;
        let mut open: Option<String> = None;
        let place =
            |after: &Edge, second_last: &Option<Slice>, before: Edge, reason: String| DamagedSpan {
                file: table.path.to_path_buf(),
                reason,
                after: after.clone(),
                before,
                second_last: second_last.clone(),
            };
        let mut failures = 0;
        for value in table.range(wanted.clone()) {
            match value {
                Ok(value) => {
                    let key = value.key.user_key;
                    if let Some(reason) = open.take() {
                        places.push(place(&after, &second_last, Edge::before(&key), reason));
                    }
                    let last = std::mem::replace(&mut after, Edge::behind(&key));
                    second_last = last.is_behind.then_some(last.key);
                    failures = 0;
                }
                Err(error) => {
                    open.get_or_insert_with(|| error.to_string());
                    failures += 1;
                }
            }
            if places.len() == PLACES_MAX || failures == FAILURES_MAX {
                break;
            }
        }
        if let Some(reason) = open {
            places.push(place(&after, &second_last, Edge::behind(keys.max()), reason));
        }
    }
    places
}

/// The files of `places`, each once.
pub(crate) fn files(places: &[DamagedSpan]) -> BTreeSet<PathBuf> {
    places.iter().map(|place| place.file.clone()).collect()
}

/// What can be read of a range that has damaged places, in order, with the failures in between.
///
/// The range is read in pieces that begin and end at those places: the first thing that an iterator meets in a piece is
/// then what it cannot read, and it goes on behind that without having lost anything. To find the end of a range the
/// engine looks one block further if the range ends with the last key of a block, so the last two keys before a place
/// are read by themselves.
pub(crate) struct Pieces {
    objects: Keyspace,
    places: Vec<DamagedSpan>,
    pieces: VecDeque<Piece>,
    piece: Option<(Edge, Iter, Failure)>,
    failures: usize,
}

/// What is read by itself.
enum Piece {
    /// A range, whose failure is told of unless it is only met while its end is looked for.
    Range(KeyRange, Failure),
    Key(Slice),
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Failure {
    Told,
    Untold,
}

impl Pieces {
    pub(crate) fn of(objects: &Keyspace, range: &KeyRange) -> Self {
        let places = places(objects, range);
        let mut edges = BTreeMap::new();
        for place in &places {
            if let Some(key) = &place.second_last {
                edges.entry(Edge::behind(key)).or_insert(Failure::Told);
            }
            edges.entry(place.before.clone()).or_insert(Failure::Told);
            edges.insert(place.after.clone(), Failure::Untold);
        }
        let mut pieces = VecDeque::new();
        let mut start = range.0.clone();
        for (edge, failure) in edges.into_iter().filter(|(edge, _)| is_within(edge, range)) {
            let key = || edge.key.to_vec();
            let next = if edge.is_behind { Bound::Excluded(key()) } else { Bound::Included(key()) };
            let before = std::mem::replace(&mut start, next);
            let has_key = edge.is_behind && is_possible(&(before.clone(), Bound::Included(key())));
            pieces.push_back(Piece::Range((before, Bound::Excluded(key())), failure));
            if has_key {
                pieces.push_back(Piece::Key(edge.key));
            }
        }
        pieces.push_back(Piece::Range((start, range.1.clone()), Failure::Told));
        pieces.retain(|piece| match piece {
            Piece::Range(range, _) => is_possible(range),
            Piece::Key(_) => true,
        });
        Self { objects: objects.clone(), places, pieces, piece: None, failures: 0 }
    }

    /// The file that the last failure was met in.
    pub(crate) fn file(&self) -> Option<&PathBuf> {
        let (start, ..) = self.piece.as_ref()?;
        let is_here = |place: &&DamagedSpan| place.after <= *start && *start < place.before;
        self.places.iter().find(is_here).map(|place| &place.file)
    }

    /// The next entry, or the next failure.
    pub(crate) fn next(&mut self, snapshot: &Snapshot) -> Option<fjall::Result<(Slice, Slice)>> {
        loop {
            if self.piece.is_none() {
                match self.pieces.pop_front()? {
                    Piece::Range(range, failure) => {
                        let entries = snapshot.range(&self.objects, range.clone());
                        self.piece = Some((start(&range), entries, failure));
                        self.failures = 0;
                    }
                    Piece::Key(key) => match snapshot.get(&self.objects, &key).transpose() {
                        Some(record) => return Some(record.map(|record| (key, record))),
                        None => continue,
                    },
                }
            }
            let is_told =
                self.piece.as_ref().is_some_and(|(.., failure)| *failure == Failure::Told);
            let entry = self.piece.as_mut().and_then(|(_, entries, _)| entries.next());
            match entry.map(fjall::Guard::into_inner) {
                Some(Ok(entry)) => return Some(Ok(entry)),
                Some(Err(error)) => {
                    self.failures += 1;
                    // A piece is as good as one place.
                    if self.failures == 1 && is_told {
                        return Some(Err(error));
                    }
                    if self.failures == FAILURES_MAX {
                        self.piece = None;
                    }
                }
                None => self.piece = None,
            }
        }
    }
}

fn start(range: &KeyRange) -> Edge {
    match &range.0 {
        Bound::Included(key) => Edge::before(&Slice::from(key.as_slice())),
        Bound::Excluded(key) => Edge::behind(&Slice::from(key.as_slice())),
        Bound::Unbounded => Edge::before(&Slice::from([].as_slice())),
    }
}

fn is_within(edge: &Edge, range: &KeyRange) -> bool {
    let key: &[u8] = &edge.key;
    let is_behind_start = match &range.0 {
        Bound::Included(start) | Bound::Excluded(start) => key >= start.as_slice(),
        Bound::Unbounded => true,
    };
    let is_before_end = match &range.1 {
        Bound::Included(end) | Bound::Excluded(end) => key < end.as_slice(),
        Bound::Unbounded => true,
    };
    is_behind_start && is_before_end
}

/// The engine panics over a range that ends before it begins.
fn is_possible(range: &KeyRange) -> bool {
    match (&range.0, &range.1) {
        (Bound::Included(start), Bound::Included(end)) => start <= end,
        (Bound::Included(start) | Bound::Excluded(start), Bound::Excluded(end))
        | (Bound::Excluded(start), Bound::Included(end)) => start < end,
        (Bound::Unbounded, _) | (_, Bound::Unbounded) => true,
    }
}
