package hitl

import (
	"context"
	"errors"
	"slices"
	"testing"

	"google.golang.org/grpc/codes"

	"hitl.dev/go/hitlv1"
)

// askedIDs creates so many events of the name, and returns their keys.
func askedIDs(ctx context.Context, t *testing.T, asker Asker, name string, count int) (keys []string) {
	t.Helper()
	for range count {
		event, err := Create(ctx, asker, name, "?", Bool())
		if err != nil {
			t.Fatal(err)
		}
		keys = append(keys, event.ID())
	}
	return keys
}

func runOf(t *testing.T, client *Client, id string) *Run {
	t.Helper()
	run, err := client.Run(id)
	if err != nil || run.ID() != id {
		t.Fatal(run, err)
	}
	return run
}

func keysOf(runID, name string, numbers ...uint64) (keys []string) {
	for _, number := range numbers {
		keys = append(keys, series{"default", runID, name}.key(number))
	}
	return keys
}

func TestEachRunOfAnIDCountsFromTheBeginning(t *testing.T) {
	scripted(t, &script{}, Config{RunID: once()}, func(t *testing.T, client *Client) {
		for range 2 {
			run := runOf(t, client, "job-9")
			got := slices.Concat(askedIDs(t.Context(), t, run, "a", 2), askedIDs(t.Context(), t, run, "b", 1))
			if expected := slices.Concat(keysOf("job-9", "a", 1, 2), keysOf("job-9", "b", 1)); !slices.Equal(got, expected) {
				t.Fatal(got, expected)
			}
		}
	})
}

func TestTheRunOfAContextCountsUnlessAnotherIsAsked(t *testing.T) {
	scripted(t, &script{}, Config{}, func(t *testing.T, client *Client) {
		run := runOf(t, client, "job-9")
		for range 2 {
			ctx := WithRun(t.Context(), run)
			got := slices.Concat(
				askedIDs(ctx, t, client, "a", 1), askedIDs(ctx, t, runOf(t, client, "other"), "a", 1),
				askedIDs(ctx, t, client, "a", 1),
			)
			expected := slices.Concat(keysOf("job-9", "a", 1), keysOf("other", "a", 1), keysOf("job-9", "a", 2))
			if !slices.Equal(got, expected) {
				t.Fatal(got, expected)
			}
		}
		mine, err := Create(WithRun(t.Context(), run), run, "a", "?", Bool(), IdempotencyKey("mine"))
		if err != nil || mine.ID() != "mine" {
			t.Fatal(mine, err)
		}
	})
}

func TestACreateThatFailedLeavesItsNumberToTheNextOfTheRun(t *testing.T) {
	refused := refusal(codes.InvalidArgument, "ERROR_REASON_INVALID_REQUEST", "hitl.v1")
	scripted(t, &script{failures: []error{nil, refused}}, Config{}, func(t *testing.T, client *Client) {
		run := runOf(t, client, "job-9")
		askedIDs(t.Context(), t, run, "a", 1)
		if _, err := Create(t.Context(), run, "a", "?", Bool()); !errors.Is(err, Invalid) {
			t.Fatal(err)
		}
		if got := askedIDs(t.Context(), t, run, "a", 1); !slices.Equal(got, keysOf("job-9", "a", 2)) {
			t.Fatal(got)
		}
	})
}

func TestManyEventsOfARunCountInTheirOrder(t *testing.T) {
	server := &batches{}
	scripted(t, server, Config{}, func(t *testing.T, client *Client) {
		requests := []*hitlv1.CreateEventRequest{{Name: "a"}, {Name: "b"}, {Name: "a"}}
		runOf(t, client, "job-9").CreateMany(t.Context(), requests)
		client.CreateMany(WithRun(t.Context(), runOf(t, client, "job-9")), requests)
	})
	expected := slices.Concat(keysOf("job-9", "a", 1), keysOf("job-9", "b", 1), keysOf("job-9", "a", 2))
	if got := slices.Concat(server.got...); !slices.Equal(got, slices.Concat(expected, expected)) {
		t.Fatal(got)
	}
}

func TestARunWithoutAnIDIsRefused(t *testing.T) {
	scripted(t, &script{}, Config{}, func(t *testing.T, client *Client) {
		if run, err := client.Run(""); run != nil || !errors.Is(err, Invalid) {
			t.Fatal(run, err)
		}
	})
}
