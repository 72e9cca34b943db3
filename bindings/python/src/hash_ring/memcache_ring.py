"""MemcacheRing: python-memcached's client, with a HashRing in the place of its own choice."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Optional, Union

try:
    import memcache  # type: ignore[import-untyped]
except ImportError as error:
    raise ImportError(
        "MemcacheRing needs python-memcached: pip install 'ketama-hash-ring[memcache]'"
    ) from error

from hash_ring.hash_ring import HashRing

Server = Union[str, tuple[str, int]]


class MemcacheRing(memcache.Client):  # type: ignore[misc]
    """A memcache.Client whose keys go to the node that a ring names.

    A node that does not connect is passed over for the next in ring order, and tried again after
    dead_retry seconds; its keys come back then. A key given as a tuple of hash and key goes where
    memcache.Client would send it.

    servers: as for memcache.Client. With weights, ("host:port", weight), the ring has them too.
    hash_ring: a ring to use instead of HashRing(servers), of another dialect, say. Its nodes are
        servers, by the same text.

    All other arguments are memcache.Client's. As there, each thread has connections of its own.
    """

    def __init__(
        self,
        servers: Iterable[Server],
        *args: Any,
        hash_ring: Optional[HashRing[str]] = None,
        **kwargs: Any,
    ) -> None:
        self._given_ring = hash_ring
        super().__init__(servers, *args, **kwargs)

    def set_servers(self, servers: Iterable[Server]) -> None:
        listed = list(servers)
        names = [server if isinstance(server, str) else server[0] for server in listed]
        weights = {server[0]: server[1] for server in listed if not isinstance(server, str)}
        ring = HashRing(names, weights) if self._given_ring is None else self._given_ring
        for node in ring.nodes:
            if node not in names:
                raise ValueError(f"the ring has {node}, which is not among the servers")
        super().set_servers(listed)
        self.hash_ring = ring
        self._hosts = dict(zip(names, self.servers))

    def _get_server(self, key: Any) -> tuple[Any, Any]:
        if isinstance(key, tuple):
            server, key = super()._get_server(key)
            return server, key
        for node in self.hash_ring.iterate_nodes(key):
            host = self._hosts[node]
            if host.connect():
                return host, key
        return None, None
