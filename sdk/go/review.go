package hitl

import (
	"encoding/json"
	"fmt"

	"hitl.dev/go/hitlv1"
)

// Decision is what a person decides about an action.
type Decision string

// The decisions.
const (
	// Approve lets the action be taken exactly as it was shown.
	Approve Decision = "approve"
	// Edit lets the action be taken with other arguments.
	Edit Decision = "edit"
	// Reject does not let the action be taken.
	Reject Decision = "reject"
	// Respond does not let the action be taken, and has something to go on with instead.
	Respond Decision = "respond"
)

var decisionNumbers = map[Decision]hitlv1.ReviewDecision{
	Approve: hitlv1.ReviewDecision_REVIEW_DECISION_APPROVE,
	Edit:    hitlv1.ReviewDecision_REVIEW_DECISION_EDIT,
	Reject:  hitlv1.ReviewDecision_REVIEW_DECISION_REJECT,
	Respond: hitlv1.ReviewDecision_REVIEW_DECISION_RESPOND,
}

// Reviewed is a decision on an action. What may be done comes out of [Reviewed.ExecuteIfApproved] alone.
type Reviewed struct {
	// Decision is what was decided.
	Decision Decision `json:"decision"`
	// Action is the action that was decided on.
	Action string `json:"action,omitempty"`
	// Arguments are what was approved, as JSON; nil if nothing was.
	Arguments json.RawMessage `json:"arguments,omitempty"`
	// Message is why it was rejected, or what to go on with instead.
	Message string `json:"message,omitempty"`
	// ShownDigest is the digest of what the person was shown; empty if nobody was, as when a default was used.
	ShownDigest string `json:"shown_digest,omitempty"`
	// ApprovedDigest is the digest of what was approved; empty if nothing was.
	ApprovedDigest string `json:"approved_digest,omitempty"`
}

// IsApproved says whether the action may be taken, with the arguments that were approved.
func (r Reviewed) IsApproved() bool {
	return (r.Decision == Approve || r.Decision == Edit) && r.ApprovedDigest != ""
}

// Approves says whether exactly this action with exactly these arguments, which encoding/json can write, was approved.
func (r Reviewed) Approves(action string, arguments any) bool {
	text, err := json.Marshal(arguments)
	if err != nil || !r.IsApproved() {
		return false
	}
	digest, err := actionDigest(action, text)
	return err == nil && digest == r.ApprovedDigest
}

// ExecuteIfApproved calls run with the arguments that were approved for the action, as JSON, and returns its error.
//
// The error is [Declined] if the action was not approved, and [Invalid] if what was approved is another action, or not
// what its digest says. Then run is not called.
func (r Reviewed) ExecuteIfApproved(action string, run func(arguments json.RawMessage) error) error {
	if !r.IsApproved() {
		message := fmt.Sprintf("the action \"%s\" was not approved", r.Action)
		if r.Message != "" {
			message += ": " + r.Message
		}
		return newError(Declined, oneLine(message))
	}
	if !r.Approves(action, r.Arguments) {
		message := fmt.Sprintf("what was approved is not \"%s\" with these arguments", action)
		return newError(Invalid, oneLine(message))
	}
	return run(r.Arguments)
}

// ReviewInput asks for a decision on an action.
type ReviewInput struct {
	input    hitlv1.ReviewInput
	fallback *hitlv1.Value
	err      error
}

// Review asks for a decision on an action, which would be taken with these arguments: what encoding/json can write, or
// JSON as a [json.RawMessage]. Whole numbers beyond 2^53-1 are written as text.
func Review(action string, arguments any) *ReviewInput {
	text, err := json.Marshal(arguments)
	review := &ReviewInput{err: err}
	review.input.Action, review.input.Arguments = action, string(text)
	return review
}

// Schema is a JSON Schema, as JSON text, that the arguments fit and that edited ones must fit.
func (i *ReviewInput) Schema(schema string) *ReviewInput {
	i.input.JsonSchema = schema
	return i
}

// Allow says which decisions may be made: all unless set.
func (i *ReviewInput) Allow(decisions ...Decision) *ReviewInput {
	for _, decision := range decisions {
		i.input.Allow = append(i.input.Allow, i.number(decision))
	}
	return i
}

// DefaultOnTimeout is the decision to go on with when nobody answers in time. It cannot approve: nobody has looked at
// the action then.
func (i *ReviewInput) DefaultOnTimeout(value Reviewed) *ReviewInput {
	review := &hitlv1.ReviewValue{
		Decision: i.number(value.Decision), Arguments: string(value.Arguments), Message: value.Message,
	}
	i.fallback = &hitlv1.Value{Kind: &hitlv1.Value_Review{Review: review}}
	return i
}

func (i *ReviewInput) number(decision Decision) hitlv1.ReviewDecision {
	number, ok := decisionNumbers[decision]
	if !ok {
		i.err = fmt.Errorf("%q is no decision", string(decision))
	}
	return number
}

func (i *ReviewInput) message() (*hitlv1.Input, *hitlv1.Value, error) {
	if i.err != nil {
		return nil, nil, newError(Invalid, oneLine(fmt.Sprintf("an action is not reviewed so: %v", i.err)))
	}
	return &hitlv1.Input{Kind: &hitlv1.Input_Review{Review: &i.input}}, i.fallback, nil
}

func (i *ReviewInput) read(value *hitlv1.Value, stored *hitlv1.Input) (Reviewed, error) {
	if err := expect[*hitlv1.Value_Review](value); err != nil {
		return Reviewed{}, err
	}
	decided, asked := value.GetReview(), stored.GetReview()
	review := Reviewed{
		Action: asked.GetAction(), Message: decided.GetMessage(),
		ShownDigest: decided.GetShownDigest(), ApprovedDigest: decided.GetApprovedDigest(),
	}
	for name, number := range decisionNumbers {
		if number == decided.GetDecision() {
			review.Decision = name
		}
	}
	if review.Decision == "" {
		return Reviewed{}, newError(Internal, "the server sent no known decision")
	}
	// Where a default was used nobody was shown anything.
	shown, err := actionDigest(asked.GetAction(), []byte(asked.GetArguments()))
	if review.ShownDigest != "" && (err != nil || review.ShownDigest != shown) {
		return Reviewed{}, newError(Internal, "the server sent a decision on something else than was shown")
	}
	if decided.GetArguments() != "" {
		review.Arguments = json.RawMessage(decided.GetArguments())
		if !json.Valid(review.Arguments) {
			return Reviewed{}, newError(Internal, "the server sent arguments that are no JSON")
		}
	}
	return review, nil
}
