package hitl

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/durationpb"

	"hitl.dev/go/hitlv1"
)

// batches is a server that takes batches, and notes the keys of each.
type batches struct {
	script
	got  [][]string
	fail func(call, place int, name string) *hitlv1.Failure // Nil if the entry succeeds.
}

func (s *batches) BatchCreateEvents(
	ctx context.Context, request *hitlv1.BatchCreateEventsRequest,
) (*hitlv1.BatchCreateEventsResponse, error) {
	var keys []string
	var results []*hitlv1.CreateEventResult
	for place, entry := range request.GetRequests() {
		keys = append(keys, entry.GetIdempotencyKey())
		result := &hitlv1.CreateEventResult{Result: &hitlv1.CreateEventResult_Created{
			Created: &hitlv1.CreateEventResponse{Event: &hitlv1.Event{Name: entry.GetName()}},
		}}
		if s.fail != nil {
			if failure := s.fail(len(s.got), place, entry.GetName()); failure != nil {
				result.Result = &hitlv1.CreateEventResult_Failure{Failure: failure}
			}
		}
		results = append(results, result)
	}
	s.got = append(s.got, keys)
	_, err := s.change(ctx, "")
	return &hitlv1.BatchCreateEventsResponse{Results: results}, err
}

func (s *batches) BatchAnswerEvents(
	ctx context.Context, request *hitlv1.BatchAnswerEventsRequest,
) (*hitlv1.BatchAnswerEventsResponse, error) {
	var keys []string
	var results []*hitlv1.AnswerEventResult
	for _, entry := range request.GetRequests() {
		keys = append(keys, entry.GetNamespace()+"/"+entry.GetEventId()+"/"+entry.GetAnswerId())
		response := &hitlv1.Response{Reason: entry.GetEventId()}
		results = append(results, &hitlv1.AnswerEventResult{
			Result: &hitlv1.AnswerEventResult_Response{Response: response},
		})
	}
	s.got = append(s.got, keys)
	_, err := s.change(ctx, "")
	return &hitlv1.BatchAnswerEventsResponse{Results: results}, err
}

// questions are so many requests, called by their number.
func questions(count int) []*hitlv1.CreateEventRequest {
	var requests []*hitlv1.CreateEventRequest
	for number := range count {
		requests = append(requests, &hitlv1.CreateEventRequest{Name: fmt.Sprint(number)})
	}
	return requests
}

// created fails unless every result is the event of its request.
func created(t *testing.T, results []Result[*hitlv1.CreateEventResponse]) {
	t.Helper()
	for at, result := range results {
		if result.Err != nil || result.Value.GetEvent().GetName() != fmt.Sprint(at) {
			t.Fatal(at, result)
		}
	}
}

func failing(code codes.Code, reason hitlv1.ErrorReason, retryAfter *durationpb.Duration) *hitlv1.Failure {
	return &hitlv1.Failure{Code: int32(code), Reason: reason, Message: "why\nnot", RetryAfter: retryAfter}
}

func TestManyGoInCallsOfAThousandAndOfOneMebibyte(t *testing.T) {
	server := &batches{}
	scripted(t, server, Config{}, func(t *testing.T, client *Client) {
		created(t, client.CreateMany(t.Context(), questions(2500)))
		large := questions(5)
		for at, kib := range []int{500, 500, 500, 2000, 1} {
			large[at].Prompt = strings.Repeat("x", kib<<10)
		}
		created(t, client.CreateMany(t.Context(), large))
		if results := client.CreateMany(t.Context(), nil); len(results) != 0 {
			t.Fatal(results)
		}
		var sizes []int
		for _, keys := range server.got {
			sizes = append(sizes, len(keys))
		}
		if !slices.Equal(sizes, []int{1000, 1000, 500, 2, 1, 1, 1}) {
			t.Fatal(sizes)
		}
	})
}

func TestWhatIsWrongWithOneOfManyIsItsErrorAlone(t *testing.T) {
	failure := failing(codes.InvalidArgument, hitlv1.ErrorReason_ERROR_REASON_INVALID_REQUEST, nil)
	failure.Metadata = map[string]string{"state": "s"}
	failure.FieldViolations = []*hitlv1.FieldViolation{{Field: "name", Description: "must not be empty"}}
	server := &batches{fail: func(_, place int, _ string) *hitlv1.Failure {
		if place == 1 {
			return failure
		}
		return nil
	}}
	scripted(t, server, Config{}, func(t *testing.T, client *Client) {
		results := client.CreateMany(t.Context(), questions(3))
		var err *Error
		if !errors.As(results[1].Err, &err) || err.Kind != Invalid || err.Message != `why\nnot` || err.Retryable {
			t.Fatal(results[1])
		}
		field := FieldViolation{"name", "must not be empty"}
		if err.Reason != "ERROR_REASON_INVALID_REQUEST" || err.Metadata["state"] != "s" || err.FieldViolations[0] != field {
			t.Fatalf("%+v", err)
		}
		if results[0].Err != nil || results[2].Err != nil || len(server.got) != 1 {
			t.Fatal(results, server.got)
		}
	})
}

func TestWhatHadNoRoomInTheReplyIsSentAgainAtOnce(t *testing.T) {
	full := failing(codes.ResourceExhausted, hitlv1.ErrorReason_ERROR_REASON_OVERLOADED, &durationpb.Duration{})
	server := &batches{fail: func(_, place int, _ string) *hitlv1.Failure {
		if place >= 100 {
			return full
		}
		return nil
	}}
	config := Config{RetryFor: &noRetries}
	scripted(t, server, config, func(t *testing.T, client *Client) {
		begun := time.Now()
		created(t, client.CreateMany(t.Context(), questions(1500)))
		if len(server.got) != 15 || time.Since(begun) != 0 {
			t.Fatal(len(server.got), time.Since(begun))
		}
	})
}

func TestAnEntryIsSentAgainAsLongAsTheServerAsks(t *testing.T) {
	busy := failing(codes.ResourceExhausted, hitlv1.ErrorReason_ERROR_REASON_OVERLOADED,
		durationpb.New(20*time.Second))
	server := &batches{fail: func(call, _ int, name string) *hitlv1.Failure {
		if call == 0 && name == "1" {
			return busy
		}
		return nil
	}}
	scripted(t, server, Config{}, func(t *testing.T, client *Client) {
		begun := time.Now()
		created(t, client.CreateMany(t.Context(), questions(3)))
		if waited := time.Since(begun); waited != 20*time.Second || len(server.got[1]) != 1 {
			t.Fatal(waited, server.got)
		}
	})
}

func TestManyThatAreRepeatedAreTheSame(t *testing.T) {
	server := &batches{script: script{failures: []error{refused, nil, refused}}}
	scripted(t, server, Config{}, func(t *testing.T, client *Client) {
		created(t, client.CreateMany(t.Context(), questions(2)))
		answers := []*hitlv1.AnswerEventRequest{{EventId: "e"}, {EventId: "f", Namespace: "n", AnswerId: "a"}}
		for at, result := range client.AnswerMany(t.Context(), answers) {
			if result.Err != nil || result.Value.GetReason() != answers[at].GetEventId() {
				t.Fatal(result)
			}
		}
		if answers[0].AnswerId != "" {
			t.Fatal("the caller's request has changed")
		}
		got := server.got
		if !slices.Equal(got[0], got[1]) || got[0][0] == got[0][1] || !slices.Equal(got[2], got[3]) {
			t.Fatal(got)
		}
		if !strings.HasPrefix(got[2][0], "default/e/") || len(got[2][0]) < 40 || got[2][1] != "n/f/a" {
			t.Fatal(got)
		}
	})
}

func TestOneOfManyThatWasNotCreatedDoesNotCount(t *testing.T) {
	lost := failing(codes.Internal, hitlv1.ErrorReason_ERROR_REASON_INTERNAL, nil)
	server := &batches{fail: func(call, place int, _ string) *hitlv1.Failure {
		if call == 0 && place == 1 {
			return lost
		}
		return nil
	}}
	scripted(t, server, Config{RunID: t.Name()}, func(t *testing.T, client *Client) {
		same := []*hitlv1.CreateEventRequest{{Name: "n"}, {Name: "n"}, {Name: "n"}}
		client.CreateMany(t.Context(), same)
		client.CreateMany(t.Context(), same[:1])
		if got := server.got; got[0][1] != got[1][0] || got[0][0] == got[0][2] {
			t.Fatal(got)
		}
	})
}

func TestABatchThatIsRefusedForGoodTakesNoOtherWithIt(t *testing.T) {
	server := &batches{script: script{failures: []error{status.Error(codes.InvalidArgument, "too large")}}}
	scripted(t, server, Config{}, func(t *testing.T, client *Client) {
		for at, result := range client.CreateMany(t.Context(), questions(2500)) {
			if isRefused := errors.Is(result.Err, Invalid); isRefused != (at < 1000) || !isRefused && result.Err != nil {
				t.Fatal(at, result)
			}
		}
		if len(server.got) != 3 {
			t.Fatal(len(server.got))
		}
	})
}

func TestManyEndWithTheirContextAndWithAServerThatIsNotThere(t *testing.T) {
	server := &batches{script: script{failures: slices.Repeat([]error{refused}, 100)}}
	scripted(t, server, Config{}, func(t *testing.T, client *Client) {
		begun := time.Now()
		for _, result := range client.CreateMany(t.Context(), questions(2500)) {
			if !errors.Is(result.Err, Unavailable) {
				t.Fatal(result)
			}
		}
		if tried := time.Since(begun); tried > 30*time.Second {
			t.Fatal(tried)
		}
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		for _, result := range client.CreateMany(ctx, questions(2500)) {
			if result.Err != context.DeadlineExceeded {
				t.Fatal(result)
			}
		}
	})
}
