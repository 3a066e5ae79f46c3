/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
/*
 * Mailboxes: the whole contract between /dev/mailbox and its users.
 *
 * This file is the reference. The manual pages and Documentation/ point here.
 */
#ifndef _UAPI_LINUX_MAILBOX_H
#define _UAPI_LINUX_MAILBOX_H

#include <linux/ioctl.h>
#include <linux/types.h>

/**
 * DOC: Two kinds of descriptor
 *
 * The *device* is what open("/dev/mailbox") returns. It belongs to the mailbox
 * domain of the network namespace the opener was in, and stays with it.
 * INFO, CREATE, OPEN, DESTROY and LIST are calls on the device, and so are SEND_TO,
 * RECEIVE_FROM, LINKS and ALLOW, for direct communication; poll(2) and NOTIFY on the device
 * are about that, too.
 *
 * A *handle* is one open mailbox with rights to send, receive or manage. CREATE and OPEN
 * return handles, always close-on-exec, and so does RESTRICT. SEND, RECEIVE, SEND_BATCH,
 * RECEIVE_BATCH, ACK, NACK, EXTEND, YIELD, CALL, REPLY, REPLY_RECEIVE, SENDER, STAT, SET,
 * NOTIFY, RESTRICT, REVOKE, LOAN, RETURN, LANE_OPEN, LANE_WAIT, LANE_WAKE, LANE_CLOSE and
 * DESTROY are calls on a handle, and so are read(2) (take the first message: its payload;
 * EMSGSIZE if it does not fit), write(2) (send one message of
 * type 0 and priority 0), mmap(2), poll(2) and close(2).
 * A zero-length message reads as 0; RECEIVE tells it from anything else.
 */

/**
 * DOC: Rules for every structure
 *
 * The first member, @size, is the size of the structure as the caller knows it.
 * A smaller size than the first version of a structure is EINVAL; a larger one
 * than the module knows is accepted when what is beyond is zero, else E2BIG.
 * No structure is larger than 4096 bytes: E2BIG, whatever is in it.
 * Bits that the module does not know in a flags member are EOPNOTSUPP, members
 * named reserved must be zero (those that are out are written as zero), and the
 * layout is the same for 32 and 64 bits.
 *
 * A call that returns an error has changed nothing in the module. That the members
 * marked *out* can be written is found out before a call takes effect; should the
 * memory of the structure disappear after that, the call still succeeds, or is undone
 * and fails with EFAULT.
 *
 * Times are absolute nanoseconds of CLOCK_MONOTONIC. A call that a signal
 * interrupts while it waits fails with EINTR, or starts again by itself where
 * the handler was installed with SA_RESTART, unless it has MAILBOX_NO_RESTART; no
 * deadline is stretched by that.
 */

/**
 * DOC: Errors
 *
 * Each number means one thing.
 *
 * ========== ==================================================================
 * ENOTTY     this descriptor has no such command
 * E2BIG      the structure is longer than the module knows, and not zero there
 * EOPNOTSUPP a flag the module does not know, or one that does not belong here; or the
 *            message is a loan, and this call takes none
 * EINVAL     a value out of its range, or two that exclude each other
 * EFAULT     a pointer to memory that cannot be read or written
 * ENOENT     no mailbox of that id or name in this domain, no handle of that grant, no such
 *            lane; or a mailbox without a name was to have none
 * EEXIST     a mailbox of that name exists
 * EACCES     the handle lacks the right or was revoked, or the mode bits do not grant it
 * EPERM      not the owner of the mailbox; or not one of a pair, or without the right
 *            to receive, that its policy gives; or not allowed to send to that process
 * EAGAIN     the call would have to wait, or the mailbox refuses while full
 * ETIMEDOUT  the deadline passed, or the expiry of a message lies in the past
 * EINTR      a signal came first
 * EMSGSIZE   the message is too long for the mailbox or for the buffer, or not
 *            of the one size that the mailbox takes; or it has more files than there
 *            is room for; or a loan would be longer than the region
 * EDQUOT     the quota of the calling user is used up
 * ENOMEM     the kernel has no memory, or the cgroup of the caller has not
 * EMFILE     the process has no free descriptor
 * ENFILE     the system has no free file
 * EBADF      a descriptor that is to travel in a message is not open
 * EIDRM      the mailbox was destroyed, or its domain has ended
 * ESRCH      the process named does not exist, is not visible here, or has ended; or the
 *            sender of a message has
 * ESTALE     the lease or the loan has ended, or is not the caller's; or the one who
 *            called, and was to be answered, has given up
 * EBUSY      the policy of the mailbox has no room for another, or there is no place for
 *            another lane, or receiver of lanes; or another is notified exclusively
 * EPIPE      the other process of a pair has left; or nobody can receive a call; or the
 *            receiver of a lane is gone
 * EMLINK     the handle is the last of MAILBOX_DERIVE_MAX derived one from another
 * ENOBUFS    cut off from a broadcast: this handle was too slow
 * ECANCELED  a call was not answered by who had it
 * ELOOP      a descriptor that may not travel in a message, or not to this mailbox
 * ========== ==================================================================
 */

#define MAILBOX_INTERFACE_VERSION 1

/* Longest name of a mailbox with its final NUL, in bytes. */
#define MAILBOX_NAME_SIZE 256
/* Priorities are 0 to this; a larger one is received first. */
#define MAILBOX_PRIORITY_MAX 32767
/* No limit can be set above this many bytes in one message. */
#define MAILBOX_MESSAGE_SIZE_MAX (16 * 1024 * 1024)
/* Most messages in one batch, and most leases in one call. */
#define MAILBOX_BATCH_MAX 1024
/* Most handles of which each is derived from the one before. */
#define MAILBOX_DERIVE_MAX 16
/* Most deliveries that can be asked for. */
#define MAILBOX_DELIVERIES_MAX 65535
/* Most descriptors in one message. */
#define MAILBOX_FILES_MAX 16
/* Most bytes that a region has. */
#define MAILBOX_REGION_SIZE_MAX 0x10000000000ULL
/* Most lanes in one mailbox. */
#define MAILBOX_LANES_MAX 64
/* Most bytes in the ring of a lane, and how many it has where nothing is said. */
#define MAILBOX_LANE_BYTES_MAX	   (16 * 1024 * 1024)
#define MAILBOX_LANE_BYTES_DEFAULT (64 * 1024)

/**
 * DOC: Policies
 *
 * Who is one process for this is decided as for the record locks of fcntl(2): by its
 * table of descriptors. Threads, duplicates of a descriptor and further handles do not
 * count again. A process leaves when it has closed its last descriptor of any handle of
 * the mailbox, and when it ends, by whatever cause; receives of its threads that wait
 * then fail with EPERM. By trying to send or receive a process takes a place that is
 * free, also where the call then fails; OPEN takes it only when it succeeds.
 *
 * *Pair*: whoever creates the mailbox is one of the two, the other is the next that opens
 * it, or that sends or receives through a descriptor that it has inherited or was passed.
 * While there are two, OPEN by a third process fails with EBUSY, and its sends and
 * receives through a descriptor that it has anyway fail with EPERM: holding one is not
 * yet an offence. When one leaves, its place is free. Until it is taken, the other sees
 * a hang-up: poll(2) says POLLHUP, sends fail with EPIPE, and so do receives that would
 * have to wait; what was sent before can still be received. When both have left, the
 * next two are a new pair.
 *
 * *One*: a process gets the right to receive by the first call that receives, or peeks,
 * while nobody has it, and keeps it until it calls YIELD or leaves. Then it goes to the
 * process that has waited longest for it: a receive waits for the right as it would for
 * a message, with the same deadline; one that may not wait fails with EBUSY. While one
 * process has it, poll(2) does not say POLLIN to others. Leases are not touched by that.
 *
 * *Broadcast*: each handle with the right to receive, in this a *subscriber*, gets every
 * message that is sent after it was opened, and all of them in the one order in which they
 * were sent. (A duplicate of its descriptor, also one that is inherited or was passed, is
 * the same handle: who receives through it takes the message from the others that have it.
 * A second handle gets its own.) A message is stored, and counts against limits and quota,
 * once, however many are to get it.
 *
 * A message has been received, and is gone, when all have got it that subscribed when it
 * was sent; closing a handle counts as that. If none of them has got it by then, or there
 * were none, it is dropped instead. A send never waits and is never refused for want of
 * room: it overwrites the messages that arrived first. Who has not got those by then has
 * missed them: the next message that it receives tells how many it has missed since the
 * one before, expired ones included, in missed. What such a receiver is copying at that
 * moment it still gets. A handle that was made with MAILBOX_CUT_OFF is *cut off* instead
 * when a message is overwritten that it has not got: its receives fail with ENOBUFS from
 * then on, poll(2) says POLLHUP and POLLERR, and it is no subscriber any more.
 *
 * A mailbox of this policy is bounded and made with MAILBOX_ON_FULL_OVERWRITE, which SET
 * does not change, and without max_deliveries; nor is it a dead-letter mailbox. Sends have
 * priority 0. Receives select MAILBOX_SELECT_FIRST and have no lease; with MAILBOX_PEEK
 * they may also select MAILBOX_SELECT_INDEX, where 0 is the next message of this handle.
 * Anything else is EINVAL. poll(2) says POLLIN when there is a message for this handle,
 * and POLLOUT always.
 */

/**
 * DOC: Leases
 *
 * A receive with MAILBOX_LEASE hides the message from others until its lease ends:
 *
 * - ACK: the message is done with, and gone;
 * - NACK: it goes back, at once or after a delay;
 * - its time is over: it goes back. EXTEND gives it more time. The expiry of a message
 *   ends its lease too;
 * - the process that holds it closes its last descriptor of the handle, or ends, by
 *   whatever cause: it goes back at once. Descriptors of the same handle that other
 *   processes have, children of a fork for example, do not keep it. As with the record
 *   locks of fcntl(2), processes that share their table of descriptors (CLONE_FILES:
 *   threads) count as one, and only it can end its leases.
 *
 * A message that goes back takes its old place, ahead of what was sent later, and counts
 * one delivery more. When it has had max_deliveries, it goes to the dead-letter mailbox
 * instead, as a new message there of the same sender, priority, type and expiry, of which
 * RECEIVE says MAILBOX_IS_DEAD_LETTER. Where there is none, or it is gone, full, or not for
 * messages of this length, or memory runs out, the message is dropped. Leased messages
 * count against the capacity of the mailbox and the quota of their sender, so a receive
 * with a lease takes nothing from senders that wait for room.
 */

/**
 * DOC: Derived handles
 *
 * RESTRICT makes of a handle another one on the same mailbox, with the same rights or
 * fewer: to be passed on, by inheritance or in a message of a Unix socket. It is a handle
 * like any other, counted by STAT, and keeps a temporary mailbox alive; from a broadcast
 * it gets what is sent from then on, by the overflow rule of the one it comes from. Besides,
 * it has a *grant*: a number by which whoever may manage the mailbox can REVOKE it, and with
 * it all handles derived from it, and from those, also where one in between is closed
 * already; or all derived handles of the mailbox, with MAILBOX_REVOKE_ALL. Handles that CREATE
 * and OPEN return have no grant, and cannot be revoked.
 *
 * When REVOKE has returned, every call on a revoked handle but INFO and close(2) fails with
 * EACCES, whatever else is wrong with it; only an unknown command is ENOTTY before that, and
 * a bad pointer of SEND, RECEIVE, CALL, REPLY or REPLY_RECEIVE EFAULT, and what they refuse by
 * their arguments alone may be that error. In particular:
 *
 * - calls that wait through it have ended with EACCES. A message that one of them was to
 *   send has not been sent, also when a receiver was just copying it: that receiver goes on
 *   to another. A call that was at work and did not wait may still succeed, one way or the
 *   other wholly; a receive with MAILBOX_LEASE does not;
 * - poll(2) says POLLHUP and POLLERR;
 * - leases that were taken through it have ended: the messages have gone back, as they do when
 *   the last descriptor is closed;
 * - it does not count as one with the right to receive or to send (see enum mailbox_event),
 *   nor as one that a process has: a process without a handle that is not revoked has left,
 *   as DOC: Policies says, and its place is free;
 * - its eventfd (see struct mailbox_notify) has been signalled once more, for the last time.
 *
 * The handle stays until it is closed; STAT counts it, and a temporary mailbox lives on.
 * All processes that have descriptors of it are affected, whoever got them from whom.
 */

/**
 * DOC: Receipts
 *
 * A sender that asks for it is told how its message ended: who took it, as the pid and user
 * namespaces of the sender see that process, and when; or that nobody did, and why.
 *
 * With MAILBOX_RECEIPT the receipt is a message to a mailbox of the sender's choice: its
 * payload is a struct mailbox_receipt, its type the cookie, its priority that of the
 * message, its sender the sender of the message, who pays for it too. Its room there is
 * promised when the message is sent, or the call fails with EAGAIN; until it arrives it is
 * counted as if it were there. So a receipt never waits, nor does whoever receives the
 * message, and it comes exactly once, unless its mailbox is destroyed first. RECEIVE says
 * MAILBOX_IS_RECEIPT of it, and of nothing that a user has made.
 *
 * With MAILBOX_RECEIPT_WAIT the call returns when the message has ended. When the
 * deadline passes, a signal comes, or the handle is revoked, and nobody has the message,
 * the call takes it back and fails; of that is left only that its number is not used
 * again, and what STAT says of the last message sent. When somebody has it, under a lease
 * (or has given it back with a delay) or just copying it, the call succeeds with
 * MAILBOX_END_PENDING, and no other receipt comes.
 *
 * A broadcast ends when all that are to get it have it, or are gone or cut off; its receipt
 * says in copies how many have it, and names none of them. It is never taken back: a wait
 * that has to end says MAILBOX_END_PENDING.
 *
 * A dead letter that was moved has ended for its receipt. What was never sent, since its
 * sender gave up waiting for room or at a rendezvous, gets none.
 */

/**
 * DOC: Calls
 *
 * A CALL is a send whose sender waits for the answer, and gets it, in one entry. A server
 * that receives with MAILBOX_ANSWER has such a message under a lease without limit: RECEIVE
 * says MAILBOX_IS_CALL of it, how much room there is for the answer, and in lease the number
 * of the lease, which here is a *token*. REPLY with the token ends the lease, copies the
 * answer to the caller and wakes it. REPLY_RECEIVE does that and waits for the next message
 * in one entry, so that a round trip is two system calls. Other messages are received with
 * MAILBOX_ANSWER as without it; their lease is 0.
 *
 * A token works once, and only for the process that has it, through the handle where it got
 * it: for everybody else, and after that, REPLY fails with ESTALE. The caller always gets an
 * end, and each is told apart:
 *
 * - 0: it was answered;
 * - ECANCELED: who had the message did not answer. It received it without MAILBOX_ANSWER,
 *   with read(2) for example, or ended the lease with ACK or NACK, closed its last
 *   descriptor of the handle, ended, by whatever cause, or was revoked. The message does not
 *   go back: it was perhaps half done. Nor is it answered when it makes way for others in a
 *   mailbox that overwrites, or becomes a dead letter;
 * - EPIPE: nobody has the message, and no handle with the right to receive is left, or the
 *   other of a pair has left. The caller's own handles count too;
 * - EIDRM: the mailbox was destroyed;
 * - ETIMEDOUT, EINTR, EACCES: the caller gave up, at its deadline, because of a signal, or
 *   since its handle was revoked. Nobody has the message, then it is taken back, and after a
 *   signal the call starts again where the handler was installed with SA_RESTART. Somebody has
 *   it, then his token is dead, and MAILBOX_EVENT_ABANDONED tells him; after a signal it is
 *   EINTR in any case, since the request may be half done;
 * - EFAULT: as for every call, nothing was done; but it is EFAULT too when the answer has come
 *   and does not go where answer points. That is the one case in which a call has failed and
 *   its message was not taken back, since the server has done its work.
 *
 * A call that was given up counts in STAT as if it had never been sent.
 *
 * With MAILBOX_LEASE instead, the message is leased as any other: it goes back if its holder
 * ends or gives it back, and the call goes on; ACK ends it without an answer. The number of
 * such a lease is a token for REPLY, too.
 *
 * Several servers share a mailbox, as all receivers do. A server may call, also while it has
 * not answered yet; where such calls go in a circle, each ends at its deadline or by a signal.
 * Requests in the mailbox, those under a token included, count against its capacity. A longer
 * answer, while it is on its way, counts against the quota of who called. Calls are not for
 * mailboxes of MAILBOX_POLICY_BROADCAST.
 */

/**
 * DOC: Files in messages
 *
 * With MAILBOX_FILES a message takes up to MAILBOX_FILES_MAX open files along, as a message
 * of a Unix socket does (SCM_RIGHTS): the receiver gets descriptors of its own, always
 * close-on-exec, of the files that the descriptors of the sender were for when it sent them.
 *
 * A receive with MAILBOX_FILES installs them when it has succeeded, and only then: one that
 * fails, be it for want of descriptors (EMFILE), leaves the message with its files in its
 * place. Each receiver of a broadcast gets its own descriptors, and so does each delivery
 * under a lease; a peek gets none, and tells how many there are. Who receives without
 * MAILBOX_FILES, with read(2) for example, gets the payload alone.
 *
 * A message keeps its files until it has ended, in whatever way; they are closed then. Dead
 * letters that are moved take them along. Until then they are *in flight*, and count for the
 * user who has sent them, over all mailboxes: no more than RLIMIT_NOFILE of the sending
 * process, unless it has CAP_SYS_RESOURCE in the first user namespace, else EDQUOT.
 *
 * Files that can keep others open must not travel: ELOOP. A message in which a handle of its
 * own mailbox travels would keep that mailbox, and so itself, for ever, and there are longer
 * ways round. These files are:
 *
 * - handles of mailboxes. RESTRICT, and a Unix socket, pass them on;
 * - Unix sockets: handles may be on their way in them;
 * - io_uring: it keeps the files that are registered with it;
 * - /dev/mailbox: in a permanent mailbox it would keep the module loaded, with nobody there
 *   who uses it.
 *
 * Nor must any file travel, but in the first network namespace, by a permanent mailbox: ELOOP.
 * It ends with its namespace, which sockets and others may keep. There a mailbox that has files
 * in it does not become permanent (EINVAL), nor does one take files with dead letters: they are
 * dropped.
 *
 * What only watches others, as epoll(7) and inotify(7) do, keeps nothing open, and may travel.
 * So may descriptors that were opened with O_PATH.
 *
 * Security modules are not asked when a file is received, since that question is closed to
 * modules of the kernel; those that ask on each use, as SELinux and AppArmor do, do so.
 */

/**
 * DOC: Shared pages
 *
 * A mailbox that was made with a region_size, or has got one by SET, has a *region*: memory of
 * that size, zeroed at first, that processes share. mmap(2) on a handle maps it, as a whole or
 * a part, once or often: offset 0 is its first byte.
 *
 * - A handle with the right to send maps it for reading and writing. One that may only receive
 *   maps it for reading: PROT_WRITE fails with EACCES, and so does mprotect(2) later. With
 *   MAP_PRIVATE it may write, to copies that nobody else sees. One with neither right maps
 *   nothing (EACCES), and nobody maps it to be executed (EACCES). Policies do not matter.
 * - What lies beyond the region is EINVAL, and so is any mmap(2) where there is none; a revoked
 *   handle is EACCES, a destroyed mailbox EIDRM.
 * - A mapping lasts until it is unmapped, whatever becomes of the descriptor, the handle and the
 *   mailbox. fork(2), mremap(2) and madvise(2) do with it what they do with memory that is
 *   shared otherwise. REVOKE takes no mapping away.
 * - STAT says how many mappings there are: a child of a fork has its own, and one that is cut in
 *   two, by munmap(2) or mprotect(2) of a part, is two. userfaultfd(2) does not know them (EINVAL).
 * - The region ends with the mailbox, its pages when they are mapped nowhere any more.
 * - SET makes it larger; what is in it stays. Where a mapping has been stretched beyond the end
 *   (mremap(2) does that), access is SIGBUS until the region reaches so far.
 * - Its size counts against the quota of whoever made it, or last made it larger, until the
 *   mailbox ends. A page takes memory, and is charged to a cgroup, when it is first touched.
 *
 * The kernel does not look at what is in it. Processes that need an order between what they
 * write and read there make it themselves, by atomic operations, or by messages: what was
 * written before a SEND is there when its message has been received.
 */

/**
 * DOC: Loans
 *
 * Large messages need not be copied. LOAN lends the caller a *piece* of the region: so many
 * bytes that nobody else is lent. The caller writes to them where it has the region mapped, and
 * sends a message that has the piece instead of a payload: SEND with MAILBOX_LOAN. Who receives
 * it, by RECEIVE with MAILBOX_LOAN, is told where in the region the bytes are, and has the loan
 * from then on, until it gives the piece back: by RETURN, or in the same entry with its next
 * RECEIVE. As SEND can borrow the next piece at once, a message takes two entries in all,
 * whatever its length.
 *
 * A loan is a number, never used twice in a mailbox, never 0. It belongs to the handle through
 * which it was taken, so to all processes that have descriptors of that one; for others it is
 * ESTALE. It ends
 *
 * - when it is given back, or sent. A send that fails leaves it as it was;
 * - when the handle is closed for good, by whatever cause, or revoked;
 * - when the mailbox is destroyed: then all end.
 *
 * The kernel alone knows who has what; it neither reads nor writes the pieces. Who has mapped
 * the region can read all of it, and write all of it where it may send: loans are for programs
 * that trust each other with that. What a piece holds at first is what was there before.
 *
 * A message with a loan is a message like any other, but that nothing of it is stored: it counts
 * as one of 0 bytes against max_bytes, and message_size is no limit for it, unless with
 * MAILBOX_FIXED_SIZE it is its length. Its piece is lent to nobody until it ends: when it
 * expires, is overwritten or dropped, the piece is free again. In particular:
 *
 * - under a lease the message keeps the piece; loan is 0, ACK frees it, and with NACK, or
 *   whatever else ends the lease, the message goes back together with it;
 * - of a broadcast each receiver has a loan of its own of the one piece, which is free when
 *   the last has given it back;
 * - a dead letter that has a loan cannot be moved, since the piece is of this mailbox: it is
 *   dropped;
 * - a peek shows length and MAILBOX_IS_LOAN, and that is all;
 * - read(2), a batch, and a RECEIVE without MAILBOX_LOAN do not take it: they fail with
 *   EOPNOTSUPP, and it stays.
 *
 * Calls, entries of batches, MAILBOX_RECEIPT_WAIT, and direct communication have no loans:
 * EOPNOTSUPP.
 *
 * A piece begins at a multiple of 64 bytes; one of a page or more at a page, and takes whole
 * pages. Where no piece is free that is long enough, LOAN waits, those who wait being served in
 * the order they came; while any waits, nobody gets a piece without waiting. See
 * Documentation/shared-pages.rst for how pieces are chosen.
 */

/**
 * DOC: Lanes
 *
 * A *lane* is a ring in memory from one sending handle to the receiver of the mailbox. While both
 * sides are awake a message takes no system call; a side that sleeps says so in the memory, and
 * only then the other enters the kernel to wake it. Lanes are for mailboxes of
 * MAILBOX_POLICY_ANY, whatever their capacity. Programs use them through the library; what
 * follows is what it keeps to, and what another would have to.
 *
 * *Who.* LANE_OPEN on a handle with the right to send makes the one lane of that handle; a mailbox
 * has at most MAILBOX_LANES_MAX, whoever has them. The first handle with the right to receive that
 * says LANE_OPEN with MAILBOX_LANE_RECEIVE is the *receiver of lanes*, of all of the mailbox, until
 * it closes them or is closed; for other handles that is EBUSY meanwhile. A lane can be made, and
 * written to, before there is a receiver. A handle may be both. Processes that share a handle,
 * after a fork for example, have to agree on one that uses its lanes: there is one index.
 *
 * *Memory.* mmap(2) of the handle, MAP_SHARED, at the offset that LANE_OPEN has told. In pages
 * from there on:
 *
 * ========== ============================= ======================= =====================
 * page       holds                         the sender maps it for  the receiver
 * ========== ============================= ======================= =====================
 * 0          struct mailbox_lane_state     reading                 reading
 * 1          struct mailbox_lane_consumer  reading                 reading and writing
 * 2          struct mailbox_lane_producer  reading and writing     reading
 * 3 and on   the data, bytes of it         reading and writing     reading
 * ========== ============================= ======================= =====================
 *
 * A mapping lies within one of the four: EINVAL for others, for MAP_PRIVATE and for a place where
 * the handle has no lane; EACCES to write where only the other may, or to execute, in the call or
 * by mprotect(2) later. Such a mapping does not grow by mremap(2) (EFAULT). It lasts until it is
 * unmapped, whatever becomes of the descriptor, the handle, the lane and the mailbox; the memory
 * counts against the quota of who made the lane as long as the lane or any mapping of it is there.
 * The data may be mapped twice, one mapping after the other, so that no record wraps.
 *
 * *Ring.* head and tail count bytes, and never go back: head what was written, tail what was read.
 * Byte n is at offset n modulo bytes of the data. A message is a *record*: a struct
 * mailbox_lane_record and length bytes of payload, in all rounded up to a multiple of 8. Both
 * counts are loaded and stored as 64 bits in one.
 *
 * The sender:
 *
 * 1. loads tail with acquire, and makes sure that bytes - (head - tail) is as much as the record
 *    takes;
 * 2. writes one record or several;
 * 3. stores head with release, which commits them;
 * 4. full barrier;
 * 5. loads receiver_sleeps, and says LANE_WAKE if it is not 0.
 *
 * The receiver, for each lane:
 *
 * 1. loads head with acquire, once; head - tail is what there is;
 * 2. reads what it wants of these records;
 * 3. stores tail with release;
 * 4. full barrier;
 * 5. loads sender_sleeps, and says LANE_WAKE, with MAILBOX_LANE_RECEIVE, if it is not 0.
 *
 * A side that finds nothing to do says LANE_WAIT, or polls. The kernel sets receiver_sleeps, or
 * sender_sleeps, full barrier, looks at head and tail, and sleeps. So either the kernel sees what
 * was stored in step 3, or step 5 sees that there is somebody to be woken.
 *
 * *Trust.* All that the other side may write is to be doubted. To the receiver a lane is *broken*
 * when head - tail is more than bytes, or no multiple of 8, or less than the record that is there;
 * it closes it, and goes on with the others. Lengths are loaded once. To the sender it is when head
 * - tail is more than bytes. The kernel never writes where users may, and what it reads there can
 * make it wake somebody too often, and nothing else.
 *
 * *End.* When the sender says LANE_CLOSE, or its handle is closed or revoked, or its last process
 * is killed, MAILBOX_LANE_SENDER_GONE is set in ended, and the receiver is woken. What was
 * committed is there to be read, by a receiver that loads ended with acquire and then head once
 * more; what was not is not. The lane keeps its place until the receiver closes it; one that the
 * receiver was not told of yet, and that is empty, goes at once.
 *
 * When the receiver closes a lane, MAILBOX_LANE_RECEIVER_GONE is set, its place is free, and the
 * sender's LANE_WAIT fails with EPIPE; the sender closes it, too, and may make another. When the
 * receiver closes them all by LANE_CLOSE of lane 0, or its handle is closed or revoked, that
 * happens to all lanes that it was told of, with what is in them; those that it was not told of
 * wait for the next receiver. When the mailbox ends, MAILBOX_LANE_DESTROYED is set in all that
 * have a place.
 *
 * *Besides.* poll(2) on the handle of the receiver says POLLIN, too, when LANE_WAIT of any lane
 * would not wait for want of something to read; it sets receiver_sleeps first. Between a lane and
 * SEND on the same mailbox, and between lanes, there is no order. Messages in lanes count neither
 * against the capacity of the mailbox nor in its STAT. Who is told of MAILBOX_EVENT_MESSAGE by
 * NOTIFY is told of a LANE_WAKE too, but need not be told of what is in a lane.
 */

/**
 * DOC: Streams
 *
 * Pipes carry bytes, and who reads takes as many as it likes. A handle that was made with
 * MAILBOX_STREAM reads a mailbox so, by read(2): it gets what there is, from the first message on,
 * as many bytes as it asks for and the message has; what it gets in one call is of one message.
 * What is left of a message begins with its next byte from then on, for this and any other reader
 * of the mailbox. It keeps its place, its type and all else that was said of it, counts as a
 * message until its last byte is read, and is in @bytes of STAT as long as it is; who paid for the
 * message pays for all of it until then. Who waits to be told who took it is told then; who only
 * waits for it to be received, at a rendezvous, waits until the first byte is read. Files go with
 * the last byte, and a loan is EOPNOTSUPP, as for any read(2). A message without bytes is passed
 * over. To read 0 bytes is to do nothing.
 *
 * When nothing can be received, and the last handle with the right to send has been closed or
 * revoked, or the other of a pair has left, read(2) says 0, the end, instead of waiting, and
 * poll(2) POLLIN and POLLHUP; once one is opened again, it waits again, as with a FIFO. A reader
 * that has met none yet, and has read nothing, waits for the first, as open(2) of a FIFO does.
 * (What is leased may come back after the end.)
 *
 * A write(2) of more than message_size bytes sends that many, in one message, and says so; one of
 * 0 bytes sends nothing. When the last handle with the right to receive has been closed or revoked,
 * nothing is sent through such a handle any more: EPIPE, also for who waits to send, and poll(2)
 * POLLERR. (There is no SIGPIPE: a module has no right to choose who dies.) Before the first that
 * may receive is opened, messages wait for it. RECEIVE and the others are as for any handle.
 * Not for MAILBOX_POLICY_BROADCAST (EINVAL).
 */

/**
 * DOC: Who has sent it
 *
 * The pid in a message is a number, and by the time somebody looks at it, it may be that of
 * another process. A message under a lease keeps the identity of its sender: SENDER says
 * whether that process lives, and so has its number to itself. So a pidfd is found free of
 * races, as mailbox_receive_pidfd() of the library does it:
 *
 * 1. receive with MAILBOX_LEASE, and take pid from it;
 * 2. pidfd_open(2) of that number;
 * 3. SENDER of the lease: it succeeds with the same number, or the pidfd is closed;
 * 4. ACK.
 *
 * A number is free for another process only when the one that has it has ended and was waited
 * for. In step 3 the sender has not ended. It had its number in step 2, then, and nobody else
 * had, whatever ended or began in between. Once the pidfd is open it stays with its process.
 * There are no leases in a broadcast, and so no such pidfd.
 *
 * Of the end of others a program learns:
 *
 * - of a process: its pidfd polls as readable;
 * - of the other one of a pair: poll(2) says POLLHUP, and sends fail with EPIPE;
 * - of the last that may receive, or send: MAILBOX_EVENT_NO_RECEIVER and
 *   MAILBOX_EVENT_NO_SENDER of NOTIFY. While no handle with the right to send is open, poll(2)
 *   says POLLRDHUP to those with the right to receive, if they ask for it, and while no handle
 *   with the right to receive is, to those with the right to send;
 * - of one it has a link with: MAILBOX_EVENT_ENDED of NOTIFY on the device, and POLLRDHUP.
 */

/**
 * DOC: Direct communication
 *
 * Two processes that name each other need no mailbox. SEND_TO sends to a process, named by
 * its pid as the caller sees it; RECEIVE_FROM receives what one process, or any, has sent to
 * the caller. The message waits in the *inbox* of the receiver, in the domain of the device
 * that was used: a bounded mailbox with the limits that CREATE gives by itself, of which one
 * sending user may take up half, and where senders wait when it is full. Types, priorities and
 * expiry are as for mailboxes. poll(2) on the device says POLLIN while any message waits for
 * the calling process in that domain; it says POLLERR when it cannot find out, for want of
 * quota or memory. It says POLLRDHUP, where that is asked for, when a process that the calling
 * one had a link with has ended since this began to poll, until it lists what is left, by a
 * LINKS that succeeds and begins at 0.
 *
 * *Links*: the first message between two processes makes the link between them, for both
 * directions. There is exactly one, whoever is first. It ends when either process ends. What
 * that one has sent by then is still received by the other, by its old pid or as anyone's.
 * After that RECEIVE_FROM this process fails with ESRCH, and so does SEND_TO as soon as it has
 * ended, also while it waits for room. What was sent to it is dropped.
 *
 * A link belongs to processes: not to threads, which all may send and receive, nor to
 * descriptors. It outlives descriptors, and execve(2), as does what ALLOW said. A child of a
 * fork starts with none, and nobody has written to it. The module knows a process by more
 * than its pid: when the number is used again, the new process gets nothing that was for the
 * old one, and cannot be taken for it. A process does not send to itself (EINVAL).
 *
 * *Who may send*: who may send the receiver a signal, by the rule of kill(2), when it sends:
 * its real or effective user is the real or saved user of the receiver, or it has CAP_KILL in
 * the user namespace of the receiver. The receiver may allow more or less by ALLOW. Who was
 * sent something may answer as long as the link lasts, whatever else is said. Anything else
 * is EPERM. Security modules are not asked, since that question is closed to modules of the
 * kernel. A process that the caller's pid namespace does not show cannot be named (ESRCH).
 *
 * *Who pays*: the sender for a message, for the link if its message makes it, and for the
 * inbox of the receiver if there is none yet; an inbox counts as a mailbox. Each process has an
 * inbox of its own when it sends, receives, polls or says ALLOW. An inbox that nobody uses any
 * more goes by itself.
 *
 * There are no leases, receipts and batches for direct communication.
 */

/**
 * enum mailbox_right - what a handle may be used for
 * @MAILBOX_RIGHT_SEND: send messages; mode bit w (0222)
 * @MAILBOX_RIGHT_RECEIVE: take and peek at messages; mode bit r (0444)
 * @MAILBOX_RIGHT_MANAGE: SET, REVOKE and DESTROY; mode bit x (0111). The owner has it
 *	whatever the mode bits say.
 *
 * STAT, NOTIFY and RESTRICT need any one of them.
 */
enum mailbox_right {
	MAILBOX_RIGHT_SEND = 1 << 0,
	MAILBOX_RIGHT_RECEIVE = 1 << 1,
	MAILBOX_RIGHT_MANAGE = 1 << 2,
};

/**
 * enum mailbox_capacity - how much a mailbox holds
 * @MAILBOX_CAPACITY_BOUNDED: max_messages and max_bytes. A message for which a receiver
 *	waits goes to it also when there is no room; should that receiver fail, it stays.
 * @MAILBOX_CAPACITY_RENDEZVOUS: nothing. A sender waits until its message has
 *	been received; one that may not wait needs a receiver that waits already,
 *	and is done when its message has been handed over (should that receiver
 *	fail, the message stays for the next).
 * @MAILBOX_CAPACITY_UNBOUNDED: as much as the quota of the senders pays for
 */
enum mailbox_capacity {
	MAILBOX_CAPACITY_BOUNDED,
	MAILBOX_CAPACITY_RENDEZVOUS,
	MAILBOX_CAPACITY_UNBOUNDED,
};

/**
 * enum mailbox_on_full - what a send to a full mailbox does
 * @MAILBOX_ON_FULL_WAIT: waits for room, senders in the order they came. Once one waits,
 *	they are let in when a sixteenth of max_messages is free, or one place if that is
 *	less: otherwise each message received would cost two changes of process.
 * @MAILBOX_ON_FULL_REFUSE: fails with EAGAIN, always at once
 * @MAILBOX_ON_FULL_OVERWRITE: removes the messages that arrived first, whatever
 *	their priority, until there is room, or what is left is just being copied out. Fails
 *	with EAGAIN when there would be none even then, since the rest is leased. Only for
 *	bounded mailboxes.
 * @MAILBOX_ON_FULL_WAIT_EACH: as MAILBOX_ON_FULL_WAIT, but each sender is let in as soon as
 *	there is room for its message, also ahead of those whose messages are too long for what
 *	is free, as msgsnd(2) and mq_send(3) do it
 */
enum mailbox_on_full {
	MAILBOX_ON_FULL_WAIT,
	MAILBOX_ON_FULL_REFUSE,
	MAILBOX_ON_FULL_OVERWRITE,
	MAILBOX_ON_FULL_WAIT_EACH,
};

/**
 * enum mailbox_policy - who gets a message when several could
 * @MAILBOX_POLICY_ANY: the receiver that has waited longest
 * @MAILBOX_POLICY_PAIR: there are two processes, so it is clear who gets what the other
 *	has sent
 * @MAILBOX_POLICY_ONE: the one process that has the right to receive
 * @MAILBOX_POLICY_BROADCAST: each handle that may receive, its own copy
 *
 * See DOC: Policies.
 */
enum mailbox_policy {
	MAILBOX_POLICY_ANY,
	MAILBOX_POLICY_PAIR,
	MAILBOX_POLICY_ONE,
	MAILBOX_POLICY_BROADCAST,
};

/**
 * enum mailbox_select - which message a receive is about
 * @MAILBOX_SELECT_FIRST: the first: highest priority, then earliest arrival
 * @MAILBOX_SELECT_TYPE: the first of the type in match
 * @MAILBOX_SELECT_TYPE_UP_TO: the first of the lowest type there is, if that
 *	type is at most match
 * @MAILBOX_SELECT_TYPE_NOT: the first of any type but match
 * @MAILBOX_SELECT_SENDER: the first from the process whose pid, as the caller
 *	sees it, is match, 1 to 2147483647. ESRCH when there is no such process (any
 *	more) and no message of it.
 * @MAILBOX_SELECT_PRIORITY: the first, if its priority is at least match
 * @MAILBOX_SELECT_INDEX: the one with match others before it; only with
 *	MAILBOX_PEEK
 *
 * The cost of each grows with the logarithm of the backlog.
 */
enum mailbox_select {
	MAILBOX_SELECT_FIRST,
	MAILBOX_SELECT_TYPE,
	MAILBOX_SELECT_TYPE_UP_TO,
	MAILBOX_SELECT_TYPE_NOT,
	MAILBOX_SELECT_SENDER,
	MAILBOX_SELECT_PRIORITY,
	MAILBOX_SELECT_INDEX,
};

/**
 * enum mailbox_flag - flags of the calls; each call says which it knows
 * @MAILBOX_NONBLOCK: fail with EAGAIN instead of waiting. On CREATE, OPEN and RESTRICT
 *	it sets O_NONBLOCK on the handle, which means the same for all its calls.
 * @MAILBOX_DEADLINE: wait no longer than until deadline, then ETIMEDOUT. What
 *	can be done without waiting is done however late it is.
 * @MAILBOX_EXPIRES: the message is dropped when expiry passes before it is taken
 * @MAILBOX_PEEK: copy the message, leave it where it is
 * @MAILBOX_TRUNCATE: a message longer than the buffer is cut, not refused
 * @MAILBOX_PERMANENT: the mailbox stays when its last handle is closed
 * @MAILBOX_FIXED_SIZE: every message has exactly message_size bytes
 * @MAILBOX_LEASE: the message comes back unless it is acknowledged
 * @MAILBOX_RECEIPT: a receipt goes to a mailbox when the message ends
 * @MAILBOX_RECEIPT_WAIT: the call waits until the message has ended, and returns the
 *	receipt
 * @MAILBOX_CUT_OFF: the handle, of a broadcast mailbox and with the right to receive, is cut
 *	off when it is too slow, instead of missing messages
 * @MAILBOX_ANSWER: a message that is a call is received to be answered, see DOC: Calls
 * @MAILBOX_FILES: the message has files, or those that it has are wanted
 * @MAILBOX_LANE_RECEIVE: of the calls of lanes: the caller is the receiver
 * @MAILBOX_IDENTIFY: of SEND_TO: only say which process it is
 * @MAILBOX_LOAN: the message has a piece of the region for its payload, or one that has is
 *	wanted, see DOC: Loans
 * @MAILBOX_NO_RESTART: a signal that is handled ends the wait with EINTR, also where its handler
 *	was installed with SA_RESTART, as it does for msgrcv(2). One that only stops the process
 *	and lets it go on (SIGSTOP, SIGCONT) does not.
 * @MAILBOX_STREAM: read(2) of the handle takes bytes, not messages, see DOC: Streams
 * @MAILBOX_NOTIFY_ONCE: of NOTIFY: what is told first is told last
 * @MAILBOX_NOTIFY_EXCLUSIVE: of NOTIFY: of all that ask for this only one has it
 * @MAILBOX_REVOKE_ALL: of REVOKE: every handle that RESTRICT has made by then, and what was derived
 *	from those
 */
enum mailbox_flag {
	MAILBOX_NONBLOCK = 1 << 0,
	MAILBOX_DEADLINE = 1 << 1,
	MAILBOX_EXPIRES = 1 << 2,
	MAILBOX_PEEK = 1 << 3,
	MAILBOX_TRUNCATE = 1 << 4,
	MAILBOX_PERMANENT = 1 << 5,
	MAILBOX_FIXED_SIZE = 1 << 6,
	MAILBOX_LEASE = 1 << 7,
	MAILBOX_RECEIPT = 1 << 8,
	MAILBOX_RECEIPT_WAIT = 1 << 9,
	MAILBOX_CUT_OFF = 1 << 10,
	MAILBOX_ANSWER = 1 << 11,
	MAILBOX_FILES = 1 << 12,
	MAILBOX_IDENTIFY = 1 << 13,
	MAILBOX_LOAN = 1 << 14,
	MAILBOX_LANE_RECEIVE = 1 << 15,
	MAILBOX_NO_RESTART = 1 << 16,
	MAILBOX_STREAM = 1 << 17,
	MAILBOX_NOTIFY_ONCE = 1 << 18,
	MAILBOX_NOTIFY_EXCLUSIVE = 1 << 19,
	MAILBOX_REVOKE_ALL = 1 << 20,
};

/**
 * enum mailbox_result - what a receive has to say besides success
 * @MAILBOX_TRUNCATED: the payload was longer than the buffer and was cut, or there were more
 *	files than room for them, and those beyond were not installed
 * @MAILBOX_IS_RECEIPT: the kernel made the message: it is a receipt, its payload a struct
 *	mailbox_receipt. No user can send such a one.
 * @MAILBOX_IS_DEAD_LETTER: the message was moved here by max_deliveries of another mailbox:
 *	that is where its sender has sent it
 * @MAILBOX_IS_CALL: the sender waits for an answer, see DOC: Calls
 * @MAILBOX_HAS_FILES: the message has files, whether they were asked for or not
 * @MAILBOX_IS_LOAN: the payload is in the region, see DOC: Loans
 */
enum mailbox_result {
	MAILBOX_TRUNCATED = 1 << 0,
	MAILBOX_IS_RECEIPT = 1 << 1,
	MAILBOX_IS_DEAD_LETTER = 1 << 2,
	MAILBOX_IS_CALL = 1 << 3,
	MAILBOX_HAS_FILES = 1 << 4,
	MAILBOX_IS_LOAN = 1 << 5,
};

/**
 * struct mailbox_info - MAILBOX_IOC_INFO, on the device and on a handle
 * @size: of this structure
 * @flags: must be 0
 * @version: out, MAILBOX_INTERFACE_VERSION of the module
 * @max_message_size: out, bytes one message may have (module parameter)
 * @features: out, one bit for each later addition to version 1; none yet
 * @max_mailboxes: out, mailboxes one user may own (module parameter)
 * @max_messages: out, messages one user may have queued (module parameter)
 * @max_bytes: out, bytes of kernel memory the queued messages of one user may
 *	take, headers included, and its regions and lanes (module parameter)
 * @mailboxes: out, mailboxes that the calling user owns
 * @messages: out, messages that the calling user is charged for: those queued,
 *	and buffers that mailboxes keep for reuse: a few each, and more at busy
 *	ones, but no more than an eighth of the limit
 * @bytes: out, bytes of kernel memory that these take, and of regions and lanes
 *
 * The per-user figures count over all domains.
 *
 * Errors: EOPNOTSUPP, ENOMEM.
 */
struct mailbox_info {
	__u32 size;
	__u32 flags;
	__u32 version;
	__u32 max_message_size;
	__aligned_u64 features;
	__aligned_u64 max_mailboxes;
	__aligned_u64 max_messages;
	__aligned_u64 max_bytes;
	__aligned_u64 mailboxes;
	__aligned_u64 messages;
	__aligned_u64 bytes;
};

/**
 * struct mailbox_create - MAILBOX_IOC_CREATE, on the device
 * @size: of this structure
 * @flags: MAILBOX_NONBLOCK, MAILBOX_PERMANENT, MAILBOX_FIXED_SIZE, MAILBOX_CUT_OFF,
 *	MAILBOX_STREAM
 * @rights: of the new handle, at least one of enum mailbox_right
 * @mode: permission bits, 0 to 0777: r receive, w send, x manage
 * @policy: one of enum mailbox_policy
 * @capacity: one of enum mailbox_capacity
 * @on_full: one of enum mailbox_on_full
 * @share: most of max_messages and of max_bytes that the messages of one sending
 *	user may take up, in percent, 1 to 100, rounded up; one message always
 *	may. 0 means 100 where mode lets only the owner send, else 50. Mailboxes
 *	that are not bounded, and those that overwrite, have 100 and no other.
 * @message_size: longest message, in bytes; with MAILBOX_FIXED_SIZE the only size.
 *	0 means the max_message_size of MAILBOX_IOC_INFO, or max_bytes if that is
 *	less.
 * @fd: out, the handle
 * @max_messages: messages that a bounded mailbox holds; 0 means 1024, and must be 0
 *	unless it is bounded
 * @max_bytes: bytes of payload that a bounded mailbox holds, at least message_size;
 *	0 means 8 MiB, and must be 0 unless it is bounded
 * @id: out, the id; never used twice in a domain, never 0
 * @name: the name, NUL-terminated: 1 to 255 bytes without '/' and without control
 *	characters; empty for a mailbox without a name
 * @max_deliveries: how often a message is delivered under a lease before it counts as a
 *	dead letter, 0 to MAILBOX_DELIVERIES_MAX; 0: without limit
 * @reserved: must be 0
 * @dead_letter: id of the mailbox that gets dead letters, or 0; the caller must be
 *	allowed to open it for sending. Only with max_deliveries.
 * @region_size: bytes of shared pages, rounded up to whole pages, at most
 *	MAILBOX_REGION_SIZE_MAX; 0: none. See DOC: Shared pages.
 *
 * A mailbox belongs to the effective uid and gid of its creator. While a CREATE is at
 * work its name is taken (EEXIST) but not yet to be found (ENOENT).
 * A message_size above max_message_size needs CAP_SYS_RESOURCE (else EINVAL), as
 * does exceeding a quota (else EDQUOT).
 *
 * Errors: EOPNOTSUPP, EINVAL, EEXIST, EDQUOT, ENOMEM, EMFILE, ENFILE, EIDRM; ENOENT and
 * EACCES for dead_letter.
 */
struct mailbox_create {
	__u32 size;
	__u32 flags;
	__u32 rights;
	__u32 mode;
	__u32 policy;
	__u32 capacity;
	__u32 on_full;
	__u32 share;
	__u32 message_size;
	__s32 fd;
	__aligned_u64 max_messages;
	__aligned_u64 max_bytes;
	__aligned_u64 id;
	char name[MAILBOX_NAME_SIZE];
	__u32 max_deliveries;
	__u32 reserved;
	__aligned_u64 dead_letter;
	__aligned_u64 region_size;
};

/**
 * struct mailbox_open - MAILBOX_IOC_OPEN, on the device
 * @size: of this structure
 * @flags: MAILBOX_NONBLOCK, MAILBOX_CUT_OFF, MAILBOX_STREAM
 * @rights: wanted, at least one of enum mailbox_right; all are granted or none
 * @fd: out, the handle
 * @id: of the mailbox, or 0 to go by name; out, the id
 * @name: of the mailbox when id is 0, else empty
 *
 * Rights come from the mode bits: those for the owner, the group or others,
 * whichever comes first. CAP_DAC_OVERRIDE in the user namespace of the
 * mailbox's owner grants all.
 *
 * Errors: EOPNOTSUPP, EINVAL, ENOENT, EACCES, EBUSY, ENOMEM, EMFILE, ENFILE, EIDRM.
 */
struct mailbox_open {
	__u32 size;
	__u32 flags;
	__u32 rights;
	__s32 fd;
	__aligned_u64 id;
	char name[MAILBOX_NAME_SIZE];
};

/**
 * struct mailbox_destroy - MAILBOX_IOC_DESTROY, on the device or a handle
 * @size: of this structure
 * @flags: must be 0
 * @id: of the mailbox, or 0 to go by name; 0 on a handle
 * @name: of the mailbox when id is 0, else empty; empty on a handle
 *
 * Id and name are gone at once, queued messages are dropped, and every call that
 * waits, and every later one on any handle, fails with EIDRM.
 *
 * Errors: EOPNOTSUPP, EINVAL, ENOENT, EACCES, EIDRM.
 */
struct mailbox_destroy {
	__u32 size;
	__u32 flags;
	__aligned_u64 id;
	char name[MAILBOX_NAME_SIZE];
};

/**
 * struct mailbox_stat - MAILBOX_IOC_STAT on a handle, and one entry of LIST
 * @size: of this structure
 * @flags: must be 0; out, MAILBOX_PERMANENT, MAILBOX_FIXED_SIZE
 * @id: out, the id
 * @uid: out, owner, as the caller's user namespace sees it
 * @gid: out, group, as the caller's user namespace sees it
 * @mode: out, permission bits
 * @rights: out, STAT: rights of this handle; LIST: rights the caller could open
 * @policy: out, see struct mailbox_create
 * @capacity: out, see struct mailbox_create
 * @on_full: out, see struct mailbox_create
 * @share: out, see struct mailbox_create
 * @message_size: out, see struct mailbox_create
 * @handles: out, open handles (a duplicated descriptor is not another one)
 * @max_messages: out, see struct mailbox_create; 0 unless bounded
 * @max_bytes: out, see struct mailbox_create; 0 unless bounded
 * @messages: out, messages in the mailbox, those being copied out, those leased, and
 *	promised receipts included; not those of senders that wait, be it for room or at a
 *	rendezvous
 * @bytes: out, payload bytes in the mailbox
 * @receivers: out, receivers that wait
 * @senders: out, senders that wait
 * @sent: out, messages accepted so far
 * @received: out, messages taken so far: without a lease, or acknowledged; of a broadcast
 *	those that all have got
 * @expired: out, messages dropped because their expiry passed
 * @overwritten: out, messages dropped by MAILBOX_ON_FULL_OVERWRITE; of a broadcast those
 *	that not all had got
 * @created: out, time of creation
 * @last_sent: out, time of the last accepted message, or 0
 * @last_received: out, time of the last taken message, to a tick of the kernel (1 to 10
 *	ms), or 0
 * @last_sender: out, pid of the last sender as the caller sees it, or 0
 * @last_receiver: out, pid of the last receiver as the caller sees it, or 0
 * @name: out, the name, or empty
 * @leased: out, messages under a lease or given back with a delay
 * @redelivered: out, how often a lease has ended without ACK so far, but for those that
 *	expired; also when the message was then dead
 * @dead: out, messages moved to the dead-letter mailbox so far
 * @dropped: out, messages that it could not take, or dropped for want of one, so far; of a
 *	broadcast those that nobody was there to get
 * @dead_letter: out, see struct mailbox_create
 * @max_deliveries: out, see struct mailbox_create
 * @subscribers: out, open handles with the right to receive; of a broadcast those that are
 *	not cut off
 * @promised: out, receipts that are to come, for messages elsewhere that have not ended
 * @region_size: out, bytes of shared pages, or 0
 * @loaned: out, bytes of the region that are lent, those in messages included
 * @loans: out, how many pieces these are
 * @lanes: out, lanes that have a place, see DOC: Lanes
 * @changed: out, time of the last SET that succeeded, else that of creation
 * @creator_uid: out, owner when it was made, as the caller's user namespace sees it
 * @creator_gid: out, group when it was made, likewise
 * @last_mapped: out, time when a process last mapped the region, or 0
 * @last_unmapped: out, time when a mapping of the region last ended, or 0
 * @maps: out, mappings of the region; a child of a fork has its own
 * @last_mapper: out, pid of the process that last mapped the region, or unmapped it, as the
 *	caller sees it, or 0
 *
 * sent == received + expired + overwritten + dead + dropped + messages, at every moment.
 *
 * Errors: EOPNOTSUPP, EACCES, EIDRM, ENOMEM.
 */
struct mailbox_stat {
	__u32 size;
	__u32 flags;
	__aligned_u64 id;
	__u32 uid;
	__u32 gid;
	__u32 mode;
	__u32 rights;
	__u32 policy;
	__u32 capacity;
	__u32 on_full;
	__u32 share;
	__u32 message_size;
	__u32 handles;
	__aligned_u64 max_messages;
	__aligned_u64 max_bytes;
	__aligned_u64 messages;
	__aligned_u64 bytes;
	__u32 receivers;
	__u32 senders;
	__aligned_u64 sent;
	__aligned_u64 received;
	__aligned_u64 expired;
	__aligned_u64 overwritten;
	__aligned_u64 created;
	__aligned_u64 last_sent;
	__aligned_u64 last_received;
	__s32 last_sender;
	__s32 last_receiver;
	char name[MAILBOX_NAME_SIZE];
	__aligned_u64 leased;
	__aligned_u64 redelivered;
	__aligned_u64 dead;
	__aligned_u64 dropped;
	__aligned_u64 dead_letter;
	__u32 max_deliveries;
	__u32 subscribers;
	__aligned_u64 promised;
	__aligned_u64 region_size;
	__aligned_u64 loaned;
	__u32 loans;
	__u32 lanes;
	__aligned_u64 changed;
	__u32 creator_uid;
	__u32 creator_gid;
	__aligned_u64 last_mapped;
	__aligned_u64 last_unmapped;
	__u32 maps;
	__s32 last_mapper;
};

/**
 * struct mailbox_list - MAILBOX_IOC_LIST, on the device
 * @size: of this structure
 * @flags: must be 0
 * @entries: array of struct mailbox_stat
 * @entry_size: bytes of one entry as the caller knows it, at most 4096
 * @nr: entries in the array; out, how many were written, 0 at the end of the list
 * @after: walk on after this id, 0 to begin; out, the id to go on with
 *
 * Lists in order of ids the mailboxes on which the caller could open any right.
 * Mailboxes that come and go during a walk may or may not be in it; each of the
 * others is in it exactly once. size of an entry is set to entry_size.
 *
 * Errors: EOPNOTSUPP, EINVAL, EFAULT, EIDRM, ENOMEM.
 */
struct mailbox_list {
	__u32 size;
	__u32 flags;
	__aligned_u64 entries;
	__u32 entry_size;
	__u32 nr;
	__aligned_u64 after;
};

/**
 * enum mailbox_set_field - which members of struct mailbox_set count
 * @MAILBOX_SET_MODE: mode
 * @MAILBOX_SET_UID: uid; needs CAP_DAC_OVERRIDE in the owner's user namespace.
 *	The mailbox stays on the quota of its creator.
 * @MAILBOX_SET_GID: gid; a group of the caller, or CAP_DAC_OVERRIDE
 * @MAILBOX_SET_PERMANENT: permanent
 * @MAILBOX_SET_ON_FULL: on_full
 * @MAILBOX_SET_SHARE: share
 * @MAILBOX_SET_MESSAGE_SIZE: message_size; not with MAILBOX_FIXED_SIZE
 * @MAILBOX_SET_MAX_MESSAGES: max_messages; only of bounded mailboxes
 * @MAILBOX_SET_MAX_BYTES: max_bytes; only of bounded mailboxes
 * @MAILBOX_SET_REGION_SIZE: region_size; the caller pays for the whole region from then on, if
 *	it grows
 * @MAILBOX_SET_NAME: name; the old one is free at once. ENOENT to take that of a mailbox
 *	without one away
 */
enum mailbox_set_field {
	MAILBOX_SET_MODE = 1 << 0,
	MAILBOX_SET_UID = 1 << 1,
	MAILBOX_SET_GID = 1 << 2,
	MAILBOX_SET_PERMANENT = 1 << 3,
	MAILBOX_SET_ON_FULL = 1 << 4,
	MAILBOX_SET_SHARE = 1 << 5,
	MAILBOX_SET_MESSAGE_SIZE = 1 << 6,
	MAILBOX_SET_MAX_MESSAGES = 1 << 7,
	MAILBOX_SET_MAX_BYTES = 1 << 8,
	MAILBOX_SET_REGION_SIZE = 1 << 9,
	MAILBOX_SET_NAME = 1 << 10,
};

/**
 * struct mailbox_set - MAILBOX_IOC_SET, on a handle with the right to manage
 * @size: of this structure
 * @flags: bits of enum mailbox_set_field; the other members must be 0
 * @mode: see struct mailbox_create
 * @uid: new owner; only the owner, or CAP_DAC_OVERRIDE, changes uid, gid and mode
 * @gid: new group
 * @permanent: 1 or 0; 1 is EINVAL while files are in it, see DOC: Files in messages
 * @on_full: see struct mailbox_create
 * @share: 1 to 100, see struct mailbox_create
 * @message_size: at least 1, see struct mailbox_create
 * @reserved: must be 0
 * @max_messages: at least 1, see struct mailbox_create
 * @max_bytes: at least 1, see struct mailbox_create
 * @region_size: at least 1, and no less than there is, see struct mailbox_create. Programs made
 *	before names could be changed end the structure here.
 * @name: see struct mailbox_create; empty for a mailbox that is to have none
 *
 * All of it happens or none. Rights of handles that are open stay. A limit below
 * what is in the mailbox holds from then on and drops nothing; a higher one lets
 * waiting senders in. Senders that wait do as if they came after the change.
 *
 * Errors: EOPNOTSUPP, EINVAL, EACCES, EPERM, EIDRM; EDQUOT, ENOMEM and ENFILE for region_size;
 * EEXIST and ENOENT for name.
 */
struct mailbox_set {
	__u32 size;
	__u32 flags;
	__u32 mode;
	__u32 uid;
	__u32 gid;
	__u32 permanent;
	__u32 on_full;
	__u32 share;
	__u32 message_size;
	__u32 reserved;
	__aligned_u64 max_messages;
	__aligned_u64 max_bytes;
	__aligned_u64 region_size;
	char name[MAILBOX_NAME_SIZE];
};

/**
 * enum mailbox_end - how a message has ended
 * @MAILBOX_END_RECEIVED: somebody received it, without a lease
 * @MAILBOX_END_ACKNOWLEDGED: who had it under a lease acknowledged it
 * @MAILBOX_END_EXPIRED: its expiry passed
 * @MAILBOX_END_OVERWRITTEN: it made way for others in a full mailbox
 * @MAILBOX_END_DEAD: it was delivered too often, and moved to the dead-letter mailbox
 * @MAILBOX_END_DROPPED: it was delivered too often, and could not be moved
 * @MAILBOX_END_DESTROYED: its mailbox was destroyed
 * @MAILBOX_END_PENDING: it has not ended, but the wait for its receipt has
 */
enum mailbox_end {
	MAILBOX_END_RECEIVED = 1,
	MAILBOX_END_ACKNOWLEDGED,
	MAILBOX_END_EXPIRED,
	MAILBOX_END_OVERWRITTEN,
	MAILBOX_END_DEAD,
	MAILBOX_END_DROPPED,
	MAILBOX_END_DESTROYED,
	MAILBOX_END_PENDING,
};

/**
 * struct mailbox_receipt - how a message has ended
 * @size: of this structure; for MAILBOX_RECEIPT_WAIT as the caller knows it
 * @end: out, one of enum mailbox_end
 * @mailbox: out, id of the mailbox where the message was sent
 * @sequence: out, number of the message there
 * @cookie: out, of its struct mailbox_send
 * @time: out, when it ended, or the wait did
 * @pid: out, process that took it: that received or acknowledged it, or with
 *	MAILBOX_END_PENDING has it under a lease; as the pid namespace of the sender sees it, 0
 *	when it is not visible there. 0 when nobody did.
 * @tid: out, thread that took it, likewise
 * @uid: out, effective user id of who took it, in the user namespace of the sender; 4294967295
 *	when nobody did
 * @gid: out, effective group id of who took it, likewise
 * @deliveries: out, how often it was delivered under a lease, and came back
 * @copies: out, how many took it
 */
struct mailbox_receipt {
	__u32 size;
	__u32 end;
	__aligned_u64 mailbox;
	__aligned_u64 sequence;
	__aligned_u64 cookie;
	__aligned_u64 time;
	__s32 pid;
	__s32 tid;
	__u32 uid;
	__u32 gid;
	__u32 deliveries;
	__u32 copies;
};

/**
 * struct mailbox_send - MAILBOX_IOC_SEND, on a handle with the right to send
 * @size: of this structure
 * @flags: MAILBOX_NONBLOCK, MAILBOX_DEADLINE, MAILBOX_NO_RESTART, MAILBOX_EXPIRES, MAILBOX_FILES,
 *	MAILBOX_LOAN, and one of MAILBOX_RECEIPT and MAILBOX_RECEIPT_WAIT. The last is EINVAL with
 *	MAILBOX_NONBLOCK or O_NONBLOCK, EOPNOTSUPP with MAILBOX_LOAN, and not for entries of a
 *	batch; nor is MAILBOX_LOAN.
 * @data: address of the payload; not looked at when length is 0. With MAILBOX_LOAN must be 0.
 * @length: bytes of payload; with MAILBOX_LOAN no more than the loan has (EMSGSIZE)
 * @priority: 0 to MAILBOX_PRIORITY_MAX; larger ones are received first
 * @type: any number; receivers may select by it
 * @deadline: with MAILBOX_DEADLINE, how long to wait for room, or for the receipt, else
 *	ignored
 * @expiry: with MAILBOX_EXPIRES, when the message is dropped, else ignored
 * @sequence: out, the number of this message in the mailbox: they count up from 1 in
 *	the order of arrival. Left out are numbers of messages that were taken back by
 *	senders who waited for a receiver or a receipt, and of those that somebody was
 *	receiving while their senders waited for room, and then did not receive. Programs
 *	made before there were receipts end the structure here.
 * @receipt: with MAILBOX_RECEIPT, descriptor of a handle with the right to send, on the
 *	mailbox that gets the receipt, else ignored. It must neither be a rendezvous nor
 *	overwrite (EINVAL), and take messages of the length of struct mailbox_receipt
 *	(EMSGSIZE). The mailbox where the message goes will do.
 * @reserved: must be 0 where a receipt is asked for, else ignored
 * @cookie: any number, for the receipt; ignored where none is asked for
 * @receipt_data: with MAILBOX_RECEIPT_WAIT, address of a struct mailbox_receipt, else
 *	ignored. Programs made before there were files end the structure here.
 * @files: with MAILBOX_FILES, address of an array of descriptors, __s32, else ignored. See
 *	DOC: Files in messages.
 * @nr_files: with MAILBOX_FILES, descriptors there, 1 to MAILBOX_FILES_MAX, else ignored
 * @reserved_files: with MAILBOX_FILES must be 0, else ignored. Programs made before there were
 *	loans end the structure here.
 * @loan: number of a loan of this handle, which the message takes along; out, the number of the
 *	new one that @borrow asks for; or 0, where it does not, or where there is none that LOAN
 *	would give without waiting. The message is sent all the same. Without MAILBOX_LOAN
 *	ignored, and not written to.
 * @offset: out, where in the region the new loan begins, or 0; likewise
 * @borrow: with MAILBOX_LOAN, bytes to borrow after the message is sent, or 0. See struct
 *	mailbox_loan, length. Else ignored.
 *
 * Messages of one thread and one priority are received in the order they were sent.
 * Waits when the mailbox is full and was created to wait; see enum mailbox_on_full for who
 * is let in first.
 *
 * Errors: EOPNOTSUPP, EINVAL, EFAULT, EACCES, EPERM, EMSGSIZE, EAGAIN, ETIMEDOUT, EINTR,
 * EDQUOT, ENOMEM, EPIPE, EIDRM; EBADF and ELOOP for files; ESTALE for a loan.
 */
struct mailbox_send {
	__u32 size;
	__u32 flags;
	__aligned_u64 data;
	__u32 length;
	__u32 priority;
	__aligned_u64 type;
	__aligned_u64 deadline;
	__aligned_u64 expiry;
	__aligned_u64 sequence;
	__s32 receipt;
	__u32 reserved;
	__aligned_u64 cookie;
	__aligned_u64 receipt_data;
	__aligned_u64 files;
	__u32 nr_files;
	__u32 reserved_files;
	__aligned_u64 loan;
	__aligned_u64 offset;
	__aligned_u64 borrow;
};

/**
 * struct mailbox_receive - MAILBOX_IOC_RECEIVE, on a handle that may receive
 * @size: of this structure
 * @flags: MAILBOX_NONBLOCK, MAILBOX_DEADLINE, MAILBOX_NO_RESTART, MAILBOX_TRUNCATE, MAILBOX_FILES,
 *	MAILBOX_LOAN, and one of MAILBOX_PEEK, MAILBOX_LEASE and MAILBOX_ANSWER; MAILBOX_LOAN not
 *	for entries of a batch
 * @data: where the payload goes; not looked at when there is none to copy
 * @room: bytes at data
 * @select: one of enum mailbox_select
 * @match: what select compares with; ignored by MAILBOX_SELECT_FIRST
 * @deadline: with MAILBOX_DEADLINE, how long to wait for a message, else ignored
 * @length: out, bytes of payload the message has. Also set when the call fails with
 *	EMSGSIZE: that is the room it needs.
 * @priority: out, of the message
 * @type: out, of the message
 * @sequence: out, number of the message in the mailbox, see struct mailbox_send
 * @time: out, when the kernel accepted the message
 * @expiry: out, when the message would have expired, or 0
 * @pid: out, process that sent it, as the receiver's pid namespace sees it; 0 when
 *	that process is not visible there
 * @tid: out, thread that sent it, likewise
 * @uid: out, effective user id of the sender, in the receiver's user namespace
 * @gid: out, effective group id of the sender, likewise
 * @result: out, bits of enum mailbox_result
 * @deliveries: out, how often the message was delivered under a lease before
 * @lease: with MAILBOX_LEASE, for how many nanoseconds from when the message is taken,
 *	0 for no limit; out, the number of the lease, which ACK, NACK and EXTEND want. With
 *	MAILBOX_ANSWER out, the token that REPLY wants, or 0 where the message is no call.
 *	Else ignored. Programs made before there were leases end the structure before it.
 * @missed: out, only of a mailbox of MAILBOX_POLICY_BROADCAST, else not written to: messages
 *	between the one this handle got last and this one that it has missed. What read(2)
 *	and structures that end before it cannot tell is added to the next one.
 * @answer_room: out, with MAILBOX_ANSWER and of a call, how many bytes the answer may have:
 *	4294967295 when the caller takes what it has room for of any; else 0. Without
 *	MAILBOX_ANSWER not written to. Programs made before there were calls end the structure
 *	before it.
 * @nr_files: with MAILBOX_FILES, room at @files; out, how many files the message has. Also set
 *	when the call fails with EMSGSIZE; other errors leave it as it was. Else ignored.
 * @files: with MAILBOX_FILES, address of an array of __s32, where the descriptors go; not
 *	looked at when there are none to install. What is written there by a call that fails
 *	are no descriptors. See DOC: Files in messages. Programs made before there were loans
 *	end the structure here.
 * @give_back: with MAILBOX_LOAN, a loan of this handle that ends when the call succeeds, whatever
 *	is received, or 0. A call that fails leaves it as it was. Else ignored.
 * @loan: out, with MAILBOX_LOAN: the number of the loan that the message was; 0 where it was none,
 *	with MAILBOX_PEEK, and under a lease. Else not written to.
 * @offset: out, with MAILBOX_LOAN: where in the region the payload begins, length bytes of it; 0
 *	where the message is no loan, and with MAILBOX_PEEK. Data and room do not matter then.
 *
 * Waits until there is a message that matches; the receiver that waited longest is
 * served first. A peek that waits is served with nothing but a look: whoever takes
 * messages goes before it. With MAILBOX_SELECT_SENDER the wait ends with ESRCH when
 * that process ends. A receive that fails, or whose process is killed before the message
 * has been copied, leaves the message in its place. When nothing in the mailbox matches,
 * the message of a sender that waits for room will do.
 *
 * Errors: EOPNOTSUPP, EINVAL, EFAULT, EACCES, EPERM, EBUSY, EMSGSIZE, EAGAIN, ETIMEDOUT,
 * EINTR, ESRCH, EPIPE, ENOBUFS, EIDRM; EMFILE and ENOMEM for files; ESTALE, EDQUOT and ENOMEM
 * for loans.
 */
struct mailbox_receive {
	__u32 size;
	__u32 flags;
	__aligned_u64 data;
	__u32 room;
	__u32 select;
	__aligned_u64 match;
	__aligned_u64 deadline;
	__u32 length;
	__u32 priority;
	__aligned_u64 type;
	__aligned_u64 sequence;
	__aligned_u64 time;
	__aligned_u64 expiry;
	__s32 pid;
	__s32 tid;
	__u32 uid;
	__u32 gid;
	__u32 result;
	__u32 deliveries;
	__aligned_u64 lease;
	__aligned_u64 missed;
	__u32 answer_room;
	__u32 nr_files;
	__aligned_u64 files;
	__aligned_u64 give_back;
	__aligned_u64 loan;
	__aligned_u64 offset;
};

/**
 * struct mailbox_batch - MAILBOX_IOC_SEND_BATCH and MAILBOX_IOC_RECEIVE_BATCH
 * @size: of this structure
 * @flags: MAILBOX_NONBLOCK, MAILBOX_DEADLINE, MAILBOX_NO_RESTART; entries must not have these
 * @entries: array of struct mailbox_send, or of struct mailbox_receive
 * @entry_size: bytes from one entry to the next, at least the size of each, at most
 *	4096
 * @nr: entries in the array, 1 to MAILBOX_BATCH_MAX
 * @done: out, how many entries were done, from the first on. Members marked out of
 *	the next entry, the one that failed, may be written to; those after it are
 *	untouched.
 * @error: out, the errno that stopped the batch before its end, or 0
 * @deadline: with MAILBOX_DEADLINE, how long to wait, else ignored
 *
 * SEND_BATCH waits for room for each message in turn. RECEIVE_BATCH waits for the
 * first message and then takes what is there.
 * When the very first entry fails, the call fails with its error, and with EMSGSIZE
 * the length of that entry says the room that is needed; after that the
 * call succeeds and error says what stopped it. A RECEIVE_BATCH that found fewer
 * messages than entries stops with EAGAIN in error. MAILBOX_PEEK is not for batches.
 */
struct mailbox_batch {
	__u32 size;
	__u32 flags;
	__aligned_u64 entries;
	__u32 entry_size;
	__u32 nr;
	__u32 done;
	__s32 error;
	__aligned_u64 deadline;
};

/**
 * struct mailbox_lease - MAILBOX_IOC_ACK, _NACK, _EXTEND, on a handle that may receive
 * @size: of this structure
 * @flags: must be 0
 * @leases: array of numbers of leases, __u64, that were taken through this handle
 * @nr: numbers in the array, 1 to MAILBOX_BATCH_MAX
 * @done: out, how many leases were dealt with, from the first on
 * @error: out, the errno that stopped the call before the last lease, or 0
 * @reserved: must be 0
 * @time: nanoseconds. ACK: must be 0. NACK: how long the message stays hidden, 0: not at
 *	all. EXTEND: how long the lease goes on from now, 0: without limit.
 *
 * When the very first lease fails, the call fails with its error; after that it succeeds
 * and error says what stopped it.
 *
 * Errors: EOPNOTSUPP, EINVAL, EFAULT, EACCES, ESTALE, EIDRM.
 */
struct mailbox_lease {
	__u32 size;
	__u32 flags;
	__aligned_u64 leases;
	__u32 nr;
	__u32 done;
	__s32 error;
	__u32 reserved;
	__aligned_u64 time;
};

/**
 * struct mailbox_call - MAILBOX_IOC_CALL, on a handle with the right to send
 * @size: of this structure
 * @flags: MAILBOX_NONBLOCK: do not wait for room, nor at a rendezvous for a receiver (also
 *	where the handle has O_NONBLOCK); MAILBOX_DEADLINE; MAILBOX_TRUNCATE: an answer longer
 *	than room is cut, not refused
 * @data: address of the request; not looked at when length is 0
 * @length: bytes of the request
 * @priority: of the request, see struct mailbox_send
 * @type: of the request, see struct mailbox_send
 * @deadline: with MAILBOX_DEADLINE, when the whole call ends, else ignored
 * @answer: where the answer goes; not looked at when there is none to copy
 * @room: bytes at answer
 * @answer_length: out, bytes that the answer has
 * @answer_type: out, what the server says in type
 * @sequence: out, number of the request in the mailbox
 * @pid: out, process that has answered, as the caller's pid namespace sees it; 0 when it is
 *	not visible there
 * @tid: out, thread that has answered, likewise
 * @uid: out, effective user id of who answered, in the caller's user namespace
 * @gid: out, effective group id of who answered, likewise
 * @result: out, MAILBOX_TRUNCATED or 0
 * @reserved: out, 0
 *
 * See DOC: Calls. What a call is refused for before it is sent is as for a send.
 *
 * Errors: EOPNOTSUPP, EINVAL, EFAULT, EACCES, EPERM, EMSGSIZE, EAGAIN, ETIMEDOUT, EINTR,
 * EDQUOT, ENOMEM, EPIPE, ECANCELED, EIDRM.
 */
struct mailbox_call {
	__u32 size;
	__u32 flags;
	__aligned_u64 data;
	__u32 length;
	__u32 priority;
	__aligned_u64 type;
	__aligned_u64 deadline;
	__aligned_u64 answer;
	__u32 room;
	__u32 answer_length;
	__aligned_u64 answer_type;
	__aligned_u64 sequence;
	__s32 pid;
	__s32 tid;
	__u32 uid;
	__u32 gid;
	__u32 result;
	__u32 reserved;
};

/**
 * struct mailbox_reply - MAILBOX_IOC_REPLY and _REPLY_RECEIVE, on a handle that may receive
 * @size: of this structure
 * @flags: must be 0
 * @token: the lease that the request was received with. REPLY_RECEIVE: 0 answers nobody, and
 *	the call is the receive alone, with its errors
 * @data: address of the answer; not looked at when length is 0
 * @length: bytes of the answer: at most the answer_room of the request, nor more than
 *	MAILBOX_MESSAGE_SIZE_MAX, else EMSGSIZE
 * @error: out, REPLY_RECEIVE: the errno that stopped the receive after the answer had gone,
 *	or 0; REPLY: 0
 * @type: any number; the caller gets it as answer_type
 * @receive: REPLY_RECEIVE: address of a struct mailbox_receive; REPLY: must be 0
 *
 * A reply that fails has changed nothing: the token is as good as it was. Then nothing is
 * received either. The struct mailbox_receive is looked at once the answer has gone.
 * EDQUOT and ENOMEM are about a longer answer: the quota is that of who called.
 *
 * Errors: EOPNOTSUPP, EINVAL, EFAULT, EACCES, EMSGSIZE, EINTR, ESTALE, EDQUOT, ENOMEM, EIDRM.
 */
struct mailbox_reply {
	__u32 size;
	__u32 flags;
	__aligned_u64 token;
	__aligned_u64 data;
	__u32 length;
	__s32 error;
	__aligned_u64 type;
	__aligned_u64 receive;
};

/**
 * struct mailbox_sender - MAILBOX_IOC_SENDER, on a handle that may receive
 * @size: of this structure
 * @flags: must be 0
 * @lease: number of a lease that was taken through this handle
 * @pid: out, the process that sent the message, as the caller's pid namespace sees it; 0 when
 *	it is not visible there
 * @reserved: must be 0
 *
 * Succeeds while that process has not ended. See DOC: Who has sent it.
 *
 * Errors: EOPNOTSUPP, EINVAL, EFAULT, EACCES, ESTALE, ESRCH, EIDRM.
 */
struct mailbox_sender {
	__u32 size;
	__u32 flags;
	__aligned_u64 lease;
	__s32 pid;
	__u32 reserved;
};

/**
 * struct mailbox_yield - MAILBOX_IOC_YIELD, on a handle that may receive
 * @size: of this structure
 * @flags: must be 0
 *
 * Gives up the right to receive from a mailbox of MAILBOX_POLICY_ONE. Receives of other
 * threads that wait for a message wait for the right from then on.
 *
 * Errors: EOPNOTSUPP, EACCES, EPERM for who does not have it, EINVAL for other policies,
 * EIDRM.
 */
struct mailbox_yield {
	__u32 size;
	__u32 flags;
};

/**
 * enum mailbox_event - what an eventfd can be signalled for
 * @MAILBOX_EVENT_MESSAGE: a message has arrived, or come back, that no receiver was waiting
 *	for
 *	(or, where one process at a time may receive, another one may now)
 * @MAILBOX_EVENT_ROOM: there is, or may be, more room than before; at a rendezvous, a
 *	receiver has begun to wait
 * @MAILBOX_EVENT_RECEIVER: a receiver has begun to wait for a message; not one that only
 *	looks, nor one that waits for the right to receive
 * @MAILBOX_EVENT_SENDER: a sender has begun to wait, for room or at a rendezvous
 * @MAILBOX_EVENT_NO_RECEIVER: the last handle with the right to receive was closed or revoked
 * @MAILBOX_EVENT_NO_SENDER: the last handle with the right to send was closed or revoked
 * @MAILBOX_EVENT_ABANDONED: who made a call that somebody has gave up: a REPLY fails with ESTALE
 * @MAILBOX_EVENT_ENDED: on the device, and there only: a process has ended that the calling one
 *	had a link with, see DOC: Direct communication
 * @MAILBOX_EVENT_FIRST: a message has arrived, or come back, that no receiver was waiting for, and
 *	it is the only one that can be received, as mq_notify(3) has it. Not on the device, nor of
 *	a broadcast.
 */
enum mailbox_event {
	MAILBOX_EVENT_MESSAGE = 1 << 0,
	MAILBOX_EVENT_ROOM = 1 << 1,
	MAILBOX_EVENT_RECEIVER = 1 << 2,
	MAILBOX_EVENT_SENDER = 1 << 3,
	MAILBOX_EVENT_NO_RECEIVER = 1 << 4,
	MAILBOX_EVENT_NO_SENDER = 1 << 5,
	MAILBOX_EVENT_ABANDONED = 1 << 6,
	MAILBOX_EVENT_ENDED = 1 << 7,
	MAILBOX_EVENT_FIRST = 1 << 8,
};

/**
 * struct mailbox_notify - MAILBOX_IOC_NOTIFY, on a handle or the device
 * @size: of this structure
 * @flags: on a handle MAILBOX_NOTIFY_ONCE: what the eventfd is signalled for first ends it, as a
 *	call with @events 0 would; MAILBOX_NOTIFY_EXCLUSIVE: EBUSY while another handle of the
 *	mailbox has what such a call began, and that has not ended. Neither says anything when
 *	@events is 0. On the device must be 0.
 * @events: bits of enum mailbox_event; 0 ends what an earlier call began
 * @eventfd: descriptor of an eventfd(2); ignored when @events is 0
 *
 * From now on, until the handle is closed, the eventfd is signalled whenever one of the
 * events happens, and when the mailbox is destroyed, the other of a pair leaves, or the handle
 * is revoked, which is the last it is told. A handle
 * has one eventfd: a later call takes the place of an earlier one. It tells of what happens
 * after the call, so whoever looks (STAT, poll) after it misses nothing. What happened is
 * not told apart, several events may be signalled as one, and any may be over by the time
 * somebody looks.
 *
 * On the device it is about direct communication of the calling process, in the domain of the
 * device: MAILBOX_EVENT_MESSAGE and MAILBOX_EVENT_ENDED, and EINVAL for any other. Each process
 * that has the device has an eventfd of its own there, until the device is closed.
 *
 * Errors: EOPNOTSUPP, EINVAL for unknown events and for what is no eventfd, EACCES, EBUSY, ENOMEM,
 * EIDRM; on the device EDQUOT.
 */
struct mailbox_notify {
	__u32 size;
	__u32 flags;
	__u32 events;
	__s32 eventfd;
};

/**
 * struct mailbox_restrict - MAILBOX_IOC_RESTRICT, on a handle
 * @size: of this structure
 * @flags: MAILBOX_NONBLOCK, MAILBOX_STREAM
 * @rights: of the new handle: at least one of enum mailbox_right, and none that this one
 *	has not; all of them is allowed, to get a grant
 * @fd: out, the new handle
 * @grant: out, its number, never used twice in a mailbox, never 0. They count up; those of
 *	calls that failed are left out.
 *
 * See DOC: Derived handles. Who owns the mailbox, and what its mode bits are now, does not
 * matter, nor does who calls. With a policy, it is as an OPEN by the calling process. Fails
 * with EMLINK when this handle has MAILBOX_DERIVE_MAX - 1 above it that were derived, too.
 *
 * Errors: EOPNOTSUPP, EINVAL, EACCES, EMLINK, EBUSY, ENOMEM, EMFILE, ENFILE, EIDRM.
 */
struct mailbox_restrict {
	__u32 size;
	__u32 flags;
	__u32 rights;
	__s32 fd;
	__aligned_u64 grant;
};

/**
 * struct mailbox_revoke - MAILBOX_IOC_REVOKE, on a handle with the right to manage
 * @size: of this structure
 * @flags: MAILBOX_REVOKE_ALL or 0
 * @grant: of the handle; with MAILBOX_REVOKE_ALL must be 0: every derived handle of the mailbox
 *	is revoked, also when there is none
 *
 * See DOC: Derived handles. Who revokes the handle it does so with, or one that this was
 * derived from, succeeds once. To revoke what is revoked changes nothing, and succeeds while
 * any of these handles is open; after that, as with a number that never was, it is ENOENT.
 * Returns when all has taken effect. It does not wait for anybody, but the time that it takes
 * grows with the number of handles, waiting calls and leases that it ends.
 *
 * Errors: EOPNOTSUPP, EINVAL, EACCES, ENOENT, EIDRM.
 */
struct mailbox_revoke {
	__u32 size;
	__u32 flags;
	__aligned_u64 grant;
};

/**
 * struct mailbox_loan - MAILBOX_IOC_LOAN, on a handle with the right to send
 * @size: of this structure
 * @flags: MAILBOX_NONBLOCK: do not wait for a piece (also where the handle has O_NONBLOCK);
 *	MAILBOX_DEADLINE
 * @length: bytes wanted, 1 to 4294967295. Longer than the region is EMSGSIZE, so is any where
 *	there is none.
 * @deadline: with MAILBOX_DEADLINE, how long to wait, else ignored
 * @give_back: a loan of this handle that ends when the call succeeds, or 0; its piece may be the
 *	one that is lent then. A call that fails leaves it as it was.
 * @loan: out, the number of the new loan
 * @offset: out, where in the region it begins
 *
 * See DOC: Loans. Policies do not matter. The record of a loan, some hundred bytes, is charged
 * to the caller until the piece is free again.
 *
 * Should the memory of the structure disappear while the call waits, or the caller be killed, the
 * new loan ends at once: nobody knows of it. The call then fails with EFAULT; but it succeeds when
 * @give_back has ended.
 *
 * Errors: EOPNOTSUPP, EINVAL, EFAULT, EACCES, EMSGSIZE, ESTALE, EAGAIN, ETIMEDOUT, EINTR, EDQUOT,
 * ENOMEM, EIDRM.
 */
struct mailbox_loan {
	__u32 size;
	__u32 flags;
	__aligned_u64 length;
	__aligned_u64 deadline;
	__aligned_u64 give_back;
	__aligned_u64 loan;
	__aligned_u64 offset;
};

/**
 * struct mailbox_return - MAILBOX_IOC_RETURN, on a handle with the right to send or to receive
 * @size: of this structure
 * @flags: must be 0
 * @loan: of this handle; it ends. 0 is EINVAL.
 *
 * See DOC: Loans.
 *
 * Errors: EOPNOTSUPP, EINVAL, EACCES, ESTALE, EIDRM.
 */
struct mailbox_return {
	__u32 size;
	__u32 flags;
	__aligned_u64 loan;
};

/**
 * struct mailbox_direct - MAILBOX_IOC_SEND_TO and MAILBOX_IOC_RECEIVE_FROM, on the device
 * @size: of this structure
 * @flags: SEND_TO: MAILBOX_IDENTIFY; else must be 0
 * @pid: the process that is to receive, or that has sent, as the caller sees it.
 *	RECEIVE_FROM: 0 for any
 * @reserved: must be 0
 * @message: address of a struct mailbox_send, or of a struct mailbox_receive. Not looked at
 *	with MAILBOX_IDENTIFY.
 * @process: 0; or what MAILBOX_IDENTIFY said: then pid must stand for the same process, or
 *	the call fails with ESRCH. With MAILBOX_IDENTIFY: out, a number that no other process
 *	gets that has this pid before or after it.
 *
 * See DOC: Direct communication. A struct mailbox_send may have the flags MAILBOX_NONBLOCK,
 * MAILBOX_DEADLINE and MAILBOX_EXPIRES; its sequence is the number of the message in the inbox
 * of the receiver. A struct mailbox_receive may have the flags MAILBOX_NONBLOCK,
 * MAILBOX_DEADLINE, MAILBOX_PEEK and MAILBOX_TRUNCATE, and any select where pid is 0, else
 * MAILBOX_SELECT_FIRST (EINVAL): the first from that process. O_NONBLOCK of the device means
 * the same as MAILBOX_NONBLOCK.
 *
 * With MAILBOX_IDENTIFY nothing is sent, and nobody is asked for permission. Who knows a
 * process otherwise than by its pid, by a pidfd for example, asks for the number of the pid,
 * makes sure that the process is still there, so that the number is that of this one, and
 * then sends or receives with both.
 *
 * Errors: EOPNOTSUPP, EINVAL, EFAULT, EPERM, ESRCH, EMSGSIZE, EAGAIN, ETIMEDOUT, EINTR,
 * EDQUOT, ENOMEM, EIDRM.
 */
struct mailbox_direct {
	__u32 size;
	__u32 flags;
	__s32 pid;
	__u32 reserved;
	__aligned_u64 message;
	__aligned_u64 process;
};

/**
 * struct mailbox_link - one link, as LINKS describes it
 * @size: of this structure, set to entry_size
 * @flags: out, 0
 * @pid: out, one of the two processes, as the caller sees it; the caller itself if it is one,
 *	else one to which the caller may send a signal
 * @uid: out, effective user of that process, in the caller's user namespace
 * @peer: out, the other process; 0 when it is not visible
 * @peer_uid: out, its effective user; 4294967295 when it has just ended
 * @number: out, of the link: they count up in the domain
 * @sent: out, messages from pid to peer
 * @received: out, messages from peer to pid, also those that wait
 * @unread: out, how many of received wait
 * @peer_unread: out, how many of sent wait
 * @created: out, when the first message was sent
 */
struct mailbox_link {
	__u32 size;
	__u32 flags;
	__s32 pid;
	__u32 uid;
	__s32 peer;
	__u32 peer_uid;
	__aligned_u64 number;
	__aligned_u64 sent;
	__aligned_u64 received;
	__aligned_u64 unread;
	__aligned_u64 peer_unread;
	__aligned_u64 created;
};

/**
 * struct mailbox_links - MAILBOX_IOC_LINKS, on the device
 * @size: of this structure
 * @flags: must be 0
 * @entries: array of struct mailbox_link
 * @entry_size: bytes of one entry as the caller knows it, at most 4096
 * @nr: entries in the array; out, how many were written, 0 at the end of the list
 * @after: walk on after this number, 0 to begin; out, the number to go on with
 *
 * Lists in order of their numbers the links of the domain of which one process is the caller
 * or may be sent a signal by it, and is visible to it. Links that come and go during a walk may
 * or may not be in it; each of the others is in it exactly once.
 *
 * Errors: EOPNOTSUPP, EINVAL, EFAULT, EINTR, EIDRM.
 */
struct mailbox_links {
	__u32 size;
	__u32 flags;
	__aligned_u64 entries;
	__u32 entry_size;
	__u32 nr;
	__aligned_u64 after;
};

/**
 * enum mailbox_allow_who - who may send to a process directly
 * @MAILBOX_ALLOW_SIGNAL: who may send it a signal; also where nothing else was said
 * @MAILBOX_ALLOW_ANYBODY: any process that can name it
 * @MAILBOX_ALLOW_NOBODY: nobody
 *
 * Those to whom the process has sent something may always answer.
 */
enum mailbox_allow_who {
	MAILBOX_ALLOW_SIGNAL,
	MAILBOX_ALLOW_ANYBODY,
	MAILBOX_ALLOW_NOBODY,
};

/**
 * struct mailbox_allow - MAILBOX_IOC_ALLOW, on the device
 * @size: of this structure
 * @flags: must be 0
 * @who: one of enum mailbox_allow_who
 * @reserved: must be 0
 *
 * Says who may send to the calling process in this domain, from now until the process ends or
 * says otherwise. Sends that wait for room already are not asked again.
 *
 * Errors: EOPNOTSUPP, EINVAL, EDQUOT, ENOMEM, EIDRM.
 */
struct mailbox_allow {
	__u32 size;
	__u32 flags;
	__u32 who;
	__u32 reserved;
};

/**
 * enum mailbox_lane_area - where the parts of a lane begin, in pages from its offset
 * @MAILBOX_LANE_STATE: struct mailbox_lane_state
 * @MAILBOX_LANE_CONSUMER: struct mailbox_lane_consumer
 * @MAILBOX_LANE_PRODUCER: struct mailbox_lane_producer
 * @MAILBOX_LANE_DATA: the ring, to the end
 */
enum mailbox_lane_area {
	MAILBOX_LANE_STATE,
	MAILBOX_LANE_CONSUMER,
	MAILBOX_LANE_PRODUCER,
	MAILBOX_LANE_DATA,
};

/**
 * enum mailbox_lane_end - why a lane goes on no more
 * @MAILBOX_LANE_SENDER_GONE: the sender has closed it, or was closed or revoked
 * @MAILBOX_LANE_RECEIVER_GONE: the receiver has, or was
 * @MAILBOX_LANE_DESTROYED: the mailbox has ended
 */
enum mailbox_lane_end {
	MAILBOX_LANE_SENDER_GONE = 1 << 0,
	MAILBOX_LANE_RECEIVER_GONE = 1 << 1,
	MAILBOX_LANE_DESTROYED = 1 << 2,
};

/**
 * struct mailbox_lane_state - first page of a lane, written by the kernel
 * @receiver_sleeps: not 0: what is committed is to be told by LANE_WAKE
 * @sender_sleeps: not 0: what has been read is to be told by LANE_WAKE
 * @ended: bits of enum mailbox_lane_end; none is ever cleared
 * @opened: number of the newest lane of the mailbox, its lower 32 bits: a receiver that is awake
 *	sees by it that there is another
 */
struct mailbox_lane_state {
	__u32 receiver_sleeps;
	__u32 sender_sleeps;
	__u32 ended;
	__u32 opened;
};

/**
 * struct mailbox_lane_consumer - second page of a lane, written by the receiver
 * @tail: bytes that were read so far; 0 at first
 */
struct mailbox_lane_consumer {
	__aligned_u64 tail;
};

/**
 * struct mailbox_lane_producer - third page of a lane, written by the sender
 * @head: bytes that were committed so far; 0 at first
 */
struct mailbox_lane_producer {
	__aligned_u64 head;
};

/**
 * struct mailbox_lane_record - what stands before each payload in the data of a lane
 * @length: bytes of payload
 * @reserved: 0
 */
struct mailbox_lane_record {
	__u32 length;
	__u32 reserved;
};

/**
 * struct mailbox_lane_open - MAILBOX_IOC_LANE_OPEN, on a handle
 * @size: of this structure
 * @flags: MAILBOX_LANE_RECEIVE or 0
 * @bytes: of the ring. Sender: as many as are wanted, at most MAILBOX_LANE_BYTES_MAX, or 0 for
 *	MAILBOX_LANE_BYTES_DEFAULT; out, rounded up to a power of two and to a page. Receiver: out
 * @lane: sender: must be 0; out, the number of the lane. They count up in a mailbox from 1, none
 *	is used twice. Receiver: a number; out, the smallest that is greater and that of a lane
 *	with a place, or 0 when there is none
 * @offset: out, where mmap(2) finds it; another for the receiver than for the sender; 0 where
 *	there is no lane
 * @place: out, 0 to MAILBOX_LANES_MAX - 1, which no other lane has until the receiver, who was told
 *	of it, has closed it: its bit in @ready of struct mailbox_lane_wait
 * @reserved: must be 0
 *
 * A call of the receiver that succeeds makes it the receiver of lanes, also when there are none.
 * A sender that has a lane already fails with EBUSY, also when that lane has ended: LANE_CLOSE
 * comes first.
 *
 * Errors: EOPNOTSUPP, also for a mailbox of another policy; EINVAL, EACCES, EBUSY, EDQUOT, ENOMEM,
 * ENFILE, EIDRM.
 */
struct mailbox_lane_open {
	__u32 size;
	__u32 flags;
	__aligned_u64 bytes;
	__aligned_u64 lane;
	__aligned_u64 offset;
	__u32 place;
	__u32 reserved;
};

/**
 * struct mailbox_lane_wait - MAILBOX_IOC_LANE_WAIT, on a handle that has lanes
 * @size: of this structure
 * @flags: MAILBOX_LANE_RECEIVE, MAILBOX_NONBLOCK, MAILBOX_DEADLINE
 * @deadline: with MAILBOX_DEADLINE, how long to wait, else ignored
 * @lane: receiver: number of the lane, or 0 for any; sender: number of its lane, or 0
 * @room: sender: how many bytes must be free, at most those of the ring; receiver: must be 0
 * @opened: receiver: number of the newest lane that it knows; out, of the newest lane of the
 *	mailbox. Sender: must be 0
 * @ready: out, one bit for each lane, 1 << place. Receiver: lanes that it looked at and where
 *	there is something to read, or that the sender has left, so that they are to be closed,
 *	once they are empty. Sender: the bit of its lane
 *
 * The wait of a receiver ends when a lane is ready, or there is a newer lane than @opened; then
 * LANE_OPEN tells of it. The wait of a sender ends when there is room, or its index is so that
 * the lane is broken, and with EPIPE when the receiver is gone, however much room there is.
 * With MAILBOX_NONBLOCK, or on a handle with O_NONBLOCK, EAGAIN instead of waiting, and nothing
 * says that anybody sleeps.
 *
 * Errors: EOPNOTSUPP, EINVAL, ENOENT for a handle that has no lane, or not that one, or is not the
 * receiver of lanes; EACCES, EAGAIN, ETIMEDOUT, EINTR, EPIPE, EIDRM.
 */
struct mailbox_lane_wait {
	__u32 size;
	__u32 flags;
	__aligned_u64 deadline;
	__aligned_u64 lane;
	__aligned_u64 room;
	__aligned_u64 opened;
	__aligned_u64 ready;
};

/**
 * struct mailbox_lane_wake - MAILBOX_IOC_LANE_WAKE, on a handle that has lanes
 * @size: of this structure
 * @flags: MAILBOX_LANE_RECEIVE or 0
 * @lane: receiver: number of the lane whose sender is to be woken; sender: number of its lane, or 0
 *
 * Wakes the other side, whether it sleeps or not, and clears receiver_sleeps or sender_sleeps.
 * Who has woken up looks again, and says again that it sleeps if it does.
 *
 * Errors: EOPNOTSUPP, EACCES, ENOENT as for LANE_WAIT, EIDRM.
 */
struct mailbox_lane_wake {
	__u32 size;
	__u32 flags;
	__aligned_u64 lane;
};

/**
 * struct mailbox_lane_close - MAILBOX_IOC_LANE_CLOSE, on a handle that has lanes
 * @size: of this structure
 * @flags: MAILBOX_LANE_RECEIVE or 0
 * @lane: receiver: number of the lane, or 0 for all, and to be the receiver of lanes no more;
 *	sender: number of its lane, or 0
 *
 * See DOC: Lanes. Mappings stay.
 *
 * Errors: EOPNOTSUPP, EACCES, ENOENT as for LANE_WAIT, EIDRM.
 */
struct mailbox_lane_close {
	__u32 size;
	__u32 flags;
	__aligned_u64 lane;
};

#define MAILBOX_IOC_MAGIC 0xBC

/*
 * The size travels in the structure, so a command keeps its number when its
 * structure grows.
 */
#define MAILBOX_IOC_INFO	  _IO(MAILBOX_IOC_MAGIC, 0x00)
#define MAILBOX_IOC_CREATE	  _IO(MAILBOX_IOC_MAGIC, 0x01)
#define MAILBOX_IOC_OPEN	  _IO(MAILBOX_IOC_MAGIC, 0x02)
#define MAILBOX_IOC_DESTROY	  _IO(MAILBOX_IOC_MAGIC, 0x03)
#define MAILBOX_IOC_LIST	  _IO(MAILBOX_IOC_MAGIC, 0x04)
#define MAILBOX_IOC_SEND_TO	  _IO(MAILBOX_IOC_MAGIC, 0x05)
#define MAILBOX_IOC_RECEIVE_FROM  _IO(MAILBOX_IOC_MAGIC, 0x06)
#define MAILBOX_IOC_LINKS	  _IO(MAILBOX_IOC_MAGIC, 0x07)
#define MAILBOX_IOC_ALLOW	  _IO(MAILBOX_IOC_MAGIC, 0x08)
#define MAILBOX_IOC_STAT	  _IO(MAILBOX_IOC_MAGIC, 0x10)
#define MAILBOX_IOC_SET		  _IO(MAILBOX_IOC_MAGIC, 0x11)
#define MAILBOX_IOC_NOTIFY	  _IO(MAILBOX_IOC_MAGIC, 0x12)
#define MAILBOX_IOC_SEND	  _IO(MAILBOX_IOC_MAGIC, 0x20)
#define MAILBOX_IOC_RECEIVE	  _IO(MAILBOX_IOC_MAGIC, 0x21)
#define MAILBOX_IOC_SEND_BATCH	  _IO(MAILBOX_IOC_MAGIC, 0x22)
#define MAILBOX_IOC_RECEIVE_BATCH _IO(MAILBOX_IOC_MAGIC, 0x23)
#define MAILBOX_IOC_ACK		  _IO(MAILBOX_IOC_MAGIC, 0x24)
#define MAILBOX_IOC_NACK	  _IO(MAILBOX_IOC_MAGIC, 0x25)
#define MAILBOX_IOC_EXTEND	  _IO(MAILBOX_IOC_MAGIC, 0x26)
#define MAILBOX_IOC_YIELD	  _IO(MAILBOX_IOC_MAGIC, 0x27)
#define MAILBOX_IOC_RESTRICT	  _IO(MAILBOX_IOC_MAGIC, 0x28)
#define MAILBOX_IOC_REVOKE	  _IO(MAILBOX_IOC_MAGIC, 0x29)
#define MAILBOX_IOC_CALL	  _IO(MAILBOX_IOC_MAGIC, 0x2a)
#define MAILBOX_IOC_REPLY	  _IO(MAILBOX_IOC_MAGIC, 0x2b)
#define MAILBOX_IOC_REPLY_RECEIVE _IO(MAILBOX_IOC_MAGIC, 0x2c)
#define MAILBOX_IOC_SENDER	  _IO(MAILBOX_IOC_MAGIC, 0x2d)
#define MAILBOX_IOC_LOAN	  _IO(MAILBOX_IOC_MAGIC, 0x30)
#define MAILBOX_IOC_RETURN	  _IO(MAILBOX_IOC_MAGIC, 0x31)
#define MAILBOX_IOC_LANE_OPEN	  _IO(MAILBOX_IOC_MAGIC, 0x32)
#define MAILBOX_IOC_LANE_WAIT	  _IO(MAILBOX_IOC_MAGIC, 0x33)
#define MAILBOX_IOC_LANE_WAKE	  _IO(MAILBOX_IOC_MAGIC, 0x34)
#define MAILBOX_IOC_LANE_CLOSE	  _IO(MAILBOX_IOC_MAGIC, 0x35)

#endif /* _UAPI_LINUX_MAILBOX_H */
