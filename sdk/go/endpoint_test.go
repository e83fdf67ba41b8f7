package hitl

import (
	"encoding/json"
	"errors"
	"os"
	"strings"
	"testing"
)

func TestEveryEndpointIsTakenAsInEveryOtherLanguage(t *testing.T) {
	text, err := os.ReadFile("../endpoints.json")
	if err != nil {
		t.Fatal(err)
	}
	var list struct {
		Cases []struct{ Given, Used, Refused string }
	}
	if err := json.Unmarshal(text, &list); err != nil || len(list.Cases) == 0 {
		t.Fatal(err)
	}
	for _, expected := range list.Cases {
		client, err := NewClient(Config{Endpoint: expected.Given})
		if expected.Refused != "" {
			if !errors.Is(err, Invalid) || !strings.Contains(err.Error(), expected.Refused) {
				t.Errorf("%q: %v", expected.Given, err)
			}
			continue
		}
		if err != nil {
			t.Errorf("%q: %v", expected.Given, err)
		} else if client.Endpoint() != expected.Used {
			t.Errorf("%q became %q", expected.Given, client.Endpoint())
		}
	}
}

func TestNoPasswordOfAnEndpointIsShown(t *testing.T) {
	for _, endpoint := range []string{"http://user:secret@host:1", "https://user:secret@host", "secret@host"} {
		if _, err := NewClient(Config{Endpoint: endpoint}); err == nil || strings.Contains(err.Error(), "secret") {
			t.Error(err)
		}
	}
}

func TestANameWithAnUnderscoreIsCalled(t *testing.T) {
	script := &script{steps: []step{sends(answered("e", 1))}}
	scripted(t, script, Config{Endpoint: "http://my_host:4485"}, func(t *testing.T, client *Client) {
		if _, err := client.WaitEvent(t.Context(), "e"); err != nil {
			t.Fatal(err)
		}
	})
}
