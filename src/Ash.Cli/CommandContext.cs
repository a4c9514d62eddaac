using System.CommandLine;
using Ash.Cli.Configuration;
using Ash.Cli.Output;
using Ash.Cli.Servers;
using Ash.Client;

namespace Ash.Cli;

/// <summary>What a running command works with.</summary>
internal sealed class CommandContext : IDisposable
{
    private readonly GlobalOptions _options;
    private readonly Lazy<CliConfig> _config;
    private readonly Lazy<AshClient> _client;

    public CommandContext(CliHost host, GlobalOptions options, ParseResult parse)
    {
        _options = options;
        Host = host;
        Parse = parse;
        Output = new CliOutput(host, parse.GetValue(options.Json));
        Store = new ConfigStore(Path.Combine(host.HomeFolder, ".ash"));
        _config = new(Store.Read);
        _client = new(() => Connect(ServerUrl, ApiKey));
    }

    public CliHost Host { get; }
    public ParseResult Parse { get; }
    public CliOutput Output { get; }
    public ConfigStore Store { get; }
    public CliConfig Config => _config.Value;

    /// <summary>The server that commands go to.</summary>
    public Uri ServerUrl => ServerAddress.Parse(
        Parse.GetValue(_options.Server) ?? Host.Variable("ASH_SERVER_URL") ?? Config.ServerUrl ?? ServerAddress.Default);

    /// <summary>The key that was given for this command, by option or environment.</summary>
    public string? GivenApiKey => Parse.GetValue(_options.ApiKey) ?? Host.Variable("ASH_API_KEY");

    /// <summary>The key that commands use; null where there is none.</summary>
    public string? ApiKey => GivenApiKey ?? Config.ApiKey ?? FirstKeyOfThisMachine();

    /// <summary>A client of <see cref="ServerUrl"/>, made when first asked for.</summary>
    public AshClient Client => _client.Value;

    /// <param name="dataDir">From the command line, or null.</param>
    public DataFolder DataFolder(string? dataDir) => new(
        Path.GetFullPath(dataDir ?? Host.Variable("ASH_DATA_DIR") ?? Path.Combine(Host.HomeFolder, ".ash")));

    public AshClient Connect(Uri url, string? apiKey) => new(new AshClientOptions
    {
        ServerUrl = url,
        ApiKey = apiKey,
        TimeProvider = Host.Clock,
    });

    public void Dispose()
    {
        Output.Dispose();

        if (_client.IsValueCreated)
        {
            _client.Value.Dispose();
        }
    }

    /// <summary>A server of this machine that was not started by <c>ash start</c> has left its first key in its data folder.</summary>
    private string? FirstKeyOfThisMachine() =>
        ServerUrl.IsLoopback && InitialKey.Import(DataFolder(dataDir: null), Store) ? Store.Read().ApiKey : null;
}
