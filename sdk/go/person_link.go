package hitl

import (
	"context"
	"fmt"
	"time"

	"google.golang.org/protobuf/types/known/durationpb"

	"hitl.dev/go/hitlv1"
)

// Link is a link that was made for one person: whoever answers by it is recorded as that person. What fmt and log/slog
// print of it is no secret.
type Link struct {
	URL     string    // The page where the person answers. A secret: whoever has it answers as that person.
	APIURL  string    // Where a program answers as that person, with plain JSON. A secret like URL.
	Expires time.Time // Until when the link is good, by the server's clock.
}

// String says until when the link is good, and nothing secret.
func (l Link) String() string { return fmt.Sprintf("link until %s", l.Expires.Format(time.RFC3339)) }

// Format implements [fmt.Formatter], without what is secret.
func (l Link) Format(state fmt.State, _ rune) { _, _ = fmt.Fprint(state, l.String()) }

// CreateLink makes a link by which the person called responder answers an event. It is good for ttl, or for as long as
// the event waits if ttl is zero, and never longer. Each call makes another. The error is [Conflict] if the event has
// ended.
func (c *Client) CreateLink(ctx context.Context, eventID, responder string, ttl time.Duration) (Link, error) {
	request := &hitlv1.CreateLinkRequest{Namespace: c.Namespace(), EventId: eventID, Responder: responder}
	if ttl != 0 {
		request.Ttl = durationpb.New(ttl)
	}
	made, err := call(ctx, c, hitlv1.EventServiceClient.CreateLink, request)
	if err != nil {
		return Link{}, err
	}
	return Link{made.GetFormUrl(), made.GetApiUrl(), made.GetExpireTime().AsTime()}, nil
}

// RevokeLinks ends the links of an event that were made for responder; or, if that is empty, all of them, with the one
// that the event has of itself. Links that are made afterwards are good.
func (c *Client) RevokeLinks(ctx context.Context, eventID, responder string) error {
	request := &hitlv1.RevokeLinksRequest{Namespace: c.Namespace(), EventId: eventID, Responder: responder}
	_, err := call(ctx, c, hitlv1.EventServiceClient.RevokeLinks, request)
	return err
}

// LinkFor makes a link by which the person called responder answers, while the event waits. Whoever asks for one tells
// that person, so Wait does not.
func (e *Event[T]) LinkFor(ctx context.Context, responder string) (Link, error) {
	made, err := e.client.CreateLink(ctx, e.ID(), responder, 0)
	if err == nil {
		e.isTold.Store(true)
	}
	return made, err
}
