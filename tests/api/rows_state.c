// SPDX-License-Identifier: GPL-2.0-only
/* The vCPU fd's larger states: each is read, changed, written, and read again. */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>

#include "surface.h"

#define MXCSR_AT   24 /* in the legacy region of XSAVE */
#define UD_VECTOR  6
#define HANDLER_AT 0x2000u

static bool fpu(struct world *w)
{
	struct kvm_fpu f, back;

	if (!call(w, w->vcpu, KVM_GET_FPU, &f))
		return false;
	f.xmm[3][5] = 0x5a;
	f.mxcsr = 0x1f80;
	return call(w, w->vcpu, KVM_SET_FPU, &f) && call(w, w->vcpu, KVM_GET_FPU, &back) &&
	       back.xmm[3][5] == 0x5a;
}

static bool set_fpu_bad(struct world *w)
{
	return refused(w, w->vcpu, KVM_SET_FPU, NOT_MAPPED, EFAULT);
}

static bool get_fpu_bad(struct world *w)
{
	return refused(w, w->vcpu, KVM_GET_FPU, NOT_MAPPED, EFAULT);
}

static bool xsave_roundtrip(struct world *w, unsigned long get)
{
	struct kvm_xsave *x = aligned_alloc(64, 65536);
	uint32_t mxcsr = 0x1fa0, back;

	memset(x, 0, 65536);
	if (!call(w, w->vcpu, get, x))
		return false;
	memcpy((uint8_t *)x + MXCSR_AT, &mxcsr, 4);
	x->region[512 / 4] |= 3; /* XSTATE_BV: x87 and SSE */
	if (!call(w, w->vcpu, KVM_SET_XSAVE, x) || !call(w, w->vcpu, get, x))
		return false;
	memcpy(&back, (uint8_t *)x + MXCSR_AT, 4);
	return back == mxcsr;
}

static bool xsave(struct world *w)
{
	return xsave_roundtrip(w, KVM_GET_XSAVE);
}

static bool xsave2(struct world *w)
{
	return xsave_roundtrip(w, KVM_GET_XSAVE2);
}

/* Reserved bits of MXCSR. */
static bool set_xsave_bad(struct world *w)
{
	struct kvm_xsave *x = aligned_alloc(64, 65536);

	memset(x, 0, 65536);
	if (!call(w, w->vcpu, KVM_GET_XSAVE, x))
		return false;
	memset((uint8_t *)x + MXCSR_AT, 0xff, 4);
	x->region[512 / 4] |= 3;
	return refused(w, w->vcpu, KVM_SET_XSAVE, x, EINVAL);
}

static bool get_xsave_bad(struct world *w)
{
	return refused(w, w->vcpu, KVM_GET_XSAVE, NOT_MAPPED, EFAULT);
}

static bool get_xsave2_bad(struct world *w)
{
	return refused(w, w->vcpu, KVM_GET_XSAVE2, NOT_MAPPED, EFAULT);
}

/* XCR0 takes what CPUID offers. */
static bool xcrs(struct world *w)
{
	struct cpuid_list c;
	struct kvm_xcrs x = { .nr_xcrs = 1, .xcrs = { { .xcr = 0, .value = 3 } } }, back = { 0 };

	return give_cpuid(w, &c) && call(w, w->vcpu, KVM_SET_XCRS, &x) &&
	       call(w, w->vcpu, KVM_GET_XCRS, &back) && back.nr_xcrs == 1 &&
	       back.xcrs[0].value == 3;
}

static bool set_xcrs_bad(struct world *w)
{
	struct kvm_xcrs x = { .nr_xcrs = 1, .xcrs = { { .xcr = 0, .value = 2 } } };

	return refused(w, w->vcpu, KVM_SET_XCRS, &x, EINVAL);
}

static bool get_xcrs_bad(struct world *w)
{
	return refused(w, w->vcpu, KVM_GET_XCRS, NOT_MAPPED, EFAULT);
}

static bool debugregs(struct world *w)
{
	struct kvm_debugregs d = { .db = { 0x1000, 0x2000 }, .dr6 = 0xffff0ff0, .dr7 = 0x400 },
			     back;

	return call(w, w->vcpu, KVM_SET_DEBUGREGS, &d) &&
	       call(w, w->vcpu, KVM_GET_DEBUGREGS, &back) && back.db[1] == 0x2000;
}

static bool set_debugregs_bad(struct world *w)
{
	struct kvm_debugregs d = { .dr7 = 1ull << 40 };

	return refused(w, w->vcpu, KVM_SET_DEBUGREGS, &d, EINVAL);
}

static bool get_debugregs_bad(struct world *w)
{
	return refused(w, w->vcpu, KVM_GET_DEBUGREGS, NOT_MAPPED, EFAULT);
}

static bool lapic(struct world *w)
{
	struct kvm_lapic_state l;
	uint32_t tpr = 0x30, back;

	if (!call(w, w->vcpu, KVM_GET_LAPIC, &l))
		return false;
	memcpy(l.regs + 0x80, &tpr, 4);
	if (!call(w, w->vcpu, KVM_SET_LAPIC, &l) || !call(w, w->vcpu, KVM_GET_LAPIC, &l))
		return false;
	memcpy(&back, l.regs + 0x80, 4);
	return back == tpr;
}

static bool no_lapic(struct world *w, unsigned long cmd)
{
	struct kvm_lapic_state l = { 0 };
	struct world bare;
	int vcpu;

	if (!bare_world(&bare))
		return false;
	vcpu = ioctl(bare.vm, KVM_CREATE_VCPU, 0ul);
	return vcpu >= 0 && refused(w, vcpu, cmd, &l, EINVAL);
}

static bool get_lapic_bad(struct world *w)
{
	return no_lapic(w, KVM_GET_LAPIC);
}

static bool set_lapic_bad(struct world *w)
{
	return no_lapic(w, KVM_SET_LAPIC);
}

static bool mp_state(struct world *w)
{
	struct kvm_mp_state m = { .mp_state = KVM_MP_STATE_HALTED }, back;

	return call(w, w->vcpu, KVM_SET_MP_STATE, &m) &&
	       call(w, w->vcpu, KVM_GET_MP_STATE, &back) && back.mp_state == KVM_MP_STATE_HALTED;
}

/* INIT and SIPI that the vCPU has not taken yet are part of what is read. */
static bool get_mp_state(struct world *w)
{
	struct kvm_msi init = { .address_lo = 0xfee01000, .data = 0x500 };
	struct kvm_msi sipi = { .address_lo = 0xfee01000, .data = 0x612 };
	struct kvm_mp_state m;
	struct kvm_sregs s;
	int vcpu = ioctl(w->vm, KVM_CREATE_VCPU, 1ul);

	return vcpu >= 0 && call(w, vcpu, KVM_GET_MP_STATE, &m) &&
	       m.mp_state == KVM_MP_STATE_UNINITIALIZED && call(w, w->vm, KVM_SIGNAL_MSI, &init) &&
	       call(w, vcpu, KVM_GET_MP_STATE, &m) && m.mp_state == KVM_MP_STATE_INIT_RECEIVED &&
	       call(w, w->vm, KVM_SIGNAL_MSI, &sipi) && call(w, vcpu, KVM_GET_MP_STATE, &m) &&
	       m.mp_state == KVM_MP_STATE_RUNNABLE && call(w, vcpu, KVM_GET_SREGS, &s) &&
	       s.cs.selector == 0x1200;
}

static bool set_mp_state_bad(struct world *w)
{
	struct kvm_mp_state m = { .mp_state = 77 };

	return refused(w, w->vcpu, KVM_SET_MP_STATE, &m, EINVAL);
}

static bool get_mp_state_bad(struct world *w)
{
	return refused(w, w->vcpu, KVM_GET_MP_STATE, NOT_MAPPED, EFAULT);
}

static bool events(struct world *w)
{
	struct kvm_vcpu_events e, back;

	if (!call(w, w->vcpu, KVM_GET_VCPU_EVENTS, &e))
		return false;
	e.nmi.masked = 1;
	return call(w, w->vcpu, KVM_SET_VCPU_EVENTS, &e) &&
	       call(w, w->vcpu, KVM_GET_VCPU_EVENTS, &back) && back.nmi.masked;
}

/* KVM_RUN that ends before the guest's first instruction: its signal is there already. */
static bool run_interrupted(struct world *w)
{
	struct {
		struct kvm_signal_mask head;
		uint8_t set[8];
	} all = { .head.len = 8 };
	sigset_t usr1;

	return !sigemptyset(&usr1) && !sigaddset(&usr1, SIGUSR1) &&
	       !sigprocmask(SIG_BLOCK, &usr1, NULL) && !raise(SIGUSR1) &&
	       call(w, w->vcpu, KVM_SET_SIGNAL_MASK, &all) &&
	       refusedn(w, w->vcpu, KVM_RUN, 0, EINTR) && calln(w, w->vcpu, KVM_SET_SIGNAL_MASK, 0);
}

/* INIT and SIPI are not told twice: as latched here, and as taken by KVM_GET_MP_STATE. */
static bool init_is_taken(struct world *w)
{
	struct kvm_msi init = { .address_lo = 0xfee01000, .data = 0x500 };
	struct kvm_msi sipi = { .address_lo = 0xfee01000, .data = 0x612 };
	struct kvm_vcpu_events e;
	struct kvm_mp_state m;
	int vcpu = ioctl(w->vm, KVM_CREATE_VCPU, 1ul);

	return vcpu >= 0 && call(w, w->vm, KVM_SIGNAL_MSI, &init) &&
	       call(w, w->vm, KVM_SIGNAL_MSI, &sipi) && call(w, vcpu, KVM_GET_VCPU_EVENTS, &e) &&
	       !e.smi.latched_init && call(w, vcpu, KVM_GET_MP_STATE, &m) &&
	       m.mp_state == KVM_MP_STATE_RUNNABLE && call(w, vcpu, KVM_SET_VCPU_EVENTS, &e) &&
	       call(w, vcpu, KVM_SET_MP_STATE, &m) && call(w, vcpu, KVM_GET_MP_STATE, &m) &&
	       m.mp_state == KVM_MP_STATE_RUNNABLE;
}

static bool get_events(struct world *w)
{
	return events(w) && init_is_taken(w);
}

/* An event that was about to be delivered is not, when a state without it is loaded. */
static bool set_events(struct world *w)
{
	static const uint8_t code[] = { 0xe6, 0xe9 }, handler[] = { 0xe6, 0xea }; /* out %al, $.. */
	struct kvm_vcpu_events none, ud;
	uint16_t *ivt = (uint16_t *)w->mem;

	memcpy(w->mem + HANDLER_AT, handler, sizeof(handler));
	ivt[2 * UD_VECTOR] = HANDLER_AT;
	if (!events(w) || !call(w, w->vcpu, KVM_GET_VCPU_EVENTS, &none))
		return false;
	ud = none;
	ud.exception.injected = 1;
	ud.exception.nr = UD_VECTOR;
	return call(w, w->vcpu, KVM_SET_VCPU_EVENTS, &ud) && run_interrupted(w) &&
	       call(w, w->vcpu, KVM_GET_VCPU_EVENTS, &ud) && ud.exception.injected &&
	       call(w, w->vcpu, KVM_SET_VCPU_EVENTS, &none) &&
	       run_code(w, code, sizeof(code), KVM_EXIT_IO) && w->run->io.port == 0xe9;
}

static bool set_events_bad(struct world *w)
{
	struct kvm_vcpu_events e = { .flags = 1u << 30 };

	return refused(w, w->vcpu, KVM_SET_VCPU_EVENTS, &e, EINVAL);
}

static bool get_events_bad(struct world *w)
{
	return refused(w, w->vcpu, KVM_GET_VCPU_EVENTS, NOT_MAPPED, EFAULT);
}

/* A vCPU outside VMX operation, as at reset. */
static bool nested_state(struct world *w)
{
	struct {
		struct kvm_nested_state head;
		uint8_t data[8192];
	} s = { .head.size = sizeof(s) };

	return call(w, w->vcpu, KVM_GET_NESTED_STATE, &s) && s.head.size >= 128 &&
	       call(w, w->vcpu, KVM_SET_NESTED_STATE, &s);
}

static bool set_nested_state_bad(struct world *w)
{
	struct kvm_nested_state s = { .size = sizeof(s), .flags = 0x8000 };

	return refused(w, w->vcpu, KVM_SET_NESTED_STATE, &s, EINVAL);
}

static bool get_nested_state_bad(struct world *w)
{
	struct kvm_nested_state s = { .size = 4 };

	return refused(w, w->vcpu, KVM_GET_NESTED_STATE, &s, E2BIG);
}

/* The TSC offset of a vCPU, a device attribute. */
static bool set_attr(struct world *w)
{
	uint64_t off = 0x1000, back = 0;
	struct kvm_device_attr a = { .group = KVM_VCPU_TSC_CTRL,
				     .attr = KVM_VCPU_TSC_OFFSET,
				     .addr = (uintptr_t)&off };

	if (!call(w, w->vcpu, KVM_SET_DEVICE_ATTR, &a))
		return false;
	a.addr = (uintptr_t)&back;
	return call(w, w->vcpu, KVM_GET_DEVICE_ATTR, &a) && back == off;
}

static bool set_attr_bad(struct world *w)
{
	struct kvm_device_attr a = { .group = 77 };

	return refused(w, w->vcpu, KVM_SET_DEVICE_ATTR, &a, ENXIO);
}

const struct row state_rows[] = {
	{ "KVM_GET_FPU", VCPU, fpu, get_fpu_bad },
	{ "KVM_SET_FPU", VCPU, fpu, set_fpu_bad },
	{ "KVM_GET_XSAVE", VCPU, xsave, get_xsave_bad },
	{ "KVM_GET_XSAVE2", VCPU, xsave2, get_xsave2_bad },
	{ "KVM_SET_XSAVE", VCPU, xsave, set_xsave_bad },
	{ "KVM_GET_XCRS", VCPU, xcrs, get_xcrs_bad },
	{ "KVM_SET_XCRS", VCPU, xcrs, set_xcrs_bad },
	{ "KVM_GET_DEBUGREGS", VCPU, debugregs, get_debugregs_bad },
	{ "KVM_SET_DEBUGREGS", VCPU, debugregs, set_debugregs_bad },
	{ "KVM_GET_LAPIC", VCPU, lapic, get_lapic_bad },
	{ "KVM_SET_LAPIC", VCPU, lapic, set_lapic_bad },
	{ "KVM_GET_MP_STATE", VCPU, get_mp_state, get_mp_state_bad },
	{ "KVM_SET_MP_STATE", VCPU, mp_state, set_mp_state_bad },
	{ "KVM_GET_VCPU_EVENTS", VCPU, get_events, get_events_bad },
	{ "KVM_SET_VCPU_EVENTS", VCPU, set_events, set_events_bad },
	{ "KVM_GET_NESTED_STATE", VCPU, nested_state, get_nested_state_bad },
	{ "KVM_SET_NESTED_STATE", VCPU, nested_state, set_nested_state_bad },
	{ "KVM_SET_DEVICE_ATTR", VCPU, set_attr, set_attr_bad },
	{ 0 },
};
