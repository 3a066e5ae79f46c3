#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# coverage.sh [--again] [--write] [KERNEL]: which lines and branches of the module the
# tests run, on a kernel that counts them (6.1-um, or another with gcov). TESTS names the
# test programs, all if empty. --again runs none, but looks again at what was counted
# last, which helps while the list is written.
#
# Of all tests together at least 95 % of the lines are asked for, and for each other
# line a reason in the list "uncovered" beside this script. --write then writes the
# table of the documentation. The unit tests do not count: they run copies of the code.

. "$(dirname "$0")/../vm/common.sh"

least=95
here=$top/selftests/coverage
out=$build/coverage
page=$top/Documentation/coverage.rst

# Without optimisation that would make two lines one, and without the checks that the
# compiler adds, which would count as branches. The model needs no million operations
# to run each line; races need all their rounds.
run_tests()
{
	rm -rf "$out"
	mkdir -p "$out"
	echo "${TESTS:-}" >"$out/tests"
	# Not with these options, if it has to be built.
	"$vm/kernel.sh" "$kernel" >/dev/null
	MODULE_BUILD_NAME=coverage-$kernel KCFLAGS='-O1 -fno-inline' UBSAN_SANITIZE=n \
		MAILBOX_OPS=${MAILBOX_OPS:-200000} COVERAGE=$out/counts "$vm/run.sh" test "$kernel" &&
		touch "$out/passed"
}

# Leaves the notes of the compiler beside the counts of the kernel, which belong together.
unpack()
{
	[ -s "$out/counts" ] || die "Linux $kernel counted nothing; has it gcov?"
	rm -rf "$out/data"
	mkdir "$out/data"
	base64 -d "$out/counts" | tar -xz -C "$out/data"
	rm -f "$out"/data/*_test.gcda "$out"/data/*.mod.gcda
	cp "$folder"/module/*.gcno "$out/data/"
}

# One object at a time, or gcov would make one of the functions of a header.
read_counts()
{
	local file

	for file in "$out"/data/*.gcda; do
		gcov --stdout --branch-probabilities --branch-counts -o "$out/data" "$file" \
			2>>"$out/gcov.log"
	done
}

# Each line of each file with how often it was run.
annotate()
{
	local file

	rm -rf "$out/module"
	mkdir "$out/module"
	for file in "$top"/module/*.[ch]; do
		case $file in *_test.c) continue ;; esac
		awk -F '\t' -v name="module/${file##*/}" '
			FNR == NR { if ($1 == name) { times[$2] = $3; branches[$2] = $5 "/" $4 }; next }
			!(FNR in times) { printf "%20s  %s\n", "", $0; next }
			{ printf "%12s %7s  %s\n", times[FNR] ? times[FNR] : "#####",
				branches[FNR] == "0/0" ? "" : branches[FNR], $0 }' \
			"$out/lines" "$file" >"$out/module/${file##*/}"
	done
}

table()
{
	awk -v form="$1" -v red="${2:-}" -v green="${3:-}" -v yellow="${4:-}" -v plain="${5:-}" \
		-f "$here/table.awk" "$out/lines"
}

write_page()
{
	cat >"$page" <<-END
	.. SPDX-License-Identifier: GPL-2.0
	.. Written by selftests/coverage/coverage.sh.

	========
	Coverage
	========

	What all tests together run of the module, counted by gcov on
	$(date -u -r "$out/counts" +%F) by \`\`make coverage COVERAGE_KERNEL=$kernel\`\`. The unit tests do not
	count. ${missed} lines are not covered; \`\`selftests/coverage/uncovered\`\` says of each why.

	$(table rst)
	END
}

again='' write=''
while :; do
	case ${1:-} in
	--again) again=yes ;;
	--write) write=yes ;;
	*) break ;;
	esac
	shift
done
kernel=${1:-6.1-um}
folder=$build/module/coverage-$kernel
status=0
[ "$again" ] || run_tests || status=1
unpack
[ -e "$out/passed" ] || status=1
tests=$(cat "$out/tests")
[ -z "$write" ] || [ -z "$tests" ] || die "--write is for all tests, not for $tests"

read_counts | awk -v folder="$folder" -f "$here/lines.awk" |
	LC_ALL=C sort -s -t $'\t' -k 1,1 >"$out/lines"
annotate
table text >"$out/table"

echo
if [ -t 1 ]; then
	table text $'\e[31m' $'\e[32m' $'\e[33m' $'\e[0m'
else
	cat "$out/table"
fi
echo
echo "each line: ${out#"$top"/}/module/"

if [ "$tests" ]; then
	exit $status
fi
missed=$(awk -F '\t' '$3 == 0' "$out/lines" | wc -l)
found=$(awk -f "$here/check.awk" "$here/uncovered" "$out/lines")
if [ "$found" ]; then
	say "${red}not as selftests/coverage/uncovered says:${plain}" "$found"
	status=1
fi
if [ "$(awk -F '\t' '$3 > 0' "$out/lines" | wc -l)00" -lt $((least * $(wc -l <"$out/lines"))) ]; then
	say "${red}less than $least % of the lines are covered${plain}"
	status=1
fi
if [ "$write" ] && [ $status -eq 0 ]; then
	write_page
fi
exit $status
