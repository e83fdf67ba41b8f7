package hitl

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"

	"hitl.dev/go/hitlv1"
)

func TestAWaitTellsOnceWhereToAnswer(t *testing.T) {
	script := &script{steps: []step{{reply: func(id string) *hitlv1.WaitEventsResponse { return answered(id, 1) }}}}
	scripted(t, script, Config{}, func(t *testing.T, client *Client) {
		var stderr bytes.Buffer
		client.settings.announcer.stderr = &stderr
		waits := func(asked *hitlv1.Event, before func(*Event[int64])) string {
			stderr.Reset()
			script.stored = map[string]*hitlv1.Event{"e": asked}
			event, err := Attach[int64](t.Context(), client, "e")
			if err != nil {
				t.Fatal(err)
			}
			before(event)
			for range 2 {
				if _, err := event.Wait(t.Context()); err != nil {
					t.Fatal(err)
				}
				if _, _, err := event.WaitFor(t.Context(), 1); err != nil {
					t.Fatal(err)
				}
			}
			return stderr.String()
		}
		nothing := func(*Event[int64]) {}
		asked := storedEvent(hitlv1.EventState_EVENT_STATE_PENDING, inputOf(t, Int()), nil)
		asked.Id, asked.Name = "e", "a\nb"
		if told := waits(asked, nothing); told != "hitl: \"a\\nb\" waits for an answer at http://host/form/secret\n" {
			t.Error(told)
		}
		if told := waits(asked, func(event *Event[int64]) { event.FormURL() }); told != "" {
			t.Error(told)
		}
		if told := waits(asked, func(event *Event[int64]) { event.APIURL() }); told != "" {
			t.Error(told)
		}
		asked.FormUrl = ""
		if told := waits(asked, nothing); told != "hitl: \"a\\nb\" waits for an answer (event e)\n" {
			t.Error(told)
		}
		asked.State = hitlv1.EventState_EVENT_STATE_ANSWERED
		if told := waits(asked, nothing); told != "" {
			t.Error(told)
		}
	})
}

func TestALookTellsNobody(t *testing.T) {
	asked := storedEvent(hitlv1.EventState_EVENT_STATE_PENDING, inputOf(t, Int()), nil)
	script := &script{stored: map[string]*hitlv1.Event{"e": asked}}
	scripted(t, script, Config{}, func(t *testing.T, client *Client) {
		var stderr bytes.Buffer
		client.settings.announcer.stderr = &stderr
		event, err := Attach[int64](t.Context(), client, "e")
		if err != nil {
			t.Fatal(err)
		}
		_, _, looked := event.Poll(t.Context())
		_, _, waited := event.WaitFor(t.Context(), 0)
		if errors.Join(looked, waited) != nil || stderr.String() != "" {
			t.Fatal(looked, waited, stderr.String())
		}
	})
}

func TestOnlySoManyEventsAreToldOf(t *testing.T) {
	var stderr bytes.Buffer
	announcer := &announcer{stderr: &stderr}
	for at := range 50 {
		announcer.tell(&hitlv1.Event{Name: fmt.Sprint(at), FormUrl: "http://host"})
	}
	lines := strings.Split(stderr.String(), "\n")
	if len(lines) != 22 || lines[20] != "hitl: more events wait than are told of here" {
		t.Fatal(stderr.String())
	}
}

func TestNobodyIsToldIfTheProgramOrTheEnvironmentSaysSo(t *testing.T) {
	yes, no := true, false
	for variable, quiet := range map[string]bool{"": false, "0": true, "false": true, "off": true, "1": false} {
		for _, announce := range []*bool{nil, &yes, &no} {
			set, err := resolve(Config{Announce: announce}, map[string]string{"HITL_ANNOUNCE": variable})
			expected := quiet
			if announce != nil {
				expected = !*announce
			}
			if err != nil || (set.announcer == nil) != expected {
				t.Fatal(variable, announce, err)
			}
		}
	}
	var none *announcer
	none.tell(&hitlv1.Event{})
}
