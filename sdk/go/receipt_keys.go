package hitl

import (
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
)

// More than any deployment has: a new one each day for a year and more.
const receiptKeysMax = 500

// KeySet has the public keys that verify receipts, by their names. It is a JWK set (RFC 7517) for [encoding/json], as
// `hitl receipt-key list` prints it.
type KeySet map[string]ed25519.PublicKey

// jwk is a key as JSON has it (RFC 8037). The first three, in this order, are what its thumbprint is made of.
type jwk struct {
	Crv string `json:"crv"`
	Kty string `json:"kty"`
	X   string `json:"x"`
	Kid string `json:"kid,omitempty"`
	Alg string `json:"alg,omitempty"`
	Use string `json:"use,omitempty"`
}

type jwks struct {
	Keys []jwk `json:"keys"`
}

// MarshalJSON writes the keys, to be kept.
func (k KeySet) MarshalJSON() ([]byte, error) {
	written := jwks{Keys: []jwk{}}
	for name, key := range k {
		entry := requiredOf(key)
		entry.Kid, entry.Alg, entry.Use = name, "EdDSA", "sig"
		written.Keys = append(written.Keys, entry)
	}
	slices.SortFunc(written.Keys, func(a, b jwk) int { return strings.Compare(a.Kid, b.Kid) })
	return json.Marshal(written)
}

// UnmarshalJSON reads a JWK set. Keys of other kinds are passed over. The error is [Invalid] if it is none, or if a key
// is not what its name says.
func (k *KeySet) UnmarshalJSON(text []byte) error {
	var written jwks
	if err := json.Unmarshal(text, &written); err != nil || written.Keys == nil {
		message := "these are no public keys of receipts: a JWK set is wanted, as `hitl receipt-key list` prints it"
		return newError(Invalid, message)
	}
	if len(written.Keys) > receiptKeysMax {
		return newError(Invalid, fmt.Sprintf("there are more than %d keys", receiptKeysMax))
	}
	keys := KeySet{}
	for _, entry := range written.Keys {
		if entry.Kty != "OKP" || entry.Crv != receiptAlgorithm {
			continue
		}
		key, err := entry.key()
		if err != nil {
			return err
		}
		keys[keyName(key)] = key
	}
	*k = keys
	return nil
}

func (entry jwk) key() (ed25519.PublicKey, error) {
	key, err := base64url.DecodeString(entry.X)
	if err != nil || len(key) != ed25519.PublicKeySize {
		message := "the key %s is damaged: it must be %d bytes in base64url"
		return nil, newError(Invalid, oneLine(fmt.Sprintf(message, entry.Kid, ed25519.PublicKeySize)))
	}
	// A name is made of its key, so that nobody can put another key under it.
	if found := keyName(key); entry.Kid != "" && entry.Kid != found {
		message := "the key that is called %s is another one, %s: somebody has changed it"
		return nil, newError(Invalid, oneLine(fmt.Sprintf(message, entry.Kid, found)))
	}
	return key, nil
}

func requiredOf(key ed25519.PublicKey) jwk {
	return jwk{Crv: receiptAlgorithm, Kty: "OKP", X: base64url.EncodeToString(key)}
}

// keyName is the thumbprint of a key (RFC 7638).
func keyName(key ed25519.PublicKey) string {
	// Texts are always JSON.
	written, _ := json.Marshal(requiredOf(key))
	digest := sha256.Sum256(written)
	return base64url.EncodeToString(digest[:])
}
