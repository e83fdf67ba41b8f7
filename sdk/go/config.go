package hitl

import (
	"context"
	"crypto/tls"
	"fmt"
	"log/slog"
	"os"
	"time"

	"google.golang.org/grpc"
)

// Config says where the server is and on whose behalf to ask. What it sets wins over the
// environment, and the environment over the default; an empty string counts as not set. The
// environment is read once, when a client is made.
type Config struct {
	// Endpoint is the server's address, such as https://hitl.example.org or http://127.0.0.1:4485. Else
	// HITL_ENDPOINT; without either the local server is used, and started when none runs. Of several, with commas
	// between, the first is called, and each next one when the one before does not serve.
	Endpoint string
	// Token is what the server knows the program by: [StaticToken] or [TokenFunc]. Else HITL_TOKEN, or, for the
	// local server, the one that is found together with it. It is never sent over plain http to another machine,
	// unless Insecure says so, and never printed.
	Token Token
	// Insecure lets the token go over plain http to another machine. Else HITL_INSECURE_TRANSPORT=1.
	Insecure bool
	// Headers go with every call, at most 32. They go over plain http too, unlike the token.
	Headers Headers
	// Proxy leads to the server by CONNECT: http://HOST:PORT or http://USER:PASSWORD@HOST:PORT, which is never
	// printed. Else HITL_PROXY, but not to a server of this machine; no other variable names one. TLS is spoken with the
	// server, so that the proxy reads nothing of it. The local server is reached without.
	Proxy Proxy
	// CA has the certificates that an https server's own must be signed by. Else the file HITL_CA, else
	// those that the system trusts.
	CA PEM
	// Cert and Key are the client's own certificate with those that sign it, and its key. Else the files
	// HITL_CERT and HITL_KEY, else it has none.
	Cert, Key PEM
	// Namespace is the namespace of every event. Else HITL_NAMESPACE, else "default".
	Namespace string
	// RunID names this run of the program, so that it can crash and start again. Else HITL_RUN_ID;
	// without either every create makes another event.
	RunID string
	// Binary is the program that finds or starts the local server. Else HITL_BIN, else hitl in PATH, of which
	// directories that are not absolute are left out.
	Binary string
	// RetryFor is how long a call is repeated while the server cannot be reached: 30 s if nil; zero
	// means one attempt. A wait, once it has reached the server, goes on without limit. If nil, a connection
	// that is refused before the client has ever reached its server is an error at once.
	RetryFor *time.Duration
	// CallTimeout is how long a call may take with all of its attempts; if zero, as long as those take. Waits and
	// watches are not bound by it. [Client.WithCallTimeout] sets it for some calls.
	CallTimeout time.Duration
	// DialOptions are given to gRPC for each connection: interceptors and stats handlers, such as those of OpenTelemetry,
	// which trace and count calls. How the server is reached is for the other fields to say.
	DialOptions []grpc.DialOption
	// Announce says whether a wait tells where to answer, on stderr, if the program has not read a link of the
	// event itself. Else HITL_ANNOUNCE, which 0, false and off turn off; without either it does.
	Announce *bool
	// Log is told what the client does: where the local server is, what is waited for, that the server is lost
	// and calls are repeated. Else what HITL_LOG asks for (debug, info, warn or error) is printed to stderr;
	// without either nothing is.
	Log *slog.Logger
}

// settings is a Config with nothing left open.
type settings struct {
	endpoints []endpoint // At least one, each as good as the others.
	namespace string
	runID     string
	limits    limits
	log       *slog.Logger
	announcer *announcer                            // nil if nobody is told where to answer.
	token     func(context.Context) (string, error) // nil unless there is one.
	tls       *tls.Config                           // nil unless the endpoint is https.
	headers   []string                              // Names and values in turn.
	proxy     *proxy                                // nil unless there is one.
	options   []grpc.DialOption                     // What the program gives to gRPC.
	local     *local                                // nil unless the server is the local one, which this client may start.
}

func (config Config) resolve(env func(string) string) (*settings, error) {
	s := &settings{
		namespace: first(config.Namespace, env("HITL_NAMESPACE"), "default"),
		runID:     first(config.RunID, env("HITL_RUN_ID")),
		limits:    limits{retryFor: defaultRetryFor, callTimeout: config.CallTimeout},
		options:   config.DialOptions,
		log:       logger(config.Log, env("HITL_LOG"), os.Stderr),
	}
	if config.RetryFor != nil {
		s.limits.retryFor, s.limits.isPatient = *config.RetryFor, true
	}
	if config.CallTimeout < 0 {
		return nil, newError(Invalid, fmt.Sprintf("CallTimeout is %v: give a time above 0", config.CallTimeout))
	}
	headers, err := config.Headers.checked()
	if err != nil {
		return nil, err
	}
	s.headers = headers
	if s.proxy, err = config.Proxy.resolve(env("HITL_PROXY")); err != nil {
		return nil, err
	}
	announces := !isQuiet(env("HITL_ANNOUNCE"))
	if config.Announce != nil {
		announces = *config.Announce
	}
	if announces {
		s.announcer = &announcer{stderr: os.Stderr}
	}
	if endpoint := first(config.Endpoint, env("HITL_ENDPOINT")); endpoint != "" {
		return s, s.reach(endpoint, config, env)
	}
	s.local = &local{binary: first(config.Binary, env("HITL_BIN"), "hitl"), log: s.log}
	s.endpoints = []endpoint{localEndpoint}
	token, err := config.Token.checked()
	if s.token = token; token == nil {
		s.token = s.local.tokenOf
	}
	return s, err
}

// reach fills what it takes to call servers that are not the local one.
func (s *settings) reach(given string, config Config, env func(string) string) (err error) {
	if s.endpoints, err = parseEndpoints(given); err != nil {
		return err
	}
	token := config.Token
	if !token.isSet() {
		token = StaticToken(env("HITL_TOKEN"))
	}
	if s.token, err = token.checked(); err != nil {
		return err
	}
	isSafe := config.Insecure || isYes(env("HITL_INSECURE_TRANSPORT"))
	for _, endpoint := range s.endpoints {
		if s.token != nil && !isSafe && !endpoint.isTLS && !endpoint.isLoopback() {
			return plainToken(endpoint)
		}
	}
	// They are alike in that.
	isTLS := s.endpoints[0].isTLS
	if !isTLS && (config.CA.isSet() || config.Cert.isSet() || config.Key.isSet()) {
		help := "CA, Cert and Key are for an https endpoint, which %s is not"
		return newError(Invalid, fmt.Sprintf(help, s.endpoints[0]))
	}
	if isTLS {
		trust := trust{
			firstPEM(config.CA, env("HITL_CA")),
			firstPEM(config.Cert, env("HITL_CERT")), firstPEM(config.Key, env("HITL_KEY")),
		}
		s.tls, err = trust.config()
	}
	return err
}

func isYes(variable string) bool { return variable == "1" || variable == "true" }

// first is the first of the values that is not the zero one, if there is any.
func first[T comparable](values ...T) (value T) {
	for _, given := range values {
		if given != value {
			return given
		}
	}
	return value
}
