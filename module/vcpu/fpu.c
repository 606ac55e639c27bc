// SPDX-License-Identifier: GPL-2.0-only
/*
 * The guest's x87, SSE, AVX, AVX-512 and PKRU state: an XSAVE area of our own per vCPU,
 * in the standard (not compacted) format, which is also that of the KVM API.
 *
 * Called by the run loop around the world switch (load, save) and by api/ and the
 * emulator for the contents. Knows nothing of the backends.
 *
 * The kernel's guest-fpstate functions are for KVM's modules only. What any module may do is
 * own the registers between kernel_fpu_begin_mask() and kernel_fpu_end(): the kernel
 * has then put the thread's own state away and brings it back on the way to user space.
 * XCR0, XSS and PKRU are not part of what it puts away, so they are exchanged here.
 */
#include <linux/cpufeature.h>
#include <linux/slab.h>
#include <asm/fpu/api.h>
#include <asm/fpu/types.h>
#include <asm/fpu/xcr.h>
#include <asm/special_insns.h>

#include "vcpu/vcpu.h"

/* Components that we carry; AMX and the supervisor components are not offered. */
#define FPU_FEATURES                                                                       \
	(XFEATURE_MASK_FP | XFEATURE_MASK_SSE | XFEATURE_MASK_YMM | XFEATURE_MASK_OPMASK | \
	 XFEATURE_MASK_ZMM_Hi256 | XFEATURE_MASK_Hi16_ZMM | XFEATURE_MASK_PKRU)
#define FXSAVE_SIZE	   sizeof(struct fxregs_state)
#define XSAVE_HDR_SIZE	   sizeof(struct xstate_header)
#define XSAVE_MIN_SIZE	   (FXSAVE_SIZE + XSAVE_HDR_SIZE)
#define KVM_XSAVE_MIN	   sizeof(struct kvm_xsave) /* of the API's buffer */
#define FCW_INIT	   0x037f
#define FCW_RESET	   0x0040
#define MXCSR_MASK_DEFAULT 0x0000ffbf

/**
 * struct vcpu_fpu - the vCPU's FPU state while it is not in the registers
 * @area: XSAVE area, 64-byte aligned
 * @host_pkru: of the thread, while the guest's is loaded
 * @xcr0_switched: XCR0 is the guest's
 * @xss_switched: same for IA32_XSS
 */
struct vcpu_fpu {
	struct xregs_state *area;
	u32 host_pkru;
	bool xcr0_switched;
	bool xss_switched;
};

/* Of this machine; the same on every CPU, filled on first use, at module load. */
static struct {
	bool known;
	bool xsaveopt;
	bool pku;
	u64 features; /* what we carry */
	u64 host_xcr0;
	u64 host_xss;
	u32 mxcsr_mask;
	u32 size; /* of the standard-format area */
	u32 offset[64], len[64];
} fpu;

static void fpu_probe_layout(void)
{
	u32 eax, ebx, ecx, edx, i;

	fpu.size = XSAVE_MIN_SIZE;
	for (i = 2; i < 64; i++) {
		if (!(fpu.features & BIT_ULL(i)))
			continue;
		cpuid_count(0xd, i, &eax, &ebx, &ecx, &edx);
		fpu.len[i] = eax;
		fpu.offset[i] = ebx;
		fpu.size = max(fpu.size, eax + ebx);
	}
}

static void fpu_probe(void)
{
	struct fxregs_state *fx;

	fpu.features = XFEATURE_MASK_FPSSE;
	fpu.host_xcr0 = XFEATURE_MASK_FPSSE;
	fpu.size = FXSAVE_SIZE;
	fpu.mxcsr_mask = MXCSR_MASK_DEFAULT;
	if (boot_cpu_has(X86_FEATURE_OSXSAVE)) {
		fpu.host_xcr0 = xgetbv(XCR_XFEATURE_ENABLED_MASK);
		fpu.features = fpu.host_xcr0 & FPU_FEATURES;
		fpu.xsaveopt = boot_cpu_has(X86_FEATURE_XSAVEOPT);
		fpu.pku = boot_cpu_has(X86_FEATURE_OSPKE) && (fpu.features & XFEATURE_MASK_PKRU);
		if (!fpu.pku)
			fpu.features &= ~XFEATURE_MASK_PKRU;
		if (boot_cpu_has(X86_FEATURE_XSAVES))
			rdmsrl(MSR_IA32_XSS, fpu.host_xss);
		fpu_probe_layout();
	}

	/* FXSAVE tells which MXCSR bits exist; 0 stands for the default mask. */
	fx = kzalloc(roundup_pow_of_two(sizeof(*fx)), GFP_KERNEL);
	if (fx) {
		kernel_fpu_begin();
		asm volatile("fxsave64 %0" : "=m"(*fx));
		kernel_fpu_end();
		if (fx->mxcsr_mask)
			fpu.mxcsr_mask = fx->mxcsr_mask;
		kfree(fx);
	}
	smp_store_release(&fpu.known, true);
}

/**
 * fpu_supported_xcr0 - the XCR0 bits that guests can be given
 *
 * First called while the module loads, by one thread.
 */
u64 fpu_supported_xcr0(void)
{
	if (!smp_load_acquire(&fpu.known))
		fpu_probe();
	return boot_cpu_has(X86_FEATURE_OSXSAVE) ? fpu.features : 0;
}

int vcpu_fpu_create(struct vcpu *v)
{
	fpu_supported_xcr0();
	v->fpu = kzalloc(sizeof(*v->fpu), GFP_KERNEL_ACCOUNT);
	if (!v->fpu)
		return -ENOMEM;
	/* A power of two is naturally aligned, so the area never straddles what it must not. */
	v->fpu->area = kzalloc(roundup_pow_of_two(fpu.size), GFP_KERNEL_ACCOUNT);
	if (!v->fpu->area) {
		kfree(v->fpu);
		v->fpu = NULL;
		return -ENOMEM;
	}
	mem_account_item(MEM_FPU, roundup_pow_of_two(fpu.size));
	vcpu_fpu_reset(v, false);
	return 0;
}

void vcpu_fpu_free(struct vcpu *v)
{
	if (!v->fpu)
		return;
	mem_account_item(MEM_FPU, -(long)roundup_pow_of_two(fpu.size));
	kfree(v->fpu->area);
	kfree(v->fpu);
	v->fpu = NULL;
}

/* SDM "x87 FPU Initialization", "Processor State After Reset"; INIT changes nothing. */
void vcpu_fpu_reset(struct vcpu *v, bool init)
{
	struct xregs_state *area = v->fpu->area;

	if (init)
		return;
	memset(area, 0, fpu.size);
	area->i387.cwd = FCW_RESET;
	area->i387.twd = 0xff; /* abridged: tags 5555H, all valid or zero */
	area->i387.mxcsr = MXCSR_DEFAULT;
	if (fpu.size > FXSAVE_SIZE)
		area->header.xfeatures = XFEATURE_MASK_FPSSE;
	v->xcr0 = XFEATURE_MASK_FP;
}

static void area_to_regs(struct xregs_state *area)
{
	u32 lo = fpu.features, hi = fpu.features >> 32;

	/*
	 * Some AMD CPUs leave the x87 pointers alone when no exception is pending: without
	 * this the guest would see the host's (the kernel does the same for its own tasks).
	 */
	if (unlikely(static_cpu_has_bug(X86_BUG_FXSAVE_LEAK)))
		asm volatile("fnclex\n\temms\n\tfildl %0" : : "m"(fpu.mxcsr_mask));
	if (fpu.size > FXSAVE_SIZE)
		asm volatile("xrstor64 %0" : : "m"(*area), "a"(lo), "d"(hi) : "memory");
	else
		asm volatile("fxrstor64 %0" : : "m"(area->i387));
}

static void regs_to_area(struct xregs_state *area)
{
	u32 lo = fpu.features, hi = fpu.features >> 32;

	if (fpu.xsaveopt)
		asm volatile("xsaveopt64 %0" : "+m"(*area) : "a"(lo), "d"(hi) : "memory");
	else if (fpu.size > FXSAVE_SIZE)
		asm volatile("xsave64 %0" : "+m"(*area) : "a"(lo), "d"(hi) : "memory");
	else
		asm volatile("fxsave64 %0" : "=m"(area->i387));
}

/**
 * vcpu_fpu_load - put the guest's FPU state into the registers
 * @v: the vCPU, loaded, interrupts on
 *
 * Preemption is off until vcpu_fpu_save(), which must be called with interrupts on too.
 * All components are loaded under the host's XCR0, which has them all; the guest's own
 * XCR0 is for its instructions only.
 */
void vcpu_fpu_load(struct vcpu *v)
{
	struct vcpu_fpu *f = v->fpu;

	lockdep_assert_preemption_disabled();
	kernel_fpu_begin_mask(0);
	if (fpu.pku)
		f->host_pkru = rdpkru();
	area_to_regs(f->area);
	if (v->xcr0 != fpu.host_xcr0 && boot_cpu_has(X86_FEATURE_OSXSAVE)) {
		xsetbv(XCR_XFEATURE_ENABLED_MASK, v->xcr0);
		f->xcr0_switched = true;
	}
	if (unlikely(v->xss != fpu.host_xss)) {
		wrmsrl(MSR_IA32_XSS, v->xss);
		f->xss_switched = true;
	}
}

/**
 * vcpu_fpu_check_xcr0 - after an exit on SVM: was XCR0 written without one?
 * @v: the vCPU, its FPU state loaded
 *
 * The XSETBV intercept sees every write on a processor. QEMU's emulation of SVM does not
 * have it: there the register itself tells, and CPUID (OSXSAVE's companion, the size in
 * leaf 0xd) must follow it at once.
 */
void vcpu_fpu_check_xcr0(struct vcpu *v)
{
	u64 xcr0;

	lockdep_assert_irqs_disabled();
	if (!boot_cpu_has(X86_FEATURE_OSXSAVE))
		return;
	xcr0 = xgetbv(XCR_XFEATURE_ENABLED_MASK);
	if (likely(xcr0 == v->xcr0))
		return;
	v->xcr0 = xcr0;
	vcpu_cpuid_update(v);
}

/**
 * vcpu_fpu_save - the reverse of vcpu_fpu_load()
 * @v: the vCPU; its XCR0 may have changed meanwhile
 */
void vcpu_fpu_save(struct vcpu *v)
{
	struct vcpu_fpu *f = v->fpu;

	if (f->xcr0_switched || unlikely(v->xcr0 != fpu.host_xcr0)) {
		xsetbv(XCR_XFEATURE_ENABLED_MASK, fpu.host_xcr0);
		f->xcr0_switched = false;
	}
	if (unlikely(f->xss_switched)) {
		wrmsrl(MSR_IA32_XSS, fpu.host_xss);
		f->xss_switched = false;
	}
	regs_to_area(f->area);
	if (fpu.pku)
		wrpkru(f->host_pkru);
	kernel_fpu_end();
}

/* Contents ------------------------------------------------------------------- */

static bool component_in_use(const struct vcpu *v, int nr)
{
	/* FXSAVE has no header: everything is always in use. */
	return fpu.size == FXSAVE_SIZE || (v->fpu->area->header.xfeatures & BIT_ULL(nr));
}

/*
 * XSAVEOPT does not write components that are in their initial configuration: give them the
 * values that this means before anyone reads or changes a part (SDM "XSAVE-Managed State").
 */
static void legacy_to_values(struct vcpu *v)
{
	struct xregs_state *area = v->fpu->area;

	if (!component_in_use(v, XFEATURE_FP)) {
		memset(&area->i387, 0, offsetof(struct fxregs_state, mxcsr));
		memset(area->i387.st_space, 0, sizeof(area->i387.st_space));
		area->i387.cwd = FCW_INIT;
	}
	if (!component_in_use(v, XFEATURE_SSE))
		memset(area->i387.xmm_space, 0, sizeof(area->i387.xmm_space));
	if (fpu.size > FXSAVE_SIZE)
		area->header.xfeatures |= XFEATURE_MASK_FPSSE;
}

void vcpu_get_fpu(struct vcpu *v, struct kvm_fpu *out)
{
	struct fxregs_state *fx = &v->fpu->area->i387;

	legacy_to_values(v);
	memset(out, 0, sizeof(*out));
	memcpy(out->fpr, fx->st_space, sizeof(out->fpr));
	out->fcw = fx->cwd;
	out->fsw = fx->swd;
	out->ftwx = fx->twd;
	out->last_opcode = fx->fop;
	out->last_ip = fx->rip;
	out->last_dp = fx->rdp;
	memcpy(out->xmm, fx->xmm_space, sizeof(out->xmm));
	out->mxcsr = fx->mxcsr;
}

void vcpu_set_fpu(struct vcpu *v, const struct kvm_fpu *in)
{
	struct fxregs_state *fx = &v->fpu->area->i387;

	legacy_to_values(v);
	memcpy(fx->st_space, in->fpr, sizeof(in->fpr));
	fx->cwd = in->fcw;
	fx->swd = in->fsw;
	fx->twd = in->ftwx;
	fx->fop = in->last_opcode;
	fx->rip = in->last_ip;
	fx->rdp = in->last_dp;
	memcpy(fx->xmm_space, in->xmm, sizeof(in->xmm));
	/* A reserved bit here would fault in our XRSTOR. */
	fx->mxcsr = in->mxcsr & fpu.mxcsr_mask;
}

/* Size of the KVM API's buffer: KVM_CAP_XSAVE2. */
size_t vcpu_xsave_size(struct vcpu *v)
{
	return max_t(size_t, fpu.size, KVM_XSAVE_MIN);
}

void vcpu_get_xsave(struct vcpu *v, void *buf, size_t size)
{
	struct xregs_state *area = v->fpu->area, *out = buf;
	int i;

	memset(buf, 0, size);
	legacy_to_values(v);
	memcpy(&out->i387, &area->i387, sizeof(out->i387));
	/* sw_reserved is for software: the KVM API has nothing there. */
	memset(out->i387.sw_reserved, 0, sizeof(out->i387.sw_reserved));
	out->header.xfeatures = XFEATURE_MASK_FPSSE;
	if (fpu.size == FXSAVE_SIZE)
		return;
	out->header.xfeatures = area->header.xfeatures;
	for (i = 2; i < 64; i++) {
		if (component_in_use(v, i) && fpu.offset[i] + fpu.len[i] <= size)
			memcpy(buf + fpu.offset[i], (void *)area + fpu.offset[i], fpu.len[i]);
	}
}

/**
 * vcpu_set_xsave - replace the FPU state
 * @v: the vCPU
 * @buf: KVM API format, standard XSAVE layout
 * @size: of @buf, at least that of struct kvm_xsave
 *
 * What XRSTOR would fault on is refused here (SDM "XRSTOR": standard form).
 * Return: 0 or -EINVAL, nothing changed.
 */
int vcpu_set_xsave(struct vcpu *v, const void *buf, size_t size)
{
	const struct xregs_state *in = buf;
	struct xregs_state *area = v->fpu->area;
	int i;

	if (size < XSAVE_MIN_SIZE)
		return -EINVAL;
	if (in->header.xfeatures & ~fpu.features || in->header.xcomp_bv ||
	    memchr_inv(in->header.reserved, 0, sizeof(in->header.reserved)) ||
	    in->i387.mxcsr & ~fpu.mxcsr_mask)
		return -EINVAL;

	memcpy(&area->i387, &in->i387, sizeof(area->i387));
	if (fpu.size == FXSAVE_SIZE)
		return 0;
	memset(&area->header, 0, sizeof(area->header));
	area->header.xfeatures = in->header.xfeatures;
	for (i = 2; i < 64; i++) {
		if (component_in_use(v, i) && fpu.offset[i] + fpu.len[i] <= size)
			memcpy((void *)area + fpu.offset[i], buf + fpu.offset[i], fpu.len[i]);
	}
	return 0;
}

void vcpu_get_xcrs(struct vcpu *v, struct kvm_xcrs *x)
{
	memset(x, 0, sizeof(*x));
	x->nr_xcrs = 1;
	x->xcrs[0].xcr = XCR_XFEATURE_ENABLED_MASK;
	x->xcrs[0].value = v->xcr0;
}

int vcpu_set_xcrs(struct vcpu *v, const struct kvm_xcrs *x)
{
	u32 i;

	if (!boot_cpu_has(X86_FEATURE_OSXSAVE) || x->nr_xcrs > KVM_MAX_XCRS || x->flags)
		return -EINVAL;
	for (i = 0; i < x->nr_xcrs; i++) {
		if (x->xcrs[i].xcr == XCR_XFEATURE_ENABLED_MASK)
			return vcpu_set_xcr0(v, x->xcrs[i].value) ? -EINVAL : 0;
	}
	return 0;
}

void vcpu_get_xmm(struct vcpu *v, int nr, u8 val[16])
{
	legacy_to_values(v);
	memcpy(val, &v->fpu->area->i387.xmm_space[nr * 4], 16);
}

void vcpu_set_xmm(struct vcpu *v, int nr, const u8 val[16])
{
	legacy_to_values(v);
	memcpy(&v->fpu->area->i387.xmm_space[nr * 4], val, 16);
}

/* For the guest page walker; the guest's CR4.PKE decides whether it counts. */
u32 vcpu_get_pkru(struct vcpu *v)
{
	if (!fpu.pku || !component_in_use(v, XFEATURE_PKRU))
		return 0;
	return *(u32 *)((void *)v->fpu->area + fpu.offset[XFEATURE_PKRU]);
}
