/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the assembly of the world switch reads, shared by enter.S and C.
 */
#ifndef TURTLES_SVM_SWITCH_H
#define TURTLES_SVM_SWITCH_H

#define SW_VMCB_PA    0
#define SW_HOST_PA    8
#define SW_REGS	      16
#define SW_GUEST_SPEC 24
#define SW_HOST_SPEC  28
#define SW_FLAGS      32

/* SPEC_CTRL of guest and host differ: write the MSR on both sides. */
#define SWF_SPEC 1
/* Barrier after each exit, where no cheaper return mitigation is at hand. */
#define SWF_IBPB 2

#ifndef __ASSEMBLY__
#include <linux/build_bug.h>
#include <linux/stddef.h>
#include <linux/types.h>

/**
 * struct svm_switch - operands of svm_world_switch()
 * @vmcb_pa:	VMCB to run
 * @host_pa:	VMSAVE area with the host's FS, GS, TR, LDTR and syscall MSRs
 * @regs:	v->regs, in instruction-encoding order; RAX and RSP are the VMCB's
 * @guest_spec, @host_spec: SPEC_CTRL values, used with SWF_SPEC
 * @flags:	SWF_*
 */
struct svm_switch {
	u64 vmcb_pa;
	u64 host_pa;
	u64 *regs;
	u32 guest_spec;
	u32 host_spec;
	u32 flags;
};

static_assert(offsetof(struct svm_switch, vmcb_pa) == SW_VMCB_PA);
static_assert(offsetof(struct svm_switch, host_pa) == SW_HOST_PA);
static_assert(offsetof(struct svm_switch, regs) == SW_REGS);
static_assert(offsetof(struct svm_switch, guest_spec) == SW_GUEST_SPEC);
static_assert(offsetof(struct svm_switch, host_spec) == SW_HOST_SPEC);
static_assert(offsetof(struct svm_switch, flags) == SW_FLAGS);

void svm_world_switch(const struct svm_switch *sw);
#endif

#endif /* TURTLES_SVM_SWITCH_H */
