package hitl

import "time"

const defaultRetryFor = 30 * time.Second

// Config says where the server is and on whose behalf to ask. What it sets wins over the
// environment, and the environment over the default; an empty string counts as not set. The
// environment is read once, when a client is made.
type Config struct {
	// Endpoint is the server's address, such as http://127.0.0.1:4485. Else HITL_ENDPOINT; without
	// either the local server is used, and started when none runs.
	Endpoint string
	// Namespace is the namespace of every event. Else HITL_NAMESPACE, else "default".
	Namespace string
	// RunID names this run of the program, so that it can crash and start again. Else HITL_RUN_ID;
	// without either every create makes another event.
	RunID string
	// Binary is the program that finds or starts the local server. Else HITL_BIN, else hitl in PATH, of which
	// directories that are not absolute are left out.
	Binary string
	// RetryFor is how long a call is repeated while the server cannot be reached: 30 s if nil; zero
	// means one attempt. A wait, once it has reached the server, goes on without limit.
	RetryFor *time.Duration
}

// settings is a Config with nothing left open.
type settings struct {
	endpoint  string
	address   string
	namespace string
	runID     string
	retryFor  time.Duration
	local     *local // nil unless the server is the local one, which this client may start.
}

func (config Config) resolve(env func(string) string) (*settings, error) {
	s := &settings{
		namespace: first(config.Namespace, env("HITL_NAMESPACE"), "default"),
		runID:     first(config.RunID, env("HITL_RUN_ID")),
		retryFor:  defaultRetryFor,
	}
	if config.RetryFor != nil {
		s.retryFor = *config.RetryFor
	}
	var err error
	if endpoint := first(config.Endpoint, env("HITL_ENDPOINT")); endpoint != "" {
		s.endpoint, s.address, err = parseEndpoint(endpoint)
		return s, err
	}
	s.local = &local{binary: first(config.Binary, env("HITL_BIN"), "hitl")}
	// For errors, and for gRPC: its port is known once it is found.
	s.endpoint, s.address = "http://127.0.0.1", "127.0.0.1"
	return s, nil
}

func first(values ...string) string {
	for _, value := range values {
		if value != "" {
			return value
		}
	}
	return ""
}
