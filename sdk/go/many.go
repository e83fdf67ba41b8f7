package hitl

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"google.golang.org/protobuf/proto"

	"hitl.dev/go/hitlv1"
)

const (
	maxBatchEntries = 1000
	// Of the entries of one call, though one alone may have more.
	maxBatchBytes = 1 << 20
)

// Result is what became of one of many.
type Result[T any] struct {
	// Value is what was asked for, if Err is nil.
	Value T
	// Err is why it failed: an [*Error], or the error of a context that ended.
	Err error
}

// LogValue implements [slog.LogValuer], so that logs have no links.
func (r Result[T]) LogValue() slog.Value {
	if r.Err != nil {
		return slog.AnyValue(r.Err)
	}
	return slog.AnyValue(r.Value)
}

// CreateMany creates many events in few calls, each as [Client.CreateEvent] does, and returns what
// became of each, in their order.
func (c *Client) CreateMany(
	ctx context.Context, requests []*hitlv1.CreateEventRequest,
) []Result[*hitlv1.CreateEventResponse] {
	return c.createMany(ctx, nil, requests)
}

func (c *Client) createMany(
	ctx context.Context, run *Run, requests []*hitlv1.CreateEventRequest,
) []Result[*hitlv1.CreateEventResponse] {
	run = countsIn(ctx, run)
	filled, settle := make([]*hitlv1.CreateEventRequest, len(requests)), make([]func(error), len(requests))
	for at, request := range requests {
		filled[at], settle[at] = c.named(run, request)
	}
	results := sendMany(ctx, c, filled, createBatch)
	for at, result := range results {
		settle[at](result.Err)
	}
	return results
}

// AnswerMany answers many events in few calls, and returns how each ended, or why it did not, in their
// order. An empty namespace is the client's; an empty answer id is a random one, so that repeating the
// call on a lost connection answers nothing twice.
func (c *Client) AnswerMany(
	ctx context.Context, requests []*hitlv1.AnswerEventRequest,
) []Result[*hitlv1.Response] {
	filled := make([]*hitlv1.AnswerEventRequest, len(requests))
	for at, request := range requests {
		filled[at] = proto.CloneOf(request)
		filled[at].Namespace = first(request.GetNamespace(), c.Namespace())
		filled[at].AnswerId = first(request.GetAnswerId(), once())
	}
	return sendMany(ctx, c, filled, answerBatch)
}

func createBatch(
	ctx context.Context, stub hitlv1.EventServiceClient, requests []*hitlv1.CreateEventRequest,
) ([]Result[*hitlv1.CreateEventResponse], error) {
	reply, err := stub.BatchCreateEvents(ctx, &hitlv1.BatchCreateEventsRequest{Requests: requests})
	var results []Result[*hitlv1.CreateEventResponse]
	for _, result := range reply.GetResults() {
		results = append(results, resultOf(result.GetCreated(), result.GetFailure()))
	}
	return results, err
}

func answerBatch(
	ctx context.Context, stub hitlv1.EventServiceClient, requests []*hitlv1.AnswerEventRequest,
) ([]Result[*hitlv1.Response], error) {
	reply, err := stub.BatchAnswerEvents(ctx, &hitlv1.BatchAnswerEventsRequest{Requests: requests})
	var results []Result[*hitlv1.Response]
	for _, result := range reply.GetResults() {
		results = append(results, resultOf(result.GetResponse(), result.GetFailure()))
	}
	return results, err
}

func resultOf[T any](value *T, failure *hitlv1.Failure) Result[*T] {
	switch {
	case failure != nil:
		return Result[*T]{Err: failureError(failure)}
	case value == nil:
		return Result[*T]{Err: newError(Internal, "the server's reply has no result")}
	default:
		return Result[*T]{Value: value}
	}
}

// many is what is sent in batches, each entry again for as long as that can help.
type many[Q proto.Message, R any] struct {
	client   *Client
	requests []Q
	send     func(context.Context, hitlv1.EventServiceClient, []Q) ([]Result[R], error)
	results  []Result[R]
	waiting  []int // Which requests are still to be sent.
}

func sendMany[Q proto.Message, R any](
	ctx context.Context, c *Client, requests []Q,
	send func(context.Context, hitlv1.EventServiceClient, []Q) ([]Result[R], error),
) []Result[R] {
	m := &many[Q, R]{client: c, requests: requests, send: send, results: make([]Result[R], len(requests))}
	for at := range requests {
		m.waiting = append(m.waiting, at)
	}
	begun, delays, attempt := time.Now(), backoff{}, 1
	for len(m.waiting) > 0 {
		batch := m.next()
		again, err := m.exchange(ctx, batch)
		if err == nil {
			continue
		}
		isProgress := len(again) < len(batch)
		if isProgress {
			begun, delays, attempt = time.Now(), backoff{}, 1
		}
		var failure *Error
		switch {
		case !errors.As(err, &failure):
			m.end(err)
		case isProgress && failure.isFullReply():
			m.waiting = append(m.waiting, again...)
		default:
			delay := delays.delay(failure)
			if c.worthAnother(failure, time.Since(begun)+delay) {
				m.waiting = append(again, m.waiting...)
				attempt++
				c.logAgain(attempt, delay, failure)
				if err := sleep(ctx, delay); err != nil {
					m.end(err)
				}
			} else if !isProgress && (failure.Retryable || failure.Kind == Unavailable) {
				// What could not be done for a whole batch can be done for no other.
				m.end(err)
			}
		}
	}
	return m.results
}

// next takes as many of those that wait as go in one call.
func (m *many[Q, R]) next() []int {
	count, bytes := 0, 0
	for _, at := range m.waiting {
		bytes += proto.Size(m.requests[at])
		if count == maxBatchEntries || count > 0 && bytes > maxBatchBytes {
			break
		}
		count++
	}
	batch := m.waiting[:count:count]
	m.waiting = m.waiting[count:]
	return batch
}

// exchange sends a batch and keeps its results. It returns which entries may be sent again, and that error
// of them which asks for the longest delay.
func (m *many[Q, R]) exchange(ctx context.Context, batch []int) (again []int, err error) {
	entries := make([]Q, len(batch))
	for place, at := range batch {
		entries[place] = m.requests[at]
	}
	var replies []Result[R]
	err = m.client.round(ctx, time.Now(), func(ctx context.Context, link *link, _ *silence) (err error) {
		replies, err = m.send(ctx, link.stub, entries)
		return err
	})
	if err == nil && len(replies) != len(batch) {
		message := "the server sent %d results for %d entries"
		err = newError(Internal, fmt.Sprintf(message, len(replies), len(batch)))
	}
	if err != nil {
		m.fail(batch, err)
		return batch, err
	}
	var slowest *Error
	for place, at := range batch {
		m.results[at] = replies[place]
		var failure *Error
		if errors.As(replies[place].Err, &failure) && failure.Retryable {
			again = append(again, at)
			if slowest == nil || slowest.retryDelay < failure.retryDelay {
				slowest = failure
			}
		}
	}
	if slowest != nil {
		err = slowest
	}
	return again, err
}

// end gives up whatever still waits.
func (m *many[Q, R]) end(err error) {
	m.fail(m.waiting, err)
	m.waiting = nil
}

func (m *many[Q, R]) fail(entries []int, err error) {
	for _, at := range entries {
		m.results[at] = Result[R]{Err: err}
	}
}

// isFullReply says whether the server has asked for an entry again, at once, in another call.
func (err *Error) isFullReply() bool {
	return err.Reason == hitlv1.ErrorReason_ERROR_REASON_OVERLOADED.String() && err.retryDelay == 0
}
