/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A lane: a sender that fills a ring, a receiver that empties it, the calls LANE_WAIT and
 * LANE_WAKE by which they sleep and wake each other, and the end of either at any moment.
 *
 *	SLOTS=n		records that the ring holds
 *	WEAK		memory.pml
 *	POLL		the receiver waits by poll(2), which stays in the wait queue
 *	WITHOUT_...	broken.pml
 *
 * What must hold: each record that was committed is received, once, in order and whole, but
 * where the receiver was killed; and nobody sleeps for ever, which is what spin calls an
 * invalid end state.
 */
#define SENDER		0
#define RECEIVER	1
#define PROCESSORS	2

/* Records that are sent: one more than any ring here holds, so that a slot is used again. */
#define RECORDS		3

#define HEAD		0
#define TAIL		1
#define SLEEPS(side)	(2 + (side))
#define ENDED(side)	(4 + (side))
#define QUEUE(side)	(6 + (side))
#define LANES		8
#define WORD(nr, half)	(9 + 2 * ((nr) % SLOTS) + (half))
#define PLACES		(9 + 2 * SLOTS)

/* Their names, the last first. */
mtype = {
	word_3, word_2, word_1, word_0, lock_of_lanes, queue_of_receiver, queue_of_sender,
	receiver_ended, sender_ended, receiver_sleeps, sender_sleeps, tail_of_ring, head_of_ring
};

#include "memory.pml"
#include "broken.pml"

/*
 * Of the kernel. At QUEUE is the lock of a wait queue, at LANES that of struct mbx_lanes. What
 * the former guards needs no buffer: who takes it next sees it.
 */
bool waits[2];
bool awake[2];

/* Signals that may still end a sleep. */
byte signals[2] = 1;

/* For the last assertion, and known to nobody else: records that the sender has committed. */
byte committed;

/* SIGKILL, which the kernel looks for on its way back to the program. */
#define MAY_BE_KILLED	if :: true :: goto killed fi

inline JOIN_QUEUE(me)
{
	LOCK(me, QUEUE(me));
	d_step { waits[me] = true; awake[me] = false };
	UNLOCK(me, QUEUE(me))
}

inline LEAVE_QUEUE(me)
{
	LOCK(me, QUEUE(me));
	d_step { waits[me] = false; awake[me] = false };
	UNLOCK(me, QUEUE(me))
}

/* wake_up(): whoever is woken leaves the queue, but for a poller. */
inline WAKE_QUEUE(me, other, stays)
{
	LOCK(me, QUEUE(other));
	if
	:: waits[other] ->
		/* Of try_to_wake_up(). */
		FULL_BARRIER(me);
		d_step { awake[other] = true; waits[other] = stays }
	:: else
	fi;
	UNLOCK(me, QUEUE(other))
}

/* LANE_WAKE. Pollers are looked for first. */
inline WAKE(me, other, stays)
{
	LOCK_LANES(me);
	STORE(me, SLEEPS(other), 0, PLAIN);
	if
	:: stays -> FULL_BARRIER(me)
	:: !stays
	fi;
	if
	:: LOOKS_FIRST(stays) && !waits[other]
	:: else -> WAKE_QUEUE(me, other, stays)
	fi;
	UNLOCK_LANES(me)
}

/*
 * LANE_WAIT until what is seen at where is enough, or the other side has ended, or a signal
 * comes. A poller has joined before and goes on being told.
 */
inline WAIT(me, other, where, enough, polls)
{
	BEGIN_TO_WAIT;
	do
	:: if
	   :: polls && waits[me] -> awake[me] = false
	   :: else -> JOIN_QUEUE(me)
	   fi;
	   /* set_current_state(), or poll_schedule_timeout() */
	   FULL_BARRIER(me);
	   LOCK(me, LANES);
	   SAY_THAT_ONE_SLEEPS(me);
	   LOAD(me, where, seen);
	   LOAD(me, ENDED(other), gone);
	   SAY_IT_LATE(me);
	   UNLOCK(me, LANES);
	   if
	   :: enough || gone -> break
	   :: else
	   fi;
	   printf("sleep\n");
	   if
	   :: awake[me] -> printf("woken\n")
	   :: signals[me] > 0 -> signals[me]--; break
	   fi
	od;
	LEAVE_QUEUE(me)
}

/* What the kernel does for a handle that is closed, by whatever way. */
inline END(me, other, stays)
{
	LOCK(me, LANES);
	STORE(me, ENDED(me), 1, RELEASE_ENDED);
	WAKE_AT_THE_END(me, other, stays);
	UNLOCK(me, LANES)
}

active proctype sender()
{
	byte head, tail, seen, step;
	bit sleeps, gone, said;

	do
	:: head == RECORDS && committed == RECORDS -> break
	:: head < RECORDS && head - tail < SLOTS ->
		STORE(SENDER, WORD(head, 0), head + 1, PLAIN);
		MAY_BE_KILLED;
		STORE(SENDER, WORD(head, 1), head + 1, PLAIN);
		MAY_BE_KILLED;
		head++
	:: committed < head ->
		atomic { STORE(SENDER, HEAD, head, RELEASE_HEAD); committed = head };
		MAY_BE_KILLED;
		SENDER_BARRIER;
		LOAD(SENDER, SLEEPS(RECEIVER), sleeps);
		MAY_BE_KILLED;
		if
		:: sleeps -> WAKE(SENDER, RECEIVER, POLLS)
		:: else
		fi
	:: head < RECORDS && head - tail == SLOTS && committed == head ->
		LOAD(SENDER, ENDED(RECEIVER), gone);
		LOAD(SENDER, TAIL, tail);
		assert(tail <= head);
		if
		:: gone -> break
		:: !gone && head - tail < SLOTS
		:: !gone && head - tail == SLOTS ->
			WAIT(SENDER, RECEIVER, TAIL, head - seen < SLOTS, false);
			MAY_BE_KILLED
		fi
	od;
killed:
	END(SENDER, RECEIVER, POLLS)
}

active proctype receiver()
{
	byte head, tail, released, word, seen, step, early;
	bit sleeps, gone, said;

	do
	:: tail < head ->
		TAIL_EARLY;
		LOAD(RECEIVER, WORD(tail, 0), word);
		WORD_LOADED_EARLY;
		assert(word == tail + 1);
		MAY_BE_KILLED;
		LOAD(RECEIVER, WORD(tail, 1), word);
		assert(word == tail + 1);
		word = 0;
		MAY_BE_KILLED;
		tail++
	:: released < tail ->
		STORE(RECEIVER, TAIL, tail, RELEASE);
		released = tail;
		MAY_BE_KILLED;
		RECEIVER_BARRIER;
		LOAD(RECEIVER, SLEEPS(SENDER), sleeps);
		MAY_BE_KILLED;
		if
		:: sleeps -> WAKE(RECEIVER, SENDER, false)
		:: else
		fi
	:: tail == head && released == tail ->
		LOAD_WORD_EARLY;
		/* In this order, or what was committed last is lost. */
		LOOK_AT_BOTH;
		assert(head >= tail && head - tail <= SLOTS);
		if
		:: gone && head == tail -> break
		:: head > tail
		:: !gone && head == tail ->
			WAIT(RECEIVER, SENDER, HEAD, seen > tail, POLLS);
			MAY_BE_KILLED
		fi
	od;
	assert(tail == committed);
	goto ends;
killed:
	skip;
ends:
	END(RECEIVER, SENDER, false)
}

/* What each of the two has stored. */
active [2] proctype processor()
{
	byte chosen, step;
	bool earlier;

end_unused:
	LET_BE_SEEN(_pid - 2)
}
