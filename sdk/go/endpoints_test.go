package hitl

import (
	"context"
	"encoding/json"
	"errors"
	"net"
	"os"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"hitl.dev/go/hitlv1"
)

func TestSeveralAreTakenAsInEveryOtherLanguage(t *testing.T) {
	var list struct {
		Several []struct {
			Given, Refused string
			Used           []string
		}
	}
	text, err := os.ReadFile("../endpoints.json")
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(text, &list); err != nil || len(list.Several) == 0 {
		t.Fatal(err)
	}
	for _, expected := range list.Several {
		parsed, err := parseEndpoints(expected.Given)
		if expected.Refused != "" {
			if !errors.Is(err, Invalid) || !strings.Contains(err.Error(), expected.Refused) {
				t.Errorf("%q: %v", expected.Given, err)
			}
			continue
		}
		var used []string
		for _, endpoint := range parsed {
			used = append(used, endpoint.String())
		}
		if err != nil || !slices.Equal(used, expected.Used) {
			t.Errorf("%q: %v, %v", expected.Given, used, err)
		}
	}
}

func TestNoTokenGoesInTheClearToAnyOfSeveral(t *testing.T) {
	_, err := NewClient(Config{Endpoint: "127.0.0.1:1,hitl.example.org", Token: StaticToken("hitl_a")})
	if !errors.Is(err, Invalid) || !strings.Contains(err.Error(), "hitl.example.org") {
		t.Fatal(err)
	}
}

// asked is a server that answers reads, but refuses those for the id, and counts all.
type asked struct {
	hitlv1.UnimplementedEventServiceServer
	refused string
	code    codes.Code
	count   int
}

func (a *asked) GetEvent(_ context.Context, request *hitlv1.GetEventRequest) (*hitlv1.GetEventResponse, error) {
	a.count++
	if request.GetEventId() == a.refused {
		return nil, refusal(a.code, "ERROR_REASON_SHUTTING_DOWN", ourDomain)
	}
	return &hitlv1.GetEventResponse{Event: &hitlv1.Event{Id: request.GetEventId()}}, nil
}

func (a *asked) WaitEvents(stream hitlv1.EventService_WaitEventsServer) error {
	message, err := stream.Recv()
	if err != nil {
		return err
	}
	if err := stream.Send(answered(message.GetAdd()[0].GetEventId(), 1)); err != nil {
		return err
	}
	<-stream.Context().Done()
	return status.FromContextError(stream.Context().Err()).Err()
}

func (a *asked) serve(t *testing.T) string {
	t.Helper()
	return serve(t, a)
}

// serve returns where the server is.
func serve(t *testing.T, events hitlv1.EventServiceServer) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server := grpc.NewServer()
	hitlv1.RegisterEventServiceServer(server, events)
	go func() { _ = server.Serve(listener) }()
	t.Cleanup(server.Stop)
	return "http://" + listener.Addr().String()
}

func dead(t *testing.T) string {
	t.Helper()
	return "http://127.0.0.1:" + freePort(t)
}

func clientAt(t *testing.T, retryFor *time.Duration, endpoints ...string) *Client {
	t.Helper()
	client, err := NewClient(Config{Endpoint: strings.Join(endpoints, ","), RetryFor: retryFor})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { client.Close() })
	return client
}

func TestWhereTheFirstIsDeadTheSecondServesAndGoesOnTo(t *testing.T) {
	second := (&asked{}).serve(t)
	client := clientAt(t, &noRetries, dead(t), second)
	for range 2 {
		if event, err := client.Get(t.Context(), "e"); err != nil || event.GetId() != "e" {
			t.Fatal(event, err)
		}
	}
	if client.Endpoint() != second {
		t.Fatal(client.Endpoint())
	}
}

func TestOneThatEndsIsLeftAndComeBackTo(t *testing.T) {
	one := &asked{refused: "end 1", code: codes.Unavailable}
	two := &asked{refused: "end 2", code: codes.Unavailable}
	first := one.serve(t)
	client := clientAt(t, &noRetries, first, two.serve(t))
	for _, id := range []string{"e", "end 1", "end 2"} {
		if _, err := client.Get(t.Context(), id); err != nil {
			t.Fatal(id, err)
		}
	}
	if one.count != 3 || two.count != 2 || client.Endpoint() != first {
		t.Fatal(one.count, two.count, client.Endpoint())
	}
}

func TestWhatAnotherWouldRefuseTooIsAskedOfOne(t *testing.T) {
	one, two := &asked{refused: "e", code: codes.NotFound}, &asked{}
	client := clientAt(t, nil, one.serve(t), two.serve(t))
	if _, err := client.Get(t.Context(), "e"); !errors.Is(err, NotFound) || two.count != 0 {
		t.Fatal(err, two.count)
	}
}

func TestWhereAllAreDeadItIsToldAtOnce(t *testing.T) {
	begun := time.Now()
	_, err := clientAt(t, nil, dead(t), dead(t)).Get(t.Context(), "e")
	if !errors.Is(err, Unavailable) || time.Since(begun) > 10*time.Second {
		t.Fatal(err, time.Since(begun))
	}
}

func TestAWaitFindsTheOneThatServes(t *testing.T) {
	client := clientAt(t, nil, dead(t), (&asked{}).serve(t))
	if event, err := client.WaitEvent(t.Context(), "e"); err != nil || event.GetId() != "e" {
		t.Fatal(event, err)
	}
}

func TestACallThatItsCallerEndsLeavesNoServer(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	silent := "http://" + listener.Addr().String()
	client := clientAt(t, nil, silent, dead(t))
	ctx, cancel := context.WithCancel(t.Context())
	time.AfterFunc(10*time.Millisecond, cancel)
	if _, err := client.Get(ctx, "e"); !errors.Is(err, context.Canceled) || client.Endpoint() != silent {
		t.Fatal(err, client.Endpoint())
	}
}

func TestACallIsGivenUpAfterItsTimeoutAndNoOtherIsBoundByIt(t *testing.T) {
	half := 500 * time.Millisecond
	scripted(t, &script{hang: true}, Config{RetryFor: &noRetries}, func(t *testing.T, client *Client) {
		for _, expected := range []struct {
			client *Client
			limit  time.Duration
			told   string
		}{
			{client.WithCallTimeout(half), half, "within the call's timeout of 0.5 s"},
			{client.WithCallTimeout(half).WithRetryFor(time.Minute), half, "within the call's timeout of 0.5 s"},
			{client, attemptLimit, "for 15 s"},
		} {
			begun := time.Now()
			_, err := expected.client.Decline(t.Context(), "e", "", "")
			told := "the server at http://scripted:80 sent nothing " + expected.told
			if !errors.Is(err, Unavailable) || err.Error() != told || time.Since(begun) != expected.limit {
				t.Fatal(err, time.Since(begun))
			}
		}
	})
	if _, err := NewClient(Config{CallTimeout: -1}); !errors.Is(err, Invalid) {
		t.Fatal(err)
	}
}

func TestHowLongACallIsRepeatedCanBeItsOwn(t *testing.T) {
	failures := slices.Repeat([]error{refused}, 2)
	scripted(t, &script{failures: failures}, Config{}, func(t *testing.T, client *Client) {
		if _, err := client.WithRetryFor(0).Decline(t.Context(), "e", "", ""); !errors.Is(err, Unavailable) {
			t.Fatal(err)
		}
		if _, err := client.Decline(t.Context(), "e", "", ""); err != nil {
			t.Fatal(err)
		}
	})
}

func TestATimeoutEndsTheRepeatingToo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		begun := time.Now()
		client := patient(time.Hour).WithCallTimeout(time.Second)
		err := client.retry(t.Context(), client.worthAnother, func(*backoff) error { return unavailable("") })
		if !errors.Is(err, Unavailable) || time.Since(begun) > time.Second {
			t.Fatal(err, time.Since(begun))
		}
	})
}
