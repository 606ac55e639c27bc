/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The nested VMX capabilities of one VM: the MSRs that L1 reads, and the same
 * values in the form in which the entry checks use them. There is no second
 * list of what is allowed anywhere.
 *
 * Called by api/ and vcpu/ (reading, restricting) and by the rest of nested/.
 * Knows of the hardware only what struct hw_nested_caps says.
 */
#ifndef TURTLES_NESTED_CAPS_H
#define TURTLES_NESTED_CAPS_H

#include <linux/types.h>
#include "hw/nested_caps.h"
#include "nested/vmcs12.h"

/**
 * struct vmx_ctl_caps - allowed settings of one control word
 * @must1: bits that must be 1 (low half of the TRUE capability MSR)
 * @may1:  bits that may be 1 (high half)
 */
struct vmx_ctl_caps {
	u32 must1;
	u32 may1;
};

/**
 * struct vmx_caps - IA32_VMX_* as offered to L1
 *
 * Control words hold the values of the TRUE MSRs; the others are computed.
 * Set up once per VM, changed only by user space before L1 runs.
 */
struct vmx_caps {
	u64 basic;
	u64 misc;
	u64 cr0_fixed0;
	u64 cr0_fixed1;
	u64 cr4_fixed0;
	u64 cr4_fixed1;
	u64 vmcs_enum;
	u64 ept_vpid;
	u64 vmfunc;
	struct vmx_ctl_caps pin;
	struct vmx_ctl_caps proc;
	struct vmx_ctl_caps proc2;
	struct vmx_ctl_caps exit;
	struct vmx_ctl_caps entry;
};

/* Fields of IA32_VMX_EPT_VPID_CAP; INVVPID's are in the upper half. */
#define CAP_EPT_EXEC_ONLY	   (1ull << 0)
#define CAP_EPT_WALK_4		   (1ull << 6)
#define CAP_EPT_UC		   (1ull << 8)
#define CAP_EPT_WB		   (1ull << 14)
#define CAP_EPT_2M		   (1ull << 16)
#define CAP_EPT_1G		   (1ull << 17)
#define CAP_EPT_INVEPT		   (1ull << 20)
#define CAP_EPT_AD		   (1ull << 21)
#define CAP_EPT_INVEPT_SINGLE	   (1ull << 25)
#define CAP_EPT_INVEPT_GLOBAL	   (1ull << 26)
#define CAP_VPID_INVVPID	   (1ull << 32)
#define CAP_VPID_ADDRESS	   (1ull << 40)
#define CAP_VPID_SINGLE		   (1ull << 41)
#define CAP_VPID_GLOBAL		   (1ull << 42)
#define CAP_VPID_SINGLE_NON_GLOBAL (1ull << 43)

/* Fields of IA32_VMX_MISC. */
#define CAP_MISC_TIMER_RATE	    0x1full
#define CAP_MISC_SAVE_EFER_LMA	    (1ull << 5)
#define CAP_MISC_ACTIVITY_HLT	    (1ull << 6)
#define CAP_MISC_ACTIVITY_SHUTDOWN  (1ull << 7)
#define CAP_MISC_ACTIVITY_WAIT_SIPI (1ull << 8)
#define CAP_MISC_CR3_TARGETS	    0x01ff0000ull
#define CAP_MISC_MAX_MSR	    0x0e000000ull
#define CAP_MISC_VMWRITE_ANY	    (1ull << 29)
#define CAP_MISC_ZERO_LEN_INJECT    (1ull << 30)
#define CAP_MISC_MSEG_REVISION	    0xffffffff00000000ull

/* Fields of IA32_VMX_BASIC. */
#define CAP_BASIC_REVISION   0x7fffffffull
#define CAP_BASIC_SIZE_SHIFT 32
#define CAP_BASIC_SIZE	     (0x1fffull << CAP_BASIC_SIZE_SHIFT)
#define CAP_BASIC_WB	     (6ull << 50)
#define CAP_BASIC_INS_OUTS   (1ull << 54)
#define CAP_BASIC_TRUE_CTLS  (1ull << 55)

/* First and last MSR that vmx_caps_get_msr() knows. */
#define VMX_CAPS_FIRST_MSR 0x480u
#define VMX_CAPS_LAST_MSR  0x491u

void vmx_caps_init(struct vmx_caps *caps, const struct hw_nested_caps *hw);
void vmx_caps_set_cr4_valid(struct vmx_caps *caps, u64 cr4_valid);
int vmx_caps_get_msr(const struct vmx_caps *caps, u32 index, u64 *val);
int vmx_caps_set_msr(struct vmx_caps *caps, const struct vmx_caps *supported, u32 index, u64 val);
bool vmx_caps_has(const struct vmx_caps *caps, enum vmcs12_needs needs);
void vmx_caps_withdraw(struct vmx_caps *caps, enum vmcs12_needs needs);
u32 vmx_caps_max_msr_list(const struct vmx_caps *caps);

/* Is @val within the allowed settings of its control word? */
static inline bool vmx_ctl_allowed(const struct vmx_ctl_caps *c, u32 val)
{
	return (val & c->must1) == c->must1 && !(val & ~c->may1);
}

/* Are the bits fixed to 1 set, and those fixed to 0 clear? */
static inline bool vmx_fixed_bits_ok(u64 val, u64 fixed0, u64 fixed1)
{
	return (val & fixed0) == fixed0 && !(val & ~fixed1);
}

#endif /* TURTLES_NESTED_CAPS_H */
