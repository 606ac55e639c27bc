# SPDX-License-Identifier: GPL-2.0-only
"""The lab: builds images, starts emulated machines, follows what happens in them."""
