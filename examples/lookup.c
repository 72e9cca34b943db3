/* Maps keys to servers, as a memcached client does: lookup FILE KEYS, where FILE defines the servers and KEYS has a
 * key a line. */
#include <ketama.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SHOWN = 12 };

int main(int argc, char **argv) {
    if (argc != 3) {
        fprintf(stderr, "usage: %s FILE KEYS\n", argv[0]);
        return 2;
    }
    ketama_continuum continuum;
    if (!ketama_roll(&continuum, argv[1])) {
        fprintf(stderr, "%s\n", ketama_error());
        return 1;
    }
    const ketama_ring *ring = ketama_continuum_ring(continuum);
    size_t servers = ketama_ring_server_count(ring);
    size_t points = (size_t)continuum->numpoints;
    size_t *keys_of = calloc(servers, sizeof *keys_of);
    size_t *points_of = calloc(servers, sizeof *points_of);
    ketama_point *list = calloc(points, sizeof *list);
    FILE *file = fopen(argv[2], "r");
    if (!keys_of || !points_of || !list || !file) {
        perror(argv[2]);
        return 1;
    }

    printf("%-40s %10s %10s  %s\n", "key", "position", "point", "server");
    char key[251]; /* memcached's longest key has 250 bytes */
    size_t keys = 0;
    while (fgets(key, sizeof key, file)) {
        key[strcspn(key, "\n")] = '\0';
        if (keys < SHOWN) {
            mcs *m = ketama_get_server(key, continuum);
            printf("%-40s %10u %10u  %s\n", key, ketama_hashi(key), m->point, m->ip);
        }
        keys_of[ketama_ring_find(ring, key, strlen(key))]++;
        keys++;
    }
    fclose(file);

    ketama_ring_points(ring, list, points);
    for (size_t i = 0; i < points; i++)
        points_of[list[i].server]++;
    printf("\n%-20s %7s %7s %7s %14s\n", "server", "weight", "points", "keys", "share of keys");
    for (size_t i = 0; i < servers; i++)
        printf("%-20s %7lu %7zu %7zu %13.1f%%\n", ketama_ring_server_name(ring, i),
               (unsigned long)ketama_ring_server_weight(ring, i), points_of[i], keys_of[i],
               keys ? 100.0 * (double)keys_of[i] / (double)keys : 0.0);

    free(keys_of);
    free(points_of);
    free(list);
    ketama_smoke(continuum);
    return 0;
}
