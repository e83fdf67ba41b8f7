// Prints what is waiting for an answer.
package main

import (
	"context"
	"fmt"
	"log"

	"hitl.dev/go"
	"hitl.dev/go/hitlv1"
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
	request := &hitlv1.ListEventsRequest{State: hitlv1.EventState_EVENT_STATE_PENDING}
	for event, err := range client.Events(ctx, request, 0) {
		if err != nil {
			return err
		}
		fmt.Printf("%s  %s  %q\n", event.GetId(), event.GetName(), event.GetPrompt())
	}
	return nil
}
