/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Architectural state in neutral form: what the core and both backends use to
 * talk about registers. Nothing here knows a VMCS or a VMCB.
 */
#ifndef TURTLES_HW_X86_STATE_H
#define TURTLES_HW_X86_STATE_H

#include <linux/types.h>

/* General-purpose registers, in the order of their instruction encoding. */
enum x86_reg {
	X86_RAX,
	X86_RCX,
	X86_RDX,
	X86_RBX,
	X86_RSP,
	X86_RBP,
	X86_RSI,
	X86_RDI,
	X86_R8,
	X86_R9,
	X86_R10,
	X86_R11,
	X86_R12,
	X86_R13,
	X86_R14,
	X86_R15,
	X86_NR_REGS
};

/* Segment registers; the first six in the order of their encoding. */
enum x86_sreg { X86_ES, X86_CS, X86_SS, X86_DS, X86_FS, X86_GS, X86_TR, X86_LDTR, X86_NR_SREGS };

/* Access rights, in the layout of the VMCS (SDM "Guest Register State"). */
#define SEG_AR_TYPE	 0x0000fu
#define SEG_AR_S	 0x00010u
#define SEG_AR_DPL	 0x00060u
#define SEG_AR_DPL_SHIFT 5
#define SEG_AR_P	 0x00080u
#define SEG_AR_AVL	 0x01000u
#define SEG_AR_L	 0x02000u
#define SEG_AR_DB	 0x04000u
#define SEG_AR_G	 0x08000u
#define SEG_AR_UNUSABLE	 0x10000u
#define SEG_AR_RESERVED	 0xfffe0f00u

/**
 * struct x86_seg - a segment register with its hidden part
 * @base:     linear base address
 * @limit:    limit in bytes (already scaled by the granularity bit)
 * @selector: visible selector
 * @ar:       access rights, SEG_AR_*
 */
struct x86_seg {
	u64 base;
	u32 limit;
	u16 selector;
	u16 reserved;
	u32 ar;
};

/** struct x86_dt - GDTR or IDTR */
struct x86_dt {
	u64 base;
	u16 limit;
};

#endif /* TURTLES_HW_X86_STATE_H */
