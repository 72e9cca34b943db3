/* Versions of a server definition file, of which a ring shows whether it has one whole, the beginning of one, or parts
 * of several. */
#ifndef VERSIONS_H
#define VERSIONS_H

#include "check.h"

enum { MAX_SERVERS = 999, VERSION_SIZE = MAX_SERVERS * 19 + 1 };

static inline int weight_in(int number, int server) { return 100 + (7 * number + server) % 900; }

/* A version's text: each line has its number and how many servers it lists. */
static inline char *version(char text[VERSION_SIZE], int number, int servers) {
    int len = 0;
    for (int i = 0; i < servers; i++)
        len += sprintf(text + len, "v%05d-%03d/%03d\t%d\n", number, i, servers, weight_in(number, i));
    return text;
}

/* The number of the version whose first servers a ring has, and whether these are all. Where the last byte that the file
 * had was in the last weight, that is a beginning of it. -1 for anything else. */
static inline int version_of(const ketama_ring *ring, int *is_whole) {
    int number, servers, count = (int)ketama_ring_server_count(ring);
    if (sscanf(ketama_ring_server_name(ring, 0), "v%5d-000/%3d", &number, &servers) != 2 || count > servers)
        return -1;
    *is_whole = count == servers;
    for (int i = 0; i < count; i++) {
        char name[32];
        uint64_t weight = weight_in(number, i), found = ketama_ring_server_weight(ring, i);
        sprintf(name, "v%05d-%03d/%03d", number, i, servers);
        if (strcmp(ketama_ring_server_name(ring, i), name) != 0)
            return -1;
        if (found != weight) {
            if (i != count - 1 || (found != weight / 10 && found != weight / 100))
                return -1;
            *is_whole = 0;
        }
    }
    return number;
}

#endif
