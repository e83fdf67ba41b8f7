package hitl

import (
	"errors"
	"slices"
	"testing"

	"hitl.dev/go/hitlv1"
)

func pageOf(next string, ids ...string) *hitlv1.ListEventsResponse {
	page := &hitlv1.ListEventsResponse{NextPageToken: next}
	for _, id := range ids {
		page.Events = append(page.Events, &hitlv1.Event{Id: id})
	}
	return page
}

func TestEventsFetchesEachPageWhenItIsComeTo(t *testing.T) {
	pages := map[string]*hitlv1.ListEventsResponse{
		"": pageOf("b", "1", "2"), "b": pageOf("c"), "c": pageOf("d", "3"), "d": pageOf("", "4"),
	}
	for limit, expected := range map[int][]string{
		0: {"", "b", "c", "d"}, 1: {""}, 2: {""}, 3: {"", "b", "c"}, 9: {"", "b", "c", "d"},
	} {
		script := &script{pages: pages}
		scripted(t, script, Config{}, func(t *testing.T, client *Client) {
			events := client.Events(t.Context(), &hitlv1.ListEventsRequest{}, limit)
			for range 2 {
				script.listed = nil
				var ids []string
				for event, err := range events {
					if err != nil {
						t.Fatal(err)
					}
					ids = append(ids, event.GetId())
				}
				whole := []string{"1", "2", "3", "4"}
				if limit > 0 {
					whole = whole[:min(limit, 4)]
				}
				if !slices.Equal(ids, whole) || !slices.Equal(script.listed, expected) {
					t.Fatal(limit, ids, script.listed)
				}
			}
		})
	}
}

func TestAnIterationThatIsLeftFetchesNoMore(t *testing.T) {
	script := &script{pages: map[string]*hitlv1.ListEventsResponse{"b": pageOf("c", "1")}}
	scripted(t, script, Config{}, func(t *testing.T, client *Client) {
		for range client.Events(t.Context(), &hitlv1.ListEventsRequest{PageToken: "b"}, 0) {
			break
		}
		if !slices.Equal(script.listed, []string{"b"}) {
			t.Fatal(script.listed)
		}
	})
}

func TestAPageThatComesAgainIsAnErrorAndTheLastThing(t *testing.T) {
	script := &script{pages: map[string]*hitlv1.ListEventsResponse{"": pageOf("b", "1"), "b": pageOf("b", "2")}}
	scripted(t, script, Config{}, func(t *testing.T, client *Client) {
		var errs []error
		for _, err := range client.Events(t.Context(), &hitlv1.ListEventsRequest{}, 0) {
			errs = append(errs, err)
		}
		if len(errs) != 2 || errs[0] != nil || !errors.Is(errs[1], Internal) {
			t.Fatal(errs)
		}
	})
}
