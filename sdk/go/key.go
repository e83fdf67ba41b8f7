package hitl

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"sync"

	"google.golang.org/protobuf/proto"

	"hitl.dev/go/hitlv1"
)

// series is a row of events that are told apart by their number alone.
type series struct {
	namespace, runID, name string
}

type numbers struct {
	issued   uint64
	returned []uint64 // Issued, but given back because nothing was created.
}

// One count for the whole process, since several clients may serve one run.
var (
	countsMutex sync.Mutex
	counts      = map[series]*numbers{}
)

// take returns how-many-th event of the series this is.
func (s series) take() uint64 {
	countsMutex.Lock()
	defer countsMutex.Unlock()
	count := counts[s]
	if count == nil {
		count = &numbers{}
		counts[s] = count
	}
	if len(count.returned) > 0 {
		smallest := slices.Min(count.returned)
		at := slices.Index(count.returned, smallest)
		count.returned = slices.Delete(count.returned, at, at+1)
		return smallest
	}
	count.issued++
	return count.issued
}

// giveBack lets the next event of the series have the number: a create that failed and is repeated
// by the program must not change what later events are.
func (s series) giveBack(number uint64) {
	countsMutex.Lock()
	defer countsMutex.Unlock()
	counts[s].returned = append(counts[s].returned, number)
}

// key is "run-" and the SHA-256 of run id, name and number, one a line: the same in every language.
func (s series) key(number uint64) string {
	digest := sha256.Sum256(fmt.Appendf(nil, "%s\n%s\n%d", s.runID, s.name, number))
	return "run-" + hex.EncodeToString(digest[:])
}

// named returns a request with what makes it safe to repeat filled in. It is to be told with what error the
// create ended.
func (c *Client) named(
	request *hitlv1.CreateEventRequest,
) (filled *hitlv1.CreateEventRequest, settle func(error)) {
	filled = proto.CloneOf(request)
	filled.Namespace = first(filled.Namespace, c.Namespace())
	if filled.IdempotencyKey != "" || c.settings.runID == "" {
		filled.IdempotencyKey = first(filled.IdempotencyKey, once())
		return filled, func(error) {}
	}
	series := series{filled.Namespace, c.settings.runID, filled.Name}
	number := series.take()
	filled.IdempotencyKey = series.key(number)
	return filled, func(err error) {
		if err != nil {
			series.giveBack(number)
		}
	}
}

// once returns a key that no other call has.
func once() string {
	var bytes [16]byte
	rand.Read(bytes[:]) // Never fails: crypto/rand ends the program instead.
	return hex.EncodeToString(bytes[:])
}
