// Asks for a number and adds it to x.
package main

import (
	"context"
	"fmt"
	"log"
	"time"

	"hitl.dev/go"
)

func main() {
	if err := run(context.Background()); err != nil {
		log.Fatal(err)
	}
}

func run(ctx context.Context) error {
	client, err := hitl.NewClient(hitl.Config{})
	if err != nil {
		return err
	}
	defer client.Close()
	event, err := hitl.Create(ctx, client, "proceed", "What should I add to x?",
		hitl.Int().Min(0), hitl.Timeout(10*time.Minute))
	if err != nil {
		return err
	}
	fmt.Println("answer at", event.FormURL())

	added, err := event.Wait(ctx)
	if err != nil {
		return err
	}
	x := 1 + added
	fmt.Println("x is now", x)
	return nil
}
