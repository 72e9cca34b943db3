"""HashRing against PyPI uhashring and hashring, in one process: medians of interleaved rounds."""

import argparse
import statistics
import time

import hashring
import uhashring

from hash_ring import HashRing

ROUNDS = 15


def nanoseconds_a_key(look_up, keys):
    start = time.thread_time_ns()
    look_up(keys)
    return (time.thread_time_ns() - start) / len(keys)


def each(get_node):
    def look_up(keys):
        for key in keys:
            get_node(key)

    return look_up


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--keys", type=int, default=20000)
    keys = [f"user:{i:015d}" for i in range(parser.parse_args().keys)]
    for count in (8, 100):
        nodes = [f"10.0.1.{i}:11211" for i in range(count)]
        ring = HashRing(nodes)
        contenders = {
            "uhashring get_node": each(uhashring.HashRing(nodes).get_node),
            "hashring get_node": each(hashring.HashRing(nodes).get_node),
            "get_node": each(ring.get_node),
            "get_nodes_many": ring.get_nodes_many,
            # Packing and mapping back, and little more: the cheapest hash, and one server.
            "of it Python's side": HashRing(nodes[:1], dialect="nginx").get_nodes_many,
            "an empty loop": each(lambda key: None),
        }
        times = {name: [] for name in contenders}
        for _ in range(ROUNDS):
            for name, look_up in contenders.items():
                times[name].append(nanoseconds_a_key(look_up, keys))
        medians = {name: statistics.median(rounds) for name, rounds in times.items()}
        print(f"Python, {count} nodes, keys of {len(keys[0])} bytes, ns a key:")
        for name, median in medians.items():
            ratios = [
                f"{medians[peer] / median:5.1f}x {peer.split()[0]}"
                for peer in ("uhashring get_node", "hashring get_node")
            ]
            print(f"  {name:<20} {median:7.0f}   {'   '.join(ratios)}")


main()
