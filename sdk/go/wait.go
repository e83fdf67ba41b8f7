package hitl

import (
	"context"
	"errors"
	"io"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

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
	request := &hitlv1.WaitEventRequest{Namespace: c.Namespace(), EventId: eventID}
	var event *hitlv1.Event
	err := retry(ctx, c.outlasts, func(delays *backoff) error {
		return c.attempt(ctx, silenceLimit, func(ctx context.Context, link *link, silence *silence) error {
			stream, err := link.stub.WaitEvent(ctx, request)
			if err != nil {
				return err
			}
			// The event as it stands, heartbeats, and the final event: to resume after any loss is to
			// call again.
			for !isFinal(event) {
				message, err := stream.Recv()
				if errors.Is(err, io.EOF) {
					return status.Error(codes.Unavailable, "the stream ended before the event")
				}
				if err != nil {
					return err
				}
				silence.broken()
				*delays = backoff{}
				event = message.GetEvent()
			}
			return nil
		})
	})
	if err != nil {
		return nil, err
	}
	return event, nil
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
