package ketama

/*
#cgo pkg-config: ketama
#include <stdlib.h>
#include <ketama.h>

// Lookups without allocation: for arguments of these types cgo has nothing to check, while for a
// ketama_ring * it would make an interface value.

static size_t find(uintptr_t ring, const char *key, size_t key_len) {
	return ketama_ring_find((const ketama_ring *)ring, key, key_len);
}

static uint32_t hash(uintptr_t ring, const char *key, size_t key_len) {
	return ketama_ring_hash((const ketama_ring *)ring, key, key_len);
}
*/
import "C"

import (
	"math"
	"strings"
	"unsafe"
)

// A Server is a name of 1 to 1023 bytes without NUL, usually "host:port", and a weight. A Weight
// that is left out is 0, which most dialects refuse; [Equal] makes servers of weight 1.
type Server struct {
	Name   string
	Weight uint64
}

// A Point is a position on the circle and the server that it belongs to.
type Point struct {
	Position uint32
	Server   string
}

// A Comparison tells what moves when one ring takes another's place: the share of all positions,
// from 0 to 1, whose server has another name, and its parts.
type Comparison struct {
	Moved float64
	Moves []Move
}

// A Move is a share of all positions that belongs to From in one ring and to To in the other.
type Move struct {
	From, To string
	Share    float64
}

// A Ring finds the servers of keys. It is immutable and made by [New] and [FromFile]; the zero
// value is none.
type Ring struct {
	h *handle
}

// Equal returns servers of these names, each of weight 1.
func Equal(names ...string) []Server {
	servers := make([]Server, len(names))
	for i, name := range names {
		servers[i] = Server{name, 1}
	}
	return servers
}

// New makes the ring of a list of servers by a dialect's rules. In most dialects the order decides
// which server owns a point that two share. A server listed twice counts as two.
//
// It fails with [ErrNoServers], [ErrEmptyName], [ErrLongName], [ErrOutOfRange] for a name with a
// NUL, [ErrZeroWeight], [ErrWeightSum], [ErrTooManyPoints], [ErrOutOfMemory] or
// [ErrUnknownDialect]; the text tells the index of the server at fault.
func New(servers []Server, dialect Dialect) (*Ring, error) {
	return fromServers(servers,
		func(list *C.ketama_server, out **C.ketama_ring) C.ketama_status {
			return C.ketama_ring_new(list, C.size_t(len(servers)),
				C.ketama_dialect(dialect), out)
		})
}

// FromFile makes the ring of a server definition file: a line a server, its name and its weight in
// decimal, with any white space around them; a # at the beginning of a word makes the rest of the
// line a comment. A file that is being written may look like a whole one: replace it by renaming.
//
// It fails with [ErrUnreadable], [ErrSyntax], whose text tells the line and column, with
// [ErrOutOfRange] for a path with a NUL, or as [New] does.
func FromFile(path string, dialect Dialect) (*Ring, error) {
	return fromText(path, func(path *C.char, out **C.ketama_ring) C.ketama_status {
		return C.ketama_ring_from_file(path, C.ketama_dialect(dialect), out)
	})
}

// With returns the ring of these servers and one more at the end of the list, by the same rules.
// It fails as [New] does.
func (r *Ring) With(server Server) (*Ring, error) {
	defer r.h.leave(r.h.enter())
	return fromServers([]Server{server},
		func(one *C.ketama_server, out **C.ketama_ring) C.ketama_status {
			return C.ketama_ring_with_server(r.h.ring, one, out)
		})
}

// Without returns the ring of these servers less all of this name, by the same rules. It fails
// with [ErrUnknownServer], with [ErrNoServers] where none would be left, or as [New] does.
func (r *Ring) Without(name string) (*Ring, error) {
	defer r.h.leave(r.h.enter())
	return fromText(name, func(name *C.char, out **C.ketama_ring) C.ketama_status {
		return C.ketama_ring_without_server(r.h.ring, name, out)
	})
}

// Close frees the ring, at once or after the last call that other goroutines are in. It may be
// called again, and does nothing then. Any other method of a closed ring panics.
func (r *Ring) Close() { r.h.close() }

// Find returns the name of the server of a key. It takes no lock and allocates nothing.
func (r *Ring) Find(key string) string {
	defer r.h.leave(r.h.enter())
	server := C.find(r.h.address(), data(key), C.size_t(len(key)))
	return r.h.servers[server].Name
}

// FindBytes is [Ring.Find] for a key that is not a string; it does not copy it.
func (r *Ring) FindBytes(key []byte) string {
	return r.Find(*(*string)(unsafe.Pointer(&key)))
}

// FindMany returns the names of the servers of many keys, in their order. It hands a copy of all
// keys to the library in one call; where they exceed 4 GB, in several.
func (r *Ring) FindMany(keys []string) []string {
	defer r.h.leave(r.h.enter())
	names := make([]string, 0, len(keys))
	for len(keys) > 0 {
		n := fitting(keys)
		if n == 0 {
			names = append(names, r.Find(keys[0]))
			n = 1
		} else {
			names = r.appendPacked(names, keys[:n])
		}
		keys = keys[n:]
	}
	return names
}

// Walk returns the names of the servers for a key's replicas: up to n distinct ones, or all where
// n is negative, the key's own first. A server that has no point is never among them.
func (r *Ring) Walk(key string, n int) []string {
	defer r.h.leave(r.h.enter())
	if n < 0 || n > len(r.h.servers) {
		n = len(r.h.servers)
	}
	found := make([]C.uint32_t, n)
	count := C.ketama_ring_walk(r.h.ring, unsafe.Pointer(data(key)), C.size_t(len(key)),
		first(found), C.size_t(n))
	return r.h.appendNames(make([]string, 0, count), found[:count])
}

// FindAlive returns the first server on the walk from a key that is alive, and whether there is
// one. It asks alive once for each server of the ring, in the order of the list.
func (r *Ring) FindAlive(key string, alive func(server string) bool) (string, bool) {
	defer r.h.leave(r.h.enter())
	bytes := make([]C.uint8_t, len(r.h.servers))
	for i, server := range r.h.servers {
		if alive(server.Name) {
			bytes[i] = 1
		}
	}
	server := C.ketama_ring_find_alive(r.h.ring, unsafe.Pointer(data(key)), C.size_t(len(key)),
		first(bytes))
	if server == C.KETAMA_NONE {
		return "", false
	}
	return r.h.servers[server].Name, true
}

// Hash returns the position of a key on the circle. It takes no lock and allocates nothing.
func (r *Ring) Hash(key string) uint32 {
	defer r.h.leave(r.h.enter())
	position := C.hash(r.h.address(), data(key), C.size_t(len(key)))
	return uint32(position)
}

// Share returns the exact share of all positions that a server owns, from 0 to 1; where its name
// is listed twice, the sum. It fails with [ErrUnknownServer].
func (r *Ring) Share(name string) (float64, error) {
	defer r.h.leave(r.h.enter())
	var share float64
	known := false
	for i, server := range r.h.servers {
		if server.Name == name {
			share += float64(C.ketama_ring_share(r.h.ring, C.size_t(i)))
			known = true
		}
	}
	if !known {
		return 0, &Error{ErrUnknownServer, "the ring has no server of this name"}
	}
	return share, nil
}

// Shares returns the shares of all servers by their names; they sum to 1.
func (r *Ring) Shares() map[string]float64 {
	defer r.h.leave(r.h.enter())
	shares := make(map[string]float64, len(r.h.servers))
	for i, server := range r.h.servers {
		shares[server.Name] += float64(C.ketama_ring_share(r.h.ring, C.size_t(i)))
	}
	return shares
}

// Compare tells what moves when the other ring takes this one's place. It fails with
// [ErrDifferentHashes] where the two place keys by different hashes.
func (r *Ring) Compare(other *Ring) (Comparison, error) {
	defer r.h.leave(r.h.enter())
	defer other.h.leave(other.h.enter())
	var count C.size_t
	var moved C.double
	if err := check(func() C.ketama_status {
		return C.ketama_ring_compare(r.h.ring, other.h.ring, nil, 0, &count, &moved)
	}); err != nil {
		return Comparison{}, err
	}
	moves := make([]C.ketama_move, count)
	if err := check(func() C.ketama_status {
		return C.ketama_ring_compare(r.h.ring, other.h.ring, first(moves), count, nil, nil)
	}); err != nil {
		return Comparison{}, err
	}
	comparison := Comparison{float64(moved), make([]Move, count)}
	for i, move := range moves {
		comparison.Moves[i] = Move{
			From:  r.h.servers[move.from].Name,
			To:    other.h.servers[move.to].Name,
			Share: float64(move.share),
		}
	}
	return comparison, nil
}

// Servers returns a copy of the list that the ring was made from.
func (r *Ring) Servers() []Server {
	defer r.h.leave(r.h.enter())
	return append([]Server(nil), r.h.servers...)
}

// Points returns all points in ring order: ascending, equal ones in the order that the dialect
// gives them.
func (r *Ring) Points() []Point {
	defer r.h.leave(r.h.enter())
	list := make([]C.ketama_point, C.ketama_ring_points(r.h.ring, nil, 0))
	C.ketama_ring_points(r.h.ring, first(list), C.size_t(len(list)))
	points := make([]Point, len(list))
	for i, point := range list {
		points[i] = Point{uint32(point.point), r.h.servers[point.server].Name}
	}
	return points
}

// Version returns the version of the library that is loaded, such as "1.0.0".
func Version() string { return C.GoString(C.ketama_version()) }

// fromServers makes a ring by a call that gets a list of servers in C's memory.
func fromServers(servers []Server,
	call func(list *C.ketama_server, out **C.ketama_ring) C.ketama_status) (*Ring, error) {
	// The names stand behind the list, each ended by a NUL.
	size := len(servers) * C.sizeof_ketama_server
	at := size
	for _, server := range servers {
		if err := checkText(server.Name); err != nil {
			return nil, err
		}
		size += len(server.Name) + 1
	}
	block := C.malloc(C.size_t(size))
	defer C.free(block)
	bytes := unsafe.Slice((*byte)(block), size)
	list := unsafe.Slice((*C.ketama_server)(block), len(servers))
	for i, server := range servers {
		list[i].name = (*C.char)(unsafe.Pointer(&bytes[at]))
		list[i].weight = C.uint64_t(server.Weight)
		at += copy(bytes[at:], server.Name)
		bytes[at] = 0
		at++
	}
	return newRing(func(out **C.ketama_ring) C.ketama_status {
		return call((*C.ketama_server)(block), out)
	})
}

// fromText makes a ring by a call that gets a string.
func fromText(text string,
	call func(text *C.char, out **C.ketama_ring) C.ketama_status) (*Ring, error) {
	if err := checkText(text); err != nil {
		return nil, err
	}
	cText := C.CString(text)
	defer C.free(unsafe.Pointer(cText))
	return newRing(func(out **C.ketama_ring) C.ketama_status { return call(cText, out) })
}

func newRing(call func(out **C.ketama_ring) C.ketama_status) (*Ring, error) {
	var ring *C.ketama_ring
	if err := check(func() C.ketama_status { return call(&ring) }); err != nil {
		return nil, err
	}
	return &Ring{newHandle(ring)}, nil
}

// maxPacked is how many bytes the library's offsets reach.
var maxPacked uint64 = math.MaxUint32

// fitting returns how many of the first keys fit into one call.
func fitting(keys []string) int {
	var size uint64
	for i, key := range keys {
		size += uint64(len(key))
		if size > maxPacked {
			return i
		}
	}
	return len(keys)
}

func (r *Ring) appendPacked(names, keys []string) []string {
	packed := strings.Join(keys, "")
	offsets := make([]C.uint32_t, len(keys)+1)
	for i, key := range keys {
		offsets[i+1] = offsets[i] + C.uint32_t(len(key))
	}
	servers := make([]C.uint32_t, len(keys))
	if err := check(func() C.ketama_status {
		return C.ketama_ring_find_packed(r.h.ring, unsafe.Pointer(data(packed)),
			first(offsets), C.size_t(len(keys)), first(servers))
	}); err != nil {
		panic(err) // None is possible: nothing is NULL, and the offsets ascend.
	}
	return r.h.appendNames(names, servers)
}

func (h *handle) appendNames(names []string, servers []C.uint32_t) []string {
	for _, server := range servers {
		names = append(names, h.servers[server].Name)
	}
	return names
}

func (h *handle) address() C.uintptr_t { return C.uintptr_t(uintptr(unsafe.Pointer(h.ring))) }

// data returns where the bytes of a key are, for a C call that keeps nothing of them.
func data(key string) *C.char { return *(**C.char)(unsafe.Pointer(&key)) }

// first returns where the elements of a list are, or nil where it has none.
func first[T any](list []T) *T {
	if len(list) == 0 {
		return nil
	}
	return &list[0]
}
