using System.Net.Sockets;
using System.Security.Cryptography;
using System.Text;
using Ash.Protocol.Bridge;
using Ash.Runner.Sandboxes;
using Ash.Runner.Workspaces;
using Ash.Server.Agents;
using Ash.Server.Broker;
using Ash.Server.Configuration;
using Ash.Server.Credentials;
using Ash.Server.Health;
using Ash.Server.Runners;
using Ash.Server.Storage;
using Ash.Server.Telemetry;
using Microsoft.EntityFrameworkCore;

namespace Ash.Server.Sessions;

/// <summary>Starts a session's sandbox and takes over one that outlived an earlier server.</summary>
/// <remarks>
/// The row comes first, then the processes, then, once they are ready for use, their pids into the row: no process is ever
/// without a row, and a row with pids is of a sandbox that can be taken over.
/// </remarks>
internal sealed partial class SandboxStarter(
    ISandboxHost host,
    WorkspaceStore workspaces,
    AgentContentStore contents,
    BrokerSockets broker,
    StoreWriter writer,
    SealedAgents agents,
    SealedSessions sealedSessions,
    SessionCredentials credentials,
    SelfTest selfTest,
    SandboxPlaces places,
    SandboxUids uids,
    ServerSettings settings,
    SessionTelemetry telemetry,
    TimeProvider clock,
    ILoggerFactory loggers,
    ILogger<SandboxStarter> logger)
{
    private static readonly TimeSpan BridgePatience = TimeSpan.FromSeconds(20);
    private static readonly TimeSpan RemovalDelay = TimeSpan.FromSeconds(1);

    /// <summary>Starts a sandbox for a session, in its workspace. Its bridge is up and has its environment when this returns.</summary>
    /// <exception cref="SandboxException">It could not be started; nothing of it is left, and the place is the caller's still.</exception>
    /// <param name="session">Whose it is.</param>
    /// <param name="place">Goes with the sandbox, and is given back once that is removed.</param>
    /// <param name="cancellationToken">Gives the start up.</param>
    public Task<SessionSandbox> StartAsync(SessionRecord session, SandboxPlace place, CancellationToken cancellationToken) =>
        StartAsync(session, place, isAhead: false, cancellationToken);

    /// <summary>Starts a sandbox for a session that is not there yet, in a fresh workspace that goes with it until it is.</summary>
    /// <inheritdoc cref="StartAsync(SessionRecord, SandboxPlace, CancellationToken)"/>
    /// <param name="session">In no store; it gets its host user here.</param>
    public Task<SessionSandbox> StartAheadAsync(SessionRecord session, SandboxPlace place, CancellationToken cancellationToken) =>
        StartAsync(session, place, isAhead: true, cancellationToken);

    private async Task<SessionSandbox> StartAsync(SessionRecord session, SandboxPlace place, bool isAhead, CancellationToken cancellationToken)
    {
        if (await selfTest.ResultAsync(cancellationToken) is { Count: > 0 } missing)
        {
            throw new SandboxException(string.Join(' ', missing));
        }

        var id = RandomNumberGenerator.GetString("abcdefghijklmnopqrstuvwxyz", 12);
        var token = "ash_sandbox_" + RandomNumberGenerator.GetHexString(48, lowercase: true);
        var tokenHash = SHA256.HashData(Encoding.ASCII.GetBytes(token));
        var content = contents.Open(session.ContentHash);
        var record = new SandboxRecord
        {
            Id = id,
            SessionId = session.Id,
            WorkspaceId = isAhead ? session.WorkspaceId : null,
            State = SandboxState.Starting,
            TokenHash = tokenHash,
            CreatedAt = clock.GetUtcNow(),
        };

        await writer.WriteAsync(Durability.Power, transaction =>
        {
            session.Uid ??= uids.Take(transaction.Db.Sessions, transaction.Db.Sandboxes);
            record.Uid = session.Uid.Value;
            transaction.Db.Sandboxes.Add(record);
            transaction.Db.SaveChanges();
        });

        ISandbox? sandbox = null;
        SessionSandbox? started = null;
        var begunAt = clock.GetTimestamp();
        try
        {
            if (isAhead)
            {
                workspaces.Create(session.WorkspaceId!.Value.ToString(), record.Uid, content.Path, copyAll: !content.Settings.ReadOnlyContent);
            }

            // SQLite answers on the thread that asks it, and the processes need 20 ms.
            var findingEnvironment = Task.Run(
                async () => (
                    Secrets: sealedSessions.Open(session),
                    Agents: await agents.FindEnvironmentAsync(session.AgentId, cancellationToken),
                    Credentials: await credentials.FindEnvironmentAsync(session, cancellationToken)),
                cancellationToken);
            sandbox = await host.StartAsync(Specify(session, content, id), cancellationToken);
            var spawned = clock.GetElapsedTime(begunAt);
            started = Attach(sandbox, place, tokenHash, lastFrame: 0);
            started.Listen();
            var found = await findingEnvironment;
            var environment = CliCommand.Environment(
                session, found.Secrets, found.Agents, found.Credentials, token, content.Settings.AppendsSystemPrompt);
            var configured = await started.SendAsync(new Configure("configure", environment)).WaitAsync(BridgePatience, clock, cancellationToken);
            if (!configured.Ok)
            {
                throw new SandboxException($"The sandbox did not take its environment: {configured.Error}");
            }

            // Only now: an earlier server's sandbox that lacks its environment is of no use to anybody.
            await writer.WriteAsync(Durability.Power, transaction => Identify(transaction, sandbox.Identity));
            telemetry.SandboxStarted(session.Id, id, spawned, clock.GetElapsedTime(begunAt));
            return started;
        }
#pragma warning disable CA1031 // Whatever went wrong, nothing of the sandbox may stay.
        catch (Exception failure)
#pragma warning restore CA1031
        {
            telemetry.SandboxFailed(failure);
            await RemoveAsync(
                id, sandbox?.Identity, record.WorkspaceId, () => started?.KillAsync() ?? sandbox?.KillAsync() ?? Task.CompletedTask);
            throw failure switch
            {
                SandboxException or OperationCanceledException => failure,
                TimeoutException => new SandboxException(
                    $"The sandbox was started, but its bridge did not answer within {BridgePatience.TotalSeconds:0} s. It was ended again.",
                    failure),
                _ => new SandboxException(failure.Message, failure),
            };
        }
    }

    /// <summary>Takes over the sandbox of a row; null where it is gone, and then nothing of it is left.</summary>
    public async Task<SessionSandbox?> AdoptAsync(SandboxRecord record, CancellationToken cancellationToken)
    {
        if (IdentityOf(record) is { } identity && host.Adopt(identity) is { } sandbox)
        {
            var place = places.Occupy();
            try
            {
                var adopted = Attach(sandbox, place, record.TokenHash, record.LastFrame);
                LogAdopted(record.Id, record.SessionId);
                return adopted;
            }
            catch (Exception failure) when (failure is SocketException or IOException or UnauthorizedAccessException)
            {
                LogAdoptFailed(failure, record.Id, record.SessionId);
                place.Dispose();
                await sandbox.KillAsync();
            }
        }

        await DiscardAsync(record, cancellationToken);
        return null;
    }

    /// <summary>Ends what may be left of the sandbox of a row, and forgets the row.</summary>
    public async Task DiscardAsync(SandboxRecord record, CancellationToken cancellationToken)
    {
        await EndAsync(record.Id, IdentityOf(record), cancellationToken);
        await ForgetAsync(record.Id, record.WorkspaceId);
    }

    /// <summary>Ends a sandbox, forgets its row and gives its place back. Where that fails it is tried again, until nothing is left.</summary>
    /// <param name="sandbox">The sandbox.</param>
    /// <param name="workspaceId">The workspace that goes with it: of one that no session has had.</param>
    /// <param name="cancellationToken">Ends the tries; what is left is then the next server's to remove.</param>
    public async Task RemoveAsync(SessionSandbox sandbox, Guid? workspaceId, CancellationToken cancellationToken)
    {
        while (!await TryRemoveAsync(sandbox, workspaceId))
        {
            await Task.Delay(RemovalDelay, clock, cancellationToken);
        }
    }

    private async Task<bool> TryRemoveAsync(SessionSandbox sandbox, Guid? workspaceId)
    {
        try
        {
            await RemoveAsync(sandbox.Id, sandbox.Identity, workspaceId, sandbox.KillAsync);
            sandbox.Place.Dispose();
            return true;
        }
        catch (Exception failure) when (failure is SandboxException || StoreException.MayPass(failure))
        {
            LogRemoveFailed(failure, sandbox.Id);
            return false;
        }
    }

    private async Task RemoveAsync(string id, SandboxIdentity? identity, Guid? workspaceId, Func<Task> kill)
    {
        try
        {
            await kill();
        }
        catch (Exception failure) when (failure is SandboxException or IOException)
        {
            LogKillFailed(failure, id);
        }

        // Once more: harmless where nothing is left, and another try where something is.
        await EndAsync(id, identity, CancellationToken.None);
        await ForgetAsync(id, workspaceId);
    }

    private Task EndAsync(string id, SandboxIdentity? identity, CancellationToken cancellationToken) =>
        identity is null ? host.CleanUpAsync(id, cancellationToken) : host.EndAsync(identity, cancellationToken);

    /// <summary>Null where the row has no pids.</summary>
    private static SandboxIdentity? IdentityOf(SandboxRecord record) => record is { State: SandboxState.Live, BootId: { } boot }
        ? new(record.Id, record.LauncherPid, record.LauncherStart, record.BridgePid, record.BridgeStart, boot, record.Uid)
        : null;

    private SessionSandbox Attach(ISandbox sandbox, SandboxPlace place, byte[] tokenHash, long lastFrame)
    {
        var id = sandbox.Identity.Id;
        var socket = broker.Open(id, Path.Combine(host.Plan(id).SocketDirectory, "broker.sock"), sandbox.Identity.Uid);
        return new SessionSandbox(sandbox, place, socket, tokenHash, lastFrame, clock, loggers.CreateLogger<SessionSandbox>());
    }

    private SandboxSpec Specify(SessionRecord session, AgentContent content, string id)
    {
        var workspace = workspaces.Find(session.WorkspaceId!.Value.ToString());
        var resources = content.Settings.Resources;
        return new SandboxSpec
        {
            Id = id,
            Uid = session.Uid!.Value,
            WorkspacePath = workspace.WorkPath,
            HomePath = workspace.HomePath,
            ContentPath = content.Settings.ReadOnlyContent ? content.Path : null,
            OrphanTimeout = settings.OrphanTimeout,
            Limits = new SandboxLimits(
                resources.MemoryMb ?? settings.SandboxMemoryMb,
                resources.Cpus ?? 1,
                resources.Pids ?? 512),
        };
    }

    private static void Identify(StoreTransaction transaction, SandboxIdentity identity)
    {
        var record = transaction.Db.Sandboxes.Single(sandbox => sandbox.Id == identity.Id);
        record.State = SandboxState.Live;
        record.LauncherPid = identity.LauncherPid;
        record.LauncherStart = identity.LauncherStart;
        record.BridgePid = identity.BridgePid;
        record.BridgeStart = identity.BridgeStart;
        record.BootId = identity.BootId;
        transaction.Db.SaveChanges();
    }

    /// <summary>The row goes last: no host user is free while a file of it exists.</summary>
    private Task ForgetAsync(string id, Guid? workspaceId)
    {
        if (workspaceId is { } workspace)
        {
            workspaces.Remove(workspace.ToString());
        }

        return writer.WriteAsync(Durability.Process, transaction =>
        {
            transaction.Db.Sandboxes.Where(sandbox => sandbox.Id == id).ExecuteDelete();
        });
    }

    [LoggerMessage(LogLevel.Information, "Adopted sandbox {SandboxId} of session {SessionId}")]
    private partial void LogAdopted(string sandboxId, Guid sessionId);

    [LoggerMessage(LogLevel.Warning, "Sandbox {SandboxId} could not be ended at once; it is tried again")]
    private partial void LogKillFailed(Exception failure, string sandboxId);

    [LoggerMessage(LogLevel.Error, "Sandbox {SandboxId} could not be removed; it is tried again")]
    private partial void LogRemoveFailed(Exception failure, string sandboxId);

    [LoggerMessage(LogLevel.Error, "Could not take over sandbox {SandboxId} of session {SessionId}; it is ended")]
    private partial void LogAdoptFailed(Exception failure, string sandboxId, Guid sessionId);
}
