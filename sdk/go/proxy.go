package hitl

import (
	"encoding/base64"
	"net/url"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Proxy is the URL of an HTTP proxy that leads to servers, perhaps with a password. Of it nothing is ever printed.
type Proxy string

// String says that there is one.
func (p Proxy) String() string {
	if p == "" {
		return ""
	}
	return "(a proxy)"
}

// GoString is the same as String.
func (p Proxy) GoString() string { return p.String() }

// MarshalText is the same as String, so that JSON has no password either.
func (p Proxy) MarshalText() ([]byte, error) { return []byte(p.String()), nil }

// proxy is what leads to servers by CONNECT.
type proxy struct {
	endpoint       endpoint // Plain http.
	authorization  string   // What proxy-authorization says, empty if nothing.
	sparesLoopback bool     // Whether it is not for servers of this machine.
}

// String is where the proxy is.
func (p *proxy) String() string { return p.endpoint.String() }

// GoString is the same as String.
func (p *proxy) GoString() string { return p.String() }

// isFor says whether the proxy, which may be nil, is gone through to get to a server.
func (p *proxy) isFor(server endpoint) bool {
	return p != nil && !(p.sparesLoopback && server.isLoopback())
}

// resolve returns what code names, else what the environment names, which may be meant for other servers than those of
// this machine; nil if neither does.
func (p Proxy) resolve(environment string) (*proxy, error) {
	given := first(string(p), environment)
	if given == "" {
		return nil, nil
	}
	parsed := parseProxy(given)
	if parsed == nil {
		// Nothing of what was given is shown, for any of it may be a password.
		return nil, newError(Invalid, "proxy (HITL_PROXY) is not usable: give it as http://HOST:PORT or "+
			"http://USER:PASSWORD@HOST:PORT, with signs such as @ in USER and PASSWORD as %40")
	}
	parsed.sparesLoopback = p == ""
	return parsed, nil
}

// parseProxy reads what a person set, nil if it is no proxy. What an SDK takes is the same in every language:
// sdk/endpoints.json lists it.
func parseProxy(given string) *proxy {
	text := strings.Trim(given, " \t\r\n")
	if scheme, rest, found := strings.Cut(text, "://"); found {
		if strings.ToLower(scheme) != "http" {
			return nil
		}
		text = rest
	}
	at := strings.LastIndex(text, "@")
	server := text[at+1:]
	endpoint, err := parseEndpoint(server)
	// A second scheme would be that of the server.
	if err != nil || strings.Contains(server, "://") {
		return nil
	}
	if at < 0 {
		return &proxy{endpoint: endpoint}
	}
	user, password, _ := strings.Cut(text[:at], ":")
	user, isUser := decoded(user)
	password, isPassword := decoded(password)
	if !isUser || !isPassword || user == "" || strings.Contains(user, ":") {
		return nil
	}
	proof := base64.StdEncoding.EncodeToString([]byte(user + ":" + password))
	return &proxy{endpoint: endpoint, authorization: "Basic " + proof}
}

// decoded returns what a part of a URL stands for: text without control characters.
func decoded(part string) (text string, ok bool) {
	isOther := func(r rune) bool {
		letter := r|0x20 >= 'a' && r|0x20 <= 'z' && r < utf8.RuneSelf
		return !letter && (r < '0' || r > '9') && !strings.ContainsRune("-._~!$&'()*+,;=:%", r)
	}
	if strings.ContainsFunc(part, isOther) {
		return "", false
	}
	text, err := url.PathUnescape(part)
	return text, err == nil && utf8.ValidString(text) && !strings.ContainsFunc(text, unicode.IsControl)
}
