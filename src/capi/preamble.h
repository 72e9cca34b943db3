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
