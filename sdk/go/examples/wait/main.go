// A task that may be killed at any moment: start it again with the same run id and it goes on.
//
//	go run ./examples/wait nightly-42
package main

import (
	"context"
	"errors"
	"fmt"
	"log"
	"os"

	"hitl.dev/go"
)

func main() {
	runID := "example-run"
	if len(os.Args) > 1 {
		runID = os.Args[1]
	}
	if err := run(context.Background(), runID); err != nil {
		log.Fatal(err)
	}
}

func run(ctx context.Context, runID string) error {
	client, err := hitl.NewClient(hitl.Config{RunID: runID})
	if err != nil {
		return err
	}
	defer client.Close()

	// The second start meets this same event, and the answer if it was given meanwhile.
	event, err := hitl.Create(ctx, client, "target", "Where should this go?",
		hitl.Choice().Option("staging", "Staging").Option("production", "Production"))
	if err != nil {
		return err
	}
	verb := "asked"
	if event.Existed() {
		verb = "asked before"
	}
	fmt.Printf("%s: answer at %s\n", verb, event.FormURL())

	target, err := event.Wait(ctx)
	switch {
	case errors.Is(err, hitl.Declined):
		fmt.Println("not deploying:", err)
	case err != nil:
		return err
	default:
		fmt.Println("deploying to", target)
	}
	return nil
}
