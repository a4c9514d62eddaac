using System.Diagnostics;
using System.Net;
using System.Net.Http.Headers;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Text.Json;
using Ash.Client;
using Ash.Client.Events;
using Ash.Protocol.Api;
using Ash.Simulator;

namespace Ash.Testing;

/// <summary>The real server as a process of its own, with a data folder of its own, and the scripted model behind its broker.</summary>
/// <remarks>
/// The model demands a random key that only the server was given: whatever answers at all shows that the broker put it in.
/// The server may be killed and started again on the same data; the model and the address stay.
/// </remarks>
public sealed class AshServer : IAsyncDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);
    /// <summary>
    /// What a server that passed its self-test has noted of it: another one of the same programs, on the same machine, takes its word,
    /// as it would its own after a restart. The test reads all of the CLI, and the cores are needed elsewhere.
    /// </summary>
    private static string? _passedSelfTest;

    private readonly AshServerOptions _options;
    private readonly string? _databaseUrl;
    private readonly List<string> _output = [];
    private Process? _process;

    private AshServer(AshServerOptions options, string? databaseUrl, SimulatorHost model, string modelKey, int port)
    {
        _options = options;
        _databaseUrl = databaseUrl;
        Model = model;
        ModelKey = modelKey;
        Port = port;
        DataDirectory = options.DataDirectory ?? Directory.CreateTempSubdirectory("ash-e2e-").FullName;
        Url = new Uri($"http://127.0.0.1:{port}");
        ApiKey = "ash_" + RandomNumberGenerator.GetHexString(32, lowercase: true);

        // A test that has killed its server need not wait for a minute until the client gives up.
        Client = new AshClient(new AshClientOptions { ServerUrl = Url, ApiKey = ApiKey, Reconnect = new ReconnectOptions { MaxAttempts = 5 } });
        Http = new HttpClient { BaseAddress = Url, Timeout = TimeSpan.FromMinutes(5) };
        Http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", ApiKey);
    }

    private string SelfTestFile => Path.Combine(DataDirectory, "self-test.json");

    /// <summary>The scripted model: what it saw, its gates, its script.</summary>
    public SimulatorHost Model { get; }

    /// <summary>The canary: the host's model key.</summary>
    public string ModelKey { get; }

    public string ApiKey { get; }

    public string DataDirectory { get; }

    public int Port { get; }

    public Uri Url { get; }

    public AshClient Client { get; }

    /// <summary>Plain HTTP with the key, for what the client does not show.</summary>
    public HttpClient Http { get; }

    public int Pid => _process!.Id;

    /// <summary>All that the server wrote to its standard streams, over all its starts.</summary>
    public string Output
    {
        get
        {
            lock (_output)
            {
                return string.Join('\n', _output);
            }
        }
    }

    /// <summary>Waits until the server has written this text; what it writes comes a moment after what it does.</summary>
    /// <exception cref="TimeoutException">It does not.</exception>
    public async Task WaitForOutputAsync(string text)
    {
        using var patience = new CancellationTokenSource(Patience);
        using var probe = new PeriodicTimer(TimeSpan.FromMilliseconds(2));
        while (!Output.Contains(text, StringComparison.Ordinal))
        {
            if (patience.IsCancellationRequested)
            {
                throw new TimeoutException($"The server did not write \"{text}\":\n{Output}");
            }

            await probe.WaitForNextTickAsync(CancellationToken.None);
        }
    }

    /// <summary>Waits until the server says so of itself.</summary>
    public async Task WaitUntilAsync(Predicate<HealthInfo> fits)
    {
        using var patience = new CancellationTokenSource(Patience);
        while (!fits(await Client.GetHealthAsync(patience.Token)))
        {
            await Task.Delay(10, patience.Token);
        }
    }

    public static async Task<AshServer> StartAsync(AshServerOptions? options = null)
    {
        var key = "canary-" + RandomNumberGenerator.GetHexString(32, lowercase: true);
        var model = await SimulatorHost.StartAsync(new SimulatorOptions { RequiredKey = key }, CancellationToken.None);
        var server = new AshServer(options ?? new AshServerOptions(), await ServerDatabases.CreateUrlAsync(), model, key, FreePort());
        try
        {
            await server.StartProcessAsync();
            return server;
        }
        catch
        {
            // Nobody has it yet who could end it.
            server._process?.Kill();
            await server.DisposeAsync();
            throw;
        }
    }

    /// <summary>Starts the server again on the same data; returns when it answers.</summary>
    public Task StartAgainAsync() => StartProcessAsync();

    /// <summary>SIGKILL; returns when the process is gone.</summary>
    public async Task KillAsync()
    {
        _process!.Kill();
        await _process.WaitForExitAsync();
    }

    /// <summary>SIGTERM; returns the exit code.</summary>
    public async Task<int> StopAsync()
    {
        ProcessSignals.Send(Pid, ProcessSignals.Terminate);
        await _process!.WaitForExitAsync().WaitAsync(Patience);
        return _process.ExitCode;
    }

    /// <summary>Deploys an agent with this prompt and files, and creates a session with it.</summary>
    public async Task<SessionInfo> CreateSessionAsync(
        string prompt = "You are a test agent.", IReadOnlyDictionary<string, string>? files = null, CreateSessionRequest? request = null)
    {
        var name = "agent-" + Guid.NewGuid().ToString("N")[..8];
        var packed = (files ?? new Dictionary<string, string>()).Append(new("CLAUDE.md", prompt))
            .Select(file => new AgentFile(file.Key, Convert.ToBase64String(System.Text.Encoding.UTF8.GetBytes(file.Value))));
        await Client.Agents.DeployAsync(new DeployAgentRequest { Name = name, Files = [.. packed] });
        return await Client.Sessions.CreateAsync((request ?? new CreateSessionRequest { Agent = name }) with { Agent = name });
    }

    /// <summary>Sends a message and waits for its turn's end.</summary>
    public Task<TurnInfo> SendAsync(Guid session, string text) => Client.Sessions.SendMessageAndWaitAsync(session, text);

    /// <summary>Sends a message whose model replies are scripted.</summary>
    /// <param name="session">The session.</param>
    /// <param name="steps">The simulator's steps, as JSON.</param>
    public Task<TurnInfo> PlayAsync(Guid session, string steps) => SendAsync(session, $"@@fake {steps}");

    /// <summary>Runs a shell command inside the session's sandbox.</summary>
    public Task<ExecResult> ExecAsync(Guid session, string command) =>
        Client.Sessions.ExecAsync(session, new ExecRequest { Command = command });

    /// <summary>Everything that is in the session's log now, as events.</summary>
    public async Task<IReadOnlyList<AshEvent>> ReadLogAsync(Guid session)
    {
        var events = new List<AshEvent>();
        await foreach (var e in Client.Sessions.StreamAsync(session, new StreamOptions { UntilIdle = true }))
        {
            events.Add(e);
        }

        return events;
    }

    /// <summary>Waits until the log has an event that fits, from its beginning on.</summary>
    public async Task<AshEvent> WaitForEventAsync(Guid session, Func<AshEvent, bool> fits)
    {
        using var patience = new CancellationTokenSource(Patience);
        await foreach (var e in Client.Sessions.StreamAsync(session, new StreamOptions(), patience.Token))
        {
            if (fits(e))
            {
                return e;
            }
        }

        throw new InvalidOperationException("The stream ended without the event.");
    }

    /// <summary>Host pids of everything in the session's live sandbox, the bridge first.</summary>
    public IReadOnlyList<SandboxProcess> Processes() => SandboxProcess.OfServer(ServerId);

    /// <summary>The data folder's id, which names its cgroups.</summary>
    public string ServerId
    {
        get
        {
            using var file = JsonDocument.Parse(File.ReadAllBytes(Path.Combine(DataDirectory, "server.json")));
            return file.RootElement.GetProperty("id").GetString()!;
        }
    }

    public async ValueTask DisposeAsync()
    {
        try
        {
            if (_process is { HasExited: false })
            {
                await StopAsync();
            }
        }
        finally
        {
            _process?.Kill(); // Without effect where it has ended.
            _process?.Dispose();
        }

        Client.Dispose();
        Http.Dispose();
        await Model.DisposeAsync();
        if (File.Exists(SelfTestFile))
        {
            _passedSelfTest ??= await File.ReadAllTextAsync(SelfTestFile);
        }

        Directory.Delete(DataDirectory, recursive: true);
    }

    /// <summary>Starts the server again on the same data and does not wait for it.</summary>
    public Process BeginToStart() => StartProcess();

    private async Task StartProcessAsync()
    {
        var process = StartProcess();
        _process?.Dispose();
        _process = process;
        await WaitUntilUpAsync(process);
    }

    private Process StartProcess()
    {
        if (_passedSelfTest is not null && Directory.Exists(DataDirectory) && !File.Exists(SelfTestFile))
        {
            File.WriteAllText(SelfTestFile, _passedSelfTest);
        }

        var start = new ProcessStartInfo(_options.Program ?? TestPaths.Server)
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        Dictionary<string, string?> environment = new()
        {
            ["ASH_PORT"] = $"{Port}",
            ["ASH_DATA_DIR"] = DataDirectory,
            ["ASH_API_KEY"] = ApiKey,
            ["ASH_DATABASE_URL"] = _databaseUrl,
            ["ASH_MODEL_BASE_URL"] = Model.BaseAddress.ToString(),
            ["ANTHROPIC_API_KEY"] = ModelKey,
            ["ASH_BRIDGE_ENTRY"] = TestPaths.Bridge,

            // A start ahead of need would only slow down the test that does not need it.
            ["ASH_WARM_SANDBOXES"] = "0",
        };
        foreach (var (name, value) in environment.Concat(_options.Environment))
        {
            start.Environment[name] = value;
        }

        var process = new Process { StartInfo = start };
        process.OutputDataReceived += (_, line) => Add(line.Data);
        process.ErrorDataReceived += (_, line) => Add(line.Data);
        process.Start();
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        return process;
    }

    private async Task WaitUntilUpAsync(Process process)
    {
        using var patience = new CancellationTokenSource(Patience);
        using var probe = new PeriodicTimer(TimeSpan.FromMilliseconds(20));
        while (await probe.WaitForNextTickAsync(patience.Token))
        {
            if (process.HasExited)
            {
                throw new InvalidOperationException($"The server exited with {process.ExitCode}:\n{Output}");
            }

            try
            {
                using var answer = await Http.GetAsync("/health", patience.Token);
                if (answer.StatusCode == HttpStatusCode.OK)
                {
                    return;
                }
            }
            catch (HttpRequestException)
            {
                // Not listening yet.
            }
        }
    }

    private void Add(string? line)
    {
        if (line is not null)
        {
            lock (_output)
            {
                _output.Add(line);
            }
        }
    }

    /// <summary>A port that nobody listens on, and that the kernel gives to nobody who asks for any: it stays free over a restart.</summary>
    public static int FreePort()
    {
        while (true)
        {
            var port = RandomNumberGenerator.GetInt32(10_000, 32_000);
            using var listener = new TcpListener(IPAddress.Loopback, port);
            try
            {
                listener.Start();
                return port;
            }
            catch (SocketException taken) when (taken.SocketErrorCode == SocketError.AddressAlreadyInUse)
            {
                // Another one, then.
            }
        }
    }
}
