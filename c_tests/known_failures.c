/* What libketama is known to fail at, each by its name, done right. tests/known_failures.rs says how the original
 * fails. The working folder is the test's.
 *
 * usage: known_failures WHAT SECONDS      after which a call is taken to wait for ever */
#define _GNU_SOURCE
#include "descriptors.h"
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <sys/ipc.h>
#include <sys/sem.h>
#include <sys/shm.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define GOOD "10.0.0.1:11211\t100\n10.0.0.2:11211\t100\n"
#define OTHER "10.0.0.3:11211\t100\n10.0.0.4:11211\t100\n"

static unsigned patience;

/* Gives a file this modification time: the original takes what it left of a file with the same time for the file. */
static void set_time(const char *file, time_t seconds) {
    struct timespec times[2] = {{seconds, 0}, {seconds, 0}};
    CHECK(utimensat(AT_FDCWD, file, times, 0) == 0);
}

static void write_file_at(const char *file, const char *text, time_t seconds) {
    write_file(file, text);
    set_time(file, seconds);
}

/* Whether this is the continuum of these two servers. */
static int is_of(ketama_continuum c, const char *one, const char *other) {
    const mcs *points = c->array;
    for (int i = 0; i < c->numpoints; i++)
        if (strcmp(points[i].ip, one) != 0 && strcmp(points[i].ip, other) != 0)
            return 0;
    return c->numpoints == 320;
}

static int is_good(ketama_continuum c) { return is_of(c, "10.0.0.1:11211", "10.0.0.2:11211"); }
static int is_other(ketama_continuum c) { return is_of(c, "10.0.0.3:11211", "10.0.0.4:11211"); }

static void servers_118(void) {
    FILE *file = fopen("file", "w");
    CHECK(file);
    for (int i = 0; i < 118; i++)
        fprintf(file, "10.0.0.%d:11211\t100\n", i);
    CHECK(fclose(file) == 0);
    ketama_continuum c;
    CHECK(ketama_roll(&c, "file") == 1);
    CHECK(c->numpoints == 118 * 160);
    for (int k = 0; k < 1000; k++) {
        char key[16];
        int server, port;
        sprintf(key, "key:%d", k);
        CHECK(sscanf(ketama_get_server(key, c)->ip, "10.0.0.%d:%d", &server, &port) == 2 && server < 118);
    }
    ketama_smoke(c);
}

/* A semaphore that says that somebody is at work on the file, who is no more. */
static void leftover_lock(void) {
    ketama_continuum before, c;
    write_file_at("file", GOOD, 1000);
    CHECK(ketama_roll(&before, "file") == 1);
    int semaphore = semget(ftok("file", 'R'), 1, IPC_CREAT | 0666);
    CHECK(semaphore != -1);
    /* The original has 1 there, and 2 while it is at work. */
    CHECK(semctl(semaphore, 0, SETVAL, 2) == 0);
    write_file_at("file", OTHER, 2000);
    alarm(patience);
    int rolled = ketama_roll(&c, "file");
    alarm(0);
    semctl(semaphore, 0, IPC_RMID);
    CHECK(rolled == 1 && is_other(c));
    ketama_smoke(c);
    ketama_smoke(before);
}

static void smoke_of_one_of_two(void) {
    ketama_continuum one, two, c;
    write_file_at("file", GOOD, 1000);
    write_file_at("other", OTHER, 2000);
    CHECK(ketama_roll(&one, "file") == 1 && ketama_roll(&two, "other") == 1 && ketama_roll(&c, "file") == 1);
    ketama_smoke(one);
    CHECK(is_other(two) && is_good(c));
    CHECK(ketama_get_server("key", two) && ketama_get_server("key", c));
    ketama_smoke(two);
    CHECK(is_good(c) && ketama_get_server("key", c));
    ketama_smoke(c);
}

static void *roll_and_smoke(void *unused) {
    for (int i = 0; i < 200; i++) {
        ketama_continuum c;
        CHECK(ketama_roll(&c, "file") == 1);
        CHECK(is_good(c) && ketama_get_server("key", c));
        ketama_smoke(c);
    }
    return unused;
}

static void concurrent_rolls(void) {
    pthread_t threads[8];
    write_file_at("file", GOOD, 1000);
    for (int t = 0; t < 8; t++)
        CHECK(pthread_create(&threads[t], NULL, roll_and_smoke, NULL) == 0);
    for (int t = 0; t < 8; t++)
        CHECK(pthread_join(threads[t], NULL) == 0);
}

/* Each child rolls what changes all the time, until it is killed somewhere in the middle. */
static void a_process_killed_while_rolling(void) {
    ketama_continuum c;
    write_file_at("file", GOOD, 1000);
    CHECK(ketama_roll(&c, "file") == 1);
    ketama_smoke(c);
    for (int i = 0; i < 200; i++) {
        pid_t child = fork();
        CHECK(child >= 0);
        if (child == 0)
            for (time_t time = 2000;; time++) {
                set_time("file", time);
                ketama_roll(&c, "file");
                ketama_smoke(c);
            }
        int status;
        nanosleep(&(struct timespec){0, 10000 * (i + 1)}, NULL);
        CHECK(kill(child, SIGKILL) == 0 && waitpid(child, &status, 0) == child);
        set_time("file", 1000000 + i);
        alarm(patience);
        CHECK(ketama_roll(&c, "file") == 1);
        alarm(0);
        CHECK(is_good(c));
        ketama_smoke(c);
    }
}

static void descriptor_leak_on_a_bad_file(void) {
    write_file("file", "10.0.0.1:11211\n");
    int before = descriptors();
    for (int i = 0; i < 10; i++) {
        ketama_continuum c = NULL;
        CHECK(ketama_roll(&c, "file") == 0);
        set_time("file", 1000 + i);
    }
    CHECK(descriptors() == before);
}

static void a_directory_as_file(void) {
    ketama_continuum c = NULL;
    alarm(patience);
    CHECK(ketama_roll(&c, ".") == 0);
}

/* Two files whose System V keys are the same: of the inode's number they have 16 bits. */
static void ftok_collision(void) {
    struct stat first, second;
    ketama_continuum one, two;
    char name[2][32];
    sprintf(name[0], "/dev/shm/ketama-%d-1", (int)getpid());
    sprintf(name[1], "/dev/shm/ketama-%d-2", (int)getpid());
    write_file(name[0], GOOD);
    CHECK(stat(name[0], &first) == 0);
    int tries = 0;
    do {
        unlink(name[1]);
        write_file(name[1], OTHER);
        CHECK(stat(name[1], &second) == 0);
    } while ((first.st_ino & 0xffff) != (second.st_ino & 0xffff) && ++tries < 1000000);
    int is_same = ftok(name[0], 'R') == ftok(name[1], 'R'), rolled = 0;
    set_time(name[0], 1000);
    set_time(name[1], 1000);
    if (is_same)
        rolled = ketama_roll(&one, name[0]) == 1 && ketama_roll(&two, name[1]) == 1;
    unlink(name[0]);
    unlink(name[1]);
    /* For want of such files. */
    if (!is_same)
        exit(77);
    CHECK(rolled && is_good(one) && is_other(two));
    ketama_smoke(one);
    ketama_smoke(two);
}

/* A file that its owner rolled, and changed: what is left of that is not for others to change. */
static void another_users_file(void) {
    ketama_continuum c;
    write_file_at("file", GOOD, 1000);
    CHECK(ketama_roll(&c, "file") == 1);
    write_file_at("file", OTHER, 2000);
    pid_t child = fork();
    CHECK(child >= 0);
    if (child == 0) {
        CHECK(setuid(65534) == 0);
        alarm(patience);
        CHECK(ketama_roll(&c, "file") == 1);
        CHECK(is_other(c));
        _exit(0);
    }
    int status;
    CHECK(waitpid(child, &status, 0) == child);
    CHECK(status == 0);
}

int main(int argc, char **argv) {
    static const struct {
        const char *name;
        void (*run)(void);
    } failures[] = {
        {"118_servers", servers_118},
        {"leftover_lock", leftover_lock},
        {"smoke_of_one_of_two", smoke_of_one_of_two},
        {"concurrent_rolls", concurrent_rolls},
        {"a_process_killed_while_rolling", a_process_killed_while_rolling},
        {"descriptor_leak_on_a_bad_file", descriptor_leak_on_a_bad_file},
        {"a_directory_as_file", a_directory_as_file},
        {"ftok_collision", ftok_collision},
        {"another_users_file", another_users_file},
    };
    CHECK(argc == 3);
    patience = (unsigned)atoi(argv[2]);
    for (size_t i = 0; i < sizeof failures / sizeof *failures; i++)
        if (strcmp(argv[1], failures[i].name) == 0) {
            failures[i].run();
            return 0;
        }
    return 2;
}
