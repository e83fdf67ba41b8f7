import dev.hitl.Client;
import dev.hitl.v1.Event;
import dev.hitl.v1.EventState;
import dev.hitl.v1.ListEventsRequest;
import dev.hitl.v1.ListEventsResponse;

/** Prints what is waiting for an answer. */
final class List {
    private List() {}

    public static void main(String[] args) {
        Client client = Client.fromEnv();
        ListEventsRequest.Builder request =
                ListEventsRequest.newBuilder().setState(EventState.EVENT_STATE_PENDING);
        ListEventsResponse page;
        do {
            page = client.list(request.build());
            for (Event event : page.getEventsList()) {
                System.out.printf("%s  %s  \"%s\"%n", event.getId(), event.getName(), event.getPrompt());
            }
            request.setPageToken(page.getNextPageToken());
        } while (!page.getNextPageToken().isEmpty());
    }
}
