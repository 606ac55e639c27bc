// SPDX-License-Identifier: GPL-2.0-only
/*
 * KVM_GET_SUPPORTED_CPUID: the host's CPUID masked by what Turtles can virtualise, plus what it
 * emulates itself. A feature bit that is not named here is not offered.
 */
#include <linux/bits.h>
#include <linux/kvm_para.h>
#include <linux/slab.h>
#include <asm/cpufeature.h>
#include <asm/processor.h>

#include "vcpu/cpuid.h"
#include "vcpu/vcpu.h"

#define MAX_BASIC     0x1fu
#define MAX_EXT	      0x80000021u
#define MAX_SUPPORTED 160

#define F(name)	      BIT(X86_FEATURE_##name & 31)

#define XCR0_AVX      BIT_ULL(2)
#define XCR0_AVX512   (7ull << 5)
#define XCR0_PKRU     BIT_ULL(9)

struct builder {
	struct kvm_cpuid_entry2 *e;
	u32 n;
};

/* The words below are masked by what the host's kernel left enabled too. */
static u32 kernel_word(unsigned int word)
{
	return boot_cpu_data.x86_capability[word];
}

static struct kvm_cpuid_entry2 *add(struct builder *b, u32 function, u32 index, bool indexed)
{
	struct kvm_cpuid_entry2 *e = &b->e[min_t(u32, b->n, MAX_SUPPORTED - 1)];

	b->n = min_t(u32, b->n + 1, MAX_SUPPORTED);
	memset(e, 0, sizeof(*e));
	e->function = function;
	e->index = index;
	if (indexed)
		e->flags = KVM_CPUID_FLAG_SIGNIFCANT_INDEX;
	return e;
}

static struct kvm_cpuid_entry2 *add_host(struct builder *b, u32 function, u32 index, bool indexed)
{
	struct kvm_cpuid_entry2 *e = add(b, function, index, indexed);

	cpuid_count(function, index, &e->eax, &e->ebx, &e->ecx, &e->edx);
	return e;
}

static void leaf_1(struct builder *b)
{
	struct kvm_cpuid_entry2 *e = add_host(b, 1, 0, false);
	bool xsave = boot_cpu_has(X86_FEATURE_XSAVE);
	bool avx = fpu_supported_xcr0() & XCR0_AVX;

	e->ebx &= 0x0000ff00; /* CLFLUSH size; IDs and counts are the client's */
	e->ecx &= kernel_word(CPUID_1_ECX) &
		  (F(XMM3) | F(PCLMULQDQ) | F(SSSE3) | (avx ? F(FMA) | F(AVX) | F(F16C) : 0) |
		   F(CX16) | F(PCID) | F(XMM4_1) | F(XMM4_2) | F(MOVBE) | F(POPCNT) | F(AES) |
		   (xsave ? F(XSAVE) : 0) | F(RDRAND));
	/*
	 * Not TSC_DEADLINE_TIMER: clients copy this list, and a local APIC in user space may not
	 * have that mode. They add the bit if ours is used (KVM_CAP_TSC_DEADLINE_TIMER).
	 */
	e->ecx |= F(X2APIC) | F(HYPERVISOR);
	if (hw->nested_caps)
		e->ecx |= F(VMX); /* on AMD hosts too: nested/ emulates all of it */
	e->edx &= kernel_word(CPUID_1_EDX) &
		  (F(FPU) | F(VME) | F(DE) | F(PSE) | F(TSC) | F(MSR) | F(PAE) | F(CX8) | F(SEP) |
		   F(PGE) | F(CMOV) | F(PAT) | F(PSE36) | F(CLFLUSH) | F(MMX) | F(FXSR) | F(XMM) |
		   F(XMM2) | F(SELFSNOOP));
	e->edx |= F(APIC) | F(MCE) | F(MCA) | F(MTRR) | F(VME); /* VME: see vcpu_emulates_vme() */
}

static void leaf_4(struct builder *b)
{
	u32 i;

	for (i = 0; i < 8; i++) {
		struct kvm_cpuid_entry2 *e = add_host(b, 4, i, true);

		if (!(e->eax & 0x1f))
			break;
	}
}

static u32 leaf_7_edx(void)
{
	u32 edx = F(ARCH_CAPABILITIES);

	if (!boot_cpu_has(X86_FEATURE_MSR_SPEC_CTRL))
		return edx;
	if (boot_cpu_has(X86_FEATURE_SPEC_CTRL) || boot_cpu_has(X86_FEATURE_AMD_IBRS))
		edx |= F(SPEC_CTRL);
	if (boot_cpu_has(X86_FEATURE_INTEL_STIBP) || boot_cpu_has(X86_FEATURE_AMD_STIBP))
		edx |= F(INTEL_STIBP);
	if (boot_cpu_has(X86_FEATURE_SPEC_CTRL_SSBD) || boot_cpu_has(X86_FEATURE_AMD_SSBD))
		edx |= F(SPEC_CTRL_SSBD);
	return edx;
}

static void leaf_7(struct builder *b)
{
	u64 xcr0 = fpu_supported_xcr0();
	bool avx = xcr0 & XCR0_AVX, avx512 = (xcr0 & XCR0_AVX512) == XCR0_AVX512;
	struct kvm_cpuid_entry2 *e = add_host(b, 7, 0, true);
	u32 sub = e->eax;

	e->eax = min_t(u32, sub, 1);
	e->ebx &= kernel_word(CPUID_7_0_EBX) &
		  (F(FSGSBASE) | F(BMI1) | (avx ? F(AVX2) : 0) | F(FDP_EXCPTN_ONLY) | F(SMEP) |
		   F(BMI2) | F(ERMS) | F(INVPCID) | F(HLE) | F(RTM) | F(ZERO_FCS_FDS) | F(RDSEED) |
		   F(ADX) | F(SMAP) | F(CLFLUSHOPT) | F(CLWB) | F(SHA_NI) |
		   (avx512 ? F(AVX512F) | F(AVX512DQ) | F(AVX512IFMA) | F(AVX512PF) | F(AVX512ER) |
				     F(AVX512CD) | F(AVX512BW) | F(AVX512VL) :
			     0));
	e->ebx |= F(TSC_ADJUST);
	e->ecx &= kernel_word(CPUID_7_ECX) &
		  (F(UMIP) | (xcr0 & XCR0_PKRU ? F(PKU) : 0) | F(GFNI) | F(RDPID) | F(CLDEMOTE) |
		   F(MOVDIRI) | F(MOVDIR64B) | (avx ? F(VAES) | F(VPCLMULQDQ) : 0) |
		   (avx512 ? F(AVX512VBMI) | F(AVX512_VBMI2) | F(AVX512_VNNI) | F(AVX512_BITALG) |
				     F(AVX512_VPOPCNTDQ) :
			     0));
	e->edx &= kernel_word(CPUID_7_EDX) &
		  (F(FSRM) | F(MD_CLEAR) | F(SERIALIZE) |
		   (avx512 ? F(AVX512_4VNNIW) | F(AVX512_4FMAPS) | F(AVX512_VP2INTERSECT) |
				     F(AVX512_FP16) :
			     0));
	e->edx |= leaf_7_edx();
	if (sub < 1)
		return;
	e = add_host(b, 7, 1, true);
	e->eax &= (avx ? F(AVX_VNNI) : 0) | (avx512 ? F(AVX512_BF16) : 0);
	e->ebx = e->ecx = e->edx = 0;
}

static void leaf_d(struct builder *b)
{
	u64 xcr0 = fpu_supported_xcr0();
	struct kvm_cpuid_entry2 *e = add(b, 0xd, 0, true);
	u32 i;

	if (!boot_cpu_has(X86_FEATURE_XSAVE))
		return;
	e->eax = (u32)xcr0;
	e->edx = xcr0 >> 32;
	e->ebx = e->ecx = cpuid_xsave_size(xcr0, false);
	e = add_host(b, 0xd, 1, true);
	/* XSAVES would need IA32_XSS, which has no state here that a guest could want. */
	e->eax &= kernel_word(CPUID_D_1_EAX) & (F(XSAVEOPT) | F(XSAVEC) | F(XGETBV1));
	e->ebx = e->eax & F(XSAVEC) ? cpuid_xsave_size(xcr0, true) : 0;
	e->ecx = e->edx = 0;
	for (i = 2; i < 63; i++) {
		if (!(xcr0 & BIT_ULL(i)))
			continue;
		e = add_host(b, 0xd, i, true);
		e->ecx &= BIT(1); /* alignment in the compacted format */
		e->edx = 0;
	}
}

static void basic_leaves(struct builder *b)
{
	struct kvm_cpuid_entry2 *e = add_host(b, 0, 0, false);
	u32 f, max = clamp_t(u32, e->eax, 0xd, MAX_BASIC);

	e->eax = max;
	for (f = 1; f <= max; f++) {
		switch (f) {
		case 1:
			leaf_1(b);
			break;
		case 2:
			add_host(b, f, 0, false);
			break;
		case 4:
			leaf_4(b);
			break;
		case 6:
			add(b, f, 0, false)->eax = BIT(2); /* ARAT: the APIC timer never stops */
			break;
		case 7:
			leaf_7(b);
			break;
		case 0xb:
		case 0x1f:
			/* Topology comes from the client. */
			add(b, f, 0, true);
			break;
		case 0xd:
			leaf_d(b);
			break;
		case 0xf:
		case 0x10:
		case 0x12:
		case 0x14:
		case 0x17:
		case 0x18:
		case 0x1d:
		case 0x1e:
			add(b, f, 0, true);
			break;
		default: /* MWAIT, PMU, clocks: nothing offered */
			add(b, f, 0, false);
		}
	}
}

static void leaf_ext_1(struct builder *b)
{
	struct kvm_cpuid_entry2 *e = add_host(b, 0x80000001, 0, false);
	bool avx = fpu_supported_xcr0() & XCR0_AVX;

	e->ebx &= 0xf0000000;
	e->ecx &= kernel_word(CPUID_8000_0001_ECX) &
		  (F(LAHF_LM) | F(CMP_LEGACY) | F(CR8_LEGACY) | F(ABM) | F(SSE4A) | F(MISALIGNSSE) |
		   F(3DNOWPREFETCH) | F(TBM) | F(TOPOEXT) | (avx ? F(XOP) | F(FMA4) : 0));
	/* The low bits repeat leaf 1's EDX on AMD and are reserved on Intel. */
	e->edx &= (kernel_word(CPUID_8000_0001_EDX) | (kernel_word(CPUID_1_EDX) & 0x0183f3ff)) &
		  (F(FPU) | F(VME) | F(DE) | F(PSE) | F(TSC) | F(MSR) | F(PAE) | F(CX8) | F(APIC) |
		   F(MCE) | F(MTRR) | F(PGE) | F(MCA) | F(CMOV) | F(PAT) | F(PSE36) | F(MMX) |
		   F(FXSR) | F(SYSCALL) | F(NX) | F(MMXEXT) | F(FXSR_OPT) | F(GBPAGES) | F(RDTSCP) |
		   F(LM) | F(3DNOWEXT) | F(3DNOW));
	if (boot_cpu_data.x86_vendor == X86_VENDOR_AMD)
		e->edx |= F(VME);
}

static void leaf_ext_8(struct builder *b)
{
	struct kvm_cpuid_entry2 *e = add_host(b, 0x80000008, 0, false);
	u32 spec = 0;

	if (boot_cpu_has(X86_FEATURE_MSR_SPEC_CTRL))
		spec = F(AMD_IBRS) | F(AMD_STIBP) | F(AMD_SSBD);
	/* No 5-level paging in guests: 48 linear address bits. */
	e->eax = boot_cpu_data.x86_phys_bits | 48 << 8;
	e->ebx &= kernel_word(CPUID_8000_0008_EBX) &
		  (F(CLZERO) | F(XSAVEERPTR) | F(WBNOINVD) | F(AMD_IBPB) | F(AMD_SSB_NO) | spec);
	if (boot_cpu_has(X86_FEATURE_IBPB))
		e->ebx |= F(AMD_IBPB);
	e->ecx = e->edx = 0;
}

static void leaf_ext_1d(struct builder *b)
{
	u32 i;

	if (!boot_cpu_has(X86_FEATURE_TOPOEXT)) {
		add(b, 0x8000001d, 0, true);
		return;
	}
	for (i = 0; i < 8; i++) {
		struct kvm_cpuid_entry2 *e = add_host(b, 0x8000001d, i, true);

		if (!(e->eax & 0x1f))
			break;
	}
}

static void extended_leaves(struct builder *b)
{
	struct kvm_cpuid_entry2 *e = add_host(b, 0x80000000, 0, false);
	u32 f, max = clamp_t(u32, e->eax, 0x80000008, MAX_EXT);

	e->eax = max;
	for (f = 0x80000001; f <= max; f++) {
		switch (f) {
		case 0x80000001:
			leaf_ext_1(b);
			break;
		case 0x80000002 ... 0x80000004:
		case 0x80000005:
		case 0x80000006:
			add_host(b, f, 0, false);
			break;
		case 0x80000007:
			e = add_host(b, f, 0, false);
			e->eax = e->ebx = e->ecx = 0;
			e->edx &= BIT(8); /* invariant TSC */
			break;
		case 0x80000008:
			leaf_ext_8(b);
			break;
		case 0x8000001d:
			leaf_ext_1d(b);
			break;
		case 0x80000021:
			e = add_host(b, f, 0, false);
			e->eax &= BIT(2) |
				  BIT(6); /* LFENCE serializes, null selector clears base */
			if (boot_cpu_has(X86_FEATURE_LFENCE_RDTSC) &&
			    boot_cpu_data.x86_vendor != X86_VENDOR_INTEL)
				e->eax |= BIT(2);
			e->ebx = e->ecx = e->edx = 0;
			break;
		default:
			add(b, f, 0, false);
		}
	}
}

/* Signature and paravirtual features: only those that work. */
static void hypervisor_leaves(struct builder *b)
{
	static const char signature[12] = KVM_SIGNATURE;
	struct kvm_cpuid_entry2 *e = add(b, KVM_CPUID_SIGNATURE, 0, false);

	e->eax = KVM_CPUID_FEATURES;
	memcpy(&e->ebx, signature, 4);
	memcpy(&e->ecx, signature + 4, 4);
	memcpy(&e->edx, signature + 8, 4);
	e = add(b, KVM_CPUID_FEATURES, 0, false);
	e->eax = BIT(KVM_FEATURE_CLOCKSOURCE) | BIT(KVM_FEATURE_NOP_IO_DELAY) |
		 BIT(KVM_FEATURE_CLOCKSOURCE2) | BIT(KVM_FEATURE_PV_EOI) |
		 BIT(KVM_FEATURE_CLOCKSOURCE_STABLE_BIT);
	if (steal_supported())
		e->eax |= BIT(KVM_FEATURE_STEAL_TIME);
}

/**
 * cpuid_supported - KVM_GET_SUPPORTED_CPUID
 * @out:  room for *@nent entries; may be NULL when that is 0
 * @nent: in: room; out: entries filled, or with -E2BIG entries needed
 */
int cpuid_supported(struct kvm_cpuid_entry2 *out, u32 *nent)
{
	struct builder b = {};
	int err = 0;

	b.e = kcalloc(MAX_SUPPORTED, sizeof(*b.e), GFP_KERNEL);
	if (!b.e)
		return -ENOMEM;
	basic_leaves(&b);
	extended_leaves(&b);
	hypervisor_leaves(&b);
	if (b.n > *nent)
		err = -E2BIG;
	else
		memcpy(out, b.e, b.n * sizeof(*out));
	*nent = b.n;
	kfree(b.e);
	return err;
}

/*
 * The layout of the XSAVE area is a property of the processor: asked once, since CPUID is an
 * exit wherever we are a guest ourselves. Racing first callers write the same values.
 */
static struct {
	bool known;
	u32 size[63], offset[63];
	bool align[63];
} xsave_layout;

static void learn_layout(void)
{
	u32 i, eax, ebx, ecx, edx;

	for (i = 2; i < 63; i++) {
		if (!(fpu_supported_xcr0() & BIT_ULL(i)))
			continue;
		cpuid_count(0xd, i, &eax, &ebx, &ecx, &edx);
		xsave_layout.size[i] = eax;
		xsave_layout.offset[i] = ebx;
		xsave_layout.align[i] = ecx & BIT(1);
	}
	smp_store_release(&xsave_layout.known, true);
}

u32 cpuid_xsave_size(u64 xcr0, bool compacted)
{
	u32 end = 512 + 64, i;

	if (!smp_load_acquire(&xsave_layout.known))
		learn_layout();
	for (i = 2; i < 63; i++) {
		if (!(xcr0 & BIT_ULL(i)))
			continue;
		if (!compacted) {
			end = max(end, xsave_layout.offset[i] + xsave_layout.size[i]);
			continue;
		}
		if (xsave_layout.align[i])
			end = ALIGN(end, 64);
		end += xsave_layout.size[i];
	}
	return end;
}
