import dev.hitl.Client;
import dev.hitl.v1.Event;
import dev.hitl.v1.EventState;
import dev.hitl.v1.ListEventsRequest;

/** Prints what is waiting for an answer. */
final class List {
    private List() {}

    public static void main(String[] args) {
        Client client = Client.fromEnv();
        ListEventsRequest.Builder request =
                ListEventsRequest.newBuilder().setState(EventState.EVENT_STATE_PENDING);
        for (Event event : client.events(request.build())) {
            System.out.printf("%s  %s  \"%s\"%n", event.getId(), event.getName(), event.getPrompt());
        }
    }
}
