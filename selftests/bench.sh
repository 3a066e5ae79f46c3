#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# The measurements still measure, and a comparison names what got worse. No figure is
# judged here: machines that run the tests are busy.
#
# shellcheck disable=SC2317  # the functions are called by their names

if [ ! -c /dev/mailbox ] || ! command -v mailbox-bench >/dev/null; then
	echo "1..0 # SKIP needs the module and 'mailbox-bench'"
	exit 4
fi
if [ "${MAILBOX_SLOW:-1}" -gt 1 ]; then
	echo "1..0 # SKIP measurements on a kernel that looks for faults say nothing"
	exit 4
fi

work=$(mktemp -d) || exit 1
cd "$work" || exit 1
trap 'cd /; rm -rf "$work"' EXIT

# A report of one cell.
report()
{
	cat >"$1" <<-END
	{"kernel": "none", "runs": [{"name": "one", "unit": "instructions", "noisy": false,
	 "cells": [{"test": "pair", "peer": "mailbox", "x": 64, "samples": [$2]}]}]}
	END
}

# Every peer moves messages of each size, in each way.
quick_run_has_mailboxes_and_others()
{
	local peer

	mailbox-bench --quick --rounds=1 --json=report >table 2>progress || return
	for peer in mailbox 'mailbox loans' 'mailbox lanes' SysV; do
		[ "$(grep -c "\"peer\": \"$peer\"" report)" -eq 6 ] || return
	done
}

streams_end()
{
	mailbox-bench --quick --only=stream --rounds=1 >table 2>progress &&
		mailbox-bench --quick --only=four-to-one --rounds=1 >table 2>progress &&
		mailbox-bench --quick --only=one-to-four --rounds=1 >table 2>progress
}

compare_names_what_got_worse()
{
	report old '100, 100, 100'
	report new '102, 102, 90'
	mailbox-bench --compare old new >said
	[ $? -eq 1 ] && grep -q '^worse .*+2.0 %.*one thread.*64 bytes' said
}

compare_lets_noise_pass()
{
	report old '1000, 1000'
	report new '1009, 1009'
	mailbox-bench --compare old new >said && grep -q '0 worse' said
}

compare_of_nothing_fails()
{
	report old '100'
	echo '{"kernel": "none", "runs": []}' >new
	! mailbox-bench --compare old new >said
}

nr=0 failed=0
check()
{
	nr=$((nr + 1))
	if "$1"; then
		echo "ok $nr $1"
	else
		echo "not ok $nr $1"
		failed=1
	fi
}

check quick_run_has_mailboxes_and_others
check streams_end
check compare_names_what_got_worse
check compare_lets_noise_pass
check compare_of_nothing_fails
echo "1..$nr"
exit $failed
