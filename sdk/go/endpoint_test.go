package hitl

import (
	"encoding/json"
	"errors"
	"os"
	"strings"
	"testing"
)

// listed is what every SDK makes of endpoints.
type listed struct {
	Cases  []struct{ Given, Used, Refused string }
	Tokens []struct {
		Given string
		Sent  bool
	}
}

func endpoints(t *testing.T) (list listed) {
	t.Helper()
	text, err := os.ReadFile("../endpoints.json")
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(text, &list); err != nil || len(list.Cases) == 0 || len(list.Tokens) == 0 {
		t.Fatal(err)
	}
	return list
}

func TestEveryEndpointIsTakenAsInEveryOtherLanguage(t *testing.T) {
	for _, expected := range endpoints(t).Cases {
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

func TestATokenGoesWhereItDoesInEveryOtherLanguage(t *testing.T) {
	for _, expected := range endpoints(t).Tokens {
		_, err := NewClient(Config{Endpoint: expected.Given, Token: StaticToken("t")})
		isRefused := errors.Is(err, Invalid) && strings.Contains(err.Error(), "https")
		if expected.Sent != (err == nil) || isRefused == expected.Sent {
			t.Errorf("%q: %v", expected.Given, err)
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
