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
	"google.golang.org/grpc/connectivity"
	"google.golang.org/grpc/keepalive"

	"hitl.dev/go/hitlv1"
)

const (
	// Enough for a page of large events; a limit only against a server gone wrong.
	maxMessageBytes = 256 << 20
	// These find a connection that died without a word within one attempt of a call, so that another
	// one meets a new connection. gRPC allows no shorter interval.
	keepaliveInterval = 10 * time.Second
	keepaliveTimeout  = 5 * time.Second
	connectTimeout    = 5 * time.Second
)

// Client creates events, waits for them, and answers them. It is safe for concurrent use: everything
// asked over it shares one connection, which is made when first needed and made again when lost.
// Calls are repeated for a while when the server cannot be reached ([Config].RetryFor).
//
// The methods are for untyped use and return the event as the API has it. [Create] is the typed one.
type Client struct {
	settings *settings
	dial     func(context.Context) (net.Conn, error)
	reached  atomic.Bool // Whether any call ever got a reply.
	waits    *waits

	mutex  sync.Mutex
	link   *link // Nil until needed, and after it failed.
	closed bool
}

// link is one connection, or the attempt to make it.
type link struct {
	conn      *grpc.ClientConn
	stub      hitlv1.EventServiceClient
	dialError atomic.Pointer[error] // What the last attempt to connect met, nil within if nothing.
}

// NewClient returns a client as configured; what the configuration leaves empty is taken from the
// environment. It does not connect yet. The error is [Invalid] if a setting cannot be understood.
func NewClient(config Config) (*Client, error) {
	settings, err := config.resolve(os.Getenv)
	if err != nil {
		return nil, err
	}
	dial := func(ctx context.Context) (net.Conn, error) {
		dialer := net.Dialer{Timeout: connectTimeout}
		return dialer.DialContext(ctx, "tcp", settings.endpoint.address())
	}
	if settings.local != nil {
		dial = settings.local.connect
	}
	return newClient(settings, dial), nil
}

func newClient(settings *settings, dial func(context.Context) (net.Conn, error)) *Client {
	return &Client{settings: settings, dial: dial, waits: newWaits()}
}

// Close ends the connection and with it every call and wait under way. The events stay.
func (c *Client) Close() error {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	c.closed = true
	c.waits.giveUp(errClosed(), func(time.Duration) bool { return false })
	if c.link == nil {
		return nil
	}
	return c.link.conn.Close()
}

func errClosed() *Error { return newError(Invalid, "the client is closed") }

// Endpoint is the server's address, such as http://127.0.0.1:4485. That of a local server is known from
// the first call on, before which this is empty, and changes if it has to be started again on another
// port.
func (c *Client) Endpoint() string {
	if c.settings.local == nil {
		return c.settings.endpoint.String()
	}
	if found := c.settings.local.found.Load(); found != nil {
		return found.endpoint.String()
	}
	return ""
}

// server names the server in messages, with no port where none is known.
func (c *Client) server() string { return first(c.Endpoint(), c.settings.endpoint.String()) }

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
	err = c.retry(ctx, c.worthAnother, func(*backoff) error {
		return c.attempt(ctx, attemptLimit, func(ctx context.Context, link *link, _ *silence) (err error) {
			reply, err = rpc(link.stub, ctx, request)
			return err
		})
	})
	return reply, err
}

func (c *Client) worthAnother(err *Error, elapsed time.Duration) bool {
	if err.refused && !c.settings.isPatient && !c.reached.Load() {
		// Nothing has ever listened there, which time does not mend.
		return false
	}
	return err.Retryable && elapsed <= c.settings.retryFor
}

// outlasts says whether what goes on for as long as a program wants it to goes on after err. Once the
// client has reached its server, no loss of it is the end: people may take longer than any outage.
// Before that, a wrong address is the likelier cause.
func (c *Client) outlasts(err *Error, elapsed time.Duration) bool {
	lost := err.Retryable || err.Kind == Unavailable
	return lost && c.reached.Load() || c.worthAnother(err, elapsed)
}

// silence is how long the server has sent nothing.
type silence struct {
	client *Client
	limit  time.Duration
	timer  *time.Timer
}

// broken is called when a message has come.
func (s *silence) broken() {
	s.timer.Reset(s.limit)
	s.client.reached.Store(true)
}

// attempt runs rpc once, and gives it up when the server has sent nothing for so long. Of each message
// but the last, rpc tells by breaking the silence.
func (c *Client) attempt(
	ctx context.Context, limit time.Duration, rpc func(context.Context, *link, *silence) error,
) error {
	local := c.settings.local
	if local == nil {
		return c.attemptOnce(ctx, limit, rpc)
	}
	used := local.found.Load()
	err := c.attemptOnce(ctx, limit, rpc)
	if errors.Is(err, Unauthenticated) && local.hasNewToken(ctx, used) {
		c.mutex.Lock()
		link := c.link
		c.mutex.Unlock()
		c.forget(link)
		return c.attemptOnce(ctx, limit, rpc)
	}
	return err
}

func (c *Client) attemptOnce(
	ctx context.Context, limit time.Duration, rpc func(context.Context, *link, *silence) error,
) error {
	link, err := c.connection()
	if err != nil {
		return err
	}
	limited, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	silence := &silence{client: c, limit: limit}
	silence.timer = time.AfterFunc(limit, func() {
		message := "the server at %s sent nothing for %.0f s"
		cancel(unavailable(fmt.Sprintf(message, c.server(), limit.Seconds())))
	})
	defer silence.timer.Stop()
	err = rpc(limited, link, silence)
	if err == nil {
		silence.broken()
		return nil
	}
	err = c.settle(link, err)
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case limited.Err() != nil:
		return context.Cause(limited)
	default:
		return err
	}
}

// connection returns the connection, whether or not it stands yet.
func (c *Client) connection() (*link, error) {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	if c.closed {
		return nil, errClosed()
	}
	if c.link != nil {
		return c.link, nil
	}
	link := &link{}
	dial := func(ctx context.Context, _ string) (net.Conn, error) {
		conn, err := c.dial(ctx)
		link.dialError.Store(&err)
		return conn, err
	}
	options := []grpc.DialOption{
		grpc.WithContextDialer(dial),
		grpc.WithTransportCredentials(c.settings.transport(&link.dialError)),
		grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(maxMessageBytes), grpc.ForceCodec(codec{})),
		grpc.WithKeepaliveParams(keepalive.ClientParameters{
			Time: keepaliveInterval, Timeout: keepaliveTimeout, PermitWithoutStream: true,
		}),
	}
	if c.settings.token != nil {
		options = append(options, grpc.WithPerRPCCredentials(bearer{c.settings.token}))
	}
	conn, err := grpc.NewClient("passthrough:///"+c.settings.endpoint.address(), options...)
	if err != nil {
		return nil, newError(Invalid, err.Error())
	}
	link.conn, link.stub = conn, hitlv1.NewEventServiceClient(conn)
	c.link = link
	return link, nil
}

// settle leaves a connection that failed, and returns the call's error as one of ours.
func (c *Client) settle(link *link, err error) error {
	var dialError error
	if met := link.dialError.Load(); met != nil {
		dialError = *met
	}
	// Left alone it would connect again when its own, long backoff says so, even with no call waiting,
	// and refuse calls until then. Ours decides: the next call makes another.
	if dialError != nil || link.conn.GetState() == connectivity.TransientFailure {
		c.forget(link)
	}
	return statusError(err, c.server(), dialError)
}

func (c *Client) forget(failed *link) {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	if c.link == failed && failed != nil {
		c.link = nil
		failed.conn.Close()
	}
}
