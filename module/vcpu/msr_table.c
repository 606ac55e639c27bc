// SPDX-License-Identifier: GPL-2.0-only
/*
 * Every MSR that a guest or user space can reach, one row each, sorted by index: how it is read,
 * how it is written, and whether user space is told of it. What is not here does not exist.
 *
 * SDM volume 4, "Model-Specific Registers (MSRs)"; APM volume 2, "MSR Cross-Reference".
 */
#include <linux/kernel.h>
#include <linux/kvm_para.h>
#include <linux/nospec.h>
#include <asm/apicdef.h>
#include <asm/cpufeature.h>
#include <asm/msr.h>

#include "irqchip/irqchip.h"
#include "vcpu/hyperv.h"
#include "vcpu/msr.h"
#include "vcpu/nested.h"
#include "vcpu/vcpu.h"

#define MSR_RW(name) get_##name, set_##name

static bool canonical(u64 val)
{
	return (u64)((s64)(val << 16) >> 16) == val;
}

/* Values kept without any effect ------------------------------------------------ */

static int get_zero(struct vcpu *v, u32 index, u64 *val, bool host)
{
	*val = 0;
	return 0;
}

/* Registers of the real machine's chipset and counters that software pokes at in passing. */
static int set_ignored(struct vcpu *v, u32 index, u64 val, bool host)
{
	return 0;
}

static int set_only_zero(struct vcpu *v, u32 index, u64 val, bool host)
{
	return val ? MSR_FAULT : 0;
}

static int set_never(struct vcpu *v, u32 index, u64 val, bool host)
{
	return MSR_FAULT;
}

static u64 *stored(struct vcpu *v, u32 index)
{
	switch (index) {
	case MSR_IA32_SMBASE:
		return &v->smbase;
	case MSR_SMI_COUNT:
		return &v->smi_count;
	case MSR_PLATFORM_INFO:
		return &v->platform_info;
	case MSR_IA32_POWER_CTL:
		return &v->power_ctl;
	case MSR_K7_HWCR:
		return &v->hwcr;
	default:
		return &v->de_cfg;
	}
}

static int get_stored(struct vcpu *v, u32 index, u64 *val, bool host)
{
	*val = *stored(v, index);
	return 0;
}

static int set_stored(struct vcpu *v, u32 index, u64 val, bool host)
{
	*stored(v, index) = val;
	return 0;
}

static int set_stored_host(struct vcpu *v, u32 index, u64 val, bool host)
{
	return host ? set_stored(v, index, val, host) : MSR_FAULT;
}

/* For the guest it is only there in SMM. */
static int get_smbase(struct vcpu *v, u32 index, u64 *val, bool host)
{
	return host || v->smm ? get_stored(v, index, val, host) : MSR_FAULT;
}

static int get_platform_info(struct vcpu *v, u32 index, u64 *val, bool host)
{
	if (!host && v->vm->hide_platform_info)
		return MSR_FAULT;
	return get_stored(v, index, val, host);
}

/* CPUID faulting is not emulated: its announcement is refused. */
static int set_platform_info(struct vcpu *v, u32 index, u64 val, bool host)
{
	return val & MSR_PLATFORM_INFO_CPUID_FAULT ? MSR_FAULT :
						     set_stored_host(v, index, val, host);
}

static int set_hwcr(struct vcpu *v, u32 index, u64 val, bool host)
{
	const u64 no_effect = BIT_ULL(3) | BIT_ULL(6) | BIT_ULL(8); /* TLBCACHEDIS FFDIS MONMWAIT */

	val &= ~no_effect;
	if (val & ~(u64)MSR_K7_HWCR_IRPERF_EN & ~BIT_ULL(18) & ~BIT_ULL(24))
		return MSR_FAULT;
	return set_stored(v, index, val & ~(u64)MSR_K7_HWCR_IRPERF_EN, host);
}

static int set_de_cfg(struct vcpu *v, u32 index, u64 val, bool host)
{
	return val & ~msr_host_de_cfg() ? MSR_FAULT : set_stored(v, index, val, host);
}

/* Constants of a generic processor ---------------------------------------------- */

static int get_constant(struct vcpu *v, u32 index, u64 *val, bool host)
{
	switch (index) {
	case MSR_EBC_FREQUENCY_ID:
		*val = 1ull << 24;
		break;
	case MSR_IA32_BBL_CR_CTL3:
		*val = 0xbe702111; /* L2 present and enabled */
		break;
	case MSR_IA32_PERF_STATUS:
		*val = 1000 | 4ull << 40; /* ratio and bus clock that yield a sane frequency */
		break;
	case MSR_MTRRcap:
		*val = 8 | BIT(8) | BIT(10); /* eight variable ranges, fixed ranges, WC */
		break;
	default:
		*val = 0;
	}
	return 0;
}

/* Time -------------------------------------------------------------------------- */

static int get_tsc(struct vcpu *v, u32 index, u64 *val, bool host)
{
	*val = vcpu_read_tsc(v);
	return 0;
}

static int set_tsc(struct vcpu *v, u32 index, u64 val, bool host)
{
	vcpu_write_tsc(v, val, host);
	return 0;
}

static int get_tsc_adjust(struct vcpu *v, u32 index, u64 *val, bool host)
{
	if (!host && !vcpu_has_feature(v, X86_FEATURE_TSC_ADJUST))
		return MSR_FAULT;
	*val = v->tsc_adjust;
	return 0;
}

/* User space restores TSC and TSC_ADJUST separately; the guest moves both with one write. */
static int set_tsc_adjust(struct vcpu *v, u32 index, u64 val, bool host)
{
	u64 delta = val - v->tsc_adjust;

	if (!host && !vcpu_has_feature(v, X86_FEATURE_TSC_ADJUST))
		return MSR_FAULT;
	v->tsc_adjust = val;
	if (!host)
		vcpu_adjust_tsc(v, delta);
	return 0;
}

/* With KVM_CAP_ENFORCE_PV_FEATURE_CPUID the guest has only what its CPUID announces. */
static bool pv_allowed(struct vcpu *v, unsigned int feature, bool host)
{
	return host || !v->enforce_pv || vcpu_has_pv_feature(v, feature);
}

static bool clock_allowed(struct vcpu *v, u32 index, bool host)
{
	bool old = index == MSR_KVM_WALL_CLOCK || index == MSR_KVM_SYSTEM_TIME;

	return pv_allowed(v, old ? KVM_FEATURE_CLOCKSOURCE : KVM_FEATURE_CLOCKSOURCE2, host);
}

static int get_clock(struct vcpu *v, u32 index, u64 *val, bool host)
{
	if (!clock_allowed(v, index, host))
		return MSR_FAULT;
	return vcpu_clock_get_msr(v, index, val);
}

static int set_clock(struct vcpu *v, u32 index, u64 val, bool host)
{
	if (!clock_allowed(v, index, host))
		return MSR_FAULT;
	return vcpu_clock_set_msr(v, index, val, host);
}

static int get_steal(struct vcpu *v, u32 index, u64 *val, bool host)
{
	if (!pv_allowed(v, KVM_FEATURE_STEAL_TIME, host))
		return MSR_FAULT;
	*val = v->steal.msr;
	return 0;
}

static int set_steal(struct vcpu *v, u32 index, u64 val, bool host)
{
	if (!pv_allowed(v, KVM_FEATURE_STEAL_TIME, host))
		return MSR_FAULT;
	return vcpu_steal_set_msr(v, val) ? MSR_FAULT : 0;
}

/* Local APIC -------------------------------------------------------------------- */

static int get_apic_base(struct vcpu *v, u32 index, u64 *val, bool host)
{
	*val = v->apic_base;
	return 0;
}

static int set_apic_base(struct vcpu *v, u32 index, u64 val, bool host)
{
	if (val & ~(BIT_ULL(vcpu_maxphyaddr(v)) - 1))
		return MSR_FAULT;
	if (lapic_set_base(v, val, host))
		return MSR_FAULT;
	vcpu_cpuid_update(v);
	return 0;
}

static int get_lapic(struct vcpu *v, u32 index, u64 *val, bool host)
{
	if (host && index == MSR_IA32_TSC_DEADLINE) {
		*val = lapic_get_tsc_deadline(v);
		return 0;
	}
	return lapic_msr_read(v, index, val);
}

/* User space may restore the deadline before the CPUID and the LVT that make it valid. */
static int set_lapic(struct vcpu *v, u32 index, u64 val, bool host)
{
	if (host && index == MSR_IA32_TSC_DEADLINE) {
		lapic_set_tsc_deadline(v, val);
		return 0;
	}
	return lapic_msr_write(v, index, val);
}

static int get_pv_eoi(struct vcpu *v, u32 index, u64 *val, bool host)
{
	if (!pv_allowed(v, KVM_FEATURE_PV_EOI, host))
		return MSR_FAULT;
	*val = v->lapic ? lapic_get_pv_eoi(v) : v->pv_eoi_msr;
	return 0;
}

static int set_pv_eoi(struct vcpu *v, u32 index, u64 val, bool host)
{
	if (!pv_allowed(v, KVM_FEATURE_PV_EOI, host))
		return MSR_FAULT;
	if (v->lapic)
		return lapic_set_pv_eoi(v, val) ? MSR_FAULT : 0;
	/* CPUID offers it to every VM. Without our local APIC no EOI is ever saved. */
	if (!lapic_pv_eoi_valid(val))
		return MSR_FAULT;
	v->pv_eoi_msr = val;
	return 0;
}

/* Hyper-V's: vcpu/hyperv_msr.c knows each ------------------------------------------ */

static int get_hv(struct vcpu *v, u32 index, u64 *val, bool host)
{
	return hv_get_msr(v, index, val, host);
}

static int set_hv(struct vcpu *v, u32 index, u64 val, bool host)
{
	return hv_set_msr(v, index, val, host);
}

/* System calls, segments: held by the backend ------------------------------------ */

static int get_hw(struct vcpu *v, u32 index, u64 *val, bool host)
{
	return hw->get_msr(v, index, val) ? MSR_FAULT : 0;
}

static int set_hw(struct vcpu *v, u32 index, u64 val, bool host)
{
	return hw->set_msr(v, index, val) ? MSR_FAULT : 0;
}

static int set_hw_canonical(struct vcpu *v, u32 index, u64 val, bool host)
{
	return canonical(val) ? set_hw(v, index, val, host) : MSR_FAULT;
}

static int get_tsc_aux(struct vcpu *v, u32 index, u64 *val, bool host)
{
	if (!host && !vcpu_has_feature(v, X86_FEATURE_RDTSCP) &&
	    !vcpu_has_feature(v, X86_FEATURE_RDPID))
		return MSR_FAULT;
	/* A processor without the register has nothing but 0 to migrate. */
	if (hw->get_msr(v, index, val))
		*val = 0;
	return 0;
}

static int set_tsc_aux(struct vcpu *v, u32 index, u64 val, bool host)
{
	u64 now;

	if (get_tsc_aux(v, index, &now, host))
		return MSR_FAULT;
	if (val >> 32 && (host || vcpu_is_intel(v)))
		return MSR_FAULT;
	if (hw->set_msr(v, index, (u32)val))
		return val ? MSR_FAULT : 0;
	return 0;
}

static int get_efer(struct vcpu *v, u32 index, u64 *val, bool host)
{
	*val = hw->get_efer(v);
	return 0;
}

static int set_efer(struct vcpu *v, u32 index, u64 val, bool host)
{
	return vcpu_set_efer(v, val, host) ? MSR_FAULT : 0;
}

/* Branch trap flag only; last-branch records are not virtualised and stay off. */
static int set_debugctl(struct vcpu *v, u32 index, u64 val, bool host)
{
	val &= ~(u64)DEBUGCTLMSR_LBR;
	if (val & ~(u64)DEBUGCTLMSR_BTF)
		return MSR_FAULT;
	return set_hw(v, index, val, host);
}

/* Speculation controls ------------------------------------------------------------ */

static bool has_spec_ctrl(void)
{
	return boot_cpu_has(X86_FEATURE_MSR_SPEC_CTRL);
}

static bool guest_has_spec_ctrl(struct vcpu *v)
{
	return vcpu_has_feature(v, X86_FEATURE_SPEC_CTRL) ||
	       vcpu_has_feature(v, X86_FEATURE_INTEL_STIBP) ||
	       vcpu_has_feature(v, X86_FEATURE_SPEC_CTRL_SSBD) ||
	       vcpu_has_feature(v, X86_FEATURE_AMD_IBRS) ||
	       vcpu_has_feature(v, X86_FEATURE_AMD_STIBP) ||
	       vcpu_has_feature(v, X86_FEATURE_AMD_SSBD);
}

static int get_spec_ctrl(struct vcpu *v, u32 index, u64 *val, bool host)
{
	if (!host && !guest_has_spec_ctrl(v))
		return MSR_FAULT;
	if (hw->get_msr(v, index, val))
		*val = 0;
	return 0;
}

static int set_spec_ctrl(struct vcpu *v, u32 index, u64 val, bool host)
{
	if (!host && !guest_has_spec_ctrl(v))
		return MSR_FAULT;
	if (val & ~(u64)(SPEC_CTRL_IBRS | SPEC_CTRL_STIBP | SPEC_CTRL_SSBD))
		return MSR_FAULT;
	if (hw->set_msr(v, index, val))
		return val ? MSR_FAULT : 0;
	return 0;
}

static int get_never(struct vcpu *v, u32 index, u64 *val, bool host)
{
	return MSR_FAULT;
}

/* The barrier is executed on the spot, on the CPU the guest will continue on. */
static int set_pred_cmd(struct vcpu *v, u32 index, u64 val, bool host)
{
	if (!host && !vcpu_has_feature(v, X86_FEATURE_SPEC_CTRL) &&
	    !vcpu_has_feature(v, X86_FEATURE_AMD_IBPB))
		return MSR_FAULT;
	if (val & ~(u64)PRED_CMD_IBPB)
		return MSR_FAULT;
	if (!val)
		return 0;
	if (!boot_cpu_has(X86_FEATURE_IBPB))
		return MSR_FAULT;
	wrmsrl(MSR_IA32_PRED_CMD, PRED_CMD_IBPB);
	return 0;
}

/* What the host's processor is immune to, its guests are too. */
u64 msr_host_arch_capabilities(void)
{
	const u64 passed = ARCH_CAP_RDCL_NO | ARCH_CAP_IBRS_ALL | ARCH_CAP_SSB_NO |
			   ARCH_CAP_MDS_NO | ARCH_CAP_PSCHANGE_MC_NO | ARCH_CAP_TAA_NO |
			   ARCH_CAP_SBDR_SSDP_NO | ARCH_CAP_FBSDP_NO | ARCH_CAP_PSDP_NO |
			   ARCH_CAP_FB_CLEAR | ARCH_CAP_RRSBA | ARCH_CAP_PBRSB_NO;
	u64 val = 0;

	if (boot_cpu_has(X86_FEATURE_ARCH_CAPABILITIES))
		rdmsrl(MSR_IA32_ARCH_CAPABILITIES, val);
	val &= passed;
	if (!has_spec_ctrl())
		val &= ~(u64)ARCH_CAP_IBRS_ALL;
	if (!boot_cpu_has_bug(X86_BUG_CPU_MELTDOWN))
		val |= ARCH_CAP_RDCL_NO;
	if (!boot_cpu_has_bug(X86_BUG_SPEC_STORE_BYPASS))
		val |= ARCH_CAP_SSB_NO;
	if (!boot_cpu_has_bug(X86_BUG_MDS))
		val |= ARCH_CAP_MDS_NO;
	return val;
}

static int get_arch_cap(struct vcpu *v, u32 index, u64 *val, bool host)
{
	if (!host && !vcpu_has_feature(v, X86_FEATURE_ARCH_CAPABILITIES))
		return MSR_FAULT;
	*val = v->arch_capabilities;
	return 0;
}

static int set_arch_cap(struct vcpu *v, u32 index, u64 val, bool host)
{
	if (!host)
		return MSR_FAULT;
	v->arch_capabilities = val;
	return 0;
}

/* LFENCE is dispatch serializing (DE_CFG bit 1), where the host made it so. */
u64 msr_host_de_cfg(void)
{
	return boot_cpu_has(X86_FEATURE_LFENCE_RDTSC) &&
			       boot_cpu_data.x86_vendor != X86_VENDOR_INTEL ?
		       BIT_ULL(1) :
		       0;
}

static bool has_de_cfg(void)
{
	return msr_host_de_cfg();
}

/* Identity, modes ----------------------------------------------------------------- */

static int get_ucode(struct vcpu *v, u32 index, u64 *val, bool host)
{
	*val = v->microcode_version;
	return 0;
}

/* The guest writes 0 before CPUID to latch the revision, or offers an update: no effect. */
static int set_ucode(struct vcpu *v, u32 index, u64 val, bool host)
{
	if (host)
		v->microcode_version = val;
	return 0;
}

/* There is no virtual PMU: no capability to announce, to guests without PDCM no register. */
static int get_perf_capabilities(struct vcpu *v, u32 index, u64 *val, bool host)
{
	*val = 0;
	return host || vcpu_has_feature(v, X86_FEATURE_PDCM) ? 0 : MSR_FAULT;
}

static int set_perf_capabilities(struct vcpu *v, u32 index, u64 val, bool host)
{
	return host && !val ? 0 : MSR_FAULT;
}

#define MISC_ENABLE_READONLY                                                    \
	(MSR_IA32_MISC_ENABLE_PEBS_UNAVAIL | MSR_IA32_MISC_ENABLE_BTS_UNAVAIL | \
	 MSR_IA32_MISC_ENABLE_EMON)

static int get_misc_enable(struct vcpu *v, u32 index, u64 *val, bool host)
{
	*val = v->misc_enable;
	return 0;
}

static int set_misc_enable(struct vcpu *v, u32 index, u64 val, bool host)
{
	if (!host)
		val = (val & ~MISC_ENABLE_READONLY) | (v->misc_enable & MISC_ENABLE_READONLY);
	v->misc_enable = val;
	/* CPUID's MWAIT bit follows unless a quirk keeps it. */
	vcpu_cpuid_update(v);
	return 0;
}

static bool has_vmx(void)
{
	return hw->nested_caps;
}

static int get_feature_control(struct vcpu *v, u32 index, u64 *val, bool host)
{
	if (!host && !vcpu_has_feature(v, X86_FEATURE_VMX))
		return MSR_FAULT;
	*val = v->feature_control;
	return 0;
}

/* SDM "Enabling and Entering VMX Operation": once locked only RESET (or user space) unlocks. */
static int set_feature_control(struct vcpu *v, u32 index, u64 val, bool host)
{
	u64 valid = FEAT_CTL_LOCKED;

	if (host ? has_vmx() : vcpu_has_feature(v, X86_FEATURE_VMX))
		valid |= FEAT_CTL_VMX_ENABLED_OUTSIDE_SMX;
	else if (!host)
		return MSR_FAULT;
	if (val & ~valid)
		return MSR_FAULT;
	if (!host && (v->feature_control & FEAT_CTL_LOCKED))
		return MSR_FAULT;
	v->feature_control = val;
	return 0;
}

static int get_vmx(struct vcpu *v, u32 index, u64 *val, bool host)
{
	if (!host && !vcpu_has_feature(v, X86_FEATURE_VMX))
		return MSR_FAULT;
	return nested_get_vmx_msr(v, index, val, host) ? MSR_FAULT : 0;
}

static int set_vmx(struct vcpu *v, u32 index, u64 val, bool host)
{
	if (!host)
		return MSR_FAULT; /* read-only capability registers */
	return nested_set_vmx_msr(v, index, val) ? MSR_FAULT : 0;
}

/* Memory types --------------------------------------------------------------------- */

#define MTRR_VAR_FIRST 0x200 /* IA32_MTRR_PHYSBASE0 */

static bool mtrr_type(u8 type)
{
	return type < 7 && (BIT(type) & 0x73); /* UC WC WT WP WB */
}

static bool pat_type(u8 type)
{
	return type < 8 && (BIT(type) & 0xf3); /* also UC- */
}

static bool each_byte(u64 val, bool (*ok)(u8))
{
	int i;

	for (i = 0; i < 64; i += 8)
		if (!ok(val >> i))
			return false;
	return true;
}

static int set_pat(struct vcpu *v, u32 index, u64 val, bool host)
{
	return each_byte(val, pat_type) ? set_hw(v, index, val, host) : MSR_FAULT;
}

static u64 *mtrr_fixed(struct vcpu *v, u32 index)
{
	u32 nr = 0;

	if (index == MSR_MTRRfix16K_80000 || index == MSR_MTRRfix16K_A0000)
		nr = 1 + index - MSR_MTRRfix16K_80000;
	else if (index >= MSR_MTRRfix4K_C0000)
		nr = 3 + index - MSR_MTRRfix4K_C0000;
	return &v->mtrr_fixed[array_index_nospec(nr, ARRAY_SIZE(v->mtrr_fixed))];
}

static int get_mtrr_fixed(struct vcpu *v, u32 index, u64 *val, bool host)
{
	*val = *mtrr_fixed(v, index);
	return 0;
}

static int set_mtrr_fixed(struct vcpu *v, u32 index, u64 val, bool host)
{
	if (!each_byte(val, mtrr_type))
		return MSR_FAULT;
	*mtrr_fixed(v, index) = val;
	return 0;
}

static u64 *mtrr_var(struct vcpu *v, u32 index)
{
	return &v->mtrr_var[array_index_nospec(index - MTRR_VAR_FIRST, ARRAY_SIZE(v->mtrr_var))];
}

static int get_mtrr_var(struct vcpu *v, u32 index, u64 *val, bool host)
{
	*val = *mtrr_var(v, index);
	return 0;
}

static int set_mtrr_var(struct vcpu *v, u32 index, u64 val, bool host)
{
	bool mask = index & 1;
	u64 reserved = mask ? 0x7ff : 0xf00;

	/* User space may restore before the CPUID that says how wide an address is. */
	if (!host || v->cpuid)
		reserved |= ~(BIT_ULL(vcpu_maxphyaddr(v)) - 1);
	if ((val & reserved) || (!mask && !mtrr_type(val)))
		return MSR_FAULT;
	*mtrr_var(v, index) = val;
	return 0;
}

static int get_mtrr_def(struct vcpu *v, u32 index, u64 *val, bool host)
{
	*val = v->mtrr_def;
	return 0;
}

static int set_mtrr_def(struct vcpu *v, u32 index, u64 val, bool host)
{
	if ((val & ~0xcffull) || !mtrr_type(val))
		return MSR_FAULT;
	v->mtrr_def = val;
	return 0;
}

/* The table -------------------------------------------------------------------------- */

#define ONE(i) i, i

const struct msr_row msr_rows[] = {
	{ ONE(MSR_IA32_TSC), MSR_LISTED, MSR_RW(tsc) },
	{ MSR_KVM_WALL_CLOCK, MSR_KVM_SYSTEM_TIME, MSR_LISTED, MSR_RW(clock) },
	{ ONE(MSR_IA32_PLATFORM_ID), 0, get_zero, set_never },
	{ ONE(MSR_IA32_APICBASE), 0, MSR_RW(apic_base) },
	{ ONE(MSR_IA32_EBL_CR_POWERON), 0, get_zero, set_ignored },
	{ ONE(MSR_EBC_FREQUENCY_ID), 0, get_constant, set_never },
	{ ONE(MSR_SMI_COUNT), MSR_LISTED, get_stored, set_stored_host },
	{ ONE(MSR_IA32_FEAT_CTL), MSR_LISTED, MSR_RW(feature_control), has_vmx },
	{ ONE(MSR_IA32_TSC_ADJUST), MSR_LISTED, MSR_RW(tsc_adjust) },
	{ ONE(MSR_IA32_SPEC_CTRL), MSR_LISTED, MSR_RW(spec_ctrl), has_spec_ctrl },
	{ ONE(MSR_IA32_PRED_CMD), 0, get_never, set_pred_cmd },
	{ ONE(MSR_IA32_UCODE_WRITE), 0, get_never, set_ignored },
	{ ONE(MSR_IA32_UCODE_REV), MSR_LISTED | MSR_FEATURE, MSR_RW(ucode) },
	{ ONE(MSR_IA32_SMBASE), MSR_LISTED, get_smbase, set_stored_host },
	{ MSR_P6_PERFCTR0, MSR_P6_PERFCTR1, 0, get_zero, set_ignored },
	{ ONE(MSR_FSB_FREQ), 0, get_zero, set_never },
	{ ONE(MSR_PLATFORM_INFO), MSR_LISTED, MSR_RW(platform_info) },
	{ ONE(MSR_MTRRcap), 0, get_constant, set_never },
	{ ONE(MSR_IA32_ARCH_CAPABILITIES), MSR_LISTED | MSR_FEATURE, MSR_RW(arch_cap) },
	{ ONE(MSR_IA32_BBL_CR_CTL3), 0, get_constant, set_never },
	{ ONE(MSR_MISC_FEATURES_ENABLES), MSR_LISTED, get_zero, set_only_zero },
	{ MSR_IA32_SYSENTER_CS, MSR_IA32_SYSENTER_CS, MSR_LISTED, MSR_RW(hw) },
	{ MSR_IA32_SYSENTER_ESP, MSR_IA32_SYSENTER_EIP, MSR_LISTED, get_hw, set_hw_canonical },
	{ ONE(MSR_IA32_MCG_CAP), 0, MSR_RW(mcg) },
	{ MSR_IA32_MCG_STATUS, MSR_IA32_MCG_CTL, MSR_LISTED, MSR_RW(mcg) },
	{ MSR_P6_EVNTSEL0, MSR_P6_EVNTSEL1, 0, get_zero, set_ignored },
	{ ONE(MSR_IA32_PERF_STATUS), 0, get_constant, set_never },
	{ ONE(MSR_IA32_PERF_CTL), 0, get_zero, set_ignored },
	{ ONE(MSR_IA32_MISC_ENABLE), MSR_LISTED, MSR_RW(misc_enable) },
	{ ONE(MSR_IA32_DEBUGCTLMSR), 0, get_hw, set_debugctl },
	{ MSR_IA32_LASTBRANCHFROMIP, MSR_IA32_LASTINTTOIP, 0, get_zero, set_never },
	{ ONE(MSR_IA32_POWER_CTL), MSR_LISTED, MSR_RW(stored) },
	{ MTRR_VAR_FIRST, MTRR_VAR_FIRST + 15, 0, MSR_RW(mtrr_var) },
	{ ONE(MSR_MTRRfix64K_00000), 0, MSR_RW(mtrr_fixed) },
	{ MSR_MTRRfix16K_80000, MSR_MTRRfix16K_A0000, 0, MSR_RW(mtrr_fixed) },
	{ MSR_MTRRfix4K_C0000, MSR_MTRRfix4K_F8000, 0, MSR_RW(mtrr_fixed) },
	{ ONE(MSR_IA32_CR_PAT), MSR_LISTED, get_hw, set_pat },
	{ MSR_IA32_MC0_CTL2, MSR_IA32_MCx_CTL2(MCE_MAX_BANKS) - 1, 0, MSR_RW(mce_ctl2) },
	{ ONE(MSR_MTRRdefType), 0, MSR_RW(mtrr_def) },
	{ ONE(MSR_IA32_PERF_CAPABILITIES), MSR_FEATURE, MSR_RW(perf_capabilities) },
	{ MSR_IA32_MC0_CTL, MSR_IA32_MCx_CTL(MCE_MAX_BANKS) - 1, 0, MSR_RW(mce_bank) },
	{ MSR_IA32_VMX_BASIC, MSR_IA32_VMX_VMFUNC, MSR_LISTED | MSR_FEATURE, MSR_RW(vmx), has_vmx },
	{ ONE(MSR_RAPL_POWER_UNIT), 0, get_zero, set_never },
	{ ONE(MSR_PKG_ENERGY_STATUS), 0, get_zero, set_never },
	{ ONE(MSR_DRAM_ENERGY_STATUS), 0, get_zero, set_never },
	{ ONE(MSR_PP0_ENERGY_STATUS), 0, get_zero, set_never },
	{ ONE(MSR_PP1_ENERGY_STATUS), 0, get_zero, set_never },
	{ ONE(MSR_IA32_TSC_DEADLINE), MSR_LISTED, MSR_RW(lapic) },
	{ APIC_BASE_MSR, APIC_BASE_MSR + 0xff, 0, MSR_RW(lapic) },
	{ TLFS_MSR_INDEX_GUEST_OS_ID, TLFS_MSR_INDEX_RESET, MSR_LISTED, MSR_RW(hv) },
	{ ONE(TLFS_MSR_INDEX_VP_RUNTIME), MSR_LISTED, MSR_RW(hv) },
	{ TLFS_MSR_INDEX_REF_COUNT, TLFS_MSR_INDEX_APIC_FREQUENCY, MSR_LISTED, MSR_RW(hv) },
	{ TLFS_MSR_INDEX_EOI, TLFS_MSR_INDEX_TPR, 0, MSR_RW(hv) },
	{ ONE(TLFS_MSR_INDEX_VP_ASSIST), MSR_LISTED, MSR_RW(hv) },
	{ ONE(TLFS_MSR_INDEX_SCONTROL), MSR_LISTED, MSR_RW(hv) },
	{ TLFS_MSR_INDEX_SVERSION, TLFS_MSR_INDEX_SINT15, 0, MSR_RW(hv) },
	{ ONE(TLFS_MSR_INDEX_STIMER0_CONFIG), MSR_LISTED, MSR_RW(hv) },
	{ TLFS_MSR_INDEX_STIMER0_CONFIG + 1, TLFS_MSR_INDEX_STIMER3_COUNT, 0, MSR_RW(hv) },
	{ TLFS_MSR_INDEX_SYNDBG_CONTROL, TLFS_MSR_INDEX_SYNDBG_PENDING, MSR_LISTED, MSR_RW(hv) },
	{ TLFS_MSR_INDEX_SYNDBG_OPTIONS, TLFS_MSR_INDEX_TSC_EMUL_STATUS, MSR_LISTED, MSR_RW(hv) },
	{ MSR_KVM_WALL_CLOCK_NEW, MSR_KVM_SYSTEM_TIME_NEW, MSR_LISTED, MSR_RW(clock) },
	{ ONE(MSR_KVM_STEAL_TIME), MSR_LISTED, MSR_RW(steal), steal_supported },
	{ ONE(MSR_KVM_PV_EOI_EN), MSR_LISTED, MSR_RW(pv_eoi) },
	{ ONE(MSR_EFER), 0, MSR_RW(efer) },
	{ ONE(MSR_STAR), MSR_LISTED, MSR_RW(hw) },
	{ MSR_LSTAR, MSR_CSTAR, MSR_LISTED, get_hw, set_hw_canonical },
	{ ONE(MSR_SYSCALL_MASK), MSR_LISTED, MSR_RW(hw) },
	{ MSR_FS_BASE, MSR_GS_BASE, 0, get_hw, set_hw_canonical },
	{ ONE(MSR_KERNEL_GS_BASE), MSR_LISTED, get_hw, set_hw_canonical },
	{ ONE(MSR_TSC_AUX), MSR_LISTED, MSR_RW(tsc_aux) },
	{ MSR_K7_EVNTSEL0, MSR_K7_PERFCTR3, 0, get_zero, set_ignored },
	{ ONE(MSR_AMD64_SYSCFG), 0, get_zero, set_only_zero },
	{ ONE(MSR_K7_HWCR), MSR_LISTED, get_stored, set_hwcr },
	{ ONE(MSR_AMD64_NB_CFG), 0, get_zero, set_ignored },
	{ ONE(MSR_AMD64_PATCH_LOADER), 0, get_never, set_ignored },
	{ ONE(MSR_K8_INT_PENDING_MSG), 0, get_zero, set_only_zero },
	{ ONE(MSR_FAM10H_MMIO_CONF_BASE), 0, get_zero, set_only_zero },
	{ MSR_K8_TSEG_ADDR, MSR_K8_TSEG_MASK, 0, get_zero, set_only_zero },
	{ ONE(MSR_AMD64_DC_CFG), 0, get_zero, set_ignored },
	{ ONE(MSR_AMD64_DE_CFG), MSR_FEATURE, get_stored, set_de_cfg, has_de_cfg },
	{ ONE(MSR_AMD64_BU_CFG2), 0, get_zero, set_ignored },
	{ ONE(MSR_F15H_EX_CFG), 0, get_zero, set_ignored },
};

const unsigned int nr_msr_rows = ARRAY_SIZE(msr_rows);
