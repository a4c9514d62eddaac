using System.Collections.Concurrent;
using System.Globalization;
using Ash.Contract.Tests.Checked;
using Ash.Testing;

namespace Ash.Contract.Tests.Fuzz;

/// <summary>
/// Requests with anything wrong in them, over every route: no failure of the server, no answer that its description does not
/// have, no wait, no memory that grows. The same seed (<c>ASH_TEST_SEED</c>) makes the same requests.
/// </summary>
public sealed class FuzzTests(ContractServer contract)
{
    private const int Limit = 1_200_000;
    private const int Workers = 4;
    private const int BetweenRefreshes = 200;
    private const int RawPercent = 8;
    private const int MostMistakes = 20;
    private const long MaxServerBytes = 700L * 1024 * 1024;
    private const string Secret = "of-the-fuzz-tests-and-of-nobody-else";
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);
    private static readonly bool IsLong = Environment.GetEnvironmentVariable("ASH_TEST_LONG") is not null;

    private readonly ConcurrentQueue<string> _mistakes = new();
    private int _sent;
    private int _reached;

    [Fact(Timeout = Limit)]
    public async Task NoRequest_BreaksTheServer()
    {
        Assert.True(contract.Own is not null);
        var count = IsLong ? 20_000 : 2_000;
        var seed = int.Parse(Environment.GetEnvironmentVariable("ASH_TEST_SEED") ?? $"{Random.Shared.Next()}", CultureInfo.InvariantCulture);
        TestContext.Current.SendDiagnosticMessage("seed {0}", seed);
        await using var server = await StartAsync();
        var live = new LiveObjects(server);
        for (var done = 0; done < count && _mistakes.Count < MostMistakes; done += BetweenRefreshes)
        {
            await live.RefreshAsync();
            await Task.WhenAll(Enumerable.Range(0, Workers).Select(worker =>
                RunAsync(server, live, new Random(HashCode.Combine(seed, done, worker)), BetweenRefreshes / Workers)));
        }

        var peak = ProcessMemory.KbOf(server.Pid, "VmHWM") * 1024;
        TestContext.Current.TestOutputHelper?.WriteLine($"seed {seed}: {_sent} requests, {_reached} past authentication and routing, server's peak {peak >> 20} MB");
        Assert.True(_mistakes.IsEmpty, $"seed {seed}:\n{string.Join("\n", _mistakes)}\n{Failures(server)}");
        Assert.InRange(_reached, _sent * 3 / 10, _sent);
        Assert.InRange(peak, 0, MaxServerBytes);
        await live.RefreshAsync();
        Assert.Equal("completed", (await server.SendAsync(Guid.Parse(live.Sessions[0]), "NODELAY")).Reason);
        Assert.DoesNotContain("failed unexpectedly", server.Output, StringComparison.Ordinal);
    }

    private static Task<AshServer> StartAsync() => AshServer.StartAsync(new AshServerOptions
    {
        Environment = new Dictionary<string, string?>(StandInCli.Settings)
        {
            ["ASH_INTERNAL_SECRET"] = Secret,
            ["ASH_RATE_LIMIT"] = "0",
            ["ASH_RATE_LIMIT_CREATES"] = "0",
            ["ASH_RATE_LIMIT_FAILED_KEYS"] = "0",
            ["ASH_MAX_SANDBOXES"] = "16",
        },
    });

    private async Task RunAsync(AshServer server, LiveObjects live, Random random, int count)
    {
        using var http = new HttpClient(new SocketsHttpHandler { AllowAutoRedirect = false }) { BaseAddress = server.Url, Timeout = Timeout.InfiniteTimeSpan };
        var generator = new FuzzGenerator(random, contract.Description, live, server.ApiKey, Secret);
        for (var i = 0; i < count && _mistakes.Count < MostMistakes; i++)
        {
            using var patience = new CancellationTokenSource(Patience);
            Interlocked.Increment(ref _sent);
            if (random.Next(100) < RawPercent)
            {
                await SendRawAsync(server, live, random, patience.Token);
                continue;
            }

            var request = generator.Next();
            try
            {
                await SendAsync(http, request, patience.Token);
            }
            catch (OperationCanceledException)
            {
                _mistakes.Enqueue($"no answer within {Patience.TotalSeconds} s: {request}");
            }
        }
    }

    private async Task SendRawAsync(AshServer server, LiveObjects live, Random random, CancellationToken cancellationToken)
    {
        var (request, status) = await RawRequests.SendAsync(random, server.Port, server.ApiKey, live.Sessions[0], cancellationToken);
        if (status >= 500 && status != 505)
        {
            _mistakes.Enqueue($"{status}: {request}");
        }
    }

    private async Task SendAsync(HttpClient http, FuzzRequest request, CancellationToken cancellationToken)
    {
        using var message = Build(http.BaseAddress!, request); // It was given.
        HttpResponseMessage response;
        try
        {
            response = await http.SendAsync(message, HttpCompletionOption.ResponseHeadersRead, cancellationToken);
        }
        catch (HttpRequestException)
        {
            // Refused before it was read to its end: the connection was closed, which the client takes for a failure.
            return;
        }

        using (response)
        {
            await JudgeAsync(request, response, cancellationToken);
        }
    }

    private async Task JudgeAsync(FuzzRequest request, HttpResponseMessage response, CancellationToken cancellationToken)
    {
        var status = (int)response.StatusCode;
        if (response.Content.Headers.ContentType?.MediaType == "text/event-stream")
        {
            // It may stay open for as long as somebody reads.
            Interlocked.Increment(ref _reached);
            return;
        }

        var answer = await Answer.ReadAsync(response, cancellationToken);
        var code = status >= 400 ? answer.Code : null;
        if (status is not (401 or 405) && code != "not_found")
        {
            Interlocked.Increment(ref _reached);
        }

        if (status >= 500 && code != "no_capacity")
        {
            _mistakes.Enqueue($"{status} {answer.Text}: {request}");
        }
        else if (request.IsAtHome && answer.RequestId is not null
            && AnswerCheck.Find(contract.Description, request.Method, request.Path, answer) is { } mistake)
        {
            _mistakes.Enqueue($"{mistake}: {request}");
        }
    }

    private static HttpRequestMessage Build(Uri url, FuzzRequest request)
    {
        var message = new HttpRequestMessage
        {
            Method = new HttpMethod(request.Method),
            RequestUri = new Uri($"{url}{request.Path[1..]}", new UriCreationOptions { DangerousDisablePathAndQueryCanonicalization = true }),
            Content = request.Body is null ? null : new ByteArrayContent(request.Body),
        };
        foreach (var (name, value) in request.Headers)
        {
            _ = message.Headers.TryAddWithoutValidation(name, value) || message.Content?.Headers.TryAddWithoutValidation(name, value) == true;
        }

        return message;
    }

    /// <summary>What the server wrote of failures.</summary>
    private static string Failures(AshServer server) =>
        string.Join('\n', server.Output.Split('\n').Where(line => line.Contains("Exception", StringComparison.Ordinal) || line.Contains("   at ", StringComparison.Ordinal)).Take(60));
}
