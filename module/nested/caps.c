// SPDX-License-Identifier: GPL-2.0-only
/*
 * The capability MSRs offered to L1 (SDM appendix "VMX Capability Reporting
 * Facility"): what the core implements, cut down to what the backend can give,
 * and further by user space.
 */
#include <linux/errno.h>
#include <linux/types.h>
#include <asm/msr-index.h>
#include <asm/processor-flags.h>
#include <asm/vmx.h>
#include "nested/caps.h"

/* What the nested core implements, beyond the default1 classes. */
#define CORE_PIN                                                                    \
	(PIN_BASED_EXT_INTR_MASK | PIN_BASED_NMI_EXITING | PIN_BASED_VIRTUAL_NMIS | \
	 PIN_BASED_VMX_PREEMPTION_TIMER)

#define CORE_PROC                                                                                \
	(CPU_BASED_INTR_WINDOW_EXITING | CPU_BASED_USE_TSC_OFFSETTING | CPU_BASED_HLT_EXITING |  \
	 CPU_BASED_INVLPG_EXITING | CPU_BASED_MWAIT_EXITING | CPU_BASED_RDPMC_EXITING |          \
	 CPU_BASED_RDTSC_EXITING | CPU_BASED_CR3_LOAD_EXITING | CPU_BASED_CR3_STORE_EXITING |    \
	 CPU_BASED_CR8_LOAD_EXITING | CPU_BASED_CR8_STORE_EXITING | CPU_BASED_TPR_SHADOW |       \
	 CPU_BASED_NMI_WINDOW_EXITING | CPU_BASED_MOV_DR_EXITING | CPU_BASED_UNCOND_IO_EXITING | \
	 CPU_BASED_USE_IO_BITMAPS | CPU_BASED_MONITOR_TRAP_FLAG | CPU_BASED_USE_MSR_BITMAPS |    \
	 CPU_BASED_MONITOR_EXITING | CPU_BASED_PAUSE_EXITING |                                   \
	 CPU_BASED_ACTIVATE_SECONDARY_CONTROLS)

#define CORE_PROC2                                                                               \
	(SECONDARY_EXEC_VIRTUALIZE_APIC_ACCESSES | SECONDARY_EXEC_ENABLE_EPT |                   \
	 SECONDARY_EXEC_DESC | SECONDARY_EXEC_ENABLE_RDTSCP |                                    \
	 SECONDARY_EXEC_VIRTUALIZE_X2APIC_MODE | SECONDARY_EXEC_ENABLE_VPID |                    \
	 SECONDARY_EXEC_WBINVD_EXITING | SECONDARY_EXEC_UNRESTRICTED_GUEST |                     \
	 SECONDARY_EXEC_PAUSE_LOOP_EXITING | SECONDARY_EXEC_RDRAND_EXITING |                     \
	 SECONDARY_EXEC_ENABLE_INVPCID | SECONDARY_EXEC_RDSEED_EXITING | SECONDARY_EXEC_XSAVES | \
	 SECONDARY_EXEC_TSC_SCALING)

/* Carried out by the core alone: nothing is asked of the backend. */
#define SOFT_PROC2 SECONDARY_EXEC_SHADOW_VMCS

#define CORE_EXIT                                                                                \
	(VM_EXIT_SAVE_DEBUG_CONTROLS | VM_EXIT_HOST_ADDR_SPACE_SIZE | VM_EXIT_ACK_INTR_ON_EXIT | \
	 VM_EXIT_SAVE_IA32_PAT | VM_EXIT_LOAD_IA32_PAT | VM_EXIT_SAVE_IA32_EFER |                \
	 VM_EXIT_LOAD_IA32_EFER | VM_EXIT_SAVE_VMX_PREEMPTION_TIMER)

#define CORE_ENTRY                                                                     \
	(VM_ENTRY_LOAD_DEBUG_CONTROLS | VM_ENTRY_IA32E_MODE | VM_ENTRY_LOAD_IA32_PAT | \
	 VM_ENTRY_LOAD_IA32_EFER)

/*
 * Default1 classes (SDM "Reserved Controls and Default Settings"). The TRUE
 * MSRs let software clear the ones that have a meaning: exiting on CR3 access
 * and saving and loading debug controls. Those then need no hardware support.
 */
#define DEFAULT1_PIN	PIN_BASED_ALWAYSON_WITHOUT_TRUE_MSR
#define DEFAULT1_PROC	CPU_BASED_ALWAYSON_WITHOUT_TRUE_MSR
#define DEFAULT1_EXIT	VM_EXIT_ALWAYSON_WITHOUT_TRUE_MSR
#define DEFAULT1_ENTRY	VM_ENTRY_ALWAYSON_WITHOUT_TRUE_MSR
#define CLEARABLE_PROC	(CPU_BASED_CR3_LOAD_EXITING | CPU_BASED_CR3_STORE_EXITING)
#define CLEARABLE_EXIT	VM_EXIT_SAVE_DEBUG_CONTROLS
#define CLEARABLE_ENTRY VM_ENTRY_LOAD_DEBUG_CONTROLS

#define HW_EPT		(CAP_EPT_EXEC_ONLY | CAP_EPT_2M | CAP_EPT_1G | CAP_EPT_AD)
#define CORE_EPT                                                                \
	(CAP_EPT_WALK_4 | CAP_EPT_WB | CAP_EPT_INVEPT | CAP_EPT_INVEPT_SINGLE | \
	 CAP_EPT_INVEPT_GLOBAL)
#define CORE_VPID                                                                  \
	(CAP_VPID_INVVPID | CAP_VPID_ADDRESS | CAP_VPID_SINGLE | CAP_VPID_GLOBAL | \
	 CAP_VPID_SINGLE_NON_GLOBAL)

/*
 * The VMX-preemption timer counts in units of 2^5 TSC ticks, on every host, since a VM may be moved
 * from one to another; nested_timer.c and the backends keep a deadline, which has no unit.
 */
#define TIMER_RATE 5

#define HW_MISC                                                                             \
	(CAP_MISC_ACTIVITY_HLT | CAP_MISC_ACTIVITY_SHUTDOWN | CAP_MISC_ACTIVITY_WAIT_SIPI | \
	 CAP_MISC_ZERO_LEN_INJECT)

/* Bits that CR0 must have in VMX operation, and may have. */
#define VMX_CR0_FIXED0 (X86_CR0_PE | X86_CR0_NE | X86_CR0_PG)
#define VMX_CR0_FIXED1 0xffffffffull

/* Highest index of the fields that exist, for IA32_VMX_VMCS_ENUM. */
static u64 highest_field_index(const struct vmx_caps *caps)
{
	u64 index, highest = 0;
	unsigned int i;

	for (i = 0; i < vmcs12_nr_fields; i++) {
		if (!vmx_caps_has(caps, vmcs12_fields[i].needs))
			continue;
		index = vmcs12_fields[i].encoding >> 1 & 0x1ff;
		if (index > highest)
			highest = index;
	}
	return highest;
}

/*
 * Withdraw controls whose prerequisite is missing: a guest that set them would
 * fail an entry check whatever it did.
 */
static void drop_dependent_controls(struct vmx_caps *caps)
{
	if (!(caps->pin.may1 & PIN_BASED_NMI_EXITING))
		caps->pin.may1 &= ~PIN_BASED_VIRTUAL_NMIS;
	if (!(caps->pin.may1 & PIN_BASED_VIRTUAL_NMIS))
		caps->proc.may1 &= ~CPU_BASED_NMI_WINDOW_EXITING;
	if (!(caps->pin.may1 & PIN_BASED_VMX_PREEMPTION_TIMER))
		caps->exit.may1 &= ~VM_EXIT_SAVE_VMX_PREEMPTION_TIMER;
	if (!(caps->proc.may1 & CPU_BASED_ACTIVATE_SECONDARY_CONTROLS))
		caps->proc2.may1 = 0;
	if (!(caps->proc.may1 & CPU_BASED_TPR_SHADOW))
		caps->proc2.may1 &= ~SECONDARY_EXEC_VIRTUALIZE_X2APIC_MODE;
	if (!(caps->proc2.may1 & SECONDARY_EXEC_ENABLE_EPT))
		caps->proc2.may1 &= ~SECONDARY_EXEC_UNRESTRICTED_GUEST;
	if (!caps->proc2.may1)
		caps->proc.may1 &= ~CPU_BASED_ACTIVATE_SECONDARY_CONTROLS;
}

static void init_controls(struct vmx_caps *caps, const struct hw_nested_caps *hw)
{
	caps->pin.must1 = DEFAULT1_PIN;
	caps->pin.may1 = DEFAULT1_PIN | (CORE_PIN & hw->pin);
	caps->proc.must1 = DEFAULT1_PROC & ~CLEARABLE_PROC;
	caps->proc.may1 = DEFAULT1_PROC | (CORE_PROC & hw->proc);
	caps->proc2.must1 = 0;
	caps->proc2.may1 = (CORE_PROC2 & hw->proc2) | SOFT_PROC2;
	caps->exit.must1 = DEFAULT1_EXIT & ~CLEARABLE_EXIT;
	caps->exit.may1 = DEFAULT1_EXIT | (CORE_EXIT & hw->exit);
	caps->entry.must1 = DEFAULT1_ENTRY & ~CLEARABLE_ENTRY;
	caps->entry.may1 = DEFAULT1_ENTRY | (CORE_ENTRY & hw->entry);
	drop_dependent_controls(caps);
}

/**
 * vmx_caps_init - everything that can be offered over this backend
 * @caps: result
 * @hw:	  what the backend can give
 *
 * CR4's fixed-to-0 bits depend on CPUID: vmx_caps_set_cr4_valid().
 */
void vmx_caps_init(struct vmx_caps *caps, const struct hw_nested_caps *hw)
{
	*caps = (struct vmx_caps){
		.cr0_fixed0 = VMX_CR0_FIXED0,
		.cr0_fixed1 = VMX_CR0_FIXED1,
		.cr4_fixed0 = X86_CR4_VMXE,
		.cr4_fixed1 = ~0ull,
	};
	init_controls(caps, hw);

	caps->basic = VMCS12_REVISION | CAP_BASIC_WB | CAP_BASIC_TRUE_CTLS |
		      (u64)VMCS12_SIZE << CAP_BASIC_SIZE_SHIFT;
	if (hw->ins_outs_info)
		caps->basic |= CAP_BASIC_INS_OUTS;

	caps->misc = CAP_MISC_VMWRITE_ANY | (hw->misc & HW_MISC);
	if (caps->pin.may1 & PIN_BASED_VMX_PREEMPTION_TIMER)
		caps->misc |= TIMER_RATE;
	/* Mandatory with unrestricted guest, and what the exit path does anyway. */
	caps->misc |= CAP_MISC_SAVE_EFER_LMA;

	if (caps->proc2.may1 & SECONDARY_EXEC_ENABLE_EPT)
		caps->ept_vpid |= CORE_EPT | (hw->ept & HW_EPT);
	if (caps->proc2.may1 & SECONDARY_EXEC_ENABLE_VPID)
		caps->ept_vpid |= CORE_VPID;

	caps->vmcs_enum = highest_field_index(caps) << 1;
}

/**
 * vmx_caps_set_cr4_valid - follow the guest's CPUID
 * @caps:      capabilities
 * @cr4_valid: CR4 bits that the guest's CPUID makes valid
 */
void vmx_caps_set_cr4_valid(struct vmx_caps *caps, u64 cr4_valid)
{
	caps->cr4_fixed1 = cr4_valid | X86_CR4_VMXE;
}

/**
 * vmx_caps_max_msr_list - entries that an MSR list may have
 * @caps: capabilities
 *
 * SDM "Miscellaneous Data": 512 * (IA32_VMX_MISC[27:25] + 1).
 */
u32 vmx_caps_max_msr_list(const struct vmx_caps *caps)
{
	return 512 * (((caps->misc & CAP_MISC_MAX_MSR) >> 25) + 1);
}

static u64 ctl_msr(const struct vmx_ctl_caps *c, u32 default1)
{
	return (u64)c->may1 << 32 | c->must1 | default1;
}

/**
 * vmx_caps_get_msr - value of a capability MSR
 * @caps:  capabilities
 * @index: MSR
 * @val:   result
 *
 * Returns 0, or -ENOENT for any other MSR.
 */
int vmx_caps_get_msr(const struct vmx_caps *caps, u32 index, u64 *val)
{
	switch (index) {
	case MSR_IA32_VMX_BASIC:
		*val = caps->basic;
		return 0;
	case MSR_IA32_VMX_PINBASED_CTLS:
		*val = ctl_msr(&caps->pin, DEFAULT1_PIN);
		return 0;
	case MSR_IA32_VMX_TRUE_PINBASED_CTLS:
		*val = ctl_msr(&caps->pin, 0);
		return 0;
	case MSR_IA32_VMX_PROCBASED_CTLS:
		*val = ctl_msr(&caps->proc, DEFAULT1_PROC);
		return 0;
	case MSR_IA32_VMX_TRUE_PROCBASED_CTLS:
		*val = ctl_msr(&caps->proc, 0);
		return 0;
	case MSR_IA32_VMX_PROCBASED_CTLS2:
		*val = ctl_msr(&caps->proc2, 0);
		return 0;
	case MSR_IA32_VMX_EXIT_CTLS:
		*val = ctl_msr(&caps->exit, DEFAULT1_EXIT);
		return 0;
	case MSR_IA32_VMX_TRUE_EXIT_CTLS:
		*val = ctl_msr(&caps->exit, 0);
		return 0;
	case MSR_IA32_VMX_ENTRY_CTLS:
		*val = ctl_msr(&caps->entry, DEFAULT1_ENTRY);
		return 0;
	case MSR_IA32_VMX_TRUE_ENTRY_CTLS:
		*val = ctl_msr(&caps->entry, 0);
		return 0;
	case MSR_IA32_VMX_MISC:
		*val = caps->misc;
		return 0;
	case MSR_IA32_VMX_CR0_FIXED0:
		*val = caps->cr0_fixed0;
		return 0;
	case MSR_IA32_VMX_CR0_FIXED1:
		*val = caps->cr0_fixed1;
		return 0;
	case MSR_IA32_VMX_CR4_FIXED0:
		*val = caps->cr4_fixed0;
		return 0;
	case MSR_IA32_VMX_CR4_FIXED1:
		*val = caps->cr4_fixed1;
		return 0;
	case MSR_IA32_VMX_VMCS_ENUM:
		*val = caps->vmcs_enum;
		return 0;
	case MSR_IA32_VMX_EPT_VPID_CAP:
		*val = caps->ept_vpid;
		return 0;
	case MSR_IA32_VMX_VMFUNC:
		*val = caps->vmfunc;
		return 0;
	}
	return -ENOENT;
}

/* Restricting a control word: more bits may become fixed, none may be freed. */
static int set_ctl(struct vmx_ctl_caps *c, const struct vmx_ctl_caps *supported, u64 val)
{
	u32 must1 = (u32)val;
	u32 may1 = val >> 32;

	if ((must1 & supported->must1) != supported->must1 || (may1 & ~supported->may1))
		return -EINVAL;
	c->must1 = must1;
	c->may1 = may1;
	return 0;
}

static int set_basic(struct vmx_caps *caps, const struct vmx_caps *supported, u64 val)
{
	u64 feature = CAP_BASIC_INS_OUTS | CAP_BASIC_TRUE_CTLS;

	/* The format of the VMCS is not negotiable. */
	if ((val ^ supported->basic) & ~feature)
		return -EINVAL;
	if (val & ~supported->basic)
		return -EINVAL;
	caps->basic = val;
	return 0;
}

static int set_misc(struct vmx_caps *caps, const struct vmx_caps *supported, u64 val)
{
	u64 feature = HW_MISC | CAP_MISC_SAVE_EFER_LMA | CAP_MISC_VMWRITE_ANY;
	u64 fields = CAP_MISC_TIMER_RATE | CAP_MISC_CR3_TARGETS | CAP_MISC_MAX_MSR |
		     CAP_MISC_MSEG_REVISION;
	u64 have = supported->misc;

	if (val & ~(feature | fields))
		return -EINVAL;
	if (val & feature & ~have)
		return -EINVAL;
	if ((caps->pin.may1 & PIN_BASED_VMX_PREEMPTION_TIMER) &&
	    ((val ^ have) & CAP_MISC_TIMER_RATE))
		return -EINVAL;
	if ((val & CAP_MISC_CR3_TARGETS) > (have & CAP_MISC_CR3_TARGETS) ||
	    (val & CAP_MISC_MAX_MSR) > (have & CAP_MISC_MAX_MSR))
		return -EINVAL;
	if ((val ^ have) & CAP_MISC_MSEG_REVISION)
		return -EINVAL;
	caps->misc = val;
	return 0;
}

/* Clearing bits is a restriction for feature masks ... */
static int set_subset(u64 *cap, u64 supported, u64 val)
{
	if (val & ~supported)
		return -EINVAL;
	*cap = val;
	return 0;
}

/* ... and setting bits is one for the fixed-to-1 masks. */
static int set_superset(u64 *cap, u64 supported, u64 val)
{
	if (supported & ~val)
		return -EINVAL;
	*cap = val;
	return 0;
}

/**
 * vmx_caps_set_msr - user space restricts what L1 is offered
 * @caps:      the VM's capabilities, changed
 * @supported: what vmx_caps_init() said
 * @index:     MSR
 * @val:       new value
 *
 * Only subsets are accepted. The MSRs without TRUE in their name and those that
 * follow from CPUID are computed, and cannot be set, but writing the value they
 * already have is harmless. Returns 0, -EINVAL, or -ENOENT.
 */
int vmx_caps_set_msr(struct vmx_caps *caps, const struct vmx_caps *supported, u32 index, u64 val)
{
	u64 now;
	int r;

	switch (index) {
	case MSR_IA32_VMX_BASIC:
		return set_basic(caps, supported, val);
	case MSR_IA32_VMX_TRUE_PINBASED_CTLS:
		return set_ctl(&caps->pin, &supported->pin, val);
	case MSR_IA32_VMX_TRUE_PROCBASED_CTLS:
		return set_ctl(&caps->proc, &supported->proc, val);
	case MSR_IA32_VMX_PROCBASED_CTLS2:
		return set_ctl(&caps->proc2, &supported->proc2, val);
	case MSR_IA32_VMX_TRUE_EXIT_CTLS:
		return set_ctl(&caps->exit, &supported->exit, val);
	case MSR_IA32_VMX_TRUE_ENTRY_CTLS:
		return set_ctl(&caps->entry, &supported->entry, val);
	case MSR_IA32_VMX_MISC:
		return set_misc(caps, supported, val);
	case MSR_IA32_VMX_EPT_VPID_CAP:
		return set_subset(&caps->ept_vpid, supported->ept_vpid, val);
	case MSR_IA32_VMX_VMFUNC:
		return set_subset(&caps->vmfunc, supported->vmfunc, val);
	case MSR_IA32_VMX_CR0_FIXED0:
		return set_superset(&caps->cr0_fixed0, supported->cr0_fixed0, val);
	case MSR_IA32_VMX_CR4_FIXED0:
		return set_superset(&caps->cr4_fixed0, supported->cr4_fixed0, val);
	case MSR_IA32_VMX_VMCS_ENUM:
		/* Informative: nothing is checked against it, and stock KVM takes any value. */
		caps->vmcs_enum = val;
		return 0;
	}
	r = vmx_caps_get_msr(caps, index, &now);
	if (r)
		return r;
	return val == now ? 0 : -EINVAL;
}

/*
 * The controls that make fields exist (SDM appendix "Field Encoding in VMCS"): any of them does.
 * What has no row is never offered (the CORE_ masks above), but for VMCS12_NEEDS_ALWAYS. @exit_too
 * makes no field, but makes no sense without.
 */
static const struct {
	u32 pin, proc, proc2, exit, entry, exit_too;
} controls_of[VMCS12_NR_NEEDS] = {
	[VMCS12_NEEDS_PROC2] = { .proc = CPU_BASED_ACTIVATE_SECONDARY_CONTROLS },
	[VMCS12_NEEDS_MSR_BITMAP] = { .proc = CPU_BASED_USE_MSR_BITMAPS },
	[VMCS12_NEEDS_TPR_SHADOW] = { .proc = CPU_BASED_TPR_SHADOW },
	[VMCS12_NEEDS_APIC_ACCESS] = { .proc2 = SECONDARY_EXEC_VIRTUALIZE_APIC_ACCESSES },
	[VMCS12_NEEDS_EPT] = { .proc2 = SECONDARY_EXEC_ENABLE_EPT },
	[VMCS12_NEEDS_VPID] = { .proc2 = SECONDARY_EXEC_ENABLE_VPID },
	[VMCS12_NEEDS_PLE] = { .proc2 = SECONDARY_EXEC_PAUSE_LOOP_EXITING },
	[VMCS12_NEEDS_XSAVES] = { .proc2 = SECONDARY_EXEC_XSAVES },
	[VMCS12_NEEDS_TSC_SCALING] = { .proc2 = SECONDARY_EXEC_TSC_SCALING },
	[VMCS12_NEEDS_SHADOW_VMCS] = { .proc2 = SECONDARY_EXEC_SHADOW_VMCS },
	[VMCS12_NEEDS_PREEMPTION_TIMER] = { .pin = PIN_BASED_VMX_PREEMPTION_TIMER,
					    .exit_too = VM_EXIT_SAVE_VMX_PREEMPTION_TIMER },
	[VMCS12_NEEDS_PAT] = { .entry = VM_ENTRY_LOAD_IA32_PAT,
			       .exit = VM_EXIT_SAVE_IA32_PAT | VM_EXIT_LOAD_IA32_PAT },
	[VMCS12_NEEDS_EFER] = { .entry = VM_ENTRY_LOAD_IA32_EFER,
				.exit = VM_EXIT_SAVE_IA32_EFER | VM_EXIT_LOAD_IA32_EFER },
};

/**
 * vmx_caps_has - does a field exist for this VM?
 * @caps:  capabilities
 * @needs: what the field belongs to
 */
bool vmx_caps_has(const struct vmx_caps *caps, enum vmcs12_needs needs)
{
	if (needs == VMCS12_NEEDS_ALWAYS)
		return true;
	if (needs >= VMCS12_NR_NEEDS)
		return false;
	return (caps->pin.may1 & controls_of[needs].pin) ||
	       (caps->proc.may1 & controls_of[needs].proc) ||
	       (caps->proc2.may1 & controls_of[needs].proc2) ||
	       (caps->exit.may1 & controls_of[needs].exit) ||
	       (caps->entry.may1 & controls_of[needs].entry);
}

static void withdraw(struct vmx_ctl_caps *c, u32 bits)
{
	c->must1 &= ~bits;
	c->may1 &= ~bits;
}

/**
 * vmx_caps_withdraw - do without a field
 * @caps:  capabilities
 * @needs: what the field belongs to
 *
 * The controls that make such fields exist are no longer offered. Fields that are always there,
 * or never, are none of them.
 */
void vmx_caps_withdraw(struct vmx_caps *caps, enum vmcs12_needs needs)
{
	if (needs >= VMCS12_NR_NEEDS)
		return;
	withdraw(&caps->pin, controls_of[needs].pin);
	withdraw(&caps->proc, controls_of[needs].proc);
	withdraw(&caps->proc2, controls_of[needs].proc2);
	withdraw(&caps->exit, controls_of[needs].exit | controls_of[needs].exit_too);
	withdraw(&caps->entry, controls_of[needs].entry);
}
