// SPDX-License-Identifier: GPL-2.0
#include <string.h>
#include <sys/mman.h>

#include "memory.h"
#include "shared.h"

#define SOURCE_SIZE (2 * 1024 * 1024)

struct memory memory;

/* Leaves a hole after the area. */
static __u8 *area(size_t size, __u8 **end)
{
	__u8 *at = mmap(NULL, size + PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (at == MAP_FAILED || mprotect(at, size, PROT_READ | PROT_WRITE))
		die("no memory");
	*end = at + size;
	return at;
}

void memory_init(void)
{
	int *given, i;

	memory.args = area(ARGS_SIZE, &memory.args_end);
	memory.entries = area(ENTRIES_SIZE, &memory.entries_end);
	memory.sink = area(SINK_SIZE, &memory.sink_end);
	memory.source = area(SOURCE_SIZE, &memory.source_end);
	memset(memory.source, PAYLOAD, SOURCE_SIZE);
	mprotect(memory.source, SOURCE_SIZE, PROT_READ);
	memory.files = area(PAGE, &memory.files_end);
	memory.receipt = area(PAGE, &memory.receipt_end);
	memory.given = area(PAGE, &memory.given_end);
	given = (int *)memory.given;
	/* The last ones may not travel, or are not open. */
	for (i = 0; i < PAGE / 4; i++)
		given[i] = i % 16 < 14 ? FD_EVENT : i % 16 == 14 ? FIRST_FD : FD_DEVICE;
}

__u64 memory_address(__u8 *area, __u8 *end, unsigned int how, size_t size)
{
	unsigned int by = how >> 3;

	switch (how & 7) {
	case 1: /* ends where the hole begins */
		return (__u64)(size <= (size_t)(end - area) ? end - size : area);
	case 2: /* begins before it */
		return (__u64)(end - 1 - by);
	case 3:
		return by;
	case 4: /* cannot be written */
		return (__u64)memory.source;
	case 5: /* the kernel's */
		return 0xffffffff81000000ULL + by * PAGE;
	case 6: /* nobody's, or the last bytes there are */
		return by & 1 ? 0x8000000000000000ULL : -8ULL - by;
	case 7:
		return (__u64)(area + 1 + by);
	default:
		return by ? (__u64)(area + by * 8) : (__u64)area;
	}
}

bool memory_is(const __u8 *at, __u8 value, size_t size)
{
	return !size || (at[0] == value && !memcmp(at, at + 1, size - 1));
}

bool memory_within(const void *data, size_t length, const __u8 *at, const __u8 *end)
{
	const __u8 *from = data;

	return from >= at && from <= end && length <= (size_t)(end - from);
}
