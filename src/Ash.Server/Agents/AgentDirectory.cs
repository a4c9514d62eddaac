using System.Text.Json;
using System.Text.RegularExpressions;
using Ash.Protocol.Api;
using Ash.Server.Configuration;
using Ash.Server.Http;
using Ash.Server.Sessions;
using Ash.Server.Storage;
using Ash.Server.Warm;
using Microsoft.EntityFrameworkCore;

namespace Ash.Server.Agents;

/// <summary>Deploys agents, finds them, lists them, deletes them with their sessions.</summary>
internal sealed partial class AgentDirectory(
    IDbContextFactory<AshDbContext> contexts,
    StoreWriter writer,
    AgentContentStore contents,
    SessionDirectory sessions,
    WarmSandboxes warm,
    WarmPool warmPool,
    DataFolder data,
    ServerSettings settings,
    TimeProvider clock,
    ILogger<AgentDirectory> logger)
{
    private const int MaxPromptLength = 1_000_000;

    /// <summary>No content is removed between the moment that a deploy finds it there and the row that needs it.</summary>
    private readonly Gate _contents = new();

    private readonly SemaphoreSlim _deploys = new(2);

    /// <summary>A deploy holds all of its body, several times over: no more than two at a time, so it begins here, not with reading.</summary>
    public async ValueTask<Gate.Pass> BeginDeployAsync(CancellationToken cancellationToken)
    {
        await _deploys.WaitAsync(cancellationToken);
        return new Gate.Pass(_deploys);
    }

    /// <summary>Makes the next version of an agent from the request's files or path. Nothing half done is left where it is refused.</summary>
    /// <exception cref="StoreException">It could not be written: a full disk, for one. Nothing of it was kept.</exception>
    public async Task<DeployAgent> DeployAsync(string tenantId, DeployAgentRequest request, CancellationToken cancellationToken)
    {
        if (Refusal(request) is { } problem)
        {
            return new DeployAgent.Refused(problem);
        }

        try
        {
            using var folder = new AgentFolder(data.Temporary);
            if (Fill(folder, request) is { } refused)
            {
                return new DeployAgent.Refused(refused);
            }

            var hash = folder.Hash();
            using var entered = await _contents.EnterAsync();
            contents.Adopt(folder.Path, hash);
            var agent = await StoreAsync(tenantId, request, hash);
            warm.Want(agent.Id);
            LogDeployed(agent.Name, agent.Version, hash);
            return new DeployAgent.Deployed(Describe(agent));
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            throw new StoreException("The folder of an agent could not be stored: " + failure.Message, failure);
        }
    }

    public async Task<AgentInfo?> FindAsync(string tenantId, string name, CancellationToken cancellationToken)
    {
        await using var db = await contexts.CreateDbContextAsync(cancellationToken);
        return await db.Agents.SingleOrDefaultAsync(agent => agent.TenantId == tenantId && agent.Name == name, cancellationToken) is { } agent
            ? Describe(agent)
            : null;
    }

    public async Task<IReadOnlyList<AgentInfo>> ListAsync(string tenantId, CancellationToken cancellationToken)
    {
        await using var db = await contexts.CreateDbContextAsync(cancellationToken);
        var agents = await db.Agents.Where(agent => agent.TenantId == tenantId).OrderBy(agent => agent.Name).ToListAsync(cancellationToken);
        return [.. agents.Select(Describe)];
    }

    /// <summary>Deletes an agent, its sessions with all that is theirs, and its content where nobody else has the same.</summary>
    /// <returns>False where there is no such agent.</returns>
    public async Task<bool> DeleteAsync(string tenantId, string name, CancellationToken cancellationToken)
    {
        await using var db = await contexts.CreateDbContextAsync(cancellationToken);
        if (await db.Agents.SingleOrDefaultAsync(agent => agent.TenantId == tenantId && agent.Name == name, cancellationToken) is not { } agent)
        {
            return false;
        }

        var ids = await db.Sessions.Where(session => session.AgentId == agent.Id).Select(session => session.Id).ToListAsync(cancellationToken);
        foreach (var id in ids)
        {
            await sessions.Grain(id).EndAsync(purge: true);
        }

        await warmPool.DropAsync(agent.Id);
        using var entered = await _contents.EnterAsync();
        var unused = await writer.WriteAsync(Durability.Power, transaction =>
        {
            var store = transaction.Db;
            var hashes = store.AgentVersions.Where(version => version.AgentId == agent.Id).Select(version => version.ContentHash).Distinct().ToList();
            store.AgentVersions.Where(version => version.AgentId == agent.Id).ExecuteDelete();
            store.Agents.Where(a => a.Id == agent.Id).ExecuteDelete();
            return hashes.Where(hash => !store.AgentVersions.Any(version => version.ContentHash == hash)).ToList();
        });

        foreach (var hash in unused)
        {
            contents.Remove(hash);
        }

        LogDeleted(name, ids.Count);
        return true;
    }

    /// <summary>Fills a folder as the request says.</summary>
    /// <returns>What is wrong with the request, or null.</returns>
    private Problem? Fill(AgentFolder folder, DeployAgentRequest request)
    {
        if ((request.Path is { } path ? Copy(folder, path) : Invalid(folder.Add(request.Files ?? []))) is { } problem)
        {
            return problem;
        }

        if (request.SystemPrompt is { } prompt)
        {
            folder.AddPrompt(prompt);
        }

        if (folder.WrongKind() is { } kind)
        {
            return Problems.Invalid(kind);
        }

        if (!folder.HasPrompt)
        {
            return Problems.MissingClaudeMd;
        }

        try
        {
            AgentContent.Load(folder.Path);
            return null;
        }
        catch (AgentSettingsException failure)
        {
            return Problems.Invalid(failure.Message);
        }
    }

    private Problem? Copy(AgentFolder folder, string path)
    {
        using var source = DeploySource.Open(path, data.Path, settings.DeployRoots, out var problem);
        return source is null ? problem : Invalid(folder.Copy(source));
    }

    private static Problem? Invalid(string? reason) => reason is null ? null : Problems.Invalid(reason);

    private Task<AgentRecord> StoreAsync(string tenantId, DeployAgentRequest request, string hash) => writer.WriteAsync(Durability.Power, transaction =>
    {
        var db = transaction.Db;
        var at = clock.GetUtcNow();
        var agent = db.Agents.SingleOrDefault(agent => agent.TenantId == tenantId && agent.Name == request.Name);
        if (agent is null)
        {
            agent = new AgentRecord { Id = Guid.CreateVersion7(), TenantId = tenantId, Name = request.Name, ContentHash = hash, CreatedAt = at };
            db.Agents.Add(agent);
        }

        agent.Version++;
        agent.ContentHash = hash;
        agent.UpdatedAt = at;
        if (request.Env is not null)
        {
            agent.Env = request.Env.Count == 0 ? null : JsonSerializer.Serialize(request.Env);
        }

        db.AgentVersions.Add(new AgentVersionRecord { AgentId = agent.Id, Version = agent.Version, ContentHash = hash, CreatedAt = at });
        db.SaveChanges();
        return agent;
    });

    private AgentInfo Describe(AgentRecord agent) => new()
    {
        Id = agent.Id,
        Name = agent.Name,
        TenantId = agent.TenantId,
        Version = agent.Version,
        Path = contents.PathOf(agent.ContentHash),
        ContentHash = agent.ContentHash,
        Env = agent.Env is null ? null : JsonSerializer.Deserialize<Dictionary<string, string>>(agent.Env)!.ToDictionary(pair => pair.Key, _ => "***"),
        CreatedAt = agent.CreatedAt,
        UpdatedAt = agent.UpdatedAt,
    };

    private static Problem? Refusal(DeployAgentRequest request)
    {
        if (!ValidName().IsMatch(request.Name))
        {
            return Problems.Invalid("name must match ^[a-zA-Z0-9_-]{1,255}$");
        }

        if (request.Path is null && request.Files is null && request.SystemPrompt is null)
        {
            return Problems.Invalid("body must have files, path or systemPrompt");
        }

        if (request.SystemPrompt?.Length > MaxPromptLength)
        {
            return Problems.Invalid($"systemPrompt must NOT have more than {MaxPromptLength} characters");
        }

        return EnvironmentNames.Refusal("env", request.Env) is { } reason ? Problems.Invalid(reason) : null;
    }

    [GeneratedRegex("^[a-zA-Z0-9_-]{1,255}\\z")]
    private static partial Regex ValidName();

    [LoggerMessage(LogLevel.Information, "Deployed agent {AgentName} as version {Version}, content {ContentHash}")]
    private partial void LogDeployed(string agentName, int version, string contentHash);

    [LoggerMessage(LogLevel.Information, "Deleted agent {AgentName} with {Sessions} sessions")]
    private partial void LogDeleted(string agentName, int sessions);
}
