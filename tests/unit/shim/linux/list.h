/* SPDX-License-Identifier: GPL-2.0-only */
/* User-space stand-in for the kernel header of this name (tests only). */
#ifndef SHIM_LINUX_LIST_H
#define SHIM_LINUX_LIST_H

#include <linux/container_of.h>
#include <linux/types.h>

struct list_head {
	struct list_head *next, *prev;
};

#define INIT_LIST_HEAD(h) ((h)->next = (h)->prev = (h))

static inline void list_add(struct list_head *n, struct list_head *h)
{
	n->next = h->next;
	n->prev = h;
	h->next->prev = n;
	h->next = n;
}

static inline void list_del(struct list_head *n)
{
	n->next->prev = n->prev;
	n->prev->next = n->next;
}

static inline void list_del_init(struct list_head *n)
{
	list_del(n);
	INIT_LIST_HEAD(n);
}

static inline void list_move(struct list_head *n, struct list_head *h)
{
	list_del(n);
	list_add(n, h);
}

#define list_entry(p, t, m)	 container_of(p, t, m)
#define list_last_entry(h, t, m) list_entry((h)->prev, t, m)
#define list_for_each_entry(p, h, m)                                           \
	for ((p) = list_entry((h)->next, __typeof__(*(p)), m); &(p)->m != (h); \
	     (p) = list_entry((p)->m.next, __typeof__(*(p)), m))
#define list_for_each_entry_reverse(p, h, m)                                   \
	for ((p) = list_entry((h)->prev, __typeof__(*(p)), m); &(p)->m != (h); \
	     (p) = list_entry((p)->m.prev, __typeof__(*(p)), m))
#define list_for_each_entry_safe(p, n, h, m)                    \
	for ((p) = list_entry((h)->next, __typeof__(*(p)), m),  \
	    (n) = list_entry((p)->m.next, __typeof__(*(p)), m); \
	     &(p)->m != (h); (p) = (n), (n) = list_entry((n)->m.next, __typeof__(*(n)), m))

#endif
