// Package hitl lets a program stop and ask a person, however long that takes and whatever crashes in
// between.
//
// A program creates an [Event] (a prompt, the type of answer it wants, a timeout), waits, and gets
// the typed value:
//
//	client, err := hitl.NewClient(hitl.Config{})
//	...
//	event, err := hitl.Create(ctx, client, "proceed", "What should I add to x?", hitl.Int().Min(0))
//	...
//	fmt.Println("answer at", event.FormURL())
//	added, err := event.Wait(ctx)
//
// No server is needed first. Unless an endpoint is set in [Config] or HITL_ENDPOINT, a local hitl
// serve is started when nothing listens on port 4485; all programs of the machine share it, and it
// ends itself when idle with nothing pending.
//
// Crashes change nothing. With a run id (in [Config] or HITL_RUN_ID) the n-th event of a name gets
// the same idempotency key each time the program runs, so a program that crashed and starts again
// from its beginning gets the same events and the answers already given. A loop that asks twice
// still asks twice. The count is kept per process, namespace, run and name, shared by every client
// in the process; what an event of a run asks must therefore not vary from start to start (no clock
// in the prompt), and events of one name must be created in a fixed order. What is tried again inside one
// process is a [Run] of its own, which counts from the beginning each time.
//
// [Attach] goes back to an event that was asked before, here or elsewhere, with the type of its answer.
//
// Waits go on through lost connections and server restarts until the event ends. End the context to
// stop waiting; the event stays.
package hitl
