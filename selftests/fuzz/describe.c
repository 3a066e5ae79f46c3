// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <string.h>

#include "describe.h"
#include "members.h"

#define WAIT_ERRORS EAGAIN, ETIMEDOUT, EINTR, EPIPE, EIDRM
#define SEND_ERRORS EACCES, EPERM, EMSGSIZE, EDQUOT, ENOMEM, ELOOP, ESTALE, WAIT_ERRORS
#define RECEIVE_ERRORS \
	EACCES, EPERM, EBUSY, EMSGSIZE, ESRCH, ENOBUFS, EMFILE, ESTALE, EDQUOT, ENOMEM, WAIT_ERRORS
#define LEASE_ERRORS  EACCES, ESTALE, EIDRM
#define REPLY_ERRORS  LEASE_ERRORS, EMSGSIZE, EINTR, EDQUOT, ENOMEM
#define DIRECT_ERRORS EPERM, ESRCH, EMSGSIZE, EAGAIN, ETIMEDOUT, EINTR, EDQUOT, ENOMEM, EIDRM

const struct layout layouts[OP_LAYOUTS] = {
	[OP_INFO] = {
		.name = "INFO",
		.cmd = MAILBOX_IOC_INFO,
		.size = sizeof(struct mailbox_info),
		.members = {
			INFO(size, KIND_SIZE, IN),
			INFO(flags, KIND_FLAGS, IN),
			INFO(version, KIND_NUMBER, OUT),
			INFO(max_message_size, KIND_NUMBER, OUT),
			INFO(features, KIND_NUMBER, OUT),
			INFO(max_mailboxes, KIND_NUMBER, OUT),
			INFO(max_messages, KIND_NUMBER, OUT),
			INFO(max_bytes, KIND_NUMBER, OUT),
			INFO(mailboxes, KIND_NUMBER, OUT),
			INFO(messages, KIND_NUMBER, OUT),
			INFO(bytes, KIND_NUMBER, OUT),
		},
		.errors = { ENOMEM },
	},
	[OP_CREATE] = {
		.name = "CREATE",
		.cmd = MAILBOX_IOC_CREATE,
		.flags = MAILBOX_NONBLOCK | MAILBOX_PERMANENT | MAILBOX_FIXED_SIZE |
			 MAILBOX_CUT_OFF | MAILBOX_STREAM,
		.size = sizeof(struct mailbox_create),
		.least = 320,
		.members = {
			CREATE(size, KIND_SIZE, IN),
			CREATE(flags, KIND_FLAGS, IN),
			CREATE(rights, KIND_RIGHTS, IN),
			CREATE(mode, KIND_MODE, IN),
			CREATE(policy, KIND_NUMBER, IN),
			CREATE(capacity, KIND_NUMBER, IN),
			CREATE(on_full, KIND_NUMBER, IN),
			CREATE(share, KIND_NUMBER, IN),
			CREATE(message_size, KIND_NUMBER, IN),
			CREATE(fd, KIND_NUMBER, OUT),
			CREATE(max_messages, KIND_NUMBER, IN),
			CREATE(max_bytes, KIND_NUMBER, IN),
			CREATE(id, KIND_NUMBER, OUT),
			CREATE(name, KIND_NAME, IN),
			CREATE(max_deliveries, KIND_NUMBER, IN),
			CREATE(reserved, KIND_NUMBER, IN),
			CREATE(dead_letter, KIND_DEAD_LETTER, IN),
			CREATE(region_size, KIND_NUMBER, IN),
		},
		.errors = { EEXIST, EDQUOT, ENOMEM, EMFILE, ENFILE, EIDRM, ENOENT, EACCES },
	},
	[OP_OPEN] = {
		.name = "OPEN",
		.cmd = MAILBOX_IOC_OPEN,
		.flags = MAILBOX_NONBLOCK | MAILBOX_CUT_OFF | MAILBOX_STREAM,
		.size = sizeof(struct mailbox_open),
		.members = {
			OPEN(size, KIND_SIZE, IN),
			OPEN(flags, KIND_FLAGS, IN),
			OPEN(rights, KIND_RIGHTS, IN),
			OPEN(fd, KIND_NUMBER, OUT),
			OPEN(id, KIND_ID, IN_OUT),
			OPEN(name, KIND_NAME, IN),
		},
		.errors = { ENOENT, EACCES, EBUSY, ENOMEM, EMFILE, ENFILE, EIDRM },
	},
	[OP_DESTROY] = {
		.name = "DESTROY",
		.cmd = MAILBOX_IOC_DESTROY,
		.size = sizeof(struct mailbox_destroy),
		.members = {
			DESTROY(size, KIND_SIZE, IN),
			DESTROY(flags, KIND_FLAGS, IN),
			DESTROY(id, KIND_ID, IN),
			DESTROY(name, KIND_NAME, IN),
		},
		.errors = { ENOENT, EACCES, EIDRM },
	},
	[OP_LIST] = {
		.name = "LIST",
		.cmd = MAILBOX_IOC_LIST,
		.size = sizeof(struct mailbox_list),
		.members = {
			LIST(size, KIND_SIZE, IN),
			LIST(flags, KIND_FLAGS, IN),
			LIST(entries, KIND_ENTRIES, IN),
			LIST(entry_size, KIND_ENTRY_SIZE, IN),
			LIST(nr, KIND_NR, IN_OUT),
			LIST(after, KIND_ID, IN_OUT),
		},
		.entry = &list_entry,
		.errors = { EIDRM },
	},
	[OP_STAT] = {
		.name = "STAT",
		.cmd = MAILBOX_IOC_STAT,
		.size = sizeof(struct mailbox_stat),
		.least = 416,
		.members = { STAT_MEMBERS(IN_OUT) },
		.errors = { EACCES, EIDRM },
	},
	[OP_SET] = {
		.name = "SET",
		.cmd = MAILBOX_IOC_SET,
		.flags = MAILBOX_SET_NAME * 2 - 1,
		.size = sizeof(struct mailbox_set),
		.least = 56,
		.members = {
			SET(size, KIND_SIZE, IN),
			SET(flags, KIND_FLAGS, IN),
			SET(mode, KIND_NUMBER, IN),
			SET(uid, KIND_PERSON, IN),
			SET(gid, KIND_PERSON, IN),
			SET(permanent, KIND_NUMBER, IN),
			SET(on_full, KIND_NUMBER, IN),
			SET(share, KIND_NUMBER, IN),
			SET(message_size, KIND_NUMBER, IN),
			SET(reserved, KIND_NUMBER, IN),
			SET(max_messages, KIND_NUMBER, IN),
			SET(max_bytes, KIND_NUMBER, IN),
			SET(region_size, KIND_NUMBER, IN),
			SET(name, KIND_NAME, IN),
		},
		.errors = { EACCES, EPERM, EIDRM, EDQUOT, ENOMEM, ENFILE, EEXIST, ENOENT },
	},
	[OP_SEND] = {
		.name = "SEND",
		.cmd = MAILBOX_IOC_SEND,
		.flags = MAILBOX_NONBLOCK | MAILBOX_DEADLINE | MAILBOX_EXPIRES | MAILBOX_FILES |
			 MAILBOX_RECEIPT | MAILBOX_RECEIPT_WAIT | MAILBOX_LOAN |
			 MAILBOX_NO_RESTART,
		.size = sizeof(struct mailbox_send),
		.least = 56,
		.members = { SEND_MEMBERS },
		.errors = { SEND_ERRORS },
	},
	[OP_RECEIVE] = {
		.name = "RECEIVE",
		.cmd = MAILBOX_IOC_RECEIVE,
		.flags = MAILBOX_NONBLOCK | MAILBOX_DEADLINE | MAILBOX_PEEK | MAILBOX_TRUNCATE |
			 MAILBOX_LEASE | MAILBOX_ANSWER | MAILBOX_FILES | MAILBOX_LOAN |
			 MAILBOX_NO_RESTART,
		.size = sizeof(struct mailbox_receive),
		.least = 104,
		.members = { RECEIVE_MEMBERS },
		.writes_data = true,
		.errors = { RECEIVE_ERRORS },
	},
	[OP_SEND_BATCH] = {
		.name = "SEND_BATCH",
		.cmd = MAILBOX_IOC_SEND_BATCH,
		.flags = MAILBOX_NONBLOCK | MAILBOX_DEADLINE | MAILBOX_NO_RESTART,
		.size = sizeof(struct mailbox_batch),
		.members = { BATCH_MEMBERS },
		.entry = &layouts[OP_SEND],
		.errors = { SEND_ERRORS },
	},
	[OP_RECEIVE_BATCH] = {
		.name = "RECEIVE_BATCH",
		.cmd = MAILBOX_IOC_RECEIVE_BATCH,
		.flags = MAILBOX_NONBLOCK | MAILBOX_DEADLINE | MAILBOX_NO_RESTART,
		.size = sizeof(struct mailbox_batch),
		.members = { BATCH_MEMBERS },
		.entry = &layouts[OP_RECEIVE],
		.writes_data = true,
		.errors = { RECEIVE_ERRORS },
	},
	[OP_ACK] = {
		.name = "ACK",
		.cmd = MAILBOX_IOC_ACK,
		.size = sizeof(struct mailbox_lease),
		.members = { LEASE_MEMBERS },
		.errors = { LEASE_ERRORS },
	},
	[OP_NACK] = {
		.name = "NACK",
		.cmd = MAILBOX_IOC_NACK,
		.size = sizeof(struct mailbox_lease),
		.members = { LEASE_MEMBERS },
		.errors = { LEASE_ERRORS },
	},
	[OP_EXTEND] = {
		.name = "EXTEND",
		.cmd = MAILBOX_IOC_EXTEND,
		.size = sizeof(struct mailbox_lease),
		.members = { LEASE_MEMBERS },
		.errors = { LEASE_ERRORS },
	},
	[OP_YIELD] = {
		.name = "YIELD",
		.cmd = MAILBOX_IOC_YIELD,
		.size = sizeof(struct mailbox_yield),
		.members = {
			YIELD(size, KIND_SIZE, IN),
			YIELD(flags, KIND_FLAGS, IN),
		},
		.errors = { EACCES, EPERM, EIDRM },
	},
	[OP_NOTIFY] = {
		.name = "NOTIFY",
		.cmd = MAILBOX_IOC_NOTIFY,
		.flags = MAILBOX_NOTIFY_ONCE | MAILBOX_NOTIFY_EXCLUSIVE,
		.size = sizeof(struct mailbox_notify),
		.members = {
			NOTIFY(size, KIND_SIZE, IN),
			NOTIFY(flags, KIND_FLAGS, IN),
			NOTIFY(events, KIND_EVENTS, IN),
			NOTIFY(eventfd, KIND_EVENTFD, IN),
		},
		.errors = { EACCES, EBUSY, ENOMEM, EIDRM },
	},
	[OP_RESTRICT] = {
		.name = "RESTRICT",
		.cmd = MAILBOX_IOC_RESTRICT,
		.flags = MAILBOX_NONBLOCK | MAILBOX_STREAM,
		.size = sizeof(struct mailbox_restrict),
		.members = {
			DERIVE(size, KIND_SIZE, IN),
			DERIVE(flags, KIND_FLAGS, IN),
			DERIVE(rights, KIND_RIGHTS, IN),
			DERIVE(fd, KIND_NUMBER, OUT),
			DERIVE(grant, KIND_NUMBER, OUT),
		},
		.errors = { EACCES, EMLINK, EBUSY, ENOMEM, EMFILE, ENFILE, EIDRM },
	},
	[OP_REVOKE] = {
		.name = "REVOKE",
		.cmd = MAILBOX_IOC_REVOKE,
		.flags = MAILBOX_REVOKE_ALL,
		.size = sizeof(struct mailbox_revoke),
		.members = {
			REVOKE(size, KIND_SIZE, IN),
			REVOKE(flags, KIND_FLAGS, IN),
			REVOKE(grant, KIND_GRANT, IN),
		},
		.errors = { EACCES, ENOENT, EIDRM },
	},
	[OP_SENDER] = {
		.name = "SENDER",
		.cmd = MAILBOX_IOC_SENDER,
		.size = sizeof(struct mailbox_sender),
		.members = {
			SENDER(size, KIND_SIZE, IN),
			SENDER(flags, KIND_FLAGS, IN),
			SENDER(lease, KIND_LEASE, IN),
			SENDER(pid, KIND_NUMBER, OUT),
			SENDER(reserved, KIND_NUMBER, IN),
		},
		.errors = { LEASE_ERRORS, ESRCH },
	},
	[OP_CALL] = {
		.name = "CALL",
		.cmd = MAILBOX_IOC_CALL,
		.flags = MAILBOX_NONBLOCK | MAILBOX_DEADLINE | MAILBOX_TRUNCATE,
		.size = sizeof(struct mailbox_call),
		.members = { CALL_MEMBERS },
		.errors = { EACCES, EPERM, EMSGSIZE, EDQUOT, ENOMEM, ECANCELED, WAIT_ERRORS },
	},
	[OP_REPLY] = {
		.name = "REPLY",
		.cmd = MAILBOX_IOC_REPLY,
		.size = sizeof(struct mailbox_reply),
		.members = { REPLY_MEMBERS(KIND_NUMBER) },
		.errors = { REPLY_ERRORS },
	},
	[OP_REPLY_RECEIVE] = {
		.name = "REPLY_RECEIVE",
		.cmd = MAILBOX_IOC_REPLY_RECEIVE,
		.size = sizeof(struct mailbox_reply),
		.members = { REPLY_MEMBERS(KIND_MESSAGE) },
		.entry = &layouts[OP_RECEIVE],
		.errors = { RECEIVE_ERRORS },
	},
	[OP_SEND_TO] = {
		.name = "SEND_TO",
		.cmd = MAILBOX_IOC_SEND_TO,
		.flags = MAILBOX_IDENTIFY,
		.size = sizeof(struct mailbox_direct),
		.members = { DIRECT_MEMBERS },
		.entry = &layouts[OP_SEND],
		.errors = { DIRECT_ERRORS },
	},
	[OP_RECEIVE_FROM] = {
		.name = "RECEIVE_FROM",
		.cmd = MAILBOX_IOC_RECEIVE_FROM,
		.size = sizeof(struct mailbox_direct),
		.members = { DIRECT_MEMBERS },
		.entry = &layouts[OP_RECEIVE],
		.errors = { DIRECT_ERRORS },
	},
	[OP_LINKS] = {
		.name = "LINKS",
		.cmd = MAILBOX_IOC_LINKS,
		.size = sizeof(struct mailbox_links),
		.members = { LINKS_MEMBERS },
		.entry = &link_entry,
		.errors = { EINTR, EIDRM },
	},
	[OP_ALLOW] = {
		.name = "ALLOW",
		.cmd = MAILBOX_IOC_ALLOW,
		.size = sizeof(struct mailbox_allow),
		.members = { ALLOW_MEMBERS },
		.errors = { EDQUOT, ENOMEM, EIDRM },
	},
	[OP_LOAN] = {
		.name = "LOAN",
		.cmd = MAILBOX_IOC_LOAN,
		.flags = MAILBOX_NONBLOCK | MAILBOX_DEADLINE,
		.size = sizeof(struct mailbox_loan),
		.members = { LOAN_MEMBERS },
		.errors = { EACCES, EMSGSIZE, ESTALE, EAGAIN, ETIMEDOUT, EINTR, EDQUOT, ENOMEM,
			    EIDRM },
	},
	[OP_RETURN] = {
		.name = "RETURN",
		.cmd = MAILBOX_IOC_RETURN,
		.size = sizeof(struct mailbox_return),
		.members = {
			RETURN(size, KIND_SIZE, IN),
			RETURN(flags, KIND_FLAGS, IN),
			RETURN(loan, KIND_LOAN, IN),
		},
		.errors = { EACCES, ESTALE, EIDRM },
	},
	[OP_LANE_OPEN] = {
		.name = "LANE_OPEN",
		.cmd = MAILBOX_IOC_LANE_OPEN,
		.flags = MAILBOX_LANE_RECEIVE,
		.size = sizeof(struct mailbox_lane_open),
		.members = {
			LANE_OPEN(size, KIND_SIZE, IN),
			LANE_OPEN(flags, KIND_FLAGS, IN),
			LANE_OPEN(bytes, KIND_NUMBER, IN_OUT),
			LANE_OPEN(lane, KIND_NUMBER, IN_OUT),
			LANE_OPEN(offset, KIND_NUMBER, OUT),
			LANE_OPEN(place, KIND_NUMBER, OUT),
			LANE_OPEN(reserved, KIND_NUMBER, IN),
		},
		.errors = { EACCES, EBUSY, EDQUOT, ENOMEM, ENFILE, EIDRM },
	},
	[OP_LANE_WAIT] = {
		.name = "LANE_WAIT",
		.cmd = MAILBOX_IOC_LANE_WAIT,
		.flags = MAILBOX_LANE_RECEIVE | MAILBOX_NONBLOCK | MAILBOX_DEADLINE,
		.size = sizeof(struct mailbox_lane_wait),
		.members = {
			LANE_WAIT(size, KIND_SIZE, IN),
			LANE_WAIT(flags, KIND_FLAGS, IN),
			LANE_WAIT(deadline, KIND_TIME, IN),
			LANE_WAIT(lane, KIND_NUMBER, IN),
			LANE_WAIT(room, KIND_NUMBER, IN),
			LANE_WAIT(opened, KIND_NUMBER, IN_OUT),
			LANE_WAIT(ready, KIND_NUMBER, OUT),
		},
		.errors = { ENOENT, EACCES, WAIT_ERRORS },
	},
	[OP_LANE_WAKE] = {
		.name = "LANE_WAKE",
		.cmd = MAILBOX_IOC_LANE_WAKE,
		.flags = MAILBOX_LANE_RECEIVE,
		.size = sizeof(struct mailbox_lane_wake),
		.members = {
			LANE_WAKE(size, KIND_SIZE, IN),
			LANE_WAKE(flags, KIND_FLAGS, IN),
			LANE_WAKE(lane, KIND_NUMBER, IN),
		},
		.errors = { ENOENT, EACCES, EIDRM },
	},
	[OP_LANE_CLOSE] = {
		.name = "LANE_CLOSE",
		.cmd = MAILBOX_IOC_LANE_CLOSE,
		.flags = MAILBOX_LANE_RECEIVE,
		.size = sizeof(struct mailbox_lane_close),
		.members = {
			LANE_CLOSE(size, KIND_SIZE, IN),
			LANE_CLOSE(flags, KIND_FLAGS, IN),
			LANE_CLOSE(lane, KIND_NUMBER, IN),
		},
		.errors = { ENOENT, EACCES, EIDRM },
	},
};

const struct layout list_entry = {
	.name = "entry of LIST",
	.size = sizeof(struct mailbox_stat),
	.least = 416,
	.members = { STAT_MEMBERS(OUT) },
};

const struct layout link_entry = {
	.name = "entry of LINKS",
	.size = sizeof(struct mailbox_link),
	.members = { LINK_MEMBERS },
};

__u32 layout_least(const struct layout *layout)
{
	return layout->least ? layout->least : layout->size;
}

unsigned int layout_members(const struct layout *layout)
{
	unsigned int nr = 0;

	while (nr < MEMBERS_MAX && layout->members[nr].name)
		nr++;
	return nr;
}

const struct member *layout_member(const struct layout *layout, enum kind kind)
{
	const struct member *member;

	for (member = layout->members; member->name; member++)
		if (member->kind == kind)
			return member;
	return NULL;
}

__u64 member_get(const __u8 *image, const struct member *member)
{
	__u64 value = 0;

	memcpy(&value, image + member->offset, member->size);
	return value;
}

static bool in_list(const int *errors, int error)
{
	for (; *errors; errors++)
		if (*errors == error)
			return true;
	return false;
}

/* EBADF comes before a command is looked at. */
static const int errors_of_all[] = { ENOTTY, E2BIG, EOPNOTSUPP, EINVAL, EFAULT, EBADF, 0 };

bool layout_has_error(const struct layout *layout, int error)
{
	return in_list(errors_of_all, error) || in_list(layout->errors, error);
}

bool is_listed_error(int error)
{
	int op;

	for (op = 0; op < OP_LAYOUTS; op++)
		if (layout_has_error(&layouts[op], error))
			return true;
	return false;
}

const char *layouts_incomplete(void)
{
	const struct layout *layout;
	const struct member *member;
	unsigned int op, end;

	for (op = 0; op < OP_LAYOUTS; op++) {
		layout = &layouts[op];
		end = 0;
		for (member = layout->members; member->name; member++) {
			if (member->offset != end)
				return layout->name;
			end += member->size;
		}
		if (end != layout->size)
			return layout->name;
	}
	return NULL;
}
