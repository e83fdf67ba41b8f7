package hitl

import (
	"fmt"

	"google.golang.org/protobuf/proto"
)

// unreadable marks a reply that has arrived and is no message of the API. gRPC reports it by a code that a
// lost connection can have as well, and which would be tried again for ever.
const unreadable = "the server sent a reply that cannot be read"

// codec does as gRPC's own does, but for that mark.
type codec struct{}

func (codec) Name() string { return "proto" }

func (codec) Marshal(message any) ([]byte, error) { return proto.Marshal(message.(proto.Message)) }

func (codec) Unmarshal(data []byte, message any) error {
	if err := proto.Unmarshal(data, message.(proto.Message)); err != nil {
		return fmt.Errorf("%s: %w", unreadable, err)
	}
	return nil
}
