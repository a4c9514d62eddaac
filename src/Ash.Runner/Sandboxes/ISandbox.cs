using System.Threading.Channels;
using Ash.Runner.Bridges;

namespace Ash.Runner.Sandboxes;

/// <summary>A running sandbox: one process tree, fenced by bubblewrap and held in its own cgroups.</summary>
/// <remarks>
/// Disposal lets go of it (socket and watcher) and leaves the processes alone: a sandbox outlives its server. Only
/// <see cref="KillAsync"/> ends it. The workspace stays in any case: it belongs to the session.
/// </remarks>
public interface ISandbox : IAsyncDisposable
{
    SandboxIdentity Identity { get; }

    /// <summary>The bridge's connections, each already past its hello. The newest counts; older ones are closed. Completed after the exit.</summary>
    ChannelReader<IBridgeConnection> Connections { get; }

    /// <summary>Completes when the bridge's process has ended, and with it everything inside; never faults.</summary>
    Task<SandboxExit> Exited { get; }

    /// <summary>What it uses and which limits it has met; null where no cgroup counts it.</summary>
    SandboxUsage? ReadUsage() => null;

    /// <summary>Changes its share of a busy machine; without effect where no cgroup holds it.</summary>
    /// <param name="percent">Of what a process outside has.</param>
    void SetCpuWeight(int percent)
    {
    }

    /// <summary>Stops every process where it stands, until <see cref="Thaw"/>. What is frozen can be killed all the same.</summary>
    /// <returns>False where no cgroup holds them, or one does not stand still; they are to be thawed all the same.</returns>
    Task<bool> FreezeAsync(CancellationToken cancellationToken) => Task.FromResult(false);

    /// <summary>Lets frozen processes go on; harmless where none is.</summary>
    void Thaw()
    {
    }

    /// <summary>Ends every process, then removes cgroups and sockets. Returns when nothing is left. Harmless when repeated.</summary>
    /// <exception cref="SandboxException">Something has not ended within half a minute; repeated, it tries again.</exception>
    Task KillAsync();
}
