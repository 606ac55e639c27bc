// SPDX-License-Identifier: GPL-2.0-only
/*
 * User space's part of Hyper-V's interfaces (runner -H).
 *
 * Port 0xf8 reads how often HvCallSignalEvent has signalled port HV_PORT since the last time, 0xf9
 * the last event (KVM_SYSTEM_EVENT_*) that user space was told of, 0xfa the low byte of the last
 * SynIC MSR. Hypercalls that come here are answered HYPERCALL_RESULT.
 */
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "runner.h"

#define HV_PORT		 5
#define HV_LEAVES	 32
#define HYPERCALL_RESULT 0x7e

static int port_fd;
static uint8_t last_event, last_synic_msr;

bool hyperv_port(struct kvm_run *run, uint8_t *data)
{
	uint64_t count = 0;

	if (is_out(run))
		return false;
	switch (run->io.port) {
	case 0xf8:
		data[0] = read(port_fd, &count, sizeof(count)) == sizeof(count) ? count : 0;
		return true;
	case 0xf9:
		data[0] = last_event;
		return true;
	case 0xfa:
		data[0] = last_synic_msr;
		return true;
	}
	return false;
}

void hyperv_exit(struct kvm_run *run)
{
	if (run->hyperv.type == KVM_EXIT_HYPERV_HCALL)
		run->hyperv.u.hcall.result = HYPERCALL_RESULT;
	if (run->hyperv.type == KVM_EXIT_HYPERV_SYNIC)
		last_synic_msr = run->hyperv.u.synic.msr;
}

void hyperv_system_event(const struct kvm_run *run)
{
	last_event = run->system_event.type;
}

/* Hyper-V's leaves in place of KVM's, under the name that guests know them by. */
void hyperv_cpuid(const struct vcpu *v, struct cpuid_list *c)
{
	struct cpuid_list hv = { .head.nent = HV_LEAVES };
	uint32_t i, n = 0;

	call(v->fd, KVM_GET_SUPPORTED_HV_CPUID, &hv, "KVM_GET_SUPPORTED_HV_CPUID");
	for (i = 0; i < c->head.nent; i++)
		if (c->entries[i].function >> 8 != 0x400000)
			c->entries[n++] = c->entries[i];
	for (i = 0; i < hv.head.nent && n < sizeof(c->entries) / sizeof(c->entries[0]); i++) {
		c->entries[n] = hv.entries[i];
		if (hv.entries[i].function == 0x40000000)
			memcpy(&c->entries[n].ebx, "Microsoft Hv", 12);
		n++;
	}
	c->head.nent = n;
}

void hyperv_enable(const struct vcpu *c)
{
	struct kvm_enable_cap synic = { .cap = KVM_CAP_HYPERV_SYNIC };
	struct kvm_enable_cap enforce = { .cap = KVM_CAP_HYPERV_ENFORCE_CPUID, .args = { 1 } };

	call(c->fd, KVM_ENABLE_CAP, &synic, "KVM_CAP_HYPERV_SYNIC");
	call(c->fd, KVM_ENABLE_CAP, &enforce, "KVM_CAP_HYPERV_ENFORCE_CPUID");
}

void hyperv_enable_evmcs(const struct vcpu *c)
{
	uint16_t versions = 0;
	struct kvm_enable_cap cap = {
		.cap = KVM_CAP_HYPERV_ENLIGHTENED_VMCS,
		.args = { (uintptr_t)&versions },
	};

	call(c->fd, KVM_ENABLE_CAP, &cap, "KVM_CAP_HYPERV_ENLIGHTENED_VMCS");
	if (versions != 0x101)
		die("KVM_CAP_HYPERV_ENLIGHTENED_VMCS: version");
}

void hyperv_make_port(void)
{
	struct kvm_hyperv_eventfd port = { .conn_id = HV_PORT };

	port_fd = eventfd(0, EFD_NONBLOCK);
	port.fd = port_fd;
	call(vm, KVM_HYPERV_EVENTFD, &port, "KVM_HYPERV_EVENTFD");
}
