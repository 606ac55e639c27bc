// SPDX-License-Identifier: GPL-2.0-only
/*
 * Reports of TPR accesses and the TPR page.
 *
 * Port 0xd0 takes the address of the page (KVM_SET_VAPIC_ADDR), 0xd4 switches the reports on and off,
 * 0xd5 counts them, 0xd6 says if the last was a write, 0xd8 gives its RIP.
 */
#include <string.h>

#include "runner.h"

static uint8_t reports, was_write;
static uint32_t rip;

bool tpr_port(struct vcpu *c, uint8_t *data)
{
	struct kvm_tpr_access_ctl ctl = { .enabled = data[0] };
	struct kvm_vapic_addr page = { 0 };
	struct kvm_run *run = c->run;

	switch (run->io.port) {
	case 0xd0:
		memcpy(&page.vapic_addr, data, run->io.size < 4 ? run->io.size : 4);
		call(c->fd, KVM_SET_VAPIC_ADDR, &page, "KVM_SET_VAPIC_ADDR");
		return true;
	case 0xd4:
		call(c->fd, KVM_TPR_ACCESS_REPORTING, &ctl, "KVM_TPR_ACCESS_REPORTING");
		return true;
	case 0xd5:
		data[0] = reports;
		return true;
	case 0xd6:
		data[0] = was_write;
		return true;
	case 0xd8:
		put_port(run, data, rip);
		return true;
	}
	return false;
}

void tpr_accessed(const struct kvm_run *run)
{
	reports++;
	was_write = run->tpr_access.is_write;
	rip = (uint32_t)run->tpr_access.rip;
}
