/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SELFTESTS_LAYOUT_H
#define SELFTESTS_LAYOUT_H

/* The structures of the interface: STRUCT(name, bytes), and MEMBER(name, member, offset, bytes). */

#define LAYOUT_INFO(STRUCT, MEMBER) \
	STRUCT(info, 72) \
	MEMBER(info, size, 0, 4) \
	MEMBER(info, flags, 4, 4) \
	MEMBER(info, version, 8, 4) \
	MEMBER(info, max_message_size, 12, 4) \
	MEMBER(info, features, 16, 8) \
	MEMBER(info, max_mailboxes, 24, 8) \
	MEMBER(info, max_messages, 32, 8) \
	MEMBER(info, max_bytes, 40, 8) \
	MEMBER(info, mailboxes, 48, 8) \
	MEMBER(info, messages, 56, 8) \
	MEMBER(info, bytes, 64, 8)

#define LAYOUT_CREATE(STRUCT, MEMBER) \
	STRUCT(create, 344) \
	MEMBER(create, size, 0, 4) \
	MEMBER(create, flags, 4, 4) \
	MEMBER(create, rights, 8, 4) \
	MEMBER(create, mode, 12, 4) \
	MEMBER(create, policy, 16, 4) \
	MEMBER(create, capacity, 20, 4) \
	MEMBER(create, on_full, 24, 4) \
	MEMBER(create, share, 28, 4) \
	MEMBER(create, message_size, 32, 4) \
	MEMBER(create, fd, 36, 4) \
	MEMBER(create, max_messages, 40, 8) \
	MEMBER(create, max_bytes, 48, 8) \
	MEMBER(create, id, 56, 8) \
	MEMBER(create, name, 64, 256) \
	MEMBER(create, max_deliveries, 320, 4) \
	MEMBER(create, reserved, 324, 4) \
	MEMBER(create, dead_letter, 328, 8) \
	MEMBER(create, region_size, 336, 8)

#define LAYOUT_OPEN(STRUCT, MEMBER) \
	STRUCT(open, 280) \
	MEMBER(open, size, 0, 4) \
	MEMBER(open, flags, 4, 4) \
	MEMBER(open, rights, 8, 4) \
	MEMBER(open, fd, 12, 4) \
	MEMBER(open, id, 16, 8) \
	MEMBER(open, name, 24, 256)

#define LAYOUT_DESTROY(STRUCT, MEMBER) \
	STRUCT(destroy, 272) \
	MEMBER(destroy, size, 0, 4) \
	MEMBER(destroy, flags, 4, 4) \
	MEMBER(destroy, id, 8, 8) \
	MEMBER(destroy, name, 16, 256)

#define LAYOUT_STAT(STRUCT, MEMBER) \
	STRUCT(stat, 536) \
	MEMBER(stat, size, 0, 4) \
	MEMBER(stat, flags, 4, 4) \
	MEMBER(stat, id, 8, 8) \
	MEMBER(stat, uid, 16, 4) \
	MEMBER(stat, gid, 20, 4) \
	MEMBER(stat, mode, 24, 4) \
	MEMBER(stat, rights, 28, 4) \
	MEMBER(stat, policy, 32, 4) \
	MEMBER(stat, capacity, 36, 4) \
	MEMBER(stat, on_full, 40, 4) \
	MEMBER(stat, share, 44, 4) \
	MEMBER(stat, message_size, 48, 4) \
	MEMBER(stat, handles, 52, 4) \
	MEMBER(stat, max_messages, 56, 8) \
	MEMBER(stat, max_bytes, 64, 8) \
	MEMBER(stat, messages, 72, 8) \
	MEMBER(stat, bytes, 80, 8) \
	MEMBER(stat, receivers, 88, 4) \
	MEMBER(stat, senders, 92, 4) \
	MEMBER(stat, sent, 96, 8) \
	MEMBER(stat, received, 104, 8) \
	MEMBER(stat, expired, 112, 8) \
	MEMBER(stat, overwritten, 120, 8) \
	MEMBER(stat, created, 128, 8) \
	MEMBER(stat, last_sent, 136, 8) \
	MEMBER(stat, last_received, 144, 8) \
	MEMBER(stat, last_sender, 152, 4) \
	MEMBER(stat, last_receiver, 156, 4) \
	MEMBER(stat, name, 160, 256) \
	MEMBER(stat, leased, 416, 8) \
	MEMBER(stat, redelivered, 424, 8) \
	MEMBER(stat, dead, 432, 8) \
	MEMBER(stat, dropped, 440, 8) \
	MEMBER(stat, dead_letter, 448, 8) \
	MEMBER(stat, max_deliveries, 456, 4) \
	MEMBER(stat, subscribers, 460, 4) \
	MEMBER(stat, promised, 464, 8) \
	MEMBER(stat, region_size, 472, 8) \
	MEMBER(stat, loaned, 480, 8) \
	MEMBER(stat, loans, 488, 4) \
	MEMBER(stat, lanes, 492, 4) \
	MEMBER(stat, changed, 496, 8) \
	MEMBER(stat, creator_uid, 504, 4) \
	MEMBER(stat, creator_gid, 508, 4) \
	MEMBER(stat, last_mapped, 512, 8) \
	MEMBER(stat, last_unmapped, 520, 8) \
	MEMBER(stat, maps, 528, 4) \
	MEMBER(stat, last_mapper, 532, 4)

#define LAYOUT_LIST(STRUCT, MEMBER) \
	STRUCT(list, 32) \
	MEMBER(list, size, 0, 4) \
	MEMBER(list, flags, 4, 4) \
	MEMBER(list, entries, 8, 8) \
	MEMBER(list, entry_size, 16, 4) \
	MEMBER(list, nr, 20, 4) \
	MEMBER(list, after, 24, 8)

#define LAYOUT_SET(STRUCT, MEMBER) \
	STRUCT(set, 320) \
	MEMBER(set, size, 0, 4) \
	MEMBER(set, flags, 4, 4) \
	MEMBER(set, mode, 8, 4) \
	MEMBER(set, uid, 12, 4) \
	MEMBER(set, gid, 16, 4) \
	MEMBER(set, permanent, 20, 4) \
	MEMBER(set, on_full, 24, 4) \
	MEMBER(set, share, 28, 4) \
	MEMBER(set, message_size, 32, 4) \
	MEMBER(set, reserved, 36, 4) \
	MEMBER(set, max_messages, 40, 8) \
	MEMBER(set, max_bytes, 48, 8) \
	MEMBER(set, region_size, 56, 8) \
	MEMBER(set, name, 64, 256)

#define LAYOUT_NOTIFY(STRUCT, MEMBER) \
	STRUCT(notify, 16) \
	MEMBER(notify, size, 0, 4) \
	MEMBER(notify, flags, 4, 4) \
	MEMBER(notify, events, 8, 4) \
	MEMBER(notify, eventfd, 12, 4)

#define LAYOUT_SEND(STRUCT, MEMBER) \
	STRUCT(send, 120) \
	MEMBER(send, size, 0, 4) \
	MEMBER(send, flags, 4, 4) \
	MEMBER(send, data, 8, 8) \
	MEMBER(send, length, 16, 4) \
	MEMBER(send, priority, 20, 4) \
	MEMBER(send, type, 24, 8) \
	MEMBER(send, deadline, 32, 8) \
	MEMBER(send, expiry, 40, 8) \
	MEMBER(send, sequence, 48, 8) \
	MEMBER(send, receipt, 56, 4) \
	MEMBER(send, reserved, 60, 4) \
	MEMBER(send, cookie, 64, 8) \
	MEMBER(send, receipt_data, 72, 8) \
	MEMBER(send, files, 80, 8) \
	MEMBER(send, nr_files, 88, 4) \
	MEMBER(send, reserved_files, 92, 4) \
	MEMBER(send, loan, 96, 8) \
	MEMBER(send, offset, 104, 8) \
	MEMBER(send, borrow, 112, 8)

#define LAYOUT_RECEIPT(STRUCT, MEMBER) \
	STRUCT(receipt, 64) \
	MEMBER(receipt, size, 0, 4) \
	MEMBER(receipt, end, 4, 4) \
	MEMBER(receipt, mailbox, 8, 8) \
	MEMBER(receipt, sequence, 16, 8) \
	MEMBER(receipt, cookie, 24, 8) \
	MEMBER(receipt, time, 32, 8) \
	MEMBER(receipt, pid, 40, 4) \
	MEMBER(receipt, tid, 44, 4) \
	MEMBER(receipt, uid, 48, 4) \
	MEMBER(receipt, gid, 52, 4) \
	MEMBER(receipt, deliveries, 56, 4) \
	MEMBER(receipt, copies, 60, 4)

#define LAYOUT_RECEIVE(STRUCT, MEMBER) \
	STRUCT(receive, 160) \
	MEMBER(receive, size, 0, 4) \
	MEMBER(receive, flags, 4, 4) \
	MEMBER(receive, data, 8, 8) \
	MEMBER(receive, room, 16, 4) \
	MEMBER(receive, select, 20, 4) \
	MEMBER(receive, match, 24, 8) \
	MEMBER(receive, deadline, 32, 8) \
	MEMBER(receive, length, 40, 4) \
	MEMBER(receive, priority, 44, 4) \
	MEMBER(receive, type, 48, 8) \
	MEMBER(receive, sequence, 56, 8) \
	MEMBER(receive, time, 64, 8) \
	MEMBER(receive, expiry, 72, 8) \
	MEMBER(receive, pid, 80, 4) \
	MEMBER(receive, tid, 84, 4) \
	MEMBER(receive, uid, 88, 4) \
	MEMBER(receive, gid, 92, 4) \
	MEMBER(receive, result, 96, 4) \
	MEMBER(receive, deliveries, 100, 4) \
	MEMBER(receive, lease, 104, 8) \
	MEMBER(receive, missed, 112, 8) \
	MEMBER(receive, answer_room, 120, 4) \
	MEMBER(receive, nr_files, 124, 4) \
	MEMBER(receive, files, 128, 8) \
	MEMBER(receive, give_back, 136, 8) \
	MEMBER(receive, loan, 144, 8) \
	MEMBER(receive, offset, 152, 8)

#define LAYOUT_BATCH(STRUCT, MEMBER) \
	STRUCT(batch, 40) \
	MEMBER(batch, size, 0, 4) \
	MEMBER(batch, flags, 4, 4) \
	MEMBER(batch, entries, 8, 8) \
	MEMBER(batch, entry_size, 16, 4) \
	MEMBER(batch, nr, 20, 4) \
	MEMBER(batch, done, 24, 4) \
	MEMBER(batch, error, 28, 4) \
	MEMBER(batch, deadline, 32, 8)

#define LAYOUT_LEASE(STRUCT, MEMBER) \
	STRUCT(lease, 40) \
	MEMBER(lease, size, 0, 4) \
	MEMBER(lease, flags, 4, 4) \
	MEMBER(lease, leases, 8, 8) \
	MEMBER(lease, nr, 16, 4) \
	MEMBER(lease, done, 20, 4) \
	MEMBER(lease, error, 24, 4) \
	MEMBER(lease, reserved, 28, 4) \
	MEMBER(lease, time, 32, 8)

#define LAYOUT_CALL(STRUCT, MEMBER) \
	STRUCT(call, 96) \
	MEMBER(call, size, 0, 4) \
	MEMBER(call, flags, 4, 4) \
	MEMBER(call, data, 8, 8) \
	MEMBER(call, length, 16, 4) \
	MEMBER(call, priority, 20, 4) \
	MEMBER(call, type, 24, 8) \
	MEMBER(call, deadline, 32, 8) \
	MEMBER(call, answer, 40, 8) \
	MEMBER(call, room, 48, 4) \
	MEMBER(call, answer_length, 52, 4) \
	MEMBER(call, answer_type, 56, 8) \
	MEMBER(call, sequence, 64, 8) \
	MEMBER(call, pid, 72, 4) \
	MEMBER(call, tid, 76, 4) \
	MEMBER(call, uid, 80, 4) \
	MEMBER(call, gid, 84, 4) \
	MEMBER(call, result, 88, 4) \
	MEMBER(call, reserved, 92, 4)

#define LAYOUT_REPLY(STRUCT, MEMBER) \
	STRUCT(reply, 48) \
	MEMBER(reply, size, 0, 4) \
	MEMBER(reply, flags, 4, 4) \
	MEMBER(reply, token, 8, 8) \
	MEMBER(reply, data, 16, 8) \
	MEMBER(reply, length, 24, 4) \
	MEMBER(reply, error, 28, 4) \
	MEMBER(reply, type, 32, 8) \
	MEMBER(reply, receive, 40, 8)

#define LAYOUT_YIELD(STRUCT, MEMBER) \
	STRUCT(yield, 8) \
	MEMBER(yield, size, 0, 4) \
	MEMBER(yield, flags, 4, 4)

#define LAYOUT_RESTRICT(STRUCT, MEMBER) \
	STRUCT(restrict, 24) \
	MEMBER(restrict, size, 0, 4) \
	MEMBER(restrict, flags, 4, 4) \
	MEMBER(restrict, rights, 8, 4) \
	MEMBER(restrict, fd, 12, 4) \
	MEMBER(restrict, grant, 16, 8)

#define LAYOUT_REVOKE(STRUCT, MEMBER) \
	STRUCT(revoke, 16) \
	MEMBER(revoke, size, 0, 4) \
	MEMBER(revoke, flags, 4, 4) \
	MEMBER(revoke, grant, 8, 8)

#define LAYOUT_SENDER(STRUCT, MEMBER) \
	STRUCT(sender, 24) \
	MEMBER(sender, size, 0, 4) \
	MEMBER(sender, flags, 4, 4) \
	MEMBER(sender, lease, 8, 8) \
	MEMBER(sender, pid, 16, 4) \
	MEMBER(sender, reserved, 20, 4)

#define LAYOUT_LOAN(STRUCT, MEMBER) \
	STRUCT(loan, 48) \
	MEMBER(loan, size, 0, 4) \
	MEMBER(loan, flags, 4, 4) \
	MEMBER(loan, length, 8, 8) \
	MEMBER(loan, deadline, 16, 8) \
	MEMBER(loan, give_back, 24, 8) \
	MEMBER(loan, loan, 32, 8) \
	MEMBER(loan, offset, 40, 8)

#define LAYOUT_RETURN(STRUCT, MEMBER) \
	STRUCT(return, 16) \
	MEMBER(return, size, 0, 4) \
	MEMBER(return, flags, 4, 4) \
	MEMBER(return, loan, 8, 8)

#define LAYOUT_DIRECT(STRUCT, MEMBER) \
	STRUCT(direct, 32) \
	MEMBER(direct, size, 0, 4) \
	MEMBER(direct, flags, 4, 4) \
	MEMBER(direct, pid, 8, 4) \
	MEMBER(direct, reserved, 12, 4) \
	MEMBER(direct, message, 16, 8) \
	MEMBER(direct, process, 24, 8)

#define LAYOUT_LINK(STRUCT, MEMBER) \
	STRUCT(link, 72) \
	MEMBER(link, size, 0, 4) \
	MEMBER(link, flags, 4, 4) \
	MEMBER(link, pid, 8, 4) \
	MEMBER(link, uid, 12, 4) \
	MEMBER(link, peer, 16, 4) \
	MEMBER(link, peer_uid, 20, 4) \
	MEMBER(link, number, 24, 8) \
	MEMBER(link, sent, 32, 8) \
	MEMBER(link, received, 40, 8) \
	MEMBER(link, unread, 48, 8) \
	MEMBER(link, peer_unread, 56, 8) \
	MEMBER(link, created, 64, 8)

#define LAYOUT_LINKS(STRUCT, MEMBER) \
	STRUCT(links, 32) \
	MEMBER(links, size, 0, 4) \
	MEMBER(links, flags, 4, 4) \
	MEMBER(links, entries, 8, 8) \
	MEMBER(links, entry_size, 16, 4) \
	MEMBER(links, nr, 20, 4) \
	MEMBER(links, after, 24, 8)

#define LAYOUT_ALLOW(STRUCT, MEMBER) \
	STRUCT(allow, 16) \
	MEMBER(allow, size, 0, 4) \
	MEMBER(allow, flags, 4, 4) \
	MEMBER(allow, who, 8, 4) \
	MEMBER(allow, reserved, 12, 4)

#define LAYOUT_LANE_STATE(STRUCT, MEMBER) \
	STRUCT(lane_state, 16) \
	MEMBER(lane_state, receiver_sleeps, 0, 4) \
	MEMBER(lane_state, sender_sleeps, 4, 4) \
	MEMBER(lane_state, ended, 8, 4) \
	MEMBER(lane_state, opened, 12, 4)

#define LAYOUT_LANE_CONSUMER(STRUCT, MEMBER) \
	STRUCT(lane_consumer, 8) \
	MEMBER(lane_consumer, tail, 0, 8)

#define LAYOUT_LANE_PRODUCER(STRUCT, MEMBER) \
	STRUCT(lane_producer, 8) \
	MEMBER(lane_producer, head, 0, 8)

#define LAYOUT_LANE_RECORD(STRUCT, MEMBER) \
	STRUCT(lane_record, 8) \
	MEMBER(lane_record, length, 0, 4) \
	MEMBER(lane_record, reserved, 4, 4)

#define LAYOUT_LANE_OPEN(STRUCT, MEMBER) \
	STRUCT(lane_open, 40) \
	MEMBER(lane_open, size, 0, 4) \
	MEMBER(lane_open, flags, 4, 4) \
	MEMBER(lane_open, bytes, 8, 8) \
	MEMBER(lane_open, lane, 16, 8) \
	MEMBER(lane_open, offset, 24, 8) \
	MEMBER(lane_open, place, 32, 4) \
	MEMBER(lane_open, reserved, 36, 4)

#define LAYOUT_LANE_WAIT(STRUCT, MEMBER) \
	STRUCT(lane_wait, 48) \
	MEMBER(lane_wait, size, 0, 4) \
	MEMBER(lane_wait, flags, 4, 4) \
	MEMBER(lane_wait, deadline, 8, 8) \
	MEMBER(lane_wait, lane, 16, 8) \
	MEMBER(lane_wait, room, 24, 8) \
	MEMBER(lane_wait, opened, 32, 8) \
	MEMBER(lane_wait, ready, 40, 8)

#define LAYOUT_LANE_WAKE(STRUCT, MEMBER) \
	STRUCT(lane_wake, 16) \
	MEMBER(lane_wake, size, 0, 4) \
	MEMBER(lane_wake, flags, 4, 4) \
	MEMBER(lane_wake, lane, 8, 8)

#define LAYOUT_LANE_CLOSE(STRUCT, MEMBER) \
	STRUCT(lane_close, 16) \
	MEMBER(lane_close, size, 0, 4) \
	MEMBER(lane_close, flags, 4, 4) \
	MEMBER(lane_close, lane, 8, 8)

#define LAYOUT(STRUCT, MEMBER) \
	LAYOUT_INFO(STRUCT, MEMBER) \
	LAYOUT_CREATE(STRUCT, MEMBER) \
	LAYOUT_OPEN(STRUCT, MEMBER) \
	LAYOUT_DESTROY(STRUCT, MEMBER) \
	LAYOUT_STAT(STRUCT, MEMBER) \
	LAYOUT_LIST(STRUCT, MEMBER) \
	LAYOUT_SET(STRUCT, MEMBER) \
	LAYOUT_NOTIFY(STRUCT, MEMBER) \
	LAYOUT_SEND(STRUCT, MEMBER) \
	LAYOUT_RECEIPT(STRUCT, MEMBER) \
	LAYOUT_RECEIVE(STRUCT, MEMBER) \
	LAYOUT_BATCH(STRUCT, MEMBER) \
	LAYOUT_LEASE(STRUCT, MEMBER) \
	LAYOUT_CALL(STRUCT, MEMBER) \
	LAYOUT_REPLY(STRUCT, MEMBER) \
	LAYOUT_YIELD(STRUCT, MEMBER) \
	LAYOUT_RESTRICT(STRUCT, MEMBER) \
	LAYOUT_REVOKE(STRUCT, MEMBER) \
	LAYOUT_SENDER(STRUCT, MEMBER) \
	LAYOUT_LOAN(STRUCT, MEMBER) \
	LAYOUT_RETURN(STRUCT, MEMBER) \
	LAYOUT_DIRECT(STRUCT, MEMBER) \
	LAYOUT_LINK(STRUCT, MEMBER) \
	LAYOUT_LINKS(STRUCT, MEMBER) \
	LAYOUT_ALLOW(STRUCT, MEMBER) \
	LAYOUT_LANE_STATE(STRUCT, MEMBER) \
	LAYOUT_LANE_CONSUMER(STRUCT, MEMBER) \
	LAYOUT_LANE_PRODUCER(STRUCT, MEMBER) \
	LAYOUT_LANE_RECORD(STRUCT, MEMBER) \
	LAYOUT_LANE_OPEN(STRUCT, MEMBER) \
	LAYOUT_LANE_WAIT(STRUCT, MEMBER) \
	LAYOUT_LANE_WAKE(STRUCT, MEMBER) \
	LAYOUT_LANE_CLOSE(STRUCT, MEMBER)

#endif /* SELFTESTS_LAYOUT_H */
