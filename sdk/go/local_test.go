package hitl

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"hitl.dev/go/hitlv1"
)

// shell returns a local server whose program is a shell script.
func shell(t *testing.T, script string) *local {
	t.Helper()
	binary := filepath.Join(t.TempDir(), "hitl")
	if err := os.WriteFile(binary, []byte("#!/bin/sh\n"+script+"\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	return &local{binary: binary, log: slog.New(slog.DiscardHandler)}
}

// unavailability calls through the whole client, and returns the message of the error.
func unavailability(t *testing.T, local *local) string {
	t.Helper()
	client := clientOf(t, Config{}, local.connect)
	defer client.Close()
	_, err := client.Get(t.Context(), "id")
	var failure *Error
	if !errors.As(err, &failure) || failure.Kind != Unavailable || failure.Retryable {
		t.Fatal(err)
	}
	return failure.Message
}

func TestAMissingProgramSaysWhatToInstallOrSet(t *testing.T) {
	local := shell(t, "")
	local.binary += "-absent"
	if message := unavailability(t, local); !strings.Contains(message, "install hitl, or set HITL_BIN") {
		t.Fatal(message)
	}
}

func TestWhatUpSaysWhenItFailsIsTheError(t *testing.T) {
	for _, end := range []string{"exit 1", "echo {}", "echo no JSON"} {
		local := shell(t, `echo "hitl: told $@" >&2; echo disk full >&2; `+end)
		if message := unavailability(t, local); !strings.HasSuffix(message, ":\ntold up\ndisk full") {
			t.Fatal(message)
		}
	}
}

func TestEachConnectGoesWhereUpSays(t *testing.T) {
	local := shell(t, `cat "$0.said"`)
	for range 2 {
		listener, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer listener.Close()
		endpoint := "http://" + listener.Addr().String()
		line := `{"endpoint":"` + endpoint + `","token":"hitl_1"}`
		if err := os.WriteFile(local.binary+".said", []byte(line), 0o600); err != nil {
			t.Fatal(err)
		}
		conn, err := local.connect(t.Context())
		if err != nil || conn.RemoteAddr().String() != listener.Addr().String() {
			t.Fatal(conn, err)
		}
		conn.Close()
		if token, err := local.tokenOf(t.Context()); token != "hitl_1" || err != nil {
			t.Fatal(token, err)
		}
		if client := (&Client{core: &core{settings: &settings{local: local}}}); client.Endpoint() != endpoint {
			t.Fatal(client.Endpoint())
		}
	}
}

// realServer returns the settings of clients of a real server, which the first one starts, and its directory.
func realServer(t *testing.T) (set *settings, dir string) {
	t.Helper()
	binary := os.Getenv("HITL_BIN")
	if binary == "" {
		t.Fatal("set HITL_BIN to the hitl program")
	}
	dir = filepath.Join(t.TempDir(), "data")
	t.Setenv("HITL_DATA_DIR", dir)
	t.Setenv("HITL_PORT", freePort(t))
	set, err := resolve(Config{}, map[string]string{"HITL_BIN": binary})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { killServer(t, dir) })
	return set, dir
}

func TestAWatchOutlivesTheRealServerAndAnotherGoesOnFromItsToken(t *testing.T) {
	set, dir := realServer(t)
	client := newClient(set, set.local.connect)
	defer client.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	page, err := client.List(ctx, &hitlv1.ListEventsRequest{})
	if err != nil {
		t.Fatal(err)
	}
	input := &hitlv1.Input{Kind: &hitlv1.Input_Int{Int: &hitlv1.IntInput{}}}
	created := client.CreateMany(ctx, []*hitlv1.CreateEventRequest{
		{Name: "n", Prompt: "?", Input: input}, {Name: "n"}, {Name: "other", Prompt: "?", Input: input},
	})
	if created[0].Err != nil || !errors.Is(created[1].Err, Invalid) || created[2].Err != nil {
		t.Fatal(created)
	}
	id := created[0].Value.GetEvent().GetId()
	// What the watch brings until the event has ended, which is answered once it is known.
	follow := func(token string) (kinds []hitlv1.ChangeKind, last string) {
		request := &hitlv1.WatchEventsRequest{Name: "n", ResumeToken: token}
		for change, err := range client.Watch(ctx, request) {
			if err != nil || change.Event.GetId() != id {
				t.Fatal(change, err)
			}
			kinds, last = append(kinds, change.Kind), change.ResumeToken
			if change.Kind == hitlv1.ChangeKind_CHANGE_KIND_ENDED {
				break
			}
			killServer(t, dir)
			answer := &hitlv1.AnswerEventRequest{
				EventId: id, AnswerId: "a", Answer: &hitlv1.AnswerEventRequest_Json{Json: "1"},
			}
			if results := client.AnswerMany(ctx, []*hitlv1.AnswerEventRequest{answer}); results[0].Err != nil {
				t.Fatal(results)
			}
		}
		return kinds, last
	}
	kinds, token := follow(page.GetResumeToken())
	if kinds[0] != hitlv1.ChangeKind_CHANGE_KIND_CREATED || len(kinds) < 2 {
		t.Fatal(kinds)
	}
	follow(token)
}

// The real server: started by many at once, shared, and met again after it was killed.
func TestManyClientsShareOneServerAndAWaitOutlivesIt(t *testing.T) {
	set, dir := realServer(t)
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()

	var clients [8]*Client
	var group sync.WaitGroup
	for at := range clients {
		clients[at] = newClient(set, set.local.connect)
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
	killServer(t, dir)
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

// freePort returns a port that was free a moment ago.
func freePort(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	return strconv.Itoa(listener.Addr().(*net.TCPAddr).Port)
}

// killServer ends the server of the data directory, and waits until it is gone.
func killServer(t *testing.T, dir string) {
	t.Helper()
	lock, err := os.Open(filepath.Join(dir, "server.lock"))
	if err != nil {
		return
	}
	defer lock.Close()
	holder := make([]byte, 20)
	length, _ := lock.Read(holder)
	if id, err := strconv.Atoi(string(holder[:length])); err == nil {
		_ = syscall.Kill(id, syscall.SIGKILL)
	}
	if err := syscall.Flock(int(lock.Fd()), syscall.LOCK_EX); err != nil {
		t.Fatal(err)
	}
}
