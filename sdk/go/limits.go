package hitl

import (
	"fmt"
	"time"
)

const (
	defaultRetryFor = 30 * time.Second
	// Longer than a local server may take to start, so that its own error is the one that is seen.
	attemptLimit = 15 * time.Second
)

// limits say how long the calls of a client may take.
type limits struct {
	retryFor    time.Duration
	isPatient   bool          // Whether the program has said how long calls are repeated.
	callTimeout time.Duration // With all attempts. Zero if there is none.
}

// quiet is how long a server may say nothing.
type quiet struct {
	limit time.Duration
	told  string // That in words.
}

func quietFor(limit time.Duration) quiet {
	return quiet{limit, fmt.Sprintf("for %g s", limit.Seconds())}
}

// patience is for how long it is worth to begin another attempt.
func (l limits) patience() time.Duration {
	if l.callTimeout > 0 {
		return min(l.retryFor, l.callTimeout)
	}
	return l.retryFor
}

// ofAttempt is how long an attempt may take of a call that began then.
func (l limits) ofAttempt(begun time.Time) quiet {
	left := l.callTimeout - time.Since(begun)
	if l.callTimeout > 0 && left < attemptLimit {
		return quiet{max(0, left), fmt.Sprintf("within the call's timeout of %g s", l.callTimeout.Seconds())}
	}
	return quietFor(attemptLimit)
}

// areOver says whether the time of a call that began then has passed.
func (l limits) areOver(begun time.Time) bool {
	return l.callTimeout > 0 && time.Since(begun) >= l.callTimeout
}
