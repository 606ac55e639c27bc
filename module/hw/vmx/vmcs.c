// SPDX-License-Identifier: GPL-2.0-only
/*
 * VMCS regions and the per-CPU list of those that are active. Called by the
 * rest of hw/vmx; must not know what a field means.
 */
#define pr_fmt(fmt) "turtles: vmx: " fmt

#include <linux/gfp.h>
#include <linux/mm.h>
#include <linux/printk.h>
#include <linux/smp.h>
#include <linux/string.h>
#include "hw/vmx/vmcs.h"
#include "hw/vmx/vmx.h"

DEFINE_PER_CPU(struct vmcs *, vmx_current_vmcs);
/* VMCSs active on this CPU; changed on it with interrupts off. */
static DEFINE_PER_CPU(struct list_head, vmcs_active);

/* Report a VMX instruction that must not fail. Guests cannot cause this. */
void vmx_insn_failed(const char *insn, unsigned long operand, unsigned long value)
{
	pr_err_ratelimited("%s(%#lx) failed, value %#lx\n", insn, operand, value);
}

int vmx_vmclear(u64 pa)
{
	asm volatile goto("1: vmclear %[pa]\n\t" VMX_INSN_FIXUP
			  :
			  : [pa] "m"(pa)
			  : "cc", "memory"
			  : fail);
	return 0;
fail:
	vmx_insn_failed("VMCLEAR", pa, 0);
	return -EIO;
}

int vmx_vmptrld(u64 pa)
{
	asm volatile goto("1: vmptrld %[pa]\n\t" VMX_INSN_FIXUP
			  :
			  : [pa] "m"(pa)
			  : "cc", "memory"
			  : fail);
	return 0;
fail:
	vmx_insn_failed("VMPTRLD", pa, 0);
	return -EIO;
}

/**
 * vmcs_alloc - allocate a VMCS region
 * @vmcs:   to fill
 * @shadow: set the shadow-VMCS indicator (SDM "Format of the VMCS Region")
 */
int vmcs_alloc(struct vmcs *vmcs, bool shadow)
{
	vmcs->page = (void *)get_zeroed_page(GFP_KERNEL_ACCOUNT);
	if (!vmcs->page)
		return -ENOMEM;
	*(u32 *)vmcs->page = vmx_caps.revision | (shadow ? BIT(31) : 0);
	vmcs->pa = __pa(vmcs->page);
	vmcs->cpu = -1;
	vmcs->launched = false;
	INIT_LIST_HEAD(&vmcs->link);
	return 0;
}

/* Process context, interrupts on. */
void vmcs_free(struct vmcs *vmcs)
{
	if (!vmcs->page)
		return;
	vmcs_clear(vmcs);
	free_page((unsigned long)vmcs->page);
	vmcs->page = NULL;
}

/* On the CPU that holds @vmcs, interrupts off. */
void vmcs_clear_local(struct vmcs *vmcs)
{
	vmx_vmclear(vmcs->pa);
	if (__this_cpu_read(vmx_current_vmcs) == vmcs)
		__this_cpu_write(vmx_current_vmcs, NULL);
	list_del_init(&vmcs->link);
	vmcs->launched = false;
	/* The new owner reads launched and link after it has seen -1. */
	smp_store_release(&vmcs->cpu, -1);
}

static void vmcs_clear_ipi(void *arg)
{
	struct vmcs *vmcs = arg;

	/* It may have been cleared by CPU offline between the test and the IPI. */
	if (vmcs->cpu == smp_processor_id())
		vmcs_clear_local(vmcs);
}

/**
 * vmcs_clear - make @vmcs inactive everywhere
 * @vmcs: not in use by any running vCPU
 *
 * Interrupts on; waits for the CPU that holds it.
 */
void vmcs_clear(struct vmcs *vmcs)
{
	int cpu = smp_load_acquire(&vmcs->cpu);

	if (cpu >= 0)
		smp_call_function_single(cpu, vmcs_clear_ipi, vmcs, 1);
}

/**
 * vmcs_load - make @vmcs active and current on this CPU
 * @vmcs: the VMCS
 *
 * Preemption off. Interrupts on, unless this CPU already holds it.
 */
void vmcs_load(struct vmcs *vmcs)
{
	int cpu = smp_processor_id();
	unsigned long flags;

	if (vmcs->cpu != cpu) {
		vmcs_clear(vmcs);
		local_irq_save(flags);
		vmx_vmclear(vmcs->pa);
		list_add(&vmcs->link, this_cpu_ptr(&vmcs_active));
		vmcs->launched = false;
		vmcs->cpu = cpu;
		local_irq_restore(flags);
	}
	if (__this_cpu_read(vmx_current_vmcs) != vmcs) {
		__this_cpu_write(vmx_current_vmcs, vmcs);
		vmx_vmptrld(vmcs->pa);
	}
}

/* Before VMXOFF on this CPU, interrupts off. */
void vmcs_clear_all_local(void)
{
	struct vmcs *vmcs, *next;

	list_for_each_entry_safe(vmcs, next, this_cpu_ptr(&vmcs_active), link)
		vmcs_clear_local(vmcs);
}

void vmcs_init_cpu_lists(void)
{
	int cpu;

	for_each_possible_cpu(cpu) {
		INIT_LIST_HEAD(per_cpu_ptr(&vmcs_active, cpu));
		*per_cpu_ptr(&vmx_current_vmcs, cpu) = NULL;
	}
}
