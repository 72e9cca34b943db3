/*
 * ketama.h - which cache server does a key belong to?
 *
 * A ring puts every server at many points of a circle of 32-bit positions. A key has a position too,
 * and belongs, in most dialects, to the server of the first point at or after it; past the last, of the
 * first.
 * So a server that comes or goes moves only the keys between its points and the ones before them; and,
 * where weights count, some of others, whose numbers of points change with the sum of the weights.
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
 * This file has five parts: rings from a list of servers; many keys, replicas, failover and what is
 * inside a ring; rules of one's own; a ring that follows its file; and the interface of Last.fm's
 * libketama, for programs that were written for it. It is C99 and C++11 or later; ketama.hpp wraps
 * the first four parts for C++17.
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

/* What functions that find a server return for none. */
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
    // A server's weight is 0, which its dialect or rules do not take.
    KETAMA_ZERO_WEIGHT = 6,
    // The sum of all weights is 2^64 or more.
    KETAMA_WEIGHT_SUM = 7,
    // The ring would have more than `INT_MAX` points: about 13 million servers of 160 each, say.
    KETAMA_TOO_MANY_POINTS = 8,
    // What grows with the servers does not fit in memory. One of the few small allocations that a
    // call makes besides ends the program where it fails.
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
    // A definition file cannot be read, or changes all the while.
    KETAMA_UNREADABLE = 15,
    // A definition file has something else than what is expected; the text says where.
    KETAMA_SYNTAX = 16,
    // The offsets of packed keys descend.
    KETAMA_OFFSETS = 17,
    // A number is out of its range, or, in ketama.hpp, a text has a NUL.
    KETAMA_OUT_OF_RANGE = 18,
} ketama_status;

// Whose rules make the ring. Clients that say "ketama" do not agree with each other; each name
// here stands for those that do. Where it says so, weights are ignored, whatever they are.
typedef enum {
    // libketama and its bindings, PyPI ketama, go-ketama's HashFunc2.
    KETAMA_LIBKETAMA = 0,
    // Python hash_ring with weights, PyPI hashring. A server of weight 0 gets no points.
    KETAMA_HASH_RING = 1,
    // DataDog's Python hash_ring without weights. Ignores weights.
    KETAMA_HASH_RING_UNWEIGHTED = 2,
    // libmemcached's KETAMA_WEIGHTED, php-memcached's OPT_LIBKETAMA_COMPATIBLE, pylibmc's
    // ketama_weighted, spymemcached's LIBMEMCACHED with weights, nutcracker with `hash: md5`. A
    // weight of 0 counts 1.
    KETAMA_LIBMEMCACHED_WEIGHTED = 3,
    // libmemcached's KETAMA or CONSISTENT by default, php-memcached's CONSISTENT, pylibmc's
    // ketama. Ignores weights.
    KETAMA_LIBMEMCACHED = 4,
    // The same with its hash set to MD5. Ignores weights.
    KETAMA_LIBMEMCACHED_MD5 = 5,
    // twemproxy's (nutcracker's) `distribution: ketama` with its default hash.
    KETAMA_TWEMPROXY = 6,
    // spymemcached's default locator, memcached's proxy with `ketama`; with IP addresses also
    // xmemcached's gwhalin. Ignores weights. A name is the text of the Java address: `ip:port`, or
    // `host/ip:port` where it was resolved.
    KETAMA_SPYMEMCACHED = 7,
    // Ruby's dalli.
    KETAMA_DALLI = 8,
    // nginx's `hash ... consistent`, Perl's Cache::Memcached::Fast with 160 points,
    // pingora-ketama. The points grow with the weight itself: 160 for each unit of it. A socket is
    // given as its path alone, without `unix:`.
    KETAMA_NGINX = 9,
    // npm hashring. A weight of 0 counts 1.
    KETAMA_NPM_HASHRING = 10,
    // npm memcached. A weight of 0 counts 1.
    KETAMA_NPM_MEMCACHED = 11,
} ketama_dialect;

// A ring. Opaque; made by `ketama_ring_new()`.
typedef struct ketama_ring ketama_ring;

// A server: a name of 1 to 1023 bytes, ended by a NUL and usually `host:port`, of which the
// dialect decides what is hashed; and a weight, 0 only where the dialect takes it. Only its share
// of the sum of all weights matters, but for nginx and `KETAMA_COUNT_TIMES_WEIGHT`.
typedef struct {
    const char *name;
    uint64_t weight;
} ketama_server;

// A point of a ring: its position on the circle, and the index of the server that it belongs to.
typedef struct {
    uint32_t point;
    uint32_t server;
} ketama_point;

// Returns the name of a dialect, such as "libmemcached_weighted"; NULL where the number is none.
// It lives for ever.
const char *ketama_dialect_name(ketama_dialect dialect);

// Finds a dialect by its name.
//
// `name`: a string ended by a NUL, as ketama_dialect_name() returns it.
// `out`: receives the dialect; not written on failure.
//
// Returns `KETAMA_OK`, `KETAMA_UNKNOWN_DIALECT`, or `KETAMA_NULL_ARGUMENT`.
ketama_status ketama_dialect_from_name(const char *name, ketama_dialect *out);

// Makes the ring of a list of servers.
//
// `servers`: `count` servers. In most dialects their order decides which owns a point that two
// share. A server listed twice counts as two; one with a tiny share of the weights may get no
// point.
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

// Makes the ring of a server definition file, which is read strictly: a line a server, its name of
// 1 to 1023 bytes and its weight in decimal, with any white space around them. A `#` at the
// beginning of a word makes the rest of the line a comment: on a line of its own, or behind the
// weight. CRLF, a missing last newline and a UTF-8 byte order mark are taken. `ketama_roll()`
// reads the same files with the quirks of the original.
//
// What is read is the file as it was at one moment, though it changes meanwhile. But one that is
// being written may look like a whole one: replace it with rename().
//
// `path`: a string ended by a NUL.
// `dialect`: whose rules to follow.
// `out`: receives the ring, of which the caller is the owner; not written on failure.
//
// Returns `KETAMA_OK`, `KETAMA_UNREADABLE`, `KETAMA_SYNTAX` with a text that names the line, the
// column in bytes and what was expected there, or a code of `ketama_ring_new()`. Any thread may
// call it at any time.
ketama_status ketama_ring_from_file(const char *path, ketama_dialect dialect, ketama_ring **out);

// Makes the ring of another one's servers and one more at the end of the list, by the same rules.
//
// `ring`: stays as it is.
// `server`: the server to add.
// `out`: receives the new ring, of which the caller is the owner; not written on failure.
//
// Returns `KETAMA_OK` or a code of `ketama_ring_new()`. Any thread may call it at any time.
ketama_status ketama_ring_with_server(const ketama_ring *ring,
                                      const ketama_server *server,
                                      ketama_ring **out);

// Makes the ring of another one's servers less those of one name, by the same rules.
//
// `ring`: stays as it is.
// `name`: a string ended by a NUL. Every server of this name is left out.
// `out`: receives the new ring, of which the caller is the owner; not written on failure.
//
// Returns `KETAMA_OK`, `KETAMA_UNKNOWN_SERVER`, `KETAMA_NO_SERVERS` where none would be left, or
// another code of `ketama_ring_new()`. Any thread may call it at any time.
ketama_status ketama_ring_without_server(const ketama_ring *ring,
                                         const char *name,
                                         ketama_ring **out);

// Returns the number of servers that the ring was made from; 0 for a NULL ring.
size_t ketama_ring_server_count(const ketama_ring *ring);

// Returns the name of a server, `server` counted from 0; NULL for a NULL ring or when out of
// range. It belongs to the ring and lives as long.
const char *ketama_ring_server_name(const ketama_ring *ring, size_t server);

// Returns the weight of a server, `server` counted from 0; 0 for a NULL ring or when out of range.
uint64_t ketama_ring_server_weight(const ketama_ring *ring, size_t server);

// Lists the points of a ring in ring order: ascending, equal ones in the order that the dialect
// gives them.
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
 * Many keys, replicas, failover, load, and what is inside a ring
 *
 * Every function here may be called by any thread at any time. None locks, and of those that look
 * keys up only `ketama_ring_walk()` allocates, one small buffer. Servers are named by their index
 * in the list that the ring was made from.
 *
 * What is passed in must not change during a call, unless it says so, and outputs must not overlap
 * it.
 *
 * A walk goes from a key's point around the ring, in the direction that its dialect looks: to
 * higher positions, or with dalli's rule to lower ones.
 */
// A key: `len` bytes of any value. `data` may be NULL when `len` is 0.
typedef struct {
    const void *data;
    size_t len;
} ketama_key;

// A share of all positions, from 0 to 1, that belongs to the server `from` of one ring and `to` of
// another.
typedef struct {
    uint32_t from;
    uint32_t to;
    double share;
} ketama_move;

// Finds the server of a key.
//
// `key`: `key_len` bytes of any value, NUL included. It may be NULL when `key_len` is 0.
//
// Returns the server's index in the list that the ring was made from, or `KETAMA_NONE` for a NULL
// ring, or a NULL key with a length.
size_t ketama_ring_find(const ketama_ring *ring, const void *key, size_t key_len);

// Finds the point of a key.
//
// Returns its index in the order of `ketama_ring_points()`, or `KETAMA_NONE` for a NULL ring, or a
// NULL key with a length.
size_t ketama_ring_find_point(const ketama_ring *ring, const void *key, size_t key_len);

// Returns the position of a key on the circle, by the hash of the ring's dialect; 0 for a NULL
// ring, or a NULL key with a length.
uint32_t ketama_ring_hash(const ketama_ring *ring, const void *key, size_t key_len);

// Returns the server of the keys at a position; `KETAMA_NONE` for a NULL ring.
size_t ketama_ring_find_hash(const ketama_ring *ring, uint32_t position);

// Finds the servers of many keys.
//
// `keys`: `n` keys.
// `servers`: receives `n` servers, in the order of the keys; not written on failure.
//
// Returns `KETAMA_OK`; `KETAMA_NULL_ARGUMENT` for a NULL ring, for NULL keys or servers with an
// `n`, or a key that is NULL with a length or longer than memory; `KETAMA_OUT_OF_RANGE` where
// memory cannot hold `n` keys.
ketama_status ketama_ring_find_many(const ketama_ring *ring,
                                    const ketama_key *keys,
                                    size_t n,
                                    uint32_t *servers);

// Finds the servers of many keys that stand one behind the other, as Apache Arrow lays out
// strings.
//
// `bytes`: the keys' bytes. It may be NULL when all keys are empty.
// `offsets`: `n + 1` numbers that do not descend. Key `i` is the bytes from `offsets[i]` to before
// `offsets[i + 1]`.
// `servers`: receives `n` servers, in the order of the keys; not written on failure.
//
// Returns `KETAMA_OK`; `KETAMA_NULL_ARGUMENT` for a NULL ring, or another NULL with an `n`;
// `KETAMA_OFFSETS` where an offset is below the one before it; `KETAMA_OUT_OF_RANGE` where memory
// cannot hold `n` offsets.
ketama_status ketama_ring_find_packed(const ketama_ring *ring,
                                      const void *bytes,
                                      const uint32_t *offsets,
                                      size_t n,
                                      uint32_t *servers);

// Finds the servers for a key's replicas: the distinct ones met on a walk from its place, its own
// first. Servers with no point never appear.
//
// `servers`: receives up to `max` servers. It may be NULL when `max` is 0.
//
// Returns how many were written: `max`, or less where fewer servers have points; 0 for a NULL
// ring, a NULL key with a length, or NULL servers.
size_t ketama_ring_walk(const ketama_ring *ring,
                        const void *key,
                        size_t key_len,
                        uint32_t *servers,
                        size_t max);

// Finds the server of a key while some are down: the first on a walk from its place that is alive.
// Only keys of servers that are down move.
//
// `alive`: a byte for each server, 0 where it is down. Other threads may change it,
// by atomic stores.
//
// Returns the server, or `KETAMA_NONE` where none with points is alive, for a NULL ring or
// `alive`, or a NULL key with a length.
size_t ketama_ring_find_alive(const ketama_ring *ring,
                              const void *key,
                              size_t key_len,
                              const uint8_t *alive);

// Finds a server for a key that is not loaded beyond its share: consistent hashing with bounded
// loads (Mirrokni, Thorup, Zadimoghaddam). It is the first on a walk from the key's place whose
// load is below ceil(factor * (total + 1) * w / W), where w is its weight, and total and W are the
// load and the weight of all servers that have points. Where the dialect ignores weights, each
// counts 1.
//
// `load`: a number for each server: what it holds now. Other threads may change it,
// by atomic stores.
// `factor`: above 1; 1.25, say, allows a quarter more than the fair share.
//
// Returns the server. `KETAMA_NONE` where `factor` is NaN or not above 1, for a NULL ring or
// `load`, or a NULL key with a length; in all other cases there is one.
size_t ketama_ring_find_bounded(const ketama_ring *ring,
                                const void *key,
                                size_t key_len,
                                const uint64_t *load,
                                double factor);

// Returns the exact share of all positions that a server owns, from 0 to 1; -1 for a NULL ring or
// where there is no such server. The shares of a ring sum to 1.
double ketama_ring_share(const ketama_ring *ring, size_t server);

// Tells what moves when one ring takes another's place: the exact share of the positions whose
// server has another name, from the arcs of both rings.
//
// `a`, `b`: the ring now, and the one that comes.
// `moves`: receives up to `capacity` moves, by `from` and then by `to`, which are indexes of `a`
// and of `b`. It may be NULL when `capacity` is 0.
// `count`: receives the number of moves that there are. It may be NULL.
// `moved`: receives the sum of their shares. It may be NULL.
//
// Returns `KETAMA_OK`; `KETAMA_DIFFERENT_HASHES` where the rings place keys by different hashes,
// so that shares of positions say nothing of keys; `KETAMA_OUT_OF_MEMORY`, though where memory runs
// out while moves are added up, the program ends; `KETAMA_NULL_ARGUMENT`. Nothing is written on
// failure.
ketama_status ketama_ring_compare(const ketama_ring *a,
                                  const ketama_ring *b,
                                  ketama_move *moves,
                                  size_t capacity,
                                  size_t *count,
                                  double *moved);

/*
 * Rules of one's own
 *
 * A dialect is a row of choices, and fleets combine them in ways of their own: twemproxy with
 * `hash: md5`, say, is its row with another `key_hash`. `ketama_dialect_rules()` gives a row to
 * begin with, and `ketama_ring_new_custom()` makes the ring.
 *
 * What a client does with a single server needs no choice: by any rules every key goes to it.
 */
// Which part of a server's name is hashed.
typedef enum {
    // All of it.
    KETAMA_NAME_FULL = 0,
    // Without a port 11211.
    KETAMA_NAME_ELIDED = 1,
    // Without one leading `/`.
    KETAMA_NAME_NO_SLASH = 2,
} ketama_name;

// What is hashed for a server's points.
typedef enum {
    // MD5: its first words, little-endian.
    KETAMA_DIGEST_MD5 = 0,
    // Jenkins's one-at-a-time, with signed bytes, as libmemcached has it.
    KETAMA_DIGEST_ONE_AT_A_TIME = 1,
    // SHA-1: its first word, big-endian.
    KETAMA_DIGEST_SHA1 = 2,
    // nginx's chain: the CRC-32 of host, NUL, port and the server's previous point, 0 at first.
    // `name` and `separator` do not matter then.
    KETAMA_DIGEST_CRC32_CHAIN = 3,
} ketama_digest;

// How many digests a server of weight w gets, of n servers whose weights sum to W.
typedef enum {
    // `base`; weights are ignored.
    KETAMA_COUNT_FIXED = 0,
    // base * w.
    KETAMA_COUNT_TIMES_WEIGHT = 1,
    // base * n * w / W, in integers.
    KETAMA_COUNT_INTEGER = 2,
    // libketama's: w / W in single precision, times base and n in double, rounded to single.
    KETAMA_COUNT_LIBKETAMA = 3,
    // libmemcached's: w / W * (4 * base) / 4 * n + 1e-10, each step in single precision.
    KETAMA_COUNT_LIBMEMCACHED = 4,
    // npm hashring's: w / W * base * n in double precision.
    KETAMA_COUNT_HASHRING = 5,
    // dalli's: n * base * w / W, the division in double precision.
    KETAMA_COUNT_DALLI = 6,
} ketama_count;

// What a weight of 0 means.
typedef enum {
    // An error.
    KETAMA_ZERO_WEIGHT_REFUSED = 0,
    // The same as 1.
    KETAMA_ZERO_WEIGHT_COUNTS_ONE = 1,
    // A server without points, which counts among the servers all the same.
    KETAMA_ZERO_WEIGHT_NO_POINTS = 2,
} ketama_zero_weight;

// In which order servers that share a point come.
typedef enum {
    // As they are listed.
    KETAMA_ORDER_LISTED = 0,
    // twemproxy's: by the length of the hashed name, then by its bytes.
    KETAMA_ORDER_BY_NAME_LENGTH = 1,
} ketama_order;

// What becomes of a point that servers share.
typedef enum {
    // All stay, in their order.
    KETAMA_TIES_ALL_KEPT = 0,
    // All stay, and belong to the last.
    KETAMA_TIES_LAST_OWNS_ALL = 1,
    // The first stays.
    KETAMA_TIES_FIRST_KEPT = 2,
    // The last stays.
    KETAMA_TIES_LAST_KEPT = 3,
} ketama_ties;

// How a key's position is computed.
typedef enum {
    // MD5: its first word, little-endian.
    KETAMA_KEY_HASH_MD5 = 0,
    // Jenkins's one-at-a-time, with signed bytes.
    KETAMA_KEY_HASH_ONE_AT_A_TIME = 1,
    // libmemcached's and twemproxy's fnv1a_64: its low 32 bits, with signed bytes; 0 for the empty
    // key.
    KETAMA_KEY_HASH_FNV1A_64 = 2,
    // zlib's CRC-32.
    KETAMA_KEY_HASH_CRC32 = 3,
} ketama_key_hash;

// Which point a key belongs to. Past the last point the first follows, and before the first the
// last.
typedef enum {
    // The first at or after its position.
    KETAMA_LOOKUP_AT_OR_AFTER = 0,
    // The first after its position.
    KETAMA_LOOKUP_AFTER = 1,
    // The last at or before its position.
    KETAMA_LOOKUP_AT_OR_BEFORE = 2,
} ketama_lookup;

// How a ring is made of servers, and keys are found in it.
typedef struct {
    // sizeof(ketama_rules): it tells which fields the caller knows.
    size_t struct_size;
    ketama_name name;
    ketama_digest digest;
    // How many points one digest gives: 1 to 4 with `KETAMA_DIGEST_MD5`, else 1.
    uint32_t points_per_digest;
    // How many digests a server gets.
    ketama_count count;
    // The digests of a server of average weight, or with `KETAMA_COUNT_TIMES_WEIGHT` of weight 1;
    // at least 1.
    uint32_t base;
    ketama_zero_weight zero_weight;
    ketama_order order;
    ketama_ties ties;
    ketama_key_hash key_hash;
    ketama_lookup lookup;
    // What stands between the name and the digest's number, from 0, in the text that is hashed:
    // '-' or ':' in the dialects; any byte is taken.
    uint8_t separator;
} ketama_rules;

// Gives a dialect's rules, to be used as they are or with changes.
//
// `dialect`: whose rules.
// `out`: receives them. `out->struct_size` must be set before; nothing is written on failure.
//
// Returns `KETAMA_OK`, `KETAMA_UNKNOWN_DIALECT`, `KETAMA_INVALID_RULES` where `struct_size` is
// none that this version knows, or `KETAMA_NULL_ARGUMENT`. Any thread may call it at any time.
ketama_status ketama_dialect_rules(ketama_dialect dialect, ketama_rules *out);

// Makes the ring of a list of servers by rules of one's own.
//
// `servers`, `count`, `out`: as for `ketama_ring_new()`.
// `rules`: the rules, with their `struct_size`; they need not live on.
//
// Returns `KETAMA_OK`; `KETAMA_INVALID_RULES` with a text that names the field;
// `KETAMA_NO_POINTS`; or a code of `ketama_ring_new()`. Any thread may call it at any time.
ketama_status ketama_ring_new_custom(const ketama_server *servers,
                                     size_t count,
                                     const ketama_rules *rules,
                                     ketama_ring **out);

/*
 * A ring that follows its file
 *
 * For programs that live longer than their lists of servers. A watch has a current ring;
 * `ketama_watch_poll()` looks at the file, and where it has changed puts a new ring in its place,
 * at once and whole. It is for the program to call, when it likes: there is no hidden thread. Any
 * thread may call any of these functions at any time, but `ketama_watch_free()`, which needs the
 * others to be done with that watch. None waits for another.
 */
// A server definition file and its current ring. Opaque; made by `ketama_watch_new()`.
typedef struct ketama_watch ketama_watch;

// Reads a server definition file as `ketama_ring_from_file()` does, and watches it.
//
// `path`: a string ended by a NUL. A relative one stays with the working folder of this moment.
// `dialect`: whose rules to follow.
// `out`: receives the watch, to be given back with `ketama_watch_free()`; not written on failure.
//
// Returns `KETAMA_OK` or a code of `ketama_ring_from_file()`.
ketama_status ketama_watch_new(const char *path, ketama_dialect dialect, ketama_watch **out);

// Returns the current ring with one more owner, the caller, who is to free it with
// `ketama_ring_free()`; NULL for a NULL watch. It stays as it is when another one takes its place.
// Never waits.
ketama_ring *ketama_watch_ring(const ketama_watch *watch);

// Looks whether the file has changed, which costs a stat(), and if so reads it and makes its ring
// the current one.
//
// Returns `KETAMA_OK`, whether or not there is a new ring: `ketama_watch_ring()` returns another
// one then. A file that lists the same servers keeps the ring. Where the file is gone, cannot be
// read or is wrong, a code of `ketama_ring_from_file()`: then the current ring stays, and the next
// poll tries again.
ketama_status ketama_watch_poll(ketama_watch *watch);

// Gives a watch back. Rings that it handed out live on with their owners. NULL is allowed and does
// nothing.
void ketama_watch_free(ketama_watch *watch);

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
// last change is 20 ms old, and its continua share their points. One that changes while it is read
// is read again. But one that is being written may look like a whole one, since any beginning of a
// list of servers is a list of servers: replace it with rename().
//
// Returns 0 on failure. Where the path leads to no file, an argument is NULL, or there is no
// memory for a continuum, `*contptr` is not written. Where the file cannot be opened, defines no
// server, or has a bad line, it receives a new continuum all the same, which is to be smoked too:
// an empty one, except that a bad line in a file which this process has rolled well before gives
// the last good ring, if a continuum still holds it or it is among the 8 that were used last. So
// let it be NULL before, and smoke what is there after 0: smoking NULL does nothing. One bad line
// refuses the whole file; the text gives its number, where a line of more than 126 bytes counts as
// several.
//
// A file that another process holds a lease on is waited for, for at most a minute.
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
//
// `out`: receives 16 bytes.
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
