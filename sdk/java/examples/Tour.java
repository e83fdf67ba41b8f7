import dev.hitl.Client;
import dev.hitl.Config;
import dev.hitl.Event;
import dev.hitl.Field;
import dev.hitl.HitlException;
import dev.hitl.Input;
import dev.hitl.Run;
import dev.hitl.v1.Risk;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;

/**
 * What tasks do with questions, one after the other.
 *
 * <p>{@code ./run examples/tour nightly-42}: kill it where you like and start it again with the same run id: it goes on.
 * While it shares a question at its end, the same with {@code attach} behind it waits for that question too.
 */
final class Tour {
    /** What the form asks for, and what it refuses. */
    private record Expense(
            @Field(min = "1", max = "500") long amount,
            @Field(minLength = 3) String purpose,
            @Field(options = {"travel", "meals"}) String category) {}

    private Tour() {}

    public static void main(String[] args) throws InterruptedException {
        String runId = args.length > 0 ? args[0] : "example-tour";
        if (args.length > 1 && args[1].equals("attach")) {
            attach(runId);
            return;
        }
        try (Client client = new Client(new Config().runId(runId))) {
            deploy(client);
            expense(client);
            loop(client);
            many(client, 200);
            withdraw(client);
            timeOut(client);
            crash(client);
            retry(client, runId + "-step");
            share(client);
        }
    }

    /** An approval, with what the decision rests on. */
    private static void deploy(Client client) throws InterruptedException {
        Event<Boolean> event =
                client.event("deploy", "Deploy 2.4 to production?", Input.bool())
                        .title("Deploy 2.4?")
                        .risk(Risk.RISK_HIGH)
                        .fact("Version", "2.4")
                        .create();
        say("deploy", yesNo(event.await()));
    }

    /** A form with fields. What does not fit is refused by the server, and asked for again. */
    private static void expense(Client client) throws InterruptedException {
        Expense paid = client.event("expense", "What was paid?", Input.object(Expense.class)).create().await();
        say("expense", paid.amount() + " for " + paid.purpose() + " (" + paid.category() + ")");
    }

    /** A loop asks each time it comes round. */
    private static void loop(Client client) throws InterruptedException {
        long total = 0;
        for (int item = 1; item <= 3; item++) {
            total += client.event("item", "How many of item " + item + "?", Input.integer().min(0)).create().await();
        }
        say("loop", total);
    }

    /** Many at once, whose waits share one stream and take no threads. */
    private static void many(Client client, int count) {
        List<CompletableFuture<Long>> answers = new ArrayList<>();
        for (int asked = 0; asked < count; asked++) {
            answers.add(client.event("many", "How many?", Input.integer()).create().awaitAsync());
        }
        say("many", answers.stream().mapToLong(CompletableFuture::join).sum());
    }

    /** A question that is withdrawn. */
    private static void withdraw(Client client) throws InterruptedException {
        Event<Boolean> event = client.event("obsolete", "Is it still needed?", Input.bool()).create();
        event.cancel("nobody needs it any more");
        try {
            event.await();
        } catch (HitlException error) {
            if (error.kind() != HitlException.Kind.CANCELLED) {
                throw error;
            }
            say("cancel", error.response().getReason());
        }
    }

    /** A question that nobody answers in time. */
    private static void timeOut(Client client) throws InterruptedException {
        Event<Boolean> event =
                client.event("silence", "Is anybody there?", Input.bool())
                        .timeout(Duration.ofSeconds(1))
                        .defaultOnTimeout(false)
                        .create();
        say("silence", yesNo(event.await()));
    }

    /** Killed here and started again, it meets the answer that was given meanwhile. */
    private static void crash(Client client) throws InterruptedException {
        Event<Long> event = client.event("crash", "How many?", Input.integer()).create();
        say("crash", "waits");
        say("crash", event.await());
    }

    /** A step that is tried again in this process meets the question of its first attempt. */
    private static void retry(Client client, String stepId) throws InterruptedException {
        Event<Long> first = attempt(client.run(stepId));
        Event<Long> second = attempt(client.run(stepId));
        String asked = first.id().equals(second.id()) ? "once" : "twice";
        say("retry", second.await() + " after 2 attempts, asked " + asked);
    }

    private static Event<Long> attempt(Run run) throws InterruptedException {
        Event<Long> event = run.event("retry", "How many more?", Input.integer()).create();
        event.await();
        return event;
    }

    private static void share(Client client) throws InterruptedException {
        Event<String> event = client.event("shared", "What do you say?", Input.text()).create();
        say("shared", "waits");
        say("shared", event.await());
    }

    /** Another process, which waits for the question of the first. */
    private static void attach(String runId) throws InterruptedException {
        try (Client client = Client.fromEnv()) {
            Event<String> event = client.run(runId).attach("shared", String.class, 1);
            say("attached", "waits");
            say("attached", event.await());
        }
    }

    private static void say(String what, Object how) {
        System.out.println(what + ": " + how);
    }

    private static String yesNo(boolean answer) {
        return answer ? "yes" : "no";
    }
}
