package hitl

import (
	"context"
	"errors"
	"testing"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"hitl.dev/go/hitlv1"
)

func TestACutOrRefusedStreamIsOpenedAgainUntilTheEventEnds(t *testing.T) {
	script := &script{steps: []step{
		{messages: []*hitlv1.WaitEventResponse{pending()}},
		{refusal: refusal(codes.Unavailable, "ERROR_REASON_SHUTTING_DOWN", "hitl.v1")},
		{refusal: status.Error(codes.Unknown, "transport error")},
		{
			messages: []*hitlv1.WaitEventResponse{pending()},
			end:      status.Error(codes.Internal, "connection reset"),
		},
		{refusal: refusal(codes.ResourceExhausted, "ERROR_REASON_TOO_MANY_WAITERS", "hitl.v1")},
		{},
		{messages: []*hitlv1.WaitEventResponse{pending(), heartbeat(), answered(42)}},
	}}
	scripted(t, script, Config{}, func(t *testing.T, client *Client) {
		event := &Event[int64]{client: client, input: Int(), record: &hitlv1.Event{Id: "e"}}
		if answer, err := event.Wait(t.Context()); answer != 42 || err != nil {
			t.Fatal(answer, err)
		}
		if script.calls != 7 {
			t.Fatal(script.calls)
		}
	})
}

func TestAServerFallenSilentIsLeftAfterThreeHeartbeats(t *testing.T) {
	script := &script{steps: []step{
		{messages: []*hitlv1.WaitEventResponse{pending(), heartbeat()}, hang: true},
		{messages: []*hitlv1.WaitEventResponse{answered(1)}},
	}}
	scripted(t, script, Config{}, func(t *testing.T, client *Client) {
		begun := time.Now()
		if _, err := client.WaitEvent(t.Context(), "e"); err != nil {
			t.Fatal(err)
		}
		if waited := time.Since(begun); waited < 45*time.Second || waited > 46*time.Second {
			t.Fatal(waited)
		}
	})
}

func TestAnOutageLongerThanAnyRetryDoesNotEndAWaitThatHadBegun(t *testing.T) {
	steps := []step{{messages: []*hitlv1.WaitEventResponse{pending()}}}
	for range 100 {
		steps = append(steps, step{refusal: refused})
	}
	steps = append(steps, step{messages: []*hitlv1.WaitEventResponse{answered(7)}})
	scripted(t, &script{steps: steps}, Config{}, func(t *testing.T, client *Client) {
		begun := time.Now()
		if _, err := client.WaitEvent(t.Context(), "e"); err != nil {
			t.Fatal(err)
		}
		if outage := time.Since(begun); outage < 2*time.Minute {
			t.Fatal(outage)
		}
	})
}

func TestAServerNeverReachedIsAnErrorInTime(t *testing.T) {
	refused := []step{{refusal: refused}}
	scripted(t, &script{steps: refused}, Config{}, func(t *testing.T, client *Client) {
		begun := time.Now()
		_, err := client.WaitEvent(t.Context(), "e")
		if tried := time.Since(begun); !errors.Is(err, Unavailable) || tried > 30*time.Second {
			t.Fatal(err, tried)
		}
	})
}

func TestAnUnknownEventIsAnErrorAtOnce(t *testing.T) {
	missing := refusal(codes.NotFound, "ERROR_REASON_EVENT_NOT_FOUND", "hitl.v1")
	script := &script{steps: []step{{refusal: missing}}}
	scripted(t, script, Config{}, func(t *testing.T, client *Client) {
		_, err := client.WaitEvent(t.Context(), "e")
		if !errors.Is(err, NotFound) || script.calls != 1 {
			t.Fatal(err, script.calls)
		}
	})
}

func TestAWaitEndsWithItsContextAndWithItsError(t *testing.T) {
	// A state that is not known is pending.
	unknown := step{messages: []*hitlv1.WaitEventResponse{stands(99, nil)}, hang: true}
	lost := step{refusal: refused}
	for _, unfinished := range []step{unknown, lost} {
		scripted(t, &script{steps: []step{unfinished}}, Config{}, func(t *testing.T, client *Client) {
			client.reached.Store(true)
			ctx, cancel := context.WithTimeout(t.Context(), 40*time.Second)
			defer cancel()
			begun := time.Now()
			_, err := client.WaitEvent(ctx, "e")
			if !errors.Is(err, context.DeadlineExceeded) || time.Since(begun) != 40*time.Second {
				t.Fatal(err, time.Since(begun))
			}
			cancelled, cancel := context.WithCancel(t.Context())
			cancel()
			if _, err := client.WaitEvent(cancelled, "e"); !errors.Is(err, context.Canceled) {
				t.Fatal(err)
			}
		})
	}
}

func TestClosingTheClientEndsItsWaits(t *testing.T) {
	hang := step{messages: []*hitlv1.WaitEventResponse{pending()}, hang: true}
	scripted(t, &script{steps: []step{hang}}, Config{}, func(t *testing.T, client *Client) {
		time.AfterFunc(time.Minute, func() { _ = client.Close() })
		if _, err := client.WaitEvent(t.Context(), "e"); !errors.Is(err, Invalid) {
			t.Fatal(err)
		}
	})
}

func TestAnEventThatEndedWithoutAValueIsAnErrorOfItsKind(t *testing.T) {
	kinds := map[hitlv1.EventState]Kind{
		hitlv1.EventState_EVENT_STATE_DECLINED:  Declined,
		hitlv1.EventState_EVENT_STATE_CANCELLED: Cancelled,
		hitlv1.EventState_EVENT_STATE_TIMED_OUT: TimedOut,
	}
	for state, kind := range kinds {
		steps := []step{
			{messages: []*hitlv1.WaitEventResponse{stands(state, nil)}},
			{messages: []*hitlv1.WaitEventResponse{stands(state, intValue(5))}},
		}
		scripted(t, &script{steps: steps}, Config{}, func(t *testing.T, client *Client) {
			event := &Event[int64]{client: client, input: Int(), record: &hitlv1.Event{Id: "e"}}
			_, err := event.Wait(t.Context())
			var failure *Error
			if !errors.As(err, &failure) || failure.Kind != kind || failure.Response.GetState() != state {
				t.Fatal(err)
			}
			answer, err := event.Wait(t.Context())
			if kind == TimedOut && (answer != 5 || err != nil) {
				t.Fatal(answer, err)
			}
		})
	}
}

func TestAReplyThatCannotBeReadIsAnErrorOnce(t *testing.T) {
	garbled := answered(1)
	// The name, which is no text.
	garbled.GetEvent().ProtoReflect().SetUnknown([]byte("\x1a\x01\xff"))
	script := &script{steps: []step{{messages: []*hitlv1.WaitEventResponse{pending(), garbled}}}}
	scripted(t, script, Config{}, func(t *testing.T, client *Client) {
		_, err := client.WaitEvent(t.Context(), "e")
		var failure *Error
		if !errors.As(err, &failure) || failure.Kind != Internal || failure.Retryable || script.calls != 1 {
			t.Fatal(err, script.calls)
		}
	})
}
