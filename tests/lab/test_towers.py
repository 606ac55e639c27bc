#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""The report's judgement: what is called a failure, and where."""

import os
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "..", "lab"))
from lablib import towers  # noqa: E402

GOOD = """@@L0 up=2
@@L0 starting=1
@@L1 up=3
@@L1 starting=2
@@L2 up=4
@@L2 cpus=2
@@L2 disk=8 files
@@L2 net=5 packets transmitted, 5 packets received, 0% packet loss
@@L2 compute=cpu 0: 3 of 3 times
@@L2 compute=cpu 1: 3 of 3 times
@@L2 log_bad=0
@@L2 exit=0
@@L1 ended=2 status=0 qemu=0
@@L1 log_bad=0
@@L1 exit=0
@@L0 ended=1 status=0 qemu=0
@@L0 exits=L1 CPUID 10
@@L0 exits=L2 CPUID 20
@@L0 exits=L2 hw_exits 20
@@L0 log_bad=0
@@L0 exit=0"""


def judged(lines, code=0):
    record = towers.Record(2)
    for line in lines:
        record.line(line)
    return record.failure(code)


class Judgement(unittest.TestCase):
    def test_good(self):
        self.assertIsNone(judged(GOOD.splitlines()))

    def test_each_proof_is_needed(self):
        for key in ("L2 disk", "L2 net", "L2 compute=cpu 1", "L1 log_bad", "L2 up"):
            lines = [l for l in GOOD.splitlines() if not l.startswith("@@" + key)]
            self.assertIsNotNone(judged(lines), key)

    def test_time_limit_names_the_level_that_did_not_come(self):
        lines = GOOD.splitlines()[:4]
        self.assertEqual(judged(lines, 124), (2, "time-limit"))

    def test_failed_work(self):
        lines = [l.replace("@@L2 exit=0", "@@L2 exit=62") for l in GOOD.splitlines()]
        lines = [l.replace("status=0", "status=62").replace("@@L1 exit=0", "@@L1 exit=62")
                 for l in lines]
        self.assertEqual(judged(lines, 62), (2, "network"))

    def test_guest_that_never_spoke(self):
        lines = GOOD.splitlines()[:4] + ["@@L1 ended=2 status=none qemu=0",
                                         "@@L1 exit=71", "@@L0 exit=71"]
        self.assertEqual(judged(lines, 71), (2, "did-not-boot"))

    def test_guest_that_died(self):
        lines = GOOD.splitlines()[:6] + ["@@L1 ended=2 status=none qemu=0",
                                         "@@L1 exit=71", "@@L0 exit=71"]
        self.assertEqual(judged(lines, 71), (2, "died-without-a-result"))

    def test_dead_machine(self):
        self.assertEqual(judged(GOOD.splitlines()[:3], 125), (0, "machine-died"))

    def test_enlightened(self):
        record = towers.Record(2)
        for line in GOOD.splitlines():
            record.line(line)
        self.assertEqual(record.unenlightened(), (1, "no-enlightened-VMCS"))
        record.line("@@L1 evmcs=0")
        self.assertEqual(record.unenlightened(), (1, "no-enlightened-VMCS"))
        record.line("@@L1 evmcs=1")
        self.assertIsNone(record.unenlightened())

    def test_exits_table(self):
        record = towers.Record(2)
        for line in GOOD.splitlines():
            record.line(line)
        self.assertEqual(towers.exits(record.levels[0].lists["exits"]),
                         {1: {"CPUID": 10}, 2: {"CPUID": 20, "hw_exits": 20}})
        self.assertTrue(any("exits of L2" in l for l in towers.Report(record).lines()))



if __name__ == "__main__":
    unittest.main()
