// SPDX-License-Identifier: GPL-2.0-only
/* The vCPU fd: running, registers and control. Its larger states are in rows_state.c. */
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>

#include "surface.h"

static const uint8_t out_e9[] = { 0xe6, 0xe9 }; /* out %al, $0xe9 */

/* A CPU that nobody has started waits, however often it is asked, until a signal comes. */
static bool run_waits(struct world *w)
{
	int vcpu = ioctl(w->vm, KVM_CREATE_VCPU, 1ul);

	return vcpu >= 0 && signal_soon() && refusedn(w, vcpu, KVM_RUN, 0, EINTR);
}

static bool run(struct world *w)
{
	return run_code(w, out_e9, sizeof(out_e9), KVM_EXIT_IO) && w->run->io.port == 0xe9 &&
	       run_waits(w);
}

/* An instruction that reads a device, for which user space answers, and writes memory that is gone. */
static bool memory_taken_away(struct world *w)
{
	static const uint8_t code[] = {
		0xb8, 0xff, 0xff, /* mov $0xffff, %ax */
		0x8e, 0xd8,	  /* mov %ax, %ds: the first byte behind memory is at 0x10 */
		0xbe, 0x10, 0x00, /* mov $0x10, %si */
		0x31, 0xc0,	  /* xor %ax, %ax */
		0x8e, 0xc0,	  /* mov %ax, %es */
		0xbf, 0x00, 0x60, /* mov $0x6000, %di */
		0xa4,		  /* movsb */
	};

	return !munmap(w->mem + 0x6000, 0x1000) && run_code(w, code, sizeof(code), KVM_EXIT_MMIO) &&
	       refusedn(w, w->vcpu, KVM_RUN, 0, EFAULT);
}

static bool run_bad(struct world *w)
{
	return refusedn(w, w->vcpu, KVM_RUN, 1, EINVAL) && memory_taken_away(w);
}

static bool regs(struct world *w)
{
	struct kvm_regs r = { .rax = 0x1122334455667788, .r15 = 7, .rflags = 2 }, back;

	return call(w, w->vcpu, KVM_SET_REGS, &r) && call(w, w->vcpu, KVM_GET_REGS, &back) &&
	       !memcmp(&r, &back, sizeof(r));
}

static bool set_regs_bad(struct world *w)
{
	return refused(w, w->vcpu, KVM_SET_REGS, NOT_MAPPED, EFAULT);
}

static bool get_regs_bad(struct world *w)
{
	return refused(w, w->vcpu, KVM_GET_REGS, NOT_MAPPED, EFAULT);
}

static bool sregs(struct world *w)
{
	struct kvm_sregs s, back;

	if (!call(w, w->vcpu, KVM_GET_SREGS, &s))
		return false;
	s.cr2 = 0x1234;
	s.es.base = 0x770;
	s.es.selector = 0x77;
	return call(w, w->vcpu, KVM_SET_SREGS, &s) && call(w, w->vcpu, KVM_GET_SREGS, &back) &&
	       back.cr2 == 0x1234 && back.es.base == 0x770 && back.es.selector == 0x77;
}

/* CR0.PG without CR0.PE. */
static bool sregs_bad(struct world *w)
{
	struct kvm_sregs s;

	if (!call(w, w->vcpu, KVM_GET_SREGS, &s))
		return false;
	s.efer = ~0ull;
	return refused(w, w->vcpu, KVM_SET_SREGS, &s, EINVAL);
}

static bool get_sregs_bad(struct world *w)
{
	return refused(w, w->vcpu, KVM_GET_SREGS, NOT_MAPPED, EFAULT);
}

static bool sregs2(struct world *w)
{
	struct kvm_sregs2 s, back;

	if (!call(w, w->vcpu, KVM_GET_SREGS2, &s))
		return false;
	s.cr2 = 0x1234;
	return call(w, w->vcpu, KVM_SET_SREGS2, &s) && call(w, w->vcpu, KVM_GET_SREGS2, &back) &&
	       back.cr2 == 0x1234;
}

static bool sregs2_bad(struct world *w)
{
	struct kvm_sregs2 s;

	if (!call(w, w->vcpu, KVM_GET_SREGS2, &s))
		return false;
	s.flags = 1u << 20;
	return refused(w, w->vcpu, KVM_SET_SREGS2, &s, EINVAL);
}

static bool get_sregs2_bad(struct world *w)
{
	return refused(w, w->vcpu, KVM_GET_SREGS2, NOT_MAPPED, EFAULT);
}

static bool translate(struct world *w)
{
	struct kvm_translation t = { .linear_address = 0x2345 };

	return call(w, w->vcpu, KVM_TRANSLATE, &t) && t.valid && t.physical_address == 0x2345;
}

static bool translate_bad(struct world *w)
{
	return refused(w, w->vcpu, KVM_TRANSLATE, NOT_MAPPED, EFAULT);
}

/* Only a vCPU without an APIC in the kernel takes it. */
static bool interrupt(struct world *w)
{
	struct kvm_interrupt i = { .irq = 0x20 };
	struct world bare;
	int vcpu;

	if (!bare_world(&bare))
		return false;
	vcpu = ioctl(bare.vm, KVM_CREATE_VCPU, 0ul);
	return vcpu >= 0 && call(w, vcpu, KVM_INTERRUPT, &i);
}

static bool interrupt_bad(struct world *w)
{
	struct kvm_interrupt i = { .irq = 0x20 };

	return refused(w, w->vcpu, KVM_INTERRUPT, &i, ENXIO);
}

static bool nmi(struct world *w)
{
	struct kvm_vcpu_events e;

	return calln(w, w->vcpu, KVM_NMI, 0) && call(w, w->vcpu, KVM_GET_VCPU_EVENTS, &e) &&
	       (e.nmi.pending || e.nmi.injected);
}

static bool smi(struct world *w)
{
	struct kvm_vcpu_events e;

	return calln(w, w->vcpu, KVM_SMI, 0) && call(w, w->vcpu, KVM_GET_VCPU_EVENTS, &e) &&
	       e.smi.pending;
}

struct one_msr {
	struct kvm_msrs head;
	struct kvm_msr_entry entry;
};

static bool msrs(struct world *w)
{
	struct one_msr set = { .head.nmsrs = 1, .entry = { .index = 0x174, .data = 0x10 } };
	struct one_msr get = { .head.nmsrs = 1, .entry = { .index = 0x174 } };

	return ioctl(w->vcpu, KVM_SET_MSRS, &set) == 1 && ioctl(w->vcpu, KVM_GET_MSRS, &get) == 1 &&
	       get.entry.data == 0x10;
}

/* @tsc written, what is read shortly afterwards */
static uint64_t tsc_after(struct world *w, uint64_t tsc)
{
	struct one_msr set = { .head.nmsrs = 1, .entry = { .index = 0x10, .data = tsc } };
	struct one_msr get = { .head.nmsrs = 1, .entry.index = 0x10 };

	return ioctl(w->vcpu, KVM_SET_MSRS, &set) == 1 && ioctl(w->vcpu, KVM_GET_MSRS, &get) == 1 ?
		       get.entry.data :
		       0;
}

/* States are loaded one after another, with TSCs less than a second apart: each gets its own. */
static bool set_msrs(struct world *w)
{
	uint64_t second = ioctl(w->vcpu, KVM_GET_TSC_KHZ, 0ul) * 1000ull;
	uint64_t early = 100 * second, late = early + second * 9 / 10;

	return msrs(w) && tsc_after(w, early) >= early && tsc_after(w, late) >= late &&
	       tsc_after(w, early) < late;
}

/* An unknown MSR ends the list: none was done. */
static bool set_msrs_bad(struct world *w)
{
	struct one_msr m = { .head.nmsrs = 1, .entry = { .index = 0xdead } };

	return ioctl(w->vcpu, KVM_SET_MSRS, &m) == 0;
}

static bool get_msrs_bad(struct world *w)
{
	struct one_msr m = { .head.nmsrs = 1, .entry = { .index = 0xdead } };

	return ioctl(w->vcpu, KVM_GET_MSRS, &m) == 0;
}

static bool cpuid2(struct world *w)
{
	struct cpuid_list set, get = { .head.nent = 256 };

	return give_cpuid(w, &set) && call(w, w->vcpu, KVM_GET_CPUID2, &get) &&
	       get.head.nent == set.head.nent && get.entries[0].ebx == set.entries[0].ebx;
}

static bool set_cpuid2_bad(struct world *w)
{
	struct kvm_cpuid2 c = { .nent = 100000 };

	return refused(w, w->vcpu, KVM_SET_CPUID2, &c, E2BIG);
}

static bool get_cpuid2_bad(struct world *w)
{
	struct cpuid_list set;

	if (!give_cpuid(w, &set))
		return false;
	set.head.nent = 1;
	return refused(w, w->vcpu, KVM_GET_CPUID2, &set, E2BIG);
}

static bool cpuid(struct world *w)
{
	struct {
		struct kvm_cpuid head;
		struct kvm_cpuid_entry entry;
	} c = { .head.nent = 1, .entry = { .function = 0, .eax = 1, .ebx = 0x12345678 } };
	struct cpuid_list get = { .head.nent = 256 };

	return call(w, w->vcpu, KVM_SET_CPUID, &c) && call(w, w->vcpu, KVM_GET_CPUID2, &get) &&
	       get.head.nent == 1 && get.entries[0].ebx == 0x12345678;
}

static bool set_cpuid_bad(struct world *w)
{
	struct kvm_cpuid c = { .nent = 100000 };

	return refused(w, w->vcpu, KVM_SET_CPUID, &c, E2BIG);
}

static bool signal_mask(struct world *w)
{
	struct {
		struct kvm_signal_mask head;
		uint8_t set[8];
	} m = { .head.len = 8 };

	return call(w, w->vcpu, KVM_SET_SIGNAL_MASK, &m);
}

static bool signal_mask_bad(struct world *w)
{
	struct kvm_signal_mask m = { .len = 3 };

	return refused(w, w->vcpu, KVM_SET_SIGNAL_MASK, &m, EINVAL);
}

static bool guest_debug(struct world *w)
{
	static const uint8_t nops[] = { 0x90, 0x90, 0xe6, 0xe9 };
	struct kvm_guest_debug d = { .control = KVM_GUESTDBG_ENABLE | KVM_GUESTDBG_SINGLESTEP };

	return call(w, w->vcpu, KVM_SET_GUEST_DEBUG, &d) &&
	       run_code(w, nops, sizeof(nops), KVM_EXIT_DEBUG) &&
	       w->run->debug.arch.pc == CODE_AT + 1;
}

static bool guest_debug_bad(struct world *w)
{
	return refused(w, w->vcpu, KVM_SET_GUEST_DEBUG, NOT_MAPPED, EFAULT);
}

static bool tsc_khz(struct world *w)
{
	int khz = ioctl(w->vcpu, KVM_GET_TSC_KHZ, 0ul);

	return khz > 0 && calln(w, w->vcpu, KVM_SET_TSC_KHZ, khz) &&
	       ioctl(w->vcpu, KVM_GET_TSC_KHZ, 0ul) == khz;
}

/* Without TSC scaling ten times the host's rate can't be had. */
static bool set_tsc_khz_bad(struct world *w)
{
	int khz = ioctl(w->vcpu, KVM_GET_TSC_KHZ, 0ul);

	return refusedn(w, w->vcpu, KVM_SET_TSC_KHZ, khz * 10ul, EINVAL);
}

static bool kvmclock_ctrl(struct world *w)
{
	struct one_msr m = { .head.nmsrs = 1, .entry = { .index = 0x4b564d01, .data = 0x6001 } };
	struct cpuid_list c;

	return give_cpuid(w, &c) && ioctl(w->vcpu, KVM_SET_MSRS, &m) == 1 && run(w) &&
	       calln(w, w->vcpu, KVM_KVMCLOCK_CTRL, 0);
}

static bool kvmclock_ctrl_bad(struct world *w)
{
	return refusedn(w, w->vcpu, KVM_KVMCLOCK_CTRL, 0, EINVAL);
}

static bool tpr_reporting(struct world *w)
{
	struct kvm_tpr_access_ctl c = { .enabled = 1 };

	return call(w, w->vcpu, KVM_TPR_ACCESS_REPORTING, &c);
}

static bool tpr_reporting_bad(struct world *w)
{
	struct kvm_tpr_access_ctl c = { .flags = 1 };

	return refused(w, w->vcpu, KVM_TPR_ACCESS_REPORTING, &c, EINVAL);
}

static bool vapic_addr(struct world *w)
{
	struct kvm_vapic_addr a = { .vapic_addr = 0x6000 };

	return call(w, w->vcpu, KVM_SET_VAPIC_ADDR, &a) && run(w);
}

/* The APIC is in user space: there is nothing to shadow. */
static bool vapic_addr_bad(struct world *w)
{
	struct kvm_vapic_addr a = { .vapic_addr = 0x6000 };
	struct world bare;
	int vcpu;

	if (!bare_world(&bare))
		return false;
	vcpu = ioctl(bare.vm, KVM_CREATE_VCPU, 0ul);
	return vcpu >= 0 && refused(w, vcpu, KVM_SET_VAPIC_ADDR, &a, EINVAL);
}

static bool setup_mce(struct world *w)
{
	uint64_t cap = 10;

	return call(w, w->vcpu, KVM_X86_SETUP_MCE, &cap);
}

static bool setup_mce_bad(struct world *w)
{
	uint64_t cap = 200;

	return refused(w, w->vcpu, KVM_X86_SETUP_MCE, &cap, EINVAL);
}

/* The error goes to its bank: IA32_MC2_STATUS is MSR 0x409. */
static bool logs_error(struct world *w, uint64_t status)
{
	struct kvm_x86_mce m = { .status = status, .bank = 2 };
	struct one_msr get = { .head.nmsrs = 1, .entry = { .index = 0x409 } };

	return call(w, w->vcpu, KVM_X86_SET_MCE, &m) && ioctl(w->vcpu, KVM_GET_MSRS, &get) == 1 &&
	       get.entry.data == status;
}

/* A corrected error; with MCG_SER_P one that is uncorrected and wants no action: no machine check. */
static bool set_mce(struct world *w)
{
	uint64_t cap = 1 << 24 | 10;

	return setup_mce(w) && logs_error(w, 1ull << 63 | 5) &&
	       call(w, w->vcpu, KVM_X86_SETUP_MCE, &cap) &&
	       logs_error(w, 7ull << 61 | 5) && /* which overwrites the other */
	       run_code(w, out_e9, sizeof(out_e9), KVM_EXIT_IO);
}

static bool set_mce_bad(struct world *w)
{
	struct kvm_x86_mce m = { .status = 1ull << 63, .bank = 50 };

	return setup_mce(w) && refused(w, w->vcpu, KVM_X86_SET_MCE, &m, EINVAL);
}

const struct row vcpu_rows[] = {
	{ "KVM_RUN", VCPU, run, run_bad },
	{ "KVM_GET_REGS", VCPU, regs, get_regs_bad },
	{ "KVM_SET_REGS", VCPU, regs, set_regs_bad },
	{ "KVM_GET_SREGS", VCPU, sregs, get_sregs_bad },
	{ "KVM_SET_SREGS", VCPU, sregs, sregs_bad },
	{ "KVM_GET_SREGS2", VCPU, sregs2, get_sregs2_bad },
	{ "KVM_SET_SREGS2", VCPU, sregs2, sregs2_bad },
	{ "KVM_TRANSLATE", VCPU, translate, translate_bad },
	{ "KVM_INTERRUPT", VCPU, interrupt, interrupt_bad },
	{ "KVM_NMI", VCPU, nmi, NULL },
	{ "KVM_SMI", VCPU, smi, NULL },
	{ "KVM_GET_MSRS", VCPU, msrs, get_msrs_bad },
	{ "KVM_SET_MSRS", VCPU, set_msrs, set_msrs_bad },
	{ "KVM_SET_CPUID", VCPU, cpuid, set_cpuid_bad },
	{ "KVM_SET_CPUID2", VCPU, cpuid2, set_cpuid2_bad },
	{ "KVM_GET_CPUID2", VCPU, cpuid2, get_cpuid2_bad },
	{ "KVM_SET_SIGNAL_MASK", VCPU, signal_mask, signal_mask_bad },
	{ "KVM_SET_GUEST_DEBUG", VCPU, guest_debug, guest_debug_bad },
	{ "KVM_GET_TSC_KHZ", VCPU, tsc_khz, NULL },
	{ "KVM_SET_TSC_KHZ", VCPU, tsc_khz, set_tsc_khz_bad },
	{ "KVM_KVMCLOCK_CTRL", VCPU, kvmclock_ctrl, kvmclock_ctrl_bad },
	{ "KVM_TPR_ACCESS_REPORTING", VCPU, tpr_reporting, tpr_reporting_bad },
	{ "KVM_SET_VAPIC_ADDR", VCPU, vapic_addr, vapic_addr_bad },
	{ "KVM_X86_SETUP_MCE", VCPU, setup_mce, setup_mce_bad },
	{ "KVM_X86_SET_MCE", VCPU, set_mce, set_mce_bad },
	{ 0 },
};
