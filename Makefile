# SPDX-License-Identifier: GPL-2.0
#
# "make help" lists the targets and variables.

top	:= $(CURDIR)
build	:= $(top)/build
vm	:= selftests/vm

PREFIX	?= /usr/local
DESTDIR	?=
CC	?= gcc
INSTALL	?= install

# Headers of the running kernel where they are installed, else those of Debian's 6.1.
KRELEASE ?= $(shell uname -r)
KDIR	?= $(firstword $(wildcard /lib/modules/$(KRELEASE)/build) 6.1)

# Debian's, and one of our own that looks for faults.
KERNELS	?= 6.1 6.12 6.1-kasan
KERNEL	?= $(firstword $(KERNELS))
# Those that "make test-all" runs on.
ALL_KERNELS ?= 6.1 6.12 6.1-rt 6.1-cloud 6.12-rt 6.12-cloud 6.1-kasan 6.1-kcsan \
	       6.12-kasan 6.1-um
# One that has gcov.
COVERAGE_KERNEL ?= 6.1-um
TESTS	?=
MUTANTS	?=
BENCH	?=
SEEDS	?= 1 2
export TESTS SEEDS

# Native speed, unless a kernel is asked for.
FUZZ_KERNEL := $(if $(filter command line environment,$(origin KERNEL)),$(KERNEL),6.1-um)
SECONDS	?= 60
export MINIMIZE MAILBOX_SEED

cflags := -std=gnu11 -O2 -g -Wall -Wextra -Werror

.PHONY: all module tools selftests programs deps demo demo-hosts test test-all shell coverage mutate fuzz \
	bench bench-hosts check format install clean help

all: module tools	## the module and the tools (default)

module:			## mailbox.ko for KDIR, below build/module
	@$(vm)/module.sh $(KDIR)

tools:			## library, command and examples, below build/tools
	@$(MAKE) --no-print-directory -C tools O=$(build)/tools CC=$(CC) all

# The library's own test is linked with it.
selftests: tools
	@$(MAKE) --no-print-directory -C selftests O=$(build)/selftests CC=$(CC) all
	@$(MAKE) --no-print-directory -C selftests/fuzz O=$(build)/fuzz CC=$(CC) all

# What runs in the virtual machine, apart from the module.
programs: tools selftests $(build)/vm/supervise $(build)/vm/tsc

$(build)/vm/supervise: $(vm)/guest/supervise.c
	@mkdir -p $(@D)
	@$(CC) $(cflags) -D_GNU_SOURCE -static -o $@ $<

$(build)/vm/tsc: $(vm)/tsc.c
	@mkdir -p $(@D)
	@$(CC) $(cflags) -D_GNU_SOURCE -o $@ $<

deps:
	@$(vm)/deps.sh

demo: deps		## real work on real data, in a virtual machine with KERNEL
	@$(vm)/run.sh demo $(KERNEL)

demo-hosts: deps	## the same work on three hosts in one machine, one of them cut off
	@$(vm)/run.sh demo-hosts $(KERNEL)

test: deps		## all tests, or TESTS, in virtual machines with KERNELS
	@$(vm)/run.sh test $(KERNELS)

test-all: deps		## the same with ALL_KERNELS, and twice as much of what is repeated
	@REPEAT=2 $(vm)/run.sh test $(ALL_KERNELS)

mutate: deps		## breaks the module in many ways, or in MUTANTS: each must fail a test
	@selftests/mutate/$(if $(CHECK),check,mutate).sh $(MUTANTS)

fuzz: deps		## fuzzing for SECONDS in user-mode Linux, or in KERNEL; MINIMIZE=yes
	@selftests/fuzz/fuzz.sh $(FUZZ_KERNEL) $(SECONDS)

shell: deps		## a prompt in a virtual machine with KERNEL and the module
	@$(vm)/run.sh shell $(KERNEL)

coverage: deps		## lines and branches that all tests, or TESTS, run on COVERAGE_KERNEL
	@selftests/coverage/coverage.sh $(COVERAGE_KERNEL)

bench:			## measurements beside other kinds of IPC, in a virtual machine with KERNEL
	@$(vm)/deps.sh bench
	@$(vm)/bench.sh $(KERNEL) $(BENCH)

bench-hosts:		## messages between hosts: bridges beside NATS alone; MEASURE=quick
	@$(vm)/deps.sh bench
	@MEASURE=$(MEASURE) $(vm)/bench-hosts.sh $(KERNEL)

check:			## compilers, sparse, checkpatch, Coccinelle, formatting, licences
	@$(vm)/deps.sh check
	@tools/check.sh

format:			## brings all C files into the form that check wants
	git ls-files -co --exclude-standard '*.[ch]' | xargs clang-format -i

install: tools		## header, library, command, manual pages, and the module if built
	$(INSTALL) -D -m 644 uapi/linux/mailbox.h \
		$(DESTDIR)$(PREFIX)/include/linux/mailbox.h
	$(MAKE) -C tools O=$(build)/tools DESTDIR=$(DESTDIR) PREFIX=$(PREFIX) install
	@if [ -e $(build)/module/$(KRELEASE)/mailbox.ko ]; then \
		set -x; \
		$(INSTALL) -D -m 644 $(build)/module/$(KRELEASE)/mailbox.ko \
			$(DESTDIR)/lib/modules/$(KRELEASE)/extra/mailbox.ko && \
		{ [ "$(DESTDIR)" ] || depmod $(KRELEASE); }; \
	else \
		echo "no module was built for Linux $(KRELEASE), so none is installed"; \
	fi

clean:			## removes build/; the kernels stay in the cache
	rm -rf $(build)

help:			## this text
	@echo "Targets:"
	@sed -n 's/^\([a-z-]*\):[^#]*## */  \1\t/p' Makefile | expand -t 14
	@echo
	@echo "Variables:"
	@echo "  KERNELS=\"$(KERNELS)\"  for test; there are: $$($(vm)/kernel.sh --list)"
	@echo "  ALL_KERNELS=\"...\"      for test-all"
	@echo "  KERNEL=$(KERNEL)           for demo, demo-hosts, shell and bench"
	@echo "  COVERAGE_KERNEL=$(COVERAGE_KERNEL)  for coverage: one with gcov"
	@echo "  SECONDS=$(SECONDS) MINIMIZE=yes MAILBOX_SEED=N  for fuzz"
	@echo "  TESTS=\"poll wait\"      test programs to run, all if empty"
	@echo "  MUTANTS=\"peek-takes\"   for mutate, names in selftests/mutate/mutants, all if empty"
	@echo "  CHECK=yes             for mutate: only look whether each still applies and compiles"
	@echo "  BENCH=--quick         options for bench; 'build/tools/mailbox-bench --help'"
	@echo "  SEEDS=\"1 2\"          for bench: one machine that counts instructions for each"
	@echo "  KDIR=$(KDIR)             kernel headers for module: a folder or one of the kernels"
	@echo "  PREFIX=$(PREFIX) DESTDIR=$(DESTDIR)  for install"
