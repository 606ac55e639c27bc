// SPDX-License-Identifier: GPL-2.0-only
/*
 * Moves a running VM with one vCPU: saves everything that the KVM API calls its state, and puts it
 * into a new VM or back into the same one, in an order that some client uses. A payload must not
 * notice, whether it or a guest of its own is running.
 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "runner.h"

#define NESTED_MAX    0x4000
#define VMX_MSR_FIRST 0x480
#define VMX_MSR_LAST  0x491

static struct {
	struct kvm_vcpu_events events;
	struct kvm_mp_state mp;
	struct kvm_regs regs;
	struct kvm_sregs2 sregs;
	struct kvm_xsave xsave;
	struct kvm_xcrs xcrs;
	struct kvm_debugregs debug;
	struct kvm_lapic_state lapic;
	struct kvm_irqchip chip[3];
	struct kvm_pit_state2 pit;
	union {
		struct kvm_nested_state nested;
		char nested_bytes[NESTED_MAX];
	};
	struct kvm_msrs *msrs, *vmx_msrs;
	uint64_t tsc_offset;
} st;

unsigned int moves, moves_in_l2, moves_pending, moves_in_smm;

/*
 * A TSC within a second of what a new vCPU has is taken for an attempt to synchronise the two, by
 * KVM_SET_MSRS of stock KVM as well. Payloads are that young, so the offset itself is moved.
 */
static void tsc_offset(int fd, unsigned long request)
{
	struct kvm_device_attr a = {
		.group = KVM_VCPU_TSC_CTRL,
		.attr = KVM_VCPU_TSC_OFFSET,
		.addr = (uintptr_t)&st.tsc_offset,
	};

	call(fd, request, &a, "KVM_VCPU_TSC_OFFSET");
}

static struct kvm_msrs *new_msrs(uint32_t n)
{
	struct kvm_msrs *m = calloc(1, sizeof(*m) + n * sizeof(m->entries[0]));

	if (!m)
		die("calloc");
	return m;
}

/* The capability MSRs of VMX apart: they are fixed once VMX operation has been entered. */
static void list_msrs(void)
{
	struct kvm_msr_list *l = calloc(1, sizeof(*l) + 512 * sizeof(l->indices[0]));
	uint32_t i;

	if (!l)
		die("calloc");
	l->nmsrs = 512;
	call(kvm, KVM_GET_MSR_INDEX_LIST, l, "KVM_GET_MSR_INDEX_LIST");
	st.msrs = new_msrs(l->nmsrs);
	st.vmx_msrs = new_msrs(VMX_MSR_LAST - VMX_MSR_FIRST + 1);
	for (i = 0; i < l->nmsrs; i++)
		if (l->indices[i] < VMX_MSR_FIRST || l->indices[i] > VMX_MSR_LAST)
			st.msrs->entries[st.msrs->nmsrs++].index = l->indices[i];
		else
			st.vmx_msrs->entries[st.vmx_msrs->nmsrs++].index = l->indices[i];
	free(l);
}

static void get_msrs(int fd, struct kvm_msrs *m)
{
	if (call(fd, KVM_GET_MSRS, m, "KVM_GET_MSRS") != (int)m->nmsrs)
		die("KVM_GET_MSRS: some are missing");
}

static void set_msrs(int fd, struct kvm_msrs *m)
{
	int n = call(fd, KVM_SET_MSRS, m, "KVM_SET_MSRS");

	if (n != (int)m->nmsrs) {
		fprintf(stderr, "runner: MSR %#x is not taken back\n", m->entries[n].index);
		die("KVM_SET_MSRS");
	}
}

static void save(int fd)
{
	int i;

	call(fd, KVM_GET_VCPU_EVENTS, &st.events, "KVM_GET_VCPU_EVENTS");
	call(fd, KVM_GET_MP_STATE, &st.mp, "KVM_GET_MP_STATE");
	call(fd, KVM_GET_REGS, &st.regs, "KVM_GET_REGS");
	call(fd, KVM_GET_SREGS2, &st.sregs, "KVM_GET_SREGS2");
	call(fd, KVM_GET_XSAVE, &st.xsave, "KVM_GET_XSAVE");
	call(fd, KVM_GET_XCRS, &st.xcrs, "KVM_GET_XCRS");
	call(fd, KVM_GET_DEBUGREGS, &st.debug, "KVM_GET_DEBUGREGS");
	st.nested.size = NESTED_MAX;
	call(fd, KVM_GET_NESTED_STATE, &st.nested, "KVM_GET_NESTED_STATE");
	/* IA32_TSC_DEADLINE before the IRR that it ends in. */
	get_msrs(fd, st.msrs);
	get_msrs(fd, st.vmx_msrs);
	tsc_offset(fd, KVM_GET_DEVICE_ATTR);
	call(fd, KVM_GET_LAPIC, &st.lapic, "KVM_GET_LAPIC");
	for (i = 0; i < 3; i++) {
		st.chip[i].chip_id = i;
		call(vm, KVM_GET_IRQCHIP, &st.chip[i], "KVM_GET_IRQCHIP");
	}
	call(vm, KVM_GET_PIT2, &st.pit, "KVM_GET_PIT2");
	moves++;
	moves_in_l2 += !!(st.nested.flags & KVM_STATE_NESTED_GUEST_MODE);
	moves_in_smm += st.events.smi.smm;
	moves_pending += !!(st.nested.flags & KVM_STATE_NESTED_RUN_PENDING);
}

/* One letter per ioctl. */
static void put(int fd, char what)
{
	switch (what) {
	case 's':
		call(fd, KVM_SET_SREGS2, &st.sregs, "KVM_SET_SREGS2");
		break;
	case 'n':
		call(fd, KVM_SET_NESTED_STATE, &st.nested, "KVM_SET_NESTED_STATE");
		break;
	case 'r':
		call(fd, KVM_SET_REGS, &st.regs, "KVM_SET_REGS");
		break;
	case 'x':
		call(fd, KVM_SET_XCRS, &st.xcrs, "KVM_SET_XCRS");
		call(fd, KVM_SET_XSAVE, &st.xsave, "KVM_SET_XSAVE");
		break;
	case 'l':
		call(fd, KVM_SET_LAPIC, &st.lapic, "KVM_SET_LAPIC");
		break;
	case 'm':
		set_msrs(fd, st.msrs);
		tsc_offset(fd, KVM_SET_DEVICE_ATTR);
		break;
	case 'e':
		call(fd, KVM_SET_VCPU_EVENTS, &st.events, "KVM_SET_VCPU_EVENTS");
		break;
	case 'p':
		call(fd, KVM_SET_MP_STATE, &st.mp, "KVM_SET_MP_STATE");
		break;
	case 'd':
		call(fd, KVM_SET_DEBUGREGS, &st.debug, "KVM_SET_DEBUGREGS");
		break;
	}
}

/*
 * QEMU 7.2; the kernel's selftests; nested state before everything; nested state in the middle. The
 * local APIC follows the base address in SREGS and precedes its timer's MSR.
 */
static const char *const orders[] = { "snrxlmepd", "slmxepdrn", "nrslmxepd", "rxslepnmd" };

static void put_vm(int fd)
{
	int i;

	for (i = 0; i < 3; i++)
		call(fd, KVM_SET_IRQCHIP, &st.chip[i], "KVM_SET_IRQCHIP");
	call(fd, KVM_SET_PIT2, &st.pit, "KVM_SET_PIT2");
}

/**
 * move_vm - move the VM
 * @c: its vCPU
 *
 * The last KVM_RUN has ended with EINTR. Every fifth time the VM stays where it is and is only loaded
 * again; else the vCPU's fd and run page are others from now on. The memory comes last: no part of
 * the state may need it earlier.
 */
void move_vm(struct vcpu *c)
{
	const char *order = orders[moves % 4];

	if (!st.msrs)
		list_msrs();
	save(c->fd);
	if (moves % 5) { /* save() has counted it */
		munmap(c->run, run_size());
		close(c->fd);
		close(vm);
		make_vm();
		make_vcpu(c);
		set_msrs(c->fd, st.vmx_msrs);
	}
	/* Whether it is in SMM must be known before nested state can say what SMM interrupted. */
	if (st.events.smi.smm)
		put(c->fd, 'e');
	for (; *order; order++)
		put(c->fd, *order);
	put_vm(vm);
	if (moves % 5)
		give_memory();
}
