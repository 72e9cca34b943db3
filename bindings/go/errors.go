package ketama

// #include <ketama.h>
import "C"

import (
	"fmt"
	"runtime"
	"strings"
)

// A Status is the kind of a failure, and itself an error for [errors.Is] to compare with.
type Status uint32

// The kinds of failures, with the numbers of the C library. Some belong to functions of it that
// this package does not call.
const (
	ErrNullArgument    Status = C.KETAMA_NULL_ARGUMENT
	ErrUnknownDialect  Status = C.KETAMA_UNKNOWN_DIALECT
	ErrNoServers       Status = C.KETAMA_NO_SERVERS
	ErrEmptyName       Status = C.KETAMA_EMPTY_NAME
	ErrLongName        Status = C.KETAMA_LONG_NAME
	ErrZeroWeight      Status = C.KETAMA_ZERO_WEIGHT
	ErrWeightSum       Status = C.KETAMA_WEIGHT_SUM
	ErrTooManyPoints   Status = C.KETAMA_TOO_MANY_POINTS
	ErrOutOfMemory     Status = C.KETAMA_OUT_OF_MEMORY
	ErrInternal        Status = C.KETAMA_INTERNAL_ERROR
	ErrNoPoints        Status = C.KETAMA_NO_POINTS
	ErrInvalidRules    Status = C.KETAMA_INVALID_RULES
	ErrUnknownServer   Status = C.KETAMA_UNKNOWN_SERVER
	ErrDifferentHashes Status = C.KETAMA_DIFFERENT_HASHES
	ErrUnreadable      Status = C.KETAMA_UNREADABLE
	ErrSyntax          Status = C.KETAMA_SYNTAX
	ErrOffsets         Status = C.KETAMA_OFFSETS
	ErrOutOfRange      Status = C.KETAMA_OUT_OF_RANGE // also a name or path with a NUL in it
)

var statusTexts = map[Status]string{
	ErrNullArgument:    "null argument",
	ErrUnknownDialect:  "unknown dialect",
	ErrNoServers:       "no servers",
	ErrEmptyName:       "empty name",
	ErrLongName:        "long name",
	ErrZeroWeight:      "zero weight",
	ErrWeightSum:       "weight sum",
	ErrTooManyPoints:   "too many points",
	ErrOutOfMemory:     "out of memory",
	ErrInternal:        "internal error",
	ErrNoPoints:        "no points",
	ErrInvalidRules:    "invalid rules",
	ErrUnknownServer:   "unknown server",
	ErrDifferentHashes: "different hashes",
	ErrUnreadable:      "unreadable",
	ErrSyntax:          "syntax",
	ErrOffsets:         "offsets",
	ErrOutOfRange:      "out of range",
}

// Error returns the name of the kind, such as "ketama: zero weight".
func (s Status) Error() string {
	if text, ok := statusTexts[s]; ok {
		return "ketama: " + text
	}
	return fmt.Sprintf("ketama: status %d", uint32(s))
}

// An Error is what a call failed with.
type Error struct {
	Status Status
	Text   string // the library's, such as "server 1: the weight is 0"
}

// Error returns the text behind "ketama: ".
func (e *Error) Error() string { return "ketama: " + e.Text }

// Unwrap returns the status, for [errors.Is].
func (e *Error) Unwrap() error { return e.Status }

// check makes a call of the library, and its failure an error. The text of a failure is its
// thread's, and a goroutine may go on in another thread from one C call to the next: hence the
// lock of the goroutine to its thread over both.
func check(call func() C.ketama_status) error {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	if status := call(); status != C.KETAMA_OK {
		return &Error{Status(status), C.GoString(C.ketama_last_error())}
	}
	return nil
}

// checkText refuses a name or path that C would take as one that ends at its first NUL.
func checkText(text string) error {
	if strings.IndexByte(text, 0) >= 0 {
		return &Error{ErrOutOfRange, "a name or path has a NUL in it"}
	}
	return nil
}
