/* SPDX-License-Identifier: GPL-2.0-only */
/* User-space stand-in for the kernel header of this name (tests only). */
#ifndef SHIM_LINUX_BITFIELD_H
#define SHIM_LINUX_BITFIELD_H

#define FIELD_GET(mask, v)  (((v) & (mask)) >> __builtin_ctzll(mask))
#define FIELD_PREP(mask, v) (((__typeof__(mask))(v) << __builtin_ctzll(mask)) & (mask))

#endif
