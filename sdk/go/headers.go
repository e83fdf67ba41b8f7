package hitl

import (
	"fmt"
	"regexp"
	"strings"
)

const maxHeaders = 32

var (
	headerName = regexp.MustCompile(`^[a-z0-9][a-z0-9_.-]{0,63}$`)
	// Those of HTTP/2 and gRPC are made by them, and who calls is said by Token.
	takenHeader = regexp.MustCompile(
		`^(authorization|connection|content-.*|grpc-.*|host|te|trailer|transfer-encoding|upgrade|user-agent|.*-bin)$`)
)

const maxHeaderBytes = 4096

// Headers go with every call, such as what a proxy on the way asks for. They are never printed.
type Headers map[string]string

// String has nothing of the headers but how many there are.
func (h Headers) String() string { return fmt.Sprintf("%d headers", len(h)) }

// GoString is the same as String.
func (h Headers) GoString() string { return h.String() }

// checked returns names in lower case and values in turn, if there can be such headers.
func (h Headers) checked() (pairs []string, err error) {
	if len(h) > maxHeaders {
		return nil, newError(Invalid, fmt.Sprintf("these are %d headers: give at most %d", len(h), maxHeaders))
	}
	for name, value := range h {
		lower := strings.ToLower(name)
		if len(lower) != len(name) || !headerName.MatchString(lower) || takenHeader.MatchString(lower) {
			help := "no header can be called \"%s\": give a name of letters, digits, -, _ and . that is not one of HTTP " +
				"or gRPC, and the token by Token"
			return nil, newError(Invalid, fmt.Sprintf(help, oneLine(name)))
		}
		isHidden := func(r rune) bool { return r < ' ' || r > '~' }
		if len(value) > maxHeaderBytes || strings.ContainsFunc(value, isHidden) {
			help := "the header \"%s\" has characters that a header cannot have, or more than 4,096"
			return nil, newError(Invalid, fmt.Sprintf(help, lower))
		}
		pairs = append(pairs, lower, value)
	}
	return pairs, nil
}
