/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The members of the structures that are long, or belong to several commands.
 */
#ifndef FUZZ_MEMBERS_H
#define FUZZ_MEMBERS_H

#include <linux/mailbox.h>
#include <stddef.h>

#define MEMBER(type, member, kind, direction) \
	{ \
#member, offsetof(struct type, member), sizeof(((struct type *)0)->member), kind, \
			direction \
	}

#define INFO(member, kind, direction)	 MEMBER(mailbox_info, member, kind, direction)
#define CREATE(member, kind, direction)	 MEMBER(mailbox_create, member, kind, direction)
#define OPEN(member, kind, direction)	 MEMBER(mailbox_open, member, kind, direction)
#define DESTROY(member, kind, direction) MEMBER(mailbox_destroy, member, kind, direction)
#define STAT(member, kind, direction)	 MEMBER(mailbox_stat, member, kind, direction)
#define LIST(member, kind, direction)	 MEMBER(mailbox_list, member, kind, direction)
#define SET(member, kind, direction)	 MEMBER(mailbox_set, member, kind, direction)
#define SEND(member, kind, direction)	 MEMBER(mailbox_send, member, kind, direction)
#define RECEIVE(member, kind, direction) MEMBER(mailbox_receive, member, kind, direction)
#define BATCH(member, kind, direction)	 MEMBER(mailbox_batch, member, kind, direction)
#define LEASE(member, kind, direction)	 MEMBER(mailbox_lease, member, kind, direction)
#define YIELD(member, kind, direction)	 MEMBER(mailbox_yield, member, kind, direction)
#define NOTIFY(member, kind, direction)	 MEMBER(mailbox_notify, member, kind, direction)
#define DERIVE(member, kind, direction)	 MEMBER(mailbox_restrict, member, kind, direction)
#define LOAN(member, kind, direction)	 MEMBER(mailbox_loan, member, kind, direction)
#define RETURN(member, kind, direction)	 MEMBER(mailbox_return, member, kind, direction)
#define SENDER(member, kind, direction)	 MEMBER(mailbox_sender, member, kind, direction)
#define REVOKE(member, kind, direction)	 MEMBER(mailbox_revoke, member, kind, direction)
#define CALL(member, kind, direction)	 MEMBER(mailbox_call, member, kind, direction)
#define REPLY(member, kind, direction)	 MEMBER(mailbox_reply, member, kind, direction)
#define DIRECT(member, kind, direction)	 MEMBER(mailbox_direct, member, kind, direction)
#define LINK(member, kind, direction)	 MEMBER(mailbox_link, member, kind, direction)
#define LINKS(member, kind, direction)	 MEMBER(mailbox_links, member, kind, direction)
#define ALLOW(member, kind, direction)	 MEMBER(mailbox_allow, member, kind, direction)

#define LANE_OPEN(member, kind, direction)  MEMBER(mailbox_lane_open, member, kind, direction)
#define LANE_WAIT(member, kind, direction)  MEMBER(mailbox_lane_wait, member, kind, direction)
#define LANE_WAKE(member, kind, direction)  MEMBER(mailbox_lane_wake, member, kind, direction)
#define LANE_CLOSE(member, kind, direction) MEMBER(mailbox_lane_close, member, kind, direction)

#define STAT_MEMBERS(flags_direction) \
	STAT(size, KIND_SIZE, flags_direction), STAT(flags, KIND_FLAGS, flags_direction), \
		STAT(id, KIND_NUMBER, OUT), STAT(uid, KIND_NUMBER, OUT), \
		STAT(gid, KIND_NUMBER, OUT), STAT(mode, KIND_NUMBER, OUT), \
		STAT(rights, KIND_NUMBER, OUT), STAT(policy, KIND_NUMBER, OUT), \
		STAT(capacity, KIND_NUMBER, OUT), STAT(on_full, KIND_NUMBER, OUT), \
		STAT(share, KIND_NUMBER, OUT), STAT(message_size, KIND_NUMBER, OUT), \
		STAT(handles, KIND_NUMBER, OUT), STAT(max_messages, KIND_NUMBER, OUT), \
		STAT(max_bytes, KIND_NUMBER, OUT), STAT(messages, KIND_NUMBER, OUT), \
		STAT(bytes, KIND_NUMBER, OUT), STAT(receivers, KIND_NUMBER, OUT), \
		STAT(senders, KIND_NUMBER, OUT), STAT(sent, KIND_NUMBER, OUT), \
		STAT(received, KIND_NUMBER, OUT), STAT(expired, KIND_NUMBER, OUT), \
		STAT(overwritten, KIND_NUMBER, OUT), STAT(created, KIND_NUMBER, OUT), \
		STAT(last_sent, KIND_NUMBER, OUT), STAT(last_received, KIND_NUMBER, OUT), \
		STAT(last_sender, KIND_NUMBER, OUT), STAT(last_receiver, KIND_NUMBER, OUT), \
		STAT(name, KIND_NAME, OUT), STAT(leased, KIND_NUMBER, OUT), \
		STAT(redelivered, KIND_NUMBER, OUT), STAT(dead, KIND_NUMBER, OUT), \
		STAT(dropped, KIND_NUMBER, OUT), STAT(dead_letter, KIND_NUMBER, OUT), \
		STAT(max_deliveries, KIND_NUMBER, OUT), STAT(subscribers, KIND_NUMBER, OUT), \
		STAT(promised, KIND_NUMBER, OUT), STAT(region_size, KIND_NUMBER, OUT), \
		STAT(loaned, KIND_NUMBER, OUT), STAT(loans, KIND_NUMBER, OUT), \
		STAT(lanes, KIND_NUMBER, OUT), STAT(changed, KIND_NUMBER, OUT), \
		STAT(creator_uid, KIND_NUMBER, OUT), STAT(creator_gid, KIND_NUMBER, OUT), \
		STAT(last_mapped, KIND_NUMBER, OUT), STAT(last_unmapped, KIND_NUMBER, OUT), \
		STAT(maps, KIND_NUMBER, OUT), STAT(last_mapper, KIND_NUMBER, OUT)

#define BATCH_MEMBERS \
	BATCH(size, KIND_SIZE, IN), BATCH(flags, KIND_FLAGS, IN), \
		BATCH(entries, KIND_ENTRIES, IN), BATCH(entry_size, KIND_ENTRY_SIZE, IN), \
		BATCH(nr, KIND_NR, IN), BATCH(done, KIND_NUMBER, OUT), \
		BATCH(error, KIND_NUMBER, OUT), BATCH(deadline, KIND_TIME, IN)

#define LEASE_MEMBERS \
	LEASE(size, KIND_SIZE, IN), LEASE(flags, KIND_FLAGS, IN), LEASE(leases, KIND_LEASES, IN), \
		LEASE(nr, KIND_NUMBER, IN), LEASE(done, KIND_NUMBER, OUT), \
		LEASE(error, KIND_NUMBER, OUT), LEASE(reserved, KIND_NUMBER, IN), \
		LEASE(time, KIND_NUMBER, IN)

#define SEND_MEMBERS \
	SEND(size, KIND_SIZE, IN), SEND(flags, KIND_FLAGS, IN), SEND(data, KIND_DATA, IN), \
		SEND(length, KIND_LENGTH, IN), SEND(priority, KIND_NUMBER, IN), \
		SEND(type, KIND_NUMBER, IN), SEND(deadline, KIND_TIME, IN), \
		SEND(expiry, KIND_TIME, IN), SEND(sequence, KIND_NUMBER, OUT), \
		SEND(receipt, KIND_RECEIPT, IN), SEND(reserved, KIND_NUMBER, IN), \
		SEND(cookie, KIND_NUMBER, IN), SEND(receipt_data, KIND_RECEIPT_DATA, IN), \
		SEND(files, KIND_FILES, IN), SEND(nr_files, KIND_NR_FILES, IN), \
		SEND(reserved_files, KIND_NUMBER, IN), SEND(loan, KIND_LOAN, IN_OUT), \
		SEND(offset, KIND_NUMBER, IN_OUT), SEND(borrow, KIND_BORROW, IN)

#define RECEIVE_MEMBERS \
	RECEIVE(size, KIND_SIZE, IN), RECEIVE(flags, KIND_FLAGS, IN), \
		RECEIVE(data, KIND_DATA, IN), RECEIVE(room, KIND_LENGTH, IN), \
		RECEIVE(select, KIND_SELECT, IN), RECEIVE(match, KIND_MATCH, IN), \
		RECEIVE(deadline, KIND_TIME, IN), RECEIVE(length, KIND_NUMBER, OUT), \
		RECEIVE(priority, KIND_NUMBER, OUT), RECEIVE(type, KIND_NUMBER, OUT), \
		RECEIVE(sequence, KIND_NUMBER, OUT), RECEIVE(time, KIND_NUMBER, OUT), \
		RECEIVE(expiry, KIND_NUMBER, OUT), RECEIVE(pid, KIND_NUMBER, OUT), \
		RECEIVE(tid, KIND_NUMBER, OUT), RECEIVE(uid, KIND_NUMBER, OUT), \
		RECEIVE(gid, KIND_NUMBER, OUT), RECEIVE(result, KIND_NUMBER, OUT), \
		RECEIVE(deliveries, KIND_NUMBER, OUT), RECEIVE(lease, KIND_NUMBER, IN_OUT), \
		RECEIVE(missed, KIND_NUMBER, IN_OUT), RECEIVE(answer_room, KIND_NUMBER, IN_OUT), \
		RECEIVE(nr_files, KIND_NR_FILES, IN_OUT), RECEIVE(files, KIND_FILES, IN), \
		RECEIVE(give_back, KIND_NUMBER, IN), RECEIVE(loan, KIND_NUMBER, IN_OUT), \
		RECEIVE(offset, KIND_NUMBER, IN_OUT)

#define CALL_MEMBERS \
	CALL(size, KIND_SIZE, IN), CALL(flags, KIND_FLAGS, IN), CALL(data, KIND_DATA, IN), \
		CALL(length, KIND_LENGTH, IN), CALL(priority, KIND_NUMBER, IN), \
		CALL(type, KIND_NUMBER, IN), CALL(deadline, KIND_TIME, IN), \
		CALL(answer, KIND_ANSWER, IN), CALL(room, KIND_ROOM, IN), \
		CALL(answer_length, KIND_NUMBER, OUT), CALL(answer_type, KIND_NUMBER, OUT), \
		CALL(sequence, KIND_NUMBER, OUT), CALL(pid, KIND_NUMBER, OUT), \
		CALL(tid, KIND_NUMBER, OUT), CALL(uid, KIND_NUMBER, OUT), \
		CALL(gid, KIND_NUMBER, OUT), CALL(result, KIND_NUMBER, OUT), \
		CALL(reserved, KIND_NUMBER, OUT)

/* REPLY has no structure for a message. */
#define REPLY_MEMBERS(message_kind) \
	REPLY(size, KIND_SIZE, IN), REPLY(flags, KIND_FLAGS, IN), REPLY(token, KIND_LEASE, IN), \
		REPLY(data, KIND_DATA, IN), REPLY(length, KIND_LENGTH, IN), \
		REPLY(error, KIND_NUMBER, OUT), REPLY(type, KIND_NUMBER, IN), \
		REPLY(receive, message_kind, IN)

#define DIRECT_MEMBERS \
	DIRECT(size, KIND_SIZE, IN), DIRECT(flags, KIND_FLAGS, IN), DIRECT(pid, KIND_PID, IN), \
		DIRECT(reserved, KIND_NUMBER, IN), DIRECT(message, KIND_MESSAGE, IN), \
		DIRECT(process, KIND_PROCESS, IN_OUT)

#define LOAN_MEMBERS \
	LOAN(size, KIND_SIZE, IN), LOAN(flags, KIND_FLAGS, IN), LOAN(length, KIND_BORROW, IN), \
		LOAN(deadline, KIND_TIME, IN), LOAN(give_back, KIND_NUMBER, IN), \
		LOAN(loan, KIND_NUMBER, OUT), LOAN(offset, KIND_NUMBER, OUT)

#define LINK_MEMBERS \
	LINK(size, KIND_SIZE, OUT), LINK(flags, KIND_FLAGS, OUT), LINK(pid, KIND_NUMBER, OUT), \
		LINK(uid, KIND_NUMBER, OUT), LINK(peer, KIND_NUMBER, OUT), \
		LINK(peer_uid, KIND_NUMBER, OUT), LINK(number, KIND_NUMBER, OUT), \
		LINK(sent, KIND_NUMBER, OUT), LINK(received, KIND_NUMBER, OUT), \
		LINK(unread, KIND_NUMBER, OUT), LINK(peer_unread, KIND_NUMBER, OUT), \
		LINK(created, KIND_NUMBER, OUT)

#define LINKS_MEMBERS \
	LINKS(size, KIND_SIZE, IN), LINKS(flags, KIND_FLAGS, IN), \
		LINKS(entries, KIND_ENTRIES, IN), LINKS(entry_size, KIND_ENTRY_SIZE, IN), \
		LINKS(nr, KIND_NR, IN_OUT), LINKS(after, KIND_NUMBER, IN_OUT)

#define ALLOW_MEMBERS \
	ALLOW(size, KIND_SIZE, IN), ALLOW(flags, KIND_FLAGS, IN), ALLOW(who, KIND_NUMBER, IN), \
		ALLOW(reserved, KIND_NUMBER, IN)

#endif
