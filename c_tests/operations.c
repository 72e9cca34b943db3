/* The functions of rings in all dialects: what they answer agrees with each other, NULL is answered, and nothing is written
 * on failure. */
#include "check.h"
#include <math.h>

enum { SERVERS = 9, KEYS = 500 };

static ketama_server servers[SERVERS];
static char names[SERVERS][32];
static ketama_key keys[KEYS];
static char texts[KEYS][16];

static void prepare(void) {
    for (int i = 0; i < SERVERS; i++) {
        snprintf(names[i], sizeof names[i], "10.0.0.%d:%d", i + 1, i % 2 ? 11211 : 11212);
        servers[i].name = names[i];
        servers[i].weight = (uint64_t)i % 4 + 1;
    }
    for (int i = 0; i < KEYS; i++) {
        keys[i].len = (size_t)snprintf(texts[i], sizeof texts[i], "key:%d", i);
        keys[i].data = texts[i];
    }
    keys[7].len = 0, keys[7].data = NULL;
}

static void agree(const ketama_ring *ring) {
    static uint32_t many[KEYS], packed[KEYS], offsets[KEYS + 1], walk[SERVERS + 1];
    static char bytes[KEYS * 16];
    uint8_t alive[SERVERS];
    uint64_t load[SERVERS] = {0};
    CHECK(ketama_ring_find_many(ring, keys, KEYS, many) == KETAMA_OK);
    for (int i = 0; i < KEYS; i++) {
        if (keys[i].len)
            memcpy(bytes + offsets[i], keys[i].data, keys[i].len);
        offsets[i + 1] = offsets[i] + (uint32_t)keys[i].len;
    }
    CHECK(ketama_ring_find_packed(ring, bytes, offsets, KEYS, packed) == KETAMA_OK);
    for (int i = 0; i < KEYS; i++) {
        const void *key = keys[i].data;
        size_t len = keys[i].len, server = ketama_ring_find(ring, key, len);
        CHECK(many[i] == server && packed[i] == server);
        CHECK(ketama_ring_find_hash(ring, ketama_ring_hash(ring, key, len)) == server);
        size_t met = ketama_ring_walk(ring, key, len, walk, SERVERS + 1);
        CHECK(met == SERVERS && walk[0] == server);
        CHECK(ketama_ring_walk(ring, key, len, walk, 2) == 2);
        CHECK(ketama_ring_walk(ring, key, len, NULL, 0) == 0);
        memset(alive, 1, sizeof alive);
        CHECK(ketama_ring_find_alive(ring, key, len, alive) == server);
        alive[server] = 0;
        CHECK(ketama_ring_find_alive(ring, key, len, alive) == walk[1]);
        memset(alive, 0, sizeof alive);
        CHECK(ketama_ring_find_alive(ring, key, len, alive) == KETAMA_NONE);
        size_t bounded = ketama_ring_find_bounded(ring, key, len, load, 1.25);
        CHECK(bounded < SERVERS);
        load[bounded]++;
    }
    double sum = 0;
    for (size_t i = 0; i < SERVERS; i++)
        sum += ketama_ring_share(ring, i);
    CHECK(fabs(sum - 1) < 1e-12);
}

static void same(const ketama_ring *a, const ketama_ring *b) {
    static ketama_point of_a[40000], of_b[40000];
    size_t count = ketama_ring_points(a, of_a, 40000);
    CHECK(count <= 40000 && count == ketama_ring_points(b, of_b, 40000));
    CHECK(memcmp(of_a, of_b, count * sizeof *of_a) == 0);
    size_t moves = 7;
    double moved = 7;
    CHECK(ketama_ring_compare(a, b, NULL, 0, &moves, &moved) == KETAMA_OK);
    CHECK(moves == 0 && moved == 0);
}

static void each_dialect(void) {
    static const char *const dialects[] = {
        "libketama", "hash_ring", "hash_ring_unweighted", "libmemcached_weighted", "libmemcached",
        "libmemcached_md5", "twemproxy", "spymemcached", "dalli", "nginx", "npm_hashring", "npm_memcached",
    };
    for (int i = 0; i < 12; i++) {
        ketama_dialect dialect = KETAMA_DALLI;
        CHECK(strcmp(ketama_dialect_name((ketama_dialect)i), dialects[i]) == 0);
        CHECK(ketama_dialect_from_name(dialects[i], &dialect) == KETAMA_OK);
        CHECK((int)dialect == i);

        ketama_ring *ring, *custom, *with, *without;
        CHECK(ketama_ring_new(servers, SERVERS, dialect, &ring) == KETAMA_OK);
        agree(ring);

        /* Every row is expressible by its columns. */
        ketama_rules rules = {.struct_size = sizeof rules};
        CHECK(ketama_dialect_rules(dialect, &rules) == KETAMA_OK);
        CHECK(ketama_ring_new_custom(servers, SERVERS, &rules, &custom) == KETAMA_OK);
        same(ring, custom);
        for (int k = 0; k < KEYS; k++)
            CHECK(ketama_ring_find(ring, texts[k], strlen(texts[k])) ==
                  ketama_ring_find(custom, texts[k], strlen(texts[k])));

        ketama_server more = {"10.0.0.99", 2};
        CHECK(ketama_ring_with_server(custom, &more, &with) == KETAMA_OK);
        CHECK(ketama_ring_server_count(with) == SERVERS + 1);
        CHECK(ketama_ring_without_server(with, more.name, &without) == KETAMA_OK);
        same(ring, without);
        ketama_move moves[2] = {{7, 7, 7}, {7, 7, 7}};
        size_t count = 0;
        double moved = 0;
        CHECK(ketama_ring_compare(ring, with, moves, 1, &count, &moved) == KETAMA_OK);
        CHECK(count >= SERVERS && moved > 0 && moved < 1);
        CHECK(moves[0].share > 0 && moves[1].from == 7);
        CHECK(ketama_ring_compare(ring, with, NULL, 0, NULL, NULL) == KETAMA_OK);
        ketama_ring_free(ring);
        ketama_ring_free(custom);
        ketama_ring_free(with);
        ketama_ring_free(without);
    }
    CHECK(ketama_dialect_name((ketama_dialect)12) == NULL);
    ketama_dialect dialect = KETAMA_DALLI;
    CHECK(ketama_dialect_from_name("ketama", &dialect) == KETAMA_UNKNOWN_DIALECT);
    CHECK(ketama_dialect_from_name("", &dialect) == KETAMA_UNKNOWN_DIALECT);
    CHECK(ketama_dialect_from_name("\xff", &dialect) == KETAMA_UNKNOWN_DIALECT);
    CHECK(dialect == KETAMA_DALLI);
}

static ketama_ring *custom(ketama_rules rules) {
    ketama_ring *ring;
    CHECK(ketama_ring_new_custom(servers, SERVERS, &rules, &ring) == KETAMA_OK);
    return ring;
}

/* Each rule of counting has the base that it is given: 7 digests for each of equal servers. */
static void other_bases(void) {
    ketama_server equal[] = {{"a", 1}, {"b", 1}, {"c", 1}, {"d", 1}};
    for (int count = KETAMA_COUNT_FIXED; count <= KETAMA_COUNT_DALLI; count++) {
        ketama_ring *ring;
        ketama_rules rules = {.struct_size = sizeof rules};
        CHECK(ketama_dialect_rules(KETAMA_LIBKETAMA, &rules) == KETAMA_OK);
        rules.count = (ketama_count)count;
        rules.base = 7;
        CHECK(ketama_ring_new_custom(equal, 4, &rules, &ring) == KETAMA_OK);
        CHECK(ketama_ring_points(ring, NULL, 0) == 4 * 7 * 4);
        ketama_ring_free(ring);
    }
}

/* What fleets combine: each is a row with other columns. */
static void combinations(void) {
    ketama_rules libketama = {.struct_size = sizeof libketama}, twemproxy = libketama, unweighted = libketama;
    CHECK(ketama_dialect_rules(KETAMA_LIBKETAMA, &libketama) == KETAMA_OK);
    CHECK(ketama_dialect_rules(KETAMA_TWEMPROXY, &twemproxy) == KETAMA_OK);
    CHECK(ketama_dialect_rules(KETAMA_LIBMEMCACHED_MD5, &unweighted) == KETAMA_OK);

    /* twemproxy with `hash: md5` places keys as libmemcached does. */
    ketama_ring *weighted, *md5;
    twemproxy.key_hash = KETAMA_KEY_HASH_MD5;
    md5 = custom(twemproxy);
    CHECK(ketama_ring_new(servers, SERVERS, KETAMA_LIBMEMCACHED_WEIGHTED, &weighted) == KETAMA_OK);
    same(weighted, md5);
    ketama_ring_free(md5);
    ketama_ring_free(weighted);

    /* HASHFUNC2 is libketama with the first point after, so a key on a point goes to the next. */
    ketama_rules rules = libketama;
    rules.lookup = KETAMA_LOOKUP_AFTER;
    ketama_ring *after = custom(rules), *at = custom(libketama);
    ketama_point points[2];
    CHECK(ketama_ring_points(after, points, 2) > 2);
    CHECK(ketama_ring_find_hash(at, points[0].point) == points[0].server);
    CHECK(ketama_ring_find_hash(after, points[0].point) == points[1].server);
    ketama_ring_free(after);
    ketama_ring_free(at);

    /* uhashring: integer counts, 4 points a digest, the first point after. */
    rules.count = KETAMA_COUNT_INTEGER;
    ketama_ring *uhashring = custom(rules);
    size_t total = 0;
    for (int i = 0; i < SERVERS; i++)
        total += servers[i].weight;
    size_t expected = 0;
    for (int i = 0; i < SERVERS; i++)
        expected += 4 * (40 * SERVERS * servers[i].weight / total);
    CHECK(ketama_ring_points(uhashring, NULL, 0) == expected);
    ketama_ring_free(uhashring);

    /* 100 points a server, whatever its weight, with MD5, after an option that came too late. */
    ketama_ring *stale = custom(unweighted);
    CHECK(ketama_ring_points(stale, NULL, 0) == 100 * SERVERS);
    ketama_ring_free(stale);

    /* xmemcached: 40 digests for each unit of weight. */
    rules = libketama;
    rules.count = KETAMA_COUNT_TIMES_WEIGHT;
    ketama_ring *xmemcached = custom(rules);
    CHECK(ketama_ring_points(xmemcached, NULL, 0) == 160 * total);
    ketama_ring_free(xmemcached);
}

static void invalid_rules(void) {
    ketama_rules rules = {.struct_size = sizeof rules}, changed;
    ketama_ring *out = NULL;
    CHECK(ketama_dialect_rules(KETAMA_LIBKETAMA, &rules) == KETAMA_OK);
#define REFUSES(field, value)                                                                      \
    do {                                                                                           \
        int number = value;                                                                        \
        changed = rules;                                                                           \
        memcpy(&changed.field, &number, sizeof number);                                            \
        CHECK(ketama_ring_new_custom(servers, SERVERS, &changed, &out) == KETAMA_INVALID_RULES);   \
        CHECK(strstr(ketama_last_error(), #field));                                                \
        CHECK(out == NULL);                                                                        \
    } while (0)
    REFUSES(struct_size, 8);
    REFUSES(name, 3);
    REFUSES(digest, 4);
    REFUSES(points_per_digest, 0);
    REFUSES(points_per_digest, 5);
    REFUSES(points_per_digest, 260);
    REFUSES(count, 7);
    REFUSES(base, 0);
    REFUSES(zero_weight, 3);
    REFUSES(order, -1);
    REFUSES(ties, 4);
    REFUSES(key_hash, 4);
    REFUSES(lookup, 3);
    rules.digest = KETAMA_DIGEST_SHA1;
    REFUSES(points_per_digest, 2);
    changed.struct_size = 8;
    CHECK(ketama_dialect_rules(KETAMA_LIBKETAMA, &changed) == KETAMA_INVALID_RULES);

    /* Rules under which no server of these gets a digest. */
    rules.digest = KETAMA_DIGEST_MD5;
    rules.base = 1;
    ketama_server equal[61];
    for (int i = 0; i < 61; i++)
        equal[i].name = "a", equal[i].weight = 1;
    CHECK(ketama_ring_new_custom(equal, 61, &rules, &out) == KETAMA_NO_POINTS);
    CHECK(out == NULL);
}

static void nulls(void) {
    ketama_ring *ring, *out = NULL;
    ketama_rules rules = {.struct_size = sizeof rules};
    ketama_dialect dialect;
    uint32_t server = 7, offsets[] = {0, 2, 1}, servers_out[2];
    uint8_t alive[SERVERS] = {0};
    uint64_t load[SERVERS] = {0};
    double moved = 7;
    size_t count = 7;
    ketama_key null_key = {NULL, 1};
    ketama_move move;
    CHECK(ketama_ring_new(servers, SERVERS, KETAMA_LIBKETAMA, &ring) == KETAMA_OK);

    CHECK(ketama_dialect_from_name(NULL, &dialect) == KETAMA_NULL_ARGUMENT);
    CHECK(ketama_dialect_from_name("nginx", NULL) == KETAMA_NULL_ARGUMENT);
    CHECK(ketama_dialect_rules(KETAMA_LIBKETAMA, NULL) == KETAMA_NULL_ARGUMENT);
    CHECK(ketama_dialect_rules(KETAMA_LIBKETAMA, &rules) == KETAMA_OK);
    CHECK(ketama_ring_new_custom(NULL, 1, &rules, &out) == KETAMA_NULL_ARGUMENT);
    CHECK(ketama_ring_new_custom(servers, SERVERS, NULL, &out) == KETAMA_NULL_ARGUMENT);
    CHECK(ketama_ring_new_custom(servers, SERVERS, &rules, NULL) == KETAMA_NULL_ARGUMENT);
    CHECK(ketama_ring_from_file(NULL, KETAMA_LIBKETAMA, &out) == KETAMA_NULL_ARGUMENT);
    CHECK(ketama_ring_from_file("file", KETAMA_LIBKETAMA, NULL) == KETAMA_NULL_ARGUMENT);
    CHECK(ketama_ring_with_server(NULL, servers, &out) == KETAMA_NULL_ARGUMENT);
    CHECK(ketama_ring_with_server(ring, NULL, &out) == KETAMA_NULL_ARGUMENT);
    CHECK(ketama_ring_with_server(ring, servers, NULL) == KETAMA_NULL_ARGUMENT);
    CHECK(ketama_ring_without_server(NULL, names[0], &out) == KETAMA_NULL_ARGUMENT);
    CHECK(ketama_ring_without_server(ring, NULL, &out) == KETAMA_NULL_ARGUMENT);
    CHECK(ketama_ring_without_server(ring, names[0], NULL) == KETAMA_NULL_ARGUMENT);
    CHECK(ketama_ring_without_server(ring, "nobody", &out) == KETAMA_UNKNOWN_SERVER);
    CHECK(out == NULL);

    CHECK(ketama_ring_hash(NULL, "key", 3) == 0 && ketama_ring_hash(ring, NULL, 3) == 0);
    CHECK(ketama_ring_find_point(NULL, "key", 3) == KETAMA_NONE);
    CHECK(ketama_ring_find_point(ring, NULL, 3) == KETAMA_NONE);
    CHECK(ketama_ring_find_hash(NULL, 0) == KETAMA_NONE);
    CHECK(ketama_ring_find_many(NULL, keys, 1, &server) == KETAMA_NULL_ARGUMENT);
    CHECK(ketama_ring_find_many(ring, NULL, 1, &server) == KETAMA_NULL_ARGUMENT);
    CHECK(ketama_ring_find_many(ring, keys, 1, NULL) == KETAMA_NULL_ARGUMENT);
    CHECK(ketama_ring_find_many(ring, &null_key, 1, &server) == KETAMA_NULL_ARGUMENT);
    CHECK(ketama_ring_find_many(ring, NULL, 0, NULL) == KETAMA_OK);
    CHECK(ketama_ring_find_packed(NULL, "key", offsets, 1, &server) == KETAMA_NULL_ARGUMENT);
    CHECK(ketama_ring_find_packed(ring, NULL, offsets, 1, &server) == KETAMA_NULL_ARGUMENT);
    CHECK(ketama_ring_find_packed(ring, "key", NULL, 1, &server) == KETAMA_NULL_ARGUMENT);
    CHECK(ketama_ring_find_packed(ring, "key", offsets, 1, NULL) == KETAMA_NULL_ARGUMENT);
    CHECK(ketama_ring_find_packed(ring, "key", offsets, 2, servers_out) == KETAMA_OFFSETS);
    CHECK(strcmp(ketama_last_error(), "the offsets of key 1 descend or are too large") == 0);
    CHECK(ketama_ring_find_packed(ring, NULL, NULL, 0, NULL) == KETAMA_OK);
    /* Empty keys need no bytes, wherever they stand. */
    const uint32_t nowhere[] = {5, 5, 5};
    uint32_t of_empty[2] = {7, 7};
    CHECK(ketama_ring_find_packed(ring, NULL, nowhere, 2, of_empty) == KETAMA_OK);
    CHECK(of_empty[0] == ketama_ring_find(ring, NULL, 0) && of_empty[1] == of_empty[0]);
    CHECK(ketama_ring_find_packed(ring, "key", offsets, SIZE_MAX, &server) == KETAMA_OUT_OF_RANGE);
    CHECK(ketama_ring_find_many(ring, keys, SIZE_MAX, &server) == KETAMA_OUT_OF_RANGE);
    CHECK(server == 7);
    CHECK(ketama_ring_walk(NULL, "key", 3, &server, 1) == 0);
    CHECK(ketama_ring_walk(ring, NULL, 3, &server, 1) == 0);
    CHECK(ketama_ring_walk(ring, "key", 3, NULL, 1) == 0);
    CHECK(server == 7);
    CHECK(ketama_ring_find_alive(NULL, "key", 3, alive) == KETAMA_NONE);
    CHECK(ketama_ring_find_alive(ring, NULL, 3, alive) == KETAMA_NONE);
    CHECK(ketama_ring_find_alive(ring, "key", 3, NULL) == KETAMA_NONE);
    CHECK(ketama_ring_find_bounded(NULL, "key", 3, load, 2) == KETAMA_NONE);
    CHECK(ketama_ring_find_bounded(ring, NULL, 3, load, 2) == KETAMA_NONE);
    CHECK(ketama_ring_find_bounded(ring, "key", 3, NULL, 2) == KETAMA_NONE);
    CHECK(ketama_ring_find_bounded(ring, "key", 3, load, 1) == KETAMA_NONE);
    CHECK(strcmp(ketama_last_error(), "the factor is 1, and not above 1") == 0);
    CHECK(ketama_ring_find_bounded(ring, "key", 3, load, NAN) == KETAMA_NONE);
    CHECK(ketama_ring_share(NULL, 0) == -1 && ketama_ring_share(ring, SERVERS) == -1);
    CHECK(ketama_ring_compare(NULL, ring, NULL, 0, &count, &moved) == KETAMA_NULL_ARGUMENT);
    CHECK(ketama_ring_compare(ring, NULL, &move, 1, &count, &moved) == KETAMA_NULL_ARGUMENT);
    CHECK(ketama_ring_compare(ring, ring, NULL, 1, &count, &moved) == KETAMA_NULL_ARGUMENT);
    CHECK(ketama_ring_new(servers, SERVERS, KETAMA_DALLI, &out) == KETAMA_OK);
    CHECK(ketama_ring_compare(ring, out, NULL, 0, &count, &moved) == KETAMA_DIFFERENT_HASHES);
    CHECK(count == 7 && moved == 7);
    ketama_ring_free(out);
    ketama_ring_free(ring);

    ketama_watch *watch = NULL;
    CHECK(ketama_watch_new(NULL, KETAMA_LIBKETAMA, &watch) == KETAMA_NULL_ARGUMENT);
    CHECK(ketama_watch_new("file", KETAMA_LIBKETAMA, NULL) == KETAMA_NULL_ARGUMENT);
    CHECK(watch == NULL);
    CHECK(ketama_watch_ring(NULL) == NULL);
    CHECK(ketama_watch_poll(NULL) == KETAMA_NULL_ARGUMENT);
    ketama_watch_free(NULL);
}

/* A server of no weight, where that is no error. */
static void weights_of_0(void) {
    for (int i = 0; i < 12; i++) {
        ketama_server list[] = {{"a", 0}, {"b", 0}};
        ketama_ring *ring = NULL;
        int takes = i == KETAMA_HASH_RING_UNWEIGHTED || i == KETAMA_LIBMEMCACHED_WEIGHTED || i == KETAMA_LIBMEMCACHED ||
                    i == KETAMA_LIBMEMCACHED_MD5 || i == KETAMA_SPYMEMCACHED || i == KETAMA_NPM_HASHRING ||
                    i == KETAMA_NPM_MEMCACHED;
        ketama_status status = ketama_ring_new(list, 2, (ketama_dialect)i, &ring);
        ketama_status refusal = i == KETAMA_HASH_RING ? KETAMA_NO_POINTS : KETAMA_ZERO_WEIGHT;
        CHECK(status == (takes ? KETAMA_OK : refusal));
        CHECK(!takes == !ring);
        if (ring)
            CHECK(ketama_ring_server_weight(ring, 0) == 0 && ketama_ring_share(ring, 0) > 0.3);
        ketama_ring_free(ring);
    }
}

static void files(void) {
    ketama_ring *ring = NULL;
    CHECK(ketama_ring_from_file("missing", KETAMA_DALLI, &ring) == KETAMA_UNREADABLE);
    CHECK(strcmp(ketama_last_error(), "cannot read it: No such file or directory (os error 2) (in missing)") == 0);
    CHECK(ketama_ring_from_file(".", KETAMA_DALLI, &ring) == KETAMA_UNREADABLE);
    CHECK(ketama_ring_from_file("/dev/null", KETAMA_DALLI, &ring) == KETAMA_UNREADABLE);
    CHECK(strcmp(ketama_last_error(), "it is not a regular file (in /dev/null)") == 0);
    write_file("empty", "# nothing\n");
    CHECK(ketama_ring_from_file("empty", KETAMA_DALLI, &ring) == KETAMA_NO_SERVERS);
    write_file("bad", "a 1\nb x # c\n");
    CHECK(ketama_ring_from_file("bad", KETAMA_DALLI, &ring) == KETAMA_SYNTAX);
    CHECK(strcmp(ketama_last_error(), "line 2, column 3: expected a weight, in decimal digits and below 2^64 (in bad)") == 0);
    write_file("zero", "a 1\nb 0\n");
    CHECK(ketama_ring_from_file("zero", KETAMA_DALLI, &ring) == KETAMA_SYNTAX);
    CHECK(strcmp(ketama_last_error(), "line 2, column 3: expected a weight of at least 1 (in zero)") == 0);
    CHECK(ring == NULL);
    CHECK(ketama_ring_from_file("zero", KETAMA_SPYMEMCACHED, &ring) == KETAMA_OK);
    ketama_ring_free(ring);
    write_file("good", "\xef\xbb\xbf" "a 100 # no newline is lost\r\n\r\n   b\t100");
    CHECK(ketama_ring_from_file("good", KETAMA_LIBKETAMA, &ring) == KETAMA_OK);
    CHECK(ketama_ring_server_count(ring) == 2);
    CHECK(strcmp(ketama_ring_server_name(ring, 0), "a") == 0);
    CHECK(ketama_ring_server_weight(ring, 1) == 100);
    ketama_ring_free(ring);
}

int main(void) {
    prepare();
    each_dialect();
    other_bases();
    combinations();
    invalid_rules();
    nulls();
    weights_of_0();
    files();
    return 0;
}
