package hitl

import (
	"cmp"
	"container/list"
	"slices"
	"sync"
	"time"

	"google.golang.org/protobuf/proto"

	"hitl.dev/go/hitlv1"
)

// Most events that one message adds, or removes.
const maxKeys = 1000

// No id is as long, and a message that is too long or no text would end the waits of others.
const maxID = 128

// waits are all waits of a client, which share one stream.
//
// The stream is opened for the first wait, carries however many there are, and is opened again after any
// loss with everything that is still waited for; it ends with the last wait. To resume is to ask again,
// so there is nothing to remember but which events.
type waits struct {
	changed chan struct{} // Whoever serves the stream is to look.

	mutex    sync.Mutex
	open     map[string]*wait    // By the id of the event.
	toAdd    list.List           // The waits that the server is to be asked for, in order.
	toRemove map[string]struct{} // What it was asked for and is not waited for any more.
	last     uint64              // The number of the last wait.
	isServed bool                // Whether somebody serves the stream.
}

// wait is what is waited for, and by whom.
type wait struct {
	eventID   string
	number    uint64
	begun     time.Time
	listeners []listener
	// Where it stands: in toAdd, later, or, if both are nil, the server has been asked for it.
	turn  *list.Element
	later *time.Timer
	// After the server could not take it, else nil.
	delays *backoff
}

// listener is told how a wait ended. It has room for that.
type listener chan outcome

type outcome struct {
	event *hitlv1.Event
	err   error
}

func newWaits() *waits {
	return &waits{
		changed: make(chan struct{}, 1), open: map[string]*wait{}, toRemove: map[string]struct{}{},
	}
}

// join adds a wait, and has the stream served if nobody does yet.
func (w *waits) join(eventID string, serve func()) listener {
	listener := make(listener, 1)
	w.mutex.Lock()
	defer w.mutex.Unlock()
	wait := w.open[eventID]
	if wait == nil {
		wait = w.add(eventID)
	}
	wait.listeners = append(wait.listeners, listener)
	if !w.isServed {
		w.isServed = true
		go serve()
	}
	w.look()
	return listener
}

func (w *waits) add(eventID string) *wait {
	w.last++
	added := &wait{eventID: eventID, number: w.last, begun: time.Now()}
	w.open[eventID] = added
	// What the server still waits for, since it has not been told otherwise, needs no asking.
	if _, isKnown := w.toRemove[eventID]; isKnown {
		delete(w.toRemove, eventID)
	} else {
		w.ask(added)
	}
	return added
}

// leave ends the wait of a listener that has gone.
func (w *waits) leave(eventID string, gone listener) {
	w.mutex.Lock()
	defer w.mutex.Unlock()
	wait := w.open[eventID]
	if wait == nil {
		return
	}
	wait.listeners = slices.DeleteFunc(wait.listeners, func(other listener) bool { return other == gone })
	if len(wait.listeners) > 0 {
		return
	}
	if wait.isAdded() {
		w.toRemove[eventID] = struct{}{}
	}
	w.take(wait)
	w.look()
}

// begin has everything asked for anew, of a new stream.
func (w *waits) begin() {
	w.mutex.Lock()
	defer w.mutex.Unlock()
	clear(w.toRemove)
	var added []*wait
	for _, wait := range w.open {
		if wait.isAdded() {
			added = append(added, wait)
		}
	}
	slices.SortFunc(added, func(a, b *wait) int { return cmp.Compare(a.number, b.number) })
	for _, wait := range added {
		w.ask(wait)
	}
}

// message is the next message to the server, nil if there is nothing to say.
func (w *waits) message(namespace string) *hitlv1.WaitEventsRequest {
	w.mutex.Lock()
	defer w.mutex.Unlock()
	message := &hitlv1.WaitEventsRequest{}
	for eventID := range w.toRemove {
		if len(message.Remove) == maxKeys {
			break
		}
		delete(w.toRemove, eventID)
		message.Remove = append(message.Remove, &hitlv1.EventKey{Namespace: namespace, EventId: eventID})
	}
	for len(message.Add) < maxKeys && w.toAdd.Len() > 0 {
		wait := w.toAdd.Remove(w.toAdd.Front()).(*wait)
		wait.turn = nil
		message.Add = append(message.Add, &hitlv1.EventKey{Namespace: namespace, EventId: wait.eventID})
	}
	if len(message.Add) == 0 && len(message.Remove) == 0 {
		return nil
	}
	return message
}

// end tells whoever waits for the event how the wait ended.
func (w *waits) end(eventID string, ended outcome) {
	w.mutex.Lock()
	defer w.mutex.Unlock()
	if wait := w.open[eventID]; wait != nil {
		w.tell(wait, ended)
	}
}

func (w *waits) tell(wait *wait, ended outcome) {
	w.take(wait)
	last := len(wait.listeners) - 1
	for _, listener := range wait.listeners[:last] {
		// They do not share what each may change.
		listener <- outcome{proto.CloneOf(ended.event), ended.err}
	}
	wait.listeners[last] <- ended
	w.look()
}

// failed is what the server could not do for the event: another time, or never.
func (w *waits) failed(eventID string, failure *Error) {
	w.mutex.Lock()
	defer w.mutex.Unlock()
	wait := w.open[eventID]
	switch {
	case wait == nil:
	case !failure.Retryable:
		w.tell(wait, outcome{err: failure})
	default:
		w.leaveQueues(wait)
		if wait.delays == nil {
			wait.delays = &backoff{}
		}
		wait.later = time.AfterFunc(wait.delays.delay(failure), func() { w.askAgain(wait) })
	}
}

// askAgain has the server asked for what it could not take before.
func (w *waits) askAgain(wait *wait) {
	w.mutex.Lock()
	defer w.mutex.Unlock()
	// It may have ended, or come to stand elsewhere, while this began.
	if w.open[wait.eventID] == wait && wait.later != nil {
		w.ask(wait)
		w.look()
	}
}

// giveUp ends every wait by err that has lasted too long for goesOn.
func (w *waits) giveUp(err error, goesOn func(time.Duration) bool) {
	w.mutex.Lock()
	defer w.mutex.Unlock()
	for _, wait := range w.open {
		if !goesOn(time.Since(wait.begun)) {
			w.tell(wait, outcome{err: err})
		}
	}
}

func (w *waits) count() int {
	w.mutex.Lock()
	defer w.mutex.Unlock()
	return len(w.open)
}

func (w *waits) isEmpty() bool { return w.count() == 0 }

// stop notes that nobody serves the stream any more, if nothing is waited for.
func (w *waits) stop() bool {
	w.mutex.Lock()
	defer w.mutex.Unlock()
	w.isServed = len(w.open) > 0
	if !w.isServed {
		// Maps never shrink.
		w.open, w.toRemove = map[string]*wait{}, map[string]struct{}{}
	}
	return !w.isServed
}

func (w *waits) take(wait *wait) {
	delete(w.open, wait.eventID)
	w.leaveQueues(wait)
}

func (w *waits) ask(wait *wait) {
	w.leaveQueues(wait)
	wait.turn = w.toAdd.PushBack(wait)
}

func (w *waits) leaveQueues(wait *wait) {
	if wait.turn != nil {
		w.toAdd.Remove(wait.turn)
		wait.turn = nil
	}
	if wait.later != nil {
		wait.later.Stop()
		wait.later = nil
	}
}

// look wakes whoever serves the stream.
func (w *waits) look() {
	select {
	case w.changed <- struct{}{}:
	default:
	}
}

// isAdded says whether the server has been asked for it.
func (w *wait) isAdded() bool { return w.turn == nil && w.later == nil }
