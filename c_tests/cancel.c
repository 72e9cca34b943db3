/* Threads are cancelled while they roll and print, which must neither end the program nor leave the library locked. */
#define _GNU_SOURCE
#include "check.h"
#include <pthread.h>

static void *roll(void *file) {
    for (;;) {
        ketama_continuum c;
        CHECK(ketama_roll(&c, file) == 1);
        ketama_print_continuum(c);
        ketama_smoke(c);
        pthread_testcancel();
    }
    return NULL;
}

static void *read_strictly(void *file) {
    for (;;) {
        ketama_ring *ring;
        ketama_watch *watch;
        CHECK(ketama_ring_from_file(file, KETAMA_LIBKETAMA, &ring) == KETAMA_OK);
        CHECK(ketama_watch_new(file, KETAMA_LIBKETAMA, &watch) == KETAMA_OK);
        CHECK(ketama_watch_poll(watch) == KETAMA_OK);
        ketama_watch_free(watch);
        ketama_ring_free(ring);
        pthread_testcancel();
    }
    return NULL;
}

static void *roll_cancelled(void *file) {
    ketama_continuum c;
    pthread_cancel(pthread_self());
    CHECK(ketama_roll(&c, file) == 1);
    ketama_print_continuum(c);
    ketama_smoke(c);
    return NULL;
}

static void run(void *(*body)(void *), char *file, int cancels) {
    void *result;
    pthread_t thread;
    /* As good as unread, so that the file is opened. */
    write_file(file, "a\t10\n");
    CHECK(pthread_create(&thread, NULL, body, file) == 0);
    if (cancels)
        CHECK(pthread_cancel(thread) == 0);
    CHECK(pthread_join(thread, &result) == 0);
    CHECK(!cancels || result == PTHREAD_CANCELED);
}

int main(int argc, char **argv) {
    CHECK(argc == 2);
    int cancels = atoi(argv[1]);
    char file[] = "file";
    run(roll_cancelled, file, 0);
    for (int i = 0; i < cancels; i++) {
        run(roll, file, 1);
        run(read_strictly, file, 1);
    }
    ketama_continuum c;
    CHECK(ketama_roll(&c, file) == 1);
    ketama_smoke(c);
    return 0;
}
