//! Schemas of objects: any text is one or is refused, and what was read as an answer to one fits it.

use hitl_core::{Input, ObjectInput, parse};

use super::halves;

pub(super) fn run(input: &[u8]) {
    let (schema, answer) = halves(input);
    let (Ok(schema), Ok(answer)) = (std::str::from_utf8(schema), std::str::from_utf8(answer))
    else {
        return;
    };
    let input = Input::Object(ObjectInput { json_schema: schema.to_owned() });
    if !input.check_self().is_empty() {
        return;
    }
    let pairs: Vec<(String, String)> = answer
        .split('&')
        .map(|pair| pair.split_once('=').unwrap_or((pair, "")))
        .map(|(name, value)| (format!("value.{name}"), value.to_owned()))
        .collect();
    for read in [parse::json(&input, answer), parse::form(&input, &pairs)] {
        let Ok(Ok(kept)) = read.map(|value| input.check(&value)) else { continue };
        assert_eq!(
            input.check(&kept),
            Ok(kept.clone()),
            "what fits still fits when it is read again"
        );
    }
}
