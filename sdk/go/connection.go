package hitl

import (
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"sync/atomic"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/connectivity"
	"google.golang.org/grpc/keepalive"
	"google.golang.org/grpc/metadata"

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
	place     int // Of its server.
	conn      *grpc.ClientConn
	stub      hitlv1.EventServiceClient
	dialError atomic.Pointer[error] // What the last attempt to connect met, nil within if nothing.
}

// silence is how long the server has sent nothing.
type silence struct {
	client *Client
	quiet  quiet
	timer  *time.Timer
}

// broken is called when a message has come.
func (s *silence) broken() {
	s.timer.Reset(s.quiet.limit)
	s.client.reached.Store(true)
}

// round makes a call that began then once; of several servers to each in turn, until one serves.
func (c *Client) round(
	ctx context.Context, begun time.Time, rpc func(context.Context, *link, *silence) error,
) error {
	for others := len(c.links) - 1; ; others-- {
		err := c.attempt(ctx, c.limits.ofAttempt(begun), rpc)
		if others == 0 || !errors.Is(err, Unavailable) || c.limits.areOver(begun) {
			return err
		}
	}
}

// attempt runs rpc once, and gives it up when the server has sent nothing for so long. Of each message
// but the last, rpc tells by breaking the silence.
func (c *Client) attempt(
	ctx context.Context, quiet quiet, rpc func(context.Context, *link, *silence) error,
) error {
	if c.settings.token == nil {
		return c.attemptOnce(ctx, quiet, rpc)
	}
	token := &presented{}
	ctx = context.WithValue(ctx, presentedKey{}, token)
	err := c.attemptOnce(ctx, quiet, rpc)
	if !errors.Is(err, Unauthenticated) || !c.findAgain(ctx) {
		return err
	}
	token.wasRefused()
	again := c.attemptOnce(ctx, quiet, rpc)
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
		link := c.links[c.place]
		c.mutex.Unlock()
		c.forget(link)
	}
	return true
}

func (c *Client) attemptOnce(
	ctx context.Context, quiet quiet, rpc func(context.Context, *link, *silence) error,
) error {
	link, err := c.connection()
	if err != nil {
		return err
	}
	limited, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	silence := &silence{client: c, quiet: quiet}
	silence.timer = time.AfterFunc(quiet.limit, func() {
		cancel(unavailable(fmt.Sprintf("the server at %s sent nothing %s", c.serverOf(link), quiet.told)))
	})
	defer silence.timer.Stop()
	err = rpc(metadata.AppendToOutgoingContext(limited, c.settings.headers...), link, silence)
	if err == nil {
		silence.broken()
		return nil
	}
	err = c.settle(link, err)
	switch {
	case ctx.Err() != nil:
		err = ctx.Err()
	case limited.Err() != nil:
		err = context.Cause(limited)
	}
	// What the caller has ended says nothing of the server, unless that had its time.
	if errors.Is(err, Unavailable) || errors.Is(err, context.DeadlineExceeded) {
		c.leave(link)
	}
	return err
}

// leave goes on to the next server, unless some other call has done so.
func (c *Client) leave(left *link) {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	if len(c.links) == 1 || c.place != left.place {
		return
	}
	c.place = (c.place + 1) % len(c.links)
	from, to := c.settings.endpoints[left.place], c.settings.endpoints[c.place]
	c.settings.log.Warn(fmt.Sprintf("no server at %s, tries %s", from, to))
}

// connection returns the connection, whether or not it stands yet.
func (c *Client) connection() (*link, error) {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	if c.closed {
		return nil, errClosed()
	}
	if link := c.links[c.place]; link != nil {
		return link, nil
	}
	link, to := &link{place: c.place}, c.settings.endpoints[c.place]
	dial := func(ctx context.Context, _ string) (net.Conn, error) {
		conn, err := c.dial(ctx, to)
		link.dialError.Store(&err)
		return conn, err
	}
	// Those of the program come first, so that none of them takes the place of ours.
	options := append(slices.Clone(c.settings.options),
		grpc.WithContextDialer(dial),
		grpc.WithTransportCredentials(c.settings.transport(to, &link.dialError)),
		grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(maxMessageBytes), grpc.ForceCodec(codec{})),
		grpc.WithKeepaliveParams(keepalive.ClientParameters{
			Time: keepaliveInterval, Timeout: keepaliveTimeout, PermitWithoutStream: true,
		}),
	)
	if c.settings.token != nil {
		options = append(options, grpc.WithPerRPCCredentials(bearer{c.settings.token}))
	}
	conn, err := grpc.NewClient("passthrough:///"+to.address(), options...)
	if err != nil {
		return nil, newError(Invalid, err.Error())
	}
	link.conn, link.stub = conn, hitlv1.NewEventServiceClient(conn)
	c.links[c.place] = link
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
	return statusError(err, c.serverOf(link), dialError)
}

// serverOf names the server of a link in messages.
func (c *Client) serverOf(link *link) string {
	if c.settings.local != nil {
		return c.server()
	}
	return c.settings.endpoints[link.place].String()
}

func (c *Client) forget(failed *link) {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	if failed != nil && c.links[failed.place] == failed {
		c.links[failed.place] = nil
		failed.conn.Close()
	}
}
