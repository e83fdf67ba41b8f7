package dev.hitl;

import dev.hitl.v1.Event;
import dev.hitl.v1.ListEventsRequest;
import dev.hitl.v1.ListEventsResponse;
import java.util.Iterator;
import java.util.NoSuchElementException;
import java.util.function.Function;

/** Events of one iteration, whose pages are fetched when it comes to them. One page is held. */
final class Listing implements Iterator<Event> {
    private final Function<ListEventsRequest, ListEventsResponse> fetch;
    private final ListEventsRequest.Builder request;
    /** How many more there may be, less than zero if that is open. */
    private long left;
    private ListEventsResponse page;
    private int place;

    Listing(Function<ListEventsRequest, ListEventsResponse> fetch, ListEventsRequest request, long limit) {
        this.fetch = fetch;
        this.request = request.toBuilder();
        this.left = limit > 0 ? limit : -1;
    }

    @Override
    public boolean hasNext() {
        while (left != 0 && (page == null || place == page.getEventsCount())) {
            if (page != null && page.getNextPageToken().isEmpty()) {
                return false;
            }
            turn();
        }
        return left != 0;
    }

    private void turn() {
        if (page != null) {
            request.setPageToken(page.getNextPageToken());
        }
        ListEventsResponse next = fetch.apply(request.build());
        if (!next.getNextPageToken().isEmpty() && next.getNextPageToken().equals(request.getPageToken())) {
            throw HitlException.internal("the server sent the same page again", null);
        }
        page = next;
        place = 0;
    }

    @Override
    public Event next() {
        if (!hasNext()) {
            throw new NoSuchElementException("there are no more events");
        }
        left--;
        return page.getEvents(place++);
    }
}
