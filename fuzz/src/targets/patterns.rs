//! Patterns: any text is one or is refused, and matching one ends soon, whatever it is matched against.

use hitl_core::{Input, StrInput, Value};

use super::halves;

pub(super) fn run(input: &[u8]) {
    let (pattern, text) = halves(input);
    let (Ok(pattern), Ok(text)) = (std::str::from_utf8(pattern), std::str::from_utf8(text)) else {
        return;
    };
    let input = Input::Str(StrInput { pattern: Some(pattern.to_owned()), ..StrInput::default() });
    if !input.check_self().is_empty() {
        return;
    }
    let value = Value::Str(text.to_owned());
    let first = input.check(&value);
    assert_eq!(input.check(&value), first, "a match does not depend on the one before");
}
