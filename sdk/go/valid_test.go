package hitl

import (
	"errors"
	"strings"
	"testing"

	"hitl.dev/go/hitlv1"
)

func TestAnAnswerIsShownAsPeopleReadIt(t *testing.T) {
	text := func(text string) *hitlv1.Value { return &hitlv1.Value{Kind: &hitlv1.Value_Str{Str: text}} }
	object := &hitlv1.ObjectValue{Fields: map[string]*hitlv1.Value{"b": text("2"), "a": text("1")}}
	review := &hitlv1.ReviewValue{Decision: hitlv1.ReviewDecision_REVIEW_DECISION_REJECT, Message: "too much"}
	for shown, value := range map[string]*hitlv1.Value{
		"-7":              {Kind: &hitlv1.Value_Int{Int: -7}},
		"1.5":             {Kind: &hitlv1.Value_Float{Float: 1.5}},
		"seven":           text("seven"),
		"true":            {Kind: &hitlv1.Value_Bool{Bool: true}},
		"a, b":            picked([]string{"a", "b"}),
		"a: 1; b: 2":      {Kind: &hitlv1.Value_Object{Object: object}},
		"reject too much": {Kind: &hitlv1.Value_Review{Review: review}},
		"":                nil,
	} {
		if got := answerText(value); got != shown {
			t.Errorf("%v is shown as %q", value, got)
		}
	}
}

func TestWhatIsLongIsCutBetweenCharacters(t *testing.T) {
	long := strings.Repeat("ü", maxShownCharacters)
	if shortened(long) != long || shortened(long+"ü") != long+"…" {
		t.Error(shortened(long + "ü"))
	}
}

func TestWithoutAnAttemptNothingIsAsked(t *testing.T) {
	valid := func(int64) error { return nil }
	for _, check := range []Check[int64]{{Valid: valid, Attempts: -1}, {}} {
		if _, err := AskValid(t.Context(), nil, "a", "b", Int(), check); !errors.Is(err, Invalid) {
			t.Errorf("%+v: %v", check, err)
		}
	}
}
