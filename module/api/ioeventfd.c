// SPDX-License-Identifier: GPL-2.0-only
/*
 * KVM_IOEVENTFD: a write to an address signals an eventfd, and nobody leaves the kernel.
 */
#include <linux/eventfd.h>
#include <linux/slab.h>

#include "api/api.h"
#include "linux/compat.h"
#include "vcpu/bus.h"
#include "vcpu/vcpu.h"

#define VALID_FLAGS \
	(KVM_IOEVENTFD_FLAG_DATAMATCH | KVM_IOEVENTFD_FLAG_PIO | KVM_IOEVENTFD_FLAG_DEASSIGN)

/**
 * struct ioeventfd - one address that signals
 * @dev: on @bus; its destroy() frees the whole
 * @fast: on BUS_FAST_MMIO too, when any length will do: there the length is not even known
 * @next: vm->ioeventfds, under vm->lock; the other members are constant
 */
struct ioeventfd {
	struct io_dev dev;
	struct io_dev fast;
	struct ioeventfd *next;
	struct eventfd_ctx *ctx;
	u64 addr;
	u64 datamatch;
	u32 len; /* 0 = any */
	enum bus_kind bus;
	bool match;
	bool has_fast;
};

static u64 load_le(const void *val, int len)
{
	u64 x = 0;

	memcpy(&x, val, min(len, 8));
	return x;
}

static int ioeventfd_write(struct vcpu *v, struct io_dev *dev, u64 addr, int len, const void *val)
{
	struct ioeventfd *p = container_of(dev, struct ioeventfd, dev);

	if (addr != p->addr)
		return -EOPNOTSUPP;
	if (p->len && (len != p->len || (p->match && load_le(val, len) != p->datamatch)))
		return -EOPNOTSUPP;
	compat_eventfd_signal(p->ctx);
	return 0;
}

static int ioeventfd_fast_write(struct vcpu *v, struct io_dev *dev, u64 addr, int len,
				const void *val)
{
	struct ioeventfd *p = container_of(dev, struct ioeventfd, fast);

	if (addr != p->addr)
		return -EOPNOTSUPP;
	compat_eventfd_signal(p->ctx);
	return 0;
}

static void ioeventfd_free(struct io_dev *dev)
{
	struct ioeventfd *p = container_of(dev, struct ioeventfd, dev);

	eventfd_ctx_put(p->ctx);
	kfree(p);
}

static const struct io_dev_ops ioeventfd_ops = {
	.write = ioeventfd_write,
	.destroy = ioeventfd_free,
};

static const struct io_dev_ops ioeventfd_fast_ops = {
	.write = ioeventfd_fast_write,
};

/* Two that could both answer the same write. */
static bool collides(const struct ioeventfd *a, const struct ioeventfd *b)
{
	if (a->bus != b->bus || a->addr != b->addr)
		return false;
	if (!a->len || !b->len)
		return true;
	return a->len == b->len && (!a->match || !b->match || a->datamatch == b->datamatch);
}

static long put_on_buses(struct vm *vm, struct ioeventfd *p)
{
	struct ioeventfd *other;
	int ret;

	for (other = vm->ioeventfds; other; other = other->next) {
		if (collides(other, p))
			return -EEXIST;
	}
	if (!p->len && p->bus == BUS_MMIO) {
		ret = vm_bus_register(vm, BUS_FAST_MMIO, p->addr, 0, &p->fast);
		if (ret)
			return ret;
		p->has_fast = true;
	}
	ret = vm_bus_register(vm, p->bus, p->addr, p->len, &p->dev);
	if (ret && p->has_fast)
		vm_bus_unregister(vm, BUS_FAST_MMIO, &p->fast);
	return ret;
}

static long assign(struct vm *vm, const struct kvm_ioeventfd *arg, enum bus_kind bus)
{
	struct ioeventfd *p;
	long ret;

	p = kzalloc(sizeof(*p), GFP_KERNEL_ACCOUNT);
	if (!p)
		return -ENOMEM;
	p->ctx = eventfd_ctx_fdget(arg->fd);
	if (IS_ERR(p->ctx)) {
		ret = PTR_ERR(p->ctx);
		kfree(p);
		return ret;
	}
	p->dev.ops = &ioeventfd_ops;
	p->fast.ops = &ioeventfd_fast_ops;
	p->addr = arg->addr;
	p->len = arg->len;
	p->bus = bus;
	p->match = arg->flags & KVM_IOEVENTFD_FLAG_DATAMATCH;
	if (p->match)
		p->datamatch = arg->datamatch;

	mutex_lock(&vm->lock);
	ret = put_on_buses(vm, p);
	if (!ret) {
		p->next = vm->ioeventfds;
		vm->ioeventfds = p;
	}
	mutex_unlock(&vm->lock);
	if (ret)
		ioeventfd_free(&p->dev);
	return ret;
}

static bool is_same(const struct ioeventfd *p, const struct kvm_ioeventfd *arg, enum bus_kind bus,
		    const struct eventfd_ctx *ctx)
{
	bool match = arg->flags & KVM_IOEVENTFD_FLAG_DATAMATCH;

	return p->bus == bus && p->ctx == ctx && p->addr == arg->addr && p->len == arg->len &&
	       p->match == match && (!match || p->datamatch == arg->datamatch);
}

static long take_off_buses(struct vm *vm, struct ioeventfd *p)
{
	int ret;

	if (p->has_fast) {
		ret = vm_bus_unregister(vm, BUS_FAST_MMIO, &p->fast);
		if (ret)
			return ret;
		p->has_fast = false;
	}
	return vm_bus_unregister(vm, p->bus, &p->dev);
}

static long deassign(struct vm *vm, const struct kvm_ioeventfd *arg, enum bus_kind bus)
{
	struct eventfd_ctx *ctx = eventfd_ctx_fdget(arg->fd);
	struct ioeventfd **pos, *p;
	long ret = -ENOENT;

	if (IS_ERR(ctx))
		return PTR_ERR(ctx);
	mutex_lock(&vm->lock);
	for (pos = (struct ioeventfd **)&vm->ioeventfds; (p = *pos); pos = &p->next) {
		struct ioeventfd *next = p->next;

		if (!is_same(p, arg, bus, ctx))
			continue;
		ret = take_off_buses(vm, p);
		if (!ret)
			*pos = next; /* p is gone */
		break;
	}
	mutex_unlock(&vm->lock);
	eventfd_ctx_put(ctx);
	return ret;
}

/* KVM_IOEVENTFD; @arg is hostile, but in kernel memory */
long api_ioeventfd(struct vm *vm, const struct kvm_ioeventfd *arg)
{
	enum bus_kind bus = arg->flags & KVM_IOEVENTFD_FLAG_PIO ? BUS_PIO : BUS_MMIO;

	switch (arg->len) {
	case 0:
		/* No length, so there is no value to compare. */
		if (arg->flags & KVM_IOEVENTFD_FLAG_DATAMATCH)
			return -EINVAL;
		break;
	case 1:
	case 2:
	case 4:
	case 8:
		break;
	default:
		return -EINVAL;
	}
	if (arg->flags & ~(u32)VALID_FLAGS || arg->addr + arg->len < arg->addr)
		return -EINVAL;
	if (arg->flags & KVM_IOEVENTFD_FLAG_DEASSIGN)
		return deassign(vm, arg, bus);
	return assign(vm, arg, bus);
}
