#!/usr/bin/env bash
# Puts the pinned Claude Code CLI into the user's cache, once for all clones, and checks it. Prints nothing when it is there.
# It is Anthropic's program under Anthropic's terms: it is installed from npm on this machine, never redistributed.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

package=@anthropic-ai/claude-code-linux-x64
binary=$claude_home/claude
# Size, time and inode of the file whose checksum was right: reading 381 MB at every call would be slow.
stamp=$claude_home/verified

fingerprint() { stat -c '%s %Y %i' "$1"; }

is_verified() {
    [[ -x $binary && -f $stamp && $(<"$stamp") == "$claude_sha256 $(fingerprint "$binary")" ]]
}

has_right_checksum() { sha256sum "$1" | grep -q "^$claude_sha256 "; }

write_stamp() {
    printf '%s %s\n' "$claude_sha256" "$(fingerprint "$binary")" >"$stamp.$$"
    mv -f "$stamp.$$" "$stamp"
}

download() {
    has npm || die "npm is needed to install the Claude Code CLI: install Node.js 20 or newer (https://nodejs.org), then run this again."

    local free_kb
    free_kb=$(df -Pk "$claude_home" | awk 'NR == 2 { print $4 }')
    ((free_kb > 800000)) || die "$claude_home has $((free_kb / 1024)) MB free; installing the Claude Code CLI takes 800 MB for a moment and keeps 381."

    say "Installing the Claude Code CLI $claude_version from npm: 175 MB to download, 381 MB on disk in $claude_home"
    work=$(mktemp -d "$claude_home/.install-XXXXXX")
    trap 'rm -rf "$work"' EXIT

    # A cache of its own: the tarball would stay in the user's npm cache for ever.
    (cd "$work" && npm pack --loglevel=error --cache "$work/npm" --pack-destination "$work" "$package@$claude_version" >/dev/null) \
        || die "npm could not fetch $package@$claude_version (see above)."
    tar -xzf "$work"/*.tgz -C "$work" package/claude
    has_right_checksum "$work/package/claude" \
        || die "the checksum of claude in $package@$claude_version is not $claude_sha256: not installed."

    chmod 0755 "$work/package/claude"
    mv -f "$work/package/claude" "$binary"
    write_stamp
}

require_linux
is_verified && exit 0

mkdir -p "$claude_home"
exec 9>"$claude_home/.lock"
flock 9

# Another clone may have finished it while this one waited for the lock.
is_verified && exit 0
if [[ -x $binary ]] && has_right_checksum "$binary"; then
    write_stamp
    exit 0
fi
download
say "Claude Code CLI: $("$binary" --version)"
