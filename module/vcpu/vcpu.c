// SPDX-License-Identifier: GPL-2.0-only
/*
 * The life of VMs and vCPUs; a vCPU on and off a CPU; requests and kicks.
 *
 * Called by api/ (life, load, put) and by everyone (requests). Knows the objects a VM is
 * made of, not what they do.
 */
#include <linux/kvm_para.h>
#include <linux/mm.h>
#include <linux/sched/mm.h>
#include <linux/slab.h>

#include "irqchip/irqchip.h"
#include "linux/compat.h"
#include "mm/mm.h"
#include "vcpu/bus.h"
#include "vcpu/emulate.h"
#include "vcpu/hyperv.h"
#include "vcpu/nested.h"
#include "vcpu/vcpu.h"

struct hw_ops *hw;

static LIST_HEAD(vm_list);
static DEFINE_MUTEX(vm_list_lock); /* vm_list, ended_stats */
static struct vcpu_stats ended_stats;
static atomic_long_t mem_items[NR_MEM_ITEMS];

void mem_account_item(enum mem_item item, long bytes)
{
	atomic_long_add(bytes, &mem_items[item]);
}

long mem_accounted(enum mem_item item)
{
	return atomic_long_read(&mem_items[item]);
}

/* Requests and kicks ---------------------------------------------------------- */

/**
 * vcpu_request - ask the vCPU's thread for something; it looks before its next entry
 * @v: the vCPU
 * @req: what
 *
 * Whatever the request is about must be written before: pairs with the barrier in
 * take_request().
 */
void vcpu_request(struct vcpu *v, enum vcpu_req req)
{
	smp_mb__before_atomic();
	set_bit(req, &v->requests);
}

/*
 * True when the CPU that runs the vCPU must be interrupted; says so to one caller only.
 *
 * The vCPU stores IN_GUEST and then reads its requests; whoever kicks has set a request and
 * then reads the mode; both with a full barrier in between. So either the vCPU sees the
 * request and does not enter, or we see IN_GUEST here and interrupt it.
 */
static bool must_interrupt(struct vcpu *v)
{
	smp_mb();
	return cmpxchg(&v->mode, IN_GUEST, EXITING_GUEST) == IN_GUEST;
}

/**
 * vcpu_kick - make the vCPU leave the guest, or its wait, soon
 * @v: the vCPU
 *
 * Any context but NMI. The caller has made a request, or whatever the thread looks for.
 */
void vcpu_kick(struct vcpu *v)
{
	int me, cpu;

	rcuwait_wake_up(&v->wait);
	me = get_cpu();
	if (must_interrupt(v)) {
		cpu = READ_ONCE(v->cpu);
		if (cpu != me && cpu >= 0 && cpu_online(cpu))
			compat_send_reschedule(cpu);
	}
	put_cpu();
}

void vcpu_request_and_kick(struct vcpu *v, enum vcpu_req req)
{
	vcpu_request(v, req);
	vcpu_kick(v);
}

static void ack_nothing(void *unused)
{
}

static DEFINE_PER_CPU(struct cpumask, request_mask);

/* A vCPU that waits need not wake for what only matters at its next entry. */
static bool wakes(enum vcpu_req req)
{
	return req != REQ_TLB_FLUSH && req != REQ_MMU_RELOAD && req != REQ_L2_PAGES &&
	       req != REQ_CLOCK_UPDATE && req != REQ_STEAL_UPDATE;
}

/**
 * vm_request_all - make a request of every vCPU; return when no guest runs without it
 * @vm: the VM
 * @req: what
 *
 * Interrupts on; spinlocks may be held, but none that a vCPU thread takes with
 * interrupts off. Does not sleep.
 *
 * The interrupt sent to a CPU in guest mode can only be taken outside the guest, so its
 * acknowledgement proves the exit. A vCPU that was not in guest mode, or is in it again, has
 * passed its test of the requests since (see must_interrupt()). EXITING_GUEST counts as
 * in the guest: someone else's interrupt is on its way, but may not have arrived.
 */
void vm_request_all(struct vm *vm, enum vcpu_req req)
{
	vm_request_some(vm, req, NULL);
}

void vm_request_some(struct vm *vm, enum vcpu_req req, const unsigned long *who)
{
	struct cpumask *mask;
	unsigned int i;
	struct vcpu *v;
	int cpu;

	preempt_disable();
	mask = this_cpu_ptr(&request_mask);
	cpumask_clear(mask);
	vm_for_each_vcpu(vm, i, v)
	{
		if (who && !test_bit(i, who))
			continue;
		vcpu_request(v, req);
		if (wakes(req))
			rcuwait_wake_up(&v->wait);
		smp_mb__after_atomic();
		if (READ_ONCE(v->mode) == OUTSIDE_GUEST)
			continue;
		cpu = READ_ONCE(v->cpu);
		if (cpu >= 0)
			cpumask_set_cpu(cpu, mask);
	}
	smp_call_function_many(mask, ack_nothing, NULL, true);
	preempt_enable();
}

struct vcpu *vm_vcpu_by_id(struct vm *vm, u32 id)
{
	unsigned int i;
	struct vcpu *v;

	/* Most often the index is the ID. */
	if (id < vm_nr_vcpus(vm) && vm->vcpus[id]->id == id)
		return vm->vcpus[id];
	vm_for_each_vcpu(vm, i, v)
	{
		if (v->id == id)
			return v;
	}
	return NULL;
}

/* On and off a CPU -------------------------------------------------------------- */

static void load_on_cpu(struct vcpu *v, int cpu)
{
	if (unlikely(!hw_on_this_cpu())) {
		/*
		 * This CPU is going offline and the scheduler is about to push the
		 * thread off it. Nothing of the backend may run here any more.
		 */
		v->cpu = -1;
		set_tsk_need_resched(current);
		return;
	}
	if (v->last_cpu != cpu)
		vcpu_request(v, REQ_CLOCK_UPDATE);
	v->cpu = cpu;
	v->last_cpu = cpu;
	hw->vcpu_load(v, cpu);
	if (v->steal.msr & KVM_MSR_ENABLED)
		vcpu_steal_loaded(v);
}

static void put_from_cpu(struct vcpu *v)
{
	if (v->cpu < 0)
		return;
	hw->vcpu_put(v);
	v->cpu = -1;
}

static void vcpu_sched_in(struct preempt_notifier *pn, int cpu)
{
	load_on_cpu(container_of(pn, struct vcpu, preempt_notifier), cpu);
}

static void vcpu_sched_out(struct preempt_notifier *pn, struct task_struct *next)
{
	struct vcpu *v = container_of(pn, struct vcpu, preempt_notifier);

	if (v->steal.msr & KVM_MSR_ENABLED)
		vcpu_steal_preempted(v);
	put_from_cpu(v);
}

static struct preempt_ops vcpu_preempt_ops = {
	.sched_in = vcpu_sched_in,
	.sched_out = vcpu_sched_out,
};

/**
 * vcpu_load - the calling thread will work on this vCPU
 * @v: the vCPU; its mutex is held, or nobody else knows it yet
 *
 * From here to vcpu_put() the backend's accessors may be called, whatever CPU the
 * scheduler moves the thread to.
 */
void vcpu_load(struct vcpu *v)
{
	might_sleep();
	preempt_disable();
	while (unlikely(!hw_on_this_cpu())) {
		/* Going offline, or down: wait to be moved away. */
		preempt_enable();
		schedule_timeout_uninterruptible(1);
		preempt_disable();
	}
	preempt_notifier_register(&v->preempt_notifier);
	load_on_cpu(v, smp_processor_id());
	v->loaded = true;
	preempt_enable();
	vcpu_tsc_catch_up(v);
}

void vcpu_put(struct vcpu *v)
{
	preempt_disable();
	v->loaded = false;
	put_from_cpu(v);
	preempt_notifier_unregister(&v->preempt_notifier);
	preempt_enable();
}

/* vCPUs ------------------------------------------------------------------------ */

static void vcpu_free(struct vcpu *v)
{
	/* Each of these copes with what has not been made. */
	vcpu_nested_free(v);
	mm_vcpu_free(v);
	vcpu_clock_free(v);
	if (v->lapic)
		lapic_free(v);
	hv_vcpu_free(v);
	vcpu_free_cpuid(v);
	if (v->vmx)
		hw->vcpu_free(v);
	vcpu_fpu_free(v);
	kfree(v->emul);
	kfree(v->mce_banks);
	if (v->pio_data)
		free_page((unsigned long)v->pio_data);
	if (v->run_page)
		__free_page(v->run_page);
	put_pid(rcu_dereference_protected(v->pid, true));
	kfree(v);
	mem_account_item(MEM_VCPU, -(long)(sizeof(*v) + sizeof(*v->emul) + 2 * PAGE_SIZE));
}

static struct vcpu *vcpu_alloc(struct vm *vm, u32 id)
{
	struct vcpu *v = kzalloc(sizeof(*v), GFP_KERNEL_ACCOUNT);

	if (!v)
		return NULL;
	mem_account_item(MEM_VCPU, sizeof(*v) + sizeof(*v->emul) + 2 * PAGE_SIZE);
	v->vm = vm;
	v->id = id;
	v->cpu = -1;
	v->last_cpu = -1;
	mutex_init(&v->mutex);
	rcuwait_init(&v->wait);
	preempt_notifier_init(&v->preempt_notifier, &vcpu_preempt_ops);

	v->run_page = alloc_page(GFP_KERNEL_ACCOUNT | __GFP_ZERO);
	v->pio_data = (void *)get_zeroed_page(GFP_KERNEL_ACCOUNT);
	v->emul = kzalloc(sizeof(*v->emul), GFP_KERNEL_ACCOUNT);
	if (!v->run_page || !v->pio_data || !v->emul || vcpu_mce_create(v)) {
		vcpu_free(v);
		return NULL;
	}
	v->run = page_address(v->run_page);
	return v;
}

static int vcpu_setup(struct vcpu *v)
{
	int ret;

	vcpu_msr_init(v);
	ret = vcpu_fpu_create(v);
	if (ret)
		return ret;
	ret = hw->vcpu_create(v);
	if (ret)
		return ret;
	if (v->vm->irqchip) {
		ret = lapic_create(v);
		if (ret)
			return ret;
	}
	ret = vcpu_clock_create(v);
	if (ret)
		return ret;
	ret = vcpu_nested_create(v);
	if (ret)
		return ret;

	v->mp_state = v->id == v->vm->bsp_vcpu_id || !v->lapic ? KVM_MP_STATE_RUNNABLE :
								 KVM_MP_STATE_UNINITIALIZED;
	vcpu_load(v);
	vcpu_reset(v, false);
	vcpu_put(v);
	return 0;
}

static int vcpu_id_free(struct vm *vm, u32 id)
{
	if (id >= (vm->max_vcpu_id ?: VM_MAX_VCPUS) || vm_nr_vcpus(vm) >= VM_MAX_VCPUS)
		return -EINVAL;
	return vm_vcpu_by_id(vm, id) ? -EEXIST : 0;
}

/**
 * vcpu_create - KVM_CREATE_VCPU without its fd
 * @vm: the VM
 * @id: vCPU ID, which is the APIC ID after RESET
 * @out: the vCPU; it lives as long as @vm
 *
 * Return: 0, -EINVAL, -EEXIST, -ENOMEM.
 */
int vcpu_create(struct vm *vm, u32 id, struct vcpu **out)
{
	struct vcpu *v;
	int ret;

	mutex_lock(&vm->lock);
	ret = vcpu_id_free(vm, id);
	if (ret)
		goto out;
	ret = -ENOMEM;
	v = vcpu_alloc(vm, id);
	if (!v)
		goto out;
	v->idx = vm_nr_vcpus(vm);
	ret = vcpu_setup(v);
	if (ret) {
		vcpu_free(v);
		goto out;
	}
	vm->vcpus[v->idx] = v;
	/* Pairs with vm_nr_vcpus(): whoever sees the count sees the entry. */
	atomic_set_release(&vm->nr_vcpus, v->idx + 1);
	*out = v;
out:
	mutex_unlock(&vm->lock);
	return ret;
}

/* VMs -------------------------------------------------------------------------- */

static void add_stats(struct vcpu_stats *sum, const struct vcpu_stats *s)
{
	u64 *to = (u64 *)sum;
	const u64 *from = (const u64 *)s;
	size_t i;

	BUILD_BUG_ON(sizeof(*s) % sizeof(u64));
	for (i = 0; i < sizeof(*s) / sizeof(u64); i++)
		to[i] += READ_ONCE(from[i]);
}

void vm_sum_stats(struct vcpu_stats *sum)
{
	struct vm *vm;
	struct vcpu *v;
	unsigned int i;

	mutex_lock(&vm_list_lock);
	*sum = ended_stats;
	list_for_each_entry(vm, &vm_list, link) {
		vm_for_each_vcpu(vm, i, v) add_stats(sum, &v->stats);
	}
	mutex_unlock(&vm_list_lock);
}

void vm_for_each(void (*fn)(struct vm *vm, void *arg), void *arg)
{
	struct vm *vm;

	mutex_lock(&vm_list_lock);
	list_for_each_entry(vm, &vm_list, link)
		fn(vm, arg);
	mutex_unlock(&vm_list_lock);
}

static void vm_unlist(struct vm *vm)
{
	struct vcpu *v;
	unsigned int i;

	mutex_lock(&vm_list_lock);
	list_del(&vm->link);
	vm_for_each_vcpu(vm, i, v) add_stats(&ended_stats, &v->stats);
	mutex_unlock(&vm_list_lock);
}

static int vm_init_parts(struct vm *vm)
{
	int ret;

	ret = init_srcu_struct(&vm->srcu);
	if (ret)
		return ret;
	vm->ring_page = alloc_page(GFP_KERNEL_ACCOUNT | __GFP_ZERO);
	if (!vm->ring_page) {
		ret = -ENOMEM;
		goto err_srcu;
	}
	ret = hw_power_get();
	if (ret)
		goto err_ring;
	ret = hw->vm_init(vm);
	if (ret)
		goto err_power;
	ret = vm_mm_create(vm);
	if (ret)
		goto err_hw;
	return 0;

err_hw:
	hw->vm_destroy(vm);
err_power:
	hw_power_put();
err_ring:
	__free_page(vm->ring_page);
err_srcu:
	cleanup_srcu_struct(&vm->srcu);
	return ret;
}

/**
 * vm_create - KVM_CREATE_VM without its fd
 * @type: machine type, 0
 * @out: the VM, with one reference
 *
 * Process context of the thread group whose memory the guest will have.
 * Return: 0, -EINVAL, -ENOMEM, -EBUSY (another hypervisor owns a CPU).
 */
int vm_create(unsigned long type, struct vm **out)
{
	struct vm *vm;
	int ret;

	if (type)
		return -EINVAL;
	vm = kvzalloc(sizeof(*vm), GFP_KERNEL_ACCOUNT);
	if (!vm)
		return -ENOMEM;
	refcount_set(&vm->refs, 1);
	mutex_init(&vm->lock);
	mutex_init(&vm->slots_lock);
	spin_lock_init(&vm->clock_lock);
	spin_lock_init(&vm->ring_lock);
	vm->mm_user = current->mm;
	mmgrab(vm->mm_user);

	ret = vm_init_parts(vm);
	if (ret) {
		mmdrop(vm->mm_user);
		kvfree(vm);
		return ret;
	}
	/* kvmclock starts at 0 with the VM. */
	vm->clock_offset_ns = -(s64)ktime_get_boottime_ns();
	mem_account_item(MEM_VM, sizeof(*vm) + PAGE_SIZE);
	mutex_lock(&vm_list_lock);
	list_add_tail(&vm->link, &vm_list);
	mutex_unlock(&vm_list_lock);
	*out = vm;
	return 0;
}

void vm_get(struct vm *vm)
{
	refcount_inc(&vm->refs);
}

static void vm_destroy(struct vm *vm)
{
	unsigned int i, n = vm_nr_vcpus(vm);

	vm_unlist(vm);
	/*
	 * Devices first: nothing can raise an interrupt any more; then what makes requests of
	 * vCPUs, then those.
	 */
	vm_buses_destroy(vm);
	if (vm->irqchip)
		irqchip_destroy(vm->irqchip);
	vm_mm_detach(vm);
	for (i = 0; i < n; i++)
		vcpu_free(vm->vcpus[i]);
	hv_vm_free(vm);
	vm_set_msr_filter(vm, NULL);
	vm_mm_destroy(vm);
	hw->vm_destroy(vm);
	hw_power_put();
	__free_page(vm->ring_page);
	cleanup_srcu_struct(&vm->srcu);
	mmdrop(vm->mm_user);
	kvfree(vm);
	mem_account_item(MEM_VM, -(long)(sizeof(*vm) + PAGE_SIZE));
}

void vm_put(struct vm *vm)
{
	if (refcount_dec_and_test(&vm->refs))
		vm_destroy(vm);
}
