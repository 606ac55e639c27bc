/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The world of irqchip/env.h and vcpu/bus.h for unit tests: VMs and vCPUs that only count what
 * happens to them, a clock that stands still until told to move, and a small memory.
 */
#ifndef TESTS_IRQCHIP_HARNESS_H
#define TESTS_IRQCHIP_HARNESS_H

#include "unit.h"

#include <linux/bits.h>
#include <linux/errno.h>
#include <linux/kvm.h>
#include <asm/apicdef.h>
#include <asm/msr-index.h>

#include "irqchip/env.h"
#include "irqchip/irqchip.h"
#include "irqchip/lapic.h"
#include "vcpu/bus.h"

#define MAX_VCPUS 300

struct vcpu {
	struct vm *vm;
	struct lapic *lapic;
	u32 id;
	u64 base;
	bool x2apic, tsc_deadline;
	unsigned int events, nmis, smis, inits, sipis;
	unsigned int synth_eois;
	u8 synth_vector;
	u8 sipi_vector;
};

struct vm {
	struct irqchip *ic;
	unsigned int nr;
	struct vcpu *v[MAX_VCPUS];
	struct {
		enum bus_kind kind;
		u64 addr;
		u32 len;
		struct io_dev *dev;
	} bus[16];
	unsigned int nr_bus;
	u8 memory[0x2000];
	bool lint0_masked; /* at reset */
	u64 x2apic_api;
	unsigned int sints_raised;
	u32 last_vp, last_sint;
};

struct vtimer {
	struct vtimer *next;
	void (*fn)(void *arg);
	void *arg;
	bool armed;
	u64 at;
};

static u64 now_ns;
static u64 tsc_per_ns = 2; /* guest TSC = now * this */
static struct vtimer *timers;
static bool fail_vtimer_alloc;

struct lapic *env_lapic(struct vcpu *v)
{
	return v->lapic;
}
void env_set_lapic(struct vcpu *v, struct lapic *l)
{
	v->lapic = l;
}
struct irqchip *env_irqchip(struct vm *vm)
{
	return vm->ic;
}
struct vm *env_vm(struct vcpu *v)
{
	return v->vm;
}
u32 env_vcpu_id(struct vcpu *v)
{
	return v->id;
}
bool env_is_bsp(struct vcpu *v)
{
	return v->id == 0;
}
unsigned int env_nr_vcpus(struct vm *vm)
{
	return vm->nr;
}
struct vcpu *env_vcpu(struct vm *vm, unsigned int i)
{
	return vm->v[i];
}
u64 *env_apic_base(struct vcpu *v)
{
	return &v->base;
}
bool env_has_x2apic(struct vcpu *v)
{
	return v->x2apic;
}
bool env_has_tsc_deadline(struct vcpu *v)
{
	return v->tsc_deadline;
}
bool env_lint0_extint(struct vm *vm)
{
	return !vm->lint0_masked;
}
u64 env_x2apic_api(struct vm *vm)
{
	return vm->x2apic_api;
}
int env_raise_sint(struct vm *vm, u32 vp_index, u32 sint)
{
	vm->sints_raised++;
	vm->last_vp = vp_index;
	vm->last_sint = sint;
	return 1;
}
void env_synth_eoi(struct vcpu *v, u8 vector)
{
	v->synth_eois++;
	v->synth_vector = vector;
}
void env_event(struct vcpu *v)
{
	v->events++;
}
void env_post_nmi(struct vcpu *v)
{
	v->nmis++;
}
void env_post_smi(struct vcpu *v)
{
	v->smis++;
}
void env_post_init(struct vcpu *v)
{
	v->inits++;
}
u64 env_now_ns(void)
{
	return now_ns;
}
u64 env_guest_tsc(struct vcpu *v)
{
	return now_ns * tsc_per_ns;
}
u64 env_tsc_to_ns(struct vcpu *v, u64 delta)
{
	return delta / tsc_per_ns;
}

void env_post_sipi(struct vcpu *v, u8 vector)
{
	v->sipis++;
	v->sipi_vector = vector;
}

int env_read_guest(struct vm *vm, u64 gpa, void *buf, size_t len)
{
	if (gpa + len > sizeof(vm->memory))
		return -EFAULT;
	memcpy(buf, vm->memory + gpa, len);
	return 0;
}

int env_write_guest(struct vm *vm, u64 gpa, const void *buf, size_t len)
{
	if (gpa + len > sizeof(vm->memory))
		return -EFAULT;
	memcpy(vm->memory + gpa, buf, len);
	return 0;
}

struct vtimer *vtimer_alloc(void (*fn)(void *arg), void *arg)
{
	struct vtimer *t = fail_vtimer_alloc ? NULL : calloc(1, sizeof(*t));

	if (!t)
		return NULL;
	t->fn = fn;
	t->arg = arg;
	t->next = timers;
	timers = t;
	return t;
}

void vtimer_free(struct vtimer *t)
{
	struct vtimer **p;

	if (!t)
		return;
	for (p = &timers; *p != t; p = &(*p)->next)
		assert_non_null(*p);
	*p = t->next;
	free(t);
}

void vtimer_start(struct vtimer *t, u64 abs_ns)
{
	t->armed = true;
	t->at = abs_ns;
}

void vtimer_cancel(struct vtimer *t)
{
	t->armed = false;
}

/* Move the clock, running what is due in order. */
static inline void advance(u64 ns)
{
	u64 end = now_ns + ns;

	for (;;) {
		struct vtimer *t, *first = NULL;

		for (t = timers; t; t = t->next)
			if (t->armed && t->at <= end && (!first || t->at < first->at))
				first = t;
		if (!first)
			break;
		if (first->at > now_ns)
			now_ns = first->at;
		first->armed = false;
		first->fn(first->arg);
	}
	now_ns = end;
}

static inline unsigned int armed_timers(void)
{
	unsigned int n = 0;
	struct vtimer *t;

	for (t = timers; t; t = t->next)
		n += t->armed;
	return n;
}

int vm_bus_register(struct vm *vm, enum bus_kind kind, u64 addr, u32 len, struct io_dev *dev)
{
	if (vm->nr_bus == 16)
		return -ENOSPC;
	vm->bus[vm->nr_bus].kind = kind;
	vm->bus[vm->nr_bus].addr = addr;
	vm->bus[vm->nr_bus].len = len;
	vm->bus[vm->nr_bus++].dev = dev;
	return 0;
}

int vm_bus_unregister(struct vm *vm, enum bus_kind kind, struct io_dev *dev)
{
	unsigned int i, n = 0;

	for (i = 0; i < vm->nr_bus; i++)
		if (vm->bus[i].dev != dev)
			vm->bus[n++] = vm->bus[i];
	vm->nr_bus = n;
	return 0;
}

static inline struct io_dev *find_dev(struct vm *vm, enum bus_kind kind, u64 addr)
{
	unsigned int i;

	for (i = 0; i < vm->nr_bus; i++)
		if (vm->bus[i].kind == kind && addr - vm->bus[i].addr < vm->bus[i].len)
			return vm->bus[i].dev;
	return NULL;
}

static inline void bus_out(struct vm *vm, enum bus_kind kind, u64 addr, u32 val, int len)
{
	struct io_dev *dev = find_dev(vm, kind, addr);

	assert_non_null(dev);
	assert_int_equal(dev->ops->write(vm->v[0], dev, addr, len, &val), 0);
}

static inline u32 bus_in(struct vm *vm, enum bus_kind kind, u64 addr, int len)
{
	struct io_dev *dev = find_dev(vm, kind, addr);
	u32 val = 0;

	assert_non_null(dev);
	assert_int_equal(dev->ops->read(vm->v[0], dev, addr, len, &val), 0);
	return val;
}

static inline void outb(struct vm *vm, u16 port, u8 val)
{
	bus_out(vm, BUS_PIO, port, val, 1);
}

static inline u8 inb(struct vm *vm, u16 port)
{
	return bus_in(vm, BUS_PIO, port, 1);
}

static inline void ioapic_out(struct vm *vm, u8 reg, u32 val)
{
	bus_out(vm, BUS_MMIO, 0xfec00000, reg, 4);
	bus_out(vm, BUS_MMIO, 0xfec00010, val, 4);
}

static inline u32 ioapic_in(struct vm *vm, u8 reg)
{
	bus_out(vm, BUS_MMIO, 0xfec00000, reg, 4);
	return bus_in(vm, BUS_MMIO, 0xfec00010, 4);
}

/* A VM with @nr vCPUs; @chips: PIC and IOAPIC too. Local APICs are software-enabled. */
static inline struct vm *new_vm(unsigned int nr, bool chips)
{
	struct vm *vm = calloc(1, sizeof(*vm));
	unsigned int i;

	now_ns = 1000000000;
	timers = NULL; /* those of a test that failed */
	if (chips)
		assert_int_equal(irqchip_create(vm, &vm->ic), 0);
	for (i = 0; i < nr; i++) {
		struct vcpu *v = calloc(1, sizeof(*v));
		u32 spiv = 0x1ff;

		v->vm = vm;
		v->id = i;
		v->x2apic = v->tsc_deadline = true;
		assert_int_equal(lapic_create(v), 0);
		assert_int_equal(lapic_mmio_write(v, 0xfee000f0, 4, &spiv), 0);
		vm->v[vm->nr++] = v;
		v->events = 0;
	}
	return vm;
}

static inline void free_vm(struct vm *vm)
{
	unsigned int i;

	for (i = 0; i < vm->nr; i++) {
		lapic_free(vm->v[i]);
		free(vm->v[i]);
	}
	irqchip_destroy(vm->ic);
	free(vm);
	assert_null(timers);
}

static inline u32 apic_in(struct vcpu *v, u32 reg)
{
	u32 val = 0xdeadbeef;

	assert_int_equal(lapic_mmio_read(v, 0xfee00000 + reg, 4, &val), 0);
	return val;
}

static inline void apic_out(struct vcpu *v, u32 reg, u32 val)
{
	assert_int_equal(lapic_mmio_write(v, 0xfee00000 + reg, 4, &val), 0);
}

static inline void go_x2apic(struct vcpu *v)
{
	assert_int_equal(lapic_set_base(v, v->base | X2APIC_ENABLE, false), 0);
}

static inline int x2_out(struct vcpu *v, u32 reg, u64 val)
{
	return lapic_msr_write(v, 0x800 + (reg >> 4), val);
}

static inline u64 x2_in(struct vcpu *v, u32 reg)
{
	u64 val = 0;

	assert_int_equal(lapic_msr_read(v, 0x800 + (reg >> 4), &val), 0);
	return val;
}

/* Take the interrupt and finish it. */
static inline int take(struct vcpu *v)
{
	int vector;

	if (lapic_pending_irq(v) < 0)
		return -1;
	vector = lapic_ack_irq(v);
	return vector;
}

static inline void eoi(struct vcpu *v)
{
	if (v->base & X2APIC_ENABLE)
		assert_int_equal(x2_out(v, APIC_EOI, 0), 0);
	else
		apic_out(v, APIC_EOI, 0);
}

#endif
