/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * In-kernel I/O buses: port I/O and MMIO ranges served without user space.
 * Readers hold vm->srcu; registration takes vm->slots_lock itself and sleeps.
 */
#ifndef TURTLES_VCPU_BUS_H
#define TURTLES_VCPU_BUS_H

#include <linux/types.h>

struct vm;
struct vcpu;
struct io_dev;

enum bus_kind { BUS_PIO, BUS_MMIO, BUS_FAST_MMIO, NR_BUSES };

/**
 * struct io_dev_ops - a device on a bus
 * @read:  0, or -EOPNOTSUPP when this access is not the device's (the next one
 *	   that covers the address is asked)
 * @write: same
 * @destroy: called when the device leaves the bus for good or the VM dies; may be NULL
 */
struct io_dev_ops {
	int (*read)(struct vcpu *v, struct io_dev *dev, u64 addr, int len, void *val);
	int (*write)(struct vcpu *v, struct io_dev *dev, u64 addr, int len, const void *val);
	void (*destroy)(struct io_dev *dev);
};

struct io_dev {
	const struct io_dev_ops *ops;
};

/* Length 0 means: any access length at exactly @addr (KVM_IOEVENTFD with len 0). */
int vm_bus_register(struct vm *vm, enum bus_kind bus, u64 addr, u32 len, struct io_dev *dev);
int vm_bus_unregister(struct vm *vm, enum bus_kind bus, struct io_dev *dev);
void vm_buses_destroy(struct vm *vm);
int bus_read(struct vcpu *v, enum bus_kind bus, u64 addr, int len, void *val);
int bus_write(struct vcpu *v, enum bus_kind bus, u64 addr, int len, const void *val);

#endif /* TURTLES_VCPU_BUS_H */
