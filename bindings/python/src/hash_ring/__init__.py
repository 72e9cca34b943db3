"""Consistent hashing for memcached fleets: HashRing and MemcacheRing on the ketama library."""

from typing import TYPE_CHECKING

from hash_ring._ring import version as __version__
from hash_ring.hash_ring import Comparison, HashRing, Move

if TYPE_CHECKING:
    from hash_ring.memcache_ring import MemcacheRing as MemcacheRing
else:

    def __getattr__(name):
        if name == "MemcacheRing":
            from hash_ring.memcache_ring import MemcacheRing

            return MemcacheRing
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


# Not MemcacheRing: it needs python-memcached, which import * should not.
__all__ = ["Comparison", "HashRing", "Move", "__version__"]
