# SPDX-License-Identifier: GPL-2.0-only
"""Where things are. Knows lab/setup; knows nothing of machines."""

import os
import subprocess
import sys

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
CACHE = os.environ.get("LAB_CACHE", os.path.join(TOP, ".cache"))
LAB = os.path.join(TOP, "lab")
QEMU = "qemu-system-x86_64"


class LabError(Exception):
    """Something that the user must be told; not a defect of the lab."""


def say(text):
    print("lab: " + text, file=sys.stderr, flush=True)


def setup(*groups):
    """Install packages and fetch the kernel; quick when all is there."""
    done = subprocess.run([os.path.join(LAB, "setup"), *groups])
    if done.returncode:
        raise LabError("set-up failed (lab/setup %s)" % " ".join(groups))


def setup_path(name):
    done = subprocess.run([os.path.join(LAB, "setup"), "--print", name],
                          stdout=subprocess.PIPE, text=True)
    if done.returncode:
        raise LabError("lab/setup --print %s failed" % name)
    return done.stdout.strip()


def kernel_path(kernel, name):
    """NAME (kernel, modules, headers) of one of session.KERNELS."""
    return setup_path("debug-" + name if kernel == "debug" else name)


def build_module(kernel):
    done = subprocess.run([os.path.join(LAB, "build-module"), kernel],
                          stdout=subprocess.PIPE, text=True)
    if done.returncode:
        raise LabError("the module does not build")
    return done.stdout.strip()
