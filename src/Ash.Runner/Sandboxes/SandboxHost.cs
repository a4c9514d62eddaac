using System.ComponentModel;
using System.Text;
using Ash.Runner.Bridges;
using Ash.Runner.Bubblewrap;
using Ash.Runner.Cgroups;
using Ash.Runner.Kernel;
using Ash.Runner.Seccomp;
using Ash.Runner.Workspaces;
using Microsoft.Extensions.Logging;

namespace Ash.Runner.Sandboxes;

/// <inheritdoc cref="ISandboxHost"/>
public sealed partial class SandboxHost : ISandboxHost, IDisposable
{
    private const int MaxSocketPathBytes = 99;
    private const int StrangersAtOnce = 16;

    private readonly SandboxHostOptions _options;
    private readonly string _bubblewrap;
    private readonly SandboxRemains _remains;
    private readonly CgroupLayout? _cgroups;
    private readonly HostFiles _files;
    private readonly HostRoot _root = HostRoot.Read();
    private readonly string _seccompFile;
    private readonly ProcessWatcher _watcher = new();
    private readonly ILoggerFactory _loggers;
    private readonly ILogger _logger;
    private readonly TimeProvider _clock;

    private SandboxHost(
        SandboxHostOptions options, string bubblewrap, CgroupLayout? cgroups, ILoggerFactory loggers, TimeProvider clock)
    {
        _options = options;
        _bubblewrap = bubblewrap;
        _cgroups = cgroups;
        _loggers = loggers;
        _clock = clock;
        _logger = loggers.CreateLogger<SandboxHost>();

        // A root server may always give its sandboxes users of their own, whatever else it lacks.
        DropsUser = Libc.EffectiveUser() == 0;

        var temporary = Path.Combine(options.DataDirectory, "tmp");
        _remains = new SandboxRemains(cgroups, options.RunDirectory, temporary, clock);
        Directory.CreateDirectory(temporary);
        Directory.CreateDirectory(options.RunDirectory);
        var shared = HostFiles.MakeFolder(Path.Combine(temporary, "sandbox"));
        _files = new HostFiles(shared);
        _seccompFile = Path.Combine(shared, "seccomp.bpf");
        SeccompFilter.Write(_seccompFile);
    }

    public IsolationLevel Isolation => _options.Isolation;

    /// <summary>Whether sandboxes run as host users of their own, who own their workspaces.</summary>
    public bool DropsUser { get; }

    internal SandboxHostOptions Options => _options;

    /// <summary>The sandbox of the self-test is in no list of anybody's, and no stranger all the same.</summary>
    internal string SelfTestId { get; } = SandboxId.Make();

    internal string BubblewrapProgram => _bubblewrap;

    /// <summary>Looks for everything that sandboxes need, and makes the folders that all of them share.</summary>
    /// <exception cref="SandboxException">Something is missing; the message has a line, with its remedy, for each thing.</exception>
    public static SandboxHost Create(SandboxHostOptions options, ILoggerFactory loggers, TimeProvider clock)
    {
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(loggers);

        var (bubblewrap, cgroups) = SandboxPreconditions.Check(options);
        cgroups?.Prepare();
        return new SandboxHost(options, bubblewrap, cgroups, loggers, clock);
    }

    public SandboxPlan Plan(string sandboxId) =>
        new(_remains.SocketDirectory(SandboxId.Check(sandboxId)), _cgroups?.SandboxFolders(sandboxId) ?? []);

    public async Task<ISandbox> StartAsync(SandboxSpec spec, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(spec);
        SandboxId.Check(spec.Id);
        if (DropsUser && spec.Uid <= 0)
        {
            throw new SandboxException("user: a sandbox may not run as host user 0.");
        }

        try
        {
            await using var start = new SandboxStart(spec.Id, _remains, _watcher, _clock, _loggers.CreateLogger<Sandbox>());
            return await start.RunAsync(
                spec, Prepare(spec), _options.BridgeProgram, Owner(spec.Uid), _options.StartTimeout, cancellationToken);
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException or Win32Exception)
        {
            throw new SandboxException($"The sandbox could not be prepared: {failure.Message}", failure);
        }
    }

    public ISandbox? Adopt(SandboxIdentity identity)
    {
        ArgumentNullException.ThrowIfNull(identity);
        SandboxId.Check(identity.Id);
        if (identity.BootId != ProcessStart.BootId
            || !Directory.Exists(_remains.SocketDirectory(identity.Id))
            || ProcessHandle.TryOpen(identity.BridgePid, identity.BridgeStart) is not { } bridge)
        {
            return null;
        }

        var launcher = ProcessHandle.TryOpen(identity.LauncherPid, identity.LauncherStart);
        try
        {
            var sandboxLogger = _loggers.CreateLogger<Sandbox>();
            var listener = new BridgeListener(
                identity.Id,
                Path.Combine(_remains.SocketDirectory(identity.Id), SandboxStart.SocketName),
                Owner(identity.Uid),
                () => identity.BridgePid,
                _clock,
                sandboxLogger);
            LogAdopted(identity.Id);
            var cgroups = _remains.Cgroups(identity.Id);

            // An earlier server may have died while it was frozen.
            cgroups?.Thaw();
            return new Sandbox(
                identity,
                _remains,
                cgroups,
                listener,
                new SandboxProcesses(launcher, bridge, _watcher),
                sandboxLogger);
        }
        catch
        {
            launcher?.Dispose();
            bridge.Dispose();
            throw;
        }
    }

    public Task EndAsync(SandboxIdentity identity, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(identity);
        SandboxId.Check(identity.Id);
        return _remains.EndAsync(identity, cancellationToken);
    }

    public Task CleanUpAsync(string sandboxId, CancellationToken cancellationToken) =>
        _remains.EndAsync(SandboxId.Check(sandboxId), bridge: null, cancellationToken);

    public async Task RemoveStrangersAsync(IReadOnlySet<string> known, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(known);
        var options = new ParallelOptions { MaxDegreeOfParallelism = StrangersAtOnce, CancellationToken = cancellationToken };
        await Parallel.ForEachAsync(_remains.FindIds().Except(known).Except([SelfTestId]), options, async (stranger, stopping) =>
        {
            LogStranger(stranger);
            try
            {
                await _remains.EndAsync(stranger, bridge: null, stopping);
            }
            catch (Exception failure) when (failure is SandboxException or IOException or UnauthorizedAccessException)
            {
                // The others can be removed all the same, and the next server tries this one again.
                LogStrangerStays(failure, stranger);
            }
        });
    }

    public Task<IReadOnlyList<string>> SelfTestAsync(CancellationToken cancellationToken) =>
        new SandboxSelfTest(this, _cgroups, _loggers.CreateLogger<SandboxSelfTest>()).RunAsync(cancellationToken);

    /// <summary>Lets go of all sandboxes; they run on. Where none does, nothing of this server is left in the cgroups.</summary>
    public void Dispose()
    {
        _watcher.Dispose();
        _cgroups?.Leave();
    }

    private uint? Owner(int uid) => DropsUser ? (uint)uid : null;

    private SandboxSources Prepare(SandboxSpec spec)
    {
        var run = _remains.SocketDirectory(spec.Id);
        if (Encoding.UTF8.GetByteCount(Path.Combine(run, "broker.sock")) > MaxSocketPathBytes)
        {
            throw new SandboxException($"sockets: {run} is too long for a socket's path. Choose a shorter folder for sockets.");
        }

        foreach (var folder in new[] { spec.WorkspacePath, spec.HomePath })
        {
            if (FileKinds.Of(folder) != FileKind.Folder)
            {
                throw new SandboxException($"workspace: {folder} is no folder.");
            }
        }

        AgentContent? content = null;
        if (spec.ContentPath is { } contentPath)
        {
            content = ContentMounts.Find(contentPath, _files);
            ContentMounts.Prepare(spec.WorkspacePath, Owner(spec.Uid));
        }

        HostFiles.MakeFolder(run);
        return new SandboxSources(_root, _bubblewrap, _seccompFile, _files.Etc, run, _options.CliProgram, _options.BridgeProgram, content);
    }

    [LoggerMessage(LogLevel.Information, "Adopted sandbox {SandboxId}")]
    private partial void LogAdopted(string sandboxId);

    [LoggerMessage(LogLevel.Warning, "Removing sandbox {SandboxId}, which nobody owns")]
    private partial void LogStranger(string sandboxId);

    [LoggerMessage(LogLevel.Error, "Sandbox {SandboxId}, which nobody owns, could not be removed")]
    private partial void LogStrangerStays(Exception failure, string sandboxId);
}
