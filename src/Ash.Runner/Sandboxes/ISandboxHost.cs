namespace Ash.Runner.Sandboxes;

/// <summary>The sandboxes of one machine: starts them, finds those that outlived a server, removes what nobody owns.</summary>
public interface ISandboxHost
{
    /// <summary>Which protection this host gives; stored with each session.</summary>
    IsolationLevel Isolation { get; }

    /// <summary>Says where a sandbox's things will be, and makes nothing. To be stored before <see cref="StartAsync"/>.</summary>
    SandboxPlan Plan(string sandboxId);

    /// <summary>Starts a sandbox and returns once its processes exist; its bridge dials in shortly after.</summary>
    /// <exception cref="SandboxException">It could not be started; whatever was made is gone again.</exception>
    Task<ISandbox> StartAsync(SandboxSpec spec, CancellationToken cancellationToken);

    /// <summary>Takes over a sandbox that an earlier server started, listening for its bridge again.</summary>
    /// <returns>Null where its processes are gone, another boot's, or no longer the same ones.</returns>
    ISandbox? Adopt(SandboxIdentity identity);

    /// <summary>Ends a sandbox that an earlier server started: processes, cgroups, sockets. Returns when nothing is left; harmless where nothing is.</summary>
    /// <exception cref="SandboxException">Something has not ended; it may be tried again.</exception>
    Task EndAsync(SandboxIdentity identity, CancellationToken cancellationToken);

    /// <summary>The same for a sandbox of which only the name is known.</summary>
    /// <remarks>
    /// Under reduced isolation a name leads to no process: one that still runs ends itself when no server has let it in for
    /// its <see cref="SandboxSpec.OrphanTimeout"/>. Where its pids are known it takes <see cref="EndAsync"/>.
    /// </remarks>
    /// <exception cref="SandboxException">Something has not ended; it may be tried again.</exception>
    Task CleanUpAsync(string sandboxId, CancellationToken cancellationToken);

    /// <summary>Ends and removes every sandbox of this data folder that is not in <paramref name="known"/>. What cannot be removed is logged.</summary>
    Task RemoveStrangersAsync(IReadOnlySet<string> known, CancellationToken cancellationToken);

    /// <summary>Starts one real sandbox and looks at it from inside and outside. Remembered for this boot and these binaries.</summary>
    /// <returns>What is missing, each layer with its remedy; empty where all is well.</returns>
    Task<IReadOnlyList<string>> SelfTestAsync(CancellationToken cancellationToken);
}
