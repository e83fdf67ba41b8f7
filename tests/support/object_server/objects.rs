//! The objects, and what they were a moment ago.

use std::collections::{BTreeMap, VecDeque};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::time::{Duration, Instant};

use bytes::Bytes;

/// How far back one may look.
const MEMORY: Duration = Duration::from_secs(5);

/// What is at a key.
#[derive(Debug, Clone)]
pub struct Object {
    /// What was put.
    pub bytes: Bytes,
    /// Of the bytes alone, in quotation marks: the same bytes put again have the same one.
    pub etag: String,
    /// Of this put alone.
    pub generation: u64,
    /// When it was put, by the server's clock.
    pub modified_ms: i64,
}

/// What must hold for a put to be carried out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Condition {
    Always,
    Absent,
    Etag(String),
    Generation(u64),
}

/// Why a put was not carried out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unmet {
    /// Something else is there.
    Precondition,
    /// Nothing is there, and something had to be.
    Missing,
}

/// All objects of the server.
#[derive(Debug, Default)]
pub(super) struct Objects {
    objects: BTreeMap<String, Object>,
    generation: u64,
    /// What was at a key before it was changed, oldest change first.
    undo: VecDeque<(Instant, String, Option<Object>)>,
}

impl Objects {
    pub(super) fn get(&self, key: &str) -> Option<&Object> {
        self.objects.get(key)
    }

    pub(super) fn keys(&self, prefix: &str) -> Vec<String> {
        let from = self.objects.range(prefix.to_owned()..);
        from.map(|(key, _)| key).take_while(|key| key.starts_with(prefix)).cloned().collect()
    }

    pub(super) fn check(&self, key: &str, condition: &Condition) -> Result<(), Unmet> {
        let met = match (condition, self.get(key)) {
            (Condition::Always, _) | (Condition::Absent, None) => true,
            (Condition::Etag(_), None) => return Err(Unmet::Missing),
            (Condition::Etag(etag), Some(object)) => object.etag == *etag,
            (Condition::Generation(generation), Some(object)) => object.generation == *generation,
            (Condition::Absent, Some(_)) | (Condition::Generation(_), None) => false,
        };
        if met { Ok(()) } else { Err(Unmet::Precondition) }
    }

    pub(super) fn put(&mut self, key: &str, bytes: Bytes, now_ms: i64) -> Object {
        self.generation += 1;
        let object =
            Object { etag: etag(&bytes), bytes, generation: self.generation, modified_ms: now_ms };
        let before = self.objects.insert(key.to_owned(), object.clone());
        self.remember(key, before);
        object
    }

    /// Whether there was anything to delete.
    pub(super) fn delete(&mut self, key: &str) -> bool {
        let before = self.objects.remove(key);
        let existed = before.is_some();
        if existed {
            self.remember(key, before);
        }
        existed
    }

    /// All objects as they were `age` ago.
    pub(super) fn as_of(&self, age: Duration) -> BTreeMap<String, Object> {
        let mut objects = self.objects.clone();
        let since = self.undo.iter().rev().take_while(|(when, _, _)| when.elapsed() < age);
        for (_, key, before) in since {
            match before {
                Some(object) => objects.insert(key.clone(), object.clone()),
                None => objects.remove(key),
            };
        }
        objects
    }

    pub(super) fn now(&self) -> &BTreeMap<String, Object> {
        &self.objects
    }

    fn remember(&mut self, key: &str, before: Option<Object>) {
        self.undo.push_back((Instant::now(), key.to_owned(), before));
        while self.undo.front().is_some_and(|(when, _, _)| when.elapsed() > MEMORY) {
            self.undo.pop_front();
        }
    }
}

fn etag(bytes: &[u8]) -> String {
    let mut hasher = DefaultHasher::new();
    bytes.hash(&mut hasher);
    format!("\"{:016x}\"", hasher.finish())
}
