// SPDX-License-Identifier: GPL-2.0
/*
 * mailbox cat-region: writes the shared pages of a mailbox to standard output.
 */
#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "cli.h"

enum {
	OPTION_OFFSET = 0x100,
	OPTION_LENGTH,
};

static const struct option options[] = {
	{ "offset", required_argument, NULL, OPTION_OFFSET },
	{ "length", required_argument, NULL, OPTION_LENGTH },
	{ "help", no_argument, NULL, 'h' },
	{ 0 },
};

/* clang-format off */
static const char help[] =
	"Usage: mailbox cat-region [OPTIONS] MAILBOX\n"
	"Writes the shared memory of a mailbox to standard output, as it is.\n"
	"\n"
	"      --offset=SIZE     begin there; without it, at the first byte\n"
	"      --length=SIZE     so many bytes; without it, to the end\n";
/* clang-format on */

struct part {
	uint64_t offset;
	uint64_t length;
	bool to_end;
};

static int write_part(const struct target *target, int handle, const struct part *part)
{
	uint64_t length = part->length;
	size_t size;
	void *start;
	int error;

	error = mailbox_map(handle, &start, &size);
	if (error == -EINVAL) {
		complain("%s has no shared memory; 'mailbox set --region' gives it some",
			 target->shown);
		return EXIT_OTHER;
	}
	if (error)
		return report(DOING_PEEK, target, error);
	if (part->to_end && part->offset <= size)
		length = size - part->offset;
	if (part->offset > size || length > size - part->offset) {
		complain("the shared memory of %s ends at %zu", target->shown, size);
		munmap(start, size);
		return EXIT_OTHER;
	}
	fwrite((char *)start + part->offset, 1, length, stdout);
	munmap(start, size);
	return output_flush();
}

static int take_option(int option, struct part *part)
{
	switch (option) {
	case OPTION_OFFSET:
		if (!parse_size(optarg, MAILBOX_REGION_SIZE_MAX, &part->offset))
			return usage(&command_cat_region, "--offset takes bytes, such as 64K");
		return EXIT_OK;
	case OPTION_LENGTH:
		if (!parse_size(optarg, MAILBOX_REGION_SIZE_MAX, &part->length))
			return usage(&command_cat_region, "--length takes bytes, such as 64K");
		part->to_end = false;
		return EXIT_OK;
	default:
		return help_or_usage(&command_cat_region, option);
	}
}

static int run(int argc, char **argv)
{
	struct part part = { .to_end = true };
	int option, device, handle, ret;
	struct target target;

	while ((option = getopt_long(argc, argv, "h", options, NULL)) != -1) {
		ret = take_option(option, &part);
		if (ret || option == 'h')
			return ret;
	}
	if (argc - optind != 1)
		return usage(&command_cat_region, "one MAILBOX");

	ret = target_parse(&command_cat_region, argv[optind], &target);
	if (ret)
		return ret;
	ret = device_open(&device);
	if (!ret) {
		ret = target_open(device, &target, MAILBOX_RIGHT_RECEIVE, &handle);
		close(device);
	}
	if (!ret) {
		ret = write_part(&target, handle, &part);
		close(handle);
	}
	target_fini(&target);
	return ret;
}

const struct command command_cat_region = {
	.name = "cat-region",
	.summary = "write the shared memory of a mailbox to standard output",
	.help = help,
	.run = run,
};
