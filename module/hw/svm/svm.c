// SPDX-License-Identifier: GPL-2.0-only
/*
 * The AMD SVM backend's operations table, its load and unload, and the life of
 * VMs and vCPUs in it. Called by the core only; see svm.h for the map.
 */
#include <linux/err.h>
#include <linux/gfp.h>
#include <linux/mem_encrypt.h>
#include <linux/mm.h>
#include <linux/printk.h>
#include <linux/slab.h>
#include <linux/version.h>
#include <asm/cpufeature.h>
#include <asm/msr-index.h>
#include <asm/processor.h>
#include "hw/svm/svm.h"

/* CPUID 8000_000A EDX, APM "SVM Revision and Feature Identification". */
#define SVM_EDX_NPT	     BIT(0)
#define SVM_EDX_NRIPS	     BIT(3)
#define SVM_EDX_DECODE	     BIT(7)
#define SVM_EDX_PAUSE_FILTER BIT(10)
#define SVM_EDX_SPEC_CTRL    BIT(20)

#define PAUSE_FILTER_COUNT   3000
#define PAUSE_FILTER_THRESH  128

struct svm_features svm_features;
static struct hw_nested_caps svm_nested_caps;

static void svm_probe_features(u32 ebx, u32 edx)
{
	struct svm_features *f = &svm_features;

	f->nr_asids = ebx;
	f->nrips = edx & SVM_EDX_NRIPS;
	f->decode_assists = edx & SVM_EDX_DECODE;
	f->pause_filter = edx & SVM_EDX_PAUSE_FILTER;
	f->virt_spec_ctrl = edx & SVM_EDX_SPEC_CTRL;
	f->tsc_aux = boot_cpu_has(X86_FEATURE_RDTSCP) || boot_cpu_has(X86_FEATURE_RDPID);
	f->spec_ctrl = boot_cpu_has(X86_FEATURE_MSR_SPEC_CTRL);
}

/*
 * The nested tables are walked with the host's CR4.LA57, its EFER.NXE and its
 * PAT (APM "Nested Paging"): index 0 is write-back and index 3 uncacheable in
 * Linux. The memory-encryption bit belongs to every entry that names memory.
 */
static void svm_fill_pt(struct pt_format *pt)
{
	u64 enc = sme_me_mask;

	pt->levels = boot_cpu_has(X86_FEATURE_LA57) && (__read_cr4() & X86_CR4_LA57) ? 5 : 4;
	pt->max_level = boot_cpu_has(X86_FEATURE_GBPAGES) ? 3 : 2;
	pt->exec_only = false;
	pt->present = BIT_ULL(0);
	pt->table = BIT_ULL(0) | BIT_ULL(1) | BIT_ULL(2) | BIT_ULL(5) | enc;
	pt->read = BIT_ULL(0) | BIT_ULL(2);
	pt->write = BIT_ULL(1);
	pt->exec = 0;
	pt->nx = BIT_ULL(63);
	pt->large = BIT_ULL(7);
	pt->accessed = BIT_ULL(5);
	pt->dirty = BIT_ULL(6);
	pt->memtype_wb = enc;
	pt->memtype_uc = BIT_ULL(3) | BIT_ULL(4);
	pt->sw0 = BIT_ULL(9);
	pt->sw1 = BIT_ULL(10);
}

static void svm_hardware_unsetup(void)
{
	svm_cpus_free();
	svm_iopm_free();
}

static int svm_hardware_setup(void)
{
	u32 eax, ebx, ecx, edx;
	int err;

	if (!boot_cpu_has(X86_FEATURE_SVM))
		return -EOPNOTSUPP;
	cpuid(SVM_CPUID_FUNC, &eax, &ebx, &ecx, &edx);
	if (!(edx & SVM_EDX_NPT)) {
		pr_err("turtles: this CPU has SVM but no nested paging (NPT), which is needed\n");
		return -EOPNOTSUPP;
	}
	if (!boot_cpu_has(X86_FEATURE_NX)) {
		pr_err("turtles: no-execute paging is off, which is needed for NPT\n");
		return -EOPNOTSUPP;
	}
	if (ebx < 4) {
		pr_err("turtles: this CPU has only %u address space identifiers\n", ebx);
		return -EOPNOTSUPP;
	}
	svm_probe_features(ebx, edx);
	svm_fill_pt(&svm_ops.pt);
	svm_ops.sets_pdpte_a = hypervisor_cpuid_base("TCGTCGTCGTCG", 0);
	svm_features.forgets_shadow = svm_ops.sets_pdpte_a;
	svm_features.repeats_intr = svm_ops.sets_pdpte_a;
	svm_fill_nested_caps(&svm_nested_caps);

	err = svm_iopm_alloc();
	if (err)
		return err;
	err = svm_cpus_alloc();
	if (err)
		svm_hardware_unsetup();
	return err;
}

static int svm_vm_init(struct vm *vm)
{
	return 0;
}

static void svm_vm_destroy(struct vm *vm)
{
}

static void svm_ctx_free(struct svm_ctx *ctx)
{
	free_page((unsigned long)ctx->vmcb);
	if (ctx->msrpm)
		svm_msrpm_free(ctx->msrpm);
}

/* Constant controls of a context; the rest comes with reset or l2_enter. */
static int svm_ctx_init(struct svm_ctx *ctx)
{
	struct svm_control *c;

	ctx->vmcb = (void *)get_zeroed_page(GFP_KERNEL_ACCOUNT);
	ctx->msrpm = svm_msrpm_alloc();
	if (!ctx->vmcb || !ctx->msrpm) {
		svm_ctx_free(ctx);
		return -ENOMEM;
	}
	ctx->pa = __sme_set(__pa(ctx->vmcb));
	ctx->cpu = -1;
	svm_base_intercepts(ctx->base);

	c = &ctx->vmcb->c;
	c->iopm_pa = svm_iopm_pa();
	c->msrpm_pa = __sme_set(__pa(ctx->msrpm));
	c->int_ctl = INT_CTL_MASKING;
	c->nested_ctl = NESTED_CTL_NP;
	return 0;
}

/* What context 01 exits for beyond the base, KVM_CAP_X86_DISABLE_EXITS obeyed. */
static void svm_ctx01_intercepts(struct vcpu *v, struct svm_ctx *ctx)
{
	u64 off = v->vm->disabled_exits;

	intercept_set(ctx->base, INTERCEPT_RDPMC);
	intercept_put(ctx->base, INTERCEPT_HLT, !(off & KVM_X86_DISABLE_EXITS_HLT));
	intercept_put(ctx->base, INTERCEPT_MONITOR, !(off & KVM_X86_DISABLE_EXITS_MWAIT));
	intercept_put(ctx->base, INTERCEPT_MWAIT, !(off & KVM_X86_DISABLE_EXITS_MWAIT));
	if (svm_features.pause_filter && !(off & KVM_X86_DISABLE_EXITS_PAUSE)) {
		intercept_set(ctx->base, INTERCEPT_PAUSE);
		ctx->vmcb->c.pause_filter_count = PAUSE_FILTER_COUNT;
		ctx->vmcb->c.pause_filter_thresh = PAUSE_FILTER_THRESH;
	}
}

/* Of each vCPU: two contexts with VMCB and MSR permission map. */
#define SVM_VCPU_BYTES ((long)(sizeof(struct svm_vcpu) + 2 * 3 * PAGE_SIZE))

static u32 svm_switch_flags(void)
{
	u32 flags = 0;

#if defined(X86_FEATURE_UNRET) && LINUX_VERSION_CODE >= KERNEL_VERSION(6, 16, 0)
	if (boot_cpu_has(X86_FEATURE_UNRET) || boot_cpu_has(X86_FEATURE_SRSO_ALIAS))
		flags |= SWF_IBPB;
#endif
#ifdef X86_FEATURE_ENTRY_IBPB
	if (boot_cpu_has(X86_FEATURE_ENTRY_IBPB))
		flags |= SWF_IBPB;
#endif
#ifdef X86_FEATURE_IBPB_ON_VMEXIT
	if (boot_cpu_has(X86_FEATURE_IBPB_ON_VMEXIT))
		flags |= SWF_IBPB;
#endif
	return flags;
}

static int svm_vcpu_create(struct vcpu *v)
{
	struct svm_vcpu *svm = kzalloc(sizeof(*svm), GFP_KERNEL_ACCOUNT);
	int err;

	if (!svm)
		return -ENOMEM;
	err = svm_ctx_init(&svm->ctx[0]);
	if (err)
		goto free_svm;
	err = svm_ctx_init(&svm->ctx[1]);
	if (err)
		goto free_01;
	svm->cur = &svm->ctx[0];
	svm->dr_intercept = true; /* until the core says otherwise */
	svm->sw.regs = v->regs;
	svm->sw.flags = svm_switch_flags();
	svm_ctx01_intercepts(v, &svm->ctx[0]);
	/* In context 02 nothing is passed through until L1's bitmap says so. */
	svm_msrpm_merge(svm->ctx[1].msrpm, svm->ctx[0].msrpm, NULL);
	v->svm = svm;
	mem_account(SVM_VCPU_BYTES);
	return 0;

free_01:
	svm_ctx_free(&svm->ctx[0]);
free_svm:
	kfree(svm);
	return err;
}

static void svm_vcpu_free(struct vcpu *v)
{
	struct svm_vcpu *svm = v->svm;

	if (!svm)
		return;
	svm_forget_vcpu(v);
	svm_ctx_free(&svm->ctx[0]);
	svm_ctx_free(&svm->ctx[1]);
	kfree(svm);
	v->svm = NULL;
	mem_account(-SVM_VCPU_BYTES);
}

struct hw_ops svm_ops = {
	.name = "svm",
	.in_use_flag = "EFER.SVME",
	.nested_caps = &svm_nested_caps,

	.hardware_setup = svm_hardware_setup,
	.hardware_unsetup = svm_hardware_unsetup,
	.cpu_enable = svm_cpu_enable,
	.cpu_disable = svm_cpu_disable,

	.vm_init = svm_vm_init,
	.vm_destroy = svm_vm_destroy,
	.vcpu_create = svm_vcpu_create,
	.vcpu_free = svm_vcpu_free,
	.vcpu_reset = svm_vcpu_reset,
	.vcpu_load = svm_vcpu_load,
	.vcpu_put = svm_vcpu_put,

	.enter = svm_enter,

	.get_seg = svm_get_seg,
	.set_seg = svm_set_seg,
	.get_gdt = svm_get_gdt,
	.set_gdt = svm_set_gdt,
	.get_idt = svm_get_idt,
	.set_idt = svm_set_idt,
	.get_cr0 = svm_get_cr0,
	.set_cr0 = svm_set_cr0,
	.get_cr3 = svm_get_cr3,
	.set_cr3 = svm_set_cr3,
	.set_pdptrs = svm_set_pdptrs,
	.get_cr4 = svm_get_cr4,
	.set_cr4 = svm_set_cr4,
	.get_efer = svm_get_efer,
	.set_efer = svm_set_efer,
	.get_dr7 = svm_get_dr7,
	.set_dr7 = svm_set_dr7,
	.get_msr = svm_get_msr,
	.set_msr = svm_set_msr,
	.get_cpl = svm_get_cpl,
	.get_intr_shadow = svm_get_intr_shadow,
	.set_intr_shadow = svm_set_intr_shadow,
	.set_tsc_offset = svm_set_tsc_offset,
	.l2_set_tsc_offset = svm_l2_set_tsc_offset,

	.inject = svm_inject,
	.set_window = svm_set_window,
	.set_exc_intercepts = svm_set_exc_intercepts,
	.set_dr_intercept = svm_set_dr_intercept,
	.set_cr8_intercept = svm_set_cr8_intercept,
	.set_msr_intercept = svm_set_msr_intercept,

	.set_root = svm_set_root,
	.tlb_flush = svm_tlb_flush,
	.tlb_flush_gva = svm_tlb_flush_gva,

	.l2_enter = svm_l2_enter,
	.l2_set_pages = svm_l2_set_pages,
	.l2_save = svm_l2_save,
	.l2_leave = svm_l2_leave,
};
