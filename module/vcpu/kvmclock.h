/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Private to vcpu/kvmclock.c and vcpu/tsc.c: a vCPU's paravirtual clock.
 */
#ifndef TURTLES_VCPU_KVMCLOCK_H
#define TURTLES_VCPU_KVMCLOCK_H

#include <linux/types.h>

struct vm;

/**
 * struct vcpu_clock - (v) unless noted
 * @system_msr: MSR_KVM_SYSTEM_TIME as written; bit 0 = enabled
 * @wall_msr:   MSR_KVM_WALL_CLOCK as written
 * @version:    last (even) version written to the page
 * @stopped:    tell the guest that it was paused, with the next update
 */
struct vcpu_clock {
	u64 system_msr;
	u64 wall_msr;
	u32 version;
	bool stopped;
};

/* The host's TSC counts at one rate and alike on all CPUs. */
bool clock_tsc_stable(void);
/* What the host's TSC has lost in suspends to RAM since the module was loaded. */
u64 tsc_lost_ticks(void);

u64 vm_clock_ns(struct vm *vm);
bool vm_clock_base(struct vm *vm, u64 *tsc, u64 *ns);

#endif /* TURTLES_VCPU_KVMCLOCK_H */
