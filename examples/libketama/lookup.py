"""Finds the servers of keys with libketama's own functions.

python3 lookup.py ../ketama.servers < ../keys.txt
"""

import os
import sys
from collections import Counter
from ctypes import CDLL, POINTER, Structure, byref, c_char, c_char_p, c_int, c_uint, c_void_p


class Mcs(Structure):  # 28 bytes, with padding
    # A name may take all of ip. The NUL then stands in the padding behind it, or with the original
    # nowhere: ip is to be read to its end at most, as ctypes does.
    _fields_ = [("point", c_uint), ("ip", c_char * 22)]


class Continuum(Structure):
    # The original's array is a void *.
    _fields_ = [("numpoints", c_int), ("modtime", c_void_p), ("array", POINTER(Mcs))]


ketama = CDLL("libketama.so.1")
# Without these ctypes takes pointers and unsigned numbers for an int.
ketama.ketama_roll.argtypes = [POINTER(POINTER(Continuum)), c_char_p]
ketama.ketama_smoke.argtypes = [POINTER(Continuum)]
ketama.ketama_smoke.restype = None
ketama.ketama_get_server.argtypes = [c_char_p, POINTER(Continuum)]
ketama.ketama_get_server.restype = POINTER(Mcs)
ketama.ketama_hashi.argtypes = [c_char_p]
ketama.ketama_hashi.restype = c_uint
ketama.ketama_error.restype = c_char_p


def main(path):
    out = sys.stdout.buffer  # names and keys are bytes of no certain encoding
    continuum = POINTER(Continuum)()
    try:
        if not ketama.ketama_roll(byref(continuum), os.fsencode(path)):
            sys.stderr.buffer.write(ketama.ketama_error() + b"\n")
            return 1
        count = continuum.contents.numpoints
        out.write(b"%d points\n" % count)

        for line in sys.stdin.buffer:
            key = line.removesuffix(b"\n")
            mcs = ketama.ketama_get_server(key, continuum).contents
            out.write(b"%s\t%d\t%d\t%s\n" % (key, ketama.ketama_hashi(key), mcs.point, mcs.ip))

        points = Counter(mcs.ip for mcs in continuum.contents.array[:count])
        for name, number in points.items():
            out.write(b"%s\t%d\n" % (name, number))
        return 0
    finally:
        ketama.ketama_smoke(continuum)  # a file with a bad line leaves one too


if __name__ == "__main__":
    if len(sys.argv) != 2:
        print("usage: lookup FILE < KEYS", file=sys.stderr)
        sys.exit(2)
    sys.exit(main(sys.argv[1]))
