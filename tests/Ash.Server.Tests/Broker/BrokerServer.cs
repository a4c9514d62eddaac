using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using System.Text;
using Ash.Server.Broker;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Ash.Server.Tests.Broker;

/// <summary>A real server with a public endpoint, the broker and one sandbox, before a scripted model.</summary>
internal sealed class BrokerServer : IAsyncDisposable
{
    public const string Key = "sk-canary-4711";
    public const string Sandbox = "sandbox-a";
    public const string Token = "token-a";

    private readonly WebApplication _app;
    private readonly List<HttpClient> _clients = [];

    private BrokerServer(WebApplication app, ScriptedUpstream upstream, ManualClock clock, LogCapture log, TestAuthority authority)
    {
        _app = app;
        Upstream = upstream;
        Clock = clock;
        Log = log;
        Authority = authority;
        Folder = Directory.CreateTempSubdirectory("ash-b-").FullName;
        Socket = Open(Sandbox);
        Authority.Know(Sandbox, Token);
    }

    public ScriptedUpstream Upstream { get; }

    public ManualClock Clock { get; }

    public LogCapture Log { get; }

    public TestAuthority Authority { get; }

    /// <summary>What the public pipeline has seen.</summary>
    public required ConcurrentQueue<string> PublicRequests { get; init; }

    public string Folder { get; }

    public BrokerSocket Socket { get; }

    public BrokerSockets Sockets => _app.Services.GetRequiredService<BrokerSockets>();

    public RetryBuffers Buffers => _app.Services.GetRequiredService<RetryBuffers>();

    public Uri PublicAddress => new(
        _app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses
            .Single(address => !address.Contains("ash-broker", StringComparison.Ordinal)));

    public static async Task<BrokerServer> StartAsync(
        Action<BrokerOptions>? options = null, Action<ModelUpstream>? model = null)
    {
        var upstream = await ScriptedUpstream.StartAsync();
        var clock = new ManualClock();
        var log = new LogCapture();
        var authority = new TestAuthority();

        var builder = WebApplication.CreateBuilder();
        builder.Logging.ClearProviders().AddProvider(log).SetMinimumLevel(LogLevel.Trace);
        builder.Services.AddSingleton<TimeProvider>(clock);
        builder.Services.AddSingleton<IModelCallAuthority>(authority);
        builder.Services.AddBroker();
        builder.Services.Configure<ModelUpstream>(configured =>
        {
            configured.BaseUrl = upstream.BaseUrl;
            configured.ApiKey = Key;
            model?.Invoke(configured);
        });

        if (options is not null)
        {
            builder.Services.Configure(options);
        }

        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            kestrel.Listen(IPAddress.Loopback, 0);
            kestrel.ListenBroker();
        });

        // What the application puts in front of its requests is not in front of the broker's: these would be refused.
        builder.Configuration["AllowedHosts"] = "127.0.0.1";

        var app = builder.Build();
        var seen = new ConcurrentQueue<string>();
        app.Use(async (context, next) =>
        {
            seen.Enqueue(context.Request.Path);
            await next(context);
        });
        app.MapGet("/api/secret", () => "public api");
        app.MapPost("/v1/messages", () => "public messages");
        app.MapFallback(() => "public fallback");
        await app.StartAsync();
        return new BrokerServer(app, upstream, clock, log, authority) { PublicRequests = seen };
    }

    public BrokerSocket Open(string sandboxId)
    {
        return Sockets.Open(sandboxId, System.IO.Path.Combine(Folder, $"{sandboxId}.sock"), 0);
    }

    /// <summary>A client inside the sandbox.</summary>
    public HttpClient Inside(BrokerSocket? socket = null)
    {
        var path = (socket ?? Socket).Path;
        var client = new HttpClient(new SocketsHttpHandler
        {
            ConnectCallback = async (_, cancellationToken) => new NetworkStream(await ConnectAsync(path, cancellationToken), true),
            UseProxy = false,
        })
        {
            BaseAddress = new Uri("http://broker.invalid"),
            Timeout = TimeSpan.FromSeconds(30),
        };
        _clients.Add(client);
        return client;
    }

    /// <summary>A model call as the CLI makes it.</summary>
    public static HttpRequestMessage Call(
        string body = "{}", string? token = Token, string path = "/v1/messages?beta=true", HttpMethod? method = null)
    {
        var request = new HttpRequestMessage(method ?? HttpMethod.Post, path)
        {
            Content = new StringContent(body, Encoding.UTF8, "application/json"),
        };

        if (token is not null)
        {
            request.Headers.Add("x-api-key", token);
        }

        return request;
    }

    public static async Task<Socket> ConnectAsync(string path, CancellationToken cancellationToken)
    {
        var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        await socket.ConnectAsync(new UnixDomainSocketEndPoint(path), cancellationToken);
        return socket;
    }

    /// <summary>Sends bytes as they are and reads until the server closes.</summary>
    public async Task<string> ExchangeAsync(string request, CancellationToken cancellationToken)
    {
        using var socket = await ConnectAsync(Socket.Path, cancellationToken);
        await using var stream = new NetworkStream(socket);
        await stream.WriteAsync(Encoding.ASCII.GetBytes(request), cancellationToken);
        using var reader = new StreamReader(stream);
        return await reader.ReadToEndAsync(cancellationToken);
    }

    public Task StopAsync(CancellationToken cancellationToken) => _app.StopAsync(cancellationToken);

    public async ValueTask DisposeAsync()
    {
        foreach (var client in _clients)
        {
            client.Dispose();
        }

        await _app.DisposeAsync();
        await Upstream.DisposeAsync();
        Directory.Delete(Folder, recursive: true);
    }
}
