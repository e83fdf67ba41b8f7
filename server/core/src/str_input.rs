//! Text: whether what an event asks of it makes sense, and whether a text is that.

use crate::input::{Input, StrInput, ordered, refuse};
use crate::limits;
use crate::pattern::{Pattern, TooMuchWork, Work};
use crate::rejection::Violation;
use crate::schema::Field;

impl StrInput {
    pub(crate) fn check_self(&self) -> Vec<Violation> {
        let mut broken = ordered("max_length", self.min_length, self.max_length);
        if let Some(pattern) = &self.pattern {
            if pattern.len() > limits::PATTERN_BYTES_MAX {
                let message = format!("must have at most {} bytes", limits::PATTERN_BYTES_MAX);
                broken.push(Violation::new("pattern", message));
            } else {
                let faults = self.pattern_faults(pattern).into_iter();
                broken.extend(faults.map(|message| Violation::new("pattern", message)));
            }
        }
        broken
    }

    fn pattern_faults(&self, pattern: &str) -> Vec<String> {
        let pattern = match Pattern::of(pattern) {
            Ok(pattern) => pattern,
            Err(error) => return vec![format!("is not a regular expression of RE2: {error}")],
        };
        let mut faults = pattern.foreign().to_vec();
        let text_bytes_max = pattern.text_bytes_max();
        if self.min_length.is_some_and(|min| u64::from(min) > text_bytes_max) {
            faults.push(format!(
                "is too much work for the texts that min_length asks for: it can be matched \
                 against {text_bytes_max} bytes; repeat less"
            ));
        }
        faults
    }

    pub(crate) fn check(&self, text: &str, work: &mut Work) -> Result<(), Vec<Violation>> {
        let length = text.chars().count();
        if let Some(min) = self.min_length
            && length < min as usize
        {
            return Err(refuse(format!("must have at least {min} characters, has {length}")));
        }
        if let Some(max) = self.max_length
            && length > max as usize
        {
            return Err(refuse(format!("must have at most {max} characters, has {length}")));
        }
        if let Some(fault) = self.format.and_then(|format| format.fault(text)) {
            return Err(refuse(fault));
        }
        let Some(pattern) = &self.pattern else { return Ok(()) };
        let found = Pattern::of(pattern).map(|compiled| compiled.is_found_in(text, work));
        match found {
            Ok(Ok(true)) => Ok(()),
            Ok(Err(TooMuchWork { text_bytes_max })) => Err(refuse(format!(
                "is too much work to match against the pattern {pattern}: shorten it to \
                 {text_bytes_max} bytes"
            ))),
            Ok(Ok(false)) | Err(_) => Err(refuse(format!("must match the pattern {pattern}"))),
        }
    }
}

/// What is wrong with the patterns of `fields`, each of which is right by itself.
pub(crate) fn together(fields: &[Field]) -> Option<Violation> {
    let patterns = fields.iter().filter_map(|field| match &field.input {
        Input::Str(input) => Pattern::of(input.pattern.as_deref()?).ok(),
        _ => None,
    });
    let bytes: usize = patterns.map(|pattern| pattern.bytes()).sum();
    (bytes > limits::PATTERNS_COMPILED_BYTES_MAX).then(|| {
        let message = "has patterns that are too large together: repeat less, or bound lengths by \
                       maxLength";
        Violation::new("json_schema", message)
    })
}
