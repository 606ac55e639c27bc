// SPDX-License-Identifier: GPL-2.0-only
/*
 * The vCPU fd: KVM_RUN, the mapping of the run page, and the way to every other
 * ioctl (vcpu_state.c). One at a time: vcpu->mutex is held throughout.
 */
#include <linux/compat.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/pid.h>
#include <linux/rcupdate.h>
#include <linux/sched/signal.h>
#include <linux/srcu.h>

#include "api/api.h"
#include "linux/trace.h"
#include "vcpu/vcpu.h"

/* Whose thread it is, for directed yields. */
static void note_thread(struct vcpu *v)
{
	struct pid *old = rcu_dereference_protected(v->pid, lockdep_is_held(&v->mutex));

	if (likely(old == task_pid(current)))
		return;
	rcu_assign_pointer(v->pid, get_task_pid(current, PIDTYPE_PID));
	vcpu_steal_new_thread(v);
	if (old) {
		synchronize_rcu();
		put_pid(old);
	}
}

/* KVM_CAP_SYNC_REGS: registers by way of the run page, which user space may change any time. */
static int sync_regs_in(struct vcpu *v)
{
	struct kvm_run *run = v->run;
	u64 dirty = READ_ONCE(run->kvm_dirty_regs);
	int ret;

	if (likely(!dirty && !READ_ONCE(run->kvm_valid_regs)))
		return 0;
	if ((dirty | READ_ONCE(run->kvm_valid_regs)) & ~KVM_SYNC_X86_VALID_FIELDS)
		return -EINVAL;
	if (dirty & KVM_SYNC_X86_REGS) {
		struct kvm_regs regs = run->s.regs.regs;

		barrier();
		vcpu_set_regs(v, &regs);
	}
	if (dirty & KVM_SYNC_X86_SREGS) {
		struct kvm_sregs sregs = run->s.regs.sregs;

		barrier();
		ret = vcpu_set_sregs(v, &sregs);
		if (ret)
			return ret;
	}
	if (dirty & KVM_SYNC_X86_EVENTS) {
		struct kvm_vcpu_events events = run->s.regs.events;

		barrier();
		ret = vcpu_set_events(v, &events);
		if (ret)
			return ret;
	}
	run->kvm_dirty_regs = 0;
	return 0;
}

static void sync_regs_out(struct vcpu *v)
{
	struct kvm_run *run = v->run;
	u64 valid = READ_ONCE(run->kvm_valid_regs);

	if (likely(!valid))
		return;
	if (valid & KVM_SYNC_X86_REGS)
		vcpu_get_regs(v, &run->s.regs.regs);
	if (valid & KVM_SYNC_X86_SREGS)
		vcpu_get_sregs(v, &run->s.regs.sregs);
	if (valid & KVM_SYNC_X86_EVENTS)
		vcpu_get_events(v, &run->s.regs.events);
}

/* KVM_SET_SIGNAL_MASK: the mask while in KVM_RUN, as sigsuspend() does it. */
static void signals_in(struct vcpu *v)
{
	if (v->sigset_active)
		sigprocmask(SIG_SETMASK, &v->sigset, &current->real_blocked);
}

static void signals_out(struct vcpu *v)
{
	if (v->sigset_active) {
		sigprocmask(SIG_SETMASK, &current->real_blocked, NULL);
		sigemptyset(&current->real_blocked);
	}
}

static long run(struct vcpu *v, unsigned long arg)
{
	int ret, idx;

	if (arg)
		return -EINVAL;
	note_thread(v);
	signals_in(v);
	vcpu_load(v);
	idx = srcu_read_lock(&v->vm->srcu);
	ret = sync_regs_in(v);
	srcu_read_unlock(&v->vm->srcu, idx);
	if (!ret)
		ret = vcpu_run(v);
	sync_regs_out(v);
	vcpu_put(v);
	signals_out(v);
	trace_turtles_userspace_exit(v->id, v->run->exit_reason, ret);
	return ret;
}

static long vcpu_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	struct vcpu *v = file->private_data;
	const struct api_call *call = NULL;
	long ret;
	int idx;

	if (v->vm->mm_user != current->mm)
		return -EIO;
	if (cmd != KVM_RUN) {
		call = api_find(api_vcpu_calls, api_nr_vcpu_calls, cmd);
		if (!call)
			return -ENOTTY;
	}
	if (mutex_lock_killable(&v->mutex))
		return -EINTR;
	if (cmd == KVM_RUN) {
		ret = run(v, arg);
	} else {
		vcpu_load(v);
		idx = srcu_read_lock(&v->vm->srcu);
		ret = api_call(call, v, arg);
		srcu_read_unlock(&v->vm->srcu, idx);
		vcpu_put(v);
	}
	mutex_unlock(&v->mutex);
	return ret;
}

static vm_fault_t vcpu_fault(struct vm_fault *vmf)
{
	struct vcpu *v = vmf->vma->vm_file->private_data;
	struct page *page;

	switch (vmf->pgoff) {
	case 0:
		page = v->run_page;
		break;
	case KVM_PIO_PAGE_OFFSET:
		page = virt_to_page(v->pio_data);
		break;
	case KVM_COALESCED_MMIO_PAGE_OFFSET:
		page = v->vm->ring_page;
		break;
	default:
		return VM_FAULT_SIGBUS;
	}
	get_page(page);
	vmf->page = page;
	return 0;
}

static const struct vm_operations_struct vcpu_mmap_ops = {
	.fault = vcpu_fault,
};

static int vcpu_mmap(struct file *file, struct vm_area_struct *vma)
{
	vma->vm_ops = &vcpu_mmap_ops;
	return 0;
}

static int vcpu_release(struct inode *inode, struct file *file)
{
	struct vcpu *v = file->private_data;

	/* NULL when KVM_CREATE_VCPU failed after the file was made. */
	if (v)
		vm_put(v->vm);
	return 0;
}

const struct file_operations api_vcpu_fops = {
	.owner = THIS_MODULE,
	.release = vcpu_release,
	.unlocked_ioctl = vcpu_ioctl,
	.compat_ioctl = compat_ptr_ioctl,
	.mmap = vcpu_mmap,
	.llseek = noop_llseek,
};
