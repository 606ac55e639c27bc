# SPDX-License-Identifier: GPL-2.0-only
"""The initramfs archives, each built once and kept in the cache.

  base.cpio   every level: busybox, the kernel modules that are needed, the level scripts
              (base-debug.cpio: the same for L0 with the debug kernel)
  qemu.cpio   levels that start another: Debian's QEMU with its libraries and firmware
  stack.cpio  the files from which a level makes the next one: kernel, base and qemu
  devices.cpio, generic.cpio   drivers of the devices that PCs have, of the cloud kernel (which has
              few) and of Debian's generic kernel, for guests that start from base.cpio

An initramfs is the concatenation of the archives that a level needs plus a small one with
its job, so nothing large is built per run.
"""

import fcntl
import hashlib
import os
import re
import shutil
import subprocess

from . import paths
from .cpio import Cpio
from .paths import LabError

MODULES = ["kvm", "kvm-intel", "kvm-amd", "virtio_pci", "virtio_blk", "virtio_net",
           "virtio_console", "virtio-rng", "virtio_balloon", "zram", "lzo-rle", "msr"]
DEVICES = ["ata_piix", "sd_mod", "sr_mod", "isofs"]
GENERIC = ["virtio_pci", "virtio_blk", "virtio_net", "ahci", "e1000", "e1000e",
           "ext4", "crc32c_generic", *DEVICES]
# The debug kernel has no network card and its virtio built in; only L0 runs it.
DEBUG_MODULES = ["kvm", "kvm-intel", "kvm-amd", "virtio_pci", "virtio_blk", "msr"]
FIRMWARE = ["bios-256k.bin", "bios.bin", "kvmvapic.bin", "linuxboot.bin",
            "linuxboot_dma.bin", "multiboot_dma.bin", "pvh.bin", "vgabios-stdvga.bin"]
FIRMWARE_DIRS = ["/usr/share/seabios", "/usr/share/qemu"]


def _stamp(files):
    digest = hashlib.sha256()
    for name in sorted(files):
        st = os.stat(name)
        digest.update(("%s %d %d\n" % (name, st.st_size, st.st_mtime_ns)).encode())
    return digest.hexdigest()


def _cached(name, inputs, build):
    """Return .cache/images/NAME, built again when an input has changed."""
    folder = os.path.join(paths.CACHE, "images")
    os.makedirs(folder, exist_ok=True)
    target = os.path.join(folder, name)
    with open(os.path.join(folder, ".lock"), "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        stamp = _stamp(inputs)
        try:
            with open(target + ".stamp") as f:
                if f.read() == stamp and os.path.exists(target):
                    return target
        except FileNotFoundError:
            pass
        build(target + ".new")
        # Runs that have the old file open keep it: rename, never overwrite.
        os.rename(target + ".new", target)
        with open(target + ".stamp", "w") as f:
            f.write(stamp)
    return target


def _dependencies(moddir):
    """{module name: [paths, dependencies first]} from modules.dep."""
    table = {}
    with open(os.path.join(moddir, "modules.dep")) as f:
        for line in f:
            target, _, rest = line.strip().partition(":")
            name = re.sub(r"\.ko$", "", os.path.basename(target)).replace("-", "_")
            table[name] = rest.split()[::-1] + [target]
    return table


def _add_modules(archive, moddir, names):
    version = os.path.basename(moddir)
    table = _dependencies(moddir)
    builtin = open(os.path.join(moddir, "modules.builtin")).read().replace("-", "_")
    for name in names:
        key = name.replace("-", "_")
        if key not in table:
            if "/%s.ko" % key in builtin:
                continue
            raise LabError("the kernel in %s has no module %s" % (moddir, name))
        # busybox insmods these lines in order; no modules.dep is needed inside.
        archive.text("/lib/modules/%s.order" % key, "".join(
            "/lib/modules/%s/%s\n" % (version, m) for m in table[key]))
        for m in table[key]:
            archive.copy("/lib/modules/%s/%s" % (version, m), os.path.join(moddir, m))


def tool(name):
    """The static program lab/tools/NAME.c."""
    source = os.path.join(paths.LAB, "tools", name + ".c")

    def build(target):
        done = subprocess.run(["gcc", "-O2", "-Wall", "-Wextra", "-Werror", "-static",
                               "-pthread", "-s", "-o", target, source])
        if done.returncode:
            raise LabError("lab/tools/%s.c does not build" % name)
    return _cached(name, [source], build)


def _guest_files():
    folder = os.path.join(paths.LAB, "guest")
    return [os.path.join(folder, f) for f in sorted(os.listdir(folder))]


def base(kernel="debian"):
    busybox = shutil.which("busybox") or "/bin/busybox"
    moddir = paths.kernel_path(kernel, "modules")
    names = DEBUG_MODULES if kernel == "debug" else MODULES
    labtool = tool("labtool")

    def build(target):
        archive = Cpio(target)
        for name in ("proc", "sys", "dev", "tmp", "run", "out", "mnt", "root", "sbin",
                     "usr/bin", "usr/sbin"):
            archive.directory(name)
        archive.device("/dev/console", 5, 1)
        archive.copy("/bin/busybox", busybox, 0o755)
        archive.link("/bin/sh", "busybox")
        archive.copy("/bin/labtool", labtool, 0o755)
        for f in _guest_files():
            name = os.path.basename(f)
            archive.copy("/init" if name == "init" else "/lab/" + name, f, 0o755)
        archive.text("/etc/passwd", "root:x:0:0:root:/root:/bin/sh\n")
        _add_modules(archive, moddir, names)
        archive.close()
    return _cached("base-debug.cpio" if kernel == "debug" else "base.cpio",
                   [busybox, os.path.join(moddir, "modules.dep"), labtool, __file__,
                    *_guest_files()], build)


def drivers(name, modules_path, modules):
    """An archive of modules only, for a guest whose initramfs starts with base()."""
    moddir = paths.setup_path(modules_path)

    def build(target):
        archive = Cpio(target)
        _add_modules(archive, moddir, modules)
        archive.close()
    return _cached(name, [os.path.join(moddir, "modules.dep"), __file__], build)


def devices():
    return drivers("devices.cpio", "modules", DEVICES)


def generic():
    return drivers("generic.cpio", "generic-modules", GENERIC)


def libraries(binary):
    done = subprocess.run(["ldd", binary], stdout=subprocess.PIPE, text=True)
    if done.returncode:
        raise LabError("ldd %s failed" % binary)
    found = re.findall(r"(/\S+) \(0x", done.stdout)
    if "not found" in done.stdout or not found:
        raise LabError("libraries of %s are missing" % binary)
    return found


def _firmware(name):
    for folder in FIRMWARE_DIRS:
        if os.path.exists(os.path.join(folder, name)):
            return os.path.join(folder, name)
    raise LabError("firmware %s is missing" % name)


def qemu():
    binary = shutil.which(paths.QEMU)
    if not binary:
        raise LabError("%s is not installed" % paths.QEMU)
    libs = libraries(binary)
    roms = [_firmware(f) for f in FIRMWARE]

    def build(target):
        archive = Cpio(target)
        archive.copy("/usr/bin/" + paths.QEMU, os.path.realpath(binary), 0o755)
        for lib in libs:
            archive.copy(lib, os.path.realpath(lib), 0o755)
        for rom in roms:
            archive.copy("/usr/share/qemu/" + os.path.basename(rom), os.path.realpath(rom))
        archive.close()
    return _cached("qemu.cpio", [binary, __file__, *libs, *roms], build)


def stack():
    """What a level needs to start levels that start levels."""
    kernel, first, second = paths.setup_path("kernel"), base(), qemu()

    def build(target):
        archive = Cpio(target)
        archive.copy("/stack/vmlinuz", kernel)
        archive.copy("/stack/base.cpio", first)
        archive.copy("/stack/qemu.cpio", second)
        archive.close()
    return _cached("stack.cpio", [kernel, first, second], build)


def write_job(target, run, env, files):
    """The per-run archive: /job/run, /job/env and the files that were asked for."""
    archive = Cpio(target)
    archive.text("/job/run", "#!/bin/sh\n" + run + "\n", 0o755)
    archive.text("/job/env", "".join("%s='%s'\n" % (k, str(v).replace("'", "'\\''"))
                                     for k, v in env.items()))
    for host, guest in files:
        if os.path.isdir(host):
            archive.tree(guest, host)
        else:
            archive.copy(guest, host)
    archive.close()


def concatenate(target, parts):
    with open(target, "wb") as out:
        for part in parts:
            with open(part, "rb") as f:
                shutil.copyfileobj(f, out)
