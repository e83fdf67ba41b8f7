package hitl

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"slices"
	"strings"
	"testing"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"

	"hitl.dev/go/hitlv1"
)

const secret = "hitl_0123456789abcdef_secret"

func TestEachNewCallAsksForItsToken(t *testing.T) {
	script := &script{stored: map[string]*hitlv1.Event{"e": {Id: "e"}}}
	calls := 0
	next := func(context.Context) (string, error) {
		calls++
		return fmt.Sprintf(" t%d\n", calls), nil
	}
	config := Config{Endpoint: "http://127.0.0.1:1", Token: TokenFunc(next)}
	scripted(t, script, config, func(t *testing.T, client *Client) {
		for range 2 {
			if _, err := client.Get(t.Context(), "e"); err != nil {
				t.Fatal(err)
			}
		}
		if !slices.Equal(script.bearers, []string{"Bearer t1", "Bearer t2"}) {
			t.Fatal(script.bearers)
		}
	})
}

func TestWithoutATokenNoneIsSent(t *testing.T) {
	script := &script{stored: map[string]*hitlv1.Event{"e": {Id: "e"}}}
	config := Config{Endpoint: "http://127.0.0.1:1", Token: StaticToken("")}
	scripted(t, script, config, func(t *testing.T, client *Client) {
		if _, err := client.Get(t.Context(), "e"); err != nil || !slices.Equal(script.bearers, []string{""}) {
			t.Fatal(err, script.bearers)
		}
	})
}

func TestACallIsRepeatedWhileItsTokenCannotBeHad(t *testing.T) {
	script := &script{stored: map[string]*hitlv1.Event{"e": {Id: "e"}}}
	failures := 3
	flaky := func(context.Context) (string, error) {
		if failures--; failures >= 0 {
			return "", errors.New("the vault sleeps")
		}
		return secret, nil
	}
	config := Config{Endpoint: "http://127.0.0.1:1", Token: TokenFunc(flaky)}
	scripted(t, script, config, func(t *testing.T, client *Client) {
		if _, err := client.Get(t.Context(), "e"); err != nil {
			t.Fatal(err)
		}
	})
	failures = 1
	config.RetryFor = &noRetries
	scripted(t, script, config, func(t *testing.T, client *Client) {
		_, err := client.Get(t.Context(), "e")
		if !errors.Is(err, Unavailable) || err.Error() != "the token cannot be had: the vault sleeps" {
			t.Fatal(err)
		}
	})
}

func TestATokenThatNoHeaderCanHaveIsRefusedAndNotShown(t *testing.T) {
	for _, given := range []string{secret + "\nx", secret + "é", secret + " x", strings.Repeat("secret", 1000)} {
		_, err := resolve(Config{Endpoint: "localhost"}, map[string]string{"HITL_TOKEN": given})
		if !errors.Is(err, Invalid) || strings.Contains(err.Error(), "secret") {
			t.Fatal(err)
		}
		if _, err := NewClient(Config{Token: StaticToken(given)}); !errors.Is(err, Invalid) {
			t.Fatal(err)
		}
		source := func(context.Context) (string, error) { return given, nil }
		config := Config{Endpoint: "http://127.0.0.1:1", Token: TokenFunc(source)}
		scripted(t, &script{}, config, func(t *testing.T, client *Client) {
			_, err := client.Get(t.Context(), "e")
			if !errors.Is(err, Invalid) || strings.Contains(err.Error(), "secret") {
				t.Fatal(err)
			}
		})
	}
}

func TestATokenNeverGoesOverPlainHTTPToAnotherMachine(t *testing.T) {
	given := map[string]string{"HITL_TOKEN": secret}
	function := func(context.Context) (string, error) { return secret, nil }
	for _, endpoint := range []string{
		"http://hitl.example.org", "http://10.0.0.1:1", "http://[fe80::1]", "localhost.example.org",
	} {
		for _, config := range []Config{{Endpoint: endpoint}, {Endpoint: endpoint, Token: TokenFunc(function)}} {
			variables := given
			if config.Token.isSet() {
				variables = nil
			}
			_, err := resolve(config, variables)
			if !errors.Is(err, Invalid) || !strings.Contains(err.Error(), "HITL_INSECURE_TRANSPORT=1") {
				t.Fatal(endpoint, err)
			}
			config.Insecure = true
			if set, err := resolve(config, variables); err != nil || set.token == nil {
				t.Fatal(endpoint, err)
			}
		}
		allowed := map[string]string{"HITL_TOKEN": secret, "HITL_INSECURE_TRANSPORT": "1"}
		if _, err := resolve(Config{Endpoint: endpoint}, allowed); err != nil {
			t.Fatal(err)
		}
	}
	for _, endpoint := range []string{
		"https://hitl.example.org", "localhost:1", "http://127.1.2.3", "[::1]", "LOCALHOST.",
	} {
		if set, err := resolve(Config{Endpoint: endpoint}, given); err != nil || set.token == nil {
			t.Fatal(endpoint, err)
		}
	}
}

func TestTheLocalServersTokenIsTheOneThatUpSays(t *testing.T) {
	set, err := resolve(Config{}, map[string]string{"HITL_TOKEN": secret})
	if err != nil {
		t.Fatal(err)
	}
	set.local.found.Store(&found{localEndpoint, "hitl_of_up"})
	if token, err := set.token(t.Context()); token != "hitl_of_up" || err != nil {
		t.Fatal(token, err)
	}
	set, _ = resolve(Config{Token: StaticToken("mine")}, nil)
	if token, _ := set.token(t.Context()); token != "mine" {
		t.Fatal(token)
	}
}

func TestUpIsAskedOnceMoreWhenTheLocalServerRefusesItsToken(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	script := &script{stored: map[string]*hitlv1.Event{"e": {Id: "e"}}}
	refuse := func(
		ctx context.Context, request any, _ *grpc.UnaryServerInfo, handler grpc.UnaryHandler,
	) (any, error) {
		reply, err := handler(ctx, request)
		if script.bearers[len(script.bearers)-1] != "Bearer new" {
			return nil, refusal(codes.Unauthenticated, "ERROR_REASON_UNAUTHENTICATED", "hitl.v1")
		}
		return reply, err
	}
	server := grpc.NewServer(grpc.UnaryInterceptor(refuse))
	hitlv1.RegisterEventServiceServer(server, script)
	go func() { _ = server.Serve(listener) }()
	defer server.Stop()
	for says, expected := range map[string][]string{"new": {"Bearer old", "Bearer new"}, "old": {"Bearer old"}} {
		script.bearers = nil
		line := `echo '{"endpoint":"http://` + listener.Addr().String() + `","token":"'$(cat $0.token)'"}'`
		local := shell(t, `[ -e $0.token ] || echo old > $0.token; `+line+`; echo `+says+` > $0.token`)
		set, err := resolve(Config{}, map[string]string{"HITL_BIN": local.binary})
		if err != nil {
			t.Fatal(err)
		}
		client := newClient(set, set.local.connect)
		_, err = client.Get(t.Context(), "e")
		client.Close()
		if errors.Is(err, Unauthenticated) != (says == "old") || !slices.Equal(script.bearers, expected) {
			t.Fatal(says, err, script.bearers)
		}
	}
}

func TestUpMayNotLeadTheTokenToAnotherMachine(t *testing.T) {
	local := shell(t, `echo '{"endpoint":"http://10.0.0.1:1","token":"`+secret+`"}'`)
	if message := unavailability(t, local); !strings.Contains(message, "no server of this machine") {
		t.Fatal(message)
	}
}

func TestNothingPrintsATokenOrAKey(t *testing.T) {
	config := Config{
		Endpoint: "https://host", Token: StaticToken(secret), Key: PEMText([]byte("secret")), CA: PEMFile("/ca.pem"),
	}
	var text strings.Builder
	for _, verb := range []string{"%v", "%+v", "%#v", "%s"} {
		fmt.Fprintf(&text, verb, config)
		fmt.Fprintf(&text, verb, config.Key)
		fmt.Fprintf(&text, verb, config.Token)
		set, err := resolve(Config{Endpoint: "localhost"}, map[string]string{"HITL_TOKEN": secret})
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(&text, verb, *set)
	}
	slog.New(slog.NewTextHandler(&text, nil)).Info("made", "config", config, "key", config.Key)
	slog.New(slog.NewJSONHandler(&text, nil)).Info("made", "key", config.Key, "token", config.Token)
	if strings.Contains(text.String(), "secret") || !strings.Contains(text.String(), "/ca.pem") {
		t.Fatal(text.String())
	}
}
