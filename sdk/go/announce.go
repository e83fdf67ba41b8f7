package hitl

import (
	"fmt"
	"io"
	"sync/atomic"

	"hitl.dev/go/hitlv1"
)

// Most events of a client of which it is told where to answer.
const maxAnnounced = 20

// announcer tells people where to answer, on stderr.
type announcer struct {
	stderr io.Writer
	told   atomic.Int32
}

// isQuiet says whether a variable turns it off.
func isQuiet(variable string) bool {
	return variable == "0" || variable == "false" || variable == "off"
}

// tell tells where a pending event is answered. Nil tells nothing.
func (a *announcer) tell(event *hitlv1.Event) {
	if a == nil {
		return
	}
	switch told := a.told.Add(1); {
	case told <= maxAnnounced:
		where := "at " + oneLine(event.GetFormUrl())
		if event.GetFormUrl() == "" {
			// Not everybody who may see an event is given its links.
			where = fmt.Sprintf("(event %s)", oneLine(event.GetId()))
		}
		fmt.Fprintf(a.stderr, "hitl: \"%s\" waits for an answer %s\n", oneLine(event.GetName()), where)
	case told == maxAnnounced+1:
		fmt.Fprintln(a.stderr, "hitl: more events wait than are told of here")
	}
}
