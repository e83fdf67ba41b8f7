package hitl

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/types/known/durationpb"

	"hitl.dev/go/hitlv1"
)

// watched is a server of which each WatchEvents call sends some messages, and then ends with an error or
// not at all.
type watched struct {
	script
	streams []stream
	asked   []*hitlv1.WatchEventsRequest
	left    int // How many streams the client has ended.
}

type stream struct {
	messages []*hitlv1.WatchEventsResponse
	end      error
}

func (s *watched) WatchEvents(
	request *hitlv1.WatchEventsRequest, out grpc.ServerStreamingServer[hitlv1.WatchEventsResponse],
) error {
	next := s.streams[min(len(s.asked), len(s.streams)-1)]
	s.asked = append(s.asked, request)
	for _, message := range next.messages {
		if err := out.Send(message); err != nil {
			return err
		}
	}
	if next.end != nil {
		return next.end
	}
	<-out.Context().Done()
	s.left++
	return nil
}

func bookmark(token string) *hitlv1.WatchEventsResponse {
	bookmark := &hitlv1.Bookmark{ResumeToken: token}
	return &hitlv1.WatchEventsResponse{Update: &hitlv1.WatchEventsResponse_Bookmark{Bookmark: bookmark}}
}

func change(kind hitlv1.ChangeKind, id string) *hitlv1.WatchEventsResponse {
	change := &hitlv1.Change{Kind: kind, Event: &hitlv1.Event{Id: id}}
	return &hitlv1.WatchEventsResponse{Update: &hitlv1.WatchEventsResponse_Change{Change: change}}
}

func wasCreated(id string) *hitlv1.WatchEventsResponse {
	return change(hitlv1.ChangeKind_CHANGE_KIND_CREATED, id)
}

func hasEnded(id string) *hitlv1.WatchEventsResponse {
	return change(hitlv1.ChangeKind_CHANGE_KIND_ENDED, id)
}

func TestAWatchGoesOnFromItsLastBookmarkForAsLongAsItIsIterated(t *testing.T) {
	server := &watched{streams: []stream{
		{messages: []*hitlv1.WatchEventsResponse{bookmark("1"), wasCreated("a"), bookmark("2"), wasCreated("b")}, end: refused},
		{end: refusal(codes.Unavailable, "ERROR_REASON_SHUTTING_DOWN", "hitl.v1")},
		{end: refused},
		{messages: []*hitlv1.WatchEventsResponse{bookmark("2"), wasCreated("b"), hasEnded("a"), hasEnded("c")}},
	}}
	scripted(t, server, Config{RetryFor: &noRetries}, func(t *testing.T, client *Client) {
		request := &hitlv1.WatchEventsRequest{
			ResumeToken: "0", Name: "n", Scope: "s", Labels: map[string]string{"k": "v"},
			State: hitlv1.EventState_EVENT_STATE_PENDING,
		}
		var got []string
		for change, err := range client.Watch(t.Context(), request) {
			if err != nil {
				t.Fatal(err)
			}
			got = append(got, fmt.Sprint(change.Event.GetId(), change.Kind.Number(), change.ResumeToken))
			if change.Event.GetId() == "a" && change.Kind == hitlv1.ChangeKind_CHANGE_KIND_ENDED {
				break
			}
		}
		if !slices.Equal(got, []string{"a11", "b12", "b12", "a22"}) {
			t.Fatal(got)
		}
		var tokens []string
		for _, asked := range server.asked {
			tokens = append(tokens, asked.GetResumeToken())
			if asked.GetNamespace() != "default" || asked.GetName() != "n" || asked.GetScope() != "s" ||
				asked.GetLabels()["k"] != "v" || asked.GetState() != hitlv1.EventState_EVENT_STATE_PENDING {
				t.Fatal(asked)
			}
		}
		if !slices.Equal(tokens, []string{"0", "2", "2", "2"}) || request.Namespace != "" {
			t.Fatal(tokens)
		}
		if synctest.Wait(); server.left != 1 {
			t.Fatal("the stream is still open")
		}
	})
}

func TestAWatchThatFallsSilentIsOpenedAgainButNotForTheTimeThatTheProgramTakes(t *testing.T) {
	server := &watched{streams: []stream{
		{messages: []*hitlv1.WatchEventsResponse{bookmark("1"), wasCreated("a")}},
		{messages: []*hitlv1.WatchEventsResponse{bookmark("1"), hasEnded("a")}},
	}}
	for interval, limit := range map[time.Duration]time.Duration{0: 45 * time.Second, time.Minute: 3 * time.Minute} {
		server.asked = nil
		scripted(t, server, Config{}, func(t *testing.T, client *Client) {
			request := &hitlv1.WatchEventsRequest{}
			if interval > 0 {
				request.BookmarkInterval = durationpb.New(interval)
			}
			var taken time.Time
			for change, err := range client.Watch(t.Context(), request) {
				if err != nil {
					t.Fatal(err)
				}
				if change.Kind == hitlv1.ChangeKind_CHANGE_KIND_ENDED {
					break
				}
				time.Sleep(time.Hour)
				if taken = time.Now(); len(server.asked) != 1 {
					t.Fatal(server.asked)
				}
			}
			if silent := time.Since(taken); silent < limit || silent > limit+time.Second {
				t.Fatal(silent)
			}
		})
	}
}

func TestATokenThatIsTooOldEndsAWatchAsInvalid(t *testing.T) {
	reason := "ERROR_REASON_RESUME_TOKEN_EXPIRED"
	server := &watched{streams: []stream{{end: refusal(codes.OutOfRange, reason, "hitl.v1")}}}
	scripted(t, server, Config{}, func(t *testing.T, client *Client) {
		times := 0
		for change, err := range client.Watch(t.Context(), &hitlv1.WatchEventsRequest{ResumeToken: "old"}) {
			times++
			var failure *Error
			if change != nil || !errors.As(err, &failure) || failure.Kind != Invalid || failure.Reason != reason {
				t.Fatal(change, err)
			}
		}
		if times != 1 || len(server.asked) != 1 {
			t.Fatal(times, server.asked)
		}
	})
}

func TestAWatchEndsWithItsContextAndWithAServerNeverReached(t *testing.T) {
	scripted(t, &watched{streams: []stream{{messages: []*hitlv1.WatchEventsResponse{bookmark("1")}}}}, Config{},
		func(t *testing.T, client *Client) {
			ctx, cancel := context.WithTimeout(t.Context(), 40*time.Second)
			defer cancel()
			for _, err := range client.Watch(ctx, &hitlv1.WatchEventsRequest{}) {
				if err != context.DeadlineExceeded {
					t.Fatal(err)
				}
			}
			if ctx.Err() == nil {
				t.Fatal("the watch ended before its context")
			}
		})
	scripted(t, &watched{streams: []stream{{end: refused}}}, Config{}, func(t *testing.T, client *Client) {
		begun, last := time.Now(), error(nil)
		for _, err := range client.Watch(t.Context(), &hitlv1.WatchEventsRequest{}) {
			last = err
		}
		if tried := time.Since(begun); !errors.Is(last, Unavailable) || tried > 30*time.Second {
			t.Fatal(last, tried)
		}
	})
}

func TestWhatIsPrintedOfChangesAndResultsHasNoLinks(t *testing.T) {
	event := &hitlv1.Event{Prompt: "Deploy?", FormUrl: "http://host/TOKEN", ApiUrl: "http://host/TOKEN"}
	for _, value := range []any{
		&Change{Event: event}, Change{Event: event}.Event,
		Result[*hitlv1.CreateEventResponse]{Value: &hitlv1.CreateEventResponse{Event: event}},
	} {
		var log bytes.Buffer
		slog.New(slog.NewJSONHandler(&log, nil)).Info("m", "value", value)
		for _, text := range []string{log.String(), fmt.Sprint(value), fmt.Sprintf("%+v %#v", value, value)} {
			if strings.Contains(text, "TOKEN") || !strings.Contains(text, "Deploy?") {
				t.Error(text)
			}
		}
	}
}
