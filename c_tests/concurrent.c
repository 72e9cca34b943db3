/* Eight threads look up in one ring and one continuum while others roll, smoke, retain and free. */
#define _POSIX_C_SOURCE 200809L
#include "check.h"
#include <pthread.h>
#include <stdatomic.h>

enum { READERS = 8, KEYS = 64 };

static int rounds;
static ketama_continuum shared;
static ketama_ring *ring;
static char keys[KEYS][16];
static mcs *expected[KEYS];
static atomic_int readers = READERS;

static void *read_shared(void *unused) {
    for (int i = 0; i < rounds; i++) {
        int k = i % KEYS;
        mcs *m = ketama_get_server(keys[k], shared);
        CHECK(m == expected[k]);
        size_t server = ketama_ring_find(ring, keys[k], strlen(keys[k]));
        CHECK(strcmp(ketama_ring_server_name(ring, server), m->ip) == 0);
    }
    atomic_fetch_sub(&readers, 1);
    return unused;
}

static void *roll_and_smoke(void *file) {
    do {
        ketama_continuum c, other, none = NULL;
        CHECK(ketama_roll(&c, file) == 1);
        CHECK(ketama_roll(&other, "other") == 1);
        CHECK(ketama_roll(&none, "missing") == 0);
        CHECK(strcmp(ketama_error(), "Invalid filename specified: missing") == 0);
        ketama_ring *kept = ketama_ring_retain(ketama_continuum_ring(c));
        CHECK(strcmp(ketama_get_server(keys[0], c)->ip, expected[0]->ip) == 0);
        CHECK(strcmp(ketama_get_server(keys[0], other)->ip, "b") == 0);
        ketama_smoke(c);
        CHECK(ketama_ring_find(kept, keys[0], strlen(keys[0])) < 8);
        ketama_ring_free(kept);
        ketama_smoke(other);
    } while (atomic_load(&readers) > 0);
    return NULL;
}

/* Changes a file all the time, so that rolls of it build new rings. */
static void *rewrite(void *unused) {
    for (int weight = 10; atomic_load(&readers) > 0; weight++) {
        char text[32];
        snprintf(text, sizeof text, "b\t%d\n", weight);
        write_file("new", text);
        CHECK(rename("new", "other") == 0);
    }
    return unused;
}

int main(int argc, char **argv) {
    CHECK(argc == 3);
    rounds = atoi(argv[2]);
    write_file("other", "b\t10\n");
    CHECK(ketama_roll(&shared, argv[1]) == 1);
    ring = ketama_ring_retain(ketama_continuum_ring(shared));
    for (int k = 0; k < KEYS; k++) {
        snprintf(keys[k], sizeof keys[k], "key:%d", k);
        expected[k] = ketama_get_server(keys[k], shared);
    }
    pthread_t threads[READERS + 3];
    for (int t = 0; t < READERS; t++)
        CHECK(pthread_create(&threads[t], NULL, read_shared, NULL) == 0);
    CHECK(pthread_create(&threads[READERS], NULL, roll_and_smoke, argv[1]) == 0);
    CHECK(pthread_create(&threads[READERS + 1], NULL, roll_and_smoke, argv[1]) == 0);
    CHECK(pthread_create(&threads[READERS + 2], NULL, rewrite, NULL) == 0);
    for (int t = 0; t < READERS + 3; t++)
        CHECK(pthread_join(threads[t], NULL) == 0);
    ketama_ring_free(ring);
    ketama_smoke(shared);
    return 0;
}
