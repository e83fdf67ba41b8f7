package hitl

import (
	"context"
	"errors"
	"fmt"
	"net"
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

// link is one connection, or the attempt to make it.
type link struct {
	conn      *grpc.ClientConn
	stub      hitlv1.EventServiceClient
	dialError atomic.Pointer[error] // What the last attempt to connect met, nil within if nothing.
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
	if c.settings.token == nil {
		return c.attemptOnce(ctx, limit, rpc)
	}
	token := &presented{}
	ctx = context.WithValue(ctx, presentedKey{}, token)
	err := c.attemptOnce(ctx, limit, rpc)
	if !errors.Is(err, Unauthenticated) || !c.findAgain(ctx) {
		return err
	}
	token.wasRefused()
	again := c.attemptOnce(ctx, limit, rpc)
	if token.hadNoOther() {
		return err
	}
	return again
}

// findAgain finds a local server anew, which may have been started with another token where the one before had
// been. It says whether there is a server.
func (c *Client) findAgain(ctx context.Context) bool {
	local := c.settings.local
	if local == nil {
		return true
	}
	found, err := local.up(ctx)
	if err != nil {
		return false
	}
	if before := local.found.Swap(found); before != nil && before.endpoint != found.endpoint {
		c.mutex.Lock()
		link := c.link
		c.mutex.Unlock()
		c.forget(link)
	}
	return true
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
