/* Functions with NULL for each of their pointers, and what each returns then; operations.c has the others. Where nothing
 * is said to be written, nothing is. */
#include "check.h"

static ketama_ring *ring;
static ketama_continuum rolled;

#define ERROR_IS(text) CHECK(strcmp(ketama_last_error(), text) == 0)

static void ring_new_servers(void) {
    ketama_ring *out = ring;
    CHECK(ketama_ring_new(NULL, 1, KETAMA_LIBKETAMA, &out) == KETAMA_NULL_ARGUMENT);
    CHECK(out == ring);
    ERROR_IS("servers is NULL");
}

static void ring_new_no_servers(void) {
    ketama_ring *out = ring;
    CHECK(ketama_ring_new(NULL, 0, KETAMA_LIBKETAMA, &out) == KETAMA_NO_SERVERS);
    CHECK(out == ring);
}

static void ring_new_name(void) {
    ketama_server servers[] = {{"a", 1}, {NULL, 1}};
    ketama_ring *out = ring;
    CHECK(ketama_ring_new(servers, 2, KETAMA_LIBKETAMA, &out) == KETAMA_NULL_ARGUMENT);
    CHECK(out == ring);
    ERROR_IS("server 1: the name is NULL");
}

static void ring_new_out(void) {
    ketama_server server = {"a", 1};
    CHECK(ketama_ring_new(&server, 1, KETAMA_LIBKETAMA, NULL) == KETAMA_NULL_ARGUMENT);
    ERROR_IS("out is NULL");
}

static void ring_find_ring(void) {
    CHECK(ketama_ring_find(NULL, "key", 3) == KETAMA_NONE);
    ERROR_IS("the ring is NULL");
}

static void ring_find_key(void) {
    CHECK(ketama_ring_find(ring, NULL, 3) == KETAMA_NONE);
    CHECK(ketama_ring_find(ring, NULL, 0) == ketama_ring_find(ring, "", 0));
    CHECK(ketama_ring_find(ring, NULL, 0) != KETAMA_NONE);
}

static void ring_server_count(void) { CHECK(ketama_ring_server_count(NULL) == 0); }

static void ring_server_name(void) { CHECK(ketama_ring_server_name(NULL, 0) == NULL); }

static void ring_server_weight(void) { CHECK(ketama_ring_server_weight(NULL, 0) == 0); }

static void ring_points_ring(void) {
    ketama_point point = {1, 2};
    CHECK(ketama_ring_points(NULL, &point, 1) == 0);
    CHECK(point.point == 1 && point.server == 2);
}

static void ring_points_out(void) {
    CHECK(ketama_ring_points(ring, NULL, 0) == 160);
    CHECK(ketama_ring_points(ring, NULL, 1000) == 160);
}

static void ring_retain(void) { CHECK(ketama_ring_retain(NULL) == NULL); }

static void ring_free(void) { ketama_ring_free(NULL); }

static void roll_contptr(void) {
    CHECK(ketama_roll(NULL, "file") == 0);
    ERROR_IS("contptr is NULL");
}

static void roll_filename(void) {
    ketama_continuum c = rolled;
    CHECK(ketama_roll(&c, NULL) == 0);
    CHECK(c == rolled);
    ERROR_IS("filename is NULL");
}

static void roll_both(void) { CHECK(ketama_roll(NULL, NULL) == 0); }

static void smoke(void) { ketama_smoke(NULL); }

static void get_server_key(void) {
    CHECK(ketama_get_server(NULL, rolled) == NULL);
    ERROR_IS("the key is NULL");
}

static void get_server_continuum(void) {
    CHECK(ketama_get_server("key", NULL) == NULL);
    ERROR_IS("the continuum is NULL or empty");
}

static void get_server_empty_continuum(void) {
    ketama_continuum empty;
    CHECK(ketama_roll(&empty, "/dev/null") == 0);
    CHECK(empty->numpoints == 0 && empty->array == NULL && empty->modtime == NULL);
    CHECK(ketama_get_server("key", empty) == NULL);
    CHECK(ketama_continuum_ring(empty) == NULL);
    ketama_smoke(empty);
}

static void print_continuum(void) { ketama_print_continuum(NULL); }

static void compare_a(void) {
    CHECK(ketama_compare(NULL, (mcs *)rolled->array) == 0);
    ERROR_IS("a point is NULL");
}

static void compare_b(void) { CHECK(ketama_compare((mcs *)rolled->array, NULL) == 0); }

static void hashi(void) {
    CHECK(ketama_hashi(NULL) == 0);
    ERROR_IS("the string is NULL");
}

static void md5_digest_string(void) {
    unsigned char out[16] = "untouched";
    ketama_md5_digest(NULL, out);
    CHECK(strcmp((char *)out, "untouched") == 0);
    ERROR_IS("the string is NULL");
}

static void md5_digest_out(void) {
    ketama_md5_digest("string", NULL);
    ERROR_IS("the output is NULL");
}

static void continuum_ring(void) { CHECK(ketama_continuum_ring(NULL) == NULL); }

int main(int argc, char **argv) {
    static const struct { const char *name; void (*run)(void); } tests[] = {
#define TEST(name) {#name, name}
        TEST(ring_new_servers), TEST(ring_new_no_servers), TEST(ring_new_name), TEST(ring_new_out),
        TEST(ring_find_ring), TEST(ring_find_key), TEST(ring_server_count), TEST(ring_server_name),
        TEST(ring_server_weight), TEST(ring_points_ring), TEST(ring_points_out), TEST(ring_retain),
        TEST(ring_free), TEST(roll_contptr), TEST(roll_filename), TEST(roll_both), TEST(smoke),
        TEST(get_server_key), TEST(get_server_continuum), TEST(get_server_empty_continuum),
        TEST(print_continuum), TEST(compare_a), TEST(compare_b), TEST(hashi), TEST(md5_digest_string),
        TEST(md5_digest_out), TEST(continuum_ring),
    };
    ketama_server server = {"10.0.0.1:11211", 1};
    CHECK(argc == 2);
    CHECK(strcmp(ketama_error(), "") == 0);
    CHECK(strcmp(ketama_last_error(), "") == 0);
    for (size_t i = 0; i < sizeof tests / sizeof *tests; i++) {
        CHECK(ketama_ring_new(&server, 1, KETAMA_LIBKETAMA, &ring) == KETAMA_OK);
        CHECK(ketama_roll(&rolled, argv[1]) == 1);
        CHECK(strcmp(ketama_error(), "") == 0);
        tests[i].run();
        printf("ok %s\n", tests[i].name);
        ketama_ring_free(ring);
        ketama_smoke(rolled);
    }
    return 0;
}
