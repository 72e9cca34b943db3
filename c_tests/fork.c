/* Children forked while other threads look up and roll can themselves look up, roll and smoke. One is forked while a
 * thread holds the library's lock: this program stands between the library and pthread_mutex_unlock(). */
#define _GNU_SOURCE
#include "check.h"
#include <dlfcn.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/wait.h>
#include <unistd.h>

enum { THREADS = 4 };

static ketama_continuum shared;
static mcs *expected;
static atomic_int is_done;

static __thread int holds_on;
static pthread_barrier_t is_held, is_forked;

int pthread_mutex_unlock(pthread_mutex_t *mutex) {
    static int (*next)(pthread_mutex_t *);
    if (holds_on) {
        holds_on = 0;
        pthread_barrier_wait(&is_held);
        pthread_barrier_wait(&is_forked);
    }
    if (!next)
        *(void **)&next = dlsym(RTLD_NEXT, "pthread_mutex_unlock");
    return next(mutex);
}

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

static void *roll_slowly(void *file) {
    ketama_continuum c;
    holds_on = 1;
    CHECK(ketama_roll(&c, file) == 1);
    CHECK(!holds_on);
    ketama_smoke(c);
    return NULL;
}

/* Forks a child that uses everything, and has it do the same. */
static pid_t fork_user(const char *file, int generations) {
    pid_t child = fork();
    CHECK(child >= 0);
    if (child > 0)
        return child;
    /* Ends a child that waits for a lock which nobody will release. */
    alarm(60);
    use(file);
    if (generations > 1) {
        int status;
        pid_t grandchild = fork_user(file, generations - 1);
        CHECK(waitpid(grandchild, &status, 0) == grandchild && status == 0);
    }
    ketama_smoke(shared);
    _exit(0);
}

int main(int argc, char **argv) {
    int status;
    pid_t child;
    CHECK(argc == 3);
    int forks = atoi(argv[2]);
    write_file("bad", "a\n");
    CHECK(ketama_roll(&shared, argv[1]) == 1);
    expected = ketama_get_server("foo", shared);

    pthread_t threads[THREADS];
    pthread_barrier_init(&is_held, NULL, 2);
    pthread_barrier_init(&is_forked, NULL, 2);
    CHECK(pthread_create(&threads[0], NULL, roll_slowly, argv[1]) == 0);
    pthread_barrier_wait(&is_held);
    child = fork_user(argv[1], 2);
    CHECK(waitpid(child, &status, 0) == child && status == 0);
    pthread_barrier_wait(&is_forked);
    CHECK(pthread_join(threads[0], NULL) == 0);

    for (int t = 0; t < THREADS; t++)
        CHECK(pthread_create(&threads[t], NULL, keep_using, argv[1]) == 0);
    for (int i = 0; i < forks; i++) {
        child = fork_user(argv[1], 2);
        CHECK(waitpid(child, &status, 0) == child && status == 0);
    }
    atomic_store(&is_done, 1);
    for (int t = 0; t < THREADS; t++)
        CHECK(pthread_join(threads[t], NULL) == 0);
    ketama_smoke(shared);
    return 0;
}
