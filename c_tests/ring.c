/* Rings from lists of servers: what they answer, what they refuse and with which text, and who owns them. */
#include "check.h"
#include <limits.h>

static ketama_status refuse(const ketama_server *servers, size_t count, const char *text) {
    ketama_ring *out = (ketama_ring *)servers; /* any value, to see that it stays */
    ketama_status status = ketama_ring_new(servers, count, KETAMA_LIBKETAMA, &out);
    CHECK(status != KETAMA_OK);
    CHECK((const void *)out == (const void *)servers);
    CHECK(strcmp(ketama_last_error(), text) == 0);
    return status;
}

static void refusals(void) {
    static char name[1025];
    memset(name, 'x', 1024);
    ketama_server servers[] = {{"a", 1}, {"b", 2}, {"c", 3}};

    CHECK(refuse(servers, 0, "the list of servers is empty") == KETAMA_NO_SERVERS);
    servers[2].weight = 0;
    CHECK(refuse(servers, 3, "server 2: the weight is 0") == KETAMA_ZERO_WEIGHT);
    servers[2].weight = UINT64_MAX - 2;
    CHECK(refuse(servers, 3, "server 2: the sum of the weights reaches 2^64") == KETAMA_WEIGHT_SUM);
    servers[2].weight = 3;
    servers[1].name = "";
    CHECK(refuse(servers, 3, "server 1: the name is empty") == KETAMA_EMPTY_NAME);
    servers[1].name = name;
    CHECK(refuse(servers, 3, "server 1: the name is longer than 1023 bytes") == KETAMA_LONG_NAME);

    ketama_ring *ring;
    name[1023] = '\0';
    CHECK(ketama_ring_new(servers, 3, KETAMA_LIBKETAMA, &ring) == KETAMA_OK);
    CHECK(strcmp(ketama_last_error(), "") == 0);
    CHECK(strcmp(ketama_ring_server_name(ring, 1), name) == 0);
    ketama_ring_free(ring);

    servers[0].weight = UINT64_MAX - 5;
    CHECK(ketama_ring_new(servers, 3, KETAMA_LIBKETAMA, &ring) == KETAMA_OK);
    ketama_ring_free(ring);

    static const int dialects[] = {-1, 12, INT_MAX, INT_MIN};
    for (size_t i = 0; i < sizeof dialects / sizeof *dialects; i++) {
        ketama_dialect dialect;
        memcpy(&dialect, &dialects[i], sizeof dialect);
        ring = NULL;
        CHECK(ketama_ring_new(servers, 3, dialect, &ring) == KETAMA_UNKNOWN_DIALECT);
        CHECK(ring == NULL);
    }
}

static void too_many_points(void) {
    size_t count = 14000000;
    ketama_server *servers = malloc(count * sizeof *servers);
    CHECK(servers);
    for (size_t i = 0; i < count; i++)
        servers[i].name = "a", servers[i].weight = 1;
    ketama_ring *ring = NULL;
    CHECK(ketama_ring_new(servers, count, KETAMA_LIBKETAMA, &ring) == KETAMA_TOO_MANY_POINTS);
    CHECK(ring == NULL);
    CHECK(strncmp(ketama_last_error(), "server 13", 9) == 0);
    free(servers);
}

static void answers(const char *file) {
    /* The servers of the file, so that both interfaces must say the same. */
    ketama_server servers[] = {
        {"10.0.1.1:11211", 600}, {"10.0.1.2:11211", 300},  {"10.0.1.3:11211", 200}, {"10.0.1.4:11211", 350},
        {"10.0.1.5:11211", 1000}, {"10.0.1.6:11211", 800}, {"10.0.1.7:11211", 950}, {"10.0.1.8:11211", 100},
    };
    ketama_ring *ring;
    CHECK(ketama_ring_new(servers, 8, KETAMA_LIBKETAMA, &ring) == KETAMA_OK);
    CHECK(ketama_ring_server_count(ring) == 8);
    for (size_t i = 0; i < 8; i++) {
        CHECK(strcmp(ketama_ring_server_name(ring, i), servers[i].name) == 0);
        CHECK(ketama_ring_server_weight(ring, i) == servers[i].weight);
    }
    CHECK(ketama_ring_server_name(ring, 8) == NULL);
    CHECK(strcmp(ketama_last_error(), "there is no server 8: the ring has 8") == 0);
    CHECK(ketama_ring_server_name(ring, SIZE_MAX) == NULL);
    CHECK(ketama_ring_server_weight(ring, 8) == 0);

    ketama_continuum c;
    CHECK(ketama_roll(&c, file) == 1);
    static ketama_point points[2000];
    CHECK(ketama_ring_points(ring, points, 2000) == 1264);
    for (int i = 0; i < 1264; i++) {
        mcs *m = (mcs *)c->array + i;
        CHECK(points[i].point == m->point);
        CHECK(strcmp(servers[points[i].server].name, m->ip) == 0);
    }
    for (int i = 0; i < 10000; i++) {
        char key[16];
        int len = snprintf(key, sizeof key, "%d", i);
        CHECK(strcmp(servers[ketama_ring_find(ring, key, (size_t)len)].name, ketama_get_server(key, c)->ip) == 0);
    }

    /* As many points as fit, and no more. */
    ketama_point few[3] = {{7, 7}, {7, 7}, {7, 7}};
    CHECK(ketama_ring_points(ring, few, 2) == 1264);
    CHECK(memcmp(few, points, 2 * sizeof *few) == 0);
    CHECK(few[2].point == 7 && few[2].server == 7);
    CHECK(ketama_ring_points(ring, few, 0) == 1264);

    /* A key's NUL is a byte like any other. */
    size_t with_nul = 0;
    for (char i = 0; i < 100; i++)
        with_nul += ketama_ring_find(ring, (char[]){'k', '\0', i}, 3) != ketama_ring_find(ring, "k", 1);
    CHECK(with_nul > 50);
    CHECK(ketama_ring_find(ring, "key", (size_t)-1) == KETAMA_NONE);

    /* The ring of a continuum lives as long as its last owner. */
    const ketama_ring *lent = ketama_continuum_ring(c);
    CHECK(lent && ketama_ring_points(lent, NULL, 0) == 1264);
    ketama_ring *kept = ketama_ring_retain(lent);
    CHECK(kept == lent);
    ketama_smoke(c);
    CHECK(ketama_ring_find(kept, "foo", 3) == ketama_ring_find(ring, "foo", 3));
    ketama_ring_free(kept);
    CHECK(ketama_ring_retain(ring) == ring);
    ketama_ring_free(ring);
    CHECK(ketama_ring_server_count(ring) == 8);
    ketama_ring_free(ring);
}

int main(int argc, char **argv) {
    CHECK(argc == 2);
    CHECK(strcmp(ketama_version(), "1.0.0") == 0);
    refusals();
    too_many_points();
    answers(argv[1]);
    return 0;
}
