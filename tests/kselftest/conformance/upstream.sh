#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# Run one of the kernel's own AF_UNIX test programs against our family. The
# name this script is called by, less "upstream_", says which. Tests listed in
# data/skip.list are not run, but reported as skipped, with the reason. Of a
# program in data/only.list, only the tests that are named there exist.

here=$(cd "$(dirname "$0")" && pwd) || exit 1
prog=$(basename "$0")
prog=${prog#upstream_}
bin=$here/data/kernel/$prog
skips=$here/data/skip.list
onlys=$here/data/only.list

dir=$(mktemp -d /tmp/upstream.XXXXXX) || exit 1
trap 'cd /; rm -rf "$dir"' EXIT
cd "$dir" || exit 1

# The list has two independent columns to a fixture, variants and tests.
"$bin" -l >list 2>&1
if grep -q '^1\.\.0 # SKIP' list; then
	cat list
	exit 4
fi

# On one line each: its name, and the reason to skip it, if there is one.
awk -v prog="$prog" -v skips="$skips" -v onlys="$onlys" '
function flush_fixture(    v, t, name) {
	for (v = 0; v < (nv ? nv : 1); v++)
		for (t = 0; t < nt; t++) {
			name = fixture "." (nv ? variant[v] "." : "") test[t]
			if (is_wanted(name))
				print name, reason_of(name)
		}
	nv = nt = 0
}
function reason_of(name,    i) {
	for (i = 0; i < np; i++)
		if (name ~ pattern[i])
			return reason[i]
	return ""
}
function is_wanted(name,    i) {
	for (i = 0; i < nw; i++)
		if (name ~ wanted[i])
			return 1
	return !nw
}
function as_pattern(word) {
	gsub(/\./, "[.]", word)
	gsub(/\*/, ".*", word)
	return "^" word "$"
}
BEGIN {
	np = nv = nt = nw = 0
	while ((getline line < onlys) > 0)
		if (line !~ /^#/ && split(line, word) == 2 && word[1] == prog)
			wanted[nw++] = as_pattern(word[2])
	while ((getline line < skips) > 0) {
		if (line ~ /^#/ || split(line, word) < 3 || word[1] != prog)
			continue
		sub(/^[^ \t]+[ \t]+[^ \t]+[ \t]+/, "", line)
		# Only where a file is missing.
		if (word[3] ~ /^!/) {
			if (!system("test -e " substr(word[3], 2)))
				continue
			sub(/^[^ \t]+[ \t]+/, "", line)
		}
		reason[np] = line
		pattern[np++] = as_pattern(word[2])
	}
}
/^# FIXTURE/ || /^#/ { next }
/^---/ { flush_fixture(); next }
{
	# Columns of 20 and 25, but a longer name pushes the rest to the right.
	if ($0 !~ /^ /)
		fixture = $1
	rest = substr($0, (/^ / || length($1) < 20 ? 20 : length($1)) + 2)
	if (rest !~ /^ /) {
		split(rest, word)
		variant[nv++] = word[1]
		sub(/^[^ ]*/, "", rest)
	}
	gsub(/ /, "", rest)
	if (rest != "")
		test[nt++] = rest
}
END { flush_fixture() }
' list >tests
total=$(grep -c . tests)
if [ "$total" -eq 0 ]; then
	echo "TAP version 13"
	echo "Bail out! $prog lists no tests"
	exit 1
fi

echo "TAP version 13"
echo "1..$total"
set --
while read -r name reason; do
	[ -n "$reason" ] || set -- "$@" -r "$name"
done <tests
nr=$(($# / 2))
status=0
if [ $nr -gt 0 ]; then
	"$bin" "$@" >out 2>&1
	status=$?
	sed -e '/^TAP version/d' -e '/^1\.\.[0-9]*$/d' out
fi
while read -r name reason; do
	[ -n "$reason" ] || continue
	nr=$((nr + 1))
	echo "ok $nr $name # SKIP $reason"
done <tests
exit $status
