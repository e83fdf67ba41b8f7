//! Choices: one or more of a list of options.

use std::collections::HashSet;

use serde::{Deserialize, Serialize};

use crate::create::one_line;
use crate::input::{ordered, refuse};
use crate::limits;
use crate::lookalike::Lookalikes;
use crate::rejection::Violation;

/// Wants one or more of a list of options.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChoiceInput {
    /// The options, with distinct values.
    pub options: Vec<ChoiceOption>,
    /// Fewest options to pick.
    pub min_selected: u32,
    /// Most options to pick.
    pub max_selected: u32,
}

/// One option of a choice.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ChoiceOption {
    /// What the answer holds when this option is picked.
    pub value: String,
    /// What the form shows; the value if empty.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub label: String,
    /// One line of help.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub description: String,
}

impl ChoiceOption {
    /// What a person sees: the label, or the value if there is none.
    pub fn title(&self) -> &str {
        if self.label.is_empty() { &self.value } else { &self.label }
    }
}

impl ChoiceInput {
    /// Whether more than one option can be picked.
    pub fn is_multiple(&self) -> bool {
        self.max_selected > 1
    }

    pub(crate) fn check_self(&self) -> Vec<Violation> {
        if !(1..=limits::OPTIONS_MAX).contains(&self.options.len()) {
            return vec![Violation::new(
                "options",
                format!("must be 1 to {}", limits::OPTIONS_MAX),
            )];
        }
        let mut broken = Vec::new();
        let (mut seen, mut titles) = (HashSet::new(), Lookalikes::default());
        for (index, option) in self.options.iter().enumerate() {
            let at = |field: &str| format!("options[{index}].{field}");
            one_line(&mut broken, &at("value"), &option.value, limits::OPTION_CHARS_MAX);
            one_line(&mut broken, &at("label"), &option.label, limits::OPTION_CHARS_MAX);
            one_line(
                &mut broken,
                &at("description"),
                &option.description,
                limits::OPTION_DESCRIPTION_CHARS_MAX,
            );
            if option.value.is_empty() {
                broken.push(Violation::new(at("value"), "is required"));
            } else if !seen.insert(&option.value) {
                broken.push(Violation::new(at("value"), "must differ from the values before it"));
            } else {
                let shown = if option.label.is_empty() { "value" } else { "label" };
                titles.add(&mut broken, &at(shown), option.title());
            }
        }
        let options = u32::try_from(self.options.len()).unwrap_or(u32::MAX);
        if self.min_selected > options {
            broken.push(Violation::new(
                "min_selected",
                format!("must be at most {options}, the number of options"),
            ));
        }
        if self.max_selected == 0 {
            broken.push(Violation::new("max_selected", "must be at least 1"));
        }
        broken.extend(ordered("max_selected", Some(self.min_selected), Some(self.max_selected)));
        broken
    }

    pub(crate) fn check(&self, selected: &[String]) -> Result<Vec<String>, Vec<Violation>> {
        let mut picked = HashSet::new();
        for value in selected {
            if !self.options.iter().any(|option| option.value == *value) {
                let known: Vec<_> =
                    self.options.iter().take(20).map(|option| option.value.as_str()).collect();
                return Err(refuse(format!(
                    "has no option {value:?}; options are {}",
                    known.join(", ")
                )));
            }
            if !picked.insert(value) {
                return Err(refuse(format!("must not name the option {value:?} twice")));
            }
        }
        let (min, max) = (self.min_selected as usize, self.max_selected as usize);
        if !(min..=max).contains(&picked.len()) {
            let wanted = if min == max { min.to_string() } else { format!("{min} to {max}") };
            return Err(refuse(format!("must name {wanted} of the options, not {}", picked.len())));
        }
        let options = self.options.iter().map(|option| &option.value);
        Ok(options.filter(|value| picked.contains(value)).cloned().collect())
    }
}
