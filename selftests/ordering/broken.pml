/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The rules of a lane, each as it is and, behind its WITHOUT_, broken.
 */

#ifdef POLL
#define POLLS			true
#else
#define POLLS			false
#endif

/* Each side, between its index and its look whether the other sleeps. */
#ifdef WITHOUT_SENDER_BARRIER
#define SENDER_BARRIER		skip
#else
#define SENDER_BARRIER		FULL_BARRIER(SENDER)
#endif
#ifdef WITHOUT_RECEIVER_BARRIER
#define RECEIVER_BARRIER	skip
#else
#define RECEIVER_BARRIER	FULL_BARRIER(RECEIVER)
#endif

/* Who is about to sleep, between saying so and its look at the index. */
#ifdef WITHOUT_WAIT_BARRIER
#define WAIT_BARRIER(me)	skip
#else
#define WAIT_BARRIER(me)	FULL_BARRIER(me)
#endif
#if defined(WITHOUT_SAYING_AGAIN)
#define BEGIN_TO_WAIT		said = false
#define SAY_THAT_ONE_SLEEPS(me) \
	if \
	:: said \
	:: else -> STORE(me, SLEEPS(me), 1, PLAIN); WAIT_BARRIER(me); said = true \
	fi
#define SAY_IT_LATE(me)		skip
#elif defined(WITHOUT_SAYING_FIRST)
#define BEGIN_TO_WAIT		skip
#define SAY_THAT_ONE_SLEEPS(me)	skip
#define SAY_IT_LATE(me)		STORE(me, SLEEPS(me), 1, PLAIN); WAIT_BARRIER(me)
#else
#define BEGIN_TO_WAIT		skip
#define SAY_THAT_ONE_SLEEPS(me)	STORE(me, SLEEPS(me), 1, PLAIN); WAIT_BARRIER(me)
#define SAY_IT_LATE(me)		skip
#endif

/* Who wakes clears the word either before the other says that it sleeps, or after it has joined. */
#ifdef WITHOUT_LOCK_OF_LANES
#define LOCK_LANES(me)		skip
#define UNLOCK_LANES(me)	skip
#define LOOKS_FIRST(stays)	true
#else
#define LOCK_LANES(me)		LOCK(me, LANES)
#define UNLOCK_LANES(me)	UNLOCK(me, LANES)
#define LOOKS_FIRST(stays)	(stays)
#endif

/* Records before the index that commits them. */
#ifdef WITHOUT_RELEASE_OF_HEAD
#define RELEASE_HEAD		PLAIN
#else
#define RELEASE_HEAD		RELEASE
#endif

/* The index before the records. */
#ifdef WITHOUT_ACQUIRE_OF_HEAD
#define LOAD_WORD_EARLY		LOAD(RECEIVER, WORD(tail, 0), early)
#define WORD_LOADED_EARLY	if :: head - tail == 1 -> word = early :: true fi
#else
#define LOAD_WORD_EARLY		skip
#define WORD_LOADED_EARLY	skip
#endif

/* Loads of a record before the index that gives its slot back. */
#ifdef WITHOUT_RELEASE_OF_TAIL
#define TAIL_EARLY \
	if \
	:: STORE(RECEIVER, TAIL, tail + 1, PLAIN) \
	:: true \
	fi
#else
#define TAIL_EARLY		skip
#endif

/* All that was committed before the word that there will be no more. */
#ifdef WITHOUT_RELEASE_OF_END
#define RELEASE_ENDED		PLAIN
#else
#define RELEASE_ENDED		RELEASE
#endif
#ifdef WITHOUT_LOOK_AT_END_FIRST
#define LOOK_AT_BOTH \
	LOAD(RECEIVER, HEAD, head); \
	LOAD(RECEIVER, ENDED(SENDER), gone)
#else
#define LOOK_AT_BOTH \
	LOAD(RECEIVER, ENDED(SENDER), gone); \
	LOAD(RECEIVER, HEAD, head)
#endif
#ifdef WITHOUT_WAKE_AT_END
#define WAKE_AT_THE_END(me, other, stays) skip
#else
#define WAKE_AT_THE_END(me, other, stays) WAKE_QUEUE(me, other, stays)
#endif
