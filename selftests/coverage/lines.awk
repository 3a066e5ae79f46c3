# SPDX-License-Identifier: GPL-2.0
#
# Reads what "gcov --stdout --branch-probabilities --branch-counts" says of each object
# by itself, and prints for each line of code below "folder", in the order of files and lines:
#
#	file, number, times run, branches, branches taken, function, text
#
# with tabs between. A line of a header counts for all objects that it is in.

BEGIN { FS = ":" }

# "        -:    0:Source:/path"
$2 ~ /^ *0$/ {
	if ($3 == "Source") {
		file = $0
		sub(/^[^:]*:[^:]*:[^:]*:/, "", file)
		ours = index(file, folder "/") == 1
		file = substr(file, length(folder) + 2)
		name = ""
	}
	next
}

!ours { next }

/^function / { split($0, word, " "); name = word[2]; next }

# The kernel's own assertions have a branch that is never to be taken.
/^branch / {
	if (asserts)
		next
	branch++
	split($0, word, " ")
	if (branch > branches[key])
		branches[key] = branch
	if (word[3] == "taken" && word[4] > 0)
		taken[key, branch] = 1
	next
}

/^(call|unconditional) / { next }

/^ *[-0-9#=*]+: *[0-9]+:/ {
	count = $1
	number = $2 + 0
	text = $0
	sub(/^[^:]*:[^:]*:[ \t]*/, "", text)
	sub(/[ \t\\]+$/, "", text)
	key = file SUBSEP number
	branch = 0
	asserts = text ~ /lockdep_assert|WARN_ON/
	if (count ~ /-/)
		next
	gsub(/[ *#=]/, "", count)
	if (!(key in times)) {
		if (!(file in last))
			files[++nr] = file
		if (number > last[file])
			last[file] = number
		code[key] = text
	}
	times[key] += count
	if (name)
		functions[key] = name
}

END {
	for (i = 1; i <= nr; i++)
		for (number = 1; number <= last[files[i]]; number++) {
			key = files[i] SUBSEP number
			if (!(key in times))
				continue
			sum = 0
			for (branch = 1; branch <= branches[key]; branch++)
				sum += (key, branch) in taken
			printf "%s\t%d\t%.0f\t%d\t%d\t%s\t%s\n", files[i], number,
				times[key], branches[key], sum, functions[key], code[key]
		}
}
