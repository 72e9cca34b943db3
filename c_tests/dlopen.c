/* Loads the library by its soname, and closes it while a thread that used it is still alive. */
#define _POSIX_C_SOURCE 200809L
#include <dlfcn.h>
#include <ketama.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CHECK(condition)                                                                           \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            fprintf(stderr, "%s:%d: not true: %s\n", __FILE__, __LINE__, #condition);              \
            exit(1);                                                                               \
        }                                                                                          \
    } while (0)

static void *library;
static const char *servers;
static pthread_barrier_t used, closed;

static void *symbol(const char *name) {
    void *found = dlsym(library, name);
    CHECK(found);
    return found;
}

static void *use(void *unused) {
    int (*roll)(ketama_continuum *, const char *);
    char *(*error)(void);
    void (*smoke)(ketama_continuum);
    *(void **)&roll = symbol("ketama_roll");
    *(void **)&error = symbol("ketama_error");
    *(void **)&smoke = symbol("ketama_smoke");

    ketama_continuum c;
    CHECK(roll(&c, servers) == 1);
    smoke(c);
    CHECK(roll(&c, "/nowhere") == 0);
    const char *text = error();
    pthread_barrier_wait(&used);
    pthread_barrier_wait(&closed);
    CHECK(strcmp(text, "Invalid filename specified: /nowhere") == 0);
    return unused;
}

int main(int argc, char **argv) {
    CHECK(argc == 2);
    servers = argv[1];
    library = dlopen("libketama.so.1", RTLD_NOW | RTLD_LOCAL);
    CHECK(library);
    pthread_t thread;
    pthread_barrier_init(&used, NULL, 2);
    pthread_barrier_init(&closed, NULL, 2);
    CHECK(pthread_create(&thread, NULL, use, NULL) == 0);
    pthread_barrier_wait(&used);
    CHECK(dlclose(library) == 0);
    pthread_barrier_wait(&closed);
    CHECK(pthread_join(thread, NULL) == 0);
    return 0;
}
