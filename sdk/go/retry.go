package hitl

import (
	"context"
	"errors"
	"math/rand/v2"
	"time"
)

const (
	firstDelay = 100 * time.Millisecond
	maxDelay   = 5 * time.Second
)

// backoff gives delays that double from 100 ms to 5 s, each shortened at random by up to half, so
// that the clients of a server that comes back do not all call it at once.
type backoff struct {
	next time.Duration
}

// delay is the time until the next attempt, and at least what the server asked for with err.
func (b *backoff) delay(err *Error) time.Duration {
	full := max(b.next, firstDelay)
	b.next = min(2*full, maxDelay)
	return max(full-rand.N(full/2+1), err.retryDelay)
}

// retry repeats attempt until it succeeds, or goesOn says of an error, and of the time that will have
// passed at the next attempt, that it is the last. An attempt that made progress resets the backoff.
// Repeating is safe for all of ours: creates carry an idempotency key, answers an answer id.
func (c *Client) retry(
	ctx context.Context, goesOn func(*Error, time.Duration) bool, attempt func(*backoff) error,
) error {
	begun := time.Now()
	var delays backoff
	for number := 2; ; number++ {
		err := attempt(&delays)
		var failure *Error
		if !errors.As(err, &failure) {
			return err
		}
		delay := delays.delay(failure)
		if !goesOn(failure, time.Since(begun)+delay) {
			return err
		}
		c.logAgain(number, delay, failure)
		if err := sleep(ctx, delay); err != nil {
			return err
		}
	}
}

func sleep(ctx context.Context, delay time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(delay):
		return nil
	}
}
