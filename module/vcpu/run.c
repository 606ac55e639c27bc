// SPDX-License-Identifier: GPL-2.0-only
/*
 * THE loop. Everything a vCPU does passes through here; docs/tour.md walks it.
 *
 *   vcpu_run -> vcpu_prepare     requests, events, second-level root (may sleep)
 *	      -> vcpu_enter_guest  preemption off, the world switch, short exits at once
 *	      -> vcpu_handle_exit  all other exits (may sleep)
 */
#include <linux/kvm.h>
#include <linux/context_tracking.h>
#include <linux/rcupdate.h>
#include <linux/sched/signal.h>
#include <linux/vtime.h>
#include <asm/processor-flags.h>

#include "irqchip/irqchip.h"
#include "linux/compat.h"
#include "linux/trace.h"
#include "mm/mm.h"
#include "vcpu/core.h"
#include "vcpu/emulate.h"
#include "vcpu/hyperv.h"
#include "vcpu/nested.h"
#include "vcpu/tpr.h"

static bool take_request(struct vcpu *v, enum vcpu_req req)
{
	if (!test_bit(req, &v->requests))
		return false;
	clear_bit(req, &v->requests);
	/* What was asked for must be seen by whom serves it: pairs with vcpu_request(). */
	smp_mb__after_atomic();
	return true;
}

static int triple_fault(struct vcpu *v)
{
	if (v->in_l2)
		return nested_triple_fault(v);
	v->run->exit_reason = KVM_EXIT_SHUTDOWN;
	return EXIT_TO_USER;
}

/* Give the hardware the root of the level that will run. */
static int load_root(struct vcpu *v)
{
	u64 root = mm_root(v, nested_uses_ept(v), nested_eptp(v));

	if (!root)
		return -ENOMEM;
	v->root_hpa = root;
	hw->set_root(v, root);
	return RESUME_GUEST;
}

/* Split irqchip: user space waits for the EOI of its IOAPIC's level interrupts. */
static bool split_eoi(struct vcpu *v)
{
	int vector = lapic_take_user_eoi(v);

	if (vector < 0)
		return false;
	v->run->exit_reason = KVM_EXIT_IOAPIC_EOI;
	v->run->eoi.vector = vector;
	return true;
}

/*
 * What could not be done for want of memory is still to be done: user space may make room and call
 * KVM_RUN again, and without a new root the hardware would go on with the old one, whose pages may be
 * gone.
 */
static int keep_if_failed(struct vcpu *v, enum vcpu_req req, int r)
{
	if (r < 0)
		vcpu_request(v, req);
	return r;
}

static int serve_requests(struct vcpu *v)
{
	int r;

	if (test_bit(REQ_VM_DEAD, &v->requests))
		return -EIO;
	if (take_request(v, REQ_TRIPLE_FAULT)) {
		r = triple_fault(v);
		if (r != RESUME_GUEST)
			return r;
	}
	if (take_request(v, REQ_TPR_ACCESS))
		return tpr_access_report(v);
	if (take_request(v, REQ_L2_RESTORED)) {
		r = keep_if_failed(v, REQ_L2_RESTORED, nested_resume(v));
		if (r != RESUME_GUEST)
			return r;
	}
	if (take_request(v, REQ_CLOCK_UPDATE)) {
		vcpu_clock_update(v);
		if (v->hv)
			hv_clock_changed(v);
	}
	if (take_request(v, REQ_HYPERV)) {
		r = hv_serve(v);
		if (r != RESUME_GUEST)
			return r;
	}
	if (take_request(v, REQ_STEAL_UPDATE))
		vcpu_steal_update(v);
	if (take_request(v, REQ_MSR_FILTER))
		vcpu_apply_msr_filter(v);
	if (take_request(v, REQ_EVENT)) {
		if (v->vm->irqchip_split && split_eoi(v)) {
			vcpu_request(v, REQ_EVENT);
			return EXIT_TO_USER;
		}
		if (v->lapic)
			lapic_service_timer(v);
		r = vcpu_accept_init_sipi(v);
		if (r != RESUME_GUEST)
			return r;
		if (unlikely(READ_ONCE(v->smi_pending))) {
			r = vcpu_accept_smi(v);
			if (r != RESUME_GUEST)
				return r;
		}
		if (!vcpu_runnable(v))
			return RESUME_GUEST;
		r = keep_if_failed(v, REQ_EVENT, vcpu_prepare_events(v));
		if (r != RESUME_GUEST)
			return r;
	}
	if (take_request(v, REQ_L2_PAGES)) {
		r = keep_if_failed(v, REQ_L2_PAGES, nested_reload_pages(v));
		if (r != RESUME_GUEST)
			return r;
	}
	if (take_request(v, REQ_MMU_RELOAD)) {
		r = keep_if_failed(v, REQ_MMU_RELOAD, load_root(v));
		if (r != RESUME_GUEST)
			return r;
	}
	if (take_request(v, REQ_TLB_FLUSH))
		hw->tlb_flush(v, true);
	return RESUME_GUEST;
}

/*
 * CR8 lives in v->cr8 while the guest runs and in the local APIC otherwise. A local APIC in user
 * space must learn of each lowering: what waits there is not known here.
 */
static void sync_cr8_to_hw(struct vcpu *v)
{
	u32 threshold = v->cr8;

	if (v->lapic) {
		v->cr8 = lapic_get_cr8(v);
		threshold = lapic_tpr_threshold(v);
	}
	v->cr8_given = v->cr8;
	hw->set_cr8_intercept(v, v->in_l2 ? 0 : threshold);
}

static void sync_cr8_from_hw(struct vcpu *v)
{
	if (v->lapic && v->cr8 != v->cr8_given) {
		lapic_set_cr8(v, v->cr8);
		v->cr8_given = v->cr8;
		vcpu_request(v, REQ_EVENT);
	}
}

/*
 * One world switch, interrupts off. Time is accounted to the guest until the host
 * interrupt that may have ended its turn has been taken, so that a tick finds it there.
 */
static void switch_to_guest(struct vcpu *v)
{
	vcpu_load_guest_dr(v);
	vtime_account_guest_enter();
	context_tracking_guest_enter();
	hw->enter(v, &v->exit);
	context_tracking_guest_exit();
	vcpu_save_guest_dr(v);
	smp_store_release(&v->mode, OUTSIDE_GUEST);

	/* STI lets interrupts in only behind the instruction that follows: that must not be CLI. */
	local_irq_enable();
	v->stats.hw_exits++;
	local_irq_disable();
	vtime_account_guest_exit();
	local_irq_enable();
}

/*
 * Signals and rescheduling. The kernel's helper for this takes KVM's own struct kvm_vcpu, so it is
 * not for us; work that is only due on the return to user space waits until then.
 */
static bool host_work_pending(void)
{
	return need_resched() || signal_pending(current);
}

/*
 * Run the guest until an exit needs the slow path. Exits that need neither sleep nor guest
 * memory are handled right here, with the guest's FPU state left in the registers.
 * Returns true when v->exit waits for vcpu_handle_exit(), false when there is no exit to handle.
 */
static bool vcpu_enter_guest(struct vcpu *v)
{
	bool exited = false;

	preempt_disable();
	/*
	 * To run a guest is a quiescent state: nothing of the host is held across it. RCU wants
	 * to be told with interrupts off.
	 */
	local_irq_disable();
	rcu_virt_note_context_switch(smp_processor_id());
	local_irq_enable();
	vcpu_fpu_load(v);
	for (;;) {
		local_irq_disable();
		/* Pairs with vcpu_kick(): either the kick sees IN_GUEST, or we see the request. */
		smp_store_mb(v->mode, IN_GUEST);
		if (READ_ONCE(v->requests) || host_work_pending()) {
			smp_store_release(&v->mode, OUTSIDE_GUEST);
			local_irq_enable();
			break;
		}
		if (unlikely(v->want_immediate_exit)) {
			/* Taken as soon as the guest runs: the event is injected by then. */
			v->want_immediate_exit = false;
			compat_send_reschedule(smp_processor_id());
			vcpu_request(v, REQ_EVENT);
		}
		trace_turtles_entry(v->id, v->in_l2 ? 2 : 1, v->rip);
		switch_to_guest(v);
		trace_turtles_exit(v->id, v->in_l2 ? 2 : 1, v->rip, v->exit.reason, v->exit.raw,
				   v->exit.qual, v->exit.intr_info);

		sync_cr8_from_hw(v);
		vcpu_events_after_exit(v);
		if (!vcpu_handle_exit_fast(v)) {
			exited = true;
			break;
		}
	}
	vcpu_fpu_save(v);
	preempt_enable();
	return exited;
}

/* vm->srcu is held on entry and on return, but not while the guest runs: writers wait for it. */
static int run_once(struct vcpu *v, int *srcu_idx)
{
	bool exited;
	int r;

	if (READ_ONCE(v->requests)) {
		r = serve_requests(v);
		if (r != RESUME_GUEST || !vcpu_runnable(v))
			return r;
	}
	sync_cr8_to_hw(v);
	lapic_arm_pv_eoi(v);
	if (unlikely(v->tpr_page))
		tpr_page_to_guest(v);
	srcu_read_unlock(&v->vm->srcu, *srcu_idx);
	exited = vcpu_enter_guest(v);
	*srcu_idx = srcu_read_lock(&v->vm->srcu);
	lapic_sync_pv_eoi(v);
	if (unlikely(v->tpr_page))
		tpr_page_from_guest(v);
	return exited ? vcpu_handle_exit(v) : RESUME_GUEST;
}

static int host_work(struct vcpu *v, int *srcu_idx)
{
	if (signal_pending(current))
		return -EINTR;
	srcu_read_unlock(&v->vm->srcu, *srcu_idx);
	cond_resched();
	*srcu_idx = srcu_read_lock(&v->vm->srcu);
	return RESUME_GUEST;
}

static int run_loop(struct vcpu *v)
{
	int idx = srcu_read_lock(&v->vm->srcu);
	int r;

	do {
		if (vcpu_runnable(v) || READ_ONCE(v->requests)) {
			r = run_once(v, &idx);
		} else {
			srcu_read_unlock(&v->vm->srcu, idx);
			r = vcpu_block(v);
			idx = srcu_read_lock(&v->vm->srcu);
		}
		if (r == RESUME_GUEST && host_work_pending())
			r = host_work(v, &idx);
		if (r == RESUME_GUEST && vcpu_wants_user_window(v) && vcpu_ready_for_user_irq(v)) {
			v->run->exit_reason = KVM_EXIT_IRQ_WINDOW_OPEN;
			r = EXIT_TO_USER;
		}
	} while (r == RESUME_GUEST);

	srcu_read_unlock(&v->vm->srcu, idx);
	return r;
}

/* A user-space interrupt controller may use KVM_INTERRUPT now. */
bool vcpu_ready_for_user_irq(struct vcpu *v)
{
	return vcpu_accepts_user_pic(v) && !v->ev.user_irq_valid && !v->ev.irq.injected &&
	       !v->ev.exc.injected && !v->ev.nmi_injected && vcpu_irq_allowed(v);
}

static void fill_run_page(struct vcpu *v)
{
	struct kvm_run *run = v->run;

	run->if_flag = !!(v->rflags & X86_EFLAGS_IF);
	run->flags = v->smm ? KVM_RUN_X86_SMM : 0;
	run->cr8 = vcpu_get_cr8(v);
	run->apic_base = v->apic_base;
	run->ready_for_interrupt_injection = (v->lapic && !v->vm->irqchip_split) ||
					     vcpu_ready_for_user_irq(v);
}

/* Wait for INIT and SIPI: KVM_RUN then ends with -EAGAIN, as the KVM API has it. */
static int wait_uninitialized(struct vcpu *v)
{
	int r = vcpu_block(v);
	int idx;

	if (test_bit(REQ_VM_DEAD, &v->requests))
		return -EIO;
	if (r == RESUME_GUEST) {
		idx = srcu_read_lock(&v->vm->srcu);
		vcpu_accept_init_sipi(v);
		srcu_read_unlock(&v->vm->srcu, idx);
		r = -EAGAIN;
	}
	return r;
}

/**
 * vcpu_run - KVM_RUN
 * @v: the vCPU: mutex held, loaded, by its own thread
 *
 * Return: 0 with v->run filled in, or -EINTR, -EAGAIN, -EIO, -EFAULT, -ENOMEM.
 */
int vcpu_run(struct vcpu *v)
{
	int r, idx;

	lockdep_assert_held(&v->mutex);
	might_sleep();
	if (v->mp_state == KVM_MP_STATE_UNINITIALIZED) {
		if (READ_ONCE(v->run->immediate_exit))
			return -EINTR;
		return wait_uninitialized(v);
	}
	if (!v->lapic && vcpu_set_cr8(v, READ_ONCE(v->run->cr8)))
		return -EINVAL;
	if (vcpu_wants_user_window(v))
		vcpu_request(v, REQ_EVENT);

	r = RESUME_GUEST;
	if (v->emul->complete) {
		int (*complete)(struct vcpu *) = v->emul->complete;

		v->emul->complete = NULL;
		idx = srcu_read_lock(&v->vm->srcu);
		r = complete(v);
		srcu_read_unlock(&v->vm->srcu, idx);
	}
	if (r == RESUME_GUEST && READ_ONCE(v->run->immediate_exit)) {
		/* Clients finish an access this way and go on to look at its exit reason. */
		r = -EINTR;
	} else if (r == RESUME_GUEST) {
		r = run_loop(v);
		if (r == -EINTR)
			v->run->exit_reason = KVM_EXIT_INTR;
	}

	if (r == EXIT_TO_USER || r == -EINTR)
		v->stats.user_exits++;
	fill_run_page(v);
	return r;
}
