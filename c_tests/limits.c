/* What is as large as it may be. The working folder is the test's.
 *
 * usage: limits names | keys SEED | servers COUNT | points */
#define _GNU_SOURCE
#include "check.h"
#include <fcntl.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static const ketama_dialect LAST_DIALECT = KETAMA_NPM_MEMCACHED;

static double now(void) {
    struct timespec time;
    CHECK(clock_gettime(CLOCK_MONOTONIC, &time) == 0);
    return time.tv_sec + time.tv_nsec / 1e9;
}

/* --- names --- */

/* Every byte that a name in C can have, alone and in the middle. */
static void bytes_of_names(void) {
    enum { COUNT = 2 * 255 };
    static char names[COUNT][4];
    ketama_server servers[COUNT];
    for (int byte = 1; byte < 256; byte++) {
        snprintf(names[byte - 1], 4, "%c", byte);
        snprintf(names[255 + byte - 1], 4, "x%cy", byte);
    }
    for (int i = 0; i < COUNT; i++)
        servers[i] = (ketama_server){names[i], 1};
    for (ketama_dialect dialect = 0; dialect <= LAST_DIALECT; dialect++) {
        ketama_ring *ring;
        CHECK(ketama_ring_new(servers, COUNT, dialect, &ring) == KETAMA_OK);
        for (int i = 0; i < COUNT; i++)
            CHECK(strcmp(ketama_ring_server_name(ring, i), names[i]) == 0);
        ketama_ring_free(ring);
    }
    ketama_ring *ring;
    CHECK(ketama_ring_new(servers, COUNT, KETAMA_LIBKETAMA, &ring) == KETAMA_OK);
    for (int i = 0; i < COUNT; i++) {
        char key[8] = "";
        strcat(strcat(key, names[i]), "-0");
        CHECK(ketama_ring_find(ring, key, strlen(key)) == (size_t)i);
    }
    ketama_ring_free(ring);
}

/* Why a file that has this byte in a place of its only name is refused; NULL where it is not. */
static const char *refusal(int byte, int place) {
    static const char *const no_servers = "No valid server definitions in file file";
    switch (byte) {
    case '\0': /* ends the text of the line, of which less than 2 bytes are nothing */
        return no_servers;
    case '#':
        return place < 2 ? no_servers : NULL;
    case '\n': /* a blank line and one without a name, or one without a weight */
        return place == 0   ? "No weight after the server name (line 2 in file)"
               : place == 1 ? NULL
                            : "No weight after the server name (line 1 in file)";
    case ' ':
    case '\t':
        return place == 0   ? "No weight after the server name (line 1 in file)"
               : place == 1 ? NULL
                            : "Weight is not a number (line 1 in file)";
    default:
        return NULL;
    }
}

/* Every byte as a name's only one, its first, and in its middle. */
static void bytes_of_names_in_files(void) {
    static const char *const lines[] = {"%c\t1000\n", "%cy\t1000\n", "x%cy\t1000\n"};
    int taken = 0, refused = 0;
    for (int byte = 0; byte < 256; byte++)
        for (int place = 0; place < 3; place++) {
            char text[16];
            int len = sprintf(text, lines[place], byte);
            FILE *file = fopen("file", "w");
            CHECK(file && fwrite(text, 1, (size_t)len, file) == (size_t)len && fclose(file) == 0);
            const char *reason = refusal(byte, place);
            ketama_continuum c = NULL;
            CHECK(ketama_roll(&c, "file") == !reason);
            if (reason) {
                CHECK(strcmp(ketama_error(), reason) == 0);
                refused++;
            } else {
                const char *name = strtok(text, "\t \n");
                CHECK(strcmp(ketama_get_server("key", c)->ip, name) == 0);
                taken++;
            }
            ketama_smoke(c);
        }
    printf("limits: names of every byte: 255 in rings of 12 dialects, and in files %d taken and %d refused\n", taken,
           refused);
}

/* A page that is followed by one that cannot be read. */
static char *page_before_nothing(size_t size) {
    char *pages = mmap(NULL, 2 * size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    CHECK(pages != MAP_FAILED && mprotect(pages + size, size, PROT_NONE) == 0);
    return pages;
}

static void long_names(void) {
    enum { PAGE = 1 << 16, LONGEST = 1023 };
    static char text[2 * PAGE];
    char *page = page_before_nothing(PAGE), *end = page + PAGE;
    memset(page, 'n', PAGE);
    ketama_ring *ring = NULL;
    for (ketama_dialect dialect = 0; dialect <= LAST_DIALECT; dialect++) {
        /* Nothing behind its 1024th byte is read, where no NUL stands either. */
        ketama_server server = {end - LONGEST - 1, 1};
        CHECK(ketama_ring_new(&server, 1, dialect, &ring) == KETAMA_LONG_NAME && !ring);
    }
    end[-1] = '\0';
    for (ketama_dialect dialect = 0; dialect <= LAST_DIALECT; dialect++) {
        ketama_server server = {end - LONGEST - 1, 1};
        CHECK(ketama_ring_new(&server, 1, dialect, &ring) == KETAMA_OK);
        CHECK(strlen(ketama_ring_server_name(ring, 0)) == LONGEST);
        ketama_ring_free(ring);
        ring = NULL;
        server.name--;
        CHECK(ketama_ring_new(&server, 1, dialect, &ring) == KETAMA_LONG_NAME && !ring);
    }

    static const int lens[] = {22, 23, 24, 125, 126, 127, 1023, 1024, 100000};
    for (size_t i = 0; i < sizeof lens / sizeof *lens; i++) {
        int len = lens[i];
        memset(text, 'n', sizeof text);
        strcpy(text + len, "\t1000\n");
        write_file("file", text);
        ketama_continuum c = NULL;
        CHECK(ketama_roll(&c, "file") == (len <= 23));
        CHECK(len <= 23 || strcmp(ketama_error(), "Server name longer than 23 bytes (line 1 in file)") == 0);
        ketama_smoke(c);
        ketama_status status = ketama_ring_from_file("file", KETAMA_LIBKETAMA, &ring);
        CHECK(status == (len <= LONGEST ? KETAMA_OK : KETAMA_SYNTAX));
        if (status == KETAMA_OK)
            ketama_ring_free(ring);
    }
}

/* --- keys --- */

enum { BLOCK = 1 << 26 };
static const size_t FOUR_GB = (size_t)1 << 32;

/* A string of 4 GB and 1 byte: a block of bytes that are not 0, again and again. */
static char *long_key(uint64_t state) {
    int file = memfd_create("block", 0);
    CHECK(file >= 0 && ftruncate(file, BLOCK) == 0);
    uint8_t *block = mmap(NULL, BLOCK, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    CHECK(block != MAP_FAILED);
    for (size_t i = 0; i < BLOCK; i++) {
        state = state * 6364136223846793005u + 1442695040888963407u;
        block[i] = (uint8_t)((state >> 56) % 255 + 1);
    }
    char *key = mmap(NULL, FOUR_GB + BLOCK, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    CHECK(key != MAP_FAILED);
    for (size_t at = 0; at < FOUR_GB; at += BLOCK)
        CHECK(mmap(key + at, BLOCK, PROT_READ, MAP_SHARED | MAP_FIXED, file, 0) == key + at);
    key[FOUR_GB] = 'x';
    CHECK(munmap(block, BLOCK) == 0 && close(file) == 0);
    return key;
}

static ketama_ring *ring_of(ketama_dialect dialect) {
    enum { COUNT = 100 };
    static char names[COUNT][16];
    static ketama_server servers[COUNT];
    ketama_ring *ring;
    for (int i = 0; i < COUNT; i++) {
        sprintf(names[i], "10.0.0.%d:11211", i);
        servers[i] = (ketama_server){names[i], 1};
    }
    CHECK(ketama_ring_new(servers, COUNT, dialect, &ring) == KETAMA_OK);
    return ring;
}

/* Prints what a long key's hash is, in one of two parts, and checks that all who look one up agree. */
static void long_keys(int part, const char *key) {
    enum { SHORT = 200, PLACE = 77 };
    static const ketama_dialect bytewise[] = {KETAMA_LIBMEMCACHED, KETAMA_TWEMPROXY, KETAMA_DALLI};
    ketama_ring *ring = ring_of(KETAMA_LIBKETAMA);
    if (part == 0) {
        uint32_t position = ketama_ring_hash(ring, key, FOUR_GB + 1);
        printf("md5 %u\n", position);

        /* Among others, one of them of no bytes. */
        static ketama_key keys[SHORT + 1];
        uint32_t found[SHORT + 1];
        for (size_t i = 0; i <= SHORT; i++)
            keys[i] = (ketama_key){key + i, i};
        keys[PLACE].len = FOUR_GB + 1;
        keys[PLACE].data = key;
        CHECK(ketama_ring_find_many(ring, keys, SHORT + 1, found) == KETAMA_OK);
        for (size_t i = 0; i <= SHORT; i++)
            CHECK(found[i] == (i == PLACE ? ketama_ring_find_hash(ring, position)
                                          : ketama_ring_find(ring, keys[i].data, keys[i].len)));

        write_file("file", "10.0.0.1:11211\t1000\n10.0.0.2:11211\t1000\n10.0.0.3:11211\t1000\n");
        ketama_continuum c;
        CHECK(ketama_roll(&c, "file") == 1);
        printf("string %u\n", ketama_get_server(key, c)->point);
        ketama_smoke(c);
    } else {
        unsigned char digest[16];
        ketama_md5_digest(key, digest);
        printf("digest ");
        for (int i = 0; i < 16; i++)
            printf("%02x", digest[i]);
        printf("\n");

        /* As long as 32 bits of offsets allow, with short ones before it. */
        uint32_t offsets[] = {0, 0, 5, 5, UINT32_MAX}, found[4];
        CHECK(ketama_ring_find_packed(ring, key, offsets, 4, found) == KETAMA_OK);
        CHECK(found[0] == ketama_ring_find(ring, NULL, 0) && found[0] == found[2]);
        CHECK(found[1] == ketama_ring_find(ring, key, 5));
        printf("packed %u\n", found[3]);
        for (size_t i = 0; i < sizeof bytewise / sizeof *bytewise; i++) {
            ketama_ring *other = ring_of(bytewise[i]);
            printf("%s %u\n", ketama_dialect_name(bytewise[i]), ketama_ring_hash(other, key, FOUR_GB + 1));
            ketama_ring_free(other);
        }
    }
    ketama_ring_free(ring);
}

/* Longer than an object can be, and of no bytes. */
static void other_lengths(void) {
    for (ketama_dialect dialect = 0; dialect <= LAST_DIALECT; dialect++) {
        ketama_ring *ring = ring_of(dialect);
        size_t server = ketama_ring_find(ring, NULL, 0), lens[] = {(size_t)1 << 63, SIZE_MAX};
        uint32_t offsets[] = {9, 9, 9, 9, 9}, found[4];
        ketama_key keys[] = {{NULL, 0}, {"", 0}, {"key", 0}, {&server, 0}};
        CHECK(ketama_ring_find(ring, "key", 0) == server);
        CHECK(ketama_ring_find_hash(ring, ketama_ring_hash(ring, NULL, 0)) == server);
        CHECK(ketama_ring_find_many(ring, keys, 4, found) == KETAMA_OK);
        CHECK(found[0] == server && found[1] == server && found[2] == server && found[3] == server);
        CHECK(ketama_ring_find_packed(ring, NULL, offsets, 4, found) == KETAMA_OK);
        CHECK(found[0] == server && found[3] == server);
        for (int i = 0; i < 2; i++) {
            keys[1].len = lens[i];
            CHECK(ketama_ring_find(ring, "key", lens[i]) == KETAMA_NONE);
            CHECK(ketama_ring_find_many(ring, keys, 4, found) == KETAMA_NULL_ARGUMENT);
        }
        ketama_ring_free(ring);
    }
}

/* --- servers --- */

static int count;

static char *name_of(char name[24], int i) {
    snprintf(name, 24, "10.%d.%d.%d:11211", i >> 16, i >> 8 & 255, i & 255);
    return name;
}

/* The server of a position, told as plainly as can be: of the first of all points at or after it, and of equal ones of
 * the server listed first. */
static void find_plainly(int digests, const uint32_t *positions, size_t *found, int keys) {
    uint32_t best[16];
    char node[40], name[24];
    CHECK(keys <= 16);
    memset(best, 0xff, sizeof best);
    for (int i = 0; i < count; i++) {
        int len = sprintf(node, "%s-", name_of(name, i));
        for (int k = 0; k < digests; k++) {
            unsigned char digest[16];
            sprintf(node + len, "%d", k);
            ketama_md5_digest(node, digest);
            for (int word = 0; word < 4; word++) {
                unsigned char *at = digest + 4 * word;
                uint32_t point = at[0] | at[1] << 8 | at[2] << 16 | (uint32_t)at[3] << 24;
                for (int j = 0; j < keys; j++)
                    if (point - positions[j] < best[j]) {
                        best[j] = point - positions[j];
                        found[j] = (size_t)i;
                    }
            }
        }
    }
}

static double started;

static void begin(void) { started = now(); }

static void measured(const char *what, size_t points) {
    struct rusage usage;
    double seconds = now() - started;
    CHECK(getrusage(RUSAGE_SELF, &usage) == 0);
    printf("limits: %d servers: %-34s %11zu points, %6.2f s, at most %5ld MB\n", count, what, points, seconds,
           usage.ru_maxrss / 1024);
}

static void check_lookups(const ketama_ring *ring) {
    enum { KEYS = 1000 };
    static char texts[KEYS][16];
    ketama_key keys[KEYS];
    uint32_t found[KEYS];
    for (int k = 0; k < KEYS; k++)
        keys[k] = (ketama_key){texts[k], (size_t)sprintf(texts[k], "key:%d", k)};
    CHECK(ketama_ring_find_many(ring, keys, KEYS, found) == KETAMA_OK);
    for (int k = 0; k < KEYS; k++)
        CHECK(found[k] == ketama_ring_find(ring, texts[k], keys[k].len) && found[k] < (uint32_t)count);
}

static void make_many(ketama_dialect dialect) {
    ketama_server *servers = malloc((size_t)count * sizeof *servers);
    char(*names)[24] = malloc((size_t)count * sizeof *names);
    ketama_ring *ring;
    CHECK(servers && names);
    for (int i = 0; i < count; i++)
        servers[i] = (ketama_server){name_of(names[i], i), 1};
    begin();
    CHECK(ketama_ring_new(servers, (size_t)count, dialect, &ring) == KETAMA_OK);
    measured(ketama_dialect_name(dialect), ketama_ring_points(ring, NULL, 0));
    CHECK(ketama_ring_server_count(ring) == (size_t)count);
    CHECK(strcmp(ketama_ring_server_name(ring, (size_t)count - 1), names[count - 1]) == 0);
    check_lookups(ring);
    if (dialect == KETAMA_LIBKETAMA) {
        enum { KEYS = 16 };
        uint32_t positions[KEYS];
        size_t found[KEYS];
        for (int k = 0; k < KEYS; k++)
            positions[k] = (uint32_t)k * 0x10dcab61u;
        size_t points = ketama_ring_points(ring, NULL, 0);
        CHECK(points % (4 * (size_t)count) == 0);
        find_plainly((int)(points / (4 * (size_t)count)), positions, found, KEYS);
        for (int k = 0; k < KEYS; k++)
            CHECK(ketama_ring_find_hash(ring, positions[k]) == found[k]);
    }
    ketama_ring_free(ring);
}

static void write_many(void) {
    FILE *file = fopen("many", "w");
    char name[24];
    CHECK(file);
    for (int i = 0; i < count; i++)
        CHECK(fprintf(file, "%s\t1\n", name_of(name, i)) > 0);
    CHECK(fclose(file) == 0);
}

static void read_many(int strictly) {
    begin();
    if (strictly) {
        ketama_ring *ring;
        CHECK(ketama_ring_from_file("many", KETAMA_LIBKETAMA, &ring) == KETAMA_OK);
        measured("a file read strictly", ketama_ring_points(ring, NULL, 0));
        check_lookups(ring);
        ketama_ring_free(ring);
    } else {
        ketama_continuum c;
        CHECK(ketama_roll(&c, "many") == 1);
        measured("a file rolled", (size_t)c->numpoints);
        const ketama_ring *ring = ketama_continuum_ring(c);
        check_lookups(ring);
        for (int k = 0; k < 1000; k++) {
            char key[16];
            sprintf(key, "key:%d", k);
            const char *name = ketama_ring_server_name(ring, ketama_ring_find(ring, key, strlen(key)));
            CHECK(strcmp(ketama_get_server(key, c)->ip, name) == 0);
        }
        ketama_smoke(c);
    }
}

/* In a child, for its memory. */
static void alone(void (*what)(int), int argument) {
    pid_t child = fork();
    CHECK(child >= 0);
    if (child == 0) {
        what(argument);
        fflush(stdout);
        _exit(0);
    }
    int status;
    CHECK(waitpid(child, &status, 0) == child && status == 0);
}

static void make_many_of(int dialect) { make_many((ketama_dialect)dialect); }

/* --- points --- */

/* One point more than an int can count is an error of its own; as many are refused for their memory alone. */
static void most_points(void) {
    ketama_rules rules = {.struct_size = sizeof rules};
    ketama_ring *ring = NULL;
    CHECK(setrlimit(RLIMIT_AS, &(struct rlimit){1 << 30, 1 << 30}) == 0);
    CHECK(ketama_dialect_rules(KETAMA_NGINX, &rules) == KETAMA_OK);
    rules.base = 1;
    ketama_server servers[] = {{"a", INT32_MAX}, {"b", 1}};
    CHECK(ketama_ring_new_custom(servers, 1, &rules, &ring) == KETAMA_OUT_OF_MEMORY && !ring);
    CHECK(ketama_ring_new_custom(servers, 2, &rules, &ring) == KETAMA_TOO_MANY_POINTS && !ring);
    CHECK(strcmp(ketama_last_error(), "server 1: the ring exceeds 2147483647 points") == 0);
    servers[0].weight = INT32_MAX / 160;
    CHECK(ketama_ring_new(servers, 1, KETAMA_NGINX, &ring) == KETAMA_OUT_OF_MEMORY && !ring);
    servers[0].weight++;
    CHECK(ketama_ring_new(servers, 1, KETAMA_NGINX, &ring) == KETAMA_TOO_MANY_POINTS && !ring);
    servers[0].weight = UINT64_MAX;
    CHECK(ketama_ring_new(servers, 1, KETAMA_NGINX, &ring) == KETAMA_TOO_MANY_POINTS && !ring);
}

int main(int argc, char **argv) {
    CHECK(argc >= 2);
    setvbuf(stdout, NULL, _IOLBF, 0);
    if (strcmp(argv[1], "names") == 0) {
        bytes_of_names();
        bytes_of_names_in_files();
        long_names();
    } else if (strcmp(argv[1], "keys") == 0) {
        CHECK(argc == 3);
        other_lengths();
        const char *key = long_key(strtoull(argv[2], NULL, 10));
        pid_t child = fork();
        CHECK(child >= 0);
        long_keys(child == 0, key);
        int status;
        CHECK(child == 0 || (waitpid(child, &status, 0) == child && status == 0));
    } else if (strcmp(argv[1], "servers") == 0) {
        CHECK(argc == 3);
        count = atoi(argv[2]);
        for (int dialect = 0; dialect <= (int)LAST_DIALECT; dialect++)
            alone(make_many_of, dialect);
        write_many();
        alone(read_many, 1);
        alone(read_many, 0);
        CHECK(unlink("many") == 0);
    } else {
        CHECK(strcmp(argv[1], "points") == 0);
        most_points();
    }
    return 0;
}
