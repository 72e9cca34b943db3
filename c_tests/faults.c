/* What is no readable file, and files that change while they are read: an error or a whole answer, and never a hang.
 * This program stands between the library and open64() and read(). The working folder is the test's. */
#define _GNU_SOURCE
#include "versions.h"
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define GOOD "10.0.0.1:11211\t100\n10.0.0.2:11211\t100\n"

static atomic_int opens, reads;
/* What reading a file is to meet. */
static enum { NOTHING, INTERRUPTIONS, CHANGES } meets;
static void (*change)(int read);

int open64(const char *path, int flags, ...) {
    static int (*next)(const char *, int, int);
    *(void **)&next = dlsym(RTLD_NEXT, "open64");
    opens++;
    return next(path, flags, 0666);
}

ssize_t read(int fd, void *buffer, size_t size) {
    static ssize_t (*next)(int, void *, size_t);
    if (!next)
        *(void **)&next = dlsym(RTLD_NEXT, "read");
    int number = ++reads;
    if (meets == INTERRUPTIONS) {
        if (number % 2) {
            errno = EINTR;
            return -1;
        }
        return next(fd, buffer, size < 7 ? size : 7);
    }
    ssize_t result = next(fd, buffer, size);
    if (meets == CHANGES)
        change(number);
    return result;
}

/* --- what is no file --- */

static void refuse_roll(const char *path, const char *text) {
    char expected[300];
    ketama_continuum c = NULL;
    snprintf(expected, 255, text, path);
    CHECK(ketama_roll(&c, path) == 0);
    CHECK(strcmp(ketama_error(), expected) == 0);
    CHECK((c == NULL) == (strncmp(text, "Invalid", 7) == 0));
    CHECK(!c || c->numpoints == 0);
    ketama_smoke(c);
}

static void refuse_strictly(const char *path, const char *text) {
    char expected[300];
    ketama_ring *ring = NULL;
    ketama_watch *watch = NULL;
    snprintf(expected, 255, "%s (in %s)", text, path);
    for (int i = 0; i < 2; i++) {
        CHECK((i ? ketama_watch_new(path, KETAMA_LIBKETAMA, &watch)
                 : ketama_ring_from_file(path, KETAMA_LIBKETAMA, &ring)) == KETAMA_UNREADABLE);
        CHECK(strcmp(ketama_last_error(), expected) == 0);
        CHECK(!ring && !watch);
    }
}

static int others;

static void refuse_other(const char *path) {
    /* What is a file is counted. */
    int opens_before = opens;
    ketama_ring *ring;
    CHECK(ketama_ring_from_file("good", KETAMA_LIBKETAMA, &ring) == KETAMA_OK);
    ketama_ring_free(ring);
    CHECK(opens == opens_before + 1);
    opens_before = opens;
    refuse_roll(path, "No valid server definitions in file %s");
    refuse_strictly(path, "it is not a regular file");
    /* To open a device may do something, and who waits to write to a pipe would go on. */
    CHECK(opens == opens_before);
    others++;
}

static void what_is_no_file(void) {
    static const char *const paths[] = {"/",         ".",           "/dev/null", "/dev/zero",
                                        "/dev/full", "/dev/random", "/proc/self/fd"};
    write_file("good", GOOD);
    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++)
        refuse_other(paths[i]);

    CHECK(mkfifo("pipe", 0666) == 0);
    refuse_other("pipe");
    int reader = open("pipe", O_RDONLY | O_NONBLOCK), writer = open("pipe", O_WRONLY);
    CHECK(reader >= 0 && writer >= 0 && write(writer, GOOD, sizeof GOOD - 1) == sizeof GOOD - 1);
    refuse_other("pipe");
    char descriptor[64];
    snprintf(descriptor, sizeof descriptor, "/proc/self/fd/%d", reader);
    refuse_other(descriptor);
    close(reader);
    close(writer);

    int terminal = posix_openpt(O_RDWR | O_NOCTTY);
    CHECK(terminal >= 0 && grantpt(terminal) == 0 && unlockpt(terminal) == 0);
    refuse_other(ptsname(terminal));
    close(terminal);

    struct sockaddr_un address = {.sun_family = AF_UNIX, .sun_path = "socket"};
    int listener = socket(AF_UNIX, SOCK_STREAM, 0);
    CHECK(listener >= 0 && bind(listener, (struct sockaddr *)&address, sizeof address) == 0);
    refuse_other("socket");
    close(listener);

    CHECK(symlink("pipe", "to-a-pipe") == 0);
    refuse_other("to-a-pipe");

    /* A file that was watched. */
    ketama_watch *watch;
    write_file("watched", GOOD);
    CHECK(ketama_watch_new("watched", KETAMA_LIBKETAMA, &watch) == KETAMA_OK);
    CHECK(rename("pipe", "watched") == 0);
    CHECK(ketama_watch_poll(watch) == KETAMA_UNREADABLE);
    CHECK(strcmp(ketama_last_error(), "it is not a regular file (in watched)") == 0);
    ketama_ring *ring = ketama_watch_ring(watch);
    CHECK(ketama_ring_server_count(ring) == 2);
    ketama_ring_free(ring);
    ketama_watch_free(watch);
    printf("faults: %d pipes, devices, terminals, sockets and folders refused unopened\n", others);
}

/* --- what cannot be reached --- */

static void refuse_path(const char *path, int error) {
    char text[300];
    snprintf(text, sizeof text, "cannot read it: %s (os error %d)", strerror(error), error);
    refuse_roll(path, "Invalid filename specified: %s");
    refuse_strictly(path, text);
}

static void what_cannot_be_reached(void) {
    CHECK(symlink("loop-b", "loop-a") == 0 && symlink("loop-a", "loop-b") == 0 && symlink("self", "self") == 0);
    refuse_path("loop-a", ELOOP);
    refuse_path("self", ELOOP);
    CHECK(symlink("nowhere", "dangling") == 0);
    refuse_path("dangling", ENOENT);
    refuse_roll("", "Invalid filename specified: %s");
    write_file("good", GOOD);
    refuse_path("good/", ENOTDIR);
    refuse_path("good/file", ENOTDIR);

    static char name[300], path[6000];
    memset(name, 'n', 256);
    refuse_path(name, ENAMETOOLONG);
    while (strlen(path) < 5000)
        strcat(path, "./");
    strcat(path, "good");
    ketama_continuum c = NULL;
    ketama_ring *ring = NULL;
    CHECK(ketama_roll(&c, path) == 0 && !c && strlen(ketama_error()) == 254);
    CHECK(ketama_ring_from_file(path, KETAMA_LIBKETAMA, &ring) == KETAMA_UNREADABLE && !ring);
    CHECK(strstr(ketama_last_error(), strerror(ENAMETOOLONG)));
    /* As long as a path may be, and behind as many links as may be followed. */
    CHECK(ketama_roll(&c, path + strlen(path) - 4095 + 1) == 1);
    ketama_smoke(c);
    char link[16], last[16] = "good";
    for (int i = 1; i <= 41; i++) {
        snprintf(link, sizeof link, "link-%d", i);
        CHECK(symlink(last, link) == 0);
        strcpy(last, link);
    }
    CHECK(ketama_roll(&c, "link-40") == 1);
    ketama_smoke(c);
    refuse_path("link-41", ELOOP);
}

/* Root can read everything, so another user tries. */
static void what_another_user_may_not_read(void) {
    char text[100];
    ketama_watch *watch;
    write_file("secret", GOOD);
    CHECK(mkdir("closed", 0755) == 0);
    write_file("closed/file", GOOD);
    CHECK(ketama_watch_new("secret", KETAMA_LIBKETAMA, &watch) == KETAMA_OK);
    CHECK(chmod("secret", 0) == 0 && chmod("closed", 0) == 0);
    pid_t child = fork();
    if (child == 0) {
        CHECK(geteuid() != 0 || setuid(65534) == 0);
        snprintf(text, sizeof text, "cannot read it: %s (os error %d)", strerror(EACCES), EACCES);
        refuse_roll("secret", "No valid server definitions in file %s");
        refuse_strictly("secret", text);
        refuse_path("closed/file", EACCES);
        CHECK(ketama_watch_poll(watch) == KETAMA_UNREADABLE);
        _exit(0);
    }
    int status;
    CHECK(waitpid(child, &status, 0) == child && status == 0);
    CHECK(chmod("secret", 0644) == 0 && chmod("closed", 0755) == 0);
    CHECK(ketama_watch_poll(watch) == KETAMA_OK);
    ketama_watch_free(watch);
}

/* Past the tick of the file system's clock, a roll goes by the file's size, times and inode alone. */
static void settle(void) {
    nanosleep(&(struct timespec){0, 50000000}, NULL);
}

static void no_descriptor_is_left(void) {
    struct rlimit limit, none;
    ketama_continuum c;
    write_file("unchanged", GOOD);
    settle();
    CHECK(ketama_roll(&c, "unchanged") == 1);
    ketama_smoke(c);
    write_file("fresh", GOOD);

    CHECK(getrlimit(RLIMIT_NOFILE, &limit) == 0);
    none = limit;
    none.rlim_cur = 3;
    CHECK(setrlimit(RLIMIT_NOFILE, &none) == 0);
    char text[100];
    snprintf(text, sizeof text, "cannot read it: %s (os error %d)", strerror(EMFILE), EMFILE);
    refuse_roll("fresh", "No valid server definitions in file %s");
    refuse_strictly("fresh", text);
    /* What is known to be unchanged is not opened. */
    CHECK(ketama_roll(&c, "unchanged") == 1);
    ketama_smoke(c);
    CHECK(setrlimit(RLIMIT_NOFILE, &limit) == 0);
    CHECK(ketama_roll(&c, "fresh") == 1);
    ketama_smoke(c);
}

/* --- versions of a file, of more than one read()'s size --- */

static char *text_of(int number) {
    static char text[VERSION_SIZE];
    return version(text, number, 600);
}

/* The version that a ring is the whole of; -1 for a part of one, or parts of several. */
static int whole_version(const ketama_ring *ring) {
    int is_whole = 0, number = version_of(ring, &is_whole);
    return is_whole ? number : -1;
}

/* --- interruptions --- */

static void ignore(int signal) { (void)signal; }

static void interruptions(void) {
    ketama_continuum c;
    ketama_ring *ring;
    /* Each second read() fails so, and the others give few bytes. */
    write_file("file", text_of(1));
    meets = INTERRUPTIONS;
    CHECK(ketama_roll(&c, "file") == 1);
    CHECK(whole_version(ketama_continuum_ring(c)) == 1);
    ketama_smoke(c);
    CHECK(ketama_ring_from_file("file", KETAMA_NGINX, &ring) == KETAMA_OK);
    CHECK(whole_version(ring) == 1);
    ketama_ring_free(ring);
    meets = NOTHING;

    /* And signals, which end the system calls that they can end. */
    struct sigaction action = {.sa_handler = ignore};
    struct itimerval often = {{0, 100}, {0, 100}}, never = {{0, 0}, {0, 0}};
    CHECK(sigaction(SIGALRM, &action, NULL) == 0);
    CHECK(setitimer(ITIMER_REAL, &often, NULL) == 0);
    for (int i = 0; i < 300; i++) {
        FILE *file = fopen("new", "w");
        CHECK(file);
        const char *text = text_of(i);
        for (size_t written = 0; written < strlen(text);)
            written += fwrite(text + written, 1, strlen(text) - written, file);
        while (fclose(file) != 0)
            CHECK(errno == EINTR);
        CHECK(rename("new", "file") == 0);
        CHECK(ketama_roll(&c, "file") == 1);
        CHECK(whole_version(ketama_continuum_ring(c)) == i);
        ketama_smoke(c);
        CHECK(ketama_ring_from_file("file", KETAMA_LIBKETAMA, &ring) == KETAMA_OK);
        CHECK(whole_version(ring) == i);
        ketama_ring_free(ring);
    }
    CHECK(setitimer(ITIMER_REAL, &never, NULL) == 0);
}

/* --- changes --- */

static void rewrite_in_place(int number) {
    int file = open("file", O_WRONLY);
    const char *text = text_of(number);
    CHECK(file >= 0 && write(file, text, strlen(text)) == (ssize_t)strlen(text) && close(file) == 0);
}

static void rewrite_at_first(int read) {
    if (read == 1)
        rewrite_in_place(2);
}
static void truncate_and_write_at_first(int read) {
    if (read == 1)
        write_file("file", text_of(2));
}
static void replace_at_first(int read) {
    if (read == 1) {
        write_file("new", text_of(2));
        CHECK(rename("new", "file") == 0);
    }
}
static void delete_at_first(int read) {
    if (read == 1)
        CHECK(unlink("file") == 0);
}
static void empty_at_first(int read) {
    if (read == 1)
        CHECK(truncate("file", 0) == 0);
}
static void grow_at_first(int read) {
    if (read == 1) {
        FILE *file = fopen("file", "a");
        CHECK(file && fputs(GOOD, file) >= 0 && fclose(file) == 0);
    }
}
static void rewrite_always(int read) {
    rewrite_in_place(100 + read);
}

/* What is read while something happens, by a way of reading; NULL for an error. */
static ketama_ring *meet(void (*what)(int), int way, ketama_watch *watch) {
    ketama_continuum c = NULL;
    ketama_ring *ring = NULL;
    change = what;
    reads = 0;
    meets = CHANGES;
    if (way == 0 && ketama_roll(&c, "file") == 1)
        ring = ketama_ring_retain(ketama_continuum_ring(c));
    if (way == 1)
        ketama_ring_from_file("file", KETAMA_LIBKETAMA, &ring);
    if (way == 2 && ketama_watch_poll(watch) == KETAMA_OK)
        ring = ketama_watch_ring(watch);
    meets = NOTHING;
    ketama_smoke(c);
    return ring;
}

static void changes_while_it_is_read(void) {
    static const struct {
        void (*what)(int);
        /* Version 1 or 2 may be the answer, or an error. */
        int may_be_1, may_be_2, may_fail;
    } cases[] = {
        {rewrite_at_first, 0, 1, 0}, {truncate_and_write_at_first, 0, 1, 0}, {replace_at_first, 1, 1, 0},
        {delete_at_first, 1, 0, 0},  {empty_at_first, 0, 0, 1},              {rewrite_always, 0, 0, 1},
    };
    int met = 0;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        for (int way = 0; way < 3; way++)
            for (int settled = 0; settled < 2; settled++, met++) {
                ketama_watch *watch;
                write_file("file", text_of(0));
                CHECK(ketama_watch_new("file", KETAMA_LIBKETAMA, &watch) == KETAMA_OK);
                write_file("file", text_of(1));
                if (settled)
                    settle();
                ketama_ring *ring = meet(cases[i].what, way, watch);
                int number = ring ? whole_version(ring) : 0;
                CHECK(ring ? (number == 1 && cases[i].may_be_1) || (number == 2 && cases[i].may_be_2)
                           : cases[i].may_fail);
                ketama_ring_free(ring);
                ketama_watch_free(watch);
            }
    printf("faults: %d files that changed while they were read gave a whole version or an error\n", met);

    /* One that grows gives what it was, or what it is. */
    for (int way = 0; way < 2; way++) {
        write_file("file", text_of(1));
        ketama_ring *ring = meet(grow_at_first, way, NULL);
        CHECK(ring && ketama_ring_server_count(ring) == 600 + 2);
        ketama_ring_free(ring);
    }

    /* One that never comes to rest is an error of its own, and leaves the last good ring. */
    ketama_continuum good, c = NULL;
    ketama_ring *ring = NULL;
    write_file("file", text_of(1));
    CHECK(ketama_roll(&good, "file") == 1);
    write_file("file", text_of(2));
    change = rewrite_always;
    meets = CHANGES;
    CHECK(ketama_roll(&c, "file") == 0);
    CHECK(strcmp(ketama_error(), "File changes while it is read (in file)") == 0);
    CHECK(c && c->array == good->array);
    CHECK(ketama_ring_from_file("file", KETAMA_LIBKETAMA, &ring) == KETAMA_UNREADABLE && !ring);
    CHECK(strcmp(ketama_last_error(), "it changes while it is read (in file)") == 0);
    meets = NOTHING;
    ketama_smoke(c);
    ketama_smoke(good);

    /* Such a file is made up as it is read, and says that it is empty. */
    CHECK(ketama_roll(&c, "/proc/version") == 0);
    CHECK(strcmp(ketama_error(), "Weight is not a number (line 1 in /proc/version)") == 0);
    ketama_smoke(c);
    CHECK(ketama_ring_from_file("/proc/version", KETAMA_LIBKETAMA, &ring) == KETAMA_SYNTAX);
}

/* --- 1 GB --- */

enum { GIGABYTE = 1 << 30 };

static double now(void) {
    struct timespec time;
    CHECK(clock_gettime(CLOCK_MONOTONIC, &time) == 0);
    return time.tv_sec + time.tv_nsec / 1e9;
}

/* Reads a file in a child, for the memory that this takes. */
static void read_large(const char *what, int strictly, int expected, const char *text) {
    pid_t child = fork();
    if (child == 0) {
        ketama_continuum c = NULL;
        ketama_ring *ring = NULL;
        struct rusage before, after;
        CHECK(getrusage(RUSAGE_SELF, &before) == 0);
        double start = now();
        int result = strictly ? (int)ketama_ring_from_file("large", KETAMA_LIBKETAMA, &ring) : ketama_roll(&c, "large");
        double seconds = now() - start;
        CHECK(getrusage(RUSAGE_SELF, &after) == 0);
        CHECK(result == expected && strcmp(ketama_error(), text) == 0);
        CHECK(strictly || !c->array || strcmp(ketama_get_server("key", c)->ip, "a") == 0);
        printf("faults: 1 GB of %s %s: %.2f s, %ld MB\n", what, strictly ? "read strictly" : "rolled", seconds,
               (after.ru_maxrss - before.ru_maxrss) / 1024);
        _exit(0);
    }
    int status;
    CHECK(waitpid(child, &status, 0) == child && status == 0);
}

static void large_files(void) {
    static char block[1 << 20];
    int file = open("large", O_RDWR | O_CREAT, 0666);
    CHECK(file >= 0 && ftruncate(file, GIGABYTE) == 0);
    settle();
    read_large("zeros", 0, 0, "No valid server definitions in file large");
    read_large("zeros", 1, KETAMA_SYNTAX, "line 1, column 1: expected a name without a NUL byte (in large)");

    /* Without a newline: a line too long for one read is read as several, each a comment here. */
    memset(block, '#', sizeof block);
    for (int i = 0; i < GIGABYTE / (int)sizeof block; i++)
        CHECK(pwrite(file, block, sizeof block, (off_t)i * (off_t)sizeof block) == sizeof block);
    settle();
    read_large("comment", 0, 0, "No valid server definitions in file large");
    read_large("comment", 1, KETAMA_NO_SERVERS, "the list of servers is empty (in large)");

    CHECK(pwrite(file, "\na\t100\n", 7, GIGABYTE - 7) == 7);
    settle();
    read_large("comment before a server", 0, 1, "");
    read_large("comment before a server", 1, KETAMA_OK, "");
    CHECK(close(file) == 0 && unlink("large") == 0);
}

int main(int argc, char **argv) {
    alarm(300);
    setvbuf(stdout, NULL, _IOLBF, 0);
    if (argc == 2 && strcmp(argv[1], "large") == 0) {
        large_files();
        return 0;
    }
    what_is_no_file();
    what_cannot_be_reached();
    what_another_user_may_not_read();
    no_descriptor_is_left();
    interruptions();
    changes_while_it_is_read();
    return 0;
}
