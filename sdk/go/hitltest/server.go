// Package hitltest is for the tests of programs that ask: a throw-away server, and a person who does as a test says.
//
//	func TestShipsWhenTold(t *testing.T) {
//		server := hitltest.Start(t)
//		server.Human.Answer("approve", true)
//		// what asks by server.Client goes on with true
//	}
//
// The time of such a server passes when it is told to, so no test waits for a deadline.
package hitltest

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"hitl.dev/go"
)

// How long the server may take to end once nobody needs it.
const endLimit = 10 * time.Second

// TestServer is a server for tests, which keeps nothing and ends with the test at the latest.
type TestServer struct {
	Endpoint string       // Where it is.
	Client   *hitl.Client // A client of it.
	Human    *Human       // A person who does as the test says.

	t testing.TB
}

// Start starts a server for the test, and ends it at the end of the test, which fails if not all went as it has said. The
// program is that of HITL_BIN, else hitl in PATH, of which directories that are not absolute are left out.
func Start(t testing.TB) *TestServer {
	t.Helper()
	endpoint := run(t)
	announce := false
	client, err := hitl.NewClient(hitl.Config{Endpoint: endpoint, Announce: &announce})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = client.Close() })
	return &TestServer{Endpoint: endpoint, Client: client, Human: NewHuman(t, client, "a test"), t: t}
}

// Setenv has the environment lead to the server until the end of the test, for what asks without a client of its own.
func (s *TestServer) Setenv() {
	setter, ok := s.t.(interface{ Setenv(key, value string) })
	if !ok {
		s.t.Fatal("the environment cannot be set for this test")
	}
	for name, value := range map[string]string{
		"HITL_ENDPOINT": s.Endpoint, "HITL_ANNOUNCE": "0", "HITL_TOKEN": "", "HITL_NAMESPACE": "", "HITL_RUN_ID": "",
	} {
		setter.Setenv(name, value)
	}
}

// Advance lets time pass on the server at once: deadlines that are due then are due.
func (s *TestServer) Advance(duration time.Duration) {
	s.t.Helper()
	if err := s.Human.clock.advance(duration); err != nil {
		s.t.Fatal(err)
	}
}

// run starts the program, which ends when its input does, and returns where the server is.
func run(t testing.TB) string {
	t.Helper()
	binary := os.Getenv("HITL_BIN")
	if binary == "" {
		binary = "hitl"
	}
	path, err := find(binary)
	if err != nil {
		t.Fatalf("`%s` cannot be run (%v) to start a server for tests: install hitl, or set HITL_BIN to the program",
			binary, err)
	}
	command := exec.Command(path, "test-server")
	command.Env, command.Stderr = environment(), os.Stderr
	input, err := command.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	output, err := command.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { end(command, input) })
	var said struct{ Endpoint string }
	line, _ := bufio.NewReader(output).ReadBytes('\n')
	if err := json.Unmarshal(line, &said); err != nil || said.Endpoint == "" {
		t.Fatal("`hitl test-server` has not said where it is: is the program an older one?")
	}
	return said.Endpoint
}

func end(command *exec.Cmd, input io.Closer) {
	_ = input.Close()
	late := time.AfterFunc(endLimit, func() { _ = command.Process.Kill() })
	_ = command.Wait()
	late.Stop()
}

// environment is that of this program without what is set for servers.
func environment() []string {
	var kept []string
	for _, variable := range os.Environ() {
		if !strings.HasPrefix(variable, "HITL_") || strings.HasPrefix(variable, "HITL_LOG=") {
			kept = append(kept, variable)
		}
	}
	return kept
}

// find returns the absolute path of a program. A bare name is looked for in the absolute directories of PATH alone, since
// whoever may write to where a test happens to run must not choose what it starts.
func find(name string) (string, error) {
	if filepath.Base(name) != name {
		return filepath.Abs(name)
	}
	for _, dir := range filepath.SplitList(os.Getenv("PATH")) {
		if found, err := exec.LookPath(filepath.Join(dir, name)); err == nil && filepath.IsAbs(dir) {
			return found, nil
		}
	}
	return "", fmt.Errorf("no directory of PATH has it")
}
