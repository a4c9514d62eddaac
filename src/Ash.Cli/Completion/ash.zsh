# Completion of ash for zsh. In ~/.zshrc, after compinit: eval "$(ash completion zsh)"
_ash() {
    local -a offered
    offered=(${(f)"$("${words[1]}" __complete "${(@)words[2,CURRENT]}" 2>/dev/null)"})
    # Where ash offers nothing, it is a file or free text.
    if (( ${#offered} )); then
        compadd -- $offered
    else
        _files
    fi
}
compdef _ash ash
