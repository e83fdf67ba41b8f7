package hitl

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"syscall"
	"time"
)

const (
	// How long a proxy has to be reached and to reach the server.
	tunnelTimeout = 5 * time.Second
	// More than any proxy says before the tunnel begins.
	maxHeadBytes = 16 << 10
)

// tunnel returns a connection on which the next byte is the server's.
func (p *proxy) tunnel(ctx context.Context, server endpoint) (net.Conn, error) {
	limited, cancel := context.WithTimeout(ctx, tunnelTimeout)
	defer cancel()
	conn, err := p.open(limited, server)
	if err != nil && limited.Err() != nil && ctx.Err() == nil {
		err = unavailable(fmt.Sprintf("no way through the proxy at %s to %s within %.0f s", p, server, tunnelTimeout.Seconds()))
	}
	return conn, err
}

func (p *proxy) open(ctx context.Context, server endpoint) (net.Conn, error) {
	var dialer net.Dialer
	conn, err := dialer.DialContext(ctx, "tcp", p.endpoint.address())
	if err != nil {
		told := unavailable(fmt.Sprintf("cannot reach the proxy at %s: %s. Check that it runs there, or set Proxy "+
			"(HITL_PROXY) to where it does", p, oneLine(err.Error())))
		told.refused = errors.Is(err, syscall.ECONNREFUSED)
		return nil, told
	}
	// Whoever gives up ends what is read.
	stop := context.AfterFunc(ctx, func() { conn.Close() })
	defer stop()
	reply, err := p.ask(conn, server)
	if err == nil && reply.StatusCode/100 == 2 {
		return conn, nil
	}
	conn.Close()
	if err != nil {
		return nil, p.broken(server, err)
	}
	return nil, p.refusal(server, reply.StatusCode)
}

// ask asks for the tunnel, and returns the head of the reply.
func (p *proxy) ask(conn net.Conn, server endpoint) (*http.Response, error) {
	to := server.address()
	request := fmt.Sprintf("CONNECT %s HTTP/1.1\r\nhost: %s\r\n", to, to)
	if p.authorization != "" {
		request += fmt.Sprintf("proxy-authorization: %s\r\n", p.authorization)
	}
	if _, err := io.WriteString(conn, request+"\r\n"); err != nil {
		return nil, err
	}
	var head strings.Builder
	// One at a time, since what follows the head is the server's.
	for one := make([]byte, 1); !strings.HasSuffix(head.String(), "\r\n\r\n"); head.Write(one) {
		if _, err := io.ReadFull(conn, one); err != nil {
			return nil, err
		}
		if head.Len() > maxHeadBytes {
			return nil, errors.New("its reply has no end")
		}
	}
	reply, err := http.ReadResponse(bufio.NewReader(strings.NewReader(head.String())), &http.Request{Method: http.MethodConnect})
	if err != nil {
		return nil, noServer("what is at %s is no HTTP proxy: give another as Proxy (HITL_PROXY)", p)
	}
	return reply, nil
}

// refusal is what it means that the proxy opens no tunnel.
func (p *proxy) refusal(server endpoint, status int) error {
	if status == http.StatusProxyAuthRequired {
		return noServer("the proxy at %s wants another user or password (status %d): give them in Proxy (HITL_PROXY), as "+
			"http://USER:PASSWORD@HOST:PORT", p, status)
	}
	told := noServer("the proxy at %s does not lead to %s (status %d): check the endpoint, and what the proxy allows",
		p, server, status)
	// That the server is not there may pass; that it may not be reached does not.
	told.Retryable = status >= http.StatusInternalServerError
	told.refused = told.Retryable
	return told
}

func (p *proxy) broken(server endpoint, err error) error {
	var ours *Error
	if errors.As(err, &ours) {
		return ours
	}
	why := oneLine(err.Error())
	return unavailable(fmt.Sprintf("the proxy at %s broke off on the way to %s: %s", p, server, why))
}
