//! Questions of every kind, for targets that are about answers.

use std::sync::LazyLock;

use hitl_core::Input;
use hitl_proto::v1;
use hitl_server::json;
use serde::Deserialize;
use serde_json::Value;

/// How many there are.
pub(super) const COUNT: usize = 13;

static ALL: LazyLock<Vec<Question>> = LazyLock::new(|| {
    let all: Vec<Question> =
        serde_json::from_str(include_str!("questions.json")).expect("the questions are JSON");
    assert_eq!(all.len(), COUNT);
    all
});

/// The same question twice.
#[derive(Deserialize)]
struct Question {
    /// As the API has it.
    api: Value,
    /// As the core keeps it.
    core: Value,
}

/// The question with this number.
pub(super) fn question(number: usize) -> v1::Input {
    json::from_json(ALL[number].api.to_string().as_bytes()).expect("the question is right")
}

/// The same as an input.
pub(super) fn input(number: usize) -> Input {
    serde_json::from_value(ALL[number].core.clone()).expect("the input is right")
}
