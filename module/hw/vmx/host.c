// SPDX-License-Identifier: GPL-2.0-only
/*
 * Host state around a run: what a VM exit loads from the VMCS, and what it
 * destroys and must be put back before the thread leaves the kernel or the CPU
 * (SDM "Loading Host State"): selectors of FS, GS, DS and ES, LDTR, the limits
 * of GDTR, IDTR and TR, KERNEL_GS_BASE and the SYSCALL MSRs.
 *
 * Put back by vcpu_put(), not after each exit: the kernel itself uses none of it.
 */
#include <linux/percpu.h>
#include <linux/string.h>
#include <asm/cpu_entry_area.h>
#include <asm/desc.h>
#include <asm/msr.h>
#include <asm/nospec-branch.h>
#include <asm/segment.h>
#include "hw/vmx/vmx.h"

/**
 * struct host_cpu - host values that are constant on one CPU while the backend
 *		     is enabled there; filled by vmx_host_cpu_init()
 */
struct host_cpu {
	struct desc_ptr gdt, idt;
	u64 tr_base;
	u64 sysenter_cs, sysenter_esp, sysenter_eip;
	u64 user_msr[NR_USER_MSRS];
};

static DEFINE_PER_CPU(struct host_cpu, host_cpu);

static const u32 user_msr_index[NR_USER_MSRS] = {
	[UMSR_STAR] = MSR_STAR,
	[UMSR_LSTAR] = MSR_LSTAR,
	[UMSR_FMASK] = MSR_SYSCALL_MASK,
	[UMSR_TSC_AUX] = MSR_TSC_AUX,
};

static bool user_msr_exists(int i)
{
	return i != UMSR_TSC_AUX || (vmx_caps.proc2 & SECONDARY_EXEC_ENABLE_RDTSCP);
}

/* On the CPU, when VMX is switched on there. */
void vmx_host_cpu_init(void)
{
	struct host_cpu *h = this_cpu_ptr(&host_cpu);
	int i;

	native_store_gdt(&h->gdt);
	store_idt(&h->idt);
	h->tr_base = (u64)&get_cpu_entry_area(smp_processor_id())->tss.x86_tss;
	rdmsrl(MSR_IA32_SYSENTER_CS, h->sysenter_cs);
	rdmsrl(MSR_IA32_SYSENTER_ESP, h->sysenter_esp);
	rdmsrl(MSR_IA32_SYSENTER_EIP, h->sysenter_eip);
	for (i = 0; i < NR_USER_MSRS; i++)
		if (user_msr_exists(i))
			rdmsrl(user_msr_index[i], h->user_msr[i]);
}

u64 vmx_host_spec_ctrl(void)
{
	return this_cpu_read(x86_spec_ctrl_current);
}

/* A host selector field takes neither an RPL nor the LDT. */
static u16 vmcs_selector(u16 sel)
{
	return sel & 7 ? 0 : sel;
}

static u16 store_ldt_selector(void)
{
	u16 sel;

	asm volatile("sldt %0" : "=rm"(sel));
	return sel;
}

static void save_thread(struct vmx_host_thread *t)
{
	savesegment(fs, t->fs_sel);
	savesegment(gs, t->gs_sel);
	savesegment(ds, t->ds_sel);
	savesegment(es, t->es_sel);
	t->ldt_sel = store_ldt_selector();
	rdmsrl(MSR_KERNEL_GS_BASE, t->kernel_gs_base);
	rdmsrl(MSR_IA32_DEBUGCTLMSR, t->debugctl);
}

/* Interrupts off, before the first entry after vcpu_load(). */
void vmx_switch_to_guest(struct vmx_vcpu *x)
{
	const struct host_cpu *h = this_cpu_ptr(&host_cpu);
	struct vmx_host_fields f;
	int i;

	save_thread(&x->thread);
	memset(&f, 0, sizeof(f));
	rdmsrl(MSR_FS_BASE, f.fs_base);
	rdmsrl(MSR_GS_BASE, f.gs_base);
	f.tr_base = h->tr_base;
	f.gdt_base = h->gdt.address;
	f.idt_base = h->idt.address;
	f.sysenter_cs = h->sysenter_cs;
	f.sysenter_esp = h->sysenter_esp;
	f.sysenter_eip = h->sysenter_eip;
	f.fs_sel = vmcs_selector(x->thread.fs_sel);
	f.gs_sel = vmcs_selector(x->thread.gs_sel);
	f.ds_sel = vmcs_selector(x->thread.ds_sel);
	f.es_sel = vmcs_selector(x->thread.es_sel);
	if (memcmp(&x->host, &f, sizeof(f))) {
		x->host = f;
		x->host_gen++;
	}

	wrmsrl(MSR_KERNEL_GS_BASE, x->kernel_gs_base);
	for (i = 0; i < NR_USER_MSRS; i++)
		if (user_msr_exists(i) && x->user_msr[i] != h->user_msr[i])
			wrmsrl(user_msr_index[i], x->user_msr[i]);
	x->guest_loaded = true;
}

static void restore_segments(const struct vmx_vcpu *x)
{
	const struct vmx_host_thread *t = &x->thread;
	unsigned long flags;

	if (t->ldt_sel)
		asm volatile("lldt %0" : : "rm"(t->ldt_sel));
	if (t->gs_sel & 7) {
		/* Loads the user's GS without disturbing the kernel's base. */
		local_irq_save(flags);
		asm_load_gs_index(t->gs_sel);
		local_irq_restore(flags);
	}
	if (t->fs_sel & 7) {
		loadsegment(fs, t->fs_sel);
		wrmsrl(MSR_FS_BASE, x->host.fs_base);
	}
	if (t->ds_sel & 7)
		loadsegment(ds, t->ds_sel);
	if (t->es_sel & 7)
		loadsegment(es, t->es_sel);
}

/* Preemption off: the thread goes back to user space, sleeps or changes CPU. */
void vmx_switch_to_host(struct vmx_vcpu *x)
{
	const struct host_cpu *h = this_cpu_ptr(&host_cpu);
	int i;

	if (!x->guest_loaded)
		return;
	x->guest_loaded = false;
	rdmsrl(MSR_KERNEL_GS_BASE, x->kernel_gs_base);
	restore_segments(x);
	invalidate_tss_limit();
	/* After GS: loading that selector may have written the MSR. */
	wrmsrl(MSR_KERNEL_GS_BASE, x->thread.kernel_gs_base);
	native_load_gdt(&h->gdt);
	native_load_idt(&h->idt);
	for (i = 0; i < NR_USER_MSRS; i++)
		if (user_msr_exists(i) && x->user_msr[i] != h->user_msr[i])
			wrmsrl(user_msr_index[i], h->user_msr[i]);
}

/* @c's VMCS is current: bring its host fields up to x->host. */
void vmx_write_host_fields(struct vmx_vcpu *x, struct vmx_ctx *c)
{
	const struct vmx_host_fields *f = &x->host;
	struct vmx_host_fields *o = &c->host;

	vmwrite_cached(o->fs_base, HOST_FS_BASE, f->fs_base);
	vmwrite_cached(o->gs_base, HOST_GS_BASE, f->gs_base);
	vmwrite_cached(o->tr_base, HOST_TR_BASE, f->tr_base);
	vmwrite_cached(o->gdt_base, HOST_GDTR_BASE, f->gdt_base);
	vmwrite_cached(o->idt_base, HOST_IDTR_BASE, f->idt_base);
	vmwrite_cached(o->sysenter_cs, HOST_IA32_SYSENTER_CS, f->sysenter_cs);
	vmwrite_cached(o->sysenter_esp, HOST_IA32_SYSENTER_ESP, f->sysenter_esp);
	vmwrite_cached(o->sysenter_eip, HOST_IA32_SYSENTER_EIP, f->sysenter_eip);
	vmwrite_cached(o->fs_sel, HOST_FS_SELECTOR, f->fs_sel);
	vmwrite_cached(o->gs_sel, HOST_GS_SELECTOR, f->gs_sel);
	vmwrite_cached(o->ds_sel, HOST_DS_SELECTOR, f->ds_sel);
	vmwrite_cached(o->es_sel, HOST_ES_SELECTOR, f->es_sel);
	c->host_gen = x->host_gen;
}

/* A new VMCS is current: the host fields that never change, and zero in the others. */
void vmx_init_host_fields(struct vmx_ctx *c)
{
	static const u32 zero_first[] = {
		HOST_FS_BASE,		HOST_GS_BASE,		HOST_TR_BASE,
		HOST_GDTR_BASE,		HOST_IDTR_BASE,		HOST_IA32_SYSENTER_CS,
		HOST_IA32_SYSENTER_ESP, HOST_IA32_SYSENTER_EIP, HOST_FS_SELECTOR,
		HOST_GS_SELECTOR,	HOST_DS_SELECTOR,	HOST_ES_SELECTOR,
	};
	u64 val;
	int i;

	for (i = 0; i < ARRAY_SIZE(zero_first); i++)
		vmwrite(zero_first[i], 0);
	memset(&c->host, 0, sizeof(c->host));

	vmwrite(HOST_CR0, read_cr0() & ~X86_CR0_TS);
	c->host_cr3 = __native_read_cr3();
	c->host_cr4 = native_read_cr4();
	vmwrite(HOST_CR3, c->host_cr3);
	vmwrite(HOST_CR4, c->host_cr4);
	vmwrite(HOST_CS_SELECTOR, __KERNEL_CS);
	vmwrite(HOST_SS_SELECTOR, __KERNEL_DS);
	vmwrite(HOST_TR_SELECTOR, GDT_ENTRY_TSS * 8);
	rdmsrl(MSR_IA32_CR_PAT, val);
	vmwrite(HOST_IA32_PAT, val);
	rdmsrl(MSR_EFER, val);
	vmwrite(HOST_IA32_EFER, val);
	vmwrite(HOST_RIP, (unsigned long)vmx_exit_point);
	vmwrite(HOST_RSP, 0);
	c->sw.host_rsp = 0;
}
