/* Children forked while other threads look up and roll can themselves look up, roll and smoke. */
#define _POSIX_C_SOURCE 200809L
#include "check.h"
#include <pthread.h>
#include <stdatomic.h>
#include <sys/wait.h>
#include <unistd.h>

enum { THREADS = 4, FORKS = 300 };

static ketama_continuum shared;
static mcs *expected;
static atomic_int is_done;

static void use(const char *file) {
    ketama_continuum c, bad = NULL;
    CHECK(ketama_get_server("foo", shared) == expected);
    CHECK(ketama_roll(&c, file) == 1);
    CHECK(strcmp(ketama_get_server("foo", c)->ip, expected->ip) == 0);
    CHECK(ketama_roll(&bad, "bad") == 0);
    ketama_smoke(bad);
    ketama_smoke(c);
}

static void *keep_using(void *file) {
    while (!atomic_load(&is_done))
        use(file);
    return NULL;
}

int main(int argc, char **argv) {
    CHECK(argc == 2);
    write_file("bad", "a\n");
    CHECK(ketama_roll(&shared, argv[1]) == 1);
    expected = ketama_get_server("foo", shared);
    pthread_t threads[THREADS];
    for (int t = 0; t < THREADS; t++)
        CHECK(pthread_create(&threads[t], NULL, keep_using, argv[1]) == 0);
    for (int i = 0; i < FORKS; i++) {
        pid_t child = fork();
        CHECK(child >= 0);
        if (child == 0) {
            /* Ends a child that waits for a lock which nobody holds. */
            alarm(120);
            use(argv[1]);
            pid_t grandchild = fork();
            if (grandchild == 0) {
                alarm(120);
                use(argv[1]);
                ketama_smoke(shared);
                _exit(0);
            }
            int status;
            CHECK(waitpid(grandchild, &status, 0) == grandchild && status == 0);
            ketama_smoke(shared);
            _exit(0);
        }
        int status;
        CHECK(waitpid(child, &status, 0) == child && status == 0);
    }
    atomic_store(&is_done, 1);
    for (int t = 0; t < THREADS; t++)
        CHECK(pthread_join(threads[t], NULL) == 0);
    ketama_smoke(shared);
    return 0;
}
