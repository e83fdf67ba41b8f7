package hitl

import (
	"errors"
	"fmt"
	"os"
	"testing"
	"time"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/timestamppb"

	"hitl.dev/go/hitlv1"
)

func read(err error, dialError error) *Error {
	return statusError(err, "http://x", dialError)
}

func TestTheServersDetailsAreKept(t *testing.T) {
	reason := "ERROR_REASON_EVENT_ALREADY_FINAL"
	violation := &errdetails.BadRequest_FieldViolation{Field: "value", Description: "must be at least 0"}
	err := read(refusal(codes.FailedPrecondition, reason, "hitl.v1",
		&errdetails.BadRequest{FieldViolations: []*errdetails.BadRequest_FieldViolation{violation}},
		&errdetails.RetryInfo{RetryDelay: durationpb.New(3 * time.Second)}), nil)
	if err.Kind != Conflict || err.Reason != reason || err.Message != "what happened" || err.Retryable {
		t.Fatalf("%+v", err)
	}
	field := FieldViolation{"value", "must be at least 0"}
	if err.Metadata["state"] != "EVENT_STATE_ANSWERED" || err.FieldViolations[0] != field {
		t.Fatalf("%+v", err)
	}
	if err.retryDelay != 3*time.Second {
		t.Fatalf("%+v", err)
	}
}

func TestAnInternalErrorOfTheServerIsNotALostConnection(t *testing.T) {
	ours := read(refusal(codes.Internal, "R", "hitl.v1"), nil)
	lost := read(refusal(codes.Internal, "R", "proxy"), nil)
	if ours.Kind != Internal || ours.Retryable || lost.Kind != Unavailable || !lost.Retryable {
		t.Fatal(ours, lost)
	}
}

func TestErrorsOfOtherServersGoByTheirCode(t *testing.T) {
	for code, kind := range map[codes.Code]Kind{
		codes.Unavailable: Unavailable, codes.DeadlineExceeded: Unavailable, codes.Unimplemented: Internal,
		codes.Unauthenticated: Unauthenticated, codes.PermissionDenied: Denied, codes.NotFound: NotFound,
	} {
		err := read(status.Error(code, "m"), nil)
		if err.Kind != kind || err.Reason != "" || err.Retryable != (kind == Unavailable) {
			t.Fatalf("%v: %+v", code, err)
		}
	}
}

func TestAnErrorOfConnectingComesThrough(t *testing.T) {
	lost := status.Error(codes.Unavailable, "tcp")
	if err := read(lost, noServer("install it")); err.Message != "install it" || err.Retryable {
		t.Fatal(err)
	}
	refused := "cannot reach the hitl server at http://x: refused. Check that it runs there, or set " +
		"HITL_ENDPOINT to where it does"
	if err := read(lost, errors.New("refused")); err.Message != refused {
		t.Fatal(err)
	}
}

func TestAnOutcomeTellsWhoWhenAndWhy(t *testing.T) {
	event := &hitlv1.Event{Name: "deploy", Response: &hitlv1.Response{
		Reason: "not today", Time: &timestamppb.Timestamp{}, Responder: &hitlv1.Responder{Name: "Ada"},
	}}
	err := outcomeError(Declined, "declined", event)
	if err.Message != `"deploy" was declined by "Ada" (1970-01-01T00:00:00Z): not today` {
		t.Fatal(err)
	}
}

func TestOnlyAnEventThatNobodyAnsweredIsATimeout(t *testing.T) {
	for kind, timeout := range map[Kind]bool{TimedOut: true, Unavailable: false, Declined: false} {
		var err error = newError(kind, "m")
		if os.IsTimeout(err) != timeout {
			t.Fatal(kind)
		}
	}
}

func TestAnErrorIsFoundByItsKind(t *testing.T) {
	err := fmt.Errorf("deploying: %w", newError(Conflict, "m"))
	var failure *Error
	if !errors.Is(err, Conflict) || errors.Is(err, Invalid) || !errors.As(err, &failure) {
		t.Fatal(err)
	}
}
