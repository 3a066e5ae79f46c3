// SPDX-License-Identifier: GPL-2.0
#include "input.h"

static __u8 take(const struct input *input, size_t *at)
{
	return *at < input->length ? input->bytes[(*at)++] : 0;
}

static void take_change(const struct input *input, size_t *at, struct change *change)
{
	int i;

	change->member = take(input, at);
	change->value = take(input, at);
	change->raw = 0;
	for (i = 0; change->value == VALUE_RAW && i < 8; i++)
		change->raw |= (__u64)take(input, at) << (8 * i);
}

static __u8 op_of(__u8 byte)
{
	byte %= 2 * OP_PLAIN;
	return byte < OP_PLAIN ? byte % OP_LAYOUTS : OP_PLAIN + (byte - OP_PLAIN) % NR_PLAIN;
}

static void take_call(const struct input *input, size_t *at, struct call *call)
{
	__u8 how, slots;
	int i;

	call->op = op_of(take(input, at));
	how = take(input, at);
	slots = take(input, at);
	call->worker = how & 3;
	call->mode = how >> 2 & 3;
	call->nr_changes = how >> 4 & 7;
	call->slot = slots & 15;
	call->other = slots >> 4;
	for (i = 0; i < call->nr_changes; i++)
		take_change(input, at, &call->changes[i]);
}

void input_decode(const struct input *input, struct program *program)
{
	size_t at = 0;

	program->nr = 0;
	program->at[0] = 0;
	while (at < input->length && program->nr < CALLS_MAX) {
		take_call(input, &at, &program->calls[program->nr]);
		program->at[++program->nr] = at;
	}
}

void input_settle_ops(struct input *input)
{
	struct program program;
	unsigned int i;

	input_decode(input, &program);
	for (i = 0; i < program.nr; i++)
		input->bytes[program.at[i]] = program.calls[i].op;
}

__u64 call_argument(const struct call *call, unsigned int nr, __u64 otherwise)
{
	const struct change *change = &call->changes[nr];

	if (nr >= call->nr_changes)
		return otherwise;
	return change->value == VALUE_RAW ? change->raw : change->value;
}
