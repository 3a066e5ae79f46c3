/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * libmailbox: mailboxes of the Linux kernel for C and C++ programs.
 *
 * What holds for every function:
 * - It returns 0 or a value that is not negative, or a negative errno such as
 *   -ENOENT. The numbers and what they mean are listed in <linux/mailbox.h>;
 *   mailbox_strerror() has a sentence for each. The variable errno tells nothing.
 * - There is no hidden state: all that the library knows is in the arguments.
 *   Every function may be called from any thread at any time, but for those of lanes.
 * - A call that failed has changed nothing in the kernel.
 * - A call that waits is interrupted by a signal handler with -EINTR, unless the
 *   handler was installed with SA_RESTART.
 * - Times are nanoseconds of CLOCK_MONOTONIC and absolute; see mailbox_deadline_in().
 * - Sizes and lengths are bytes.
 */
#ifndef LIBMAILBOX_MAILBOX_H
#define LIBMAILBOX_MAILBOX_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include <linux/mailbox.h>

#ifdef __cplusplus
extern "C" {
#endif

/* --- the device ------------------------------------------------------- */

/**
 * mailbox_device_open() - open /dev/mailbox
 *
 * The descriptor is close-on-exec and stays in the mailbox domain of the network
 * namespace that the caller is in now. End it with close(2).
 *
 * Return: the device, or -ENOENT or -ENXIO when the module is not loaded, or
 * another error of open(2).
 */
int mailbox_device_open(void);

/**
 * mailbox_info() - limits of the module, and what the caller uses of them
 * @fd: the device, or a handle
 * @info: filled in on success
 *
 * Return: 0 or a negative errno. Never waits.
 */
int mailbox_info(int fd, struct mailbox_info *info);

/* --- making, opening and removing mailboxes ---------------------------- */

/**
 * mailbox_create_init() - the usual values for a new mailbox
 * @create: filled in: a bounded, temporary mailbox of default limits whose senders
 *	wait while it is full, mode 0600, all rights for the new handle, and no limit to
 *	deliveries under a lease
 * @name: of the mailbox; NULL or "" for one without a name
 *
 * Change what should be different, then call mailbox_create().
 *
 * Return: 0, or -EINVAL when the name does not fit. Never waits.
 */
int mailbox_create_init(struct mailbox_create *create, const char *name);

/**
 * mailbox_create() - make a mailbox
 * @device: from mailbox_device_open()
 * @create: from mailbox_create_init(); on success id and fd are filled in
 *
 * Return: a handle (end it with close(2)), or a negative errno, such as -EEXIST
 * when the name is taken, -EDQUOT, -EINVAL. Never waits.
 */
int mailbox_create(int device, struct mailbox_create *create);

/**
 * mailbox_open() - open a mailbox by its name
 * @device: from mailbox_device_open()
 * @name: of the mailbox
 * @rights: wanted, bits of enum mailbox_right, at least one
 * @flags: 0, or of MAILBOX_NONBLOCK, MAILBOX_CUT_OFF for a broadcast, and MAILBOX_STREAM for
 *	read(2) of bytes
 *
 * Return: a handle (end it with close(2)), or a negative errno, such as -ENOENT, or
 * -EACCES when the mode bits do not grant all of @rights. Never waits.
 */
int mailbox_open(int device, const char *name, uint32_t rights, uint32_t flags);

/**
 * mailbox_open_id() - open a mailbox by its id
 * @device: from mailbox_device_open()
 * @id: of the mailbox
 * @rights: see mailbox_open()
 * @flags: see mailbox_open()
 *
 * Return: see mailbox_open().
 */
int mailbox_open_id(int device, uint64_t id, uint32_t rights, uint32_t flags);

/**
 * mailbox_open_or_create() - open the mailbox of that name, or make it
 * @device: from mailbox_device_open()
 * @create: from mailbox_create_init(), with a name. Opening uses its name, its
 *	rights, and MAILBOX_NONBLOCK and MAILBOX_STREAM of its flags. On success id and fd are
 *	filled in.
 *
 * A mailbox that exists keeps its limits and mode, whatever @create says.
 *
 * Waits while another process is in the midst of making or ending the mailbox, for some
 * seconds at most.
 *
 * Return: a handle (end it with close(2)), or a negative errno; -EAGAIN when others were
 * in the midst of making or ending the mailbox each time this call looked.
 */
int mailbox_open_or_create(int device, struct mailbox_create *create);

/**
 * mailbox_destroy() - remove the mailbox of a handle
 * @handle: with the right to manage
 *
 * Messages in it are dropped; all calls on it, here and elsewhere, fail with -EIDRM.
 * The handle still wants close(2).
 *
 * Return: 0 or a negative errno. Never waits.
 */
int mailbox_destroy(int handle);

/**
 * mailbox_destroy_name() - remove a mailbox by its name
 * @device: from mailbox_device_open()
 * @name: of the mailbox
 *
 * Return: 0 or a negative errno. Never waits.
 */
int mailbox_destroy_name(int device, const char *name);

/**
 * mailbox_destroy_id() - remove a mailbox by its id
 * @device: from mailbox_device_open()
 * @id: of the mailbox
 *
 * Return: 0 or a negative errno. Never waits.
 */
int mailbox_destroy_id(int device, uint64_t id);

/* --- looking at mailboxes and changing them ---------------------------- */

/**
 * mailbox_stat() - counters and limits of one mailbox
 * @handle: with any right
 * @stat: filled in on success
 *
 * Return: 0 or a negative errno. Never waits.
 */
int mailbox_stat(int handle, struct mailbox_stat *stat);

/**
 * mailbox_set() - change a mailbox
 * @handle: with the right to manage
 * @set: flags says which members count; the others must be 0. The library fills in
 *	the size.
 *
 * All of it happens or none.
 *
 * Return: 0 or a negative errno. Never waits.
 */
int mailbox_set(int handle, const struct mailbox_set *set);

/**
 * mailbox_map() - map the shared pages of a mailbox
 * @handle: with the right to receive, or to send; the latter may write there
 * @start: set on success, to the first byte
 * @length: set on success, to the size of the region
 *
 * Maps the whole region as it is now. mmap(2) on the handle maps parts, and privately. End it
 * with munmap(2); that the handle is closed or the mailbox destroyed does not end it.
 * mailbox_set() with MAILBOX_SET_REGION_SIZE makes a region, or makes it larger.
 *
 * Return: 0 or a negative errno; -EINVAL where there is no region. Never waits.
 */
int mailbox_map(int handle, void **start, size_t *length);

/**
 * mailbox_notify() - have an eventfd signalled when something happens at a mailbox
 * @handle: with any right; or the device: then it is about what comes by mailbox_send_to()
 * @events: bits of enum mailbox_event; 0 ends it
 * @eventfd: from eventfd(2); ignored when @events is 0
 *
 * A handle has one eventfd, which takes the place of an earlier one, and keeps it until the
 * handle is closed. The end of the mailbox is signalled whatever the events, and so is a
 * mailbox_revoke() of the handle. Call this first and look at the mailbox then, and nothing
 * is missed.
 *
 * Return: 0 or a negative errno; -EINVAL for what is no eventfd. Never waits.
 */
int mailbox_notify(int handle, uint32_t events, int eventfd);

/**
 * mailbox_list() - a part of the list of mailboxes that the caller may see
 * @device: from mailbox_device_open()
 * @after: where to go on; begin with 0. Set on success, for the next part.
 * @entries: filled in, in order of ids
 * @nr: room at @entries, at least 1
 *
 * Return: how many entries were filled in, 0 at the end of the list, or a negative
 * errno. Never waits.
 */
int mailbox_list(int device, uint64_t *after, struct mailbox_stat *entries, unsigned int nr);

/**
 * mailbox_list_each() - call a function for each mailbox that the caller may see
 * @device: from mailbox_device_open()
 * @each: called with the entry and @context; another value than 0 ends the walk
 * @context: passed on to @each
 *
 * Return: 0 at the end of the list, the value of @each that ended it, or a negative
 * errno. Never waits.
 */
int mailbox_list_each(int device, int (*each)(const struct mailbox_stat *stat, void *context),
		      void *context);

/* --- messages ---------------------------------------------------------- */

/**
 * struct mailbox_message - one message, to be sent or received
 * @data: the payload; may be NULL when there is none
 * @length: bytes of payload. A receive sets it to what the message has, also when it
 *	fails with -EMSGSIZE: that is the room it needs.
 * @room: receive: bytes at @data; ignored by a send
 * @type: any number, 0 unless something else is wanted
 * @priority: 0 to MAILBOX_PRIORITY_MAX; larger ones are received first
 * @truncated: receive: 1 when the payload was longer than @room and was cut, else 0
 * @expiry: when the message is or would have been dropped, or 0 for never
 * @sequence: number of the message in its mailbox: 1, 2, 3 and so on. A send sets it.
 * @time: receive: when the kernel accepted the message
 * @pid: receive: process that sent it, 0 when it is not visible from here
 * @tid: receive: thread that sent it, likewise
 * @uid: receive: effective user id of the sender
 * @gid: receive: effective group id of the sender
 * @lease_time: receive with MAILBOX_LEASE: for how many nanoseconds from when the message
 *	is taken, 0 for no limit. Stays as it is.
 * @lease: receive: with MAILBOX_LEASE the number of the lease, for mailbox_ack() and the
 *	like; with MAILBOX_ANSWER the token of a call, for mailbox_reply(), 0 when it is none;
 *	else 0
 * @deliveries: receive: how often the message was delivered under a lease before
 * @is_receipt: receive: 1 when the kernel made it: @data is a struct mailbox_receipt
 * @missed: receive: of a broadcast, how many messages this handle has missed since the one
 *	it got last, because it was too slow or they expired; else 0
 * @is_call: receive with MAILBOX_ANSWER: 1 when its sender waits for an answer, see
 *	mailbox_call(), else 0
 * @answer_room: receive with MAILBOX_ANSWER: bytes that the answer may have, UINT32_MAX for
 *	any number; 0 where nobody waits for one
 * @files: with MAILBOX_FILES, descriptors that travel with the message, or where those that
 *	have travelled go; else neither this nor the next two are looked at
 * @nr_files: send: how many travel, up to MAILBOX_FILES_MAX, 0 for none. A receive sets it to
 *	what the message has, also when it fails with -EMSGSIZE: that is the room it needs.
 * @max_files: receive: room at @files
 * @loan: with MAILBOX_LOAN, the number of a loan: send: the one that goes with the message, and
 *	then the new one that @borrow asks for, or 0; receive: one that is given back, or 0, and
 *	then the one that the message is, or 0. Without it this and the next three are not
 *	looked at. See mailbox_loan().
 * @offset: with MAILBOX_LOAN, where in the region that loan begins: set with @loan
 * @borrow: send: with MAILBOX_LOAN, bytes to borrow for the next message, or 0
 * @is_loan: receive: with MAILBOX_LOAN 1 when the payload is in the region, at @offset, and not
 *	at @data, else 0
 *
 * Begin with all zero, so that members which a later version uses are zero too.
 */
struct mailbox_message {
	void *data;
	size_t length;
	size_t room;
	uint64_t type;
	uint32_t priority;
	uint32_t truncated;
	uint64_t expiry;
	uint64_t sequence;
	uint64_t time;
	pid_t pid;
	pid_t tid;
	uid_t uid;
	gid_t gid;
	uint64_t lease_time;
	uint64_t lease;
	uint32_t deliveries;
	uint32_t is_receipt;
	uint64_t missed;
	uint32_t is_call;
	uint32_t answer_room;
	int *files;
	uint32_t nr_files;
	uint32_t max_files;
	uint64_t loan;
	uint64_t offset;
	uint64_t borrow;
	uint32_t is_loan;
};

/**
 * struct mailbox_selection - which message a receive is about
 * @select: one of enum mailbox_select
 * @match: what it compares with
 */
struct mailbox_selection {
	uint32_t select;
	uint64_t match;
};

/**
 * mailbox_send() - send bytes, with type 0 and priority 0
 * @handle: with the right to send
 * @data: the payload
 * @length: of the payload; 0 is a message too
 *
 * Waits for room when the mailbox is full and was made to wait, unless the handle
 * has O_NONBLOCK.
 *
 * Return: 0 or a negative errno, such as -EAGAIN, -EMSGSIZE, -EDQUOT, -EIDRM.
 */
int mailbox_send(int handle, const void *data, size_t length);

/**
 * mailbox_send_message() - send a message with all that can be said about it
 * @handle: with the right to send
 * @message: data, length, type, priority and expiry count; sequence is set on success
 * @flags: MAILBOX_NONBLOCK, MAILBOX_DEADLINE, MAILBOX_FILES, MAILBOX_LOAN
 * @deadline: with MAILBOX_DEADLINE, how long to wait for room
 *
 * With MAILBOX_FILES open files travel along; see "Files in messages" in <linux/mailbox.h>. With
 * MAILBOX_LOAN the payload is the first length bytes of a loan, and data does not matter; see
 * mailbox_loan().
 *
 * Return: 0 or a negative errno: as mailbox_send(), and -ETIMEDOUT when the deadline
 * or the expiry has passed; -EBADF or -ELOOP for a file that cannot travel.
 */
int mailbox_send_message(int handle, struct mailbox_message *message, uint32_t flags,
			 uint64_t deadline);

/**
 * mailbox_send_receipt() - send a message; a receipt goes to a mailbox when it ends
 * @handle: with the right to send
 * @message: as for mailbox_send_message()
 * @flags: as for mailbox_send_message()
 * @deadline: as for mailbox_send_message()
 * @to: handle with the right to send, on the mailbox that gets the receipt
 * @cookie: any number; the type of the receipt
 *
 * The receipt is a message with is_receipt set and a struct mailbox_receipt as its payload.
 *
 * Return: as mailbox_send_message(); -EAGAIN also when @to has no room for the receipt.
 */
int mailbox_send_receipt(int handle, struct mailbox_message *message, uint32_t flags,
			 uint64_t deadline, int to, uint64_t cookie);

/**
 * mailbox_send_wait() - send a message and wait until it has ended
 * @handle: with the right to send, without O_NONBLOCK
 * @message: as for mailbox_send_message()
 * @flags: MAILBOX_DEADLINE
 * @deadline: with MAILBOX_DEADLINE, how long to wait
 * @receipt: set on success
 *
 * Return: 0, and @receipt says how it ended, or MAILBOX_END_PENDING when somebody had it at
 * the deadline; or a negative errno, with nothing sent: as mailbox_send_message().
 */
int mailbox_send_wait(int handle, struct mailbox_message *message, uint32_t flags,
		      uint64_t deadline, struct mailbox_receipt *receipt);

/**
 * mailbox_receive() - take the first message, payload only
 * @handle: with the right to receive
 * @data: where the payload goes
 * @room: at @data
 *
 * Waits for a message, unless the handle has O_NONBLOCK.
 *
 * Return: the length of the payload (0 is a message too), or a negative errno:
 * -EMSGSIZE when it does not fit (the message stays), -EAGAIN, -EIDRM.
 */
ssize_t mailbox_receive(int handle, void *data, size_t room);

/**
 * mailbox_receive_message() - take a message, or look at it
 * @handle: with the right to receive
 * @message: data, room and lease_time count; the rest is set on success
 * @selection: which message, or NULL for the first
 * @flags: MAILBOX_NONBLOCK, MAILBOX_DEADLINE, MAILBOX_TRUNCATE, MAILBOX_FILES, MAILBOX_LOAN,
 *	and one of MAILBOX_PEEK, MAILBOX_LEASE and MAILBOX_ANSWER
 * @deadline: with MAILBOX_DEADLINE, how long to wait for a message
 *
 * With MAILBOX_LEASE the message comes back to the mailbox unless mailbox_ack() ends its
 * lease; see "Leases" in <linux/mailbox.h>. With MAILBOX_ANSWER a call is received to be
 * answered, and other messages as without it. With MAILBOX_FILES the caller gets descriptors of
 * the files that travel with the message, each of which wants close(2); without it those are
 * closed with the message. What MAILBOX_TRUNCATE leaves of them is the lesser of nr_files and
 * max_files. With MAILBOX_LOAN a message whose payload is in the region is received, too, which
 * stays and is -EOPNOTSUPP without it; see mailbox_loan().
 *
 * Return: 0 or a negative errno: -EMSGSIZE when the payload or the files do not fit (the
 * message stays, its length and nr_files are in @message), -EAGAIN, -ETIMEDOUT, -ESRCH,
 * -EMFILE, -EIDRM.
 */
int mailbox_receive_message(int handle, struct mailbox_message *message,
			    const struct mailbox_selection *selection, uint32_t flags,
			    uint64_t deadline);

/**
 * mailbox_receive_alloc() - take a message of whatever size, or look at it
 * @handle: with the right to receive
 * @message: data is NULL with room 0, or comes from malloc(3) and has room bytes
 * @selection: see mailbox_receive_message()
 * @flags: see mailbox_receive_message()
 * @deadline: see mailbox_receive_message()
 *
 * Grows the buffer with realloc(3) as needed and sets data and room accordingly, in
 * the manner of getline(3): the same @message serves for any number of calls, and the
 * caller gives data to free(3) after the last one, also after errors. It does not grow files:
 * MAILBOX_FILES_MAX are all that a message can have.
 *
 * Return: 0 or a negative errno, as mailbox_receive_message(), and -ENOMEM.
 */
int mailbox_receive_alloc(int handle, struct mailbox_message *message,
			  const struct mailbox_selection *selection, uint32_t flags,
			  uint64_t deadline);

/**
 * mailbox_send_batch() - send many messages in few entries into the kernel
 * @handle: with the right to send
 * @messages: each as for mailbox_send_message(); sequence is set in those sent
 * @nr: how many, any number
 * @flags: MAILBOX_NONBLOCK, MAILBOX_DEADLINE, MAILBOX_FILES
 * @deadline: with MAILBOX_DEADLINE, how long to wait for room
 * @error: set to the negative errno that stopped the batch before its end, else to 0;
 *	may be NULL
 *
 * Return: how many were sent, from the first on, at least 1 (0 when @nr is 0), or the
 * negative errno with which the first of them failed.
 */
int mailbox_send_batch(int handle, struct mailbox_message *messages, unsigned int nr,
		       uint32_t flags, uint64_t deadline, int *error);

/**
 * mailbox_receive_batch() - take many messages in few entries into the kernel
 * @handle: with the right to receive
 * @messages: each as for mailbox_receive_message()
 * @nr: how many at most, any number
 * @selection: which messages, or NULL for the first ones
 * @flags: MAILBOX_NONBLOCK, MAILBOX_DEADLINE, MAILBOX_TRUNCATE, MAILBOX_FILES, and one of
 *	MAILBOX_LEASE and MAILBOX_ANSWER
 * @deadline: with MAILBOX_DEADLINE, how long to wait for the first message
 * @error: set to the negative errno that stopped the batch before its end, else to 0;
 *	-EAGAIN when there were fewer messages; may be NULL
 *
 * Waits for the first message only, then takes what is there.
 *
 * Return: how many were taken, at least 1 (0 when @nr is 0), or the negative errno
 * with which the first of them failed.
 */
int mailbox_receive_batch(int handle, struct mailbox_message *messages, unsigned int nr,
			  const struct mailbox_selection *selection, uint32_t flags,
			  uint64_t deadline, int *error);

/**
 * mailbox_receive_pidfd() - take the first message, and a pidfd of the process that sent it
 * @handle: with the right to receive, not of a broadcast
 * @message: see mailbox_receive_message()
 * @flags: MAILBOX_NONBLOCK, MAILBOX_DEADLINE, MAILBOX_TRUNCATE, MAILBOX_FILES
 * @deadline: with MAILBOX_DEADLINE, how long to wait for a message
 * @pidfd: set on success: see pidfd_open(2), end it with close(2); or a negative errno, and
 *	the message is received all the same: -ESRCH when its sender has ended or is not
 *	visible from here, -EMFILE and the like when there can be no descriptor
 *
 * The pidfd is that of the sender, whatever process has its number by now: see "Who has sent
 * it" in <linux/mailbox.h>. It polls as readable when the sender ends.
 *
 * The message is under a lease until this returns, so what ends leases (a caller that is
 * killed, too) gives it back, and a receipt says that it was acknowledged.
 *
 * Return: 0 or a negative errno, as mailbox_receive_message(); -EINVAL for a broadcast.
 */
int mailbox_receive_pidfd(int handle, struct mailbox_message *message, uint32_t flags,
			  uint64_t deadline, int *pidfd);

/* --- loans: messages whose payload is not copied ------------------------ */

/**
 * mailbox_loan() - borrow a piece of the region, for a message of any length
 * @handle: with the right to send
 * @message: length says how many bytes; loan is one to be given back, or 0. On success loan and
 *	offset are those of the new one.
 * @flags: MAILBOX_NONBLOCK, MAILBOX_DEADLINE
 * @deadline: with MAILBOX_DEADLINE, how long to wait for a piece
 *
 * The piece begins offset bytes from where mailbox_map() has mapped the region; where that was
 * made larger since, it may lie beyond, and the region has to be mapped again. A message costs
 * two entries into the kernel, however long it is, one of the sender and one of the receiver::
 *
 *	message.length = size;
 *	mailbox_loan(handle, &message, 0, 0);
 *	for (;;) {
 *		(write size bytes at start + message.offset)
 *		message.borrow = size;
 *		mailbox_send_message(handle, &message, MAILBOX_LOAN, 0);
 *		if (!message.loan) (none was free at once)
 *			mailbox_loan(handle, &message, 0, 0);
 *	}
 *
 *	message.loan = 0;
 *	for (;;) { (each receive gives back what the one before got)
 *		mailbox_receive_message(handle, &message, NULL, MAILBOX_LOAN, 0);
 *		(read message.length bytes at start + message.offset)
 *	}
 *
 * What fails leaves loan and offset as they were, and the loan with the caller. See "Loans" in
 * <linux/mailbox.h> for how they end.
 *
 * Return: 0 or a negative errno: -EMSGSIZE when the region is not that long, -EAGAIN, -ETIMEDOUT,
 * -ESTALE when the loan to give back is none of the handle's, -EDQUOT, -ENOMEM, -EIDRM.
 */
int mailbox_loan(int handle, struct mailbox_message *message, uint32_t flags, uint64_t deadline);

/**
 * mailbox_return() - give a loan back
 * @handle: that has it
 * @loan: its number
 *
 * Return: 0 or a negative errno, such as -ESTALE when it has ended. Never waits.
 */
int mailbox_return(int handle, uint64_t loan);

/* --- lanes: small messages, without system calls ------------------------ */

/*
 * A lane is a ring in memory from one handle that may send to the one that receives from all
 * lanes of the mailbox; see "Lanes" in <linux/mailbox.h>. While both sides have something to do
 * neither enters the kernel.
 *
 * Each struct mailbox_lane and each struct mailbox_lanes is for one thread at a time, and for the
 * process that has opened it, not for children of it. Close them before their handle.
 */
struct mailbox_lane;
struct mailbox_lanes;

/**
 * struct mailbox_lane_message - one message from a lane, where it is
 * @data: the payload, at an address that is a multiple of 8
 * @length: of it
 * @lane: number of the lane: mailbox_lane_number() tells the sender
 */
struct mailbox_lane_message {
	const void *data;
	size_t length;
	uint64_t lane;
};

/**
 * mailbox_lane_open() - make the lane of a handle, to send
 * @handle: with the right to send, of a mailbox of MAILBOX_POLICY_ANY
 * @bytes: of the ring, rounded up, at most MAILBOX_LANE_BYTES_MAX; 0 for the usual. A message
 *	takes its length, and up to 15 bytes more.
 * @lane: set on success; end it with mailbox_lane_close()
 *
 * Messages can be sent before anybody receives.
 *
 * Return: 0 or a negative errno: -EBUSY when the handle has a lane, or the mailbox
 * MAILBOX_LANES_MAX; -EOPNOTSUPP for other policies; -EACCES, -EDQUOT, -ENOMEM, -EIDRM. Never
 * waits.
 */
int mailbox_lane_open(int handle, size_t bytes, struct mailbox_lane **lane);

/**
 * mailbox_lane_close() - end a lane
 * @lane: its sender's end
 *
 * What was committed can still be received, what was not never.
 */
void mailbox_lane_close(struct mailbox_lane *lane);

/**
 * mailbox_lane_number() - by which the receiver knows the lane
 * @lane: its sender's end
 *
 * Return: the number, which no other lane of the mailbox ever has.
 */
uint64_t mailbox_lane_number(const struct mailbox_lane *lane);

/**
 * mailbox_lane_send() - send bytes through a lane
 * @lane: the lane
 * @data: the payload
 * @length: of the payload; 0 is a message too
 *
 * As mailbox_send() does: waits for room, unless the handle has O_NONBLOCK. Messages that were
 * reserved and are not committed yet go before this one.
 *
 * Return: 0 or a negative errno, and then nothing was sent: -EMSGSIZE for what the whole ring
 * does not hold, -EAGAIN, -EINTR, -EPIPE when the receiver has gone or closed the lane, -EACCES,
 * -EIDRM, -EBADMSG when what the receiver has written to the shared memory makes no sense.
 */
int mailbox_lane_send(struct mailbox_lane *lane, const void *data, size_t length);

/**
 * mailbox_lane_reserve() - room in the ring for one message, to be written there
 * @lane: the lane
 * @length: of the payload
 * @flags: MAILBOX_NONBLOCK, MAILBOX_DEADLINE
 * @deadline: with MAILBOX_DEADLINE, how long to wait for room
 * @data: set on success: where the payload goes, at a multiple of 8
 *
 * Nobody sees the message before mailbox_lane_commit(), which makes a batch of all that were
 * reserved since the last one. Where there is no room for another, those that are reserved by
 * then are committed, so that the receiver can make some: each has to be written before the
 * next is asked for.
 *
 * Return: 0 or a negative errno: as mailbox_lane_send(), and -ETIMEDOUT.
 */
int mailbox_lane_reserve(struct mailbox_lane *lane, size_t length, uint32_t flags,
			 uint64_t deadline, void **data);

/**
 * mailbox_lane_commit() - send what was reserved
 * @lane: the lane
 *
 * Never waits. Should nobody be there any more, the next message fails.
 */
void mailbox_lane_commit(struct mailbox_lane *lane);

/**
 * mailbox_lanes_open() - become the receiver of all lanes of a mailbox
 * @handle: with the right to receive, of a mailbox of MAILBOX_POLICY_ANY
 * @lanes: set on success; end it with mailbox_lanes_close()
 *
 * Those that come later are found by themselves. poll(2) on the handle tells when one has
 * something, or is new; it also tells of messages that were sent otherwise.
 *
 * Return: 0 or a negative errno: -EBUSY when another handle is the receiver, -EOPNOTSUPP for
 * other policies, -EACCES, -ENOMEM, -EIDRM. Never waits.
 */
int mailbox_lanes_open(int handle, struct mailbox_lanes **lanes);

/**
 * mailbox_lanes_close() - receive from lanes no more
 * @lanes: the receiver's end
 *
 * Ends the lanes, with what is in them.
 */
void mailbox_lanes_close(struct mailbox_lanes *lanes);

/**
 * mailbox_lanes_receive() - take a message from any lane
 * @lanes: the receiver's end
 * @data: where the payload goes
 * @room: at @data
 *
 * As mailbox_receive() does: waits for a message, unless the handle has O_NONBLOCK. Releases what
 * mailbox_lanes_next() gave.
 *
 * Return: the length of the payload (0 is a message too), or a negative errno: -EMSGSIZE when it
 * does not fit (the message stays), and as mailbox_lanes_next().
 */
ssize_t mailbox_lanes_receive(struct mailbox_lanes *lanes, void *data, size_t room);

/**
 * mailbox_lanes_next() - the next message of any lane, where it is
 * @lanes: the receiver's end
 * @message: set on success
 * @flags: MAILBOX_NONBLOCK, MAILBOX_DEADLINE
 * @deadline: with MAILBOX_DEADLINE, how long to wait for a message
 *
 * Lanes have their turn one after the other, for up to 32 messages each. Those of one lane come
 * in the order they were sent. Their memory is theirs until mailbox_lanes_release(), which
 * releases all that were given; while any is held this does not wait, so a batch goes::
 *
 *	for (;;) {
 *		while (!mailbox_lanes_next(lanes, &message, 0, 0))
 *			(use message.data)
 *		mailbox_lanes_release(lanes);
 *	}
 *
 * The sender of a message can still write to it. Whoever does not trust it copies first what is
 * looked at more than once.
 *
 * Return: 0 or a negative errno: -EAGAIN, also for want of another while any is held, -ETIMEDOUT,
 * -EINTR, -ENOENT or -EACCES when the handle is not the receiver any more, -ENOMEM, -EIDRM. With
 * -EBADMSG a sender has broken its lane, which message->lane names and which is closed; the others
 * go on.
 */
int mailbox_lanes_next(struct mailbox_lanes *lanes, struct mailbox_lane_message *message,
		       uint32_t flags, uint64_t deadline);

/**
 * mailbox_lanes_release() - let senders write over what was received
 * @lanes: the receiver's end
 *
 * Of all messages that mailbox_lanes_next() gave. Never waits.
 */
void mailbox_lanes_release(struct mailbox_lanes *lanes);

/* --- leases: messages that come back unless they are acknowledged ------- */

/**
 * mailbox_ack() - a leased message is done with, and gone
 * @handle: through which it was received
 * @lease: its number, from struct mailbox_message
 *
 * Return: 0 or a negative errno: -ESTALE when the lease has ended meanwhile (somebody else
 * may have the message then), or is not the caller's; -EIDRM. Never waits.
 */
int mailbox_ack(int handle, uint64_t lease);

/**
 * mailbox_nack() - a leased message goes back to its place, and counts one delivery more
 * @handle: through which it was received
 * @lease: its number, from struct mailbox_message
 * @delay: for how many nanoseconds it stays hidden from receivers, 0 for none
 *
 * Return: see mailbox_ack().
 */
int mailbox_nack(int handle, uint64_t lease, uint64_t delay);

/**
 * mailbox_extend() - a lease goes on for so long from now
 * @handle: through which the message was received
 * @lease: its number, from struct mailbox_message
 * @time: nanoseconds from now, 0 for no limit
 *
 * Return: see mailbox_ack().
 */
int mailbox_extend(int handle, uint64_t lease, uint64_t time);

/**
 * mailbox_ack_batch() - many leased messages are done with
 * @handle: through which they were received
 * @leases: their numbers
 * @nr: how many, any number
 * @error: set to the negative errno that stopped the batch before its end, else to 0;
 *	may be NULL
 *
 * A batch stops at the first lease that has ended. Leave that one out to go on.
 *
 * Return: how many were dealt with, from the first on, at least 1 (0 when @nr is 0), or
 * the negative errno with which the first of them failed. Never waits.
 */
int mailbox_ack_batch(int handle, const uint64_t *leases, unsigned int nr, int *error);

/**
 * mailbox_nack_batch() - many leased messages go back
 * @handle: through which they were received
 * @leases: their numbers
 * @nr: how many, any number
 * @delay: see mailbox_nack()
 * @error: see mailbox_ack_batch()
 *
 * Return: see mailbox_ack_batch().
 */
int mailbox_nack_batch(int handle, const uint64_t *leases, unsigned int nr, uint64_t delay,
		       int *error);

/**
 * mailbox_extend_batch() - many leases go on
 * @handle: through which the messages were received
 * @leases: their numbers
 * @nr: how many, any number
 * @time: see mailbox_extend()
 * @error: see mailbox_ack_batch()
 *
 * Return: see mailbox_ack_batch().
 */
int mailbox_extend_batch(int handle, const uint64_t *leases, unsigned int nr, uint64_t time,
			 int *error);

/* --- calls: a message and its answer ------------------------------------ */

/**
 * mailbox_call() - send a request, and wait for the answer
 * @handle: with the right to send
 * @request: data, length, type and priority count, and expiry must be 0; sequence is set on
 *	success
 * @answer: data and room count; of the rest length, type, truncated, pid, tid, uid and gid
 *	are set on success, about the answer and who gave it, and all others to 0. May be NULL
 *	where the answer has no bytes.
 * @flags: MAILBOX_DEADLINE; MAILBOX_NONBLOCK: do not wait for room; MAILBOX_TRUNCATE: an
 *	answer longer than room is cut, not refused
 * @deadline: with MAILBOX_DEADLINE, when the whole call ends
 *
 * See "Calls" in <linux/mailbox.h>.
 *
 * Return: 0, or a negative errno: as mailbox_send_message(), and -ECANCELED when who had the
 * request did not answer (it may be half done), -EPIPE when nobody can receive it,
 * -ETIMEDOUT, -EINTR.
 */
int mailbox_call(int handle, struct mailbox_message *request, struct mailbox_message *answer,
		 uint32_t flags, uint64_t deadline);

/**
 * mailbox_reply() - answer a call
 * @handle: through which it was received
 * @token: its lease, from a receive with MAILBOX_ANSWER or MAILBOX_LEASE
 * @answer: data, length and type count; NULL for an answer of no bytes and of type 0
 *
 * Return: 0 or a negative errno, and then the token is as good as it was: -ESTALE when the
 * caller has given up, or the token is not the caller's; -EMSGSIZE when the answer is longer
 * than the answer_room of the request; -EDQUOT, -ENOMEM, -EIDRM. Never waits.
 */
int mailbox_reply(int handle, uint64_t token, const struct mailbox_message *answer);

/**
 * mailbox_reply_receive() - answer a call and take the next message, in one entry
 * @handle: with the right to receive
 * @token: see mailbox_reply(); 0 to answer nobody and only receive
 * @answer: see mailbox_reply(); not looked at where token is 0
 * @request: as for mailbox_receive_message()
 * @flags: as for mailbox_receive_message(); MAILBOX_ANSWER goes without saying
 * @deadline: with MAILBOX_DEADLINE, how long to wait for the message
 *
 * The loop of a server, in which every error is about what was tried last::
 *
 *	token = 0;
 *	for (;;) {
 *		ret = mailbox_reply_receive(handle, token, &answer, &request, 0, 0);
 *		token = 0;
 *		if (ret)
 *			continue; (or look at it: -ESTALE is no harm, -EIDRM the end)
 *		token = request.lease;
 *		(make the answer, also where token is 0: then nobody waits for it)
 *	}
 *
 * Return: 0 with a message; 1 when the answer has gone, but no message came: call again with
 * token 0, which tells why if it is still so (the length in @request is set where it did not
 * fit); or a negative errno, and then the answer has not gone and nothing was received: as
 * mailbox_reply(), or with token 0 as mailbox_receive_message().
 */
int mailbox_reply_receive(int handle, uint64_t token, const struct mailbox_message *answer,
			  struct mailbox_message *request, uint32_t flags, uint64_t deadline);

/* --- policies: which processes a mailbox is for ------------------------- */

/**
 * mailbox_yield() - give up the right to receive
 * @handle: with the right to receive, of a mailbox of MAILBOX_POLICY_ONE
 *
 * It goes to the process that has waited longest for it, and is free where none does.
 * See "Policies" in <linux/mailbox.h>; struct mailbox_create has the policy.
 *
 * Return: 0 or a negative errno: -EPERM for a process that does not have it, -EINVAL for
 * other policies, -EIDRM. Never waits.
 */
int mailbox_yield(int handle);

/* --- derived handles: to be passed on, and taken back ------------------- */

/**
 * mailbox_restrict() - derive a handle with the same rights or fewer
 * @handle: with all of @rights
 * @rights: of the new handle, bits of enum mailbox_right, at least one
 * @flags: 0, or of MAILBOX_NONBLOCK, and MAILBOX_STREAM for read(2) of bytes
 * @grant: set on success: what mailbox_revoke() wants; or NULL
 *
 * See "Derived handles" in <linux/mailbox.h>. A child that runs another program inherits the
 * new handle once FD_CLOEXEC is taken off with fcntl(2).
 *
 * Return: a handle (end it with close(2)), or a negative errno, such as -EACCES when
 * @handle lacks one of @rights, or was revoked. Never waits.
 */
int mailbox_restrict(int handle, uint32_t rights, uint32_t flags, uint64_t *grant);

/**
 * mailbox_revoke() - take a handle back, and all that were derived from it
 * @handle: with the right to manage
 * @grant: from mailbox_restrict(), here or in another process
 *
 * From the return on every call on those handles fails with -EACCES; those that waited
 * have ended with that.
 *
 * Return: 0 or a negative errno, such as -ENOENT when none of them is open. Waits for nobody.
 */
int mailbox_revoke(int handle, uint64_t grant);

/**
 * mailbox_revoke_all() - take all handles back that mailbox_restrict() has made of a mailbox
 * @handle: with the right to manage
 *
 * As mailbox_revoke() of each of them; where there is none, it succeeds too.
 *
 * Return: 0 or a negative errno. Waits for nobody.
 */
int mailbox_revoke_all(int handle);

/* --- time and text ----------------------------------------------------- */

/**
 * mailbox_now() - the time by the clock that deadlines are given in
 *
 * Return: nanoseconds of CLOCK_MONOTONIC.
 */
uint64_t mailbox_now(void);

/**
 * mailbox_deadline_in() - a deadline or expiry so far from now
 * @nanoseconds: from now
 *
 * Return: absolute nanoseconds of CLOCK_MONOTONIC; the latest there is rather than
 * one that wrapped round.
 */
uint64_t mailbox_deadline_in(uint64_t nanoseconds);

/**
 * mailbox_deadline_in_ms() - a deadline or expiry so far from now
 * @milliseconds: from now
 *
 * Return: see mailbox_deadline_in().
 */
uint64_t mailbox_deadline_in_ms(uint64_t milliseconds);

/**
 * mailbox_strerror() - what an error of this library means
 * @error: a negative errno as the functions return it
 *
 * Return: a constant text without a full stop; nothing to free.
 */
const char *mailbox_strerror(int error);

/**
 * mailbox_error_text() - "WHAT: what the error means"
 * @error: a negative errno as the functions return it
 * @what: was tried, such as "open jobs"; NULL for none
 * @text: where the text goes, always terminated when @size is not 0
 * @size: bytes at @text
 *
 * Return: @text.
 */
char *mailbox_error_text(int error, const char *what, char *text, size_t size);

/* --- direct communication ---------------------------------------------- */

/**
 * mailbox_send_to() - send a message to a process
 * @device: from mailbox_device_open()
 * @pid: the process, as the caller sees it
 * @message: as for mailbox_send_message()
 * @flags: 0, or of MAILBOX_NONBLOCK, MAILBOX_DEADLINE
 * @deadline: with MAILBOX_DEADLINE, how long to wait for room
 *
 * See DOC: Direct communication in <linux/mailbox.h>.
 *
 * Return: 0 or a negative errno, such as -ESRCH when there is no such process (any more),
 * -EPERM when it does not let the caller send.
 */
int mailbox_send_to(int device, pid_t pid, struct mailbox_message *message, uint32_t flags,
		    uint64_t deadline);

/**
 * mailbox_receive_from() - receive a message that a process has sent to the caller
 * @device: from mailbox_device_open()
 * @pid: the process, as the caller sees it; 0 for any
 * @message: as for mailbox_receive_message(); its pid says who has sent it
 * @flags: 0, or of MAILBOX_NONBLOCK, MAILBOX_DEADLINE, MAILBOX_PEEK, MAILBOX_TRUNCATE
 * @deadline: with MAILBOX_DEADLINE, how long to wait for a message
 *
 * Return: 0 or a negative errno, such as -ESRCH when the process has ended and no message of
 * it is left.
 */
int mailbox_receive_from(int device, pid_t pid, struct mailbox_message *message, uint32_t flags,
			 uint64_t deadline);

/**
 * mailbox_send_to_pidfd() - send a message to the process of a pidfd
 * @device: from mailbox_device_open()
 * @pidfd: from pidfd_open(2)
 * @message: see mailbox_send_to()
 * @flags: see mailbox_send_to()
 * @deadline: see mailbox_send_to()
 *
 * Never sends to another process that has got the same pid meanwhile. Needs a /proc that
 * shows the pid namespace of the caller.
 *
 * Return: see mailbox_send_to(); -ESRCH also without such a /proc, -EBADF when @pidfd is none.
 */
int mailbox_send_to_pidfd(int device, int pidfd, struct mailbox_message *message, uint32_t flags,
			  uint64_t deadline);

/**
 * mailbox_receive_from_pidfd() - receive a message of the process of a pidfd
 * @device: from mailbox_device_open()
 * @pidfd: from pidfd_open(2)
 * @message: see mailbox_receive_from()
 * @flags: see mailbox_receive_from()
 * @deadline: see mailbox_receive_from()
 *
 * What is left of a process that was waited for is to be had by mailbox_receive_from() only.
 *
 * Return: see mailbox_receive_from() and mailbox_send_to_pidfd().
 */
int mailbox_receive_from_pidfd(int device, int pidfd, struct mailbox_message *message,
			       uint32_t flags, uint64_t deadline);

/**
 * mailbox_links() - list links between processes
 * @device: from mailbox_device_open()
 * @after: 0 to begin; on success the value to go on with
 * @entries: filled in
 * @nr: how many fit there
 *
 * Return: how many were filled in, 0 at the end; or a negative errno. Never waits.
 */
int mailbox_links(int device, uint64_t *after, struct mailbox_link *entries, unsigned int nr);

/**
 * mailbox_allow() - say who may send to the calling process directly
 * @device: from mailbox_device_open()
 * @who: one of enum mailbox_allow_who
 *
 * Return: 0 or a negative errno. Never waits.
 */
int mailbox_allow(int device, uint32_t who);

#ifdef __cplusplus
}
#endif

#endif /* LIBMAILBOX_MAILBOX_H */
