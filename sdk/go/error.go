package hitl

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"syscall"
	"time"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"hitl.dev/go/hitlv1"
)

// Kind says what went wrong in the terms of what a caller can do about it. It is an error only so
// that [errors.Is] finds it: errors.Is(err, hitl.Declined). More kinds may be added.
type Kind string

// The kinds of an [Error].
const (
	// NotFound: there is no such event in this namespace.
	NotFound Kind = "not found"
	// Invalid: the request, an answer, or the configuration breaks a rule. Correct it.
	Invalid Kind = "invalid"
	// Conflict: the event has ended, or the idempotency key belongs to a different request.
	Conflict Kind = "conflict"
	// Unauthenticated: the server does not know who calls.
	Unauthenticated Kind = "unauthenticated"
	// Denied: the caller may not do this.
	Denied Kind = "denied"
	// Exhausted: the server is doing as much as it may. Call again later.
	Exhausted Kind = "exhausted"
	// Unavailable: the server cannot be reached or cannot serve now; whether the call took effect is
	// unknown.
	Unavailable Kind = "unavailable"
	// Internal: a fault of the server or of this package.
	Internal Kind = "internal"
	// Declined: a person declined the event being waited for.
	Declined Kind = "declined"
	// Cancelled: whoever asked cancelled the event being waited for.
	Cancelled Kind = "cancelled"
	// TimedOut: nobody answered the event being waited for before its deadline, and it has no default.
	TimedOut Kind = "timed out"
)

func (kind Kind) Error() string { return "hitl: " + string(kind) }

// Error tells why a call failed, or why a wait ended without a value. Use [errors.As] to get at it,
// [errors.Is] to ask for its kind. A context that ended is never one: its own error is returned.
type Error struct {
	Kind Kind
	// Message says what happened and what to do, for people. Hidden characters of what others wrote,
	// such as line breaks and marks that turn the direction of text, are shown as escapes in it.
	Message string
	// Reason is the full name of the server's reason, such as ERROR_REASON_EVENT_NOT_FOUND. Empty if
	// the error is not the server's.
	Reason string
	// Metadata has the values that Message mentions, by the names that the reason documents.
	Metadata map[string]string
	// FieldViolations are the fields that break a rule, if the kind is Invalid.
	FieldViolations []FieldViolation
	// Retryable says whether the same call may succeed later. It has been repeated already.
	Retryable bool
	// Response is how the event ended, if the kind is Declined, Cancelled or TimedOut.
	Response *hitlv1.Response

	retryDelay time.Duration
	refused    bool // Whether nothing listened where the server should.
}

// FieldViolation is a field that breaks a rule.
type FieldViolation struct {
	// Field is the path of the field, such as "value" or "input.int.min".
	Field string
	// Description is the rule that it breaks.
	Description string
}

// String is the violation in one line, with hidden characters as escapes.
func (v FieldViolation) String() string { return oneLine(v.Field + ": " + v.Description) }

func (err *Error) Error() string { return err.Message }

// Unwrap makes the kind what [errors.Is] finds.
func (err *Error) Unwrap() error { return err.Kind }

// Timeout says whether nobody answered in time, as in [net.Error].
func (err *Error) Timeout() bool { return err.Kind == TimedOut }

func newError(kind Kind, message string) *Error {
	return &Error{Kind: kind, Message: lines(message)}
}

func unavailable(message string) *Error {
	return &Error{Kind: Unavailable, Message: lines(message), Retryable: true}
}

// outcomeError is what became of an event that ended without a value. Who ended it typed a name, if any:
// it is quoted, as given.
func outcomeError(kind Kind, how string, event *hitlv1.Event) *Error {
	response := event.GetResponse()
	message := fmt.Sprintf("\"%s\" was %s", event.GetName(), how)
	if name := response.GetResponder().GetName(); name != "" {
		message += fmt.Sprintf(" by \"%s\"", name)
	}
	if response.GetTime() != nil {
		text := response.GetTime().AsTime().Format("2006-01-02T15:04:05.000Z")
		message += " (" + strings.Replace(text, ".000Z", "Z", 1) + ")"
	}
	if response.GetReason() != "" {
		message += ": " + response.GetReason()
	}
	return &Error{Kind: kind, Message: oneLine(message), Response: response}
}

// The domain of every ErrorInfo that hitl sends.
const ourDomain = "hitl.v1"

// statusError reads what a call ended with. Without the server's own details it is the connection,
// a proxy, or some other server; dialError is then what the last attempt to connect met, if any.
func statusError(err error, endpoint string, dialError error) *Error {
	ended := status.Convert(err)
	info := detail[*errdetails.ErrorInfo](ended)
	if info.GetDomain() == tokenDomain {
		ours := newError(Kind(info.GetReason()), ended.Message())
		ours.Retryable = ours.Kind == Unavailable
		return ours
	}
	if info.GetDomain() != ourDomain {
		var ours *Error
		if errors.As(dialError, &ours) {
			return ours
		}
		return foreignError(ended, endpoint, dialError)
	}
	ours := serverError(ended.Code(), ended.Message())
	ours.Reason, ours.Metadata = info.GetReason(), info.GetMetadata()
	ours.retryDelay = detail[*errdetails.RetryInfo](ended).GetRetryDelay().AsDuration()
	for _, v := range detail[*errdetails.BadRequest](ended).GetFieldViolations() {
		violation := FieldViolation{Field: v.GetField(), Description: v.GetDescription()}
		ours.FieldViolations = append(ours.FieldViolations, violation)
	}
	return ours
}

// failureError reads why one part of a call failed.
func failureError(failure *hitlv1.Failure) *Error {
	ours := serverError(codes.Code(failure.GetCode()), failure.GetMessage())
	ours.Reason, ours.Metadata = hitlv1.ErrorReason_name[int32(failure.GetReason())], failure.GetMetadata()
	ours.retryDelay = failure.GetRetryAfter().AsDuration()
	for _, v := range failure.GetFieldViolations() {
		violation := FieldViolation{Field: v.GetField(), Description: v.GetDescription()}
		ours.FieldViolations = append(ours.FieldViolations, violation)
	}
	return ours
}

func serverError(code codes.Code, message string) *Error {
	kind := kindOf(code)
	ours := newError(kind, oneLine(message))
	ours.Retryable = kind == Unavailable || kind == Exhausted
	return ours
}

// What crypto/tls says when the server ended a handshake, which for TLS 1.3 comes with the first read.
const refusedByTLS = "remote error: tls: "

// Each code that a connection lost midway can show as is worth another attempt.
var lostCodes = []codes.Code{
	codes.Unavailable, codes.Unknown, codes.Internal, codes.Canceled, codes.Aborted,
	codes.DeadlineExceeded, codes.ResourceExhausted,
}

func foreignError(ended *status.Status, endpoint string, dialError error) *Error {
	message := ended.Message()
	if dialError != nil {
		message = dialError.Error()
	}
	message = oneLine(message)
	if strings.Contains(message, refusedByTLS) {
		return noServer("%s refused the connection (%s): set Cert and Key, or HITL_CERT and HITL_KEY, to a "+
			"certificate that it takes", endpoint, message)
	}
	if strings.Contains(message, unreadable) {
		return newError(Internal, fmt.Sprintf("%s: %s", endpoint, message))
	}
	switch code := ended.Code(); {
	case slices.Contains(lostCodes, code):
		lost := unavailable(fmt.Sprintf("cannot reach the hitl server at %s: %s. Check that it runs there, "+
			"or set HITL_ENDPOINT to where it does", endpoint, message))
		lost.refused = errors.Is(dialError, syscall.ECONNREFUSED)
		return lost
	case code == codes.Unimplemented:
		return newError(Internal, fmt.Sprintf(
			"%s is not a hitl server, or one too old for this call: %s", endpoint, message))
	default:
		return newError(kindOf(code), fmt.Sprintf("%s refused the call: %s", endpoint, message))
	}
}

func detail[T any](ended *status.Status) (found T) {
	for _, any := range ended.Details() {
		if detail, ok := any.(T); ok {
			return detail
		}
	}
	return found
}

func kindOf(code codes.Code) Kind {
	switch code {
	case codes.NotFound:
		return NotFound
	case codes.InvalidArgument, codes.OutOfRange:
		return Invalid
	case codes.AlreadyExists, codes.FailedPrecondition:
		return Conflict
	case codes.Unauthenticated:
		return Unauthenticated
	case codes.PermissionDenied:
		return Denied
	case codes.ResourceExhausted:
		return Exhausted
	case codes.Unavailable:
		return Unavailable
	default:
		return Internal
	}
}
