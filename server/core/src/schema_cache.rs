//! Schemas in the form in which answers are read, kept because forms and answers need them again and again.
//!
//! What a schema reads as depends on its text alone, so that it can be remembered here without
//! anybody being able to tell, but by the time it takes.

use std::mem::size_of;
use std::sync::{Arc, LazyLock};

use quick_cache::Weighter;
use quick_cache::sync::Cache;

use crate::choice::ChoiceOption;
use crate::input::{Input, ObjectInput};
use crate::limits;
use crate::rejection::Violation;
use crate::schema::Field;

/// About how many schemas are kept; so few that the largest one fits into the share of memory that they are kept in.
const CACHE_SCHEMAS: usize = 64;

static CACHE: LazyLock<Cache<String, Arc<Vec<Field>>, ByBytes>> =
    LazyLock::new(|| Cache::with_weighter(CACHE_SCHEMAS, limits::SCHEMA_CACHE_BYTES_MAX, ByBytes));

impl ObjectInput {
    /// The properties, in the order of the schema.
    ///
    /// # Errors
    /// What keeps the schema from being read, with paths that start at `json_schema`.
    pub fn fields(&self) -> Result<Arc<Vec<Field>>, Vec<Violation>> {
        CACHE.get_or_insert_with(self.json_schema.as_str(), || self.read_fields().map(Arc::new))
    }
}

/// Weighs what is kept.
#[derive(Clone, Debug)]
struct ByBytes;

impl Weighter<String, Arc<Vec<Field>>> for ByBytes {
    fn weight(&self, schema: &String, fields: &Arc<Vec<Field>>) -> u64 {
        let fields: usize = fields.iter().map(bytes).sum();
        // The schema is the key, and all text in the fields comes from it, once or twice.
        u64::try_from(3 * schema.len() + fields).unwrap_or(u64::MAX)
    }
}

fn bytes(field: &Field) -> usize {
    let options = match &field.input {
        Input::Choice(choice) => choice.options.len(),
        _ => 0,
    };
    size_of::<Field>() + options * size_of::<ChoiceOption>()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_schema_is_read_once_and_then_remembered() {
        let json_schema = r#"{"type":"object","properties":{"remembered":{"type":"integer"}}}"#;
        let object = || ObjectInput { json_schema: json_schema.to_owned() };
        let first = object().fields().unwrap();
        assert!(Arc::ptr_eq(&first, &object().fields().unwrap()));
    }

    #[test]
    fn what_is_kept_of_a_schema_counts_with_all_its_options() {
        let values: Vec<_> = (0..1000).map(|n| format!("\"{n}\"")).collect();
        let list = values.join(",");
        let json_schema = format!(
            r#"{{"type":"object","properties":{{"a":{{"type":"string","enum":[{list}]}}}}}}"#
        );
        let fields = ObjectInput { json_schema: json_schema.clone() }.fields().unwrap();
        let options = 1000 * size_of::<ChoiceOption>();
        assert!(ByBytes.weight(&json_schema, &fields) > u64::try_from(options).unwrap());
    }
}
