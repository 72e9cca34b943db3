/* 64 processes roll a file that this one rewrites, by truncate-and-write and by rename. Each answer is a version as a
 * whole; or, where the file was truncated and is being written, as far as it was written at a moment; or an error. The
 * working folder is the test's.
 *
 * usage: processes REWRITES SEED */
#define _GNU_SOURCE
#include "remains.h"
#include "versions.h"
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

enum { PROCESSES = 64, FIRST_SERVERS = 20 };

/* The versions that are written by rename are even. */
static struct {
    atomic_int is_done, ready;
    atomic_long whole_renamed, whole_written, cut, empty, bad, changing;
} *shared;

static uint64_t state;

static uint64_t below(uint64_t limit) {
    state += 0x9e3779b97f4a7c15;
    uint64_t z = (state ^ (state >> 30)) * 0xbf58476d1ce4e5b9;
    z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
    return (z ^ (z >> 31)) % limit;
}

/* What one roll gives: the version's number, or 0. */
static int roll(void) {
    ketama_continuum c = NULL;
    int is_whole, number = 0;
    if (ketama_roll(&c, "file") == 1) {
        const ketama_ring *ring = ketama_continuum_ring(c);
        number = version_of(ring, &is_whole);
        CHECK(number > 0 && (is_whole || number % 2));
        atomic_fetch_add(!is_whole ? &shared->cut : number % 2 ? &shared->whole_written : &shared->whole_renamed, 1);
        /* What it answers is its own. */
        char key[16];
        sprintf(key, "key:%d", number);
        size_t server = ketama_ring_find(ring, key, strlen(key));
        CHECK(strcmp(ketama_get_server(key, c)->ip, ketama_ring_server_name(ring, server)) == 0);
    } else if (strcmp(ketama_error(), "No valid server definitions in file file") == 0) {
        CHECK(c && c->numpoints == 0);
        atomic_fetch_add(&shared->empty, 1);
    } else {
        /* A line that is not all there yet. The last good ring is lent. */
        int is_changing = strcmp(ketama_error(), "File changes while it is read (in file)") == 0;
        CHECK(is_changing || strstr(ketama_error(), " (line "));
        CHECK(!c || !c->array || version_of(ketama_continuum_ring(c), &is_whole) > 0);
        atomic_fetch_add(is_changing ? &shared->changing : &shared->bad, 1);
    }
    ketama_smoke(c);
    return number;
}

static void keep_rolling(int last) {
    CHECK(roll() == 2);
    remains before = remaining();
    atomic_fetch_add(&shared->ready, 1);
    while (!atomic_load(&shared->is_done)) {
        roll();
        /* So that the file is written at times. */
        usleep((useconds_t)below(3000));
    }
    CHECK(roll() == last);
    CHECK(are_same(before, remaining()));
}

static void rewrite(int number, int servers) {
    static char text[VERSION_SIZE];
    int is_renamed = number % 2 == 0;
    version(text, number, servers);
    int file = open(is_renamed ? "new" : "file", O_WRONLY | O_CREAT | O_TRUNC, 0666);
    CHECK(file >= 0);
    /* At once, or in pieces, which end anywhere. */
    size_t len = strlen(text), most = below(3) ? len : 1 + below(200);
    for (size_t at = 0, more; at < len; at += more) {
        more = len - at < most ? len - at : most;
        CHECK(write(file, text + at, more) == (ssize_t)more);
        if (below(20) == 0)
            sched_yield();
    }
    CHECK(close(file) == 0);
    CHECK(!is_renamed || rename("new", "file") == 0);
}

int main(int argc, char **argv) {
    CHECK(argc == 3);
    int rewrites = atoi(argv[1]), last = 2 + rewrites, status;
    state = strtoull(argv[2], NULL, 10);
    alarm(600);
    shared = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    CHECK(shared != MAP_FAILED);
    rewrite(2, FIRST_SERVERS);
    remains before = remaining();
    pid_t children[PROCESSES];
    for (int i = 0; i < PROCESSES; i++) {
        children[i] = fork();
        CHECK(children[i] >= 0);
        if (children[i] == 0) {
            CHECK(prctl(PR_SET_PDEATHSIG, SIGKILL) == 0);
            alarm(600);
            state += (uint64_t)i + 1;
            keep_rolling(last);
            _exit(0);
        }
    }
    while (atomic_load(&shared->ready) < PROCESSES)
        usleep(1000);
    for (int number = 3; number < last; number++)
        rewrite(number, 1 + (int)below(below(10) ? 40 : MAX_SERVERS));
    rewrite(last, FIRST_SERVERS);
    atomic_store(&shared->is_done, 1);
    for (int i = 0; i < PROCESSES; i++)
        CHECK(waitpid(children[i], &status, 0) == children[i] && status == 0);
    CHECK(are_same(before, remaining()));
    CHECK(shared->whole_renamed > 0 && shared->whole_written > 0 && shared->empty > 0 && shared->bad > 0);
    printf("processes: %d rewrites and %d processes: %ld whole versions renamed, %ld truncated and written; "
           "of files that were being written %ld beginnings, %ld empty, %ld refused for a line, %ld for changing\n",
           rewrites, PROCESSES, shared->whole_renamed, shared->whole_written, shared->cut, shared->empty, shared->bad,
           shared->changing);
    return 0;
}
