package hitl

import (
	"context"

	"hitl.dev/go/hitlv1"
)

// Run counts the events of one run of a program, or of one task in it, by their names. The n-th event of a
// name has the same idempotency key in every [Run] of the same id, in this process or another, so that
// whoever tries again with a new one meets the same events, and the answers already given:
//
//	for { // Until the task succeeds.
//		run, err := client.Run("job-9")
//		...
//		event, err := hitl.Create(ctx, run, "approve", "Ship it?", hitl.Bool())
//		...
//	}
type Run struct {
	client  *Client
	id      string
	counter *counter
}

// Run returns a run of the client that begins to count. Two tries at the same time need ids of their own. The
// error is [Invalid] if the id is empty.
func (c *Client) Run(id string) (*Run, error) {
	if id == "" {
		return nil, newError(Invalid, "the run has no id: give it one that is the same each time the program tries")
	}
	return &Run{c, id, newCounter()}, nil
}

// ID is the run's id.
func (r *Run) ID() string { return r.id }

// CreateEvent is [Client.CreateEvent], and counts in the run.
func (r *Run) CreateEvent(
	ctx context.Context, request *hitlv1.CreateEventRequest,
) (*hitlv1.CreateEventResponse, error) {
	return r.client.create(ctx, r, request)
}

// CreateMany is [Client.CreateMany], and counts in the run.
func (r *Run) CreateMany(
	ctx context.Context, requests []*hitlv1.CreateEventRequest,
) []Result[*hitlv1.CreateEventResponse] {
	return r.client.createMany(ctx, r, requests)
}

// Asker is what events are asked of: a [Client], or a [Run] of one.
type Asker interface {
	asks() (*Client, *Run)
}

func (c *Client) asks() (*Client, *Run) { return c, nil }

func (r *Run) asks() (*Client, *Run) { return r.client, r }

type runKey struct{}

// WithRun returns a context whose creates count in the run, from the beginning, unless they are asked of
// another one. So each context that it returns is one try of what the run is for.
func WithRun(ctx context.Context, run *Run) context.Context {
	return context.WithValue(ctx, runKey{}, &Run{run.client, run.id, newCounter()})
}

// countsIn returns the run that creates count in which are asked of run, or of none if that is nil: else that
// of the context, else nil for that of the client.
func countsIn(ctx context.Context, run *Run) *Run {
	if run == nil {
		run, _ = ctx.Value(runKey{}).(*Run)
	}
	return run
}
