package hitl

import (
	"context"
	"errors"
	"net"
	"testing"
	"testing/synctest"
	"time"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/durationpb"

	"hitl.dev/go/hitlv1"
)

func TestDelaysDoubleWithinBounds(t *testing.T) {
	var delays backoff
	for step := range 12 {
		full := min(firstDelay<<step, maxDelay)
		delay := delays.delay(unavailable(""))
		if delay < full/2 || delay > full {
			t.Fatal(step, delay)
		}
	}
	asked := &Error{retryDelay: time.Minute}
	if delay := delays.delay(asked); delay != time.Minute {
		t.Fatal(delay)
	}
}

func TestRepeatsWhatCanPassAndGivesUpInTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		begun, attempts := time.Now(), 0
		err := retry(t.Context(), 30*time.Second, func(context.Context) error {
			attempts++
			return unavailable("")
		})
		if !errors.Is(err, Unavailable) || attempts < 7 || time.Since(begun) > 30*time.Second {
			t.Fatal(err, attempts, time.Since(begun))
		}
	})
}

func TestDoesNotRepeatWhatCannotPassNorPastItsLimit(t *testing.T) {
	for limit, failure := range map[time.Duration]*Error{
		time.Minute: newError(Invalid, "no"),
		0:           unavailable(""),
	} {
		attempts := 0
		err := retry(t.Context(), limit, func(context.Context) error {
			attempts++
			return failure
		})
		if err != error(failure) || attempts != 1 {
			t.Fatal(err, attempts)
		}
	}
}

func TestAnAttemptWithoutReplyIsGivenUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		begun := time.Now()
		err := retry(t.Context(), 0, func(ctx context.Context) error {
			<-ctx.Done()
			return ctx.Err()
		})
		if !errors.Is(err, Unavailable) || time.Since(begun) != attemptLimit {
			t.Fatal(err, time.Since(begun))
		}
	})
}

func TestACallEndsWithItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		err := retry(ctx, time.Minute, func(context.Context) error { return unavailable("") })
		if err != context.DeadlineExceeded {
			t.Fatal(err)
		}
	})
}

func TestARepeatedCreateHasOneKeyAndWaitsAsLongAsAsked(t *testing.T) {
	busy := &errdetails.RetryInfo{RetryDelay: durationpb.New(20 * time.Second)}
	script := &script{creates: []error{
		status.Error(codes.Unavailable, "lost"),
		refusal(codes.ResourceExhausted, "ERROR_REASON_OVERLOADED", "hitl.v1", busy),
	}}
	scripted(t, script, Config{}, func(t *testing.T, client *Client) {
		begun := time.Now()
		if _, err := Create(t.Context(), client, "n", "?", Bool()); err != nil {
			t.Fatal(err)
		}
		if waited := time.Since(begun); waited < 20*time.Second || waited > 21*time.Second {
			t.Fatal(waited)
		}
		for _, request := range script.requests {
			if request.GetIdempotencyKey() != script.requests[0].GetIdempotencyKey() {
				t.Fatal(script.requests)
			}
		}
		if len(script.requests) != 3 {
			t.Fatal(script.requests)
		}
	})
}

func TestEachAttemptConnectsAndNoneWhenNobodyCalls(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dials := 0
		refuse := func(context.Context) (net.Conn, error) {
			dials++
			return nil, errors.New("refused")
		}
		client := clientOf(t, Config{RetryFor: new(time.Duration(0))}, refuse)
		defer client.Close()
		for call := range 3 {
			_, err := client.Get(t.Context(), "e")
			if !errors.Is(err, Unavailable) || dials != call+1 {
				t.Fatal(err, dials)
			}
		}
		time.Sleep(time.Hour)
		if dials != 3 {
			t.Fatal(dials)
		}
	})
}

func TestALostConnectionIsMadeAgainByTheNextCall(t *testing.T) {
	script := &script{}
	var conns []net.Conn
	scripted(t, script, Config{}, func(t *testing.T, client *Client) {
		dial := client.dial
		client.dial = func(ctx context.Context) (net.Conn, error) {
			conn, err := dial(ctx)
			conns = append(conns, conn)
			return conn, err
		}
		for range 2 {
			request := &hitlv1.CreateEventRequest{Name: "n"}
			if _, err := client.CreateEvent(t.Context(), request); err != nil {
				t.Fatal(err)
			}
			_ = conns[len(conns)-1].Close()
		}
		if len(conns) != 2 {
			t.Fatal(len(conns))
		}
	})
}
