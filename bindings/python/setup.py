"""Builds libketama.a with cargo, and the extension module around it."""

import os
import pathlib
import subprocess

from setuptools import Extension, setup
from setuptools.command.build_ext import build_ext

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
TARGET = pathlib.Path(os.environ.get("CARGO_TARGET_DIR") or ROOT / "target").resolve()
LIBRARY = TARGET / "release" / "libketama.a"


class BuildWithLibrary(build_ext):
    def run(self):
        if not (ROOT / "src" / "capi").is_dir():
            raise SystemExit(
                "ketama-hash-ring builds in a checkout of ketama; elsewhere use a wheel"
            )
        command = ["cargo", "build", "--release", "--lib", "--locked", "--target-dir", str(TARGET)]
        try:
            subprocess.run(command, cwd=ROOT, check=True)
        except FileNotFoundError:
            raise SystemExit("cargo is missing: install Rust 1.85 or later")
        super().run()


setup(
    cmdclass={"build_ext": BuildWithLibrary},
    ext_modules=[
        Extension(
            "hash_ring._ring",
            ["src/hash_ring/_ring.c"],
            include_dirs=[str(ROOT / "include")],
            depends=[str(ROOT / "include" / "ketama.h"), str(LIBRARY)],
            extra_objects=[str(LIBRARY)],
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
