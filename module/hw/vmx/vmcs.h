/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A hardware VMCS: allocation, which CPU holds it, and the instructions that
 * reach it. Used by every file of hw/vmx and by nothing else; knows nothing of
 * what the fields mean to a vCPU.
 *
 * A processor may keep VMCS data anywhere (SDM "Software Use of the VMCS and
 * Related Structures"), so a VMCS is cleared on the CPU that holds it before
 * another CPU loads it, before its page is freed, and before VMXOFF.
 */
#ifndef TURTLES_HW_VMX_VMCS_H
#define TURTLES_HW_VMX_VMCS_H

#include <linux/list.h>
#include <linux/percpu.h>
#include <linux/types.h>
#include <asm/asm.h>
#include <asm/vmx.h>

/**
 * struct vmcs - one VMCS region and who holds it
 * @page:     the region
 * @pa:	      its physical address
 * @cpu:      CPU that has it active, or -1; changed on that CPU only (or by its
 *	      owner while it is -1)
 * @launched: VMLAUNCH succeeded since the last VMCLEAR
 * @link:     in the list of the CPU that holds it; that CPU, interrupts off
 */
struct vmcs {
	void *page;
	u64 pa;
	int cpu;
	bool launched;
	struct list_head link;
};

/*
 * Ends a VMX instruction at label 1 of an asm goto: to "fail" when it sets CF or ZF, and when it
 * faults, because a reboot has switched VMX off.
 */
/* It would take the percent sign for an operator. */
/* clang-format off */
#define VMX_INSN_FIXUP	"jbe %l[fail]\n\t" _ASM_EXTABLE(1b, %l[fail])
/* clang-format on */

DECLARE_PER_CPU(struct vmcs *, vmx_current_vmcs);

int vmcs_alloc(struct vmcs *vmcs, bool shadow);
void vmcs_free(struct vmcs *vmcs);
void vmcs_load(struct vmcs *vmcs);
void vmcs_clear(struct vmcs *vmcs);
void vmcs_clear_local(struct vmcs *vmcs);
void vmcs_init_cpu_lists(void);
void vmcs_clear_all_local(void);
void vmx_insn_failed(const char *insn, unsigned long operand, unsigned long value);
int vmx_vmclear(u64 pa);
int vmx_vmptrld(u64 pa);

/**
 * vmread - read a field of this CPU's current VMCS
 * @field: encoding
 *
 * A failure means a bug of ours (or that VMX was switched off under us by a
 * reboot): it is reported once and reads as 0.
 */
static __always_inline u64 vmread(unsigned long field)
{
	unsigned long val;

	asm volatile goto("1: vmread %[field], %[val]\n\t" VMX_INSN_FIXUP
			  : [val] "=r"(val)
			  : [field] "r"(field)
			  : "cc"
			  : fail);
	return val;
fail:
	vmx_insn_failed("VMREAD", field, 0);
	return 0;
}

/**
 * vmwrite - write a field of this CPU's current VMCS
 * @field: encoding
 * @val:   value
 */
static __always_inline void vmwrite(unsigned long field, unsigned long val)
{
	asm volatile goto("1: vmwrite %[val], %[field]\n\t" VMX_INSN_FIXUP
			  :
			  : [val] "rm"(val), [field] "r"(field)
			  : "cc"
			  : fail);
	return;
fail:
	vmx_insn_failed("VMWRITE", field, val);
}

/* Write @val when the cached copy differs; for fields that only we change. */
#define vmwrite_cached(cache, field, val)      \
	do {                                   \
		typeof(cache) __new = (val);   \
                                               \
		if ((cache) != __new) {        \
			(cache) = __new;       \
			vmwrite(field, __new); \
		}                              \
	} while (0)

#endif /* TURTLES_HW_VMX_VMCS_H */
