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
	"google.golang.org/grpc/metadata"

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

// guarded starts a server that refuses every token but "new", and returns its address.
func guarded(t *testing.T, script *script) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	isKnown := func(ctx context.Context) error {
		headers, _ := metadata.FromIncomingContext(ctx)
		script.mutex.Lock()
		defer script.mutex.Unlock()
		script.bearers = append(script.bearers, headers.Get("authorization")...)
		if !slices.Equal(headers.Get("authorization"), []string{"Bearer new"}) {
			return refusal(codes.Unauthenticated, "ERROR_REASON_UNAUTHENTICATED", "hitl.v1")
		}
		return nil
	}
	unary := func(ctx context.Context, _ any, _ *grpc.UnaryServerInfo, _ grpc.UnaryHandler) (any, error) {
		return &hitlv1.GetEventResponse{Event: &hitlv1.Event{Id: "e"}}, isKnown(ctx)
	}
	stream := func(service any, stream grpc.ServerStream, _ *grpc.StreamServerInfo, handle grpc.StreamHandler) error {
		if err := isKnown(stream.Context()); err != nil {
			return err
		}
		return handle(service, stream)
	}
	server := grpc.NewServer(grpc.UnaryInterceptor(unary), grpc.StreamInterceptor(stream))
	hitlv1.RegisterEventServiceServer(server, script)
	go func() { _ = server.Serve(listener) }()
	t.Cleanup(server.Stop)
	return "http://" + listener.Addr().String()
}

// sendsTokens makes a call and a wait, whose tokens are first refused, and checks what was sent.
func sendsTokens(t *testing.T, client func() *Client, server *script, isKnown bool, expected ...string) {
	t.Helper()
	calls := []func(*Client) (*hitlv1.Event, error){
		func(client *Client) (*hitlv1.Event, error) { return client.Get(t.Context(), "e") },
		func(client *Client) (*hitlv1.Event, error) { return client.WaitEvent(t.Context(), "e") },
	}
	for at, call := range calls {
		server.bearers, server.steps = nil, []step{{reply: func(id string) *hitlv1.WaitEventsResponse {
			return answered(id, 1)
		}}}
		client := client()
		_, err := call(client)
		client.Close()
		isRefused := errors.Is(err, Unauthenticated) && err.Error() == "what happened"
		if (err == nil) != isKnown || isRefused == isKnown || !slices.Equal(server.bearers, expected) {
			t.Fatal(at, err, server.bearers)
		}
	}
}

func TestATokenThatIsRefusedIsAskedForOnceMore(t *testing.T) {
	server := &script{}
	endpoint := guarded(t, server)
	clientOf := func(token Token) *Client {
		client, err := NewClient(Config{Endpoint: endpoint, Token: token})
		if err != nil {
			t.Fatal(err)
		}
		return client
	}
	for _, said := range [][]string{{"old", "new"}, {"old", "older", "new"}, {"old", "old"}} {
		client := func() *Client {
			at := -1
			return clientOf(TokenFunc(func(context.Context) (string, error) {
				at++
				return said[at], nil
			}))
		}
		sent := []string{"Bearer " + said[0], "Bearer " + said[1]}
		sendsTokens(t, client, server, said[1] == "new", slices.Compact(sent)...)
	}
	sendsTokens(t, func() *Client { return clientOf(StaticToken("old")) }, server, false, "Bearer old")
}

func TestUpIsAskedOnceMoreWhenTheLocalServerRefusesItsToken(t *testing.T) {
	server := &script{}
	endpoint := guarded(t, server)
	for last, sent := range map[string][]string{"new": {"Bearer old", "Bearer new"}, "old": {"Bearer old"}} {
		client := func() *Client {
			line := `echo '{"endpoint":"` + endpoint + `","token":"'$(cat $0.token)'"}'`
			local := shell(t, `[ -e $0.token ] || echo old > $0.token; `+line+`; echo `+last+` > $0.token`)
			set, err := resolve(Config{}, map[string]string{"HITL_BIN": local.binary})
			if err != nil {
				t.Fatal(err)
			}
			return newClient(set, set.local.connect)
		}
		sendsTokens(t, client, server, last == "new", sent...)
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
