// SPDX-License-Identifier: GPL-2.0-only
/*
 * Guest MSRs that the backend holds, and the MSR bitmap of context 01. Some are
 * VMCS fields, some are loaded with the thread (host.c), SPEC_CTRL with each
 * entry (enter.S). Writes to what is loaded lazily always exit, so that the
 * values here are current; KERNEL_GS_BASE is the exception.
 */
#include <linux/errno.h>
#include <linux/kernel.h>
#include <linux/preempt.h>
#include <linux/string.h>
#include <asm/msr.h>
#include "hw/vmx/vmx.h"

/* SDM "MSR-Bitmap Address": four bitmaps of 1024 bytes. */
#define BITMAP_READ   0x000
#define BITMAP_WRITE  0x800
#define BITMAP_HIGH   0x400
#define MSR_HIGH_BASE 0xc0000000u
#define MSRS_PER_MAP  0x2000u

static int user_msr_slot(u32 index)
{
	switch (index) {
	case MSR_STAR:
		return UMSR_STAR;
	case MSR_LSTAR:
		return UMSR_LSTAR;
	case MSR_SYSCALL_MASK:
		return UMSR_FMASK;
	case MSR_TSC_AUX:
		return UMSR_TSC_AUX;
	}
	return -1;
}

static int vmcs_field_of_msr(u32 index)
{
	switch (index) {
	case MSR_FS_BASE:
		return GUEST_FS_BASE;
	case MSR_GS_BASE:
		return GUEST_GS_BASE;
	case MSR_IA32_SYSENTER_CS:
		return GUEST_SYSENTER_CS;
	case MSR_IA32_SYSENTER_ESP:
		return GUEST_SYSENTER_ESP;
	case MSR_IA32_SYSENTER_EIP:
		return GUEST_SYSENTER_EIP;
	case MSR_IA32_CR_PAT:
		return GUEST_IA32_PAT;
	case MSR_IA32_DEBUGCTLMSR:
		return GUEST_IA32_DEBUGCTL;
	}
	return -1;
}

static u64 get_kernel_gs_base(struct vmx_vcpu *x)
{
	preempt_disable();
	if (x->guest_loaded)
		rdmsrl(MSR_KERNEL_GS_BASE, x->kernel_gs_base);
	preempt_enable();
	return x->kernel_gs_base;
}

int vmx_get_msr(struct vcpu *v, u32 index, u64 *val)
{
	struct vmx_vcpu *x = v->vmx;
	int n;

	n = user_msr_slot(index);
	if (n >= 0) {
		*val = x->user_msr[n];
		return 0;
	}
	n = vmcs_field_of_msr(index);
	if (n >= 0) {
		*val = vmread(n);
		return 0;
	}
	switch (index) {
	case MSR_KERNEL_GS_BASE:
		*val = get_kernel_gs_base(x);
		return 0;
	case MSR_CSTAR:
		*val = x->cstar;
		return 0;
	case MSR_IA32_SPEC_CTRL:
		if (!vmx_caps.spec_ctrl)
			return -ENOENT;
		*val = x->spec_ctrl;
		return 0;
	}
	return -ENOENT;
}

/* @val may be loaded on the CPU right now: take everything out, change it, reload lazily. */
static void set_lazy(struct vmx_vcpu *x, u64 *slot, u64 val)
{
	preempt_disable();
	vmx_switch_to_host(x);
	*slot = val;
	preempt_enable();
}

static void set_spec_ctrl(struct vmx_vcpu *x, u64 val)
{
	x->spec_ctrl = val;
	/*
	 * A guest that uses it at all may write it at each of its kernel entries:
	 * from now on without an exit.
	 */
	if (val && !x->spec_ctrl_passthrough) {
		x->spec_ctrl_passthrough = true;
		vmx_set_msr_intercept(x->v, MSR_IA32_SPEC_CTRL, false, false);
	}
}

int vmx_set_msr(struct vcpu *v, u32 index, u64 val)
{
	struct vmx_vcpu *x = v->vmx;
	int n;

	n = user_msr_slot(index);
	if (n >= 0) {
		if (x->user_msr[n] != val)
			set_lazy(x, &x->user_msr[n], val);
		return 0;
	}
	n = vmcs_field_of_msr(index);
	if (n >= 0) {
		vmwrite(n, val);
		x->cur->avail &= ~(AVAIL_SEG(X86_FS) | AVAIL_SEG(X86_GS));
		return 0;
	}
	switch (index) {
	case MSR_KERNEL_GS_BASE:
		set_lazy(x, &x->kernel_gs_base, val);
		return 0;
	case MSR_CSTAR:
		/* SYSCALL in compatibility mode does not exist on Intel: a value only. */
		x->cstar = val;
		return 0;
	case MSR_IA32_SPEC_CTRL:
		if (!vmx_caps.spec_ctrl)
			return -ENOENT;
		set_spec_ctrl(x, val);
		return 0;
	}
	return -ENOENT;
}

static void bitmap_assign(u8 *map, unsigned int bit, bool on)
{
	if (on)
		map[bit / 8] |= 1u << (bit % 8);
	else
		map[bit / 8] &= ~(1u << (bit % 8));
}

/* MSRs outside the two ranges always exit. */
void vmx_set_msr_intercept(struct vcpu *v, u32 index, bool read, bool write)
{
	u8 *map = v->vmx->msr_bitmap;

	if (index >= MSR_HIGH_BASE && index < MSR_HIGH_BASE + MSRS_PER_MAP) {
		index -= MSR_HIGH_BASE;
		map += BITMAP_HIGH;
	} else if (index >= MSRS_PER_MAP) {
		return;
	}
	bitmap_assign(map + BITMAP_READ, index, read);
	bitmap_assign(map + BITMAP_WRITE, index, write);
}

/* What a guest may reach without an exit: a VMCS field, or saved with the thread. */
static const u32 open[] = {
	MSR_FS_BASE,	      MSR_GS_BASE,	     MSR_KERNEL_GS_BASE,
	MSR_IA32_SYSENTER_CS, MSR_IA32_SYSENTER_ESP, MSR_IA32_SYSENTER_EIP,
};

void vmx_init_msr_bitmap(struct vmx_vcpu *x)
{
	int i;

	memset(x->msr_bitmap, 0xff, PAGE_SIZE);
	memset(x->msr_bitmap02, 0xff, PAGE_SIZE);
	for (i = 0; i < ARRAY_SIZE(open); i++)
		vmx_set_msr_intercept(x->v, open[i], false, false);
	/* RDMSR of the TSC gets the offset like RDTSC does. */
	vmx_set_msr_intercept(x->v, MSR_IA32_TSC, false, true);
	/* The entry loads DEBUGCTL: KVM as a guest reads it at each of its vCPU loads. */
	vmx_set_msr_intercept(x->v, MSR_IA32_DEBUGCTLMSR, false, true);
}

/*
 * Where the MSRs of open[], the TSC and SPEC_CTRL are in a bitmap. In the rest of
 * it our own bits are all set, so L1's make no difference.
 */
const struct msr_bitmap_part vmx_msr_bitmap_parts[] = {
	{ BITMAP_READ, 0x30 },			 /* up to SYSENTER_EIP */
	{ BITMAP_READ + BITMAP_HIGH + 0x20, 8 }, /* FS, GS and KERNEL_GS_BASE */
	{ BITMAP_WRITE, 0x30 },
	{ BITMAP_WRITE + BITMAP_HIGH + 0x20, 8 },
	{}
};

static_assert(MSR_IA32_SYSENTER_EIP / 8 < 0x30 && MSR_IA32_SPEC_CTRL / 8 < 0x30 &&
	      MSR_IA32_TSC / 8 < 0x30 && (MSR_FS_BASE - MSR_HIGH_BASE) / 8 == 0x20 &&
	      (MSR_KERNEL_GS_BASE - MSR_HIGH_BASE) / 8 == 0x20);

/**
 * vmx_merge_msr_bitmap - the bitmap of context 02: exit if L0 or L1 wants it
 * @x:	the vCPU
 * @l1: L1's bitmap, or NULL when L1 wants every exit
 */
void vmx_merge_msr_bitmap(struct vmx_vcpu *x, const u8 *l1)
{
	const struct msr_bitmap_part *p;
	unsigned int i;

	for (p = vmx_msr_bitmap_parts; p->len; p++) {
		u64 *out = (u64 *)(x->msr_bitmap02 + p->offset);
		const u64 *l0 = (const u64 *)(x->msr_bitmap + p->offset);
		const u64 *theirs = (const u64 *)(l1 + p->offset);

		for (i = 0; i < p->len / sizeof(u64); i++)
			out[i] = l1 ? l0[i] | theirs[i] : ~0ull;
	}
}
