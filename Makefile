# SPDX-License-Identifier: GPL-2.0-only
#
# Turtles: one command each. `make help` lists them.

HW      ?= amd
VARIANT ?= turtles
LEVEL   ?= 1

export HW VARIANT LEVEL

# KDIR: the running kernel's headers if they are here, and the lab's kernel's otherwise.
RUNNING := /lib/modules/$(shell uname -r)/build

.PHONY: all module lab-module setup demo check bench selftests shell clean distclean help
.PHONY: check-machines check-host check-debug stress fuzz-ioctl hostile kill-test

all: module

module:
	@kdir="$(KDIR)"; \
	if [ -z "$$kdir" ] && [ -e "$(RUNNING)/Makefile" ]; then kdir="$(RUNNING)"; fi; \
	if [ -z "$$kdir" ]; then lab/setup build && kdir=$$(lab/setup --print headers); fi && \
	$(MAKE) -C "$$kdir" M=$(CURDIR)/module modules

lab-module:
	lab/build-module

setup:
	lab/setup build amd intel check

demo:
	lab/tower HW=$(HW) VARIANT=$(VARIANT)

check:
	scripts/check

check-host:
	tests/lab/host/check HW=$(HW)

stress:
	tests/lab/stress/run HW=$(HW) MINUTES=$(or $(MINUTES),30)

check-machines:
	tests/lab/machines HW=$(HW) VARIANT=$(VARIANT)

check-debug:
	scripts/check-debug

bench:
	bench/run

selftests:
	tests/selftests/run HW=$(HW)

# Long tests with hostile user space and a hostile L1; SECONDS, COUNT, SEED, KERNEL are theirs.
own = $(foreach v,$(1),$(if $($(v)),$(v)=$($(v))))

fuzz-ioctl:
	tests/fuzz/run-ioctl HW=$(HW) $(call own,KERNEL SECONDS SEED ONE)

hostile:
	tests/guests/run-hostile HW=$(HW) $(call own,KERNEL SECONDS SEED COUNT CPUS)

kill-test:
	tests/lab/kill HW=$(HW) $(call own,KERNEL COUNT QEMUS)

shell:
	lab/shell HW=$(HW) VARIANT=$(VARIANT) LEVEL=$(LEVEL)

clean:
	rm -rf .cache/build .cache/build-debug .cache/run tests/unit/build
	find module -name '*.o' -o -name '*.ko' -o -name '*.mod' -o -name '*.mod.c' \
		-o -name '.*.cmd' -o -name '*.symvers' -o -name 'modules.order' | xargs -r rm -f

distclean: clean
	rm -rf .cache

help:
	@echo 'make                         build module/turtles.ko'
	@echo 'make demo [HW=amd|intel|kvm] the tower: Linux on KVM on Turtles, with its report'
	@echo '     VARIANT=stock           the same on Debian'\''s own KVM, for comparison'
	@echo 'make check                   every test; last line: N passed, N failed'
	@echo 'make check-machines [HW=...] guests on QEMU: devices, interrupt controllers, snapshots'
	@echo 'make check-debug             payloads, selftests, a tower, failing allocations on a debug kernel'
	@echo 'make bench                   exact costs of exits beside stock KVM (Intel machine)'
	@echo 'make selftests [HW=...]      the kernel'\''s own KVM selftests, beside stock KVM'
	@echo 'make check-host [HW=...]     hotplug, suspend, kexec, panic, memory pressure, limits'
	@echo 'make stress [MINUTES=30]     long mixed load on two L1s and up to three L2s, all checked'
	@echo 'make fuzz-ioctl [SECONDS=60] random ioctls from many threads, processes killed at random'
	@echo 'make hostile [SECONDS=60]    a hostile L1 beside a VM that must not notice'
	@echo 'make kill-test [COUNT=200]   SIGKILL at random moments with an L2 running'
	@echo 'make shell LEVEL=0|1|2       a prompt in that level [HW=...] [VARIANT=...]'
	@echo 'make setup                   install and fetch everything now'
	@echo 'make clean / distclean       remove what was built / also what was downloaded'
	@echo
	@echo 'HW=amd    QEMU emulates an AMD EPYC with SVM (default; fast)'
	@echo 'HW=intel  Bochs emulates an Intel Haswell with VMX'
	@echo 'HW=kvm    a real machine with nested KVM'
