package ketama

// #include <ketama.h>
import "C"

import (
	"runtime"
	"sync/atomic"
	"unsafe"
)

// A handle owns a ring of the library, and counts the calls that are in it, so that it is freed
// once, and after the last of them.
//
// One counter would be a cache line that every core writes at every lookup. So there are several.
// A call adds to one of them, and only then looks whether the ring is closed; who closes it sets
// that, and only then looks at the counters. So one of the two sees the other. Where the ring is
// closed, a counter that is seen at 0 has no call in the ring, and will have none: who has seen all
// of them so frees it. The last call out does.
type handle struct {
	ring    *C.ketama_ring
	servers []Server
	closed  atomic.Bool
	freed   atomic.Bool
	calls   [1 << callsBits]counter
}

const callsBits = 5

// The padding stands first to keep what is only read off the first counter's cache line.
type counter struct {
	_ [60]byte
	n atomic.Int32
}

func newHandle(ring *C.ketama_ring) *handle {
	h := &handle{ring: ring, servers: make([]Server, C.ketama_ring_server_count(ring))}
	for i := range h.servers {
		h.servers[i] = Server{
			Name:   C.GoString(C.ketama_ring_server_name(ring, C.size_t(i))),
			Weight: uint64(C.ketama_ring_server_weight(ring, C.size_t(i))),
		}
	}
	runtime.SetFinalizer(h, (*handle).close)
	return h
}

// enter lets a call in, and returns the counter through which it is to leave.
func (h *handle) enter() *counter {
	// Goroutines that run at the same time have different stacks, and so mostly other counters.
	var here byte
	spread := uint64(uintptr(unsafe.Pointer(&here))) * 0x9e3779b97f4a7c15
	c := &h.calls[spread>>(64-callsBits)]
	c.n.Add(1)
	if h.closed.Load() {
		h.leave(c)
		panic("ketama: use of a closed Ring")
	}
	return c
}

func (h *handle) leave(c *counter) {
	c.n.Add(-1)
	if h.closed.Load() {
		h.free()
	}
}

func (h *handle) close() {
	h.closed.Store(true)
	h.free()
}

// free frees a closed ring that no call is in.
func (h *handle) free() {
	for i := range h.calls {
		if h.calls[i].n.Load() != 0 {
			return
		}
	}
	if h.freed.CompareAndSwap(false, true) {
		runtime.SetFinalizer(h, nil)
		C.ketama_ring_free(h.ring)
	}
}
