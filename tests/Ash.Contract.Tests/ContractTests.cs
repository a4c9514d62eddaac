using System.Collections.Concurrent;
using System.Text;
using System.Text.Json;
using Ash.Contract.Tests.Checked;

namespace Ash.Contract.Tests;

/// <summary>What the tests of each part of the contract share: the server, and agents and sessions of their own.</summary>
public abstract class ContractTests : IDisposable
{
    private static readonly ConcurrentDictionary<Type, byte> Begun = new();

    protected ContractTests(ContractServer server)
    {
        Server = server;
        Api = server.Connect();
        Begun.TryAdd(GetType(), 0);
    }

    /// <summary>Of a test that hangs.</summary>
    protected const int Limit = 120_000;

    /// <summary>A well-formed id of nothing.</summary>
    protected const string Unknown = "01990000-0000-7000-8000-000000000000";

    protected ContractServer Server { get; }

    protected Api Api { get; }

    /// <summary>Whether a test of this class has run.</summary>
    internal static bool HaveBegun(Type tests) => Begun.ContainsKey(tests);

    public void Dispose()
    {
        Api.Dispose();
        GC.SuppressFinalize(this);
    }

    protected static string Base64(string text) => Convert.ToBase64String(Encoding.UTF8.GetBytes(text));

    protected static string Quote(string text) => JsonSerializer.Serialize(text);

    /// <summary>A message whose turn runs until the scripted model lets it go.</summary>
    internal static string HeldMessage(string gate) => $$"""{"content":{{Quote($$"""@@fake [{"text":"one","gate":"{{gate}}"}]""")}}}""";

    protected static string NewName() => $"contract-{Guid.NewGuid():N}"[..24];

    /// <summary>Deploys an agent of this test's own.</summary>
    /// <returns>Its name.</returns>
    protected async Task<string> DeployAsync(string prompt = "You are a test agent.")
    {
        var name = NewName();
        (await Api.PostAsync("/api/agents", $$"""{"name":"{{name}}","systemPrompt":{{Quote(prompt)}}}""")).Is(201);
        return name;
    }

    /// <summary>Creates a session of an agent, or of one of its own.</summary>
    /// <returns>Its address.</returns>
    protected async Task<string> CreateSessionAsync(string? agent = null)
    {
        agent ??= await DeployAsync();
        var session = (await Api.PostAsync("/api/sessions", $$"""{"agent":"{{agent}}"}""")).Is(201).GetProperty("session");
        return $"/api/sessions/{session.GetProperty("id").GetString()}";
    }

    /// <summary>Sends a message and waits for its turn.</summary>
    protected async Task<JsonElement> SendAsync(string session, string body) =>
        (await Api.PostAsync($"{session}/messages", body, ("Accept", "application/json"))).Is(200).GetProperty("turn");

    protected async Task<string> StatusOfAsync(string session) =>
        (await Api.GetAsync(session)).Is(200).GetProperty("session").GetProperty("status").GetString()!; // Every session has one.
}
