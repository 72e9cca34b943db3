/* Finds the servers of keys with libketama's own functions.
 *
 *     cc lookup.c $(pkg-config --cflags --libs ketama) -o lookup
 *     ./lookup ../ketama.servers < ../keys.txt
 */
#define _POSIX_C_SOURCE 200809L /* getline() */
#include <ketama.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>

/* A name may take all of ip. The NUL then stands in the padding behind it, or with the original
 * nowhere: ip is to be read to its end at most, and a copy as a string needs 23 bytes. */
enum { MAX_NAME = sizeof ((mcs *)0)->ip };

int main(int argc, char **argv) {
    if (argc != 2) {
        fprintf(stderr, "usage: lookup FILE < KEYS\n");
        return 2;
    }
    ketama_continuum continuum = NULL;
    if (!ketama_roll(&continuum, argv[1])) {
        fprintf(stderr, "%s\n", ketama_error());
        ketama_smoke(continuum); /* a file with a bad line leaves one too */
        return 1;
    }
    int count = continuum->numpoints;
    printf("%d points\n", count);

    char *key = NULL;
    size_t capacity = 0;
    ssize_t length;
    while ((length = getline(&key, &capacity, stdin)) > 0) {
        if (key[length - 1] == '\n')
            key[length - 1] = '\0';
        const mcs *m = ketama_get_server(key, continuum);
        printf("%s\t%u\t%u\t%.*s\n", key, ketama_hashi(key), m->point, MAX_NAME, m->ip);
    }
    free(key);

    const mcs *points = continuum->array;
    const char **names = calloc((size_t)count, sizeof *names);
    int *points_of = calloc((size_t)count, sizeof *points_of);
    if (!names || !points_of) {
        perror("lookup");
        return 1;
    }
    int servers = 0;
    for (int i = 0; i < count; i++) {
        const char *name = points[i].ip;
        int server = 0;
        while (server < servers && strncmp(names[server], name, MAX_NAME) != 0)
            server++;
        if (server == servers)
            names[servers++] = name;
        points_of[server]++;
    }
    for (int i = 0; i < servers; i++)
        printf("%.*s\t%d\n", MAX_NAME, names[i], points_of[i]);
    free(names);
    free(points_of);
    ketama_smoke(continuum); /* with it go the points and the names in them */
    return 0;
}
