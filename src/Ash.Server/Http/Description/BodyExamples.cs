using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization.Metadata;
using Ash.Protocol.Api;
using Microsoft.OpenApi;

namespace Ash.Server.Http.Description;

/// <summary>An example of each body that is sent or answered, as a value of its type: it cannot be of another form than the type.</summary>
internal static class BodyExamples
{
    private const string Tenant = "default";
    private const string Hash = "2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae";
    private const string Text = "WW91IGFyZSBhIGhlbHBmdWwgc3VwcG9ydCBhZ2VudC4K";
    private static readonly Guid Id = Guid.Parse("01a22b3d-368d-7cbd-a017-973607553ffd");
    private static readonly Guid OtherId = Guid.Parse("01a22b3d-4a51-7f02-9e6c-5f1d27c0b3aa");
    private static readonly DateTimeOffset At = new(2026, 1, 15, 10, 0, 0, TimeSpan.Zero);
    private static readonly JsonElement Usage = JsonElement.Parse("""{"input_tokens":812,"output_tokens":64}""");

    private static readonly AgentInfo Agent = new()
    {
        Id = Id,
        Name = "support",
        TenantId = Tenant,
        Version = 3,
        Path = $"/var/lib/ash/agents/{Hash}",
        ContentHash = Hash,
        Env = new Dictionary<string, string> { ["SHOP_URL"] = "***" },
        CreatedAt = At,
        UpdatedAt = At,
    };

    private static readonly SessionInfo Session = new()
    {
        Id = Id,
        TenantId = Tenant,
        AgentName = "support",
        SandboxId = $"{Id}",
        Status = "active",
        RunnerId = null,
        ParentSessionId = null,
        CreatedAt = At,
        LastActiveAt = At,
        Model = "claude-sonnet-5",
        Config = new SessionConfig { DisallowedTools = ["WebSearch"] },
        AgentVersion = 3,
        Turn = new RunningTurn(OtherId, Queued: 0),
        Isolation = "full",
    };

    private static readonly PromptVersionInfo Prompt = new()
    {
        Id = Id,
        TenantId = Tenant,
        AgentName = "support",
        VersionNumber = 2,
        Name = "v2",
        SystemPrompt = "You are a helpful support agent.",
        ReleaseNotes = "Shorter answers.",
        IsActive = false,
        KnowledgeFiles = ["faq.md"],
        CreatedBy = null,
        CreatedAt = At,
        UpdatedAt = At,
    };

    private static readonly AttachmentInfo Attachment = new()
    {
        Id = OtherId,
        TenantId = Tenant,
        MessageId = "unlinked",
        SessionId = Id,
        Filename = "invoice.pdf",
        MimeType = "application/pdf",
        Size = 48_213,
        CreatedAt = At,
        WorkspacePath = "attachments/invoice.pdf",
    };

    private static readonly FileEntry File = new("notes/today.md", 33, At);

    private static readonly AgentFile Sent = new("CLAUDE.md", Text);

    /// <summary>By the name of the schema.</summary>
    private static readonly Dictionary<string, JsonNode> All = new List<(string Name, JsonNode Value)>
    {
        Of(new AgentEnvelope(Agent), ApiJson.Default.AgentEnvelope),
        Of(new AgentListEnvelope([Agent]), ApiJson.Default.AgentListEnvelope),
        Of(
            new DeployAgentRequest { Name = "support", Files = [Sent], Env = new Dictionary<string, string> { ["SHOP_URL"] = "https://shop.example" } },
            ApiJson.Default.DeployAgentRequest),
        Of(
            new UpdateAgentRequest { Env = new Dictionary<string, string> { ["SHOP_URL"] = "https://shop.example" } },
            ApiJson.Default.UpdateAgentRequest),
        Of(new JsonObject { ["team"] = "support" }, ApiJson.Default.JsonObject),
        Of(new AgentConfigEnvelope(JsonElement.Parse("""{"team":"support"}""")), ApiJson.Default.AgentConfigEnvelope),
        Of(new CloneAgentRequest("support-next"), ApiJson.Default.CloneAgentRequest),
        Of(new DeployListEnvelope([new DeployInfo(3, Hash, true, At)]), ApiJson.Default.DeployListEnvelope),
        Of(new RollBackRequest(2), ApiJson.Default.RollBackRequest),
        Of(new AgentFileListEnvelope([File with { Path = "CLAUDE.md" }]), ApiJson.Default.AgentFileListEnvelope),
        Of(new AgentFileContent("CLAUDE.md", "You are a helpful support agent.\n", 33), ApiJson.Default.AgentFileContent),
        Of(new WriteAgentFilesRequest { Files = [Sent] }, ApiJson.Default.WriteAgentFilesRequest),
        Of(new WrittenEnvelope(1), ApiJson.Default.WrittenEnvelope),
        Of(new DeletedEnvelope(true), ApiJson.Default.DeletedEnvelope),
        Of(new OkEnvelope(true), ApiJson.Default.OkEnvelope),
        Of(new PromptVersionEnvelope(Prompt), ApiJson.Default.PromptVersionEnvelope),
        Of(new PromptVersionListEnvelope([Prompt]), ApiJson.Default.PromptVersionListEnvelope),
        Of(
            new PromptVersionRequest { SystemPrompt = Prompt.SystemPrompt, ReleaseNotes = Prompt.ReleaseNotes },
            ApiJson.Default.PromptVersionRequest),
        Of(new ActivatedEnvelope(true, 2), ApiJson.Default.ActivatedEnvelope),
        Of(new SessionEnvelope(Session), ApiJson.Default.SessionEnvelope),
        Of(new SessionListEnvelope([Session]) { Total = 1 }, ApiJson.Default.SessionListEnvelope),
        Of(new CreateSessionRequest { Agent = "support", Model = "claude-sonnet-5" }, ApiJson.Default.CreateSessionRequest),
        Of(new UpdateSessionConfigRequest { DisallowedTools = ["WebSearch"] }, ApiJson.Default.UpdateSessionConfigRequest),
        Of(
            new SendMessageRequest { Content = JsonElement.Parse("\"Where is my order?\""), IncludePartialMessages = true },
            ApiJson.Default.SendMessageRequest),
        Of(
            new TurnEnvelope(new TurnInfo
            {
                Id = OtherId,
                SessionId = Id,
                Status = "ended",
                Reason = "completed",
                Result = "It arrives tomorrow.",
                Usage = Usage,
                CreatedAt = At,
                EndedAt = At.AddSeconds(4),
                LastEventId = "19",
            }),
            ApiJson.Default.TurnEnvelope),
        Of(new InterruptResult(true, OtherId), ApiJson.Default.InterruptResult),
        Of(new ExecRequest { Command = "ls -l", Timeout = 10_000 }, ApiJson.Default.ExecRequest),
        Of(new ExecResult(0, "total 0\n", ""), ApiJson.Default.ExecResult),
        Of(
            new MessageListEnvelope(
            [
                new MessageInfo
                {
                    Id = Id,
                    SessionId = Id,
                    TenantId = Tenant,
                    Role = "user",
                    Content = """{"type":"user","content":"Where is my order?"}""",
                    Sequence = 3,
                    CreatedAt = At,
                },
            ]),
            ApiJson.Default.MessageListEnvelope),
        Of(
            new SessionEventListEnvelope(
            [
                new SessionEventInfo
                {
                    Id = Id,
                    SessionId = Id,
                    TenantId = Tenant,
                    Type = "text",
                    Data = """{"text":"It arrives tomorrow."}""",
                    Sequence = 17,
                    CreatedAt = At,
                },
            ]),
            ApiJson.Default.SessionEventListEnvelope),
        Of(
            new SessionLogListEnvelope(
                [
                    new SessionLogEntry(0, "system", "Sandbox qlalkotfuaas is up.", At),
                    new SessionLogEntry(1, "stderr", "Warning: no such file: notes.txt", At),
                ],
                "sandbox"),
            ApiJson.Default.SessionLogListEnvelope),
        Of(
            new ApiKeyListEnvelope(
            [
                new ApiKeyInfo { Id = $"{Id}", Label = "dashboard-key", KeyPrefix = "ash_Xy3k••••", CreatedAt = "2026-01-15T10:00:00.000Z", Scopes = ["admin"] },
            ]),
            ApiJson.Default.ApiKeyListEnvelope),
        Of(new CreateApiKeyRequest { Label = "ci", Scopes = ["write"], ExpiresAt = At.AddYears(100) }, ApiJson.Default.CreateApiKeyRequest),
        Of(new UpdateApiKeyRequest { Label = "ci, read only", Scopes = ["read"] }, ApiJson.Default.UpdateApiKeyRequest),
        Of(
            new ApiKeyEnvelope(new ApiKeyInfo
            {
                Id = $"{Id}", Label = "ci, read only", KeyPrefix = "ash_Xy3k••••", CreatedAt = "2026-01-15T10:00:00.000Z", Scopes = ["read"],
            }),
            ApiJson.Default.ApiKeyEnvelope),
        Of(new CreatedApiKey(Id, "ash_0123456789abcdefghijklmnopqrstuv"), ApiJson.Default.CreatedApiKey),
        Of(new CreateTenantApiKeyRequest { TenantId = "acme" }, ApiJson.Default.CreateTenantApiKeyRequest),
        Of(new CreatedTenantApiKey(Id, "ash_0123456789abcdefghijklmnopqrstuv", "acme"), ApiJson.Default.CreatedTenantApiKey),
        Of(
            new CredentialEnvelope(new CredentialInfo { Id = Id, Type = "openai", Label = "images", Active = true, CreatedAt = At }),
            ApiJson.Default.CredentialEnvelope),
        Of(
            new CredentialListEnvelope(
                [new ListedCredential { Id = Id, Type = "openai", Label = "images", Active = true, CreatedAt = At, LastUsedAt = null }]),
            ApiJson.Default.CredentialListEnvelope),
        Of(new CreateCredentialRequest { Type = "openai", Key = "sk-…", Label = "images" }, ApiJson.Default.CreateCredentialRequest),
        Of(new UpdateCredentialRequest { Key = "sk-…" }, ApiJson.Default.UpdateCredentialRequest),
        Of(new FileListing { Files = [File], Source = "sandbox" }, ApiJson.Default.FileListing),
        Of(new FileText("notes/today.md", "You are a helpful support agent.\n", 33, "sandbox"), ApiJson.Default.FileText),
        Of(new WriteFilesRequest { Files = [new WriteFileInput("notes/today.md", Text)] }, ApiJson.Default.WriteFilesRequest),
        Of(new WriteFilesResult([new WriteFileResult("notes/today.md", true, 33)]), ApiJson.Default.WriteFilesResult),
        Of(new DeleteFileResult("notes/today.md", true), ApiJson.Default.DeleteFileResult),
        Of(new RestoreWorkspaceRequest("H4sIAAAAAAAAA+3BMQEAAADCoPVPbQ0PoAAAAAAAAAAAAAAAAAAAAIC3AYbSVKsAKAAA"), ApiJson.Default.RestoreWorkspaceRequest),
        Of(
            new RestoreWorkspaceResult
            {
                Message = "Workspace restored to live sandbox",
                Written = 1,
                Skipped = 1,
                SkippedEntries = [new SkippedEntry("../outside", "leads out of the workspace")],
            },
            ApiJson.Default.RestoreWorkspaceResult),
        Of(new AttachmentEnvelope(Attachment), ApiJson.Default.AttachmentEnvelope),
        Of(new AttachmentListEnvelope([Attachment]), ApiJson.Default.AttachmentListEnvelope),
        Of(new CreateAttachmentRequest { Filename = "note.txt", Content = Text, MimeType = "text/plain" }, ApiJson.Default.CreateAttachmentRequest),
        Of(
            new HealthInfo
            {
                Status = "ok",
                Version = "1.0.0",
                CoordinatorId = "host-4711",
                ActiveSessions = 1,
                ActiveSandboxes = 1,
                RemoteRunners = 0,
                Uptime = 86_400,
                Pool = new PoolInfo { Total = 1, Waiting = 1, MaxCapacity = 1000 },
                Model = "claude",
            },
            ApiJson.Default.HealthInfo),
        Of(new ReadinessInfo(true, []), ApiJson.Default.ReadinessInfo),
    }.ToDictionary(example => example.Name, example => example.Value);

    /// <summary>Gives each JSON body that has none an example, where there is one of its type.</summary>
    public static void AddTo(OpenApiOperation operation)
    {
        var bodies = (operation.Responses ?? []).Values.Select(response => response.Content).Append(operation.RequestBody?.Content);
        foreach (var content in bodies)
        {
            if (content?.TryGetValue("application/json", out var body) == true
                && body.Schema is OpenApiSchemaReference { Reference.Id: { } name }
                && All.TryGetValue(name, out var example))
            {
                ((OpenApiMediaType)body).Example = example.DeepClone();
            }
        }
    }

    private static (string Name, JsonNode Value) Of<T>(T value, JsonTypeInfo<T> type) =>
        (typeof(T).Name, JsonSerializer.SerializeToNode(value, type)!); // None of them is null.
}
