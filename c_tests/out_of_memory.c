/* What happens where the k-th allocation of a call fails, alone or with all that follow, for each k: the call succeeds,
 * fails with an error, or ends the program as Rust does. Whatever it was, the next call gives the right answer, and
 * nothing is left allocated. This program is the library's allocator, and checks what it is given back. Each call is
 * the first of a process. The working folder is the test's. */
#define _GNU_SOURCE
#include "check.h"
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* --- the allocator --- */

extern void *__libc_memalign(size_t, size_t);
extern void __libc_free(void *);

/* What stands before each block; behind it stand 8 bytes more. */
typedef struct {
    void *base;
    size_t size;
    uint64_t state, unused;
} head;

static const uint64_t LIVE = 0x6c69766562c0c4e5, FREED = 0x6672656564f4ee00, TAIL = 0x7461696c7461696c;

/* Counted while a call is watched; from which on they fail, and how many; and how many blocks there are. */
static int is_watched;
static long allocations, fail_from, fail_count, live;

static void *allocate(size_t align, size_t size) {
    if (is_watched) {
        allocations++;
        if (allocations >= fail_from && allocations - fail_from < fail_count) {
            errno = ENOMEM;
            return NULL;
        }
    }
    size_t room = align > sizeof(head) ? align : sizeof(head);
    char *base = __libc_memalign(align, room + size + sizeof TAIL);
    if (!base)
        return NULL;
    head *h = (head *)(void *)(base + room) - 1;
    *h = (head){base, size, LIVE, 0};
    memset(h + 1, 0xa5, size);
    memcpy((char *)(h + 1) + size, &TAIL, sizeof TAIL);
    live++;
    return h + 1;
}

static head *checked(void *block) {
    head *h = (head *)block - 1;
    if (h->state != LIVE || memcmp((char *)block + h->size, &TAIL, sizeof TAIL) != 0) {
        static const char text[] = "a block was freed twice, or written beyond\n";
        if (write(2, text, sizeof text - 1))
            _exit(3);
    }
    return h;
}

void free(void *block) {
    if (!block)
        return;
    head *h = checked(block);
    void *base = h->base;
    h->state = FREED;
    memset(block, 0xdd, h->size);
    live--;
    __libc_free(base);
}

void *malloc(size_t size) { return allocate(16, size); }

void *calloc(size_t count, size_t size) {
    size_t all;
    void *block = __builtin_mul_overflow(count, size, &all) ? NULL : allocate(16, all);
    return block ? memset(block, 0, all) : NULL;
}

void *realloc(void *old, size_t size) {
    void *block = allocate(16, size);
    if (old && block) {
        size_t kept = checked(old)->size;
        memcpy(block, old, kept < size ? kept : size);
        free(old);
    }
    return block;
}

int posix_memalign(void **out, size_t align, size_t size) {
    void *block = allocate(align, size);
    if (!block)
        return ENOMEM;
    *out = block;
    return 0;
}

void *memalign(size_t align, size_t size) { return allocate(align, size); }
void *aligned_alloc(size_t align, size_t size) { return allocate(align, size); }

/* A time long before any file's, by which each has only just changed: so each is read twice. */
int clock_gettime(clockid_t clock, struct timespec *out) {
    (void)clock;
    *out = (struct timespec){0, 0};
    return 0;
}

/* --- the calls --- */

#define WATCHED(call)       \
    do {                    \
        is_watched = 1;     \
        result = (call);    \
        is_watched = 0;     \
    } while (0)

enum { MAX_SERVERS = 64, KEYS = 64 };

static int count;
static char names[MAX_SERVERS + 1][16];
static ketama_server servers[MAX_SERVERS + 1];

static void write_servers(const char *path, uint64_t heaviest) {
    char text[MAX_SERVERS * 40];
    int len = 0;
    for (int i = 0; i < count; i++)
        len += sprintf(text + len, "%s\t%d\n", names[i], i ? 100 : (int)heaviest);
    write_file(path, text);
}

/* A number that tells rings from each other. */
static uint64_t sum(const ketama_ring *ring) {
    uint64_t value = 1;
    char key[16];
    for (int k = 0; k < KEYS; k++) {
        sprintf(key, "key:%d", k);
        size_t server = ketama_ring_find(ring, key, strlen(key));
        const char *name = ketama_ring_server_name(ring, server);
        value = value * 31 + ketama_hashi(name) + ketama_ring_server_weight(ring, server);
    }
    return value * 31 + ketama_ring_points(ring, NULL, 0);
}

/* What a call that should make this ring made; 0 for an error. */
static uint64_t made(int status, ketama_ring *ring) {
    if (status != KETAMA_OK) {
        CHECK(status == KETAMA_OUT_OF_MEMORY && !ring);
        CHECK(strstr(ketama_last_error(), "not enough memory for the ring"));
        return 0;
    }
    uint64_t value = sum(ring);
    ketama_ring_free(ring);
    return value;
}

static uint64_t rolled(int status, ketama_continuum c) {
    uint64_t value = 0;
    if (status == 1)
        value = sum(ketama_continuum_ring(c));
    else
        CHECK(status == 0 && strstr(ketama_error(), "ot enough memory"));
    ketama_smoke(c);
    return value;
}

static uint64_t roll(int unused) {
    int result;
    ketama_continuum c = NULL;
    (void)unused;
    write_servers("file", 100);
    WATCHED(ketama_roll(&c, "file"));
    return rolled(result, c);
}

static uint64_t roll_again(int unused) {
    int result;
    ketama_continuum before, c = NULL;
    (void)unused;
    write_servers("file", 100);
    CHECK(ketama_roll(&before, "file") == 1);
    uint64_t expected = sum(ketama_continuum_ring(before));
    write_servers("file", 200);
    WATCHED(ketama_roll(&c, "file"));
    /* The last good ring, or none. */
    CHECK(result == 1 || !c || !c->array || c->array == before->array);
    CHECK(sum(ketama_continuum_ring(before)) == expected);
    ketama_smoke(before);
    return rolled(result, c);
}

static uint64_t new_ring(int dialect) {
    int result;
    ketama_ring *ring = NULL;
    WATCHED(ketama_ring_new(servers, count, dialect, &ring));
    return made(result, ring);
}

static uint64_t new_custom(int unused) {
    int result;
    ketama_ring *ring = NULL;
    ketama_rules rules = {.struct_size = sizeof rules};
    (void)unused;
    CHECK(ketama_dialect_rules(KETAMA_TWEMPROXY, &rules) == KETAMA_OK);
    rules.ties = KETAMA_TIES_LAST_KEPT;
    rules.digest = KETAMA_DIGEST_SHA1;
    rules.points_per_digest = 1;
    WATCHED(ketama_ring_new_custom(servers, count, &rules, &ring));
    return made(result, ring);
}

static uint64_t from_file(int unused) {
    int result;
    ketama_ring *ring = NULL;
    (void)unused;
    write_servers("file", 100);
    WATCHED(ketama_ring_from_file("file", KETAMA_LIBKETAMA, &ring));
    return made(result, ring);
}

static uint64_t with_server(int is_without) {
    int result;
    ketama_ring *ring, *other = NULL;
    CHECK(ketama_ring_new(servers, count, KETAMA_LIBKETAMA, &ring) == KETAMA_OK);
    uint64_t expected = sum(ring);
    WATCHED(is_without ? ketama_ring_without_server(ring, names[0], &other)
                       : ketama_ring_with_server(ring, &servers[count], &other));
    CHECK(sum(ring) == expected);
    ketama_ring_free(ring);
    return made(result, other);
}

static uint64_t new_watch(int unused) {
    int result;
    ketama_watch *watch = NULL;
    (void)unused;
    write_servers("file", 100);
    WATCHED(ketama_watch_new("file", KETAMA_LIBKETAMA, &watch));
    CHECK((result == KETAMA_OK) == (watch != NULL));
    uint64_t value = made(result, result == KETAMA_OK ? ketama_watch_ring(watch) : NULL);
    ketama_watch_free(watch);
    return value;
}

static uint64_t poll_watch(int unused) {
    int result;
    ketama_watch *watch;
    (void)unused;
    write_servers("file", 100);
    CHECK(ketama_watch_new("file", KETAMA_LIBKETAMA, &watch) == KETAMA_OK);
    ketama_ring *before = ketama_watch_ring(watch);
    write_servers("file", 200);
    WATCHED(ketama_watch_poll(watch));
    ketama_ring *after = ketama_watch_ring(watch);
    CHECK((result == KETAMA_OK) == (after != before));
    ketama_ring_free(before);
    if (result != KETAMA_OK) {
        ketama_ring_free(after);
        after = NULL;
    }
    uint64_t value = made(result, after);
    ketama_watch_free(watch);
    return value;
}

static uint64_t compare(int unused) {
    int result;
    ketama_ring *a, *b;
    size_t moves = 0;
    double moved = 0;
    (void)unused;
    CHECK(ketama_ring_new(servers, count, KETAMA_LIBKETAMA, &a) == KETAMA_OK);
    CHECK(ketama_ring_new(servers, count - 1, KETAMA_LIBKETAMA, &b) == KETAMA_OK);
    WATCHED(ketama_ring_compare(a, b, NULL, 0, &moves, &moved));
    CHECK(result == KETAMA_OK || (result == KETAMA_OUT_OF_MEMORY && !moves));
    ketama_ring_free(a);
    ketama_ring_free(b);
    return moves + (uint64_t)(moved * 4294967296.0);
}

static uint64_t walk(int unused) {
    size_t result;
    uint32_t found[MAX_SERVERS];
    ketama_ring *ring;
    (void)unused;
    CHECK(ketama_ring_new(servers, count, KETAMA_LIBKETAMA, &ring) == KETAMA_OK);
    WATCHED(ketama_ring_walk(ring, "key", 3, found, MAX_SERVERS));
    CHECK(result == (size_t)count);
    ketama_ring_free(ring);
    return found[0] + 1;
}

/* The rest allocate nothing. */
static uint64_t look_up(int unused) {
    size_t result;
    ketama_continuum c;
    ketama_ring *ring;
    ketama_key keys[KEYS];
    uint32_t offsets[KEYS + 1], found[KEYS];
    uint64_t load[MAX_SERVERS] = {0};
    unsigned char digest[16];
    (void)unused;
    write_servers("file", 100);
    CHECK(ketama_roll(&c, "file") == 1);
    CHECK(ketama_ring_new(servers, count, KETAMA_LIBKETAMA, &ring) == KETAMA_OK);
    for (uint32_t k = 0; k <= KEYS; k++)
        offsets[k] = k;
    for (int k = 0; k < KEYS; k++)
        keys[k] = (ketama_key){"one key or another", (size_t)k % 18};
    long before = allocations;
    WATCHED(ketama_ring_find_many(ring, keys, KEYS, found));
    WATCHED(ketama_ring_find_packed(ring, names, offsets, KEYS, found));
    WATCHED(ketama_ring_find_bounded(ring, "key", 3, load, 1.25));
    WATCHED(ketama_ring_find_alive(ring, "key", 3, (const uint8_t *)names[0]));
    WATCHED(ketama_ring_find_point(ring, "key", 3));
    WATCHED((ketama_md5_digest("key", digest), 1));
    WATCHED(strlen(ketama_get_server("key", c)->ip));
    WATCHED((size_t)(ketama_ring_share(ring, 0) * 1e9));
    WATCHED(ketama_ring_find(ring, "key", 3));
    CHECK(allocations == before);
    ketama_ring_free(ring);
    ketama_smoke(c);
    return result + 1;
}

static const struct {
    const char *name;
    uint64_t (*run)(int);
    int last_argument;
    /* Whether more servers mean more allocations that end the program where they fail. */
    int ends_grow;
} calls[] = {
    {"ketama_roll, of a new file", roll, 0, 0},
    {"ketama_roll, of a changed file", roll_again, 0, 0},
    {"ketama_ring_new, in 12 dialects", new_ring, 11, 0},
    {"ketama_ring_new_custom", new_custom, 0, 0},
    {"ketama_ring_from_file", from_file, 0, 0},
    {"ketama_ring_with_server, without", with_server, 1, 0},
    {"ketama_watch_new", new_watch, 0, 0},
    {"ketama_watch_poll", poll_watch, 0, 0},
    {"ketama_ring_compare", compare, 0, 1},
    {"ketama_ring_walk", walk, 0, 0},
    {"lookups", look_up, 0, 0},
};

/* --- a child for each failure --- */

enum { WENT_ON, FAILED, ENDED, OUTCOMES };

/* What children tell. */
static struct {
    long allocations, live;
} *told;
static int errors;
/* The most allocations of a call that end the program where they fail, and the largest; see the README. */
enum { MOST_ENDS = 16, LARGEST_END = 16 << 10 };
static size_t largest_end;

static void set_up(int servers_now) {
    count = servers_now;
    for (int i = 0; i <= count; i++) {
        sprintf(names[i], "10.0.0.%02d:1121", i);
        servers[i] = (ketama_server){names[i], 100};
    }
}

/* Runs a call in a child, with these failures, and says how it ended. */
static int outcome(uint64_t (*run)(int), int argument, long from, long fails) {
    CHECK(ftruncate(errors, 0) == 0 && lseek(errors, 0, SEEK_SET) == 0);
    pid_t child = fork();
    CHECK(child >= 0);
    if (child == 0) {
        alarm(60);
        CHECK(dup2(errors, 2) == 2);
        fail_from = from;
        fail_count = fails;
        uint64_t value = run(argument);
        told->allocations = allocations;
        fail_count = 0;
        uint64_t expected = run(argument);
        CHECK(expected && (!value || value == expected));
        told->live = live;
        CHECK(run(argument) == expected);
        /* What is kept for good was there before. */
        CHECK(live == told->live);
        _exit(value ? WENT_ON : FAILED);
    }
    int status;
    char text[500] = "", expected[100];
    size_t size;
    CHECK(waitpid(child, &status, 0) == child);
    CHECK(pread(errors, text, sizeof text - 1, 0) >= 0);
    if (WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT && sscanf(text, "memory allocation of %zu", &size) == 1) {
        /* Some versions add how to get a backtrace. */
        const char *rest = text + sprintf(expected, "memory allocation of %zu bytes failed\n", size);
        if (strncmp(text, expected, strlen(expected)) == 0 && (!*rest || strncmp(rest, "note: run with", 14) == 0)) {
            largest_end = size > largest_end ? size : largest_end;
            return ENDED;
        }
    }
    if (!WIFEXITED(status) || WEXITSTATUS(status) >= ENDED || *text) {
        fprintf(stderr, "allocation %ld of %ld: status %x: %s", from, fails, status, text);
        exit(1);
    }
    return WEXITSTATUS(status);
}

int main(void) {
    /* Rust would say more. */
    CHECK(unsetenv("RUST_BACKTRACE") == 0);
    CHECK(setrlimit(RLIMIT_CORE, &(struct rlimit){0, 0}) == 0);
    told = mmap(NULL, sizeof *told, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    errors = open("errors", O_RDWR | O_CREAT | O_TRUNC, 0666);
    CHECK(told != MAP_FAILED && errors >= 0);
    for (size_t i = 0; i < sizeof calls / sizeof *calls; i++) {
        static const int sizes[] = {4, 16};
        long ends[2] = {0}, all = 0, outcomes[OUTCOMES] = {0};
        for (int size = 0; size < 2; size++) {
            set_up(sizes[size]);
            for (int argument = 0; argument <= calls[i].last_argument; argument++) {
                CHECK(outcome(calls[i].run, argument, 0, 0) == WENT_ON);
                long count = told->allocations, left = told->live, ends_before = ends[size];
                all += count;
                for (long k = 1; k <= count; k++)
                    for (int is_alone = 0; is_alone < 2; is_alone++) {
                        int end = outcome(calls[i].run, argument, k, is_alone ? 1 : count);
                        outcomes[end]++;
                        ends[size] += end == ENDED;
                        CHECK(end == ENDED || told->live == left);
                    }
                /* Each of them twice. */
                CHECK(calls[i].ends_grow || ends[size] - ends_before <= 2 * MOST_ENDS);
            }
        }
        CHECK(calls[i].ends_grow ? ends[0] <= ends[1] : ends[0] == ends[1]);
        printf("out of memory: %-33s %5ld allocations, each failing alone or with the rest: "
               "%ld errors, %ld ends, %ld went on\n",
               calls[i].name, all, outcomes[FAILED], outcomes[ENDED], outcomes[WENT_ON]);
    }
    printf("out of memory: the largest allocation that ends the program where it fails is of %zu bytes\n", largest_end);
    CHECK(largest_end <= LARGEST_END);
    return 0;
}
