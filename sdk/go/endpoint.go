package hitl

import (
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"
)

const (
	// The ports that an endpoint without one names, as every URL.
	httpPort  = "80"
	httpsPort = "443"
	// Of a name that DNS can have, and of each of its parts.
	maxHostBytes  = 253
	maxLabelBytes = 63
	// More servers than anybody would list.
	maxEndpoints = 16
)

// endpoint is where a server is.
type endpoint struct {
	isTLS bool
	host  string // In lower case; an IPv6 address in brackets.
	port  string // Empty for a local server before it is found.
}

// localEndpoint is that of a local server before it is found.
var localEndpoint = endpoint{host: "127.0.0.1"}

// parseEndpoints reads a list with commas. Each is taken once, and all must have one scheme.
func parseEndpoints(given string) ([]endpoint, error) {
	listed := strings.Split(given, ",")
	if len(listed) > maxEndpoints {
		help := "these are %d endpoints: give at most %d"
		return nil, newError(Invalid, fmt.Sprintf(help, len(listed), maxEndpoints))
	}
	var parsed []endpoint
	for _, text := range listed {
		endpoint, err := parseEndpoint(text)
		if err != nil {
			return nil, err
		}
		if !slices.Contains(parsed, endpoint) {
			parsed = append(parsed, endpoint)
		}
	}
	if slices.ContainsFunc(parsed, func(e endpoint) bool { return e.isTLS != parsed[0].isTLS }) {
		help := "some of the endpoints are http and some https: give all as one of both"
		return nil, newError(Invalid, help)
	}
	return parsed, nil
}

// parseEndpoint reads what a person set. What an SDK takes is the same in every language:
// sdk/endpoints.json lists it.
func parseEndpoint(given string) (endpoint, error) {
	text, isTLS := strings.Trim(given, " \t\r\n"), false
	if scheme, rest, found := strings.Cut(text, "://"); found {
		switch strings.ToLower(scheme) {
		case "http":
		case "https":
			isTLS = true
		default:
			return endpoint{}, unusableEndpoint(given, "")
		}
		text = rest
	}
	authority, path, _ := strings.Cut(text, "/")
	host, port, ok := splitPort(authority)
	if !ok || strings.ContainsAny(text, "?#@\\") {
		return endpoint{}, unusableEndpoint(given, "")
	}
	if path = strings.TrimRight(path, "/"); path != "" {
		help := ". It has the path \"/%s\", and hitl serves nothing below a path: leave it out"
		return endpoint{}, unusableEndpoint(given, fmt.Sprintf(help, path))
	}
	return endpoint{isTLS, strings.ToLower(host), first(port, defaultPort(isTLS))}, nil
}

func defaultPort(isTLS bool) string {
	if isTLS {
		return httpsPort
	}
	return httpPort
}

// address is HOST:PORT.
func (e endpoint) address() string {
	if e.port == "" {
		return e.host
	}
	return e.host + ":" + e.port
}

// String is the endpoint as a URL without a path.
func (e endpoint) String() string {
	if e.isTLS {
		return "https://" + e.address()
	}
	return "http://" + e.address()
}

// isLoopback says whether what is sent there cannot leave the machine.
func (e endpoint) isLoopback() bool {
	name := strings.Trim(strings.TrimSuffix(e.host, "."), "[]")
	address, err := netip.ParseAddr(name)
	return name == "localhost" || err == nil && address.Unmap().IsLoopback()
}

func unusableEndpoint(given, more string) error {
	shown := given
	// What stands before an @ may be a password.
	if at := strings.LastIndex(given, "@"); at >= 0 {
		shown = "…" + given[at:]
	}
	help := "the endpoint \"%s\" is not usable: give it as http://HOST:PORT or https://HOST:PORT%s"
	return newError(Invalid, oneLine(fmt.Sprintf(help, shown, more)))
}

// splitPort takes HOST:PORT apart. An IPv6 address keeps its brackets; a port that is not there is empty.
func splitPort(authority string) (host, port string, ok bool) {
	host, port, hasPort := strings.Cut(authority, ":")
	isHost := isName
	if strings.HasPrefix(authority, "[") {
		end := strings.Index(authority, "]") + 1
		host, port = authority[:end], authority[end:]
		port, hasPort = strings.CutPrefix(port, ":")
		if !hasPort && port != "" {
			return "", "", false
		}
		isHost = isIPv6
	}
	if !hasPort {
		return host, "", isHost(host)
	}
	number, ok := portNumber(port)
	return host, strconv.Itoa(number), ok && isHost(host)
}

// portNumber reads 1 to 65535, in digits and nothing else.
func portNumber(text string) (number int, ok bool) {
	for _, digit := range text {
		if digit < '0' || digit > '9' {
			return 0, false
		}
	}
	wide, err := strconv.ParseUint(text, 10, 16)
	return int(wide), err == nil && wide > 0
}

func isIPv6(host string) bool {
	inner, _ := strings.CutPrefix(host, "[")
	inner, closed := strings.CutSuffix(inner, "]")
	address, err := netip.ParseAddr(inner)
	return closed && err == nil && address.Is6() && address.Zone() == ""
}

// isName says whether a host is a name or an IPv4 address. Underscores are no part of names on the
// Internet, but of many within a network.
func isName(host string) bool {
	labels := strings.Split(strings.TrimSuffix(host, "."), ".")
	for _, label := range labels {
		if label == "" || len(label) > maxLabelBytes || strings.ContainsFunc(label, isNoLetter) {
			return false
		}
	}
	// What ends in a number is an address, as every resolver takes it.
	if strings.Trim(labels[len(labels)-1], "0123456789") == "" {
		address, err := netip.ParseAddr(host)
		return err == nil && address.Is4()
	}
	return len(host) <= maxHostBytes
}

func isNoLetter(r rune) bool {
	letter := r|0x20 >= 'a' && r|0x20 <= 'z'
	return !letter && (r < '0' || r > '9') && r != '-' && r != '_'
}
