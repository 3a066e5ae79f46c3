/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the files of the library share. Not installed.
 */
#ifndef LIBMAILBOX_INTERNAL_H
#define LIBMAILBOX_INTERNAL_H

#include "mailbox.h"

/* ioctl(2) that returns the negative errno. */
int mbx_call(int fd, unsigned long command, void *argument);

/* Copies a name into one of the structures; -EINVAL when it does not fit. */
int mbx_name_copy(char *to, const char *name);

/* The address of user memory as the structures hold it. */
static inline uint64_t mbx_address(const void *pointer)
{
	return (uintptr_t)pointer;
}

/* Messages to and from the form that the kernel takes; message.c. */
int mbx_message_to_send(const struct mailbox_message *message, struct mailbox_send *send);
int mbx_message_send(int handle, struct mailbox_message *message, struct mailbox_send *send,
		     uint32_t flags, uint64_t deadline);
void mbx_message_to_receive(const struct mailbox_message *message,
			    const struct mailbox_selection *selection, uint32_t flags,
			    struct mailbox_receive *receive);
void mbx_message_add_files(const struct mailbox_message *message, uint32_t flags,
			   struct mailbox_send *send);
void mbx_message_from_receive(struct mailbox_message *message,
			      const struct mailbox_receive *receive);

/* Of an array of messages that are so many bytes long; batch.c. */
int mbx_send_batch(int handle, void *messages, size_t size, unsigned int nr, uint32_t flags,
		   uint64_t deadline, int *error);
int mbx_receive_batch(int handle, void *messages, size_t size, unsigned int nr,
		      const struct mailbox_selection *selection, uint32_t flags, uint64_t deadline,
		      int *error);

/* What a call on many tells of its end; batch.c. */
int mbx_batch_result(unsigned int done, int reason, int *error);

#endif /* LIBMAILBOX_INTERNAL_H */
