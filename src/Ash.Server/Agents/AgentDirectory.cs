using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Ash.Protocol.Api;
using Ash.Server.Configuration;
using Ash.Server.Http;
using Ash.Server.Sessions;
using Ash.Server.Storage;
using Ash.Server.Warm;
using Microsoft.EntityFrameworkCore;

namespace Ash.Server.Agents;

/// <summary>Deploys agents, finds and changes them, deletes them with their sessions.</summary>
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
    public const int MaxPromptLength = 1_000_000;
    private static readonly Problem InvalidName = Problems.Invalid("name must match ^[a-zA-Z0-9_-]{1,255}$");

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
            if ((Fill(folder, request) ?? Check(folder)) is { } refused)
            {
                return new DeployAgent.Refused(refused);
            }

            var hash = folder.Hash();
            using var entered = await _contents.EnterAsync();
            contents.Adopt(folder.Path, hash);
            return Deployed(await StoreAsync(tenantId, request, hash));
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            throw new StoreException("The folder of an agent could not be stored: " + failure.Message, failure);
        }
    }

    /// <summary>Changes an agent's newest content; what comes of it is its next version. Unchanged content stays the version it is.</summary>
    /// <param name="tenantId">Whose agent it is.</param>
    /// <param name="name">The agent's.</param>
    /// <param name="expected">Which state of it is to be changed.</param>
    /// <param name="change">Changes a copy of the content, and returns what is wrong with the request, or null.</param>
    /// <param name="cancellationToken">Gives it up.</param>
    /// <exception cref="StoreException">It could not be written. Nothing of it was kept.</exception>
    public async Task<DeployAgent> ChangeAsync(
        string tenantId, string name, Precondition expected, Func<AgentFolder, Problem?> change, CancellationToken cancellationToken)
    {
        while (true)
        {
            if (await FindRecordAsync(tenantId, name, cancellationToken) is not { } agent)
            {
                return new DeployAgent.Refused(Problems.AgentNotFound);
            }

            if (!expected.Allows(TagOf(agent)))
            {
                return new DeployAgent.Refused(Problems.PreconditionFailed);
            }

            try
            {
                using var folder = new AgentFolder(data.Temporary);
                folder.AddContent(contents.PathOf(agent.ContentHash));
                if ((change(folder) ?? Check(folder)) is { } refused)
                {
                    return new DeployAgent.Refused(refused);
                }

                var hash = folder.Hash();
                if (hash == agent.ContentHash)
                {
                    return new DeployAgent.Deployed(Describe(agent));
                }

                using var entered = await _contents.EnterAsync();
                contents.Adopt(folder.Path, hash);
                if (await StoreNextAsync(agent, hash) is { } changed)
                {
                    return Deployed(changed);
                }

                // Another deploy came between: what was copied is no longer the newest.
            }
            catch (Exception failure) when (failure is DirectoryNotFoundException or FileNotFoundException)
            {
                if (await FindRecordAsync(tenantId, name, cancellationToken) is { } still && still.ContentHash == agent.ContentHash)
                {
                    return new DeployAgent.Refused(Problems.MissingAgentFiles);
                }
            }
            catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
            {
                throw new StoreException("The folder of an agent could not be stored: " + failure.Message, failure);
            }
        }
    }

    /// <summary>Makes the content of an earlier deploy that of the next version.</summary>
    public async Task<DeployAgent> RollBackAsync(
        string tenantId, string name, int version, Precondition expected, CancellationToken cancellationToken)
    {
        using var entered = await _contents.EnterAsync();
        AgentRecord? agent;
        AgentRecord? changed;
        do
        {
            await using var db = await contexts.CreateDbContextAsync(cancellationToken);
            agent = await db.Agents.SingleOrDefaultAsync(a => a.TenantId == tenantId && a.Name == name, cancellationToken);
            if (agent is null)
            {
                return new DeployAgent.Refused(Problems.AgentNotFound);
            }

            if (!expected.Allows(TagOf(agent)))
            {
                return new DeployAgent.Refused(Problems.PreconditionFailed);
            }

            if (await db.AgentVersions.SingleOrDefaultAsync(v => v.AgentId == agent.Id && v.Version == version, cancellationToken) is not { } earlier)
            {
                return new DeployAgent.Refused(Problems.UnknownDeploy(version));
            }

            changed = await StoreNextAsync(agent, earlier.ContentHash);
        }
        while (changed is null);

        return Deployed(changed);
    }

    /// <summary>An agent's deploys, newest first; null where there is no such agent.</summary>
    public async Task<IReadOnlyList<DeployInfo>?> ListDeploysAsync(string tenantId, string name, CancellationToken cancellationToken)
    {
        if (await FindRecordAsync(tenantId, name, cancellationToken) is not { } agent)
        {
            return null;
        }

        await using var db = await contexts.CreateDbContextAsync(cancellationToken);
        return await db.AgentVersions
            .Where(version => version.AgentId == agent.Id)
            .OrderByDescending(version => version.Version)
            .Select(version => new DeployInfo(version.Version, version.ContentHash, version.Version == agent.Version, version.CreatedAt))
            .ToListAsync(cancellationToken);
    }

    /// <summary>Changes what of an agent is not content.</summary>
    public Task<DeployAgent> UpdateAsync(
        string tenantId, string name, IReadOnlyDictionary<string, string>? env, JsonObject? config, Precondition expected) =>
        writer.WriteAsync<DeployAgent>(Durability.Power, transaction =>
        {
            var db = transaction.Db;
            if (db.Agents.SingleOrDefault(agent => agent.TenantId == tenantId && agent.Name == name) is not { } agent)
            {
                return new DeployAgent.Refused(Problems.AgentNotFound);
            }

            if (!expected.Allows(TagOf(agent)))
            {
                return new DeployAgent.Refused(Problems.PreconditionFailed);
            }

            if (env is not null)
            {
                agent.Env = Serialize(env);
            }

            if (config is not null)
            {
                agent.Config = Merge(agent.Config, config);
            }

            agent.UpdatedAt = Later(agent.UpdatedAt);
            db.SaveChanges();
            return new DeployAgent.Deployed(Describe(agent));
        });

    /// <summary>Makes an agent of an agent, with all but its sessions.</summary>
    public async Task<DeployAgent> CloneAsync(string tenantId, string name, string cloneName)
    {
        if (!ValidName().IsMatch(cloneName))
        {
            return new DeployAgent.Refused(InvalidName);
        }

        // No content is removed meanwhile.
        using var entered = await _contents.EnterAsync();
        var outcome = await writer.WriteAsync<DeployAgent>(Durability.Power, transaction =>
        {
            var db = transaction.Db;
            if (db.Agents.SingleOrDefault(agent => agent.TenantId == tenantId && agent.Name == name) is not { } source)
            {
                return new DeployAgent.Refused(Problems.AgentNotFound);
            }

            if (db.Agents.Any(agent => agent.TenantId == tenantId && agent.Name == cloneName))
            {
                return new DeployAgent.Refused(Problems.AgentExists(cloneName));
            }

            var at = clock.GetUtcNow();
            var clone = new AgentRecord
            {
                Id = Guid.CreateVersion7(),
                TenantId = tenantId,
                Name = cloneName,
                Version = 1,
                ContentHash = source.ContentHash,
                Env = source.Env,
                Config = source.Config,
                LastPromptNumber = source.LastPromptNumber,
                CreatedAt = at,
                UpdatedAt = at,
            };
            db.Agents.Add(clone);
            db.AgentVersions.Add(new AgentVersionRecord { AgentId = clone.Id, Version = 1, ContentHash = clone.ContentHash, CreatedAt = at });
            foreach (var prompt in db.PromptVersions.AsNoTracking().Where(version => version.AgentId == source.Id).ToList())
            {
                prompt.Id = Guid.CreateVersion7();
                prompt.AgentId = clone.Id;
                db.PromptVersions.Add(prompt);
            }

            db.SaveChanges();
            return new DeployAgent.Deployed(Describe(clone));
        });
        return outcome;
    }

    public async Task<AgentInfo?> FindAsync(string tenantId, string name, CancellationToken cancellationToken) =>
        await FindRecordAsync(tenantId, name, cancellationToken) is { } agent ? Describe(agent) : null;

    /// <summary>What is kept with an agent for its users; null where there is no such agent.</summary>
    public async Task<JsonElement?> FindConfigAsync(string tenantId, string name, CancellationToken cancellationToken) =>
        await FindRecordAsync(tenantId, name, cancellationToken) is { } agent ? JsonElement.Parse(agent.Config ?? "{}") : null;

    /// <summary>Where an agent's newest content lies; null where there is no such agent.</summary>
    public async Task<string?> FindContentAsync(string tenantId, string name, CancellationToken cancellationToken) =>
        await FindRecordAsync(tenantId, name, cancellationToken) is { } agent ? contents.PathOf(agent.ContentHash) : null;

    public async Task<AgentRecord?> FindRecordAsync(string tenantId, string name, CancellationToken cancellationToken)
    {
        await using var db = await contexts.CreateDbContextAsync(cancellationToken);
        return await db.Agents.SingleOrDefaultAsync(agent => agent.TenantId == tenantId && agent.Name == name, cancellationToken);
    }

    public async Task<IReadOnlyList<AgentInfo>> ListAsync(string tenantId, CancellationToken cancellationToken)
    {
        await using var db = await contexts.CreateDbContextAsync(cancellationToken);
        var agents = await db.Agents.Where(agent => agent.TenantId == tenantId).OrderBy(agent => agent.Name).ToListAsync(cancellationToken);
        return [.. agents.Select(Describe)];
    }

    /// <summary>Deletes an agent, its sessions with all that is theirs, and its content where nobody else has the same.</summary>
    /// <returns>Why it is not deleted; null where it is.</returns>
    public async Task<Problem?> DeleteAsync(string tenantId, string name, Precondition expected, CancellationToken cancellationToken)
    {
        await using var db = await contexts.CreateDbContextAsync(cancellationToken);
        if (await db.Agents.SingleOrDefaultAsync(agent => agent.TenantId == tenantId && agent.Name == name, cancellationToken) is not { } agent)
        {
            return Problems.AgentNotFound;
        }

        if (!expected.Allows(TagOf(agent)))
        {
            return Problems.PreconditionFailed;
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
            store.PromptVersions.Where(version => version.AgentId == agent.Id).ExecuteDelete();
            store.Agents.Where(a => a.Id == agent.Id).ExecuteDelete();
            return hashes.Where(hash => !store.AgentVersions.Any(version => version.ContentHash == hash)).ToList();
        });

        foreach (var hash in unused)
        {
            contents.Remove(hash);
        }

        LogDeleted(name, ids.Count);
        return null;
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

        return null;
    }

    /// <summary>What keeps a folder from being an agent's, or null.</summary>
    private static Problem? Check(AgentFolder folder)
    {
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

        if (request.Env is not null)
        {
            agent.Env = Serialize(request.Env);
        }

        AddVersion(db, agent, hash, at);
        return agent;
    });

    /// <summary>Stores an agent's next version; null where it is no longer the agent that was found.</summary>
    private Task<AgentRecord?> StoreNextAsync(AgentRecord found, string hash) => writer.WriteAsync(Durability.Power, transaction =>
    {
        var agent = transaction.Db.Agents.SingleOrDefault(agent => agent.Id == found.Id && agent.Version == found.Version);
        if (agent is not null)
        {
            AddVersion(transaction.Db, agent, hash, Later(agent.UpdatedAt));
        }

        return agent;
    });

    private static void AddVersion(AshDbContext db, AgentRecord agent, string hash, DateTimeOffset at)
    {
        agent.Version++;
        agent.ContentHash = hash;
        agent.UpdatedAt = at;
        db.AgentVersions.Add(new AgentVersionRecord { AgentId = agent.Id, Version = agent.Version, ContentHash = hash, CreatedAt = at });
        db.SaveChanges();
    }

    private DeployAgent.Deployed Deployed(AgentRecord agent)
    {
        warm.Want(agent.Id);
        LogDeployed(agent.Name, agent.Version, agent.ContentHash);
        return new DeployAgent.Deployed(Describe(agent));
    }

    /// <summary>Now, and never the time of an earlier change: it tells states apart.</summary>
    private DateTimeOffset Later(DateTimeOffset before)
    {
        var now = clock.GetUtcNow();
        return now > before ? now : before.AddMilliseconds(1);
    }

    private static string TagOf(AgentRecord agent) => AgentTag.Of(agent.Version, agent.UpdatedAt);

    private static string? Serialize(IReadOnlyDictionary<string, string> env) => env.Count == 0 ? null : JsonSerializer.Serialize(env);

    private static string Merge(string? config, JsonObject changes)
    {
        var merged = config is null ? new JsonObject() : JsonNode.Parse(config)!.AsObject();
        foreach (var (name, value) in changes)
        {
            merged[name] = value?.DeepClone();
        }

        return merged.ToJsonString();
    }

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
            return InvalidName;
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
