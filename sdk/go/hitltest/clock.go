package hitltest

import (
	"context"
	"fmt"
	"strings"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/durationpb"

	"hitl.dev/go/hitlv1"
)

const callLimit = 15 * time.Second

// clock is the time of a server for tests, which no other server lets anybody move.
type clock struct {
	conn *grpc.ClientConn
	stub hitlv1.TestServiceClient
}

// newClock returns the time of the server at this endpoint, or why that is no server for tests.
func newClock(endpoint string) (*clock, error) {
	address, isPlain := strings.CutPrefix(endpoint, "http://")
	if !isPlain {
		return nil, refusal(endpoint, "its address is not http://HOST:PORT")
	}
	conn, err := grpc.NewClient(
		"dns:///"+address, grpc.WithTransportCredentials(insecure.NewCredentials()), grpc.WithNoProxy(),
	)
	if err != nil {
		return nil, err
	}
	clock := &clock{conn, hitlv1.NewTestServiceClient(conn)}
	if err := clock.advance(0); err != nil {
		_ = conn.Close()
		return nil, refusal(endpoint, status.Convert(err).Message())
	}
	return clock, nil
}

// advance lets time pass at once.
func (c *clock) advance(duration time.Duration) error {
	ctx, cancel := context.WithTimeout(context.Background(), callLimit)
	defer cancel()
	_, err := c.stub.AdvanceTime(ctx, &hitlv1.AdvanceTimeRequest{Duration: durationpb.New(duration)})
	return err
}

func refusal(endpoint, why string) error {
	if endpoint == "" {
		endpoint = "the local server"
	}
	return fmt.Errorf("%q is no server for tests (%q): nobody answers there but people. Start one with "+
		"`hitl test-server`, or use hitltest.Start", endpoint, why)
}
