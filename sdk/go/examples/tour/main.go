// What tasks do with questions, one after the other:
//
//	go run ./examples/tour nightly-42
//
// Kill it where you like and start it again with the same run id: it goes on. While it shares a question at its end, the
// same with attach behind it waits for that question too.
package main

import (
	"context"
	"errors"
	"fmt"
	"log"
	"os"
	"slices"
	"time"

	"hitl.dev/go"
	"hitl.dev/go/hitlv1"
)

// Expense is what the form asks for, and what it refuses.
type Expense struct {
	Amount   int64  `json:"amount" hitl:"minimum=1,maximum=500"`
	Purpose  string `json:"purpose" hitl:"minLength=3"`
	Category string `json:"category" hitl:"enum=travel|meals"`
}

func main() {
	runID := "example-tour"
	if len(os.Args) > 1 {
		runID = os.Args[1]
	}
	do := tour
	if slices.Contains(os.Args[1:], "attach") {
		do = attach
	}
	if err := do(context.Background(), runID); err != nil {
		log.Fatal(err)
	}
}

func tour(ctx context.Context, runID string) error {
	client, err := hitl.NewClient(hitl.Config{RunID: runID})
	if err != nil {
		return err
	}
	defer client.Close()
	steps := []func(context.Context, *hitl.Client) error{
		deploy, expense, loop, many, withdraw, timeOut, crash,
	}
	for _, step := range steps {
		if err := step(ctx, client); err != nil {
			return err
		}
	}
	if err := retry(ctx, client, runID+"-step"); err != nil {
		return err
	}
	return share(ctx, client)
}

// An approval, with what the decision rests on.
func deploy(ctx context.Context, client *hitl.Client) error {
	event, err := hitl.Create(ctx, client, "deploy", "Deploy 2.4 to production?", hitl.Bool(),
		hitl.Title("Deploy 2.4?"), hitl.Risk(hitlv1.Risk_RISK_HIGH), hitl.Fact("Version", "2.4"))
	if err != nil {
		return err
	}
	approved, err := event.Wait(ctx)
	if err != nil {
		return err
	}
	say("deploy", yesNo(approved))
	return nil
}

// A form with fields. What does not fit is refused by the server, and asked for again.
func expense(ctx context.Context, client *hitl.Client) error {
	event, err := hitl.Create(ctx, client, "expense", "What was paid?", hitl.Object[Expense]())
	if err != nil {
		return err
	}
	paid, err := event.Wait(ctx)
	if err != nil {
		return err
	}
	say("expense", fmt.Sprintf("%d for %s (%s)", paid.Amount, paid.Purpose, paid.Category))
	return nil
}

// A loop asks each time it comes round.
func loop(ctx context.Context, client *hitl.Client) error {
	var total int64
	for item := range 3 {
		prompt := fmt.Sprintf("How many of item %d?", item+1)
		event, err := hitl.Create(ctx, client, "item", prompt, hitl.Int().Min(0))
		if err != nil {
			return err
		}
		count, err := event.Wait(ctx)
		if err != nil {
			return err
		}
		total += count
	}
	say("loop", total)
	return nil
}

// Many at once, whose waits share one stream.
func many(ctx context.Context, client *hitl.Client) error {
	const count = 200
	type answer struct {
		value int64
		err   error
	}
	answers := make(chan answer, count)
	for range count {
		event, err := hitl.Create(ctx, client, "many", "How many?", hitl.Int())
		if err != nil {
			return err
		}
		go func() {
			value, err := event.Wait(ctx)
			answers <- answer{value, err}
		}()
	}
	var total int64
	for range count {
		given := <-answers
		if given.err != nil {
			return given.err
		}
		total += given.value
	}
	say("many", total)
	return nil
}

// A question that is withdrawn.
func withdraw(ctx context.Context, client *hitl.Client) error {
	event, err := hitl.Create(ctx, client, "obsolete", "Is it still needed?", hitl.Bool())
	if err != nil {
		return err
	}
	if err := event.Cancel(ctx, "nobody needs it any more"); err != nil {
		return err
	}
	_, err = event.Wait(ctx)
	var ended *hitl.Error
	if !errors.Is(err, hitl.Cancelled) || !errors.As(err, &ended) {
		return fmt.Errorf("it was not cancelled: %w", err)
	}
	say("cancel", ended.Response.GetReason())
	return nil
}

// A question that nobody answers in time.
func timeOut(ctx context.Context, client *hitl.Client) error {
	event, err := hitl.Create(ctx, client, "silence", "Is anybody there?",
		hitl.Bool().DefaultOnTimeout(false), hitl.Timeout(time.Second))
	if err != nil {
		return err
	}
	somebody, err := event.Wait(ctx)
	if err != nil {
		return err
	}
	say("silence", yesNo(somebody))
	return nil
}

// Killed here and started again, it meets the answer that was given meanwhile.
func crash(ctx context.Context, client *hitl.Client) error {
	event, err := hitl.Create(ctx, client, "crash", "How many?", hitl.Int())
	if err != nil {
		return err
	}
	say("crash", "waits")
	count, err := event.Wait(ctx)
	if err != nil {
		return err
	}
	say("crash", count)
	return nil
}

// A step that is tried again in this process meets the question of its first attempt.
func retry(ctx context.Context, client *hitl.Client, stepID string) error {
	const attempts = 2
	asked := map[string]int64{}
	var last int64
	for range attempts {
		run, err := client.Run(stepID)
		if err != nil {
			return err
		}
		event, err := hitl.Create(ctx, run, "retry", "How many more?", hitl.Int())
		if err != nil {
			return err
		}
		if last, err = event.Wait(ctx); err != nil {
			return err
		}
		asked[event.ID()] = last
	}
	often := "twice"
	if len(asked) == 1 {
		often = "once"
	}
	say("retry", fmt.Sprintf("%d after %d attempts, asked %s", last, attempts, often))
	return nil
}

func share(ctx context.Context, client *hitl.Client) error {
	event, err := hitl.Create(ctx, client, "shared", "What do you say?", hitl.Str())
	if err != nil {
		return err
	}
	say("shared", "waits")
	said, err := event.Wait(ctx)
	if err != nil {
		return err
	}
	say("shared", said)
	return nil
}

// Another process, which waits for the question of the first.
func attach(ctx context.Context, runID string) error {
	client, err := hitl.NewClient(hitl.Config{})
	if err != nil {
		return err
	}
	defer client.Close()
	run, err := client.Run(runID)
	if err != nil {
		return err
	}
	event, err := hitl.AttachIn[string](ctx, run, "shared", 1)
	if err != nil {
		return err
	}
	say("attached", "waits")
	said, err := event.Wait(ctx)
	if err != nil {
		return err
	}
	say("attached", said)
	return nil
}

func say(what string, how any) {
	fmt.Printf("%s: %v\n", what, how)
}

func yesNo(answer bool) string {
	if answer {
		return "yes"
	}
	return "no"
}
