package hitlv1

import (
	"bytes"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"google.golang.org/protobuf/reflect/protoreflect"
)

// hasEvent says whether a message of the type can hold an event.
func hasEvent(message protoreflect.MessageDescriptor, seen map[protoreflect.FullName]bool) bool {
	if message.Name() == "Event" {
		return true
	}
	for at := range message.Fields().Len() {
		inner := message.Fields().Get(at).Message()
		if inner == nil || seen[inner.FullName()] {
			continue
		}
		seen[inner.FullName()] = true
		if hasEvent(inner, seen) {
			return true
		}
	}
	return false
}

func TestNoMessagePrintsTheLinksOfItsEvent(t *testing.T) {
	event := &Event{Id: "0192f0c1", Prompt: "Deploy?", FormUrl: "http://host/TOKEN", ApiUrl: "http://host/TOKEN"}
	change := &Change{Event: event}
	result := &CreateEventResult{
		Result: &CreateEventResult_Created{Created: &CreateEventResponse{Event: event}},
	}
	events := map[protoreflect.Name]stringer{}
	for _, message := range []stringer{
		event, &CreateEventResponse{Event: event}, &GetEventResponse{Event: event},
		&ListEventsResponse{Events: []*Event{event}}, &AnswerEventResponse{Event: event},
		&WaitEventResponse{Update: &WaitEventResponse_Event{Event: event}},
		&DeclineEventResponse{Event: event}, &CancelEventResponse{Event: event},
		&RemindEventResponse{Event: event}, &ClaimEventResponse{Event: event},
		&ReleaseEventResponse{Event: event}, &DelegateEventResponse{Event: event},
		change, &WatchEventsResponse{Update: &WatchEventsResponse_Change{Change: change}},
		&WaitEventsResponse{Update: &WaitEventsResponse_Event{Event: event}},
		result, &BatchCreateEventsResponse{Results: []*CreateEventResult{result}},
	} {
		events[message.ProtoReflect().Descriptor().Name()] = message
	}
	for _, file := range []protoreflect.FileDescriptor{File_hitl_v1_event_proto, File_hitl_v1_event_service_proto} {
		for at := range file.Messages().Len() {
			message := file.Messages().Get(at)
			if hasEvent(message, map[protoreflect.FullName]bool{}) && events[message.Name()] == nil {
				t.Errorf("%s has an event, and what prints it is not tested", message.Name())
			}
		}
	}
	for name, message := range events {
		var log bytes.Buffer
		slog.New(slog.NewJSONHandler(&log, nil)).Info("m", "event", message)
		texts := []string{log.String()}
		for _, verb := range []string{"%v", "%+v", "%s", "%q", "%#v"} {
			texts = append(texts, fmt.Sprintf(verb, message), fmt.Sprintf(verb, []any{message}))
		}
		for _, text := range texts {
			if strings.Contains(text, "TOKEN") || !strings.Contains(text, "Deploy?") || !strings.Contains(text, secret) {
				t.Errorf("%s: %s", name, text)
			}
		}
	}
	if event.GetFormUrl() != "http://host/TOKEN" {
		t.Error("the event itself has changed")
	}
	if text := fmt.Sprint((*Event)(nil)); text != "<nil>" {
		t.Error(text)
	}
}
