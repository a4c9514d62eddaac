#!/usr/bin/env bash
# Publishes development builds of the programs to artifacts/publish/NAME/NAME, for tests and demo; does nothing for one that
# is newer than all sources. Usage: eng/publish.sh [bridge|cli|server|stand-in|all]...
# `all` is what users get; the stand-in is for benchmarks and a test.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

# is_current NAME: published, and no source file or folder (so no deletion either) is newer.
is_current() {
    local stamp=artifacts/publish/$1/.published
    [[ -x artifacts/publish/$1/$1 && -f $stamp ]] \
        && [[ -z $(find src bench/Ash.StandIn Directory.Build.props Directory.Packages.props global.json eng/publish.sh -newer "$stamp" -print -quit) ]]
}

# publish NAME PROJECT OPTION...: beside the old one first, so that a running program never sees half of a new one.
publish() {
    local name=$1 project=$2 begun
    shift 2
    is_current "$name" && return

    say "building $name ..."
    begun=$(now_ms)
    local target=artifacts/publish/$name fresh=artifacts/publish/.new-$name
    rm -rf "$fresh"
    mkdir -p "$fresh"
    # Stamped with the time of the start: what is edited meanwhile counts as newer.
    touch "$fresh/.published"
    dotnet restore "$project" -v q --nologo "$@"
    # Not restored by publish: told a runtime, it would rewrite the lock files of the libraries.
    dotnet publish "$project" -c Release -r linux-x64 -v q --no-restore --nologo -o "$fresh" "$@"
    rm -rf "$target"
    mv "$fresh" "$target"
    say "published $name in $(elapsed "$begun")"
}

mkdir -p artifacts/publish
exec 9>artifacts/publish/.lock
flock 9

for program in "${@:-all}"; do
    case $program in
        bridge | all) publish ash-bridge src/Ash.Bridge ;;&
        cli | all) publish ash src/Ash.Cli ;;&
        server | all) publish ash-server src/Ash.Server -p:SelfContained=false ;;&
        stand-in) publish ash-stand-in bench/Ash.StandIn ;;
        bridge | cli | server | all) ;;
        *) die "eng/publish.sh knows bridge, cli, server, stand-in and all, not '$program'" ;;
    esac
done
