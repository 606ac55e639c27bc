// SPDX-License-Identifier: GPL-2.0-only
/*
 * The guest's time-stamp counter: host TSC plus an offset, no scaling. Called by the MSR
 * handlers, by api/ and by the local APIC's deadline timer.
 *
 * Offsets of a VM's vCPUs must be equal for their TSCs to agree, but software (firmware, a
 * booting kernel, QEMU) writes them one after another. So a write that is within a second of
 * what the TSC written last would show now is taken as an attempt to synchronise, and gets
 * the same offset. The second write to the same TSC is not: then a state is loaded, perhaps the next
 * one within a second, and what it says is meant.
 */
#include <linux/ktime.h>
#include <linux/math64.h>
#include <asm/tsc.h>

#include "irqchip/irqchip.h"
#include "vcpu/kvmclock.h"
#include "vcpu/nested.h"
#include "vcpu/vcpu.h"

/* Rates within this of the host's are the host's: what KVM tolerates without scaling. */
#define TSC_TOLERANCE_PPM 250

/*
 * A TSC starts over when the host comes back from suspend to RAM, and guests' must not go back:
 * their offsets grow by what was lost. These change only while user space is frozen, so no vCPU is
 * loaded then, and each one learns of it in vcpu_load().
 */
static u64 lost_ticks, tsc_at_suspend;

bool clock_tsc_stable(void)
{
	return !check_tsc_unstable();
}

/** tsc_host_suspends, tsc_host_resumed - on the last CPU, interrupts off */
void tsc_host_suspends(void)
{
	tsc_at_suspend = rdtsc_ordered();
}

void tsc_host_resumed(void)
{
	u64 now = rdtsc_ordered();

	if (now < tsc_at_suspend)
		WRITE_ONCE(lost_ticks, lost_ticks + tsc_at_suspend - now);
}

u64 tsc_lost_ticks(void)
{
	return READ_ONCE(lost_ticks);
}

u64 vcpu_read_tsc(struct vcpu *v)
{
	return rdtsc_ordered() + v->tsc_offset;
}

static void set_offset(struct vcpu *v, u64 offset)
{
	if (offset == v->tsc_offset)
		return;
	v->tsc_offset = offset;
	hw->set_tsc_offset(v, offset);
	nested_tsc_changed(v);
	vcpu_request(v, REQ_CLOCK_UPDATE);
	if (v->lapic)
		lapic_rearm_timer(v);
}

/** vcpu_tsc_catch_up - go on where the TSC was before the host's suspend; vCPU loaded */
void vcpu_tsc_catch_up(struct vcpu *v)
{
	u64 lost = tsc_lost_ticks();

	if (likely(v->tsc_lost == lost))
		return;
	set_offset(v, v->tsc_offset + lost - v->tsc_lost);
	v->tsc_lost = lost;
}

/* A TSC that others are to agree with: @val at @now_ns. */
static void begin_sync(struct vcpu *v, u64 val, u64 now_ns, u64 offset)
{
	struct vm *vm = v->vm;

	lockdep_assert_held(&vm->clock_lock);
	v->tsc_sync_nr = ++vm->tsc_sync.nr;
	vm->tsc_sync.value = val;
	vm->tsc_sync.ns = now_ns;
	vm->tsc_sync.offset = offset;
	vm->tsc_sync.lost = tsc_lost_ticks();
}

/**
 * vcpu_set_tsc_offset - set L1's offset from the host's TSC itself (KVM_VCPU_TSC_OFFSET)
 * @v:	    the vCPU, loaded
 * @offset: as user space computed it; nothing is synchronised
 */
void vcpu_set_tsc_offset(struct vcpu *v, u64 offset)
{
	struct vm *vm = v->vm;

	/* vCPUs whose TSC is written after this one's mean to be in step with it. */
	spin_lock(&vm->clock_lock);
	begin_sync(v, rdtsc_ordered() + offset, ktime_get_boottime_ns(), offset);
	spin_unlock(&vm->clock_lock);
	set_offset(v, offset);
}

/* Is @val what a vCPU in step with the last write would have now, give or take a second? */
static bool in_step(struct vcpu *v, u64 val, u64 now_ns)
{
	u64 second = (u64)tsc_khz * 1000, expected;
	struct vm *vm = v->vm;

	if (!vm->tsc_sync.nr)
		return false;
	/* A new vCPU starts from 0 and means: like the others. */
	if (!val)
		return true;
	if (v->tsc_sync_nr == vm->tsc_sync.nr)
		return false;
	expected = vm->tsc_sync.value +
		   mul_u64_u32_div(now_ns - vm->tsc_sync.ns, tsc_khz, NSEC_PER_MSEC);
	return val - expected + second < 2 * second;
}

/**
 * vcpu_write_tsc - write IA32_TIME_STAMP_COUNTER
 * @v:	  the vCPU, loaded
 * @val:  value
 * @host: by user space or at creation: synchronises; by the guest: moves TSC_ADJUST too
 */
void vcpu_write_tsc(struct vcpu *v, u64 val, bool host)
{
	struct vm *vm = v->vm;
	u64 offset, now_ns, tsc;

	if (!host) {
		u64 delta = val - vcpu_read_tsc(v);

		v->tsc_adjust += delta;
		vcpu_adjust_tsc(v, delta);
		return;
	}
	spin_lock(&vm->clock_lock);
	now_ns = ktime_get_boottime_ns();
	tsc = rdtsc_ordered();
	offset = val - tsc;
	if (clock_tsc_stable() && in_step(v, val, now_ns)) {
		v->tsc_sync_nr = vm->tsc_sync.nr;
		offset = vm->tsc_sync.offset + tsc_lost_ticks() - vm->tsc_sync.lost;
	} else {
		begin_sync(v, val, now_ns, offset);
	}
	spin_unlock(&vm->clock_lock);
	set_offset(v, offset);
}

void vcpu_adjust_tsc(struct vcpu *v, u64 delta)
{
	set_offset(v, v->tsc_offset + delta);
}

u32 vcpu_tsc_khz(struct vcpu *v)
{
	return tsc_khz;
}

/** vcpu_set_tsc_khz - KVM_SET_TSC_KHZ: only the host's rate, there is no scaling; -EINVAL */
int vcpu_set_tsc_khz(struct vcpu *v, u32 khz)
{
	u64 slack = div_u64((u64)tsc_khz * TSC_TOLERANCE_PPM, 1000000);

	if (!khz)
		return 0;
	return khz >= tsc_khz - slack && khz <= tsc_khz + slack ? 0 : -EINVAL;
}
