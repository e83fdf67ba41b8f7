package hitl

import (
	"context"
	"unicode/utf8"

	"hitl.dev/go/hitlv1"
)

// WaitEvent waits until an event ends, through lost connections and server restarts, and returns it
// with its response, however it ended. The error is [NotFound] if there is no such event.
//
// Once the client has reached its server, no loss of it ends the wait: the program waits for a
// person, who may take longer than any outage. Before that, a wrong address is the likelier cause.
func (c *Client) WaitEvent(ctx context.Context, eventID string) (*hitlv1.Event, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if len(eventID) > maxID || !utf8.ValidString(eventID) {
		return nil, newError(Invalid, "event_id: must be 32 lower-case hexadecimal digits")
	}
	listener := c.waits.join(eventID, c.serveWaits)
	select {
	case outcome := <-listener:
		return outcome.event, outcome.err
	case <-ctx.Done():
		c.waits.leave(eventID, listener)
		return nil, ctx.Err()
	}
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
