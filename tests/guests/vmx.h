/* SPDX-License-Identifier: GPL-2.0-only */
/* What payloads that are hypervisors share: VMX instructions, field and MSR numbers. */
#ifndef GUEST_VMX_H
#define GUEST_VMX_H

#include "lib.h"

#define MSR_EFER		0xc0000080
#define MSR_FEATURE_CONTROL	0x3a
#define MSR_VMX_BASIC		0x480
#define MSR_VMX_MISC		0x485
#define MSR_VMX_CR0_FIXED0	0x486
#define MSR_VMX_CR4_FIXED0	0x488
#define MSR_VMX_PROCBASED_CTLS2 0x48b
#define MSR_VMX_EPT_VPID_CAP	0x48c
#define MSR_VMX_TRUE_PIN	0x48d
#define MSR_VMX_TRUE_PROC	0x48e
#define MSR_VMX_TRUE_EXIT	0x48f
#define MSR_VMX_TRUE_ENTRY	0x490

enum {
	PIN_CTLS = 0x4000,
	PROC_CTLS = 0x4002,
	EXC_BITMAP = 0x4004,
	EXIT_CTLS = 0x400c,
	ENTRY_CTLS = 0x4012,
	ENTRY_INTR_INFO = 0x4016,
	ENTRY_ERROR = 0x4018,
	PROC2_CTLS = 0x401e,
	INSN_ERROR = 0x4400,
	EXIT_REASON = 0x4402,
	EXIT_INTR_INFO = 0x4404,
	EXIT_INTR_ERROR = 0x4406,
	EXIT_INSN_LEN = 0x440c,
	EXIT_QUAL = 0x6400,
	GUEST_LINEAR = 0x640a,
	GUEST_PHYS = 0x2400,
	EPTP = 0x201a,
	MSR_BITMAP = 0x2004,
	LINK_PTR = 0x2800,
	GUEST_RIP = 0x681e,
	GUEST_RSP = 0x681c,
	GUEST_RFLAGS = 0x6820,
	GUEST_CR0 = 0x6800,
	GUEST_CR3 = 0x6802,
	GUEST_CR4 = 0x6804,
	GUEST_INTR = 0x4824,
	GUEST_ACTIVITY = 0x4826,
	PREEMPTION_TIMER = 0x482e,
	HOST_RIP = 0x6c16,
	HOST_RSP = 0x6c14,
	CR0_MASK = 0x6000,
	CR4_MASK = 0x6002,
	CR0_SHADOW = 0x6004,
	CR4_SHADOW = 0x6006,
};

/* CF and ZF of a VMX instruction: 0 = succeed, 1 = VMfailInvalid, 2 = VMfailValid. */
#define VMX_INSN(insn, ...)                            \
	({                                             \
		u8 c_, z_;                             \
		asm volatile(insn "; setc %0; setz %1" \
			     : "=qm"(c_), "=qm"(z_)    \
			     : __VA_ARGS__             \
			     : "cc", "memory");        \
		c_ ? 1 : z_ ? 2 : 0;                   \
	})

static inline int vmxon(void *p)
{
	u64 a = (u64)p;

	return VMX_INSN("vmxon %2", "m"(a));
}

static inline int vmclear(void *p)
{
	u64 a = (u64)p;

	return VMX_INSN("vmclear %2", "m"(a));
}

static inline int vmptrld(void *p)
{
	u64 a = (u64)p;

	return VMX_INSN("vmptrld %2", "m"(a));
}

static inline int vmwrite(u64 f, u64 v)
{
	return VMX_INSN("vmwrite %3, %2", "r"(f), "r"(v));
}

static inline u64 vmread(u64 f)
{
	u64 v = 0;

	asm volatile("vmread %1, %0" : "=r"(v) : "r"(f) : "cc");
	return v;
}

/* A control word with what is wanted, as far as the capability MSR allows. */
static inline u32 ctl(u32 msr, u32 want)
{
	u64 cap = rdmsr(msr);

	return (want | (u32)cap) & (u32)(cap >> 32);
}

/* -------------------------------------------------------------- vmx_lib.c */

/*
 * Runs L2 to its next exit. Its registers, by encoding, are taken from @regs and put back there, the
 * first ten but RSP. With @host_rsp NULL the host's RSP and RIP are set by VMWRITE; else RSP is
 * stored there, and RIP is the caller's to set. 0, or how VMLAUNCH or VMRESUME failed, as
 * VMX_INSN() tells.
 */
int run_l2(int launched, u64 *regs, u64 *host_rsp);
extern char l2_exit[]; /* the host's RIP */

/* As VMX_INSN(). */
int vmread_status(u64 field);
int offers_ept(void);

/* Where fields go: with VMWRITE into the current VMCS, or into an enlightened one. */
typedef void (*field_put)(u32 field, u64 val);
void by_vmwrite(u32 field, u64 val);

void put_segment(field_put put, int i, u16 sel, u64 base, u32 limit, u32 ar);
/* VM exits come back to what is loaded now; RSP is set before VM entry. */
void put_host(field_put put);
/* L2 is 64-bit code with the page tables and the segments of L1. */
void put_guest(field_put put, u64 rip, u64 rsp);
/* Exits for HLT, I/O, UD2 and what is in the MSR bitmap; CR4.VMXE is L1's. @eptp 0: no EPT. */
void put_controls(field_put put, u64 msr_bitmap, u64 eptp);

#endif /* GUEST_VMX_H */
