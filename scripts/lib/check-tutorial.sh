# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# The tutorial's commands: those for the reader's machine in the build root, which has a
# compiler, those for the guest in a guest.

# A page that is wrong in each of the ways that must be noticed.
wrong_tutorial() {
	cat <<'EOF'
.. code-block:: console

    # echo one
    two

.. code-block:: console

    # echo one
    one
    two

.. code-block:: console

    # echo one; echo two
    one

.. code-block:: console

    # echo one
EOF
}

check_tutorial() { # VERSION
	local v=$1 out=$OUT/tutorial extract=$RUNIX_TOP/scripts/lib/tutorial rc=0 line
	build_c_samples
	build_rust_samples
	build_image "$v" with-tests
	step "the tutorial, as its reader types it: $v"
	mkdir -p "$out"/files/{root,tutorial,tutorial-wrong}
	expect "tutorial: all of it can be run" "$extract" "$SRC/Documentation/tutorial.rst" "$out/files/tutorial"
	wrong_tutorial >"$out/wrong.rst"
	expect "tutorial: so can a wrong one" "$extract" "$out/wrong.rst" "$out/files/tutorial-wrong"
	printf 'Type this::\n\n    ls\n' >"$out/unclear.rst"
	expect_failure "tutorial: a block that can't be run is refused" 'which language' \
		"$extract" "$out/unclear.rst" "$out"

	# shellcheck disable=SC2016
	in_root sh -c 'cd "$1" && tests/guest/tutorial-run "$2/tutorial" machine &&
		xargs -r cp -t "$2/root" <"$2/tutorial/with"' sh "$SRC" "$out/files" >"$out/machine" 2>&1 || rc=$?
	awk -v prog=tutorial -v status=$rc -f "$SRC/tests/guest/tap.awk" "$out/machine" >"$out/results-machine"
	cat "$out/machine" >>"$LOG"
	while IFS= read -r line; do
		case $line in
		'ok '*) record pass "${line#ok }" ;;
		*) record fail "$line" ;;
		esac
	done <"$out/results-machine"

	cp "$(guest_image "$v")" "$out/guest.cpio"
	add_to_image "$out/guest.cpio" "$out/files"
	mkdir -p "$out/guest"
	rc=0
	ONLY='' GUEST_IMAGE=$out/guest.cpio guest "$v" tutorial "$out/guest" --time 300 2>"$out/guest/errors" || rc=$?
	record_guest "tutorial" "$out/guest" "$rc"
}
