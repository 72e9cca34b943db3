/* Eight threads read a watch's ring through thousands of swaps, and see no answer but those of the two rings. */
#define _GNU_SOURCE
#include "check.h"
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/stat.h>
#include <unistd.h>

enum { READERS = 8, KEYS = 64 };

static ketama_watch *watch;
static const char *const files[] = {"10.0.0.1:11211 100\n10.0.0.2:11211 100\n", "10.0.0.3:11211 50\n10.0.0.1:11211 10\n"};
static char expected[2][KEYS][32];
static char keys[KEYS][16];
static atomic_int is_done;
static atomic_long answers[2];

static void *read_ring(void *unused) {
    while (!atomic_load(&is_done)) {
        ketama_ring *ring = ketama_watch_ring(watch);
        /* Which of the two it is shows in its first server; all of its answers must be that one's. */
        int which = strcmp(ketama_ring_server_name(ring, 0), "10.0.0.1:11211") != 0;
        for (int k = 0; k < KEYS; k++) {
            size_t server = ketama_ring_find(ring, keys[k], strlen(keys[k]));
            CHECK(strcmp(ketama_ring_server_name(ring, server), expected[which][k]) == 0);
        }
        atomic_fetch_add(&answers[which], KEYS);
        ketama_ring_free(ring);
    }
    return unused;
}

static void *keep_polling(void *unused) {
    while (!atomic_load(&is_done))
        ketama_watch_poll(watch);
    return unused;
}

static void replace(int which) {
    write_file("new", files[which]);
    CHECK(rename("new", "servers") == 0);
}

/* Whether the current ring is still the same while the file is wrong. */
static void keeps_its_ring(ketama_status status) {
    ketama_ring *before = ketama_watch_ring(watch);
    CHECK(ketama_watch_poll(watch) == status);
    CHECK(strstr(ketama_last_error(), "(in servers)"));
    ketama_ring *after = ketama_watch_ring(watch);
    CHECK(before == after);
    ketama_ring_free(before);
    ketama_ring_free(after);
}

int main(int argc, char **argv) {
    CHECK(argc == 2);
    int swaps = atoi(argv[1]);
    for (int k = 0; k < KEYS; k++)
        snprintf(keys[k], sizeof keys[k], "key:%d", k);
    for (int which = 0; which < 2; which++) {
        ketama_ring *ring;
        replace(which);
        CHECK(ketama_ring_from_file("servers", KETAMA_LIBMEMCACHED_WEIGHTED, &ring) == KETAMA_OK);
        for (int k = 0; k < KEYS; k++)
            strcpy(expected[which][k], ketama_ring_server_name(ring, ketama_ring_find(ring, keys[k], strlen(keys[k]))));
        ketama_ring_free(ring);
    }
    CHECK(ketama_watch_new("servers", KETAMA_LIBMEMCACHED_WEIGHTED, &watch) == KETAMA_OK);
    pthread_t threads[READERS + 2];
    for (int t = 0; t < READERS; t++)
        CHECK(pthread_create(&threads[t], NULL, read_ring, NULL) == 0);

    ketama_ring *last = ketama_watch_ring(watch);
    for (int i = 0; i < swaps; i++) {
        replace(i % 2);
        CHECK(ketama_watch_poll(watch) == KETAMA_OK);
        ketama_ring *now = ketama_watch_ring(watch);
        CHECK(now != last);
        ketama_ring_free(last);
        last = now;
    }
    /* Both rings were read while they came and went. */
    while (!atomic_load(&answers[0]) || !atomic_load(&answers[1])) {
        replace(atomic_load(&answers[0]) > 0);
        CHECK(ketama_watch_poll(watch) == KETAMA_OK);
    }
    ketama_ring_free(last);

    /* A poll that comes back has seen the file, though other threads poll as well. */
    for (int t = 0; t < 2; t++)
        CHECK(pthread_create(&threads[READERS + t], NULL, keep_polling, NULL) == 0);
    for (int i = 0; i < swaps / 4; i++) {
        replace(i % 2);
        CHECK(ketama_watch_poll(watch) == KETAMA_OK);
        ketama_ring *now = ketama_watch_ring(watch);
        CHECK(strcmp(ketama_ring_server_name(now, 0), i % 2 ? "10.0.0.3:11211" : "10.0.0.1:11211") == 0);
        ketama_ring_free(now);
    }
    atomic_store(&is_done, 1);
    for (int t = 0; t < READERS + 2; t++)
        CHECK(pthread_join(threads[t], NULL) == 0);

    /* The file stays the same one when the working folder changes. */
    CHECK((mkdir("elsewhere", 0777) == 0 || errno == EEXIST) && chdir("elsewhere") == 0);
    CHECK(ketama_watch_poll(watch) == KETAMA_OK);
    CHECK(chdir("..") == 0);

    /* A file that says the same again keeps the ring. */
    replace(1);
    CHECK(ketama_watch_poll(watch) == KETAMA_OK);
    last = ketama_watch_ring(watch);
    replace(1);
    CHECK(ketama_watch_poll(watch) == KETAMA_OK);
    ketama_ring *same = ketama_watch_ring(watch);
    CHECK(same == last);
    ketama_ring_free(same);
    ketama_ring_free(last);

    /* Truncated in the middle of a write, deleted, made unreadable, and good again. */
    write_file("servers", "10.0.0.1:11211 100\n10.0.0.2:11");
    keeps_its_ring(KETAMA_SYNTAX);
    write_file("servers", "");
    keeps_its_ring(KETAMA_NO_SERVERS);
    CHECK(unlink("servers") == 0);
    keeps_its_ring(KETAMA_UNREADABLE);
    CHECK(mkdir("servers", 0777) == 0);
    keeps_its_ring(KETAMA_UNREADABLE);
    CHECK(rmdir("servers") == 0);
    replace(0);
    CHECK(chmod("servers", 0) == 0);
    if (geteuid() == 0) {
        /* Root reads everything, as another user does not. */
        CHECK(seteuid(65534) == 0);
        keeps_its_ring(KETAMA_UNREADABLE);
        CHECK(seteuid(0) == 0);
    } else {
        keeps_its_ring(KETAMA_UNREADABLE);
    }
    CHECK(chmod("servers", 0644) == 0);
    CHECK(ketama_watch_poll(watch) == KETAMA_OK);
    CHECK(strcmp(ketama_last_error(), "") == 0);
    last = ketama_watch_ring(watch);
    CHECK(strcmp(ketama_ring_server_name(last, 0), "10.0.0.1:11211") == 0);

    ketama_watch_free(watch);
    CHECK(ketama_ring_server_count(last) == 2);
    ketama_ring_free(last);
    return 0;
}
