// SPDX-License-Identifier: GPL-2.0-only
/*
 * KVM_IRQFD: an eventfd that raises a GSI, and for level-triggered lines a second one that
 * tells when the guest has acknowledged (resample).
 *
 * An irqfd goes when it is deassigned, when its eventfd is closed (seen in atomic
 * context), or when the VM fd is closed: whoever takes it off the list queues its shutdown,
 * which runs in a workqueue and alone frees it.
 */
#include <linux/eventfd.h>
#include <linux/file.h>
#include <linux/poll.h>
#include <linux/rculist.h>
#include <linux/slab.h>
#include <linux/workqueue.h>

#include "api/api.h"
#include "irqchip/env.h"
#include "irqchip/irqchip.h"
#include "linux/compat.h"
#include "vcpu/vcpu.h"

/**
 * struct irqfds - all irqfds of a VM; made with the first one
 * @assign_lock: held while an irqfd is made and while one is looked for to be deassigned, which
 *	must not find one that is half made
 * @lock: @items; also taken by the wake-up of an eventfd, interrupts off
 * @items: live irqfds
 * @resample_lock: @resamplers and their lists of irqfds
 */
struct irqfds {
	struct mutex assign_lock;
	spinlock_t lock;
	struct list_head items;
	struct mutex resample_lock;
	struct list_head resamplers;
};

/**
 * struct resampler - a level-triggered GSI; its line is low again as soon as the guest acknowledges
 * @notifier: in the irqchip's list, under its ack_lock
 * @vm:	      constant
 * @irqfds:   changed under irqfds.resample_lock, read under RCU
 * @link:     in irqfds.resamplers, under resample_lock
 */
struct resampler {
	struct irq_ack_notifier notifier;
	struct vm *vm;
	struct list_head irqfds;
	struct list_head link;
};

/**
 * struct irqfd - an eventfd that raises @gsi
 * @resample_ctx: NULL for edge-triggered use
 * @resampler, @resampler_link: under irqfds.resample_lock, the link also read under RCU
 * @link: in irqfds.items, under irqfds.lock; off the list means that @shutdown is queued
 *
 * The rest is constant once it is on the list.
 */
struct irqfd {
	struct vm *vm;
	u32 gsi;
	struct eventfd_ctx *ctx;
	struct eventfd_ctx *resample_ctx;
	struct resampler *resampler;
	struct list_head resampler_link;
	struct list_head link;
	wait_queue_entry_t wait;
	poll_table poll;
	struct work_struct shutdown;
};

static struct workqueue_struct *shutdown_wq;

static void irqfd_raise(struct irqfd *f)
{
	if (f->resampler) {
		irq_set(f->vm, IRQ_SOURCE_RESAMPLE, f->gsi, 1);
	} else {
		irq_set(f->vm, IRQ_SOURCE_USER, f->gsi, 1);
		irq_set(f->vm, IRQ_SOURCE_USER, f->gsi, 0);
	}
}

/* The guest has acknowledged the interrupt: lower the line, tell who may raise it again. */
static void resampler_acked(struct irq_ack_notifier *n)
{
	struct resampler *r = container_of(n, struct resampler, notifier);
	struct irqfd *f;

	irq_set(r->vm, IRQ_SOURCE_RESAMPLE, n->gsi, 0);
	rcu_read_lock();
	list_for_each_entry_rcu(f, &r->irqfds, resampler_link)
		compat_eventfd_signal(f->resample_ctx);
	rcu_read_unlock();
}

static int resampler_join(struct irqfds *all, struct irqfd *f)
{
	struct resampler *r;
	int ret = 0;

	mutex_lock(&all->resample_lock);
	list_for_each_entry(r, &all->resamplers, link) {
		if (r->notifier.gsi == f->gsi)
			goto found;
	}
	r = kzalloc(sizeof(*r), GFP_KERNEL_ACCOUNT);
	if (!r) {
		ret = -ENOMEM;
		goto out;
	}
	r->vm = f->vm;
	r->notifier.gsi = f->gsi;
	r->notifier.acked = resampler_acked;
	INIT_LIST_HEAD(&r->irqfds);
	list_add(&r->link, &all->resamplers);
	irq_ack_register(f->vm, &r->notifier);
found:
	f->resampler = r;
	list_add_rcu(&f->resampler_link, &r->irqfds);
out:
	mutex_unlock(&all->resample_lock);
	return ret;
}

static void resampler_leave(struct irqfds *all, struct irqfd *f)
{
	struct resampler *r = f->resampler;

	mutex_lock(&all->resample_lock);
	list_del_rcu(&f->resampler_link);
	synchronize_rcu();
	if (list_empty(&r->irqfds)) {
		list_del(&r->link);
		irq_ack_unregister(f->vm, &r->notifier);
		/* The line may have been left high for an acknowledgement to come. */
		irq_set(f->vm, IRQ_SOURCE_RESAMPLE, f->gsi, 0);
		synchronize_rcu();
		kfree(r);
	}
	mutex_unlock(&all->resample_lock);
}

static void irqfd_shutdown(struct work_struct *work)
{
	struct irqfd *f = container_of(work, struct irqfd, shutdown);
	u64 count;

	/* After this no wake-up is running or will run. */
	eventfd_ctx_remove_wait_queue(f->ctx, &f->wait, &count);
	if (f->resampler)
		resampler_leave(f->vm->irqfds, f);
	if (f->resample_ctx)
		eventfd_ctx_put(f->resample_ctx);
	eventfd_ctx_put(f->ctx);
	kfree(f);
}

/* Takes it off the list; the caller holds the list's lock. Only the first does it. */
static void irqfd_deactivate(struct irqfd *f)
{
	if (list_empty(&f->link))
		return;
	list_del_init(&f->link);
	queue_work(shutdown_wq, &f->shutdown);
}

/* The eventfd was signalled or closed; its wait queue's lock is held, interrupts are off. */
static int irqfd_wake(wait_queue_entry_t *wait, unsigned int mode, int sync, void *key)
{
	struct irqfd *f = container_of(wait, struct irqfd, wait);
	struct irqfds *all = f->vm->irqfds;
	__poll_t events = key_to_poll(key);
	unsigned long flags;
	u64 count;

	if (events & EPOLLIN) {
		eventfd_ctx_do_read(f->ctx, &count);
		irqfd_raise(f);
	}
	if (events & EPOLLHUP) {
		spin_lock_irqsave(&all->lock, flags);
		irqfd_deactivate(f);
		spin_unlock_irqrestore(&all->lock, flags);
	}
	return 0;
}

static void irqfd_queue(struct file *file, wait_queue_head_t *head, poll_table *pt)
{
	struct irqfd *f = container_of(pt, struct irqfd, poll);

	add_wait_queue(head, &f->wait);
}

static struct irqfds *irqfds_get(struct vm *vm)
{
	struct irqfds *all;

	mutex_lock(&vm->lock);
	all = vm->irqfds;
	if (!all) {
		all = kzalloc(sizeof(*all), GFP_KERNEL_ACCOUNT);
		if (all) {
			mutex_init(&all->assign_lock);
			spin_lock_init(&all->lock);
			INIT_LIST_HEAD(&all->items);
			mutex_init(&all->resample_lock);
			INIT_LIST_HEAD(&all->resamplers);
			smp_store_release(&vm->irqfds, all);
		}
	}
	mutex_unlock(&vm->lock);
	return all;
}

/* An eventfd feeds one GSI only. */
static int irqfd_list(struct irqfds *all, struct irqfd *f)
{
	struct irqfd *other;
	int ret = 0;

	spin_lock_irq(&all->lock);
	list_for_each_entry(other, &all->items, link) {
		if (other->ctx == f->ctx) {
			ret = -EBUSY;
			break;
		}
	}
	if (!ret)
		list_add_tail(&f->link, &all->items);
	spin_unlock_irq(&all->lock);
	return ret;
}

static int irqfd_open(struct irqfds *all, struct irqfd *f, struct file *file,
		      const struct kvm_irqfd *arg)
{
	struct eventfd_ctx *ctx;
	int ret;

	ctx = eventfd_ctx_fileget(file);
	if (IS_ERR(ctx))
		return PTR_ERR(ctx);
	f->ctx = ctx;
	if (!(arg->flags & KVM_IRQFD_FLAG_RESAMPLE))
		return 0;
	ctx = eventfd_ctx_fdget(arg->resamplefd);
	if (IS_ERR(ctx))
		return PTR_ERR(ctx);
	f->resample_ctx = ctx;
	ret = resampler_join(all, f);
	return ret;
}

static void irqfd_undo(struct irqfds *all, struct irqfd *f)
{
	if (f->resampler)
		resampler_leave(all, f);
	if (f->resample_ctx)
		eventfd_ctx_put(f->resample_ctx);
	if (f->ctx)
		eventfd_ctx_put(f->ctx);
	kfree(f);
}

static long irqfd_assign(struct vm *vm, const struct kvm_irqfd *arg)
{
	struct irqfds *all = irqfds_get(vm);
	struct irqfd *f;
	struct file *file;
	int ret;

	if (!all)
		return -ENOMEM;
	f = kzalloc(sizeof(*f), GFP_KERNEL_ACCOUNT);
	if (!f)
		return -ENOMEM;
	f->vm = vm;
	f->gsi = arg->gsi;
	INIT_LIST_HEAD(&f->link);
	INIT_WORK(&f->shutdown, irqfd_shutdown);
	init_waitqueue_func_entry(&f->wait, irqfd_wake);
	init_poll_funcptr(&f->poll, irqfd_queue);

	file = eventfd_fget(arg->fd);
	if (IS_ERR(file)) {
		kfree(f);
		return PTR_ERR(file);
	}
	mutex_lock(&all->assign_lock);
	ret = irqfd_open(all, f, file, arg);
	if (!ret)
		ret = irqfd_list(all, f);
	/*
	 * It is on the list, but nobody may shut it down before vfs_poll() has added its wait queue
	 * entry: @assign_lock keeps deassignment away, and the file that we hold EPOLLHUP.
	 */
	if (ret)
		irqfd_undo(all, f);
	else if (vfs_poll(file, &f->poll) & EPOLLIN)
		irqfd_raise(f);
	mutex_unlock(&all->assign_lock);
	fput(file);
	return ret;
}

static long irqfd_deassign(struct vm *vm, const struct kvm_irqfd *arg)
{
	struct irqfds *all = smp_load_acquire(&vm->irqfds);
	struct eventfd_ctx *ctx = eventfd_ctx_fdget(arg->fd);
	struct irqfd *f, *tmp;

	if (IS_ERR(ctx))
		return PTR_ERR(ctx);
	if (all) {
		mutex_lock(&all->assign_lock);
		spin_lock_irq(&all->lock);
		list_for_each_entry_safe(f, tmp, &all->items, link) {
			if (f->ctx == ctx && f->gsi == arg->gsi)
				irqfd_deactivate(f);
		}
		spin_unlock_irq(&all->lock);
		mutex_unlock(&all->assign_lock);
	}
	eventfd_ctx_put(ctx);
	/* When this returns, no interrupt comes from it any more. */
	flush_workqueue(shutdown_wq);
	return 0;
}

/* KVM_IRQFD; @arg is hostile, but in kernel memory */
long api_irqfd(struct vm *vm, const struct kvm_irqfd *arg)
{
	if (arg->flags & ~(KVM_IRQFD_FLAG_DEASSIGN | KVM_IRQFD_FLAG_RESAMPLE))
		return -EINVAL;
	if (arg->flags & KVM_IRQFD_FLAG_DEASSIGN)
		return irqfd_deassign(vm, arg);
	if (!env_irqchip(vm))
		return -EAGAIN;
	/* Without our IOAPIC nobody would tell of the acknowledgement. */
	if ((arg->flags & KVM_IRQFD_FLAG_RESAMPLE) && vm->irqchip_split)
		return -EINVAL;
	return irqfd_assign(vm, arg);
}

/* The VM fd is closed: no ioctl is running or will run. */
void irqfd_release(struct vm *vm)
{
	struct irqfds *all = vm->irqfds;
	struct irqfd *f, *tmp;

	if (!all)
		return;
	spin_lock_irq(&all->lock);
	list_for_each_entry_safe(f, tmp, &all->items, link)
		irqfd_deactivate(f);
	spin_unlock_irq(&all->lock);
	flush_workqueue(shutdown_wq);
	vm->irqfds = NULL;
	kfree(all);
}

int irqfd_module_init(void)
{
	shutdown_wq = alloc_workqueue("turtles-irqfd", 0, 0);
	return shutdown_wq ? 0 : -ENOMEM;
}

void irqfd_module_exit(void)
{
	destroy_workqueue(shutdown_wq);
}
