# SPDX-License-Identifier: GPL-2.0-only
"""Writes "newc" archives for the kernel's initramfs, without root and without dates."""

import os
import stat


class Cpio:
    """One archive under construction. Names are absolute, parents appear by themselves."""

    def __init__(self, path):
        self.file = open(path, "wb")
        self.seen = set()
        self.ino = 0

    def _entry(self, name, mode, data=b"", rdev=(0, 0)):
        name = name.strip("/")
        if name in self.seen:
            return
        parent = os.path.dirname(name)
        if parent:
            self.directory(parent)
        self.seen.add(name)
        self._record(name, mode, data, rdev)

    def _record(self, name, mode, data, rdev):
        self.ino += 1
        raw = name.encode() + b"\0"
        fields = (self.ino, mode, 0, 0, 1, 0, len(data), 0, 0, rdev[0], rdev[1],
                  len(raw), 0)
        head = b"070701" + b"".join(b"%08X" % f for f in fields)
        self._padded(head + raw)
        self._padded(data)

    def _padded(self, data):
        self.file.write(data)
        self.file.write(b"\0" * (-len(data) % 4))

    def directory(self, name):
        self._entry(name, stat.S_IFDIR | 0o755)

    def text(self, name, text, mode=0o644):
        self._entry(name, stat.S_IFREG | mode, text.encode())

    def link(self, name, target):
        self._entry(name, stat.S_IFLNK | 0o777, target.encode())

    def device(self, name, major, minor):
        self._entry(name, stat.S_IFCHR | 0o600, rdev=(major, minor))

    def copy(self, name, source, mode=None):
        with open(source, "rb") as f:
            data = f.read()
        if mode is None:
            mode = 0o755 if os.access(source, os.X_OK) else 0o644
        self._entry(name, stat.S_IFREG | mode, data)

    def tree(self, name, source):
        for root, _, files in os.walk(source):
            for f in sorted(files):
                full = os.path.join(root, f)
                self.copy(os.path.join(name, os.path.relpath(full, source)), full)

    def close(self):
        self._record("TRAILER!!!", 0, b"", (0, 0))
        # The kernel's unpacker accepts archives one after the other when each
        # starts on a four-byte boundary; 512 keeps other tools happy as well.
        self.file.write(b"\0" * (-self.file.tell() % 512))
        self.file.close()
