# shellcheck shell=bash
# What the tests of the documents share: the options and commands, read from each place that has them.
#
# Options are lines "COMMAND|LETTER|NAME|ARGUMENT": the letter is empty where there is none, the argument is
# "yes" or "no", and the command is empty for what stands before it.

. "$(dirname "${BASH_SOURCE[0]}")/complete.sh"

# shellcheck disable=SC2154 # root is set by lib.sh
manual=$root/man/grouplock.1
mapfile -t commands < <("$grouplock" --help | sed -n '/^Limits/,/^  -/s/^  \([a-z]*\)  .*/\1/p')

# help_of COMMAND
help_of() {
    # shellcheck disable=SC2086 # no command, no word
    "$grouplock" $1 --help
}

options_of_help() {
    local command

    for command in '' "${commands[@]}"; do
        help_of "$command" | COMMAND=$command perl -ne '
            /^  (?:-(.), |    )--([a-z-]+)( \S+)?  / or next;
            printf "%s|%s|%s|%s\n", $ENV{COMMAND}, $1 // "", $2, $3 ? "yes" : "no"'
    done
}

# By the lists of the manual page. What several commands share stands there once, and a sentence says so.
options_of_manual() {
    COMMANDS=${commands[*]} perl -ne '
        BEGIN {
            %of = ("Options of run" => "run", CLAIMS => "claim", Release => "release",
                   STATUS => "status", WHICH => "which", CHECK => "check");
            @commands = ("", split / /, $ENV{COMMANDS});
        }
        if (/^\.S[hs] (.*)/) { $section = $1; next }
        $text .= $_;
        /^\.It Fl (.*)/ or next;
        my ($letter, $name) = ("", "");
        for (split / , /, $1) {
            s/^Fl //;
            /^-([a-z-]+)/ ? ($name = $1) : /^(\S)/ ? ($letter = $1) : 0;
        }
        my $line = sprintf "%s|%s|%s", $letter, $name, /\bAr\b/ ? "yes" : "no";
        if ($section eq "Options of every command") {
            push @{$lines{$_}}, $line for $name eq "version" ? "" : @commands;
        } elsif ($of{$section}) {
            push @{$lines{$of{$section}}}, $line;
        } else {
            print "in the odd section $section|$line\n";
        }
        END {
            $text =~ /\.Cm claim\nhas the options of\n\.Cm run\nbut for\n\.Fl k ,/
                and push @{$lines{claim}}, grep { !/^k\|/ } @{$lines{run}};
            %every = map { $_ => 1 } @{$lines{""}};
            for my $command (@commands) {
                my %seen;
                $seen{$_}++ or print "$command|$_\n" for @{$lines{$command}};
            }
        }' "$manual"
}

# By the synopsis of the manual page: a letter, or the name where there is none.
options_of_synopsis() {
    perl -ne '
        /^\.Sh SYNOPSIS/ ... /^\.Sh DESC/ or next;
        if (/^\.Nm/) { $command = "" }
        elsif (/^\.Cm (\S+)/) { $command = $1 }
        elsif (/^\.(?:Op )?Fl (.*)/) {
            next if $1 eq "-";
            for (split / \| /, $1) {
                my $argument = / Ar / ? "yes" : "no";
                my ($word) = /^(?:Fl )?(\S+)/;
                next if /^Cm / || $word =~ /^(h|-help|-version)$/;
                print map { "$command|$_|$argument\n" } $word =~ /^-(.*)/ ? $1 : split //, $word;
            }
        }' "$manual"
}

# By the summary in the README.
options_of_readme() {
    perl -ne '
        if (/^    grouplock \[-f/) { $in = 1; $command = "" }
        elsif ($in && /^    ([a-z]+)  /) { $command = $1 }
        elsif (/^\S/) { $in = 0 }
        next unless $in;
        if (/all of these but -k/) { print "claim|$_" for grep { !/^k\|/ } @run }
        while (/\[(?:-(.)\|)?--([a-z-]+)( [A-Z]+)?/g) {
            my $line = sprintf "%s|%s|%s\n", $1 // "", $2, $3 ? "yes" : "no";
            push @run, $line if $command eq "run";
            print "$command|$line";
        }' "$root/README.md"
}

# What a completion offers behind a dash: "COMMAND|-x" and "COMMAND|--name".
options_of_shell() {
    local command option

    for command in '' "${commands[@]}"; do
        for option in $("offers_$1" ${command:+"$command"} -; if [[ $1 == fish ]]; then offers_fish ${command:+"$command"} --; fi); do
            echo "$command|$option"
        done
    done
}
