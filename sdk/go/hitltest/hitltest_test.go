package hitltest_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"hitl.dev/go"
	"hitl.dev/go/hitltest"
)

func ask[T any](t *testing.T, server *hitltest.TestServer, name string, input hitl.Input[T], options ...hitl.Option) (T, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	event, err := hitl.Create(ctx, server.Client, name, "Well?", input, options...)
	if err != nil {
		t.Fatal(err)
	}
	return event.Wait(ctx)
}

func TestAPersonDoesAsATestSaysAndNoTimeIsLost(t *testing.T) {
	server := hitltest.Start(t)
	human := server.Human
	human.Answer("count", 3, hitltest.Nonsense("many", -1))
	human.Decline("ship", "not on a Friday")
	human.Answer("ship", true)
	human.AnswerText("slow", "yes", hitltest.After(2*time.Hour))
	if count, err := ask(t, server, "count", hitl.Int().Min(0)); err != nil || count != 3 {
		t.Fatal(count, err)
	}
	if _, err := ask(t, server, "ship", hitl.Bool()); !errors.Is(err, hitl.Declined) {
		t.Fatal(err)
	}
	if ship, err := ask(t, server, "ship", hitl.Bool()); err != nil || !ship {
		t.Fatal(ship, err)
	}
	if _, err := ask(t, server, "slow", hitl.Bool(), hitl.Timeout(time.Hour)); !errors.Is(err, hitl.TimedOut) {
		t.Fatal(err)
	}
	ctx := t.Context()
	later, err := hitl.Create(ctx, server.Client, "later", "Well?", hitl.Bool().DefaultOnTimeout(true), hitl.Timeout(time.Hour))
	if err != nil {
		t.Fatal(err)
	}
	server.Advance(time.Hour)
	if value, err := later.Wait(ctx); err != nil || !value {
		t.Fatal(value, err)
	}
}

// failing is a test whose failures are told and do no harm.
type failing struct {
	*testing.T
	told []string
}

func (f *failing) Error(args ...any) { f.told = append(f.told, fmt.Sprint(args...)) }

func (f *failing) Fatal(args ...any) { panic(fmt.Sprint(args...)) }

func TestATestThatSaysWhatDoesNotHappenFails(t *testing.T) {
	server := hitltest.Start(t)
	watched := &failing{T: t}
	human := hitltest.NewHuman(watched, server.Client, "another")
	human.Answer("never", 1)
	human.Answer("text", "x", hitltest.Nonsense("fits"))
	if text, err := ask(t, server, "text", hitl.Str()); err != nil || text != "fits" {
		t.Fatal(text, err)
	}
	human.Check()
	told := strings.Join(watched.told, "\n")
	for _, part := range []string{`nobody has asked "never", 1 more times`, `"fits" was to be refused, and was taken`} {
		if !strings.Contains(told, part) {
			t.Fatal(told)
		}
	}
}

func TestNobodyAnswersForPeopleOnAServerThatIsNoneForTests(t *testing.T) {
	client, err := hitl.NewClient(hitl.Config{Endpoint: "https://hitl.example.org"})
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	defer func() {
		if told := fmt.Sprint(recover()); !strings.Contains(told, "no server for tests") {
			t.Fatal(told)
		}
	}()
	hitltest.NewHuman(&failing{T: t}, client, "a test")
}
