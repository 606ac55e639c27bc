/* SPDX-License-Identifier: GPL-2.0-only */
/* User-space stand-in for the kernel header of this name (tests only). */
#ifndef SHIM_LINUX_XARRAY_H
#define SHIM_LINUX_XARRAY_H

#include <stdlib.h>
#include <string.h>

#include <linux/limits.h>
#include <linux/types.h>

/* A sorted array of pairs; slow, and so simple that it is right. */
struct xarray {
	unsigned long n, cap;
	struct {
		unsigned long key;
		void *val;
	} * at;
};

typedef unsigned int xa_mark_t;

#define XA_FLAGS_ACCOUNT 0
#define XA_PRESENT	 8
#ifndef ULONG_MAX
#define ULONG_MAX (~0UL)
#endif
#define GFP_NOWAIT	     0
#define xa_init_flags(xa, f) memset((xa), 0, sizeof(*(xa)))
#define xa_lock(xa) \
	do {        \
	} while (0)
#define xa_unlock(xa) \
	do {          \
	} while (0)
#define xa_is_err(e) false

static inline void *xa_mk_value(unsigned long v)
{
	return (void *)((v << 1) | 1);
}

static inline unsigned long xa_to_value(const void *e)
{
	return (unsigned long)e >> 1;
}

static inline bool xa_is_value(const void *e)
{
	return (unsigned long)e & 1;
}

/* The first place whose key is not below @key. */
static inline unsigned long xa_lower(const struct xarray *xa, unsigned long key)
{
	unsigned long lo = 0, hi = xa->n;

	while (lo < hi) {
		unsigned long mid = (lo + hi) / 2;

		if (xa->at[mid].key < key)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

static inline void *xa_load(struct xarray *xa, unsigned long key)
{
	unsigned long i = xa_lower(xa, key);

	return i < xa->n && xa->at[i].key == key ? xa->at[i].val : NULL;
}

static inline void *__xa_store(struct xarray *xa, unsigned long key, void *val, gfp_t gfp)
{
	unsigned long i = xa_lower(xa, key);
	void *was;

	if (i < xa->n && xa->at[i].key == key) {
		was = xa->at[i].val;
		xa->at[i].val = val;
		return was;
	}
	if (xa->n == xa->cap) {
		xa->cap = xa->cap ? 2 * xa->cap : 16;
		xa->at = realloc(xa->at, xa->cap * sizeof(*xa->at));
	}
	memmove(xa->at + i + 1, xa->at + i, (xa->n - i) * sizeof(*xa->at));
	xa->at[i].key = key;
	xa->at[i].val = val;
	xa->n++;
	return NULL;
}

static inline void *xa_cmpxchg(struct xarray *xa, unsigned long key, void *old, void *val,
			       gfp_t gfp)
{
	void *cur = xa_load(xa, key);

	if (cur == old)
		__xa_store(xa, key, val, gfp);
	return cur;
}

static inline void *xa_erase(struct xarray *xa, unsigned long key)
{
	unsigned long i = xa_lower(xa, key);
	void *was;

	if (i >= xa->n || xa->at[i].key != key)
		return NULL;
	was = xa->at[i].val;
	xa->n--;
	memmove(xa->at + i, xa->at + i + 1, (xa->n - i) * sizeof(*xa->at));
	if (!xa->n) {
		free(xa->at);
		xa->at = NULL;
		xa->cap = 0;
	}
	return was;
}

static inline void *xa_find(struct xarray *xa, unsigned long *key, unsigned long max,
			    xa_mark_t mark)
{
	unsigned long i = xa_lower(xa, *key);

	if (i >= xa->n || xa->at[i].key > max)
		return NULL;
	*key = xa->at[i].key;
	return xa->at[i].val;
}

static inline void *xa_find_after(struct xarray *xa, unsigned long *key, unsigned long max,
				  xa_mark_t mark)
{
	if (*key >= max)
		return NULL;
	(*key)++;
	return xa_find(xa, key, max, mark);
}

#define xa_for_each_range(xa, key, e, first, last)                                  \
	for ((key) = (first), (e) = xa_find((xa), &(key), (last), XA_PRESENT); (e); \
	     (e) = xa_find_after((xa), &(key), (last), XA_PRESENT))
#define xa_for_each(xa, key, e) xa_for_each_range(xa, key, e, 0UL, ULONG_MAX)

#endif
