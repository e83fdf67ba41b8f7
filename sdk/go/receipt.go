package hitl

import (
	"context"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"slices"

	"hitl.dev/go/hitlv1"
)

const (
	receiptAlgorithm = "Ed25519"
	// Before the hash of what is signed: says what it is, and ends where no other use of the key does.
	receiptDomain = "hitl receipt v1\x00"
)

// What a receipt may be of that this package understands.
var receiptFormats = []string{"hitl.receipt.v1", "hitl.receipt.v2", "hitl.receipt.v3"}

// Receipt says how an event ended, signed by the server that recorded it. It is JSON for [encoding/json]: as it is
// written, or as GET /v1/events/{id}/receipt answers.
type Receipt struct {
	// Text is what is signed, in canonical JSON (RFC 8785).
	Text string
	// Algorithm is how it is signed: Ed25519.
	Algorithm string
	// KeyID is the name of the key that verifies it.
	KeyID string
	// Signature is the signature, 64 bytes.
	Signature []byte
}

// Statement is what a receipt says that was verified.
type Statement struct {
	// EventID is the id of the event. That it is the one that you mean is for you to compare.
	EventID string
	// Namespace is the namespace of the event.
	Namespace string
	// State is how the event ended, such as EVENT_STATE_ANSWERED.
	State string
	// Time is when the event ended, in RFC 3339.
	Time string
	// JSON is all of it: question and response, as the JSON of the API has them.
	JSON json.RawMessage
}

// Receipt returns the signed receipt of how an event ended, to be kept, or verified by [Receipt.Verify]. The error is
// [Conflict] if the event is pending, or ended before its server signed receipts.
func (c *Client) Receipt(ctx context.Context, eventID string) (*Receipt, error) {
	request := &hitlv1.GetReceiptRequest{Namespace: c.Namespace(), EventId: eventID}
	reply, err := call(ctx, c, hitlv1.EventServiceClient.GetReceipt, request)
	if err != nil {
		return nil, err
	}
	r := reply.GetReceipt()
	return &Receipt{r.GetText(), r.GetAlgorithm(), r.GetKeyId(), r.GetSignature()}, nil
}

// ReceiptKeys returns the public keys of the server's receipts. Whoever does not trust the server later saves them now,
// as JSON.
func (c *Client) ReceiptKeys(ctx context.Context) (KeySet, error) {
	reply, err := call(ctx, c, hitlv1.EventServiceClient.ListReceiptKeys, &hitlv1.ListReceiptKeysRequest{})
	if err != nil {
		return nil, err
	}
	keys := KeySet{}
	for _, key := range reply.GetKeys() {
		if len(key.GetPublicKey()) != ed25519.PublicKeySize {
			return nil, newError(Internal, "the server sent a key that is none")
		}
		keys[keyName(key.GetPublicKey())] = key.GetPublicKey()
	}
	return keys, nil
}

// Verify returns what the receipt says, if one of the keys has signed it. Else the error is [Invalid], and the receipt
// proves nothing. It calls no server. docs/receipts.md says what a receipt does not prove.
func (r *Receipt) Verify(keys KeySet) (*Statement, error) {
	if r.Algorithm != receiptAlgorithm {
		message := "it is signed with %q, and this program knows only %s"
		return nil, newError(Invalid, fmt.Sprintf(message, r.Algorithm, receiptAlgorithm))
	}
	key, isKnown := keys[r.KeyID]
	if !isKnown {
		message := "it is signed with the key %q, which is not among the %d keys that were given: fetch the keys of " +
			"the deployment that it is from, or it is forged"
		return nil, newError(Invalid, fmt.Sprintf(message, r.KeyID, len(keys)))
	}
	digest := sha256.Sum256([]byte(r.Text))
	signed := append([]byte(receiptDomain), digest[:]...)
	if len(key) != ed25519.PublicKeySize || !ed25519.Verify(key, signed, r.Signature) {
		message := "the signature does not fit: the text, the signature or the name of the key was changed"
		return nil, newError(Invalid, message)
	}
	return readStatement(r.Text)
}

func readStatement(text string) (*Statement, error) {
	var said struct {
		Format   string
		Question struct{ ID, Namespace string }
		Response struct{ State, Time string }
	}
	err := json.Unmarshal([]byte(text), &said)
	if err == nil && !slices.Contains(receiptFormats, said.Format) {
		err = fmt.Errorf("its format is %q", said.Format)
	}
	if err != nil {
		message := "its signature is right, and this program does not understand what it says (%v): use a newer one"
		return nil, newError(Invalid, oneLine(fmt.Sprintf(message, err)))
	}
	return &Statement{
		EventID: said.Question.ID, Namespace: said.Question.Namespace,
		State: said.Response.State, Time: said.Response.Time, JSON: json.RawMessage(text),
	}, nil
}

// writtenReceipt is a receipt as JSON has it.
type writtenReceipt struct {
	Text      *string         `json:"text"`
	Algorithm *string         `json:"algorithm"`
	KeyID     *string         `json:"keyId"`
	Signature *[]byte         `json:"signature"`
	Receipt   *writtenReceipt `json:"receipt,omitempty"`
}

// MarshalJSON writes the receipt, to be kept.
func (r *Receipt) MarshalJSON() ([]byte, error) {
	return json.Marshal(writtenReceipt{&r.Text, &r.Algorithm, &r.KeyID, &r.Signature, nil})
}

// UnmarshalJSON reads what [Receipt.MarshalJSON] or the API has written. The error is [Invalid] if it is no receipt.
func (r *Receipt) UnmarshalJSON(text []byte) error {
	var written writtenReceipt
	err := json.Unmarshal(text, &written)
	if written.Receipt != nil {
		written = *written.Receipt
	}
	isWhole := written.Text != nil && written.Algorithm != nil && written.KeyID != nil && written.Signature != nil
	if err == nil && !isWhole {
		err = fmt.Errorf("it has text, algorithm, keyId and signature")
	}
	if err != nil {
		return newError(Invalid, oneLine(fmt.Sprintf("this is no receipt, or not a whole one: %v", err)))
	}
	*r = Receipt{*written.Text, *written.Algorithm, *written.KeyID, *written.Signature}
	return nil
}

// base64url is how a key is written in JSON.
var base64url = base64.RawURLEncoding.Strict()
