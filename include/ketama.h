/*
 * ketama.h - which cache server does a key belong to?
 *
 * A ring puts every server at many points of a circle of 32-bit positions. A key has a position too,
 * and belongs to the server of the first point at or after it; past the last point, of the first.
 * So a server that comes or goes moves only the keys between its points and the ones before them.
 *
 * A complete program:
 *
 *     #include <ketama.h>
 *     #include <stdio.h>
 *
 *     int main(void) {
 *         ketama_server servers[] = {{"10.0.1.1:11211", 600}, {"10.0.1.2:11211", 300}};
 *         ketama_ring *ring;
 *         if (ketama_ring_new(servers, 2, KETAMA_LIBKETAMA, &ring) != KETAMA_OK) {
 *             fprintf(stderr, "%s\n", ketama_last_error());
 *             return 1;
 *         }
 *         size_t server = ketama_ring_find(ring, "user:42", 7);
 *         puts(ketama_ring_server_name(ring, server));
 *         ketama_ring_free(ring);
 *         return 0;
 *     }
 *
 * Build it with: cc program.c $(pkg-config --cflags --libs ketama)
 *
 * This file has two parts. The first makes rings from a list of servers, with functions whose names
 * begin with ketama_ring_. The second is the interface of Last.fm's libketama, for programs that use
 * server definition files or were written for the original. It is C99 and C++11 or later.
 *
 * This file is written by `make header`; edit src/capi/ instead.
 */
#ifndef KETAMA_H
#define KETAMA_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* What ketama_ring_find() returns for no server. */
#define KETAMA_NONE SIZE_MAX

/*
 * A ring from a list of servers
 *
 * Conventions. A `ketama_ring` is immutable and has a count of owners: `ketama_ring_new()` and
 * `ketama_ring_retain()` each make one owner, `ketama_ring_free()` ends one, and the last frees
 * the ring. Any number of threads may use one ring at once, without a lock, and may retain and
 * free it; also a child after fork(). Nothing that is passed in is kept: lists, names and keys may
 * be freed on return. Outputs are written only on success.
 *
 * A call that fails says why in `ketama_last_error()`. Calls that return a `ketama_status`, and
 * `ketama_roll()`, clear that text when they succeed; the others leave it as it is. NULL, or a
 * number out of range, never crashes: each function says what it returns then. Any other pointer
 * must be what its description says.
 */


// How a call ended: `KETAMA_OK`, or the kind of failure.
typedef enum {
    // Done.
    KETAMA_OK = 0,
    // An argument, or a server's name, is NULL.
    KETAMA_NULL_ARGUMENT = 1,
    // The dialect is none of `ketama_dialect`.
    KETAMA_UNKNOWN_DIALECT = 2,
    // The list of servers is empty.
    KETAMA_NO_SERVERS = 3,
    // A server's name has 0 bytes.
    KETAMA_EMPTY_NAME = 4,
    // A server's name has more than 1023 bytes.
    KETAMA_LONG_NAME = 5,
    // A server's weight is 0.
    KETAMA_ZERO_WEIGHT = 6,
    // The sum of all weights is 2^64 or more.
    KETAMA_WEIGHT_SUM = 7,
    // The ring would have more than `INT_MAX` points, as from about 13 million servers on.
    KETAMA_TOO_MANY_POINTS = 8,
    // There is not enough memory for the ring.
    KETAMA_OUT_OF_MEMORY = 9,
    // A defect of this library, reported instead of ending the program.
    KETAMA_INTERNAL_ERROR = 10,
    // By these rules no server gets a point.
    KETAMA_NO_POINTS = 11,
    // A field of `ketama_rules` is out of its range.
    KETAMA_INVALID_RULES = 12,
    // The ring has no server of this name.
    KETAMA_UNKNOWN_SERVER = 13,
    // Two rings that are compared place keys by different hashes.
    KETAMA_DIFFERENT_HASHES = 14,
} ketama_status;

// Whose rules make the ring. Clients that say "ketama" do not all agree.
typedef enum {
    // Last.fm's libketama: every server gets 4 points for each MD5 of `name-0`, `name-1`, ...,
    // about 160 for an average weight.
    KETAMA_LIBKETAMA = 0,
} ketama_dialect;

// A ring. Opaque; made by `ketama_ring_new()`.
typedef struct ketama_ring ketama_ring;

// A server: a name of 1 to 1023 bytes, ended by a NUL and hashed whole (usually `host:port`), and
// a weight of 1 to 2^64 - 1. Only the weight's share of the sum of all weights matters.
typedef struct {
    const char *name;
    uint64_t weight;
} ketama_server;

// A point of a ring: its position on the circle, and the index of the server that it belongs to.
typedef struct {
    uint32_t point;
    uint32_t server;
} ketama_point;

// Makes the ring of a list of servers.
//
// `servers`: `count` servers. Their order decides which owns a point that two share: the one
// listed first. A server listed twice counts as two; one with a tiny share of the weights may get
// no point.
// `dialect`: whose rules to follow.
// `out`: receives the ring, of which the caller is the owner; not written on failure.
//
// Returns `KETAMA_OK`, or a code that says what is wrong; `ketama_last_error()` then names the
// index of the server at fault, if one is. Takes time and memory in proportion to the points; any
// thread may call it at any time.
ketama_status ketama_ring_new(const ketama_server *servers,
                              size_t count,
                              ketama_dialect dialect,
                              ketama_ring **out);

// Finds the server of a key.
//
// `key`: `key_len` bytes of any value, NUL included. It may be NULL when `key_len` is 0.
//
// Returns the server's index in the list that the ring was made from, or `KETAMA_NONE` for a NULL
// ring, or a NULL key with a length. Never locks or allocates; any thread may call it at any time.
size_t ketama_ring_find(const ketama_ring *ring, const void *key, size_t key_len);

// Returns the number of servers that the ring was made from; 0 for a NULL ring.
size_t ketama_ring_server_count(const ketama_ring *ring);

// Returns the name of server `server`, counted from 0; NULL for a NULL ring or when out of range.
// It belongs to the ring and lives as long.
const char *ketama_ring_server_name(const ketama_ring *ring, size_t server);

// Returns the weight of server `server`, counted from 0; 0 for a NULL ring or when out of range.
uint64_t ketama_ring_server_weight(const ketama_ring *ring, size_t server);

// Lists the points of a ring in ring order: ascending, and of equal ones the server listed first
// comes first.
//
// `out`: room for `capacity` points, of which as many are written as fit. It may be NULL, to ask
// for the number alone.
//
// Returns the number of points that the ring has, whatever `capacity` is; 0 for a NULL ring.
size_t ketama_ring_points(const ketama_ring *ring, ketama_point *out, size_t capacity);

// Adds an owner: the ring then lives until `ketama_ring_free()` was called once more.
//
// Returns the ring itself; NULL for NULL.
ketama_ring *ketama_ring_retain(const ketama_ring *ring);

// Ends one owner, and frees the ring with its last. NULL is allowed and does nothing.
void ketama_ring_free(ketama_ring *ring);

// Returns the text of this thread's last failure; "" if there was none, or where a call that
// returns a `ketama_status` or `ketama_roll()` has succeeded since. Never NULL; at most 254 bytes,
// a longer text being cut.
//
// It belongs to the library and may be read until this thread's next call of a function declared
// here.
const char *ketama_last_error(void);

// Returns the library's version, such as "1.0.0". It lives for ever.
const char *ketama_version(void);

/*
 * libketama's own interface
 *
 * The functions and structures of Last.fm's `libketama.so.1`, with the same layout, points and
 * results, so that programs built against it run on this library unchanged. The README lists what
 * differs from the original.
 *
 * It reads server definition files: a line a server, its name (1 to 23 bytes, usually
 * `host:port`), tabs or spaces, its weight, and at once a newline; lines that begin with `#` are
 * comments. As in the original the byte behind the weight is dropped whatever it is, so that `100`
 * at the end of a file without a newline, or before a space, is 10; and a line of more than 126
 * bytes, a comment too, is read as several.
 *
 * Threads. Every function may be called from any thread at any time, on one continuum as well;
 * only `ketama_smoke()` needs the others to be done with that continuum. Rolls and smokes in other
 * threads never disturb a continuum that was handed out, and lookups never wait for them. After
 * fork() the child may go on with all of it. No function is for signal handlers.
 *
 * Errors. A call that fails says why in `ketama_error()`. NULL never crashes.
 */
// What a roll hands out. `array` points to `numpoints` entries of `mcs`, sorted by `point`;
// `modtime` to a `time_t`, the file's modification time in seconds. Both are NULL, and `numpoints`
// is 0, where a roll found no servers. All of it is to be read only, and lives until
// `ketama_smoke()`.
typedef struct {
    int numpoints;
    void *modtime;
    void *array;
} continuum;

// A continuum, as the functions take it.
typedef continuum *ketama_continuum;

// A point of a continuum: its position on the circle, and the first 22 bytes of the name of its
// server. Where all 22 are taken, the NUL that ends them stands in the padding behind `ip`: a copy
// of the text needs 23 bytes.
typedef struct {
    unsigned int point;
    char ip[22];
} mcs;

// A server definition: name and weight. No function takes or returns one.
typedef struct {
    char addr[22];
    unsigned long memory;
} serverinfo;

// The type of `qsort()`'s comparison, to cast `ketama_compare` to.
typedef int (*compfn)(const void*, const void*);

// Reads a server definition file and makes its continuum.
//
// `contptr`: receives the new continuum, to be given back with `ketama_smoke()`. One that was
// there before is not freed: it keeps the ring that it was made with.
// `filename`: the file's path.
//
// Returns 1 on success. The ring is the file's present one: a change of its size, inode or times
// since an earlier roll is seen. An unchanged file costs one stat() and one allocation, once its
// last change is 20 ms old, and its continua share their points.
//
// Returns 0 on failure. Where the path leads to no file, or an argument is NULL, `*contptr` is not
// written. Where the file defines no server, or has a bad line, it receives a new continuum all
// the same, which is to be smoked too: an empty one, except that a bad line in a file which this
// process has rolled well before gives the last good ring, if a continuum still holds it or it is
// among the 8 that were used last. One bad line refuses the whole file; the text gives its number,
// where a line of more than 126 bytes counts as several.
int ketama_roll(ketama_continuum *contptr, const char *filename);

// Gives a continuum back. What `ketama_get_server()` returned from it is then gone; other
// continua, of the same file too, are not touched. NULL is allowed and does nothing.
void ketama_smoke(ketama_continuum c);

// Finds the server of a key.
//
// `key`: a string ended by a NUL.
//
// Returns the point that the key belongs to, an entry of `c->array` that lives until
// `ketama_smoke(c)`. NULL for a NULL or empty continuum, or a NULL key. Never locks or allocates.
mcs *ketama_get_server(const char *key, ketama_continuum c);

// Prints a continuum with the C library's printf(), so that it comes in order with the caller's
// own output: a line `Numpoints in continuum: N`, then a line `IP (POINT)` a point; `Continuum
// empty` where there is none. A NULL continuum is printed as an empty one.
void ketama_print_continuum(ketama_continuum c);

// Compares two points by position, for qsort(): -1, 0 or 1. With a NULL argument 0.
int ketama_compare(const mcs *a, const mcs *b);

// Hashes a string ended by a NUL to its position on the circle: the first 32 bits of its MD5,
// little-endian. With a NULL string 0.
unsigned int ketama_hashi(const char *s);

// Writes the MD5 of a string ended by a NUL. With a NULL argument it writes nothing.
void ketama_md5_digest(const char *s, unsigned char *out);

// Returns the text of this thread's last failure, "" after a `ketama_roll()` that succeeded; the
// same as `ketama_last_error()`. Never NULL; at most 254 bytes. It belongs to the library.
char *ketama_error(void);

// Lends the ring behind a continuum, for the functions that take a `ketama_ring`.
//
// Returns NULL for a NULL or empty continuum. It lives until `ketama_smoke(c)`, or longer for
// those who `ketama_ring_retain()` it; without that it must not be freed.
const ketama_ring *ketama_continuum_ring(ketama_continuum c);

#ifdef __cplusplus
}
#endif

#endif
