#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# Run one of the kernel's own AF_UNIX test programs against our family. The
# name this script is called by, less "upstream_", says which. Tests listed in
# data/skip.list are not run, but reported as skipped, with the reason.

here=$(cd "$(dirname "$0")" && pwd) || exit 1
prog=$(basename "$0")
prog=${prog#upstream_}
bin=$here/data/upstream_$prog
skips=$here/data/skip.list

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
awk -v prog="$prog" -v skips="$skips" '
function flush_fixture(    v, t, name) {
	for (v = 0; v < (nv ? nv : 1); v++)
		for (t = 0; t < nt; t++) {
			name = fixture "." (nv ? variant[v] "." : "") test[t]
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
BEGIN {
	np = nv = nt = 0
	while ((getline line < skips) > 0) {
		if (line ~ /^#/ || split(line, word) < 3 || word[1] != prog)
			continue
		sub(/^[^ \t]+[ \t]+[^ \t]+[ \t]+/, "", line)
		reason[np] = line
		gsub(/\./, "[.]", word[2])
		gsub(/\*/, ".*", word[2])
		pattern[np++] = "^" word[2] "$"
	}
}
/^# FIXTURE/ || /^#/ { next }
/^---/ { flush_fixture(); next }
{
	col1 = substr($0, 1, 20); col2 = substr($0, 22, 25); col3 = substr($0, 48)
	gsub(/ /, "", col1); gsub(/ /, "", col2); gsub(/ /, "", col3)
	if (col1 != "") fixture = col1
	if (col2 != "") variant[nv++] = col2
	if (col3 != "") test[nt++] = col3
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
