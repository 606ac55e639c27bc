#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""What of the KVM API works, as a table for docs/api.md.

  table.py names HEADER          the ioctls and capabilities of the header, for surface.c
  table.py check OUTPUT [--update]
                                 OUTPUT is what surface printed. Compares the table made of it with
                                 the one in docs/api.md, or with --update writes it there.

Every name that does not work must have its reason in the file reasons, and every name of the file
required must work. Last line: "N passed, N failed".
"""

import fnmatch
import os
import re
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
DOC = os.path.join(HERE, "../../docs/api.md")
BEGIN = "<!-- made by tests/api/check --update: do not edit -->"
END = "<!-- end -->"


def words(name):
    """The lines of a file of this folder, without comments."""
    with open(os.path.join(HERE, name)) as f:
        return [line.strip() for line in f if line.strip() and not line.startswith("#")]


def names(header):
    with open(header) as f:
        text = f.read().replace("\\\n", " ")
    for name in re.findall(r"^#define\s+(KVM_\w+)\s+_IO[RW]*\(", text, re.M):
        print("IOCTL(%s)" % name)
    for name in re.findall(r"^#define\s+(KVM_CAP_\w+)\s+\d+", text, re.M):
        print("CAP(%s)" % name)


class Results:
    """What surface said."""

    def __init__(self, path):
        self.ioctls, self.caps, self.enabled = {}, {}, {}
        with open(path) as f:
            for line in f:
                kind, _, rest = line.strip().partition(" ")
                name, _, result = rest.partition(" ")
                if kind == "ioctl":
                    self.ioctls[name] = result
                elif kind == "cap":
                    self.caps[name] = int(result)
                elif kind == "enable":
                    self.enabled[name] = result


class Reasons:
    """Why something does not work: lines "NAME: text", where NAME may have wildcards."""

    def __init__(self):
        self.rows = [tuple(line.split(": ", 1)) for line in words("reasons")]
        self.used = set()

    def find(self, name):
        for pattern, text in self.rows:
            if fnmatch.fnmatchcase(name, pattern):
                self.used.add(pattern)
                return text
        return None


def make(results, reasons):
    """(lines of the table, {name: does it work}, complaints)"""
    lines, works, bad = ["", "| ioctl | state | |", "|---|---|---|"], {}, []
    for name, result in results.ioctls.items():
        works[name] = result == "works"
        reason = "" if works[name] else reasons.find(name)
        if result.startswith("wrong") or result == "":
            bad.append("%s: %s" % (name, result or "no answer"))
        if reason is None:
            bad.append("%s is %s, and the file reasons does not say why" % (name, result))
        state = "works" if works[name] else "refused, `%s`" % result.partition(" ")[2]
        lines.append("| `%s` | %s | %s |" % (name, state, reason or ""))
    lines += ["", "| capability | answer | |", "|---|---|---|"]
    for name, value in results.caps.items():
        works[name] = value > 0
        enabled = results.enabled.get(name)
        reason = ("can be enabled" if enabled else "") if works[name] else reasons.find(name)
        if enabled and enabled != "works":
            bad.append("KVM_ENABLE_CAP(%s): %s" % (name, enabled))
        if reason is None:
            bad.append("%s is not offered, and the file reasons does not say why" % name)
        # Sizes that differ between processors are no part of the table.
        lines.append("| `%s` | %s | %s |" % (name, "works" if works[name] else "0", reason or ""))
    return lines + [""], works, bad


def check(path, update):
    results, reasons = Results(path), Reasons()
    lines, works, bad = make(results, reasons)
    bad += ["%s is required and does not work" % name for name in words("required")
            if not works.get(name)]
    bad += ["the reason for %s is needed no more" % pattern for pattern, _ in reasons.rows
            if pattern not in reasons.used]
    with open(DOC) as f:
        text = f.read()
    head, _, rest = text.partition(BEGIN)
    old, _, tail = rest.partition(END)
    new = "\n".join(lines)
    if update:
        with open(DOC, "w") as f:
            f.write(head + BEGIN + new + END + tail)
    elif old != new:
        bad.append("docs/api.md is not what the tests saw: run tests/api/check --update")
    for line in bad:
        print("FAIL " + line)
    print("%d passed, %d failed" % (len(works), len(bad)))
    return 1 if bad or not works else 0


def main():
    if sys.argv[1:2] == ["names"] and len(sys.argv) == 3:
        names(sys.argv[2])
        return 0
    if sys.argv[1:2] == ["check"] and len(sys.argv) >= 3:
        return check(sys.argv[2], "--update" in sys.argv)
    sys.exit(__doc__)


if __name__ == "__main__":
    sys.exit(main())
