/* Prints where a million keys go on the ring of the file that is given. Compiled once, and run against
 * this library and the original. */
#include <ketama.h>
#include <stdio.h>

int main(int argc, char **argv) {
    ketama_continuum c;
    (void)argc;
    if (!ketama_roll(&c, argv[1]))
        return 1;
    printf("%s\n", ketama_error());
    for (int i = 0; i < 1000000; i++) {
        char key[16];
        snprintf(key, sizeof key, "%d", i);
        mcs *m = ketama_get_server(key, c);
        printf("%u %u %s\n", ketama_hashi(key), m->point, m->ip);
    }
    ketama_smoke(c);
    return 0;
}
