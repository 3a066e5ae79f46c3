// SPDX-License-Identifier: GPL-2.0
/*
 * A plugin of the emulator: counts how often each instruction is executed between the
 * two marks of profile.c. Writes lines of address and count to the file named by its
 * argument out=FILE.
 */
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "emulator.h"
#include "profile.h"

int qemu_plugin_version = 1;

/* An address, and how often what is there was executed. Found by hash. */
struct counter {
	uint64_t address;
	uint64_t count;
};

#define NR_COUNTERS (4 * 1024 * 1024)

static const unsigned char begin_mark[] = { PROFILE_BEGIN };
static const unsigned char end_mark[] = { PROFILE_END };
static struct counter *counters;
static const char *out;

static struct counter *counter_of(uint64_t address)
{
	uint64_t place = address * UINT64_C(0x9e3779b97f4a7c15) >> 42;

	while (counters[place].address && counters[place].address != address)
		place = (place + 1) % NR_COUNTERS;
	counters[place].address = address;
	return &counters[place];
}

static void begin(unsigned int cpu, void *data)
{
	size_t i;

	(void)cpu;
	(void)data;
	for (i = 0; i < NR_COUNTERS; i++)
		counters[i].count = 0;
}

static void end(unsigned int cpu, void *data)
{
	FILE *file = fopen(out, "w");
	size_t i;

	(void)cpu;
	(void)data;
	if (!file) {
		perror(out);
		return;
	}
	for (i = 0; i < NR_COUNTERS; i++) {
		if (counters[i].count)
			fprintf(file, "%016" PRIx64 " %" PRIu64 "\n", counters[i].address,
				counters[i].count);
	}
	fclose(file);
}

static bool is_mark(const struct qemu_plugin_insn *insn, const unsigned char *mark)
{
	return qemu_plugin_insn_size(insn) == sizeof(begin_mark) &&
	       !memcmp(qemu_plugin_insn_data(insn), mark, sizeof(begin_mark));
}

static void translate(plugin_id id, struct qemu_plugin_tb *tb)
{
	size_t nr = qemu_plugin_tb_n_insns(tb), i;

	(void)id;
	for (i = 0; i < nr; i++) {
		struct qemu_plugin_insn *insn = qemu_plugin_tb_get_insn(tb, i);
		struct counter *counter = counter_of(qemu_plugin_insn_vaddr(insn));

		qemu_plugin_register_vcpu_insn_exec_inline(insn, INLINE_ADD_U64, &counter->count,
							   1);
		if (is_mark(insn, begin_mark))
			qemu_plugin_register_vcpu_insn_exec_cb(insn, begin, CB_NO_REGS, NULL);
		else if (is_mark(insn, end_mark))
			qemu_plugin_register_vcpu_insn_exec_cb(insn, end, CB_NO_REGS, NULL);
	}
}

int qemu_plugin_install(plugin_id id, const void *info, int argc, char **argv)
{
	(void)info;
	counters = calloc(NR_COUNTERS, sizeof(*counters));
	if (!counters || argc != 1 || strncmp(argv[0], "out=", 4))
		return 1;
	out = strdup(argv[0] + 4);
	qemu_plugin_register_vcpu_tb_trans_cb(id, translate);
	return 0;
}
