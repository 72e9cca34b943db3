#define FFI_SCOPE "KETAMA"
#define FFI_LIB "libketama.so.1"

/* The declarations of the native library's ketama.h that this package uses, word for word. */

typedef enum {
    KETAMA_OK = 0,
    KETAMA_NULL_ARGUMENT = 1,
    KETAMA_UNKNOWN_DIALECT = 2,
    KETAMA_NO_SERVERS = 3,
    KETAMA_EMPTY_NAME = 4,
    KETAMA_LONG_NAME = 5,
    KETAMA_ZERO_WEIGHT = 6,
    KETAMA_WEIGHT_SUM = 7,
    KETAMA_TOO_MANY_POINTS = 8,
    KETAMA_OUT_OF_MEMORY = 9,
    KETAMA_INTERNAL_ERROR = 10,
    KETAMA_NO_POINTS = 11,
    KETAMA_INVALID_RULES = 12,
    KETAMA_UNKNOWN_SERVER = 13,
    KETAMA_DIFFERENT_HASHES = 14,
    KETAMA_UNREADABLE = 15,
    KETAMA_SYNTAX = 16,
    KETAMA_OFFSETS = 17,
    KETAMA_OUT_OF_RANGE = 18,
} ketama_status;

typedef enum {
    KETAMA_LIBKETAMA = 0,
    KETAMA_HASH_RING = 1,
    KETAMA_HASH_RING_UNWEIGHTED = 2,
    KETAMA_LIBMEMCACHED_WEIGHTED = 3,
    KETAMA_LIBMEMCACHED = 4,
    KETAMA_LIBMEMCACHED_MD5 = 5,
    KETAMA_TWEMPROXY = 6,
    KETAMA_SPYMEMCACHED = 7,
    KETAMA_DALLI = 8,
    KETAMA_NGINX = 9,
    KETAMA_NPM_HASHRING = 10,
    KETAMA_NPM_MEMCACHED = 11,
} ketama_dialect;

typedef struct ketama_ring ketama_ring;

typedef struct {
    const char *name;
    uint64_t weight;
} ketama_server;

typedef struct {
    uint32_t point;
    uint32_t server;
} ketama_point;

typedef struct {
    uint32_t from;
    uint32_t to;
    double share;
} ketama_move;

const char *ketama_version(void);

const char *ketama_last_error(void);

ketama_status ketama_dialect_from_name(const char *name, ketama_dialect *out);

ketama_status ketama_ring_new(const ketama_server *servers,
                              size_t count,
                              ketama_dialect dialect,
                              ketama_ring **out);

ketama_status ketama_ring_from_file(const char *path, ketama_dialect dialect, ketama_ring **out);

ketama_status ketama_ring_with_server(const ketama_ring *ring,
                                      const ketama_server *server,
                                      ketama_ring **out);

ketama_status ketama_ring_without_server(const ketama_ring *ring,
                                         const char *name,
                                         ketama_ring **out);

void ketama_ring_free(ketama_ring *ring);

size_t ketama_ring_server_count(const ketama_ring *ring);

const char *ketama_ring_server_name(const ketama_ring *ring, size_t server);

uint64_t ketama_ring_server_weight(const ketama_ring *ring, size_t server);

size_t ketama_ring_points(const ketama_ring *ring, ketama_point *out, size_t capacity);

size_t ketama_ring_find(const ketama_ring *ring, const void *key, size_t key_len);

uint32_t ketama_ring_hash(const ketama_ring *ring, const void *key, size_t key_len);

ketama_status ketama_ring_find_packed(const ketama_ring *ring,
                                      const void *bytes,
                                      const uint32_t *offsets,
                                      size_t n,
                                      uint32_t *servers);

size_t ketama_ring_walk(const ketama_ring *ring,
                        const void *key,
                        size_t key_len,
                        uint32_t *servers,
                        size_t max);

size_t ketama_ring_find_alive(const ketama_ring *ring,
                              const void *key,
                              size_t key_len,
                              const uint8_t *alive);

double ketama_ring_share(const ketama_ring *ring, size_t server);

ketama_status ketama_ring_compare(const ketama_ring *a,
                                  const ketama_ring *b,
                                  ketama_move *moves,
                                  size_t capacity,
                                  size_t *count,
                                  double *moved);
