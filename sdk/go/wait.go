package hitl

import (
	"context"
	"errors"
	"io"
	"time"

	"hitl.dev/go/hitlv1"
)

// Three of the server's default heartbeats.
const silenceLimit = 45 * time.Second

// WaitEvent waits until an event ends, through lost connections and server restarts, and returns it
// with its response, however it ended. The error is [NotFound] if there is no such event.
//
// Once the client has reached its server, no loss of it ends the wait: the program waits for a
// person, who may take longer than any outage. Before that, a wrong address is the likelier cause.
func (c *Client) WaitEvent(ctx context.Context, eventID string) (*hitlv1.Event, error) {
	begun := time.Now()
	var delays backoff
	for {
		event, err := c.attend(ctx, eventID, &delays)
		var failure *Error
		if !errors.As(err, &failure) {
			return event, err
		}
		delay := delays.delay(failure)
		lost := failure.Kind == Unavailable || failure.Retryable
		inTime := failure.Retryable && time.Since(begun)+delay <= c.settings.retryFor
		if !lost || (!c.reached.Load() && !inTime) {
			return nil, err
		}
		if err := sleep(ctx, delay); err != nil {
			return nil, err
		}
	}
}

// attend follows one stream until it brings the final event or is lost. A stream is the event as it
// stands, heartbeats, and the final event: to resume after any loss is to call again.
func (c *Client) attend(ctx context.Context, eventID string, delays *backoff) (*hitlv1.Event, error) {
	limited, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	silence := time.AfterFunc(silenceLimit, func() { cancel(silent(silenceLimit)) })
	defer silence.Stop()
	link, err := c.connection()
	if err != nil {
		return nil, err
	}
	request := &hitlv1.WaitEventRequest{Namespace: c.Namespace(), EventId: eventID}
	stream, err := link.stub.WaitEvent(limited, request)
	for err == nil {
		var message *hitlv1.WaitEventResponse
		if message, err = stream.Recv(); err != nil {
			break
		}
		silence.Reset(silenceLimit)
		*delays = backoff{}
		c.reached.Store(true)
		if event := message.GetEvent(); isFinal(event) {
			return event, nil
		}
	}
	if errors.Is(err, io.EOF) {
		return nil, unavailable("the stream ended before the event")
	}
	return nil, ended(ctx, limited, c.settle(link, err))
}

// isFinal says whether an event has ended. A state that this version does not know is pending.
func isFinal(event *hitlv1.Event) bool {
	switch event.GetState() {
	case hitlv1.EventState_EVENT_STATE_ANSWERED, hitlv1.EventState_EVENT_STATE_DECLINED,
		hitlv1.EventState_EVENT_STATE_CANCELLED, hitlv1.EventState_EVENT_STATE_TIMED_OUT:
		return true
	default:
		return false
	}
}
