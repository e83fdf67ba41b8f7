package hitl

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"google.golang.org/grpc"

	"hitl.dev/go/hitlv1"
)

// Client creates events, waits for them, and answers them. It is safe for concurrent use: everything
// asked over it shares one connection, which is made when first needed and made again when lost.
// Calls are repeated for a while when the server cannot be reached ([Config].RetryFor).
//
// The methods are for untyped use and return the event as the API has it. [Create] is the typed one.
type Client struct {
	*core
	limits limits
}

// core is what a client and those that are made of it share.
type core struct {
	settings *settings
	dial     func(context.Context, endpoint) (net.Conn, error)
	reached  atomic.Bool // Whether any call ever got a reply.
	waits    *waits

	mutex  sync.Mutex
	links  []*link // One for each server, nil until needed, and after it failed.
	place  int     // Of the server that served last, or is tried now.
	closed bool
}

// NewClient returns a client as configured; what the configuration leaves empty is taken from the
// environment. It does not connect yet. The error is [Invalid] if a setting cannot be understood.
func NewClient(config Config) (*Client, error) {
	settings, err := config.resolve(os.Getenv)
	if err != nil {
		return nil, err
	}
	if settings.local != nil {
		return newClient(settings, settings.local.connect), nil
	}
	client := newClient(settings, nil)
	client.dial = func(ctx context.Context, to endpoint) (net.Conn, error) {
		if settings.proxy.isFor(to) {
			return settings.proxy.tunnel(ctx, to)
		}
		dialer := net.Dialer{Timeout: connectTimeout}
		return dialer.DialContext(ctx, "tcp", to.address())
	}
	return client, nil
}

func newClient(settings *settings, dial func(context.Context) (net.Conn, error)) *Client {
	core := &core{settings: settings, waits: newWaits(), links: make([]*link, len(settings.endpoints))}
	core.dial = func(ctx context.Context, _ endpoint) (net.Conn, error) { return dial(ctx) }
	return &Client{core, settings.limits}
}

// WithCallTimeout returns the same client, of which a call may take so long, as [Config].CallTimeout says; a limit of
// zero or less ends every call at once. Both share the connection. A context with a deadline does as well for one call,
// whose error is then that of the context.
func (c *Client) WithCallTimeout(limit time.Duration) *Client {
	limited := *c
	limited.limits.callTimeout = max(limit, 1)
	return &limited
}

// WithRetryFor returns the same client, of which a call is repeated for so long, as [Config].RetryFor says; waits and
// watches go on as before. Both share the connection.
func (c *Client) WithRetryFor(limit time.Duration) *Client {
	limited := *c
	limited.limits.retryFor, limited.limits.isPatient = limit, true
	return &limited
}

// Close ends the connection and with it every call and wait under way. The events stay.
func (c *Client) Close() error {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	c.closed = true
	c.waits.giveUp(errClosed(), func(time.Duration) bool { return false })
	var errs []error
	for _, link := range c.links {
		if link != nil {
			errs = append(errs, link.conn.Close())
		}
	}
	return errors.Join(errs...)
}

func errClosed() *Error { return newError(Invalid, "the client is closed") }

// Endpoint is the server's address, such as http://127.0.0.1:4485: of several the one that served last, or is tried
// now. That of a local server is known from the first call on, before which this is empty, and changes if it has to be
// started again on another port.
func (c *Client) Endpoint() string {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	if c.settings.local == nil {
		return c.settings.endpoints[c.place].String()
	}
	if found := c.settings.local.found.Load(); found != nil {
		return found.endpoint.String()
	}
	return ""
}

// server names the server in messages, with no port where none is known.
func (c *Client) server() string { return first(c.Endpoint(), localEndpoint.String()) }

// Namespace is the namespace of every call that names no other.
func (c *Client) Namespace() string { return c.settings.namespace }

// String names the server and the namespace.
func (c *Client) String() string {
	return fmt.Sprintf("hitl client of %s, namespace \"%s\"", c.server(), oneLine(c.Namespace()))
}

// CreateEvent creates an event from a request of the API. An empty namespace is the client's; an
// empty idempotency key is derived from the run if there is one, else random, so that repeating the
// call on a lost connection creates nothing twice.
//
// [Invalid] errors name the fields to correct; the error is [Conflict] if the idempotency key belongs
// to a different request.
func (c *Client) CreateEvent(
	ctx context.Context, request *hitlv1.CreateEventRequest,
) (*hitlv1.CreateEventResponse, error) {
	return c.create(ctx, nil, request)
}

func (c *Client) create(
	ctx context.Context, run *Run, request *hitlv1.CreateEventRequest,
) (*hitlv1.CreateEventResponse, error) {
	filled, settle := c.named(countsIn(ctx, run), request)
	reply, err := call(ctx, c, hitlv1.EventServiceClient.CreateEvent, filled)
	settle(err)
	return reply, err
}

// Get returns an event as it stands. The error is [NotFound] if there is none.
func (c *Client) Get(ctx context.Context, eventID string) (*hitlv1.Event, error) {
	request := &hitlv1.GetEventRequest{Namespace: c.Namespace(), EventId: eventID}
	return event(call(ctx, c, hitlv1.EventServiceClient.GetEvent, request))
}

// Answer is what [Client.Answer] takes: a [Value], [JSON] or [Text].
type Answer func(*hitlv1.AnswerEventRequest)

// Value answers with a typed value.
func Value(value *hitlv1.Value) Answer {
	return func(r *hitlv1.AnswerEventRequest) { r.Answer = &hitlv1.AnswerEventRequest_Value{Value: value} }
}

// JSON answers with a value as JSON text: 42, 1.5, "text", true, ["option"], {"field": 1}.
func JSON(json string) Answer {
	return func(r *hitlv1.AnswerEventRequest) { r.Answer = &hitlv1.AnswerEventRequest_Json{Json: json} }
}

// Text answers with a value as a person would type it.
func Text(text string) Answer {
	return func(r *hitlv1.AnswerEventRequest) { r.Answer = &hitlv1.AnswerEventRequest_Text{Text: text} }
}

// WithComment is an answer with what the person says beside the value, which the program gets with it.
func WithComment(answer Answer, comment string) Answer {
	return func(r *hitlv1.AnswerEventRequest) {
		answer(r)
		r.Comment = comment
	}
}

// Answer answers an event. The responder is the name of the person who answers, empty if unknown.
//
// The error is [Invalid] if the answer does not fit (the event stays as it was), [Conflict] if the
// event has ended.
func (c *Client) Answer(
	ctx context.Context, eventID string, answer Answer, responder string,
) (*hitlv1.Event, error) {
	request := &hitlv1.AnswerEventRequest{
		Namespace: c.Namespace(), EventId: eventID, AnswerId: once(), Responder: responder,
	}
	answer(request)
	return event(call(ctx, c, hitlv1.EventServiceClient.AnswerEvent, request))
}

// Decline declines an event: a person refuses to give a value. The reason and the responder may be
// empty. The error is [Conflict] if the event has ended.
func (c *Client) Decline(
	ctx context.Context, eventID, reason, responder string,
) (*hitlv1.Event, error) {
	request := &hitlv1.DeclineEventRequest{
		Namespace: c.Namespace(), EventId: eventID, AnswerId: once(), Reason: reason, Responder: responder,
	}
	return event(call(ctx, c, hitlv1.EventServiceClient.DeclineEvent, request))
}

// Cancel cancels an event: whoever asked withdraws it. One that is cancelled already is returned as
// it is. The reason may be empty. The error is [Conflict] if the event ended otherwise.
func (c *Client) Cancel(ctx context.Context, eventID, reason string) (*hitlv1.Event, error) {
	request := &hitlv1.CancelEventRequest{Namespace: c.Namespace(), EventId: eventID, Reason: reason}
	return event(call(ctx, c, hitlv1.EventServiceClient.CancelEvent, request))
}

// Comment says something in the thread of a pending event. With needsInfo it is said that whoever asked is to say more
// before it can be answered. The author's name may be empty. The error is [Conflict] if the event has ended.
func (c *Client) Comment(
	ctx context.Context, eventID, text string, needsInfo bool, author string,
) (*hitlv1.Comment, error) {
	request := &hitlv1.AddCommentRequest{
		Namespace: c.Namespace(), EventId: eventID, Text: text, NeedsInfo: needsInfo, Author: author,
	}
	reply, err := call(ctx, c, hitlv1.EventServiceClient.AddComment, request)
	if err != nil {
		return nil, err
	}
	return reply.GetComment(), nil
}

// Comments returns what was said in the thread of an event, the first first.
func (c *Client) Comments(ctx context.Context, eventID string) ([]*hitlv1.Comment, error) {
	request := &hitlv1.ListCommentsRequest{Namespace: c.Namespace(), EventId: eventID}
	reply, err := call(ctx, c, hitlv1.EventServiceClient.ListComments, request)
	if err != nil {
		return nil, err
	}
	return reply.GetComments(), nil
}

// event takes the event out of a reply.
func event[R interface{ GetEvent() *hitlv1.Event }](reply R, err error) (*hitlv1.Event, error) {
	if err == nil && reply.GetEvent() == nil {
		err = newError(Internal, "the server's reply has no event")
	}
	if err != nil {
		return nil, err
	}
	return reply.GetEvent(), nil
}

type unary[Q, R any] = func(hitlv1.EventServiceClient, context.Context, *Q, ...grpc.CallOption) (*R, error)

func call[Q, R any](ctx context.Context, c *Client, rpc unary[Q, R], request *Q) (reply *R, err error) {
	begun := time.Now()
	err = c.retry(ctx, c.worthAnother, func(*backoff) error {
		return c.round(ctx, begun, func(ctx context.Context, link *link, _ *silence) (err error) {
			reply, err = rpc(link.stub, ctx, request)
			return err
		})
	})
	return reply, err
}

// worthAnother says whether a call is made again after err, when so much time will have passed.
func (c *Client) worthAnother(err *Error, elapsed time.Duration) bool {
	if err.refused && !c.limits.isPatient && !c.reached.Load() {
		// Nothing has ever listened there, which time does not mend.
		return false
	}
	return err.Retryable && elapsed <= c.limits.patience()
}

// outlasts says whether what goes on for as long as a program wants it to goes on after err. Once the
// client has reached its server, no loss of it is the end: people may take longer than any outage.
// Before that, a wrong address is the likelier cause.
func (c *Client) outlasts(err *Error, elapsed time.Duration) bool {
	lost := err.Retryable || err.Kind == Unavailable
	// Where one server is dead, another one may serve.
	mayServe := len(c.links) > 1 && err.Retryable && elapsed <= c.settings.limits.retryFor
	// Those of the client that others were made of count, for what goes on is shared.
	first := &Client{c.core, c.settings.limits}
	return lost && c.reached.Load() || mayServe || first.worthAnother(err, elapsed)
}
