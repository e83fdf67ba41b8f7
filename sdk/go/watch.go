package hitl

import (
	"context"
	"errors"
	"io"
	"iter"
	"log/slog"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

	"hitl.dev/go/hitlv1"
)

// Change is what has happened to an event.
type Change struct {
	// Kind says whether the event was created or has ended. Treat a kind that is not known as an update.
	Kind hitlv1.ChangeKind
	// Event is the event as it stands, which may be later than the change.
	Event *hitlv1.Event
	// ResumeToken makes another watch with the same filters go on from no later than here: it may send
	// changes that came before, and this one, again. It is good for 24 hours.
	ResumeToken string
}

// LogValue implements [slog.LogValuer], so that logs have no links.
func (c *Change) LogValue() slog.Value {
	return slog.GroupValue(slog.String("kind", c.Kind.String()), slog.Any("event", c.Event))
}

// Watch returns the changes of events as they happen: what is created, and what ends. The request says of
// which events, and from where on: from now, or from the ResumeToken of a change or of a list. An empty
// namespace is the client's.
//
// A watch goes on through lost connections and server restarts for as long as it is iterated. No change is
// missed, and those of one event come in order; one may come twice. A break from the loop ends the stream.
//
// An error is the last thing that comes: that of the context if it has ended; [Invalid] with the reason
// ERROR_REASON_RESUME_TOKEN_EXPIRED if the token is too old. List the events then, and watch from the
// list's token on.
func (c *Client) Watch(
	ctx context.Context, request *hitlv1.WatchEventsRequest,
) iter.Seq2[*Change, error] {
	return func(yield func(*Change, error) bool) {
		watch := &watch{client: c, request: proto.CloneOf(request), yield: yield}
		watch.request.Namespace = first(request.GetNamespace(), c.Namespace())
		if err := c.retry(ctx, c.outlasts, func(delays *backoff) error { return watch.follow(ctx, delays) }); err != nil {
			yield(nil, err)
		}
	}
}

// watch is one iteration.
type watch struct {
	client  *Client
	request *hitlv1.WatchEventsRequest // With the token of the last bookmark.
	yield   func(*Change, error) bool
}

// follow yields what one stream brings, until it is lost or, without an error, nobody wants more.
func (w *watch) follow(ctx context.Context, delays *backoff) error {
	// What the server sends at the least is bookmarks.
	limit := max(silenceLimit, 3*w.request.GetBookmarkInterval().AsDuration())
	return w.client.attempt(ctx, quietFor(limit), func(ctx context.Context, link *link, silence *silence) error {
		stream, err := link.stub.WatchEvents(ctx, w.request)
		if err != nil {
			return err
		}
		for {
			message, err := stream.Recv()
			if errors.Is(err, io.EOF) {
				return status.Error(codes.Unavailable, "the stream ended")
			}
			if err != nil {
				return err
			}
			*delays = backoff{}
			silence.broken()
			// The server is not to blame for the time that the program takes.
			silence.timer.Stop()
			if !w.take(message) {
				return nil
			}
			silence.broken()
		}
	})
}

// take notes a bookmark and yields a change. It says whether more is wanted.
func (w *watch) take(message *hitlv1.WatchEventsResponse) bool {
	if bookmark := message.GetBookmark(); bookmark != nil {
		w.request.ResumeToken = bookmark.GetResumeToken()
	}
	change := message.GetChange()
	if change == nil {
		return true
	}
	token := w.request.GetResumeToken()
	return w.yield(&Change{Kind: change.GetKind(), Event: change.GetEvent(), ResumeToken: token}, nil)
}
