//! Decides the writes of one batch, in the order in which they came.
//!
//! Each write sees the engine as the last batch left it plus the earlier writes of its own
//! batch. Only the final state of a key is written: the engine gives all entries of a batch the
//! same sequence number, so a key must not occur twice.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use fjall::{Keyspace, Slice};
use object_store::{Error, PutMode, UpdateVersion};

use crate::commit::Changes;
use crate::damage;
use crate::error::{StoreError, already_exists, not_found, precondition};
use crate::key::{self, Key};
use crate::record::{self, Record};
use crate::reserve::Room;
use crate::versions::Versions;

/// About what the engine writes with each entry besides the key and the record.
const ENTRY_BYTES: usize = 64;

/// A write, as queued.
#[derive(Debug)]
pub(crate) enum Op {
    Put {
        key: Key,
        record: Vec<u8>,
        mode: PutMode,
        /// Refused while the reserve of the disk is needed.
        is_new_work: bool,
    },
    /// Deleting what is not there succeeds, as on S3.
    Delete { key: Key },
    /// All of these or none, each of another key.
    Together { steps: Vec<Step>, is_new_work: bool },
    /// Writes the deletion of what is not there, for [`reclaim`](crate::reclaim). Where something is, nothing happens.
    Erase { keys: Vec<Key> },
    Copy {
        from: Key,
        to: Key,
        /// Fail if there is an object at `to`.
        create: bool,
        /// Also delete `from`: a rename.
        take: bool,
    },
}

impl Op {
    /// Whether it is refused while the reserve of the disk is needed.
    pub(crate) fn is_new_work(&self) -> bool {
        matches!(
            self,
            Self::Put { is_new_work: true, .. } | Self::Together { is_new_work: true, .. }
        )
    }
}

/// One of several writes that are done together.
#[derive(Debug)]
pub(crate) struct Step {
    pub(crate) key: Key,
    /// `None` deletes.
    pub(crate) record: Option<Vec<u8>>,
    /// Whether nothing may be there.
    pub(crate) creates: bool,
}

impl Step {
    /// How many bytes it writes.
    pub(crate) fn bytes(&self) -> usize {
        self.key.len() + self.record.as_ref().map_or(0, Vec::len)
    }
}

/// The version a put was stored as; `None` for other writes.
pub(crate) type Answer = object_store::Result<Option<u64>>;

pub(crate) struct Batch<'a> {
    objects: &'a Keyspace,
    versions: &'a mut Versions,
    now: DateTime<Utc>,
    room: Room,
    changed: HashMap<Key, Option<Slice>>,
    bytes: usize,
}

impl<'a> Batch<'a> {
    pub(crate) fn new(
        objects: &'a Keyspace,
        versions: &'a mut Versions,
        now: DateTime<Utc>,
        room: Room,
    ) -> Self {
        Self { objects, versions, now, room, changed: HashMap::new(), bytes: 0 }
    }

    /// About how much memory the changes take.
    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }

    pub(crate) fn apply(&mut self, op: Op) -> Answer {
        match op {
            Op::Put { key, record, mode, is_new_work } => {
                self.check(&key, mode)?;
                self.check_room(key.len() + record.len(), self.room_for(is_new_work))?;
                Ok(Some(self.write(key, record)))
            }
            Op::Delete { key } => {
                match self.exists(&key) {
                    Ok(false) => {}
                    // What cannot be read can be deleted all the same.
                    Ok(true) | Err(StoreError::Damaged { .. }) => {
                        self.check_room(key.len(), self.room.rest)?;
                        self.set(key, None);
                    }
                    Err(error) => return Err(error.into()),
                }
                Ok(None)
            }
            Op::Together { steps, is_new_work } => {
                for step in steps.iter().filter(|step| step.creates) {
                    self.check(&step.key, PutMode::Create)?;
                }
                let bytes = steps.iter().map(|step| step.bytes() + ENTRY_BYTES).sum();
                self.check_room(bytes, self.room_for(is_new_work))?;
                // From here on nothing can fail, so none is done without the others.
                for Step { key, record, .. } in steps {
                    match record {
                        Some(record) => {
                            self.write(key, record);
                        }
                        None => self.set(key, None),
                    }
                }
                Ok(None)
            }
            Op::Erase { keys } => {
                for key in keys {
                    self.check_room(key.len(), self.room.rest)?;
                    if !self.exists(&key)? {
                        self.set(key, None);
                    }
                }
                Ok(None)
            }
            Op::Copy { from, to, create, take } => {
                let record = self.get(&from)?.ok_or_else(|| missing(&from))?;
                if create {
                    self.check(&to, PutMode::Create)?;
                }
                self.check_room(from.len() + to.len() + record.len(), self.room.rest)?;
                if take {
                    self.set(from, None);
                }
                self.write(to, record.to_vec());
                Ok(None)
            }
        }
    }

    /// What to commit; empty if nothing changed.
    pub(crate) fn into_changes(self) -> Changes {
        let reservation = self.versions.reservation();
        let mut changes: Changes = self.changed.into_iter().collect();
        if let Some(reserved) = reservation {
            changes.push((key::VERSIONS.into(), Some(reserved.to_le_bytes().into())));
        }
        changes
    }

    fn room_for(&self, is_new_work: bool) -> u64 {
        if is_new_work { self.room.new_work } else { self.room.rest }
    }

    /// A write goes to the journal now and to a table later, so it takes room twice.
    fn check_room(&self, bytes: usize, room: u64) -> Result<(), StoreError> {
        let taken = (self.bytes + bytes + ENTRY_BYTES * (self.changed.len() + 1)) as u64;
        if taken.saturating_mul(2) <= room { Ok(()) } else { Err(StoreError::DiskFull) }
    }

    fn check(&self, key: &Key, mode: PutMode) -> object_store::Result<()> {
        match mode {
            PutMode::Overwrite => Ok(()),
            PutMode::Create if self.exists(key)? => Err(already_exists(&key::path(key)?)),
            PutMode::Create => Ok(()),
            PutMode::Update(UpdateVersion { e_tag, .. }) => {
                let wanted = e_tag.ok_or(StoreError::MissingEtag)?;
                let found = match self.get(key)? {
                    Some(bytes) => Record::parse(&bytes)?.etag(),
                    None => "no object".to_owned(),
                };
                if found == wanted {
                    return Ok(());
                }
                Err(precondition(
                    &key::path(key)?,
                    format!("{wanted} was to be replaced, found {found}"),
                ))
            }
        }
    }

    fn write(&mut self, key: Key, mut record: Vec<u8>) -> u64 {
        let version = self.versions.take();
        record::stamp(&mut record, version, self.now);
        self.set(key, Some(record.into()));
        version
    }

    fn set(&mut self, key: Key, record: Option<Slice>) {
        self.bytes += key.len() + record.as_ref().map_or(0, |record| record.len());
        self.changed.insert(key, record);
    }

    fn exists(&self, key: &Key) -> Result<bool, StoreError> {
        match self.changed.get(key) {
            Some(change) => Ok(change.is_some()),
            None => self.objects.contains_key(key).map_err(|error| unreadable(key, error)),
        }
    }

    fn get(&self, key: &Key) -> Result<Option<Slice>, StoreError> {
        match self.changed.get(key) {
            Some(change) => Ok(change.clone()),
            None => self.objects.get(key).map_err(|error| unreadable(key, error)),
        }
    }
}

/// The file is named when the object is read.
fn unreadable(key: &Key, error: fjall::Error) -> StoreError {
    if !damage::is_damage(&error) {
        return error.into();
    }
    let what = key::path(key).map_or_else(|_| "an entry".to_owned(), |path| path.to_string());
    StoreError::Damaged { what, file: None, reason: error.to_string() }
}

fn missing(key: &Key) -> Error {
    match key::path(key) {
        Ok(path) => not_found(&path),
        Err(error) => error.into(),
    }
}
