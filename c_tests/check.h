/* What the C tests share: a check that names its place, and files with a given content. */
#ifndef CHECK_H
#define CHECK_H

#include <ketama.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CHECK(condition)                                                                           \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            fprintf(stderr, "%s:%d: not true: %s; error: %s\n", __FILE__, __LINE__, #condition,    \
                    ketama_error());                                                               \
            exit(1);                                                                               \
        }                                                                                          \
    } while (0)

static inline void write_file(const char *path, const char *text) {
    FILE *file = fopen(path, "w");
    CHECK(file);
    CHECK(fputs(text, file) >= 0);
    CHECK(fclose(file) == 0);
}

#endif
