/* The layout of every structure of ketama.h, where pointers have 8 bytes and where they have 4. Only compiled. */
#include <ketama.h>

/* With pointers of 8 bytes, and of 4. */
#define IS(expression, lp64, ilp32) \
    _Static_assert((expression) == (sizeof(void *) == 8 ? (lp64) : (ilp32)), #expression)
#define AT(type, field, lp64, ilp32) IS(offsetof(type, field), lp64, ilp32)

/* i386 aligns numbers of 8 bytes as those of 4. */
#ifdef __i386__
#define WEIGHT 4
#else
#define WEIGHT 8
#endif

IS(sizeof(mcs), 28, 28);
AT(mcs, point, 0, 0);
AT(mcs, ip, 4, 4);
IS(sizeof((mcs *)0)->ip, 22, 22);

IS(sizeof(serverinfo), 32, 28);
AT(serverinfo, addr, 0, 0);
AT(serverinfo, memory, 24, 24);
IS(sizeof((serverinfo *)0)->addr, 22, 22);

IS(sizeof(continuum), 24, 12);
AT(continuum, numpoints, 0, 0);
AT(continuum, modtime, 8, 4);
AT(continuum, array, 16, 8);

IS(sizeof(ketama_server), 16, WEIGHT + 8);
AT(ketama_server, name, 0, 0);
AT(ketama_server, weight, 8, WEIGHT);

IS(sizeof(ketama_point), 8, 8);
AT(ketama_point, point, 0, 0);
AT(ketama_point, server, 4, 4);

IS(sizeof(ketama_key), 16, 8);
AT(ketama_key, data, 0, 0);
AT(ketama_key, len, 8, 4);

IS(sizeof(ketama_move), 16, 16);
AT(ketama_move, from, 0, 0);
AT(ketama_move, to, 4, 4);
AT(ketama_move, share, 8, 8);

IS(sizeof(ketama_rules), 56, 48);
AT(ketama_rules, struct_size, 0, 0);
AT(ketama_rules, name, 8, 4);
AT(ketama_rules, digest, 12, 8);
AT(ketama_rules, points_per_digest, 16, 12);
AT(ketama_rules, count, 20, 16);
AT(ketama_rules, base, 24, 20);
AT(ketama_rules, zero_weight, 28, 24);
AT(ketama_rules, order, 32, 28);
AT(ketama_rules, ties, 36, 32);
AT(ketama_rules, key_hash, 40, 36);
AT(ketama_rules, lookup, 44, 40);
AT(ketama_rules, separator, 48, 44);

/* Where these are passed or stored alone. */
IS(sizeof(ketama_status), 4, 4);
IS(sizeof(ketama_dialect), 4, 4);
IS(KETAMA_NONE, UINT64_MAX, UINT32_MAX);
