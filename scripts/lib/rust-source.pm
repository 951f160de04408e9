# SPDX-License-Identifier: GPL-2.0
# Reading Rust source for the checks: perl is on every Debian, a Rust parser is not.
package RustSource;

use strict;
use warnings;
use File::Find;

# Hand-written Rust files below the directories, relative to the root.
sub files {
	my ($root, @dirs) = @_;
	my @found;
	for my $dir (grep { -e "$root/$_" } @dirs) {
		find({ no_chdir => 1, wanted => sub {
			return unless /\.rs$/ && !/_generated\.rs$/ && -f;
			push @found, substr($_, length("$root/"));
		} }, "$root/$dir");
	}
	return sort @found;
}

sub slurp {
	my ($file) = @_;
	open(my $fh, '<', $file) or die "$file: $!\n";
	local $/;
	return scalar <$fh>;
}

# The text with comments and the contents of literals blanked; lines stay lines.
sub code {
	my ($text) = @_;
	my $out = '';
	my $blank = sub { my $s = shift; $s =~ s/[^\n]/ /g; return $s };
	pos($text) = 0;
	while (pos($text) < length $text) {
		if ($text =~ m{\G//[^\n]*}gc) { $out .= $blank->($&) }
		elsif ($text =~ m{\G/\*}gc) {
			my ($from, $depth) = ($-[0], 1);
			while ($depth && $text =~ m{(/\*|\*/)}g) { $depth += $1 eq '/*' ? 1 : -1 }
			pos($text) = length $text if $depth;
			$out .= $blank->(substr $text, $from, pos($text) - $from);
		}
		elsif ($text =~ m{\G\b[bc]?r(#*)".*?"\1}gcs) { $out .= $blank->($&) }
		elsif ($text =~ m{\G"(?:[^"\\]|\\.)*"}gcs) { $out .= $blank->($&) }
		elsif ($text =~ m{\G'(?:[^'\\\n]|\\[^\n]+?)'}gc) { $out .= $blank->($&) }
		elsif ($text =~ m{\G(?:\w+|.)}gcs) { $out .= $& }
	}
	return $out;
}

1;
