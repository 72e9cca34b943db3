"""What a typed program writes: checked by mypy --strict, never run."""

from __future__ import annotations

from collections.abc import Generator
from decimal import Decimal
from typing import Optional, assert_type

from hash_ring import Comparison, HashRing, MemcacheRing
from hash_ring import HashRin  # type: ignore[attr-defined]


class Server:
    pass


strings: HashRing[str] = HashRing(["a:1", "b:1"], {"a:1": 2})
node: Optional[str] = strings.get_node("key")
replicas: list[str] = strings.get_nodes(b"key", 2)
many: list[Optional[str]] = strings.get_nodes_many(["key", b"key"])
walk: Generator[str, None, None] = strings.iterate_nodes("key", distinct=False)
position: int = strings.gen_key("key")
place: Optional[int] = strings.get_node_pos("key")
moved: Comparison[str] = strings.compare(HashRing(["a:1"], {"a:1": 0.5}, dialect="libketama"))
assert_type(HashRing.from_file("servers", dialect="nginx"), HashRing[str])
assert_type(HashRing.from_file("servers").share(), dict[str, float])

objects: HashRing[Server] = HashRing((Server(), Server()))
server: Optional[Server] = objects.get_node("key")
objects.add_node(Server(), Decimal("1.5"))
objects.get_node(5)  # type: ignore[arg-type]
objects.add_node("a")  # type: ignore[arg-type]

client = MemcacheRing(["a:1", ("b:1", 2)], hash_ring=strings, dead_retry=5)
