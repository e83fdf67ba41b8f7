package dev.hitl;

/** For programs that have one question. */
public final class Hitl {
    private Hitl() {}

    /**
     * Asks one question and waits for its answer, with everything else left at its default.
     *
     * <p>Prints where to answer to stderr, since nobody could know otherwise, unless {@code HITL_ANNOUNCE} says not to.
     *
     * @throws HitlException as {@link EventBuilder#create} and {@link Event#await} do
     * @throws InterruptedException if the thread is interrupted; the event stays
     */
    public static <T> T ask(String name, String prompt, Input<T> input) throws InterruptedException {
        try (Client client = Client.fromEnv()) {
            Event<T> event = client.event(name, prompt, input).create();
            return event.await();
        }
    }
}
