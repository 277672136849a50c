#!/usr/bin/env bash
# What the README tells a reader to run is run, as it stands there.
# shellcheck disable=SC2016 # what others expand
. "$(dirname "$0")/lib.sh"

readme=$root/README.md
ln -s "$grouplock" bin/grouplock

# block LANGUAGE REGEX: the fenced code of that language with a line that matches.
block() {
    LANGUAGE=$1 REGEX=$2 perl -0777 -ne '
        my @found = grep { /$ENV{REGEX}/m } /^```$ENV{LANGUAGE}\n(.*?)^```$/msg;
        die scalar(@found) . " blocks of $ENV{LANGUAGE} with $ENV{REGEX}\n" if @found != 1;
        print $found[0]' "$readme"
}

# recipe FROM: the code in the row of the table that begins so.
recipe() {
    sed -nE "s/^\| $1[^|]*\| \`(.*)\` \|\$/\1/p" "$readme"
}

ok '(($(wc -l <"$readme") <= 150))' "it is no longer than 150 lines"

# --- in a minute ------------------------------------------------------------------------------------------------

block sh '^mkdir' >minute
ok '[[ -s minute ]]' "there is a first example"
# Its job ends with the shell that runs it, as a reader's shell outlives it.
echo wait >>minute
HOME=$dir/home run sh minute
is "$status" 0 "the first example runs" || diag "$err"
# Who held, and what was waited for: $err is what the README shows, but for numbers.
printed=$(sed -n '/^This prints:$/,/^While /s/^    grouplock: //p' "$readme")
numbers='s/[0-9]+s/Ns/g; s/pid [0-9]+ on [^,]+/pid N on HOST/'
is "$(sed -E "$numbers; s/^grouplock: //" <<<"$err")" "$(sed -E "$numbers" <<<"$printed")" "... says on the way what it should"
is "$out" "$(sed -n '/^This prints:$/,/^While /s/^    \(msvc11 builds\)/\1/p' "$readme")" "... and prints what it should"

# --- from CI servers --------------------------------------------------------------------------------------------

write_config <<'END'
[workers]
agent-1 = hw1
[slots]
* = 1
[slots link]
* = 1
[slots devkit]
* = kit-a kit-b
END
cat >bin/make <<'END'
#!/bin/sh
echo "make $* for $GROUPLOCK_WORKER on $GROUPLOCK_GROUP"
END
chmod 755 bin/make
host=$(uname -n)
on_host="for $host on ${host,,}"

step=$(recipe Jenkins)
like "$step" "^sh '.*'\$" "Jenkins: a step of a pipeline"
step=${step#sh \'}
NODE_NAME=agent-1 run sh -ec "${step%\'}"
is "$status:$out" '0:make -j8 for agent-1 on hw1' "... runs"

step=$(recipe GitHub)
RUNNER_NAME=agent-1 run bash -ec "${step#run: }"
is "$status:$out" '0:make -j8 for agent-1 on hw1' "GitHub Actions: a step runs"

step=$(recipe GitLab)
step=${step#script: [ }
run bash -ec "${step% ]}"
is "$status:$out" "0:make -j8 $on_host" "GitLab: a line of a script runs"

step=$(recipe Buildkite)
like "$step" '\$\$BUILDKITE' "Buildkite: the variable is for the agent that runs the step"
step=${step#command: }
BUILDKITE_AGENT_NAME=agent-1 run bash -ec "${step//\$\$/\$}"
is "$status:$out" '0:make -j8 for agent-1 on hw1' "... which runs"

step=$(recipe cron)
like "$step" '^15 2 \* \* \*  ' "cron: a line of a crontab"
step=${step#15 2 \* \* \*  }
run sh -c "$step"
is "$status:$out" "0:make -C /srv/project nightly $on_host" "... runs"
hold holder
run sh -c "$step"
is "$status:$out:$err" '0::' "... says nothing when the machine is busy, so there is no mail"
end holder

# run-containers.t does what this asks docker for.
is "$(recipe containers)" 'docker run -v /var/lib/grouplock:/var/lib/grouplock -v /etc/grouplock:/etc/grouplock:ro ...' \
    "containers: the directory to write to, the config to read"

# --- from a Makefile --------------------------------------------------------------------------------------------

rm bin/make
{ echo 'OBJ = a.o b.o' && block make '^app:'; } >Makefile
printf '#!/bin/sh\necho "$*: $GROUPLOCK_SLOT_LINK" >app\n' >bin/fake-cc
printf '#!/bin/sh\necho "flash $*: $GROUPLOCK_SLOT"\n' >flash
chmod 755 bin/fake-cc flash
touch a.o b.o
run make -s CC=fake-cc flash
is "$status:$out" '0:flash --board kit-a app: kit-a' "a Makefile: whoever flashes has a board" || diag "$err"
is "$(cat app)" '-o app a.o b.o: 0' "... and who links has a slot"

done_testing
