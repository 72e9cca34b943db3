/* What a roll returns, says and leaves in its variable, for each state of a file. The working folder is the test's. */
#define _GNU_SOURCE
#include "check.h"
#include <fcntl.h>
#include <stddef.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define GOOD "10.0.0.1:11211\t100\n10.0.0.2:11211\t100\n"
#define OTHER "10.0.0.3:11211\t100\n10.0.0.2:11211\t100\n"

static int has_server(ketama_continuum c, const char *name) {
    mcs *points = c->array;
    for (int i = 0; i < c->numpoints; i++)
        if (strcmp(points[i].ip, name) == 0)
            return 1;
    return 0;
}

/* The continuum of a roll that fails with this text. */
static ketama_continuum refuse(const char *file, const char *text) {
    ketama_continuum c = NULL;
    CHECK(ketama_roll(&c, file) == 0);
    CHECK(strcmp(ketama_error(), text) == 0);
    return c;
}

static void refuse_empty(const char *file, const char *text) {
    ketama_continuum c = refuse(file, text);
    CHECK(c && c->numpoints == 0 && c->array == NULL && c->modtime == NULL);
    ketama_smoke(c);
}

static void set_times(const char *file, time_t seconds, long nanoseconds) {
    struct timespec times[2] = {{seconds, nanoseconds}, {seconds, nanoseconds}};
    CHECK(utimensat(AT_FDCWD, file, times, 0) == 0);
}

static void nothing_to_roll(void) {
    CHECK(refuse("", "Invalid filename specified: ") == NULL);
    CHECK(refuse("missing", "Invalid filename specified: missing") == NULL);
    CHECK(refuse("missing/too", "Invalid filename specified: missing/too") == NULL);

    write_file("nothing", "# only\n\n#comments\n");
    refuse_empty("nothing", "No valid server definitions in file nothing");
    refuse_empty("/dev/null", "No valid server definitions in file /dev/null");
    refuse_empty(".", "No valid server definitions in file .");
    CHECK(mkfifo("pipe", 0666) == 0);
    refuse_empty("pipe", "No valid server definitions in file pipe");

    write_file("bad", "a\t10\n\nb\n");
    refuse_empty("bad", "No weight after the server name (line 3 in bad)");
    write_file("sum", "a\t10\n# comment\nb\t-10\n");
    refuse_empty("sum", "server 1: the sum of the weights reaches 2^64 (line 3 in sum)");
}

/* Root can read everything, so another user tries. */
static void unreadable(void) {
    write_file("secret", GOOD);
    CHECK(chmod("secret", 0) == 0);
    pid_t child = fork();
    if (child == 0) {
        CHECK(geteuid() != 0 || setuid(65534) == 0);
        refuse_empty("secret", "No valid server definitions in file secret");
        _exit(0);
    }
    int status;
    CHECK(waitpid(child, &status, 0) == child && status == 0);
}

static void long_names_are_cut(void) {
    char name[401];
    memset(name, 'n', 400);
    name[400] = '\0';
    ketama_continuum c = NULL;
    CHECK(ketama_roll(&c, name) == 0);
    CHECK(strlen(ketama_error()) == 254);
}

/* Past the tick of the file system's clock, a roll goes by the file's size, times and inode alone. */
static void settle(const char *file) {
    struct timespec pause = {0, 50000000};
    ketama_continuum c;
    nanosleep(&pause, NULL);
    CHECK(ketama_roll(&c, file) == 1);
    ketama_smoke(c);
}

static void changes_are_seen(void) {
    ketama_continuum first, second, third, fourth, fifth, sixth;
    write_file("file", GOOD);
    set_times("file", 1000, 5);
    settle("file");
    CHECK(ketama_roll(&first, "file") == 1);
    CHECK(*(time_t *)first->modtime == 1000);
    CHECK(ketama_roll(&second, "file") == 1);
    CHECK(first != second && first->array == second->array);

    /* Content alone: the same size, inode and modification time. */
    write_file("file", OTHER);
    set_times("file", 1000, 5);
    settle("file");
    CHECK(ketama_roll(&third, "file") == 1);
    CHECK(has_server(third, "10.0.0.3:11211"));

    /* Another inode of the same size and modification time. */
    write_file("new", GOOD);
    set_times("new", 1000, 5);
    settle("new");
    CHECK(rename("new", "file") == 0);
    CHECK(ketama_roll(&fourth, "file") == 1);
    CHECK(has_server(fourth, "10.0.0.1:11211"));

    /* Nanoseconds alone. */
    settle("file");
    set_times("file", 1000, 6);
    CHECK(ketama_roll(&fifth, "file") == 1);
    CHECK(fifth->array != fourth->array);

    settle("file");
    set_times("file", 2000, 0);
    CHECK(ketama_roll(&sixth, "file") == 1);
    CHECK(*(time_t *)sixth->modtime == 2000);
    CHECK(*(time_t *)fifth->modtime == 1000);

    /* Each continuum keeps what it was made with. */
    CHECK(has_server(first, "10.0.0.1:11211") && !has_server(first, "10.0.0.3:11211"));
    ketama_smoke(second);
    ketama_smoke(sixth);
    CHECK(ketama_get_server("foo", first) && ketama_get_server("foo", third));
    ketama_smoke(first);
    ketama_smoke(third);
    ketama_smoke(fourth);
    ketama_smoke(fifth);
}

/* Changes so quick that size and times stay the same. */
static void quick_changes_are_seen(void) {
    for (int i = 0; i < 2000; i++) {
        ketama_continuum c;
        write_file("quick", i % 2 ? GOOD : OTHER);
        set_times("quick", 1000, 5);
        CHECK(ketama_roll(&c, "quick") == 1);
        CHECK(has_server(c, i % 2 ? "10.0.0.1:11211" : "10.0.0.3:11211"));
        ketama_smoke(c);
    }
}

/* Every name of a file, though another one was rolled since, and one link of two was turned to a bad file. */
static void each_name_has_its_last_good_ring(void) {
    ketama_continuum by_link, by_name, c;
    write_file("v1", GOOD);
    write_file("v2", "10.0.0.9:11211\n");
    CHECK(symlink("v1", "current") == 0);
    CHECK(ketama_roll(&by_link, "current") == 1);
    CHECK(ketama_roll(&by_name, "v1") == 1);
    CHECK(by_link->array == by_name->array);
    CHECK(unlink("current") == 0 && symlink("v2", "current") == 0);
    c = refuse("current", "No weight after the server name (line 1 in current)");
    CHECK(c->array == by_link->array);
    ketama_smoke(c);
    ketama_smoke(by_link);
    ketama_smoke(by_name);
}

/* Of a file that was rolled by two names, the latest good ring counts. */
static void the_latest_good_ring_is_the_last(void) {
    ketama_continuum c;
    for (int i = 0; i < 2; i++) {
        static const char *const ways[] = {"twice", "./twice"};
        write_file("twice", GOOD);
        CHECK(ketama_roll(&c, ways[i]) == 1);
        ketama_smoke(c);
        write_file("twice", OTHER);
        CHECK(ketama_roll(&c, ways[!i]) == 1);
        ketama_smoke(c);
        write_file("twice", "10.0.0.9:11211\n");
        c = refuse("twice", "No weight after the server name (line 1 in twice)");
        CHECK(has_server(c, "10.0.0.3:11211"));
        ketama_smoke(c);
    }
}

/* A relative name means another file in another folder. */
static void each_folder_has_its_last_good_ring(void) {
    static const char *const folders[] = {"here", "there"}, *const texts[] = {GOOD, OTHER};
    ketama_continuum rolled[2], c;
    for (int i = 0; i < 2; i++) {
        CHECK(mkdir(folders[i], 0777) == 0 && chdir(folders[i]) == 0);
        write_file("same", texts[i]);
        CHECK(ketama_roll(&rolled[i], "same") == 1);
        CHECK(chdir("..") == 0);
    }
    for (int i = 0; i < 2; i++) {
        CHECK(chdir(folders[i]) == 0);
        write_file("same", "10.0.0.9:11211\n");
        c = refuse("same", "No weight after the server name (line 1 in same)");
        CHECK(c->array == rolled[i]->array);
        ketama_smoke(c);
        CHECK(chdir("..") == 0);
    }
    ketama_smoke(rolled[0]);
    ketama_smoke(rolled[1]);
}

/* A new file may get the inode of one that was deleted. */
static void an_inode_is_not_a_file(void) {
    for (int i = 0; i < 20; i++) {
        ketama_continuum c;
        write_file("old", GOOD);
        CHECK(ketama_roll(&c, "old") == 1);
        ketama_smoke(c);
        CHECK(unlink("old") == 0);
        write_file("another", "10.0.0.9:11211\n");
        refuse_empty("another", "No weight after the server name (line 1 in another)");
        CHECK(unlink("another") == 0);
    }
}

static void a_bad_line_leaves_the_last_good_ring(void) {
    ketama_continuum good, other, c;
    write_file("served", GOOD);
    CHECK(ketama_roll(&good, "served") == 1);
    write_file("served", "10.0.0.9:11211\n");
    c = refuse("served", "No weight after the server name (line 1 in served)");
    CHECK(c && c != good && c->array == good->array && c->numpoints == 320);
    CHECK(ketama_get_server("foo", c) == ketama_get_server("foo", good));
    ketama_smoke(good);
    CHECK(has_server(c, "10.0.0.1:11211"));
    ketama_smoke(c);

    /* As well where the bad file took the place of the good one, as editors do it. */
    write_file("new", "10.0.0.9:11211\n");
    CHECK(rename("new", "served") == 0);
    c = refuse("served", "No weight after the server name (line 1 in served)");
    CHECK(has_server(c, "10.0.0.1:11211"));
    ketama_smoke(c);

    /* Another file's ring is not lent, not even where a relative path is the same. */
    CHECK(mkdir("elsewhere", 0777) == 0 && chdir("elsewhere") == 0);
    write_file("served", "10.0.0.9:11211\n");
    refuse_empty("served", "No weight after the server name (line 1 in served)");
    CHECK(chdir("..") == 0);

    /* And a file that is good again rolls again. */
    write_file("served", OTHER);
    CHECK(ketama_roll(&other, "served") == 1);
    CHECK(has_server(other, "10.0.0.3:11211"));
    ketama_smoke(other);

    /* One that defines no server gives an empty ring all the same. */
    write_file("served", "");
    refuse_empty("served", "No valid server definitions in file served");
}

static void names_of_22_and_23_bytes(void) {
    ketama_continuum c;
    write_file("long", "abcdefghijklmnopqrstuv\t100\nabcdefghijklmnopqrstuvw\t100\n");
    CHECK(ketama_roll(&c, "long") == 1);
    CHECK(c->numpoints == 320);
    mcs *points = c->array;
    for (int i = 0; i < c->numpoints; i++)
        CHECK(strcmp((char *)&points[i] + offsetof(mcs, ip), "abcdefghijklmnopqrstuv") == 0);
    /* The whole name is hashed. */
    CHECK(strcmp(ketama_ring_server_name(ketama_continuum_ring(c), 1), "abcdefghijklmnopqrstuvw") == 0);
    unsigned char digest[16];
    ketama_md5_digest("abcdefghijklmnopqrstuvw-0", digest);
    CHECK(ketama_get_server("abcdefghijklmnopqrstuvw-0", c)->point == ketama_hashi("abcdefghijklmnopqrstuvw-0"));
    ketama_smoke(c);
}

int main(void) {
    nothing_to_roll();
    unreadable();
    long_names_are_cut();
    changes_are_seen();
    quick_changes_are_seen();
    each_name_has_its_last_good_ring();
    the_latest_good_ring_is_the_last();
    each_folder_has_its_last_good_ring();
    an_inode_is_not_a_file();
    a_bad_line_leaves_the_last_good_ring();
    names_of_22_and_23_bytes();
    return 0;
}
