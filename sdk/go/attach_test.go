package hitl

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	"hitl.dev/go/hitlv1"
)

func storedEvent(state hitlv1.EventState, input *hitlv1.Input, value *hitlv1.Value) *hitlv1.Event {
	return &hitlv1.Event{
		Id: "e", Namespace: "shop", Name: "n", State: state, Input: input, FormUrl: "http://host/form/secret",
		Response: &hitlv1.Response{Value: value}, Deadline: timestamppb.New(time.Unix(1, 0)),
	}
}

func inputOf[T any](t *testing.T, input Input[T]) *hitlv1.Input {
	t.Helper()
	asked, _, err := input.message()
	if err != nil {
		t.Fatal(err)
	}
	return asked
}

// attachesAs attaches to an event that asks for asked, and returns its answer or why it cannot be one.
func attachesAs[T any](t *testing.T, asked *hitlv1.Input, value *hitlv1.Value) (answer T, err error) {
	t.Helper()
	ended := storedEvent(hitlv1.EventState_EVENT_STATE_ANSWERED, asked, value)
	script := &script{stored: map[string]*hitlv1.Event{"e": ended}}
	scripted(t, script, Config{}, func(t *testing.T, client *Client) {
		var event *Event[T]
		if event, err = Attach[T](t.Context(), client, "e"); err == nil {
			answer, _, err = event.Poll(t.Context())
		}
	})
	return answer, err
}

func attaches[T any](t *testing.T, input Input[T], value *hitlv1.Value, isRight func(T) bool) {
	t.Helper()
	if answer, err := attachesAs[T](t, inputOf(t, input), value); err != nil || !isRight(answer) {
		t.Fatal(answer, err)
	}
}

type crew struct {
	Size int32    `json:"size"`
	Crew []string `json:"crew" hitl:"enum=ada|bob"`
}

func TestAnEventIsAttachedToWithTheTypeOfItsAnswer(t *testing.T) {
	attaches(t, Int(), intValue(7), func(answer int64) bool { return answer == 7 })
	half := &hitlv1.Value{Kind: &hitlv1.Value_Float{Float: 0.5}}
	attaches(t, Float(), half, func(answer float64) bool { return answer == 0.5 })
	text := &hitlv1.Value{Kind: &hitlv1.Value_Str{Str: "a"}}
	attaches(t, Str(), text, func(answer string) bool { return answer == "a" })
	attaches(t, Bool(), &hitlv1.Value{Kind: &hitlv1.Value_Bool{Bool: true}}, func(answer bool) bool { return answer })
	attaches(t, Choice("a"), picked([]string{"a"}), func(answer string) bool { return answer == "a" })
	attaches(t, Choices("a"), picked([]string{"a"}), func(answer []string) bool { return answer[0] == "a" })
	fields := map[string]*hitlv1.Value{"size": intValue(2), "crew": picked([]string{"ada", "bob"})}
	object := &hitlv1.Value{Kind: &hitlv1.Value_Object{Object: &hitlv1.ObjectValue{Fields: fields}}}
	attaches(t, Object[crew](), object, func(answer crew) bool { return answer.Size == 2 && len(answer.Crew) == 2 })
	untyped, err := attachesAs[map[string]any](t, inputOf(t, Object[crew]()), object)
	if err != nil || untyped["size"] != int64(2) {
		t.Fatal(untyped, err)
	}
}

func TestAnEventOfAnotherTypeIsRefused(t *testing.T) {
	_, number := attachesAs[int64](t, inputOf(t, Str()), nil)
	_, picked := attachesAs[bool](t, inputOf(t, Choice("a")), nil)
	_, narrow := attachesAs[int32](t, inputOf(t, Int()), nil)
	_, object := attachesAs[string](t, inputOf(t, Object[crew]()), nil)
	_, fewer := attachesAs[struct{ Size int64 }](t, inputOf(t, Object[crew]()), nil)
	_, unknown := attachesAs[string](t, &hitlv1.Input{}, nil)
	_, several := attachesAs[string](t, inputOf(t, Choices("a", "b").MaxSelected(2)), nil)
	for _, err := range []error{several, number, picked, narrow, object, fewer, unknown} {
		if !errors.Is(err, Invalid) {
			t.Error(err)
		}
	}
	if number.Error() != "the event asks for str, not int64" || !strings.Contains(fewer.Error(), "crew, size") {
		t.Error(number, fewer)
	}
}

func TestTheEventsOfARunAreFoundByTheirNumber(t *testing.T) {
	// The id that the server gave the first event of the name n in the run r of the namespace default.
	id := series{"default", "r", "n"}.eventID(1)
	if id != "2fe9a4123b058dc29938b652b7e6c297" {
		t.Fatal(id)
	}
	script := &script{stored: map[string]*hitlv1.Event{id: {Id: id, Input: inputOf(t, Int())}}}
	scripted(t, script, Config{}, func(t *testing.T, client *Client) {
		run := runOf(t, client, "r")
		event, err := AttachIn[int64](t.Context(), run, "n", 1)
		if err != nil || event.ID() != id || !event.Existed() {
			t.Fatal(event, err)
		}
		if _, err := AttachIn[int64](t.Context(), run, "n", 2); !errors.Is(err, NotFound) {
			t.Fatal(err)
		}
		if _, err := AttachIn[int64](t.Context(), run, "n", 0); !errors.Is(err, Invalid) {
			t.Fatal(err)
		}
	})
}

func TestALookNeverWaitsAndALimitedWaitLooksAtLeastOnce(t *testing.T) {
	pending := storedEvent(hitlv1.EventState_EVENT_STATE_PENDING, inputOf(t, Int()), nil)
	script := &script{stored: map[string]*hitlv1.Event{"e": pending}, steps: []step{hangs(heartbeat())}}
	scripted(t, script, Config{}, func(t *testing.T, client *Client) {
		event, err := Attach[int64](t.Context(), client, "e")
		if err != nil {
			t.Fatal(err)
		}
		looks := map[time.Duration]func() (int64, bool, error){
			0:           func() (int64, bool, error) { return event.Poll(t.Context()) },
			-1:          func() (int64, bool, error) { return event.WaitFor(t.Context(), 0) },
			time.Minute: func() (int64, bool, error) { return event.WaitFor(t.Context(), time.Minute) },
		}
		for lasts, look := range looks {
			begun := time.Now()
			if _, hasEnded, err := look(); hasEnded || err != nil || time.Since(begun) != max(lasts, 0) {
				t.Fatal(lasts, hasEnded, err, time.Since(begun))
			}
		}
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(time.Second, cancel)
		if _, hasEnded, err := event.WaitFor(ctx, time.Minute); hasEnded || err != context.Canceled {
			t.Fatal(hasEnded, err)
		}
		script.stored["e"] = storedEvent(hitlv1.EventState_EVENT_STATE_ANSWERED, inputOf(t, Int()), intValue(7))
		for _, look := range []func() (int64, bool, error){looks[0], looks[-1]} {
			if answer, hasEnded, err := look(); answer != 7 || !hasEnded || err != nil {
				t.Fatal(answer, hasEnded, err)
			}
		}
		script.stored["e"] = storedEvent(hitlv1.EventState_EVENT_STATE_DECLINED, inputOf(t, Int()), nil)
		if _, hasEnded, err := event.Poll(t.Context()); !hasEnded || !errors.Is(err, Declined) {
			t.Fatal(hasEnded, err)
		}
	})
}

func TestAnEventIsJSONWithoutSecretsAndComesBackByItsID(t *testing.T) {
	ended := storedEvent(hitlv1.EventState_EVENT_STATE_ANSWERED, inputOf(t, Int()), intValue(7))
	script := &script{stored: map[string]*hitlv1.Event{"e": ended}}
	scripted(t, script, Config{}, func(t *testing.T, client *Client) {
		event, err := Attach[int64](t.Context(), client, "e")
		if err != nil {
			t.Fatal(err)
		}
		text, err := json.Marshal(map[string]any{"asked": event})
		expected := `{"asked":{"id":"e","namespace":"shop","name":"n","deadline":"1970-01-01T00:00:01Z","existed":true}}`
		if err != nil || string(text) != expected {
			t.Fatal(string(text), err)
		}
	})
}
