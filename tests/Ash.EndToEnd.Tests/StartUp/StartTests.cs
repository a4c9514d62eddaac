using System.Diagnostics;
using System.Net.Http.Json;
using System.Net.Sockets;
using System.Text.Json;
using Ash.Testing;

namespace Ash.EndToEnd.Tests.StartUp;

/// <summary>Starts that succeed: without a key, after a crash, beside another server, below a long path.</summary>
public sealed class StartTests
{
    private const int TimeLimit = 120_000;

    [Fact(Timeout = TimeLimit)]
    public async Task WithoutAModelKey_TheServerWarns_AndATurnSaysWhatIsMissing()
    {
        await using var server = await StartAsync(("ASH_MODEL_BASE_URL", null), ("ANTHROPIC_API_KEY", null));
        await server.WaitForOutputAsync("Warning: no model key");
        Assert.Equal("claude", (await HealthAsync(server)).GetProperty("model").GetString());
        var session = await server.CreateSessionAsync();

        var turn = await server.SendAsync(session.Id, "hello");

        Assert.Equal(("model_error", "model_not_configured"), (turn.Reason, turn.Code));
    }

    [Fact(Timeout = TimeLimit)]
    public async Task RealSdkZero_MeansTheScriptedModel()
    {
        await using var server = await StartAsync(("ASH_REAL_SDK", "0"), ("ASH_MODEL_BASE_URL", null), ("ANTHROPIC_API_KEY", null));
        Assert.Equal("scripted", (await HealthAsync(server)).GetProperty("model").GetString());
        var session = await server.CreateSessionAsync();

        var turn = await server.SendAsync(session.Id, "hello");

        Assert.Equal(("completed", "[Mock] Turn 1 | History: hello"), (turn.Reason, turn.Result));
    }

    [Fact(Timeout = TimeLimit)]
    public async Task UnknownSetting_IsNamed()
    {
        await using var server = await StartAsync(("ASH_IDLE_TIMEOUT", "5m"));

        await server.WaitForOutputAsync("Warning: ASH_IDLE_TIMEOUT is not a setting of this release");
    }

    [Fact(Timeout = TimeLimit)]
    public async Task SettingsFileOfTheWorkingDirectory_HasNoSay()
    {
        using var folder = new TemporaryFolder();
        await File.WriteAllTextAsync(folder["appsettings.json"], """{"Kestrel":{"Endpoints":{"Stray":{"Url":"not even a URL"}}}}""");
        var program = folder["ash-server"];
        await File.WriteAllTextAsync(program, $"#!/bin/sh\ncd '{folder.Path}' && exec '{TestPaths.Server}' \"$@\"\n");
        File.SetUnixFileMode(program, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);

        await using var server = await AshServer.StartAsync(new AshServerOptions { Program = program });

        Assert.DoesNotContain(Descriptors(server.Pid), target => target.Contains("inotify", StringComparison.Ordinal));
    }

    [Fact(Timeout = TimeLimit)]
    public async Task StopWhileStarting_LeavesNothing_AndTheNextStartWorks()
    {
        using var folder = new TemporaryFolder();
        var start = new ProcessStartInfo(TestPaths.Server, ["--port", "0", "--data-dir", folder["data"]]) { RedirectStandardOutput = true, RedirectStandardError = true };
        start.Environment["ASH_BRIDGE_ENTRY"] = TestPaths.Bridge;
        start.Environment["ASH_MODEL"] = "scripted";
        using (var process = Process.Start(start)!) // Started without the shell, there is always a process.
        {
            using (var watch = new FileSystemWatcher(folder.Path) { IncludeSubdirectories = true, EnableRaisingEvents = true })
            {
                while (!File.Exists(Path.Combine(folder["data"], "server.json")))
                {
                    watch.WaitForChanged(WatcherChangeTypes.All, timeout: 20);
                }
            }

            ProcessSignals.Send(process.Id, ProcessSignals.Terminate);
            await process.WaitForExitAsync(TestContext.Current.CancellationToken);

            // 143 where the runtime was not up far enough to end in order: nothing had been started then.
            Assert.Contains(process.ExitCode, new[] { 0, 143 });
        }

        var id = ServerFile(folder["data"]).GetProperty("id").GetString()!;
        await using var server = await AshServer.StartAsync(new AshServerOptions { DataDirectory = folder["data"] });
        Assert.Equal(id, server.ServerId);
        await server.StopAsync();
        Assert.Empty(CgroupsOf(id));
    }

    [Fact(Timeout = TimeLimit)]
    public async Task AfterACrash_WhatLivesIsAdopted_AndWhatNobodyOwnsIsRemoved()
    {
        await using var server = await StartAsync();
        var session = await server.CreateSessionAsync();
        await server.SendAsync(session.Id, "before the crash");
        var id = server.ServerId;
        var bridge = server.Processes().Single(process => process.InnerPid == 1);
        await server.KillAsync();
        using var stranger = StartStranger(server);

        await server.StartAgainAsync();
        await stranger.WaitForExitAsync(TestContext.Current.CancellationToken);

        Assert.Equal(id, server.ServerId);
        Assert.Equal(bridge, server.Processes().Single(process => process.InnerPid == 1));
        Assert.Equal("agent:x:1000:1000:agent:/home/agent:/bin/bash", (await server.ExecAsync(session.Id, "head -1 /etc/passwd")).Stdout.Trim());
        Assert.Contains("before the crash | after it", (await server.SendAsync(session.Id, "after it")).Result, StringComparison.Ordinal);
        Assert.False(Directory.Exists(Path.Combine(server.DataDirectory, "run", "stranger")));
        Assert.False(Directory.Exists(Path.Combine(server.DataDirectory, "tmp", "launch-stranger")));
        Assert.False(File.Exists(Path.Combine(server.DataDirectory, "tmp", "half-an-upload")));
        Assert.DoesNotContain(CgroupsOf(id), folder => folder.EndsWith("/stranger", StringComparison.Ordinal));
        await server.StopAsync();
        Assert.Empty(CgroupsOf(id));
    }

    [Fact(Timeout = TimeLimit)]
    public async Task LongDataPath_HasItsSocketsElsewhere_AndTheyGoWithTheServer()
    {
        using var folder = new TemporaryFolder();
        var data = folder[string.Join('/', Enumerable.Repeat("a-folder-with-a-long-name", 5))];
        await using var server = await AshServer.StartAsync(new AshServerOptions
        {
            DataDirectory = data,
            Environment = new Dictionary<string, string?> { ["ASH_MODEL"] = "scripted", ["ASH_MODEL_BASE_URL"] = null },
        });
        var sockets = $"/run/ash/{server.ServerId}";
        var session = await server.CreateSessionAsync();
        Assert.Equal("completed", (await server.SendAsync(session.Id, "one")).Reason);
        Assert.True(File.Exists($"{sockets}/model.sock"));

        // The sockets of the crashed server are there still; the next one takes their place.
        await server.KillAsync();
        await server.StartAgainAsync();

        Assert.Equal("completed", (await server.SendAsync(session.Id, "two")).Reason);
        Assert.False(Directory.Exists(Path.Combine(data, "run")));
        await server.StopAsync();
        Assert.False(Directory.Exists(sockets));
    }

    [Fact(Timeout = TimeLimit)]
    public async Task TwoServersOnOneMachine_DoNotMix()
    {
        await using var one = await StartAsync();
        await using var other = await StartAsync();
        var ours = await one.CreateSessionAsync();
        var theirs = await other.CreateSessionAsync();
        await one.SendAsync(ours.Id, "one");

        Assert.NotEqual(one.ServerId, other.ServerId);
        Assert.Empty(one.Processes().Select(process => process.Uid).Intersect(other.Processes().Select(process => process.Uid)));
        Assert.Equal("1\n", (await one.ExecAsync(ours.Id, "ls -d /workspace | wc -l")).Stdout);
        await other.StopAsync();

        Assert.Empty(other.Processes());
        Assert.Equal("[Resumed session] Turn 2 | History: one | two", (await one.SendAsync(ours.Id, "two")).Result);
        Assert.Equal(System.Net.HttpStatusCode.NotFound, (await one.Http.GetAsync($"/api/sessions/{theirs.Id}")).StatusCode);
    }

    [Fact(Timeout = TimeLimit)]
    public async Task WrongCli_IsReportedByReadiness()
    {
        using var folder = new TemporaryFolder();
        File.Copy("/bin/true", folder["claude"]);
        await using var server = await StartAsync(("CLAUDE_CODE_EXECUTABLE", folder["claude"]));

        using var answer = await server.Http.GetAsync("/health/ready");

        Assert.Equal(System.Net.HttpStatusCode.ServiceUnavailable, answer.StatusCode);
        var readiness = await answer.Content.ReadFromJsonAsync<JsonElement>();
        Assert.False(readiness.GetProperty("ready").GetBoolean());
        var missing = Assert.Single(readiness.GetProperty("missing").EnumerateArray()).GetString()!;
        Assert.StartsWith($"claude: {folder["claude"]} is not version 2.1.330", missing, StringComparison.Ordinal);
        Assert.Contains("CLAUDE_CODE_EXECUTABLE", missing, StringComparison.Ordinal);
    }

    private static Task<AshServer> StartAsync(params (string Name, string? Value)[] environment) => AshServer.StartAsync(new AshServerOptions
    {
        Environment = environment.ToDictionary(setting => setting.Name, setting => setting.Value),
    });

    private static async Task<JsonElement> HealthAsync(AshServer server) => await server.Http.GetFromJsonAsync<JsonElement>("/health");

    private static JsonElement ServerFile(string data)
    {
        using var file = JsonDocument.Parse(File.ReadAllBytes(Path.Combine(data, "server.json")));
        return file.RootElement.Clone();
    }

    /// <summary>What a sandbox without a row looks like: a process in its cgroups, folders, a socket that nobody listens on.</summary>
    private static Process StartStranger(AshServer server)
    {
        var process = Process.Start(new ProcessStartInfo("sleep", ["600"]))!; // Started without the shell, there is always a process.
        foreach (var parent in CgroupsOf(server.ServerId).Where(folder => Path.GetFileName(folder) == $"ash-{server.ServerId}").ToList())
        {
            var folder = Directory.CreateDirectory(Path.Combine(parent, "stranger")).FullName;
            File.WriteAllText(Path.Combine(folder, "cgroup.procs"), $"{process.Id}");
        }

        var run = Directory.CreateDirectory(Path.Combine(server.DataDirectory, "run", "stranger")).FullName;
        using (var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified))
        {
            socket.Bind(new UnixDomainSocketEndPoint(Path.Combine(run, "host.sock")));
        }

        File.WriteAllText(Path.Combine(run, "broker.sock"), string.Empty);
        Directory.CreateDirectory(Path.Combine(server.DataDirectory, "tmp", "launch-stranger"));
        File.WriteAllText(Path.Combine(server.DataDirectory, "tmp", "half-an-upload"), "x");
        return process;
    }

    private static List<string> CgroupsOf(string serverId) =>
    [
        .. Directory.EnumerateDirectories("/sys/fs/cgroup", $"ash-{serverId}", new EnumerationOptions { RecurseSubdirectories = true, MaxRecursionDepth = 2 })
            .SelectMany(folder => Directory.EnumerateDirectories(folder).Prepend(folder)),
    ];

    private static IEnumerable<string> Descriptors(int pid) =>
        Directory.EnumerateFiles($"/proc/{pid}/fd").Select(file => new FileInfo(file).LinkTarget ?? string.Empty);
}
