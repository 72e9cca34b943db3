/* Rolls the file that is given, and prints what came of it: the return value, the error text, the points, and where
 * the keys go that stand on stdin, one a line. Compiled once, and run against this library and the original. */
#include <ketama.h>
#include <stdio.h>
#include <string.h>

int main(int argc, char **argv) {
    static char key[4096];
    ketama_continuum c = NULL;
    (void)argc;
    int rolled = ketama_roll(&c, argv[1]);
    printf("rolled %d\nerror %s\n", rolled, ketama_error());
    if (!c)
        return 0;
    printf("points %d\n", c->numpoints);
    mcs *points = c->array;
    for (int i = 0; i < c->numpoints; i++)
        printf("%u %.22s\n", points[i].point, points[i].ip);
    while (rolled && fgets(key, sizeof key, stdin)) {
        key[strcspn(key, "\n")] = '\0';
        mcs *m = ketama_get_server(key, c);
        printf("key %u %td %u %.22s\n", ketama_hashi(key), m - points, m->point, m->ip);
    }
    ketama_smoke(c);
    return 0;
}
