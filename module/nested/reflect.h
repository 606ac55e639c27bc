/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Who gets an exit of L2: one row per VMX exit reason. L0's claim is asked
 * first; if it has none, whether L1 asked for such exits; if not, L0 handles it
 * on L2's behalf.
 *
 * Called by vcpu/ once per exit taken in L2. Pure but for the callback that
 * reads L1's bitmaps.
 */
#ifndef TURTLES_NESTED_REFLECT_H
#define TURTLES_NESTED_REFLECT_H

#include <linux/types.h>
#include "hw/exit.h"
#include "hw/x86_state.h"
#include "nested/vmcs12.h"

enum nested_exit_owner {
	NESTED_EXIT_L0,	     /* L0 handles it; L1 never knows */
	NESTED_EXIT_L1,	     /* reflect to L1 */
	NESTED_EXIT_UNKNOWN, /* a reason without a row: report, do not guess */
};

/**
 * struct reflect_ctx - what the decision depends on
 * @v:	       L1's VMCS
 * @e:	       the exit, completed (no longer @partial)
 * @regs:      L2's general-purpose registers, indexed by enum x86_reg
 * @xss:       L2's IA32_XSS
 * @l2_64bit:  L2 is in 64-bit mode: MOV CR uses 64-bit registers
 * @l0_exceptions: vectors that L0 claims for itself (guest debugging)
 * @l0_mtf:    L0 is single-stepping L2
 * @l0_timer:  the VMX-preemption timer runs for L0, not for L1
 * @read_l1:   read L1's memory; nonzero when the address cannot be read
 * @read_ctx:  its first argument
 */
struct reflect_ctx {
	const struct vmcs12 *v;
	const struct vcpu_exit *e;
	const u64 *regs;
	u64 xss;
	bool l2_64bit;
	u32 l0_exceptions;
	bool l0_mtf;
	bool l0_timer;
	int (*read_l1)(void *ctx, u64 gpa, void *buf, u32 len);
	void *read_ctx;
};

/**
 * struct reflect_row - one exit reason
 * @name: for traces
 * @l0:	  L0's claim; NULL = none
 * @l1:	  did L1 ask? For reasons that one control cannot decide
 * @pin:  L1 asked if it set any of these pin-based controls
 * @proc: ... primary processor-based controls
 * @proc2: ... secondary processor-based controls
 */
struct reflect_row {
	const char *name;
	bool (*l0)(const struct reflect_ctx *c);
	bool (*l1)(const struct reflect_ctx *c);
	u32 pin;
	u32 proc;
	u32 proc2;
};

enum nested_exit_owner nested_exit_owner(const struct reflect_ctx *c);
const struct reflect_row *nested_exit_row(u32 reason);
const char *nested_exit_name(u32 reason);
unsigned int nested_exit_nr_reasons(void);

#endif /* TURTLES_NESTED_REFLECT_H */
