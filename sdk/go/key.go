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

// counter counts the events of series.
type counter struct {
	mutex  sync.Mutex
	counts map[series]*numbers
}

func newCounter() *counter { return &counter{counts: map[series]*numbers{}} }

// The count of every client that has a run id: one for the whole process, since several may serve one run.
var processCounter = newCounter()

// take returns how-many-th event of the series this is.
func (c *counter) take(s series) uint64 {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	count := c.counts[s]
	if count == nil {
		count = &numbers{}
		c.counts[s] = count
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
func (c *counter) giveBack(s series, number uint64) {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	c.counts[s].returned = append(c.counts[s].returned, number)
}

// key is "run-" and the SHA-256 of run id, name and number, one a line: the same in every language.
func (s series) key(number uint64) string {
	digest := sha256.Sum256(fmt.Appendf(nil, "%s\n%s\n%d", s.runID, s.name, number))
	return "run-" + hex.EncodeToString(digest[:])
}

// eventID is the id that the server gives the event of that number: made of the namespace and the key, as a
// UUID of version 8.
func (s series) eventID(number uint64) string {
	digest := sha256.Sum256([]byte(s.namespace + "\x00" + s.key(number)))
	id := digest[:16]
	id[6] = id[6]&0x0f | 0x80
	id[8] = id[8]&0x3f | 0x80
	return hex.EncodeToString(id)
}

// named returns a request with what makes it safe to repeat filled in: its own key; else the next one of the
// run, or of that of the client if run is nil; else a random one. It is to be told with what error the create
// ended.
func (c *Client) named(
	run *Run, request *hitlv1.CreateEventRequest,
) (filled *hitlv1.CreateEventRequest, settle func(error)) {
	filled = proto.CloneOf(request)
	filled.Namespace = first(filled.Namespace, c.Namespace())
	runID, counter := c.settings.runID, processCounter
	if run != nil {
		runID, counter = run.id, run.counter
	}
	if filled.IdempotencyKey != "" || runID == "" {
		filled.IdempotencyKey = first(filled.IdempotencyKey, once())
		return filled, func(error) {}
	}
	series := series{filled.Namespace, runID, filled.Name}
	number := counter.take(series)
	filled.IdempotencyKey = series.key(number)
	return filled, func(err error) {
		if err != nil {
			counter.giveBack(series, number)
		}
	}
}

// once returns a key that no other call has.
func once() string {
	var bytes [16]byte
	rand.Read(bytes[:]) // Never fails: crypto/rand ends the program instead.
	return hex.EncodeToString(bytes[:])
}
