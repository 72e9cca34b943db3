/* What a program holds: memory, descriptors and System V objects. It stands between the library and malloc(). */
#ifndef REMAINS_H
#define REMAINS_H

#include "descriptors.h"
#include <stdatomic.h>
#include <sys/types.h>

extern void *__libc_malloc(size_t);
extern void *__libc_calloc(size_t, size_t);
extern void *__libc_realloc(void *, size_t);
extern void *__libc_memalign(size_t, size_t);
extern void __libc_free(void *);

static atomic_long blocks;

static void *counted(void *block) {
    if (block)
        atomic_fetch_add_explicit(&blocks, 1, memory_order_relaxed);
    return block;
}

void *malloc(size_t size) { return counted(__libc_malloc(size)); }
void *calloc(size_t count, size_t size) { return counted(__libc_calloc(count, size)); }
void *memalign(size_t align, size_t size) { return counted(__libc_memalign(align, size)); }

void *realloc(void *block, size_t size) {
    void *moved = __libc_realloc(block, size);
    return block ? moved : counted(moved);
}

int posix_memalign(void **out, size_t align, size_t size) {
    *out = memalign(align, size);
    return *out ? 0 : 12;
}

void free(void *block) {
    if (block)
        atomic_fetch_sub_explicit(&blocks, 1, memory_order_relaxed);
    __libc_free(block);
}

/* None is ever asked for, in whatever way a segment, semaphore or queue would be left. */
static atomic_int system_v_objects;

int shmget(key_t key, size_t size, int flags) { return (void)key, (void)size, (void)flags, ++system_v_objects; }
int semget(key_t key, int count, int flags) { return (void)key, (void)count, (void)flags, ++system_v_objects; }
int msgget(key_t key, int flags) { return (void)key, (void)flags, ++system_v_objects; }

typedef struct {
    long blocks;
    int descriptors, system_v_objects;
} remains;

static remains remaining(void) {
    remains now = {.system_v_objects = atomic_load(&system_v_objects), .descriptors = descriptors()};
    now.blocks = atomic_load(&blocks);
    return now;
}

static inline int are_same(remains a, remains b) {
    return a.blocks == b.blocks && a.descriptors == b.descriptors && a.system_v_objects == 0 && b.system_v_objects == 0;
}

#endif
