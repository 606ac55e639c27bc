# SPDX-License-Identifier: GPL-2.0-only
"""The machines: how each emulator is told what to be. Knows nothing of what runs inside."""

import os
import shutil
import struct
import subprocess

from . import paths
from .paths import LabError

# Both sides of every comparison use this command line.
CMDLINE = ("console=ttyS0 mitigations=off nokaslr no_timer_check tsc=reliable "
           "quiet panic=-1")
# An emulated processor under a checked kernel is slow: what looks like a lock-up of 20 seconds
# elsewhere is none here.
DEBUG_CMDLINE = ("watchdog_thresh=60 workqueue.watchdog_thresh=240 page_owner=on "
                 "kasan_multi_shot log_buf_len=8M")


class Machine:
    """One run of one machine; files of the run live in self.folder."""

    groups = ()     # what lab/setup must have installed
    console_is_socket = False

    def __init__(self, folder, smp, mem):
        self.folder = folder
        self.smp = smp
        self.mem = mem

    def path(self, name):
        return os.path.join(self.folder, name)

    def prepare(self, kernel, initrd, append):
        """Return (argv, environment additions)."""
        raise NotImplementedError


class Qemu(Machine):
    groups = ("amd",)
    accel = ()
    default_smp, default_mem, debug_mem = 2, 2560, 4096

    def prepare(self, kernel, initrd, append):
        argv = [paths.QEMU, "-nodefaults", "-no-user-config", "-no-reboot",
                "-display", "none", *self.accel,
                "-smp", str(self.smp), "-m", str(self.mem),
                "-kernel", kernel, "-initrd", initrd, "-append", append,
                "-chardev", "stdio,id=com1,signal=off", "-serial", "chardev:com1",
                "-serial", "file:" + self.path("com2")]
        argv += os.environ.get("LAB_QEMU", "").split()
        return argv, {}


class Amd(Qemu):
    """QEMU's own CPU emulation: SVM with nested paging, SMP."""

    # The first CPU is left to L0's kernel, see guest/init: two for guests.
    default_smp = 3

    @property
    def accel(self):
        # Code is translated anew, and all CPUs wait, whenever the buffer is full.
        tcg = "tcg,tb-size=1024,thread="
        # A machine of one CPU counts its time in instructions, one a nanosecond: however slow its
        # kernel is, timers do not come faster than work is done.
        clock = ("-accel", tcg + "single", "-icount", "shift=0") if self.smp == 1 else \
            ("-accel", tcg + "multi")
        return ("-machine", "q35", *clock, "-cpu", "EPYC,+svm,+npt")


class Kvm(Qemu):
    """A real machine's nested KVM."""

    accel = ("-machine", "q35", "-accel", "kvm", "-cpu", "host")

    def prepare(self, kernel, initrd, append):
        with open("/proc/cpuinfo") as f:
            flags = f.read().split()
        module = "kvm_intel" if "vmx" in flags else "kvm_amd" if "svm" in flags else None
        if not module:
            raise LabError("HW=kvm needs a processor with VMX or SVM, and this machine's "
                           "CPU flags show neither vmx nor svm; HW=amd and HW=intel "
                           "emulate them anywhere")
        if not os.access("/dev/kvm", os.R_OK | os.W_OK):
            raise LabError("HW=kvm needs /dev/kvm readable and writable for this user")
        with open("/sys/module/%s/parameters/nested" % module) as f:
            if f.read().strip() not in ("1", "Y"):
                raise LabError("HW=kvm needs nested KVM: reload %s with nested=1" % module)
        return super().prepare(kernel, initrd, append)


class Intel(Machine):
    """Bochs with a VMX processor model. One CPU: see docs/lab.md."""

    groups = ("intel",)
    console_is_socket = True
    default_smp, default_mem, debug_mem = 1, 2048, 2048
    model = "corei7_haswell_4770"

    SETUP_AT, KERNEL_AT, INITRD_AT = 0x90000, 0x100000, 0x38000000
    CMDLINE_OFFSET = 0xe000
    EXTENTS = 486       # in lab/boot/sector.S
    CLOCK_HZ = 200000000

    def prepare(self, kernel, initrd, append):
        if self.smp != 1:
            raise LabError("the Intel machine has one CPU (Bochs runs them on one thread)")
        if self.mem > 2048:
            raise LabError("the Intel machine has at most 2048 MiB")
        self._split_kernel(kernel, initrd, append)
        binary, packaged = self._bochs()
        with open(self.path("bochsrc"), "w") as f:
            f.write(self._config(packaged))
        argv = [binary, "-q", "-f", self.path("bochsrc")]
        if packaged:
            # Debian's build waits in its debugger until it is told to continue.
            with open(self.path("debugger"), "w") as f:
                f.write("c\n")
            argv += ["-rc", self.path("debugger")]
        return argv, {"TERM": "linux"}

    @staticmethod
    def _bochs():
        """(program, is it Debian's package); lab/build-bochs makes the other one."""
        own = os.path.join(paths.CACHE, "bochs", "bin", "bochs")
        if os.environ.get("LAB_BOCHS") != "package" and os.path.exists(own):
            return own, False
        binary = shutil.which("bochs-bin")
        if not binary:
            raise LabError("bochs is not installed")
        return binary, True

    def _boot_disk(self, kernel, initrd):
        """A disk of boot sector, protected-mode kernel and initramfs."""
        source = os.path.join(paths.LAB, "boot", "sector.S")
        obj, flat = self.path("sector.o"), self.path("sector.bin")
        for argv in (["as", "--32", "-o", obj, source],
                     ["ld", "-m", "elf_i386", "-Ttext=0x7c00", "--oformat=binary",
                      "-o", flat, obj]):
            if subprocess.run(argv).returncode:
                raise LabError("the boot sector does not build")
        with open(flat, "rb") as f:
            sector = bytearray(f.read())
        with open(initrd, "rb") as f:
            parts = [(kernel, self.KERNEL_AT), (f.read(), self.INITRD_AT)]
        with open(self.path("disk"), "wb") as disk:
            at = 1
            for i, (data, address) in enumerate(parts):
                count = (len(data) + 511) // 512
                struct.pack_into("<III", sector, self.EXTENTS + 12 * i, at, count, address)
                disk.seek(at * 512)
                disk.write(data)
                at += count
            disk.seek(0)
            disk.write(sector)
            # Whole cylinders of 16 heads and 63 sectors.
            disk.truncate((at // 1008 + 1) * 1008 * 512)

    def _split_kernel(self, kernel, initrd, append):
        """Cut a bzImage into what a boot loader loads where (boot.rst, header fields)."""
        with open(kernel, "rb") as f:
            image = f.read()
        if image[0x202:0x206] != b"HdrS":
            raise LabError("%s is not a bzImage" % kernel)
        split = ((image[0x1f1] or 4) + 1) * 512
        head = bytearray(image[:split].ljust(0xf000, b"\0"))
        line = append.encode() + b"\0"
        if len(line) > 0x0f00 or split > self.CMDLINE_OFFSET - 0x2000:
            raise LabError("the kernel's command line or real-mode part is too long")
        head[self.CMDLINE_OFFSET:self.CMDLINE_OFFSET + len(line)] = line
        head[0x210] = 0xff                                       # type_of_loader
        head[0x211] |= 0x81                                      # loaded high, may use heap
        struct.pack_into("<H", head, 0x1fa, 0xffff)              # vid_mode: normal
        struct.pack_into("<H", head, 0x224, self.CMDLINE_OFFSET - 0x200)  # heap_end_ptr
        struct.pack_into("<I", head, 0x218, self.INITRD_AT)
        struct.pack_into("<I", head, 0x21c, os.path.getsize(initrd))
        struct.pack_into("<I", head, 0x228, self.SETUP_AT + self.CMDLINE_OFFSET)
        with open(self.path("setup"), "wb") as f:
            f.write(head)
        self._boot_disk(image[split:], initrd)

    def _config(self, packaged):
        lines = [
            "config_interface: textconfig",
            "display_library: " + ("term" if packaged else "nogui"),
            "cpu: model=%s, count=1, ips=%d, reset_on_triple_fault=0, ignore_bad_msrs=1"
            % (self.model, self.CLOCK_HZ),
            "memory: guest=%d, host=%d" % (self.mem, self.mem),
            "romimage: file=/usr/share/bochs/BIOS-bochs-latest, options=fastboot",
            "vgaromimage: file=/usr/share/bochs/VGABIOS-lgpl-latest",
            "optramimage1: file=%s, address=%#x" % (self.path("setup"), self.SETUP_AT),
            "ata0: enabled=1, ioaddr1=0x1f0, ioaddr2=0x3f0, irq=14",
            "ata0-master: type=disk, mode=flat, path=" + self.path("disk"),
            "ata1: enabled=0",
            "boot: disk",
            "clock: sync=none",
            "log: " + self.path("bochs.log"),
            "panic: action=fatal", "error: action=ignore", "info: action=ignore",
            "debug: action=ignore",
            "debugger_log: -",
            "com1: enabled=1, mode=socket-client, dev=127.0.0.1:%d" % self.console_port,
            "com2: enabled=1, mode=file, dev=" + self.path("com2"),
            "speaker: enabled=0",
            "mouse: enabled=0",
        ]
        if packaged:
            lines.append("sound: driver=dummy")     # the default looks for a sound card
        return "\n".join(lines) + "\n"


class Ryzen(Intel):
    """Bochs again, with an SVM processor model: exact costs on SVM."""

    model = "ryzen"


MACHINES = {"amd": Amd, "intel": Intel, "kvm": Kvm, "ryzen": Ryzen}
