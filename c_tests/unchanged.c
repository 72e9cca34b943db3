/* Rolling an unchanged file costs one stat and one allocation, continua of one file share their points, and smoking
 * allocates nothing, however many files are held. This program stands between the library and the C library, and
 * counts. */
#define _GNU_SOURCE
#include "check.h"
#include <dlfcn.h>
#include <fcntl.h>
#include <stdarg.h>
#include <sys/stat.h>

extern void *__libc_malloc(size_t);
extern void *__libc_calloc(size_t, size_t);
extern void *__libc_realloc(void *, size_t);

static int allocations, opens, stats;

void *malloc(size_t size) {
    allocations++;
    return __libc_malloc(size);
}

void *calloc(size_t count, size_t size) {
    allocations++;
    return __libc_calloc(count, size);
}

void *realloc(void *memory, size_t size) {
    allocations++;
    return __libc_realloc(memory, size);
}

int open64(const char *path, int flags, ...) {
    static int (*next)(const char *, int, int);
    *(void **)&next = dlsym(RTLD_NEXT, "open64");
    opens++;
    return next(path, flags, 0666);
}

int statx(int folder, const char *restrict path, int flags, unsigned mask, struct statx *restrict out) {
    static int (*next)(int, const char *, int, unsigned, struct statx *);
    *(void **)&next = dlsym(RTLD_NEXT, "statx");
    stats++;
    return next(folder, path, flags, mask, out);
}

/* The opens of one roll of this file. */
static int roll(const char *file, ketama_continuum *c) {
    int allocations_before = allocations, opens_before = opens, stats_before = stats;
    CHECK(ketama_roll(c, file) == 1);
    int roll_allocations = allocations - allocations_before, roll_stats = stats - stats_before;
    if (opens == opens_before) {
        CHECK(roll_allocations == 1);
        CHECK(roll_stats == 1);
    }
    return opens - opens_before;
}

int main(void) {
    enum { MANY = 1000 };
    static ketama_continuum c[MANY];
    ketama_continuum first, again;

    write_file("file", "10.0.0.1:11211\t100\n10.0.0.2:11211\t100\n");
    CHECK(roll("file", &first) == 1);
    /* A file that has only just changed is read again, since a further change within the tick of the file system's
     * clock would not show. It still gives the same points, and soon enough one stat tells. */
    while (roll("file", &again)) {
        CHECK(again->array == first->array);
        ketama_smoke(again);
    }
    CHECK(again->array == first->array);
    for (int i = 0; i < MANY; i++) {
        CHECK(roll("file", &c[i]) == 0);
        CHECK(c[i]->array == first->array);
    }
    for (int i = 0; i < MANY; i++)
        ketama_smoke(c[i]);
    ketama_smoke(first);
    CHECK(ketama_get_server("foo", again));
    ketama_smoke(again);

    /* The rings of the eight files rolled last are kept for the next roll. */
    CHECK(roll("file", &again) == 0);
    ketama_smoke(again);
    for (int i = 0; i < 8; i++) {
        char name[32];
        snprintf(name, sizeof name, "file-%d", i);
        write_file(name, "10.0.0.1:11211\t100\n");
        CHECK(roll(name, &again) == 1);
        ketama_smoke(again);
        if (i < 7) {
            CHECK(roll("file", &again) == 0);
            ketama_smoke(again);
        }
    }
    CHECK(roll("file", &again) == 0);
    ketama_smoke(again);
    CHECK(roll("file-0", &again) == 1);
    ketama_smoke(again);

    for (int i = 0; i < MANY; i++) {
        char name[32];
        snprintf(name, sizeof name, "held-%d", i);
        write_file(name, "10.0.0.1:11211\t100\n");
        CHECK(roll(name, &c[i]) == 1);
    }
    int allocations_before = allocations;
    for (int i = 0; i < MANY; i++)
        ketama_smoke(c[i]);
    CHECK(allocations == allocations_before);
    return 0;
}
