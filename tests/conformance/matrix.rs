//! Who passed what, as a table.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Mutex, PoisonError};

use crate::language::{LANGUAGES, Language};

/// See the module.
#[derive(Debug, Default)]
pub(crate) struct Matrix(Mutex<BTreeMap<Row, BTreeMap<&'static str, &'static str>>>);

/// A suite, and a scenario of it.
type Row = (String, String);

impl Matrix {
    pub(crate) fn note(
        &self,
        suite: &str,
        scenario: &str,
        language: &Language,
        passed: bool,
        known: Option<&String>,
    ) {
        let cell = match (passed, known) {
            (true, None) => "pass",
            (true, Some(_)) => "known",
            (false, _) => "FAIL",
        };
        let mut rows = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let row = rows.entry((suite.to_owned(), scenario.to_owned())).or_default();
        row.insert(language.name, cell);
    }
}

impl fmt::Display for Matrix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let rows = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        write!(f, "{:<14}{:<76}", "suite", "scenario")?;
        for language in LANGUAGES {
            write!(f, "{:<12}", language.name)?;
        }
        for ((suite, scenario), cells) in &*rows {
            write!(f, "\n{suite:<14}{scenario:<76}")?;
            for language in LANGUAGES {
                write!(f, "{:<12}", cells.get(language.name).unwrap_or(&"-"))?;
            }
        }
        Ok(())
    }
}
