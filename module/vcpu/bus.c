// SPDX-License-Identifier: GPL-2.0-only
/*
 * In-kernel I/O buses: a sorted array per bus, replaced as a whole under SRCU.
 *
 * Called by exits and emulation (bus_read, bus_write) and by whoever puts a
 * device on a bus. Knows nothing of the devices.
 */
#include <linux/slab.h>
#include <linux/srcu.h>

#include "vcpu/bus.h"
#include "vcpu/vcpu.h"

#define BUS_MAX_DEVS 1000

struct io_range {
	u64 addr;
	u32 len; /* 0: any access at exactly addr */
	struct io_dev *dev;
};

/* Takes no access: stands where a device was when there was no memory for a bus without it. */
static const struct io_dev_ops nobody_ops = {};
static struct io_dev nobody = { .ops = &nobody_ops };

/**
 * struct io_bus - one version of a bus; once published only a device may become nobody
 * @nr: ranges in @r
 * @max_len: the longest range, which bounds the search backwards from an address
 * @r: sorted by address
 */
struct io_bus {
	u32 nr;
	u32 max_len;
	struct io_range r[];
};

static struct io_bus *bus_alloc(u32 nr)
{
	return kvzalloc(struct_size((struct io_bus *)NULL, r, nr), GFP_KERNEL_ACCOUNT);
}

/* For the writers, who hold slots_lock, and for the end of the VM, which has no readers. */
static struct io_bus *bus_current(struct vm *vm, enum bus_kind kind)
{
	return rcu_dereference_protected(vm->buses[kind], true);
}

static void bus_publish(struct vm *vm, enum bus_kind kind, struct io_bus *new)
{
	struct io_bus *old = bus_current(vm, kind);

	lockdep_assert_held(&vm->slots_lock);
	rcu_assign_pointer(vm->buses[kind], new);
	synchronize_srcu_expedited(&vm->srcu);
	kvfree(old);
}

static void bus_append(struct io_bus *bus, const struct io_range *r)
{
	if (r->dev == &nobody)
		return;
	bus->r[bus->nr++] = *r;
	bus->max_len = max(bus->max_len, max(r->len, 1u));
}

/**
 * vm_bus_register - put a device on a bus
 * @vm: the VM
 * @kind: which bus
 * @addr: first address
 * @len: length of the range; 0 = accesses of any length at exactly @addr
 * @dev: the device; stays the caller's until vm_bus_unregister() or the VM's end
 *
 * Return: 0, -EINVAL for a range that wraps, -ENOSPC, -ENOMEM.
 */
int vm_bus_register(struct vm *vm, enum bus_kind kind, u64 addr, u32 len, struct io_dev *dev)
{
	struct io_range range = { .addr = addr, .len = len, .dev = dev };
	struct io_bus *old, *new;
	u32 i, nr;
	int ret = 0;

	if (len && addr + len - 1 < addr)
		return -EINVAL;

	mutex_lock(&vm->slots_lock);
	old = bus_current(vm, kind);
	nr = old ? old->nr : 0;
	if (nr >= BUS_MAX_DEVS) {
		ret = -ENOSPC;
		goto out;
	}
	new = bus_alloc(nr + 1);
	if (!new) {
		ret = -ENOMEM;
		goto out;
	}
	for (i = 0; i < nr && old->r[i].addr <= addr; i++)
		bus_append(new, &old->r[i]);
	bus_append(new, &range);
	for (; i < nr; i++)
		bus_append(new, &old->r[i]);
	bus_publish(vm, kind, new);
out:
	mutex_unlock(&vm->slots_lock);
	return ret;
}

/**
 * vm_bus_unregister - take a device off a bus
 * @vm: the VM
 * @kind: which bus
 * @dev: the device; all of its ranges go
 *
 * Calls dev->ops->destroy() once no access can be in the device any more. It is how failures are
 * undone, so it does not fail for want of memory itself.
 * Return: 0, or -ENOENT when it is not on the bus.
 */
int vm_bus_unregister(struct vm *vm, enum bus_kind kind, struct io_dev *dev)
{
	struct io_bus *old, *new;
	int ret = -ENOENT;
	u32 i, gone = 0;

	mutex_lock(&vm->slots_lock);
	old = bus_current(vm, kind);
	for (i = 0; old && i < old->nr; i++)
		gone += old->r[i].dev == dev;
	if (!gone)
		goto out;
	new = bus_alloc(old->nr - gone);
	for (i = 0; i < old->nr; i++) {
		if (old->r[i].dev == dev && !new)
			WRITE_ONCE(old->r[i].dev, &nobody);
		else if (old->r[i].dev != dev && new)
			bus_append(new, &old->r[i]);
	}
	if (new)
		bus_publish(vm, kind, new);
	else
		synchronize_srcu_expedited(&vm->srcu);
	ret = 0;
out:
	mutex_unlock(&vm->slots_lock);
	if (!ret && dev->ops->destroy)
		dev->ops->destroy(dev);
	return ret;
}

/*
 * The VM is dying: no reader is left. A device may have more than one range on a bus; one with a
 * helper on BUS_FAST_MMIO frees both, so that bus goes first.
 */
void vm_buses_destroy(struct vm *vm)
{
	int kind;

	for (kind = NR_BUSES - 1; kind >= 0; kind--) {
		struct io_bus *bus = bus_current(vm, kind);
		u32 i, j;

		for (i = 0; bus && i < bus->nr; i++) {
			struct io_dev *dev = bus->r[i].dev;

			if (!dev)
				continue;
			for (j = i + 1; j < bus->nr; j++) {
				if (bus->r[j].dev == dev)
					bus->r[j].dev = NULL;
			}
			if (dev->ops->destroy)
				dev->ops->destroy(dev);
		}
		kvfree(bus);
		RCU_INIT_POINTER(vm->buses[kind], NULL);
	}
}

/* Index of the first range that might cover @addr. */
static u32 bus_first(const struct io_bus *bus, u64 addr)
{
	u64 from = addr >= bus->max_len ? addr - bus->max_len + 1 : 0;
	u32 lo = 0, hi = bus->nr;

	while (lo < hi) {
		u32 mid = lo + (hi - lo) / 2;

		if (bus->r[mid].addr < from)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

static bool range_covers(const struct io_range *r, u64 addr, int len)
{
	if (!r->len)
		return addr == r->addr;
	return addr - r->addr < r->len && addr - r->addr + len <= r->len;
}

static const struct io_bus *bus_deref(struct vcpu *v, enum bus_kind kind)
{
	return srcu_dereference(v->vm->buses[kind], &v->vm->srcu);
}

/**
 * bus_read - ask the devices on a bus for a value
 * @v: the vCPU that reads; its thread holds vm->srcu
 * @kind: which bus
 * @addr: address
 * @len: bytes
 * @val: where they go
 *
 * Return: 0, or -EOPNOTSUPP when no device took the access.
 */
int bus_read(struct vcpu *v, enum bus_kind kind, u64 addr, int len, void *val)
{
	const struct io_bus *bus = bus_deref(v, kind);
	u32 i;

	if (!bus)
		return -EOPNOTSUPP;
	for (i = bus_first(bus, addr); i < bus->nr && bus->r[i].addr <= addr; i++) {
		struct io_dev *dev = READ_ONCE(bus->r[i].dev);

		if (range_covers(&bus->r[i], addr, len) && dev->ops->read &&
		    !dev->ops->read(v, dev, addr, len, val))
			return 0;
	}
	return -EOPNOTSUPP;
}

/**
 * bus_write - offer a write to the devices on a bus
 * @v: the vCPU that writes; its thread holds vm->srcu
 * @kind: which bus
 * @addr: address
 * @len: bytes; 0 on BUS_FAST_MMIO, where only the address is known
 * @val: the bytes
 *
 * Return: 0, or -EOPNOTSUPP when no device took the access.
 */
int bus_write(struct vcpu *v, enum bus_kind kind, u64 addr, int len, const void *val)
{
	const struct io_bus *bus = bus_deref(v, kind);
	u32 i;

	if (!bus)
		return -EOPNOTSUPP;
	for (i = bus_first(bus, addr); i < bus->nr && bus->r[i].addr <= addr; i++) {
		struct io_dev *dev = READ_ONCE(bus->r[i].dev);

		if (range_covers(&bus->r[i], addr, len) && dev->ops->write &&
		    !dev->ops->write(v, dev, addr, len, val))
			return 0;
	}
	return -EOPNOTSUPP;
}
