package hitl

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net"
	"os"
	"os/exec"
	"strings"
	"sync/atomic"
	"time"
)

// Longer than `hitl up` takes, and shorter than an attempt of a call, so that its own error is seen.
const upLimit = 13 * time.Second

// local connects to the local server: `hitl up` finds it or starts it, and says where it is.
type local struct {
	binary string
	log    *slog.Logger
	found  atomic.Pointer[found] // Where it was last. Nil before the first connect.
}

// found is where the local server is, and what it knows this user by.
type found struct {
	endpoint endpoint
	token    string
}

func (l *local) connect(ctx context.Context) (net.Conn, error) {
	found, err := l.up(ctx)
	if err != nil {
		return nil, err
	}
	l.found.Store(found)
	l.log.Info(fmt.Sprintf("the local server is at %s", found.endpoint))
	dialer := net.Dialer{Timeout: connectTimeout}
	return dialer.DialContext(ctx, "tcp", found.endpoint.address())
}

// tokenOf is the token of the server that the connection leads to.
func (l *local) tokenOf(context.Context) (string, error) {
	if found := l.found.Load(); found != nil {
		return found.token, nil
	}
	return "", nil
}

func (l *local) up(ctx context.Context) (*found, error) {
	ctx, cancel := context.WithTimeout(ctx, upLimit)
	defer cancel()
	var said, why bytes.Buffer
	binary, err := findProgram(l.binary, os.Getenv("PATH"))
	command := exec.CommandContext(ctx, binary, "up")
	command.Stdout, command.Stderr = &said, &why
	if err == nil {
		err = command.Start()
	}
	if err != nil {
		return nil, noServer("`%s` cannot be run (%v) to find or start the local "+
			"server: install hitl, or set HITL_BIN to the program, or HITL_ENDPOINT to a server that runs "+
			"elsewhere", l.binary, err)
	}
	err = command.Wait()
	if ctx.Err() != nil {
		return nil, unavailable(fmt.Sprintf("`hitl up` has not ended within %.0f s", upLimit.Seconds()))
	}
	var line struct{ Endpoint, Token string }
	if err == nil && json.Unmarshal(said.Bytes(), &line) == nil && line.Endpoint != "" {
		endpoint, err := parseEndpoint(line.Endpoint)
		if err == nil && (endpoint.isTLS || !endpoint.isLoopback()) {
			err = noServer("`hitl up` names %s, which is no server of this machine", endpoint)
		}
		return &found{endpoint, line.Token}, err
	}
	told := strings.TrimPrefix(strings.TrimSpace(why.String()), "hitl: ")
	return nil, noServer("`hitl up` failed, %v:\n%s", command.ProcessState, told)
}

// noServer is an error that repeating the call would not mend.
func noServer(format string, values ...any) *Error {
	return newError(Unavailable, fmt.Sprintf(format, values...))
}
