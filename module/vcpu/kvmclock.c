// SPDX-License-Identifier: GPL-2.0-only
/*
 * The paravirtual clock of KVM's clients: a page per vCPU from which the guest computes its time
 * from the TSC, the wall clock, and KVM_GET/SET_CLOCK. Called by MSR handlers, the run
 * loop (REQ_CLOCK_UPDATE) and api/.
 *
 * With a stable host TSC the VM's clock is defined by one pair (TSC, ns) and the TSC's rate,
 * so that all vCPUs compute the same time (PVCLOCK_TSC_STABLE_BIT). Else each page gets a pair of
 * its own, and the guest has to keep its clock from going backwards.
 */
#include <linux/kvm_para.h>
#include <linux/ktime.h>
#include <linux/math64.h>
#include <linux/slab.h>
#include <asm/pvclock-abi.h>
#include <asm/tsc.h>

#include "mm/mm.h"
#include "vcpu/kvmclock.h"
#include "vcpu/vcpu.h"

/* ns = (ticks << shift, or >> -shift) * mul >> 32 */
struct scale {
	u32 mul;
	s8 shift;
};

/* The multiplier with the most bits. Powers go up, so that the quotient cannot overflow. */
static struct scale tsc_scale(void)
{
	u64 hz = (u64)tsc_khz * 1000;
	struct scale s = { 0, 0 };
	int power;

	if (!hz)
		return s;
	for (power = 1; power < 64; power++) {
		u64 mul = mul_u64_u64_div_u64(NSEC_PER_SEC, 1ull << power, hz);

		if (mul >= 1ull << 31) {
			s.mul = mul;
			s.shift = 32 - power;
			break;
		}
	}
	return s;
}

static u64 ticks_to_ns(u64 ticks)
{
	struct scale s = tsc_scale();

	ticks = s.shift >= 0 ? ticks << s.shift : ticks >> -s.shift;
	return mul_u64_u32_shr(ticks, s.mul, 32);
}

/* One moment by all clocks. */
struct moment {
	u64 tsc; /* host's */
	u64 boot_ns;
	u64 real_ns;
	u64 clock_ns; /* the VM's */
};

/* Under vm->clock_lock. */
static void set_base(struct vm *vm, u64 tsc, u64 ns)
{
	vm->clock_base.valid = true;
	vm->clock_base.tsc = tsc;
	vm->clock_base.ns = ns;
	vm->clock_base.lost = tsc_lost_ticks();
}

/* Under vm->clock_lock. */
static void take_moment(struct vm *vm, struct moment *m)
{
	unsigned long flags;

	local_irq_save(flags);
	m->tsc = rdtsc_ordered();
	m->boot_ns = ktime_get_boottime_ns();
	m->real_ns = ktime_get_real_ns();
	local_irq_restore(flags);

	if (!clock_tsc_stable()) {
		m->clock_ns = m->boot_ns + vm->clock_offset_ns;
		return;
	}
	/* The TSC starts over when the host resumes from suspend: a new base, in boot time. */
	if (!vm->clock_base.valid || vm->clock_base.lost != tsc_lost_ticks())
		set_base(vm, m->tsc, m->boot_ns + vm->clock_offset_ns);
	m->clock_ns = vm->clock_base.ns + ticks_to_ns(m->tsc - vm->clock_base.tsc);
}

static void vm_moment(struct vm *vm, struct moment *m)
{
	spin_lock(&vm->clock_lock);
	take_moment(vm, m);
	spin_unlock(&vm->clock_lock);
}

static void fill_page(struct vcpu *v, struct pvclock_vcpu_time_info *p)
{
	struct vm *vm = v->vm;
	struct scale s = tsc_scale();
	struct moment m;

	memset(p, 0, sizeof(*p));
	p->tsc_to_system_mul = s.mul;
	p->tsc_shift = s.shift;

	spin_lock(&vm->clock_lock);
	take_moment(vm, &m);
	if (clock_tsc_stable()) {
		p->flags = PVCLOCK_TSC_STABLE_BIT;
		p->tsc_timestamp = vm->clock_base.tsc + v->tsc_offset;
		p->system_time = vm->clock_base.ns;
	} else {
		p->tsc_timestamp = m.tsc + v->tsc_offset;
		p->system_time = m.clock_ns;
	}
	spin_unlock(&vm->clock_lock);
}

/**
 * vcpu_clock_update - write the vCPU's clock page
 * @v: the vCPU; vm->srcu held, may sleep
 *
 * The version is odd while the page is inconsistent. A page that is not there (any more) is
 * the guest's own fault and ignored.
 */
void vcpu_clock_update(struct vcpu *v)
{
	struct vcpu_clock *c = v->clock;
	struct pvclock_vcpu_time_info page, old;
	u64 gpa;

	if (!c || !(c->system_msr & KVM_MSR_ENABLED))
		return;
	gpa = c->system_msr & ~1ull;
	if (vm_read_guest(v->vm, gpa, &old, sizeof(old)))
		return;
	fill_page(v, &page);
	/* The guest clears this bit itself once it has seen it. */
	page.flags |= old.flags & PVCLOCK_GUEST_STOPPED;
	if (c->stopped)
		page.flags |= PVCLOCK_GUEST_STOPPED;
	c->stopped = false;

	page.version = c->version | 1;
	if (vm_write_guest(v->vm, gpa, &page.version, sizeof(page.version)))
		return;
	smp_wmb();
	if (vm_write_guest(v->vm, gpa, &page, sizeof(page)))
		return;
	smp_wmb();
	c->version = page.version + 1;
	vm_write_guest(v->vm, gpa, &c->version, sizeof(c->version));
}

/* Time of day when the VM's clock was 0. */
static void write_wall_clock(struct vm *vm, u64 gpa)
{
	struct pvclock_wall_clock wc;
	struct moment m;
	u32 version, nsec;
	u64 boot;

	if (!gpa || vm_read_guest(vm, gpa, &version, sizeof(version)))
		return;
	version |= 1;
	if (vm_write_guest(vm, gpa, &version, sizeof(version)))
		return;
	vm_moment(vm, &m);
	boot = m.real_ns - m.clock_ns;
	wc.sec = div_u64_rem(boot, NSEC_PER_SEC, &nsec);
	wc.nsec = nsec;
	wc.version = version;
	smp_wmb();
	if (vm_write_guest(vm, gpa, &wc, sizeof(wc)))
		return;
	smp_wmb();
	version++;
	vm_write_guest(vm, gpa, &version, sizeof(version));
}

/** vcpu_clock_set_msr - the four clock MSRs: 0, 1 = #GP, -ENOENT; vm->srcu held */
int vcpu_clock_set_msr(struct vcpu *v, u32 index, u64 val, bool host)
{
	switch (index) {
	case MSR_KVM_WALL_CLOCK:
	case MSR_KVM_WALL_CLOCK_NEW:
		v->clock->wall_msr = val;
		v->vm->wall_clock_gpa = val;
		write_wall_clock(v->vm, val);
		return 0;
	case MSR_KVM_SYSTEM_TIME:
	case MSR_KVM_SYSTEM_TIME_NEW:
		v->clock->system_msr = val;
		if (val & KVM_MSR_ENABLED)
			vcpu_request(v, REQ_CLOCK_UPDATE);
		return 0;
	default:
		return -ENOENT;
	}
}

int vcpu_clock_get_msr(struct vcpu *v, u32 index, u64 *val)
{
	switch (index) {
	case MSR_KVM_WALL_CLOCK:
	case MSR_KVM_WALL_CLOCK_NEW:
		*val = v->vm->wall_clock_gpa;
		return 0;
	case MSR_KVM_SYSTEM_TIME:
	case MSR_KVM_SYSTEM_TIME_NEW:
		*val = v->clock->system_msr;
		return 0;
	default:
		return -ENOENT;
	}
}

/** vm_clock_ns - the VM's clock now */
u64 vm_clock_ns(struct vm *vm)
{
	struct moment m;

	vm_moment(vm, &m);
	return m.clock_ns;
}

/** vm_clock_base - the pair (host TSC, ns) that defines the clock; false: the TSC is not stable */
bool vm_clock_base(struct vm *vm, u64 *tsc, u64 *ns)
{
	struct moment m;

	if (!clock_tsc_stable())
		return false;
	spin_lock(&vm->clock_lock);
	take_moment(vm, &m);
	*tsc = vm->clock_base.tsc;
	*ns = vm->clock_base.ns;
	spin_unlock(&vm->clock_lock);
	return true;
}

/** vm_get_clock - KVM_GET_CLOCK */
int vm_get_clock(struct vm *vm, struct kvm_clock_data *c)
{
	struct moment m;

	vm_moment(vm, &m);
	memset(c, 0, sizeof(*c));
	c->clock = m.clock_ns;
	c->realtime = m.real_ns;
	c->host_tsc = m.tsc;
	c->flags = KVM_CLOCK_REALTIME | KVM_CLOCK_HOST_TSC;
	if (clock_tsc_stable())
		c->flags |= KVM_CLOCK_TSC_STABLE;
	return 0;
}

/** vm_set_clock - KVM_SET_CLOCK; with KVM_CLOCK_REALTIME the time since then is added */
int vm_set_clock(struct vm *vm, const struct kvm_clock_data *c)
{
	struct moment m;
	u64 clock = c->clock;

	if (c->flags & ~KVM_CLOCK_REALTIME)
		return -EINVAL;
	spin_lock(&vm->clock_lock);
	take_moment(vm, &m);
	if ((c->flags & KVM_CLOCK_REALTIME) && m.real_ns > c->realtime)
		clock += m.real_ns - c->realtime;
	vm->clock_offset_ns = clock - m.boot_ns;
	set_base(vm, m.tsc, clock);
	spin_unlock(&vm->clock_lock);
	vm_request_all(vm, REQ_CLOCK_UPDATE);
	return 0;
}

/** vcpu_clock_ctrl - KVM_KVMCLOCK_CTRL: -EINVAL when the guest has no clock page */
int vcpu_clock_ctrl(struct vcpu *v)
{
	if (!(v->clock->system_msr & KVM_MSR_ENABLED))
		return -EINVAL;
	v->clock->stopped = true;
	vcpu_request(v, REQ_CLOCK_UPDATE);
	return 0;
}

void vcpu_clock_reset(struct vcpu *v)
{
	if (!v->clock)
		return;
	v->clock->system_msr = 0;
	v->clock->wall_msr = 0;
	v->clock->stopped = false;
}

/** vcpu_clock_create - also gives the vCPU's TSC its first offset; vCPU not loaded */
int vcpu_clock_create(struct vcpu *v)
{
	v->clock = kzalloc(sizeof(*v->clock), GFP_KERNEL_ACCOUNT);
	if (!v->clock)
		return -ENOMEM;
	vcpu_load(v);
	vcpu_write_tsc(v, 0, true);
	hw->set_tsc_offset(v, v->tsc_offset);
	vcpu_put(v);
	return 0;
}

void vcpu_clock_free(struct vcpu *v)
{
	kfree(v->clock);
	v->clock = NULL;
}
