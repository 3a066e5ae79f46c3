// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <fcntl.h>
#include <linux/kcov.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "shared.h"

#define PCS_MAX	    (64 * 1024)
#define MODULE_SIZE (256 * 1024)

static unsigned long module_base;
/* Shared: one bit for each place. */
static __u8 *places;

/* Edges must not depend on where the module was loaded. */
static unsigned long find_module(void)
{
	unsigned long base = 0;
	char line[512];
	FILE *modules = fopen("/proc/modules", "r");

	while (modules && fgets(line, sizeof(line), modules))
		if (!strncmp(line, "mailbox ", 8))
			sscanf(line, "%*s %*s %*s %*s %*s %lx", &base);
	if (modules)
		fclose(modules);
	return base;
}

bool cover_open(struct cover *cover, int fd)
{
	int kcov = open("/sys/kernel/debug/kcov", O_RDWR);

	if (kcov < 0)
		return false;
	if (ioctl(kcov, KCOV_INIT_TRACE, PCS_MAX))
		die("KCOV_INIT_TRACE: %s", strerror(errno));
	cover->pcs = mmap(NULL, PCS_MAX * sizeof(unsigned long), PROT_READ | PROT_WRITE, MAP_SHARED,
			  kcov, 0);
	if (cover->pcs == MAP_FAILED || dup3(kcov, fd, O_CLOEXEC) < 0)
		die("KCOV: %s", strerror(errno));
	close(kcov);
	if (!places) {
		module_base = find_module();
		places = mmap(NULL, MODULE_SIZE / 8, PROT_READ | PROT_WRITE,
			      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
		if (places == MAP_FAILED || !module_base)
			die("no module to look at");
	}
	return true;
}

void cover_start(struct cover *cover, int fd)
{
	if (cover->pcs && ioctl(fd, KCOV_ENABLE, KCOV_TRACE_PC))
		die("KCOV_ENABLE: %s", strerror(errno));
}

static void add(__u32 hash)
{
	struct features *features = &shared->features;
	__u16 feature = hash ^ hash >> 16;

	if (!__atomic_exchange_n(&features->seen[feature], 1, __ATOMIC_RELAXED))
		features->list[__atomic_fetch_add(&features->nr, 1, __ATOMIC_RELAXED)] = feature;
}

static __u32 mix(unsigned long from, unsigned long to)
{
	return (from * 0x9e3779b97f4a7c15UL + to) * 0xff51afd7ed558ccdUL >> 32;
}

void cover_begin_call(struct cover *cover, unsigned int op)
{
	cover->before = op;
	if (cover->pcs)
		__atomic_store_n(&cover->pcs[0], 0, __ATOMIC_RELAXED);
}

void cover_end_call(struct cover *cover)
{
	unsigned long nr, i, place;

	if (!cover->pcs)
		return;
	nr = __atomic_exchange_n(&cover->pcs[0], 0, __ATOMIC_RELAXED);
	for (i = 1; i <= nr && i < PCS_MAX; i++) {
		place = cover->pcs[i] - module_base;
		add(mix(cover->before, place));
		cover->before = place;
		if (place < MODULE_SIZE)
			__atomic_fetch_or(&places[place / 8], 1 << place % 8, __ATOMIC_RELAXED);
	}
}

void cover_result(unsigned int op, int error)
{
	add(mix(~op, error));
}

void features_clear(void)
{
	struct features *features = &shared->features;
	__u32 i;

	for (i = 0; i < features->nr; i++)
		features->seen[features->list[i]] = 0;
	features->nr = 0;
}

unsigned int cover_places(void)
{
	unsigned int nr = 0, i;

	for (i = 0; places && i < MODULE_SIZE / 8; i++)
		nr += __builtin_popcount(places[i]);
	return nr;
}
