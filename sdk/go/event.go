package hitl

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"sync/atomic"
	"time"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/durationpb"

	"hitl.dev/go/evidence"
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

// Title is the question in a few words: the headline of the page, above the prompt.
func Title(title string) Option {
	return func(r *hitlv1.CreateEventRequest) { r.Title = title }
}

// Risk says how much is at stake: low unless set. Pages take no answer at high risk without the person's word that this
// is known.
func Risk(risk hitlv1.Risk) Option {
	return func(r *hitlv1.CreateEventRequest) { r.Risk = risk }
}

// RequireConfirmation lets nobody answer on a page without confirming it in a second step, or with a typed word if the
// risk is high.
func RequireConfirmation() Option {
	return func(r *hitlv1.CreateEventRequest) { r.RequireConfirmation = true }
}

// Assignee lets this person answer, and nobody else but those who are named too: by the name or the id of who signs in,
// of a token, or whom a link is made for.
func Assignee(person string) Option {
	return func(r *hitlv1.CreateEventRequest) {
		r.Assignees = append(r.Assignees, &hitlv1.Assignee{Kind: &hitlv1.Assignee_Person{Person: person}})
	}
}

// Group lets everybody in this group answer, and nobody else but those who are named too.
func Group(group string) Option {
	return func(r *hitlv1.CreateEventRequest) {
		r.Assignees = append(r.Assignees, &hitlv1.Assignee{Kind: &hitlv1.Assignee_Group{Group: group}})
	}
}

// Required lets the event end only once so many distinct people have given the same value, 1 to 20, or one has declined.
func Required(people uint32) Option {
	return func(r *hitlv1.CreateEventRequest) { quorum(r).Required = people }
}

// OutvotesDeclines lets no single decline end an event for which several have to agree.
func OutvotesDeclines() Option {
	return func(r *hitlv1.CreateEventRequest) { quorum(r).DeclineEnds = proto.Bool(false) }
}

func quorum(r *hitlv1.CreateEventRequest) *hitlv1.Quorum {
	if r.Quorum == nil {
		r.Quorum = &hitlv1.Quorum{}
	}
	return r.Quorum
}

// Fact shows a fact beside the prompt. Facts that are given one after the other are one item.
func Fact(label, value string) Option {
	fact := evidence.Facts("", evidence.Pair{Label: label, Value: value})
	return func(r *hitlv1.CreateEventRequest) {
		if count := len(r.Evidence); count > 0 {
			last := r.Evidence[count-1]
			if facts := last.GetFacts(); facts != nil && last.GetTitle() == "" && last.GetNote() == "" {
				facts.Facts = append(facts.Facts, fact.GetFacts().GetFacts()...)
				return
			}
		}
		r.Evidence = append(r.Evidence, proto.CloneOf(fact))
	}
}

// Evidence shows items beside the prompt: package evidence has a function for each kind.
func Evidence(items ...*hitlv1.Evidence) Option {
	return func(r *hitlv1.CreateEventRequest) {
		for _, item := range items {
			r.Evidence = append(r.Evidence, proto.CloneOf(item))
		}
	}
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
	isTold  *atomic.Bool // Whether people know where to answer, as far as we know.
}

// Create asks: it creates an event whose answer is what the input says. The event and its timer are
// durable when this returns. The name is what lists and logs call it, the prompt is the question. It is asked
// of a [Client], or of a [Run], which counts it.
//
// Its errors are those of [Client.CreateEvent].
func Create[T any](
	ctx context.Context, asker Asker, name, prompt string, input Input[T], options ...Option,
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
	client, run := asker.asks()
	reply, err := client.create(ctx, run, request)
	record, err := event(reply, err)
	if err != nil {
		return nil, err
	}
	return &Event[T]{client, input, record, reply.GetExisted(), &atomic.Bool{}}, nil
}

// Ask asks one question and waits for its answer, with everything else left at its default. It prints
// where to answer to stderr, since nobody could know otherwise, unless HITL_ANNOUNCE says not to.
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
	return event.Wait(ctx)
}

// ID is the event's id: 32 lower-case hexadecimal digits.
func (e *Event[T]) ID() string { return e.record.GetId() }

// RequestID is the same as ID.
func (e *Event[T]) RequestID() string { return e.ID() }

// Name is what lists and logs call the event.
func (e *Event[T]) Name() string { return e.record.GetName() }

// FormURL is the page where a person answers. A secret: whoever has it can answer this one event.
func (e *Event[T]) FormURL() string {
	e.isTold.Store(true)
	return e.record.GetFormUrl()
}

// APIURL is where a program answers with plain JSON. A secret like FormURL.
func (e *Event[T]) APIURL() string {
	e.isTold.Store(true)
	return e.record.GetApiUrl()
}

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

// MarshalJSON is what tells the event from all others and has no secret: its id, its namespace, its name, its
// deadline and whether it existed. [Attach] makes an event of the id again, anywhere.
func (e Event[T]) MarshalJSON() ([]byte, error) {
	var deadline *time.Time
	if e.record.GetDeadline() != nil {
		instant := e.record.GetDeadline().AsTime()
		deadline = &instant
	}
	return json.Marshal(struct {
		ID        string     `json:"id"`
		Namespace string     `json:"namespace"`
		Name      string     `json:"name"`
		Deadline  *time.Time `json:"deadline"`
		Existed   bool       `json:"existed"`
	}{e.ID(), e.record.GetNamespace(), e.Name(), deadline, e.existed})
}

// Wait waits until the event ends, through lost connections and server restarts, and returns the
// answer; or, if it timed out, the default it was created with. End the context to stop waiting: the
// event stays. It tells where to answer, on stderr and once, unless the program has read a link of the event
// or [Config].Announce says not to.
//
// The error is [Declined], [Cancelled] or [TimedOut] if the event ended without a value; its
// Response tells when, why and by whom.
func (e *Event[T]) Wait(ctx context.Context) (answer T, err error) {
	e.announce()
	event, err := e.client.WaitEvent(ctx, e.ID())
	if err != nil {
		return answer, err
	}
	return e.outcome(event)
}

// Details are an answer, and what else was said.
type Details[T any] struct {
	// Value is the answer; the default if nobody answered in time.
	Value T
	// Response is how the event ended: its Comment is what the person said beside the value, its Responder who that
	// was, its Time when.
	Response *hitlv1.Response
}

// WaitDetails is [Event.Wait], with what else was said: the comment, by whom and when.
func (e *Event[T]) WaitDetails(ctx context.Context) (*Details[T], error) {
	e.announce()
	event, err := e.client.WaitEvent(ctx, e.ID())
	if err != nil {
		return nil, err
	}
	value, err := e.outcome(event)
	if err != nil {
		return nil, err
	}
	return &Details[T]{value, event.GetResponse()}, nil
}

// WaitFor is [Event.Wait], at most for so long: hasEnded is false if the limit has passed before the event
// ended. A limit of zero, or less, looks once, as [Event.Poll] does.
func (e *Event[T]) WaitFor(ctx context.Context, limit time.Duration) (answer T, hasEnded bool, err error) {
	if limit <= 0 {
		return e.Poll(ctx)
	}
	e.announce()
	limited, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	event, err := e.client.WaitEvent(limited, e.ID())
	if err != nil && err == limited.Err() && ctx.Err() == nil {
		return answer, false, nil
	}
	if err != nil {
		return answer, false, err
	}
	answer, err = e.outcome(event)
	return answer, true, err
}

// Poll looks whether the event has ended, without waiting for it. If it has, answer and err are what
// [Event.Wait] returns; hasEnded is false while nobody has answered.
func (e *Event[T]) Poll(ctx context.Context) (answer T, hasEnded bool, err error) {
	event, err := e.client.Get(ctx, e.ID())
	if err != nil || !isFinal(event) {
		return answer, false, err
	}
	answer, err = e.outcome(event)
	return answer, true, err
}

// announce tells people where to answer, if nobody has yet.
func (e *Event[T]) announce() {
	if !isFinal(e.record) && !e.isTold.Swap(true) {
		e.client.settings.announcer.tell(e.record)
	}
}

// outcome is what an ended event means to whoever waited for it.
func (e *Event[T]) outcome(event *hitlv1.Event) (answer T, err error) {
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
