"""Builds libketama.a with cargo, and the extension module around it."""

import json
import pathlib
import subprocess

from setuptools import Extension, setup
from setuptools.command.build_ext import build_ext

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent


def build_library():
    """The path of the archive, which depends on how cargo is set up."""
    if not (ROOT / "src" / "capi").is_dir():
        raise SystemExit("ketama-hash-ring builds in a checkout of ketama; elsewhere use a wheel")
    command = ["cargo", "build", "--release", "--lib", "--locked"]
    try:
        output = subprocess.run(
            [*command, "--message-format=json-render-diagnostics"],
            cwd=ROOT,
            check=True,
            stdout=subprocess.PIPE,
        ).stdout
    except FileNotFoundError:
        raise SystemExit("cargo is missing: install Rust 1.89 or later")
    for message in map(json.loads, output.splitlines()):
        if message["reason"] == "compiler-artifact" and message["target"]["name"] == "ketama":
            return next(name for name in message["filenames"] if name.endswith(".a"))


class BuildWithLibrary(build_ext):
    def run(self):
        library = build_library()
        for extension in self.extensions:
            extension.extra_objects.append(library)
            extension.depends.append(library)
        super().run()


setup(
    cmdclass={"build_ext": BuildWithLibrary},
    ext_modules=[
        Extension(
            "hash_ring._ring",
            ["src/hash_ring/_ring.c"],
            include_dirs=[str(ROOT / "include")],
            depends=[str(ROOT / "include" / "ketama.h")],
            extra_compile_args=["-std=c11", "-Wall", "-Wextra"],
            # Its own copy of the library: another one in the process is not to take its place.
            extra_link_args=[
                "-Wl,--exclude-libs,ALL",
                "-Wl,--gc-sections",
                "-Wl,--strip-debug",
                "-Wl,-z,nodelete",
            ],
            libraries=["pthread", "m", "dl"],
        )
    ],
)
