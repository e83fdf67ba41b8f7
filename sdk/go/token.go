package hitl

import (
	"context"
	"fmt"
	"strings"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

const maxTokenBytes = 4096

// TokenSource returns the token of a call: [StaticToken], or a function of yours that is asked before each
// new call and so may renew it. It is called by many goroutines at once.
type TokenSource func(ctx context.Context) (string, error)

// StaticToken is a token that stays the same.
func StaticToken(token string) TokenSource {
	return func(context.Context) (string, error) { return token, nil }
}

// bearer adds the token to each call. Whether it may go to where the call goes is decided before.
type bearer struct {
	source TokenSource
}

func (b bearer) GetRequestMetadata(ctx context.Context, _ ...string) (map[string]string, error) {
	token, err := b.source(ctx)
	if err != nil {
		return nil, tokenError(codes.Unavailable, fmt.Sprintf("the token cannot be had: %v", err))
	}
	if token, err = readToken(token); err != nil {
		return nil, tokenError(codes.Unauthenticated, err.Error())
	}
	if token == "" {
		return nil, nil
	}
	return map[string]string{"authorization": "Bearer " + token}, nil
}

func (bearer) RequireTransportSecurity() bool { return false }

// tokenError is an error that goes through gRPC like one of the server's.
func tokenError(code codes.Code, message string) error {
	told, err := status.New(code, message).WithDetails(&errdetails.ErrorInfo{Domain: ourDomain})
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
