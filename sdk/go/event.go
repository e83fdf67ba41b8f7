package hitl

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"time"

	"google.golang.org/protobuf/types/known/durationpb"

	"hitl.dev/go/hitlv1"
)

// Option sets what every event can have, whatever its answer.
type Option func(*hitlv1.CreateEventRequest)

// Scope names the run the event belongs to: "run" unless set.
func Scope(scope string) Option {
	return func(r *hitlv1.CreateEventRequest) { r.Scope = scope }
}

// Timeout is the time until the event times out, 1 ms to 366 days: one hour unless set.
func Timeout(timeout time.Duration) Option {
	ttl := &hitlv1.CreateEventRequest_Ttl{Ttl: durationpb.New(timeout)}
	return func(r *hitlv1.CreateEventRequest) { r.Expiration = ttl }
}

// Label adds a label to list by.
func Label(key, value string) Option {
	return func(r *hitlv1.CreateEventRequest) { r.Labels[key] = value }
}

// Markdown shows the prompt as Markdown instead of plain text.
func Markdown() Option {
	return func(r *hitlv1.CreateEventRequest) { r.PromptFormat = hitlv1.PromptFormat_PROMPT_FORMAT_MARKDOWN }
}

// IdempotencyKey makes creating the event again safe whatever run it is: the same key and the same
// request give the same event. Derived from the run unless set.
func IdempotencyKey(key string) Option {
	return func(r *hitlv1.CreateEventRequest) { r.IdempotencyKey = key }
}

// Event is an event that was created, and whose answer is a T.
type Event[T any] struct {
	client  *Client
	input   Input[T]
	record  *hitlv1.Event
	existed bool
}

// Create asks: it creates an event whose answer is what the input says. The event and its timer are
// durable when this returns. The name is what lists and logs call it, the prompt is the question.
//
// Its errors are those of [Client.CreateEvent].
func Create[T any](
	ctx context.Context, client *Client, name, prompt string, input Input[T], options ...Option,
) (*Event[T], error) {
	asked, fallback, err := input.message()
	if err != nil {
		return nil, err
	}
	request := &hitlv1.CreateEventRequest{
		Name: name, Prompt: prompt, Input: asked, Labels: map[string]string{},
	}
	if fallback != nil {
		action := &hitlv1.OnTimeout_DefaultValue{DefaultValue: fallback}
		request.OnTimeout = &hitlv1.OnTimeout{Action: action}
	}
	for _, option := range options {
		option(request)
	}
	reply, err := client.CreateEvent(ctx, request)
	record, err := event(reply, err)
	if err != nil {
		return nil, err
	}
	return &Event[T]{client, input, record, reply.GetExisted()}, nil
}

// Ask asks one question and waits for its answer, with everything else left at its default. It prints
// where to answer to stderr, since nobody could know otherwise.
func Ask[T any](ctx context.Context, name, prompt string, input Input[T]) (answer T, err error) {
	client, err := NewClient(Config{})
	if err != nil {
		return answer, err
	}
	defer client.Close()
	event, err := Create(ctx, client, name, prompt, input)
	if err != nil {
		return answer, err
	}
	if !isFinal(event.record) {
		fmt.Fprintf(os.Stderr, "hitl: \"%s\" waits for an answer at %s\n", oneLine(name), oneLine(event.FormURL()))
	}
	return event.Wait(ctx)
}

// ID is the event's id: 32 lower-case hexadecimal digits.
func (e *Event[T]) ID() string { return e.record.GetId() }

// RequestID is the same as ID.
func (e *Event[T]) RequestID() string { return e.ID() }

// Name is what lists and logs call the event.
func (e *Event[T]) Name() string { return e.record.GetName() }

// FormURL is the page where a person answers. A secret: whoever has it can answer this one event.
func (e *Event[T]) FormURL() string { return e.record.GetFormUrl() }

// APIURL is where a program answers with plain JSON. A secret like FormURL.
func (e *Event[T]) APIURL() string { return e.record.GetApiUrl() }

// Endpoint is the server's address.
func (e *Event[T]) Endpoint() string { return e.client.Endpoint() }

// Deadline is the instant at which the event times out, by the server's clock.
func (e *Event[T]) Deadline() time.Time { return e.record.GetDeadline().AsTime() }

// Existed says whether the event had been created before, by an earlier start of this run or with
// the same idempotency key. It may have ended since: then Wait returns at once.
func (e *Event[T]) Existed() bool { return e.existed }

// Record is the event as the API has it, as it stood when it was created.
func (e *Event[T]) Record() *hitlv1.Event { return e.record }

// String is the event without its links, which are secrets.
func (e Event[T]) String() string {
	return fmt.Sprintf("event %s \"%s\"", oneLine(e.ID()), oneLine(e.Name()))
}

// LogValue is the event without its links, for [log/slog].
func (e Event[T]) LogValue() slog.Value {
	return slog.GroupValue(slog.String("id", oneLine(e.ID())), slog.String("name", oneLine(e.Name())))
}

// MarshalJSON is the event without its links, for logs: it cannot be read back.
func (e Event[T]) MarshalJSON() ([]byte, error) {
	return json.Marshal(map[string]any{
		"id": e.ID(), "name": e.Name(), "deadline": e.Deadline(), "existed": e.Existed(),
	})
}

// Wait waits until the event ends, through lost connections and server restarts, and returns the
// answer; or, if it timed out, the default it was created with. End the context to stop waiting: the
// event stays.
//
// The error is [Declined], [Cancelled] or [TimedOut] if the event ended without a value; its
// Response tells when, why and by whom.
func (e *Event[T]) Wait(ctx context.Context) (answer T, err error) {
	event, err := e.client.WaitEvent(ctx, e.ID())
	if err != nil {
		return answer, err
	}
	value := event.GetResponse().GetValue()
	switch state := event.GetState(); {
	case state == hitlv1.EventState_EVENT_STATE_DECLINED:
		return answer, outcomeError(Declined, "declined", event)
	case state == hitlv1.EventState_EVENT_STATE_CANCELLED:
		return answer, outcomeError(Cancelled, "cancelled", event)
	case value != nil:
		return e.input.read(value, event.GetInput())
	case state == hitlv1.EventState_EVENT_STATE_TIMED_OUT:
		return answer, outcomeError(TimedOut, "not answered before its deadline", event)
	default:
		return answer, newError(Internal, fmt.Sprintf("the server sent no value with %v", state))
	}
}

// Cancel withdraws the question. The reason may be empty. The error is [Conflict] if the event ended
// otherwise.
func (e *Event[T]) Cancel(ctx context.Context, reason string) error {
	_, err := e.client.Cancel(ctx, e.ID(), reason)
	return err
}
