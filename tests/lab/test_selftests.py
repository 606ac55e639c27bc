#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""The selftests' runner: every test gets a result, whatever happens to its machine."""

import importlib.machinery
import importlib.util
import os
import sys
import tempfile
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
PROGRAM = os.path.join(HERE, "..", "selftests", "run")
sys.dont_write_bytecode = True
loader = importlib.machinery.SourceFileLoader("selftests_run", PROGRAM)
selftests = importlib.util.module_from_spec(importlib.util.spec_from_loader("selftests_run", loader))
loader.exec_module(selftests)

ONE = "echo @@L0 start %s; echo @@L0 result %s %s 3 because;"


class Machines(selftests.Variant):
    """Stands for machines: each test name is what happens when it is run."""

    boot_limit = 5

    def __init__(self):
        super().__init__({"HW": "test", "LIMIT": 1}, "turtles")
        self.started = 0

    def command(self, names):
        self.started += 1
        script = ""
        for name in names:
            if name in ("pass", "skip", "fail", "timeout"):
                script += ONE % (name, name, name)
            elif name == "oops":
                script += "echo @@L0 kernel oops BUG: bad;" + ONE % (name, name, "pass")
            elif name == "panic":
                script += "echo @@L0 start panic; exit 125;"
            elif name == "hang":
                script += "echo @@L0 start hang; exec sleep 100;"
            elif name == "no-boot":
                script += "exit 125;"
        return ["sh", "-c", script]


class Run(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        selftests.CACHE = self.folder.name
        selftests.MACHINES["test"] = {"limit": 1, "pace": 1, "grace": 1, "options": []}
        self.stderr, sys.stderr = sys.stderr, open(os.devnull, "w")

    def tearDown(self):
        sys.stderr.close()
        sys.stderr = self.stderr
        self.folder.cleanup()

    def results(self, *names):
        machines = Machines()
        machines.run(list(names))
        for f in machines.files.values():
            f.close()
        return {n: r[0] for n, r in machines.results.items()}, machines

    def test_results(self):
        results, machines = self.results("pass", "skip", "fail", "timeout")
        self.assertEqual(results, {n: n for n in ("pass", "skip", "fail", "timeout")})
        self.assertEqual(machines.started, 1)
        self.assertEqual(machines.bad, [])

    def test_machine_dies(self):
        results, machines = self.results("pass", "panic", "fail")
        self.assertEqual(results, {"pass": "pass", "panic": "died", "fail": "fail"})
        self.assertEqual(machines.started, 2)
        self.assertEqual(machines.bad, ["panic: the machine ended"])

    def test_machine_hangs(self):
        results, machines = self.results("hang", "pass")
        self.assertEqual(results, {"hang": "stuck", "pass": "pass"})
        self.assertEqual(machines.started, 2)
        self.assertEqual(len(machines.bad), 1)

    def test_kernel_log(self):
        results, machines = self.results("oops")
        self.assertEqual(results, {"oops": "pass"})
        self.assertEqual(machines.bad, ["oops: BUG: bad"])

    def test_machine_does_not_boot(self):
        results, machines = self.results("no-boot", "pass")
        self.assertEqual(results, {"no-boot": "not run", "pass": "not run"})
        self.assertEqual(machines.started, 1)
        self.assertEqual(len(machines.bad), 1)

    def test_kinds(self):
        kinds = {(t, s): selftests.kind_of(t, s) for t in ("pass", "skip") for s in ("pass", "fail")}
        self.assertEqual(kinds, {("pass", "pass"): "both", ("pass", "fail"): "turtles_only",
                                 ("skip", "pass"): "stock_only", ("skip", "fail"): "neither"})


class Status(unittest.TestCase):
    """More than five that only stock passes, or one without a result, is a failure."""

    def status(self, turtles, stock, bad=()):
        class Done:
            def __init__(self, results):
                self.results, self.bad = {n: (r, "") for n, r in results.items()}, list(bad)
        names = sorted(turtles)
        saved, sys.stdout = sys.stdout, open(os.devnull, "w")
        try:
            return selftests.report("amd", names, {"turtles": Done(turtles), "stock": Done(stock)})
        finally:
            sys.stdout.close()
            sys.stdout = saved

    def test_five_are_allowed(self):
        stock = {str(n): "pass" for n in range(8)}
        self.assertFalse(self.status({n: "fail" if int(n) < 5 else "pass" for n in stock}, stock))
        self.assertTrue(self.status({n: "skip" if int(n) < 6 else "pass" for n in stock}, stock))

    def test_incomplete(self):
        self.assertTrue(self.status({"a": "not run"}, {"a": "fail"}))

    def test_kernel_log(self):
        self.assertTrue(self.status({"a": "pass"}, {"a": "pass"}, ["a: BUG: bad"]))


if __name__ == "__main__":
    unittest.main()
