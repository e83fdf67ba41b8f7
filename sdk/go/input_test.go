package hitl

import (
	"errors"
	"math"
	"reflect"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/durationpb"

	"hitl.dev/go/hitlv1"
)

func TestWhatIsSetIsWhatIsAsked(t *testing.T) {
	script := &script{}
	scripted(t, script, Config{}, func(t *testing.T, client *Client) {
		_, err := Create(t.Context(), client, "proceed", "Add to x?",
			Int().Min(0).Max(9).DefaultOnTimeout(5), Scope("run-7"), Timeout(1500*time.Millisecond),
			Label("team", "a"), Markdown(), IdempotencyKey("k"))
		if err != nil {
			t.Fatal(err)
		}
	})
	limits := &hitlv1.IntInput{Min: proto.Int64(0), Max: proto.Int64(9)}
	expected := &hitlv1.CreateEventRequest{
		Namespace: "default", Name: "proceed", Prompt: "Add to x?", Scope: "run-7", IdempotencyKey: "k",
		PromptFormat: hitlv1.PromptFormat_PROMPT_FORMAT_MARKDOWN,
		Input:        &hitlv1.Input{Kind: &hitlv1.Input_Int{Int: limits}},
		Labels:       map[string]string{"team": "a"},
		Expiration:   &hitlv1.CreateEventRequest_Ttl{Ttl: durationpb.New(1500 * time.Millisecond)},
		OnTimeout: &hitlv1.OnTimeout{
			Action: &hitlv1.OnTimeout_DefaultValue{DefaultValue: intValue(5)},
		},
	}
	if !proto.Equal(script.asked, expected) {
		t.Fatal(script.asked)
	}
}

func TestEveryRestrictionReachesTheInput(t *testing.T) {
	text := Str().MinLength(1).MaxLength(2).Pattern("p").Multiline().Format(Email)
	asked := &hitlv1.StrInput{
		MinLength: proto.Uint32(1), MaxLength: proto.Uint32(2), Pattern: "p", Multiline: true, Format: Email,
	}
	options := []*hitlv1.ChoiceOption{{Value: "a"}, {Value: "b", Label: "B"}}
	several := &hitlv1.ChoiceInput{
		Options: options, MinSelected: proto.Uint32(1), MaxSelected: proto.Uint32(2),
	}
	labels := &hitlv1.BoolInput{TrueLabel: "Ship", FalseLabel: "Hold"}
	limits := &hitlv1.FloatInput{Min: proto.Float64(0.5), Max: proto.Float64(1.5)}
	for expected, asks := range map[proto.Message]func() (*hitlv1.Input, *hitlv1.Value, error){
		asked:                                 text.message,
		labels:                                Bool().Labels("Ship", "Hold").message,
		limits:                                Float().Min(0.5).Max(1.5).message,
		several:                               Choices("a").Option("b", "B").MinSelected(1).MaxSelected(2).message,
		&hitlv1.ChoiceInput{Options: options}: Choice("a").Option("b", "B").message,
	} {
		input, _, err := asks()
		if err != nil {
			t.Fatal(err)
		}
		reflected := input.ProtoReflect()
		kind := reflected.WhichOneof(reflected.Descriptor().Oneofs().ByName("kind"))
		if got := reflected.Get(kind).Message().Interface(); !proto.Equal(got, expected) {
			t.Fatal(got)
		}
	}
}

func returns[T any](t *testing.T, input Input[T], value T) {
	t.Helper()
	asked, travelled, err := input.message()
	if err != nil {
		t.Fatal(err)
	}
	got, err := input.read(travelled, asked)
	if err != nil || !reflect.DeepEqual(got, value) {
		t.Fatalf("%v became %v: %v", value, got, err)
	}
}

func TestEveryTypeReturnsAsItWas(t *testing.T) {
	for _, number := range []int64{math.MinInt64, -1, 0, 9_007_199_254_740_993, math.MaxInt64} {
		returns(t, Int().DefaultOnTimeout(number), number)
	}
	returns(t, Float().DefaultOnTimeout(math.SmallestNonzeroFloat64), math.SmallestNonzeroFloat64)
	returns(t, Str().DefaultOnTimeout("\u202etext\n"), "\u202etext\n")
	returns(t, Bool().DefaultOnTimeout(true), true)
	returns(t, Choice("a").DefaultOnTimeout("a"), "a")
	returns(t, Choices("a", "b").DefaultOnTimeout("a", "b"), []string{"a", "b"})
}

func TestWhatDoesNotFitIsAnError(t *testing.T) {
	truth := &hitlv1.Value{Kind: &hitlv1.Value_Bool{Bool: true}}
	if _, err := Int().read(truth, nil); !errors.Is(err, Internal) {
		t.Fatal(err)
	}
	if _, err := Choice().read(picked(nil), nil); !errors.Is(err, Internal) {
		t.Fatal(err)
	}
	if _, err := Choices().read(nil, nil); !errors.Is(err, Internal) {
		t.Fatal(err)
	}
}
