// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a context exits for: the intercept words, the MSR permission map and
 * the I/O permission map (APM "Intercept Operation").
 *
 * The words are composed in one place, svm_update_intercepts(), from the
 * context's constant part and its few switches, and written only when they
 * change. Called by the setters of hw_ops and by nested.c.
 */
#include <linux/gfp.h>
#include <linux/kernel.h>
#include <linux/mem_encrypt.h>
#include <linux/mm.h>
#include <linux/string.h>
#include <asm/msr-index.h>
#include <asm/processor-flags.h>
#include <asm/trapnr.h>
#include "hw/svm/svm.h"

#define IOPM_ORDER  2 /* 12 KiB are used */
#define MSRPM_ORDER 1

static void *svm_iopm;

/* Intercepts that both contexts always need. */
static const u8 always[] = {
	INTERCEPT_INTR,	     INTERCEPT_NMI,	 INTERCEPT_SMI,		INTERCEPT_INIT,
	INTERCEPT_CPUID,     INTERCEPT_RSM,	 INTERCEPT_INVD,	INTERCEPT_INVLPGA,
	INTERCEPT_IOIO_PROT, INTERCEPT_MSR_PROT, INTERCEPT_TASK_SWITCH, INTERCEPT_SHUTDOWN,
	INTERCEPT_VMRUN,     INTERCEPT_VMMCALL,	 INTERCEPT_VMLOAD,	INTERCEPT_VMSAVE,
	INTERCEPT_STGI,	     INTERCEPT_CLGI,	 INTERCEPT_SKINIT,	INTERCEPT_XSETBV,
	INTERCEPT_RDPRU,     INTERCEPT_WBINVD,	 INTERCEPT_CR4_WRITE,
};

/* Exceptions that the backend itself wants to see in every context. */
#define EXC_ALWAYS (BIT(X86_TRAP_UD) | BIT(X86_TRAP_MC) | BIT(X86_TRAP_AC) | BIT(X86_TRAP_DB))

/** svm_iopm_alloc - one I/O permission map for all: every port exits */
int svm_iopm_alloc(void)
{
	svm_iopm = (void *)__get_free_pages(GFP_KERNEL, IOPM_ORDER);
	if (!svm_iopm)
		return -ENOMEM;
	memset(svm_iopm, 0xff, PAGE_SIZE << IOPM_ORDER);
	return 0;
}

void svm_iopm_free(void)
{
	free_pages((unsigned long)svm_iopm, IOPM_ORDER);
	svm_iopm = NULL;
}

u64 svm_iopm_pa(void)
{
	return __sme_set(__pa(svm_iopm));
}

/* -- MSR permission map: two bits per MSR, the even one for reads --------- */

/* Bit number of the read bit of @index, or -1 where there is none. */
static int msrpm_bit(u32 index)
{
	if (index <= 0x1fff)
		return index * 2;
	if (index >= 0xc0000000 && index <= 0xc0001fff)
		return (0x800 * 8) + (index - 0xc0000000) * 2;
	if (index >= 0xc0010000 && index <= 0xc0011fff)
		return (0x1000 * 8) + (index - 0xc0010000) * 2;
	return -1;
}

/* The VMCB holds less than 64 bits of these, or nothing: never passed through. */
static bool msr_always_intercepted(u32 index)
{
	switch (index) {
	case MSR_IA32_SYSENTER_CS:
	case MSR_IA32_SYSENTER_ESP:
	case MSR_IA32_SYSENTER_EIP:
	case MSR_IA32_CR_PAT:
	case MSR_IA32_DEBUGCTLMSR:
	case MSR_EFER:
	case MSR_TSC_AUX:
	case MSR_VM_CR:
	case MSR_VM_HSAVE_PA:
		return true;
	case MSR_IA32_SPEC_CTRL:
		return !svm_features.virt_spec_ctrl;
	default:
		return false;
	}
}

/* MSRs that VMLOAD and VMSAVE switch: no exit unless the core asks for it. */
static const u32 passthrough[] = {
	MSR_FS_BASE, MSR_GS_BASE, MSR_KERNEL_GS_BASE, MSR_STAR,
	MSR_LSTAR,   MSR_CSTAR,	  MSR_SYSCALL_MASK,
};

/** svm_msrpm_set - exit on reads and/or writes of @index, or not */
void svm_msrpm_set(void *msrpm, u32 index, bool read, bool write)
{
	int bit = msrpm_bit(index);
	u8 *byte = msrpm;
	u8 val;

	if (bit < 0 || msr_always_intercepted(index))
		return;
	byte += bit / 8;
	val = *byte & ~(3u << (bit % 8));
	val |= (read | write << 1) << (bit % 8);
	*byte = val;
}

void *svm_msrpm_alloc(void)
{
	u8 *msrpm = (void *)__get_free_pages(GFP_KERNEL_ACCOUNT, MSRPM_ORDER);
	unsigned int i;

	if (!msrpm)
		return NULL;
	memset(msrpm, 0xff, PAGE_SIZE << MSRPM_ORDER);
	for (i = 0; i < ARRAY_SIZE(passthrough); i++)
		svm_msrpm_set(msrpm, passthrough[i], false, false);
	return msrpm;
}

void svm_msrpm_free(void *msrpm)
{
	free_pages((unsigned long)msrpm, MSRPM_ORDER);
}

/* One bit of a VMX MSR bitmap: SDM "MSR-Bitmap Address". */
static bool vmx_bitmap_test(const u8 *map, u32 index, bool write)
{
	u32 nr = index & 0x1fff;

	map += (index >= 0xc0000000 ? 0x400 : 0) + (write ? 0x800 : 0);
	return map[nr / 8] & (1 << (nr % 8));
}

/**
 * svm_msrpm_merge - permission map of context 02
 * @l1_bitmap: L1's 4 KiB VMX MSR bitmap, or NULL: every MSR exits
 *
 * Only what context 01 may touch without an exit can be open at all, and that
 * is a short list, so the rest of the map stays as it was allocated.
 */
void svm_msrpm_merge(void *msrpm02, const void *msrpm01, const void *l1_bitmap)
{
	const u8 *m01 = msrpm01;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(passthrough); i++) {
		u32 msr = passthrough[i];
		int bit = msrpm_bit(msr);
		u8 l0 = m01[bit / 8] >> (bit % 8);

		svm_msrpm_set(msrpm02, msr,
			      (l0 & 1) || !l1_bitmap || vmx_bitmap_test(l1_bitmap, msr, false),
			      (l0 & 2) || !l1_bitmap || vmx_bitmap_test(l1_bitmap, msr, true));
	}
}

/** svm_set_msr_intercept - hw_ops: of context 01 */
void svm_set_msr_intercept(struct vcpu *v, u32 index, bool read, bool write)
{
	struct svm_ctx *ctx = &v->svm->ctx[0];

	svm_msrpm_set(ctx->msrpm, index, read, write);
	/* The processor may cache the map: APM "VMCB Clean Field". */
	vmcb_dirty(ctx->vmcb, CLEAN_IOPM);
}

/* -- intercept words ------------------------------------------------------ */

/** svm_base_intercepts - the part that every context has */
void svm_base_intercepts(u32 *words)
{
	unsigned int i;

	memset(words, 0, VMCB_INTERCEPT_WORDS * sizeof(*words));
	for (i = 0; i < ARRAY_SIZE(always); i++)
		intercept_set(words, always[i]);
	words[INTERCEPT_EXCEPTION] = EXC_ALWAYS;
}

/*
 * CR0 and CR4: exit on a read when the hardware's value is not what the guest
 * must see; on writes of CR0 only for the bits that matter unless the guest
 * must see other values than the hardware's. SMSW and LMSW count as accesses.
 */
static void update_cr_intercepts(struct svm_ctx *ctx, u32 *w)
{
	const struct svm_save *s = &ctx->vmcb->s;
	u64 cr0 = (s->cr0 & ~SVM_CR0_VIRT) | ctx->cr0_virt;
	u64 cr4 = (s->cr4 & ~SVM_CR4_VIRT) | ctx->cr4_virt;
	u64 lazy = X86_CR0_TS | X86_CR0_MP;

	cr0 = (cr0 & ~ctx->cr0_mask) | (ctx->cr0_shadow & ctx->cr0_mask);
	cr4 = (cr4 & ~ctx->cr4_mask) | (ctx->cr4_shadow & ctx->cr4_mask);
	if (cr0 != s->cr0) {
		intercept_set(w, INTERCEPT_CR0_READ);
		intercept_set(w, INTERCEPT_CR0_WRITE);
	} else if (ctx->cr0_mask & lazy) {
		intercept_set(w, INTERCEPT_CR0_WRITE);
	} else {
		intercept_set(w, INTERCEPT_SELECTIVE_CR0);
	}
	if (cr4 != s->cr4)
		intercept_set(w, INTERCEPT_CR4_READ);
}

/** svm_update_intercepts - compose the intercept words of @ctx */
void svm_update_intercepts(struct vcpu *v, struct svm_ctx *ctx)
{
	struct svm_control *c = &ctx->vmcb->c;
	u32 w[VMCB_INTERCEPT_WORDS];

	memcpy(w, ctx->base, sizeof(w));
	w[INTERCEPT_EXCEPTION] |= ctx->exc;
	if (ctx->stepping) {
		/* Whatever saves RFLAGS must not save the borrowed TF: event.c. */
		w[INTERCEPT_EXCEPTION] = ~(u32)BIT(X86_TRAP_NMI);
		intercept_set(w, INTERCEPT_PUSHF);
		intercept_set(w, INTERCEPT_INTn);
	}
	if (v->svm->dr_intercept || ctx->l1_dr)
		w[INTERCEPT_DR] |= 0x00ff00ff;
	if (svm_windows(ctx) & WINDOW_IRQ) {
		intercept_set(w, INTERCEPT_VINTR);
		/* A CR8 write while V_IRQ is pending upsets QEMU 7.2's TCG. */
		intercept_set(w, INTERCEPT_CR8_WRITE);
	}
	if (ctx->cr8_threshold)
		intercept_set(w, INTERCEPT_CR8_WRITE);
	if ((ctx->cr4_virt & (X86_CR4_VME | X86_CR4_PVI)) && !ctx->stepping) {
		/* This processor has neither: vcpu_emulates_vme(). */
		intercept_set(w, INTERCEPT_INTn);
		w[INTERCEPT_EXCEPTION] |= BIT(X86_TRAP_GP);
	}
	if (ctx->nmi_masked && !ctx->iret_pending)
		intercept_set(w, INTERCEPT_IRET);
	update_cr_intercepts(ctx, w);
	if (memcmp(w, c->intercepts, sizeof(w))) {
		memcpy(c->intercepts, w, sizeof(w));
		vmcb_dirty(ctx->vmcb, CLEAN_I);
	}
}

/** svm_set_exc_intercepts - hw_ops: of context 01 */
void svm_set_exc_intercepts(struct vcpu *v, u32 vectors)
{
	struct svm_ctx *ctx = &v->svm->ctx[0];

	vectors &= ~(u32)BIT(X86_TRAP_NMI);
	if (ctx->exc == vectors)
		return;
	ctx->exc = vectors;
	svm_update_intercepts(v, ctx);
}

/** svm_set_dr_intercept - hw_ops: both contexts share the debug registers */
void svm_set_dr_intercept(struct vcpu *v, bool on)
{
	if (v->svm->dr_intercept == on)
		return;
	v->svm->dr_intercept = on;
	svm_update_intercepts(v, &v->svm->ctx[0]);
	svm_update_intercepts(v, &v->svm->ctx[1]);
}

/** svm_set_cr8_intercept - hw_ops: current context */
void svm_set_cr8_intercept(struct vcpu *v, u32 tpr_threshold)
{
	struct svm_ctx *ctx = svm_cur(v);

	if (ctx->cr8_threshold == tpr_threshold)
		return;
	ctx->cr8_threshold = tpr_threshold;
	svm_update_intercepts(v, ctx);
}
