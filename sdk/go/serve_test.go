package hitl

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"hitl.dev/go/hitlv1"
)

// launch returns a launcher of a shell script, for a port that was free a moment ago.
func launch(t *testing.T, script string) *launcher {
	t.Helper()
	dir := t.TempDir()
	binary := filepath.Join(dir, "hitl")
	if err := os.WriteFile(binary, []byte("#!/bin/sh\n"+script+"\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	return &launcher{freeAddress(t), binary, filepath.Join(dir, "data"), time.Second}
}

func freeAddress(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	return listener.Addr().String()
}

func TestAMissingProgramSaysWhatToInstallOrSetThroughTheWholeClient(t *testing.T) {
	launcher := launch(t, "")
	launcher.binary += "-absent"
	client := clientOf(t, Config{}, launcher.connect)
	defer client.Close()
	_, err := client.Get(t.Context(), "id")
	var failure *Error
	if !errors.As(err, &failure) || failure.Kind != Unavailable || failure.Retryable {
		t.Fatal(err)
	}
	if !strings.Contains(failure.Message, "install hitl, or set HITL_BIN") {
		t.Fatal(err)
	}
}

func TestAServerThatCannotStartShowsTheEndOfItsLog(t *testing.T) {
	launcher := launch(t, `echo told "$@" in "$HITL_DATA_DIR"; echo disk full >&2; exit 1`)
	// A relative path is of the program's directory, not of the server's.
	t.Chdir(filepath.Dir(launcher.binary))
	launcher.binary = "./hitl"
	_, err := launcher.connect(t.Context())
	told := fmt.Sprintf("told serve --idle-exit 10m --listen %s in %s", launcher.address, launcher.dataDir)
	if err == nil || !strings.HasSuffix(err.Error(), told+"\ndisk full") {
		t.Fatal(err)
	}
}

func TestAServerThatLosesTheRaceIsNoFailure(t *testing.T) {
	launcher := launch(t, `echo lost`)
	go func() {
		// Listens once the first server has been started and has lost.
		for t.Context().Err() == nil {
			if log, _ := os.ReadFile(filepath.Join(launcher.dataDir, "serve.log")); len(log) > 0 {
				break
			}
			time.Sleep(time.Millisecond)
		}
		winner, err := net.Listen("tcp", launcher.address)
		if err != nil {
			return
		}
		defer winner.Close()
		probe, err := winner.Accept()
		if err != nil {
			return
		}
		_, _ = probe.Read(make([]byte, 1<<10))
		_, _ = probe.Write([]byte("HTTP/1.1 200 OK\r\ncontent-length: 6\r\n\r\nalive\n"))
		probe.Close()
		_, _ = winner.Accept()
	}()
	conn, err := launcher.connect(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	conn.Close()
}

// reply listens where the launcher looks, and answers each connection with text, or not at all.
func (l *launcher) reply(t *testing.T, text string) {
	t.Helper()
	listener, err := net.Listen("tcp", l.address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listener.Close() })
	go func() {
		for conn, err := listener.Accept(); err == nil; conn, err = listener.Accept() {
			if text != "" {
				_, _ = conn.Write([]byte(text))
				// No more than this half: what was asked is not read.
				_ = conn.(*net.TCPConn).CloseWrite()
			}
		}
	}()
}

func TestWhatListensAndIsNotHitlIsNamedAtOnce(t *testing.T) {
	notAlive := "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nOK"
	for _, text := range []string{"HTTP/1.1 404 Not Found\r\n\r\n", "SSH-2.0-OpenSSH_9.6\r\n", notAlive} {
		launcher := launch(t, "")
		launcher.reply(t, text)
		client := clientOf(t, Config{}, launcher.connect)
		defer client.Close()
		_, err := client.Get(t.Context(), "id")
		told := "something that is not hitl listens on " + launcher.address +
			": set HITL_PORT to another port, or HITL_ENDPOINT to a server"
		var failure *Error
		if !errors.As(err, &failure) || failure.Message != told {
			t.Fatal(err)
		}
		if failure.Kind != Unavailable || failure.Retryable {
			t.Fatalf("%+v", failure)
		}
	}
}

func TestAServerThatIsTooBusyToReplyIsTakenForHitl(t *testing.T) {
	launcher := launch(t, "")
	launcher.reply(t, "")
	conn, err := launcher.connect(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	conn.Close()
}

func TestAServerThatEndedIsStartedAgain(t *testing.T) {
	launcher := launch(t, `echo started; exit 1`)
	launcher.limit = restartInterval + 500*time.Millisecond
	_, err := launcher.connect(t.Context())
	if err == nil || strings.Count(err.Error(), "started") != 2 {
		t.Fatal(err)
	}
}

func TestALogGrownTooLargeIsPutAside(t *testing.T) {
	launcher := launch(t, `exit 1`)
	path := filepath.Join(launcher.dataDir, "serve.log")
	if err := os.MkdirAll(launcher.dataDir, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, make([]byte, maxLogBytes+1), 0o644); err != nil {
		t.Fatal(err)
	}
	log, err := launcher.openLog()
	if err != nil {
		t.Fatal(err)
	}
	defer log.Close()
	if aside, err := os.Stat(path + ".1"); err != nil || aside.Size() != maxLogBytes+1 {
		t.Fatal(err)
	}
}

// The real server: started by many at once, shared, and met again after it was killed.
func TestManyClientsShareOneServerAndAWaitOutlivesIt(t *testing.T) {
	binary := os.Getenv("HITL_BIN")
	if binary == "" {
		t.Fatal("set HITL_BIN to the hitl program")
	}
	address, dir := freeAddress(t), t.TempDir()
	_, port, _ := net.SplitHostPort(address)
	variables := map[string]string{"HITL_PORT": port, "HITL_DATA_DIR": dir, "HITL_BIN": binary}
	set, err := Config{}.resolve(func(name string) string { return variables[name] })
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { killServer(t, address) })
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()

	var clients [8]*Client
	var group sync.WaitGroup
	for at := range clients {
		clients[at] = &Client{settings: set, dial: set.launcher.connect}
		defer clients[at].Close()
		group.Go(func() {
			if _, err := clients[at].List(ctx, &hitlv1.ListEventsRequest{}); err != nil {
				t.Error(err)
			}
		})
	}
	group.Wait()

	event, err := Create(ctx, clients[0], "n", "?", Int().Min(0))
	if err != nil {
		t.Fatal(err)
	}
	answers := make(chan int64)
	for range 200 {
		go func() {
			answer, err := event.Wait(ctx)
			if err != nil {
				t.Error(err)
			}
			answers <- answer
		}()
	}
	killServer(t, address)
	if _, err := clients[1].Answer(ctx, event.ID(), JSON("-1"), "Ada"); !errors.Is(err, Invalid) {
		t.Fatal(err)
	}
	if _, err := clients[1].Answer(ctx, event.ID(), Text("42"), "Ada"); err != nil {
		t.Fatal(err)
	}
	for range 200 {
		if answer := <-answers; answer != 42 {
			t.Fatal(answer)
		}
	}
	if err := event.Cancel(ctx, ""); !errors.Is(err, Conflict) {
		t.Fatal(err)
	}
	if _, err := clients[1].Decline(ctx, event.ID(), "late", "Ada"); !errors.Is(err, Conflict) {
		t.Fatal(err)
	}
}

// killServer ends the server that was told to listen on the address, and waits until it is gone.
func killServer(t *testing.T, address string) {
	t.Helper()
	lines, _ := filepath.Glob("/proc/[0-9]*/cmdline")
	for _, path := range lines {
		line, _ := os.ReadFile(path)
		if !strings.HasSuffix(string(line), "--listen\x00"+address+"\x00") {
			continue
		}
		var id int
		_, _ = fmt.Sscanf(path, "/proc/%d/cmdline", &id)
		_ = syscall.Kill(id, syscall.SIGKILL)
		for deadline := time.Now().Add(5 * time.Second); time.Now().Before(deadline); {
			if line, _ := os.ReadFile(path); len(line) == 0 {
				break
			}
			time.Sleep(time.Millisecond)
		}
	}
}
