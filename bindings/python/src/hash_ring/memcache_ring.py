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

from hash_ring.hash_ring import HashRing, _text

Server = Union[str, tuple[str, int]]


class MemcacheRing(memcache.Client):  # type: ignore[misc]
    """A memcache.Client whose keys go to the node that a ring names.

    A node that does not connect is passed over for the next in ring order, and tried again after
    dead_retry seconds; its keys come back then. A key given as a tuple of hash and key goes where
    memcache.Client would send it.

    servers: as for memcache.Client. With weights, ("host:port", weight), the ring has them too.
    hash_ring: a ring to use instead of HashRing(servers), of another dialect, say. It stays when
        set_servers() is called. The text of each of its nodes must be a server's, or keys that go
        there are a ValueError; servers that it does not have get no keys.

    All other arguments are memcache.Client's. As there, each thread has connections of its own.
    """

    def __init__(
        self,
        servers: Iterable[Server],
        *args: Any,
        hash_ring: Optional[HashRing[Any]] = None,
        **kwargs: Any,
    ) -> None:
        self._given_ring = hash_ring
        super().__init__(servers, *args, **kwargs)

    def set_servers(self, servers: Iterable[Server]) -> None:
        listed = list(servers)
        names = [server if isinstance(server, str) else server[0] for server in listed]
        weights = {server[0]: server[1] for server in listed if not isinstance(server, str)}
        ring = HashRing(names, weights) if self._given_ring is None else self._given_ring
        super().set_servers(listed)
        self.hash_ring = ring
        self._hosts = {_text(name): host for name, host in zip(names, self.servers)}
        for node in ring.nodes:
            self._host(node)

    def _host(self, node: object) -> Any:
        try:
            return self._hosts[_text(node)]
        except KeyError:
            raise ValueError(f"the ring has {node}, which is not among the servers") from None

    def _get_server(self, key: Any) -> tuple[Any, Any]:
        if isinstance(key, tuple):
            server, key = super()._get_server(key)
            return server, key
        for node in self.hash_ring.iterate_nodes(key):
            host = self._host(node)
            if host.connect():
                return host, key
        return None, None
