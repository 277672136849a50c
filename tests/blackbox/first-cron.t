#!/usr/bin/env bash
# `run -n -E 0 -q` in a crontab: cron mails what a job prints, and a machine that is busy is no news.
. "$(dirname "$0")/lib.sh"

write_config <<'END'
[workers]
nightly = hw1
builds  = hw1
[slots]
hw1     = 1
END
export GROUPLOCK_WORKER=nightly
printf '#!/bin/sh\necho ran >>ran\n%s\n' >bin/nightly 'exit "${NIGHTLY:-0}"'
chmod 755 bin/nightly
ln -s "$grouplock" bin/grouplock

# As cron does it: by sh, without a terminal, and it mails everything printed. The command is that of the manual.
job='grouplock run -n -E 0 -q -- nightly'
cron() {
    rm -f ran
    run env -i PATH="$PATH" GROUPLOCK_CONFIG="$GROUPLOCK_CONFIG" GROUPLOCK_DIR="$GROUPLOCK_DIR" \
        GROUPLOCK_WORKER="$GROUPLOCK_WORKER" HOME="$dir" SHELL=/bin/sh /bin/sh -c "$1"
    mail=$out$err
}

cron "$job"
is "$status:$mail" 0: "the machine is free: no mail"
is "$(<ran)" ran "... and the job has run"

hold build -w builds
cron "$job"
is "$status:$mail" 0: "the machine is busy: no mail"
ok '[[ ! -e ran ]]' "... and the job has not run"
cron "${job/-q /}"
is "$status:$mail" 0: "-E 0 alone has none either"
cron "${job/-E 0 /}"
is "$status:$mail" 75: "... -q alone neither, but a status"
cron 'grouplock run -n -- nightly'
like "$status:$mail" '^75:grouplock: hw1 is full' "... without the two there would be one"
queue second -w builds
cron "$job"
is "$status:$mail" 0: "others wait: no mail"
end build
end second

write_config <<<$'[workers]\nnightly = hw1\n[slots]\nhw1 = 0'
cron "$job"
is "$status:$mail" 0: "the machine is closed: no mail"
write_config <<<$'[workers]\nnightly = hw1\n[slots]\nhw1 = 2'
cron "$job"
is "$status:$mail" 0: "the limit has changed: no mail"
cron "NIGHTLY=3 $job"
is "$status:$mail" 3: "the job fails: its status"
cron 'grouplock run -n -E 0 -q -- sh -c "echo broken >&2; exit 4"'
is "$status:$mail" 4:broken "... and what it says"
mv groups.ini gone.ini
cron "$job"
like "$status:$mail" "^125:grouplock: no config file" "what is wrong with the set-up is mailed, whatever the options"
done_testing
