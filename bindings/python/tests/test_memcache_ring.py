"""MemcacheRing on real memcached servers, beside pylibmc."""

import contextlib
import pathlib
import pickle
import re
import socket
import subprocess
import sys
import threading
import unittest

import memcache
import pylibmc

from hash_ring import HashRing, MemcacheRing


class Server:
    """A memcached on a free port of 127.0.0.1, or on a port given."""

    def __init__(self, port=None):
        while True:
            with socket.socket() as probe:
                probe.bind(("127.0.0.1", port or 0))
                self.port = probe.getsockname()[1]
            self.name = f"127.0.0.1:{self.port}"
            self.process = subprocess.Popen(
                ["memcached", "-l", "127.0.0.1", "-p", str(self.port), "-U", "0", "-u", "nobody"],
                stderr=subprocess.PIPE,
            )
            # It answers, or somebody else took the port and it ended.
            while self.process.poll() is None:
                with contextlib.suppress(ConnectionRefusedError):
                    self.ask(b"version\r\n", b"\r\n")
                    return
            error = self.process.stderr.read()
            self.process.stderr.close()
            if port or b"Address already in use" not in error:
                raise RuntimeError(error)

    def ask(self, request, end):
        with socket.create_connection(("127.0.0.1", self.port)) as connection:
            connection.sendall(request)
            answer = b""
            while not answer.endswith(end):
                received = connection.recv(1 << 20)
                if not received:
                    raise ConnectionError(answer)
                answer += received
            return answer

    def keys(self, keys):
        """Which of these keys it has."""
        with socket.create_connection(("127.0.0.1", self.port)) as connection:
            stream = connection.makefile("rb")
            found = set()
            for key in keys:
                connection.sendall(b"get %s\r\n" % key.encode())
                line = stream.readline()
                if line.startswith(b"VALUE"):
                    found.add(key)
                    stream.read(int(line.split()[3]) + 2)
                    line = stream.readline()
                if line != b"END\r\n":
                    raise ConnectionError(line)
            return found

    def kill(self):
        self.process.kill()
        self.process.wait()
        self.process.stderr.close()


class OnServers(unittest.TestCase):
    def setUp(self):
        self.servers = []
        for _ in range(4):
            self.servers.append(Server())
            self.addCleanup(self.servers[-1].kill)
        self.names = [server.name for server in self.servers]

    def where(self, keys):
        """The name of the server that has each key."""
        found = {}
        for server in self.servers:
            if server.process.poll() is None:
                for key in server.keys(keys):
                    self.assertNotIn(key, found)
                    found[key] = server.name
        return found

    def test_keys_go_to_the_nodes_of_the_ring(self):
        weights = {self.names[0]: 3, self.names[2]: 2}
        for arguments, ring in (
            ({"servers": self.names}, HashRing(self.names)),
            (
                {"servers": [(name, weights.get(name, 1)) for name in self.names]},
                HashRing(self.names, {name: weights.get(name, 1) for name in self.names}),
            ),
            (
                {
                    "servers": self.names,
                    "hash_ring": HashRing(self.names, weights, dialect="libketama"),
                },
                HashRing(self.names, weights, dialect="libketama"),
            ),
        ):
            client = MemcacheRing(**arguments)
            keys = [f"{ring.dialect}:{i}" for i in range(2000)]
            for key in keys:
                self.assertTrue(client.set(key, "value"))
            self.assertEqual(self.where(keys), dict(zip(keys, ring.get_nodes_many(keys))))
            self.assertEqual(client.get_multi(keys), dict.fromkeys(keys, "value"))
            client.disconnect_all()

    def test_the_readmes_example_works(self):
        readme = pathlib.Path(__file__).resolve().parents[1] / "README.md"
        block = re.findall(r"```python\n(.*?)```", readme.read_text("utf-8"), re.S)[1]
        self.assertIn("127.0.0.1:11212", block)
        output = subprocess.run(
            [sys.executable, "-c", block.replace("127.0.0.1:11212", self.names[0])],
            capture_output=True,
            text=True,
        )
        self.assertEqual((output.stdout, output.stderr), ("world\n", ""))

    def test_the_rest_of_the_client_is_untouched(self):
        client = MemcacheRing(self.names, cache_cas=True)
        self.assertIsInstance(client, memcache.Client)
        self.assertEqual(client.set_multi({"a": 1, "b": 2, "c": 3}, key_prefix="p:"), [])
        self.assertEqual(
            client.get_multi(["a", "b", "c"], key_prefix="p:"), {"a": 1, "b": 2, "c": 3}
        )
        self.assertEqual(client.get("p:b"), 2)
        self.assertEqual(client.incr("p:a"), 2)
        self.assertTrue(client.add("new", [1, {"x": None}]))
        self.assertEqual(client.gets("new"), [1, {"x": None}])
        self.assertTrue(client.cas("new", "changed"))
        self.assertTrue(client.delete("new"))
        self.assertIsNone(client.get("new"))
        self.assertEqual(len(client.get_stats()), 4)
        for name in ("get", "set", "incr", "append", "get_stats", "disconnect_all"):
            self.assertIs(getattr(MemcacheRing, name), getattr(memcache.Client, name))

    def test_a_tuple_keeps_python_memcacheds_meaning(self):
        client, plain = MemcacheRing(self.names), memcache.Client(self.names)
        keys = [f"key:{i}" for i in range(100)]
        for i, key in enumerate(keys):
            self.assertTrue(client.set((i, key), "value"))
            self.assertEqual(plain.get((i, key)), "value")
        numbered = list(enumerate(keys))
        self.assertEqual(client.get_multi(numbered), dict.fromkeys(numbered, "value"))
        self.assertEqual(self.where(keys), {key: self.names[i % 4] for i, key in enumerate(keys)})

    def test_set_servers_makes_a_new_ring(self):
        client = MemcacheRing(self.names[:2])
        for names in (self.names, self.names[1:]):
            client.set_servers(names)
            keys = [f"{len(names)}:{i}" for i in range(200)]
            client.set_multi(dict.fromkeys(keys, 1))
            self.assertEqual(
                self.where(keys), dict(zip(keys, HashRing(names).get_nodes_many(keys)))
            )

    def test_a_rings_nodes_are_servers_by_their_text(self):
        ring = HashRing([name.encode() for name in self.names], dialect="libketama")
        client = MemcacheRing(self.names, hash_ring=ring)
        keys = [f"key:{i}" for i in range(200)]
        client.set_multi(dict.fromkeys(keys, 1))
        expected = [node.decode() for node in ring.get_nodes_many(keys)]
        self.assertEqual(self.where(keys), dict(zip(keys, expected)))

        with self.assertRaisesRegex(ValueError, "not among the servers"):
            MemcacheRing(self.names[:3], hash_ring=HashRing(self.names))
        ring = HashRing(self.names[:3])
        client = MemcacheRing(self.names, hash_ring=ring)
        ring.add_node(self.names[3])
        keys = [f"more:{i}" for i in range(200)]
        self.assertTrue(all(client.set(key, 1) for key in keys))
        self.assertEqual(self.where(keys), dict(zip(keys, ring.get_nodes_many(keys))))
        ring.add_node("127.0.0.1:1")
        with self.assertRaisesRegex(ValueError, "127.0.0.1:1, which is not among the servers"):
            client.set_multi(dict.fromkeys(keys, 1))
        self.assertIsNone(MemcacheRing([]).get("key"))

    def test_pylibmc_and_the_ring_find_each_others_keys(self):
        # The test that hash_ring came with, as large.
        pmc = pylibmc.Client(self.names)
        pmc.behaviors = {"ketama": True, "hash": "md5"}
        mcr = MemcacheRing(self.names)
        for i in range(5000):
            self.assertTrue(pmc.set(f"key:{i}", "test"))
            self.assertEqual(mcr.get(f"key:{i}"), "test")
            self.assertTrue(mcr.set(f"otherkey:{i}", "test"))
            self.assertEqual(pmc.get(f"otherkey:{i}"), "test")
        thing = {"one": ["hi"], "two": ("ok", 2)}
        pmc.set("testkey", thing)
        self.assertEqual(mcr.get("testkey"), thing)
        mcr.set("testkey", thing)
        self.assertEqual(pmc.get("testkey"), thing)
        pmc.set("testkey", "+55 ")
        self.assertTrue(mcr.append("testkey", "-44 "))
        self.assertEqual((mcr.get("testkey"), pmc.get("testkey")), ("+55 -44 ",) * 2)
        mcr.set("testkey", "+55 ")
        self.assertTrue(pmc.append("testkey", "-44 "))
        self.assertEqual((mcr.get("testkey"), pmc.get("testkey")), ("+55 -44 ",) * 2)

    def test_a_server_that_dies_moves_its_keys_alone_and_gets_them_back(self):
        keys = [f"key:{i}" for i in range(1000)]
        ring = HashRing(self.names)
        # For ever, but for forget_dead_hosts(): no test waits for a clock.
        client = MemcacheRing(self.names, dead_retry=1e9)
        client.set_multi(dict.fromkeys(keys, "value"))
        before = self.where(keys)
        self.assertEqual(before, dict(zip(keys, ring.get_nodes_many(keys))))

        rounds, errors, stop = [0] * 3, [], threading.Event()

        def traffic(number):
            try:
                while not stop.is_set():
                    for key in keys:
                        client.set(key, "value")
                        client.get(key)
                    rounds[number] += 1
            except BaseException as error:
                errors.append(error)

        threads = [threading.Thread(target=traffic, args=(number,)) for number in range(3)]
        for thread in threads:
            thread.start()

        def after_another_round():
            target = [count + 2 for count in rounds]
            while any(map(lambda count, least: count < least, rounds, target)) and not errors:
                threads[0].join(0.01)

        after_another_round()
        dead = self.servers[1]
        dead.kill()
        after_another_round()
        stop.set()
        for thread in threads:
            thread.join()
        self.assertEqual(errors, [])

        # The threads had connections of their own; this one finds the server dead only now.
        for key in keys:
            client.set(key, "value")
        survivors = {
            key: next(node for node in ring.iterate_nodes(key) if node != dead.name) for key in keys
        }
        for key in keys:
            self.assertTrue(client.set(key, "value"))
            self.assertEqual(client.get(key), "value")
        self.assertEqual(self.where(keys), survivors)
        moved = {key for key in keys if survivors[key] != before[key]}
        self.assertEqual(moved, {key for key in keys if before[key] == dead.name})

        self.servers[1] = Server(dead.port)
        self.addCleanup(self.servers[1].kill)
        client.forget_dead_hosts()
        for server in self.servers:
            server.ask(b"flush_all\r\n", b"OK\r\n")
        for key in keys:
            self.assertTrue(client.set(key, "value"))
        self.assertEqual(self.where(keys), before)

    def test_with_no_server_left_nothing_raises(self):
        client = MemcacheRing(self.names)
        self.assertTrue(client.set("key", "value"))
        for server in self.servers:
            server.kill()
        for _ in range(3):
            self.assertFalse(client.set("key", "value"))
            self.assertIsNone(client.get("key"))
            self.assertEqual(client.get_multi(["key", "other"]), {})

    def test_a_ring_given_is_shared_by_the_clients_threads(self):
        ring = HashRing(self.names, dialect="dalli")
        client = MemcacheRing(self.names, hash_ring=ring)
        seen = []
        thread = threading.Thread(target=lambda: seen.append(client.hash_ring))
        thread.start()
        thread.join()
        self.assertIs(seen[0], ring)
        self.assertEqual(pickle.loads(pickle.dumps(ring)).dialect, "dalli")


if __name__ == "__main__":
    unittest.main()
