package hitl

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"google.golang.org/grpc/codes"

	"hitl.dev/go/hitlv1"
)

func TestTheProgramsLoggerIsToldWhatTheClientDoes(t *testing.T) {
	lost := refusal(codes.Unavailable, "ERROR_REASON_SHUTTING_DOWN", "hitl.v1")
	script := &script{
		failures: []error{lost, lost}, steps: []step{{end: lost}, {reply: func(id string) *hitlv1.WaitEventsResponse {
			return answered(id, 1)
		}}},
	}
	var told bytes.Buffer
	config := Config{Log: slog.New(lineHandler{&told, slog.LevelDebug})}
	scripted(t, script, config, func(t *testing.T, client *Client) {
		if _, err := client.Decline(t.Context(), "e", "", ""); err != nil {
			t.Fatal(err)
		}
		if _, err := client.WaitEvent(t.Context(), "e"); err != nil {
			t.Fatal(err)
		}
	})
	expected := `^hitl warn: calls again in 0\.\d s \(attempt 2\): what happened
hitl warn: calls again in 0\.\d s \(attempt 3\): what happened
hitl info: waits for 1 events at http://scripted:80
hitl warn: lost the server at http://scripted:80 while 1 events are waited for, tries again in 0\.\d s: what happened
hitl info: waits for 1 events at http://scripted:80
$`
	if !regexp.MustCompile(expected).MatchString(told.String()) {
		t.Fatal(told.String())
	}
}

func TestTheVariableAsksForLinesUnlessTheProgramHasALogger(t *testing.T) {
	for level, expected := range map[string]string{
		"": "", "verbose": "", "hitl=debug": "", "error": "", "warn": "hitl warn: w\n",
		"info": "hitl info: i\nhitl warn: w\n", "debug": "hitl debug: d\nhitl info: i\nhitl warn: w\n",
	} {
		var stderr bytes.Buffer
		log := logger(nil, level, &stderr)
		log.Debug("d")
		log.Info("i")
		log.Warn("w")
		if stderr.String() != expected {
			t.Errorf("%s: %q", level, stderr.String())
		}
	}
	own := slog.New(slog.DiscardHandler)
	if logger(own, "debug", nil) != own {
		t.Fatal("the program's own is not used")
	}
}

// refusing is a client whose connections are refused, which counts them.
func refusing(t *testing.T, config Config) (*Client, *int) {
	attempts := 0
	return clientOf(t, config, func(context.Context) (net.Conn, error) {
		attempts++
		return nil, fmt.Errorf("dial tcp: %w", syscall.ECONNREFUSED)
	}), &attempts
}

func TestADeadEndpointIsAnErrorAtOnceUnlessTheProgramSaysOtherwise(t *testing.T) {
	client, attempts := refusing(t, Config{})
	defer client.Close()
	_, called := client.Get(t.Context(), "e")
	_, waited := client.WaitEvent(t.Context(), "e")
	for _, err := range []error{called, waited} {
		var failure *Error
		isAsEver := errors.As(err, &failure) && failure.Kind == Unavailable && failure.Retryable
		if !isAsEver || !strings.Contains(failure.Message, "cannot reach the hitl server at http://scripted:80") {
			t.Fatal(err)
		}
	}
	if *attempts != 2 {
		t.Fatal(*attempts)
	}
	limit := 300 * time.Millisecond
	patient, attempts := refusing(t, Config{RetryFor: &limit})
	defer patient.Close()
	if _, err := patient.Get(t.Context(), "e"); !errors.Is(err, Unavailable) || *attempts < 2 {
		t.Fatal(err, *attempts)
	}
}

func TestAServerThatWasReachedMayBeAwayForAWhile(t *testing.T) {
	client, attempts := refusing(t, Config{})
	defer client.Close()
	client.reached.Store(true)
	ctx, cancel := context.WithTimeout(t.Context(), 400*time.Millisecond)
	defer cancel()
	if _, err := client.Get(ctx, "e"); err != context.DeadlineExceeded || *attempts < 2 {
		t.Fatal(err, *attempts)
	}
}
