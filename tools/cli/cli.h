/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the files of the command share. One file per sub-command; this is the rest.
 *
 * Functions that return int and can fail report the failure themselves, on
 * standard error, and return an exit code: 0 (EXIT_OK) or one of those below.
 */
#ifndef CLI_H
#define CLI_H

#include <getopt.h>
#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include <mailbox.h>

/* Part of the interface of the command: listed in 'mailbox help' and mailbox(1). */
enum exit_code {
	EXIT_OK,
	EXIT_OTHER,
	EXIT_USAGE,
	EXIT_NO_MAILBOX,
	EXIT_NOT_PERMITTED,
	EXIT_WOULD_WAIT,
	EXIT_TIMED_OUT,
	EXIT_DESTROYED,
	EXIT_EXISTS,
	EXIT_TOO_LONG,
	EXIT_QUOTA,
	EXIT_NO_DEVICE,
	EXIT_LOST,
	EXIT_CUT_OFF,
	EXIT_NOT_TAKEN,
	EXIT_NOT_ANSWERED,
};

struct command {
	const char *name;
	const char *summary;
	const char *help;
	int (*run)(int argc, char **argv);
};

extern const struct command command_create, command_send, command_receive, command_peek, command_ls,
	command_stat, command_set, command_rm, command_watch, command_info, command_work,
	command_subscribe, command_call, command_serve, command_send_to, command_receive_from,
	command_links, command_cat_region, command_pipe, command_run, command_bridge;

/* --- main.c */
void help_print(const struct command *command, FILE *to);
/* For the default branch of a getopt_long() loop: --help, or an option nobody knows. */
int help_or_usage(const struct command *command, int option);
int usage(const struct command *command, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* --- options.c */
int option_type(const struct command *command, uint64_t *type);
int option_priority(const struct command *command, uint32_t *priority);
int option_timeout(const struct command *command, uint64_t *nanoseconds);
int option_color(const struct command *command, bool *color);

/* --- parse.c: false when the text is not of that form */
bool parse_number(const char *text, uint64_t max, uint64_t *value);
bool parse_size(const char *text, uint64_t max, uint64_t *bytes);
bool parse_duration(const char *text, uint64_t *nanoseconds);
bool parse_mode(const char *text, uint32_t *mode);
bool parse_word(const char *text, const char *const *words, uint32_t *index);

/* NULL for what a later module may say. */
const char *word_of(const char *const *words, uint32_t index);

extern const char *const policy_words[], *const capacity_words[], *const on_full_words[],
									  *const end_words[];

/* --- target.c: the mailbox that an argument names */
struct target {
	const char *name; /* NULL when it goes by id */
	uint64_t id;
	char *shown; /* for messages: "mailbox 'jobs'"; safe for a terminal */
};

int target_parse(const struct command *command, const char *argument, struct target *target);
void target_fini(struct target *target);
int device_open(int *device);
int target_open(int device, struct target *target, uint32_t rights, int *handle);
/* Likewise, with the flags of mailbox_open(). */
int target_open_with(int device, struct target *target, uint32_t rights, uint32_t flags,
		     int *handle);
int target_stat(int device, struct target *target, struct mailbox_stat *stat);

/* --- report.c: what went wrong, and what to do about it */
enum doing {
	DOING_CREATE,
	DOING_OPEN,
	DOING_SEND,
	DOING_CALL,
	DOING_RECEIVE,
	DOING_PEEK,
	DOING_SET,
	DOING_DESTROY,
};

void complain(const char *format, ...) __attribute__((format(printf, 1, 2)));
int report(enum doing doing, const struct target *target, int error);

/* --- text.c */
/* Text that cannot harm a terminal, at most columns wide (0: any); free(3) it. */
char *printable(const void *data, size_t length, size_t columns);
/* How many characters it shows, of text that printable() made. */
size_t printable_width(const char *text);
/* A time of the kernel by the clock on the wall; "-" for 0. */
const char *wall_clock(uint64_t time, char *text, size_t size);
/* Flushes standard output; EXIT_OTHER when something could not be written. */
int output_flush(void);
/* Whether somebody still reads standard output. */
bool output_has_reader(void);
/* Whether colours are wanted: "auto", "always" or "never". */
bool color_wanted(const char *when);

/* --- json.c */
json_t *json_from_message(const struct mailbox_message *message);
/* Of a struct mailbox_receipt, wherever it lies. */
json_t *json_from_receipt(const void *data);
/* Of what mailbox_call() returned to the request of that number. */
json_t *json_from_answer(const struct mailbox_message *answer, uint64_t sequence);
json_t *json_from_stat(const struct mailbox_stat *stat);
json_t *json_number(uint64_t value);
/* Prints on one line, flushes and drops it; false with errno when that failed. */
bool json_output(json_t *json);

#endif /* CLI_H */
