/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the rows of the API test share: a small VM that each row has for itself, and how a row
 * says what it saw.
 */
#ifndef TESTS_API_SURFACE_H
#define TESTS_API_SURFACE_H

#include <linux/kvm.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MEM_SIZE 0x100000u
#define CODE_AT	 0x1000u

/* A pointer that no copy can follow. */
#define NOT_MAPPED ((void *)0x10)

/* A VM with an irqchip, a PIT, one vCPU in real mode at CODE_AT and MEM_SIZE bytes at 0. */
struct world {
	int sys, vm, vcpu;
	struct kvm_run *run;
	uint8_t *mem;
	int err; /* errno of the last call() that failed */
};

struct cpuid_list {
	struct kvm_cpuid2 head;
	struct kvm_cpuid_entry2 entries[256];
};

enum fd_kind { SYS, VM, VCPU };

/*
 * One ioctl. @good makes a call that must work and looks at what it did; @bad makes one that must
 * be refused, and returns true when it was. A row whose good case fails with call() tells the
 * errno; whether that is right, the table's reasons decide.
 */
struct row {
	const char *name;
	enum fd_kind fd;
	bool (*good)(struct world *w);
	bool (*bad)(struct world *w);
};

/* One capability for KVM_ENABLE_CAP: arguments that work, and arguments that are refused. */
struct cap_row {
	const char *name;
	uint32_t cap;
	enum fd_kind fd;
	uint64_t good, bad;
	bool bare;			 /* wants a VM that has nothing yet */
	bool (*effect)(struct world *w); /* looks at what enabling it did; NULL: nothing to see */
};

extern const struct row system_rows[], vm_rows[], irq_rows[], vcpu_rows[], state_rows[];
extern const struct cap_row cap_rows[];

/* ioctl(); true when it did not fail, and w->err otherwise. */
bool call(struct world *w, int fd, unsigned long cmd, void *arg);
/* The same with a number for an argument. */
bool calln(struct world *w, int fd, unsigned long cmd, unsigned long arg);
/* Does the call fail with this errno? */
bool refused(struct world *w, int fd, unsigned long cmd, void *arg, int err);
bool refusedn(struct world *w, int fd, unsigned long cmd, unsigned long arg, int err);

/* The world with nothing in the VM: no irqchip, memory or vCPU. */
bool bare_world(struct world *w);
/* The usual one. */
bool full_world(struct world *w);
/* Memory and a vCPU for a bare one. */
bool populate(struct world *w);

/* Gives the vCPU all the CPUID there is; it is in @c then. */
bool give_cpuid(struct world *w, struct cpuid_list *c);

/* Puts code at CODE_AT and runs the vCPU to its next exit; true when that is @reason. */
bool run_code(struct world *w, const void *code, size_t size, uint32_t reason);

/* A signal in a moment, which ends KVM_RUN with EINTR. */
bool signal_soon(void);

#endif
