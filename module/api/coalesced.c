// SPDX-License-Identifier: GPL-2.0-only
/*
 * Coalesced MMIO and port output: writes into registered zones are queued in a ring that
 * user space maps, and seen by it at its next exit.
 *
 * The ring page is user space's to scribble on: indices are read once and checked.
 */
#include <linux/mm.h>
#include <linux/slab.h>

#include "api/api.h"
#include "vcpu/bus.h"
#include "vcpu/vcpu.h"

struct coalesced_zone {
	struct io_dev dev;
	struct coalesced_zone *next; /* vm->coalesced, under vm->lock */
	u64 addr;
	u32 size;
	bool pio;
};

static int ring_put(struct vm *vm, const struct coalesced_zone *z, u64 addr, int len,
		    const void *val)
{
	struct kvm_coalesced_mmio_ring *ring = page_address(vm->ring_page);
	struct kvm_coalesced_mmio *e;
	u32 last, next;
	int ret = -EOPNOTSUPP;

	spin_lock(&vm->ring_lock);
	last = READ_ONCE(ring->last);
	next = (last + 1) % KVM_COALESCED_MMIO_MAX;
	/* Full, or nonsense: the access goes to user space the slow way. */
	if (last >= KVM_COALESCED_MMIO_MAX || next == READ_ONCE(ring->first))
		goto out;
	e = &ring->coalesced_mmio[last];
	e->phys_addr = addr;
	e->len = len;
	memcpy(e->data, val, len);
	e->pio = z->pio;
	/* User space reads the entry after it has seen the index. */
	smp_store_release(&ring->last, next);
	ret = 0;
out:
	spin_unlock(&vm->ring_lock);
	return ret;
}

static int zone_write(struct vcpu *v, struct io_dev *dev, u64 addr, int len, const void *val)
{
	struct coalesced_zone *z = container_of(dev, struct coalesced_zone, dev);

	if (len < 1 || len > 8)
		return -EOPNOTSUPP;
	return ring_put(v->vm, z, addr, len, val);
}

static void zone_destroy(struct io_dev *dev)
{
	kfree(container_of(dev, struct coalesced_zone, dev));
}

static const struct io_dev_ops zone_ops = {
	.write = zone_write,
	.destroy = zone_destroy,
};

/* KVM_REGISTER_COALESCED_MMIO */
long api_register_coalesced(struct vm *vm, const struct kvm_coalesced_mmio_zone *arg)
{
	struct coalesced_zone *z;
	int ret;

	if (arg->pio > 1 || !arg->size)
		return -EINVAL;
	z = kzalloc(sizeof(*z), GFP_KERNEL_ACCOUNT);
	if (!z)
		return -ENOMEM;
	z->dev.ops = &zone_ops;
	z->addr = arg->addr;
	z->size = arg->size;
	z->pio = arg->pio;

	mutex_lock(&vm->lock);
	ret = vm_bus_register(vm, z->pio ? BUS_PIO : BUS_MMIO, z->addr, z->size, &z->dev);
	if (ret) {
		kfree(z);
	} else {
		z->next = vm->coalesced;
		vm->coalesced = z;
	}
	mutex_unlock(&vm->lock);
	return ret;
}

static bool zone_contains(const struct coalesced_zone *z, const struct kvm_coalesced_mmio_zone *arg)
{
	return z->pio == arg->pio && arg->addr >= z->addr && arg->size <= z->size &&
	       arg->addr - z->addr <= z->size - arg->size;
}

/* KVM_UNREGISTER_COALESCED_MMIO: every zone that covers the range goes. */
long api_unregister_coalesced(struct vm *vm, const struct kvm_coalesced_mmio_zone *arg)
{
	struct coalesced_zone **pos, *z;
	int ret = 0;

	if (arg->pio > 1)
		return -EINVAL;
	mutex_lock(&vm->lock);
	pos = (struct coalesced_zone **)&vm->coalesced;
	while ((z = *pos)) {
		struct coalesced_zone *next = z->next;

		if (!zone_contains(z, arg)) {
			pos = &z->next;
			continue;
		}
		ret = vm_bus_unregister(vm, z->pio ? BUS_PIO : BUS_MMIO, &z->dev);
		if (ret)
			break;
		*pos = next; /* z is gone */
	}
	mutex_unlock(&vm->lock);
	return ret;
}
