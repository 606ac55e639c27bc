// SPDX-License-Identifier: GPL-2.0-only
/*
 * Between an enlightened VMCS and struct vmcs12, generated from evmcs_fields.def; which one VMLAUNCH
 * and VMRESUME are about; what version 1 cannot express.
 */
#include <linux/bits.h>
#include <linux/errno.h>
#include <linux/kernel.h>
#include <linux/string.h>
#include "nested/check.h"
#include "nested/evmcs.h"

/* Places that do not overlap the words around, and runs that end where a field does. */
#define EVMCS_FIELD(offset, member, group, direction)                         \
	static_assert((offset) % sizeof(((struct vmcs12 *)0)->member) == 0 && \
		      (offset) + sizeof(((struct vmcs12 *)0)->member) <= EVMCS_SIZE);
#define EVMCS_RUN(from, to) static_assert((from) < (to) && (to) <= EVMCS_CLEAN);
#include "nested/evmcs_fields.def"

const struct evmcs_run evmcs_runs[] = {
#define EVMCS_RUN(from, to) { from, to },
#include "nested/evmcs_fields.def"
};

const unsigned int evmcs_nr_runs = ARRAY_SIZE(evmcs_runs);

static const struct {
	u16 vmcs12;
	u16 offset;
} places[] = {
#define EVMCS_FIELD(off, member, group, direction) { offsetof(struct vmcs12, member), off },
#include "nested/evmcs_fields.def"
};

/**
 * evmcs_offset - place of a field in an enlightened VMCS
 * @f: an entry of vmcs12_fields[]
 *
 * Returns the offset, or -ENOENT if it has none.
 */
int evmcs_offset(const struct vmcs12_field *f)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(places); i++)
		if (places[i].vmcs12 == f->offset)
			return places[i].offset;
	return -ENOENT;
}

/**
 * evmcs_caps - what is left of the capabilities with an enlightened VMCS
 * @out:  result
 * @caps: what there is with an ordinary one
 */
void evmcs_caps(struct vmx_caps *out, const struct vmx_caps *caps)
{
	unsigned int i;

	*out = *caps;
	for (i = 0; i < vmcs12_nr_fields; i++)
		if (evmcs_offset(&vmcs12_fields[i]) < 0)
			vmx_caps_withdraw(out, vmcs12_fields[i].needs);
}

/** evmcs_word - a 32-bit word of the page that is none of the fields */
u32 evmcs_word(const void *page, unsigned int offset)
{
	u32 word;

	memcpy(&word, (const u8 *)page + offset, sizeof(word));
	return word;
}

/* -- Fields ------------------------------------------------------------------ */

#define LOAD_IN(off, member, group)      \
	if (dirty & EVMCS_GROUP_##group) \
		memcpy(&v->member, from + (off), sizeof(v->member));
#define LOAD_BOTH(off, member, group) LOAD_IN(off, member, group)
#define LOAD_OUT(off, member, group)

/**
 * evmcs_load - what VM entry reads
 * @v:	   the VMCS, as the last entry or exit left it
 * @page:  L0's copy of the enlightened VMCS
 * @clean: groups in which L1 has not changed anything since
 */
void evmcs_load(struct vmcs12 *v, const void *page, u32 clean)
{
	u32 dirty = ~clean | EVMCS_GROUP_ALWAYS;
	const u8 *from = page;

#define EVMCS_FIELD(off, member, group, direction) LOAD_##direction(off, member, group)
#include "nested/evmcs_fields.def"
}

#define STORE_OUT(off, member)	memcpy(to + (off), &v->member, sizeof(v->member));
#define STORE_BOTH(off, member) STORE_OUT(off, member)
#define STORE_IN(off, member)

/**
 * evmcs_store - what VM exits write
 * @page: L0's copy of the enlightened VMCS
 * @v:	  the VMCS
 */
void evmcs_store(void *page, const struct vmcs12 *v)
{
	u8 *to = page;

#define EVMCS_FIELD(off, member, group, direction) STORE_##direction(off, member)
#include "nested/evmcs_fields.def"
}

/**
 * evmcs_write_runs - give L1 what VM exits write, and nothing else
 * @ops, @ctx: the world
 * @ptr:       the enlightened VMCS
 * @page:      L0's copy
 *
 * Returns 0, or nonzero when the memory is not there.
 */
int evmcs_write_runs(const struct nested_ops *ops, void *ctx, u64 ptr, const void *page)
{
	unsigned int i;
	int r = 0;

	for (i = 0; !r && i < evmcs_nr_runs; i++)
		r = ops->write_gpa(ctx, ptr + evmcs_runs[i].from,
				   (const u8 *)page + evmcs_runs[i].from,
				   evmcs_runs[i].to - evmcs_runs[i].from);
	return r;
}

/* -- Which one --------------------------------------------------------------- */

/**
 * evmcs_assist_read - the enlightened VMCS that the VP assist page names
 * @ops, @ctx: the world
 * @assist:    address of the VP assist page
 * @ptr:       result, not checked
 *
 * Returns false if entries are not enlightened.
 */
bool evmcs_assist_read(const struct nested_ops *ops, void *ctx, u64 assist, u64 *ptr)
{
	struct evmcs_assist a;

	if (ops->read_gpa(ctx, assist + EVMCS_ASSIST_OFFSET, &a, sizeof(a)) || !a.enlighten_vmentry)
		return false;
	*ptr = a.current_nested_vmcs;
	return true;
}

/**
 * evmcs_fetch - read the enlightened VMCS that VMLAUNCH or VMRESUME is about
 * @i:	 the instruction; @i->evmcs gets L0's copy
 * @ptr: where it is
 *
 * Hyper-V itself writes the revision id of IA32_VMX_BASIC where the version belongs.
 */
enum evmcs_fetch evmcs_fetch(const struct vmx_insn *i, u64 *ptr)
{
	u32 revision;

	if (!evmcs_assist_read(i->ops, i->ctx, i->vp_assist, ptr))
		return EVMCS_NOT_USED;
	if (!page_addr_ok(i->maxphyaddr, *ptr) ||
	    i->ops->read_gpa(i->ctx, *ptr, i->evmcs, EVMCS_SIZE))
		return EVMCS_NO_MEMORY;
	revision = evmcs_word(i->evmcs, EVMCS_REVISION);
	if (revision != EVMCS_VERSION && revision != VMCS12_REVISION)
		return EVMCS_UNKNOWN_REVISION;
	return EVMCS_FETCHED;
}

/**
 * evmcs_activate - an enlightened VMCS becomes the one that is entered
 * @ns:	    VMX state; no ordinary VMCS is current
 * @page:   L0's copy of it
 * @ptr:    where it is
 * @launch: by VMLAUNCH
 *
 * It has no launch state: whoever enters knows. One that was not the active one has nothing clean,
 * and what it has no place for is 0. Returns the groups that were clean.
 */
u32 evmcs_activate(struct nested_state *ns, const void *page, u64 ptr, bool launch)
{
	struct vmcs12 *v = ns->vmcs12;
	u32 clean = evmcs_word(page, EVMCS_CLEAN) & EVMCS_GROUP_EVERY;

	if (launch || ptr != ns->evmcs_ptr) {
		clean = 0;
		memset(v, 0, sizeof(*v));
		v->revision_id = VMCS12_REVISION;
	}
	evmcs_load(v, page, clean);
	v->launch_state = launch ? VMCS12_CLEAR : VMCS12_LAUNCHED;
	ns->evmcs_ptr = ptr;
	return clean;
}
