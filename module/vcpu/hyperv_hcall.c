// SPDX-License-Identifier: GPL-2.0-only
/*
 * Hypercalls of the TLFS: from the registers to a row of the table, the input, the answer.
 *
 * The input comes from registers (fast, with XMM registers where it is longer than two words) or
 * from guest memory; either way it is read once into struct hv_call, before anything is checked.
 * Repeated calls are carried out as a whole: no continuation is ever asked for.
 */
#include <linux/bitmap.h>
#include <linux/kernel.h>
#include <linux/mm.h>
#include <linux/sched.h>
#include <asm/processor-flags.h>

#include "mm/mm.h"
#include "vcpu/core.h"
#include "vcpu/emulate.h"
#include "vcpu/hyperv.h"

#define GPR_WORDS      2
#define NR_XMM	       6
#define FAST_WORDS     (GPR_WORDS + 2 * NR_XMM)
#define FIXED_WORDS    4  /* longest fixed part of any call */
#define MAX_VAR_WORDS  64 /* a sparse set with every bank */

#define REP_DONE_SHIFT 32

struct hv_call {
	struct hv_control c;
	u64 control, input, output;
	u64 in[FIXED_WORDS + MAX_VAR_WORDS];
};

#define CALL_REP  BIT(0) /* takes a list, which need not be read */
#define CALL_VAR  BIT(1) /* takes a variable header */
#define CALL_XMM  BIT(2) /* its fast form does not fit into two registers */
#define CALL_USER BIT(3) /* has no result here: user space carries it out, or nobody */

struct hv_call_row {
	u16 code;
	u8 flags;
	u8 words; /* of the fixed part */
	enum hv_grant grant;
	u32 bits;
	u16 (*fn)(struct vcpu *v, struct hv_call *h);
};

/* Processor sets ------------------------------------------------------------------- */

/* @at: the word of the format, before those of the valid banks and the banks. */
static u16 read_set(const struct hv_call *h, unsigned int at, struct hv_vp_set *set)
{
	u64 format = h->in[at], valid = h->in[at + 1];

	memset(set, 0, sizeof(*set));
	set->all = format == TLFS_SET_ALL;
	if (set->all)
		return TLFS_STATUS_SUCCESS;
	if (format != TLFS_SET_SPARSE ||
	    !hv_vp_set_sparse(set, valid, &h->in[at + 2], h->c.var_words))
		return TLFS_STATUS_INVALID_INPUT;
	return TLFS_STATUS_SUCCESS;
}

/* All translations of the processors go: which address space or pages is not looked at. */
static u16 flush_set(struct vcpu *v, const struct hv_vp_set *set)
{
	DECLARE_BITMAP(who, VM_MAX_VCPUS) = {};
	struct vcpu *target;
	unsigned int i;

	if (set->all) {
		vm_request_all(v->vm, REQ_TLB_FLUSH);
		return TLFS_STATUS_SUCCESS;
	}
	vm_for_each_vcpu(v->vm, i, target)
	{
		if (hv_vp_set_has(set, hv_vp_index(target)))
			__set_bit(i, who);
	}
	vm_request_some(v->vm, REQ_TLB_FLUSH, who);
	return TLFS_STATUS_SUCCESS;
}

/* Input: address space, flags, processors. An empty mask means all to Windows Server 2012. */
static u16 call_flush(struct vcpu *v, struct hv_call *h)
{
	struct hv_vp_set set;

	hv_vp_set_mask(&set, h->in[2]);
	set.all = (h->in[1] & TLFS_FLUSH_ALL_PROCESSORS) || !h->in[2];
	return flush_set(v, &set);
}

static u16 call_flush_ex(struct vcpu *v, struct hv_call *h)
{
	struct hv_vp_set set;
	u16 status = read_set(h, 2, &set);

	if (status)
		return status;
	set.all |= !!(h->in[1] & TLFS_FLUSH_ALL_PROCESSORS);
	return flush_set(v, &set);
}

static u16 send_ipis(struct vcpu *v, u64 vector, const struct hv_vp_set *set)
{
	struct vcpu *target;
	unsigned int i;

	if ((u32)vector < TLFS_FIRST_VECTOR || (u32)vector > 255)
		return TLFS_STATUS_INVALID_INPUT;
	vm_for_each_vcpu(v->vm, i, target)
	{
		if (target->lapic && hv_vp_set_has(set, hv_vp_index(target)))
			lapic_raise(target, vector);
	}
	return TLFS_STATUS_SUCCESS;
}

static u16 call_send_ipi(struct vcpu *v, struct hv_call *h)
{
	struct hv_vp_set set;

	hv_vp_set_mask(&set, h->in[1]);
	return send_ipis(v, h->in[0], &set);
}

static u16 call_send_ipi_ex(struct vcpu *v, struct hv_call *h)
{
	struct hv_vp_set set;
	u16 status = read_set(h, 1, &set);

	/* Nobody is meant: then the vector does not matter either. */
	if (status || (!set.all && !h->c.var_words))
		return status;
	return send_ipis(v, h->in[0], &set);
}

/* The others -------------------------------------------------------------------------- */

static u16 call_long_spin_wait(struct vcpu *v, struct hv_call *h)
{
	yield();
	return TLFS_STATUS_SUCCESS;
}

/* Connection ID in bits 23:0, flag number in 47:32; a port of ours has flag 0 only. */
static u16 call_signal_event(struct vcpu *v, struct hv_call *h)
{
	u64 in = h->in[0];

	if (in & GENMASK_ULL(47, 32))
		return TLFS_STATUS_INVALID_PORT_ID;
	if (in & ~(u64)KVM_HYPERV_CONN_ID_MASK)
		return TLFS_STATUS_INVALID_INPUT;
	return hv_signal_port(v->vm, in) ? TLFS_STATUS_INVALID_PORT_ID : TLFS_STATUS_SUCCESS;
}

static const struct hv_call_row rows[] = {
	{ TLFS_CALL_FLUSH_SPACE, CALL_XMM, 3, HV_HINTS, TLFS_HINT_REMOTE_FLUSH, call_flush },
	{ TLFS_CALL_FLUSH_LIST, CALL_XMM | CALL_REP, 3, HV_HINTS, TLFS_HINT_REMOTE_FLUSH,
	  call_flush },
	{ TLFS_CALL_LONG_SPIN_WAIT, 0, 0, HV_NO_GRANT, 0, call_long_spin_wait },
	{ TLFS_CALL_SEND_IPI, 0, 2, HV_HINTS, TLFS_HINT_CLUSTER_IPI, call_send_ipi },
	{ TLFS_CALL_FLUSH_SPACE_EX, CALL_XMM | CALL_VAR, 4, HV_HINTS,
	  TLFS_HINT_REMOTE_FLUSH | TLFS_HINT_EX_MASKS, call_flush_ex },
	{ TLFS_CALL_FLUSH_LIST_EX, CALL_XMM | CALL_VAR | CALL_REP, 4, HV_HINTS,
	  TLFS_HINT_REMOTE_FLUSH | TLFS_HINT_EX_MASKS, call_flush_ex },
	{ TLFS_CALL_SEND_IPI_EX, CALL_XMM | CALL_VAR, 3, HV_HINTS,
	  TLFS_HINT_CLUSTER_IPI | TLFS_HINT_EX_MASKS, call_send_ipi_ex },
	{ TLFS_CALL_POST_MESSAGE, CALL_USER, 0, HV_CALLS, TLFS_POST_MESSAGES },
	{ TLFS_CALL_SIGNAL_EVENT, CALL_USER, 1, HV_CALLS, TLFS_SIGNAL_EVENTS, call_signal_event },
	{ TLFS_CALL_POST_DEBUG, CALL_USER, 0, HV_CALLS, TLFS_DEBUGGING },
	{ TLFS_CALL_RETRIEVE_DEBUG, CALL_USER, 0, HV_CALLS, TLFS_DEBUGGING },
	{ TLFS_CALL_RESET_DEBUG, CALL_USER, 0, HV_CALLS, TLFS_DEBUGGING },
	{ TLFS_CALL_EXT_QUERY, CALL_USER, 0, HV_CALLS, TLFS_EXTENDED_HYPERCALLS },
};

static const struct hv_call_row *find_row(u16 code)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		if (rows[i].code == code)
			return &rows[i];
	}
	return NULL;
}

static bool is_debug(u16 code)
{
	return code >= TLFS_CALL_POST_DEBUG && code <= TLFS_CALL_RESET_DEBUG;
}

/* Access ---------------------------------------------------------------------------------- */

/* What user space alone can carry out exists when it has put that into CPUID. */
static bool is_offered(const struct vcpu_hv *hv, const struct hv_call_row *row)
{
	if (is_debug(row->code))
		return hv_syndbg_offered(hv);
	return row->code != TLFS_CALL_EXT_QUERY || (hv->grants[row->grant] & row->bits);
}

static bool may_call(const struct vcpu_hv *hv, const struct hv_call_row *row)
{
	/* Granted by the number of spins before it: 0 or "never" is no grant. */
	if (row->code == TLFS_CALL_LONG_SPIN_WAIT)
		return !hv->enforce || (hv->long_spin && hv->long_spin != U32_MAX);
	return hv_granted(hv, row->grant, row->bits);
}

static u16 check_call(const struct vcpu_hv *hv, const struct hv_call_row *row,
		      const struct hv_control *c)
{
	bool rep = row && row->flags & CALL_REP;

	if (!row || !is_offered(hv, row))
		return TLFS_STATUS_INVALID_CODE;
	if (!may_call(hv, row))
		return TLFS_STATUS_ACCESS_DENIED;
	if (c->reserved || (c->var_words && !(row->flags & CALL_VAR)) ||
	    c->var_words > MAX_VAR_WORDS)
		return TLFS_STATUS_INVALID_INPUT;
	if (rep ? c->rep_start >= c->rep_count : c->rep_start || c->rep_count)
		return TLFS_STATUS_INVALID_INPUT;
	return TLFS_STATUS_SUCCESS;
}

/* Input ------------------------------------------------------------------------------------- */

static void read_registers(struct vcpu *v, struct hv_call *h, unsigned int words)
{
	u64 fast[FAST_WORDS] = { h->input, h->output };
	unsigned int i;

	for (i = 0; i < NR_XMM && words > GPR_WORDS; i++)
		vcpu_get_xmm(v, i, (u8 *)&fast[GPR_WORDS + 2 * i]);
	memcpy(h->in, fast, words * sizeof(u64));
}

/* TLFS "Hypercall Inputs": aligned to 8 bytes and in one page, the list too. */
static u16 read_memory(struct vcpu *v, struct hv_call *h, unsigned int words)
{
	u64 size = (words + h->c.rep_count) * sizeof(u64);

	if (h->input & 7 || offset_in_page(h->input) + size > PAGE_SIZE)
		return TLFS_STATUS_INVALID_ALIGNMENT;
	if (vm_read_guest(v->vm, h->input, h->in, words * sizeof(u64)))
		return TLFS_STATUS_INVALID_INPUT;
	return TLFS_STATUS_SUCCESS;
}

static u16 read_input(struct vcpu *v, struct hv_call *h, const struct hv_call_row *row)
{
	unsigned int words = row->words + h->c.var_words;

	if (!words)
		return TLFS_STATUS_SUCCESS;
	if (!h->c.fast)
		return read_memory(v, h, words);
	if (words + h->c.rep_count > (row->flags & CALL_XMM ? FAST_WORDS : GPR_WORDS))
		return TLFS_STATUS_INVALID_INPUT;
	read_registers(v, h, words);
	return TLFS_STATUS_SUCCESS;
}

/* The answer ---------------------------------------------------------------------------------- */

static bool in_64bit_mode(struct vcpu *v)
{
	struct x86_seg cs;

	hw->get_seg(v, X86_CS, &cs);
	return (hw->get_efer(v) & EFER_LMA) && (cs.ar & SEG_AR_L);
}

static int answer(struct vcpu *v, u64 result)
{
	bool wide = in_64bit_mode(v);
	int r = vcpu_skip_insn(v);

	if (r != RESUME_GUEST)
		return r;
	if (wide) {
		v->regs[X86_RAX] = result;
	} else {
		v->regs[X86_RAX] = (u32)result;
		v->regs[X86_RDX] = result >> 32;
	}
	return r;
}

static int answer_of_user_space(struct vcpu *v)
{
	return answer(v, READ_ONCE(v->run->hyperv.u.hcall.result));
}

static int to_user_space(struct vcpu *v, const struct hv_call *h)
{
	struct kvm_hyperv_exit *e = &v->run->hyperv;

	memset(e, 0, sizeof(*e));
	v->run->exit_reason = KVM_EXIT_HYPERV;
	e->type = KVM_EXIT_HYPERV_HCALL;
	e->u.hcall.input = h->control;
	e->u.hcall.params[0] = h->input;
	e->u.hcall.params[1] = h->output;
	v->emul->complete = answer_of_user_space;
	return EXIT_TO_USER;
}

/* Can user space carry it out? It has asked for messages and events by enabling the SynIC. */
static u16 check_user_space(struct vcpu *v, const struct hv_call *h)
{
	if (h->c.code == TLFS_CALL_EXT_QUERY)
		return TLFS_STATUS_SUCCESS;
	if (is_debug(h->c.code))
		return hv_syndbg_by_calls(v->vm) ? TLFS_STATUS_SUCCESS :
						   TLFS_STATUS_OPERATION_DENIED;
	return v->hv->synic.active ? TLFS_STATUS_SUCCESS : TLFS_STATUS_INVALID_INPUT;
}

static void load_registers(struct vcpu *v, struct hv_call *h)
{
	const u64 *r = v->regs;

	if (in_64bit_mode(v)) {
		h->control = r[X86_RCX];
		h->input = r[X86_RDX];
		h->output = r[X86_R8];
	} else {
		h->control = r[X86_RDX] << 32 | (u32)r[X86_RAX];
		h->input = r[X86_RBX] << 32 | (u32)r[X86_RCX];
		h->output = r[X86_RDI] << 32 | (u32)r[X86_RSI];
	}
	h->c = hv_decode_control(h->control);
}

static int carry_out(struct vcpu *v, struct hv_call *h, const struct hv_call_row *row)
{
	u16 status = read_input(v, h, row);

	if (!status && row->fn)
		status = row->fn(v, h);
	/* A port that is not known here may be known there. */
	if ((row->flags & CALL_USER) &&
	    (row->fn ? status == TLFS_STATUS_INVALID_PORT_ID : !status)) {
		status = check_user_space(v, h);
		if (!status)
			return to_user_space(v, h);
	}
	return answer(v, status ? status : (u64)h->c.rep_count << REP_DONE_SHIFT);
}

/** hv_takes_hypercalls - VMCALL and VMMCALL are Hyper-V's: the guest has said who it is */
bool hv_takes_hypercalls(struct vcpu *v)
{
	return hv_of_guest(v) && READ_ONCE(v->vm->hv->guest_os_id);
}

/**
 * hv_hypercall - VMCALL or VMMCALL of L1
 * @v: the vCPU, loaded; vm->srcu held, may sleep
 * Return: enum vcpu_next or -errno.
 */
int hv_hypercall(struct vcpu *v)
{
	const struct hv_call_row *row;
	struct hv_call h;
	u16 status;

	if (hw->get_cpl(v) > 0 || !(hw->get_cr0(v) & X86_CR0_PE)) {
		vcpu_inject_ud(v);
		return RESUME_GUEST;
	}
	memset(&h, 0, sizeof(h));
	load_registers(v, &h);
	row = find_row(h.c.code);
	status = check_call(v->hv, row, &h.c);
	if (status)
		return answer(v, status);
	if (h.c.fast && (row->flags & CALL_XMM) &&
	    !hv_granted(v->hv, HV_FEATURES, TLFS_XMM_INPUT)) {
		vcpu_inject_ud(v);
		return RESUME_GUEST;
	}
	return carry_out(v, &h, row);
}

/* The page ------------------------------------------------------------------------------------- */

/* The processor's own instruction, then RET. */
static int write_page(struct vcpu *v, u64 gpa)
{
	static const u8 vmcall[] = { 0x0f, 0x01, 0xc1, 0xc3 };
	static const u8 vmmcall[] = { 0x0f, 0x01, 0xd9, 0xc3 };

	return vm_write_guest(v->vm, gpa, hw == &svm_ops ? vmmcall : vmcall, sizeof(vmcall));
}

/** hv_set_hypercall_msr - write HV_X64_MSR_HYPERCALL: 0, or 1 = #GP */
int hv_set_hypercall_msr(struct vcpu *v, u64 val, bool host)
{
	struct vm_hv *hv = v->vm->hv;
	int r = 0;

	mutex_lock(&hv->lock);
	if (!host && (hv->hypercall & TLFS_HYPERCALL_LOCKED)) {
		r = 1;
	} else if (host || hv->guest_os_id) {
		if ((val & TLFS_PAGE_ENABLE) && write_page(v, TLFS_PAGE_ADDRESS(val)))
			r = 1;
		else
			hv->hypercall = val;
	}
	mutex_unlock(&hv->lock);
	return r;
}
