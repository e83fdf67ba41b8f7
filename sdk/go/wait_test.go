package hitl

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"hitl.dev/go/hitlv1"
)

// waiting begins a wait, and returns how it will have ended, and what ends it before that.
func waiting(t *testing.T, client *Client, eventID string) (listener, func()) {
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(listener, 1)
	go func() {
		event, err := client.WaitEvent(ctx, eventID)
		ended <- outcome{event, err}
	}()
	synctest.Wait()
	return ended, func() {
		cancel()
		synctest.Wait()
	}
}

func TestAnIDThatIsNoneDoesNotReachTheStreamOfTheOthers(t *testing.T) {
	scripted(t, &script{}, Config{}, func(t *testing.T, client *Client) {
		for _, id := range []string{strings.Repeat("a", 1<<20), "\xff"} {
			_, err := client.WaitEvent(t.Context(), id)
			if failed := (*Error)(nil); !errors.As(err, &failed) || failed.Kind != Invalid {
				t.Fatal(err)
			}
		}
	})
}

func TestACutOrRefusedStreamIsOpenedAgainUntilTheEventEnds(t *testing.T) {
	script := &script{steps: []step{
		sends(heartbeat()),
		{refusal: refusal(codes.Unavailable, "ERROR_REASON_SHUTTING_DOWN", "hitl.v1")},
		{refusal: status.Error(codes.Unknown, "transport error")},
		{
			messages: []*hitlv1.WaitEventsResponse{heartbeat()},
			end:      status.Error(codes.Internal, "connection reset"),
		},
		{refusal: refusal(codes.ResourceExhausted, "ERROR_REASON_TOO_MANY_WAITERS", "hitl.v1")},
		{},
		sends(heartbeat(), answered("e", 42)),
	}}
	scripted(t, script, Config{}, func(t *testing.T, client *Client) {
		event := &Event[int64]{client: client, input: Int(), record: &hitlv1.Event{Id: "e"}, isTold: &atomic.Bool{}}
		if answer, err := event.Wait(t.Context()); answer != 42 || err != nil {
			t.Fatal(answer, err)
		}
		if script.calls != 7 {
			t.Fatal(script.calls)
		}
	})
}

func TestAServerFallenSilentIsLeftAfterThreeHeartbeats(t *testing.T) {
	script := &script{steps: []step{hangs(heartbeat(), heartbeat()), sends(answered("e", 1))}}
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
	// Nothing but the stream itself shows that the server had been reached.
	steps := []step{{}}
	for range 100 {
		steps = append(steps, step{refusal: refused})
	}
	steps = append(steps, sends(answered("e", 7)))
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

func TestAServerThatIsTooOldForSharedWaitsIsAnErrorAtOnce(t *testing.T) {
	script := &script{steps: []step{{refusal: status.Error(codes.Unimplemented, "unknown method")}}}
	scripted(t, script, Config{}, func(t *testing.T, client *Client) {
		_, err := client.WaitEvent(t.Context(), "e")
		isTold := err != nil && strings.Contains(err.Error(), "too old for this call")
		if !errors.Is(err, Internal) || !isTold || script.calls != 1 {
			t.Fatal(err, script.calls)
		}
	})
}

func TestAnUnknownEventIsAnErrorAtOnceAndTheOtherWaitsGoOn(t *testing.T) {
	unknown := failed("e", codes.NotFound, hitlv1.ErrorReason_ERROR_REASON_EVENT_NOT_FOUND)
	script := &script{steps: []step{{after: 2, messages: []*hitlv1.WaitEventsResponse{unknown}, hang: true}}}
	scripted(t, script, Config{}, func(t *testing.T, client *Client) {
		e, _ := waiting(t, client, "e")
		f, _ := waiting(t, client, "f")
		var failure *Error
		if err := (<-e).err; !errors.As(err, &failure) || failure.Kind != NotFound ||
			failure.Reason != "ERROR_REASON_EVENT_NOT_FOUND" || script.calls != 1 {
			t.Fatal(err, script.calls)
		}
		if time.Sleep(40 * time.Second); len(f) > 0 {
			t.Fatal((<-f).err)
		}
	})
}

func TestAWaitEndsWithItsContextAndWithItsError(t *testing.T) {
	// A state that is not known is pending, and an end that nobody waits for is passed over.
	unknown := hangs(stands("e", 99, nil), answered("f", 1))
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

func TestClosingTheClientEndsItsWaitsAtOnce(t *testing.T) {
	for _, unfinished := range []step{hangs(heartbeat()), {refusal: refused}} {
		scripted(t, &script{steps: []step{unfinished}}, Config{}, func(t *testing.T, client *Client) {
			begun := time.Now()
			time.AfterFunc(20*time.Second, func() { _ = client.Close() })
			_, err := client.WaitEvent(t.Context(), "e")
			if !errors.Is(err, Invalid) || time.Since(begun) != 20*time.Second {
				t.Fatal(err, time.Since(begun))
			}
			if _, err := client.WaitEvent(t.Context(), "e"); !errors.Is(err, Invalid) {
				t.Fatal(err)
			}
		})
	}
}

func TestAReplyThatCannotBeReadIsAnErrorOnce(t *testing.T) {
	garbled := answered("e", 1)
	// The name, which is no text.
	garbled.GetEvent().ProtoReflect().SetUnknown([]byte("\x1a\x01\xff"))
	script := &script{steps: []step{sends(heartbeat(), garbled)}}
	scripted(t, script, Config{}, func(t *testing.T, client *Client) {
		_, err := client.WaitEvent(t.Context(), "e")
		var failure *Error
		if !errors.As(err, &failure) || failure.Kind != Internal || failure.Retryable || script.calls != 1 {
			t.Fatal(err, script.calls)
		}
	})
}

func TestAllWaitsOfAClientShareOneStreamAndAreToldApart(t *testing.T) {
	reply := func(eventID string) *hitlv1.WaitEventsResponse {
		response := stands(eventID, hitlv1.EventState_EVENT_STATE_ANSWERED, nil)
		response.GetEvent().Name = "of " + eventID
		return response
	}
	script := &script{steps: []step{{after: 2500, reply: reply}}}
	scripted(t, script, Config{}, func(t *testing.T, client *Client) {
		// The first of them is waited for by three.
		var waits [2502]listener
		for number := range waits {
			waits[number] = make(listener, 1)
			if number == len(waits)-1 {
				// With the last event all are told.
				synctest.Wait()
			}
			go func() {
				event, err := client.WaitEvent(t.Context(), fmt.Sprint(max(0, number-2)))
				waits[number] <- outcome{event, err}
			}()
		}
		told := map[*hitlv1.Event]bool{}
		for number := range waits {
			ended := <-waits[number]
			if name := fmt.Sprint("of ", max(0, number-2)); ended.event.GetName() != name {
				t.Fatal(ended, name)
			}
			told[ended.event] = true
		}
		if synctest.Wait(); script.calls != 1 || len(script.waits) != 2500 {
			t.Fatal(script.calls, len(script.waits))
		}
		if len(told) != len(waits) {
			t.Fatal("who changes an event changes that of others")
		}
	})
}

func TestEverythingThatIsStillWaitedForIsAskedForAgainAfterALoss(t *testing.T) {
	lost := step{
		after: 3, messages: []*hitlv1.WaitEventsResponse{answered("e", 1)},
		end: status.Error(codes.Internal, "connection reset"),
	}
	script := &script{steps: []step{lost, hangs(answered("f", 1))}}
	scripted(t, script, Config{}, func(t *testing.T, client *Client) {
		f, _ := waiting(t, client, "f")
		g, stopG := waiting(t, client, "g")
		e, _ := waiting(t, client, "e")
		if err := (<-e).err; err != nil {
			t.Fatal(err)
		}
		stopG()
		if err := (<-f).err; err != nil || !errors.Is((<-g).err, context.Canceled) {
			t.Fatal(err)
		}
		if synctest.Wait(); !slices.Equal(script.waits, []string{"+f", "+g", "+e", "+f"}) {
			t.Fatal(script.waits)
		}
	})
}

func TestAWaitThatIsGivenUpIsRemovedAndTheLastOneEndsTheStream(t *testing.T) {
	script := &script{steps: []step{hangs()}}
	scripted(t, script, Config{}, func(t *testing.T, client *Client) {
		_, stopE := waiting(t, client, "e")
		_, stopF := waiting(t, client, "f")
		_, stopSame := waiting(t, client, "f")
		stopE()
		stopF()
		if script.left != 0 {
			t.Fatal("one still waits")
		}
		stopSame()
		if script.left != 1 || client.waits.isServed {
			t.Fatal("the stream is still open")
		}
		_, stopE = waiting(t, client, "e")
		stopE()
		if !slices.Equal(script.waits, []string{"+e", "+f", "-e", "+e"}) || script.calls != 2 {
			t.Fatal(script.waits, script.calls)
		}
	})
}

func TestAWaitThatTheServerHasNoRoomForIsAddedAgainLater(t *testing.T) {
	full := failed("e", codes.ResourceExhausted, hitlv1.ErrorReason_ERROR_REASON_TOO_MANY_WAITERS)
	script := &script{steps: []step{hangs(full)}}
	scripted(t, script, Config{}, func(t *testing.T, client *Client) {
		ended, _ := waiting(t, client, "e")
		time.Sleep(40 * time.Second)
		if synctest.Wait(); len(ended) > 0 || !slices.Equal(script.waits, []string{"+e", "+e"}) || script.calls != 1 {
			t.Fatal(script.waits, script.calls)
		}
	})
}
