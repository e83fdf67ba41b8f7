//! Reviews: a person decides on an action, and only exactly what was approved is done.

use hitl_proto::v1;
use hitl_proto::v1::input::Kind as InputKind;
use hitl_proto::v1::value::Kind;
use hitl_proto::v1::{ReviewDecision, ReviewInput, ReviewValue};
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

use crate::client::Client;
use crate::create::EventBuilder;
use crate::error::{Error, ErrorKind, Result};
use crate::value::{DataType, IntoValue, mismatch};

/// What a person decided about an action.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Decision {
    /// It may be taken exactly as it was shown.
    Approve,
    /// It may be taken with other arguments.
    Edit,
    /// It may not be taken.
    Reject,
    /// It may not be taken, and there is something to go on with instead.
    Respond,
}

/// A decision on an action. What may be done comes out of [`Review::execute_if_approved`] alone.
///
/// ```no_run
/// # async fn refund(arguments: serde_json::Value) {}
/// # async fn example(client: hitl::Client) -> hitl::Result<()> {
/// let arguments = serde_json::json!({"to": "Ada", "amount": 120});
/// let review = client.review("refund", &arguments).create().await?.wait().await?;
/// review.execute_if_approved("refund", |arguments| refund(arguments))?.await;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Review {
    decision: Decision,
    #[serde(default)]
    action: String,
    #[serde(default)]
    arguments: Json,
    #[serde(default)]
    message: String,
    #[serde(default)]
    shown_digest: String,
    #[serde(default)]
    approved_digest: String,
}

impl Review {
    /// What was decided.
    pub fn decision(&self) -> Decision {
        self.decision
    }

    /// The action that was decided on.
    pub fn action(&self) -> &str {
        &self.action
    }

    /// What was approved; null if nothing was.
    pub fn arguments(&self) -> &Json {
        &self.arguments
    }

    /// Why it was rejected, or what to go on with instead; may be empty.
    pub fn message(&self) -> &str {
        &self.message
    }

    /// Digest of what the person was shown; empty if nobody was, as when a default was used.
    pub fn shown_digest(&self) -> &str {
        &self.shown_digest
    }

    /// Digest of what was approved; empty if nothing was.
    pub fn approved_digest(&self) -> &str {
        &self.approved_digest
    }

    /// Whether exactly `action` with exactly `arguments` was approved.
    pub fn approves(&self, action: &str, arguments: &Json) -> bool {
        matches!(self.decision, Decision::Approve | Decision::Edit)
            && !self.approved_digest.is_empty()
            && hitl_canonical::action_digest(action, arguments) == self.approved_digest
    }

    /// Calls `run` with the arguments that were approved for `action`, and returns what it returns: a future, if `run`
    /// is async.
    ///
    /// # Errors
    /// [`ErrorKind::Declined`] if the action was not approved, and [`ErrorKind::Invalid`] if what was approved is
    /// another action, or not what its digest says. `run` is not called then.
    pub fn execute_if_approved<R>(&self, action: &str, run: impl FnOnce(Json) -> R) -> Result<R> {
        if !matches!(self.decision, Decision::Approve | Decision::Edit) {
            let why =
                if self.message.is_empty() { String::new() } else { format!(": {}", self.message) };
            let message = format!("the action {:?} was not approved{why}", self.action);
            return Err(Error::new(ErrorKind::Declined, message));
        }
        if !self.approves(action, &self.arguments) {
            let message = format!("what was approved is not {action:?} with these arguments");
            return Err(Error::config(message));
        }
        Ok(run(self.arguments.clone()))
    }

    /// A decision by which an action may not be taken, as the default of an event on which nobody decides.
    pub fn reject(reason: impl Into<String>) -> Self {
        Self::refusal(Decision::Reject, reason.into())
    }

    /// The same with something to go on with instead.
    pub fn respond(message: impl Into<String>) -> Self {
        Self::refusal(Decision::Respond, message.into())
    }

    fn refusal(decision: Decision, message: String) -> Self {
        Self {
            decision,
            action: String::new(),
            arguments: Json::Null,
            message,
            shown_digest: String::new(),
            approved_digest: String::new(),
        }
    }
}

impl DataType for Review {
    type Input = ReviewInput;

    fn input(input: ReviewInput) -> InputKind {
        InputKind::Review(input)
    }

    fn from_value(value: v1::Value, input: &InputKind) -> Result<Self> {
        let (Some(Kind::Review(value)), InputKind::Review(input)) = (&value.kind, input) else {
            return Err(mismatch("Review", value.kind.as_ref()));
        };
        let decision = match value.decision() {
            ReviewDecision::Approve => Decision::Approve,
            ReviewDecision::Edit => Decision::Edit,
            ReviewDecision::Reject => Decision::Reject,
            ReviewDecision::Respond => Decision::Respond,
            ReviewDecision::Unspecified => {
                return Err(Error::internal("the server sent no known decision".to_owned()));
            }
        };
        let ReviewValue { arguments, message, shown_digest, approved_digest, .. } = value.clone();
        let read = |text: &str| {
            serde_json::from_str::<Json>(text)
                .map_err(|error| Error::internal(format!("the arguments are no JSON: {error}")))
        };
        // Where a default was used nobody was shown anything.
        let shown = hitl_canonical::action_digest(&input.action, &read(&input.arguments)?);
        if !shown_digest.is_empty() && shown_digest != shown {
            let message = "the server sent a decision on something else than was shown";
            return Err(Error::internal(message.to_owned()));
        }
        let arguments = if arguments.is_empty() { Json::Null } else { read(&arguments)? };
        let action = input.action.clone();
        Ok(Self { decision, action, arguments, message, shown_digest, approved_digest })
    }

    fn to_value(&self, _: &InputKind) -> Result<v1::Value> {
        let decision = match self.decision {
            Decision::Approve => ReviewDecision::Approve,
            Decision::Edit => ReviewDecision::Edit,
            Decision::Reject => ReviewDecision::Reject,
            Decision::Respond => ReviewDecision::Respond,
        };
        let arguments =
            if self.arguments.is_null() { String::new() } else { self.arguments.to_string() };
        let value = ReviewValue {
            decision: decision.into(),
            arguments,
            message: self.message.clone(),
            shown_digest: self.shown_digest.clone(),
            approved_digest: String::new(),
        };
        Ok(Kind::Review(value).into_value())
    }
}

impl<C> EventBuilder<Review, C> {
    /// The action that is decided on, and what it would be taken with. Numbers beyond 2^53-1 are written as text.
    pub fn action(mut self, action: impl Into<String>, arguments: &Json) -> Self {
        self.input.action = action.into();
        self.input.arguments = arguments.to_string();
        self
    }

    /// A JSON Schema that the arguments fit, and that edited ones must fit.
    pub fn arguments_schema(mut self, schema: &Json) -> Self {
        self.input.json_schema = schema.to_string();
        self
    }

    /// Which decisions may be made: all unless set.
    pub fn allow(mut self, decisions: impl IntoIterator<Item = Decision>) -> Self {
        let number = |decision| match decision {
            Decision::Approve => ReviewDecision::Approve,
            Decision::Edit => ReviewDecision::Edit,
            Decision::Reject => ReviewDecision::Reject,
            Decision::Respond => ReviewDecision::Respond,
        };
        self.input.allow = decisions.into_iter().map(|it| number(it).into()).collect();
        self
    }

    /// What is asked, above the action.
    pub fn prompt(mut self, prompt: impl Into<String>) -> Self {
        self.request.prompt = prompt.into();
        self
    }
}

/// What is asked of an action unless it is said.
pub(crate) fn prompt_of(action: &str) -> String {
    format!("May {action} be done as shown?")
}

impl crate::Run {
    /// Describes a review of this run, like [`Client::review`].
    pub fn review(&self, action: impl Into<String>, arguments: &Json) -> EventBuilder<Review> {
        let action = action.into();
        self.event(action.clone(), prompt_of(&action)).action(action, arguments)
    }
}

impl crate::blocking::Client {
    /// Like [`Client::review`].
    pub fn review(
        &self,
        action: impl Into<String>,
        arguments: &Json,
    ) -> crate::blocking::EventBuilder<Review> {
        let action = action.into();
        self.event(action.clone(), prompt_of(&action)).action(action, arguments)
    }
}

impl Client {
    /// Describes an event that has a person decide on `action`, which would be taken with `arguments`. Lists call it as
    /// the action is called.
    pub fn review(&self, action: impl Into<String>, arguments: &Json) -> EventBuilder<Review> {
        let action = action.into();
        self.event(action.clone(), prompt_of(&action)).action(action, arguments)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const DIGEST: &str = "6e754bf35ee93590a88fc501983653a2da86e76841c678157cd4aec356b9ffd5";

    fn asked() -> InputKind {
        let builder = EventBuilder::<Review, ()>::new((), "refund".into(), "Refund?".into());
        let arguments = json!({"to": "Ada", "amount": 120, "notify": true});
        let (_, request) = builder
            .action("refund", &arguments)
            .arguments_schema(&json!({"type": "object"}))
            .allow([Decision::Approve, Decision::Reject])
            .default_on_timeout(Review::reject("nobody was there"))
            .into_request()
            .unwrap();
        request.input.unwrap().kind.unwrap()
    }

    fn decided(value: ReviewValue) -> Result<Review> {
        Review::from_value(Kind::Review(value).into_value(), &asked())
    }

    fn approval() -> ReviewValue {
        ReviewValue {
            decision: ReviewDecision::Approve.into(),
            arguments: r#"{"notify": true, "amount": 1.2e2, "to": "Ada"}"#.to_owned(),
            shown_digest: DIGEST.to_owned(),
            approved_digest: DIGEST.to_owned(),
            ..Default::default()
        }
    }

    #[test]
    fn what_is_set_is_what_is_asked() {
        let InputKind::Review(input) = asked() else { panic!() };
        assert_eq!(
            (input.action.as_str(), input.json_schema.as_str()),
            ("refund", r#"{"type":"object"}"#)
        );
        assert_eq!(input.allow, [ReviewDecision::Approve as i32, ReviewDecision::Reject as i32]);
    }

    #[test]
    fn only_what_was_approved_is_done() {
        let review = decided(approval()).unwrap();
        assert_eq!(review.execute_if_approved("refund", |it| it["to"].clone()).unwrap(), "Ada");
        assert!(review.approves("refund", review.arguments()));
        assert!(!review.approves("refund", &json!({"to": "Ada", "amount": 121, "notify": true})));
        let other = review.execute_if_approved("pay", |_| panic!("it is not done")).unwrap_err();
        assert_eq!(other.kind(), ErrorKind::Invalid);

        let changed = ReviewValue { arguments: r#"{"amount": 121}"#.to_owned(), ..approval() };
        let error = decided(changed).unwrap().execute_if_approved("refund", |_| ()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Invalid);
        let unproved = ReviewValue { approved_digest: String::new(), ..approval() };
        assert!(decided(unproved).unwrap().execute_if_approved("refund", |_| ()).is_err());
    }

    #[test]
    fn what_was_not_approved_is_not_done() {
        for decision in [ReviewDecision::Reject, ReviewDecision::Respond] {
            let value = ReviewValue {
                decision: decision.into(),
                message: "not now".to_owned(),
                approved_digest: DIGEST.to_owned(),
                ..approval()
            };
            let error = decided(value).unwrap().execute_if_approved("refund", |_| ()).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Declined);
            assert!(error.message().contains("not now"), "{error}");
        }
    }

    #[test]
    fn a_decision_on_something_else_is_an_error() {
        let error =
            decided(ReviewValue { shown_digest: "00".to_owned(), ..approval() }).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Internal);
        assert!(decided(ReviewValue { decision: 9, ..approval() }).is_err());
    }
}
