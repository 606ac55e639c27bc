// SPDX-License-Identifier: GPL-2.0-only
/*
 * A payload with one failing allocation anywhere on its way: KVM_RUN may be refused, and is then
 * called again, but the payload must say what it always says. Whenever L2 asks for an SMI its
 * state is saved and loaded first.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>

#include "inject.h"

#define PRINT_PORT 0xe9
#define SMI_PORT   0xb2
#define BRIEF	   2 /* to the payload: in latch 0, that it need not repeat itself so often */

static bool own_port(struct kvm_run *run, uint8_t *data, void *arg)
{
	struct world *w = arg;

	if (!is_out(run))
		return false;
	if (run->io.port == PRINT_PORT && w->text_len + 1 < sizeof(w->text))
		w->text[w->text_len++] = data[0];
	if (run->io.port == SMI_PORT)
		w->smi = true;
	return run->io.port == PRINT_PORT || run->io.port == SMI_PORT;
}

/* The call until it is not refused for want of memory; false for any other error. */
static bool insist(struct world *w, unsigned long request, void *arg)
{
	while (ioctl(w->vcpu, request, arg) < 0) {
		if ((errno != ENOMEM && errno != EFAULT) || ++w->refusals > REFUSALS_MAX)
			return false;
		w->error = errno;
	}
	return true;
}

/* What KVM_EXIT_IO left to do is done, and nothing else. */
static bool finish_io(struct world *w)
{
	bool ok;

	w->run->immediate_exit = 1;
	ok = !insist(w, KVM_RUN, NULL) && errno == EINTR;
	w->run->immediate_exit = 0;
	return ok;
}

static bool get_nested(struct world *w)
{
	w->nested.head.size = sizeof(w->nested);
	return insist(w, KVM_GET_NESTED_STATE, &w->nested);
}

static bool in_l2(const struct world *w)
{
	return w->nested.head.flags & KVM_STATE_NESTED_GUEST_MODE;
}

static bool load_again(struct world *w)
{
	struct kvm_sregs sregs;
	struct kvm_regs regs;

	return insist(w, KVM_GET_SREGS, &sregs) && insist(w, KVM_GET_REGS, &regs) &&
	       insist(w, KVM_SET_SREGS, &sregs) && insist(w, KVM_SET_NESTED_STATE, &w->nested) &&
	       insist(w, KVM_SET_REGS, &regs);
}

static bool smi(struct world *w)
{
	w->smi = false;
	if (!finish_io(w) || !get_nested(w) || (in_l2(w) && !load_again(w)))
		return false;
	return insist(w, KVM_SMI, NULL);
}

/* To the payload's next exit that is for user space; its exit status, -1 while it has none, or -2. */
static int run_on(struct world *w)
{
	int status = -1;

	if (ioctl(w->vcpu, KVM_RUN, 0) < 0) {
		if (errno == EAGAIN || errno == EINTR)
			return -1;
		if ((errno != ENOMEM && errno != EFAULT) || ++w->refusals > REFUSALS_MAX)
			return -2;
		w->error = errno;
		return -1;
	}
	switch (w->run->exit_reason) {
	case KVM_EXIT_IO:
		status = port_io(w->run, own_port, w);
		break;
	case KVM_EXIT_MMIO:
		device_memory(w->run);
		break;
	default:
		errno = EPROTO;
		return -2;
	}
	return status;
}

/* The payload from its first instruction to its end; its exit status, or -2 and errno. */
static int run_payload(struct world *w)
{
	int status;

	do {
		status = run_on(w);
		if (status == -1 && w->smi && !smi(w))
			return -2;
	} while (status == -1);
	w->text[w->text_len] = '\0';
	return status;
}

static void start(struct world *w)
{
	with_payload(w);
	memset(latch, 0, sizeof(latch));
	latch[0] = BRIEF;
}

/* A vCPU in L2, with its nested state in @w; its payload must be vmx. */
void with_l2(struct world *w)
{
	w->payload = "vmx.bin";
	start(w);
	do {
		if (run_on(w) != -1)
			die("vmx.bin does not get to an L2 that asks for an SMI");
		if (w->smi && (!finish_io(w) || !get_nested(w)))
			die("saving L2");
		w->smi = false;
	} while (!in_l2(w));
}

/* False when there was no Nth allocation, or with @why set. */
static bool one_pass(const char *path, enum fault_kind kind, unsigned int n, struct tally *t,
		     const char *expected, char *why, size_t size)
{
	static const struct world none = NO_WORLD;
	static struct world w;
	bool hit;
	int r;

	w = none;
	w.payload = path;
	start(&w);
	fault_arm(kind, n);
	r = run_payload(&w);
	hit = fault_disarm(kind);
	if (hit) {
		t->injected++;
		if (!w.refusals)
			t->survived++;
		else
			count_refusal(t, w.error);
	}
	if (r < 0)
		snprintf(why, size, "N=%u: %s, exit reason %u", n, strerror(errno),
			 w.run->exit_reason);
	else if (r || strcmp(w.text, expected))
		snprintf(why, size, "N=%u: another outcome, status %d", n, r);
	else if (w.refusals > hit)
		snprintf(why, size, "N=%u: %d refusals", n, w.refusals);
	if (*why && strcmp(w.text, expected))
		printf("%s\n", w.text);
	end(&w);
	return hit && !*why;
}

static void passes(const char *path, enum fault_kind kind, const char *what, const char *expected)
{
	struct tally t = { 0 };
	char why[128] = "", name[64];
	unsigned int n;

	snprintf(name, sizeof(name), "%s, %s", path, what);
	for (n = 1; n < MAX_N && one_pass(path, kind, n, &t, expected, why, sizeof(why)); n++) {
		if (n % 50)
			continue;
		printf("%s: N=%u\n", name, n);
		fflush(stdout);
	}
	verdict(!*why, name, &t, why);
}

void inject_into_payload(const char *path)
{
	static struct world w = NO_WORLD;
	struct tally none = { 0 };
	int r;

	w.payload = path;
	w.text_len = 0;
	start(&w);
	r = run_payload(&w);
	end(&w);
	if (r || w.refusals) {
		verdict(false, path, &none, "it fails of itself");
		printf("%s\n", w.text);
		return;
	}
	passes(path, FAULT_SLAB, "slab", w.text);
	passes(path, FAULT_PAGE, "pages", w.text);
}
