"""pylibmc. usage: pylibmc_client.py set|get BEHAVIOURS HOST:PORT:WEIGHT... < KEYS"""

import sys

import pylibmc

action, behaviours, *servers = sys.argv[1:]
client = pylibmc.Client(servers)
client.behaviors = {
    "ketama_weighted": {"ketama_weighted": True},
    "ketama": {"ketama": True},
    "ketama md5": {"ketama": True, "hash": "md5"},
}[behaviours]
for key in sys.stdin.read().splitlines():
    if action == "get":
        value = client.get(key)
        print(value.decode() if value else None)
    elif not client.set(key, "theirs " + key):
        sys.exit(f"set {key} failed")
