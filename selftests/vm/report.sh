# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash disable=SC2034,SC2154  # shared with run.sh
#
# Tells the virtual machine what to do, and reads its word, nested TAP, line by line:
# shows one line for each program as it ends, and what went wrong in it. Sourced by
# run.sh and mutate.sh.

passed=0 failed=0 skipped=0
# What to say at the end: one line each.
failures=() skips=()

# By how much the kernel in $folder is slower than others.
slow()
{
	cat "$folder/slow" 2>/dev/null || echo 1
}

# How much of what the tests repeat is done, in percent.
effort()
{
	echo "${EFFORT:-$((100 * ${REPEAT:-1} / $(slow) / $(slow)))}"
}

# settings MODE: what guest/init wants to know.
settings()
{
	local size terminal=

	[ ! -t 1 ] || terminal=yes
	size=$(stty size 2>/dev/null </dev/tty) || size='24 80'
	echo "MODE=$1"
	echo "TESTS='${TESTS:-}'"
	echo "SLOW=$(slow) EFFORT=$(effort) COVERAGE=${COVERAGE:+yes}"
	echo "export MAILBOX_SEED='${MAILBOX_SEED:-}' MAILBOX_OPS='${MAILBOX_OPS:-}'"
	echo "ROWS=${size% *} COLUMNS=${size#* }"
	echo "TERMINAL=$terminal FUZZ='${FUZZ:-}'"
}

# complaints CONSOLE: those of the kernel, each with the test that ran then.
complaints()
{
	sed 's/\r$//' "$1" | sh "$vm/guest/races" | awk '
		/mailbox test: / { test = $NF; next }
		test { print test "\t" $0 }' |
		grep -E -f "$vm/splats"
}

# An "ok" or "not ok" within a program: counts and remembers.
take_case()
{
	local line=$1 name=${1#*ok }

	name=${name#*[0-9] }
	name=${name#- }
	case $line in
	*'# SKIP'*)
		case_skipped=$((case_skipped + 1))
		skips+=("$program: ${name/ # SKIP/:}")
		;;
	ok*)
		case_passed=$((case_passed + 1))
		;;
	not*)
		case_failed=$((case_failed + 1))
		failures+=("$program: $name")
		# What a program says about a failure comes before it.
		printf '%s\n' "${said[@]}"
		printf '    %s\n' "${red_out}$line${plain_out}"
		;;
	esac
	said=()
}

begin_program()
{
	program=$1
	case_passed=0 case_failed=0 case_skipped=0 case_planned=-1 whole_skip=
	said=()
}

# The line of a whole program. One that printed no cases is a case itself.
end_program()
{
	local line=$1 note=
	local name=${line#*- }

	name=${name%% # *}
	case $line in *' # '*) note=${line#* # } ;; esac
	[ "$name" = "$program" ] || begin_program "$name"

	if [ "$whole_skip" ] && [ $((case_passed + case_failed + case_skipped)) -eq 0 ]; then
		skips+=("$program: $whole_skip")
		case_skipped=1
	elif [ $((case_passed + case_failed + case_skipped)) -eq 0 ]; then
		case $line in
		ok*SKIP*) case_skipped=1; skips+=("$program: ${said[*]}") ;;
		ok*) case_passed=1 ;;
		esac
	elif [ "$case_planned" -ge 0 ] &&
	     [ "$case_planned" -ne $((case_passed + case_failed + case_skipped)) ]; then
		note="$case_planned tests were planned"
		line="not $line"
	fi
	# Cases that passed do not hide an ending that went wrong.
	if [[ $line == not* && ( $case_failed -eq 0 || ! $note =~ ^exit\ status\ 1$ ) ]]; then
		[ ${#said[@]} -eq 0 ] || printf '%s\n' "${said[@]}"
		case_failed=$((case_failed + 1))
		failures+=("$program: ${note:-failed}")
	fi
	show_program "$line" "$note"

	passed=$((passed + case_passed))
	failed=$((failed + case_failed))
	skipped=$((skipped + case_skipped))
	begin_program ''
}

show_program()
{
	local word="${green_out}ok    ${plain_out}" counts="$case_passed passed" note=$2

	[ "$case_failed" -eq 0 ] || { word="${red_out}FAILED${plain_out}"
		counts+=", $case_failed failed"; }
	[ "$case_skipped" -eq 0 ] || counts+=", $case_skipped skipped"
	case $note in
	time=*) note="${note#time=} s" ;;
	SKIP*) note= ;;
	esac
	printf '  %s %-16s %s%s\n' "$word" "$program" "$counts" "${note:+, $note}"
}

# next_line SECONDS: leaves it in $line. Fails at the end, or when nothing comes for so
# long. mutate.sh has one of its own.
next_line()
{
	IFS= read -r -t "$1" line
}

# report TAP-FILE SECONDS: reads standard input until the plan of the whole run has
# come. Fails when it does not, or when nothing comes for so long.
report()
{
	local line tap=$1 patience=$2 ended=0 announced=-1

	begin_program ''
	: >"$tap"
	while next_line "$patience"; do
		line=${line%$'\r'}
		printf '%s\n' "$line" >>"$tap"
		case $line in
		'# Subtest: '*) begin_program "${line#*: }" ;;
		'    ok '* | '    not ok '*) take_case "${line#    }" ;;
		'    1..0 # SKIP'*) whole_skip=${line#*SKIP } ;;
		'    1..'*) case_planned=${line#    1..}; case_planned=${case_planned%% *} ;;
		'    TAP version'*) ;;
		'    '*) said+=("$line") ;;
		'ok '* | 'not ok '*) ended=$((ended + 1)); end_program "$line" ;;
		'1..'*) announced=${line#1..} ;;
		esac
	done
	[ "$announced" = "$ended" ] || lost_in=$program
	[ "$announced" = "$ended" ]
}
