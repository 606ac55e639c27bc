// SPDX-License-Identifier: GPL-2.0-only
/*
 * The Intel VMX backend: its table of operations, and the lives of the module,
 * a CPU, a VM and a vCPU. hw/hw.h says who calls what and when.
 */
#define pr_fmt(fmt) "turtles: vmx: " fmt

#include <linux/cpu.h>
#include <linux/gfp.h>
#include <linux/kvm.h>
#include <linux/mm.h>
#include <linux/percpu.h>
#include <linux/printk.h>
#include <linux/slab.h>
#include <asm/msr.h>
#include <asm/tlbflush.h>
#include "hw/vmx/vmx.h"
#include "linux/compat.h"

static DEFINE_PER_CPU(void *, vmxon_page);
/* VMX operation was entered by us on this CPU. */
static DEFINE_PER_CPU(bool, vmx_on);
/* The vCPU that ran here last: its branch predictions may still be here. */
static DEFINE_PER_CPU(struct vcpu *, last_vcpu);

static void free_vmxon_pages(void)
{
	int cpu;

	for_each_possible_cpu(cpu) {
		free_page((unsigned long)per_cpu(vmxon_page, cpu));
		per_cpu(vmxon_page, cpu) = NULL;
	}
}

static int alloc_vmxon_pages(void)
{
	int cpu;

	for_each_possible_cpu(cpu) {
		u32 *page = (u32 *)get_zeroed_page(GFP_KERNEL);

		if (!page) {
			free_vmxon_pages();
			return -ENOMEM;
		}
		*page = vmx_caps.revision;
		per_cpu(vmxon_page, cpu) = page;
	}
	return 0;
}

static int vmx_hardware_setup(void)
{
	int r;

	r = compat_vmx_supported();
	if (r) {
		pr_err("this kernel leaves no way to switch VMX on from a module, or runs with FRED\n");
		return r;
	}
	r = vmx_caps_probe();
	if (r)
		return r;
	r = alloc_vmxon_pages();
	if (r)
		return r;
	r = vmx_shadow_setup();
	if (r) {
		free_vmxon_pages();
		return r;
	}
	vmcs_init_cpu_lists();
	vmx_fill_pt_format(&vmx_ops.pt);
	vmx_fill_nested_caps();
	vmx_ops.nested_caps = &vmx_nested_caps;
	return 0;
}

static void vmx_hardware_unsetup(void)
{
	vmx_shadow_unsetup();
	free_vmxon_pages();
}

/* SDM "Enabling and Entering VMX Operation". */
static int check_feature_control(void)
{
	const u64 need = FEAT_CTL_LOCKED | FEAT_CTL_VMX_ENABLED_OUTSIDE_SMX;
	u64 val;

	rdmsrl(MSR_IA32_FEAT_CTL, val);
	if ((val & need) == need)
		return 0;
	if (val & FEAT_CTL_LOCKED) {
		pr_err("CPU %d: the firmware has disabled VMX\n", smp_processor_id());
		return -EOPNOTSUPP;
	}
	wrmsrl(MSR_IA32_FEAT_CTL, val | need);
	return 0;
}

static int vmxon(u64 pa)
{
	asm volatile goto("1: vmxon %[pa]\n\t" VMX_INSN_FIXUP
			  :
			  : [pa] "m"(pa)
			  : "cc", "memory"
			  : fail);
	return 0;
fail:
	return -EIO;
}

static void vmxoff(void)
{
	asm volatile goto("1: vmxoff\n\t" VMX_INSN_FIXUP : : : "cc", "memory" : fail);
fail:
	return;
}

static int vmx_cpu_enable(void)
{
	int r;

	lockdep_assert_irqs_disabled();
	if (native_read_cr4() & X86_CR4_VMXE)
		return -EBUSY;
	r = check_feature_control();
	if (r)
		return r;
	vmx_host_cpu_init();
	compat_cr4_set_vmxe();
	r = vmxon(__pa(__this_cpu_read(vmxon_page)));
	if (r) {
		compat_cr4_clear_vmxe();
		pr_err("CPU %d: VMXON failed\n", smp_processor_id());
		return r;
	}
	__this_cpu_write(vmx_on, true);
	__this_cpu_write(vmx_current_vmcs, NULL);
	vmx_tlb_flush_cpu();
	return 0;
}

static void vmx_cpu_disable(void)
{
	if (!__this_cpu_read(vmx_on))
		return;
	__this_cpu_write(vmx_on, false);
	vmcs_clear_all_local();
	vmxoff();
	compat_cr4_clear_vmxe();
}

static int vmx_vm_init(struct vm *vm)
{
	return 0;
}

static void vmx_vm_destroy(struct vm *vm)
{
}

/* KVM_CAP_X86_DISABLE_EXITS of the VM, set before its vCPUs exist. */
static u32 proc_controls(const struct vm *vm)
{
	u32 proc = vmx_caps.proc;

	if (vm->disabled_exits & KVM_X86_DISABLE_EXITS_HLT)
		proc &= ~CPU_BASED_HLT_EXITING;
	if (vm->disabled_exits & KVM_X86_DISABLE_EXITS_MWAIT)
		proc &= ~(CPU_BASED_MWAIT_EXITING | CPU_BASED_MONITOR_EXITING);
	return proc;
}

static u32 proc2_controls(const struct vm *vm)
{
	u32 proc2 = vmx_caps.proc2;

	if (vm->disabled_exits & KVM_X86_DISABLE_EXITS_PAUSE)
		proc2 &= ~SECONDARY_EXEC_PAUSE_LOOP_EXITING;
	return proc2;
}

static void setup_controls(struct vmx_vcpu *x, struct vmx_ctx *c)
{
	const struct vm *vm = x->v->vm;

	c->pin = vmx_caps.pin;
	c->proc = proc_controls(vm);
	c->proc2 = proc2_controls(vm);
	c->exit = vmx_caps.exit;
	c->entry = vmx_caps.entry;
	if (!c->vpid)
		c->proc2 &= ~SECONDARY_EXEC_ENABLE_VPID;
	vmwrite(PIN_BASED_VM_EXEC_CONTROL, c->pin);
	vmwrite(CPU_BASED_VM_EXEC_CONTROL, c->proc);
	vmwrite(SECONDARY_VM_EXEC_CONTROL, c->proc2);
	vmwrite(VM_EXIT_CONTROLS, c->exit);
	vmwrite(VM_ENTRY_CONTROLS, c->entry);
	if (c->proc2 & SECONDARY_EXEC_ENABLE_VPID)
		vmwrite(VIRTUAL_PROCESSOR_ID, c->vpid);
	if (c->proc2 & SECONDARY_EXEC_XSAVES)
		vmwrite(XSS_EXIT_BITMAP, 0);
	if (c->proc2 & SECONDARY_EXEC_PAUSE_LOOP_EXITING) {
		vmwrite(PLE_GAP, VMX_SPIN_GAP);
		vmwrite(PLE_WINDOW, VMX_SPIN_WINDOW);
	}
	if (c->pin & PIN_BASED_VMX_PREEMPTION_TIMER) {
		c->timer = ~0u;
		vmwrite(VMX_PREEMPTION_TIMER_VALUE, c->timer);
	}
	if (c->proc & CPU_BASED_TPR_SHADOW) {
		vmwrite(VIRTUAL_APIC_PAGE_ADDR, __pa(x->vapic));
		vmwrite(TPR_THRESHOLD, 0);
	}
	vmwrite(MSR_BITMAP, __pa(c->is_02 ? x->msr_bitmap02 : x->msr_bitmap));
	vmwrite(EXCEPTION_BITMAP, 0);
	vmwrite(TSC_OFFSET, 0);
	vmwrite(EPT_POINTER, 0);
}

/* Fields whose value is zero, or "none", in every VMCS of ours until something sets them. */
static void setup_quiet_fields(void)
{
	static const u32 zero[] = {
		PAGE_FAULT_ERROR_CODE_MASK,
		PAGE_FAULT_ERROR_CODE_MATCH,
		CR3_TARGET_COUNT,
		VM_EXIT_MSR_STORE_COUNT,
		VM_EXIT_MSR_LOAD_COUNT,
		VM_ENTRY_MSR_LOAD_COUNT,
		VM_ENTRY_INTR_INFO_FIELD,
		GUEST_INTERRUPTIBILITY_INFO,
		GUEST_ACTIVITY_STATE,
		GUEST_PENDING_DBG_EXCEPTIONS,
		GUEST_IA32_DEBUGCTL,
		GUEST_IA32_EFER,
		GUEST_SYSENTER_CS,
		GUEST_SYSENTER_ESP,
		GUEST_SYSENTER_EIP,
		GUEST_PDPTR0,
		GUEST_PDPTR1,
		GUEST_PDPTR2,
		GUEST_PDPTR3,
		GUEST_CR3,
		GUEST_RIP,
		GUEST_RSP,
	};
	int i;

	for (i = 0; i < ARRAY_SIZE(zero); i++)
		vmwrite(zero[i], 0);
	vmwrite(VMCS_LINK_POINTER, ~0ull);
	vmwrite(GUEST_IA32_PAT, VMX_PAT_RESET);
	vmwrite(GUEST_DR7, VMX_DR7_RESET);
	vmwrite(GUEST_RFLAGS, X86_EFLAGS_FIXED);
}

/* Write every field of a fresh VMCS that needs a first value; @c becomes current on this CPU. */
static void setup_ctx(struct vmx_vcpu *x, struct vmx_ctx *c)
{
	preempt_disable();
	vmcs_load(&c->vmcs);
	vmx_init_host_fields(c);
	setup_controls(x, c);
	setup_quiet_fields();
	c->rflags = X86_EFLAGS_FIXED;
	c->flush_ept = c->flush_vpid = true;
	x->cur = c;
	/* A fresh VMCS holds nothing that the caches could agree with. */
	vmwrite(CR0_READ_SHADOW, 0);
	vmwrite(CR4_READ_SHADOW, 0);
	vmwrite(CR0_GUEST_HOST_MASK, 0);
	vmwrite(CR4_GUEST_HOST_MASK, 0);
	vmx_set_cr0(x->v, X86_CR0_ET);
	vmx_set_cr4(x->v, 0);
	preempt_enable();
}

static int alloc_pages_of(struct vmx_vcpu *x)
{
	int r;

	x->vapic = (u8 *)get_zeroed_page(GFP_KERNEL_ACCOUNT);
	x->msr_bitmap = (u8 *)get_zeroed_page(GFP_KERNEL_ACCOUNT);
	x->msr_bitmap02 = (u8 *)get_zeroed_page(GFP_KERNEL_ACCOUNT);
	if (!x->vapic || !x->msr_bitmap || !x->msr_bitmap02)
		return -ENOMEM;
	r = vmcs_alloc(&x->c01.vmcs, false);
	return r ?: vmcs_alloc(&x->c02.vmcs, false);
}

static void vmx_vcpu_free(struct vcpu *v)
{
	struct vmx_vcpu *x = v->vmx;
	int cpu;

	if (!x)
		return;
	for_each_possible_cpu(cpu)
		cmpxchg(per_cpu_ptr(&last_vcpu, cpu), v, NULL);
	vmx_shadow_free(x);
	vmx_nested_free(x);
	vmcs_free(&x->c01.vmcs);
	vmcs_free(&x->c02.vmcs);
	vmx_vpid_free(x->c01.vpid);
	vmx_vpid_free(x->c02.vpid);
	free_page((unsigned long)x->vapic);
	free_page((unsigned long)x->msr_bitmap);
	free_page((unsigned long)x->msr_bitmap02);
	kfree(x);
	v->vmx = NULL;
}

static int vmx_vcpu_create(struct vcpu *v)
{
	struct vmx_vcpu *x;
	int r;

	x = kzalloc(sizeof(*x), GFP_KERNEL_ACCOUNT);
	if (!x)
		return -ENOMEM;
	v->vmx = x;
	x->v = v;
	x->last_cpu = -1;
	x->c02.is_02 = true;
	x->dr_exits = true;
	r = alloc_pages_of(x);
	if (!r)
		r = vmx_nested_create(x) ?: vmx_shadow_create(x);
	if (r) {
		vmx_vcpu_free(v);
		return r;
	}
	vmx_init_msr_bitmap(x);
	if (vmx_caps.use_vpid) {
		/* A context without one runs untagged: slower, not wrong. */
		vmx_vpid_alloc(&x->c01.vpid);
		vmx_vpid_alloc(&x->c02.vpid);
	}
	setup_ctx(x, &x->c02);
	setup_ctx(x, &x->c01);
	return 0;
}

static void vmx_vcpu_reset(struct vcpu *v)
{
	struct vmx_vcpu *x = v->vmx;

	vmx_make_current(x, &x->c01);
	vmx_reset_state(v);
	vmx_sync_01(x);
}

/**
 * vmx_make_current - switch the vCPU to its context @c
 * @x: the vCPU, loaded
 * @c: one of its contexts
 *
 * Preemption on is fine: the preempt notifier makes x->cur current again.
 */
void vmx_make_current(struct vmx_vcpu *x, struct vmx_ctx *c)
{
	preempt_disable();
	x->cur = c;
	vmcs_load(&c->vmcs);
	preempt_enable();
}

static void vmx_vcpu_load(struct vcpu *v, int cpu)
{
	struct vmx_vcpu *x = v->vmx;

	lockdep_assert_preemption_disabled();
	if (x->last_cpu != cpu) {
		/*
		 * Flushes were done on the CPU that the vCPU ran on. This one may
		 * hold translations from before them.
		 */
		x->c01.flush_ept = x->c02.flush_ept = true;
		x->c01.flush_vpid = x->c02.flush_vpid = true;
		x->c02.flush_ept_all = true;
		x->last_cpu = cpu;
	}
	vmx_shadow_migrate(x);
	vmcs_load(&x->cur->vmcs);
	if (__this_cpu_read(last_vcpu) != v) {
		/* One guest must not steer the speculation of another. */
		if (vmx_caps.ibpb)
			wrmsrl(MSR_IA32_PRED_CMD, PRED_CMD_IBPB);
		__this_cpu_write(last_vcpu, v);
	}
}

static void vmx_vcpu_put(struct vcpu *v)
{
	lockdep_assert_preemption_disabled();
	vmx_switch_to_host(v->vmx);
}

struct hw_ops vmx_ops = {
	.name = "vmx",
	.in_use_flag = "CR4.VMXE",
	.hardware_setup = vmx_hardware_setup,
	.hardware_unsetup = vmx_hardware_unsetup,
	.cpu_enable = vmx_cpu_enable,
	.cpu_disable = vmx_cpu_disable,

	.vm_init = vmx_vm_init,
	.vm_destroy = vmx_vm_destroy,
	.vcpu_create = vmx_vcpu_create,
	.vcpu_free = vmx_vcpu_free,
	.vcpu_reset = vmx_vcpu_reset,
	.vcpu_load = vmx_vcpu_load,
	.vcpu_put = vmx_vcpu_put,

	.enter = vmx_enter,

	.get_seg = vmx_get_seg,
	.set_seg = vmx_set_seg,
	.get_gdt = vmx_get_gdt,
	.set_gdt = vmx_set_gdt,
	.get_idt = vmx_get_idt,
	.set_idt = vmx_set_idt,
	.get_cr0 = vmx_get_cr0,
	.set_cr0 = vmx_set_cr0,
	.get_cr3 = vmx_get_cr3,
	.set_cr3 = vmx_set_cr3,
	.set_pdptrs = vmx_set_pdptrs,
	.get_pdptrs = vmx_get_pdptrs,
	.get_cr4 = vmx_get_cr4,
	.set_cr4 = vmx_set_cr4,
	.get_efer = vmx_get_efer,
	.set_efer = vmx_set_efer,
	.get_dr7 = vmx_get_dr7,
	.set_dr7 = vmx_set_dr7,
	.get_msr = vmx_get_msr,
	.set_msr = vmx_set_msr,
	.get_cpl = vmx_get_cpl,
	.get_intr_shadow = vmx_get_intr_shadow,
	.set_intr_shadow = vmx_set_intr_shadow,
	.set_tsc_offset = vmx_set_tsc_offset,
	.l2_set_tsc_offset = vmx_l2_set_tsc_offset,

	.inject = vmx_inject,
	.set_window = vmx_set_window,
	.set_exc_intercepts = vmx_set_exc_intercepts,
	.set_dr_intercept = vmx_set_dr_intercept,
	.set_cr8_intercept = vmx_set_cr8_intercept,
	.set_msr_intercept = vmx_set_msr_intercept,

	.set_root = vmx_set_root,
	.tlb_flush = vmx_tlb_flush,
	.tlb_flush_gva = vmx_tlb_flush_gva,

	.l2_enter = vmx_l2_enter,
	.msr_bitmap_parts = vmx_msr_bitmap_parts,
	.l2_set_pages = vmx_l2_set_pages,
	.l2_set_timer = vmx_l2_set_timer,
	.l2_save = vmx_l2_save,
	.l2_leave = vmx_l2_leave,
	.vmcs12_sync = vmx_vmcs12_sync,
	.vmcs12_publish = vmx_vmcs12_publish,
};
