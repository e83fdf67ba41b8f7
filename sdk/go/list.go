package hitl

import (
	"context"
	"iter"

	"google.golang.org/protobuf/proto"

	"hitl.dev/go/hitlv1"
)

// List returns one page of events: first the pending ones, nearest deadline first, then the ended
// ones, latest first. Call again with the page's NextPageToken until that is empty, or use
// [Client.Events]. An empty namespace is the client's.
func (c *Client) List(
	ctx context.Context, request *hitlv1.ListEventsRequest,
) (*hitlv1.ListEventsResponse, error) {
	request = proto.CloneOf(request)
	request.Namespace = first(request.Namespace, c.Namespace())
	return call(ctx, c, hitlv1.EventServiceClient.ListEvents, request)
}

// Events returns all events that match, in the order of [Client.List], and at most limit of them unless that
// is zero. Each iteration begins at the first page, or at that of the request's token; a page is fetched when
// the iteration comes to it, and no other is held. An error is the last thing that comes.
func (c *Client) Events(
	ctx context.Context, request *hitlv1.ListEventsRequest, limit int,
) iter.Seq2[*hitlv1.Event, error] {
	return func(yield func(*hitlv1.Event, error) bool) {
		next, left := proto.CloneOf(request), limit
		for {
			page, err := c.List(ctx, next)
			if err == nil && page.GetNextPageToken() != "" && page.GetNextPageToken() == next.GetPageToken() {
				err = newError(Internal, "the server sent the same page again")
			}
			if err != nil {
				yield(nil, err)
				return
			}
			for _, event := range page.GetEvents() {
				left--
				if !yield(event, nil) || left == 0 {
					return
				}
			}
			if next.PageToken = page.GetNextPageToken(); next.PageToken == "" {
				return
			}
		}
	}
}
