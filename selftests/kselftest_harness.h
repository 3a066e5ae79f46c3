/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A test harness, with the macro names of the kernel's own.
 *
 *	FIXTURE(box) { int fd; };
 *	FIXTURE_SETUP(box) { self->fd = ...; ASSERT_LE(0, self->fd); }
 *	FIXTURE_TEARDOWN(box) { close(self->fd); }
 *	TEST_F(box, is_empty) { EXPECT_EQ(0, ...); }
 *	TEST_HARNESS_MAIN
 *
 * Every test runs in a process of its own, which has to reap its children and to
 * end within its time. EXPECT_* and ASSERT_* may be used in functions, threads and
 * forked children of a test too: failures are counted in shared memory. The block
 * that may follow a check runs when it failed: EXPECT_EQ(a, b) TH_LOG("i is %d", i);
 *
 * A program prints TAP and exits 0 (passed), 1 (failed) or 4 (all were skipped).
 */
#ifndef SELFTESTS_KSELFTEST_HARNESS_H
#define SELFTESTS_KSELFTEST_HARNESS_H

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#define KSFT_PASS 0
#define KSFT_FAIL 1
#define KSFT_SKIP 4

/* Seconds. A slow emulated machine with two cores has to manage. */
#define TH_TIMEOUT 60

struct th_fixture;

struct th_variant {
	const char *name;
	const void *data;
	struct th_fixture *fixture;
	struct th_variant *next;
};

struct th_fixture {
	const char *name;
	size_t size;
	void (*setup)(void *self, const void *variant);
	void (*teardown)(void *self, const void *variant);
	struct th_variant *variants;
};

struct th_test {
	const char *name;
	struct th_fixture *fixture;
	void (*run)(void *self, const void *variant);
	unsigned int timeout;
	int signal;
	struct th_test *next;
};

/* What a test says about itself; seen by all processes of the test. */
struct th_report {
	int failures;
	int skipped;
	char reason[256];
};

static struct th_report *th_report;
static struct th_test *th_tests;
static struct th_test **th_tests_end = &th_tests;
static jmp_buf th_escape;
static pid_t th_escape_tid;

/* One write for each line: lines of several processes must not mix. */
static inline __attribute__((format(printf, 1, 2))) void th_say(const char *format, ...)
{
	char line[1024];
	va_list args;
	int len;

	va_start(args, format);
	len = vsnprintf(line, sizeof(line) - 1, format, args);
	va_end(args);
	if (len < 0)
		return;
	if (len > (int)sizeof(line) - 2)
		len = sizeof(line) - 2;
	line[len++] = '\n';
	if (write(STDOUT_FILENO, line, len) != len)
		_exit(KSFT_FAIL);
}

/* Back to the harness for the teardown where that can be reached, else out. */
static inline __attribute__((noreturn)) void th_abort(void)
{
	if (syscall(SYS_gettid) == th_escape_tid)
		longjmp(th_escape, 1);
	_exit(KSFT_FAIL);
}

static inline bool th_failed(bool abort)
{
	if (abort)
		th_abort();
	return true;
}

static inline void th_count_failure(void)
{
	__atomic_add_fetch(&th_report->failures, 1, __ATOMIC_RELAXED);
}

static inline __attribute__((format(printf, 1, 2))) void th_skip(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(th_report->reason, sizeof(th_report->reason), format, args);
	va_end(args);
	__atomic_store_n(&th_report->skipped, 1, __ATOMIC_RELEASE);
}

/* An integer of any type, so that checks may mix signs and widths. */
struct th_value {
	uint64_t bits;
	bool negative;
};

enum th_op { TH_EQ, TH_NE, TH_LT, TH_LE, TH_GT, TH_GE };

static inline int th_order(struct th_value a, struct th_value b)
{
	if (a.negative != b.negative)
		return a.negative ? -1 : 1;
	return a.bits < b.bits ? -1 : a.bits > b.bits;
}

static inline void th_print(char *buf, size_t size, struct th_value value)
{
	if (value.negative)
		snprintf(buf, size, "%lld", (long long)value.bits);
	else if (value.bits < 1000000)
		snprintf(buf, size, "%llu", (unsigned long long)value.bits);
	else
		snprintf(buf, size, "%llu (0x%llx)", (unsigned long long)value.bits,
			 (unsigned long long)value.bits);
}

static inline bool th_compare(const char *file, int line, const char *expected_text,
			      const char *seen_text, enum th_op op, struct th_value expected,
			      struct th_value seen)
{
	static const char *const names[] = { "==", "!=", "<", "<=", ">", ">=" };
	int order = th_order(expected, seen);
	bool ok = op == TH_EQ ? order == 0 :
		  op == TH_NE ? order != 0 :
		  op == TH_LT ? order < 0 :
		  op == TH_LE ? order <= 0 :
		  op == TH_GT ? order > 0 :
				order >= 0;
	char expected_value[64], seen_value[64];

	if (ok)
		return true;
	th_count_failure();
	th_print(expected_value, sizeof(expected_value), expected);
	th_print(seen_value, sizeof(seen_value), seen);
	th_say("# %s:%d: expected %s (%s) %s %s (%s)", file, line, expected_text, expected_value,
	       names[op], seen_text, seen_value);
	return false;
}

static inline bool th_compare_text(const char *file, int line, bool want_same, const char *expected,
				   const char *seen)
{
	if (!strcmp(expected, seen) == want_same)
		return true;
	th_count_failure();
	th_say("# %s:%d: expected '%s' %s '%s'", file, line, expected,
	       want_same ? "==" : "!=", seen);
	return false;
}

static inline bool th_truth(const char *file, int line, const char *text, bool want, bool seen)
{
	if (want == seen)
		return true;
	th_count_failure();
	th_say("# %s:%d: expected %s to be %s", file, line, text, want ? "true" : "false");
	return false;
}

static inline struct th_value th_value(uint64_t bits, bool is_signed)
{
	return (struct th_value){ bits, is_signed && (int64_t)bits < 0 };
}

#define th_value_of(x) \
	({ \
		__typeof__((x) + 0) th_x_ = (x); \
		th_value((uint64_t)th_x_, (__typeof__(th_x_))-1 < (__typeof__(th_x_))1); \
	})
/* A loop that never comes back, so that a block may follow. */
#define th_check(abort, call) for (bool th_ok_ = (call); !th_ok_; th_ok_ = th_failed(abort))
#define TH_HERE		      __FILE__, __LINE__
/* The texts come from the outermost macro: here the names in them are gone. */
#define th_check_op(abort, op, expected, seen, expected_text, seen_text) \
	th_check(abort, th_compare(TH_HERE, expected_text, seen_text, op, th_value_of(expected), \
				   th_value_of(seen)))

/* The expected value comes first. Integers only. */
#define EXPECT_EQ(expected, seen) th_check_op(false, TH_EQ, expected, seen, #expected, #seen)
#define EXPECT_NE(expected, seen) th_check_op(false, TH_NE, expected, seen, #expected, #seen)
#define EXPECT_LT(expected, seen) th_check_op(false, TH_LT, expected, seen, #expected, #seen)
#define EXPECT_LE(expected, seen) th_check_op(false, TH_LE, expected, seen, #expected, #seen)
#define EXPECT_GT(expected, seen) th_check_op(false, TH_GT, expected, seen, #expected, #seen)
#define EXPECT_GE(expected, seen) th_check_op(false, TH_GE, expected, seen, #expected, #seen)
#define EXPECT_TRUE(seen)	  th_check(false, th_truth(TH_HERE, #seen, true, (seen)))
#define EXPECT_FALSE(seen)	  th_check(false, th_truth(TH_HERE, #seen, false, (seen)))
#define EXPECT_STREQ(a, b)	  th_check(false, th_compare_text(TH_HERE, true, (a), (b)))
#define EXPECT_STRNE(a, b)	  th_check(false, th_compare_text(TH_HERE, false, (a), (b)))
#define ASSERT_EQ(expected, seen) th_check_op(true, TH_EQ, expected, seen, #expected, #seen)
#define ASSERT_NE(expected, seen) th_check_op(true, TH_NE, expected, seen, #expected, #seen)
#define ASSERT_LT(expected, seen) th_check_op(true, TH_LT, expected, seen, #expected, #seen)
#define ASSERT_LE(expected, seen) th_check_op(true, TH_LE, expected, seen, #expected, #seen)
#define ASSERT_GT(expected, seen) th_check_op(true, TH_GT, expected, seen, #expected, #seen)
#define ASSERT_GE(expected, seen) th_check_op(true, TH_GE, expected, seen, #expected, #seen)
#define ASSERT_TRUE(seen)	  th_check(true, th_truth(TH_HERE, #seen, true, (seen)))
#define ASSERT_FALSE(seen)	  th_check(true, th_truth(TH_HERE, #seen, false, (seen)))
#define ASSERT_STREQ(a, b)	  th_check(true, th_compare_text(TH_HERE, true, (a), (b)))
#define ASSERT_STRNE(a, b)	  th_check(true, th_compare_text(TH_HERE, false, (a), (b)))

#define TH_LOG(format, ...) th_say("# %s:%d: " format, TH_HERE, ##__VA_ARGS__)
#define SKIP(statement, ...) \
	do { \
		th_skip(__VA_ARGS__); \
		statement; \
	} while (0)

#define th_define_test(fixture_, name_, call_, timeout_, signal_) \
	static struct th_test th_test_##name_ = { \
		#name_, fixture_, call_, timeout_, signal_, NULL \
	}; \
	static void __attribute__((constructor)) th_add_##name_(void) \
	{ \
		*th_tests_end = &th_test_##name_; \
		th_tests_end = &th_test_##name_.next; \
	}

#define th_plain_test(name, timeout, signal) \
	static void name(void); \
	static void th_run_##name(void *self, const void *variant) \
	{ \
		(void)self; \
		(void)variant; \
		name(); \
	} \
	th_define_test(NULL, name, th_run_##name, timeout, signal) static void name(void)
#define TEST(name)		    th_plain_test(name, TH_TIMEOUT, 0)
#define TEST_TIMEOUT(name, seconds) th_plain_test(name, seconds, 0)
/* The test has to end by this signal. */
#define TEST_SIGNAL(name, signal) th_plain_test(name, TH_TIMEOUT, signal)

/* A fixture may have variants; a test of it then runs once with each. */
#define FIXTURE_DATA(fixture) struct th_self_##fixture
#define FIXTURE(fixture) \
	static struct th_fixture th_fixture_##fixture; \
	FIXTURE_DATA(fixture); \
	struct th_variant_of_##fixture; \
	FIXTURE_DATA(fixture)
#define FIXTURE_VARIANT(fixture) struct th_variant_of_##fixture
#define FIXTURE_VARIANT_ADD(fixture_, name_) \
	extern const FIXTURE_VARIANT(fixture_) th_data_##fixture_##_##name_; \
	static void __attribute__((constructor)) th_add_##fixture_##_##name_(void) \
	{ \
		static struct th_variant variant = { .name = #name_, \
						     .data = &th_data_##fixture_##_##name_ }; \
		struct th_variant **end = &th_fixture_##fixture_.variants; \
\
		while (*end) \
			end = &(*end)->next; \
		*end = &variant; \
	} \
	const FIXTURE_VARIANT(fixture_) th_data_##fixture_##_##name_ =
#define th_method(fixture, function) \
	static void function(FIXTURE_DATA(fixture) * self, \
			     const FIXTURE_VARIANT(fixture) * variant); \
	static void th_call_##function(void *self, const void *variant) \
	{ \
		function(self, variant); \
	}
#define th_method_body(fixture, function) \
	static void function(FIXTURE_DATA(fixture) __attribute__((unused)) * self, \
			     const FIXTURE_VARIANT(fixture) __attribute__((unused)) * variant)
#define FIXTURE_SETUP(fixture) \
	th_method(fixture, fixture##_setup) th_method_body(fixture, fixture##_setup)
/* Comes after the setup. */
#define FIXTURE_TEARDOWN(fixture) \
	th_method(fixture, fixture##_teardown) static struct th_fixture th_fixture_##fixture = { \
		.name = #fixture, \
		.size = sizeof(FIXTURE_DATA(fixture)), \
		.setup = th_call_##fixture##_setup, \
		.teardown = th_call_##fixture##_teardown, \
	}; \
	th_method_body(fixture, fixture##_teardown)
#define TEST_F_TIMEOUT(fixture, name, seconds) \
	th_method(fixture, fixture##_##name) \
		th_define_test(&th_fixture_##fixture, name, th_call_##fixture##_##name, seconds, \
			       0) th_method_body(fixture, fixture##_##name)
#define TEST_F(fixture, name) TEST_F_TIMEOUT(fixture, name, TH_TIMEOUT)

#include "kselftest_runner.h"

#define TEST_HARNESS_MAIN \
	int main(int argc, char **argv) \
	{ \
		return th_main(argc, argv); \
	}

#endif /* SELFTESTS_KSELFTEST_HARNESS_H */
