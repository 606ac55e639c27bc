# SPDX-License-Identifier: GPL-2.0-only
"""One run: start the machine, stream its console, enforce the time limit, clean up.

Called by lab/run, lab/tower and lab/shell. What the lines mean is the caller's affair,
except the marker with which a level ends.
"""

import ctypes
import os
import pty
import re
import select
import shutil
import signal
import socket
import subprocess
import sys
import tarfile
import tempfile
import termios
import time
import tty

from . import image, machine, paths
from .paths import LabError

KERNELS = ("debian", "debug")
EXIT = re.compile(r"@@L0 exit=(\d+)")
PANIC = re.compile(r"^(\[[ .0-9]+\] )?Kernel panic - not syncing")
TIME_LIMIT, NO_RESULT = 124, 125


def _die_with_parent():
    PR_SET_PDEATHSIG = 1
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


class Session:
    def __init__(self, hw="amd", variant="turtles", kernel="debian", smp=None, mem=None, timeout=600,
                 append="", run="true", env=None, files=(), copy_out=None, nested=True,
                 on_line=None, interactive=False, panic_ends=True):
        if hw not in machine.MACHINES:
            raise LabError("HW=%s: there are %s" % (hw, ", ".join(machine.MACHINES)))
        if variant not in ("turtles", "stock", "none"):
            raise LabError("VARIANT=%s: there are turtles, stock, none" % variant)
        if kernel not in KERNELS:
            raise LabError("KERNEL=%s: there are %s" % (kernel, ", ".join(KERNELS)))
        self.kind = machine.MACHINES[hw]
        self.hw, self.variant, self.kernel = hw, variant, kernel
        self.smp = smp or self.kind.default_smp
        self.mem = mem or (self.kind.debug_mem if kernel == "debug" else self.kind.default_mem)
        self.timeout, self.append, self.run = timeout, append, run
        self.env, self.files = dict(env or {}), list(files)
        self.copy_out, self.nested = copy_out, nested
        self.on_line = on_line or self._print_line
        self.interactive = interactive
        self.panic_ends = panic_ends
        self.code = None
        self.started = None
        self.on_start = lambda: None

    @staticmethod
    def _print_line(line):
        sys.stdout.write(line + "\n")
        sys.stdout.flush()

    # -- preparation ------------------------------------------------------------

    def _prepare(self):
        paths.setup("build", *self.kind.groups, *(["debug"] if self.kernel == "debug" else []))
        files = list(self.files)
        if self.variant == "turtles":
            files.append((paths.build_module(self.kernel), "/lab/turtles.ko"))
        self.env.update(HW=self.hw, VARIANT=self.variant, KERNEL=self.kernel, LEVEL=0)
        image.write_job(os.path.join(self.folder, "job.cpio"), self.run, self.env, files)
        parts = [image.base(self.kernel)]
        if self.nested:
            parts += [image.qemu(), image.stack()]
        parts.append(os.path.join(self.folder, "job.cpio"))
        initrd = os.path.join(self.folder, "initrd")
        image.concatenate(initrd, parts)
        words = [machine.CMDLINE, self.append]
        if self.kernel == "debug":
            words.insert(1, machine.DEBUG_CMDLINE)
        return self.box.prepare(paths.kernel_path(self.kernel, "kernel"), initrd,
                                " ".join(w for w in words if w))

    # -- the machine's process ----------------------------------------------------

    def _start(self):
        listener = None
        if self.kind.console_is_socket:
            listener = socket.create_server(("127.0.0.1", 0))
            self.box.console_port = listener.getsockname()[1]
        argv, env = self._prepare()
        log = open(os.path.join(self.folder, "emulator.log"), "wb")
        self.screen = None
        if listener:
            # Bochs wants a terminal for its display; nothing of interest shows there.
            self.screen, slave = pty.openpty()
            stdio = {"stdin": slave, "stdout": slave, "stderr": log}
        else:
            stdio = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": log}
        self.process = subprocess.Popen(argv, cwd=self.folder, start_new_session=True,
                                        env={**os.environ, **env},
                                        preexec_fn=_die_with_parent, **stdio)
        if not listener:
            self.read_fd = self.process.stdout.fileno()
            self.write_fd = self.process.stdin.fileno()
            return
        os.close(slave)
        listener.settimeout(30)
        try:
            self.connection, _ = listener.accept()
        except socket.timeout:
            raise LabError("the emulator did not start: " + self._log_tail())
        finally:
            listener.close()
        self.read_fd = self.write_fd = self.connection.fileno()

    def _log_tail(self):
        text = ""
        for name in ("emulator.log", "bochs.log"):
            try:
                with open(os.path.join(self.folder, name), errors="replace") as f:
                    text += f.read()[-1500:]
            except FileNotFoundError:
                pass
        return text

    def _stop(self):
        if getattr(self, "process", None) is None:
            return
        try:
            self.status = self.process.wait(timeout=2 if self.code is None else 0)
        except subprocess.TimeoutExpired:
            self.status = "none (killed)"
        try:
            os.killpg(self.process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        self.process.wait()

    # -- following it -------------------------------------------------------------

    def _follow(self):
        """Read the console until the machine is off; sets self.code from the marker."""
        deadline = self.started + self.timeout
        buffer = b""
        while True:
            left = deadline - time.monotonic()
            if left <= 0:
                return TIME_LIMIT if self.code is None else self.code
            watched = [self.read_fd] + ([self.screen] if self.screen else [])
            ready, _, _ = select.select(watched, [], [], min(left, 1.0))
            if self.screen in ready:
                self._drain_screen()
            if self.read_fd not in ready:
                if self.process.poll() is not None:
                    break
                continue
            try:
                data = os.read(self.read_fd, 65536)
            except ConnectionResetError:
                break
            if not data:
                break
            *lines, buffer = (buffer + data).split(b"\n")
            for raw in lines:
                if self._line(raw.decode(errors="replace").strip("\r")):
                    deadline = min(deadline, time.monotonic() + 20)
        if buffer.strip():
            self._line(buffer.decode(errors="replace").strip("\r"))
        return NO_RESULT if self.code is None else self.code

    def _drain_screen(self):
        try:
            if not os.read(self.screen, 65536):
                self.screen = None
        except OSError:
            self.screen = None

    def _line(self, line):
        """Pass a line on; true when nothing but the power-off is left to wait for."""
        found = EXIT.search(line)
        if found and line.startswith("@@L0"):
            self.code = int(found.group(1))
            return True
        self.on_line(line)
        return self.panic_ends and bool(PANIC.match(line))

    def _converse(self):
        """Join the user's terminal to the console until the machine is off."""
        stdin = sys.stdin.fileno()
        saved = termios.tcgetattr(stdin) if os.isatty(stdin) else None
        print("lab: Ctrl-] ends the machine", file=sys.stderr)
        try:
            if saved:
                tty.setraw(stdin)
            watched = [self.read_fd, stdin] + ([self.screen] if self.screen else [])
            while self.process.poll() is None:
                ready, _, _ = select.select(watched, [], [], 1.0)
                if self.screen in ready:
                    self._drain_screen()
                if self.read_fd in ready:
                    data = os.read(self.read_fd, 65536)
                    if not data:
                        break
                    os.write(sys.stdout.fileno(), data)
                if stdin in ready:
                    data = os.read(stdin, 4096)
                    if not data:
                        watched.remove(stdin)
                    if b"\x1d" in data:
                        break
                    os.write(self.write_fd, data)
        finally:
            if saved:
                termios.tcsetattr(stdin, termios.TCSADRAIN, saved)
        return 0

    def _take_results(self):
        name = os.path.join(self.folder, "com2")
        if not self.copy_out or not os.path.exists(name) or not os.path.getsize(name):
            return
        os.makedirs(self.copy_out, exist_ok=True)
        try:
            with tarfile.open(name) as archive:
                for member in archive:
                    safe = os.path.normpath(member.name)
                    if member.isfile() and not safe.startswith(("/", "..")):
                        member.name = safe
                        archive.extract(member, self.copy_out, set_attrs=False)
        except tarfile.TarError as err:
            raise LabError("the result files did not arrive whole: %s" % err)

    def execute(self):
        """Run to the end; returns the exit status of the command inside."""
        runs = os.path.join(paths.CACHE, "run")
        os.makedirs(runs, exist_ok=True)
        self.folder = tempfile.mkdtemp(dir=runs)
        self.box = self.kind(self.folder, self.smp, self.mem)
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
        try:
            self._start()
            self.started = time.monotonic()
            self.on_start()
            code = self._converse() if self.interactive else self._follow()
            self._stop()
            if code == TIME_LIMIT:
                paths.say("time limit of %d s reached" % self.timeout)
            elif code == NO_RESULT:
                paths.say("the machine stopped without a result; emulator's status %s\n%s"
                          % (self.status, self._log_tail()))
            self._take_results()
            return code
        finally:
            self._stop()
            if os.environ.get("LAB_KEEP"):
                paths.say("kept " + self.folder)
            else:
                shutil.rmtree(self.folder, ignore_errors=True)
