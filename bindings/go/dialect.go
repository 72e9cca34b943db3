package ketama

/*
#include <stdlib.h>
#include <ketama.h>
*/
import "C"

import (
	"fmt"
	"unsafe"
)

// A Dialect says whose rules make a ring. Clients that say "ketama" do not agree with each other;
// each dialect stands for those that do. In a file or a flag it is its name.
type Dialect uint32

// The dialects. Where it says so, weights are ignored, whatever they are.
const (
	// libketama and its bindings, PyPI ketama, go-ketama's HashFunc2.
	Libketama Dialect = C.KETAMA_LIBKETAMA
	// Python hash_ring with weights, PyPI hashring.
	HashRing Dialect = C.KETAMA_HASH_RING
	// DataDog's Python hash_ring without weights. Ignores weights.
	HashRingUnweighted Dialect = C.KETAMA_HASH_RING_UNWEIGHTED
	// libmemcached's KETAMA_WEIGHTED, php-memcached's OPT_LIBKETAMA_COMPATIBLE, pylibmc's
	// ketama_weighted, spymemcached's LIBMEMCACHED with weights, nutcracker with `hash: md5`. A
	// weight of 0 counts 1.
	LibmemcachedWeighted Dialect = C.KETAMA_LIBMEMCACHED_WEIGHTED
	// libmemcached's KETAMA or CONSISTENT by default, php-memcached's CONSISTENT, pylibmc's
	// ketama. Ignores weights.
	Libmemcached Dialect = C.KETAMA_LIBMEMCACHED
	// The same with its hash set to MD5. Ignores weights.
	LibmemcachedMD5 Dialect = C.KETAMA_LIBMEMCACHED_MD5
	// twemproxy's (nutcracker's) `distribution: ketama` with its default hash.
	Twemproxy Dialect = C.KETAMA_TWEMPROXY
	// spymemcached's default locator, memcached's proxy with `ketama`; with IP addresses also
	// xmemcached's gwhalin. Ignores weights. A name is the text of the Java address: `ip:port`,
	// or `host/ip:port` where it was resolved.
	Spymemcached Dialect = C.KETAMA_SPYMEMCACHED
	// Ruby's dalli.
	Dalli Dialect = C.KETAMA_DALLI
	// nginx's `hash ... consistent`, Perl's Cache::Memcached::Fast with 160 points,
	// pingora-ketama. The points grow with the weight itself: 160 for each unit of it. A socket
	// is given as its path alone, without `unix:`.
	Nginx Dialect = C.KETAMA_NGINX
	// npm hashring. A weight of 0 counts 1.
	NPMHashring Dialect = C.KETAMA_NPM_HASHRING
	// npm memcached. A weight of 0 counts 1.
	NPMMemcached Dialect = C.KETAMA_NPM_MEMCACHED
)

// Dialects returns all dialects that the library knows.
func Dialects() []Dialect {
	var dialects []Dialect
	for d := Dialect(0); d.name() != ""; d++ {
		dialects = append(dialects, d)
	}
	return dialects
}

// ParseDialect returns the dialect of a name such as "libmemcached_weighted". It fails with
// [ErrUnknownDialect], or [ErrOutOfRange] for a NUL.
func ParseDialect(name string) (Dialect, error) {
	if err := checkText(name); err != nil {
		return 0, err
	}
	cName := C.CString(name)
	defer C.free(unsafe.Pointer(cName))
	var dialect C.ketama_dialect
	err := check(func() C.ketama_status { return C.ketama_dialect_from_name(cName, &dialect) })
	return Dialect(dialect), err
}

// String returns the dialect's name, such as "libmemcached_weighted".
func (d Dialect) String() string {
	if name := d.name(); name != "" {
		return name
	}
	return fmt.Sprintf("Dialect(%d)", uint32(d))
}

// name returns "" where there is no such dialect.
func (d Dialect) name() string { return C.GoString(C.ketama_dialect_name(C.ketama_dialect(d))) }

// MarshalText returns the dialect's name; it fails with [ErrUnknownDialect].
func (d Dialect) MarshalText() ([]byte, error) {
	name := d.name()
	if name == "" {
		return nil, &Error{ErrUnknownDialect, "there is no such dialect"}
	}
	return []byte(name), nil
}

// UnmarshalText is [ParseDialect]. On failure the dialect stays as it is.
func (d *Dialect) UnmarshalText(text []byte) error {
	parsed, err := ParseDialect(string(text))
	if err == nil {
		*d = parsed
	}
	return err
}
