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
