using Ash.Server.Agents;
using Ash.Server.Configuration;
using Ash.Server.Runners;
using Ash.Server.Sessions;
using Ash.Server.Storage;
using Microsoft.EntityFrameworkCore;

namespace Ash.Server.Warm;

/// <summary>Keeps sandboxes ready for the agents that are in use: started behind all other work, one after another.</summary>
/// <remarks>
/// One that nobody has claimed was told nothing, so it is ended without a word: where its agent changes or is used no more,
/// where a session needs its place, and when the server stops.
/// </remarks>
internal sealed partial class WarmPool(
    WarmSandboxes warm,
    SandboxStarter starter,
    SessionFactory sessions,
    SealedSessions sealedSessions,
    AgentContentStore contents,
    IDbContextFactory<AshDbContext> contexts,
    SandboxPlaces places,
    CliStarts starts,
    ServerSettings settings,
    TimeProvider clock,
    ILogger<WarmPool> logger) : BackgroundService
{
    /// <summary>How long a CLI works at its start. It does not say when it is done: nothing was sent to it.</summary>
    private static readonly TimeSpan StartTime = TimeSpan.FromSeconds(0.5);

    private static readonly TimeSpan SweepInterval = TimeSpan.FromMinutes(1);

    public override async Task StopAsync(CancellationToken cancellationToken)
    {
        await base.StopAsync(cancellationToken);
        await EndAsync(warm.Take(static _ => true));
    }

    /// <summary>An agent is deleted: nothing of it may be in use.</summary>
    public Task DropAsync(Guid agentId)
    {
        warm.Unwant(agentId);
        return EndAsync(warm.Take(one => one.Session.AgentId == agentId));
    }

    /// <summary>Ends the longest-waiting ones, so that sessions can have their places.</summary>
    /// <returns>How many were ended.</returns>
    public async Task<int> MakeRoomAsync(int count)
    {
        var taken = warm.Take(static _ => true, count);
        await EndAsync(taken);
        return taken.Count;
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        if (settings.WarmSandboxes == 0)
        {
            return;
        }

        using var sweep = clock.CreateTimer(_ => warm.NoteChange(), null, SweepInterval, SweepInterval);
        while (true)
        {
            await warm.WaitForChangeAsync(stoppingToken);
            var since = settings.IdleTimeout > TimeSpan.Zero ? clock.GetUtcNow() - settings.IdleTimeout : DateTimeOffset.MinValue;
            var wanted = warm.FindWanted(since);
            await EndAsync(warm.Take(one => !wanted.Contains(one.Session.AgentId)));
            foreach (var agentId in wanted)
            {
                await LookAfterAsync(agentId, stoppingToken);
            }
        }
    }

    private async Task LookAfterAsync(Guid agentId, CancellationToken stoppingToken)
    {
        try
        {
            await FillUpAsync(agentId, stoppingToken);
        }
#pragma warning disable CA1031 // Whatever is wrong with one agent, the others' sandboxes and the server are not.
        catch (Exception failure) when (!stoppingToken.IsCancellationRequested)
#pragma warning restore CA1031
        {
            // Sessions of it start as they would without: whoever creates the next one hears what is wrong.
            LogStartFailed(failure, agentId);
            warm.Unwant(agentId);
        }
    }

    private async Task FillUpAsync(Guid agentId, CancellationToken stoppingToken)
    {
        await using var db = await contexts.CreateDbContextAsync(stoppingToken);
        if (await db.Agents.SingleOrDefaultAsync(agent => agent.Id == agentId, stoppingToken) is not { } agent)
        {
            await DropAsync(agentId);
            return;
        }

        var content = contents.Open(agent.ContentHash);
        var prompt = await PromptVersions.FindActiveAsync(db, agent.Id, stoppingToken);
        var signature = sessions.SignatureOf(sessions.Make(agent, content.Settings, prompt), agent, content.Settings);
        await EndAsync(warm.Take(one => one.Session.AgentId == agentId && (one.Signature != signature || one.Sandbox.Exited.IsCompleted)));
        while (warm.CountMissing(agentId) > 0 && places.TryTake() is { } place)
        {
            await StartAsync(sessions.Make(agent, content.Settings, prompt), signature, place, stoppingToken);
        }
    }

    private async Task StartAsync(SessionRecord session, string signature, SandboxPlace place, CancellationToken stoppingToken)
    {
        SessionSandbox? started = null;
        try
        {
            using var entered = await starts.EnterAsync(stoppingToken);
            started = await starter.StartAheadAsync(session, place, stoppingToken);
            started.SetPriority(isWaitedFor: false);
            CliCommand.Start(started, session, sealedSessions.Open(session), CliStart.Fresh, model: null, options: null);
            var one = new WarmSandbox(session, signature, started);
            if (!warm.TryAdd(one))
            {
                await EndAsync([one]);
                return;
            }

            _ = WatchAsync(started);
            await Task.Delay(StartTime, clock, stoppingToken);
        }
        finally
        {
            if (started is null)
            {
                place.Dispose();
            }
        }
    }

    /// <summary>One that ends by itself is replaced.</summary>
    private async Task WatchAsync(SessionSandbox sandbox)
    {
        await sandbox.Exited;
        warm.NoteChange();
    }

    private Task EndAsync(IReadOnlyList<WarmSandbox> taken) =>
        Task.WhenAll(taken.Select(one => starter.RemoveAsync(one.Sandbox, one.Session.WorkspaceId, CancellationToken.None)));

    [LoggerMessage(LogLevel.Warning, "No sandbox could be started ahead for agent {AgentId}")]
    private partial void LogStartFailed(Exception failure, Guid agentId);
}
