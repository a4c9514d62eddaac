using Ash.Runner.Cgroups;
using Ash.Runner.Kernel;
using Ash.Runner.Seccomp;

namespace Ash.Runner.Sandboxes;

/// <summary>What must be there before the first sandbox can start. Everything that is missing is named at once.</summary>
internal static class SandboxPreconditions
{
    /// <exception cref="SandboxException">Something is missing; each line names a layer and its remedy.</exception>
    public static (string Bubblewrap, CgroupLayout? Cgroups) Check(SandboxHostOptions options)
    {
        if (!OperatingSystem.IsLinux())
        {
            throw new SandboxException("Sandboxes need Linux (x86-64). The client tools work here, the server does not.");
        }

        var missing = new List<string>();
        if (System.Runtime.InteropServices.RuntimeInformation.ProcessArchitecture != System.Runtime.InteropServices.Architecture.X64)
        {
            missing.Add("seccomp: the list of system calls is for x86-64 alone.");
        }

        if (options.Isolation == IsolationLevel.Full && Libc.EffectiveUser() != 0)
        {
            missing.Add(
                "user: the server is not root, so sandboxes cannot run as users of their own. "
                + "Run it as root, or accept less with ASH_ISOLATION=reduced.");
        }

        var bubblewrap = FindBubblewrap(options.BubblewrapProgram);
        if (bubblewrap is null)
        {
            missing.Add("bubblewrap: `bwrap` was not found. Install it: `apt-get install bubblewrap`, or `make setup`.");
        }

        if (!Libseccomp.IsInstalled)
        {
            missing.Add("seccomp: libseccomp.so.2 was not found. Install it: `apt-get install libseccomp2`, or `make setup`.");
        }

        if (!File.Exists(options.BridgeProgram))
        {
            missing.Add($"bridge: {options.BridgeProgram} does not exist. Run `make setup`, or name it in ASH_BRIDGE_ENTRY.");
        }

        if (!File.Exists(options.CliProgram))
        {
            missing.Add(
                $"claude: {options.CliProgram} does not exist. Run `make setup`, which installs version {PinnedCli.Version}, "
                + "or name it in CLAUDE_CODE_EXECUTABLE.");
        }

        var cgroups = options.Isolation == IsolationLevel.Full ? CgroupLayout.Find(options.ServerId, missing) : null;

        if (missing.Count > 0)
        {
            throw new SandboxException(string.Join('\n', missing));
        }

        return (bubblewrap!, cgroups); // It was found: it would be missing otherwise.
    }

    private static string? FindBubblewrap(string? named)
    {
        if (named is not null)
        {
            return File.Exists(named) ? named : null;
        }

        var searchPath = Environment.GetEnvironmentVariable("PATH") ?? "/usr/bin:/bin";
        return searchPath.Split(':', StringSplitOptions.RemoveEmptyEntries)
            .Where(Path.IsPathRooted)
            .Select(folder => Path.Combine(folder, "bwrap"))
            .FirstOrDefault(File.Exists);
    }
}
