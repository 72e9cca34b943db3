"""uhashring in Python: answers the lines `build FILE`, `answers KEYS ANSWERS` and `find` with
nanoseconds of this thread's CPU time."""

import platform
import sys
from pathlib import Path
from time import thread_time_ns

import uhashring


class Contender:
    def build(self, path):
        lines = (line.split("\t") for line in Path(path).read_text().splitlines())
        servers = {name: int(weight) for name, weight in lines}
        self.ring = None
        start = thread_time_ns()
        self.ring = uhashring.HashRing(servers, hash_fn="ketama")
        return thread_time_ns() - start

    def answers(self, path, answers):
        self.keys = Path(path).read_text().splitlines()
        Path(answers).write_text("".join(self.ring.get_node(key) + "\n" for key in self.keys))
        return 0

    def find(self):
        get_node = self.ring.get_node
        start = thread_time_ns()
        for key in self.keys:
            get_node(key)
        return thread_time_ns() - start


contender = Contender()
about = "`hash_fn='ketama'`, points inserted one by one into a list"
print(f"{uhashring.__version__}, in Python {platform.python_version()}, {about}", flush=True)
for line in sys.stdin:
    command, *files = line.split()
    print(getattr(contender, command)(*files), flush=True)
