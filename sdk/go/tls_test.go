package hitl

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"

	"hitl.dev/go/hitlv1"
)

// signed is a certificate with its key, and both as PEM.
type signed struct {
	certificate *x509.Certificate
	key         *ecdsa.PrivateKey
	cert, text  []byte
}

// sign makes a certificate for 127.0.0.1, signed by itself if by is nil.
func sign(t *testing.T, by *signed) *signed {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "test"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, BasicConstraintsValid: true, IsCA: by == nil,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}
	parent, signer := template, key
	if by != nil {
		parent, signer = by.certificate, by.key
	}
	der, err := x509.CreateCertificate(rand.Reader, template, parent, &key.PublicKey, signer)
	if err != nil {
		t.Fatal(err)
	}
	certificate, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	text, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return &signed{
		certificate, key, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}),
		pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: text}),
	}
}

// secured starts a server whose certificate the authority has signed, and returns its endpoint.
func secured(t *testing.T, authority *signed, wantsCertificate bool) string {
	t.Helper()
	own := sign(t, authority)
	pair, err := tls.X509KeyPair(own.cert, own.text)
	if err != nil {
		t.Fatal(err)
	}
	config := &tls.Config{Certificates: []tls.Certificate{pair}}
	if wantsCertificate {
		config.ClientCAs = x509.NewCertPool()
		config.ClientCAs.AddCert(authority.certificate)
		config.ClientAuth = tls.RequireAndVerifyClientCert
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server := grpc.NewServer(grpc.Creds(credentials.NewTLS(config)))
	script := &script{stored: map[string]*hitlv1.Event{"e": {Id: "e"}}}
	hitlv1.RegisterEventServiceServer(server, script)
	go func() { _ = server.Serve(listener) }()
	t.Cleanup(server.Stop)
	return "https://" + listener.Addr().String()
}

func getOver(t *testing.T, config Config) error {
	t.Helper()
	client, err := NewClient(config)
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	_, err = client.Get(t.Context(), "e")
	return err
}

func TestAServerIsCalledOverTLSByWhomeverItsAuthorityTrusts(t *testing.T) {
	authority := sign(t, nil)
	endpoint := secured(t, authority, true)
	own := sign(t, authority)
	config := Config{Endpoint: endpoint, CA: PEMText(authority.cert), Token: StaticToken("t")}
	config.Cert, config.Key = PEMText(own.cert), PEMText(own.text)
	if err := getOver(t, config); err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	for name, text := range map[string][]byte{"CA": authority.cert, "CERT": own.cert, "KEY": own.text} {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, text, 0o600); err != nil {
			t.Fatal(err)
		}
		t.Setenv("HITL_"+name, path)
	}
	if err := getOver(t, Config{Endpoint: endpoint}); err != nil {
		t.Fatal(err)
	}
}

func TestWhatKeepsTLSFromBeingSpokenIsToldAtOnce(t *testing.T) {
	authority := sign(t, nil)
	plain, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server := grpc.NewServer()
	go func() { _ = server.Serve(plain) }()
	defer server.Stop()
	trusting := PEMText(authority.cert)
	for told, config := range map[string]Config{
		"set CA or HITL_CA": {Endpoint: secured(t, authority, false)},
		"a name that it has": {
			Endpoint: strings.Replace(secured(t, authority, false), "127.0.0.1", "localhost", 1), CA: trusting,
		},
		"HITL_CERT":          {Endpoint: secured(t, authority, true), CA: trusting},
		"does not speak TLS": {Endpoint: "https://" + plain.Addr().String(), CA: trusting},
	} {
		begun := time.Now()
		err := getOver(t, config)
		var failure *Error
		if !errors.As(err, &failure) || failure.Kind != Unavailable || failure.Retryable {
			t.Error(told, err)
		} else if !strings.Contains(failure.Message, told) || time.Since(begun) > 5*time.Second {
			t.Error(failure.Message, time.Since(begun))
		}
	}
}

func TestWhatCannotBeUsedForTLSIsRefusedWhenTheClientIsMade(t *testing.T) {
	own := sign(t, nil)
	for told, config := range map[string]Config{
		"/no/such/ca":       {CA: PEMFile("/no/such/ca")},
		"holds no":          {CA: PEMText([]byte("hello"))},
		"without the":       {Cert: PEMText(own.cert)},
		"Cert and Key":      {Cert: PEMText(own.cert), Key: PEMText(sign(t, nil).text)},
		"an https endpoint": {Endpoint: "http://127.0.0.1", CA: PEMText(own.cert)},
	} {
		config.Endpoint = first(config.Endpoint, "https://host")
		_, err := resolve(config, nil)
		if !errors.Is(err, Invalid) || !strings.Contains(err.Error(), told) || bytes.Contains([]byte(err.Error()), own.text) {
			t.Error(told, err)
		}
	}
	if _, err := resolve(Config{Endpoint: "http://host"}, map[string]string{"HITL_CA": "/no/such/ca"}); err != nil {
		t.Error("the environment's is for another endpoint", err)
	}
}
