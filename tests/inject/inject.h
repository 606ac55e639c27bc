/* SPDX-License-Identifier: GPL-2.0-only */
/* What the files of inject share. */
#ifndef TESTS_INJECT_INJECT_H
#define TESTS_INJECT_INJECT_H

#include "fault.h"
#include "machine.h"

#define MAX_N	     20000
#define NESTED_MAX   0x4000
#define REFUSALS_MAX 100

struct tally {
	int injected, survived, no_memory, fault;
};

struct nested {
	struct kvm_nested_state head;
	char rest[NESTED_MAX - sizeof(struct kvm_nested_state)];
};

/* A VM as far as it was made; fds are -1, and pointers NULL, until then. */
struct world {
	int vm, vcpu, event, resample;
	struct kvm_run *run;
	uint8_t *mem;
	size_t mem_size;
	const char *payload;
	bool smi; /* the payload has asked for one */
	int refusals, error;
	char text[16384]; /* what the payload prints */
	size_t text_len;
	struct nested nested;
};

#define NO_WORLD                                                  \
	{                                                         \
		.vm = -1, .vcpu = -1, .event = -1, .resample = -1 \
	}

/* inject.c */
void with_payload(struct world *w);
void end(struct world *w);
bool count_refusal(struct tally *t, int error);
void verdict(bool ok, const char *name, const struct tally *t, const char *why);

/* payload.c */
void with_l2(struct world *w);
void inject_into_payload(const char *path);

#endif /* TESTS_INJECT_INJECT_H */
