// SPDX-License-Identifier: GPL-2.0
/*
 * Shared pages, with each allocation and copy made to fail in turn: a mailbox that could not
 * be made takes no quota, one whose region could not grow has it as it was, and a mapping is
 * there or is not.
 */
#include "fail_nth.h"

#include "common_region.h"

#define SMALL (2 * 4096)
#define LARGE (16 * 4096)

static int create(struct scene *scene)
{
	int ret;

	scene->create = create_args();
	scene->create.region_size = LARGE;
	ret = call(scene->device, MAILBOX_IOC_CREATE, &scene->create);
	if (!ret)
		scene->fd = scene->create.fd;
	return ret;
}

static void complete_region(struct scene *scene)
{
	char *start = region_map(scene->fd, 0, LARGE, READ_WRITE);

	EXPECT_EQ(LARGE, box_stat(scene->fd).region_size);
	EXPECT_TRUE(is_all(start, 0, LARGE));
	munmap(start, LARGE);
}

TEST_SWEEP(create_with_region, .call = create, .complete = complete_region, .allocates = true,
	   .least = 7)

static void prepare_none(struct scene *scene)
{
	scene->fd = box_new(scene->device);
}

static void prepare_small(struct scene *scene)
{
	scene->fd = region_new(scene->device, SMALL);
}

static int grow(struct scene *scene)
{
	scene->set = (struct mailbox_set){
		.size = sizeof(scene->set),
		.flags = MAILBOX_SET_REGION_SIZE,
		.region_size = LARGE,
	};
	return call(scene->fd, MAILBOX_IOC_SET, &scene->set);
}

TEST_SWEEP(first_region, .prepare = prepare_none, .call = grow, .complete = complete_region,
	   .allocates = true, .least = 4)
TEST_SWEEP(grow, .prepare = prepare_small, .call = grow, .complete = complete_region,
	   .allocates = true, .least = 2)

static char *mapped;

static int map(struct scene *scene)
{
	mapped = mmap(NULL, SMALL, READ_WRITE, MAP_SHARED, scene->fd, 0);
	return mapped == MAP_FAILED ? -errno : 0;
}

static void complete_map(struct scene *scene)
{
	int fd = box_open(scene->device, box_stat(scene->fd).id, NULL, MAILBOX_RIGHT_RECEIVE);
	char *other = region_map(fd, 0, SMALL, READ_ONLY);

	strcpy(mapped, "text");
	EXPECT_STREQ("text", other);
	munmap(mapped, SMALL);
	munmap(other, SMALL);
	close(fd);
}

TEST_SWEEP(map, .prepare = prepare_small, .call = map, .complete = complete_map, .allocates = true,
	   .least = 1)

TEST_HARNESS_MAIN
