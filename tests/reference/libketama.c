/*
 * The original libketama as a libketama.so.1: a front to the compiled extension of the PyPI package `ketama`,
 * which is the original's C code around a Python interface. No interpreter runs: of Python, the code behind
 * these functions uses PyMem_Malloc and PyMem_Free alone.
 *
 * Built with -DEXTENSION="path of the extension". Programs linked to it are to treat it as they would the
 * original, except that the System V objects which a program causes are removed when it ends.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ipc.h>
#include <sys/sem.h>
#include <sys/shm.h>

typedef struct {
    int numpoints;
    void *modtime;
    void *array;
} continuum;

/* The package's functions take a length where the original's end a string by a NUL. */
static int (*roll)(continuum **, char *);
static void (*smoke)(continuum *);
static void *(*get_server)(char *, continuum *, size_t);
static void (*print_continuum)(continuum *);
static int (*compare)(void *, void *);
static unsigned int (*hashi)(char *, size_t);
static void (*md5_digest)(char *, size_t, unsigned char *);
static char *(*error)(void);

/* What the extension wants of the interpreter when it is loaded. */
void *PyExc_ValueError, *PyExc_RuntimeError;
void *PyMem_Malloc(size_t size) { return malloc(size); }
void PyMem_Free(void *memory) { free(memory); }

/* The object behind a file's key, each with its id, so that no others are ever removed. */
static struct { int shm, sem; } *caused;
static size_t caused_count;

static void *symbol(void *extension, const char *name) {
    void *found = dlsym(extension, name);
    if (!found) {
        fprintf(stderr, "reference: %s\n", dlerror());
        exit(2);
    }
    return found;
}

__attribute__((constructor)) static void load(void) {
    /* The extension is to find Python's functions here, also where dlopen() brought this library in. */
    Dl_info self;
    if (dladdr(&PyExc_ValueError, &self))
        dlopen(self.dli_fname, RTLD_NOW | RTLD_NOLOAD | RTLD_GLOBAL);
    /* DEEPBIND: its calls of ketama_hashi and others must not come back to this file. */
    void *extension = dlopen(EXTENSION, RTLD_LAZY | RTLD_LOCAL | RTLD_DEEPBIND);
    if (!extension) {
        fprintf(stderr, "reference: %s\n", dlerror());
        exit(2);
    }
    *(void **)&roll = symbol(extension, "ketama_roll");
    *(void **)&smoke = symbol(extension, "ketama_smoke");
    *(void **)&get_server = symbol(extension, "ketama_get_server");
    *(void **)&print_continuum = symbol(extension, "ketama_print_continuum");
    *(void **)&compare = symbol(extension, "ketama_compare");
    *(void **)&hashi = symbol(extension, "ketama_hashi");
    *(void **)&md5_digest = symbol(extension, "ketama_md5_digest");
    *(void **)&error = symbol(extension, "ketama_error");
}

__attribute__((destructor)) static void remove_caused(void) {
    for (size_t i = 0; i < caused_count; i++) {
        if (caused[i].shm != -1)
            shmctl(caused[i].shm, IPC_RMID, NULL);
        if (caused[i].sem != -1)
            semctl(caused[i].sem, 0, IPC_RMID);
    }
    free(caused);
}

/* Whether a System V object of another program sits on this key: the original would trust what it holds. */
static int is_foreign(int shm, int sem) {
    for (size_t i = 0; i < caused_count; i++)
        if ((shm == -1 || caused[i].shm == shm) && (sem == -1 || caused[i].sem == sem))
            return 0;
    return shm != -1 || sem != -1;
}

int ketama_roll(continuum **contptr, char *filename) {
    key_t key = ftok(filename, 'R');
    if (key == -1)
        return roll(contptr, filename);
    if (is_foreign(shmget(key, 0, 0), semget(key, 0, 0))) {
        fprintf(stderr, "reference: System V key %x is taken\n", (unsigned)key);
        exit(75);
    }
    int rolled = roll(contptr, filename);
    caused = realloc(caused, (caused_count + 1) * sizeof *caused);
    if (!caused)
        abort();
    caused[caused_count].shm = shmget(key, 0, 0);
    caused[caused_count].sem = semget(key, 0, 0);
    caused_count++;
    return rolled;
}

void ketama_smoke(continuum *c) { smoke(c); }
void *ketama_get_server(char *key, continuum *c) { return get_server(key, c, strlen(key)); }
void ketama_print_continuum(continuum *c) { print_continuum(c); }
int ketama_compare(void *a, void *b) { return compare(a, b); }
unsigned int ketama_hashi(char *s) { return hashi(s, strlen(s)); }
void ketama_md5_digest(char *s, unsigned char *out) { md5_digest(s, strlen(s), out); }
char *ketama_error(void) { return error(); }
