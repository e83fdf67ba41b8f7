import dev.hitl.Client;
import dev.hitl.Event;
import dev.hitl.Input;
import java.time.Duration;

/** Asks for a number and adds it to x. */
final class Ask {
    private Ask() {}

    public static void main(String[] args) throws InterruptedException {
        Client client = Client.fromEnv();
        Event<Long> event =
                client.event("proceed", "What should I add to x?", Input.integer().min(0))
                        .timeout(Duration.ofMinutes(10))
                        .create();
        System.out.println("answer at " + event.formUrl());

        long x = 1 + event.await();
        System.out.println("x is now " + x);
    }
}
