/* Names, keys, lists and results that end where their memory ends, and are freed as soon as the library has had them: for
 * the sanitizers and valgrind, which report what is read or written beyond, or later. */
#include "check.h"

/* More keys than are hashed side by side, of up to more bytes than one block has; mixed, of more than four blocks. */
enum { SERVERS = 7, GROUP = 97, LENGTHS = 67, MIXED = 200, MIXED_LENGTHS = 301 };

/* One dialect for each hash of keys. */
static const ketama_dialect dialects[] = {KETAMA_LIBKETAMA, KETAMA_LIBMEMCACHED, KETAMA_TWEMPROXY, KETAMA_NGINX};

static void *allocate(size_t size) {
    void *memory = malloc(size);
    CHECK(memory);
    return memory;
}

static ketama_ring *new_ring(ketama_dialect dialect) {
    ketama_server *servers = allocate(SERVERS * sizeof *servers);
    for (int i = 0; i < SERVERS; i++) {
        /* From 1 byte on: points are hashed side by side for short names, and one by one for others. */
        size_t len = i == SERVERS - 1 ? 1023 : (size_t)(1 << i);
        char *name = allocate(len + 1);
        memset(name, 'a' + i, len);
        name[len] = 0;
        servers[i].name = name;
        servers[i].weight = 1;
    }
    ketama_ring *ring;
    CHECK(ketama_ring_new(servers, SERVERS, dialect, &ring) == KETAMA_OK);
    for (int i = 0; i < SERVERS; i++)
        free((char *)servers[i].name);
    free(servers);
    return ring;
}

/* Looks up `count` keys in each way, and frees them. */
static void look_up(const ketama_ring *ring, ketama_key *keys, size_t count) {
    uint32_t *offsets = allocate((count + 1) * sizeof *offsets);
    offsets[0] = 0;
    for (size_t i = 0; i < count; i++)
        offsets[i + 1] = offsets[i] + (uint32_t)keys[i].len;
    char *bytes = allocate(offsets[count]);
    for (size_t i = 0; i < count; i++)
        memcpy(bytes + offsets[i], keys[i].data, keys[i].len);

    uint32_t *many = allocate(count * sizeof *many), *packed = allocate(count * sizeof *packed);
    CHECK(ketama_ring_find_many(ring, keys, count, many) == KETAMA_OK);
    CHECK(ketama_ring_find_packed(ring, bytes, offsets, count, packed) == KETAMA_OK);
    for (size_t i = 0; i < count; i++) {
        CHECK(many[i] == ketama_ring_find(ring, keys[i].data, keys[i].len));
        CHECK(many[i] == packed[i]);
        free((void *)keys[i].data);
    }
    free(keys), free(offsets), free(bytes), free(many), free(packed);
}

static ketama_key new_key(size_t len, size_t number) {
    char *data = allocate(len);
    for (size_t i = 0; i < len; i++)
        data[i] = (char)(i * 7 + number);
    ketama_key key = {data, len};
    return key;
}

static void fill(const ketama_ring *ring) {
    size_t points = ketama_ring_points(ring, NULL, 0);
    ketama_point *all = allocate(points * sizeof *all);
    CHECK(ketama_ring_points(ring, all, points) == points);
    free(all);

    uint32_t *walk = allocate(SERVERS * sizeof *walk);
    CHECK(ketama_ring_walk(ring, "key", 3, walk, SERVERS) == SERVERS);
    free(walk);

    uint8_t *alive = allocate(SERVERS);
    memset(alive, 0, SERVERS);
    CHECK(ketama_ring_find_alive(ring, "key", 3, alive) == KETAMA_NONE);
    free(alive);

    uint64_t *load = allocate(SERVERS * sizeof *load);
    memset(load, 0, SERVERS * sizeof *load);
    CHECK(ketama_ring_find_bounded(ring, "key", 3, load, 1.25) < SERVERS);
    free(load);
}

int main(void) {
    for (size_t d = 0; d < sizeof dialects / sizeof *dialects; d++) {
        ketama_ring *ring = new_ring(dialects[d]);
        for (size_t len = 0; len < LENGTHS; len++) {
            ketama_key *keys = allocate(GROUP * sizeof *keys);
            for (size_t i = 0; i < GROUP; i++)
                keys[i] = new_key(len, i);
            look_up(ring, keys, GROUP);
        }
        for (size_t count = 1; count < MIXED; count += 11) {
            ketama_key *keys = allocate(count * sizeof *keys);
            for (size_t i = 0; i < count; i++)
                keys[i] = new_key(i * 37 % MIXED_LENGTHS, count);
            look_up(ring, keys, count);
        }
        fill(ring);
        ketama_ring_free(ring);
    }
    return 0;
}
