// SPDX-License-Identifier: GPL-2.0
/*
 * DESTROY on the device and on a handle. That it wakes who waits is in wait.c, and
 * what poll says of it in poll.c.
 */
#include "common.h"

FIXTURE(destroy)
{
	int device;
	int fd;
	__u64 id;
	struct mailbox_destroy args;
};

FIXTURE_VARIANT(destroy)
{
	__u32 flags;
};

FIXTURE_VARIANT_ADD(destroy, temporary)
{
	.flags = 0,
};

FIXTURE_VARIANT_ADD(destroy, permanent)
{
	.flags = MAILBOX_PERMANENT,
};

FIXTURE_SETUP(destroy)
{
	struct mailbox_create create = create_args();

	self->device = device_open();
	create.flags = variant->flags;
	strcpy(create.name, "to be destroyed");
	self->fd = box_create(self->device, &create);
	ASSERT_LE(0, self->fd);
	self->id = create.id;
	self->args.size = sizeof(self->args);
}

FIXTURE_TEARDOWN(destroy)
{
	box_destroy(self->fd, 0, NULL);
	close(self->fd);
	close(self->device);
}

#define EXPECT_DESTROY_REFUSED(self, target, error) \
	EXPECT_REFUSED((self)->device, (self)->fd, error, \
		       call((target), MAILBOX_IOC_DESTROY, &(self)->args))

static void expect_gone(FIXTURE_DATA(destroy) * self)
{
	struct mailbox_send send = send_args("x", 1);
	char data[8];
	struct mailbox_receive receive = receive_args(data, sizeof(data));
	struct mailbox_set set = { .size = sizeof(set) };
	struct mailbox_stat stat;

	EXPECT_EQ(-ENOENT, box_open(self->device, self->id, NULL, RIGHTS_ALL));
	EXPECT_EQ(-ENOENT, box_open(self->device, 0, "to be destroyed", RIGHTS_ALL));
	EXPECT_EQ(-ENOENT, box_destroy(self->device, self->id, NULL));
	EXPECT_EQ(-EIDRM, box_send(self->fd, &send));
	EXPECT_EQ(-EIDRM, box_receive(self->fd, &receive));
	/* Entries of a batch have no flags of their own. */
	send.flags = 0;
	receive.flags = 0;
	EXPECT_EQ(-EIDRM, box_batch(self->fd, MAILBOX_IOC_SEND_BATCH, &send, sizeof(send), 1));
	EXPECT_EQ(-EIDRM,
		  box_batch(self->fd, MAILBOX_IOC_RECEIVE_BATCH, &receive, sizeof(receive), 1));
	EXPECT_EQ(-EIDRM, box_stat_try(self->fd, &stat));
	EXPECT_EQ(-EIDRM, call(self->fd, MAILBOX_IOC_SET, &set));
	EXPECT_EQ(-EIDRM, box_destroy(self->fd, 0, NULL));
	EXPECT_EQ(-1, read(self->fd, data, sizeof(data)));
	EXPECT_EQ(EIDRM, errno);
	EXPECT_EQ(-1, write(self->fd, data, sizeof(data)));
	EXPECT_EQ(EIDRM, errno);
}

TEST_F(destroy, on_a_handle)
{
	EXPECT_EQ(0, call(self->fd, MAILBOX_IOC_DESTROY, &self->args));
	expect_gone(self);
}

TEST_F(destroy, by_id)
{
	self->args.id = self->id;
	EXPECT_EQ(0, call(self->device, MAILBOX_IOC_DESTROY, &self->args));
	expect_gone(self);
}

TEST_F(destroy, by_name)
{
	strcpy(self->args.name, "to be destroyed");
	EXPECT_EQ(0, call(self->device, MAILBOX_IOC_DESTROY, &self->args));
	expect_gone(self);
}

TEST_F(destroy, every_other_handle_sees_it)
{
	int fd = box_open(self->device, self->id, NULL, MAILBOX_RIGHT_RECEIVE);
	char text[8];

	ASSERT_LE(0, fd);
	EXPECT_EQ(0, box_destroy(self->fd, 0, NULL));
	EXPECT_EQ(-EIDRM, box_receive_text(fd, text, sizeof(text)));
	close(fd);
	expect_gone(self);
}

TEST_F(destroy, the_name_is_free_at_once)
{
	struct mailbox_create create = create_args();
	int fd;

	ASSERT_EQ(0, box_destroy(self->fd, 0, NULL));
	strcpy(create.name, "to be destroyed");
	fd = box_create(self->device, &create);
	EXPECT_LE(0, fd);
	EXPECT_LT(self->id, create.id);
	/* The old handle must not lead to the new mailbox. */
	EXPECT_EQ(-EIDRM, box_send_text(self->fd, "x", 0, 0));
	EXPECT_EQ(0, box_stat(fd).messages);
	close(fd);
}

TEST_F(destroy, queued_messages_are_dropped_and_paid_back)
{
	struct mailbox_info before = device_info(self->device), after;
	char *data = calloc(1, 100000);
	int i;

	/* More than are dropped in one go. */
	for (i = 0; i < 200; i++)
		ASSERT_EQ(0, box_send_data(self->fd, data, i % 20 ? 8 : 100000));
	EXPECT_LT(before.bytes + 10 * 100000, device_info(self->device).bytes);
	EXPECT_EQ(0, box_destroy(self->fd, 0, NULL));
	after = device_info(self->device);
	EXPECT_EQ(before.messages, after.messages);
	EXPECT_EQ(before.bytes, after.bytes);
	free(data);
}

TEST_F(destroy, on_a_handle_takes_neither_id_nor_name)
{
	self->args.id = self->id;
	EXPECT_DESTROY_REFUSED(self, self->fd, EINVAL);
	self->args.id = 0;
	strcpy(self->args.name, "to be destroyed");
	EXPECT_DESTROY_REFUSED(self, self->fd, EINVAL);
}

TEST_F(destroy, on_the_device_takes_one_of_id_and_name)
{
	EXPECT_DESTROY_REFUSED(self, self->device, EINVAL);
	self->args.id = self->id;
	strcpy(self->args.name, "to be destroyed");
	EXPECT_DESTROY_REFUSED(self, self->device, EINVAL);
}

TEST_F(destroy, what_does_not_exist_is_enoent)
{
	self->args.id = self->id + 1;
	EXPECT_DESTROY_REFUSED(self, self->device, ENOENT);
	self->args.id = 0;
	strcpy(self->args.name, "never was");
	EXPECT_DESTROY_REFUSED(self, self->device, ENOENT);
}

TEST_F(destroy, needs_the_right_to_manage)
{
	int fd = box_open(self->device, self->id, NULL, MAILBOX_RIGHT_SEND | MAILBOX_RIGHT_RECEIVE);

	ASSERT_LE(0, fd);
	EXPECT_DESTROY_REFUSED(self, fd, EACCES);
	close(fd);
}

TEST_HARNESS_MAIN
