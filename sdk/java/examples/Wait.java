import dev.hitl.Client;
import dev.hitl.Config;
import dev.hitl.Event;
import dev.hitl.HitlException;
import dev.hitl.Input;

/**
 * A task that may be killed at any moment: start it again with the same run id and it goes on.
 *
 * <p>{@code ./run examples/wait nightly-42}
 */
final class Wait {
    private Wait() {}

    public static void main(String[] args) throws InterruptedException {
        String runId = args.length > 0 ? args[0] : "example-run";
        Client client = new Client(new Config().runId(runId));

        // The second start meets this same event, and the answer if it was given meanwhile.
        Event<String> event =
                client.event(
                                "target",
                                "Where should this go?",
                                Input.choice()
                                        .option("staging", "Staging")
                                        .option("production", "Production"))
                        .create();
        String verb = event.existed() ? "asked before" : "asked";
        System.out.println(verb + ": answer at " + event.formUrl());

        try {
            System.out.println("deploying to " + event.await());
        } catch (HitlException error) {
            if (error.kind() != HitlException.Kind.DECLINED) {
                throw error;
            }
            System.out.println("not deploying: " + error.getMessage());
        }
    }
}
