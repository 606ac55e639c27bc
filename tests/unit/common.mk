# SPDX-License-Identifier: GPL-2.0-only
# What the unit tests and the fuzzers share: where the sources are, the stand-in
# kernel headers, and the kernel's own headers for architectural constants.

TOP	:= $(abspath $(dir $(lastword $(MAKEFILE_LIST)))/../..)
MODULE	:= $(TOP)/module
SHIM	:= $(TOP)/tests/unit/shim

# The linux-headers-*-common folder: installed, or unpacked in the lab's cache.
KHEADERS_COMMON ?= $(firstword \
	$(wildcard /usr/src/linux-headers-*-common) \
	$(shell find $(TOP)/.cache -maxdepth 6 -type d \
		-name 'linux-headers-*-common' 2>/dev/null))

CPPFLAGS_PURE := -I$(SHIM) -I$(MODULE) -isystem $(KHEADERS_COMMON) -DTURTLES_USER
CFLAGS_PURE := -std=gnu11 -g -Wall -Wextra -Werror -Wno-unused-parameter \
	-fno-strict-aliasing -fno-omit-frame-pointer

# The module sources that a test names in its first line, "/* link: a.c b.c */".
# $(call tag,<name>,<file>)
tag = $(shell sed -n '1,5s|^/\* $(1): \(.*\) \*/$$|\1|p' $(2))
