package hitl

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"slices"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/durationpb"

	"hitl.dev/go/hitlv1"
)

var refused = status.Error(codes.Unavailable, "connection refused")

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

// patient is a client that repeats its calls for so long.
func patient(limit time.Duration) *Client {
	core := &core{settings: &settings{log: slog.New(slog.DiscardHandler)}}
	return &Client{core, limits{retryFor: limit}}
}

func TestRepeatsWhatCanPassAndGivesUpInTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		begun, attempts := time.Now(), 0
		err := patient(30*time.Second).retry(t.Context(), patient(30*time.Second).worthAnother, func(*backoff) error {
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
		err := patient(limit).retry(t.Context(), patient(limit).worthAnother, func(*backoff) error {
			attempts++
			return failure
		})
		if err != error(failure) || attempts != 1 {
			t.Fatal(err, attempts)
		}
	}
}

func TestAnAttemptWithoutReplyIsGivenUp(t *testing.T) {
	config := Config{RetryFor: &noRetries}
	scripted(t, &script{hang: true}, config, func(t *testing.T, client *Client) {
		begun := time.Now()
		_, err := client.Decline(t.Context(), "e", "", "")
		told := err != nil && err.Error() == "the server at http://scripted:80 sent nothing for 15 s"
		if !told || !errors.Is(err, Unavailable) || time.Since(begun) != attemptLimit {
			t.Fatal(err, time.Since(begun))
		}
	})
}

func TestACallEndsWithItsContext(t *testing.T) {
	for _, script := range []*script{{hang: true}, {failures: slices.Repeat([]error{refused}, 100)}} {
		scripted(t, script, Config{}, func(t *testing.T, client *Client) {
			ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
			defer cancel()
			_, err := client.Decline(ctx, "e", "", "")
			if err != context.DeadlineExceeded {
				t.Fatal(err)
			}
		})
	}
}

func TestACallWaitsAsLongAsTheServerAsks(t *testing.T) {
	busy := &errdetails.RetryInfo{RetryDelay: durationpb.New(20 * time.Second)}
	overloaded := refusal(codes.ResourceExhausted, "ERROR_REASON_OVERLOADED", "hitl.v1", busy)
	scripted(t, &script{failures: []error{overloaded}}, Config{}, func(t *testing.T, client *Client) {
		begun := time.Now()
		if _, err := client.Decline(t.Context(), "e", "", ""); err != nil {
			t.Fatal(err)
		}
		if waited := time.Since(begun); waited < 20*time.Second || waited > 21*time.Second {
			t.Fatal(waited)
		}
	})
}

func TestACallThatIsRepeatedIsTheSameCallAndTheNextOneIsAnother(t *testing.T) {
	calls := map[string]func(context.Context, *Client) error{
		"create": func(ctx context.Context, client *Client) error {
			_, err := Create(ctx, client, "n", "?", Bool())
			return err
		},
		"answer": func(ctx context.Context, client *Client) error {
			_, err := client.Answer(ctx, "e", JSON("1"), "Ada")
			return err
		},
		"decline": func(ctx context.Context, client *Client) error {
			_, err := client.Decline(ctx, "e", "", "Ada")
			return err
		},
	}
	for name, call := range calls {
		// The server has seen the call, and nobody knows whether it took effect.
		script := &script{failures: []error{refused}}
		scripted(t, script, Config{}, func(t *testing.T, client *Client) {
			for range 2 {
				if err := call(t.Context(), client); err != nil {
					t.Fatal(name, err)
				}
			}
			keys := script.keys
			if len(keys) != 3 || keys[0] == "" || keys[0] != keys[1] || keys[1] == keys[2] {
				t.Fatal(name, keys)
			}
		})
	}
}

// mute is a connection that dies without a word: what is written to it gets lost.
type mute struct {
	net.Conn
	dead atomic.Bool
}

func (m *mute) Write(bytes []byte) (int, error) {
	if m.dead.Load() {
		return len(bytes), nil
	}
	return m.Conn.Write(bytes)
}

func TestACallOnADeadConnectionGoesOverToANewOneInTime(t *testing.T) {
	script := &script{steps: []step{hangs(heartbeat())}}
	scripted(t, script, Config{}, func(t *testing.T, client *Client) {
		dial := client.dial
		var last *mute
		client.dial = func(ctx context.Context, to endpoint) (net.Conn, error) {
			conn, err := dial(ctx, to)
			last = &mute{Conn: conn}
			return last, err
		}
		go func() { _, _ = client.WaitEvent(t.Context(), "e") }()
		synctest.Wait()
		last.dead.Store(true)
		begun := time.Now()
		if _, err := client.Answer(t.Context(), "e", JSON("1"), ""); err != nil {
			t.Fatal(err, time.Since(begun))
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
		client := clientOf(t, Config{RetryFor: &noRetries}, refuse)
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
		client.dial = func(ctx context.Context, to endpoint) (net.Conn, error) {
			conn, err := dial(ctx, to)
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
