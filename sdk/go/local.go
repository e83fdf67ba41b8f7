package hitl

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
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
	binary   string
	endpoint atomic.Pointer[string] // Where it was last. Nil before the first connect.
}

func (l *local) connect(ctx context.Context) (net.Conn, error) {
	endpoint, address, err := l.up(ctx)
	if err != nil {
		return nil, err
	}
	l.endpoint.Store(&endpoint)
	dialer := net.Dialer{Timeout: connectTimeout}
	return dialer.DialContext(ctx, "tcp", address)
}

func (l *local) up(ctx context.Context) (endpoint, address string, err error) {
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
		return "", "", noServer("`%s` cannot be run (%v) to find or start the local "+
			"server: install hitl, or set HITL_BIN to the program, or HITL_ENDPOINT to a server that runs "+
			"elsewhere", l.binary, err)
	}
	err = command.Wait()
	if ctx.Err() != nil {
		return "", "", unavailable(fmt.Sprintf("`hitl up` has not ended within %.0f s", upLimit.Seconds()))
	}
	var line struct{ Endpoint string }
	if err == nil && json.Unmarshal(said.Bytes(), &line) == nil && line.Endpoint != "" {
		return parseEndpoint(line.Endpoint)
	}
	told := strings.TrimPrefix(strings.TrimSpace(why.String()), "hitl: ")
	return "", "", noServer("`hitl up` failed, %v:\n%s", command.ProcessState, told)
}

// noServer is an error that repeating the call would not mend.
func noServer(format string, values ...any) error {
	return newError(Unavailable, fmt.Sprintf(format, values...))
}
