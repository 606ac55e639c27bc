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

static inline void set_segment(int i, u16 sel, u64 base, u32 limit, u32 ar)
{
	vmwrite(0x800 + 2 * i, sel);
	vmwrite(0x4800 + 2 * i, limit);
	vmwrite(0x4814 + 2 * i, ar);
	vmwrite(0x6806 + 2 * i, base);
}

/* VM exits come back to what is loaded now, but for RIP and RSP, which are set before VM entry. */
static inline void host_state(void)
{
	struct {
		u16 limit;
		u64 base;
	} __attribute__((packed)) dt;
	u32 f;

	for (f = 0xc00; f <= 0xc0a; f += 2)
		vmwrite(f, f == 0xc02 ? 8 : 0);
	vmwrite(0xc0c, 0x20); /* TR */
	vmwrite(0x6c00, READ_CR(0));
	vmwrite(0x6c02, READ_CR(3));
	vmwrite(0x6c04, READ_CR(4));
	for (f = 0x6c06; f <= 0x6c12; f += 2)
		vmwrite(f, 0);
	asm volatile("sgdt %0" : "=m"(dt));
	vmwrite(0x6c0c, dt.base);
	asm volatile("sidt %0" : "=m"(dt));
	vmwrite(0x6c0e, dt.base);
	vmwrite(0x4c00, 0);
	vmwrite(0x2c02, rdmsr(MSR_EFER));
}

#endif /* GUEST_VMX_H */
