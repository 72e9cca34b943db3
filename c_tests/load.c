/* Eight threads look up, roll, smoke, watch and replace files at random, for so many seconds. Each answer is a version
 * of a file as a whole, and nothing is left. The working folder is the test's.
 *
 * usage: load SECONDS SEED */
#define _GNU_SOURCE
#include "remains.h"
#include "versions.h"
#include <fcntl.h>
#include <pthread.h>
#include <stdint.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { THREADS = 8, FILES = 6, WATCHES = 3, HELD = 4 };

static uint64_t seed;
static atomic_int is_done, next_version = 1;
/* Read by all threads: a watch of each of the first files, and continua that come and go. */
static ketama_watch *watches[WATCHES];
static struct {
    pthread_mutex_t lock;
    ketama_continuum c;
} board[HELD];

static const char *const NAMES[] = {"keys", "smokes", "rolls", "rolls refused", "polls", "replaced files",
                                    "rings of lists", "comparisons"};
enum { LOOKED_UP, SMOKED, ROLLED, REFUSED, POLLED, REPLACED, MADE, COMPARED, COUNTERS };
static atomic_long counters[COUNTERS];

typedef struct {
    pthread_t thread;
    uint64_t state;
    int number;
    ketama_continuum held[HELD];
    char text[VERSION_SIZE];
} worker;

static uint64_t below(worker *w, uint64_t limit) {
    w->state += 0x9e3779b97f4a7c15;
    uint64_t z = (w->state ^ (w->state >> 30)) * 0xbf58476d1ce4e5b9;
    z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
    return (z ^ (z >> 31)) % limit;
}

static void file_name(char name[16], int file) { sprintf(name, "file-%d", file); }

static void replace(worker *w, int file, int number, int servers) {
    char new[16], name[16];
    sprintf(new, "new-%d", w->number);
    file_name(name, file);
    write_file(new, version(w->text, number, servers));
    CHECK(rename(new, name) == 0);
    atomic_fetch_add(&counters[REPLACED], 1);
}

static void replace_any(worker *w) {
    int servers = 1 + (int)below(w, below(w, 20) ? 40 : MAX_SERVERS);
    replace(w, (int)below(w, FILES), atomic_fetch_add(&next_version, 1) % 100000, servers);
}

/* Looks keys up in every way, and checks the ways against each other. */
static void look_up(worker *w, const ketama_ring *ring, ketama_continuum c) {
    enum { KEYS = 100 };
    char texts[KEYS][32];
    ketama_key keys[KEYS];
    uint32_t found[KEYS];
    int is_whole;
    CHECK(version_of(ring, &is_whole) > 0 && is_whole);
    for (int k = 0; k < KEYS; k++) {
        int len = sprintf(texts[k], "key:%llu", (unsigned long long)below(w, 1000000));
        keys[k] = (ketama_key){texts[k], (size_t)len};
    }
    CHECK(ketama_ring_find_many(ring, keys, KEYS, found) == KETAMA_OK);
    for (int k = 0; k < KEYS; k++) {
        CHECK(ketama_ring_find(ring, keys[k].data, keys[k].len) == found[k]);
        if (c)
            CHECK(strcmp(ketama_get_server(texts[k], c)->ip, ketama_ring_server_name(ring, found[k])) == 0);
    }
    atomic_fetch_add(&counters[LOOKED_UP], KEYS * (c ? 3 : 2));
}

static void smoke(ketama_continuum *c) {
    ketama_smoke(*c);
    *c = NULL;
    atomic_fetch_add(&counters[SMOKED], 1);
}

static void roll(worker *w) {
    char name[16];
    ketama_continuum c = NULL;
    file_name(name, (int)below(w, FILES));
    CHECK(ketama_roll(&c, name) == 1 && strcmp(ketama_error(), "") == 0);
    look_up(w, ketama_continuum_ring(c), c);
    ketama_continuum *place = &w->held[below(w, HELD)];
    smoke(place);
    *place = c;
    atomic_fetch_add(&counters[ROLLED], 1);
}

static void fail_to_roll(worker *w) {
    static const char *const names[] = {"missing", "bad", ".", "empty"};
    static const char *const texts[] = {"Invalid filename specified: missing", "Weight is not a number (line 2 in bad)",
                                        "No valid server definitions in file .",
                                        "No valid server definitions in file empty"};
    int i = (int)below(w, 4);
    ketama_continuum c = NULL;
    CHECK(ketama_roll(&c, names[i]) == 0 && strcmp(ketama_error(), texts[i]) == 0);
    CHECK((c == NULL) == (i == 0));
    ketama_smoke(c);
    atomic_fetch_add(&counters[REFUSED], 1);
}

static void poll_watch(worker *w) {
    ketama_watch *watch = watches[below(w, WATCHES)];
    if (below(w, 4) == 0)
        CHECK(ketama_watch_poll(watch) == KETAMA_OK);
    ketama_ring *ring = ketama_watch_ring(watch);
    look_up(w, ring, NULL);
    ketama_ring_free(ring);
    atomic_fetch_add(&counters[POLLED], 1);
}

/* Swaps a continuum of its own with one that others look up in, of which it may smoke the one it gets. */
static void swap(worker *w) {
    size_t place = below(w, HELD), mine = below(w, HELD);
    CHECK(pthread_mutex_lock(&board[place].lock) == 0);
    ketama_continuum theirs = board[place].c;
    board[place].c = w->held[mine];
    if (board[place].c)
        look_up(w, ketama_continuum_ring(board[place].c), board[place].c);
    CHECK(pthread_mutex_unlock(&board[place].lock) == 0);
    w->held[mine] = theirs;
}

static void make_ring(worker *w) {
    enum { COUNT = 20 };
    char names[COUNT][16];
    ketama_server servers[COUNT];
    ketama_ring *ring, *less;
    double moved;
    for (int i = 0; i < COUNT; i++) {
        sprintf(names[i], "10.0.0.%d:11211", i);
        servers[i] = (ketama_server){names[i], 1 + below(w, 5)};
    }
    CHECK(ketama_ring_new(servers, COUNT, (ketama_dialect)below(w, 12), &ring) == KETAMA_OK);
    CHECK(ketama_ring_without_server(ring, names[below(w, COUNT)], &less) == KETAMA_OK);
    CHECK(ketama_ring_compare(ring, less, NULL, 0, NULL, &moved) == KETAMA_OK && moved > 0 && moved < 1);
    ketama_ring_free(ring);
    ketama_ring_free(less);
    atomic_fetch_add(&counters[MADE], 2);
    atomic_fetch_add(&counters[COMPARED], 1);
}

static void *work(void *argument) {
    worker *w = argument;
    while (!atomic_load(&is_done)) {
        uint64_t what = below(w, 100);
        ketama_continuum c = w->held[below(w, HELD)];
        if (what < 40) {
            if (c)
                look_up(w, ketama_continuum_ring(c), c);
        } else if (what < 60) {
            roll(w);
        } else if (what < 65) {
            smoke(&w->held[below(w, HELD)]);
        } else if (what < 70) {
            fail_to_roll(w);
        } else if (what < 85) {
            poll_watch(w);
        } else if (what < 90) {
            replace_any(w);
        } else if (what < 97) {
            swap(w);
        } else {
            make_ring(w);
        }
    }
    for (int i = 0; i < HELD; i++)
        ketama_smoke(w->held[i]);
    return NULL;
}

/* Runs all threads for a time, brings everything to the same state, and says what the program holds then. */
static remains run(double seconds, int round) {
    static worker workers[THREADS];
    struct timespec time = {(time_t)seconds, (long)(seconds * 1e9) % 1000000000};
    atomic_store(&is_done, 0);
    for (int t = 0; t < THREADS; t++) {
        workers[t] = (worker){.state = seed * 1000003 + (uint64_t)(round * THREADS + t), .number = t};
        CHECK(pthread_create(&workers[t].thread, NULL, work, &workers[t]) == 0);
    }
    CHECK(nanosleep(&time, NULL) == 0);
    atomic_store(&is_done, 1);
    for (int t = 0; t < THREADS; t++)
        CHECK(pthread_join(workers[t].thread, NULL) == 0);
    for (int i = 0; i < HELD; i++) {
        ketama_smoke(board[i].c);
        board[i].c = NULL;
    }
    for (int file = 0; file < FILES; file++) {
        char name[16];
        ketama_continuum c;
        replace(workers, file, 1, 10);
        file_name(name, file);
        CHECK(ketama_roll(&c, name) == 1);
        ketama_smoke(c);
    }
    for (int i = 0; i < WATCHES; i++)
        CHECK(ketama_watch_poll(watches[i]) == KETAMA_OK);
    return remaining();
}

int main(int argc, char **argv) {
    CHECK(argc == 3);
    double seconds = atof(argv[1]);
    seed = strtoull(argv[2], NULL, 10);
    alarm((unsigned)seconds + 600);
    write_file("empty", "# none\n");
    write_file("bad", "10.0.0.1:11211\t100\n10.0.0.2:11211\tmuch\n");
    for (int file = 0; file < FILES; file++) {
        char name[16], text[VERSION_SIZE];
        file_name(name, file);
        write_file(name, version(text, 1, 10));
        if (file < WATCHES)
            CHECK(ketama_watch_new(name, KETAMA_LIBKETAMA, &watches[file]) == KETAMA_OK);
    }
    for (int i = 0; i < HELD; i++)
        CHECK(pthread_mutex_init(&board[i].lock, NULL) == 0);

    /* The first second makes what is kept for good. */
    run(0.5, 0);
    remains before = run(0.5, 1), after = run(seconds - 1, 2);
    CHECK(are_same(before, after));
    for (int i = 0; i < WATCHES; i++)
        ketama_watch_free(watches[i]);

    printf("load: seed %llu, %d threads, %.0f s:", (unsigned long long)seed, THREADS, seconds);
    for (int i = 0; i < COUNTERS; i++) {
        CHECK(atomic_load(&counters[i]) > 0);
        printf("%s %ld %s", i ? "," : "", atomic_load(&counters[i]), NAMES[i]);
    }
    printf("; %ld blocks of memory before, %ld after\n", before.blocks, after.blocks);
    return 0;
}
