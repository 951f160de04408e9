# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# A copy of the sources in the cache, from which everything is built: the checkout
# stays clean, and a file's time changes only when its contents do, so that make and
# cargo rebuild what they must in a fresh clone as well.

SRC=$RUNIX_CACHE/work/src

# Names of the source files: what git knows and what it would not ignore.
list_sources() {
	if git -C "$RUNIX_TOP" -c safe.directory="$RUNIX_TOP" rev-parse --git-dir >/dev/null 2>&1; then
		git -C "$RUNIX_TOP" -c safe.directory="$RUNIX_TOP" ls-files -co --exclude-standard
	else
		(cd "$RUNIX_TOP" && find . -type f ! -name '*.o' ! -name '*.ko' ! -name '.*.cmd' \
			! -path '*/target/*' ! -path './.git/*' -printf '%P\n')
	fi | sort | while IFS= read -r f; do
		# Deleted files are still in the index.
		[[ ! -e $RUNIX_TOP/$f ]] || printf '%s\n' "$f"
	done
}

mirror_sources() {
	local list=$RUNIX_CACHE/work/sources
	mkdir -p "$SRC"
	list_sources >"$list"
	logged in_root rsync -lpc --files-from="$list" "$RUNIX_TOP/" "$SRC/"
	# What is not in the list any more goes.
	(cd "$SRC" && find . -type f -printf '%P\n' -o -type l -printf '%P\n') | sort |
		comm -13 "$list" - | (cd "$SRC" && xargs -r -d '\n' rm -f --)
}

# hash_of PATH...: of names and contents below the copy.
hash_of() {
	(cd "$SRC" && find "$@" \( -type f -o -type l \) -print0 2>/dev/null | sort -z |
		xargs -0 -r sha256sum) | sha256sum | cut -c1-16
}
