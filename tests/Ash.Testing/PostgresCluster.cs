using System.Diagnostics;
using System.Globalization;

namespace Ash.Testing;

/// <summary>A Postgres that is this process' own (<c>eng/postgres.sh</c>): it goes with the process, however that ends.</summary>
public sealed class PostgresCluster : IAsyncDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);
    private readonly Process _process;

    private PostgresCluster(Process process, int port, string folder)
    {
        _process = process;
        Port = port;
        Folder = folder;
        AppDomain.CurrentDomain.ProcessExit += StopWithTheProcess;
    }

    public int Port { get; }

    /// <summary>Where the Unix socket is, the data in <c>data</c>, and the log.</summary>
    public string Folder { get; }

    /// <summary>Of the server that the others come from.</summary>
    public int Pid => int.Parse(File.ReadLines(Path.Combine(Folder, "data", "postmaster.pid")).First(), CultureInfo.InvariantCulture);

    /// <summary>Of its processes that serve a connection over TCP.</summary>
    public IReadOnlyList<int> ConnectionPids() =>
    [
        .. File.ReadAllText($"/proc/{Pid}/task/{Pid}/children")
            .Split(' ', StringSplitOptions.RemoveEmptyEntries)
            .Select(pid => int.Parse(pid, CultureInfo.InvariantCulture))
            .Where(pid => File.ReadAllText($"/proc/{pid}/cmdline").Contains("127.0.0.1(", StringComparison.Ordinal)),
    ];

    public string UrlOf(string database) => $"postgres://ash:ash@127.0.0.1:{Port}/{database}";

    /// <summary>Starts one; returns once it takes connections.</summary>
    /// <param name="port">Where it listens; a free one where it is null.</param>
    /// <param name="arguments">Of the program <c>postgres</c>.</param>
    /// <exception cref="InvalidOperationException">It does not start.</exception>
    public static async Task<PostgresCluster> StartAsync(int? port = null, params string[] arguments)
    {
        var chosen = port ?? AshServer.FreePort();

        // An interrupt at the terminal reaches the tests, and they end it.
        var start = new ProcessStartInfo("setsid", ["bash", Path.Combine(TestPaths.Root, "eng", "postgres.sh"), $"{chosen}", .. arguments])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        var process = Process.Start(start)!;
        var errors = process.StandardError.ReadToEndAsync();
        if (await process.StandardOutput.ReadLineAsync().WaitAsync(Patience) is not { } ready || !ready.StartsWith("ready ", StringComparison.Ordinal))
        {
            throw new InvalidOperationException("Postgres did not start: " + await errors.WaitAsync(Patience));
        }

        return new PostgresCluster(process, chosen, ready["ready ".Length..]);
    }

    /// <summary>Makes an empty database that belongs to the user <c>ash</c>.</summary>
    /// <exception cref="InvalidOperationException">It cannot be made.</exception>
    public async Task CreateDatabaseAsync(string name)
    {
        using var process = Process.Start(new ProcessStartInfo("createdb", ["-h", Folder, "-p", $"{Port}", "-U", "ash", name])
        {
            RedirectStandardError = true,
        })!;
        var error = await process.StandardError.ReadToEndAsync();
        await process.WaitForExitAsync();
        if (process.ExitCode != 0)
        {
            throw new InvalidOperationException(error);
        }
    }

    public async ValueTask DisposeAsync()
    {
        AppDomain.CurrentDomain.ProcessExit -= StopWithTheProcess;
        _process.StandardInput.Close();
        await _process.WaitForExitAsync().WaitAsync(Patience);
        _process.Dispose();
    }

    private void StopWithTheProcess(object? sender, EventArgs e)
    {
        _process.StandardInput.Close();
        _process.WaitForExit(Patience);
    }
}
