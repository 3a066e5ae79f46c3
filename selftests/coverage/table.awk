# SPDX-License-Identifier: GPL-2.0
#
# Prints what lines.awk printed as a table: a row for each file, and a last one for all.
# "form" is "text", or "rst" for the documentation; "red", "green", "yellow" and "plain"
# colour text.

BEGIN { FS = "\t" }

!($1 in lines) { files[++nr] = $1 }
{
	lines[$1]++
	run[$1] += $3 > 0
	branches[$1] += $4
	taken[$1] += $5
	lines["all"]++
	run["all"] += $3 > 0
	branches["all"] += $4
	taken["all"] += $5
}

# Rounded down: 100 % is all.
function percent(part, whole)
{
	return whole ? sprintf("%.1f", int(part * 1000 / whole) / 10) : "-"
}

function rule()
{
	if (form == "rst")
		print "=====================  ===========  ======  ===============  ======"
}

function row(file, of_lines, lines_percent, of_branches, branches_percent, colour)
{
	printf "%-21s  %11s  %s%6s%s  %15s  %6s\n", file, of_lines, colour, lines_percent,
		colour ? plain : "", of_branches, branches_percent
}

function show(file, share)
{
	share = percent(run[file], lines[file])
	row(file, run[file] " of " lines[file], share, taken[file] " of " branches[file],
	    percent(taken[file], branches[file]),
	    share == 100 ? green : share < 95 ? red : yellow)
}

END {
	rule()
	row("File", "Lines", "%", "Branches taken", "%", "")
	rule()
	for (i = 1; i <= nr; i++)
		show(files[i])
	show("all")
	rule()
}
