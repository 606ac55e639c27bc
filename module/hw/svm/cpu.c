// SPDX-License-Identifier: GPL-2.0-only
/*
 * One processor: SVM on and off, the host-save area of VMRUN, and the part of
 * the host's state that VMRUN does not save and VMSAVE/VMLOAD do.
 *
 * Called by the module's CPU hotplug callbacks and by vcpu_load()/vcpu_put();
 * it must not know what a guest looks like.
 */
#include <linux/cpu.h>
#include <linux/gfp.h>
#include <linux/io.h>
#include <linux/irq_work.h>
#include <linux/mem_encrypt.h>
#include <linux/mm.h>
#include <linux/percpu.h>
#include <linux/printk.h>
#include <asm/cpufeature.h>
#include <asm/desc.h>
#include <asm/msr-index.h>
#include "hw/svm/svm.h"

DEFINE_PER_CPU(struct svm_cpu, svm_cpus);

static void nothing(struct irq_work *work)
{
}

/** svm_leave_soon - make an interrupt pending, so that the next entry ends after its event */
void svm_leave_soon(void)
{
	irq_work_queue(&this_cpu_ptr(&svm_cpus)->leave_work);
}

static void svm_cpu_free(struct svm_cpu *sc)
{
	if (sc->leave_work.func)
		irq_work_sync(&sc->leave_work);
	if (sc->hsave)
		__free_page(sc->hsave);
	free_page((unsigned long)sc->host);
	sc->hsave = NULL;
	sc->host = NULL;
}

/** svm_cpus_free - reverse of svm_cpus_alloc() */
void svm_cpus_free(void)
{
	int cpu;

	for_each_possible_cpu(cpu)
		svm_cpu_free(per_cpu_ptr(&svm_cpus, cpu));
}

/** svm_cpus_alloc - host-save and VMSAVE pages of every possible CPU */
int svm_cpus_alloc(void)
{
	int cpu;

	for_each_possible_cpu(cpu) {
		struct svm_cpu *sc = per_cpu_ptr(&svm_cpus, cpu);

		/* Not by an initializer: modules' per-CPU data is not relocated. */
		sc->leave_work = IRQ_WORK_INIT_HARD(nothing);
		sc->hsave = alloc_page(GFP_KERNEL | __GFP_ZERO);
		sc->host = (void *)get_zeroed_page(GFP_KERNEL);
		if (!sc->hsave || !sc->host) {
			svm_cpus_free();
			return -ENOMEM;
		}
		sc->host_pa = __sme_set(__pa(sc->host));
	}
	return 0;
}

/**
 * svm_cpu_enable - make this CPU ready for VMRUN; interrupts off
 *
 * APM "Enabling SVM": VM_CR.SVMDIS may have been set by the firmware.
 * EFER.SVME already set means that somebody else is using SVM.
 */
int svm_cpu_enable(void)
{
	struct svm_cpu *sc = this_cpu_ptr(&svm_cpus);
	u64 efer;

	lockdep_assert_irqs_disabled();
	if (sc->enabled)
		return 0;
	if (!boot_cpu_has(X86_FEATURE_SVM) || !sc->hsave)
		return -EOPNOTSUPP;
	if (svm_rdmsr(MSR_VM_CR) & SVM_VM_CR_SVM_DIS_MASK) {
		pr_err("turtles: SVM is disabled by the firmware on CPU %d\n", smp_processor_id());
		return -EOPNOTSUPP;
	}
	efer = svm_rdmsr(MSR_EFER);
	if (efer & EFER_SVME)
		return -EBUSY;
	svm_wrmsr(MSR_EFER, efer | EFER_SVME);
	svm_wrmsr(MSR_VM_HSAVE_PA, __sme_set(page_to_phys(sc->hsave)));

	/* Nothing tagged before now is trusted: the first ASID taken flushes all. */
	sc->max_asid = svm_features.nr_asids - 1;
	sc->next_asid = sc->max_asid + 1;
	sc->asid_gen++;
	sc->last = NULL;
	sc->enabled = true;
	return 0;
}

/** svm_cpu_disable - reverse of svm_cpu_enable(); also on reboot and crash */
void svm_cpu_disable(void)
{
	struct svm_cpu *sc = this_cpu_ptr(&svm_cpus);
	u64 efer;

	if (!sc->enabled)
		return;
	sc->enabled = false;
	svm_wrmsr(MSR_VM_HSAVE_PA, 0);
	efer = svm_rdmsr(MSR_EFER);
	if (efer & EFER_SVME) {
		/*
		 * A crash may come between CLGI and STGI; clearing SVME with
		 * GIF clear would leave NMIs blocked (APM "Enabling SVM").
		 */
		asm volatile("stgi");
		svm_wrmsr(MSR_EFER, efer & ~EFER_SVME);
	}
}

/**
 * svm_save_host - keep what VMLOAD must give back after each exit
 *
 * FS, GS and KERNEL_GS_BASE are the current thread's and the current CPU's;
 * none of them changes while the thread stays in the kernel on this CPU, so
 * once per vcpu_load() is enough. LDTR may change (another thread of the
 * process may call modify_ldt()): run.c looks at it before each entry.
 */
void svm_save_host(struct svm_vcpu *svm)
{
	struct svm_cpu *sc = this_cpu_ptr(&svm_cpus);
	u16 ldt;

	if (unlikely(!sc->enabled))
		return; /* a CPU that goes offline: nothing will be entered */
	asm volatile("vmsave %0" : : "a"(sc->host_pa) : "memory");
	store_ldt(ldt);
	svm->host_ldt = ldt;
	svm->sw.host_pa = sc->host_pa;
}

/** svm_load_tsc_aux - @val is the guest's TSC_AUX; load it when it differs */
void svm_load_tsc_aux(struct vcpu *v, u64 val)
{
	struct svm_vcpu *svm = v->svm;

	svm->tsc_aux = val;
	if (!svm_features.tsc_aux || v->cpu < 0)
		return;
	if (!svm->tsc_aux_loaded) {
		svm->host_tsc_aux = svm_rdmsr(MSR_TSC_AUX);
		if (svm->host_tsc_aux == val)
			return;
		svm->tsc_aux_loaded = true;
	}
	svm_wrmsr(MSR_TSC_AUX, val);
}

/**
 * svm_predictor_barrier - forget indirect branch targets
 *
 * One guest must not steer the speculation of the next (APM "Indirect Branch
 * Prediction Barrier").
 */
void svm_predictor_barrier(void)
{
#ifdef X86_FEATURE_USE_IBPB
	if (boot_cpu_has(X86_FEATURE_USE_IBPB))
		svm_wrmsr(MSR_IA32_PRED_CMD, PRED_CMD_IBPB);
#else
	if (boot_cpu_has(X86_FEATURE_IBPB))
		svm_wrmsr(MSR_IA32_PRED_CMD, PRED_CMD_IBPB);
#endif
}

/** svm_vcpu_load - this vCPU will run on @cpu; preemption off */
void svm_vcpu_load(struct vcpu *v, int cpu)
{
	struct svm_cpu *sc = this_cpu_ptr(&svm_cpus);
	struct svm_vcpu *svm = v->svm;

	lockdep_assert_preemption_disabled();
	if (sc->last != v) {
		sc->last = v;
		svm_predictor_barrier();
	}
	svm_save_host(svm);
	if (svm_features.spec_ctrl)
		svm->sw.host_spec = svm_rdmsr(MSR_IA32_SPEC_CTRL);
	if (svm_features.tsc_aux) {
		svm->host_tsc_aux = svm_rdmsr(MSR_TSC_AUX);
		if (svm->host_tsc_aux != svm->tsc_aux) {
			svm_wrmsr(MSR_TSC_AUX, svm->tsc_aux);
			svm->tsc_aux_loaded = true;
		}
	}
}

/** svm_vcpu_put - host MSRs back; preemption off */
void svm_vcpu_put(struct vcpu *v)
{
	struct svm_vcpu *svm = v->svm;

	lockdep_assert_preemption_disabled();
	if (svm->tsc_aux_loaded) {
		svm_wrmsr(MSR_TSC_AUX, svm->host_tsc_aux);
		svm->tsc_aux_loaded = false;
	}
}

/** svm_forget_vcpu - @v is about to be freed: its address may be used again */
void svm_forget_vcpu(struct vcpu *v)
{
	int cpu;

	for_each_possible_cpu(cpu)
		cmpxchg(&per_cpu_ptr(&svm_cpus, cpu)->last, v, NULL);
}
