// SPDX-License-Identifier: GPL-2.0-only
/*
 * What this CPU's VMX can do: capability MSRs solved once into the controls of
 * context 01, the page-table format, and what context 02 may be offered.
 * Called at load; everything it fills is constant afterwards.
 */
#define pr_fmt(fmt) "turtles: vmx: " fmt

#include <linux/cpu.h>
#include <linux/moduleparam.h>
#include <linux/printk.h>
#include <asm/cpufeature.h>
#include <asm/msr.h>
#include <asm/processor.h>
#include "hw/vmx/vmx.h"

static bool vpid = true;
module_param(vpid, bool, 0444);
MODULE_PARM_DESC(vpid, "tag TLB entries with VPIDs (Intel)");

static bool shadow_vmcs = true;
module_param(shadow_vmcs, bool, 0444);
MODULE_PARM_DESC(shadow_vmcs, "let L1 read and write its VMCS without exits (Intel)");

static int irqoff_bound = -1;
module_param(irqoff_bound, int, 0444);
MODULE_PARM_DESC(
	irqoff_bound,
	"end guest entries with RFLAGS.IF=0 after this many TSC ticks; 0 = never, -1 = only where a defect of the processor model needs it (Intel)");

static int l1d_flush = -1;
module_param(l1d_flush, int, 0444);
MODULE_PARM_DESC(
	l1d_flush,
	"flush the L1 data cache before each VM entry: 0, 1, or -1 = where L1TF needs it (Intel)");

struct vmx_caps vmx_caps __read_mostly;

/* TSC ticks an entry with IF=0 may last where interrupts stick: far below a jiffy. */
#define IRQS_STICK_TSC 250000

/**
 * struct ctl_word - one control word and what we ask of it
 * @name: for messages
 * @msr:  its capability MSR: low half must be 1, high half may be 1
 * @need: bits without which we do not run
 * @want: bits taken when the CPU has them
 */
struct ctl_word {
	const char *name;
	u32 msr;
	u32 need;
	u32 want;
	u32 *out, *may, *must;
};

/* SDM "Discovering Support for VMX": reserved bits and allowed settings. */
static int solve(const struct ctl_word *w)
{
	u32 must, may, unused;

	rdmsr(w->msr, must, may);
	if (w->need & ~may) {
		pr_err("this CPU lacks %s controls %#x (MSR %#x allows %#x)\n", w->name,
		       w->need & ~may, w->msr, may);
		return -EOPNOTSUPP;
	}
	*w->out = ((w->need | w->want) & may) | must;
	*w->may = may;
	*(w->must ?: &unused) = must;
	return 0;
}

static int solve_controls(void)
{
	bool t = vmx_caps.basic & VMX_BASIC_TRUE_CTLS;
	const struct ctl_word words[] = {
		{ "pin-based", t ? MSR_IA32_VMX_TRUE_PINBASED_CTLS : MSR_IA32_VMX_PINBASED_CTLS,
		  PIN_BASED_EXT_INTR_MASK | PIN_BASED_NMI_EXITING | PIN_BASED_VIRTUAL_NMIS, 0,
		  &vmx_caps.pin, &vmx_caps.pin_may, &vmx_caps.pin_must },
		{ "processor-based",
		  t ? MSR_IA32_VMX_TRUE_PROCBASED_CTLS : MSR_IA32_VMX_PROCBASED_CTLS,
		  CPU_BASED_HLT_EXITING | CPU_BASED_MWAIT_EXITING | CPU_BASED_MONITOR_EXITING |
			  CPU_BASED_RDPMC_EXITING | CPU_BASED_UNCOND_IO_EXITING |
			  CPU_BASED_USE_MSR_BITMAPS | CPU_BASED_USE_TSC_OFFSETTING |
			  CPU_BASED_ACTIVATE_SECONDARY_CONTROLS,
		  CPU_BASED_TPR_SHADOW, &vmx_caps.proc, &vmx_caps.proc_may, &vmx_caps.proc_must },
		{ "secondary processor-based", MSR_IA32_VMX_PROCBASED_CTLS2,
		  SECONDARY_EXEC_ENABLE_EPT | SECONDARY_EXEC_UNRESTRICTED_GUEST,
		  SECONDARY_EXEC_ENABLE_VPID | SECONDARY_EXEC_ENABLE_RDTSCP |
			  SECONDARY_EXEC_ENABLE_INVPCID | SECONDARY_EXEC_WBINVD_EXITING |
			  SECONDARY_EXEC_XSAVES | SECONDARY_EXEC_PAUSE_LOOP_EXITING,
		  &vmx_caps.proc2, &vmx_caps.proc2_may, NULL },
		{ "VM-exit", t ? MSR_IA32_VMX_TRUE_EXIT_CTLS : MSR_IA32_VMX_EXIT_CTLS,
		  VM_EXIT_HOST_ADDR_SPACE_SIZE | VM_EXIT_LOAD_IA32_EFER | VM_EXIT_LOAD_IA32_PAT |
			  VM_EXIT_SAVE_DEBUG_CONTROLS,
		  0, &vmx_caps.exit, &vmx_caps.exit_may, &vmx_caps.exit_must },
		{ "VM-entry", t ? MSR_IA32_VMX_TRUE_ENTRY_CTLS : MSR_IA32_VMX_ENTRY_CTLS,
		  VM_ENTRY_LOAD_IA32_EFER | VM_ENTRY_LOAD_IA32_PAT | VM_ENTRY_LOAD_DEBUG_CONTROLS,
		  0, &vmx_caps.entry, &vmx_caps.entry_may, &vmx_caps.entry_must },
	};
	int i, r;

	for (i = 0; i < ARRAY_SIZE(words); i++) {
		r = solve(&words[i]);
		if (r)
			return r;
	}
	return 0;
}

static int probe_ept(void)
{
	const u32 need = VMX_EPT_PAGE_WALK_4_BIT | VMX_EPTP_WB_BIT | VMX_EPT_2MB_PAGE_BIT |
			 VMX_EPT_INVEPT_BIT;

	rdmsr(MSR_IA32_VMX_EPT_VPID_CAP, vmx_caps.ept, vmx_caps.vpid);
	if ((vmx_caps.ept & need) != need ||
	    !(vmx_caps.ept & (VMX_EPT_EXTENT_CONTEXT_BIT | VMX_EPT_EXTENT_GLOBAL_BIT))) {
		pr_err("this CPU's EPT lacks %#llx (4-level walk, write-back, 2M pages and INVEPT are needed)\n",
		       (u64)(need & ~vmx_caps.ept));
		return -EOPNOTSUPP;
	}
	vmx_caps.ept_ad = vmx_caps.ept & VMX_EPT_AD_BIT;
	return 0;
}

/* VPIDs are of use only when one context can be flushed without all others. */
static void probe_vpid(void)
{
	const u32 types = VMX_VPID_EXTENT_SINGLE_CONTEXT_BIT | VMX_VPID_EXTENT_GLOBAL_CONTEXT_BIT;

	vmx_caps.use_vpid = vpid && (vmx_caps.proc2 & SECONDARY_EXEC_ENABLE_VPID) &&
			    (vmx_caps.vpid & VMX_VPID_INVVPID_BIT) && (vmx_caps.vpid & types);
	if (!vmx_caps.use_vpid)
		vmx_caps.proc2 &= ~SECONDARY_EXEC_ENABLE_VPID;
}

/*
 * Bochs 2.7 and 3.0 compute the mask of pending events before they mark the CPU
 * as being in the guest, so that an external interrupt does not exit a guest
 * that was entered with RFLAGS.IF=0 until something makes them look again. A
 * guest that spins with IF=0 then hangs the host. Each such entry is bounded
 * with the VMX-preemption timer. Bochs says in CPUID who it is: through the
 * brand string of its own models, or by a hypervisor-less CPU without any
 * microcode revision for the real models it copies.
 */
static bool is_bochs(void)
{
	char brand[49] = {};
	u32 *p = (u32 *)brand;
	u64 rev;
	int i;

	for (i = 0; i < 3; i++)
		cpuid(0x80000002 + i, p + 4 * i, p + 4 * i + 1, p + 4 * i + 2, p + 4 * i + 3);
	if (strstr(brand, "Bochs"))
		return true;
	/* Real processors of the models with VMX and EPT all carry a microcode revision. */
	if (boot_cpu_has(X86_FEATURE_HYPERVISOR))
		return false;
	wrmsrl_safe(MSR_IA32_UCODE_REV, 0);
	cpuid_eax(1);
	return rdmsrl_safe(MSR_IA32_UCODE_REV, &rev) || rev >> 32 == 0;
}

static void probe_irq_defect(void)
{
	u64 ticks = IRQS_STICK_TSC;

	vmx_caps.timer_shift = vmx_misc_preemption_timer_rate(vmx_caps.misc);
	if (!(vmx_caps.pin_may & PIN_BASED_VMX_PREEMPTION_TIMER)) {
		if (irqoff_bound > 0)
			pr_warn("no VMX-preemption timer: irqoff_bound has no effect\n");
		return;
	}
	if (irqoff_bound > 0)
		ticks = irqoff_bound;
	else if (irqoff_bound == 0 || !is_bochs())
		return;
	vmx_caps.irqs_stick = true;
	vmx_caps.irqs_stick_ticks = max_t(u64, ticks >> vmx_caps.timer_shift, 1);
	vmx_caps.pin |= PIN_BASED_VMX_PREEMPTION_TIMER;
	pr_info("entries with interrupts off are bounded to %llu TSC ticks\n", ticks);
}

/* See docs/silicon.md for each. */
static void probe_speculation(void)
{
	vmx_caps.spec_ctrl = boot_cpu_has(X86_FEATURE_MSR_SPEC_CTRL);
#ifdef X86_FEATURE_USE_IBPB
	vmx_caps.ibpb = boot_cpu_has(X86_FEATURE_USE_IBPB);
#else
	vmx_caps.ibpb = boot_cpu_has(X86_FEATURE_IBPB) && !cpu_mitigations_off();
#endif
#ifdef X86_FEATURE_CLEAR_CPU_BUF
	vmx_caps.verw = boot_cpu_has(X86_FEATURE_CLEAR_CPU_BUF);
#endif
#ifdef X86_FEATURE_CLEAR_CPU_BUF_VM
	vmx_caps.verw |= boot_cpu_has(X86_FEATURE_CLEAR_CPU_BUF_VM);
#endif
	if (l1d_flush == 0 ||
	    (l1d_flush < 0 && (!boot_cpu_has_bug(X86_BUG_L1TF) || cpu_mitigations_off())))
		return;
	vmx_caps.l1d_flush = boot_cpu_has(X86_FEATURE_FLUSH_L1D);
	if (!vmx_caps.l1d_flush)
		pr_warn("this CPU has L1TF and no L1D_FLUSH command: guests may read host memory; update its microcode\n");
}

/**
 * vmx_caps_probe - read and solve everything; -EOPNOTSUPP with a message
 */
int vmx_caps_probe(void)
{
	int r;

	if (!boot_cpu_has(X86_FEATURE_VMX)) {
		pr_err("this CPU has no VMX\n");
		return -EOPNOTSUPP;
	}
	rdmsrl(MSR_IA32_VMX_BASIC, vmx_caps.basic);
	rdmsrl(MSR_IA32_VMX_MISC, vmx_caps.misc);
	vmx_caps.revision = vmx_basic_vmcs_revision_id(vmx_caps.basic);
	if (vmx_basic_vmcs_size(vmx_caps.basic) > PAGE_SIZE || (vmx_caps.basic & VMX_BASIC_64)) {
		pr_err("this CPU's VMCS regions are larger than a page or limited to 4G\n");
		return -EOPNOTSUPP;
	}
	r = solve_controls();
	if (r)
		return r;
	r = probe_ept();
	if (r)
		return r;

	rdmsrl(MSR_IA32_VMX_CR0_FIXED0, vmx_caps.cr0_fixed0);
	rdmsrl(MSR_IA32_VMX_CR0_FIXED1, vmx_caps.cr0_fixed1);
	rdmsrl(MSR_IA32_VMX_CR4_FIXED0, vmx_caps.cr4_fixed0);
	rdmsrl(MSR_IA32_VMX_CR4_FIXED1, vmx_caps.cr4_fixed1);
	probe_vpid();
	vmx_caps.tpr_shadow = vmx_caps.proc & CPU_BASED_TPR_SHADOW;
	if (vmx_caps.tpr_shadow)
		vmx_caps.proc &= ~(CPU_BASED_CR8_LOAD_EXITING | CPU_BASED_CR8_STORE_EXITING);
	else
		vmx_caps.proc |= CPU_BASED_CR8_LOAD_EXITING | CPU_BASED_CR8_STORE_EXITING;
	vmx_caps.xsaves = vmx_caps.proc2 & SECONDARY_EXEC_XSAVES;
	vmx_caps.shadow_vmcs = shadow_vmcs && (vmx_caps.proc2_may & SECONDARY_EXEC_SHADOW_VMCS) &&
			       (vmx_caps.misc & MSR_IA32_VMX_MISC_VMWRITE_SHADOW_RO_FIELDS);
	probe_irq_defect();
	probe_speculation();
	pr_info("EPT%s%s%s%s\n", vmx_caps.ept_ad ? " A/D" : "", vmx_caps.use_vpid ? ", VPID" : "",
		vmx_caps.tpr_shadow ? ", TPR shadow" : "",
		vmx_caps.shadow_vmcs ? ", shadow VMCS" : "");
	return 0;
}

/* SDM "EPT Translation Mechanism". IPAT: guests get our memory type, not their PAT's. */
void vmx_fill_pt_format(struct pt_format *pt)
{
	*pt = (struct pt_format){
		.levels = 4,
		.max_level = vmx_caps.ept & VMX_EPT_1GB_PAGE_BIT ? 3 : 2,
		.exec_only = vmx_caps.ept & VMX_EPT_EXECUTE_ONLY_BIT,
		.present = VMX_EPT_RWX_MASK,
		.table = VMX_EPT_RWX_MASK,
		.read = VMX_EPT_READABLE_MASK,
		.write = VMX_EPT_WRITABLE_MASK,
		.exec = VMX_EPT_EXECUTABLE_MASK,
		.large = BIT_ULL(7),
		.accessed = vmx_caps.ept_ad ? VMX_EPT_ACCESS_BIT : 0,
		.dirty = vmx_caps.ept_ad ? VMX_EPT_DIRTY_BIT : 0,
		.memtype_wb = (6ull << VMX_EPT_MT_EPTE_SHIFT) | VMX_EPT_IPAT_BIT,
		.memtype_uc = 0,
		/* Ignored by the walk in every edition of the manual so far. */
		.sw0 = BIT_ULL(52),
		.sw1 = BIT_ULL(53),
	};
}

struct hw_nested_caps vmx_nested_caps;

/**
 * vmx_fill_nested_caps - what context 02 can have
 *
 * The hardware's own words, less what nested.c does not set up. nested/caps.c
 * intersects this with what the nested core implements.
 */
void vmx_fill_nested_caps(void)
{
	vmx_nested_caps = (struct hw_nested_caps){
		.pin = vmx_caps.pin_may & (PIN_BASED_EXT_INTR_MASK | PIN_BASED_NMI_EXITING |
					   PIN_BASED_VIRTUAL_NMIS | PIN_BASED_VMX_PREEMPTION_TIMER),
		.proc = vmx_caps.proc_may,
		.proc2 = vmx_caps.proc2_may &
			 (SECONDARY_EXEC_VIRTUALIZE_APIC_ACCESSES | SECONDARY_EXEC_ENABLE_EPT |
			  SECONDARY_EXEC_DESC | SECONDARY_EXEC_ENABLE_RDTSCP |
			  SECONDARY_EXEC_VIRTUALIZE_X2APIC_MODE | SECONDARY_EXEC_ENABLE_VPID |
			  SECONDARY_EXEC_WBINVD_EXITING | SECONDARY_EXEC_UNRESTRICTED_GUEST |
			  SECONDARY_EXEC_PAUSE_LOOP_EXITING | SECONDARY_EXEC_RDRAND_EXITING |
			  SECONDARY_EXEC_ENABLE_INVPCID | SECONDARY_EXEC_RDSEED_EXITING |
			  SECONDARY_EXEC_XSAVES),
		/* The core computes what is left of L1's timer. */
		.exit = vmx_caps.exit_may | VM_EXIT_SAVE_VMX_PREEMPTION_TIMER,
		.entry = vmx_caps.entry_may,
		.ept = vmx_caps.ept & (VMX_EPT_EXECUTE_ONLY_BIT | VMX_EPT_2MB_PAGE_BIT |
				       VMX_EPT_1GB_PAGE_BIT | VMX_EPT_AD_BIT),
		.misc = vmx_caps.misc & (VMX_MISC_ACTIVITY_HLT | VMX_MISC_ZERO_LEN_INS),
		.timer_in_hw = true,
		.ins_outs_info = vmx_caps.basic & VMX_BASIC_INOUT,
	};
	/* VPID for L2 is given through our own VPIDs, so it needs ours. */
	if (!vmx_caps.use_vpid)
		vmx_nested_caps.proc2 &= ~SECONDARY_EXEC_ENABLE_VPID;
}
