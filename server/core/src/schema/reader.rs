//! Reads the keywords of one object of a schema, and gathers what is wrong with them.

use serde_json::{Map, Value as Json};

use crate::create::one_line;
use crate::limits;
use crate::lookalike::is_blank;
use crate::rejection::Violation;

/// What a schema is read for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Purpose {
    /// To judge a new event: everything must make sense.
    Create,
    /// To show a stored event or to judge an answer: the schema was accepted once, and needs only be readable.
    Answer,
}

/// What is wrong with a schema.
pub(super) struct Faults {
    purpose: Purpose,
    broken: Vec<Violation>,
}

impl Faults {
    pub(super) fn new(purpose: Purpose) -> Self {
        Self { purpose, broken: Vec::new() }
    }

    /// Whether the schema is judged, and not only read.
    pub(super) fn is_create(&self) -> bool {
        self.purpose == Purpose::Create
    }

    /// Records what no schema may say.
    pub(super) fn refuse(&mut self, field: impl Into<String>, message: impl Into<String>) {
        self.broken.push(Violation::new(field, message));
    }

    /// Records what no new schema may say; one that is stored may hold it.
    pub(super) fn refuse_at_create(&mut self, field: &str, message: impl Into<String>) {
        if self.is_create() {
            self.refuse(field, message);
        }
    }

    /// Records what no new schema may say; one that is stored may hold it.
    pub(super) fn extend_at_create(&mut self, broken: Vec<Violation>) {
        if self.is_create() {
            self.broken.extend(broken);
        }
    }

    /// How many there are.
    pub(super) fn count(&self) -> usize {
        self.broken.len()
    }

    /// # Errors
    /// All that were recorded.
    pub(super) fn none(self) -> Result<(), Vec<Violation>> {
        if self.broken.is_empty() { Ok(()) } else { Err(self.broken) }
    }
}

/// Reads one object of a schema.
pub(super) struct Reader<'a> {
    /// Path of the object.
    pub(super) at: String,
    pub(super) members: &'a Map<String, Json>,
    pub(super) faults: &'a mut Faults,
}

impl<'a> Reader<'a> {
    pub(super) fn new(at: String, members: &'a Map<String, Json>, faults: &'a mut Faults) -> Self {
        Self { at, members, faults }
    }

    /// A reader of an object within this one.
    pub(super) fn within<'b>(
        &'b mut self,
        keyword: &str,
        members: &'b Map<String, Json>,
    ) -> Reader<'b> {
        Reader { at: self.path(keyword), members, faults: &mut *self.faults }
    }

    pub(super) fn path(&self, keyword: &str) -> String {
        if keyword.is_empty() { self.at.clone() } else { format!("{}.{keyword}", self.at) }
    }

    /// Refuses whatever is not among `keywords`.
    pub(super) fn allow(&mut self, keywords: &[&str]) {
        for keyword in self.unknown(keywords) {
            self.refuse(&keyword, "is outside the supported subset of JSON Schema");
        }
    }

    /// Refuses whatever is not among `keywords` in a new schema.
    pub(super) fn allow_at_create(&mut self, keywords: &[&str]) {
        for keyword in self.unknown(keywords) {
            self.refuse_at_create(&keyword, "is outside the supported subset of JSON Schema");
        }
    }

    fn unknown(&self, keywords: &[&str]) -> Vec<String> {
        let unknown = self.members.keys().filter(|keyword| !keywords.contains(&keyword.as_str()));
        unknown.cloned().collect()
    }

    pub(super) fn refuse(&mut self, keyword: &str, message: impl Into<String>) {
        let path = self.path(keyword);
        self.faults.refuse(path, message);
    }

    pub(super) fn refuse_at_create(&mut self, keyword: &str, message: impl Into<String>) {
        let path = self.path(keyword);
        self.faults.refuse_at_create(&path, message);
    }

    /// Judges what a person will see as the name of something.
    pub(super) fn judge_title(&mut self, keyword: &str, json: &Json) {
        let Some(title) = json.as_str() else {
            self.refuse_at_create(keyword, "must be a string");
            return;
        };
        if is_blank(title) {
            self.refuse_at_create(
                keyword,
                "must have a character that can be seen, or be left out",
            );
        }
        let mut broken = Vec::new();
        one_line(&mut broken, &self.path(keyword), title, limits::FIELD_TITLE_CHARS_MAX);
        self.faults.extend_at_create(broken);
    }

    pub(super) fn string(&mut self, keyword: &str) -> Option<String> {
        self.read(keyword, "a string", |json| json.as_str().map(str::to_owned))
    }

    pub(super) fn length(&mut self, keyword: &str) -> Option<u32> {
        let wanted = "a whole number from 0 to 4294967295";
        self.read(keyword, wanted, |json| json.as_u64().and_then(|n| u32::try_from(n).ok()))
    }

    pub(super) fn whole(&mut self, keyword: &str) -> Option<i64> {
        self.read(keyword, "a whole number of 64 bits", Json::as_i64)
    }

    pub(super) fn number(&mut self, keyword: &str) -> Option<f64> {
        self.read(keyword, "a number", Json::as_f64)
    }

    fn read<T>(
        &mut self,
        keyword: &str,
        wanted: &str,
        read: impl FnOnce(&Json) -> Option<T>,
    ) -> Option<T> {
        let value = read(self.members.get(keyword)?);
        if value.is_none() {
            self.refuse(keyword, format!("must be {wanted}"));
        }
        value
    }
}
