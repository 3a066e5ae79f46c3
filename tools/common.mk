# SPDX-License-Identifier: GPL-2.0
# What the Makefiles of the tools share.

# The folder of this file, and that of the sources, by absolute names.
TOOLS := $(abspath $(dir $(lastword $(MAKEFILE_LIST))))
TOP := $(abspath $(TOOLS)/..)
MAKE_PARTS := $(TOOLS)/common.mk $(abspath Makefile)

# Results go there, never beside the sources.
O ?= $(TOP)/build/tools
override O := $(abspath $(O))

PREFIX ?= /usr/local
LIBDIR ?= $(PREFIX)/lib
MANDIR ?= $(PREFIX)/share/man
VERSION := 0.2

CFLAGS ?= -O2 -g
ALL_CFLAGS := -std=gnu11 -Wall -Wextra -Werror $(CFLAGS) -MMD -MP \
	-I$(TOP)/uapi -I$(TOOLS)/lib -D_GNU_SOURCE -DMAILBOX_VERSION='"$(VERSION)"' $(CPPFLAGS)

.PHONY: all install FORCE
.DEFAULT_GOAL := all
