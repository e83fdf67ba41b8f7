package dev.hitl;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.hitl.v1.Event;
import dev.hitl.v1.ListEventsRequest;
import dev.hitl.v1.ListEventsResponse;
import java.io.IOException;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.NoSuchElementException;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;
import org.junit.jupiter.api.Test;

class ListingTest {
    private static final ListEventsRequest ALL = ListEventsRequest.getDefaultInstance();

    private static ListEventsResponse page(String next, String... ids) {
        var page = ListEventsResponse.newBuilder().setNextPageToken(next);
        Stream.of(ids).forEach(id -> page.addEventsBuilder().setId(id));
        return page.build();
    }

    private static List<String> ids(Iterable<Event> events) {
        return StreamSupport.stream(events.spliterator(), false).map(Event::getId).toList();
    }

    @Test
    void eachPageIsFetchedWhenItIsComeTo() throws IOException {
        Map<Long, List<String>> fetched =
                Map.of(
                        0L, List.of("", "b", "c", "d"), 1L, List.of(""), 2L, List.of(""), 3L, List.of("", "b", "c"),
                        9L, List.of("", "b", "c", "d"));
        try (Scripted server = new Scripted();
                Client client = server.client()) {
            server.pages.putAll(
                    Map.of("", page("b", "1", "2"), "b", page("c"), "c", page("d", "3"), "d", page("", "4")));
            fetched.forEach((limit, tokens) -> {
                Iterable<Event> events = client.events(ALL, limit);
                List<String> all = List.of("1", "2", "3", "4");
                for (int time = 0; time < 2; time++) {
                    server.listed.clear();
                    assertEquals(limit == 0 ? all : all.subList(0, (int) Math.min(limit, 4)), ids(events));
                    assertEquals(tokens, server.listed);
                }
            });
            server.listed.clear();
            var later = ListEventsRequest.newBuilder().setPageToken("d").build();
            Iterator<Event> one = client.events(later).iterator();
            assertEquals(List.of(), server.listed);
            assertEquals("4", one.next().getId());
            assertFalse(one.hasNext());
            assertThrows(NoSuchElementException.class, one::next);
            assertEquals(List.of("d"), server.listed);
        }
    }

    @Test
    void aPageThatComesAgainIsAnError() throws IOException {
        try (Scripted server = new Scripted();
                Client client = server.client()) {
            server.pages.putAll(Map.of("", page("b", "1"), "b", page("b", "2")));
            HitlException error = assertThrows(HitlException.class, () -> ids(client.events(ALL)));
            assertEquals(HitlException.Kind.INTERNAL, error.kind());
        }
    }
}
