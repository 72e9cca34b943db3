"""HashRing: what its callers are promised, the recorded runs of hash_ring, and its rules."""

import bisect
import copy
import decimal
import fractions
import hashlib
import inspect
import math
import os
import pathlib
import pickle
import random
import re
import subprocess
import sys
import tempfile
import textwrap
import threading
import unittest

import hash_ring
from hash_ring import Comparison, HashRing, Move

HERE = pathlib.Path(__file__).resolve().parent
SEED = int(os.environ.get("KETAMA_SEED", "1"))

NODES = ["192.168.0.246:11212", "192.168.0.247:11212", "192.168.0.249:11212"]
KEYS = ["", "my_key", "a\0b", "k" * 200, "клуч", "\U0001f600"] + [f"key:{i}" for i in range(500)]


class Rules:
    """hash_ring's rules, told plainly: of nodes that share a point, the last listed owns it."""

    def __init__(self, nodes, weights=None):
        owner = {}
        positions = []
        total = sum((weights or {}).get(node, 1) for node in nodes)
        for node in nodes:
            if weights:
                digests, words = 40 * len(nodes) * weights.get(node, 1) // total, 3
            else:
                digests, words = 100, 1
            for k in range(digests):
                digest = hashlib.md5(f"{node}-{k}".encode()).digest()
                for word in range(words):
                    position = int.from_bytes(digest[4 * word : 4 * word + 4], "little")
                    owner[position] = node
                    positions.append(position)
        self.positions = sorted(positions)
        self.nodes = [owner[position] for position in self.positions]

    def gen_key(self, key):
        data = key if isinstance(key, bytes) else key.encode()
        return int.from_bytes(hashlib.md5(data).digest()[:4], "little")

    def get_node_pos(self, key):
        return bisect.bisect(self.positions, self.gen_key(key)) % len(self.positions)

    def points_from(self, key):
        first = self.get_node_pos(key)
        return self.nodes[first:] + self.nodes[:first]


def assert_follows(test, ring, rules, key):
    around = rules.points_from(key)
    test.assertEqual(ring.gen_key(key), rules.gen_key(key))
    test.assertEqual(ring.get_node_pos(key), rules.get_node_pos(key))
    test.assertEqual(ring.get_node(key), around[0])
    return around


class Promises(unittest.TestCase):
    def test_the_ring_follows_hash_rings_rules(self):
        for weights in (None, {}, {NODES[0]: 1, NODES[1]: 2, NODES[2]: 1}, {NODES[1]: 5}):
            ring = HashRing(NODES, weights)
            rules = Rules(NODES, weights)
            for key in KEYS + [key.encode() for key in KEYS] + [b"\xff\x00\xfe"]:
                around = assert_follows(self, ring, rules, key)
                self.assertEqual(list(ring.iterate_nodes(key, distinct=False)), around)
                distinct = list(dict.fromkeys(around))
                self.assertEqual(list(ring.iterate_nodes(key)), distinct)
                self.assertEqual(ring.get_nodes(key), distinct)
                self.assertEqual(ring.get_nodes(key, 2), distinct[:2])
            self.assertEqual(ring.get_nodes_many(KEYS), [ring.get_node(key) for key in KEYS])

    def test_nodes_and_weights_are_as_given(self):
        weights = {NODES[0]: 3}
        ring = HashRing(NODES, weights)
        self.assertIs(ring.nodes, NODES)
        self.assertIs(ring.weights, weights)
        self.assertEqual(ring.dialect, "hash_ring")
        ring = HashRing(NODES)
        self.assertEqual(ring.weights, {})
        self.assertEqual(ring.dialect, "hash_ring_unweighted")

    def test_nodes_are_objects_and_their_text_is_hashed(self):
        class Server:
            __hash__ = None  # only weights need one

            def __init__(self, name):
                self.name = name

            def __str__(self):
                return self.name

        servers = [Server(name) for name in NODES]
        ring, plain = HashRing(servers), HashRing(NODES)
        for key in KEYS:
            self.assertIs(ring.get_node(key), servers[NODES.index(plain.get_node(key))])
            self.assertEqual([node.name for node in ring.iterate_nodes(key)], plain.get_nodes(key))
        self.assertEqual(
            HashRing([node.encode() for node in NODES]).get_node("my_key"),
            plain.get_node("my_key").encode(),
        )
        self.assertEqual(HashRing(range(5)).get_node("k"), int(HashRing("01234").get_node("k")))

    def test_nodes_that_can_be_read_once_or_have_no_hash_are_kept(self):
        ring = HashRing(node for node in NODES)
        self.assertEqual(ring.nodes, NODES)
        self.assertEqual(list(ring.share()), NODES)

        class Unhashable(list):
            def __str__(self):
                return self[0]

        nodes = [Unhashable([node]) for node in NODES]
        ring = HashRing(nodes)
        ring.add_node(Unhashable(["a:1"]))
        ring.remove_node(nodes[0])
        self.assertEqual([str(node) for node in ring.nodes], [*NODES[1:], "a:1"])

    def test_a_list_that_changes_later_does_not_change_the_ring(self):
        nodes = list(NODES)
        ring = HashRing(nodes)
        shares = ring.share()
        nodes.reverse()
        nodes.append("a:1")
        self.assertEqual(ring.share(), shares)
        ring.add_node("a:1")
        self.assertEqual(ring.nodes, [*NODES, "a:1"])
        self.assertRaises(ValueError, HashRing("abc").remove_node, "ab")

    def test_keys_may_be_given_by_name(self):
        ring = HashRing(NODES)
        for method in (ring.get_node, ring.get_node_pos, ring.gen_key):
            self.assertEqual(method(key="k"), method("k"))
            self.assertRaises(TypeError, method)
            self.assertRaises(TypeError, method, "k", "k")
            self.assertRaises(TypeError, method, name="k")
        self.assertEqual(ring.get_nodes(key="k", n=1), ring.get_nodes("k", 1))
        self.assertEqual(next(ring.iterate_nodes(key="k", distinct=False)), ring.get_node("k"))

    def test_a_name_listed_twice_is_one_replica(self):
        for dialect in ("hash_ring", "libketama", "twemproxy", "nginx", "npm_hashring"):
            ring = HashRing(["a:1", "b:1", "a:1", "c:1"], dialect=dialect)
            for key in KEYS:
                found = ring.get_nodes(key)
                self.assertEqual(sorted(found), ["a:1", "b:1", "c:1"], dialect)
                self.assertEqual(ring.get_nodes(key, 2), found[:2])

    def test_dallis_ring_is_walked_to_lower_positions(self):
        ring = HashRing(NODES, dialect="dalli")
        for key in KEYS:
            around = list(ring.iterate_nodes(key, distinct=False))
            self.assertEqual(len(around), 480)
            self.assertEqual(list(dict.fromkeys(around)), ring.get_nodes(key))
        # Keys at the position before a point find the walk of the one before, less its first.
        by_place = {ring.get_node_pos(f"{i}"): f"{i}" for i in range(20000)}
        places = [place for place in by_place if place - 1 in by_place]
        self.assertGreater(len(places), 100)
        for place in places:
            here = list(ring.iterate_nodes(by_place[place], distinct=False))
            below = list(ring.iterate_nodes(by_place[place - 1], distinct=False))
            self.assertEqual(here[1:] + here[:1], below)

    def test_code_that_runs_during_a_call_may_change_the_ring(self):
        class Sudden:
            def __init__(self, ring):
                self.ring = ring

            def __index__(self):
                self.ring.__init__(["d:1"])
                return 5

        ring = HashRing(NODES)
        self.assertEqual(ring.get_nodes("k", Sudden(ring)), ["d:1"])

    def test_an_empty_ring_has_no_node(self):
        for ring in (HashRing(), HashRing([]), HashRing([], {"a": 1}), HashRing(dialect="dalli")):
            for key in KEYS:
                self.assertIsNone(ring.get_node(key))
                self.assertIsNone(ring.get_node_pos(key))
                self.assertEqual(list(ring.iterate_nodes(key)), [])
                self.assertEqual(list(ring.iterate_nodes(key, distinct=False)), [])
                self.assertEqual(ring.get_nodes(key), [])
                self.assertEqual(
                    ring.gen_key(key), HashRing("a", dialect=ring.dialect).gen_key(key)
                )
            self.assertEqual(ring.get_nodes_many(KEYS), [None] * len(KEYS))
            self.assertEqual(ring.share(), {})
        self.assertEqual(HashRing().compare(HashRing()), Comparison(0.0, []))
        for name in ("a", "-"):
            ring = HashRing(name)
            self.assertEqual(HashRing().compare(ring), Comparison(1.0, [Move(None, name, 1.0)]))
            self.assertEqual(ring.compare(HashRing()), Comparison(1.0, [Move(name, None, 1.0)]))

    def test_iterate_nodes_is_a_generator(self):
        ring = HashRing(NODES)
        self.assertTrue(inspect.isgenerator(ring.iterate_nodes("k")))
        self.assertEqual(next(ring.iterate_nodes("k")), ring.get_node("k"))

    def test_weights_that_are_no_integers_are_made_exact(self):
        def same(weights, integers):
            ring = HashRing(NODES, dict(zip(NODES, weights)))
            self.assertEqual(ring.compare(HashRing(NODES, dict(zip(NODES, integers)))).moved, 0)

        same([0.1, 0.2, 0.7], [1, 2, 7])
        same([0.5, 1, 2.25], [2, 4, 9])
        same([fractions.Fraction(1, 3), fractions.Fraction(1, 2), 1], [2, 3, 6])
        same([decimal.Decimal("1.10"), 2, 3], [11, 20, 30])
        same([1e3, 2e3, 3e3], [1, 2, 3])
        same([True, 1, 1], [1, 1, 1])

    def test_a_node_of_weight_0_gets_no_points_and_counts_among_them(self):
        weights = {NODES[0]: 0, NODES[1]: 2, NODES[2]: 1}
        ring, rules = HashRing(NODES, weights), Rules(NODES, weights)
        for key in KEYS:
            assert_follows(self, ring, rules, key)
            self.assertEqual(len(ring.get_nodes(key)), 2)
        self.assertEqual(ring.share()[NODES[0]], 0)

    def test_what_cannot_be_is_refused(self):
        def refuses(kind, pattern, *arguments, **options):
            with self.assertRaisesRegex(kind, pattern):
                HashRing(*arguments, **options)

        refuses(ValueError, "and not -1", NODES, {NODES[0]: -1})
        refuses(ValueError, "and not nan", NODES, {NODES[0]: math.nan})
        refuses(ValueError, "and not inf", NODES, {NODES[0]: math.inf})
        refuses(ValueError, "and not NaN", NODES, {NODES[0]: decimal.Decimal("NaN")})
        refuses(ValueError, "too many", NODES, {NODES[0]: decimal.Decimal("1E-9999999")})
        refuses(ValueError, "2\\*\\*64", NODES, {NODES[0]: 2**64})
        refuses(ValueError, "too many digits", NODES, {NODES[0]: 1e-30})
        refuses(ValueError, "2\\^64", NODES, {NODES[0]: 2**64 - 1})
        refuses(ValueError, "no server gets a point", ["a"], {"a": 0})
        refuses(TypeError, "a number, not str", NODES, {NODES[0]: "2"})
        refuses(ValueError, "weight is 0", NODES, {NODES[0]: 0}, dialect="libketama")
        refuses(ValueError, "dialect", NODES, dialect="ketama")
        refuses(ValueError, "null byte", ["a\0b"])
        refuses(ValueError, "empty", [""])
        refuses(ValueError, "longer than 1023", ["x" * 1024])
        refuses(TypeError, "", 5)
        ring = HashRing(NODES)
        for key in (5, None, 1.5, ("a", "b"), bytearray(b"k")):
            for method in (ring.get_node, ring.get_node_pos, ring.gen_key, ring.get_nodes):
                self.assertRaisesRegex(TypeError, "a key is str or bytes", method, key)
            self.assertRaises(TypeError, ring.get_nodes_many, ["a", key])
            self.assertRaises(TypeError, list, ring.iterate_nodes(key))
        self.assertRaises(TypeError, ring.get_nodes_many, 5)
        self.assertRaises(UnicodeEncodeError, ring.get_node, "\ud800")
        self.assertRaises(ValueError, ring.get_nodes, "k", -1)
        self.assertRaises(TypeError, ring.get_nodes, "k", "2")
        self.assertRaises(TypeError, ring.compare, "ring")

    def test_a_ring_that_failed_to_change_stays(self):
        ring = HashRing(NODES)
        before = ring.get_nodes_many(KEYS)
        self.assertRaises(ValueError, ring.__init__, NODES, {NODES[0]: -1})
        self.assertRaises(ValueError, ring.add_node, "x" * 2000)
        self.assertEqual(ring.get_nodes_many(KEYS), before)
        self.assertEqual((ring.nodes, ring.weights), (NODES, {}))

    def test_a_class_that_forgets_to_make_its_ring_is_told(self):
        class Forgetful(HashRing):
            def __init__(self):
                pass

        ring = Forgetful()
        for method in (
            ring.get_node,
            ring.get_node_pos,
            ring.gen_key,
            ring.get_nodes,
            ring._points,
        ):
            self.assertRaisesRegex(RuntimeError, "__init__", method, "k")
        self.assertRaisesRegex(RuntimeError, "__init__", ring.get_nodes_many, ["k"])
        self.assertRaisesRegex(RuntimeError, "__init__", ring._shares)
        self.assertRaisesRegex(RuntimeError, "__init__", HashRing().compare, ring)

    def test_a_class_may_choose_for_itself(self):
        class First(HashRing):
            def get_node(self, key):
                return min(self.nodes) if key == "pinned" else super().get_node(key)

        ring = First(NODES)
        self.assertEqual(ring.get_node("pinned"), min(NODES))
        self.assertEqual(ring.get_node("k"), HashRing(NODES).get_node("k"))

    def test_copies_and_pickles_are_rings(self):
        ring = HashRing(NODES, {NODES[1]: 2}, dialect="libketama")
        ring.note = ["kept"]
        for twin in (copy.copy(ring), copy.deepcopy(ring), pickle.loads(pickle.dumps(ring))):
            self.assertEqual(twin.get_nodes_many(KEYS), ring.get_nodes_many(KEYS))
            self.assertEqual((twin.nodes, twin.weights), (ring.nodes, ring.weights))
            self.assertEqual((twin.dialect, twin.note), ("libketama", ["kept"]))
            twin.add_node("another:1")
            self.assertEqual(len(ring.nodes), 3)


class Additions(unittest.TestCase):
    def test_nodes_come_and_go_and_few_keys_move(self):
        for weights in (None, {NODES[0]: 2}):
            ring = HashRing(NODES, weights)
            before = ring.get_nodes_many(KEYS)
            ring.add_node("192.168.0.250:11212", None if weights is None else 3)
            self.assertEqual(ring.nodes, [*NODES, "192.168.0.250:11212"])
            self.assertEqual(len(NODES), 3)
            given = weights and {**weights, "192.168.0.250:11212": 3}
            rules = Rules(ring.nodes, given)
            for key in KEYS:
                assert_follows(self, ring, rules, key)
            if not weights:
                for key, old in zip(KEYS, before):
                    self.assertIn(ring.get_node(key), (old, "192.168.0.250:11212"))
            ring.remove_node("192.168.0.250:11212")
            self.assertEqual((ring.nodes, ring.weights), (NODES, weights or {}))
            self.assertEqual(ring.get_nodes_many(KEYS), before)
        ring = HashRing()
        ring.add_node("a")
        self.assertEqual(ring.get_node("k"), "a")
        ring.remove_node("a")
        self.assertIsNone(ring.get_node("k"))

    def test_a_change_that_would_surprise_is_refused(self):
        ring = HashRing(NODES)
        self.assertRaisesRegex(ValueError, "already", ring.add_node, NODES[0])
        self.assertRaisesRegex(ValueError, "not on the ring", ring.remove_node, "a")
        self.assertRaisesRegex(ValueError, "no weights", ring.add_node, "a", 2)
        ring = HashRing(NODES, {NODES[0]: 2})
        ring.remove_node(NODES[0])
        self.assertEqual((ring.weights, ring.dialect), ({}, "hash_ring"))

    def test_shares_and_moves_are_exact(self):
        ring, bigger = HashRing(NODES), HashRing([*NODES, "a:1"])
        shares = ring.share()
        self.assertEqual(list(shares), NODES)
        self.assertAlmostEqual(sum(shares.values()), 1)
        rules = Rules(NODES)
        owned = dict.fromkeys(NODES, 0)
        for i, node in enumerate(rules.nodes):
            owned[node] += (rules.positions[i] - rules.positions[i - 1]) % 2**32
        for node in NODES:
            self.assertAlmostEqual(shares[node], owned[node] / 2**32, places=12)
        comparison = ring.compare(bigger)
        self.assertAlmostEqual(comparison.moved, bigger.share()["a:1"])
        self.assertAlmostEqual(sum(move.share for move in comparison.moves), comparison.moved)
        self.assertEqual({move.target for move in comparison.moves}, {"a:1"})
        self.assertEqual({move.source for move in comparison.moves}, set(NODES))
        self.assertRaisesRegex(
            ValueError, "hash", ring.compare, HashRing(NODES, dialect="libmemcached")
        )
        self.assertEqual(sum(HashRing(["a", "b", "a"], dialect="libketama").share().values()), 1)

    def test_files_are_read(self):
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder, "servers")
            path.write_bytes(b"# three\n10.0.1.1:11211\t600\nb:1 300\n\xff:2 1\n")
            ring = HashRing.from_file(path)
            self.assertEqual(ring.nodes, ["10.0.1.1:11211", "b:1", "\udcff:2"])
            self.assertEqual(list(ring.weights.values()), [600, 300, 1])
            self.assertEqual(ring.dialect, "hash_ring")
            for as_text in (str(path), os.fsencode(path)):
                other = HashRing.from_file(as_text, dialect="libketama")
                self.assertEqual((other.nodes, other.dialect), (ring.nodes, "libketama"))
            self.assertRaises(FileNotFoundError, HashRing.from_file, pathlib.Path(folder, "no"))
            self.assertRaises(OSError, HashRing.from_file, folder)
            self.assertRaises(ValueError, HashRing.from_file, "a\0b")
            path.write_text("a:1 1\nb:1 x\n")
            self.assertRaisesRegex(ValueError, "line 2", HashRing.from_file, path)
            path.write_text("a:1 1\nb:1 1\na:1 1\n")
            self.assertEqual(HashRing.from_file(path).nodes, ["a:1", "b:1", "a:1"])
            path.write_text("a:1 1\nb:1 1\na:1 2\n")
            self.assertRaisesRegex(ValueError, "two weights: 1 and 2", HashRing.from_file, path)

    def test_many_keys_come_from_any_iterable(self):
        ring = HashRing(NODES)
        expected = [ring.get_node(key) for key in KEYS]
        self.assertEqual(ring.get_nodes_many(tuple(KEYS)), expected)
        self.assertEqual(ring.get_nodes_many(key for key in KEYS), expected)
        self.assertEqual(ring.get_nodes_many(dict.fromkeys(KEYS)), expected)
        self.assertEqual(ring.get_nodes_many([]), [])
        long = ["x" * size for size in (0, 1, 10**6, 3, 10**7)] * 2
        self.assertEqual(ring.get_nodes_many(long), [ring.get_node(key) for key in long])

    def test_threads_look_up_while_nodes_come_and_go(self):
        ring = HashRing(NODES)
        extra = "a:1"
        expected = set(HashRing(NODES).get_nodes_many(KEYS)) | {extra}
        many = KEYS * 10
        stop = threading.Event()
        wrong = []

        def look_up():
            while not stop.is_set():
                wrong.extend(set(ring.get_nodes_many(many)) - expected)
                wrong.extend(set(ring.iterate_nodes("k")) - expected)

        threads = [threading.Thread(target=look_up) for _ in range(4)]
        for thread in threads:
            thread.start()
        for _ in range(300):
            ring.add_node(extra)
            ring.remove_node(extra)
        stop.set()
        for thread in threads:
            thread.join()
        self.assertEqual(wrong, [])

    def test_shares_are_of_one_ring_while_nodes_come_and_go(self):
        ring = HashRing(NODES)
        allowed = [HashRing(NODES).share(), HashRing([*NODES, "a:1"]).share()]
        stop = threading.Event()

        def change():
            while not stop.is_set():
                ring.add_node("a:1")
                ring.remove_node("a:1")

        thread = threading.Thread(target=change)
        thread.start()
        try:
            for _ in range(3000):
                self.assertIn(ring.share(), allowed)
        finally:
            stop.set()
            thread.join()

    def test_other_threads_run_during_many_lookups(self):
        ring = HashRing(NODES)
        keys = KEYS * 1000
        interval = sys.getswitchinterval()
        seen = []
        lock = threading.Lock()
        lock.acquire()

        def wait():
            with lock:
                seen.append(True)

        thread = threading.Thread(target=wait)
        thread.start()
        # From here on a thread gets its turn only where this one lets go.
        sys.setswitchinterval(1e6)
        try:
            lock.release()
            for _ in range(100):
                ring.get_nodes_many(keys)
                if seen:
                    break
        finally:
            sys.setswitchinterval(interval)
            thread.join()
        self.assertLess(_, 99)

    def test_memory_is_given_back(self):
        def resident():
            pages = pathlib.Path("/proc/self/statm").read_text().split()[1]
            return int(pages) * os.sysconf("SC_PAGE_SIZE")

        class Node:
            def __str__(self):
                return "a:1"

        def churn(times):
            for _ in range(times):
                node = Node()
                node.ring = HashRing([*NODES, node])  # a cycle
                node.ring.get_nodes_many(KEYS)
                node.ring.add_node("b:1")
                list(node.ring.iterate_nodes("k", distinct=False))
                node.ring.compare(HashRing(NODES))
                node.ring.share()
                self.assertRaises(TypeError, node.ring.get_nodes_many, ["k", 5])
                self.assertRaises(ValueError, HashRing, ["x" * 2000])

        churn(2000)
        before = resident()
        churn(5000)
        # A ring has 400 points or more: kept, they would take 16 MB.
        self.assertLess(resident() - before, 4 << 20)


class Recorded(unittest.TestCase):
    """Nothing is lost in passing: the runs of the real clients."""

    def test_all_runs(self):
        keys, cases = recorded_runs()
        self.assertGreaterEqual(len(cases), 93)
        for dialect, name, servers, points, owners in cases:
            with self.subTest(dialect=dialect, case=name):
                names = [server for server, _ in servers]
                rings = [HashRing(names, dict(servers), dialect=dialect)]
                if dialect == "hash_ring":
                    rings.append(HashRing(names, dict(servers)))
                if dialect == "hash_ring_unweighted":
                    rings.append(HashRing(names))
                for ring in rings:
                    found = ring.get_nodes_many([keys[number] for number in owners])
                    self.assertEqual(found, [names[owner] for owner in owners.values()])
                    for number, owner in owners.items():
                        self.assertEqual(ring.get_node(keys[number]), names[owner])
                    self.assertEqual(len(ring._points("k")), points or len(ring._points("k")))

    def test_random_lists_follow_hash_rings_rules(self):
        rand = random.Random(SEED)
        print(f"KETAMA_SEED={SEED}")
        for _ in range(200):
            count = rand.choice((1, 2, 3, rand.randint(1, 20), rand.randint(1, 120)))
            nodes = [
                f"10.{rand.randint(0, 9)}.0.{i}:{rand.randint(11211, 11213)}" for i in range(count)
            ]
            most = rand.choice((3, 100, 10**6, 10**15))
            keys = [f"{rand.randint(0, 10**9)}" * rand.randint(1, 6) for _ in range(1000)]
            weighted = {
                node: rand.randint(0 if i else 1, most)
                for i, node in enumerate(nodes)
                if i == 0 or rand.random() < 0.9
            }
            for weights in (None, weighted):
                ring, rules = HashRing(nodes, weights), Rules(nodes, weights)
                for key in keys:
                    assert_follows(self, ring, rules, key)
                self.assertEqual(
                    ring.get_nodes_many(keys),
                    [rules.points_from(key)[0] for key in keys[:50]]
                    + [ring.get_node(key) for key in keys[50:]],
                )
                around = rules.points_from(keys[0])
                self.assertEqual(ring.get_nodes(keys[0]), list(dict.fromkeys(around)))


def recorded_runs():
    """The keys, and of each run: dialect, case, servers, number of points, owner of each key."""
    keys, cases = [], []
    for line in (HERE / "../../../tests/data/dialects.txt").read_text("utf-8").splitlines():
        word, _, rest = line.partition(" ")
        if word == "key":
            keys.append(unescape(rest))
        elif word == "case":
            dialect, name = rest.split()[:2]
            cases.append([dialect, name, [], None, {}])
        elif word == "server":
            weight, name = rest.split(" ", 1)
            cases[-1][2].append((name, int(weight)))
        elif word == "points" and rest != "-":
            cases[-1][3] = int(rest.split()[0])
        elif word == "owner":
            owner, *gaps = map(int, rest.split())
            number = -1
            for gap in gaps:
                number += gap
                cases[-1][4][number] = owner
    return keys, cases


def unescape(text):
    simple = {"n": b"\n", "t": b"\t", "r": b"\r", "\\": b"\\"}
    parts = re.split(r"\\(x..|.)", text)
    for i in range(1, len(parts), 2):
        escape = parts[i]
        parts[i] = bytes.fromhex(escape[1:]) if escape[0] == "x" else simple[escape]
    return b"".join(part if isinstance(part, bytes) else part.encode() for part in parts)


class Package(unittest.TestCase):
    def test_the_readmes_example_prints_what_it_shows(self):
        readme = (HERE / "../README.md").read_text("utf-8")
        block = re.search(r"```python\n(.*?)```", readme, re.S).group(1)
        shown = re.findall(r"# -> (.*)", block)
        self.assertEqual(len(shown), 4)
        output = subprocess.run(
            [sys.executable, "-W", "error", "-c", block], capture_output=True, text=True, cwd="/"
        )
        self.assertEqual((output.stdout.splitlines(), output.stderr), (shown, ""))

    def test_the_package_says_what_it_is(self):
        self.assertRegex(hash_ring.__version__, r"^\d+\.\d+\.\d+$")
        self.assertTrue(pathlib.Path(hash_ring.__file__).with_name("py.typed").exists())
        self.assertRaises(AttributeError, getattr, hash_ring, "MemcacheRin")

    def test_without_python_memcached_the_extra_is_named(self):
        program = """
            import sys
            sys.modules["memcache"] = None
            from hash_ring import *
            try:
                from hash_ring import MemcacheRing
            except ImportError as error:
                print(error)
        """
        output = subprocess.run(
            [sys.executable, "-c", textwrap.dedent(program)],
            capture_output=True,
            text=True,
            cwd="/",
        )
        self.assertIn("ketama-hash-ring[memcache]", output.stdout, output.stderr)


if __name__ == "__main__":
    unittest.main()
