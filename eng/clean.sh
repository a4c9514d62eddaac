#!/usr/bin/env bash
# Removes what was built. The Claude Code CLI in the user's cache stays: other clones use it.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

rm -rf artifacts dist
