//! Reviews: any action is one or is refused, and what was read as a decision on it holds for what was shown alone.

use hitl_core::review::{arguments, digest};
use hitl_core::{Input, ReviewDecision, ReviewInput, Value, parse};

use super::halves;

pub(super) fn run(input: &[u8]) {
    let (schema, rest) = halves(input);
    let (shown, answer) = halves(rest);
    let texts = [schema, shown, answer].map(std::str::from_utf8);
    let [Ok(schema), Ok(shown), Ok(answer)] = texts else { return };
    let review = ReviewInput {
        action: "refund".to_owned(),
        arguments: shown.to_owned(),
        json_schema: schema.to_owned(),
        allow: ReviewDecision::ALL.to_vec(),
    };
    let input = Input::Review(review.clone());
    if !input.check_self().is_empty() {
        return;
    }
    let pairs: Vec<(String, String)> = answer
        .split('&')
        .map(|pair| pair.split_once('=').unwrap_or((pair, "")))
        .map(|(name, value)| (format!("value.{name}"), value.to_owned()))
        .collect();
    let readings =
        [parse::json(&input, answer), parse::text(&input, answer), parse::form(&input, &pairs)];
    for read in readings {
        let Ok(Ok(kept)) = read.map(|value| input.check(&value)) else { continue };
        assert_eq!(input.check(&kept), Ok(kept.clone()), "what fits still fits");
        let Value::Review(value) = kept else { panic!("a review has reviews as answers") };
        assert_eq!(value.shown_digest, review.digest());
        match value.decision {
            ReviewDecision::Approve => {
                assert_eq!(value.arguments, review.arguments, "as it was shown");
                assert_eq!(value.approved_digest, value.shown_digest);
            }
            ReviewDecision::Edit => {
                assert!(arguments::read(&value.arguments).is_ok());
                assert_eq!(Ok(value.approved_digest), digest("refund", &value.arguments));
            }
            ReviewDecision::Reject | ReviewDecision::Respond => {
                assert_eq!((value.arguments, value.approved_digest), Default::default());
            }
        }
    }
}
