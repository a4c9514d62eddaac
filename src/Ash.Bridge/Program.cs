using Ash.Bridge;
using Ash.Bridge.Launch;
using Ash.Bridge.Native;

switch (args)
{
    case ["launch", var specFile]:
        return Launcher.Become(specFile);
    case ["run", ..] when Libc.CurrentProcess() != 1:
        // It kills "everything else" more than once in its life; outside a sandbox that would be the machine.
        Descriptor.Say(Descriptor.StandardError, "run is for pid 1 of a sandbox, and for nobody else");
        return 64;
    case ["run", .. var options] when RunOptions.Parse(options) is { } parsed:
        BridgeProcess.Run(parsed);
        return 0;
    default:
        Descriptor.Say(
            Descriptor.StandardError,
            "usage: ash-bridge launch SPEC.json | "
            + "ash-bridge run [--orphan-timeout SECONDS] [--host-socket PATH] [--broker-socket PATH] [--relay-port N]");
        return 64;
}
