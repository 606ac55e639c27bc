#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""What `make stress` calls a failure, on recorded lines."""

import importlib.machinery
import importlib.util
import os
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
loader = importlib.machinery.SourceFileLoader("stress", os.path.join(HERE, "stress", "run"))
spec = importlib.util.spec_from_loader("stress", loader)
stress = importlib.util.module_from_spec(spec)
loader.exec_module(stress)

LINE = ("L1| load %s %s seconds=60 hash=1 mem=2 disk=3 net=4 stall_ms=%d disk_ms=20 net_ms=30 "
        "drift_us=%d steal_ms=0")
GUESTS = ("L1a", "L1b", "L2a1", "L2b1")


def faults(changes=(), status=0):
    phase = stress.Phase("a")
    for name in GUESTS:
        state, stall, drift = dict(changes).get(name, ("end", 10, 5))
        phase.line(LINE % (name, "beat", 1, 0))
        if state:
            phase.line(LINE % (name, state, stall, drift))
    return phase, list(phase.faults(status))


class Judgement(unittest.TestCase):
    def test_good(self):
        phase, found = faults()
        self.assertEqual(found, [])
        self.assertEqual(phase.bytes(), 10 * len(GUESTS))
        self.assertEqual(phase.stall(), 30)

    def test_each_guest_must_end(self):
        for name in GUESTS:
            self.assertEqual(len(faults({name: (None, 0, 0)})[1]), 1, name)

    def test_a_stall_is_a_failure(self):
        phase, found = faults({"L2b1": ("end", 1001, 0)})
        self.assertEqual(found, ["L2b1: stall_ms=1001"])
        self.assertEqual(phase.stall(), 1001)

    def test_a_clock_that_drifts(self):
        self.assertEqual(len(faults({"L1a": ("end", 1, 60000)})[1]), 1)

    def test_the_machine_must_end_well(self):
        self.assertEqual(len(faults(status=80)[1]), 1)

    def test_the_hosts_own_stalls_are_not_judged(self):
        phase, _ = faults()
        phase.line((LINE % ("monitor", "end", 5000, 0)).replace("L1| ", ""))
        self.assertEqual(list(phase.faults(0)), [])
        self.assertEqual(phase.stall(), 30)


if __name__ == "__main__":
    unittest.main()
