/* Ten thousand failed rolls of each kind leave no descriptor open and no memory allocated; nor do rings
 * stay once their continua are smoked. */
#define _GNU_SOURCE
#include "descriptors.h"
#include <malloc.h>

static void fail(const char *file) {
    ketama_continuum c = NULL;
    CHECK(ketama_roll(&c, file) == 0);
    ketama_smoke(c);
}

int main(int argc, char **argv) {
    CHECK(argc == 2);
    int rounds = atoi(argv[1]);
    write_file("bad", "a\t10\nb\t20\nc\n");
    write_file("served", "a\t10\nb\t20\n");
    ketama_continuum c;
    CHECK(ketama_roll(&c, "served") == 1);
    write_file("served", "a\t10\nb\t20\nc\n");

    size_t used = 0;
    int open = 0;
    for (int i = 0; i < rounds; i++) {
        fail("bad");
        fail("served");
        fail("missing");
        fail("/dev/null");
        fail("/");
        CHECK(ketama_roll(NULL, "served") == 0);
        /* The first rounds fill the allocator's caches. */
        if (i == 10) {
            open = descriptors();
            used = mallinfo2().uordblks;
        }
    }
    CHECK(descriptors() == open);
    /* Freed memory that the allocator holds back counts as used, but a leak would come to 16 bytes a round. */
    CHECK(mallinfo2().uordblks < used + 50000);
    ketama_smoke(c);

    enum { FILES = 1000 };
    static ketama_continuum held[FILES];
    for (int i = 0; i < FILES; i++) {
        char name[32];
        snprintf(name, sizeof name, "new-%d", i);
        write_file(name, "a\t10\nb\t20\n");
        CHECK(ketama_roll(&held[i], name) == 1);
    }
    for (int i = 0; i < FILES; i++)
        ketama_smoke(held[i]);
    /* One such ring takes about 12 kB. */
    CHECK(mallinfo2().uordblks < used + 500000);
    return 0;
}
