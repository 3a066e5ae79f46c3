// SPDX-License-Identifier: GPL-2.0
/*
 * Every call that manages mailboxes, and those on their descriptors, with each
 * allocation and copy made to fail in turn. Messages are in fail_nth_send.c and
 * fail_nth_receive.c.
 */
#include "common_notify.h"
#include "fail_nth.h"

#include <sys/epoll.h>

#define NAME	   "swept"
#define OTHER_USER 4242

static void prepare_box(struct scene *scene)
{
	struct mailbox_create args = create_args();

	args.mode = 0666;
	strcpy(args.name, NAME);
	scene->fd = box_create(scene->device, &args);
	ASSERT_LE(0, scene->fd);
	ASSERT_EQ(0, box_send_text(scene->fd, "stays", 0, 0));
}

static int info(struct scene *scene)
{
	scene->info = (struct mailbox_info){ .size = sizeof(scene->info) };
	return call(scene->fd < 0 ? scene->device : scene->fd, MAILBOX_IOC_INFO, &scene->info);
}

static void complete_info(struct scene *scene)
{
	EXPECT_EQ(MAILBOX_INTERFACE_VERSION, scene->info.version);
	EXPECT_EQ(scene->fd >= 0, scene->info.mailboxes);
}

TEST_SWEEP(info_on_the_device, .call = info, .complete = complete_info, .allocates = true,
	   .least = 3)
TEST_SWEEP(info_on_a_handle, .prepare = prepare_box, .call = info, .complete = complete_info,
	   .allocates = true, .least = 3)

static int create(struct scene *scene)
{
	int ret;

	scene->create = create_args();
	ret = call(scene->device, MAILBOX_IOC_CREATE, &scene->create);
	if (!ret)
		scene->other = scene->create.fd;
	return ret;
}

static int create_named(struct scene *scene)
{
	int ret;

	scene->create = create_args();
	strcpy(scene->create.name, NAME);
	ret = call(scene->device, MAILBOX_IOC_CREATE, &scene->create);
	if (!ret)
		scene->other = scene->create.fd;
	return ret;
}

static void complete_create(struct scene *scene)
{
	struct mailbox_stat stat = box_stat(scene->other);

	EXPECT_EQ(scene->create.id, stat.id);
	EXPECT_STREQ(scene->create.name, stat.name);
	EXPECT_EQ(1, stat.handles);
	EXPECT_EQ(0, box_send_text(scene->other, "fits", 0, 0));
	/* It can be found. */
	close(box_open(scene->device, stat.id, NULL, RIGHTS_ALL));
	EXPECT_EQ(0, box_destroy(scene->device, stat.id, NULL));
}

TEST_SWEEP(create, .call = create, .complete = complete_create, .allocates = true, .least = 9)
TEST_SWEEP(create_with_a_name, .call = create_named, .complete = complete_create, .allocates = true,
	   .least = 9)

static int open_by_id(struct scene *scene)
{
	int ret;

	/* The only mailbox is the one made last, with the id after the last. */
	scene->open = (struct mailbox_open){
		.size = sizeof(scene->open),
		.rights = RIGHTS_ALL & ~MAILBOX_RIGHT_MANAGE,
		.id = scene->length,
	};
	ret = call(scene->device, MAILBOX_IOC_OPEN, &scene->open);
	if (!ret)
		scene->other = scene->open.fd;
	return ret;
}

static int open_by_name(struct scene *scene)
{
	int ret;

	scene->open = (struct mailbox_open){
		.size = sizeof(scene->open),
		.rights = RIGHTS_ALL & ~MAILBOX_RIGHT_MANAGE,
		.name = NAME,
	};
	ret = call(scene->device, MAILBOX_IOC_OPEN, &scene->open);
	if (!ret)
		scene->other = scene->open.fd;
	return ret;
}

static void prepare_id(struct scene *scene)
{
	prepare_box(scene);
	scene->length = box_stat(scene->fd).id;
}

static void prepare_other_user(struct scene *scene)
{
	prepare_box(scene);
	ASSERT_EQ(0, seteuid(OTHER_USER));
	/* Or /proc/self would belong to root. */
	prctl(PR_SET_DUMPABLE, 1, 0, 0, 0);
}

static void complete_open(struct scene *scene)
{
	char text[8];

	ASSERT_EQ(0, seteuid(0));
	EXPECT_EQ(box_stat(scene->fd).id, scene->open.id);
	EXPECT_EQ(2, box_stat(scene->fd).handles);
	EXPECT_EQ(5, box_receive_text(scene->other, text, sizeof(text)));
	EXPECT_EQ(0, box_send_text(scene->other, "fits", 0, 0));
}

TEST_SWEEP(open_by_id, .prepare = prepare_id, .call = open_by_id, .complete = complete_open,
	   .allocates = true, .least = 5)
TEST_SWEEP(open_by_name, .prepare = prepare_box, .call = open_by_name, .complete = complete_open,
	   .allocates = true, .least = 5)
/* One more allocation: the share of that user. */
TEST_SWEEP(open_as_another_user, .prepare = prepare_other_user, .call = open_by_name,
	   .complete = complete_open, .allocates = true, .least = 6)

static int destroy_by_id(struct scene *scene)
{
	scene->destroy = (struct mailbox_destroy){
		.size = sizeof(scene->destroy),
		.id = scene->length,
	};
	return call(scene->device, MAILBOX_IOC_DESTROY, &scene->destroy);
}

static int destroy_by_name(struct scene *scene)
{
	scene->destroy = (struct mailbox_destroy){
		.size = sizeof(scene->destroy),
		.name = NAME,
	};
	return call(scene->device, MAILBOX_IOC_DESTROY, &scene->destroy);
}

static int destroy_on_a_handle(struct scene *scene)
{
	scene->destroy = (struct mailbox_destroy){ .size = sizeof(scene->destroy) };
	return call(scene->fd, MAILBOX_IOC_DESTROY, &scene->destroy);
}

static void complete_destroy(struct scene *scene)
{
	struct mailbox_stat stat;

	EXPECT_EQ(-EIDRM, box_stat_try(scene->fd, &stat));
	EXPECT_EQ(-ENOENT, box_open(scene->device, 0, NAME, RIGHTS_ALL));
}

TEST_SWEEP(destroy_by_id, .prepare = prepare_id, .call = destroy_by_id,
	   .complete = complete_destroy, .least = 1)
TEST_SWEEP(destroy_by_name, .prepare = prepare_box, .call = destroy_by_name,
	   .complete = complete_destroy, .least = 1)
TEST_SWEEP(destroy_on_a_handle, .prepare = prepare_box, .call = destroy_on_a_handle,
	   .complete = complete_destroy, .least = 1)

static struct mailbox_stat entries[4];

static void prepare_list(struct scene *scene)
{
	prepare_box(scene);
	scene->other = box_new(scene->device);
}

static int list(struct scene *scene)
{
	int ret;

	poison(entries, sizeof(entries));
	scene->list = (struct mailbox_list){
		.size = sizeof(scene->list),
		.entries = user_pointer(entries),
		.entry_size = sizeof(entries[0]),
		.nr = ARRAY_SIZE(entries),
	};
	ret = call(scene->device, MAILBOX_IOC_LIST, &scene->list);
	/* Who tries again from the same place misses none. */
	if (ret) {
		EXPECT_EQ(0, scene->list.after);
		EXPECT_EQ(ARRAY_SIZE(entries), scene->list.nr);
	}
	return ret;
}

static void complete_list(struct scene *scene)
{
	ASSERT_EQ(2, scene->list.nr);
	EXPECT_STREQ(NAME, entries[0].name);
	EXPECT_EQ(box_stat(scene->other).id, entries[1].id);
	EXPECT_EQ(entries[1].id, scene->list.after);
}

TEST_SWEEP(list, .prepare = prepare_list, .call = list, .complete = complete_list,
	   .allocates = true, .least = 5)

static int stat_(struct scene *scene)
{
	poison(&scene->stat, sizeof(scene->stat));
	scene->stat.size = sizeof(scene->stat);
	scene->stat.flags = 0;
	return call(scene->fd, MAILBOX_IOC_STAT, &scene->stat);
}

static void complete_stat(struct scene *scene)
{
	struct mailbox_stat stat = box_stat(scene->fd);

	EXPECT_EQ(0, memcmp(&stat, &scene->stat, sizeof(stat)));
}

TEST_SWEEP(stat_of_a_handle, .prepare = prepare_box, .allocates = true, .call = stat_,
	   .complete = complete_stat, .least = 3)

static int set(struct scene *scene)
{
	scene->set = (struct mailbox_set){
		.size = sizeof(scene->set),
		.flags = MAILBOX_SET_MODE | MAILBOX_SET_MAX_MESSAGES,
		.mode = 0640,
		.max_messages = 77,
	};
	return call(scene->fd, MAILBOX_IOC_SET, &scene->set);
}

static void complete_set(struct scene *scene)
{
	EXPECT_EQ(0640, box_stat(scene->fd).mode);
	EXPECT_EQ(77, box_stat(scene->fd).max_messages);
}

static int rename_(struct scene *scene)
{
	scene->set = (struct mailbox_set){
		.size = sizeof(scene->set),
		.flags = MAILBOX_SET_MODE | MAILBOX_SET_NAME,
		.mode = 0640,
		.name = "another name",
	};
	return call(scene->fd, MAILBOX_IOC_SET, &scene->set);
}

static void complete_rename(struct scene *scene)
{
	int fd = box_open(scene->device, 0, "another name", MAILBOX_RIGHT_MANAGE);

	EXPECT_LE(0, fd);
	close(fd);
	EXPECT_EQ(0640, box_stat(scene->fd).mode);
}

TEST_SWEEP(rename, .prepare = prepare_box, .allocates = true, .call = rename_,
	   .complete = complete_rename, .least = 2)
TEST_SWEEP(set, .prepare = prepare_box, .call = set, .complete = complete_set, .least = 1)

static int open_device(struct scene *scene)
{
	int fd = open(DEVICE, O_RDWR | O_CLOEXEC);

	if (fd < 0)
		return -errno;
	scene->other = fd;
	return 0;
}

static void complete_open_device(struct scene *scene)
{
	close(box_new(scene->other));
}

TEST_SWEEP(open_the_device, .call = open_device, .complete = complete_open_device,
	   .allocates = true, .least = 2)

/* Nothing that fails can keep a mailbox from ending. */
static int close_handle(struct scene *scene)
{
	int ret = close(scene->fd) ? -errno : 0;

	scene->fd = -1;
	return ret;
}

static void complete_close(struct scene *scene)
{
	EXPECT_EQ(-ENOENT, box_open(scene->device, 0, NAME, RIGHTS_ALL));
}

TEST_SWEEP(close_the_last_handle, .prepare = prepare_box, .call = close_handle,
	   .complete = complete_close)

/* So many that the kernel allocates for them. */
static struct pollfd polled[700];

static int poll_many(struct scene *scene)
{
	unsigned int i;
	int ret;

	for (i = 0; i < ARRAY_SIZE(polled); i++)
		polled[i] = (struct pollfd){ .fd = scene->fd, .events = POLLIN };
	ret = poll(polled, ARRAY_SIZE(polled), 0);
	return ret < 0 ? -errno : ret;
}

/* Nobody is left in the mailbox's list of those to be woken. */
static void complete_poll(struct scene *scene)
{
	char text[8];

	EXPECT_EQ(POLLIN, polled[ARRAY_SIZE(polled) - 1].revents);
	EXPECT_EQ(0, box_send_text(scene->fd, "more", 0, 0));
	EXPECT_EQ(5, box_receive_text(scene->fd, text, sizeof(text)));
}

TEST_SWEEP(poll, .prepare = prepare_box, .call = poll_many, .success = ARRAY_SIZE(polled),
	   .complete = complete_poll, .allocates = true, .least = 2)

static void prepare_epoll(struct scene *scene)
{
	prepare_box(scene);
	scene->other = epoll_create1(EPOLL_CLOEXEC);
	ASSERT_LE(0, scene->other);
}

static int epoll_add(struct scene *scene)
{
	struct epoll_event event = { .events = EPOLLIN };

	return epoll_ctl(scene->other, EPOLL_CTL_ADD, scene->fd, &event) ? -errno : 0;
}

static void complete_epoll(struct scene *scene)
{
	struct epoll_event event;

	EXPECT_EQ(1, epoll_wait(scene->other, &event, 1, 0));
	EXPECT_EQ(EPOLLIN, event.events);
	EXPECT_EQ(0, box_send_text(scene->fd, "more", 0, 0));
}

TEST_SWEEP(epoll_ctl, .prepare = prepare_epoll, .call = epoll_add, .complete = complete_epoll,
	   .allocates = true, .least = 3)

static void prepare_fdinfo(struct scene *scene)
{
	char path[64];

	prepare_box(scene);
	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", scene->fd);
	scene->other = open(path, O_RDONLY | O_CLOEXEC);
	ASSERT_LE(0, scene->other);
}

static char fdinfo[1024];

static int read_fdinfo(struct scene *scene)
{
	ssize_t ret;

	memset(fdinfo, 0, sizeof(fdinfo));
	ret = read(scene->other, fdinfo, sizeof(fdinfo) - 1);
	return ret < 0 ? -errno : ret > 0 ? 0 : -ENODATA;
}

static void complete_fdinfo(struct scene *scene __attribute__((unused)))
{
	EXPECT_TRUE(strstr(fdinfo, "mailbox-name:\t" NAME "\n"));
	EXPECT_TRUE(strstr(fdinfo, "mailbox-messages:\t1\n"));
}

TEST_SWEEP(fdinfo, .prepare = prepare_fdinfo, .call = read_fdinfo, .complete = complete_fdinfo,
	   .allocates = true, .least = 2)

static void prepare_notify(struct scene *scene)
{
	prepare_box(scene);
	scene->other = eventfd_new();
	box_notify(scene->fd, MAILBOX_EVENT_MESSAGE, scene->other);
}

static int notify(struct scene *scene)
{
	scene->notify = (struct mailbox_notify){
		.size = sizeof(scene->notify),
		.events = MAILBOX_EVENT_ROOM,
		.eventfd = scene->other,
	};
	return call(scene->fd, MAILBOX_IOC_NOTIFY, &scene->notify);
}

/* What was to be told before still is. */
static void failed_notify(struct scene *scene, const struct snapshot *before)
{
	struct snapshot now = snapshot_take(scene);

	EXPECT_TRUE(state_same(&before->state, &now.state));
	ASSERT_EQ(0, box_send_text(scene->fd, "told", 0, 0));
	EXPECT_EQ(1, told(scene->other));
}

static void complete_notify(struct scene *scene)
{
	char text[8];

	ASSERT_EQ(0, box_send_text(scene->fd, "not told", 0, 0));
	EXPECT_EQ(0, told(scene->other));
	ASSERT_EQ(5, box_receive_text(scene->fd, text, sizeof(text)));
	EXPECT_EQ(1, told(scene->other));
}

TEST_SWEEP(notify, .prepare = prepare_notify, .call = notify, .failed = failed_notify,
	   .complete = complete_notify, .allocates = true, .least = 2)

TEST_HARNESS_MAIN
