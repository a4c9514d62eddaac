# Shared by the scripts in eng/: sourced, never run. Leaves the caller in the repository's root.

set -euo pipefail

root=$(cd -P "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cd "$root"

say() { printf '%s\n' "$*"; }

step() { printf '\n== %s\n' "$*"; }

die() {
    printf 'ash: %s\n' "$*" >&2
    exit 1
}

has() { command -v "$1" >/dev/null 2>&1; }

require_linux() {
    [[ $(uname -s) == Linux ]] || die "this needs Linux: sandboxes are made of its namespaces and cgroups (this is $(uname -s)). The client tools work elsewhere."
    [[ $(uname -m) == x86_64 ]] || die "this needs an x86-64 machine: the pinned Claude Code CLI and the published programs are built for it (this is $(uname -m))."
}

# Milliseconds since some moment in the past.
now_ms() {
    local micros=${EPOCHREALTIME//[!0-9]/}
    printf '%s' "$((micros / 1000))"
}

# elapsed START: the time since START (of now_ms), for people.
elapsed() {
    local ms=$(($(now_ms) - $1))
    if ((ms < 1000)); then
        printf '%d ms' "$ms"
    else
        printf '%d.%d s' "$((ms / 1000))" "$((ms % 1000 / 100))"
    fi
}

# What the .NET SDK is told wherever it runs from here. Nothing of it outlives a script: no build servers.
export DOTNET_CLI_TELEMETRY_OPTOUT=1
export DOTNET_NOLOGO=1
export DOTNET_CLI_USE_MSBUILD_SERVER=0
export MSBUILDDISABLENODEREUSE=1
export UseSharedCompilation=false

# The SDK stops without ICU unless it is told to do without; nothing here is localised. Then it knows no locale, and would warn
# of every one that a package has translations for.
if [[ -z ${DOTNET_SYSTEM_GLOBALIZATION_INVARIANT:-} ]] && ! compgen -G '/usr/lib*/libicuuc.so.*' >/dev/null \
    && ! compgen -G '/usr/lib/*/libicuuc.so.*' >/dev/null; then
    export DOTNET_SYSTEM_GLOBALIZATION_INVARIANT=1
    export MSBuildWarningsAsMessages=NETSDK1188
fi

# Where set-up puts the pinned Claude Code CLI, and the server looks for it. Clones share it.
claude_version=2.1.330
claude_sha256=f390eaa0814e6a1bff74cbb47acb74cb9c89d30ced809fe0af5af00c7bfe8ebb
claude_home=${XDG_CACHE_HOME:-${HOME:?HOME is not set}/.cache}/ash/claude/$claude_version
