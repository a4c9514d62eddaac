using Ash.Contract.Tests.Checked;
using Ash.Testing;

[assembly: AssemblyFixture(typeof(Ash.Contract.Tests.ContractServer))]

namespace Ash.Contract.Tests;

/// <summary>
/// The server that all tests ask: a published one of our own with the Claude CLI in real sandboxes and a scripted model, or the
/// one that <c>ASH_CONTRACT_URL</c> and <c>ASH_CONTRACT_KEY</c> name.
/// </summary>
public sealed class ContractServer : IAsyncLifetime
{
    private const string Secret = "of-the-contract-tests-and-nobody-else";
    private static readonly string? ForeignUrl = Environment.GetEnvironmentVariable("ASH_CONTRACT_URL");
    private AshServer? _own;
    private Uri _url = null!; // Set before the first test, as is all below.
    private string _key = null!;

    public ApiDescription Description { get; private set; } = null!;

    public Coverage Coverage { get; } = new();

    /// <summary>Our own server and its scripted model. The test is skipped where the server is another's.</summary>
    public AshServer Own
    {
        get
        {
            Assert.SkipWhen(_own is null, "needs the scripted model, a second tenant or the settings of our own server, and runs against another (ASH_CONTRACT_URL)");
            return _own!; // Skipped otherwise.
        }
    }

    public bool IsOwn => _own is not null;

    public async ValueTask InitializeAsync()
    {
        if (ForeignUrl is not null)
        {
            _url = new Uri(ForeignUrl);
            _key = Environment.GetEnvironmentVariable("ASH_CONTRACT_KEY")
                ?? throw new InvalidOperationException("ASH_CONTRACT_URL is set; set ASH_CONTRACT_KEY to a key of that server too.");
        }
        else
        {
            _own = await AshServer.StartAsync(new AshServerOptions
            {
                Environment = new Dictionary<string, string?>
                {
                    ["ASH_INTERNAL_SECRET"] = Secret,

                    // All tests come from one address.
                    ["ASH_RATE_LIMIT_FAILED_KEYS"] = "0",
                },
            });
            _url = _own.Url;
            _key = _own.ApiKey;
        }

        using var http = new HttpClient { BaseAddress = _url };
        Description = new ApiDescription(await http.GetStringAsync("/docs/json"));
    }

    public async ValueTask DisposeAsync()
    {
        if (_own is not null)
        {
            await _own.DisposeAsync();
        }
    }

    /// <summary>Asks with the tests' own key.</summary>
    public Api Connect() => Connect(_key);

    /// <summary>Asks with another key, or with none.</summary>
    public Api Connect(string? key) => new(_url, key, Description, Coverage);

    /// <summary>Asks with the internal secret in the place of a key.</summary>
    public Api ConnectInternally() => Own is not null ? Connect(Secret) : throw new InvalidOperationException();

    /// <summary>Asks with a fresh key of another tenant.</summary>
    public async Task<Api> ConnectAsync(string tenant)
    {
        using var inside = ConnectInternally();
        var made = (await inside.PostAsync("/api/internal/api-keys", $$"""{"tenantId":"{{tenant}}"}""")).Is(200);
        return Connect(made.GetProperty("key").GetString());
    }
}
