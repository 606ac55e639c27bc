// SPDX-License-Identifier: GPL-2.0-only
/*
 * Stolen time: how long the vCPU's thread was ready to run and did not, told to the guest in a
 * struct kvm_steal_time of its memory (MSR_KVM_STEAL_TIME), and whether it is off its CPU now.
 * Called by the MSR handlers, by the run loop (REQ_STEAL_UPDATE), and when the scheduler takes
 * or gives the CPU. Must not know what the guest makes of it.
 */
#include <linux/kvm_para.h>
#include <linux/sched.h>
#include <linux/sched/stat.h>
#include <linux/srcu.h>
#include <linux/stddef.h>
#include <linux/uaccess.h>

#include "mm/mm.h"
#include "vcpu/vcpu.h"

/* Bits 5:1 of the MSR are reserved; the struct is aligned to its size and in one page. */
#define STEAL_GPA(msr) ((msr)&KVM_STEAL_VALID_BITS)

static u64 run_delay(void)
{
#ifdef CONFIG_SCHED_INFO
	return current->sched_info.run_delay;
#else
	return 0;
#endif
}

/** steal_supported - does this kernel account for the time that tasks wait for a CPU? */
bool steal_supported(void)
{
	return sched_info_on();
}

/** vcpu_steal_set_msr - MSR_KVM_STEAL_TIME: 0, or 1 = #GP must follow */
int vcpu_steal_set_msr(struct vcpu *v, u64 val)
{
	if (!steal_supported() || (val & KVM_STEAL_RESERVED_MASK))
		return 1;
	v->steal.msr = val;
	if (val & KVM_MSR_ENABLED)
		vcpu_request(v, REQ_STEAL_UPDATE);
	return 0;
}

/** vcpu_steal_reset - RESET or INIT: the guest's memory is no longer where it said */
void vcpu_steal_reset(struct vcpu *v)
{
	v->steal.msr = 0;
	v->steal.told_preempted = false;
}

/** vcpu_steal_new_thread - another thread runs the vCPU from now on: its past does not count */
void vcpu_steal_new_thread(struct vcpu *v)
{
	v->steal.seen = run_delay();
}

/**
 * vcpu_steal_loaded - the vCPU is on a CPU again
 * @v: the vCPU; its thread, preemption off
 *
 * Nothing to say when nobody had to wait: a KVM_RUN costs two compares then.
 */
void vcpu_steal_loaded(struct vcpu *v)
{
	if (v->steal.told_preempted || v->steal.seen != run_delay())
		vcpu_request(v, REQ_STEAL_UPDATE);
}

/**
 * vcpu_steal_preempted - the scheduler takes the vCPU's CPU away
 * @v: the vCPU; its thread, in the scheduler: must not sleep
 *
 * A page that is not there just now is left alone: the flag is a hint for spinning guests.
 */
void vcpu_steal_preempted(struct vcpu *v)
{
	u64 gpa = STEAL_GPA(v->steal.msr) + offsetof(struct kvm_steal_time, preempted);
	u8 flag = KVM_VCPU_PREEMPTED;
	int idx;

	if (v->steal.told_preempted)
		return;
	pagefault_disable();
	idx = srcu_read_lock(&v->vm->srcu);
	if (!vm_write_guest(v->vm, gpa, &flag, sizeof(flag)))
		v->steal.told_preempted = true;
	srcu_read_unlock(&v->vm->srcu, idx);
	pagefault_enable();
}

/**
 * vcpu_steal_update - bring the guest's struct up to date (REQ_STEAL_UPDATE)
 * @v: the vCPU; its thread in KVM_RUN, vm->srcu held, may sleep
 *
 * The version is odd while the struct is inconsistent. A page that is not there is the
 * guest's own fault and ignored.
 */
void vcpu_steal_update(struct vcpu *v)
{
	u64 gpa = STEAL_GPA(v->steal.msr), now = run_delay();
	struct kvm_steal_time st;

	if (!(v->steal.msr & KVM_MSR_ENABLED))
		return;
	v->steal.told_preempted = false;
	if (vm_read_guest(v->vm, gpa, &st, sizeof(st)))
		return;
	st.version |= 1;
	if (vm_write_guest(v->vm, gpa + offsetof(struct kvm_steal_time, version), &st.version,
			   sizeof(st.version)))
		return;
	smp_wmb();
	st.steal += now - v->steal.seen;
	st.preempted = 0;
	v->steal.seen = now;
	if (vm_write_guest(v->vm, gpa, &st, offsetofend(struct kvm_steal_time, preempted)))
		return;
	smp_wmb();
	st.version++;
	vm_write_guest(v->vm, gpa + offsetof(struct kvm_steal_time, version), &st.version,
		       sizeof(st.version));
}
