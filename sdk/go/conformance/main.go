// Drives the SDK for the conformance suite: commands as JSON lines on stdin, replies on stdout.
package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"os"
	"strings"
	"sync"
	"time"

	"hitl.dev/go"
	"hitl.dev/go/hitlv1"
)

type object = map[string]any

// asked is an event, whatever its type.
type asked struct {
	wait   func(context.Context) (object, error)
	cancel func(context.Context, string) error
}

var (
	clients = map[string]*hitl.Client{}
	events  = map[string]asked{}
	mutex   sync.Mutex // Of both maps and of stdout.
)

func main() {
	commands, replies := json.NewDecoder(os.Stdin), json.NewEncoder(os.Stdout)
	for {
		c := command{}
		if commands.Decode(&c) != nil {
			return
		}
		go func() {
			ok, err := c.run(context.Background())
			reply := object{"id": c["id"], "ok": ok}
			if err != nil {
				reply = object{"id": c["id"], "error": failure(err)}
			}
			mutex.Lock()
			defer mutex.Unlock()
			_ = replies.Encode(reply)
		}()
	}
}

func (c command) run(ctx context.Context) (object, error) {
	client, err := c.client()
	if err != nil {
		return nil, err
	}
	id, reason, responder := c.text("event_id"), c.text("reason"), c.text("responder")
	switch op := c.text("op"); op {
	case "client":
		return object{}, nil
	case "create", "ask":
		return c.question(ctx, client)
	case "wait":
		return c.wait(ctx)
	case "cancel_event":
		return object{}, c.event().cancel(ctx, reason)
	case "wait_event":
		return record(client.WaitEvent(ctx, id))
	case "get":
		return record(client.Get(ctx, id))
	case "answer":
		return record(client.Answer(ctx, id, c.answer(), responder))
	case "decline":
		return record(client.Decline(ctx, id, reason, responder))
	case "cancel":
		return record(client.Cancel(ctx, id, reason))
	case "list":
		return c.list(ctx, client)
	default:
		return nil, errors.New("no such op: " + op)
	}
}

// client returns the client of that name, which is made when first needed.
func (c command) client() (client *hitl.Client, err error) {
	mutex.Lock()
	defer mutex.Unlock()
	name := cmp.Or(c.text("client"), "default")
	if clients[name] == nil || c.text("op") == "client" {
		config := hitl.Config{
			Endpoint: c.text("endpoint"), Namespace: c.text("namespace"), RunID: c.text("run_id"),
		}
		given(c["retry_for_ms"], func(ms int64) { config.RetryFor = new(millis(ms)) })
		clients[name], err = hitl.NewClient(config)
	}
	return clients[name], err
}

func (c command) event() asked {
	mutex.Lock()
	defer mutex.Unlock()
	return events[c.text("event")]
}

func (c command) wait(ctx context.Context) (object, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	given(c["limit_ms"], func(ms int64) { time.AfterFunc(millis(ms), cancel) })
	reply, err := c.event().wait(ctx)
	if errors.Is(err, context.Canceled) {
		return object{"gave_up": true}, nil
	}
	return reply, err
}

func (c command) list(ctx context.Context, client *hitl.Client) (object, error) {
	page, err := client.List(ctx, &hitlv1.ListEventsRequest{
		Name: c.text("name"), Scope: c.text("scope"), Labels: get[map[string]string](c["labels"]),
		State:    hitlv1.EventState(hitlv1.EventState_value["EVENT_STATE_"+c.text("state")]),
		PageSize: get[int32](c["page_size"]), PageToken: c.text("page_token"),
	})
	list := []object{}
	for _, event := range page.GetEvents() {
		one, _ := record(event, nil)
		list = append(list, one)
	}
	return object{"events": list, "next_page_token": page.GetNextPageToken()}, err
}

func record(event *hitlv1.Event, err error) (object, error) {
	response := event.GetResponse()
	return object{
		"event_id": event.GetId(), "name": event.GetName(), "value": canonical(response.GetValue()),
		"state": stateName(event.GetState()), "reason": response.GetReason(),
		"responder": response.GetResponder().GetName(),
	}, err
}

func failure(err error) object {
	var failed *hitl.Error
	if !errors.As(err, &failed) {
		return object{"kind": "adapter", "message": err.Error()}
	}
	fields := []string{}
	for _, violation := range failed.FieldViolations {
		fields = append(fields, violation.Field)
	}
	var response object
	if ended := failed.Response; ended != nil {
		response = object{
			"state": stateName(ended.GetState()), "reason": ended.GetReason(), "responder": ended.GetResponder().GetName(),
		}
	}
	return object{
		"kind": strings.ReplaceAll(string(failed.Kind), " ", "_"), "reason": failed.Reason, "fields": fields,
		"message": failed.Message, "retryable": failed.Retryable, "response": response,
	}
}

func stateName(state hitlv1.EventState) string {
	return strings.TrimPrefix(state.String(), "EVENT_STATE_")
}

func millis(ms int64) time.Duration { return time.Duration(ms) * time.Millisecond }
