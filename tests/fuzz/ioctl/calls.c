// SPDX-License-Identifier: GPL-2.0-only
/*
 * The ioctls: for each what a plausible argument is, and then how it is spoilt. Those that
 * Turtles does not offer are here too: they have to be refused.
 */
#define _GNU_SOURCE
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <unistd.h>

#include "fuzz.h"

typedef size_t (*fill_fn)(struct thread *t, int fd, void *buf);

/**
 * struct call - one ioctl
 * @kind: the fd that it belongs to
 * @size: of its argument; 0 = a number
 * @get: for a setter, the ioctl that tells a valid argument
 * @fill: makes a plausible argument; NULL = random bytes, after @get
 * @makes: what fd its result is, plus one
 */
struct call {
	uint8_t kind;
	uint8_t makes;
	uint16_t size;
	uint32_t cmd;
	uint32_t get;
	fill_fn fill;
};

/* Arguments ----------------------------------------------------------------------- */

static size_t fill_slot(struct thread *t, int fd, void *buf)
{
	struct kvm_userspace_memory_region *m = buf;
	struct rng *r = &t->r;

	(void)fd;
	m->slot = one_in(r, 16) ? (uint32_t)rnd(r) : below(r, 12) | below(r, 2) << 16;
	m->flags = below(r, 4);
	m->guest_phys_addr = one_in(r, 4) ? odd_number(r) & ~0xfffull :
					    (uint64_t)below(r, 2 * (GUEST_MEM >> 12)) << 12;
	m->memory_size = one_in(r, 8) ? odd_number(r) & ~0xfffull :
					(uint64_t)below(r, 1u << below(r, 13)) << 12;
	m->userspace_addr = (uintptr_t)t->w->arena + ((uint64_t)below(r, ARENA_SIZE >> 12) << 12);
	if (one_in(r, 16)) /* memory that is not the arena's: the code, the stack, argument pages */
		m->userspace_addr = (one_in(r, 2) ? (uintptr_t)t->buf : (uintptr_t)&fill_slot) &
				    ~0xfffull;
	return sizeof(*m);
}

static size_t fill_dirty(struct thread *t, int fd, void *buf)
{
	struct kvm_dirty_log *d = buf;

	(void)fd;
	d->slot = below(&t->r, 12);
	d->dirty_bitmap = one_in(&t->r, 4) ? t->w->arena + below(&t->r, ARENA_SIZE) :
					     t->buf + BUF_SIZE / 2;
	return sizeof(*d);
}

static size_t fill_clear_dirty(struct thread *t, int fd, void *buf)
{
	struct kvm_clear_dirty_log *d = buf;

	(void)fd;
	memset(t->buf + BUF_SIZE / 2, (int)rnd(&t->r), 4096);
	d->slot = below(&t->r, 12);
	d->num_pages = one_in(&t->r, 2) ? below(&t->r, 64) * 64 : (uint32_t)odd_number(&t->r);
	d->first_page = one_in(&t->r, 2) ? below(&t->r, 64) * 64 : odd_number(&t->r);
	d->dirty_bitmap = one_in(&t->r, 4) ? t->w->arena + below(&t->r, ARENA_SIZE) :
					     t->buf + BUF_SIZE / 2;
	return sizeof(*d);
}

static uint32_t odd_count(struct rng *r)
{
	return one_in(r, 16) ? (uint32_t)odd_number(r) : below(r, 1u << below(r, 9));
}

static size_t fill_msr_list(struct thread *t, int fd, void *buf)
{
	(void)fd;
	*(uint32_t *)buf = odd_count(&t->r);
	return BUF_SIZE / 2;
}

static size_t fill_msrs(struct thread *t, int fd, void *buf)
{
	struct kvm_msrs *m = buf;
	uint32_t i;

	(void)fd;
	m->nmsrs = odd_count(&t->r);
	for (i = 0; i < 256; i++) {
		m->entries[i].index = odd_msr(&t->r);
		m->entries[i].reserved = 0;
		m->entries[i].data = odd_number(&t->r);
	}
	return sizeof(*m) + 256 * sizeof(m->entries[0]);
}

static size_t fill_cpuid(struct thread *t, int fd, void *buf)
{
	struct kvm_cpuid2 *c = buf;
	int sys = get_fd(t->w, &t->r, FD_SYSTEM);

	(void)fd;
	c->nent = 256;
	c->padding = 0;
	if (ioctl(sys, KVM_GET_SUPPORTED_CPUID, c))
		c->nent = 0;
	mutate(&t->r, c->entries, c->nent * sizeof(c->entries[0]) + 1);
	if (one_in(&t->r, 8))
		c->nent = odd_count(&t->r);
	return sizeof(*c) + 256 * sizeof(c->entries[0]);
}

static size_t fill_routing(struct thread *t, int fd, void *buf)
{
	struct kvm_irq_routing *g = buf;
	struct rng *r = &t->r;
	uint32_t i;

	(void)fd;
	g->nr = odd_count(r);
	g->flags = 0;
	for (i = 0; i < 512; i++) {
		struct kvm_irq_routing_entry *e = &g->entries[i];

		memset(e, 0, sizeof(*e));
		e->gsi = one_in(r, 16) ? (uint32_t)odd_number(r) : below(r, 64);
		e->type = one_in(r, 16) ? (uint32_t)rnd(r) : 1 + below(r, 5);
		e->u.irqchip.irqchip = below(r, 4);
		e->u.irqchip.pin = below(r, 26);
		if (e->type == KVM_IRQ_ROUTING_MSI) {
			e->u.msi.address_lo = 0xfee00000 + (below(r, 16) << 12);
			e->u.msi.data = (uint32_t)odd_number(r);
		}
	}
	return sizeof(*g) + 512 * sizeof(g->entries[0]);
}

static size_t fill_irqfd(struct thread *t, int fd, void *buf)
{
	struct kvm_irqfd *f = buf;

	(void)fd;
	memset(f, 0, sizeof(*f));
	f->fd = get_fd(t->w, &t->r, one_in(&t->r, 16) ? FD_VM : FD_EVENT);
	f->gsi = one_in(&t->r, 16) ? (uint32_t)odd_number(&t->r) : below(&t->r, 40);
	f->flags = one_in(&t->r, 3) ? below(&t->r, 4) : 0;
	f->resamplefd = get_fd(t->w, &t->r, FD_EVENT);
	return sizeof(*f);
}

static size_t fill_ioeventfd(struct thread *t, int fd, void *buf)
{
	struct kvm_ioeventfd *f = buf;

	(void)fd;
	memset(f, 0, sizeof(*f));
	f->fd = get_fd(t->w, &t->r, one_in(&t->r, 16) ? FD_VCPU : FD_EVENT);
	f->flags = below(&t->r, 8);
	f->addr = one_in(&t->r, 4) ? odd_number(&t->r) : 0xd0000000 + below(&t->r, 16);
	f->len = one_in(&t->r, 8) ? (uint32_t)rnd(&t->r) : (1u << below(&t->r, 5)) >> 1;
	f->datamatch = below(&t->r, 4);
	return sizeof(*f);
}

static size_t fill_zone(struct thread *t, int fd, void *buf)
{
	struct kvm_coalesced_mmio_zone *z = buf;

	(void)fd;
	z->addr = one_in(&t->r, 4) ? odd_number(&t->r) : 0xd0000000 + below(&t->r, 64);
	z->size = one_in(&t->r, 8) ? (uint32_t)odd_number(&t->r) : below(&t->r, 64);
	z->pio = one_in(&t->r, 16) ? (uint32_t)rnd(&t->r) : below(&t->r, 2);
	return sizeof(*z);
}

static size_t fill_line(struct thread *t, int fd, void *buf)
{
	struct kvm_irq_level *l = buf;

	(void)fd;
	l->irq = one_in(&t->r, 16) ? (uint32_t)odd_number(&t->r) : below(&t->r, 26);
	l->level = below(&t->r, 2);
	return sizeof(*l);
}

static size_t fill_msi(struct thread *t, int fd, void *buf)
{
	struct kvm_msi *m = buf;

	(void)fd;
	memset(m, 0, sizeof(*m));
	m->address_lo = 0xfee00000 + (below(&t->r, 256) << 12) + (below(&t->r, 4) << 2);
	m->address_hi = one_in(&t->r, 8) ? (uint32_t)odd_number(&t->r) : 0;
	m->data = below(&t->r, 0x10000);
	return sizeof(*m);
}

static size_t fill_cap(struct thread *t, int fd, void *buf)
{
	struct kvm_enable_cap *c = buf;

	(void)fd;
	memset(c, 0, sizeof(*c));
	c->cap = below(&t->r, 250);
	c->flags = one_in(&t->r, 16);
	c->args[0] = one_in(&t->r, 2) ? below(&t->r, 32) : odd_number(&t->r);
	c->args[1] = odd_number(&t->r);
	return sizeof(*c);
}

static size_t fill_filter(struct thread *t, int fd, void *buf)
{
	struct kvm_msr_filter *f = buf;
	int i;

	(void)fd;
	memset(f, 0, sizeof(*f));
	f->flags = one_in(&t->r, 16) ? (uint32_t)rnd(&t->r) : below(&t->r, 2);
	for (i = 0; i < KVM_MSR_FILTER_MAX_RANGES; i++) {
		if (!one_in(&t->r, 3))
			continue;
		f->ranges[i].flags = 1 + below(&t->r, 3);
		f->ranges[i].base = odd_msr(&t->r);
		f->ranges[i].nmsrs = odd_count(&t->r);
		f->ranges[i].bitmap = one_in(&t->r, 4) ? t->w->arena + below(&t->r, ARENA_SIZE) :
							 t->buf + BUF_SIZE / 2;
	}
	return sizeof(*f);
}

static size_t fill_irqchip(struct thread *t, int fd, void *buf)
{
	struct kvm_irqchip *c = buf;

	memset(c, 0, sizeof(*c));
	c->chip_id = below(&t->r, one_in(&t->r, 16) ? 100 : 3);
	ioctl(fd, KVM_GET_IRQCHIP, c);
	mutate(&t->r, &c->chip, sizeof(c->chip));
	return sizeof(*c);
}

static size_t fill_debug(struct thread *t, int fd, void *buf)
{
	struct kvm_guest_debug *d = buf;

	(void)fd;
	random_bytes(&t->r, d, sizeof(*d));
	d->control = one_in(&t->r, 2) ? below(&t->r, 4) : (uint32_t)rnd(&t->r) & 0xff0003;
	return sizeof(*d);
}

static size_t fill_sigmask(struct thread *t, int fd, void *buf)
{
	struct kvm_signal_mask *m = buf;
	/* Not all blocked: the rest of the process's threads would wait for this vCPU for ever. */
	uint64_t set = rnd(&t->r) & ~(1ull << 9);

	(void)fd;
	m->len = one_in(&t->r, 8) ? (uint32_t)odd_number(&t->r) : 8;
	memcpy(m->sigset, &set, 8);
	return sizeof(*m) + 8;
}

static size_t fill_nested(struct thread *t, int fd, void *buf)
{
	struct kvm_nested_state *s = buf;

	memset(s, 0, 0x3000);
	s->size = 0x3000;
	if (ioctl(fd, KVM_GET_NESTED_STATE, s) < 0 || one_in(&t->r, 4)) {
		s->flags = (uint16_t)below(&t->r, 8);
		s->format = 0;
		s->size = 128 + below(&t->r, 3) * 0x1000;
		s->hdr.vmx.vmxon_pa = (uint64_t)below(&t->r, 64) << 12;
		s->hdr.vmx.vmcs12_pa = (uint64_t)below(&t->r, 64) << 12;
	}
	mutate(&t->r, s, one_in(&t->r, 2) ? 128 : 0x2000);
	return 0x3000;
}

static size_t fill_device(struct thread *t, int fd, void *buf)
{
	struct kvm_create_device *d = buf;

	(void)fd;
	d->type = below(&t->r, 16);
	d->flags = below(&t->r, 2);
	return sizeof(*d);
}

static size_t fill_attr(struct thread *t, int fd, void *buf)
{
	struct kvm_device_attr *a = buf;

	(void)fd;
	memset(a, 0, sizeof(*a));
	a->group = below(&t->r, 4);
	a->attr = below(&t->r, 4);
	a->addr = (uintptr_t)t->buf + BUF_SIZE / 2;
	return sizeof(*a);
}

static size_t fill_eventfd_hv(struct thread *t, int fd, void *buf)
{
	struct kvm_hyperv_eventfd *e = buf;

	(void)fd;
	e->conn_id = below(&t->r, 16);
	e->fd = get_fd(t->w, &t->r, FD_EVENT);
	e->flags = below(&t->r, 2);
	return sizeof(*e);
}

/* The table ------------------------------------------------------------------------ */

#define NUMBER(k, c)                    \
	{                               \
		.kind = (k), .cmd = (c) \
	}
#define MAKES(k, c, m)                                    \
	{                                                 \
		.kind = (k), .cmd = (c), .makes = (m) + 1 \
	}
#define BYTES(k, c, n)                               \
	{                                            \
		.kind = (k), .cmd = (c), .size = (n) \
	}
#define SETS(k, c, g, type)                                               \
	{                                                                 \
		.kind = (k), .cmd = (c), .get = (g), .size = sizeof(type) \
	}
#define FILLS(k, c, f)                                          \
	{                                                       \
		.kind = (k), .cmd = (c), .size = 1, .fill = (f) \
	}
#define SIZED(k, c)                                           \
	{                                                     \
		.kind = (k), .cmd = (c), .size = _IOC_SIZE(c) \
	}

static const struct call calls[] = {
	NUMBER(FD_SYSTEM, KVM_GET_API_VERSION),
	MAKES(FD_SYSTEM, KVM_CREATE_VM, FD_VM),
	NUMBER(FD_SYSTEM, KVM_CHECK_EXTENSION),
	NUMBER(FD_SYSTEM, KVM_GET_VCPU_MMAP_SIZE),
	FILLS(FD_SYSTEM, KVM_GET_MSR_INDEX_LIST, fill_msr_list),
	FILLS(FD_SYSTEM, KVM_GET_MSR_FEATURE_INDEX_LIST, fill_msr_list),
	FILLS(FD_SYSTEM, KVM_GET_SUPPORTED_CPUID, fill_msr_list),
	FILLS(FD_SYSTEM, KVM_GET_EMULATED_CPUID, fill_msr_list),
	FILLS(FD_SYSTEM, KVM_GET_SUPPORTED_HV_CPUID, fill_msr_list),
	FILLS(FD_SYSTEM, KVM_GET_MSRS, fill_msrs),
	SIZED(FD_SYSTEM, KVM_X86_GET_MCE_CAP_SUPPORTED),
	FILLS(FD_SYSTEM, KVM_GET_DEVICE_ATTR, fill_attr),
	FILLS(FD_SYSTEM, KVM_HAS_DEVICE_ATTR, fill_attr),

	MAKES(FD_VM, KVM_CREATE_VCPU, FD_VCPU),
	MAKES(FD_VM, KVM_CREATE_VCPU, FD_VCPU),
	NUMBER(FD_VM, KVM_CHECK_EXTENSION),
	FILLS(FD_VM, KVM_ENABLE_CAP, fill_cap),
	FILLS(FD_VM, KVM_ENABLE_CAP, fill_cap),
	FILLS(FD_VM, KVM_SET_USER_MEMORY_REGION, fill_slot),
	FILLS(FD_VM, KVM_SET_USER_MEMORY_REGION, fill_slot),
	FILLS(FD_VM, KVM_SET_USER_MEMORY_REGION, fill_slot),
	FILLS(FD_VM, KVM_GET_DIRTY_LOG, fill_dirty),
	FILLS(FD_VM, KVM_CLEAR_DIRTY_LOG, fill_clear_dirty),
	NUMBER(FD_VM, KVM_SET_NR_MMU_PAGES),
	NUMBER(FD_VM, KVM_GET_NR_MMU_PAGES),
	NUMBER(FD_VM, KVM_SET_TSS_ADDR),
	SIZED(FD_VM, KVM_SET_IDENTITY_MAP_ADDR),
	NUMBER(FD_VM, KVM_SET_BOOT_CPU_ID),
	NUMBER(FD_VM, KVM_CREATE_IRQCHIP),
	FILLS(FD_VM, KVM_IRQ_LINE, fill_line),
	FILLS(FD_VM, KVM_IRQ_LINE_STATUS, fill_line),
	FILLS(FD_VM, KVM_GET_IRQCHIP, fill_irqchip),
	FILLS(FD_VM, KVM_SET_IRQCHIP, fill_irqchip),
	NUMBER(FD_VM, KVM_CREATE_PIT),
	BYTES(FD_VM, KVM_CREATE_PIT2, sizeof(struct kvm_pit_config)),
	SIZED(FD_VM, KVM_GET_PIT),
	SETS(FD_VM, KVM_SET_PIT, KVM_GET_PIT, struct kvm_pit_state),
	SIZED(FD_VM, KVM_GET_PIT2),
	SETS(FD_VM, KVM_SET_PIT2, KVM_GET_PIT2, struct kvm_pit_state2),
	BYTES(FD_VM, KVM_REINJECT_CONTROL, sizeof(struct kvm_reinject_control)),
	FILLS(FD_VM, KVM_REGISTER_COALESCED_MMIO, fill_zone),
	FILLS(FD_VM, KVM_UNREGISTER_COALESCED_MMIO, fill_zone),
	FILLS(FD_VM, KVM_SET_GSI_ROUTING, fill_routing),
	FILLS(FD_VM, KVM_IRQFD, fill_irqfd),
	FILLS(FD_VM, KVM_IRQFD, fill_irqfd),
	FILLS(FD_VM, KVM_IOEVENTFD, fill_ioeventfd),
	FILLS(FD_VM, KVM_IOEVENTFD, fill_ioeventfd),
	FILLS(FD_VM, KVM_SIGNAL_MSI, fill_msi),
	SIZED(FD_VM, KVM_GET_CLOCK),
	SETS(FD_VM, KVM_SET_CLOCK, KVM_GET_CLOCK, struct kvm_clock_data),
	NUMBER(FD_VM, KVM_GET_TSC_KHZ),
	NUMBER(FD_VM, KVM_SET_TSC_KHZ),
	FILLS(FD_VM, KVM_X86_SET_MSR_FILTER, fill_filter),
	SIZED(FD_VM, KVM_SET_PMU_EVENT_FILTER),
	{ .kind = FD_VM, .cmd = KVM_CREATE_DEVICE, .size = 1, .fill = fill_device },
	FILLS(FD_VM, KVM_HYPERV_EVENTFD, fill_eventfd_hv),
	SIZED(FD_VM, KVM_XEN_HVM_CONFIG),
	SIZED(FD_VM, KVM_XEN_HVM_SET_ATTR),
	SIZED(FD_VM, KVM_MEMORY_ENCRYPT_OP),
	NUMBER(FD_VM, KVM_RESET_DIRTY_RINGS),
	MAKES(FD_VM, KVM_GET_STATS_FD, FD_STATS),

	SIZED(FD_VCPU, KVM_GET_REGS),
	SETS(FD_VCPU, KVM_SET_REGS, KVM_GET_REGS, struct kvm_regs),
	SIZED(FD_VCPU, KVM_GET_SREGS),
	SETS(FD_VCPU, KVM_SET_SREGS, KVM_GET_SREGS, struct kvm_sregs),
	SETS(FD_VCPU, KVM_SET_SREGS, KVM_GET_SREGS, struct kvm_sregs),
	SIZED(FD_VCPU, KVM_GET_SREGS2),
	SETS(FD_VCPU, KVM_SET_SREGS2, KVM_GET_SREGS2, struct kvm_sregs2),
	BYTES(FD_VCPU, KVM_TRANSLATE, sizeof(struct kvm_translation)),
	SIZED(FD_VCPU, KVM_INTERRUPT),
	NUMBER(FD_VCPU, KVM_NMI),
	NUMBER(FD_VCPU, KVM_SMI),
	FILLS(FD_VCPU, KVM_GET_MSRS, fill_msrs),
	FILLS(FD_VCPU, KVM_SET_MSRS, fill_msrs),
	FILLS(FD_VCPU, KVM_SET_MSRS, fill_msrs),
	FILLS(FD_VCPU, KVM_SET_CPUID, fill_cpuid),
	FILLS(FD_VCPU, KVM_SET_CPUID2, fill_cpuid),
	FILLS(FD_VCPU, KVM_GET_CPUID2, fill_msr_list),
	FILLS(FD_VCPU, KVM_SET_SIGNAL_MASK, fill_sigmask),
	SIZED(FD_VCPU, KVM_GET_FPU),
	SETS(FD_VCPU, KVM_SET_FPU, KVM_GET_FPU, struct kvm_fpu),
	SIZED(FD_VCPU, KVM_GET_XSAVE),
	SIZED(FD_VCPU, KVM_GET_XSAVE2),
	SETS(FD_VCPU, KVM_SET_XSAVE, KVM_GET_XSAVE, struct kvm_xsave),
	SIZED(FD_VCPU, KVM_GET_XCRS),
	SETS(FD_VCPU, KVM_SET_XCRS, KVM_GET_XCRS, struct kvm_xcrs),
	SIZED(FD_VCPU, KVM_GET_DEBUGREGS),
	SETS(FD_VCPU, KVM_SET_DEBUGREGS, KVM_GET_DEBUGREGS, struct kvm_debugregs),
	FILLS(FD_VCPU, KVM_SET_GUEST_DEBUG, fill_debug),
	SIZED(FD_VCPU, KVM_GET_LAPIC),
	SETS(FD_VCPU, KVM_SET_LAPIC, KVM_GET_LAPIC, struct kvm_lapic_state),
	BYTES(FD_VCPU, KVM_TPR_ACCESS_REPORTING, sizeof(struct kvm_tpr_access_ctl)),
	SIZED(FD_VCPU, KVM_SET_VAPIC_ADDR),
	SIZED(FD_VCPU, KVM_GET_MP_STATE),
	SETS(FD_VCPU, KVM_SET_MP_STATE, KVM_GET_MP_STATE, struct kvm_mp_state),
	SIZED(FD_VCPU, KVM_GET_VCPU_EVENTS),
	SETS(FD_VCPU, KVM_SET_VCPU_EVENTS, KVM_GET_VCPU_EVENTS, struct kvm_vcpu_events),
	SIZED(FD_VCPU, KVM_X86_SETUP_MCE),
	SIZED(FD_VCPU, KVM_X86_SET_MCE),
	NUMBER(FD_VCPU, KVM_GET_TSC_KHZ),
	NUMBER(FD_VCPU, KVM_SET_TSC_KHZ),
	NUMBER(FD_VCPU, KVM_KVMCLOCK_CTRL),
	FILLS(FD_VCPU, KVM_ENABLE_CAP, fill_cap),
	FILLS(FD_VCPU, KVM_GET_NESTED_STATE, fill_nested),
	FILLS(FD_VCPU, KVM_SET_NESTED_STATE, fill_nested),
	FILLS(FD_VCPU, KVM_GET_SUPPORTED_HV_CPUID, fill_msr_list),
	SIZED(FD_VCPU, KVM_XEN_VCPU_SET_ATTR),
	SIZED(FD_VCPU, KVM_GET_ONE_REG),
	FILLS(FD_VCPU, KVM_GET_DEVICE_ATTR, fill_attr),
	FILLS(FD_VCPU, KVM_SET_DEVICE_ATTR, fill_attr),
	FILLS(FD_VCPU, KVM_HAS_DEVICE_ATTR, fill_attr),
	MAKES(FD_VCPU, KVM_GET_STATS_FD, FD_STATS),

	FILLS(FD_DEVICE, KVM_SET_DEVICE_ATTR, fill_attr),
	FILLS(FD_DEVICE, KVM_GET_DEVICE_ATTR, fill_attr),
};

#define NR_CALLS (sizeof(calls) / sizeof(calls[0]))

/* Doing one ------------------------------------------------------------------------- */

/* Where the argument is: sometimes half beyond the buffer's end, or where others write. */
static unsigned long place(struct thread *t, size_t size)
{
	uint8_t *end = t->buf + BUF_SIZE;
	uint8_t *at;

	switch (below(&t->r, 24)) {
	case 0:
		size = size ? rnd(&t->r) % size : 0;
		at = end - size;
		memmove(at, t->buf, size);
		return (unsigned long)at;
	case 1:
		at = t->w->arena + below(&t->r, ARENA_SIZE - BUF_SIZE);
		scribble(at, t->buf, size);
		return (unsigned long)at;
	case 2:
		return odd_number(&t->r);
	case 3:
		return 0xffff888000000000ull + (odd_number(&t->r) & 0xffffffff);
	default:
		return (unsigned long)t->buf;
	}
}

static unsigned long argument(struct thread *t, const struct call *c, int fd)
{
	size_t size = c->size;

	if (!size) {
		if (c->makes && !one_in(&t->r, 8))
			return c->makes == FD_VM + 1 ? 0 : below(&t->r, 6);
		return one_in(&t->r, 2) ? below(&t->r, 256) : odd_number(&t->r);
	}
	if (c->fill) {
		size = c->fill(t, fd, t->buf);
		if (one_in(&t->r, 4))
			mutate(&t->r, t->buf, size);
	} else if (c->get && ioctl(fd, c->get, t->buf) >= 0) {
		mutate(&t->r, t->buf, size);
	} else {
		random_bytes(&t->r, t->buf, size);
	}
	return place(t, size);
}

static void keep_fd(struct thread *t, const struct call *c, long ret)
{
	struct world *w = t->w;

	if (ret < 0)
		return;
	if (c->makes)
		put_fd(w, &t->r, c->makes - 1, (int)ret);
	else if (c->cmd == KVM_CREATE_DEVICE)
		put_fd(w, &t->r, FD_DEVICE, (int)((struct kvm_create_device *)t->buf)->fd);
}

static void count(struct thread *t, long ret)
{
	__atomic_fetch_add(&t->w->shared->calls, 1, __ATOMIC_RELAXED);
	if (ret >= 0)
		__atomic_fetch_add(&t->w->shared->worked, 1, __ATOMIC_RELAXED);
}

void run_vcpu(struct thread *t)
{
	long ret;

	ret = ioctl(get_fd(t->w, &t->r, FD_VCPU), KVM_RUN, one_in(&t->r, 64) ? 1ul : 0ul);
	if (ret >= 0)
		__atomic_fetch_add(&t->w->shared->entries, 1, __ATOMIC_RELAXED);
	count(t, ret);
}

/* What else an fd can be asked: read, poll-like seeks, foreign mappings, numbers that are none. */
static void odd_call(struct thread *t)
{
	enum fd_kind kind = below(&t->r, NR_FD_KINDS);
	int fd = get_fd(t->w, &t->r, kind);
	uint64_t one = 1;
	long ret;
	void *p;

	switch (below(&t->r, 6)) {
	case 0:
		ret = pread(get_fd(t->w, &t->r, FD_STATS), t->buf, 1u << below(&t->r, 13),
			    (off_t)odd_number(&t->r));
		break;
	case 1:
		ret = kind == FD_EVENT ? write(fd, &one, 8) : read(fd, t->buf, 256);
		break;
	case 2:
		p = mmap(NULL, 1 + below(&t->r, 16384), 1 + (int)below(&t->r, 7),
			 one_in(&t->r, 2) ? MAP_PRIVATE : MAP_SHARED, fd,
			 (off_t)below(&t->r, 16) << 12);
		ret = p == MAP_FAILED ? -1 : 0;
		if (p != MAP_FAILED) {
			scribble(p, t->buf, 64);
			munmap(p, 16384);
		}
		break;
	case 3:
		ret = write(get_fd(t->w, &t->r, FD_EVENT), &one, 8);
		break;
	case 4: /* the right number on the wrong fd */
		random_bytes(&t->r, t->buf, 512);
		ret = ioctl(fd, calls[below(&t->r, NR_CALLS)].cmd, t->buf);
		break;
	default:
		random_bytes(&t->r, t->buf, 512);
		ret = ioctl(fd, _IOC(below(&t->r, 4), KVMIO, below(&t->r, 256), below(&t->r, 512)),
			    t->buf);
	}
	count(t, ret);
}

void one_call(struct thread *t)
{
	const struct call *c = &calls[below(&t->r, NR_CALLS)];
	unsigned long arg;
	long ret;
	int fd;

	if (one_in(&t->r, 16)) {
		odd_call(t);
		return;
	}
	fd = get_fd(t->w, &t->r, c->kind);
	arg = argument(t, c, fd);
	ret = ioctl(fd, c->cmd, arg);
	keep_fd(t, c, ret);
	count(t, ret);
}
