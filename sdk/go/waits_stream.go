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

type waitsStream = hitlv1.EventService_WaitEventsClient

// serveWaits serves the stream that all waits share, until there are none.
func (c *Client) serveWaits() {
	var delays backoff
	for {
		err := c.attendWaits(&delays)
		var failure *Error
		if errors.As(err, &failure) {
			delay := delays.delay(failure)
			c.waits.giveUp(failure, func(lasted time.Duration) bool { return c.outlasts(failure, lasted+delay) })
			c.logLost(delay, failure)
			c.waits.pause(delay)
		}
		if c.waits.stop() {
			return
		}
	}
}

// attendWaits follows one stream until it is lost or nothing is waited for, which is the end of a context.
func (c *Client) attendWaits(delays *backoff) error {
	ctx, unwanted := context.WithCancel(context.Background())
	defer unwanted()
	return c.attempt(ctx, quietFor(silenceLimit), func(ctx context.Context, link *link, silence *silence) error {
		c.waits.begin()
		ctx, leave := context.WithCancel(ctx)
		defer leave()
		stream, err := link.stub.WaitEvents(ctx)
		if err != nil {
			return err
		}
		said := make(chan struct{})
		go func() {
			defer close(said)
			c.sayWaits(stream, unwanted)
		}()
		err = c.hearWaits(stream, silence, delays)
		leave()
		// What there is to say to the next server must not be taken for this one.
		<-said
		return err
	})
}

// sayWaits tells the server what to wait for, until the stream is lost or, which it tells, unwanted.
func (c *Client) sayWaits(stream waitsStream, unwanted func()) {
	for {
		if c.waits.isEmpty() {
			unwanted()
			return
		}
		if message := c.waits.message(c.Namespace()); message != nil {
			if err := stream.Send(message); err != nil {
				// Whoever hears the stream is told why.
				return
			}
			continue
		}
		select {
		case <-c.waits.changed:
		case <-stream.Context().Done():
			return
		}
	}
}

// hearWaits takes what the server says until the stream is lost.
func (c *Client) hearWaits(stream waitsStream, silence *silence, delays *backoff) error {
	// They come at once, and the first message may be a heartbeat.
	if headers, err := stream.Header(); err == nil && headers != nil {
		silence.broken()
		c.logWaits()
	}
	for {
		message, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			return status.Error(codes.Unavailable, "the stream ended before the event")
		}
		if err != nil {
			return err
		}
		silence.broken()
		*delays = backoff{}
		c.waits.hear(message)
	}
}

func (w *waits) hear(message *hitlv1.WaitEventsResponse) {
	if event := message.GetEvent(); isFinal(event) {
		w.end(event.GetId(), outcome{event: event})
	}
	if failed := message.GetFailed(); failed.GetFailure() != nil {
		w.failed(failed.GetKey().GetEventId(), failureError(failed.GetFailure()))
	}
}

// pause lets a delay pass, or the time until nothing is waited for.
func (w *waits) pause(delay time.Duration) {
	passed := time.After(delay)
	for !w.isEmpty() {
		select {
		case <-passed:
			return
		case <-w.changed:
		}
	}
}
