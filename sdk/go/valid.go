package hitl

import (
	"context"
	"crypto/sha256"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"google.golang.org/protobuf/proto"

	"hitl.dev/go/evidence"
	"hitl.dev/go/hitlv1"
)

const (
	// How often is asked unless it is set.
	defaultAttempts = 3
	// More of an answer, or of what is wrong with it, nobody reads.
	maxShownCharacters = 500
	// What the evidence of another attempt is called.
	againTitle = "The answer before was not valid"
)

// Check is what an answer is held to that only the program knows.
type Check[T any] struct {
	// Valid says what is wrong with an answer: the person who is asked again reads its text. It is nil for a valid one.
	Valid func(answer T) error
	// Attempts is how often is asked: 3 times if zero.
	Attempts int
}

// AskValid asks as [Create] does, waits, and asks again while the check says what is wrong with the answer: the next
// event shows that, with the answer. Each attempt has all of the timeout. A default is not checked. In a run, who asks
// the same again meets the same events.
//
// The error is [Invalid], with what was wrong last, if there was no valid answer in so many attempts; others are those
// of [Create] and [Event.Wait].
func AskValid[T any](
	ctx context.Context, asker Asker, name, prompt string, input Input[T], check Check[T], options ...Option,
) (answer T, err error) {
	attempts := first(check.Attempts, defaultAttempts)
	if attempts < 1 || check.Valid == nil {
		help := "Check has Attempts %d: give a number from 1, and what an answer is held to as Valid"
		return answer, newError(Invalid, fmt.Sprintf(help, attempts))
	}
	// An answer is final for the server, so that another one is asked for by another event.
	asked, firstID := options, ""
	for number := 1; ; number++ {
		event, err := Create(ctx, asker, name, prompt, input, asked...)
		if err != nil {
			return answer, err
		}
		details, err := event.WaitDetails(ctx)
		if err != nil {
			return answer, err
		}
		if details.Response.GetState() == hitlv1.EventState_EVENT_STATE_TIMED_OUT {
			return details.Value, nil
		}
		wrong := check.Valid(details.Value)
		if wrong == nil {
			return details.Value, nil
		}
		why := shortened(first(wrong.Error(), "it is not valid"))
		if number >= attempts {
			return answer, givenUp(name, attempts, why)
		}
		firstID = first(firstID, event.ID())
		again := again(firstID, number+1, details.Response.GetValue(), why)
		asked = append(slices.Clone(options), again)
	}
}

// again is what tells another attempt from the first.
func again(firstID string, number int, answer *hitlv1.Value, why string) Option {
	key := fmt.Sprintf("again-%x", sha256.Sum256(fmt.Appendf(nil, "%s\n%d", firstID, number)))
	shown := evidence.Facts(againTitle,
		evidence.Pair{Label: "Answer", Value: shortened(answerText(answer))}, evidence.Pair{Label: "Why not", Value: why})
	return func(r *hitlv1.CreateEventRequest) {
		r.IdempotencyKey = key
		r.Evidence = append([]*hitlv1.Evidence{proto.CloneOf(shown)}, r.Evidence...)
	}
}

func givenUp(name string, attempts int, why string) error {
	err := newError(Invalid, oneLine(fmt.Sprintf("no answer to \"%s\" was valid in %d attempts: %s", name, attempts, why)))
	err.FieldViolations = []FieldViolation{{Field: "value", Description: why}}
	return err
}

// answerText is an answer as people read it.
func answerText(answer *hitlv1.Value) string {
	switch value := answer.GetKind().(type) {
	case *hitlv1.Value_Int:
		return strconv.FormatInt(value.Int, 10)
	case *hitlv1.Value_Float:
		return strconv.FormatFloat(value.Float, 'g', -1, 64)
	case *hitlv1.Value_Str:
		return value.Str
	case *hitlv1.Value_Bool:
		return strconv.FormatBool(value.Bool)
	case *hitlv1.Value_Choice:
		return strings.Join(value.Choice.GetSelected(), ", ")
	case *hitlv1.Value_Object:
		var fields []string
		for _, name := range slices.Sorted(maps.Keys(value.Object.GetFields())) {
			fields = append(fields, name+": "+answerText(value.Object.GetFields()[name]))
		}
		return strings.Join(fields, "; ")
	case *hitlv1.Value_Review:
		decision := strings.TrimPrefix(value.Review.GetDecision().String(), "REVIEW_DECISION_")
		return strings.TrimRight(strings.ToLower(decision)+" "+value.Review.GetMessage(), " ")
	default:
		return ""
	}
}

func shortened(text string) string {
	if characters := []rune(text); len(characters) > maxShownCharacters {
		return string(characters[:maxShownCharacters]) + "…"
	}
	return text
}
