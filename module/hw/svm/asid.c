// SPDX-License-Identifier: GPL-2.0-only
/*
 * TLB tags (APM "TLB Control", "Address Space Identifiers").
 *
 * Every CPU hands out ASIDs 1..max in order, under a generation number. A
 * context whose generation is not the CPU's takes the next one; when they run
 * out the generation advances and that one entry flushes all tags. So a flush
 * is nothing but giving up the ASID, and a context that comes to a new CPU
 * never meets translations left there by an earlier stay.
 *
 * Called by run.c before each entry and by the core's flush operations.
 */
#include <linux/mem_encrypt.h>
#include <linux/preempt.h>
#include "hw/svm/svm.h"

/** svm_asid_prepare - give @ctx a valid ASID on this CPU; interrupts off, and VMRUN follows */
void svm_asid_prepare(struct svm_ctx *ctx, int cpu)
{
	struct svm_cpu *sc = this_cpu_ptr(&svm_cpus);
	struct svm_control *c = &ctx->vmcb->c;

	if (likely(ctx->cpu == cpu && ctx->asid_gen == sc->asid_gen))
		return;
	if (ctx->cpu != cpu) {
		/* Neither the VMCB cache nor the tags of this CPU are ours. */
		ctx->cpu = cpu;
		c->clean = 0;
	}
	if (sc->next_asid > sc->max_asid) {
		sc->asid_gen++;
		sc->next_asid = 1;
		c->tlb_ctl = TLB_CTL_ALL;
	}
	c->asid = sc->next_asid++;
	ctx->asid_gen = sc->asid_gen;
	vmcb_dirty(ctx->vmcb, CLEAN_ASID);
}

/** svm_set_root - nested page table root of the current context */
void svm_set_root(struct vcpu *v, u64 root_hpa)
{
	struct svm_ctx *ctx = svm_cur(v);
	/* NPT always keeps the flags, and always takes page walks for writes. */
	u64 ncr3 = __sme_set(root_hpa & ~HW_ROOT_NO_AD);

	if (ctx->vmcb->c.nested_cr3 == ncr3)
		return;
	ctx->vmcb->c.nested_cr3 = ncr3;
	vmcb_dirty(ctx->vmcb, CLEAN_NP);
	ctx->asid_gen = 0;
}

/** svm_tlb_flush - forget the translations of the current or of both contexts */
void svm_tlb_flush(struct vcpu *v, bool all)
{
	svm_cur(v)->asid_gen = 0;
	if (all) {
		v->svm->ctx[0].asid_gen = 0;
		v->svm->ctx[1].asid_gen = 0;
	}
}

/** svm_tlb_flush_gva - forget one linear address of the current context */
void svm_tlb_flush_gva(struct vcpu *v, u64 gva)
{
	struct svm_ctx *ctx = svm_cur(v);
	const struct svm_cpu *sc;

	preempt_disable();
	sc = this_cpu_ptr(&svm_cpus);
	if (sc->enabled && ctx->cpu == smp_processor_id() && ctx->asid_gen == sc->asid_gen)
		asm volatile("invlpga %0, %1" : : "a"(gva), "c"(ctx->vmcb->c.asid) : "memory");
	else
		ctx->asid_gen = 0;
	preempt_enable();
}
