using System.Text.RegularExpressions;
using Ash.Protocol.Api;
using Ash.Server.Configuration;
using Ash.Server.Http;
using Ash.Server.Sessions;
using Ash.Server.Storage;
using Ash.Server.Warm;
using Microsoft.EntityFrameworkCore;
using SessionOptions = Ash.Server.Sessions.SessionOptions;

namespace Ash.Server.Agents;

/// <summary>Makes versions of agents: of a folder, of a change of the newest, of an earlier one, of another agent's.</summary>
internal sealed partial class AgentDeploys(
    IDbContextFactory<AshDbContext> contexts,
    StoreWriter writer,
    AgentContentStore contents,
    SealedAgents sealedAgents,
    AgentView view,
    WarmSandboxes warm,
    DataFolder data,
    ServerSettings settings,
    TimeProvider clock,
    ILogger<AgentDeploys> logger)
{
    public const int MaxPromptLength = 1_000_000;
    private static readonly Problem InvalidName = Problems.Invalid("name must match ^[a-zA-Z0-9_-]{1,255}$");

    private readonly SemaphoreSlim _deploys = new(2);

    public static Problem? RefusalOfName(string name) => ValidName().IsMatch(name) ? null : InvalidName;

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
            if (Fill(folder, request) is { } unusable)
            {
                return new DeployAgent.Refused(unusable);
            }

            await AddWhatIsMissingAsync(folder, tenantId, request, cancellationToken);
            if (Check(folder) is { } refused)
            {
                return new DeployAgent.Refused(refused);
            }

            var hash = folder.Hash();
            using var entered = await contents.HoldAsync();
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

            if (!expected.Allows(AgentTag.Of(agent)))
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
                    return new DeployAgent.Deployed(view.Describe(agent));
                }

                using var entered = await contents.HoldAsync();
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
    public async Task<DeployAgent> RollBackAsync(string tenantId, string name, int version, Precondition expected)
    {
        using var entered = await contents.HoldAsync();
        var (agent, problem) = await writer.WriteAsync<(AgentRecord?, Problem?)>(Durability.Power, transaction =>
        {
            var db = transaction.Db;
            if (db.Agents.Named(tenantId, name).SingleOrDefault() is not { } found)
            {
                return (null, Problems.AgentNotFound);
            }

            if (!expected.Allows(AgentTag.Of(found)))
            {
                return (null, Problems.PreconditionFailed);
            }

            if (db.AgentVersions.SingleOrDefault(v => v.AgentId == found.Id && v.Version == version) is not { } earlier)
            {
                return (null, Problems.UnknownDeploy(version));
            }

            AddVersion(db, found, earlier.ContentHash, AgentTag.TimeAfter(found.UpdatedAt, clock));
            return (found, null);
        });

        return problem is null ? Deployed(agent!) : new DeployAgent.Refused(problem);
    }

    /// <summary>An agent's deploys, newest first; null where there is no such agent.</summary>
    public async Task<Listed<DeployInfo>?> ListDeploysAsync(string tenantId, string name, ListPage page, CancellationToken cancellationToken)
    {
        if (await FindRecordAsync(tenantId, name, cancellationToken) is not { } agent)
        {
            return null;
        }

        await using var db = await contexts.CreateDbContextAsync(cancellationToken);
        var deploys = db.AgentVersions
            .Where(version => version.AgentId == agent.Id)
            .OrderByDescending(version => version.Version)
            .Select(version => new DeployInfo(version.Version, version.ContentHash, version.Version == agent.Version, version.CreatedAt));
        return await page.ReadAsync(deploys, cancellationToken);
    }

    /// <summary>Makes an agent of an agent, with all but its sessions.</summary>
    public async Task<DeployAgent> CloneAsync(string tenantId, string name, string cloneName)
    {
        if (RefusalOfName(cloneName) is { } invalid)
        {
            return new DeployAgent.Refused(invalid);
        }

        // No content is removed meanwhile.
        using var entered = await contents.HoldAsync();
        return await writer.WriteAsync<DeployAgent>(Durability.Power, transaction =>
        {
            var db = transaction.Db;
            if (db.Agents.Named(tenantId, name).SingleOrDefault() is not { } source)
            {
                return new DeployAgent.Refused(Problems.AgentNotFound);
            }

            if (db.Agents.Named(tenantId, cloneName).Any())
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
                LastPromptNumber = source.LastPromptNumber,
                CreatedAt = at,
                UpdatedAt = at,
            };
            sealedAgents.Copy(source, clone);
            db.Agents.Add(clone);
            db.AgentVersions.Add(new AgentVersionRecord { AgentId = clone.Id, Version = 1, ContentHash = clone.ContentHash, CreatedAt = at });
            foreach (var prompt in db.PromptVersions.AsNoTracking().Where(version => version.AgentId == source.Id).ToList())
            {
                prompt.Id = Guid.CreateVersion7();
                prompt.AgentId = clone.Id;
                db.PromptVersions.Add(prompt);
            }

            db.SaveChanges();
            return new DeployAgent.Deployed(view.Describe(clone));
        });
    }

    private async Task<AgentRecord?> FindRecordAsync(string tenantId, string name, CancellationToken cancellationToken)
    {
        await using var db = await contexts.CreateDbContextAsync(cancellationToken);
        return await db.Agents.Named(tenantId, name).SingleOrDefaultAsync(cancellationToken);
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

    /// <summary>
    /// A deploy without a prompt keeps the agent's own, and one without any files keeps all of them. A new agent's prompt is its
    /// name then.
    /// </summary>
    private async Task AddWhatIsMissingAsync(
        AgentFolder folder, string tenantId, DeployAgentRequest request, CancellationToken cancellationToken)
    {
        if (request.Path is not null || !folder.LacksPrompt)
        {
            return;
        }

        // No content is removed meanwhile. An agent whose files are gone for another reason is as good as new: this deploy brings it back.
        using var entered = await contents.HoldAsync();
        if (await FindRecordAsync(tenantId, request.Name, cancellationToken) is not { } agent || !Directory.Exists(contents.PathOf(agent.ContentHash)))
        {
            folder.AddPrompt($"# {request.Name}\n");
        }
        else if (request.Files is null)
        {
            folder.AddContent(contents.PathOf(agent.ContentHash));
        }
        else
        {
            folder.AddPrompt(contents.Open(agent.ContentHash).ReadPrompt());
        }
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
        var agent = db.Agents.Named(tenantId, request.Name).SingleOrDefault();
        if (agent is null)
        {
            agent = new AgentRecord { Id = Guid.CreateVersion7(), TenantId = tenantId, Name = request.Name, ContentHash = hash, CreatedAt = at };
            db.Agents.Add(agent);
        }

        if (request.Env is not null)
        {
            sealedAgents.SetEnvironment(agent, request.Env);
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
            AddVersion(transaction.Db, agent, hash, AgentTag.TimeAfter(agent.UpdatedAt, clock));
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
        return new DeployAgent.Deployed(view.Describe(agent));
    }

    private static Problem? Refusal(DeployAgentRequest request)
    {
        if (RefusalOfName(request.Name) is { } invalid)
        {
            return invalid;
        }

        if (request.SystemPrompt is { } prompt && SessionOptions.RefusalOfPrompt(prompt) is { } tooLong)
        {
            return Problems.Invalid(tooLong);
        }

        return EnvironmentNames.Refusal("env", request.Env) is { } reason ? Problems.Invalid(reason) : null;
    }

    [GeneratedRegex("^[a-zA-Z0-9_-]{1,255}\\z")]
    private static partial Regex ValidName();

    [LoggerMessage(LogLevel.Information, "Deployed agent {AgentName} as version {Version}, content {ContentHash}")]
    private partial void LogDeployed(string agentName, int version, string contentHash);
}
