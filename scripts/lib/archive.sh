# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# Where Debian packages come from: the machine's own apt configuration decides.

# A mirror list ("mirror+file:/path") is resolved here, since the file is not in the build root.
resolve_mirror_list() {
	local uri=$1
	if [[ $uri == mirror+file:* ]]; then
		uri=${uri#mirror+file:}
		# As many slashes as there may be in front, and the one that apt puts behind.
		uri=/$(sed -E 's|^/+||; s|/+$||' <<<"$uri")
		uri=$(awk '!/^#/ && NF { print $1; exit }' "$uri")
	fi
	printf '%s\n' "${uri%/}"
}

# Prints the address of the Debian archive.
archive_uri() {
	local uri
	if [[ -n ${RUNIX_MIRROR:-} ]]; then
		printf '%s\n' "${RUNIX_MIRROR%/}"
		return
	fi
	# Index files that apt has fetched know who made them.
	uri=$(apt-get indextargets --format '$(ORIGIN)|$(LABEL)|$(COMPONENT)|$(REPO_URI)' 2>/dev/null |
		awk -F'|' '$1 == "Debian" && $2 == "Debian" && $3 == "main" { print $4; exit }')
	if [[ -z $uri ]]; then
		# Nothing fetched yet: what apt would ask for. Suites with a plain name leave out the
		# security archive; /debian at the top of the server is preferred to others' archives.
		uri=$(apt-get --print-uris update 2>/dev/null |
			sed -nE "s|^'(.*)/dists/[a-z]+/InRelease'.*|\1|p" |
			awk '{ own = /^[a-z+]+:\/*[^\/]+\/debian\/?$/ ? 0 : 1; print own, $0 }' |
			sort -s -n -k1,1 | sed -n '1s/^. //p')
	fi
	[[ -n $uri ]] ||
		die "no Debian archive in this machine's apt configuration; set RUNIX_MIRROR=<address>"
	resolve_mirror_list "$uri"
}

archive_keyring() {
	local f
	for f in /usr/share/keyrings/debian-archive-keyring.{gpg,pgp}; do
		[[ -e $f ]] && { printf '%s\n' "$f"; return; }
	done
	die "no Debian archive keyring; install debian-archive-keyring"
}

# Prints sources for the build root, one line each.
archive_sources() {
	local uri keyring suite
	uri=$(archive_uri)
	keyring=$(archive_keyring)
	for suite in "$RUNIX_SUITE" "$RUNIX_KERNEL_SUITE"; do
		printf 'deb [signed-by=%s] %s %s main\n' "$keyring" "$uri" "$suite"
	done
}

# The network settings of the machine's apt (proxies, clocks, certificates) hold in the
# build root too. Nothing else of its configuration does.
archive_apt_settings() {
	apt-config dump 2>/dev/null |
		grep -E '^Acquire::(https?::(Proxy|CaInfo|Verify-Peer|Verify-Host)|Retries|Check-Valid-Until|Check-Date)[: ]' || true
}
