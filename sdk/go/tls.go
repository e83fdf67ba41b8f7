package hitl

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"os"
	"sync/atomic"

	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
)

// PEM is a certificate or a key, by the path of its file or as it is: [PEMFile], [PEMText]. Of the latter
// nothing is ever printed.
type PEM struct {
	path string
	text []byte
}

// PEMFile is what a file in PEM holds.
func PEMFile(path string) PEM { return PEM{path: path} }

// PEMText is what stands in a text in PEM.
func PEMText(text []byte) PEM { return PEM{text: text} }

// String is the path, if it has one.
func (p PEM) String() string {
	if p.text != nil {
		return "PEM text"
	}
	return p.path
}

// GoString is the same as String.
func (p PEM) GoString() string { return p.String() }

func (p PEM) isSet() bool { return p.path != "" || p.text != nil }

func (p PEM) read() ([]byte, error) {
	if p.text != nil {
		return p.text, nil
	}
	return os.ReadFile(p.path)
}

func firstPEM(given PEM, path string) PEM {
	if given.isSet() {
		return given
	}
	return PEMFile(path)
}

// trust is how a client and its server know each other over TLS.
type trust struct {
	ca, cert, key PEM
}

// config reads everything once, so that what cannot be used is told when the client is made. The client's
// own certificate is read again for each connection, since it may have been renewed.
func (t trust) config() (*tls.Config, error) {
	config := &tls.Config{MinVersion: tls.VersionTLS12}
	if t.ca.isSet() {
		text, err := t.ca.read()
		if err != nil {
			return nil, unusablePEM("CA (HITL_CA)", err)
		}
		config.RootCAs = x509.NewCertPool()
		if !config.RootCAs.AppendCertsFromPEM(text) {
			return nil, unusablePEM("CA (HITL_CA)", fmt.Errorf("%v holds no certificate in PEM", t.ca))
		}
	}
	if t.cert.isSet() != t.key.isSet() {
		err := errors.New("one without the other is of no use")
		return nil, unusablePEM("Cert and Key (HITL_CERT and HITL_KEY)", err)
	}
	if t.cert.isSet() {
		if _, err := t.pair(); err != nil {
			return nil, unusablePEM("Cert and Key (HITL_CERT and HITL_KEY)", err)
		}
		config.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return t.pair() }
	}
	return config, nil
}

func (t trust) pair() (*tls.Certificate, error) {
	cert, err := t.cert.read()
	if err != nil {
		return nil, err
	}
	key, err := t.key.read()
	if err != nil {
		return nil, err
	}
	pair, err := tls.X509KeyPair(cert, key)
	return &pair, err
}

func unusablePEM(setting string, err error) error {
	return newError(Invalid, fmt.Sprintf("%s cannot be used: %s", setting, oneLine(err.Error())))
}

// transport secures a connection, if the endpoint is https. What keeps it from being secured goes to failure.
func (s *settings) transport(to endpoint, failure *atomic.Pointer[error]) credentials.TransportCredentials {
	if s.tls == nil {
		return insecure.NewCredentials()
	}
	return handshakes{credentials.NewTLS(s.tls), to, failure}
}

// handshakes tells why one failed, which gRPC would tell as a lost connection.
type handshakes struct {
	credentials.TransportCredentials
	endpoint endpoint
	failure  *atomic.Pointer[error]
}

func (h handshakes) ClientHandshake(
	ctx context.Context, authority string, conn net.Conn,
) (net.Conn, credentials.AuthInfo, error) {
	secured, info, err := h.TransportCredentials.ClientHandshake(ctx, authority, conn)
	if why := h.explain(err); why != nil {
		h.failure.Store(&why)
	}
	return secured, info, err
}

func (h handshakes) Clone() credentials.TransportCredentials {
	return handshakes{h.TransportCredentials.Clone(), h.endpoint, h.failure}
}

// explain returns an error that repeating the call would not mend, or nil if err is none.
func (h handshakes) explain(err error) error {
	var untrusted *tls.CertificateVerificationError
	var noTLS tls.RecordHeaderError
	switch {
	case errors.As(err, &untrusted):
		help := "the certificate of %s is not trusted (%s): set CA or HITL_CA to that of whoever signed it, and call " +
			"the server by a name that it has"
		return noServer(help, h.endpoint, oneLine(untrusted.Err.Error()))
	case errors.As(err, &noTLS):
		return noServer("%s does not speak TLS: give the endpoint as http:// if that is meant", h.endpoint)
	default:
		return nil
	}
}
