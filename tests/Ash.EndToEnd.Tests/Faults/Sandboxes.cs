using Ash.Protocol.Api;
using Ash.Testing;

namespace Ash.EndToEnd.Tests.Faults;

/// <summary>Finds the processes of a session's sandbox from outside, and does to them what a bad day does.</summary>
internal static class Sandboxes
{
    private const int SigKill = 9, SigStop = 19;

    /// <summary>Everything in the sandbox of a session whose CLI runs.</summary>
    public static IReadOnlyList<SandboxProcess> ProcessesOf(this AshServer server, Guid session)
    {
        var all = server.Processes();
        var sandbox = all.First(process => process.Name == "claude" && IsOf(process, session)).Sandbox;
        return [.. all.Where(process => process.Sandbox == sandbox)];
    }

    public static SandboxProcess CliOf(this AshServer server, Guid session) =>
        server.ProcessesOf(session).First(process => process.Name == "claude" && IsOf(process, session));

    /// <summary>The first process inside.</summary>
    public static SandboxProcess BridgeOf(this AshServer server, Guid session) =>
        server.ProcessesOf(session).Single(process => process.InnerPid == 1);

    public static void Kill(this SandboxProcess process) => ProcessSignals.Send(process.Pid, SigKill);

    /// <summary>It does nothing any more, and does not end.</summary>
    public static void Freeze(this SandboxProcess process) => ProcessSignals.Send(process.Pid, SigStop);

    public static void KillSandboxOf(this AshServer server, Guid session)
    {
        foreach (var process in server.ProcessesOf(session))
        {
            process.Kill();
        }
    }

    /// <summary>Waits until no process is left in any sandbox of the server.</summary>
    public static async Task WaitUntilNothingRunsAsync(this AshServer server)
    {
        using var probe = new PeriodicTimer(TimeSpan.FromMilliseconds(50));
        while (server.Processes().Count > 0)
        {
            await probe.WaitForNextTickAsync(TestContext.Current.CancellationToken);
        }
    }

    /// <summary>What a sandbox leaves on the machine while it is there: its folders in every cgroup hierarchy, and its sockets.</summary>
    public static IReadOnlyList<string> RemainsOf(string serverId, string dataDirectory)
    {
        var cgroups = Directory.EnumerateDirectories("/sys/fs/cgroup")
            .Append("/sys/fs/cgroup")
            .Select(hierarchy => Path.Combine(hierarchy, $"ash-{serverId}"))
            .Where(Directory.Exists)
            .SelectMany(Directory.EnumerateDirectories);
        var run = Path.Combine(dataDirectory, "run");
        return [.. cgroups, .. Directory.Exists(run) ? Directory.EnumerateFileSystemEntries(run) : []];
    }

    /// <summary>The transcript that the CLI of a session writes, on the host.</summary>
    public static string TranscriptOf(this AshServer server, Guid session) => Directory
        .EnumerateFiles(Path.Combine(server.DataDirectory, "workspaces"), $"{session}.jsonl", SearchOption.AllDirectories)
        .Single();

    /// <summary>What the session's events say about Ash's own doings, by name.</summary>
    public static async Task<IReadOnlyList<string>> FactsOfAsync(this AshServer server, Guid session)
    {
        var log = await server.ReadLogAsync(session);
        return [.. log.Select(e => e.Body).OfType<Client.Events.Lifecycle>().Select(fact => fact.Type)];
    }

    /// <summary>A turn that has ended like that, however the wait for it was cut.</summary>
    public static async Task<TurnInfo> WaitForTurnAsync(this AshServer server, Guid session, Guid turn)
    {
        await server.WaitForEventAsync(session, e => e.Body is Client.Events.Done done && done.TurnId == turn);
        using var answer = await server.Http.GetAsync($"/api/sessions/{session}/turns/{turn}");
        var json = await answer.Content.ReadAsStringAsync();
        return System.Text.Json.JsonSerializer.Deserialize(json, ApiJson.Default.TurnEnvelope)!.Turn;
    }

    /// <summary>Waits until the CLI has said, shortly after its answer, that it waits for the next message; see <see cref="FaultServer"/>.</summary>
    public static Task WaitForIdleCliAsync(this AshServer server, Guid session) =>
        server.WaitForOutputAsync($"The CLI of session {session} waits for a message");

    /// <summary>Waits until as many of the session's turns have begun, and gives the id of the last of them.</summary>
    public static async Task<Guid> WaitForStartedAsync(this AshServer server, Guid session, int count)
    {
        var messages = new List<Guid>();
        var started = 0;
        await server.WaitForEventAsync(session, e =>
        {
            if (e.Body is Client.Events.Lifecycle { Type: "message", TurnId: { } turn })
            {
                messages.Add(turn);
            }

            started += e.Body is Client.Events.SessionStart ? 1 : 0;
            return started == count;
        });
        return messages[count - 1];
    }

    /// <summary>The answer of the model, from the log of its calls: what the last of them was told the agent had said.</summary>
    public static string LastModelCall(this AshServer server) =>
        server.Model.Requests.Last(request => request.Path == "/v1/messages").ReadBody().GetProperty("messages").GetRawText();

    private static bool IsOf(SandboxProcess process, Guid session)
    {
        try
        {
            return File.ReadAllText($"/proc/{process.Pid}/environ").Contains($"ASH_SESSION_ID={session}", StringComparison.Ordinal);
        }
        catch (IOException)
        {
            // It ended while we looked.
            return false;
        }
    }
}
