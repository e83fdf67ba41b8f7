package hitltest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"hitl.dev/go"
	"hitl.dev/go/hitlv1"
)

const (
	// newsLimit is how long it takes at most until an event that was created is known.
	newsLimit = 2 * time.Second
	// doneLimit is for what is done, which takes a few calls.
	doneLimit = 30 * time.Second
)

// Human is a person who answers the events of a client's namespace, on a server for tests only.
//
// What is to be done is said by the name of the event, before the event is created or later: the first act is for the
// first event of that name, the second for the second. An event for which nothing is said stays as it is. At the end
// of the test, or at [Human.Check], the test fails if nonsense was taken, an answer was refused, or nobody has asked.
type Human struct {
	t      testing.TB
	client *hitl.Client
	name   string
	clock  *clock
	ctx    context.Context // Ends with the test.
	news   chan struct{}   // Has something when what is below may have changed.

	mutex    sync.Mutex
	acts     map[string][]act
	asked    map[string][]string
	busy     int
	problems []string
}

// act is what is done with one event.
type act struct {
	do       func(ctx context.Context, eventID string) error
	after    time.Duration
	nonsense []any
}

// HumanOption is how something is done: [After], [Nonsense].
type HumanOption func(*act)

// After lets so much time pass on the server before that, at once. If the event has ended by then, what is done comes too
// late, as answers do.
func After(duration time.Duration) HumanOption { return func(a *act) { a.after = duration } }

// Nonsense is given first, as JSON has it, and each value has to be refused.
func Nonsense(values ...any) HumanOption { return func(a *act) { a.nonsense = values } }

// NewHuman returns a person of this name. The test fails at once if the client's server is no server for tests.
func NewHuman(t testing.TB, client *hitl.Client, name string) *Human {
	t.Helper()
	clock, err := newClock(client.Endpoint())
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	human := &Human{
		t: t, client: client, name: name, clock: clock, ctx: ctx, news: make(chan struct{}, 1),
		acts: map[string][]act{}, asked: map[string][]string{},
	}
	page, err := client.List(ctx, &hitlv1.ListEventsRequest{State: hitlv1.EventState_EVENT_STATE_PENDING})
	if err != nil {
		cancel()
		t.Fatal(err)
	}
	for _, event := range page.GetEvents() {
		human.hear(event)
	}
	var following sync.WaitGroup
	following.Go(func() { human.follow(page.GetResumeToken()) })
	t.Cleanup(func() {
		if !t.Failed() {
			human.Check()
		}
		cancel()
		following.Wait()
		_ = clock.conn.Close()
	})
	return human
}

// Answer answers the next event of that name with a value, as JSON has it.
func (h *Human) Answer(name string, value any, options ...HumanOption) {
	h.t.Helper()
	text, err := json.Marshal(value)
	if err != nil {
		h.t.Fatal(err)
	}
	h.answer(name, hitl.JSON(string(text)), options)
}

// AnswerText answers the next event of that name with text as a person would type it.
func (h *Human) AnswerText(name, text string, options ...HumanOption) {
	h.answer(name, hitl.Text(text), options)
}

// Decline declines the next event of that name. The reason may be empty.
func (h *Human) Decline(name, reason string, options ...HumanOption) {
	h.plan(name, func(ctx context.Context, eventID string) error {
		_, err := h.client.Decline(ctx, eventID, reason, h.name)
		return err
	}, options)
}

// Ignore leaves the next event of that name alone.
func (h *Human) Ignore(name string, options ...HumanOption) {
	h.plan(name, func(context.Context, string) error { return nil }, options)
}

// Check waits for what is under way, and has the test fail if not all went as it has said.
func (h *Human) Check() {
	h.t.Helper()
	// What was just asked may not have come here yet.
	h.until(newsLimit, func() bool { return h.left() == "" })
	h.until(doneLimit, func() bool { return h.busy == 0 })
	h.mutex.Lock()
	defer h.mutex.Unlock()
	if left := h.left(); left != "" {
		h.problems = append(h.problems, left)
	}
	for _, problem := range h.problems {
		h.t.Error(problem)
	}
	h.problems, h.acts = nil, map[string][]act{}
}

// left says what nobody has asked, empty if everything was. The mutex is held.
func (h *Human) left() (left string) {
	for name, acts := range h.acts {
		if len(acts) > 0 {
			left += fmt.Sprintf("nobody has asked %q, %d more times\n", name, len(acts))
		}
	}
	return left
}

// until waits for something, and no longer than the limit.
func (h *Human) until(limit time.Duration, isSo func() bool) {
	late := time.After(limit)
	for {
		h.mutex.Lock()
		done := isSo()
		h.mutex.Unlock()
		if done {
			return
		}
		select {
		case <-h.news:
		case <-late:
			return
		}
	}
}

func (h *Human) answer(name string, answer hitl.Answer, options []HumanOption) {
	h.plan(name, func(ctx context.Context, eventID string) error {
		_, err := h.client.Answer(ctx, eventID, answer, h.name)
		return err
	}, options)
}

func (h *Human) plan(name string, do func(context.Context, string) error, options []HumanOption) {
	planned := act{do: do}
	for _, option := range options {
		option(&planned)
	}
	h.mutex.Lock()
	defer h.mutex.Unlock()
	h.acts[name] = append(h.acts[name], planned)
	h.match(name)
}

func (h *Human) hear(event *hitlv1.Event) {
	h.mutex.Lock()
	defer h.mutex.Unlock()
	h.asked[event.GetName()] = append(h.asked[event.GetName()], event.GetId())
	h.match(event.GetName())
	h.tell()
}

func (h *Human) follow(resumeToken string) {
	request := &hitlv1.WatchEventsRequest{ResumeToken: resumeToken}
	for change, err := range h.client.Watch(h.ctx, request) {
		if err != nil {
			h.note(err)
			return
		}
		if change.Kind == hitlv1.ChangeKind_CHANGE_KIND_CREATED {
			h.hear(change.Event)
		}
	}
}

// match does what can be done now. The mutex is held.
func (h *Human) match(name string) {
	for len(h.acts[name]) > 0 && len(h.asked[name]) > 0 {
		next, eventID := h.acts[name][0], h.asked[name][0]
		h.acts[name], h.asked[name] = h.acts[name][1:], h.asked[name][1:]
		h.busy++
		go func() {
			if err := h.perform(eventID, next); err != nil {
				h.note(fmt.Errorf("%q: %w", name, err))
			}
			h.mutex.Lock()
			defer h.mutex.Unlock()
			h.busy--
			h.tell()
		}()
	}
}

func (h *Human) perform(eventID string, act act) error {
	for _, wrong := range act.nonsense {
		text, err := json.Marshal(wrong)
		if err != nil {
			return err
		}
		_, err = h.client.Answer(h.ctx, eventID, hitl.JSON(string(text)), h.name)
		if err == nil {
			return fmt.Errorf("%s was to be refused, and was taken", text)
		}
		if !errors.Is(err, hitl.Invalid) {
			return err
		}
	}
	if act.after != 0 {
		if err := h.clock.advance(act.after); err != nil {
			return err
		}
	}
	err := act.do(h.ctx, eventID)
	if act.after != 0 && errors.Is(err, hitl.Conflict) {
		return nil
	}
	return err
}

// note keeps what went wrong, unless the test has ended.
func (h *Human) note(err error) {
	if h.ctx.Err() != nil {
		return
	}
	h.mutex.Lock()
	defer h.mutex.Unlock()
	h.problems = append(h.problems, err.Error())
}

// tell says that something may have changed.
func (h *Human) tell() {
	select {
	case h.news <- struct{}{}:
	default:
	}
}
