# SPDX-License-Identifier: GPL-2.0-only
"""The tower: what its levels are made of, what they said, and how it is drawn.

lab/tower and the benchmarks use it; the levels talk in lines "@@L<level> key=value" that
lab/guest/tower-level prints.
"""

import re
import time
from collections import defaultdict

MARK = re.compile(r"@@L(\d) (\w+)=(.*)")

# QEMU's TCG lets a guest's XSETBV through although the hypervisor intercepts it, so no
# L1 on that machine is offered XSAVE or what depends on it (docs/lab.md).
NO_XSAVE = "-xsave,-xsaveopt,-xsavec,-xgetbv1,-avx,-avx2,-fma,-f16c"
# What the model names and Turtles does not offer on an AMD processor, or at all
# (docs/differences.md). QEMU would say so line by line, and go on without.
NOT_THERE = ("-kvm-asyncpf,-vmx-ins-outs,-vmx-apicv-xapic,-vmx-desc-exit,-vmx-pml,"
             "-vmx-rdrand-exit,-vmx-shadow-vmcs,-vmx-vmfunc,-vmx-ept-execonly,-vmx-flexpriority,"
             "-vmx-mtf,-vmx-exit-load-perf-global-ctrl,-vmx-entry-load-perf-global-ctrl,"
             "-vmx-eptp-switching")
SKYLAKE = ("Skylake-Client,vendor=GenuineIntel,+vmx,-pcid,-invpcid,-hle,-rtm,-erms,"
           "-rdseed,-3dnowprefetch," + NO_XSAVE + "," + NOT_THERE)

# L1 finds itself on Hyper-V, if KVM's own name is hidden: Linux takes that one first.
HYPERV = ("kvm=off,hv-relaxed,hv-vapic,hv-vpindex,hv-runtime,hv-time,hv-synic,hv-stimer,"
          "hv-frequencies,hv-tlbflush,hv-ipi,hv-evmcs,hv-emsr-bitmap")

REASONS = {1: "the-hypervisor-did-not-load", 60: "no-virtio-pci", 61: "block-device",
           62: "network", 63: "compute", 80: "bad-line-in-kernel-log", 81: "report-of-the-debug-kernel"}


def l1_cpu(hw, variant):
    """The CPU model that L1 gets unless the user names one."""
    if hw == "amd":
        return SKYLAKE if variant == "turtles" else "host," + NO_XSAVE
    return "host"


def with_hyperv(cpu, wanted):
    """The model with what HYPERV=1 adds to it."""
    return cpu + "," + HYPERV if wanted == "1" else cpu


def l1_kvm(hw, variant):
    """Which of its KVM modules L1 is expected to load."""
    return "kvm_amd" if hw in ("amd", "ryzen") and variant == "stock" else "kvm_intel"


class Level:
    def __init__(self):
        self.facts = {}
        self.lists = defaultdict(list)
        self.seen = {}          # key -> seconds since power-on of L0


class Record:
    """Collects the marks of one run and judges them."""

    def __init__(self, levels):
        self.count = levels
        self.levels = [Level() for _ in range(levels + 1)]
        self.began = time.monotonic()

    def seconds(self):
        return time.monotonic() - self.began

    def line(self, text):
        """Take one console line; returns (level, key, value) if it was a mark."""
        found = MARK.search(text)
        if not found or int(found.group(1)) > self.count:
            return None
        number, key, value = int(found.group(1)), found.group(2), found.group(3).strip()
        level = self.levels[number]
        level.facts[key] = value
        level.lists[key].append(value)
        level.seen.setdefault(key, self.seconds())
        return number, key, value

    def highest(self):
        return max([i for i, l in enumerate(self.levels) if l.facts] or [0])

    def failure(self, code):
        """None, or (level, reason)."""
        if code == 124:
            return self._next_level(), "time-limit"
        if code == 125:
            return 0, "machine-died"
        for number in range(self.count, -1, -1):
            facts = self.levels[number].facts
            status = facts.get("exit")
            if number == 0 and status is None:
                status = str(code)
            if not facts or status == "0":
                continue
            if status is None:
                return number, "died-without-a-result"
            if "ended" in facts and not self.levels[number + 1].facts:
                return number + 1, "did-not-boot"
            if "ended" in facts and "exit" not in self.levels[number + 1].facts:
                return number + 1, "died-without-a-result"
            qemu = re.search(r"qemu=(\d+)", facts.get("ended", ""))
            if qemu and qemu.group(1) != "0":
                return number, "qemu-exit-" + qemu.group(1)
            return number, REASONS.get(int(status), "exit-" + status)
        return self._missing()

    def unenlightened(self):
        """An L1 that was to use enlightened VMCSs and took ordinary ones proves nothing."""
        if self.levels[1].facts.get("evmcs", "0") == "0":
            return 1, "no-enlightened-VMCS"
        return None

    def _next_level(self):
        top = self.highest()
        booting = "starting" in self.levels[top].facts and "ended" not in self.levels[top].facts
        return min(top + 1, self.count) if booting else top

    def _missing(self):
        for number, level in enumerate(self.levels):
            for key in ("up", "log_bad"):
                if key not in level.facts:
                    return number, "no-" + key
        top = self.levels[self.count]
        for key in ("disk", "net", "compute"):
            if key not in top.facts:
                return self.count, "no-" + key
        if len(top.lists["compute"]) != int(top.facts.get("cpus", 0)):
            return self.count, "idle-cpu"
        return None


class Report:
    """Draws a Record as a tower, the topmost level first."""

    WIDTH = 96

    def __init__(self, record):
        self.record = record

    def lines(self):
        out = []
        for number in range(self.record.count, -1, -1):
            out += self._box(number)
        return out

    def _box(self, number):
        indent = " " * (2 * number)
        inner = self.WIDTH - 4 * number
        rows = self._rows(number)
        border = indent + "+" + "-" * (inner + 2) + "+"
        out = [border]
        for name, text in rows:
            for i, part in enumerate(self._wrap(text, inner - 14)):
                out.append("%s| %-12s  %s |" % (indent, name if i == 0 else "",
                                                part.ljust(inner - 14)))
        if number == 0:
            out.append(border)
        return out

    @staticmethod
    def _wrap(text, width):
        lines = [""]
        for word in text.split():
            if lines[-1] and len(lines[-1]) + 1 + len(word) > width:
                lines.append("")
            lines[-1] = (lines[-1] + " " + word).strip()[:width]
        return lines

    def _rows(self, number):
        level = self.record.levels[number]
        facts = level.facts
        if not facts:
            return [("L%d" % number, "did not come up")]
        rows = [("L%d  kernel" % number, facts.get("kernel", "?")),
                ("hypervisor", facts.get("hypervisor", "?")
                 if number < self.record.count else "(a guest only)"),
                ("processor", "%s x %s (%s)" % (facts.get("cpus", "?"),
                                               facts.get("cpu", "?"),
                                               facts.get("vendor", "?"))),
                ("silicon", self._silicon(facts)),
                ("booted", self._times(number))]
        rows += [(name, facts[key]) for name, key in (("disk", "disk"), ("network", "net"))
                 if key in facts]
        rows += [("compute" if i == 0 else "", text)
                 for i, text in enumerate(level.lists["compute"])]
        rows.append(("kernel log", "%s WARN, BUG or lockdep lines"
                     % facts.get("log_bad", "unknown number of")))
        if number == 0:
            rows += self._module_rows(level)
        return rows

    @staticmethod
    def _silicon(facts):
        """What the level's own kernel says it runs on."""
        flags = [f for f in facts.get("flags", "").split() if f != "hypervisor"]
        text = "CPU flags show " + (" ".join(flags) or "neither vmx nor svm")
        if facts.get("vmx"):
            text += "; VMX: " + facts["vmx"]
        if facts.get("under"):
            text += "; says that it runs under " + facts["under"]
        elif facts.get("board"):
            text += "; board " + facts["board"]
        return text

    def _times(self, number):
        level, text = self.record.levels[number], ""
        start = self.record.levels[number - 1].seen.get("starting") if number else 0.0
        if start is not None and "up" in level.seen:
            text = "%.1f s after its power-on; " % (level.seen["up"] - start)
        text += "by its own clock up after %s s" % level.facts.get("up", "?")
        if "down" in level.facts:
            text += ", shut down cleanly after %s s" % level.facts["down"]
        return text

    def _module_rows(self, level):
        rows = []
        if "module_memory" in level.facts:
            rows.append(("memory", "%.2f MiB held by the module, guest memory not counted"
                         % (int(level.facts["module_memory"]) / 1048576)))
        after, before = exits(level.lists["exits"]), exits(level.lists["before"])
        for guest in sorted(after):
            reasons = {k: n for k, n in after[guest].items() if k.isupper()}
            top = sorted(reasons.items(), key=lambda e: -e[1])[:6]
            text = "%d: " % sum(reasons.values()) + ", ".join("%s %d" % e for e in top)
            if "reflected" in after[guest]:
                text += "; %d passed on to L1" % after[guest]["reflected"]
            rows.append(("exits of L%d" % guest, text))
        if before:
            spent = _world_switches(after) - _world_switches(before)
            inner = _reasons(after, 2) - _reasons(before, 2)
            if inner > 0:
                rows.append(("per L2 exit", "%.2f hardware exits, L1's own work included, "
                             "while L2 ran" % (spent / inner)))
        return rows


def _reasons(table, level):
    return sum(n for k, n in table.get(level, {}).items() if k.isupper())


def _world_switches(table):
    """Hardware exits; the module counts them apart from the reasons where it can."""
    return sum(e.get("hw_exits", _reasons(table, level)) for level, e in table.items())


def exits(lines):
    """{level: {reason: count}} from the module's lines "L1 CPUID 5".

    Reasons are in capitals; sums that the module adds (hw_exits, reflected) are not.
    """
    table = defaultdict(dict)
    for line in lines:
        found = re.match(r"L?(\d) (\w+) (\d+)$", line.strip())
        if found:
            table[int(found.group(1))][found.group(2)] = int(found.group(3))
    return table
