using System.Text.Json;
using Microsoft.EntityFrameworkCore;

namespace Ash.Server.Storage;

/// <summary>Everything that is stored, but the bytes of events that are too large for a row.</summary>
internal abstract class AshDbContext(DbContextOptions options) : DbContext(options)
{
    public DbSet<AgentRecord> Agents => Set<AgentRecord>();

    public DbSet<AgentVersionRecord> AgentVersions => Set<AgentVersionRecord>();

    public DbSet<PromptVersionRecord> PromptVersions => Set<PromptVersionRecord>();

    public DbSet<SessionRecord> Sessions => Set<SessionRecord>();

    public DbSet<TurnRecord> Turns => Set<TurnRecord>();

    public DbSet<EventRecord> Events => Set<EventRecord>();

    public DbSet<SandboxRecord> Sandboxes => Set<SandboxRecord>();

    public DbSet<ApiKeyRecord> ApiKeys => Set<ApiKeyRecord>();

    public DbSet<CredentialRecord> Credentials => Set<CredentialRecord>();

    public DbSet<AttachmentRecord> Attachments => Set<AttachmentRecord>();

    public DbSet<LogLineRecord> LogLines => Set<LogLineRecord>();

    public DbSet<IdempotencyRecord> IdempotencyKeys => Set<IdempotencyRecord>();

    /// <summary>For the writer, who begins and commits by itself: EF only runs its commands in between.</summary>
    public void LeaveTransactions()
    {
        Database.AutoTransactionBehavior = AutoTransactionBehavior.Never;
        Database.AutoSavepointsEnabled = false;
    }

    protected override void ConfigureConventions(ModelConfigurationBuilder configurationBuilder)
    {
        configurationBuilder.Properties<DateTimeOffset>().HaveConversion<UnixMillisecondsConverter>();
        configurationBuilder.Properties<Enum>().HaveConversion<string>();
    }

    protected override void OnModelCreating(ModelBuilder modelBuilder)
    {
        modelBuilder.Entity<AgentRecord>(agent =>
        {
            agent.ToTable("agents");
            agent.HasIndex(a => new { a.TenantId, a.Name }).IsUnique();

            // Those with secrets, of which a new key has to seal each anew.
            agent.HasIndex(a => a.Id, "IX_agents_sealed").HasFilter("env IS NOT NULL OR config IS NOT NULL");
        });

        modelBuilder.Entity<AgentVersionRecord>(version =>
        {
            version.ToTable("agent_versions");
            version.HasKey(v => new { v.AgentId, v.Version });

            // Is a content folder still in use?
            version.HasIndex(v => v.ContentHash);
        });

        modelBuilder.Entity<PromptVersionRecord>(version =>
        {
            version.ToTable("prompt_versions");
            version.HasIndex(v => new { v.AgentId, v.Number }).IsUnique();

            // The one that new sessions begin with.
            version.HasIndex(v => v.AgentId, "IX_prompt_versions_active").IsUnique().HasFilter("is_active");
        });

        modelBuilder.Entity<SessionRecord>(session =>
        {
            session.ToTable("sessions");

            // The list of a tenant's sessions, newest first.
            session.HasIndex(s => new { s.TenantId, s.CreatedAt, s.Id });

            // The sessions of an agent that is deleted, and the uids that are taken.
            session.HasIndex(s => s.AgentId);
            session.HasIndex(s => s.Uid).IsUnique();

            // Those with secrets, of which a new key has to seal each anew.
            session.HasIndex(s => s.Id, "IX_sessions_sealed").HasFilter("secrets IS NOT NULL");

            // The few whose creation a crash has cut short.
            session.HasIndex(s => s.Status, "IX_sessions_starting").HasFilter("status = 'Starting'");

            // The ended sessions whose files are still there.
            session.HasIndex(s => s.EndedAt).HasFilter("ended_at IS NOT NULL AND workspace_id IS NOT NULL");
        });

        modelBuilder.Entity<TurnRecord>(turn =>
        {
            turn.ToTable("turns");

            // A session's turns in order: what a fresh process must be told.
            turn.HasIndex(t => new { t.SessionId, t.Id });

            // The few that wait or run, among all that ever were.
            turn.HasIndex(t => new { t.SessionId, t.Id }, "IX_turns_open").HasFilter("status <> 'Ended'");

            // Those whose partial rows are still there, oldest first.
            turn.HasIndex(t => t.EndedAt).HasFilter("ended_at IS NOT NULL AND deltas_pruned_at IS NULL");
        });

        modelBuilder.Entity<EventRecord>(row =>
        {
            row.ToTable("events");

            // A rowid table with a second index was half as dear as a table without rowids (server-facts).
            row.HasKey(e => e.Id);
            row.HasIndex(e => new { e.SessionId, e.Seq }).IsUnique();
        });

        modelBuilder.Entity<SandboxRecord>(sandbox =>
        {
            sandbox.ToTable("sandboxes");
            sandbox.HasIndex(s => s.SessionId);

            // The uids that are taken.
            sandbox.HasIndex(s => s.Uid);
        });

        modelBuilder.Entity<ApiKeyRecord>(key =>
        {
            key.ToTable("api_keys");
            key.HasIndex(k => k.KeyHash).IsUnique();
        });

        modelBuilder.Entity<CredentialRecord>(credential =>
        {
            credential.ToTable("credentials");

            // The list of a tenant's credentials, newest first.
            credential.HasIndex(c => new { c.TenantId, c.CreatedAt, c.Id });
        });

        modelBuilder.Entity<AttachmentRecord>(attachment =>
        {
            attachment.ToTable("attachments");

            // A session's, the oldest first.
            attachment.HasIndex(a => new { a.SessionId, a.CreatedAt });
        });

        modelBuilder.Entity<LogLineRecord>(line =>
        {
            line.ToTable("log_lines");
            line.HasKey(l => new { l.SessionId, l.Number });
        });

        modelBuilder.Entity<IdempotencyRecord>(key =>
        {
            key.ToTable("idempotency_keys");
            // The scope first: with a session go its keys. It names one tenant's session, or the tenant is next.
            key.HasKey(k => new { k.Scope, k.TenantId, k.Key });

            // The key that made a session.
            key.HasIndex(k => k.TargetId);

            // What has expired.
            key.HasIndex(k => k.CreatedAt);
        });

        foreach (var property in modelBuilder.Model.GetEntityTypes().SelectMany(entity => entity.GetProperties()))
        {
            property.SetColumnName(JsonNamingPolicy.SnakeCaseLower.ConvertName(property.Name));
        }
    }
}
