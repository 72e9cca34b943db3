/* The layout of the original's structures, and the types of its functions. */
#include "check.h"
#include <stddef.h>
#include <time.h>

/* Assigned, not cast: the types are the original's, but for const behind the pointers that are only read. */
static int (*roll)(ketama_continuum *, const char *) = ketama_roll;
static void (*smoke)(ketama_continuum) = ketama_smoke;
static mcs *(*get_server)(const char *, ketama_continuum) = ketama_get_server;
static void (*print_continuum)(ketama_continuum) = ketama_print_continuum;
static int (*compare)(const mcs *, const mcs *) = ketama_compare;
static unsigned int (*hashi)(const char *) = ketama_hashi;
static void (*md5_digest)(const char *, unsigned char[16]) = ketama_md5_digest;
static char *(*error)(void) = ketama_error;

int main(int argc, char **argv) {
    CHECK(argc == 2);
    CHECK(sizeof(mcs) == 28);
    CHECK(offsetof(mcs, point) == 0 && sizeof(((mcs *)0)->point) == 4);
    CHECK(offsetof(mcs, ip) == 4 && sizeof(((mcs *)0)->ip) == 22);
    CHECK(sizeof(serverinfo) == 32);
    CHECK(offsetof(serverinfo, addr) == 0 && sizeof(((serverinfo *)0)->addr) == 22);
    CHECK(offsetof(serverinfo, memory) == 24 && sizeof(((serverinfo *)0)->memory) == 8);
    CHECK(sizeof(continuum) == 24);
    CHECK(offsetof(continuum, numpoints) == 0 && sizeof(((continuum *)0)->numpoints) == 4);
    CHECK(offsetof(continuum, modtime) == 8);
    CHECK(offsetof(continuum, array) == 16);

    ketama_continuum c;
    CHECK(roll(&c, argv[1]) == 1);
    CHECK(strcmp(error(), "") == 0);
    CHECK(c->numpoints == 1264);
    CHECK(*(time_t *)c->modtime > 0);
    mcs *m = get_server("foo", c);
    CHECK(m >= (mcs *)c->array && m < (mcs *)c->array + c->numpoints);
    CHECK(hashi("foo") <= m->point && (m == c->array || m[-1].point < hashi("foo")));

    /* A program may sort a copy of the points with the library's comparison. */
    mcs copy[2] = {((mcs *)c->array)[1], ((mcs *)c->array)[0]};
    qsort(copy, 2, sizeof *copy, (compfn)ketama_compare);
    CHECK(copy[0].point == ((mcs *)c->array)[0].point);
    CHECK(compare(&copy[0], &copy[1]) == -1 && compare(&copy[1], &copy[0]) == 1);
    CHECK(compare(&copy[0], &copy[0]) == 0);
    copy[0].point = 0, copy[1].point = 0xffffffff; /* unsigned */
    CHECK(compare(&copy[0], &copy[1]) == -1 && compare(&copy[1], &copy[0]) == 1);

    unsigned char digest[16];
    md5_digest("abc", digest);
    CHECK(memcmp(digest, "\x90\x01\x50\x98\x3c\xd2\x4f\xb0\xd6\x96\x3f\x7d\x28\xe1\x7f\x72", 16) == 0);
    CHECK(hashi("abc") == 0x98500190);

    /* A copy of a continuum works as long as the continuum does. */
    continuum copied = *c;
    CHECK(get_server("foo", &copied) == m);

    printf("the continuum follows\n");
    print_continuum(c);
    printf("that was it\n");
    smoke(c);
    return 0;
}
