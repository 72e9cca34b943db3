/* Shows ThreadSanitizer the fence with which Arc drops its last count, since it passes over fences: the count is loaded
 * again instead, which the standard library does itself where it is compiled for ThreadSanitizer. The one that comes
 * with Rust is not. */
#include <stddef.h>
#include <stdint.h>

typedef volatile uint64_t count;

uint64_t __tsan_atomic64_load(const count *at, int order);
uint64_t __tsan_atomic64_fetch_add(count *at, uint64_t more, int order);
uint64_t __tsan_atomic64_fetch_sub(count *at, uint64_t less, int order);
void __tsan_atomic_thread_fence(int order);

static __thread count *dropped;

uint64_t __tsan_atomic64_fetch_sub(count *at, uint64_t less, int order) {
    uint64_t before = __tsan_atomic64_fetch_add(at, -less, order);
    dropped = before == 1 ? at : NULL;
    return before;
}

void __tsan_atomic_thread_fence(int order) {
    if (dropped)
        __tsan_atomic64_load(dropped, order);
    dropped = NULL;
}
