// SPDX-License-Identifier: GPL-2.0-only
/*
 * How an ioctl finds its row, and how its argument gets in and out.
 */
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "api/api.h"

const struct api_call *api_find(const struct api_call *table, size_t n, u32 cmd)
{
	size_t i;

	for (i = 0; i < n; i++) {
		if (table[i].cmd == cmd)
			return &table[i];
	}
	return NULL;
}

static long call_with_buf(const struct api_call *call, void *obj, void *buf, unsigned long arg)
{
	void __user *uarg = (void __user *)arg;
	long ret;

	if (call->dir & API_IN) {
		if (copy_from_user(buf, uarg, call->size))
			return -EFAULT;
	} else {
		memset(buf, 0, call->size);
	}
	ret = call->fn(obj, buf, arg);
	if (ret >= 0 && (call->dir & API_OUT) && copy_to_user(uarg, buf, call->size))
		return -EFAULT;
	return ret;
}

/**
 * api_call - carry out one ioctl
 * @call: its row
 * @obj: what the fd stands for
 * @arg: the ioctl's argument
 */
long api_call(const struct api_call *call, void *obj, unsigned long arg)
{
	u64 small[16];
	void *buf;
	long ret;

	if (!call->size)
		return call->fn(obj, NULL, arg);
	if (call->size <= sizeof(small))
		return call_with_buf(call, obj, small, arg);

	buf = kvmalloc(call->size, GFP_KERNEL_ACCOUNT);
	if (!buf)
		return -ENOMEM;
	ret = call_with_buf(call, obj, buf, arg);
	kvfree(buf);
	return ret;
}

/**
 * api_fill_cpuid - carry out an ioctl whose argument is a struct kvm_cpuid2 to be filled
 * @v: passed on to @fill
 * @fill: gets room for *nent entries; sets *nent, also with -E2BIG
 * @arg: the ioctl's argument, user memory
 * @count_always: user space learns *nent with -E2BIG, too
 */
long api_fill_cpuid(struct vcpu *v, api_cpuid_fill fill, unsigned long arg, bool count_always)
{
	struct kvm_cpuid2 __user *u = (void __user *)arg;
	struct kvm_cpuid_entry2 *e;
	u32 nent;
	long ret;

	if (get_user(nent, &u->nent))
		return -EFAULT;
	nent = min_t(u32, nent, API_MAX_CPUID_ENTRIES);
	e = kvcalloc(nent ?: 1, sizeof(*e), GFP_KERNEL_ACCOUNT);
	if (!e)
		return -ENOMEM;
	ret = fill(v, e, &nent);
	if ((!ret || count_always) && put_user(nent, &u->nent))
		ret = -EFAULT;
	if (!ret && copy_to_user(u->entries, e, nent * sizeof(*e)))
		ret = -EFAULT;
	kvfree(e);
	return ret;
}

/**
 * api_msrs - carry out an ioctl whose argument is a struct kvm_msrs
 * @v: passed on to @fn
 * @fn: reads or writes one MSR; the first one that fails ends the list
 * @arg: the ioctl's argument, user memory
 * @copy_back: user space gets the entries
 *
 * Return: how many entries, in order, were done, or -errno.
 */
long api_msrs(struct vcpu *v, api_msr_fn fn, unsigned long arg, bool copy_back)
{
	struct kvm_msrs __user *u = (void __user *)arg;
	struct kvm_msr_entry *e;
	struct kvm_msrs head;
	long ret;
	u32 i;

	if (copy_from_user(&head, u, sizeof(head)))
		return -EFAULT;
	if (head.nmsrs >= API_MAX_MSRS)
		return -E2BIG;
	e = memdup_user(u->entries, head.nmsrs * sizeof(*e));
	if (IS_ERR(e))
		return PTR_ERR(e);
	for (i = 0; i < head.nmsrs; i++) {
		if (fn(v, &e[i]))
			break;
	}
	ret = i;
	if (copy_back && copy_to_user(u->entries, e, head.nmsrs * sizeof(*e)))
		ret = -EFAULT;
	kfree(e);
	return ret;
}
