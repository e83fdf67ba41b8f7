//! Answers as people and programs write them: what is read fits the question, and fits it again.

use hitl_core::parse;

use super::{choice, questions};

pub(super) fn run(input: &[u8]) {
    let Some((question, text)) = choice(input, questions::COUNT) else { return };
    let Ok(text) = std::str::from_utf8(text) else { return };
    let input = questions::input(question);
    let pairs: Vec<(String, String)> =
        text.split('&').map(|value| ("value".to_owned(), value.to_owned())).collect();
    for read in [parse::text(&input, text), parse::json(&input, text), parse::form(&input, &pairs)]
    {
        let Ok(Ok(kept)) = read.map(|value| input.check(&value)) else { continue };
        assert_eq!(input.check(&kept), Ok(kept.clone()));
        let stored = serde_json::to_string(&kept).expect("a value is JSON");
        assert_eq!(serde_json::from_str::<hitl_core::Value>(&stored).ok(), Some(kept), "{stored}");
    }
}
