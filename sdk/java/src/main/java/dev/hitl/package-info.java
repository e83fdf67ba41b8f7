/**
 * Lets a program stop and ask a person, however long that takes and whatever crashes in between.
 *
 * <p>A program creates an {@link dev.hitl.Event} (a prompt, the type of answer it wants, a timeout),
 * waits, and gets the typed value:
 *
 * <pre>{@code
 * Client client = Client.fromEnv();
 * Event<Long> event =
 *     client.event("proceed", "What should I add to x?", Input.integer().min(0)).create();
 * System.out.println("answer at " + event.formUrl());
 * long x = 1 + event.await();
 * }</pre>
 *
 * <ul>
 *   <li><b>No server needed first.</b> Unless an endpoint is set in {@link dev.hitl.Config} or
 *       {@code HITL_ENDPOINT}, a local {@code hitl serve} is started when nothing listens on port
 *       4485; all programs of the machine share it, and it ends itself when idle with nothing
 *       pending.
 *   <li><b>Crashes change nothing.</b> With a run id (in {@link dev.hitl.Config} or {@code
 *       HITL_RUN_ID}) the n-th event of a name gets the same idempotency key each time the program
 *       runs, so a program that crashed and starts again from its beginning gets the same events and
 *       the answers already given. The count is kept per process, namespace, run and name, shared by
 *       every client in the process; what an event of a run asks must therefore not vary from start
 *       to start (no clock in the prompt), and events of one name must be created in a fixed order.
 *       What is tried again inside one process is a {@link dev.hitl.Run} of its own, which counts from
 *       the beginning each time.
 *   <li><b>Waits go on</b> through lost connections and server restarts until the event ends.
 * </ul>
 *
 * <p>{@link dev.hitl.Event#await} blocks, {@link dev.hitl.Event#awaitAsync} does not; all other calls
 * are short and block. The messages of the API, for untyped use, are in {@code dev.hitl.v1}.
 */
package dev.hitl;
