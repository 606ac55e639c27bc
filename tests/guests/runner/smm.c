// SPDX-License-Identifier: GPL-2.0-only
/*
 * What makes SMIs, and what a shutdown of the processor leads to.
 *
 * A write to port 0xb2 is an SMI to the vCPU, one to 0xb3 an SMI by message to APIC ID 0 some time
 * later. An address written to port 0xb8 is where the next shutdown goes on, with the registers of
 * the moment of the write.
 */
#include <string.h>
#include <unistd.h>

#include "runner.h"

#define LATER_US      50000
#define MSI_TO_APIC_0 0xfee00000u
#define MSI_SMI	      0x200u

static void *smi_later(void *arg)
{
	struct kvm_msi msi = { .address_lo = MSI_TO_APIC_0, .data = MSI_SMI };

	(void)arg;
	usleep(LATER_US);
	pthread_mutex_lock(&lock); /* the VM may be moving */
	call(vm, KVM_SIGNAL_MSI, &msi, "KVM_SIGNAL_MSI");
	pthread_mutex_unlock(&lock);
	return NULL;
}

static void resume_at(struct vcpu *c, uint32_t rip)
{
	call(c->fd, KVM_GET_REGS, &c->resume.regs, "KVM_GET_REGS");
	call(c->fd, KVM_GET_SREGS, &c->resume.sregs, "KVM_GET_SREGS");
	c->resume.regs.rip = rip;
}

bool smm_port(struct vcpu *c, const uint8_t *data)
{
	uint32_t value = data[0];
	pthread_t t;

	if (!is_out(c->run))
		return false;
	switch (c->run->io.port) {
	case 0xb2:
		call(c->fd, KVM_SMI, NULL, "KVM_SMI");
		return true;
	case 0xb3:
		if (pthread_create(&t, NULL, smi_later, NULL) || pthread_detach(t))
			die("pthread_create");
		return true;
	case 0xb8:
		if (c->run->io.size == 4)
			memcpy(&value, data, 4);
		resume_at(c, value);
		return true;
	}
	return false;
}

/* The processor has shut down: out of SMM, and on where the payload said; false if it has not. */
bool smm_after_shutdown(struct vcpu *c)
{
	struct kvm_vcpu_events ev;

	if (!c->resume.regs.rip)
		return false;
	call(c->fd, KVM_GET_VCPU_EVENTS, &ev, "KVM_GET_VCPU_EVENTS");
	memset(&ev.smi, 0, sizeof(ev.smi));
	ev.nmi.masked = 0;
	ev.flags = KVM_VCPUEVENT_VALID_SMM;
	call(c->fd, KVM_SET_VCPU_EVENTS, &ev, "KVM_SET_VCPU_EVENTS");
	call(c->fd, KVM_SET_SREGS, &c->resume.sregs, "KVM_SET_SREGS");
	call(c->fd, KVM_SET_REGS, &c->resume.regs, "KVM_SET_REGS");
	c->resume.regs.rip = 0;
	return true;
}
