# Completion of ash for fish. In ~/.config/fish/config.fish: ash completion fish | source
function __ash_complete
    set -l before (commandline -opc)
    ash __complete $before[2..-1] (commandline -ct) 2>/dev/null
end
complete -c ash -a '(__ash_complete)'
