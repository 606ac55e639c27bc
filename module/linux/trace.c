// SPDX-License-Identifier: GPL-2.0-only
/* The tracepoints themselves; linux/trace.h declares them. */
#include <linux/module.h>

#define CREATE_TRACE_POINTS
#include "linux/trace.h"
