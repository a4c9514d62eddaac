#!/usr/bin/env bash
# Sets up, builds, and runs every test project. The last line is `N passed, N failed, N skipped`, the exit code 0 only if
# nothing failed and no test process crashed.
#   eng/test.sh                all projects
#   eng/test.sh Ash.X.Tests…   only these; Ash.X.Tests@postgres with its servers on Postgres
#   ASH_TEST_LONG=1            with the tests that take minutes
#   ASH_TEST_TIMEOUT=30m       the longest one project may take
# As root, unless only projects are named that do not need it.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

results=artifacts/test-results
time_limit=${ASH_TEST_TIMEOUT:-30m}
[[ -z ${ASH_TEST_LONG:-} ]] || time_limit=${ASH_TEST_TIMEOUT:-60m}

# What concerns the CLI, or requests before they reach the store, need not be seen on Postgres too.
same_on_postgres=(--filter-not-class '*.HostilePromptTests' '*.FuzzTests' '*.CoverageTests')
[[ -z ${ASH_TEST_LONG:-} ]] || same_on_postgres=()

# They start many sandboxes and measure what happens to them: nothing else may run beside them.
alone=(Ash.EndToEnd.Tests Ash.Runner.Tests)

projects=("$@")
if ((${#projects[@]} == 0)); then
    for file in tests/*.Tests/*.csproj; do
        projects+=("$(basename "$file" .csproj)")
    done
    projects+=(Ash.Contract.Tests@postgres)
fi

# Said before set-up and build take their minutes: real sandboxes run as host users of their own.
if ((EUID != 0)) && [[ " ${projects[*]} " =~ \ Ash\.(Runner|EndToEnd|Contract)\.Tests(@postgres)?\  ]]; then
    die "Ash.Runner.Tests, Ash.EndToEnd.Tests and Ash.Contract.Tests need root: sudo env \"PATH=\$PATH\" make test
     Others do not: eng/test.sh Ash.Client.Tests Ash.Cli.Tests ..."
fi

step "Set-up"
bash eng/setup.sh tests
step "Build"
bash eng/build.sh

# run_project NAME: output, report and exit code in $results/NAME.{log,trx,exit}; the time it took in NAME.time.
run_project() {
    local name=$1 begun code=0 test
    local project=${name%@postgres} only=()
    begun=$(now_ms)
    if [[ $name == *@postgres ]]; then
        export ASH_TEST_DATABASE=postgres
        only=("${same_on_postgres[@]}")
    fi
    timeout --kill-after=10s "$time_limit" "artifacts/bin/$project/release/$project" "${only[@]}" \
        --no-ansi --progress off --results-directory "$root/$results" \
        --report-xunit-trx --report-xunit-trx-filename "$name.trx" \
        >"$results/$name.log" 2>&1 </dev/null &
    test=$!
    # An interrupted run takes its tests with it; timeout passes the signal on.
    trap 'kill "$test" 2>/dev/null' TERM INT
    wait "$test" || code=$?
    printf '%s' "$(elapsed "$begun")" >"$results/$name.time"
    printf '%s' "$code" >"$results/$name.exit"
}

passed=0 failed=0 skipped=0
trouble=()

# count NAME ATTRIBUTE: a number of the report's counters; 0 where there is none.
count() {
    local value
    value=$(grep -o '<Counters [^>]*' "$results/$1.trx" 2>/dev/null | grep -o "\b$2=\"[0-9]*\"" | tr -cd 0-9) || true
    printf '%s' "${value:-0}"
}

# report NAME: adds a finished project's numbers to the sum and shows its line, and its output where something failed.
report() {
    local name=$1 code p f s note=''
    code=$(<"$results/$name.exit")
    p=$(count "$name" passed) f=$(($(count "$name" failed) + $(count "$name" error))) s=$(count "$name" notExecuted)

    case $code in
        0 | 2) ;;                       # 2: the run is complete, some tests failed
        8) note=" (has no tests)" ;;
        124 | 137) note=" (ended after $time_limit)" ;;
        *) note=" (exit code $code: crashed, or a fixture failed)" ;;
    esac
    if ((code == 0 || code == 2)) && [[ ! -s $results/$name.trx ]]; then
        code=1 note=' (ended without a report)'
    fi
    # What failed without being a test that the report counts is a failure still.
    if ((code != 0 && f == 0)); then
        f=1
        [[ -n $note ]] || note=' (failed outside of a test)'
    fi

    passed=$((passed + p)) failed=$((failed + f)) skipped=$((skipped + s))
    printf '%-27s %5d passed %4d failed %4d skipped  %8s%s\n' "$name" "$p" "$f" "$s" "$(<"$results/$name.time")" "$note"
    if ((f > 0)); then
        trouble+=("$name")
        sed 's/^/    | /' "$results/$name.log"
    fi
}

is_alone() {
    local each
    for each in "${alone[@]}"; do
        [[ $1 != "$each" ]] || return 0
    done
    return 1
}

step "Tests${ASH_TEST_LONG:+ (long)}"
rm -rf "$results"
mkdir -p "$results"
begun=$(now_ms)

declare -A running=()

# wait -n -p says which one ended, so that its line is printed at once.
report_next() {
    local pid
    wait -n -p pid "${!running[@]}" || true
    report "${running[$pid]}"
    unset "running[$pid]"
}

# start NAME LIMIT: runs a project as soon as fewer than LIMIT others run.
start() {
    while ((${#running[@]} >= $2)); do
        report_next
    done
    run_project "$1" &
    running[$!]=$1
}

trap '((${#running[@]} == 0)) || kill "${!running[@]}" 2>/dev/null || true' EXIT
trap 'exit 130' INT TERM

for name in "${projects[@]}"; do
    is_alone "$name" || start "$name" 2
done
for name in "${projects[@]}"; do
    ! is_alone "$name" || start "$name" 1
done
while ((${#running[@]} > 0)); do
    report_next
done

say "tests ran for $(elapsed "$begun"); reports and output are in $results"
((${#trouble[@]} == 0)) || say "failed: ${trouble[*]}"
say "$passed passed, $failed failed, $skipped skipped"
((failed == 0))
