using System.Globalization;
using System.Text.Json;
using Ash.Protocol.Api;
using Ash.Server.Http;
using Ash.Server.Storage;
using Microsoft.EntityFrameworkCore;

namespace Ash.Server.Agents;

/// <summary>The numbered system prompts of agents (contract 1.2, 3.2).</summary>
internal sealed class PromptVersions(IDbContextFactory<AshDbContext> contexts, StoreWriter writer, TimeProvider clock)
{
    /// <summary>Of the agent, by number, the newest first; null where there is no such agent.</summary>
    public async Task<Listed<PromptVersionInfo>?> ListAsync(
        string tenantId, string agentName, ListPage page, CancellationToken cancellationToken)
    {
        await using var db = await contexts.CreateDbContextAsync(cancellationToken);
        if (await db.Agents.Named(tenantId, agentName).SingleOrDefaultAsync(cancellationToken) is not { } agent)
        {
            return null;
        }

        var versions = await page.ReadAsync(
            db.PromptVersions.Where(version => version.AgentId == agent.Id).OrderByDescending(version => version.Number), cancellationToken);
        return versions.Select(version => Describe(agent, version));
    }

    /// <summary>The prompt of an agent's active version; null where none is, or it has none.</summary>
    public static Task<string?> FindActiveAsync(AshDbContext db, Guid agentId, CancellationToken cancellationToken) => db.PromptVersions
        .Where(version => version.AgentId == agentId && version.IsActive)
        .Select(version => version.SystemPrompt)
        .FirstOrDefaultAsync(cancellationToken);

    /// <summary>One of them, or the problem with finding it.</summary>
    public async Task<PromptVersionOutcome> FindAsync(
        string tenantId, string agentName, string version, CancellationToken cancellationToken)
    {
        await using var db = await contexts.CreateDbContextAsync(cancellationToken);
        return Find(db, tenantId, agentName, version, static (_, _) => { });
    }

    /// <summary>Makes the next version. It is not active.</summary>
    public Task<PromptVersionOutcome> CreateAsync(string tenantId, string agentName, PromptVersionRequest request) =>
        writer.WriteAsync(Durability.Power, transaction =>
        {
            var db = transaction.Db;
            if (FindAgent(db, tenantId, agentName) is not { } agent)
            {
                return PromptVersionOutcome.Refused(Problems.AgentNotFound);
            }

            PromptVersionRecord? source = null;
            if (request.CloneFrom is { ValueKind: not JsonValueKind.Null } cloneFrom)
            {
                source = FindVersion(db, agent.Id, cloneFrom.ToString());
                if (source is null)
                {
                    return PromptVersionOutcome.Refused(Problems.UnknownSource(cloneFrom.ToString()));
                }
            }

            var at = clock.GetUtcNow();
            var number = ++agent.LastPromptNumber;
            var version = new PromptVersionRecord
            {
                Id = Guid.CreateVersion7(),
                AgentId = agent.Id,
                Number = number,
                Name = request.Name is { Length: > 0 } name ? name : string.Create(CultureInfo.InvariantCulture, $"v{number}"),
                SystemPrompt = request.SystemPrompt ?? source?.SystemPrompt,
                ReleaseNotes = request.ReleaseNotes,
                KnowledgeFiles = Serialize(request.KnowledgeFiles) ?? source?.KnowledgeFiles,
                CreatedAt = at,
                UpdatedAt = at,
            };
            db.PromptVersions.Add(version);
            db.SaveChanges();
            return PromptVersionOutcome.Found(Describe(agent, version));
        });

    /// <summary>Changes one. Sessions that began with it keep what they began with.</summary>
    public Task<PromptVersionOutcome> UpdateAsync(string tenantId, string agentName, string version, PromptVersionRequest request) =>
        ChangeAsync(tenantId, agentName, version, (_, found) =>
        {
            found.Name = request.Name is { Length: > 0 } name ? name : found.Name;
            found.SystemPrompt = request.SystemPrompt ?? found.SystemPrompt;
            found.ReleaseNotes = request.ReleaseNotes ?? found.ReleaseNotes;
            found.KnowledgeFiles = Serialize(request.KnowledgeFiles) ?? found.KnowledgeFiles;
            found.UpdatedAt = clock.GetUtcNow();
        });

    /// <summary>Makes one the prompt of new sessions, in place of the one before.</summary>
    public Task<PromptVersionOutcome> ActivateAsync(string tenantId, string agentName, string version) =>
        ChangeAsync(tenantId, agentName, version, (db, found) =>
        {
            // First none is active: no moment has two.
            db.PromptVersions
                .Where(other => other.AgentId == found.AgentId && other.IsActive)
                .ExecuteUpdate(update => update.SetProperty(other => other.IsActive, false));
            found.IsActive = true;
            found.UpdatedAt = clock.GetUtcNow();
            db.Entry(found).Property(changed => changed.IsActive).IsModified = true;
        });

    /// <summary>Removes one. Where it was active, new sessions begin with <c>CLAUDE.md</c> again.</summary>
    public Task<PromptVersionOutcome> DeleteAsync(string tenantId, string agentName, string version) =>
        ChangeAsync(tenantId, agentName, version, static (db, found) => db.PromptVersions.Remove(found));

    private Task<PromptVersionOutcome> ChangeAsync(
        string tenantId, string agentName, string version, Action<AshDbContext, PromptVersionRecord> change) =>
        writer.WriteAsync(Durability.Power, transaction =>
        {
            var outcome = Find(transaction.Db, tenantId, agentName, version, change);
            transaction.Db.SaveChanges();
            return outcome;
        });

    private static PromptVersionOutcome Find(
        AshDbContext db, string tenantId, string agentName, string version, Action<AshDbContext, PromptVersionRecord> use)
    {
        if (FindAgent(db, tenantId, agentName) is not { } agent)
        {
            return PromptVersionOutcome.Refused(Problems.AgentNotFound);
        }

        if (FindVersion(db, agent.Id, version) is not { } found)
        {
            return PromptVersionOutcome.Refused(Problems.UnknownPrompt);
        }

        use(db, found);
        return PromptVersionOutcome.Found(Describe(agent, found));
    }

    private static AgentRecord? FindAgent(AshDbContext db, string tenantId, string name) =>
        db.Agents.Named(tenantId, name).SingleOrDefault();

    /// <param name="db">The store.</param>
    /// <param name="agentId">Whose version.</param>
    /// <param name="version">Its number or its id.</param>
    private static PromptVersionRecord? FindVersion(AshDbContext db, Guid agentId, string version) =>
        int.TryParse(version, NumberStyles.None, CultureInfo.InvariantCulture, out var number)
            ? db.PromptVersions.SingleOrDefault(found => found.AgentId == agentId && found.Number == number)
            : Guid.TryParseExact(version, "D", out var id)
                ? db.PromptVersions.SingleOrDefault(found => found.AgentId == agentId && found.Id == id)
                : null;

    private static string? Serialize(IReadOnlyList<string>? names) => names is null ? null : JsonSerializer.Serialize(names);

    private static PromptVersionInfo Describe(AgentRecord agent, PromptVersionRecord version) => new()
    {
        Id = version.Id,
        TenantId = agent.TenantId,
        AgentName = agent.Name,
        VersionNumber = version.Number,
        Name = version.Name,
        SystemPrompt = version.SystemPrompt,
        ReleaseNotes = version.ReleaseNotes,
        IsActive = version.IsActive,
        KnowledgeFiles = version.KnowledgeFiles is null ? null : JsonSerializer.Deserialize<string[]>(version.KnowledgeFiles),
        CreatedBy = null,
        CreatedAt = version.CreatedAt,
        UpdatedAt = version.UpdatedAt,
    };
}

/// <summary>A prompt version, or the problem with a request for one.</summary>
internal readonly record struct PromptVersionOutcome(PromptVersionInfo? Version, Problem? Problem)
{
    public static PromptVersionOutcome Found(PromptVersionInfo version) => new(version, null);

    public static PromptVersionOutcome Refused(Problem problem) => new(null, problem);
}
