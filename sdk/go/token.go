package hitl

import (
	"context"
	"fmt"
	"strings"
	"sync"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

const maxTokenBytes = 4096

// Token is what the server knows the program by: [StaticToken] or [TokenFunc]. It is never printed.
type Token struct {
	text   string
	source func(context.Context) (string, error)
}

// StaticToken is a token that stays the same. An empty one is none.
func StaticToken(token string) Token { return Token{text: token} }

// TokenFunc is a function that returns the token. It is asked for each new call, by many goroutines at once,
// and so may renew it.
func TokenFunc(source func(ctx context.Context) (string, error)) Token { return Token{source: source} }

// String has nothing of the token.
func (t Token) String() string {
	if t.isSet() {
		return "a token"
	}
	return "no token"
}

// GoString is the same as String.
func (t Token) GoString() string { return t.String() }

func (t Token) isSet() bool { return t.text != "" || t.source != nil }

// checked returns what is asked for the token of a call, nil if there is none.
func (t Token) checked() (func(context.Context) (string, error), error) {
	if t.source != nil {
		return t.source, nil
	}
	token, err := readToken(t.text)
	if err != nil || token == "" {
		return nil, err
	}
	return func(context.Context) (string, error) { return token, nil }, nil
}

// presented is the token that a call is made with. One that is made because the server refused the one before
// is made with another token, or not at all.
type presented struct {
	mutex   sync.Mutex
	token   string
	refused *string
	isSame  bool // Whether there was no other.
}

type presentedKey struct{}

// present notes the token of the next call, and says whether it may be made.
func (p *presented) present(token string) bool {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	p.isSame = p.refused != nil && *p.refused == token
	p.token = token
	return !p.isSame
}

// wasRefused has the next call made with another token.
func (p *presented) wasRefused() {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	refused := p.token
	p.refused = &refused
}

func (p *presented) hadNoOther() bool {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	return p.isSame
}

// bearer adds the token to each call. Whether it may go to where the call goes is decided before.
type bearer struct {
	source func(context.Context) (string, error)
}

func (b bearer) GetRequestMetadata(ctx context.Context, _ ...string) (map[string]string, error) {
	token, err := b.source(ctx)
	if err != nil {
		return nil, tokenError(Unavailable, fmt.Sprintf("the token cannot be had: %v", err))
	}
	if token, err = readToken(token); err != nil {
		return nil, tokenError(Invalid, err.Error())
	}
	if call, ok := ctx.Value(presentedKey{}).(*presented); ok && !call.present(token) {
		return nil, tokenError(Unauthenticated, "the server has refused the token")
	}
	if token == "" {
		return nil, nil
	}
	return map[string]string{"authorization": "Bearer " + token}, nil
}

func (bearer) RequireTransportSecurity() bool { return false }

// The domain of an error that was made here, and not by a server.
const tokenDomain = "token.hitl.dev"

// tokenError is an error that goes through gRPC, which takes codes of some kinds alone.
func tokenError(kind Kind, message string) error {
	info := &errdetails.ErrorInfo{Domain: tokenDomain, Reason: string(kind)}
	told, err := status.New(codes.Unavailable, message).WithDetails(info)
	if err != nil {
		return err
	}
	return told.Err()
}

// readToken returns the token without the white space around it, such as the end of a line of its file.
// What it holds is in no error.
func readToken(given string) (string, error) {
	token := strings.TrimSpace(given)
	if len(token) > maxTokenBytes {
		return "", newError(Invalid, fmt.Sprintf("the token is longer than %d characters", maxTokenBytes))
	}
	if strings.ContainsFunc(token, func(r rune) bool { return r <= ' ' || r > '~' }) {
		return "", newError(Invalid, "the token has characters that a header cannot have")
	}
	return token, nil
}

// plainToken is the error that keeps a token from whoever is on the way to the endpoint.
func plainToken(e endpoint) error {
	help := "a token is not sent over plain http to %s: use https, or set HITL_INSECURE_TRANSPORT=1 if the way " +
		"there is safe"
	return newError(Invalid, fmt.Sprintf(help, e.host))
}
