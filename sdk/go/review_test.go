package hitl

import (
	"encoding/json"
	"errors"
	"math"
	"strconv"
	"strings"
	"testing"

	"hitl.dev/go/hitlv1"
)

const refundDigest = "6e754bf35ee93590a88fc501983653a2da86e76841c678157cd4aec356b9ffd5"

type refund struct {
	To     string  `json:"to"`
	Amount float64 `json:"amount"`
	Notify bool    `json:"notify"`
}

var refundToAda = refund{"Ada", 120, true}

func decided(change func(*hitlv1.ReviewValue)) (Reviewed, error) {
	value := &hitlv1.ReviewValue{
		Decision: hitlv1.ReviewDecision_REVIEW_DECISION_APPROVE, Arguments: `{"notify": true, "amount": 1.2e2, "to": "Ada"}`,
		ShownDigest: refundDigest, ApprovedDigest: refundDigest,
	}
	change(value)
	input := Review("refund", refundToAda)
	asked, _, err := input.message()
	if err != nil {
		return Reviewed{}, err
	}
	return input.read(&hitlv1.Value{Kind: &hitlv1.Value_Review{Review: value}}, asked)
}

func as(t *testing.T, change func(*hitlv1.ReviewValue)) Reviewed {
	t.Helper()
	review, err := decided(change)
	if err != nil {
		t.Fatal(err)
	}
	return review
}

func TestCanonicalFormsAreThoseOfTheRFC(t *testing.T) {
	for bits, written := range map[uint64]string{
		0: "0", 0x8000000000000000: "0", 1: "5e-324", 0x7fefffffffffffff: "1.7976931348623157e+308",
		0x4430000000000000: "295147905179352830000", 0x44b52d02c7e14af6: "1e+23",
		0x444b1ae4d6e2ef4e: "999999999999999700000", 0x444b1ae4d6e2ef50: "1e+21",
		0x3eb0c6f7a0b5ed8c: "9.999999999999997e-7", 0x3eb0c6f7a0b5ed8d: "0.000001",
		0x41b3de4355555556: "333333333.3333334", 0xbecbf647612f3696: "-0.0000033333333333333333",
		0x43143ff3c1cb0959: "1424953923781206.2",
	} {
		literal := strconv.FormatFloat(math.Float64frombits(bits), 'e', 30, 64)
		var text strings.Builder
		if err := writeNumber(&text, json.Number(literal)); err != nil || text.String() != written {
			t.Errorf("%s: %s, not %s (%v)", literal, text.String(), written, err)
		}
	}
	var text strings.Builder
	value := map[string]any{"\ufb33": nil, "😀": []any{}, "b\n<": "\u0001\u2028"}
	if err := writeCanonical(&text, value); err != nil || text.String() != "{\"b\\n<\":\"\\u0001\u2028\",\"😀\":[],\"\ufb33\":null}" {
		t.Error(text.String(), err)
	}
	for _, unclear := range []string{"9007199254740992", "1e400", "{", "1 2", ""} {
		if digest, err := actionDigest("a", []byte(unclear)); err == nil {
			t.Error(unclear, digest)
		}
	}
}

func TestOnlyWhatWasApprovedIsDone(t *testing.T) {
	review := as(t, func(*hitlv1.ReviewValue) {})
	var done refund
	run := func(arguments json.RawMessage) error { return json.Unmarshal(arguments, &done) }
	if err := review.ExecuteIfApproved("refund", run); err != nil || done != refundToAda {
		t.Error(done, err)
	}
	if !review.Approves("refund", refundToAda) || review.Approves("refund", refund{"Ada", 121, true}) {
		t.Error("it approves something else")
	}
	never := func(json.RawMessage) error { panic("it is done") }
	if err := review.ExecuteIfApproved("pay", never); !errors.Is(err, Invalid) {
		t.Error(err)
	}
	changed := as(t, func(value *hitlv1.ReviewValue) { value.Arguments = `{"amount": 121}` })
	if err := changed.ExecuteIfApproved("refund", never); !errors.Is(err, Invalid) {
		t.Error(err)
	}
	for _, decision := range []hitlv1.ReviewDecision{3, 4} {
		refused := as(t, func(value *hitlv1.ReviewValue) { value.Decision, value.Message = decision, "not now" })
		err := refused.ExecuteIfApproved("refund", never)
		if !errors.Is(err, Declined) || !strings.Contains(err.Error(), "not now") {
			t.Error(err)
		}
	}
	unproved := as(t, func(value *hitlv1.ReviewValue) { value.ApprovedDigest = "" })
	if err := unproved.ExecuteIfApproved("refund", never); !errors.Is(err, Declined) {
		t.Error(err)
	}
}

func TestADecisionOnSomethingElseIsAnError(t *testing.T) {
	for _, change := range []func(*hitlv1.ReviewValue){
		func(value *hitlv1.ReviewValue) { value.ShownDigest = "00" },
		func(value *hitlv1.ReviewValue) { value.Decision = 9 },
		func(value *hitlv1.ReviewValue) { value.Arguments = "{" },
	} {
		if review, err := decided(change); !errors.Is(err, Internal) {
			t.Error(review, err)
		}
	}
}

func TestWhatIsSetOfAReviewIsWhatIsAsked(t *testing.T) {
	input := Review("refund", refundToAda).Schema(`{"type":"object"}`).Allow(Approve, Reject)
	asked, fallback, err := input.DefaultOnTimeout(Reviewed{Decision: Reject, Message: "nobody"}).message()
	review := asked.GetReview()
	if err != nil || review.GetAction() != "refund" || review.GetJsonSchema() != `{"type":"object"}` || len(review.GetAllow()) != 2 {
		t.Error(asked, err)
	}
	if fallback.GetReview().GetMessage() != "nobody" {
		t.Error(fallback)
	}
	for _, wrong := range []*ReviewInput{Review("a", func() {}), Review("a", nil).Allow("maybe")} {
		if _, _, err := wrong.message(); !errors.Is(err, Invalid) {
			t.Error(err)
		}
	}
}
