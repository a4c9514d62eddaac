#!/usr/bin/env bash
# The main job once through, on a server of its own: deploy an agent, let it use a tool in a sandbox, pause, send again.
# Installs and builds what is missing, leaves nothing running and nothing in the user's ~/.ash.
#   ANTHROPIC_API_KEY=…   talks to Claude; without it to the scripted model, offline and at no cost
#   ASH_DEMO_KEEP=1       keeps the data folder for another look
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

begun=$(now_ms)
step "Set-up"
bash eng/setup.sh
step "Build"
bash eng/publish.sh all

work=$(mktemp -d "${TMPDIR:-/tmp}/ash-demo-XXXXXX")
data=$work/data
finished=''
printf '/%s/\n' "${work##*/}" >"$work/mounted"
printf '%s\n' "$data" >"$work/argument"

# A configuration and a key of the demo's own, whatever the user's environment says; only how well this machine can isolate
# is the user's to say.
for name in "${!ASH_@}"; do
    [[ $name == ASH_DEMO_KEEP || $name == ASH_ISOLATION ]] || unset -v "$name"
done
export ASH_SERVER_ENTRY=$root/artifacts/publish/ash-server/ash-server
export ASH_BRIDGE_ENTRY=$root/artifacts/publish/ash-bridge/ash-bridge
export CLAUDE_CODE_EXECUTABLE=$claude_home/claude
# No grace: a pause ends the sandbox at once, so that what comes after it is a real wake from the snapshot.
export ASH_PAUSE_GRACE=0s

if [[ -n ${ANTHROPIC_API_KEY:-} ]]; then
    model="Claude, with the key in ANTHROPIC_API_KEY"
else
    export ASH_MODEL=scripted
    model="the scripted model (set ANTHROPIC_API_KEY to talk to Claude)"
fi

if ((EUID != 0)) && [[ -z ${ASH_ISOLATION:-} ]]; then
    export ASH_ISOLATION=reduced
    say "Not root: the demo's sandboxes run with ASH_ISOLATION=reduced."
fi

ash() { HOME=$work "$root/artifacts/publish/ash/ash" "$@"; }

# timed TITLE COMMAND...: shows what the command prints, and how long it took.
timed() {
    local title=$1 since
    shift
    since=$(now_ms)
    "$@"
    printf '   [%s: %s]\n' "$title" "$(elapsed "$since")"
}

# Processes that have the demo's folder mounted or among their arguments: the server, and whatever is in its sandboxes.
# The patterns come from files, or grep would find itself.
members() {
    { grep -lsF -f "$work/mounted" /proc/[0-9]*/mountinfo; grep -lsF -f "$work/argument" /proc/[0-9]*/cmdline; } \
        | cut -d/ -f3 | sort -un || true
}

# Ends the server, then whatever should have ended with it; false where there was such a thing.
stop_all() {
    local left code=0
    [[ ! -e $data/server.json ]] || ash stop --data-dir "$data" || code=1

    for _ in {1..50}; do
        left=$(members)
        [[ -n $left ]] || return "$code"
        sleep 0.1
    done
    say "still running, ended by force: $(xargs <<<"$left")" >&2
    xargs -r kill -9 <<<"$left" 2>/dev/null || true
    return 1
}

clean_up() {
    local code=$?
    trap - EXIT INT TERM
    if [[ -z $finished ]]; then
        printf '\nThe demo failed' >&2
        if compgen -G "$data/logs/*" >/dev/null; then
            printf '; the end of the server'\''s log:\n' >&2
            tail -n 40 "$data"/logs/* >&2
        else
            printf ' before the server logged anything.\n' >&2
        fi
        ((code != 0)) || code=1
        stop_all || true
    fi
    if [[ -n ${ASH_DEMO_KEEP:-} ]]; then
        say "kept: $work"
    else
        rm -rf "$work"
    fi
    exit "$code"
}
trap clean_up EXIT
trap 'exit 130' INT TERM

# json NAME: the first string of that name in the JSON on standard input.
json() { grep -oE "\"$1\" *: *\"[^\"]*\"" | head -n 1 | sed -E 's/.*"([^"]*)"$/\1/'; }

# ask FILE MESSAGE: a turn, shown as it streams and kept in FILE.
ask() { ash session send "$session" "$2" | tee "$1" | sed -u 's/^/   | /'; }

start_server() {
    ash start --port 0 --data-dir "$data" --json >"$work/start.json"
    ASH_SERVER_URL=$(json url <"$work/start.json") || die "ash start gave no URL: $(<"$work/start.json")"
    export ASH_SERVER_URL
}

create_session() {
    session=$(ash session create hello-agent --quiet)
    say "   $session"
}

# change VERB…: a change of the session's status, and the status that came of it.
change() {
    ash session "$@" --json >"$work/session.json"
    say "   status: $(json status <"$work/session.json")"
}

step "Server"
timed "start to ready" start_server
say "   $ASH_SERVER_URL, model: $model"

step "Deploy examples/hello-agent"
timed "deploy" ash deploy examples/hello-agent

step "Create a session"
timed "create" create_session

step "A turn that uses a tool"
if [[ -n ${ANTHROPIC_API_KEY:-} ]]; then
    first='Write a friendly greeting of one line into /workspace/hello.txt, then tell me that it is there.'
    second='What did I ask you to write in my first message, and what does the file say?'
else
    # The scripted model plays what the prompt carries. All else is real: the CLI, the tool, the sandbox, the broker.
    first='Please write a greeting into hello.txt. @@fake [{"tool":{"name":"Write","input":{"file_path":"/workspace/hello.txt","content":"Hello from inside the sandbox!\n"}}},{"text":"I have written the greeting into hello.txt."}]'
    second='And what does it say? @@fake [{"tool":{"name":"Read","input":{"file_path":"/workspace/hello.txt"}}},{"text":"The file says: {{toolResult}}\nThis request carried {{messages}} messages, so I know what came before."}]'
fi
timed "turn" ask "$work/first" "$first"

say "   hello.txt in the session's workspace:"
ash session exec "$session" 'cat hello.txt' | tee "$work/hello.txt" | sed 's/^/   > /'
[[ -s $work/hello.txt ]] || die "the agent wrote no hello.txt"

step "Pause"
timed "pause" change pause "$session"

step "Send again: the session wakes by itself and remembers"
timed "wake and turn" ask "$work/second" "$second"
[[ -s $work/second ]] || die "the second turn gave no answer"
if [[ -z ${ANTHROPIC_API_KEY:-} ]]; then
    grep -q 'Hello from inside the sandbox!' "$work/second" || die "the file did not survive the pause"
    # Prompt, tool call, result and answer of the first turn, then those of the second up to here: not fewer than seven.
    carried=$(sed -nE 's/.*carried ([0-9]+) messages.*/\1/p' "$work/second")
    ((${carried:-0} >= 7)) || die "the model saw ${carried:-0} messages: the first turn was forgotten"
fi

step "End and stop"
timed "end" change end "$session" --purge
timed "stop" stop_all
finished=1

printf '\nDone in %s with %s.\n' "$(elapsed "$begun")" "$model"
