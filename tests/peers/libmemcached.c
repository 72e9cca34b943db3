/* Where libmemcached sends keys: libmemcached MODE <LIST, whose first line is the number of servers, then a line
 * `HOST PORT WEIGHT` each, then a key a line. Prints the index of each key's server. It connects to none. */
#include <libmemcached/memcached.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void set(memcached_st *memc, memcached_behavior_t behavior, uint64_t value) {
    if (memcached_behavior_set(memc, behavior, value) != MEMCACHED_SUCCESS) {
        fprintf(stderr, "%s\n", memcached_last_error_message(memc));
        exit(1);
    }
}

int main(int argc, char **argv) {
    static char line[1024];
    int servers, port, weight;
    char host[256];
    memcached_st *memc = memcached_create(NULL);
    if (argc != 2 || !memc || scanf("%d", &servers) != 1)
        return 1;
    int is_weighted = strcmp(argv[1], "libmemcached_weighted") == 0;
    if (is_weighted) {
        set(memc, MEMCACHED_BEHAVIOR_KETAMA_WEIGHTED, 1);
    } else {
        set(memc, MEMCACHED_BEHAVIOR_KETAMA, 1);
        if (strcmp(argv[1], "libmemcached_md5") == 0) {
            set(memc, MEMCACHED_BEHAVIOR_HASH, MEMCACHED_HASH_MD5);
            set(memc, MEMCACHED_BEHAVIOR_KETAMA_HASH, MEMCACHED_HASH_MD5);
        }
    }
    memcached_server_st *list = NULL;
    memcached_return_t result = MEMCACHED_SUCCESS;
    for (int i = 0; i < servers; i++) {
        if (scanf("%255s %d %d\n", host, &port, &weight) != 3)
            return 1;
        /* A weight above 1 would turn the weighted ring on by itself. */
        list = memcached_server_list_append_with_weight(list, host, (in_port_t)port,
                                                        is_weighted ? (uint32_t)weight : 0, &result);
        if (result != MEMCACHED_SUCCESS)
            return 1;
    }
    if (memcached_server_push(memc, list) != MEMCACHED_SUCCESS)
        return 1;
    memcached_server_list_free(list);
    while (fgets(line, sizeof line, stdin)) {
        line[strcspn(line, "\n")] = '\0';
        printf("%u\n", memcached_generate_hash(memc, line, strlen(line)));
    }
    memcached_free(memc);
    return 0;
}
