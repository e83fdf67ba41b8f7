package hitl

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"

	"google.golang.org/grpc/metadata"

	"hitl.dev/go/hitlv1"
)

func TestAHeaderCanBeSetAsInEveryOtherLanguage(t *testing.T) {
	var list struct {
		Headers []struct{ Name, Value, Refused string }
	}
	text, err := os.ReadFile("../endpoints.json")
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(text, &list); err != nil || len(list.Headers) == 0 {
		t.Fatal(err)
	}
	for _, expected := range list.Headers {
		_, err := NewClient(Config{Endpoint: "h", Headers: Headers{expected.Name: expected.Value}})
		if expected.Refused == "" && err != nil {
			t.Errorf("%q: %v", expected.Name, err)
		}
		if expected.Refused != "" && (!errors.Is(err, Invalid) || !strings.Contains(err.Error(), expected.Refused)) {
			t.Errorf("%q: %v", expected.Name, err)
		}
	}
	many := Headers{}
	for n := range maxHeaders + 1 {
		many[fmt.Sprintf("x-%d", n)] = "a"
	}
	if _, err := NewClient(Config{Endpoint: "h", Headers: many}); !errors.Is(err, Invalid) {
		t.Fatal(err)
	}
}

// noting is a server that notes the headers of reads and waits.
type noting struct {
	asked
	seen []metadata.MD
}

func (n *noting) GetEvent(ctx context.Context, r *hitlv1.GetEventRequest) (*hitlv1.GetEventResponse, error) {
	n.note(ctx)
	return n.asked.GetEvent(ctx, r)
}

func (n *noting) WaitEvents(stream hitlv1.EventService_WaitEventsServer) error {
	n.note(stream.Context())
	return n.asked.WaitEvents(stream)
}

func (n *noting) note(ctx context.Context) {
	headers, _ := metadata.FromIncomingContext(ctx)
	n.seen = append(n.seen, headers)
}

func TestHeadersGoWithEveryCallAndStreamBesideTheToken(t *testing.T) {
	server := &noting{}
	config := Config{Endpoint: serve(t, server), Headers: Headers{"X-Team": "payments"}, Token: StaticToken("hitl_a")}
	client, err := NewClient(config)
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	if _, err := client.Get(t.Context(), "e"); err != nil {
		t.Fatal(err)
	}
	if _, err := client.WaitEvent(t.Context(), "e"); err != nil {
		t.Fatal(err)
	}
	for _, headers := range server.seen {
		if fmt.Sprint(headers["x-team"], headers["authorization"]) != "[payments] [Bearer hitl_a]" {
			t.Fatal(headers)
		}
	}
	if len(server.seen) != 2 {
		t.Fatal(server.seen)
	}
}

func TestHeadersAreNotPrinted(t *testing.T) {
	config := Config{Headers: Headers{"x-key": "secret"}}
	if printed := fmt.Sprintf("%v %+v %#v", config, config, config); strings.Contains(printed, "secret") {
		t.Fatal(printed)
	}
}
